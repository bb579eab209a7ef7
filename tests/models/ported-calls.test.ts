// Calls as they are written in Keras: options in snake_case, and hints for calls that mean something else here.
// modes: simd

import { describe, expect, it } from 'vitest'
import { Add, Concatenate, Dense, Input, Sequential, Tensor, loadModel, modelFromJSON, tensor } from '../../src'

const x = [
  [1, 2],
  [3, 4],
  [5, 6],
]
const y = [1, 2, 3]

function compiled(): Sequential {
  const model = new Sequential([new Dense(1, { inputShape: [2] })])
  model.compile({ optimizer: 'sgd', loss: 'mse', metrics: ['mae'] })
  return model
}

describe('options in snake_case', () => {
  it('are options of fit, evaluate, predict and the methods of one batch', async () => {
    const model = compiled()
    const history = await model.fit(x, y, {
      batch_size: 1,
      validation_data: [x, y],
      validation_batch_size: 2,
      steps_per_epoch: 2,
      initial_epoch: 1,
      epochs: 2,
      class_weight: null,
      verbose: 0,
    } as never)
    expect(Object.keys(history.history)).toEqual(['loss', 'mae', 'valLoss', 'valMae'])
    expect(history.params).toMatchObject({ epochs: 2, steps: 2 })
    expect(await model.evaluate(x, y, { batch_size: 2, sample_weight: [1, 0, 0] } as never)).toHaveProperty('loss')
    expect((await model.predict(x, { batch_size: 2 } as never)).shape).toEqual([3, 1])
    expect(model.trainOnBatch(x, y, { sample_weight: [1, 1, 1] } as never)).toHaveProperty('mae')
    await expect(model.fit(x, y, { batch_sise: 1 } as never)).rejects.toThrow("Did you mean 'batchSize'?")
  })

  it('are options of compile', async () => {
    const model = compiled()
    model.compile({ loss: 'mse', loss_weights: [2], weighted_metrics: ['mae'] } as never)
    expect(Object.keys(await model.evaluate(x, y))).toEqual(['loss', 'mae'])
  })
})

describe('hints', () => {
  it('a layer of several inputs takes them as a list, or apart', () => {
    const [a, b] = [tensor([[1, 2]]), tensor([[3, 4]])]
    for (const [first, second] of [
      [a, b],
      [Input([2]), Input([2])],
      [[[1, 2]], [[3, 4]]],
    ]) {
      for (const layer of [new Add(), new Concatenate()])
        expect(Reflect.apply(layer.apply, layer, [first, second])).toBeInstanceOf(Tensor)
      const dense = new Dense(2)
      expect(() => Reflect.apply(dense.apply, dense, [first, second])).toThrow('the input must be one tensor')
    }
    expect(new Add().apply([a, b]).toArray()).toEqual([[4, 6]])
    expect(new Add().apply(a, b).toArray()).toEqual([[4, 6]])
  })

  it.each([true, 1, 'training'])('the options are an object, not %j', (given) => {
    const message = `options are an object, { training: true }, received ${JSON.stringify(given).replaceAll('"', "'")}`
    expect(() => new Dense(2).apply([[1, 2]], given as never)).toThrow(message)
  })

  it('fit after compile without a loss reports what is missing', async () => {
    const model = new Sequential([new Dense(1, { inputShape: [2] })])
    model.compile()
    await expect(model.fit(x, y, { verbose: 0 })).rejects.toThrow("Compile with a loss, for example 'meanSquaredError'")
  })

  it('validationBatches are validationSteps', async () => {
    await expect(compiled().fit(x, y, { validationBatches: 2 } as never)).rejects.toThrow(
      "Unknown option of fit 'validationBatches'. Did you mean 'validationSteps'?",
    )
  })

  it('a model of TensorFlow.js is opened by loadModel, and recognized elsewhere', async () => {
    const json = { format: 'layers-model', modelTopology: { class_name: 'Sequential' }, weightsManifest: [] }
    await expect(loadModel(new TextEncoder().encode(JSON.stringify(json)))).rejects.toThrow('has no list of layers')
    for (const given of [json, JSON.stringify(json)])
      expect(() => modelFromJSON(given as never)).toThrow('a model of TensorFlow.js')
    expect(() => modelFromJSON({ a: 1 } as never)).toThrow('it has no className and config')
  })
})

describe('metrics of a model', () => {
  it('are read and reset', async () => {
    const model = compiled()
    expect(model.metricsNames).toEqual(['loss'])
    const logs = await model.evaluate(x, y)
    expect(model.metricsNames).toEqual(['loss', 'mae'])
    expect(model.getMetricsResult()).toEqual(logs)
    model.resetMetrics()
    expect(model.getMetricsResult()).toEqual({ loss: 0, mae: 0 })
    const bare = new Sequential([new Dense(1)])
    bare.resetMetrics()
    expect(() => bare.getMetricsResult()).toThrow('call compile()')
    expect(() => bare.metricsNames).toThrow('call compile()')
  })
})
