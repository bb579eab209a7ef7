// The public names of `myelin/webgpu`: what is awaited runs on the GPU.

export { useWebGPU } from '../engine/webgpu/use'
export type { WebGPUOptions, WebGPUUse } from '../engine/webgpu/use'
export type { ProgramReport } from '../engine/runtime/accelerator'
export { DeviceLostError } from '../engine/webgpu/errors'
export { jitAsync } from '../ops/jit-async'
