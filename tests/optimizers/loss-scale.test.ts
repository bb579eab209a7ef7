// LossScaleOptimizer: the factor of the loss, as in Keras; steps that are not finite change nothing but the factor.

import { describe, expect, it } from 'vitest'
import { Adam, Dense, LossScaleOptimizer, SGD, Sequential, Variable, loadModel, setRandomSeed, tensor } from '../../src'
import { weightsOf } from '../helpers/training'

const x = [
  [1, 2],
  [3, -1],
  [0.5, 0.25],
  [-2, 1],
]
const y = [1, 0, 2, -1]

function modelWith(optimizer: LossScaleOptimizer | Adam): Sequential {
  setRandomSeed(5)
  const model = new Sequential([new Dense(3, 'tanh', { inputShape: [2] }), new Dense(1)])
  model.compile({ optimizer, loss: 'mse' })
  return model
}

describe('LossScaleOptimizer', () => {
  it('doubles the factor after steps with finite gradients, and halves it otherwise, as in Keras', () => {
    const inner = new SGD(0.1)
    const optimizer = new LossScaleOptimizer(inner, 8, 2)
    const weight = new Variable(tensor([1, 2]))
    const states = [
      [8, 8],
      [8, 8],
      [Infinity, 1],
      [NaN, 1],
      [8, 0],
      [8, 0],
    ].map((gradient) => {
      optimizer.apply([tensor(gradient)], [weight])
      return [optimizer.dynamicScale.value.item(), optimizer.stepCounter.value.item(), inner.iterations.value.item()]
    })
    expect(states).toEqual([
      [8, 1, 1],
      [16, 0, 2],
      [8, 0, 2],
      [4, 0, 2],
      [4, 1, 3],
      [8, 0, 4],
    ])
    expect(weight.value.toArray()).toEqual([expect.closeTo(0.4, 5), expect.closeTo(1.8, 5)])
  })

  it('trains as the inner optimizer does', async () => {
    const [plain, scaled] = [modelWith(new Adam(0.05)), modelWith(new LossScaleOptimizer(new Adam(0.05), 1024, 3))]
    for (const model of [plain, scaled]) await model.fit(x, y, { epochs: 5, batchSize: 2, shuffle: false, verbose: 0 })
    weightsOf(scaled).forEach((weight, i) => {
      weight.forEach((value, j) => expect(value).toBeCloseTo(weightsOf(plain)[i]![j]!, 4))
    })
    expect((scaled.optimizer as LossScaleOptimizer).dynamicScale.value.item()).toBe(1024 * 2 ** 3)
  })

  it('does not end training at a step that is not finite', async () => {
    const model = modelWith(new LossScaleOptimizer(new Adam(0.05), 3e38))
    const before = weightsOf(model)
    await model.fit(x, y, { epochs: 1, batchSize: 4, verbose: 0 })
    expect(weightsOf(model)).toEqual(before)
    expect((model.optimizer as LossScaleOptimizer).dynamicScale.value.item()).toBe(Math.fround(1.5e38))
    expect(model.optimizer.slotsOf(model.weights[0]!).size).toBeGreaterThan(0)
    await model.fit(x, y, { epochs: 140, batchSize: 4, verbose: 0 })
    expect(weightsOf(model)).not.toEqual(before)
  })

  it('is saved and restored with its state', async () => {
    const model = modelWith(new LossScaleOptimizer(new Adam(0.05), 64, 3))
    await model.fit(x, y, { epochs: 2, batchSize: 2, verbose: 0 })
    const loaded = await loadModel(await model.save())
    expect(loaded.optimizer).toBeInstanceOf(LossScaleOptimizer)
    const stateOf = ({ optimizer }: { optimizer: { variables: readonly Variable[] } }): unknown =>
      optimizer.variables.map(({ value }) => [...value.data])
    expect(stateOf(loaded)).toEqual(stateOf(model))
    expect(loaded.optimizer.getConfig()).toEqual(model.optimizer.getConfig())
    for (const each of [model, loaded]) await each.fit(x, y, { epochs: 2, batchSize: 2, shuffle: false, verbose: 0 })
    expect(weightsOf(loaded as Sequential)).toEqual(weightsOf(model))
  })

  it('refuses options of the inner optimizer', () => {
    for (const options of [{ clipnorm: 1 }, { weightDecay: 0.1 }, { useEma: true }, { noWeightDecay: ['bias'] }])
      expect(() => new LossScaleOptimizer(new Adam(), options as never)).toThrow('no effect here')
    expect(() => new LossScaleOptimizer(new Adam({ lossScaleFactor: 2 }))).toThrow('scaled once')
    expect(() => new LossScaleOptimizer('adam', 0)).toThrow('initialScale')
    const optimizer = new LossScaleOptimizer('adam')
    optimizer.learningRate = 0.5
    expect(optimizer.innerOptimizer.learningRate).toBe(0.5)
  })
})
