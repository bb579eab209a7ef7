import { describe, expect, it } from 'vitest'
import { grad, losses as library, ops } from '../../src/index'
import { losses } from '../../src/losses/registry'
import type { LossesFile } from '../golden/format'
import { expectNear, expectTensor, readFixture, serialized, titleOf, toTensor } from '../helpers/golden'

const { cases } = readFixture<LossesFile>('losses')

describe.each(cases.map((each) => ({ ...each, title: `${titleOf(each.loss)} of ${each.name}` })))('$title agrees with Keras', (each) => {
  const yTrue = toTensor(each.yTrue)
  const yPred = toTensor(each.yPred)
  const weights = each.sampleWeight === null ? undefined : toTensor(each.sampleWeight)
  const make = (reduction: string) => {
    const { className, config } = serialized(each.loss)
    return losses.get({ className, config: { ...config, reduction } })
  }

  it('per sample', () => {
    expectTensor(make('none').apply(yTrue, yPred, weights), each.none, 'none')
  })

  it.each(['sum', 'sumOverBatchSize'] as const)('reduced by %s', (reduction) => {
    const value = make(reduction).apply(yTrue, yPred, weights)
    expect(value.shape).toEqual([])
    expectNear(value.data, [each[reduction]], reduction)
  })

  const gradients = [['sum', each.sumGradient], ['sumOverBatchSize', each.sumOverBatchSizeGradient]] as const
  for (const [reduction, expected] of gradients) {
    if (expected === null) continue
    it(`in the gradient of ${reduction}`, () => {
      const loss = make(reduction)
      expectTensor(grad((p) => loss.apply(yTrue, p, weights))(yPred), expected, 'gradient')
    })
  }

  it('in the gradient of the sum of none', () => {
    const loss = make('none')
    const gradient = grad((p) => ops.sum(loss.apply(yTrue, p, weights)))(yPred)
    if (each.sumGradient === null) expect(gradient.shape).toEqual(yPred.shape)
    else expectTensor(gradient, each.sumGradient, 'gradient')
  })
})

describe('losses as functions', () => {
  it.each([
    ['meanSquaredError', library.meanSquaredError([1, 2], [3, 2]), 2],
    ['meanAbsoluteError', library.meanAbsoluteError([1, 2], [3, 2]), 1],
    ['huber', library.huber([1, 2], [3, 2]), 0.75],
    ['huber with delta', library.huber([1, 2], [3, 2], { delta: 2 }), 1],
    ['binaryCrossentropy', library.binaryCrossentropy([1, 0], [0.5, 0.5]), Math.LN2],
    ['categoricalCrossentropy', library.categoricalCrossentropy([0, 1], [0.5, 0.5]), Math.LN2],
    ['sparseCategoricalCrossentropy', library.sparseCategoricalCrossentropy([1], [[0.75, 0.25]]), Math.log(4)],
  ])('%s', (name, received, expected) => {
    expectNear(received.data, [expected], name)
  })
})
