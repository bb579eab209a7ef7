// Custom classes whose computation differs from the layer that declares their units.
// modes: simd
import { beforeEach, describe, expect, it } from 'vitest'
import {
  Add,
  BatchNormalization,
  Bidirectional,
  Conv2D,
  Dense,
  Flatten,
  GlobalAveragePooling1D,
  Input,
  LSTM,
  LSTMCell,
  Merge,
  Model,
  MultiHeadAttention,
  RNN,
  Sequential,
  Layer,
  SpatialLayer,
  TimeDistributed,
  ops,
  setRandomSeed,
  tensor,
  type BatchShape,
  type Tensor,
} from '../../src'
import type { CellInput, CellOutput } from '../../src/layers/recurrent/cell'
import type { CallContext } from '../../src/layers/context'
import { ContinualBackprop } from '../../src/entries/balance'
import { lowRank, pruneUnits, quantizationAware, quantize } from '../../src/entries/thrift'
import { QuantizedDense } from '../../src/thrift/quantized-layers'
import { QuantizationAwareDense } from '../../src/thrift/fake-quantization'
import { unitGroups } from '../../src/models/unit-groups'
import type { LayerGraph } from '../../src/models/layer-graph'
import { errorOf, samples } from '../helpers/training'
import { ELEMENTWISE } from '../../src/layers/forms'
import type { LayerTraits } from '../../src/layers/traits'

beforeEach(() => setRandomSeed(3))

/** Adds to each unit the sum of all units before it. */
class Cumulative extends Dense {
  static override readonly className = 'Cumulative'
  override call(x: Tensor): Tensor {
    return ops.cumsum(super.call(x), -1)
  }
}
/** The same layer with another name. */
class Renamed extends Dense {
  static override readonly className = 'Renamed'
}

const network = (hidden: Dense): Sequential =>
  new Sequential([
    new Dense({ units: 6, inputShape: [4], name: 'first' }),
    hidden,
    new Dense({ units: 3, name: 'last' }),
    new Dense({ units: 2, name: 'out' }),
  ])
const groupsOf = (model: Model): [string, number, string | null][] =>
  unitGroups(model.graph as LayerGraph, { inner: true }).map(({ makers, count, fixed }) => [
    makers.map(({ name }) => name).join('+'),
    count,
    fixed,
  ])

describe('a subclass with its own call', () => {
  it('declares nothing, so that units before and in it are kept', async () => {
    const model = network(new Cumulative({ units: 5, name: 'own' }))
    const why = 'Cumulative "own" overrides call, and its class does not declare its units'
    expect(groupsOf(model)).toEqual([
      ['first', 6, why],
      ['last', 3, null],
      ['out', 2, 'they are an output of the model'],
    ])
    expect((await errorOf(() => pruneUnits(model, { keep: { first: 0.5 } }))).message).toContain(
      `cannot remove units of 'first': ${why}`,
    )
    expect((await errorOf(() => pruneUnits(model, { keep: { own: 0.5 } }))).message).toContain(
      `cannot remove units of 'own': ${why}`,
    )
    model.compile({ optimizer: 'sgd', loss: 'mse' })
    const { x } = samples(8)
    const fit = (layers: string[]) =>
      errorOf(() =>
        model.fit(
          x,
          x.map((row) => row.slice(0, 2)),
          { verbose: 0, callbacks: [new ContinualBackprop({ layers })] },
        ),
      )
    expect((await fit(['own'])).message).toContain(why)
  })

  it('is included if it declares units again', () => {
    class Again extends Cumulative {
      static override readonly traits: LayerTraits<Again> = {
        unitFlow: (layer) => Dense.traits.unitFlow?.(layer) ?? null,
      }
      override call(x: Tensor): Tensor {
        return Dense.prototype.call.call(this, x)
      }
    }
    expect(groupsOf(network(new Again({ units: 5, name: 'own' }))).map(([name, , fixed]) => [name, fixed])).toEqual([
      ['first', null],
      ['own', null],
      ['last', null],
      ['out', 'they are an output of the model'],
    ])
    expect(groupsOf(network(new Renamed({ units: 5, name: 'own' }))).map(([, , fixed]) => fixed)).toEqual([
      null,
      null,
      null,
      'they are an output of the model',
    ])
  })

  it('also for convolutions, merges, attention and cells', () => {
    class Shuffled extends Conv2D {
      protected override callLast(x: Tensor): Tensor {
        return ops.flip(super.callLast(x), -1)
      }
    }
    const images = new Sequential([
      new Shuffled({ filters: 3, kernelSize: 2, inputShape: [4, 4, 1] }),
      new Flatten(),
      new Dense({ units: 2, name: 'out' }),
    ])
    expect(groupsOf(images).map(([name]) => name)).toEqual(['out'])

    class Crossed extends Add {
      protected override merge([a, b]: readonly Tensor[]): Tensor {
        return ops.add(a!, ops.flip(b!, -1))
      }
    }
    const input = Input({ shape: [4] })
    const branch = (name: string) => new Dense({ units: 6, name }).apply(input)
    const crossed = new Model({
      inputs: input,
      outputs: new Dense({ units: 1, name: 'out' }).apply(
        new Crossed({ name: 'crossed' }).apply([branch('a'), branch('b')]),
      ),
    })
    expect(
      groupsOf(crossed).map(([name, , fixed]) => [name, fixed?.includes('Crossed "crossed" overrides merge') ?? false]),
    ).toEqual([
      ['a', true],
      ['b', true],
      ['out', false],
    ])

    class Mixed extends MultiHeadAttention {
      override call(inputs: Tensor, context: CallContext): Tensor {
        return super.call(inputs, context)
      }
    }
    const steps = Input({ shape: [5, 4] })
    const attention = (layer: MultiHeadAttention) => new Model({ inputs: steps, outputs: layer.apply(steps) })
    expect(groupsOf(attention(new MultiHeadAttention({ numHeads: 2, keyDim: 3 })))).toHaveLength(1)
    expect(groupsOf(attention(new Mixed({ numHeads: 2, keyDim: 3 })))).toEqual([])

    class Later extends TimeDistributed {
      override call(x: Tensor, context: CallContext): Tensor {
        return ops.flip(super.call(x, context), -1)
      }
    }
    class Ways extends Bidirectional {
      override call(x: Tensor, context: CallContext): Tensor {
        return ops.flip(super.call(x, context), -1)
      }
    }
    const around = (layer: TimeDistributed | Bidirectional) =>
      groupsOf(
        new Sequential([
          new Dense({ units: 4, inputShape: [5, 4], name: 'first' }),
          layer as TimeDistributed,
          new Dense({ units: 1, name: 'out' }),
        ]),
      ).map(([name, , fixed]) => [name, fixed])
    const end = ['out', 'they are an output of the model']
    const ownCall = (layer: string) => [
      ['first', `${layer} "own" overrides call, and its class does not declare its units`],
      end,
    ]
    expect(around(new Later({ layer: new Dense(3), name: 'own' }))).toEqual(ownCall('Later'))
    expect(around(new Ways({ layer: new LSTM(3), name: 'own' }))).toEqual(ownCall('Ways'))
    expect(around(new TimeDistributed({ layer: new Cumulative({ units: 3 }), name: 'each' }))).toEqual([
      ['first', 'TimeDistributed "each" does not declare how it uses units'],
      end,
    ])
    expect(around(new TimeDistributed({ layer: new Renamed({ units: 3 }), name: 'each' }))).toEqual([
      ['first', null],
      ['each', null],
      end,
    ])

    class Turned extends LSTMCell {
      override call(given: CellInput, context: CallContext): CellOutput {
        const { output, state } = super.call(given, context)
        return { output: ops.flip(output, -1), state }
      }
    }
    const recurrent = (cell: LSTMCell) =>
      new Sequential([new RNN({ cell, inputShape: [5, 4] }), new Dense({ units: 1, name: 'out' })])
    expect(groupsOf(recurrent(new LSTMCell({ units: 3 })))).toHaveLength(
      recurrent(new LSTMCell({ units: 3 })).layers.length - 1,
    )
    expect(groupsOf(recurrent(new Turned({ units: 3 }))).map(([name]) => name)).toEqual(['out'])
  })

  it('does not affect the built-in classes', () => {
    const masked = new Sequential([
      new LSTM({ units: 3, returnSequences: true, inputShape: [5, 4], name: 'lstm' }),
      new BatchNormalization(),
      new GlobalAveragePooling1D(),
      new Dense({ units: 1 }),
    ])
    expect(groupsOf(masked)[0]).toEqual(['lstm', 3, null])
    const aware = quantizationAware(network(new Dense({ units: 5, name: 'own' })))
    expect(groupsOf(aware).slice(0, 2)).toEqual([
      ['first', 6, null],
      ['own', 5, null],
    ])
  })

  it('is kept where layers are replaced', () => {
    const x = tensor([[1, -2, 3, 0.5]])
    const model = network(new Cumulative({ units: 5, name: 'own' }))
    expect(() => lowRank(model, { rank: 1, layers: ['own'] })).toThrow(
      /own is not a Dense layer of .*, or has a custom call. The Dense layers are: first, last, out/,
    )
    const thin = lowRank(model, { rank: 1 })
    expect(thin.layers.map(({ name }) => name)).toContain('first_in')
    expect(thin.layers.map(({ name }) => name)).not.toContain('own_in')
    const small = quantize(model)
    expect(small.getLayer('own')).toBeInstanceOf(Cumulative)
    expect(small.predictOnBatch(x).shape).toEqual([1, 2])
    expect(quantizationAware(model).getLayer('own')).toBeInstanceOf(Cumulative)

    const renamed = network(new Renamed({ units: 5, name: 'own' }))
    expect(lowRank(renamed, { rank: 1 }).layers.map(({ name }) => name)).toContain('own_in')
    expect(quantize(renamed).getLayer('own')).toBeInstanceOf(QuantizedDense)
    expect(quantize(quantizationAware(renamed)).getLayer('own')).toBeInstanceOf(QuantizedDense)
    expect(quantizationAware(renamed).getLayer('own')).toBeInstanceOf(QuantizationAwareDense)
  })

  it('of an abstract base of the library', async () => {
    class Softmax2D extends Layer<Tensor> {
      static override readonly traits: LayerTraits<Softmax2D> = {
        form: ELEMENTWISE,
      }
      static readonly className = 'Softmax2D'
      call(x: Tensor): Tensor {
        return ops.softmax(x, -1)
      }
    }
    class Mirror extends SpatialLayer {
      static readonly className = 'Mirror'
      protected readonly rank = 1
      protected callLast(x: Tensor): Tensor {
        return ops.flip(x, -1)
      }
      protected shapeLast(shape: BatchShape): BatchShape {
        return shape
      }
    }
    class Crossing extends Merge {
      static readonly className = 'Crossing'
      protected merge([a, b]: readonly Tensor[]): Tensor {
        return ops.add(a!, ops.flip(b!, -1))
      }
    }
    const between = (layer: Layer<Tensor>) =>
      new Sequential([
        new Dense({ units: 6, inputShape: [5, 4], name: 'first' }),
        layer,
        new Dense({ units: 2, name: 'out' }),
      ])
    for (const model of [between(new Softmax2D({ name: 'own' })), between(new Mirror({ name: 'own' }))]) {
      const error = await errorOf(() => pruneUnits(model, { keep: { first: 0.5 } }))
      expect(error.message).toMatch(/'first': \w+ "own" does not declare how it uses units/)
    }
    const input = Input({ shape: [4] })
    const branch = (name: string) => new Dense({ units: 6, name }).apply(input)
    const outputs = new Dense(1).apply(new Crossing({ name: 'own' }).apply([branch('a'), branch('b')]))
    const crossed = new Model({ inputs: input, outputs })
    expect((await errorOf(() => pruneUnits(crossed, { keep: { a: 0.5 } }))).message).toContain(
      'Crossing "own" does not declare how it uses units',
    )
  })

  it('with any overridden member that computes, not only call', () => {
    class Turned extends Dense {
      override get kernel() {
        return super.kernel
      }
    }
    class Assigned extends Dense {
      override call = (x: Tensor): Tensor => ops.cumsum(Dense.prototype.call.call(this, x), -1)
    }
    class Scored extends MultiHeadAttention {
      protected override matched(heads: Tensor): Tensor {
        return ops.flip(heads, 2)
      }
    }
    class Described extends Dense {
      override getConfig() {
        return { ...super.getConfig() }
      }
      override computeOutputShape(shape: BatchShape): BatchShape {
        return super.computeOutputShape(shape)
      }
      describe(): string {
        return `${this.units} units`
      }
    }
    const fixedBy = (layer: Dense) => groupsOf(network(layer))[0]![2]
    expect(fixedBy(new Turned({ units: 5, name: 'own' }))).toContain('Turned "own" overrides kernel')
    expect(fixedBy(new Assigned({ units: 5, name: 'own' }))).toContain('Assigned "own" overrides call')
    expect(fixedBy(new Described({ units: 5, name: 'own' }))).toBeNull()
    const steps = Input({ shape: [5, 4] })
    const heads = new Scored({ numHeads: 2, keyDim: 3 })
    expect(groupsOf(new Model({ inputs: steps, outputs: heads.apply(steps) }))).toEqual([])
  })

  it('in functions of an activation, which are tested', () => {
    const fixedBy = (activation: (x: Tensor) => Tensor) => {
      const [first, own] = groupsOf(network(new Dense({ units: 5, activation, name: 'own' })))
      expect(first![2]).toBeNull()
      return own![2]
    }
    const mixed = 'Dense "own" makes each of all of them'
    expect(fixedBy((x) => ops.softmax(x))).toBe(mixed)
    expect(fixedBy((x) => ops.subtract(x, ops.mean(x, { axis: -1, keepDims: true })))).toBe(mixed)
    expect(fixedBy((x) => ops.cumsum(x, -1))).toBe(mixed)
    expect(fixedBy((x) => ops.multiply(x, tensor([1, 2, 3, 4, 5])))).toBe(mixed)
    expect(fixedBy((x) => ops.log(x))).toBeNull()
    expect(fixedBy((x) => ops.where(ops.greater(x, 1), 1, ops.square(x)))).toBeNull()
  })

  it('of a convolution for int8, which keeps no channels', async () => {
    const images = new Sequential([
      new Conv2D({ filters: 4, kernelSize: 2, inputShape: [4, 4, 1], name: 'first' }),
      new Conv2D({ filters: 4, kernelSize: 2, name: 'second' }),
      new Flatten(),
      new Dense({ units: 2, name: 'out' }),
    ])
    const small = quantize(images)
    const names = groupsOf(small as Sequential).map(([name, , fixed]) => [name, fixed])
    expect(names.filter(([name, fixed]) => name !== 'out' && fixed === null)).toEqual([])
  })

  it('of a model: its list of layers is not its computation', async () => {
    class Residual extends Sequential {
      override call(x: Tensor, context: CallContext): Tensor {
        return ops.add(x, super.call(x, context))
      }
    }
    const block = () =>
      new Residual([new Dense({ units: 6, inputShape: [6], name: 'in' }), new Dense({ units: 6, name: 'end' })], {
        name: 'block',
      })
    const input = Input({ shape: [4] })
    const model = new Model({
      inputs: input,
      outputs: new Dense({ units: 1, name: 'out' }).apply(
        block().apply(new Dense({ units: 6, name: 'first' }).apply(input)),
      ),
    })
    expect(groupsOf(model)).toEqual([
      ['first', 6, 'Residual "block" does not declare how it uses units'],
      ['out', 1, 'they are an output of the model'],
    ])
    expect((await errorOf(() => pruneUnits(block(), { keep: 0.5 }))).message).toMatch(
      /pruneUnits: needs a Sequential or a functional model, .*; Residual "block" has a custom call/,
    )
  })
})
