// Loops whose rows are independent are one dispatch and have the values of the interpreter; others are dispatched in every turn.
// modes: simd

import '../../helpers/families'
import { describe, expect, it } from 'vitest'
import type { Graph, Value } from '../../../src/engine/ir/graph'
import type { GraphBuilder } from '../../../src/engine/transforms/builder'
import { planGpu } from '../../../src/engine/webgpu/lower'
import { expectClose } from '../../helpers/compare'
import { floats, type TensorContent } from '../../helpers/data'
import { graphOf, interpretWide } from '../../helpers/graphs'
import { looped } from '../../helpers/loops'
import { testGpu } from './adapter'
import { runOn } from './run-on'

const gpu = await testGpu()

const FLAG = { buffer: { id: -1, byteLength: 4 }, offset: 0 }
const TURNS = 7

/** The next state of a turn from the state, the slice of the turn, and the matrix that all turns have. */
type Next = (builder: GraphBuilder, state: Value, slice: Value, matrix: Value) => Value

interface Example {
  readonly next: Next
  readonly state: readonly number[]
  readonly matrix: readonly number[]
  readonly reverse?: boolean
}

const sine = ({ e }: GraphBuilder, x: Value): Value => e.sin(x)

const recurrence: Next = (builder, state, slice, matrix) =>
  sine(builder, builder.e.add(builder.e.matmul(state, matrix), slice))
/** Two products of the same state, the other of a part of each row. */
const parts: Next = (builder, state, slice, matrix) => {
  const { e } = builder
  const [rows, columns] = state.shape as [number, number]
  const left = e.slice(state, [0, 0], [rows, columns / 2])
  const right = e.slice(state, [0, columns / 2], [rows, columns / 2])
  const swapped = e.concat([right, e.sigmoid(left)], 1)
  return sine(builder, e.add(e.multiply(e.matmul(swapped, matrix), e.matmul(state, matrix)), slice))
}
/** Products of several widths: no two of them may share bytes, because rows are at different ones at the same time. */
const widths: Next = (builder, state, slice, matrix) => {
  const { e } = builder
  const last = [64, 8, 48, 16, 40, 24, 56, state.shape[1]!].reduce((x, width) => {
    return e.matmul(x, e.slice(matrix, [0, 0], [x.shape[1]!, width]))
  }, state)
  return sine(builder, e.add(last, slice))
}

const byRow: Readonly<Record<string, Example>> = {
  'a recurrence': { next: recurrence, state: [3, 5], matrix: [5, 5] },
  'a recurrence, backwards': { next: recurrence, state: [3, 5], matrix: [5, 5], reverse: true },
  'one row': { next: recurrence, state: [1, 5], matrix: [5, 5] },
  'rows of more elements than a workgroup has threads': { next: recurrence, state: [2, 300], matrix: [300, 300] },
  'parts of rows': { next: parts, state: [5, 70], matrix: [70, 70] },
  'values of several widths': { next: widths, state: [61, 32], matrix: [64, 64] },
  'products of matrices for each row': {
    next: (builder, state, slice) => sine(builder, builder.e.add(builder.e.matmul(state, slice), slice)),
    state: [3, 4, 4],
    matrix: [4, 4],
  },
}

const turnByTurn: Readonly<Record<string, Example>> = {
  'a product that needs all rows': {
    next: ({ e }, state, slice, matrix) => e.add(e.matmul(matrix, state), slice),
    state: [5, 5],
    matrix: [5, 5],
  },
  'rows in another order': {
    next: ({ e }, state, slice) => e.add(e.multiply(e.reverse(state, [0]), 0.5), slice),
    state: [4, 5],
    matrix: [5, 5],
  },
  'the transposed state': {
    next: ({ e }, state, slice) => e.add(e.multiply(e.transposeMatrix(state), 0.5), slice),
    state: [5, 5],
    matrix: [5, 5],
  },
  'a sum of all rows': {
    next: ({ e }, state, slice) => e.add(e.multiply(e.sin(e.sum(state, [0])), 0.5), e.multiply(state, slice)),
    state: [4, 5],
    matrix: [5, 5],
  },
  'one row for all': {
    next: ({ e }, state, slice) => e.add(e.multiply(e.slice(state, [0, 0], [1, 5]), 0.5), slice),
    state: [4, 5],
    matrix: [5, 5],
  },
  'a matrix that is too large to read for each row': { next: recurrence, state: [2, 1024], matrix: [1024, 1024] },
  'too many rows': { next: recurrence, state: [1024, 128], matrix: [128, 128] },
}

const contentsOf = ({ state, matrix }: Example): TensorContent[] => [
  floats([...state]),
  floats([TURNS, ...state], -1, 1, 2),
  // Products are about as large as the state, so that rounding errors do not grow from turn to turn.
  floats([...matrix], -1 / Math.sqrt(matrix[0]!), 1 / Math.sqrt(matrix[0]!), 3),
]

function graphFor({ next, reverse = false, ...shapes }: Example): Graph {
  return graphOf(contentsOf({ next, ...shapes }), (builder, [state, slices, matrix]) => {
    const operands = { carries: [state!], scanned: [slices!], captures: [matrix!], length: TURNS, reverse }
    return looped(builder, operands, (inside, [own], [slice], [captured]) => {
      const after = next(inside, own!, slice!, captured!)
      return { carries: [after], stacked: [inside.e.square(after)] }
    })
  })
}

const loopsIn = (graph: Graph): number => planGpu(graph, FLAG).steps.filter((step) => 'loop' in step).length

it.each(Object.entries(byRow))('%s: one dispatch', (_, example) => {
  expect(loopsIn(graphFor(example))).toBe(0)
})

it.each(Object.entries(turnByTurn))('%s: a dispatch in every turn', (_, example) => {
  expect(loopsIn(graphFor(example))).toBe(1)
})

it('independent loops are one dispatch', () => {
  const { next, ...shapes } = byRow['a recurrence']!
  const inputs = contentsOf({ next, ...shapes })
  const graph = graphOf(inputs, (builder, [state, slices, matrix]) =>
    [false, true].flatMap((reverse) => {
      const operands = { carries: [state!], scanned: [slices!], captures: [matrix!], length: TURNS, reverse }
      return looped(builder, operands, (inside, [own], [slice], [captured]) => {
        return { carries: [next(inside, own!, slice!, captured!)], stacked: [] }
      })
    }),
  )
  expect(planGpu(graph, FLAG).steps).toHaveLength(1)
})

describe.skipIf(gpu === null)('on the GPU', () => {
  const examples = Object.entries({ ...byRow, ...turnByTurn }).filter(([, { state }]) => state[0]! * state[1]! < 2000)

  it.each(examples)('%s', async (_, example) => {
    const inputs = contentsOf(example)
    const graph = graphFor(example)
    const { outputs: expected } = interpretWide(graph, inputs)
    const { outputs } = await runOn(gpu!, graph, inputs)
    outputs.forEach((each, i) =>
      expectClose(each, expected[i]!, { ulp: 80, absolute: 2e-5, signedZero: false }, `output ${i}`),
    )
    const { outputs: repeated } = await runOn(gpu!, graph, inputs)
    expect(repeated).toEqual(outputs)
  })
})
