// fromConfig of every kind of class, and of models, with and without the entry for Node.
// modes: simd

import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  Adam,
  Bidirectional,
  Dense,
  EarlyStopping,
  Input,
  LSTM,
  LSTMCell,
  Model,
  Sequential,
  cloneModel,
  constraints,
  customObjectScope,
  initializers,
  loadModel,
  losses,
  metrics,
  modelFromJSON,
  ops,
  regularizers,
  schedules,
  type Tensor,
} from '../../src'
import { bundledLibrary } from '../helpers/fresh-library'

const rows = [
  [0.5, -1, 2],
  [1, 3, -0.25],
]

class Doubled extends Sequential {
  static override readonly className: string = 'Doubled'
  override predictStep(x: Tensor): Tensor {
    return ops.multiply(super.predictStep(x), 2)
  }
}

class Narrow extends Sequential {
  static override readonly className: string = 'Narrow'
  constructor() {
    super([Input({ shape: [3] }), new Dense({ units: 4 })])
  }
}

/** A class with its own way to be made. */
class Restored extends Narrow {
  static override readonly className: string = 'Restored'
  static override fromConfig(): never {
    return new this() as never
  }
}

function functional(): Model<Tensor, Tensor> {
  const x = Input({ shape: [3] })
  const hidden = new LSTM({ units: 2 }).apply(ops.expandDims(x, 1))
  return new Model({ inputs: x, outputs: new Dense({ units: 2, activation: 'tanh' }).apply(hidden), name: 'whole' })
}

it('a class makes an equal object', () => {
  const { learningRate: _, ...options } = new Adam({ beta1: 0.8 }).getConfig()
  expect(Adam.fromConfig(new Adam({ beta1: 0.8 }).getConfig()).getConfig()).toMatchObject(options)
  const dense = new Dense({ units: 3, activation: 'relu', kernelRegularizer: 'l2', kernelConstraint: 'maxNorm' })
  expect(Dense.fromConfig(dense.getConfig()).getConfig()).toEqual(dense.getConfig())
  expect(LSTMCell.fromConfig(new LSTMCell({ units: 3 }).getConfig()).units).toBe(3)
  expect(losses.Huber.fromConfig(new losses.Huber({ delta: 2 }).getConfig()).delta).toBe(2)
  expect(metrics.AUC.fromConfig(new metrics.AUC({ numThresholds: 7 }).getConfig()).numThresholds).toBe(7)
  expect(initializers.RandomNormal.fromConfig({ stddev: 0.25 }).stddev).toBe(0.25)
  expect(regularizers.L1L2.fromConfig({ l1: 0.5, l2: 0 }).l1).toBe(0.5)
  expect(constraints.MaxNorm.fromConfig({ maxValue: 3 }).maxValue).toBe(3)
  expect(schedules.CosineDecay.fromConfig({ initialLearningRate: 1, decaySteps: 9 }).decaySteps).toBe(9)
  expect(EarlyStopping.fromConfig({ monitor: 'loss' }).monitor).toBe('loss')
  expect(() => Dense.fromConfig({ units: 3, unit: 4 })).toThrow("Unknown option of Dense 'unit'")
})

describe('a class that extends Sequential', () => {
  it('is kept by a file, with its steps', async () => {
    const model = new Doubled([new Dense({ units: 4, inputShape: [3] })], { name: 'double' })
    const loaded = await loadModel<Tensor, Tensor>(await model.save(), { customObjects: { Doubled } })
    expect(loaded).toBeInstanceOf(Doubled)
    expect(loaded.name).toBe('double')
    expect(loaded.predictOnBatch(rows).data).toEqual(model.predictOnBatch(rows).data)
  })

  it('with another constructor is refused, not replaced by a Sequential', async () => {
    const bytes = await new Narrow().save()
    await expect(loadModel(bytes, { customObjects: { Narrow } })).rejects.toThrow(
      'Narrow needs a constructor (layers, options), or static fromConfig(config)',
    )
    expect(await loadModel(bytes, { customObjects: { Narrow: Sequential } })).toBeInstanceOf(Sequential)
  })

  it('may have its own fromConfig', async () => {
    const model = new Restored()
    const loaded = await loadModel<Tensor, Tensor>(await model.save(), { customObjects: { Restored } })
    expect(loaded).toBeInstanceOf(Restored)
    expect(loaded.predictOnBatch(rows).data).toEqual(model.predictOnBatch(rows).data)
  })
})

it('a scope around modelFromJSON overrides the classes of the library', () => {
  class Own extends Dense {}
  const text = JSON.stringify(new Sequential([new Dense({ units: 4, inputShape: [3] })]))
  const model = customObjectScope({ Dense: Own }, () => modelFromJSON<Tensor, Tensor>(text))
  expect((model as Sequential).layers[0]).toBeInstanceOf(Own)
})

describe('with the entry for Node', () => {
  beforeAll(() => import('../../src/entries/node'))

  it.each([
    ['functional', functional],
    ['nested', () => new Sequential([Input({ shape: [3] }), functional(), new Dense({ units: 1 })])],
    ['wrapped', () => new Sequential([Input({ shape: [4, 3] }), new Bidirectional({ layer: new LSTM({ units: 2 }) })])],
  ])('the classes of the library are known: %s', (_, make) => {
    const model = make()
    const config = JSON.parse(JSON.stringify(model.getConfig())) as ReturnType<Model['getConfig']>
    const copy = model instanceof Sequential ? Sequential.fromConfig(config) : Model.fromConfig(config)
    expect(copy.getConfig()).toEqual(model.getConfig())
    expect(copy.weights.map(({ shape }) => shape)).toEqual(model.weights.map(({ shape }) => shape))
    expect(cloneModel(copy).layers).toHaveLength(model.layers.length)
  })

  it("a user's class is needed", () => {
    class Mine extends Dense {
      static override readonly className: string = 'Mine'
    }
    const config = new Sequential([new Mine({ units: 4, inputShape: [3] })]).getConfig()
    expect(() => Sequential.fromConfig(config)).toThrow(
      "Unknown layer 'Mine'. Pass your own classes and functions in customObjects",
    )
    expect(Sequential.fromConfig(config, { Mine }).layers[0]).toBeInstanceOf(Mine)
  })
})

it.each([undefined, null, 3, 'Dense', []])('a configuration is an object, not %j', (config) => {
  for (const of of [Dense, Model, Sequential, Adam])
    expect(() => Reflect.apply(of.fromConfig, of, [config]) as unknown).toThrow(
      `${of.name}.fromConfig: expected what getConfig returns, received`,
    )
})

it('a Sequential needs a list of layers', () => {
  expect(() => Sequential.fromConfig({ name: 'a' })).toThrow(
    'Sequential.fromConfig: layers must be a list, received undefined',
  )
})

describe('in a bundle without the loader', () => {
  let own: Awaited<ReturnType<typeof bundledLibrary>>
  beforeEach(async () => {
    own = await bundledLibrary()
  })

  it('Sequential.fromConfig takes the classes', () => {
    const config = new own.Sequential([new own.Dense({ units: 4, inputShape: [3] })]).getConfig()
    expect(() => own.Sequential.fromConfig(config)).toThrow(
      "Unknown layer 'Dense'. Pass your own classes and functions in customObjects",
    )
    expect(own.Sequential.fromConfig(config, { Dense: own.Dense }).layers[0]).toBeInstanceOf(own.Dense)
  })

  it('a scope provides them', () => {
    const { Dense, Input, Model } = own
    const x = Input({ shape: [3] })
    const config = new Model({ inputs: x, outputs: new Dense({ units: 2 }).apply(x) }).getConfig()
    expect(own.customObjectScope({ Dense }, () => Model.fromConfig(config)).layers.at(-1)).toBeInstanceOf(Dense)
  })

  it('and without a scope, the error says where the classes come from', async () => {
    const { graphFromConfig } = await import('../../src/models/reader')
    expect(() => graphFromConfig({})).toThrow('customObjectScope({ Dense }, () => Model.fromConfig(config))')
  })
})
