// A device with what programs on it share: memory, pipelines by their source, and the layout of their bindings.

import { DeviceMemory } from './memory'
import { STAGE_COMPUTE } from './flags'

/** The bytes that are bound for a kernel's record: no record is larger. */
export const RECORD_BYTES = 2048

export class Gpu {
  readonly memory: DeviceMemory
  readonly layout: GPUBindGroupLayout
  private readonly pipelineLayout: GPUPipelineLayout
  private readonly pipelines = new Map<string, Promise<GPUComputePipeline>>()

  /** Why the device was lost; null while it is there. */
  loss: GPUDeviceLostInfo | null = null

  constructor(readonly device: GPUDevice) {
    void device.lost.then((info) => (this.loss = info))
    this.memory = new DeviceMemory(device)
    this.layout = device.createBindGroupLayout({
      entries: [
        { binding: 0, visibility: STAGE_COMPUTE, buffer: { type: 'storage' } },
        { binding: 1, visibility: STAGE_COMPUTE, buffer: { type: 'uniform', hasDynamicOffset: true } },
      ],
    })
    this.pipelineLayout = device.createPipelineLayout({ bindGroupLayouts: [this.layout] })
  }

  /** The loss behind an error; null if the device is not lost. Both come in any order. */
  async lossBehind(): Promise<GPUDeviceLostInfo | null> {
    await Promise.race([this.device.lost, new Promise((resolve) => setTimeout(resolve, 100))])
    return this.loss
  }

  /** The pipeline of a source, compiled once. */
  pipeline(code: string): Promise<GPUComputePipeline> {
    let pipeline = this.pipelines.get(code)
    if (pipeline === undefined) {
      const module = this.device.createShaderModule({ code })
      pipeline = this.device.createComputePipelineAsync({
        layout: this.pipelineLayout,
        compute: { module, entryPoint: 'main' },
      })
      this.pipelines.set(code, pipeline)
    }
    return pipeline
  }
}
