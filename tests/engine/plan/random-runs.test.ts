// Random graphs end to end: the plan gives the same as the interpreter, bit by bit, for outputs and for updated cells;
// and simplify changes no result.

import '../../helpers/families'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Cell, Graph } from '../../../src/engine/ir/graph'
import { interpret, type Interpretation } from '../../../src/engine/transforms/interpret'
import type { NumericArray } from '../../../src/core/dtypes'
import { sizeOf } from '../../../src/core/shapes'
import { isLoop } from '../../../src/engine/ir/region'
import { verify } from '../../../src/engine/transforms/verify'
import { legalize } from '../../../src/engine/plan/legalize'
import { tapeTarget } from '../../../src/engine/tape/target'
import { simplify } from '../../../src/engine/plan/simplify'
import { compile } from '../../../src/engine/runtime/runtime'
import { makeRuntime } from '../../../src/engine/runtime/configure'
import { currentRuntime } from '../../../src/engine/runtime/current'
import { expectClose } from '../../helpers/compare'
import { SLAB_ELEMENTS, drawGraph, parameters, recipes, type Recipe } from './random-graph'

const runtime = makeRuntime(currentRuntime().settings)
const storage = runtime.createStorage(4 * SLAB_ELEMENTS)
const slab = () => runtime.view('float32', storage.address, SLAB_ELEMENTS)
const initialSlab = Float32Array.from({ length: SLAB_ELEMENTS }, (_, i) => ((i * 5) % 7) - 3)

function truth(graph: Graph): Interpretation & { slab: NumericArray } {
  const inputs = parameters.map(({ data }) => Float32Array.from(data))
  const read = ({ byteOffset, shape }: Cell) => initialSlab.slice(byteOffset / 4, byteOffset / 4 + sizeOf(shape))
  const result = interpret(graph, inputs, read)
  const after = initialSlab.slice()
  for (const [{ byteOffset }, content] of result.updates) after.set(content, byteOffset / 4)
  return { ...result, slab: after }
}

/** Whole numbers are exact; only gradients may round, where ties share them. */
function compare(
  received: readonly NumericArray[],
  expected: readonly NumericArray[],
  recipe: Recipe,
  where: string,
): void {
  received.forEach((output, i) => {
    const want = expected[i]!
    const rounding = recipe.gradient && i >= recipe.outputs.length
    const largest = rounding ? Math.max(1, ...Array.from(want, Math.abs)) : 0
    expectClose(output, want, { ulp: 0, absolute: 1e-5 * largest, signedZero: false }, `${where} ${i}`)
  })
}

/** The number of nodes that compute; a folded node is a constant, which may be broadcast. */
const computing = ({ nodes }: Graph): number =>
  nodes.filter(({ name }) => name !== 'constant' && name !== 'broadcastTo').length

/** The sums that may become two: over axes that are not neighbours. */
const divisible = ({ nodes }: Graph): number =>
  nodes.filter(({ name, attributes }) => name === 'sum' && 'axes' in attributes && attributes.axes.length > 1).length

describe('random graphs', () => {
  it('run like the interpreter, the first time and again', () => {
    fc.assert(
      fc.property(recipes, (recipe) => {
        const graph = drawGraph(recipe, storage)
        const expected = truth(graph)
        const program = compile(runtime, graph)
        for (const time of ['first', 'second']) {
          slab().set(initialSlab)
          parameters.forEach(({ data }, i) => program.parameter(i).set(data))
          expect(program.run(), 'completed').toBe(true)
          compare(
            graph.outputs.map((_, i) => program.output(i)),
            expected.outputs,
            recipe,
            `${time} run: output`,
          )
          expectClose(slab(), expected.slab, { ulp: 0, absolute: 0, signedZero: false }, `${time} run: cells`)
        }
        program.dispose()
      }),
      { numRuns: 150 },
    )
  })

  it('mean the same after simplify, and are well formed', () => {
    fc.assert(
      fc.property(recipes, (recipe) => {
        const graph = drawGraph(recipe, storage)
        const simple = simplify(graph)
        verify(simple)
        verify(legalize(simple, tapeTarget).graph)
        // Work that is hoisted out of a loop is in separate nodes.
        if (!graph.nodes.some(isLoop))
          expect(computing(simple)).toBeLessThanOrEqual(computing(graph) + divisible(graph))
        const expected = truth(graph)
        const received = truth(simple)
        compare(received.outputs, expected.outputs, recipe, 'output')
        expectClose(received.slab, expected.slab, { ulp: 0, absolute: 0, signedZero: false }, 'cells')
      }),
      { numRuns: 60 },
    )
  })
})
