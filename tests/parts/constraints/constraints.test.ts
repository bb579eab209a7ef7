import { describe, expect, it } from 'vitest'
import {
  Constraint,
  Dense,
  MultiOptimizer,
  SGD,
  Adam,
  Sequential,
  constraints,
  customObjectScope,
  loadModel,
  ops,
  tensor,
  type Tensor,
} from '../../../src'
import { constraints as registry } from '../../../src/parts/constraints/registry'
import type { ConstraintsFile } from '../../golden/format'
import { expectFitted } from '../../helpers/fitted'
import { expectNear, expectTensor, readFixture, serialized, titleOf, toTensor } from '../../helpers/golden'

const { cases, runs } = readFixture<ConstraintsFile>('constraints')

describe('constraints agree with Keras:', () => {
  it.each(cases.map((each) => ({ title: titleOf(each.constraint), ...each })))(
    '$title',
    ({ constraint, weight, result }) => {
      expectTensor(registry.get(serialized(constraint)).call(toTensor(weight)), result, 'result')
    },
  )

  it.each(runs.map((each) => ({ title: each.layers.map(titleOf).join(', '), ...each })))('fit of $title', expectFitted)
})

class Symmetric extends Constraint {
  static readonly className = 'Symmetric'
  call(w: Tensor) {
    return ops.multiply(ops.add(w, ops.transpose(w)), 0.5)
  }
}

class Flat extends Constraint {
  static readonly className = 'Flat'
  call(w: Tensor) {
    return ops.reshape(w, [w.size])
  }
}

const x = ops.reshape(ops.sin(ops.cast(tensor(Int32Array.from({ length: 24 }, (_, i) => i * i)), 'float32')), [8, 3])
const fitted = async (layer: Dense, optimizer: Adam | SGD | MultiOptimizer = new Adam({ learningRate: 0.3 })) => {
  const model = new Sequential([layer])
  model.compile({ optimizer, loss: 'meanSquaredError' })
  await model.fit(x, ops.multiply(x, 9), { epochs: 4, verbose: 0 })
  return model
}

describe('a constraint', () => {
  it('a custom one is applied after every update, saved and loaded', async () => {
    const dense = new Dense({ units: 3, kernelConstraint: new Symmetric() })
    const model = await fitted(dense)
    expectNear(ops.transpose(dense.kernel).data, dense.kernel.value.data, 'symmetric', 1e-7)
    const again = await loadModel(await model.save(), { customObjects: { Symmetric } })
    await (again as Sequential).fit(x, x, { verbose: 0 })
    const { kernel } = (again as Sequential).layers[0] as Dense
    expectNear(ops.transpose(kernel).data, kernel.value.data, 'symmetric after loading', 1e-7)
    expect(() => customObjectScope({}, () => registry.get('symmetricc'))).toThrow(/[Cc]onstraint/)
  })

  it('may be a function, saved by name', async () => {
    const atMostOne = (w: Tensor) => ops.minimum(w, 1)
    const own = new Sequential([
      new Dense({ units: 1, inputShape: [2], kernelConstraint: atMostOne, kernelInitializer: 'ones' }),
    ])
    own.compile({ optimizer: 'sgd', loss: 'mse' })
    const copy = await loadModel(await own.save(), { customObjects: { atMostOne } })
    for (const each of [own, copy] as Sequential[]) {
      each.trainOnBatch([[1, 0]], [[9]])
      expect(each.getWeights()[0]!.toArray()).toEqual([[1], [1]])
    }
  })

  it('works with several optimizers, and with excluded weights', async () => {
    const dense = new Dense({ units: 2, kernelConstraint: 'nonNeg', biasConstraint: new constraints.MaxNorm(0.1) })
    const model = new Sequential([dense])
    model.compile({
      optimizer: new MultiOptimizer({ optimizers: [[new SGD({ learningRate: 0.5 }), 'kernel'], ['adam']] }),
      loss: 'meanSquaredError',
    })
    await model.fit(x, ops.multiply(ops.ones([8, 2]), -5), { epochs: 3, verbose: 0 })
    expect(Math.min(...dense.kernel.value.data)).toBe(0)
    expect(Math.hypot(...dense.bias!.value.data)).toBeLessThanOrEqual(0.1 + 1e-6)
  })

  it('that changes the shape raises an error with the name of the weight', async () => {
    await expect(fitted(new Dense({ units: 3, kernelConstraint: new Flat() }))).rejects.toThrow(
      /the constraint Flat\w* of kernel \[3, 3\] must give a tensor of this shape, received shape \[9\]/,
    )
    await expect(fitted(new Dense({ units: 3, kernelConstraint: (() => null) as never }))).rejects.toThrow(
      'must give a tensor of this shape, received null',
    )
  })

  it('raises an error for other values', () => {
    expect(() => new Dense({ units: 1, kernelConstraint: 'maxNrm' })).toThrow(/maxNorm|MaxNorm/)
    expect(() => new constraints.MaxNorm({ maxValue: -1 })).toThrow(/maxValue/)
    expect(() => new constraints.MinMaxNorm({ minValue: 2, maxValue: 1 })).toThrow(
      /minValue must not be above maxValue, received 2 and 1/,
    )
    expect(() => new constraints.MaxNorm({ max_valu: 1 } as object)).toThrow(/maxValue/)
  })
})
