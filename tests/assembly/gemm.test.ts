// Every small matrix product in every layout, and random larger ones: whole numbers, so the result is exact.

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { currentRuntime } from '../../src/runtime/runtime'
import { expectSame } from '../helpers/compare'
import type { TensorContent } from '../helpers/data'
import { wholeFloats } from '../helpers/data'
import { graphOf, interpretWide, runGraph } from '../helpers/graphs'

interface Product {
  readonly m: number
  readonly k: number
  readonly n: number
  readonly left: boolean
  readonly right: boolean
}

/** All products in one graph, over parts of two matrices; each part is then a view with strides of its own. */
function check(products: readonly Product[]): void {
  const largest = Math.max(...products.flatMap(({ m, k, n }) => [m, k, n]))
  const inputs: TensorContent[] = [wholeFloats([largest, largest], -3, 3, 1), wholeFloats([largest, largest + 3], -3, 3, 2)]
  const graph = graphOf(inputs, ({ e }, [a, b]) =>
    products.map(({ m, k, n, left, right }) => {
      const lhs = left ? e.transposeMatrix(e.slice(a!, [0, 0], [k, m])) : e.slice(a!, [0, 0], [m, k])
      const rhs = right ? e.transposeMatrix(e.slice(b!, [0, 0], [n, k])) : e.slice(b!, [0, 0], [k, n])
      return e.matmul(lhs, rhs)
    }),
  )
  const received = runGraph(currentRuntime(), graph, inputs)!
  const { outputs } = interpretWide(graph, inputs)
  products.forEach((product, i) => expectSame(received[i]!.map((x) => x + 0), outputs[i]!.map((x) => x + 0), JSON.stringify(product)))
  expect(received.length).toBe(products.length)
}

const EXTENTS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 13]
const LAYOUTS = [false, true].flatMap((left) => [false, true].map((right) => ({ left, right })))

describe('matrix products', () => {
  it.each([1, 2, 3, 4, 5, 7, 8, 16, 33])('of inner extent %d: all m and n, all layouts', (k) => {
    for (const layout of LAYOUTS) check(EXTENTS.flatMap((m) => EXTENTS.map((n) => ({ m, k, n, ...layout }))))
  })

  it('of any extents up to 150', () => {
    const extent = fc.integer({ min: 1, max: 150 })
    fc.assert(fc.property(fc.record({ m: extent, k: extent, n: extent, left: fc.boolean(), right: fc.boolean() }), (product) => check([product])), { numRuns: 20 })
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
