// The sizes of both heaps, after a real garbage collection.

import { runtimeInfo } from '../../src'
import { collectGarbage } from './gc'

export interface HeapSizes {
  /** Bytes of JavaScript objects. */
  readonly javascript: number
  /** Bytes of ArrayBuffers outside the JavaScript heap, including linear memory. */
  readonly buffers: number
  /** Bytes of linear memory in use. */
  readonly linear: number
}

export async function heapSizes(): Promise<HeapSizes> {
  await collectGarbage()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  const { usedBytes } = runtimeInfo().memory
  return { javascript: heapUsed, buffers: arrayBuffers, linear: usedBytes }
}
