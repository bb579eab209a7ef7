// Calls of Keras programs: arguments by position, saved objects as dictionaries, and models that change after compile.

import { describe, expect, it } from 'vitest'
import { Adam, Dense, Sequential, loadModel, ops, setRandomSeed, type History, type Tensor } from '../../src'

const x = [
  [1, 2],
  [3, -1],
  [0.5, 0.25],
  [-2, 1],
]
const y = [[1], [0], [2], [-1]]

function small(compile: object = {}): Sequential {
  setRandomSeed(3)
  const model = new Sequential([new Dense({ units: 1, inputShape: [2] })])
  model.compile({ optimizer: 'sgd', loss: 'mse', ...compile })
  return model
}

// Programs in JavaScript: types have only the options.
const fit = (model: Sequential, ...given: readonly unknown[]): Promise<History> =>
  Reflect.apply(model.fit, model, [x, y, ...given]) as Promise<History>
const evaluate = (model: Sequential, ...given: readonly unknown[]): unknown =>
  Reflect.apply(model.evaluate, model, [x, y, ...given])
const predict = (model: Sequential, ...given: readonly unknown[]): Promise<Tensor> =>
  Reflect.apply(model.predict, model, [x, ...given]) as Promise<Tensor>

describe('arguments by position', () => {
  it('of fit, evaluate and predict are in the order of Keras', async () => {
    const [one, other] = [small(), small()]
    const byName = await one.fit(x, y, { batchSize: 2, epochs: 3, verbose: 0, shuffle: false })
    const byPlace = await fit(other, 2, 3, 0, null, 0, null, false)
    expect(byPlace.history).toEqual(byName.history)
    expect((await fit(small(), 2, { epochs: 2, verbose: 0 })).epoch).toHaveLength(2)
    expect(await evaluate(one, 3, 0)).toEqual(await one.evaluate(x, y, { batchSize: 3 }))
    expect((await predict(one, 3)).toArray()).toEqual((await one.predict(x)).toArray())
    expect((await predict(one, 3, 0, 1)).shape).toEqual([3, 1])
    const weights = [1, 0, 0, 2]
    expect(Reflect.apply(one.testOnBatch, one, [x, y, weights])).toEqual(
      one.testOnBatch(x, y, { sampleWeight: weights }),
    )
  })

  it('have the errors of options', async () => {
    await expect(fit(small(), 0)).rejects.toThrow('fit: batchSize must be an integer ≥ 1, received 0')
    await expect(fit(small(), 2, { batchSize: 2 })).rejects.toThrow('fit: batchSize is given twice')
    await expect(predict(small(), 2, 0, 1, null, null, 5)).rejects.toThrow('predict takes (batchSize, verbose, steps')
  })

  it('of compile are named', () => {
    const model = small()
    expect(() => model.compile('sgd' as never, 'mse' as never)).toThrow(
      "compile: expected an object of options, { optimizer: … }, received 'sgd'",
    )
    expect(() => model.compile({ optimizer: 'sgd' }, 'mse' as never)).toThrow(
      "compile: 'mse' belongs in the first argument",
    )
  })
})

describe('options of Keras programs', () => {
  it('take a dictionary of a saved object', async () => {
    const schedule = {
      class_name: 'ExponentialDecay',
      config: { initial_learning_rate: 0.5, decay_steps: 1, decay_rate: 0.5 },
    }
    const model = small({ optimizer: { class_name: 'Adam', config: { learning_rate: schedule, beta_1: 0.8 } } })
    expect(model.optimizer).toBeInstanceOf(Adam)
    expect(model.optimizer.getConfig()).toMatchObject({ beta1: 0.8, learningRate: { className: 'ExponentialDecay' } })
    const kernelInitializer: unknown = { class_name: 'Constant', config: { value: 2 } }
    const dense = new Dense({ units: 1, kernelInitializer: kernelInitializer as never })
    expect(dense.apply([[1, 1]]).toArray()).toEqual([[4]])
  })

  it('takes dictionaries as losses and metrics, one for all outputs, in a list or by name', () => {
    const loss = { class_name: 'Huber', config: { delta: 0.5, name: 'huber_loss' } } as never
    const metric = {
      module: 'keras.metrics',
      class_name: 'MeanAbsoluteError',
      config: { name: 'm' },
      registered_name: null,
    }
    for (const metrics of [metric, [metric], [[metric]]]) {
      const model = small({ loss, metrics: metrics as never })
      model.trainOnBatch([[1, 2]], [[1]])
      expect(model.metricsNames).toEqual(['loss', 'm'])
      expect(model.getCompileConfig()).toMatchObject({ loss: { className: 'Huber' } })
    }
    for (const each of [{ class_name: 'Nope', config: {} }, { class_name: 'Nope' }])
      expect(() => small({ loss: each as never })).toThrow(/Unknown loss 'Nope'/)
  })

  it('take null as the default initializer of a weight', () => {
    const of = (kernelInitializer: null | 'glorotUniform') => {
      setRandomSeed(1)
      const dense = new Dense({ units: 3, kernelInitializer, inputShape: [2] })
      dense.build([null, 2])
      return dense.kernel.value.toArray()
    }
    expect(of(null)).toEqual(of('glorotUniform'))
  })

  it("take shuffle: 'batch' as an order that changes no mean", async () => {
    const losses = async (shuffle: boolean | 'batch') =>
      (await small().fit(x, y, { batchSize: 2, epochs: 2, verbose: 0, shuffle })).history
    expect(await losses('batch')).toEqual(await losses(false))
    await expect(losses('batches' as never)).rejects.toThrow('shuffle')
  })
})

describe('build without a shape', () => {
  it('leaves a model to its first data', async () => {
    const model = new Sequential([new Dense(1)])
    ;(model.build as () => void)()
    expect(model.built).toBe(false)
    expect((await model.predict(x)).shape).toEqual([4, 1])
    ;(model.build as () => void)()
    expect(() => (new Dense(1).build as () => void)()).toThrow()
  })
})

describe('pop after compile', () => {
  it('gives a model that is trained anew, also from a file', async () => {
    const trained = new Sequential([new Dense({ units: 3, inputShape: [2] }), new Dense(2)])
    trained.compile({ optimizer: 'adam', loss: 'mse' })
    await trained.fit(x, ops.ones([4, 2]), { epochs: 1, verbose: 0 })
    await trained.predict(x)
    const loaded = (await loadModel(await trained.save())) as Sequential
    const kernel = loaded.weights[0]!.value.toArray()
    for (const model of [trained, loaded]) {
      expect(model.pop()?.name).toMatch(/dense/)
      expect((await model.predict(x)).shape).toEqual([4, 3])
      model.add(new Dense({ units: 5, name: 'head' }))
      expect((await model.predict(x)).shape).toEqual([4, 5])
    }
    expect(loaded.weights[0]!.value.toArray()).toEqual(kernel)
    loaded.compile({ optimizer: 'adam', loss: 'mse' })
    const { history } = await loaded.fit(x, ops.ones([4, 5]), { epochs: 2, verbose: 0 })
    expect(history['loss']![1]).toBeLessThan(history['loss']![0]!)
    // Without compile, the optimizer is that of the former layers: as after add, it is made for the new weights.
    await expect(trained.fit(x, ops.ones([4, 5]), { epochs: 1, verbose: 0 })).resolves.toBeDefined()
  })

  it('leaves an empty model, which has a new layer again', async () => {
    const model = small()
    await model.fit(x, y, { verbose: 0 })
    model.pop()
    expect(model.layers).toHaveLength(0)
    expect(model.pop()).toBeUndefined()
    model.add(new Dense({ units: 1, inputShape: [1] }))
    model.compile({ loss: 'mse' })
    await expect(model.fit(y, y, { verbose: 0 })).resolves.toBeDefined()
  })
})
