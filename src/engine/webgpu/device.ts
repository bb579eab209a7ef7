// A device with what programs on it share: memory, pipelines by their source, and the layout of their bindings.

import { DeviceMemory } from './memory'
import { STAGE_COMPUTE } from './flags'
import type { Abilities } from './functions'
import { moduleOf } from './module'

/** The bytes that are bound for a kernel's record: no record is larger. */
export const RECORD_BYTES = 2048

/** Whether kernels can use subgroups: the adapter has them, and WGSL can number them. */
function hasSubgroups({ features }: GPUAdapter, language: WGSLLanguageFeatures | undefined): boolean {
  return features.has('subgroups') && language?.has('subgroup_id') === true
}

export class Gpu {
  readonly memory: DeviceMemory
  readonly layout: GPUBindGroupLayout
  private readonly pipelineLayout: GPUPipelineLayout
  private readonly pipelines = new Map<string, Promise<GPUComputePipeline>>()

  /** Why the device was lost; null while it is there. */
  loss: GPUDeviceLostInfo | null = null

  /**
   * A new device with the largest buffers that the adapter has.
   * @param language what WGSL has; without it, kernels use neither subgroups nor products of bytes
   */
  static async request(adapter: GPUAdapter, language: WGSLLanguageFeatures | undefined): Promise<Gpu> {
    const abilities: Abilities = {
      subgroups: hasSubgroups(adapter, language),
      byteProducts: language?.has('packed_4x8_integer_dot_product') === true,
    }
    const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits
    const requiredLimits = { maxStorageBufferBindingSize, maxBufferSize }
    const requiredFeatures: GPUFeatureName[] = abilities.subgroups ? ['subgroups'] : []
    return new Gpu(await adapter.requestDevice({ requiredLimits, requiredFeatures }), abilities)
  }

  /** @param abilities what kernels use; the device must have it */
  constructor(
    readonly device: GPUDevice,
    private readonly abilities: Abilities = { subgroups: false, byteProducts: false },
  ) {
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

  /** The pipeline of a dispatch's WGSL, compiled once. */
  pipeline(code: string): Promise<GPUComputePipeline> {
    let pipeline = this.pipelines.get(code)
    if (pipeline === undefined) {
      const module = this.device.createShaderModule({ code: moduleOf(code, this.abilities) })
      pipeline = this.device.createComputePipelineAsync({
        layout: this.pipelineLayout,
        compute: { module, entryPoint: 'main' },
      })
      this.pipelines.set(code, pipeline)
    }
    return pipeline
  }
}
