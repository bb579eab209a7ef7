// Kernels of one dispatch give the same results as alone, and kernels that need each other stay apart.
// modes: simd

import '../../helpers/families'
import { describe, expect, it } from 'vitest'
import type { Value } from '../../../src/engine/ir/graph'
import type { GraphBuilder } from '../../../src/engine/transforms/builder'
import { planGpu } from '../../../src/engine/webgpu/lower'
import { forEachDispatch } from '../../../src/engine/webgpu/steps'
import { expectClose } from '../../helpers/compare'
import { floats, type TensorContent } from '../../helpers/data'
import { graphOf, interpretWide } from '../../helpers/graphs'
import { testGpu } from './adapter'
import { runOn } from './run-on'

const gpu = await testGpu()

type Body = (builder: GraphBuilder, inputs: readonly Value[]) => readonly Value[]

function dispatchesOf(body: Body, inputs: readonly TensorContent[]): number {
  let count = 0
  const flag = { buffer: { id: -1, byteLength: 4 }, offset: 0 }
  forEachDispatch(planGpu(graphOf(inputs, body), flag).steps, () => count++)
  return count
}

const square = floats([37, 37])
/** Two products with tiles of one size, a sum with other workgroup memory, and a kernel without workgroups of its own. */
const apart: Body = ({ e }, [a, b]) => [
  e.matmul(a!, b!),
  e.matmul(b!, e.transposeMatrix(a!)),
  e.sum(a!, [0]),
  e.sum(b!, [1]),
  e.exp(e.transposeMatrix(b!)),
]
const dependent: Body = ({ e }, [a, b]) => {
  const product = e.matmul(a!, b!)
  return [product, e.sum(product, [0]), e.matmul(product, a!)]
}
const rows: Body = (builder, [a, b]) => [
  builder.emitOne('softmax', [a!], {}),
  builder.emitOne('logSoftmax', [b!], {}),
  builder.e.exp(builder.e.transposeMatrix(a!)),
]
const cases: [string, Body, number][] = [
  ['that are independent', apart, 1],
  ['of which two need the first', dependent, 2],
  ['of rows', rows, 1],
]

it.each(cases)('kernels %s', (_, body, most) => {
  expect(dispatchesOf(body, [square, floats([37, 37], -1, 1, 2)])).toBe(most)
})

describe.skipIf(gpu === null)('on the GPU', () => {
  it.each(cases)('kernels %s', async (_, body) => {
    const inputs = [square, floats([37, 37], -1, 1, 2)]
    const graph = graphOf(inputs, body)
    const { outputs: expected } = interpretWide(graph, inputs)
    const { outputs } = await runOn(gpu!, graph, inputs)
    outputs.forEach((each, i) =>
      expectClose(each, expected[i]!, { ulp: 8, absolute: 2e-4, signedZero: false }, `output ${i}`),
    )
  })
})
