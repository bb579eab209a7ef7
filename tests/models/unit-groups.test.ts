// modes: simd
import { describe, expect, it } from 'vitest'
import {
  Activation,
  Add,
  BatchNormalization,
  Bidirectional,
  Concatenate,
  Conv2D,
  Conv2DTranspose,
  Dense,
  DepthwiseConv2D,
  Dropout,
  Embedding,
  Flatten,
  GlobalAveragePooling2D,
  GRU,
  Input,
  LayerNormalization,
  LSTM,
  MaxPooling2D,
  Model,
  ReLU,
  SeparableConv2D,
  Sequential,
  TimeDistributed,
  Variable,
  setRandomSeed,
  tensor,
  type Tensor,
} from '../../src'
import { indicesOf, unitGroups, type UnitGroup, type UnitPlace } from '../../src/models/unit-groups'
import { visitUnits } from '../../src/models/unit-elements'
import { redraw } from '../../src/layers/weight-lists'

/** [weight, axis, start, stride, blocks], readable. */
function text({ weight, axis, start, stride, blocks }: UnitPlace): string {
  return `${weight.name} @${axis}${start > 0 ? ` +${start}` : ''}${blocks > 1 ? ` ${blocks}×${stride}` : ''}`
}

function places({ incoming, along, outgoing }: UnitGroup) {
  return { incoming: incoming.map(text), along: along.map(text), outgoing: outgoing.map(text) }
}

/** Sets weights of some units to zero in every outgoing place. */
function silence(group: UnitGroup, units: readonly number[]): void {
  for (const place of group.outgoing)
    visitUnits(place, units, (start, length) => void place.weight.view.fill(0, start, start + length))
}

/** Fills incoming and own weights of some units with noise. */
function disturb(group: UnitGroup, units: readonly number[]): void {
  for (const place of [...group.incoming, ...group.along]) {
    visitUnits(place, units, (start, length) => {
      for (let i = start; i < start + length; i++) place.weight.view[i] = 0.3 + ((i * 7) % 5) / 5
    })
  }
}

/** Unused units may have any value: the places of a group are complete. */
function expectComplete(model: Model | Sequential, x: Tensor, units = [1, 2]): void {
  const groups = unitGroups(model.graph!).filter(({ fixed }) => fixed === null)
  expect(groups.length).toBeGreaterThan(0)
  for (const group of groups) {
    silence(group, units)
    const before = [...(model.predictOnBatch(x) as Tensor).data]
    disturb(group, units)
    const after = [...(model.predictOnBatch(x) as Tensor).data]
    after.forEach((value, i) => expect(value, group.makers.join()).toBeCloseTo(before[i]!, 5))
    // Used units may not.
    disturb(group, [0])
    expect([...(model.predictOnBatch(x) as Tensor).data]).not.toEqual(after)
  }
}

function image(...shape: number[]): Tensor {
  const size = shape.reduce((a, b) => a * b)
  return tensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin(i * 1.7) + 0.2),
    shape,
  )
}

describe('unit groups', () => {
  it('of dense layers', () => {
    const model = new Sequential([
      new Dense({ units: 5, activation: 'relu', inputShape: [3], name: 'a' }),
      new Dropout(0.1),
      new Dense({ units: 4, name: 'b' }),
      new Activation('relu'),
      new Dense({ units: 2, name: 'c' }),
    ])
    const groups = unitGroups(model.graph!)
    expect(groups.map(({ count, fixed }) => [count, fixed])).toEqual([
      [5, null],
      [4, null],
      [2, 'they are an output of the model'],
    ])
    expect(places(groups[0]!)).toEqual({ incoming: ['a/kernel @1', 'a/bias @0'], along: [], outgoing: ['b/kernel @0'] })
    expectComplete(model, image(4, 3))
  })

  it('continue through normalisation, pooling and Flatten', () => {
    setRandomSeed(1)
    const model = new Sequential([
      new Conv2D({ filters: 4, kernelSize: 3, padding: 'same', inputShape: [6, 6, 2], name: 'conv' }),
      new BatchNormalization({ name: 'norm' }),
      new ReLU(),
      new MaxPooling2D(),
      new DepthwiseConv2D({ kernelSize: 2, name: 'depth' }),
      new SeparableConv2D({ filters: 5, kernelSize: 2, name: 'sep' }),
      new Flatten(),
      new Dense({ units: 2, name: 'out' }),
    ])
    const [conv, sep] = unitGroups(model.graph!)
    expect(places(conv!)).toEqual({
      incoming: ['conv/kernel @3', 'conv/bias @0'],
      along: [
        'norm/gamma @0',
        'norm/beta @0',
        'norm/movingMean @0',
        'norm/movingVariance @0',
        'depth/kernel @2',
        'depth/bias @0',
        'sep/depthwiseKernel @2',
      ],
      outgoing: ['sep/pointwiseKernel @2'],
    })
    expect(sep!.outgoing.map(text)).toEqual(['out/kernel @0'])
    expectComplete(model, image(2, 6, 6, 2))
  })

  it('repeat for every position of a flattened image', () => {
    const model = new Sequential([
      new Conv2D({ filters: 3, kernelSize: 2, inputShape: [3, 3, 1] }),
      new Flatten(),
      new Dense({ units: 2, name: 'out' }),
    ])
    const [conv] = unitGroups(model.graph!)
    expect(conv!.outgoing.map(text)).toEqual(['out/kernel @0 4×3'])
    expect(indicesOf(conv!.outgoing[0]!, [1])).toEqual([1, 4, 7, 10])
    expectComplete(model, image(2, 3, 3, 1))
  })

  it('merge at Add, and are adjacent after Concatenate', () => {
    const input = Input({ shape: [6] })
    const a = new Dense({ units: 4, name: 'a' }).apply(input)
    const b = new Dense({ units: 4, name: 'b' }).apply(input)
    const c = new Dense({ units: 3, name: 'c' }).apply(input)
    const sum = new Add().apply([a, b])
    const model = new Model({
      inputs: input,
      outputs: new Dense({ units: 2, name: 'out' }).apply(new Concatenate().apply([c, sum])),
    })
    const groups = unitGroups(model.graph!)
    expect(groups.map(({ makers, count, fixed }) => [makers.map(({ name }) => name), count, fixed !== null])).toEqual([
      [['a', 'b'], 4, false],
      [['c'], 3, false],
      [['out'], 2, true],
    ])
    expect(groups[0]!.outgoing.map(text)).toEqual(['out/kernel @0 +3'])
    expect(groups[1]!.outgoing.map(text)).toEqual(['out/kernel @0'])
    expectComplete(model, image(3, 6))
  })

  it('stay together through a residual block', () => {
    const input = Input({ shape: [4, 4, 3] })
    const stem = new Conv2D({ filters: 4, kernelSize: 1, name: 'stem' }).apply(input)
    const inner = new Conv2D({ filters: 6, kernelSize: 3, padding: 'same', activation: 'relu', name: 'inner' }).apply(
      stem,
    )
    const back = new Conv2D({ filters: 4, kernelSize: 3, padding: 'same', name: 'back' }).apply(inner)
    const joined = new Add().apply([stem, back])
    const model = new Model({
      inputs: input,
      outputs: new Dense({ units: 1 }).apply(new GlobalAveragePooling2D().apply(joined)),
    })
    const groups = unitGroups(model.graph!)
    expect(groups.map(({ makers }) => makers.map(({ name }) => name))).toEqual([
      ['stem', 'back'],
      ['inner'],
      [expect.stringMatching('dense')],
    ])
    expectComplete(model, image(2, 4, 4, 3))
  })

  it('of recurrent layers are in every gate', () => {
    for (const Recurrent of [LSTM, GRU as unknown as typeof LSTM]) {
      const model = new Sequential([
        new Embedding({ inputDim: 7, outputDim: 3, inputShape: [5], name: 'words' }),
        new Recurrent({ units: 4, returnSequences: true, name: 'first' }),
        new Recurrent({ units: 3, name: 'second' }),
        new Dense({ units: 1, name: 'out' }),
      ])
      const [words, first] = unitGroups(model.graph!)
      expect(words!.outgoing.map(text)).toEqual([expect.stringMatching(/^first.*\/kernel @0$/)])
      const gates = Recurrent === LSTM ? 4 : 3
      expect(first!.incoming.map(text)[0]).toMatch(new RegExp(`kernel @1 ${gates}×4$`))
      expect(first!.outgoing.map(text)).toEqual([
        expect.stringMatching('recurrent_kernel @0'),
        expect.stringMatching(/^second.*\/kernel @0$/),
      ])
      expectComplete(
        model,
        tensor(
          [
            [1, 2, 3, 4, 5],
            [6, 0, 1, 1, 2],
          ],
          undefined,
          'int32',
        ),
      )
    }
  })

  it('continue through nested models, and shared layers', () => {
    const input = Input({ shape: [3] })
    const inner = new Sequential([
      new Dense({ units: 4, activation: 'relu', inputShape: [3], name: 'in' }),
      new Dense({ units: 4, name: 'mid' }),
    ])
    const shared = new Dense({ units: 2, name: 'shared' })
    const model = new Model({
      inputs: input,
      outputs: new Add().apply([
        shared.apply(inner.apply(input)),
        shared.apply(new Dense({ units: 4, name: 'other' }).apply(input)),
      ]),
    })
    const groups = unitGroups(model.graph!)
    const byName = new Map(groups.flatMap((group) => group.makers.map(({ name }) => [name, group])))
    expect(byName.get('mid')).toBe(byName.get('other'))
    expect(byName.get('in')!.fixed).toBeNull()
    expectComplete(model, image(2, 3))
  })

  it('are fixed if a layer mixes them or is unknown', () => {
    const cases = [
      [new LayerNormalization(), /LayerNormalization/],
      [new Activation('softmax'), /Activation/],
      [new BatchNormalization({ axis: 1 }), null],
    ] as const
    for (const [layer, why] of cases) {
      const model = new Sequential([
        new Dense({ units: 4, inputShape: [3], name: 'a' }),
        layer,
        new Dense({ units: 1 }),
      ])
      const [first] = unitGroups(model.graph!)
      if (why === null) expect(first!.fixed).toBeNull()
      else expect(first!.fixed).toMatch(why)
    }
    const grouped = new Sequential([
      new Conv2D({ filters: 4, kernelSize: 1, inputShape: [2, 2, 2] }),
      new Conv2D({ filters: 4, kernelSize: 1, groups: 2 }),
      new Flatten(),
      new Dense({ units: 1 }),
    ])
    expect(unitGroups(grouped.graph!)[0]!.fixed).toMatch(/Conv2D/)
    const turned = new Sequential([
      new Conv2D({ filters: 4, kernelSize: 1, inputShape: [2, 2, 2] }),
      new Conv2DTranspose({ filters: 4, kernelSize: 2 }),
      new Flatten(),
      new Dense({ units: 1 }),
    ])
    expect(unitGroups(turned.graph!).filter(({ fixed }) => fixed === null)).toHaveLength(2)
    expectComplete(turned, image(2, 2, 2, 2))
  })

  it('after softmax are fixed, but not those before it', () => {
    const model = new Sequential([
      new Dense({ units: 4, activation: 'relu', inputShape: [3], name: 'a' }),
      new Dense({ units: 5, activation: 'softmax', name: 'gate' }),
      new Dense({ units: 3, activation: 'softmax', name: 'out' }),
    ])
    const groups = unitGroups(model.graph!)
    expect(groups.map(({ fixed }) => fixed)).toEqual([
      null,
      'Dense "gate" makes each of all of them',
      'they are an output of the model',
    ])
    expect(groups[0]!.outgoing.map(text)).toEqual(['gate/kernel @0'])
    expectComplete(model, image(4, 3))
    const recurrent = new Sequential([
      new LSTM({ units: 3, activation: 'softmax', inputShape: [5, 2], name: 'lstm' }),
      new Dense({ units: 1 }),
    ])
    expect(unitGroups(recurrent.graph!)[0]!.fixed).toBe('LSTM "lstm" makes each of all of them')
    const images = new Sequential([
      new Conv2D({ filters: 4, kernelSize: 2, inputShape: [4, 4, 2] }),
      new Conv2D({ filters: 3, kernelSize: 2, activation: 'softmax' }),
    ])
    expect(unitGroups(images.graph!)[0]!.fixed).toBeNull()
    expectComplete(images, image(2, 4, 4, 2))
  })

  it('of both directions of a Bidirectional are one, which occurs twice in its output', () => {
    const model = new Sequential([
      new Bidirectional({ layer: new LSTM({ units: 3, returnSequences: true }), inputShape: [4, 2], name: 'both' }),
      new TimeDistributed({ layer: new Dense(4), name: 'each' }),
      new TimeDistributed(new Flatten()),
      new Flatten(),
      new Dense({ units: 1, name: 'out' }),
    ])
    const [both, each] = unitGroups(model.graph!)
    expect(both!.outgoing.map(text)).toEqual([
      expect.stringMatching(/forward_lstm.*recurrent_kernel @0$/),
      expect.stringMatching(/backward_lstm.*recurrent_kernel @0$/),
      expect.stringMatching(/^each.*kernel @0 2×3$/),
    ])
    expect(both!.incoming.map(text).filter((place) => place.endsWith(' 4×3'))).toHaveLength(6)
    expect(places(each!)).toEqual({
      incoming: [expect.stringMatching(/kernel @1$/), expect.stringMatching(/bias @0$/)],
      along: [],
      outgoing: ['out/kernel @0 4×4'],
    })
    expectComplete(model, image(2, 4, 2))
  })

  it('are flattened step by step if a layer sees one step at a time', () => {
    const model = new Sequential([
      new TimeDistributed({ layer: new Conv2D({ filters: 3, kernelSize: 2 }), inputShape: [5, 3, 3, 1] }),
      new TimeDistributed(new Flatten()),
      new TimeDistributed({ layer: new Dense(4), name: 'each' }),
      new Flatten(),
      new Dense({ units: 1, name: 'out' }),
    ])
    const [conv, each] = unitGroups(model.graph!)
    expect(conv!.outgoing.map(text)).toEqual([expect.stringMatching(/^each.*kernel @0 4×3$/)])
    expect(each!.outgoing.map(text)).toEqual(['out/kernel @0 5×4'])
    expectComplete(model, image(2, 5, 3, 3, 1))
  })

  it('are fixed if both directions do not match, or wrappers share a layer', () => {
    const fixedBy = (layer: Bidirectional | TimeDistributed) =>
      unitGroups(
        new Sequential([new Dense({ units: 4, inputShape: [3, 2] }), layer as Bidirectional, new Dense(1)]).graph!,
      ).map(({ fixed }) => fixed)
    const unequal = new Bidirectional({
      layer: new LSTM({ units: 3 }),
      backwardLayer: new GRU({ units: 2, goBackwards: true }),
      name: 'both',
    })
    expect(fixedBy(unequal)).toEqual([
      'Bidirectional "both" does not declare how it uses units',
      'they are an output of the model',
    ])
    expect(fixedBy(new TimeDistributed({ layer: new LayerNormalization(), name: 'each' }))).toEqual([
      'TimeDistributed "each" does not declare how it uses units',
      'they are an output of the model',
    ])
    expect(
      fixedBy(new TimeDistributed({ layer: new Dense({ units: 3, activation: 'softmax' }), name: 'each' })),
    ).toEqual([null, 'TimeDistributed "each" makes each of all of them', 'they are an output of the model'])
    const mixing = new Bidirectional({ layer: new LSTM({ units: 3, activation: 'softmax' }), name: 'both' })
    expect(fixedBy(mixing)).toEqual([
      null,
      'Bidirectional "both" makes each of all of them',
      'they are an output of the model',
    ])

    const input = Input({ shape: [3, 2] })
    const [dense, norm] = [new Dense({ units: 4, name: 'dense' }), new BatchNormalization({ name: 'norm' })]
    const [front, other] = ['front', 'other'].map((name) => new Dense({ units: 5, name }).apply(input)) as [
      Tensor,
      Tensor,
    ]
    const wrapped = (name: string, x: Tensor): Tensor => new TimeDistributed({ layer: dense, name }).apply(x)
    const model = new Model({
      inputs: input,
      outputs: new Dense({ units: 1, name: 'out' }).apply(
        new Concatenate().apply([wrapped('a', front), wrapped('b', other)]),
      ),
    })
    const why = 'TimeDistributed "a" and TimeDistributed "b" share a/dense/kernel'
    expect(unitGroups(model.graph!).map(({ fixed }) => fixed)).toEqual([
      why,
      why,
      why,
      why,
      'they are an output of the model',
    ])
    const normed = (name: string, x: Tensor): Tensor => new TimeDistributed({ layer: norm, name }).apply(x)
    const norms = new Model({
      inputs: input,
      outputs: new Dense({ units: 1, name: 'out' }).apply(
        new Concatenate().apply([normed('c', front), normed('d', other)]),
      ),
    })
    expect(
      unitGroups(norms.graph!).map(
        ({ fixed }) => fixed?.startsWith('TimeDistributed "c" and TimeDistributed "d" share c/norm') ?? false,
      ),
    ).toEqual([true, true, false])
  })

  it('draw new weights as the first were drawn', () => {
    const layer = new Dense({ units: 40, inputShape: [30] })
    const model = new Sequential([layer, new Dense({ units: 1 })])
    const fresh = redraw(model, layer.kernel)
    expect(fresh.shape).toEqual([30, 40])
    expect([...fresh.data]).not.toEqual([...layer.kernel.value.data])
    const limit = Math.sqrt(6 / 70)
    expect(Math.max(...[...fresh.data].map(Math.abs))).toBeLessThanOrEqual(limit)
    expect([...redraw(model, layer.bias!).data]).toEqual(new Array(40).fill(0))
    expect(() => redraw(model, new Variable([2], { name: 'other' }))).toThrow(/has no initializer of other/)
  })
})
