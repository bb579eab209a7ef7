// Shapes and indices against naive definitions.
// modes: simd

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ShapeError } from '../../src/core/errors'
import {
  adjacentGroups,
  broadcastShapes,
  broadcastStrides,
  forEachOffset,
  frozenShape,
  normalizeAxes,
  normalizeAxis,
  rowMajorStrides,
  sizeOf,
  splitAround,
} from '../../src/core/shapes'

const shapes = fc.array(fc.nat({ max: 4 }), { maxLength: 4 })
const nonEmpty = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 4 })
/** Shapes that often broadcast. */
const related = fc
  .tuple(nonEmpty, nonEmpty)
  .map(([a, b]) =>
    b.map((extent, i) =>
      a[a.length - b.length + i] === undefined || extent === 1 ? extent : a[a.length - b.length + i]!,
    ),
  )

/** Right-aligned, every position: all equal, or 1. null if they do not fit. */
function naiveBroadcast(all: readonly (readonly number[])[]): number[] | null {
  const rank = Math.max(0, ...all.map(({ length }) => length))
  const result: number[] = []
  for (let fromRight = 1; fromRight <= rank; fromRight++) {
    const extents = new Set(all.map((shape) => shape[shape.length - fromRight] ?? 1).filter((extent) => extent !== 1))
    if (extents.size > 1) return null
    result.unshift([...extents][0] ?? 1)
  }
  return result
}

describe('broadcasting', () => {
  it('gives the extents other than 1, or throws', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(shapes, related), { minLength: 1, maxLength: 3 }), (all) => {
        const expected = naiveBroadcast(all)
        if (expected === null) expect(() => broadcastShapes('test', all)).toThrow(ShapeError)
        else expect(broadcastShapes('test', all)).toEqual(expected)
      }),
    )
  })

  it('names the operation and the shapes in its error', () => {
    expect(() => broadcastShapes('add', [[2, 3], [4]])).toThrow(
      "add: the operands' shapes must be equal or broadcast, received [2, 3] and [4]",
    )
  })

  it('reads the element at the same position, or the only one', () => {
    fc.assert(
      fc.property(
        nonEmpty,
        fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
        fc.nat({ max: 2 }),
        (target, ones, dropped) => {
          const own = target.map((extent, i) => (ones[i] ? 1 : extent)).slice(dropped)
          const read: number[] = []
          forEachOffset(target, broadcastStrides(own, rowMajorStrides(own), target), 0, (at) => read.push(at))
          const expected = Array.from({ length: sizeOf(target) }, (_, index) => {
            let rest = index
            const position = [...target]
              .reverse()
              .map((extent) => {
                const at = rest % extent
                rest = Math.floor(rest / extent)
                return at
              })
              .reverse()
            return own.reduce(
              (at, extent, i) => at * extent + (extent === 1 ? 0 : position[target.length - own.length + i]!),
              0,
            )
          })
          expect(read).toEqual(expected)
        },
      ),
    )
  })
})

describe('axes', () => {
  it('negative ones count from the end; the result is sorted', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.nat({ max: 4 })),
        fc.array(fc.boolean(), { minLength: 20 }),
        (rank, raw, negative) => {
          const distinct = [...new Set(raw.filter((axis) => axis < rank))]
          const given = distinct.map((axis, i) => (negative[i] ? axis - rank : axis))
          expect(normalizeAxes('test', given, rank)).toEqual([...distinct].sort((a, b) => a - b))
        },
      ),
    )
  })

  it.each([
    [2, 2],
    [-3, 2],
    [0.5, 2],
    [0, 0],
    [NaN, 2],
  ])('axis %d of rank %d throws', (axis, rank) => {
    expect(() => normalizeAxis('sum', axis, rank)).toThrow(ShapeError)
  })

  it('the same axis twice throws', () => {
    expect(() => normalizeAxes('sum', [1, -1], 2)).toThrow('sum: the axes must be distinct, received [1, -1]')
  })

  it('neighbours form groups, with the last group first', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat({ max: 8 })), (raw) => {
        const axes = raw.sort((a, b) => a - b)
        const groups = adjacentGroups(axes)
        expect(groups.toReversed().flat()).toEqual(axes)
        for (const group of groups) expect(group).toEqual(group.map((_, i) => group[0]! + i))
        groups.toReversed().reduce((end, group) => {
          expect(group[0]! - end).toBeGreaterThan(1)
          return group[group.length - 1]!
        }, -2)
      }),
    )
  })
})

describe('splitAround', () => {
  it('multiplies the extents before, inside and after', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 5 }), fc.nat(), fc.nat(), (shape, a, b) => {
        const [first, last] = [a % shape.length, b % shape.length].sort((x, y) => x - y) as [number, number]
        const product = (part: number[]) => part.reduce((x, y) => x * y, 1)
        expect(splitAround(shape, first, last)).toEqual({
          outer: product(shape.slice(0, first)),
          axis: product(shape.slice(first, last + 1)),
          inner: product(shape.slice(last + 1)),
        })
      }),
    )
  })
})

it('equal frozen shapes are mostly one object, and never change', () => {
  // No other file uses this shape.
  const given = [6007, 7919]
  const { shape, size } = frozenShape(given)
  expect(Object.isFrozen(shape)).toBe(true)
  expect(size).toBe(6007 * 7919)
  expect(frozenShape([6007, 7919]).shape).toBe(shape)
  expect(() => (given[0] = 9)).toThrow(TypeError)
  // Many shapes share a place; each is still its own.
  for (let i = 0; i < 300; i++) expect(frozenShape([i, 7 * i])).toEqual({ shape: [i, 7 * i], size: 7 * i * i })
  expect(frozenShape([6007, 7919])).toEqual({ shape, size })
  expect(frozenShape([])).toEqual({ shape: [], size: 1 })
})

it.each([[[-1, -3]], [[1.5, 2]], [[NaN]], [['3'] as unknown as number[]], [[null] as unknown as number[]]])(
  'no data have the shape %j',
  (shape) => {
    expect(frozenShape(shape).size).toBeNaN()
  },
)
