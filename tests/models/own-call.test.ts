// Classes of one's own that compute otherwise than the layer from which they inherit what is declared of units.
// modes: simd
import { beforeEach, describe, expect, it } from 'vitest'
import type { Tensor } from '../../src'
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
  Model,
  MultiHeadAttention,
  RNN,
  Sequential,
  TimeDistributed,
  ops,
  setRandomSeed,
  tensor,
} from '../../src'
import type { CellInput, CellOutput } from '../../src/layers/recurrent/cell'
import type { CallContext } from '../../src/layers/context'
import { ContinualBackprop } from '../../src/balance'
import { lowRank, pruneUnits, quantizationAware, quantize } from '../../src/thrift'
import { QuantizedDense } from '../../src/thrift/quantized-layers'
import { QuantizationAwareDense } from '../../src/thrift/fake-quantization'
import { unitGroups } from '../../src/models/unit-groups'
import type { LayerGraph } from '../../src/models/layer-graph'
import { errorOf, samples } from '../helpers/training'

beforeEach(() => setRandomSeed(3))

/** Gives each unit the sum of all before it as well. */
class Cumulative extends Dense {
  static override readonly className = 'Cumulative'
  override call(x: Tensor): Tensor {
    return ops.cumsum(super.call(x), -1)
  }
}
/** The same layer by another name. */
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

describe('a subclass with a call of its own', () => {
  it('declares nothing, so that units before and in it stay whole', async () => {
    const model = network(new Cumulative({ units: 5, name: 'own' }))
    const why = 'Cumulative "own" has a call of its own, and its class does not say what that does with units'
    expect(groupsOf(model)).toEqual([
      ['first', 6, why],
      ['last', 3, null],
      ['out', 2, 'they are an output of the model'],
    ])
    expect((await errorOf(() => pruneUnits(model, { keep: { first: 0.5 } }))).message).toContain(`'first' away: ${why}`)
    expect((await errorOf(() => pruneUnits(model, { keep: { own: 0.5 } }))).message).toContain(`'own' away: ${why}`)
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

  it('counts where it says again what it does', () => {
    class Again extends Cumulative {
      override call(x: Tensor): Tensor {
        return Dense.prototype.call.call(this, x)
      }
      override get unitFlow() {
        return super.unitFlow
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

  it('also in convolutions, merges, attention and cells', () => {
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
      groupsOf(crossed).map(([name, , fixed]) => [
        name,
        fixed?.includes('Crossed "crossed" has a call of its own') ?? false,
      ]),
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
      ['first', `${layer} "own" has a call of its own, and its class does not say what that does with units`],
      end,
    ]
    expect(around(new Later({ layer: new Dense(3), name: 'own' }))).toEqual(ownCall('Later'))
    expect(around(new Ways({ layer: new LSTM(3), name: 'own' }))).toEqual(ownCall('Ways'))
    expect(around(new TimeDistributed({ layer: new Cumulative({ units: 3 }), name: 'each' }))).toEqual([
      ['first', 'TimeDistributed "each" does not say what it does with them'],
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

  it('leaves those of the library what they are', () => {
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

  it('stays as it is where layers are replaced', () => {
    const x = tensor([[1, -2, 3, 0.5]])
    const model = network(new Cumulative({ units: 5, name: 'own' }))
    expect(() => lowRank(model, { rank: 1, layers: ['own'] })).toThrow(
      /own is no Dense layer of .*, or has a call of its own. There are: first, last, out/,
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

  it('of a model: its list is not what it computes', async () => {
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
      ['first', 6, 'Residual "block" does not say what it does with them'],
      ['out', 1, 'they are an output of the model'],
    ])
    expect((await errorOf(() => pruneUnits(block(), { keep: 0.5 }))).message).toMatch(
      /pruneUnits: needs a Sequential or a functional model, .*; Residual "block" has a call of its own/,
    )
  })
})
