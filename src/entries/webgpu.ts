// The public names of `myelin/webgpu`: fit, evaluate and predict on the GPU.

export { useWebGPU } from '../engine/webgpu/use'
export type { WebGPUOptions, WebGPUUse } from '../engine/webgpu/use'
export type { ProgramReport } from '../engine/runtime/accelerator'
export { DeviceLostError } from '../engine/webgpu/errors'
