// Tensors in files of TensorFlow.js.
// modes: simd

import { describe, expect, it } from 'vitest'
import { FormatError } from '../../../src'
import { manifestTensors } from '../../../src/files/tfjs/manifest'

const bytesOf = (...arrays: readonly (Float32Array | Int32Array | Uint8Array | Uint16Array)[]): Uint8Array =>
  Uint8Array.from(
    arrays.flatMap(({ buffer, byteOffset, byteLength }) => [...new Uint8Array(buffer, byteOffset, byteLength)]),
  )

/** Pieces that end at these bytes. */
const cut = (bytes: Uint8Array, ...ends: readonly number[]): Uint8Array[] =>
  [...ends, bytes.length].map((end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1], end))

const text = (words: readonly string[]): Uint8Array =>
  bytesOf(
    ...words.flatMap((word) => {
      const encoded = new TextEncoder().encode(word)
      return [Int32Array.of(encoded.length), encoded]
    }),
  )

const specs = [
  { name: 'a/kernel', shape: [2, 2], dtype: 'float32' },
  { name: 'flags', shape: [3], dtype: 'bool' },
  { name: 'words', shape: [3], dtype: 'string' },
  { name: 'count', shape: [], dtype: 'int32', group: 'optimizer' },
  { name: 'q8', shape: [2], dtype: 'float32', quantization: { dtype: 'uint8', scale: 0.5, min: -1 } },
  { name: 'q16', shape: [2], dtype: 'int32', quantization: { dtype: 'uint16', scale: 2.3, min: -1 } },
  { name: 'half', shape: [2], dtype: 'float32', quantization: { dtype: 'float16', original_dtype: 'float32' } },
]
const content = bytesOf(
  Float32Array.of(1, -2.5, 3, 4),
  Uint8Array.of(1, 0, 255),
  text(['é', '', 'abc']),
  Int32Array.of(-7),
  Uint8Array.of(0, 255),
  Uint16Array.of(1, 65_535),
  Uint16Array.of(0x3c00, 0xc100),
)

describe('tensors of a manifest', () => {
  it.each([[[]], [[1]], [[3, 3, 9, 17, 18, 21, 30]], [Array.from(content, (_, i) => i)]])(
    'have their values wherever files are cut: %j',
    (ends) => {
      const tensors = manifestTensors([{ weights: specs, bytes: cut(content, ...ends) }], 'model.json')
      expect(tensors.map(({ name, group }) => [name, group])).toEqual(
        specs.map(({ name, group = 'model' }) => [name, group]),
      )
      expect(tensors.map((tensor) => tensor.read())).toEqual([
        Float32Array.of(1, -2.5, 3, 4),
        Uint8Array.of(1, 0, 1),
        ['é', '', 'abc'],
        Int32Array.of(-7),
        Float32Array.of(-1, 126.5),
        Int32Array.of(1, 150_730),
        Float32Array.of(1, -2.5),
      ])
    },
  )

  it.each([
    ['a shape of 2^40', [{ name: 'w', shape: [2 ** 20, 2 ** 20], dtype: 'float32' }], /too large/],
    ['a shape of 2^80', [{ name: 'w', shape: [2 ** 40, 2 ** 40], dtype: 'float32' }], /too large/],
    ['strings of 2^40', [{ name: 'w', shape: [2 ** 40], dtype: 'string' }], /too large/],
    ['more than the files have', [{ name: 'w', shape: [17], dtype: 'float32' }], /needs 68 bytes, but 64/],
    [
      'less than the files have',
      [{ name: 'w', shape: [15], dtype: 'float32' }],
      /have 60 bytes, but its files have 64/,
    ],
    ['a negative extent', [{ name: 'w', shape: [-1], dtype: 'float32' }], /must have a shape/],
    ['a fraction', [{ name: 'w', shape: [1.5], dtype: 'float32' }], /must have a shape/],
    ['no shape', [{ name: 'w', dtype: 'float32' }], /must have a shape/],
    ['a name of Object.prototype', [{ name: 'w', shape: [1], dtype: 'constructor' }], /has the dtype 'constructor'/],
    ['no name', [{ shape: [1], dtype: 'float32' }], /without a name/],
    ['a number', [1], /without a name/],
    ['no list', { 0: 1 }, /without a list/],
    [
      'two weights of a name',
      [8, 8].map((size) => ({ name: 'w', shape: [size], dtype: 'float32' })),
      /two weights 'w'/,
    ],
    ['a long string', [{ name: 'w', shape: [1], dtype: 'string' }], /string 0 is truncated/],
    [
      'a scale that is no number',
      [{ name: 'w', shape: [64], dtype: 'float32', quantization: { dtype: 'uint8', scale: 'x', min: 0 } }],
      /not readable/,
    ],
    [
      'a quantization of another type',
      [{ name: 'w', shape: [16], dtype: 'float32', quantization: { dtype: 'int32', scale: 1, min: 0 } }],
      /not readable/,
    ],
  ])('are refused with %s', (_title, weights, message) => {
    const read = (): unknown => manifestTensors([{ weights, bytes: [new Uint8Array(64).fill(1)] }], 'model.json')
    expect(read).toThrow(FormatError)
    expect(read).toThrow(message)
  })
})
