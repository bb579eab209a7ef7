// The records of dispatches in a buffer, and the bindings with which kernels read memory and their record.

import { internalError } from '../../core/errors'
import { createBuffer } from './buffer'
import { RECORD_BYTES, type Gpu } from './device'
import { USAGE } from './flags'

/** The offset of a record is a multiple of so many bytes. */
const ALIGNMENT = 256

/** The bytes of a record of so many words, up to the next record. */
const alignedBytes = (words: number): number => Math.ceil((4 * words) / ALIGNMENT) * ALIGNMENT

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
   * Room for records, each of so many words.
   * @throws ArgumentError if the device does not have the memory
   */
  static async create(gpu: Gpu, words: readonly number[]): Promise<Records> {
    const starts: number[] = []
    let end = 0
    for (const count of words) {
      starts.push(end)
      end += alignedBytes(count)
    }
    // The bytes that are bound for the last record end after it.
    const size = end + RECORD_BYTES
    return new Records(gpu, starts, await createBuffer(gpu.device, { size, usage: USAGE.uniform | USAGE.copyTarget }))
  }

  private constructor(
    private readonly gpu: Gpu,
    private readonly starts: readonly number[],
    private readonly buffer: GPUBuffer,
  ) {}

  write(records: readonly Record[]): void {
    const all = new Uint32Array(this.buffer.size / 4)
    records.forEach(({ bits, label }, i) => {
      if (bits.byteLength > RECORD_BYTES) throw internalError(`the record of ${label} has ${bits.byteLength} bytes`)
      all.set(bits, this.starts[i]! / 4)
    })
    this.gpu.device.queue.writeBuffer(this.buffer, 0, all)
  }

  /** Binds memory and a record for the next dispatch. */
  bind(pass: GPUComputePassEncoder, record: number): void {
    this.offset[0] = this.starts[record]!
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
