// The records of dispatches in a buffer, and the bindings with which kernels read memory and their record.

import { internalError } from '../../core/errors'
import { createBuffer } from './buffer'
import { RECORD_BYTES, type Gpu } from './device'
import { USAGE } from './flags'

const RECORD_WORDS = RECORD_BYTES / 4

/** The words of a dispatch, with the name of its kernel. */
export interface Record {
  readonly bits: Uint32Array
  readonly label: string
}

/** Records in the order of their dispatches. */
export class Records {
  private group: GPUBindGroup | null = null
  private epoch = -1
  // One array for all calls, because the API takes a list of offsets.
  private readonly offset = [0]

  /**
   * Room for so many records. A program without dispatches has one, too.
   * @throws ArgumentError if the device does not have the memory
   */
  static async create(gpu: Gpu, count: number): Promise<Records> {
    const size = RECORD_BYTES * Math.max(1, count)
    return new Records(gpu, await createBuffer(gpu.device, { size, usage: USAGE.uniform | USAGE.copyTarget }))
  }

  private constructor(
    private readonly gpu: Gpu,
    private readonly buffer: GPUBuffer,
  ) {}

  write(records: readonly Record[]): void {
    const all = new Uint32Array(this.buffer.size / 4)
    records.forEach(({ bits, label }, i) => {
      if (bits.length > RECORD_WORDS) throw internalError(`the record of ${label} has ${bits.byteLength} bytes`)
      all.set(bits, RECORD_WORDS * i)
    })
    this.gpu.device.queue.writeBuffer(this.buffer, 0, all)
  }

  /** Binds memory and a record for the next dispatch. */
  bind(pass: GPUComputePassEncoder, record: number): void {
    this.offset[0] = RECORD_BYTES * record
    pass.setBindGroup(0, this.bindings(), this.offset)
  }

  private bindings(): GPUBindGroup {
    const { memory, device, layout } = this.gpu
    if (this.group === null || this.epoch !== memory.epoch) {
      this.epoch = memory.epoch
      this.group = device.createBindGroup({
        layout,
        entries: [
          { binding: 0, resource: { buffer: memory.buffer } },
          { binding: 1, resource: { buffer: this.buffer, size: RECORD_BYTES } },
        ],
      })
    }
    return this.group
  }

  dispose(): void {
    this.buffer.destroy()
  }
}
