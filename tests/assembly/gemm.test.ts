// Every small matrix product in every layout, and random larger ones: whole numbers, so the result is exact.
// modes: simd, relaxed, turbo

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { infoOf, makeRuntime } from '../../src/engine/runtime/configure'
import type { Runtime } from '../../src/engine/runtime/runtime'
import { currentRuntime } from '../../src/engine/runtime/current'
import { expectSame } from '../helpers/compare'
import { floats, wholeFloats, type TensorContent } from '../helpers/data'
import { graphOf, interpretWide, runGraph } from '../helpers/graphs'

interface Product {
  readonly m: number
  readonly k: number
  readonly n: number
  readonly left: boolean
  readonly right: boolean
}

/** All products in one graph, over parts of two matrices; each part is then a view with its own strides. */
function check(products: readonly Product[], runtime: Runtime = currentRuntime()): void {
  const largest = (extents: (product: Product) => readonly number[]): number[] =>
    [0, 1].map((axis) => Math.max(...products.map((each) => extents(each)[axis]!)))
  const inputs: TensorContent[] = [
    wholeFloats(
      largest(({ m, k, left }) => (left ? [k, m] : [m, k])),
      -3,
      3,
      1,
    ),
    wholeFloats(
      largest(({ n, k, right }) => (right ? [n, k] : [k, n])),
      -3,
      3,
      2,
    ),
  ]
  const graph = graphOf(inputs, ({ e }, [a, b]) =>
    products.map(({ m, k, n, left, right }) => {
      const lhs = left ? e.transposeMatrix(e.slice(a!, [0, 0], [k, m])) : e.slice(a!, [0, 0], [m, k])
      const rhs = right ? e.transposeMatrix(e.slice(b!, [0, 0], [n, k])) : e.slice(b!, [0, 0], [k, n])
      return e.matmul(lhs, rhs)
    }),
  )
  const received = runGraph(runtime, graph, inputs)!
  const { outputs } = interpretWide(graph, inputs)
  products.forEach((product, i) =>
    expectSame(
      received[i]!.map((x) => x + 0),
      outputs[i]!.map((x) => x + 0),
      JSON.stringify(product),
    ),
  )
  expect(received.length).toBe(products.length)
}

const EXTENTS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 13]
const LAYOUTS = [false, true].flatMap((left) => [false, true].map((right) => ({ left, right })))

describe('matrix products', () => {
  it.each([1, 2, 3, 4, 5, 7, 8, 16, 33])('with inner extent %d: all m and n, all layouts', (k) => {
    for (const layout of LAYOUTS) check(EXTENTS.flatMap((m) => EXTENTS.map((n) => ({ m, k, n, ...layout }))))
  })

  it('with any extents up to 150', () => {
    const extent = fc.integer({ min: 1, max: 150 })
    fc.assert(
      fc.property(fc.record({ m: extent, k: extent, n: extent, left: fc.boolean(), right: fc.boolean() }), (product) =>
        check([product]),
      ),
      { numRuns: 20 },
    )
  })

  it.each([
    { m: 97, k: 257, n: 40 },
    { m: 5, k: 600, n: 9 },
    { m: 8, k: 30, n: 540 },
    { m: 200, k: 20, n: 7 },
  ])('across the blocks of the kernel: %j', (extents) => {
    for (const layout of LAYOUTS) check([{ ...extents, ...layout }])
  })
})

const { settings } = currentRuntime()

/** Few rows of a large matrix, and a large result of a short k, which are swept. Rows of 1024 numbers are 4 kB apart. */
const SWEPT: readonly (readonly [rows: readonly number[], k: number, columns: readonly number[]])[] = [
  [[2, 3, 4, 5, 6, 7, 39, 40], 131, [512, 513, 519]],
  [[2, 5, 39], 65, [1024, 1031]],
  [[4, 30], 8, [9000]],
  [[1100], 1, [8, 9, 15]],
  [[33, 530], 4, [256, 519]],
  [[33], 8, [512, 1024]],
  // a result that no cache holds
  [[2100], 13, [1024]],
  // four rows, for the transposed right sides
  [[4], 10, [8, 15, 300]],
  [[4], 700, [9, 24]],
]

describe('products with sweeps', () => {
  describe.each(LAYOUTS)('in layout %j', (layout) => {
    it.each(SWEPT)('of %j rows, k %d and %j columns', (rows, k, columns) =>
      check(rows.flatMap((m) => columns.map((n) => ({ m, k, n, ...layout })))),
    )
  })

  it('give a row the bits that it has among many rows', () => {
    const [k, n] = [300, 300]
    const inputs: TensorContent[] = [floats([128, k], -2, 2, 6), floats([k, n], -2, 2, 7), floats([n], -1, 1, 8)]
    const few = [4, 6, 16, 39, 128]
    const graph = graphOf(inputs, ({ e }, [x, y, z]) =>
      few.map((m) => e.add(e.matmul(e.slice(x!, [0, 0], [m, k]), y!), z!)),
    )
    const outputs = runGraph(currentRuntime(), graph, inputs)!
    few.forEach((m, i) => expect(outputs[i]!.slice(0, 4 * n), `of ${m} rows`).toEqual(outputs.at(-1)!.slice(0, 4 * n)))
  })
})

// Whether or not the engine pairs vectors: without pairs these tiles are slow, but must be correct.
describe.runIf(settings.simd === 'relaxed' && settings.backend === 'wasm')('matrix products in wide tiles', () => {
  const wide = makeRuntime({ ...settings, wideTiles: true })

  it('are enabled', () => expect(infoOf(wide).tile).toBe('6×16'))

  it.each([1, 2, 3, 6, 16, 33])('with inner extent %d: sizes around the tile and around packing, all layouts', (k) => {
    for (const layout of LAYOUTS) {
      check(
        [5, 6, 7, 12, 23, 24, 25, 29].flatMap((m) => [15, 16, 17, 24, 31, 48, 49].map((n) => ({ m, k, n, ...layout }))),
        wide,
      )
    }
  })

  it('with any extents up to 150', () => {
    const extent = fc.integer({ min: 1, max: 150 })
    fc.assert(
      fc.property(fc.record({ m: extent, k: extent, n: extent, left: fc.boolean(), right: fc.boolean() }), (product) =>
        check([product], wide),
      ),
      { numRuns: 40 },
    )
  })

  it.each([
    { m: 97, k: 257, n: 40 },
    { m: 192, k: 512, n: 64 },
    { m: 5, k: 600, n: 9 },
    { m: 30, k: 30, n: 540 },
    { m: 200, k: 20, n: 71 },
  ])('across the blocks of the kernel: %j', (extents) => {
    for (const layout of LAYOUTS) check([{ ...extents, ...layout }], wide)
  })

  it.each(SWEPT)('swept, of %j rows, k %d and %j columns: all layouts', (rows, k, columns) => {
    for (const layout of LAYOUTS)
      check(
        rows.flatMap((m) => columns.map((n) => ({ m, k, n, ...layout }))),
        wide,
      )
  })

  it('give the same bits', () => {
    const inputs: TensorContent[] = [
      floats([150, 200], -2, 2, 3),
      floats([200, 130], -2, 2, 4),
      floats([130], -2, 2, 5),
    ]
    const graph = graphOf(inputs, (b, [x, y, z]) => [b.emitOne('relu', [b.e.add(b.e.matmul(x!, y!), z!)], {})])
    const one = runGraph(currentRuntime(), graph, inputs)!
    expect(runGraph(wide, graph, inputs)).toEqual(one)
  })
})
