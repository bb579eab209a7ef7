// Buffers whose size depends on a model: the device may not have the memory.

import { ArgumentError } from '../../core/errors'

/**
 * A buffer, once the device has made it.
 * @throws ArgumentError if the device does not have the memory, or does not allow such a buffer
 */
export async function createBuffer(device: GPUDevice, descriptor: GPUBufferDescriptor): Promise<GPUBuffer> {
  device.pushErrorScope('validation')
  device.pushErrorScope('out-of-memory')
  const buffer = device.createBuffer(descriptor)
  const errors = await Promise.all([device.popErrorScope(), device.popErrorScope()])
  const error = errors.find((each) => each !== null)
  if (error == null) return buffer
  buffer.destroy()
  throw new ArgumentError(
    `WebGPU: the device refused a buffer of ${descriptor.size} bytes: ${error.message}. Use smaller batches or a smaller model.`,
  )
}
