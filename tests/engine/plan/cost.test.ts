// Costs against numbers counted by hand.
import { describe, expect, it } from 'vitest'
import { GraphBuilder } from '../../../src/engine/transforms/builder'
import { gradients } from '../../../src/engine/transforms/differentiate'
import type { Graph, Value } from '../../../src/engine/ir/graph'
import type { Shape } from '../../../src/core/shapes'
import { costOf } from '../../../src/engine/plan/cost'
import { simplify } from '../../../src/engine/plan/simplify'

const SIGMOID = 8

/** σ(x·W + b) for x [4, 3], W [3, 2]. */
function dense(builder: GraphBuilder): { output: Value; kernel: Value; bias: Value } {
  const [x, kernel, bias] = [[4, 3], [3, 2], [2]].map((shape) => builder.parameter({ shape, dtype: 'float32' })) as [
    Value,
    Value,
    Value,
  ]
  builder.scope = 'dense'
  return { output: builder.e.sigmoid(builder.e.add(builder.e.matmul(x, kernel), bias)), kernel, bias }
}

function forward(): Graph {
  const builder = new GraphBuilder()
  return builder.finish([dense(builder).output])
}

/** mean (y − t)² and one step of gradient descent. */
function trainStep(): Graph {
  const builder = new GraphBuilder()
  const { e } = builder
  const { output, kernel, bias } = dense(builder)
  builder.scope = 'loss'
  const target = builder.parameter({ shape: [4, 2], dtype: 'float32' })
  const loss = e.reduce('mean', e.square(e.subtract(output, target)), [0, 1])
  const slopes = gradients(builder, loss, [kernel, bias], e.scalar(1))
  builder.scope = 'optimizer'
  const updated = [kernel, bias].map((weight, i) =>
    builder.emitOne('sgd', [weight, slopes[i]!, e.scalar(0.1)], { momentum: 0, nesterov: false, weightDecay: 0 }),
  )
  return builder.finish([loss, ...updated])
}

function flopsOf(
  shapes: readonly Shape[],
  emit: (builder: GraphBuilder, values: readonly Value[]) => readonly Value[],
): number {
  const builder = new GraphBuilder()
  const values = shapes.map((shape) => builder.parameter({ shape, dtype: 'float32' }))
  return costOf(builder.finish(emit(builder, values))).flops
}

describe('costOf', () => {
  it('a dense layer: the product, the bias, the activation', () => {
    const { flops, bytes, byScope } = costOf(forward())
    const product = 2 * 4 * 3 * 2
    expect(flops).toBe(product + 8 + 8 * SIGMOID)
    // x, W and the product; the product, b and the sum; the sum and the result
    expect(bytes).toBe(4 * (12 + 6 + 8 + (8 + 2 + 8) + (8 + 8)))
    expect([...byScope]).toEqual([['dense', { flops, bytes }]])
  })

  it('a training step, by where the work comes from', () => {
    const { flops, byScope } = costOf(simplify(trainStep()))
    const by = Object.fromEntries([...byScope].map(([scope, cost]) => [scope, cost.flops]))
    expect(by).toEqual({
      dense: 48 + 8 + 8 * SIGMOID,
      // y − t, its square, the sum, the division
      loss: 8 + 8 + 8 + 1,
      // 2 (y − t), times 1/8
      'loss/gradient': 8 + 8,
      // 1 − y, y ·, dy ·; Σ for b; xᵀ · dz for W
      'dense/gradient': 8 + 8 + 8 + 8 + 2 * 3 * 4 * 2,
      // lr · g and p −, for W and b
      optimizer: 2 * 6 + 2 * 2,
    })
    expect(flops).toBe(Object.values(by).reduce((a, b) => a + b, 0))
  })

  it.each<[string, number, readonly Shape[], (builder: GraphBuilder, values: readonly Value[]) => readonly Value[]]>([
    ['views', 0, [[2, 3]], ({ e }, [x]) => [e.transpose(e.reshape(x!, [3, 2]), [1, 0])]],
    ['broadcasting: elements of the result', 12, [[3, 1], [4]], ({ e }, [a, b]) => [e.add(a!, b!)]],
    [
      'a batched product',
      5 * 2 * 2 * 3 * 4,
      [
        [5, 2, 3],
        [3, 4],
      ],
      ({ e }, [a, b]) => [e.matmul(a!, b!)],
    ],
    ['a reduction', 24, [[2, 3, 4]], ({ e }, [x]) => [e.sum(x!, [1])]],
    ['softmax', 2 * 3 * 12, [[2, 3]], ({ e }, [x]) => [e.softmax(x!)]],
    ['exp', 6 * 8, [[2, 3]], ({ e }, [x]) => [e.exp(x!)]],
    ['pad', 0, [[3]], ({ e }, [x]) => [e.pad(x!, [1], [1])]],
  ])('%s: %i flops', (_title, flops, shapes, emit) => {
    expect(flopsOf(shapes, emit)).toBe(flops)
  })

  it('a gather reads the selected slices, not the table', () => {
    const builder = new GraphBuilder()
    const table = builder.parameter({ shape: [1000, 8], dtype: 'float32' })
    const indices = builder.parameter({ shape: [5], dtype: 'int32' })
    const { flops, bytes } = costOf(builder.finish([builder.e.gather(table, indices, 0)]))
    expect([flops, bytes]).toEqual([0, 4 * (5 + 2 * 5 * 8)])
  })
})
