// The memory of a device: one buffer, which all kernels read and write, with blocks of bytes in it.

import { ArgumentError } from '../../core/errors'
import type { NumericArray } from '../../core/dtypes'
import { Blocks } from '../runtime/blocks'
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
    this.buffer = this.create(INITIAL_BYTES)
    this.blocks.add(0, INITIAL_BYTES)
  }

  /** The largest buffer that a kernel can read. */
  get mostBytes(): number {
    const { maxStorageBufferBindingSize, maxBufferSize } = this.device.limits
    return Math.floor(Math.min(maxStorageBufferBindingSize, maxBufferSize, 2 ** 32) / ALIGNMENT) * ALIGNMENT
  }

  private create(bytes: number): GPUBuffer {
    return this.device.createBuffer({
      label: 'memory',
      size: bytes,
      usage: USAGE.storage | USAGE.copyTarget | USAGE.copySource,
    })
  }

  /** @throws ArgumentError if the device cannot bind so much memory */
  allocate(bytes: number): number {
    const needed = aligned(bytes)
    const at = this.blocks.take(needed)
    if (at !== null) return at
    this.growBy(needed)
    return this.blocks.take(needed)!
  }

  release(at: number): void {
    this.blocks.release(at)
  }

  private growBy(bytes: number): void {
    const { device, buffer, mostBytes } = this
    const { size } = buffer
    if (size + bytes > mostBytes)
      throw new ArgumentError(
        `WebGPU: ${bytes} more bytes do not fit into the ${mostBytes} bytes that this device lets a kernel use. Use smaller batches or a smaller model.`,
      )
    const larger = this.create(Math.min(mostBytes, Math.max(size + bytes, 2 * size)))
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

/** At least one byte, up to the alignment of blocks. */
function aligned(bytes: number): number {
  return Math.ceil(Math.max(bytes, 1) / ALIGNMENT) * ALIGNMENT
}
