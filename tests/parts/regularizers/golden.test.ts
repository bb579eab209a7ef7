import { describe, expect, it } from 'vitest'
import {
  Adam,
  Dense,
  Sequential,
  grad,
  jit,
  loadModel,
  ops,
  regularizers,
  tensor,
  valueAndGrad,
  type DenseOptions,
  type Tensor,
} from '../../../src'
import type { RegularizerIdentifier } from '../../../src/parts/regularizers'
import { regularizers as registry } from '../../../src/parts/regularizers/registry'
import type { RegularizersFile } from '../../golden/format'
import { expectNear, expectTensor, readFixture, serialized, titleOf, toTensor } from '../../helpers/golden'
import { errorOf } from '../../helpers/training'

const { cases } = readFixture<RegularizersFile>('regularizers')

describe('regularizers agree with Keras:', () => {
  it.each(cases.map((each) => ({ title: titleOf(each.regularizer), ...each })))(
    '$title',
    ({ regularizer, weight, penalty, gradient }) => {
      const own = registry.get(serialized(regularizer))
      const [value, slope] = jit(valueAndGrad((w) => own.call(w)))(toTensor(weight))
      expectNear(value.data, [penalty], 'penalty')
      expectTensor(slope, gradient, 'gradient')
    },
  )
})

describe('OrthogonalRegularizer', () => {
  it('is 0 for orthogonal vectors, for one vector and for zeros, with a finite gradient', () => {
    const own = new regularizers.OrthogonalRegularizer(2)
    for (const rows of [
      [
        [3, 0],
        [0, -2],
      ],
      [[3, 4]],
      [
        [0, 0],
        [0, 0],
      ],
      [
        [0, 0],
        [1, 2],
      ],
    ]) {
      expect(own.call(tensor(rows)).item()).toBeCloseTo(0, 6)
      expect(grad((w) => own.call(w))(tensor(rows)).data.every(Number.isFinite)).toBe(true)
    }
    expect(
      own
        .call(
          tensor([
            [1, 1],
            [-2, -2],
          ]),
        )
        .item(),
    ).toBeCloseTo(2, 6)
  })

  it('makes the columns of a kernel orthogonal, is saved and loaded', async () => {
    const model = new Sequential([
      new Dense({
        units: 2,
        inputShape: [3],
        useBias: false,
        kernelRegularizer: new regularizers.OrthogonalRegularizer({ factor: 1, mode: 'columns' }),
      }),
    ])
    model.setWeights([
      tensor([
        [1, 1],
        [0, 1],
        [0.5, 1],
      ]),
    ])
    model.compile({ optimizer: new Adam({ learningRate: 0.02 }), loss: 'mse' })
    const [x, y] = [tensor([[0, 0, 0]]), tensor([[0, 0]])]
    const penalty = () => model.evaluate(x, y, { verbose: 0 })
    const before = (await penalty())['loss']!
    await model.fit(x, y, { epochs: 200, verbose: 0 })
    expect((await penalty())['loss']!).toBeLessThan(before / 2)
    const again = (await loadModel(await model.save())) as Sequential
    expect(await again.evaluate(x, y, { verbose: 0 })).toEqual(await penalty())
  })

  it('refuses weights that are not matrices, and other modes', () => {
    expect(() => new regularizers.OrthogonalRegularizer().call(tensor([1, 2]))).toThrow(
      'needs a matrix, received shape [2]',
    )
    expect(() => new regularizers.OrthogonalRegularizer({ mode: 'row' as never })).toThrow(
      "mode must be 'rows' or 'columns', received 'row'",
    )
    expect(() => new regularizers.OrthogonalRegularizer({ factor: -1 })).toThrow('factor must be a finite number ≥ 0')
  })
})

describe('custom regularizers', () => {
  const spread = (w: Tensor) => ops.multiply(ops.sum(ops.square(w)), 0.5)

  it('a function is a regularizer, saved by name', async () => {
    const make = (kernelRegularizer: RegularizerIdentifier) => {
      const model = new Sequential([
        new Dense({ units: 2, inputShape: [3], kernelRegularizer, kernelInitializer: 'ones' }),
      ])
      model.compile({ optimizer: 'sgd', loss: 'mse' })
      return model
    }
    const own = make(spread)
    expect(own.trainOnBatch([[1, 2, 3]], [[0, 0]])).toEqual(
      make(new regularizers.L2({ l2: 0.5 })).trainOnBatch([[1, 2, 3]], [[0, 0]]),
    )
    expect(new regularizers.LambdaRegularizer(spread).call(tensor([2, 4])).item()).toBe(10)
    const bytes = await own.save()
    expect((await errorOf(() => loadModel(bytes))).message).toContain("Unknown function 'spread' that is a regularizer")
    const copy = await loadModel(bytes, { customObjects: { spread } })
    expect(copy.trainOnBatch([[1, 2, 3]], [[0, 0]] as never)).toEqual(own.trainOnBatch([[1, 2, 3]], [[0, 0]]))
  })

  it('must return a scalar', () => {
    const train = (options: Partial<DenseOptions>) => () => {
      const model = new Sequential([new Dense({ units: 2, inputShape: [3], name: 'd', ...options })])
      model.compile({ optimizer: 'sgd', loss: 'mse' })
      model.trainOnBatch([[1, 2, 3]], [[0, 0]])
    }
    expect(train({ kernelRegularizer: (w) => ops.square(w) })).toThrow(
      'Dense "d": d/kernel: LambdaRegularizer must return a scalar, received shape [3, 2]',
    )
    expect(train({ activityRegularizer: (w) => w })).toThrow(
      'Dense "d": activityRegularizer: LambdaRegularizer must return a scalar, received shape [1, 2]',
    )
  })
})
