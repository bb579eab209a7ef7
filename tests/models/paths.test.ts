// The paths of layers and weights, and what layers require of their inputs, as in Keras. Names in files are tested elsewhere.
// modes: simd

import { describe, expect, it } from 'vitest'
import {
  Adam,
  BatchNormalization,
  Bidirectional,
  ConvLSTM1D,
  Dense,
  Dropout,
  GRU,
  GRUCell,
  Input,
  LSTM,
  LSTMCell,
  Layer,
  Model,
  RNN,
  Sequential,
  SimpleRNN,
  SpectralNormalization,
  TimeDistributed,
  Variable,
  clearSession,
  cloneModel,
  enableLora,
  ops,
  customObjectScope,
  type LayerBase,
  type Tensor,
} from '../../src'
import type { PathsFile } from '../golden/format'
import { layers as registry } from '../../src/layers/registry'
import { readFixture, serialized } from '../helpers/golden'

const { models, layers } = readFixture<PathsFile>('paths')

class Lazy extends Layer {
  readonly first = dense(3, 'first')
  readonly second = new Sequential([dense(2, 'last')], { name: 'second' })
  scale!: Variable
  count!: Variable

  override build(): void {
    this.scale = this.addWeight({ name: 'scale', shape: [4] })
    this.count = new Variable(0, { name: 'count', trainable: false })
  }

  call(x: Tensor): Tensor {
    return this.second.apply(this.first.apply(ops.multiply(x, this.scale)))
  }
}

class Early extends Layer {
  readonly inner = dense(2, 'inner')
  readonly scale = this.addWeight({ name: 'scale', shape: [4] })
  readonly count = new Variable(0, { name: 'count', trainable: false })

  override build(inputShape: readonly (number | null)[]): void {
    this.inner.build(inputShape)
  }

  call(x: Tensor): Tensor {
    return this.inner.apply(ops.multiply(x, this.scale))
  }
}

class Own extends Model<Tensor, Tensor> {
  readonly part = new Lazy({ name: 'part' })
  readonly head = dense(1, 'head')

  override call(x: Tensor): Tensor {
    return this.head.apply(this.part.apply(x))
  }
}

function dense(units = 3, name = 'd'): Dense {
  return new Dense({ units, name })
}

const plain = (parts: readonly Layer[], name = 's'): Sequential => new Sequential([...parts], { name })

const chain = (parts: readonly Layer[], name = 's', shape: readonly number[] = [4]): Sequential =>
  new Sequential([Input({ shape: [...shape] }), ...parts], { name })

function functional(parts: readonly Layer[], name = 'f'): Model<Tensor, Tensor> {
  const inputs = Input({ shape: [4] })
  return new Model({ inputs, outputs: parts.reduce((x, part) => part.apply(x), inputs), name })
}

function built(model: Sequential): Sequential {
  model.build([null, 4])
  return model
}

function called<Kind extends Layer>(model: Kind): Kind {
  model.apply(ops.ones([1, 4]))
  return model
}

const MODELS: Readonly<Record<string, () => Model<Tensor, Tensor>>> = {
  builtLate: () => built(plain([dense(), dense(2, 'e')])),
  builtByData: () => called(plain([dense()])),
  withInput: () => chain([dense(), new BatchNormalization({ name: 'b' }), new Dropout({ rate: 0.5, name: 'drop' })]),
  layerBuiltBefore() {
    const layer = dense()
    layer.build([null, 4])
    return chain([layer, dense(2, 'e')])
  },
  functional: () => functional([dense(), dense(2, 'e')]),
  innerBuiltLate: () => chain([plain([dense()], 'inner'), dense(1, 'e')], 'outer'),
  innerBuiltBefore: () => chain([chain([dense()], 'inner'), dense(1, 'e')], 'outer'),
  innerOfFunctional: () => functional([plain([dense()], 'inner'), dense(1, 'e')]),
  functionalInside: () => chain([functional([dense()], 'inner'), dense(1, 'e')], 'outer'),
  shared() {
    const layer = dense(4)
    chain([layer], 'a')
    return chain([layer, dense(2, 'e')], 'b')
  },
  grown() {
    const model = built(plain([dense()]))
    model.add(dense(2, 'e'))
    return model
  },
  grownInside() {
    const inner = plain([dense()], 'inner')
    chain([inner], 'outer')
    inner.add(dense(2, 'e'))
    return inner
  },
  partOfModel() {
    const inputs = Input({ shape: [4] })
    const outputs = dense().apply(inputs)
    expect(new Model({ inputs, outputs: dense(2, 'e').apply(outputs), name: 'whole' }).built).toBe(true)
    return new Model({ inputs, outputs, name: 'part' })
  },
  clone: () => cloneModel(chain([dense()])),
  lazy: () => chain([new Lazy({ name: 'own' })]),
  lazyInFunctional: () => functional([new Lazy({ name: 'own' })]),
  early: () => chain([new Early({ name: 'own' })]),
  ownModel: () => called(new Own({ name: 'own' })),
  lora() {
    const layer = dense()
    const model = chain([layer])
    enableLora(layer, 2)
    return model
  },
  bidirectional: () => chain([new Bidirectional(new LSTM({ units: 3, name: 'l' }), { name: 'bi' })], 's', [5, 4]),
  recurrent: () =>
    chain(
      [
        new GRU({ units: 3, name: 'g', returnSequences: true }),
        new SimpleRNN({ units: 3, name: 'r', returnSequences: true }),
        new RNN([new LSTMCell({ units: 3, name: 'c' }), new GRUCell({ units: 2, name: 'e' })], { name: 'rnn' }),
      ],
      's',
      [5, 4],
    ),
  convLstm: () => chain([new ConvLSTM1D({ filters: 2, kernelSize: 3, name: 'c' })], 's', [5, 6, 2]),
  timeDistributed: () => chain([new TimeDistributed(dense(), { name: 't' })], 's', [5, 4]),
  spectral: () => chain([new SpectralNormalization(dense(), { name: 'n' })]),
}

const camel = (path: string): string => path.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
const sorted = (paths: Iterable<string>): string[] => [...new Set(paths)].map(camel).sort()

describe('paths as in Keras', () => {
  it.each(models)('$name', ({ name, layers, variables, inputSpec, slots }) => {
    // Layers without a name are numbered as in a new process, whatever ran before in this one.
    clearSession()
    const model = MODELS[name]!()
    const all: readonly LayerBase[] = model.allLayers
    const paths = all.map(({ path }) => path!)
    expect(sorted(paths)).toEqual(expect.arrayContaining(layers))
    // Keras has none for inputs, and for some layers without weights.
    const others = all.filter(({ path }) => !layers.includes(camel(path!)))
    expect(others.flatMap(({ ownWeights }) => ownWeights)).toEqual([])
    expect(sorted(model.weights.map(({ path }) => path))).toEqual([...new Set(variables)])
    expect(model.inputSpec).toEqual(inputSpec)
    const adam = new Adam()
    adam.build(model.trainableVariables)
    const kept = [...adam.slots.values()].flat().map(({ path }) => path)
    expect(sorted(kept.map((path) => path.replace(/_[^_]*$/, '')))).toEqual(slots)
    expect(adam.iterations.path).toBe('adam/iterations')
  })

  it('are null before a layer is built, and begin trees of state', () => {
    expect(dense().path).toBe(null)
    const model = chain([dense()])
    expect(Object.keys(model.getStateTree().trainableVariables)).toEqual(['s'])
    expect(model.weights.map(({ name }) => name)).toEqual(['d/kernel', 'd/bias'])
  })
})

describe('inputSpec', () => {
  it.each(layers)('of $layer.class $shape', ({ layer: described, shape, before, built }) => {
    const layer = customObjectScope(registry.all, () => registry.get(serialized(described)))
    expect(layer.inputSpec).toEqual(before)
    layer.apply(Input({ shape }))
    expect(layer.inputSpec).toEqual(built)
  })

  class Images extends Layer {
    constructor() {
      super({ name: 'images' })
      this.inputSpec = { ndim: 4, axes: { [-1]: 3 } }
    }

    call(x: Tensor): Tensor {
      return x
    }
  }

  it('of a layer of the user is checked', () => {
    expect(new Images().apply(ops.ones([1, 2, 2, 3])).shape).toEqual([1, 2, 2, 3])
    expect(new Images().inputSpec).toEqual({ ndim: 4, axes: { [-1]: 3 } })
    for (const shape of [
      [1, 2, 3],
      [1, 2, 2, 4],
    ])
      expect(() => new Images().apply(ops.ones(shape))).toThrow(/images.*inputSpec requires.*received float32/)
    expect(() => new Images().apply(Input({ shape: [2, 3] }))).toThrow(/inputSpec requires/)
  })

  it('of subclasses of layers, and as a getter, is checked', () => {
    class OfSteps extends Dense {
      constructor(units: number) {
        super(units)
        this.inputSpec = { minNdim: 3 }
      }
    }
    class OfImages extends Layer {
      override get inputSpec() {
        return { ndim: 3 }
      }

      call(x: Tensor): Tensor {
        return x
      }
    }
    expect(new OfSteps(2).apply(ops.ones([1, 4, 3])).shape).toEqual([1, 4, 2])
    expect(() => new OfSteps(2).apply(ops.ones([1, 3]))).toThrow(/inputSpec requires/)
    expect(new OfImages().apply(ops.ones([1, 4, 3])).shape).toEqual([1, 4, 3])
    expect(() => new OfImages().apply(ops.ones([1, 3]))).toThrow(/inputSpec requires/)
  })

  it.each([{ min_ndim: 3 }, 1, 'x'])('%j is refused', (inputSpec) => {
    const layer = new Images()
    layer.inputSpec = inputSpec as never
    expect(() => layer.apply(ops.ones([1, 2, 2, 3]))).toThrow(/inputSpec/)
  })
})
