// Sample weights, masks and ranks: how losses and metrics align them with values. golden.test.ts has the numbers of
// Keras.
import { describe, expect, it } from 'vitest'
import { Loss, Metric, Sequential, Dense, losses, metrics, ops, tensor, type Tensor } from '../../src'
import { expectNear } from '../helpers/golden'

const mask = tensor([
  [true, true, false],
  [true, false, false],
])

describe('applyMask', () => {
  it('turns a mask into weights; in a mean the remaining elements weigh more', () => {
    expect(losses.applyMask(undefined, undefined, 'mean')).toBe(undefined)
    const weights = tensor([1, 2])
    expect(losses.applyMask(weights, undefined, 'sum')).toBe(weights)
    expect(losses.applyMask(undefined, mask, 'sum')!.toArray()).toEqual([
      [1, 1, 0],
      [1, 0, 0],
    ])
    expect(losses.applyMask(undefined, mask, 'sumOverBatchSize')!.toArray()).toEqual([
      [2, 2, 0],
      [2, 0, 0],
    ])
    expect(losses.applyMask(undefined, tensor([false, false]), 'mean')!.toArray()).toEqual([0, 0])
  })

  it('aligns weights: one for each sample, or each element', () => {
    expect(losses.applyMask(tensor([3, 5]), mask, 'sum')!.toArray()).toEqual([
      [3, 3, 0],
      [5, 0, 0],
    ])
    expect(
      losses
        .applyMask(
          tensor([
            [1, 2, 3],
            [4, 5, 6],
          ]),
          mask,
          'none',
        )!
        .toArray(),
    ).toEqual([
      [1, 2, 0],
      [4, 0, 0],
    ])
    expect(losses.applyMask(tensor([[3], [5]]), tensor([true, false]), 'sum')!.toArray()).toEqual([[3], [0]])
  })
})

describe('a loss', () => {
  const yTrue = ops.zeros([2, 3, 2])
  const yPred = ops.reshape(ops.arange(12), [2, 3, 2])
  // (0 + 1)/2, (4 + 9)/2, …
  const perStep = [
    [0.5, 6.5, 20.5],
    [42.5, 72.5, 110.5],
  ]

  it('skips masked elements', () => {
    const loss = (reduction: losses.Reduction) =>
      new losses.MeanSquaredError({ reduction }).apply(yTrue, yPred, undefined, mask)
    expectNear(loss('sum').data, [0.5 + 6.5 + 42.5], 'sum')
    expectNear(loss('sumOverBatchSize').data, [(0.5 + 6.5 + 42.5) / 3], 'mean of what counts')
    expectNear(loss('meanWithSampleWeight').data, [(0.5 + 6.5 + 42.5) / 3], 'mean by weight')
    expect(loss('none').toArray()).toEqual([
      [0.5, 6.5, 0],
      [42.5, 0, 0],
    ])
  })

  it('takes sample weights for outputs with steps', () => {
    expect(new losses.MeanSquaredError({ reduction: 'none' }).apply(yTrue, yPred, [1, 2]).toArray()).toEqual([
      perStep[0],
      perStep[1]!.map((each) => 2 * each),
    ])
  })

  it('from the user compares [batch] with [batch, 1], not each with each', () => {
    const shapes: string[] = []
    class Own extends Loss {
      call(y: Tensor, p: Tensor): Tensor {
        shapes.push(`${y.shape.join()} ${p.shape.join()}`)
        return ops.abs(ops.subtract(y, p))
      }
    }
    expect(new Own().apply([1, 2, 3], [[1], [2], [5]]).item()).toBeCloseTo(2 / 3)
    expect(new Own({ reduction: 'sum' }).apply([[1], [2]], [0, 0]).item()).toBe(3)
    expect(shapes).toEqual(['3,1 3,1', '2,1 2,1'])
    expect(new Own().name).toBe('own')
  })

  it('ignores a class whatever its predictions are', () => {
    const loss = new losses.SparseCategoricalCrossentropy({ ignoreClass: 255 })
    expectNear(
      loss.apply(
        [0, 255],
        [
          [0.5, 0.5],
          [NaN, NaN],
        ],
      ).data,
      [Math.LN2],
      'loss',
    )
    const logits = new losses.SparseCategoricalCrossentropy({ ignoreClass: -1, fromLogits: true })
    expectNear(
      logits.apply(
        [-1, 1],
        [
          [9, -9],
          [0, 0],
        ],
      ).data,
      [Math.LN2],
      'loss',
    )
    const model = new Sequential([new Dense({ units: 2, inputShape: [1] })])
    model.compile({ loss: loss })
    expect(() => model.testOnBatch([[1], [1]], [0, 3])).toThrow('class numbers 0 … 1 or 255, received 3 in row 1')
    expect(() => model.testOnBatch([[1], [1]], [0, 255])).not.toThrow()
  })
})

describe('a metric', () => {
  class Sum extends Metric {
    private readonly total = this.addVariable('total')
    updateState(y: Tensor, p: Tensor, weights?: Tensor): void {
      const errors = ops.abs(ops.subtract(y, p))
      this.total.assign(
        ops.add(this.total.value, ops.sum(weights === undefined ? errors : ops.multiply(errors, weights))),
      )
    }
    result(): Tensor {
      return this.total.value
    }
  }

  it('from the user compares [batch] with [batch, 1], too', () => {
    const metric = new Sum()
    metric.apply([1, 2, 3], [[0], [0], [0]])
    expect(metric.result().item()).toBe(6)
    const model = new Sequential([new Dense({ units: 1, inputShape: [1], kernelInitializer: 'zeros' })])
    model.compile({ loss: 'mse', metrics: [new Sum({ name: 'off' })] })
    expect(model.testOnBatch([[1], [1], [1]], [1, 2, 3])['off']).toBe(6)
  })

  it('gives masked elements no weight', () => {
    const mean = new metrics.MeanSquaredError()
    mean.apply(
      ops.zeros([2, 3, 1]),
      [
        [[1], [2], [9]],
        [[3], [9], [9]],
      ],
      undefined,
      mask,
    )
    expectNear(mean.result().data, [(1 + 4 + 9) / 3], 'mean')
    const precision = new metrics.Precision()
    precision.apply([1, 0, 0], [0.9, 0.8, 0.7], undefined, [true, true, false])
    expect(precision.result().item()).toBe(0.5)
  })

  it('with thresholds gives one number for each', () => {
    const metric = new metrics.Recall({ thresholds: [0.25, 0.75] })
    metric.updateState(tensor([1, 1]), tensor([0.5, 1]))
    expect(metric.result().toArray()).toEqual([1, 0.5])
  })

  it('reports arguments that do not fit', () => {
    expect(() => new metrics.Precision({ classId: 3 }).updateState(ops.zeros([2, 3]), ops.zeros([2, 3]))).toThrow(
      'classId 3 needs predictions [batch, more than 3 classes], received [2, 3]',
    )
    expect(() => new metrics.AUC({ multiLabel: true }).updateState(ops.zeros([2]), ops.zeros([2]))).toThrow(
      'multiLabel needs predictions [batch, labels], received [2]',
    )
    expect(() => new metrics.AUC({ labelWeights: [1] }).updateState(ops.zeros([2, 3]), ops.zeros([2, 3]))).toThrow(
      '1 labelWeights need the same number of labels',
    )
    expect(new metrics.AUC({ multiLabel: true }).result().item()).toBe(0)
  })
})
