// The records of dispatches in a buffer, and the bindings with which kernels read memory and their record.

import { internalError } from '../../core/errors'
import { RECORD_BYTES, type Gpu } from './device'
import { USAGE } from './flags'

const RECORD_WORDS = RECORD_BYTES / 4

/** Records in the order of their dispatches. */
export class Records {
  private readonly buffer: GPUBuffer
  private group: GPUBindGroup | null = null
  private epoch = -1
  // One array for all calls, because the API takes a list of offsets.
  private readonly offset = [0]

  /** @param records the words of each, with the name of its kernel */
  constructor(
    private readonly gpu: Gpu,
    records: readonly { readonly bits: Uint32Array; readonly label: string }[],
  ) {
    const { device } = gpu
    // A program without dispatches needs a buffer too.
    const all = new Uint32Array(RECORD_WORDS * Math.max(1, records.length))
    records.forEach(({ bits, label }, i) => {
      if (bits.length > RECORD_WORDS) throw internalError(`the record of ${label} has ${bits.byteLength} bytes`)
      all.set(bits, RECORD_WORDS * i)
    })
    this.buffer = device.createBuffer({ size: all.byteLength, usage: USAGE.uniform | USAGE.copyTarget })
    device.queue.writeBuffer(this.buffer, 0, all)
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
