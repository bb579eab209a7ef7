// Data that the engine decompresses: the bytes of fflate, and its verdict on all that are damaged.
// modes: simd

import { crc32 as expectedChecksum, deflateRawSync, deflateSync } from 'node:zlib'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { crc32 } from '../../../src/files/containers/crc32'
import { inflatedAtOnce, inflatedInStream, loadInflate } from '../../../src/files/containers/inflate'
import { loadUnzip, unzip } from '../../../src/files/containers/zlib'
import { generator } from '../../helpers/data'

const random = generator(5)
const content = (size: number): Uint8Array => Uint8Array.from({ length: size }, () => Math.floor(random() ** 3 * 256))
afterEach(() => vi.restoreAllMocks())

describe.each([1, 100, 5000, 40_000])('%i bytes', (size) => {
  const bytes = content(size)
  const [raw, wrapped] = [new Uint8Array(deflateRawSync(bytes)), new Uint8Array(deflateSync(bytes))]

  it('are the same by zlib, by a stream and by fflate, in memory of their own', async () => {
    const wrappings = [
      ['deflate-raw', raw],
      ['deflate', wrapped],
    ] as const
    const expectBytes = (result: Uint8Array | null): void => {
      expect(result).toEqual(bytes)
      expect([result!.constructor, result!.byteOffset]).toEqual([Uint8Array, 0])
    }
    for (const [wrapping, data] of wrappings) {
      expectBytes(inflatedAtOnce(wrapping, data, size))
      expect(await inflatedInStream(wrapping, data, size)).toBeNull()
    }
    expect(await unzip(wrapped, size)).toEqual(bytes)
    expect(crc32(bytes)).toBe(expectedChecksum(bytes))
    vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined)
    expect(inflatedAtOnce('deflate', wrapped, size)).toBeNull()
    for (const [wrapping, data] of wrappings) expectBytes(await inflatedInStream(wrapping, data, size))
    expect(await inflatedInStream('deflate', wrapped, size - 1)).toBeNull()
    expect(await inflatedInStream('deflate', wrapped.subarray(0, -1), size)).toBeNull()
    expect(crc32(bytes)).toBe(expectedChecksum(bytes))
    const excess = (): Error => new Error('more')
    expect((await loadInflate())(raw, size, excess)).toEqual({ bytes, isComplete: true })
    expect((await loadUnzip())(wrapped, size)).toEqual(bytes)
    expect(await unzip(wrapped, size)).toEqual(bytes)
  })

  it('that are truncated, longer, followed by others or damaged are left to fflate', async () => {
    const wrong = [wrapped.subarray(0, -1), Uint8Array.from([...wrapped, 0]), Uint8Array.from(wrapped)]
    wrong[2]![wrapped.length - 1]! ^= 1
    for (const data of wrong) {
      expect(inflatedAtOnce('deflate', data, size)).toBeNull()
      await expect(unzip(data, size)).rejects.toThrow(/checksum|header|EOF/)
    }
    expect(inflatedAtOnce('deflate', wrapped, size - 1)).toBeNull()
    await expect(unzip(wrapped, size - 1)).rejects.toThrow(`it has more than ${size - 1} bytes`)
  })
})
