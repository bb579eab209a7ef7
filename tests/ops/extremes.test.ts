// Maxima, minima and their indices over rows and columns of every form that a kernel distinguishes, with NaN and infinities.
// The kernels look for NaN only where a sum is no number, which infinities of both signs cause as well.

import { describe, expect, it } from 'vitest'
import { ops, tensor } from '../../src'
import { generator } from '../helpers/data'

const random = generator(7)
const SPECIAL: Record<string, readonly number[]> = {
  'finite numbers': [],
  'infinities of both signs': [Infinity, -Infinity],
  'one infinity': [-Infinity],
  NaN: [NaN],
  'NaN and infinities': [NaN, -Infinity, Infinity],
}
const SHAPES: readonly [rows: number, columns: number][] = [
  [1, 1],
  [5, 2],
  [66, 3],
  [131, 4],
  [7, 5],
  [70, 9],
  [9, 15],
  [67, 16],
  [130, 23],
  [65, 40],
  [17, 257],
  [6, 300],
  [3, 700],
  [2, 0],
]

/** Without −0. One number in a hundred is special, and at least one. */
function numbersWith(specials: readonly number[], count: number): Float32Array {
  const numbers = Float32Array.from({ length: count }, () => (Math.floor(40 * random()) - 20) / 4)
  for (let i = 0; i < count; i++) {
    if (specials.length > 0 && (random() < 0.01 || i === count >> 1))
      numbers[i] = specials[Math.floor(specials.length * random())]!
  }
  return numbers
}

/** The index of the first NaN, or else of the first extreme. */
function indexOf(numbers: readonly number[], isBetter: (a: number, b: number) => boolean): number {
  let best = 0
  numbers.forEach((x, i) => {
    const isFirstNaN = Number.isNaN(x) && !Number.isNaN(numbers[best])
    if (isFirstNaN || isBetter(x, numbers[best]!)) best = i
  })
  return best
}

describe.each(Object.entries(SPECIAL))('%s', (_, specials) => {
  it.each(SHAPES)('[%d, %d]', (rows, columns) => {
    const data = numbersWith(specials, rows * columns)
    const x = tensor(data, [rows, columns])
    const lines = [
      Array.from({ length: columns }, (_, j) => Array.from({ length: rows }, (_, i) => data[i * columns + j]!)),
      Array.from({ length: rows }, (_, i) => Array.from(data.subarray(i * columns, (i + 1) * columns))),
    ]
    for (const [axis, all] of lines.entries()) {
      if (x.shape[axis] === 0) continue
      expect(ops.max(x, axis).toArray()).toEqual(all.map((line) => Math.max(...line)))
      expect(ops.min(x, axis).toArray()).toEqual(all.map((line) => Math.min(...line)))
      expect(ops.argmax(x, axis).toArray()).toEqual(all.map((line) => indexOf(line, (a, b) => a > b)))
      expect(ops.argmin(x, axis).toArray()).toEqual(all.map((line) => indexOf(line, (a, b) => a < b)))
    }
  })
})

it.each(SHAPES)('integers and bool, [%d, %d]', (rows, columns) => {
  const data = Int32Array.from({ length: rows * columns }, () => Math.floor(1000 * random()) - 500)
  const x = tensor(data, [rows, columns])
  const isTrue = ops.greater(x, -495)
  const byColumn = Array.from({ length: columns }, (_, j) => Array.from(data).filter((_, i) => i % columns === j))
  expect(ops.max(x, 0).toArray()).toEqual(byColumn.map((line) => Math.max(...line)))
  expect(ops.min(x, 0).toArray()).toEqual(byColumn.map((line) => Math.min(...line)))
  expect(ops.sum(x, 0).toArray()).toEqual(byColumn.map((line) => line.reduce((a, b) => a + b, 0)))
  expect(ops.all(isTrue, 0).toArray()).toEqual(byColumn.map((line) => line.every((n) => n > -495)))
  expect(ops.any(isTrue, 0).toArray()).toEqual(byColumn.map((line) => line.some((n) => n > -495)))
})
