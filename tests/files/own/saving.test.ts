// Objects by name: get, serialize and deserialize of each namespace, and classes that are registered for the whole program.
// modes: simd

import { afterEach, describe, expect, it } from 'vitest'
import {
  Adam,
  ArgumentError,
  Conv2D,
  Dense,
  Dropout,
  Input,
  LSTM,
  Layer,
  LossScaleOptimizer,
  Model,
  Sequential,
  constraints,
  initializers,
  layers,
  loadModel,
  losses,
  metrics,
  modelFromJSON,
  models,
  ops,
  optimizers,
  regularizers,
  saving,
  schedules,
  tensor,
  type Tensor,
} from '../../../src'
import { readKeras, writeKeras } from '../../../src/entries/keras'

const {
  customObjectScope,
  deserializeKerasObject,
  getCustomObjects,
  getRegisteredName,
  getRegisteredObject,
  registerKerasSerializable,
  serializeKerasObject,
} = saving

afterEach(() => {
  for (const name of Object.keys(getCustomObjects())) delete getCustomObjects()[name]
})

/** Each namespace with an instance, the name of its class, and a function if there are some. */
const namespaces = {
  losses: [losses, new losses.Huber(0.5), (y: Tensor, p: Tensor) => ops.subtract(y, p)],
  metrics: [metrics, new metrics.BinaryAccuracy({ threshold: 0.3 }), (y: Tensor, p: Tensor) => ops.subtract(y, p)],
  optimizers: [optimizers, new Adam(0.1), null],
  initializers: [initializers, new initializers.RandomNormal(0, 0.1), (shape: readonly number[]) => ops.ones(shape)],
  regularizers: [regularizers, new regularizers.L2(0.1), (x: Tensor) => ops.sum(x)],
  constraints: [constraints, new constraints.UnitNorm(), (x: Tensor) => x],
} as const

interface Namespace {
  get(identifier: unknown): unknown
  serialize(object: unknown): unknown
  deserialize(saved: unknown, customObjects?: Record<string, unknown>): unknown
}

describe.each(
  Object.entries(namespaces).map(([name, [space, object, own]]) => ({
    name,
    space: space as never as Namespace,
    object: object as { getConfig(): unknown; constructor: Function },
    own,
  })),
)('$name', ({ space, object, own }) => {
  const className = (object.constructor as unknown as { className: string }).className

  it('get takes null, instances, classes, names in any spelling and configurations', () => {
    expect(space.get(null)).toBe(null)
    expect(space.get(object)).toBe(object)
    expect(space.get(className)).toBeInstanceOf(object.constructor)
    expect(space.get(object.constructor)).toBeInstanceOf(object.constructor)
    const saved = { className, config: object.getConfig() }
    expect((space.get(saved) as typeof object).getConfig()).toEqual(object.getConfig())
    expect(space.get({ class_name: className, config: {} })).toBeInstanceOf(object.constructor)
  })

  it('get takes functions, where the namespace has some', () => {
    if (own === null) expect(() => space.get(() => 0)).not.toThrow()
    else expect(space.get(own)).toBe(own)
  })

  it('get and deserialize refuse unknown names with the nearest one, and other values', () => {
    expect(() => space.get(`${className}e`)).toThrow(ArgumentError)
    for (const wrong of [7, true, [], {}, Symbol('x')]) {
      expect(() => space.get(wrong)).toThrow(ArgumentError)
      expect(() => space.deserialize(wrong)).toThrow(ArgumentError)
      expect(() => space.serialize(wrong)).toThrow(ArgumentError)
    }
    expect(() => space.deserialize(null)).toThrow(ArgumentError)
  })

  it('serialize and deserialize are inverse, also with custom classes', () => {
    const saved = space.serialize(object)
    expect(JSON.parse(JSON.stringify(saved))).toEqual({ className, config: object.getConfig() })
    expect(space.serialize(space.deserialize(saved))).toEqual(saved)
    const Base = object.constructor as new (options: unknown) => object
    class Mine extends Base {
      static readonly className = 'Mine'
    }
    const mine = new Mine(object.getConfig())
    expect(() => space.deserialize(space.serialize(mine))).toThrow("'Mine'")
    expect(space.deserialize(space.serialize(mine), { Mine })).toBeInstanceOf(Mine)
    expect(customObjectScope({ Mine }, () => space.get('Mine'))).toBeInstanceOf(Mine)
  })
})

describe('names', () => {
  it('of schedules are found in optimizers.schedules', () => {
    const schedule = new schedules.PolynomialDecay(0.1, 100, 0.01)
    expect(optimizers.schedules.deserialize(schedules.serialize(schedule)).getConfig()).toEqual(schedule.getConfig())
    expect(() => schedules.deserialize({ className: 'ExponentialDeca', config: {} })).toThrow('Did you mean')
    expect(() => schedules.serialize(7 as never)).toThrow(ArgumentError)
    expect(() => layers.serialize({} as never)).toThrow(ArgumentError)
  })

  it('of losses in lower case are functions, as in Keras', () => {
    expect(losses.get('mse')).toBe(losses.meanSquaredError)
    expect(losses.get('mean_squared_error')).toBe(losses.meanSquaredError)
    expect(losses.get('MeanSquaredError')).toBeInstanceOf(losses.MeanSquaredError)
    expect(losses.serialize(losses.meanSquaredError)).toBe('meanSquaredError')
    expect(losses.deserialize('meanSquaredError')).toBe(losses.meanSquaredError)
    expect(losses.get('CTC')).toBeInstanceOf(losses.CTC)
    expect(initializers.get('glorot_uniform')).toBeInstanceOf(initializers.GlorotUniform)
    expect(metrics.get('mse')).toBeInstanceOf(metrics.MeanSquaredError)
    expect(optimizers.get('adam')).toBeInstanceOf(Adam)
  })

  it('of layers are found with all their options', () => {
    const layer = new Conv2D(4, 3, { kernelInitializer: 'heNormal', kernelRegularizer: 'l2', name: 'conv' })
    const copy = layers.deserialize(layers.serialize(layer))
    expect(copy).toBeInstanceOf(Conv2D)
    expect(copy.getConfig()).toEqual(layer.getConfig())
    expect(
      layers.deserialize({ class_name: 'LSTM', config: { units: 3, return_sequences: true } } as never),
    ).toBeInstanceOf(LSTM)
    expect(() => layers.deserialize('Convv2D')).toThrow('Did you mean')
  })
})

class Gate extends Layer {
  static readonly className: string = 'Gate'
  call(x: Tensor): Tensor {
    return ops.multiply(x, ops.sigmoid(x))
  }
}

describe('a registered class', () => {
  it('has a name, and is found by it', () => {
    expect(registerKerasSerializable('pack', 'Door')(Gate)).toBe(Gate)
    expect(getRegisteredName(Gate)).toBe('pack>Door')
    expect(getRegisteredObject('pack>Door')).toBe(Gate)
    expect(getRegisteredName(Dense)).toBe('Dense')
    expect(getRegisteredObject('nothing')).toBe(null)
    expect(getRegisteredObject('mine', { mine: Gate })).toBe(Gate)
    expect(registerKerasSerializable('pack', 'Door')(Gate)).toBe(Gate)
  })

  it('loads without customObjects, from bytes and from JSON', async () => {
    registerKerasSerializable('pack')(Gate)
    const model = new Sequential([new Dense(2, { inputShape: [3] }), new Gate()])
    const loaded = await loadModel(await model.save())
    expect(loaded.layers[1]).toBeInstanceOf(Gate)
    expect((await loaded.predict([[1, 2, 3]])).toArray()).toEqual((await model.predict([[1, 2, 3]])).toArray())
    expect(layers.deserialize(layers.serialize(new Gate()))).toBeInstanceOf(Gate)
  })

  it('cannot have a name of the library, or of another one', () => {
    class Dense2 extends Layer {
      static readonly className = 'Dense'
      call(x: Tensor): Tensor {
        return x
      }
    }
    expect(() => registerKerasSerializable('pack')(Dense2)).toThrow('this library has a class Dense')
    registerKerasSerializable('pack')(Gate)
    class Other extends Gate {
      static override readonly className = 'Gate'
    }
    expect(() => registerKerasSerializable('other')(Other)).toThrow("'Gate' is registered already")
    expect(() => registerKerasSerializable()(URL)).toThrow('needs a method getConfig')
    expect(() => registerKerasSerializable()(7 as never)).toThrow(ArgumentError)
    expect(() => registerKerasSerializable()(() => 0)).toThrow(ArgumentError)
  })

  it('is a function, too', async () => {
    const doubled = (x: Tensor): Tensor => ops.multiply(x, 2)
    registerKerasSerializable('pack')(doubled)
    const model = new Sequential([new Dense(2, { activation: doubled, inputShape: [3] })])
    const loaded = await loadModel(await model.save())
    expect((await loaded.predict([[1, 2, 3]])).toArray()).toEqual((await model.predict([[1, 2, 3]])).toArray())
  })
})

describe('serializeKerasObject', () => {
  const objects = {
    layer: new Dropout(0.5),
    loss: new losses.BinaryCrossentropy(),
    metric: new metrics.BinaryCrossentropy(),
    optimizer: new LossScaleOptimizer(new Adam(0.1), 4),
    schedule: new schedules.ExponentialDecay(0.1, 10, 0.9),
    initializer: new initializers.Identity(),
    regularizer: new regularizers.L1(),
    constraint: new constraints.NonNeg(),
    stft: new initializers.STFT('real', 'hann'),
  }

  it.each(Object.entries(objects))('and its inverse know the kind of a %s', (_name, object) => {
    const saved: unknown = JSON.parse(JSON.stringify(serializeKerasObject(object)))
    const copy = deserializeKerasObject(saved) as typeof object
    expect(copy.constructor).toBe(object.constructor)
    expect(copy.getConfig()).toEqual(object.getConfig())
  })

  it('writes values, lists, records, tensors, functions and models', () => {
    const fn = (x: Tensor): Tensor => x
    const value = { a: [1, 'x', null, true], loss: new losses.Huber(2), empty: {} }
    const copy = deserializeKerasObject(serializeKerasObject(value)) as typeof value
    expect(copy).toMatchObject({ a: [1, 'x', null, true], empty: {} })
    expect(copy.loss).toMatchObject({ delta: 2 })
    for (const own of [tensor([[1, 2]]), tensor([1, 0], [2], 'int32'), tensor([], [0, 3])]) {
      const read = deserializeKerasObject(serializeKerasObject(own)) as Tensor
      expect([read.shape, read.dtype, [...read.data]]).toEqual([own.shape, own.dtype, [...own.data]])
    }
    expect(deserializeKerasObject(serializeKerasObject(fn), { fn })).toBe(fn)
    const x = Input([2])
    for (const model of [
      new Sequential([new Dense(1, { inputShape: [2] })]),
      new Model({ inputs: x, outputs: new Dense(1).apply(x) }),
    ])
      expect(deserializeKerasObject(serializeKerasObject(model))).toBeInstanceOf(model.constructor)
  })

  it('refuses what cannot be saved or found', () => {
    expect(() => serializeKerasObject(new Date())).toThrow('has no getConfig')
    expect(() => serializeKerasObject(Symbol('x'))).toThrow(ArgumentError)
    expect(() => serializeKerasObject(undefined)).toThrow(ArgumentError)
    expect(() => deserializeKerasObject({ className: 'BinaryCrossentropy', config: {} })).toThrow('losses and metrics')
    expect(() => deserializeKerasObject({ className: 'Nothing', config: {} })).toThrow("unknown class 'Nothing'")
    expect(() => deserializeKerasObject({ className: '__tensor__', config: { value: 3 } })).toThrow(ArgumentError)
    expect(() => deserializeKerasObject({ className: 'function', config: 'f' })).toThrow("Unknown function 'f'")
  })
})

describe('files by functions', () => {
  const made = (): Sequential => new Sequential([new Dense(2, { inputShape: [3] })])
  const rows = [[1, 2, 3]]

  it('saveModel, saveWeights and loadWeights do what the methods do', async () => {
    const model = made()
    model.compile({ optimizer: 'adam', loss: 'mse' })
    const expected = model.predictOnBatch(rows).toArray()
    expect(await saving.saveModel(model)).toEqual(await model.save())
    expect(await saving.saveModel(model, null, { includeOptimizer: false })).toEqual(
      await model.save(undefined, { includeOptimizer: false }),
    )
    expect((await models.loadModel(await models.saveModel(model))).predictOnBatch(rows).toArray()).toEqual(expected)
    const other = made()
    const weights = await saving.saveWeights(model)
    expect(weights).toEqual(await model.saveWeights())
    await saving.loadWeights(other, weights)
    expect(other.predictOnBatch(rows).toArray()).toEqual(expected)
  })

  it('refuse values that are not a model, a path or an option', async () => {
    for (const call of [saving.saveModel, saving.saveWeights, saving.loadWeights])
      await expect(Reflect.apply(call, undefined, [new Dense(1), 'file'])).rejects.toThrow(/needs a model, received/)
    await expect(saving.saveModel(made(), 3 as never)).rejects.toThrow('expected a path or a URL, received 3')
    await expect(saving.saveModel(made(), null, { optimizer: false } as never)).rejects.toThrow("'optimizer'")
  })
})

describe("loadModel takes Keras's options", () => {
  class Twice extends Layer {
    static readonly className = 'Twice'
    call(x: Tensor): Tensor {
      return ops.multiply(x, 2)
    }
  }
  const made = (): Sequential => {
    const model = new Sequential([new Dense({ units: 1, inputShape: [2] }), new Twice()])
    model.compile({ optimizer: 'adam', loss: 'mse' })
    return model
  }

  it.each(['safetensors', 'keras'])('in both spellings, for a file of %s', async (format) => {
    const model = made()
    const bytes = format === 'keras' ? await writeKeras(model) : await model.save()
    const own = { custom_objects: { Twice }, compile: false, safe_mode: true }
    const loaded = await loadModel(bytes, own as object)
    expect(loaded.layers[1]).toBeInstanceOf(Twice)
    expect(() => loaded.optimizer).toThrow('call compile()')
    const plain = new Sequential([new Dense({ units: 1, inputShape: [2] })])
    const none = { customObjects: null, compile: true, safeMode: true, layers: null, signal: null } as const
    await loadModel(await plain.save(), none)
    await expect(loadModel(bytes, { customObjects: 3 as never })).rejects.toThrow(ArgumentError)
  })

  it('also modelFromJSON and readKeras', async () => {
    const model = made()
    const options = { custom_objects: { Twice } } as object
    expect(modelFromJSON(model.toJSON(), options).layers[1]).toBeInstanceOf(Twice)
    const read = await readKeras(await writeKeras(model), options)
    expect(read.layers[1]).toBeInstanceOf(Twice)
  })
})
