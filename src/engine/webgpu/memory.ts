// The memory of a device: one buffer, which all kernels read and write, with blocks of bytes in it.

import { ArgumentError } from '../../core/errors'
import type { NumericArray } from '../../core/dtypes'
import { Blocks } from '../runtime/blocks'
import { createBuffer } from './buffer'
import { MAP_READ, USAGE } from './flags'

const INITIAL_BYTES = 2 ** 22
/** Of blocks, in bytes. */
const ALIGNMENT = 256

/** Bytes of the device's memory that are copied to the host. */
export interface Range {
  readonly at: number
  readonly bytes: number
}

export class DeviceMemory {
  buffer: GPUBuffer
  /** Changes whenever the buffer is replaced by a larger one. */
  epoch = 0
  private readonly blocks = new Blocks()

  constructor(readonly device: GPUDevice) {
    this.buffer = device.createBuffer(memoryOf(INITIAL_BYTES))
    this.blocks.add(0, INITIAL_BYTES)
  }

  /** The largest buffer that a kernel can read. */
  get mostBytes(): number {
    const { maxStorageBufferBindingSize, maxBufferSize } = this.device.limits
    return Math.floor(Math.min(maxStorageBufferBindingSize, maxBufferSize, 2 ** 32) / ALIGNMENT) * ALIGNMENT
  }

  /** A few bytes. For more, see `withRoom`. */
  allocate(bytes: number): number {
    const needed = aligned(bytes)
    const at = this.blocks.take(needed)
    if (at !== null) return at
    this.moveTo(this.device.createBuffer(memoryOf(this.sizeWith(needed))))
    return this.blocks.take(needed)!
  }

  /**
   * Calls `body` as soon as there is room for blocks of these sizes, which it may allocate.
   * @throws ArgumentError if the device does not have so much memory
   */
  async withRoom<Result>(sizes: readonly number[], body: () => Result): Promise<Result> {
    while (!this.hasRoom(sizes)) {
      const least = this.sizeWith(sizes.reduce((sum, bytes) => sum + aligned(bytes), 0))
      const larger = await this.createLarger(least)
      // Another call may have moved the memory meanwhile.
      if (larger.size > this.buffer.size) this.moveTo(larger)
      else larger.destroy()
    }
    return body()
  }

  private hasRoom(sizes: readonly number[]): boolean {
    const taken = sizes.map((bytes) => this.blocks.take(aligned(bytes)))
    for (const at of taken) if (at !== null) this.blocks.release(at)
    return !taken.includes(null)
  }

  /** A buffer twice as large, if the device has the memory for it, else one of the least size. */
  private async createLarger(least: number): Promise<GPUBuffer> {
    const { device, buffer, mostBytes } = this
    const twice = Math.min(mostBytes, Math.max(least, 2 * buffer.size))
    try {
      return await createBuffer(device, memoryOf(twice))
    } catch (error) {
      if (twice === least) throw error
      return createBuffer(device, memoryOf(least))
    }
  }

  release(at: number): void {
    this.blocks.release(at)
  }

  /** The size with so many more bytes. @throws ArgumentError if kernels cannot use so many */
  private sizeWith(bytes: number): number {
    const { buffer, mostBytes } = this
    const size = buffer.size + bytes
    if (size > mostBytes)
      throw new ArgumentError(
        `WebGPU: ${bytes} more bytes do not fit into the ${mostBytes} bytes that this device lets a kernel use. Use smaller batches or a smaller model.`,
      )
    return size
  }

  private moveTo(larger: GPUBuffer): void {
    const { device, buffer } = this
    const { size } = buffer
    const encoder = device.createCommandEncoder()
    encoder.copyBufferToBuffer(buffer, 0, larger, 0, size)
    device.queue.submit([encoder.finish()])
    buffer.destroy()
    this.buffer = larger
    this.epoch++
    this.blocks.add(size, larger.size - size)
  }

  write(at: number, data: NumericArray | Uint8Array): void {
    if (data.byteLength > 0)
      this.device.queue.writeBuffer(this.buffer, at, data.buffer, data.byteOffset, data.byteLength)
  }

  /** Copies of ranges after all submitted work, one after another. */
  async read(ranges: readonly Range[]): Promise<ArrayBuffer> {
    const { device, buffer } = this
    const bytes = ranges.reduce((sum, range) => sum + range.bytes, 0)
    if (bytes === 0) return new ArrayBuffer(0)
    const staging = device.createBuffer({ size: bytes, usage: USAGE.mapRead | USAGE.copyTarget })
    const encoder = device.createCommandEncoder()
    let to = 0
    for (const { at, bytes: length } of ranges) {
      encoder.copyBufferToBuffer(buffer, at, staging, to, length)
      to += length
    }
    device.queue.submit([encoder.finish()])
    await staging.mapAsync(MAP_READ)
    const copy = staging.getMappedRange().slice(0)
    staging.destroy()
    return copy
  }
}

const memoryOf = (size: number): GPUBufferDescriptor => ({
  label: 'memory',
  size,
  usage: USAGE.storage | USAGE.copyTarget | USAGE.copySource,
})

/** At least one byte, up to the alignment of blocks. */
function aligned(bytes: number): number {
  return Math.ceil(Math.max(bytes, 1) / ALIGNMENT) * ALIGNMENT
}
