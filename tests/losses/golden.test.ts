import { describe, expect, it } from 'vitest'
import {
  Dense,
  Sequential,
  customObjectScope,
  grad,
  losses as library,
  ops,
  runtimeInfo,
  valueAndGrad,
  disassemble,
  type Tensor,
} from '../../src'
import { classesIn, type Config } from '../../src/core/registry'
import { losses } from '../../src/losses/registry'
import type { LossesFile } from '../golden/format'
import { expectNear, expectTensor, readFixture, serialized, titleOf, toTensor } from '../helpers/golden'

const { cases, configs } = readFixture<LossesFile>('losses')

/** A loss from a saved configuration, as files have it. */
function lossOf(className: string, config: Config): library.Loss {
  return customObjectScope(classesIn(library), () => losses.get({ className, config }))
}

describe.each(cases.map((each) => ({ ...each, title: `${titleOf(each.loss)} of ${each.name}` })))(
  '$title agrees with Keras',
  (each) => {
    const yTrue = toTensor(each.yTrue)
    const yPred = toTensor(each.yPred)
    const weights = each.sampleWeight === null ? undefined : toTensor(each.sampleWeight)
    const mask = each.mask === undefined ? undefined : toTensor(each.mask)
    const make = (reduction: string) => {
      const { className, config } = serialized(each.loss)
      return lossOf(className, { ...config, reduction })
    }

    it('per sample', () => {
      expectTensor(make('none').apply(yTrue, yPred, weights, mask), each.none, 'none')
    })

    it.each(['sum', 'sumOverBatchSize', 'mean', 'meanWithSampleWeight'] as const)('reduced by %s', (reduction) => {
      const value = make(reduction).apply(yTrue, yPred, weights, mask)
      expect(value.shape).toEqual([])
      expectNear(value.data, [each[reduction]], reduction)
    })

    const gradients = [
      ['sum', each.sumGradient],
      ['sumOverBatchSize', each.sumOverBatchSizeGradient],
    ] as const
    for (const [reduction, expected] of gradients) {
      if (expected === null) continue
      it(`in the gradient of ${reduction}`, () => {
        const loss = make(reduction)
        expectTensor(grad((p) => loss.apply(yTrue, p, weights, mask))(yPred), expected, 'gradient')
      })
    }

    it('in the gradient of the sum of the unreduced loss', () => {
      const loss = make('none')
      const gradient = grad((p) => ops.sum(loss.apply(yTrue, p, weights, mask)))(yPred)
      if (each.sumGradient === null) expect(gradient.shape).toEqual(yPred.shape)
      else expectTensor(gradient, each.sumGradient, 'gradient')
    })
  },
)

describe('losses are saved as in Keras', () => {
  it.each(configs)('$class', (described) => {
    const { className, config } = serialized(described)
    expect(lossOf(className, {}).getConfig()).toMatchObject(config)
  })

  it('all of them', () => {
    const known = [...Object.keys(losses.all), 'CTC'].sort()
    expect(known).toEqual(configs.map((each) => each.class).sort())
    expect(
      Object.values(library).filter((each) => Object.hasOwn(each, 'className') && each !== library.Loss).length,
    ).toBe(known.length)
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
    ['meanAbsolutePercentageError', library.meanAbsolutePercentageError([1, 2], [3, 2]), 100],
    ['meanSquaredLogarithmicError', library.meanSquaredLogarithmicError([0], [Math.E - 1]), 1],
    ['logCosh', library.logCosh([1], [2]), Math.log(Math.cosh(1))],
    ['logCosh of a large error', library.logCosh([0], [200]), 200 - Math.LN2],
    ['cosineSimilarity', library.cosineSimilarity([1, 0], [1, 1]), -Math.SQRT1_2],
    ['cosineSimilarity with zeros', library.cosineSimilarity([0, 0], [1, 1]), 0],
    ['poisson', library.poisson([2], [Math.E]), Math.E - 2],
    ['klDivergence', library.klDivergence([0.5, 0.5], [0.25, 0.75]), 0.5 * Math.log(2) + 0.5 * Math.log(2 / 3)],
    ['hinge', library.hinge([1, -1], [0.25, 3]), (0.75 + 4) / 2],
    ['hinge of 0 and 1', library.hinge([1, 0], [0.25, 3]), (0.75 + 4) / 2],
    ['squaredHinge', library.squaredHinge([1, -1], [0.25, 3]), (0.75 ** 2 + 16) / 2],
    ['categoricalHinge', library.categoricalHinge([0, 1, 0], [1, 0.5, -1]), 1.5],
    ['binaryFocalCrossentropy', library.binaryFocalCrossentropy([1], [0.75]), 0.25 ** 2 * Math.log(4 / 3)],
    [
      'binaryFocalCrossentropy with class balancing',
      library.binaryFocalCrossentropy([0], [0.25], { applyClassBalancing: true, gamma: 0 }),
      0.75 * Math.log(4 / 3),
    ],
    [
      'categoricalFocalCrossentropy',
      library.categoricalFocalCrossentropy([0, 1], [0.25, 0.75], { alpha: [1, 2], gamma: 1 }),
      2 * 0.25 * Math.log(4 / 3),
    ],
    ['categoricalGeneralizedCrossEntropy', library.categoricalGeneralizedCrossEntropy([1], [[0.75, 0.25]]), 1],
    ['dice', library.dice([1, 1, 0], [1, 0, 1]), 0.5],
    ['tversky', library.tversky([1, 1, 0], [1, 0, 1], { alpha: 1, beta: 0 }), 0.5],
    ['sparseCategoricalCrossentropy', library.sparseCategoricalCrossentropy([1], [[0.75, 0.25]]), Math.log(4)],
  ])('%s', (name, received, expected) => {
    expectNear(received.data, [expected], name)
  })
})

describe('cross-entropies of a softmax', () => {
  const logits = ops.reshape([2, -1, 0.5, 1, 3, -2, 0, 0, 1], [3, 3])
  const composed = (x: Tensor) =>
    ops.negative(ops.sum(ops.multiply(ops.oneHot([2, 0, 1], 3), ops.logSoftmax(x)), { axis: -1 }))

  it('are detected after the activation and with logits, and equal their parts', () => {
    const oneHot = ops.oneHot([2, 0, 1], 3)
    const losses: ((x: Tensor) => Tensor)[] = [
      (x) => library.sparseCategoricalCrossentropy([2, 0, 1], x, { fromLogits: true }),
      (x) => library.sparseCategoricalCrossentropy([2, 0, 1], ops.softmax(x)),
      (x) => library.categoricalCrossentropy(oneHot, x, { fromLogits: true }),
      (x) => library.categoricalCrossentropy(oneHot, ops.softmax(x)),
    ]
    const expected = valueAndGrad((x) => ops.sum(composed(x)))(logits)
    for (const loss of losses) {
      const received = valueAndGrad((x) => ops.sum(loss(x)))(logits)
      received.forEach((each, i) => expectNear(each.data, expected[i]!.data, `result ${i}`))
    }
  })

  it('are one instruction forward and one backward in a training step', () => {
    for (const [loss, target] of [
      ['sparseCategoricalCrossentropy', [[0], [2]]],
      [
        'categoricalCrossentropy',
        [
          [1, 0, 0],
          [0, 0, 1],
        ],
      ],
    ] as const) {
      const model = new Sequential([new Dense({ units: 3, activation: 'softmax', inputShape: [2] })])
      model.compile({ loss })
      model.trainOnBatch(
        [
          [1, 2],
          [3, 4],
        ],
        target.map((row) => [...row]),
      )
      const [text] = disassemble(model).values()
      if (runtimeInfo().backend === 'interpreter') continue
      expect(text!.match(/^ *\d+ +CrossEntropy /gm)).toHaveLength(1)
      expect(text!.match(/^ *\d+ +CrossEntropyGradient /gm)).toHaveLength(1)
      expect(text).not.toMatch(/ Softmax /)
    }
  })

  it('are 0 for a class that does not exist, and so is their gradient', () => {
    const [value, gradient] = valueAndGrad((x) =>
      ops.sum(library.sparseCategoricalCrossentropy([-1, 3, 7], x, { fromLogits: true })),
    )(logits)
    expect(value.item()).toBe(0)
    expect([...gradient.data].every((x) => x === 0)).toBe(true)
  })

  it('are exact for a class next to one with logit −∞', () => {
    const masked = [[1, -Infinity, 1]]
    expectNear(library.sparseCategoricalCrossentropy([0], masked, { fromLogits: true }).data, [Math.LN2], 'loss')
  })
})
