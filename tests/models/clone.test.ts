// cloneModel: the same architecture, new layers, new weights.
import { describe, expect, it } from 'vitest'
import {
  ArgumentError,
  Bidirectional,
  Dense,
  Dropout,
  Initializer,
  Input,
  InputLayer,
  Lambda,
  Layer,
  Model,
  Sequential,
  SimpleRNN,
  cloneModel,
  ops,
  tensor,
  type CallContext,
  type Config,
  type Tensor,
} from '../../src'
import { expectNear } from '../helpers/golden'

const rows = tensor([
  [1, 2, 3],
  [4, -5, 6],
])

/** The models share no weights; with the same weights the clone computes the same. */
function expectClone(model: Model, copy: Model, x: Tensor = rows): void {
  expect(copy).not.toBe(model)
  expect(copy.weights.map(({ shape, name }) => [shape, name])).toEqual(
    model.weights.map(({ shape, name }) => [shape, name]),
  )
  const own = new Set(model.weights)
  expect(copy.weights.some((weight) => own.has(weight))).toBe(false)
  copy.setWeights(model.getWeights())
  expect(copy.predictOnBatch(x).data).toEqual(model.predictOnBatch(x).data)
  expect(copy.getConfig()).toEqual(model.getConfig())
}

describe('cloneModel', () => {
  it('Sequential: new weights, the same names', () => {
    const model = new Sequential(
      [
        new Dense({ units: 4, activation: 'relu', inputShape: [3], name: 'first' }),
        new Dropout(0.5),
        new Dense({ units: 2 }),
      ],
      { name: 'chain' },
    )
    const copy = cloneModel(model)
    expect(copy).toBeInstanceOf(Sequential)
    expect(copy.name).toBe('chain')
    expect(copy.weights[0]!.value.data).not.toEqual(model.weights[0]!.value.data)
    expectClone(model, copy)
  })

  it('custom functions are kept, named or not, also in inner layers', () => {
    const filled = (value: number) => (shape: readonly number[]) => ops.full(shape, value)
    const relu = (x: Tensor) => ops.multiply(x, 3)
    const cell = { units: 2, kernelInitializer: filled(0.5), recurrentInitializer: filled(0.25), activation: relu }
    const model = new Sequential([
      new Lambda({ function: (x: Tensor) => ops.add(x, 1), inputShape: [3, 2] }),
      new Bidirectional(new SimpleRNN(cell)),
      new Dense({
        units: 2,
        kernelInitializer: (shape) => ops.ones(shape),
        kernelConstraint: (w) => ops.abs(w),
        kernelRegularizer: (w) => ops.sum(w),
        activation: relu,
      }),
    ])
    const copy = cloneModel(model)
    expect(copy.getWeights().map(String)).toEqual(model.getWeights().map(String))
    const x = ops.ones([2, 3, 2])
    expect(copy.predictOnBatch(x).toArray()).toEqual(model.predictOnBatch(x).toArray())
    // An unnamed function still cannot be saved.
    for (const each of [model, copy]) expect(() => each.getConfig()).toThrow(ArgumentError)
  })

  it('a class that extends Sequential stays one, or is refused', () => {
    class Doubling extends Sequential {
      readonly extra = new Dense({ units: 3, name: 'extra' })
      override call(x: Tensor, context: CallContext): Tensor {
        return ops.multiply(super.call(x, context), 2)
      }
    }
    const model = new Doubling([new Dense({ units: 4, inputShape: [3] })], { name: 'double' })
    const copy = cloneModel(model)
    expect(copy).toBeInstanceOf(Doubling)
    expect(copy.layers).toHaveLength(1)
    expect(copy.extra).not.toBe(model.extra)
    copy.setWeights(model.getWeights())
    expect(copy.predictOnBatch(rows).data).toEqual(model.predictOnBatch(rows).data)
    const nested = new Sequential([new Doubling([new Dense({ units: 3, inputShape: [3] })])])
    expect(cloneModel(nested).layers[0]).toBeInstanceOf(Doubling)

    class Fixed extends Sequential {
      constructor(units = 2) {
        super([new Dense({ units, inputShape: [3] })])
      }
    }
    class Picky extends Sequential {
      constructor(options: { units: number }) {
        if (typeof options.units !== 'number') throw new TypeError('units?')
        super([new Dense({ units: options.units, inputShape: [3] })])
      }
    }
    for (const own of [new Fixed(), new Picky({ units: 2 })]) {
      expect(() => cloneModel(own)).toThrow(
        /cannot be recreated: the constructor of its class must take \(layers, options\)/,
      )
      expect(cloneModel(new Model({ inputs: own.input, outputs: own.output })).predictOnBatch(rows).shape).toEqual([
        2, 2,
      ])
    }
  })

  it('Sequential that is not built, or starts with an InputLayer', () => {
    const copy = cloneModel(new Sequential([new Dense({ units: 4 })]))
    expect(copy.built).toBe(false)
    expect(copy.predictOnBatch(rows).shape).toEqual([2, 4])
    const model = new Sequential([new InputLayer({ shape: [3] }), new Dense({ units: 4 })])
    expectClone(model, cloneModel(model))
  })

  it('a functional model with ops, constants, and a layer that is called twice', () => {
    const x = Input({ shape: [3] })
    const shared = new Dense({ units: 3, activation: 'tanh' })
    const twice = shared.apply(shared.apply(x))
    const model = new Model({ inputs: x, outputs: ops.add(ops.multiply(twice, x), tensor([1, 2, 3])) })
    const copy = cloneModel(model)
    expect(copy.weights).toHaveLength(2)
    expectClone(model, copy)
  })

  it('several inputs and outputs keep their structure', () => {
    const [a, b] = [Input({ shape: [3], name: 'a' }), Input({ shape: [2], name: 'b' })]
    const model = new Model({
      inputs: { a, b },
      outputs: { sum: new Dense({ units: 1 }).apply(ops.concatenate([a, b], 1)), same: [b] as const },
    })
    const copy = cloneModel(model)
    copy.setWeights(model.getWeights())
    const data = {
      a: rows,
      b: [
        [1, 2],
        [3, 4],
      ],
    }
    const { sum, same } = copy.predictOnBatch(data)
    expect(sum.data).toEqual(model.predictOnBatch(data).sum.data)
    expect(same[0].toArray()).toEqual([
      [1, 2],
      [3, 4],
    ])
  })

  it('nested models; layers shared with the outside stay shared', () => {
    const shared = new Dense({ units: 3, name: 'shared' })
    const inner = Input({ shape: [3] })
    const nested = new Model({
      inputs: inner,
      outputs: new Dense({ units: 3, name: 'own' }).apply(shared.apply(inner)),
      name: 'nested',
    })
    const x = Input({ shape: [3] })
    const model = new Model({ inputs: x, outputs: shared.apply(nested.apply(x)) })
    const copy = cloneModel(model)
    expect(copy.weights).toHaveLength(4)
    expect(copy.getLayer('nested')).not.toBe(nested)
    expect(copy.getLayer({ name: 'nested' })).toBe(copy.getLayer('nested'))
    expect(copy.getLayer({ index: -1 })).toBe(copy.layers.at(-1))
    expect(copy.getLayer({ name: null as never, index: 0 })).toBe(copy.getLayer(0))
    expectClone(model, copy)
  })

  it('custom classes and functions', () => {
    class Fives extends Initializer {
      override call(shape: readonly number[]): Tensor {
        return ops.full(shape, 5)
      }
    }
    class Scale extends Layer {
      factor: number
      constructor({ factor = 1, ...options }: { factor?: number; name?: string } = {}) {
        super(options)
        this.factor = factor
      }
      call(x: Tensor): Tensor {
        return ops.multiply(x, this.factor)
      }
      override getConfig(): Config {
        return { ...super.getConfig(), factor: this.factor }
      }
    }
    const functions = [(x: Tensor) => ops.multiply(x, 3), (x: Tensor) => ops.add(x, 1)]
    const model = new Sequential([
      new Dense({ units: 2, activation: functions[0]!, kernelInitializer: new Fives(), inputShape: [3] }),
      new Scale({ factor: 7 }),
      new Dense({ units: 2, activation: functions[1]! }),
    ])
    const copy = cloneModel(model)
    expect(copy.weights[0]!.value.toArray()).toEqual([
      [5, 5],
      [5, 5],
      [5, 5],
    ])
    expectClone(model, copy)
  })

  it('a subclassed model', () => {
    class Two extends Model {
      first = new Dense({ units: 4, name: 'first' })
      second = new Dense({ units: 1, name: 'second' })
      override call(x: Tensor): Tensor {
        return this.second.apply(this.first.apply(x))
      }
    }
    const model = new Two({ name: 'two' })
    expect(cloneModel(model).built).toBe(false)
    model.predictOnBatch(rows)
    const copy = cloneModel(model)
    expect(copy).toBeInstanceOf(Two)
    expectClone(model, copy)
  })

  it('frozen layers stay frozen', () => {
    const model = new Sequential([new Dense({ units: 4, inputShape: [3], trainable: false }), new Dense({ units: 2 })])
    expect(cloneModel(model).trainableWeights).toHaveLength(2)
    model.trainable = false
    expect(cloneModel(model).trainableWeights).toHaveLength(0)
  })

  it('is not compiled, and trains independently of the original', () => {
    const model = new Sequential([new Dense({ units: 1, inputShape: [3] })])
    model.compile({ loss: 'mse' })
    const copy = cloneModel(model)
    expect(() => copy.trainOnBatch(rows, [[1], [2]])).toThrow('call compile()')
    copy.compile({ loss: 'mse', optimizer: 'sgd' })
    const before = model.getWeights()[0]!.data
    copy.trainOnBatch(rows, [[1], [2]])
    expectNear(model.getWeights()[0]!.data, before, 'original')
  })

  it('makes layers with cloneFunction, also in nested models', () => {
    const kept = new Dense({ units: 3, name: 'kept' })
    const nested = new Sequential([new Dense({ units: 4, name: 'inner', inputShape: [3] }), kept])
    const x = Input({ shape: [3] })
    const model = new Model({ inputs: x, outputs: new Dropout(0.5).apply(nested.apply(x)) })
    const seen: string[] = []
    const copy = cloneModel(model, {
      cloneFunction(layer) {
        expect(layer).toBeInstanceOf(Layer)
        seen.push(layer.constructor.name)
        if (layer === kept) return layer
        return layer instanceof Dense ? new Dense({ units: layer.units, useBias: false }) : new Dropout(0)
      },
    })
    expect(seen.sort()).toEqual(['Dense', 'Dense', 'Dropout'])
    expect(copy.weights).toHaveLength(3)
    expect(copy.weights.filter((weight) => model.weights.includes(weight))).toEqual([kept.kernel, kept.bias])
  })

  it('errors', () => {
    expect(() => cloneModel(new Dense({ units: 1, name: 'd' }))).toThrow(
      'cloneModel: needs a model, received Dense "d"',
    )
    const model = new Sequential([new Dense({ units: 1 })])
    // @ts-expect-error: clonefunction
    expect(() => cloneModel(model, { cloneFunctoin: (layer: Layer) => layer })).toThrow("Did you mean 'cloneFunction'?")
    // @ts-expect-error: no layer
    expect(() => cloneModel(model, { cloneFunction: () => 3 })).toThrow('must return a layer, received 3')
    // @ts-expect-error: no function
    expect(() => cloneModel(model, { cloneFunction: 'dense' })).toThrow(ArgumentError)
  })
})
