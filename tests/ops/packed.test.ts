// Packed weights of 8 and 4 bits: what the format holds, gradients, the error of rounded activations, and generation.
// engine/primitives/packed-cases.ts compares the kernels with their reference.

import { describe, expect, it } from 'vitest'
import { Layer, Tensor, Variable, grad, ops, tensor } from '../../src'
import {
  packIntegers,
  packRows,
  packedBytes,
  packedShape,
  unpackRows,
  type PackedFormat,
} from '../../src/engine/primitives/packed'
import { packedMatmul, packedTake } from '../../src/ops/nn/packed'

const BITS = [8, 4] as const

/** Deterministic numbers in −1 … 1. */
function noise(count: number, seed: number): Float32Array {
  let state = seed * 7919 + 1
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 31 - 1
  })
}

interface Packed {
  readonly format: PackedFormat
  readonly bytes: Int8Array
  readonly tensor: Tensor
  /** [outputs, inputs] */
  readonly weights: Tensor
}

function packedOf(format: PackedFormat, weights = noise(format.outputs * format.inputs, format.inputs)): Packed {
  const bytes = new Int8Array(packedBytes(format.outputs, format.inputs, format.bits))
  packRows(bytes, format, 0, weights)
  const exact = unpackRows(bytes, format, 0, format.outputs)
  return {
    format,
    bytes,
    tensor: new Tensor(bytes, packedShape(format), 'int8'),
    weights: tensor(exact, [format.outputs, format.inputs]),
  }
}

const largest = (data: ArrayLike<number>): number =>
  Array.from(data).reduce((most, each) => Math.max(most, Math.abs(each)), 0)

function expectNear(received: Tensor, expected: Tensor, relative: number): void {
  expect(received.shape).toEqual(expected.shape)
  expect(largest(ops.subtract(received, expected).data)).toBeLessThanOrEqual(relative * largest(expected.data))
}

describe('the format', () => {
  it.each(BITS)('stores %i bits within half of a step, in any part of the rows', (bits) => {
    const format = { outputs: 21, inputs: 77, bits }
    const weights = noise(21 * 77, 5)
    const { bytes } = packedOf(format, weights)
    const parts = new Int8Array(bytes.length)
    for (const [from, to] of [
      [13, 21],
      [0, 5],
      [5, 13],
    ] as const)
      packRows(parts, format, from, weights.subarray(from * 77, to * 77))
    expect(parts).toEqual(bytes)
    const back = unpackRows(bytes, format, 0, 21)
    const step = bits === 8 ? 1 / 127 : 2 / 15
    back.forEach((each, i) => expect(Math.abs(each - weights[i]!)).toBeLessThanOrEqual(step / 2 + 1e-6))
    expect(unpackRows(bytes, format, 9, 3)).toEqual(back.subarray(9 * 77, 12 * 77))
  })

  // d: float16
  const halves = Float32Array.from({ length: 6 }, (_, i) => (1024 + 171 * i) * 2 ** (-14 - i))

  it('holds blocks of Q8_0 exactly', () => {
    const format = { outputs: 3, inputs: 64, bits: 8 } as const
    const integers = Int8Array.from({ length: 3 * 64 }, (_, i) => ((i * 37) % 256) - 128)
    const bytes = new Int8Array(packedBytes(3, 64, 8))
    packIntegers(bytes, format, 0, integers, halves, null)
    const expected = Float32Array.from(integers, (q, i) => q * halves[Math.floor(i / 32)]!)
    expect(unpackRows(bytes, format, 0, 3)).toEqual(expected)
  })

  it('holds blocks of Q4_0 exactly', () => {
    const format = { outputs: 3, inputs: 64, bits: 4 } as const
    const integers = Uint8Array.from({ length: 3 * 64 }, (_, i) => (i * 7) % 16)
    const minima = halves.map((d) => 8 * d)
    const bytes = new Int8Array(packedBytes(3, 64, 4))
    packIntegers(bytes, format, 0, integers, halves, minima)
    const expected = Float32Array.from(integers, (q, i) => halves[Math.floor(i / 32)]! * (q - 8))
    expect(unpackRows(bytes, format, 0, 3)).toEqual(expected)
  })

  it('refuses parts of rows, and numbers that no integer stores', () => {
    const format = { outputs: 3, inputs: 40, bits: 8 } as const
    const bytes = new Int8Array(packedBytes(3, 40, 8))
    expect(() => packRows(bytes, format, 0, new Float32Array(41))).toThrow('expected whole rows of [3, 40]')
    expect(() => packRows(bytes, format, 2, new Float32Array(80))).toThrow('from row 2 on, received 80 numbers')
    expect(() => packRows(bytes.subarray(1), format, 0, new Float32Array(40))).toThrow(
      '[3, 40] with 8 bits take 576 bytes',
    )
    for (const bits of BITS) {
      const packed = new Int8Array(packedBytes(3, 40, bits))
      const numbers = new Float32Array(80)
      for (const bad of [NaN, Infinity, -Infinity]) {
        numbers[45] = bad
        expect(() => packRows(packed, { ...format, bits }, 1, numbers)).toThrow('row 2 has weights that are not finite')
      }
    }
  })

  it.each(BITS)('stores equal, tiny and large weights of %i bits', (bits) => {
    const format = { outputs: 1, inputs: 32, bits }
    for (const value of [0, -0, 1e-30, 1e30, -3e38, 1e-45, -1e-44, 1e-40]) {
      const weights = new Float32Array(32).fill(value)
      const { bytes } = packedOf(format, weights)
      const back = unpackRows(bytes, format, 0, 1)
      back.forEach((each) => expect(Math.abs(each - weights[0]!)).toBeLessThanOrEqual(2e-7 * Math.abs(value) + 1e-43))
    }
  })
})

describe('products', () => {
  const sizes = [
    [1, 1, 1],
    [7, 70, 33],
    [20, 24, 200],
    [5, 300, 65],
  ] as const

  it.each(BITS)('of float32 activations agree with the dequantized weights of %i bits, and so do gradients', (bits) => {
    for (const [rows, outputs, inputs] of sizes) {
      const { format, tensor: packed, weights } = packedOf({ outputs, inputs, bits })
      const x = tensor(noise(rows * inputs, 3), [rows, inputs])
      const direction = tensor(noise(rows * outputs, 4), [rows, outputs])
      const ofPacked = (each: Tensor): Tensor => packedMatmul(each, packed, format, 'float32')
      const ofFloats = (each: Tensor): Tensor => ops.matmul(each, ops.transpose(weights))
      expectNear(ofPacked(x), ofFloats(x), 2e-6)
      const slope = (product: (each: Tensor) => Tensor) =>
        grad((each: Tensor) => ops.sum(ops.multiply(ops.square(product(each)), direction)))(x)
      expectNear(slope(ofPacked), slope(ofFloats), 4e-6)
    }
  })

  it.each(BITS)('of rounded activations have the gradient of the exact ones, %i bits', (bits) => {
    const { format, tensor: packed, weights } = packedOf({ outputs: 37, inputs: 45, bits })
    const x = tensor(noise(6 * 45, 3), [2, 3, 45])
    const direction = tensor(noise(6 * 37, 4), [2, 3, 37])
    const dx = grad((each: Tensor) => ops.sum(ops.multiply(packedMatmul(each, packed, format), direction)))(x)
    expectNear(dx, ops.matmul(direction, weights), 2e-6)
  })

  it.each(BITS)('of rounded activations differ by at most half a step of each activation, %i bits', (bits) => {
    const { format, tensor: packed, weights } = packedOf({ outputs: 40, inputs: 100, bits })
    const x = tensor(noise(9 * 100, 8), [9, 100])
    // a group's step is at most 1 / 127
    const bound = ops.multiply(ops.sum(ops.abs(weights), 1), 0.5 / 127)
    const error = ops.abs(ops.subtract(packedMatmul(x, packed, format), ops.matmul(x, ops.transpose(weights))))
    expect(Math.max(...ops.subtract(error, bound).data)).toBeLessThan(1e-5)
    // Errors of either sign cancel.
    expect(Math.sqrt(ops.mean(ops.square(error)).item())).toBeLessThan(0.02)
  })

  it.each(BITS)('of a row do not depend on the other rows, %i bits', (bits) => {
    const { format, tensor: packed } = packedOf({ outputs: 19, inputs: 70, bits })
    const x = noise(11 * 70, 2)
    const all = packedMatmul(tensor(x, [11, 70]), packed, format).data
    for (let row = 0; row < 11; row++) {
      const alone = packedMatmul(tensor(x.subarray(row * 70, row * 70 + 70), [1, 70]), packed, format)
      expect(alone.data).toEqual(all.subarray(row * 19, row * 19 + 19))
    }
  })

  it.each(BITS)('of a row with NaN or ∞ are not finite, %i bits', (bits) => {
    const { format, tensor: packed } = packedOf({ outputs: 9, inputs: 40, bits })
    for (const bad of [NaN, Infinity, -Infinity]) {
      const x = noise(5 * 40, 2)
      x[2 * 40 + 33] = bad
      const y = packedMatmul(tensor(x, [5, 40]), packed, format).data
      y.forEach((each, i) => expect(Number.isFinite(each)).toBe(Math.floor(i / 9) !== 2))
    }
  })

  it('refuse operands and weights of other shapes', () => {
    const { format, tensor: packed } = packedOf({ outputs: 9, inputs: 40, bits: 8 })
    expect(() => packedMatmul(ops.ones([2, 41]), packed, format)).toThrow('last axis of 40, received float32 [2, 41]')
    expect(() => packedMatmul(ops.ones([2, 40]), packed, { ...format, bits: 4 })).toThrow(
      '[9, 40] with 4 bits must be int8 [2, 384], received int8 [2, 576]',
    )
  })
})

describe('rows of a table', () => {
  it.each(BITS)('are the dequantized weights of %i bits', (bits) => {
    const { format, tensor: packed, weights } = packedOf({ outputs: 50, inputs: 45, bits })
    const ids = tensor(Int32Array.of(3, 49, 0, -1, 17, 17), [2, 3], 'int32')
    const rows = packedTake(packed, ids, format)
    expect(rows.shape).toEqual([2, 3, 45])
    expect(rows.data).toEqual(ops.take(weights, ids, 0).data)
    expect(() => packedTake(packed, ops.ones([2]), format)).toThrow('ids must be int32, received float32')
  })
})

/** A frozen product, as a layer of a language model has it. */
class Frozen extends Layer<Tensor, Tensor> {
  readonly frozen
  constructor(
    readonly packed: Packed,
    readonly activations: 'int8' | 'float32',
  ) {
    super()
    this.frozen = new Variable(packed.tensor, { trainable: false, dtype: 'int8' })
  }
  call(x: Tensor): Tensor {
    return packedMatmul(x, this.frozen.value, this.packed.format, this.activations)
  }
}

it.each(BITS)('a layer has the weights of %i bits in a cell', (bits) => {
  const packed = packedOf({ outputs: 9, inputs: 40, bits })
  const x = tensor(noise(3 * 40, 2), [3, 40])
  expectNear(new Frozen(packed, 'float32').apply(x), ops.matmul(x, ops.transpose(packed.weights)), 2e-6)
  expect(new Frozen(packed, 'int8').apply(x).data).toEqual(packedMatmul(x, packed.tensor, packed.format).data)
})
