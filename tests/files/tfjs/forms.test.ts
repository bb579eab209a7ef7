// Other forms of layers-models: of old versions of TensorFlow.js and Keras, and of the converter.
// modes: simd

import { describe, expect, it } from 'vitest'
import { readTfjs } from '../../../src/entries/tfjs'
import { filesOf, jsonOf } from './goldens'

interface Form {
  format?: string
  modelTopology: Record<string, unknown> & { config: { name: string; layers: { config: Record<string, unknown> }[] } }
  trainingConfig?: Record<string, unknown>
  weightsManifest: { paths: string[]; weights: { name: string; shape: number[]; group?: string }[] }[]
}

async function changed(name: string, change: (json: Form) => void) {
  const json = jsonOf<Form>(`${name}.json`)
  change(json)
  return readTfjs(new TextEncoder().encode(JSON.stringify(json)), { files: filesOf(name) })
}

const valuesOf = (model: { getWeights(): readonly { readonly data: ArrayLike<number> }[] }): number[][] =>
  model.getWeights().map(({ data }) => Array.from(data))

describe('a file is read', () => {
  const same = async (change: (json: Form) => void): Promise<void> =>
    expect(valuesOf(await changed('shards', change))).toEqual(valuesOf(await changed('shards', () => {})))

  it('without a format', async () => same((json) => delete json.format))

  it('with the topology in model_config', async () =>
    same((json) => (json.modelTopology = { model_config: json.modelTopology } as never)))

  it('with a Sequential that is a list', async () =>
    same(({ modelTopology }) => (modelTopology.config = modelTopology.config.layers as never)))

  it('with numbers of NumPy', async () =>
    same(({ modelTopology: { config } }) => (config.layers[0]!.config['units'] = { type: 'ndarray', value: 8 })))

  it('with an InputLayer', async () =>
    same(({ modelTopology: { config } }) => {
      const { batch_input_shape: shape, ...others } = config.layers[0]!.config
      config.layers[0]!.config = others
      const input = { class_name: 'InputLayer', config: { batch_input_shape: shape, dtype: 'float32', name: 'x' } }
      config.layers.unshift(input)
    }))

  it.each([
    ['scopes of models', (name: string) => `small/${name}`],
    ['scopes of cells', (name: string) => name.replace('/', '/cell/')],
    ['numbers', (name: string) => name.replace('kernel', '0').replace('bias', '1')],
    ['numbers of .keras files', (name: string) => name.replace('kernel', 'vars/0').replace('bias', 'vars/1')],
  ])('with weights whose names have %s', async (_title, rename) =>
    same(({ weightsManifest: [group] }) => {
      for (const spec of group!.weights) spec.name = rename(spec.name)
    }),
  )

  it('with weights whose names have no scopes', async () => {
    const model = await changed('images', () => {})
    expect(model.getWeights()).toEqual([])
    const json = jsonOf<Form>('uint8.json')
    json.modelTopology.config.layers.pop()
    const [group] = json.weightsManifest
    group!.weights = group!.weights.slice(0, 2).map((spec) => ({ ...spec, name: spec.name.split('/')[1]! }))
    const files = { 'uint8.bin': filesOf('uint8')['uint8.bin']!.subarray(0, 40) }
    const one = await readTfjs(new TextEncoder().encode(JSON.stringify(json)), { files })
    expect(valuesOf(one)).toEqual(valuesOf(await changed('uint8', () => {})).slice(0, 2))
  })
})

describe('the options of compile', () => {
  const withTraining = (optimizer: Record<string, unknown>, others: Record<string, unknown> = {}) =>
    changed('shards', (json) => {
      Object.assign(json.modelTopology, {
        training_config: {
          loss: 'categorical_crossentropy',
          metrics: ['accuracy'],
          optimizer_config: optimizer,
          ...others,
        },
      })
    })

  it('of old versions of Keras are read', async () => {
    const sgd = { lr: 0.5, momentum: 0.9, decay: 0, nesterov: true }
    const { optimizer } = await withTraining({ class_name: 'SGD', config: sgd })
    expect(optimizer.getConfig()).toMatchObject({ learningRate: 0.5, nesterov: true })
  })

  it('have a decay as a schedule', async () => {
    for (const name of ['lr', 'learning_rate']) {
      const model = await withTraining({ class_name: 'SGD', config: { [name]: 0.5, decay: 0.25 } })
      const rates = [model.optimizer.learningRate]
      for (let step = 0; step < 2; step++) {
        model.trainOnBatch([[1, 2, 3, 4]], [[1, 0, 0]])
        rates.push(model.optimizer.learningRate)
      }
      rates.forEach((rate, t) => expect(rate).toBeCloseTo(0.5 / (1 + 0.25 * t)))
    }
  })

  it('have the loss of one name for each output', async () => {
    const training = {
      loss: 'mean_squared_error',
      metrics: ['mse'],
      optimizer_config: {
        class_name: 'RMSProp',
        config: { learningRate: 0.01, decay: 0.8, momentum: 0, epsilon: null, centered: false },
      },
    }
    const model = await changed('states', (json) => (json.trainingConfig = training))
    expect(model.optimizer.getConfig()).toMatchObject({ rho: 0.8, epsilon: 1e-7 })
    expect(model.training.compiled!.serialize()).toMatchObject({ loss: ['mean_squared_error', 'mean_squared_error'] })
    const [x, z] = [
      [
        [
          [1, 2, 3],
          [1, 2, 3],
          [1, 2, 3],
          [1, 2, 3],
        ],
      ],
      [[[1], [1], [1], [1], [1]]],
    ]
    const y = [
      [
        [
          [1, 2],
          [1, 2],
          [1, 2],
          [1, 2],
          [1, 2],
        ],
      ],
      [[1, 2]],
    ]
    const { history } = await model.fit([x, z] as never, y as never, { verbose: 0 })
    expect(Object.keys(history).filter((key) => /mse$/i.test(key)).length).toBe(2)
  })
})
