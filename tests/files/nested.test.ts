// A model that is used directly and inside another nested model: files hold it once.
// modes: simd

import { expect, it } from 'vitest'
import {
  Dense,
  Input,
  InputLayer,
  Model,
  Sequential,
  TimeDistributed,
  cloneModel,
  loadModel,
  modelFromJSON,
  ops,
  type Tensor,
} from '../../src'
import { decodeContainer, encodeContainer } from '../../src/files/containers/safetensors'
import { weightsOf } from '../helpers/training'

const x = ops.reshape(ops.sin(ops.arange(0, 12, 1, 'float32')), [4, 3])

function sharing(): Model {
  const shared = new Sequential([new Dense({ units: 3, inputShape: [3], activation: 'tanh' })], { name: 'shared' })
  const inner = Input({ shape: [3] })
  const outer = new Model({
    inputs: inner,
    outputs: new Dense({ units: 3, name: 'last' }).apply(shared.apply(inner)),
    name: 'outer',
  })
  const input = Input({ shape: [3] })
  return new Model({ inputs: input, outputs: ops.add(shared.apply(input), outer.apply(input)), name: 'whole' })
}

it('a model that two models share is saved once and loads', async () => {
  const model = sharing()
  expect(model.weights).toHaveLength(4)
  const loaded = await loadModel(await model.save())
  expect(loaded.weights).toHaveLength(4)
  expect(weightsOf(loaded)).toEqual(weightsOf(model))
  expect(loaded.predictOnBatch(x).toArray()).toEqual(model.predictOnBatch(x).toArray())
})

it('stays shared in the loaded model, in training too', async () => {
  const model = sharing()
  model.compile({ optimizer: 'sgd', loss: 'mse' })
  const loaded = (await loadModel(await model.save())) as Model
  for (const each of [model, loaded]) each.trainOnBatch(x, ops.ones([4, 3]))
  expect(weightsOf(loaded)).toEqual(weightsOf(model))
})

it('JSON and clones keep it shared', () => {
  const model = sharing()
  expect(modelFromJSON<Tensor, Tensor>(JSON.stringify(model)).weights).toHaveLength(4)
  expect(cloneModel(model).weights).toHaveLength(4)
})

it('fromConfig takes the classes that a graph names', () => {
  class Doubling extends Dense {
    static override readonly className: string = 'Doubling'
  }
  const input = Input({ shape: [3] })
  const model = new Model({ inputs: input, outputs: new Doubling({ units: 2, name: 'own' }).apply(input) })
  const copy = Model.fromConfig(model.getConfig(), { InputLayer, Doubling })
  expect(copy.getLayer('own')).toBeInstanceOf(Doubling)
  expect(() => Model.fromConfig(model.getConfig(), { InputLayer })).toThrow(/Unknown layer 'Doubling'/)
  const sequential = new Sequential([new Doubling({ units: 2, inputShape: [3] })])
  expect(Sequential.fromConfig(sequential.getConfig(), { Doubling }).layers[0]).toBeInstanceOf(Doubling)
})

it('a reference to a layer that is not there is a damaged file', () => {
  const config = JSON.parse(JSON.stringify(sharing())) as {
    className: string
    config: { layers: { sharedWith?: number }[] }
  }
  const text = JSON.stringify(config)
  expect(text.match(/"sharedWith":0/g)).toHaveLength(1)
  expect(() => modelFromJSON(text.replace('"sharedWith":0', '"sharedWith":7'))).toThrow(
    'it refers to shared layer 7, which is not made before',
  )
})

it('models may be nested in twenty levels; a file that nests thousands is refused', async () => {
  const nested = (levels: number): string => {
    const { className, config } = new Sequential([new Dense({ units: 1, inputShape: [1] })]).toJSON()
    let made = JSON.stringify((config['layers'] as unknown[])[0])
    for (let i = 0; i < levels; i++)
      made = `{"className":"${className}","config":{"name":"level_${i}","layers":[${made}]}}`
    return made
  }
  expect(modelFromJSON(nested(20)).weights).toHaveLength(2)
  expect(() => modelFromJSON(nested(5000))).toThrow(/This is not a model: it has more than 400 levels/)
  const { metadata, tensors } = decodeContainer(await modelFromJSON(nested(2)).save())
  const { xxh32: _, ...own } = metadata
  const description = own['description']!.replace(/^\{"model":/, `{"deep":${nested(5000)},"model":`)
  await expect(loadModel(encodeContainer([...tensors.values()], { ...own, description }))).rejects.toThrow(
    /damaged: its description has more than 400 levels of lists and records/,
  )
})

it('two wrappers may hold one layer', async () => {
  const inner = new Dense({ units: 3, name: 'inner' })
  const input = Input({ shape: [2, 3] })
  const outputs = ops.add(
    new TimeDistributed({ layer: inner, name: 'one' }).apply(input),
    new TimeDistributed({ layer: inner, name: 'two' }).apply(input),
  )
  const model = new Model({ inputs: input, outputs })
  const loaded = await loadModel(await model.save())
  expect(loaded.weights).toHaveLength(model.weights.length)
})
