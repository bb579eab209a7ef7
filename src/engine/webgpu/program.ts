// A graph on the GPU: its dispatches with addresses in the device's memory, recorded into command buffers without new objects.

import { internalError } from '../../core/errors'
import type { NumericArray } from '../../core/dtypes'
import { dtypes } from '../../core/dtypes'
import { sizeOf } from '../../core/shapes'
import type { CellStorage, Graph } from '../ir/graph'
import type { Address } from '../ir/operand'
import { placed, type MemoryPlan } from '../plan/memory'
import { RECORD_BYTES, type Gpu } from './device'
import { bitsOf, type Grid } from './dispatch'
import { planGpu, type LabelledDispatch } from './lower'
import { USAGE } from './flags'

/** The place of the flag that a guard sets. */
const FLAG: Address = { buffer: { id: -1, byteLength: 4 }, offset: 0 }

interface Ready {
  readonly pipeline: GPUComputePipeline
  readonly offset: [number]
  readonly grid: Grid
}

/** Where a cell's storage is on the device. */
export type Homes = (storage: CellStorage) => number

export class GpuProgram {
  readonly dispatches: readonly LabelledDispatch[]
  private readonly constants: number
  private readonly workspace: number
  private readonly records: GPUBuffer
  private readonly parameterPlaces: readonly Address[]
  private readonly outputPlaces: readonly Address[]
  private ready: readonly Ready[] | null = null
  private group: GPUBindGroup | null = null
  private epoch = -1

  constructor(
    private readonly gpu: Gpu,
    readonly graph: Graph,
    private readonly homes: Homes,
    /** The address of the flag that a guard sets. */
    private readonly flag: number,
    fuse = true,
  ) {
    const { dispatches, memory, parameters, outputs } = planGpu(graph, fuse, FLAG)
    this.dispatches = dispatches
    this.parameterPlaces = parameters
    this.outputPlaces = outputs
    this.constants = gpu.memory.allocate(memory.constantBytes)
    this.workspace = gpu.memory.allocate(memory.workspaceBytes)
    this.writeConstants(memory)
    this.records = gpu.device.createBuffer({
      size: RECORD_BYTES * (dispatches.length + 1),
      usage: USAGE.uniform | USAGE.copyTarget,
    })
    this.writeRecords()
  }

  private writeConstants({ constants }: MemoryPlan): void {
    for (const { offset, data } of constants) this.gpu.memory.write(this.constants + offset, data)
  }

  private writeRecords(): void {
    const all = new Uint32Array((RECORD_BYTES / 4) * this.dispatches.length)
    this.dispatches.forEach(({ words, label }, i) => {
      const bits = bitsOf(words, (address) => this.resolve(address))
      if (bits.byteLength > RECORD_BYTES) throw internalError(`the record of ${label} has ${bits.byteLength} bytes`)
      all.set(bits, (RECORD_BYTES / 4) * i)
    })
    this.gpu.device.queue.writeBuffer(this.records, 0, all)
  }

  private resolve({ buffer, offset }: Address): number {
    if (buffer === FLAG.buffer) return this.flag + offset
    const { home } = placed(buffer)
    switch (home.kind) {
      case 'workspace':
        return this.workspace + home.offset + offset
      case 'constants':
        return this.constants + home.offset + offset
      case 'cell':
        return this.homes(home.cell.storage) + home.cell.byteOffset + offset
      case 'inside':
        return this.resolve(home.at) + offset
      default:
        throw internalError(`no address for ${home.kind} on the GPU`)
    }
  }

  /** Compiles all kernels. */
  async compile(): Promise<void> {
    const pipelines = await Promise.all(this.dispatches.map(({ code }) => this.gpu.pipeline(code)))
    this.ready = this.dispatches.map(({ grid }, i) => ({ pipeline: pipelines[i]!, offset: [RECORD_BYTES * i], grid }))
  }

  /** Records one run. */
  encode(pass: GPUComputePassEncoder): void {
    const group = this.bindings()
    for (const { pipeline, offset, grid } of this.ready!) {
      pass.setPipeline(pipeline)
      pass.setBindGroup(0, group, offset)
      pass.dispatchWorkgroups(grid[0], grid[1], grid[2])
    }
  }

  private bindings(): GPUBindGroup {
    const { gpu, records } = this
    const { memory, device, layout } = gpu
    if (this.group === null || this.epoch !== memory.epoch) {
      this.epoch = memory.epoch
      this.group = device.createBindGroup({
        layout,
        entries: [
          { binding: 0, resource: { buffer: memory.buffer } },
          { binding: 1, resource: { buffer: records, size: RECORD_BYTES } },
        ],
      })
    }
    return this.group
  }

  writeParameter(index: number, data: NumericArray): void {
    this.gpu.memory.write(this.resolve(this.parameterPlaces[index]!), data)
  }

  /** The outputs of the last run, as copies. */
  async readOutputs(): Promise<NumericArray[]> {
    const ranges = this.graph.outputs.map((output, i) => ({
      at: this.resolve(this.outputPlaces[i]!),
      bytes: dtypes[output.dtype].bytes * sizeOf(output.shape),
    }))
    const bytes = await this.gpu.memory.read(ranges)
    let from = 0
    return this.graph.outputs.map(({ dtype, shape }, i) => {
      const start = from
      from += ranges[i]!.bytes
      const size = sizeOf(shape)
      return dtype === 'float32' ? new Float32Array(bytes, start, size) : new Int32Array(bytes, start, size)
    })
  }

  dispose(): void {
    for (const at of [this.constants, this.workspace]) this.gpu.memory.release(at)
    this.records.destroy()
  }
}
