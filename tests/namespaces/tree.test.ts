// The namespace tree, with the examples of Keras.
// modes: simd

import { describe, expect, it } from 'vitest'
import { ArgumentError, tensor, tree } from '../../src'

const {
  MAP_TO_NONE,
  assertSamePaths,
  assertSameStructure,
  flatten,
  flattenWithPath,
  isNested,
  mapShapeStructure,
  mapStructure,
  mapStructureUpTo,
  packSequenceAs,
  traverse,
} = tree

const x = tensor([1, 2])
const nested = { b: [1, { c: x }], a: [], d: null }

describe('leaves', () => {
  it('arrays and plain records are nested', () => {
    for (const value of [[], {}, nested]) expect(isNested(value)).toBe(true)
    for (const value of [42, null, undefined, 'text', x, Float32Array.of(1), new Map()])
      expect(isNested(value)).toBe(false)
  })

  it('flatten and packSequenceAs are inverse', () => {
    expect(flatten<unknown>(nested)).toEqual([1, x, null])
    expect(packSequenceAs(nested, flatten<unknown>(nested))).toEqual(nested)
    expect(packSequenceAs({ key3: { c: ['', ''], a: '' } }, [1, 2, 3])).toEqual({ key3: { c: [1, 2], a: 3 } })
    expect(packSequenceAs(0, [7])).toBe(7)
    for (const wrong of [[], [1, 2], null, 'a'])
      expect(() => packSequenceAs(0, wrong as never)).toThrow('the structure has 1 leaves, received')
  })

  it('flattenWithPath has the keys and indices', () => {
    expect(flattenWithPath([{ foo: 42 }])).toEqual([[[0, 'foo'], 42]])
    expect(flattenWithPath(7)).toEqual([[[], 7]])
    expect(flattenWithPath<unknown>(nested).map(([path]) => path)).toEqual([['b', 0], ['b', 1, 'c'], ['d']])
  })
})

describe('maps', () => {
  it('mapStructure takes leaves in the same place, in any order of keys', () => {
    expect(mapStructure((v: number) => v ** 2, [[1], [2], [3]])).toEqual([[1], [4], [9]])
    expect(mapStructure((a: number, b: number) => a - b, { p: 5, q: [7] }, { q: [1], p: 2 })).toEqual({ p: 3, q: [6] })
    expect(mapStructure((v: unknown) => v === null, null)).toBe(true)
    const typed: { readonly a: string } = mapStructure((v: number) => String(v), { a: 1 })
    expect(typed).toEqual({ a: '1' })
  })

  it('mapStructureUpTo gives deeper parts whole', () => {
    const length = (part: readonly number[]): number => part.length
    expect(mapStructureUpTo([null, null], length, [[1, 1], [2]])).toEqual([2, 1])
    expect(
      mapStructureUpTo([null, [null, null]], JSON.stringify, [
        [1, 1],
        [2, 2],
      ]),
    ).toEqual(['[1,1]', ['2', '2']])
    expect(() => mapStructureUpTo([[null]], length, [1])).toThrow(
      'the structures differ at 0: an array of 1 and a leaf',
    )
    expect(() => mapStructureUpTo([null], length)).toThrow('needs a structure')
  })

  it('mapShapeStructure finds shapes', () => {
    expect(mapShapeStructure((shape) => shape.length, { a: [null, 3], b: [[2], []] })).toEqual({ a: 2, b: [1, 0] })
    expect(() => mapShapeStructure((shape) => shape, { a: 'b' })).toThrow(
      "expected shapes such as [null, 3], received 'b'",
    )
  })

  it('keys of all names stay keys', () => {
    const odd: object = JSON.parse('{ "__proto__": 1, "constructor": 2 }') as object
    const mapped = mapStructure((v: number) => v + 1, odd)
    expect(Object.entries(mapped)).toEqual([
      ['__proto__', 2],
      ['constructor', 3],
    ])
    expect(() => assertSameStructure({ a: 1 }, odd)).toThrow('the structures differ')
    expect(() => assertSameStructure({ constructor: 1 }, { a: 1 })).toThrow('the structures differ')
  })
})

describe('comparisons', () => {
  const different: readonly [unknown, unknown, string][] = [
    [[1], [1, 2], ': an array of 1 and an array of 2'],
    [[[1]], [{ 0: 1, 1: 2 }], ' at 0: an array of 1 and { 0, 1 }'],
    [{ a: 1 }, { b: 1 }, ': { a } and { b }'],
    [{ a: { b: 1 } }, { a: 1 }, ' at a: { b } and a leaf'],
    [{ a: 1 }, { a: { b: 1 } }, ' at a: a leaf and { b }'],
    [null, [], ': a leaf and an array of 0'],
  ]
  it.each(different)('%j and %j differ', (a, b, message) => {
    for (const compare of [assertSameStructure, assertSamePaths]) {
      expect(() => compare(a, b)).toThrow(`the structures differ${message}`)
      expect(() => compare(a, b)).toThrow(ArgumentError)
      expect(() => compare(b, a)).toThrow(ArgumentError)
    }
    expect(() => mapStructure((...leaves: unknown[]) => leaves, a, b)).toThrow(message)
  })

  it('equal structures pass; only assertSamePaths accepts an array for a record', () => {
    assertSameStructure({ a: [1, { b: 2 }], c: null }, { c: 'x', a: [0, { b: x }] })
    assertSamePaths([1, [2]], { 0: 1, 1: [3] })
    expect(() => assertSameStructure([1, [2]], { 0: 1, 1: [3] })).toThrow('an array of 2 and { 0, 1 }')
    expect(() => assertSameStructure([], {})).toThrow('differ')
  })
})

describe('traverse', () => {
  const structure = [[1, 2], [3], { a: 4 }]
  const visited = (topDown?: boolean): unknown[] => {
    const parts: unknown[] = []
    expect(traverse((part) => void parts.push(part), structure, topDown)).toEqual(structure)
    return parts
  }

  it('visits branches before or after their children', () => {
    expect(visited()).toEqual([structure, [1, 2], 1, 2, [3], 3, { a: 4 }, 4])
    expect(visited(false)).toEqual([1, 2, [1, 2], 3, [3], 4, { a: 4 }, structure])
  })

  it('replaces parts, and leaves out what is below them', () => {
    const pair = (part: unknown): unknown => (Array.isArray(part) && part.length === 2 ? 'pair' : null)
    expect(traverse(pair, structure)).toEqual(['pair', [3], { a: 4 }])
    expect(traverse((part) => (part === 3 ? MAP_TO_NONE : undefined), structure)).toEqual([[1, 2], [null], { a: 4 }])
    const sum = (part: unknown): unknown =>
      Array.isArray(part) ? (part as number[]).reduce((a, b) => a + b, 0) : undefined
    expect(
      traverse(
        sum,
        [
          [1, 2],
          [3, [4]],
        ],
        false,
      ),
    ).toBe(10)
  })

  it('keeps every other result, also an object of MAP_TO_NONE', () => {
    expect(traverse(() => new MAP_TO_NONE(), 1)).toBeInstanceOf(MAP_TO_NONE)
    expect(traverse(() => 0, [1])).toBe(0)
  })

  it('needs a function', () => {
    for (const call of [traverse, mapStructure, mapShapeStructure])
      expect(() => Reflect.apply(call, undefined, [3, [1]])).toThrow('needs a function, received 3')
    expect(() => mapStructureUpTo([1], 3 as never, [1])).toThrow('needs a function, received 3')
  })
})
