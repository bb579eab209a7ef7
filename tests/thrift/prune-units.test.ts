// Pruning of units: compared with models whose units were silenced by hand, layer family by layer family.
// modes: simd
import { beforeEach, describe, expect, it } from 'vitest'
import {
  Adam,
  Add,
  ArgumentError,
  BatchNormalization,
  Bidirectional,
  Concatenate,
  Conv2D,
  Dense,
  DepthwiseConv2D,
  Dropout,
  Embedding,
  Flatten,
  GRU,
  GlobalAveragePooling1D,
  GlobalAveragePooling2D,
  GroupedQueryAttention,
  Input,
  LSTM,
  Layer,
  LayerNormalization,
  LearningRateSchedule,
  MaxPooling2D,
  Model,
  MultiHeadAttention,
  MultiOptimizer,
  ReLU,
  SeparableConv2D,
  Sequential,
  SGD,
  SimpleRNN,
  TimeDistributed,
  loadModel,
  metrics,
  modelFromJSON,
  ops,
  setRandomSeed,
  tensor,
  type BatchShape,
  type Tensor,
  type Variable,
} from '../../src'
import type { LayerGraph } from '../../src/models/layer-graph'
import { visitUnits } from '../../src/models/unit-elements'
import { unitGroups } from '../../src/models/unit-groups'
import { L2Init } from '../../src/entries/balance'
import { pruneUnits } from '../../src/entries/thrift'

beforeEach(() => setRandomSeed(7))

function data(...shape: number[]): Tensor {
  const size = shape.reduce((a, b) => a * b)
  return tensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin(i * 1.7) + 0.1 * Math.cos(i)),
    shape,
  )
}

const values = (model: Model | Sequential, x: unknown): number[] => [
  ...(model.predictOnBatch(x as Tensor) as Tensor).data,
]
const weightsOf = (model: Model | Sequential): number[][] => model.getWeights().map((weight) => [...weight.data])

function expectClose(actual: readonly number[], expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length)
  actual.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 5))
}

/** Silences units in a model: sets their outgoing weights to 0. */
function silence(model: Model | Sequential, name: string, units: readonly number[]): void {
  const group = unitGroups(model.graph as LayerGraph, { inner: true }).find(({ makers }) =>
    makers.some((maker) => maker.name === name),
  )!
  for (const place of group.outgoing)
    visitUnits(place, units, (start, length) => void place.weight.view.fill(0, start, start + length))
}

/** Units without outgoing weights have score 0 by every criterion, and removing them does not change the outputs. */
async function expectSameWithout(
  model: Model | Sequential,
  x: Tensor,
  silent: Record<string, number[]>,
  keep: Record<string, number>,
): Promise<Model> {
  for (const [name, units] of Object.entries(silent)) silence(model, name, units)
  const [before, weights] = [values(model, x), weightsOf(model)]
  const small = await pruneUnits(model, { keep })
  expectClose(values(small, x), before)
  expectClose(values(await pruneUnits(model, { keep, by: 'utility', x }), x), before)
  expect(weightsOf(model)).toEqual(weights)
  expect(small.countParams()).toBeLessThan(model.countParams())
  return small
}

/** Weights that differ from the defaults of initializers. */
function disturb(model: Model | Sequential): void {
  for (const { view } of model.weights) view.forEach((value, i) => (view[i] = value + 0.3 + 0.2 * Math.sin(2.3 * i)))
}

/** The smaller model trains on with its part of the optimizer's slots, and can be saved, loaded and rebuilt from its config. */
async function expectOrdinary(model: Model | Sequential, x: Tensor, keep: Record<string, number>): Promise<void> {
  const y = ops.multiply(model.predictOnBatch(x as never) as Tensor, 0.5)
  model.compile({ optimizer: new Adam({ learningRate: 0.01 }), loss: 'mse' })
  model.trainOnBatch(x as never, y as never)
  const slotsLike = (each: Model | Sequential, visit: (slot: Variable, weight: Variable) => void): void => {
    for (const weight of each.optimizer.builtFor)
      for (const slot of each.optimizer.slotsOf(weight).values()) visit(slot, weight)
  }
  slotsLike(model, (slot, weight) => slot.view.set(weight.view.map(Math.abs)))
  const small = await pruneUnits(model as Model, { keep, by: 'taylor', x: x as never, y: y as never })
  slotsLike(small, (slot, weight) => expect(slot.view, weight.name).toEqual(weight.view.map(Math.abs)))
  const again = modelFromJSON(small.toJSON()) as Model
  again.setWeights(small.getWeights())
  for (const other of [again, (await loadModel(await small.save())) as Model])
    expect(values(other, x)).toEqual(values(small, x))
  small.compile({ optimizer: new Adam({ learningRate: 0.01 }), loss: 'mse' })
  const { history } = await small.fit(x as never, y as never, { epochs: 20, verbose: 0 })
  expect(history['loss']!.at(-1)).toBeLessThan(history['loss']![0]!)
}

describe('removes units', () => {
  it('of Dense layers, before Dropout and BatchNormalization', async () => {
    const model = new Sequential([
      new Dense({ units: 6, activation: 'relu', inputShape: [4], name: 'a' }),
      new BatchNormalization(),
      new Dropout(0.2),
      new Dense({ units: 5, activation: 'tanh', name: 'b' }),
      new Dense({ units: 2, activation: 'softmax', name: 'out' }),
    ])
    const small = await expectSameWithout(model, data(8, 4), { a: [1, 4], b: [0] }, { a: 4, b: 0.8 })
    expect(small).toBeInstanceOf(Sequential)
    expect(small.weights.map(({ shape }) => shape)).toEqual([[4, 4], [4], [4], [4], [4], [4], [4, 4], [4], [4, 2], [2]])
    expect(small.layers.map(({ name }) => name)).toEqual(model.layers.map(({ name }) => name))
  })

  it('of convolutions, through normalisation, pooling, depthwise layers and Flatten', async () => {
    const model = new Sequential([
      new Conv2D({ filters: 4, kernelSize: 3, padding: 'same', inputShape: [6, 6, 2], name: 'conv' }),
      new BatchNormalization(),
      new ReLU(),
      new MaxPooling2D(),
      new DepthwiseConv2D({ kernelSize: 2 }),
      new SeparableConv2D({ filters: 5, kernelSize: 2, name: 'sep' }),
      new Flatten(),
      new Dense({ units: 2 }),
    ])
    // Averages other than the initial ones.
    model.weights.forEach(
      ({ name, view }) => name.includes('moving') && view.forEach((_, i) => (view[i] = 0.5 + 0.1 * i)),
    )
    await expectSameWithout(model, data(3, 6, 6, 2), { conv: [2], sep: [0, 3] }, { conv: 3, sep: 3 })
  })

  it('joined by a skip connection, and concatenated', async () => {
    const input = Input({ shape: [4, 4, 3] })
    const stem = new Conv2D({ filters: 4, kernelSize: 1, name: 'stem' }).apply(input)
    const inner = new Conv2D({ filters: 6, kernelSize: 3, padding: 'same', activation: 'relu', name: 'inner' }).apply(
      stem,
    )
    const joined = new Add().apply([
      stem,
      new Conv2D({ filters: 4, kernelSize: 3, padding: 'same', name: 'back' }).apply(inner),
    ])
    const beside = new Concatenate().apply([
      new Conv2D({ filters: 3, kernelSize: 1, name: 'beside' }).apply(input),
      joined,
    ])
    const model = new Model({
      inputs: input,
      outputs: new Dense({ units: 2 }).apply(new GlobalAveragePooling2D().apply(beside)),
    })
    const small = await expectSameWithout(
      model,
      data(2, 4, 4, 3),
      { stem: [0, 2], inner: [5], beside: [1] },
      { back: 2, inner: 5, beside: 2 },
    )
    expect(small.getLayer('stem').weights[0]!.shape).toEqual([1, 1, 3, 2])
    await expect(pruneUnits(model, { keep: { stem: 2, back: 3 } })).rejects.toThrow("'stem' and 'back' are joined")
  })

  it('of recurrent layers and embeddings', async () => {
    for (const Recurrent of [LSTM, GRU as unknown as typeof LSTM]) {
      const model = new Sequential([
        new Embedding({ inputDim: 7, outputDim: 4, inputShape: [5], name: 'words' }),
        new Recurrent({ units: 5, returnSequences: true, name: 'first' }),
        new Recurrent({ units: 3, name: 'second' }),
        new Dense({ units: 1 }),
      ])
      await expectSameWithout(
        model,
        tensor(
          [
            [1, 2, 3, 4, 5],
            [6, 0, 1, 1, 2],
          ],
          undefined,
          'int32',
        ),
        { words: [1], first: [0, 4], second: [2] },
        { words: 3, first: 3, second: 2 },
      )
    }
  })

  it('heads of attention', async () => {
    const input = Input({ shape: [5, 6] })
    const attention = new MultiHeadAttention({ numHeads: 4, keyDim: 3, valueDim: 2, name: 'attention' })
    const joined = new Add().apply([input, attention.apply(input)])
    const wide = new Dense({ units: 8, activation: 'gelu', name: 'wide' }).apply(new LayerNormalization().apply(joined))
    const model = new Model({
      inputs: input,
      outputs: new Dense({ units: 2 }).apply(new GlobalAveragePooling1D().apply(new Dense({ units: 6 }).apply(wide))),
    })
    const small = await expectSameWithout(
      model,
      data(2, 5, 6),
      { attention: [0, 3], wide: [7] },
      { attention: 2, wide: 7 },
    )
    expect((small.getLayer('attention') as unknown as MultiHeadAttention).numHeads).toBe(2)
  })

  it.each([
    [
      'several keys and values',
      { numQueryHeads: 6, numKeyValueHeads: 3, useGate: true },
      [1],
      2,
      { numQueryHeads: 4, numKeyValueHeads: 2 },
    ],
    [
      'a key and a value for each',
      { numQueryHeads: 3, numKeyValueHeads: 3 },
      [0, 2],
      1,
      { numQueryHeads: 1, numKeyValueHeads: 1 },
    ],
    [
      'one key and value for all',
      { numQueryHeads: 4, numKeyValueHeads: 1, useBias: false },
      [0, 3],
      2,
      { numQueryHeads: 2, numKeyValueHeads: 1 },
    ],
  ])('heads of attention in groups: %s', async (_case, options, silent, keep, left) => {
    const input = Input({ shape: [5, 6] })
    const attention = new GroupedQueryAttention({ headDim: 3, name: 'attention', ...options })
    const model = new Model({
      inputs: input,
      outputs: new Dense({ units: 2 }).apply(new Add().apply([input, attention.apply(input)])),
    })
    disturb(model)
    const small = await expectSameWithout(model, data(2, 5, 6), { attention: silent }, { attention: keep })
    expect(small.getLayer('attention')).toMatchObject(left)
    await expectOrdinary(model, data(2, 5, 6), { attention: keep })
  })

  it.each(['concat', 'sum', 'ave', 'mul'] as const)(
    'of both directions of a Bidirectional, merged by %s',
    async (mergeMode) => {
      for (const recurrent of [
        new LSTM({ units: 4, returnSequences: true }),
        new GRU({ units: 4, returnSequences: true }),
        new SimpleRNN({ units: 4, returnSequences: true }),
      ]) {
        const model = new Sequential([
          new Embedding({ inputDim: 7, outputDim: 4, maskZero: true, inputShape: [5], name: 'words' }),
          new Bidirectional({ layer: recurrent, mergeMode, name: 'first' }),
          new BatchNormalization(),
          new Bidirectional({
            layer: new GRU(5),
            backwardLayer: new LSTM({ units: 5, goBackwards: true }),
            mergeMode,
            name: 'second',
          }),
          new Dense({ units: 2 }),
        ])
        disturb(model)
        const x = tensor(
          [
            [1, 2, 3, 4, 5],
            [6, 2, 1, 0, 0],
          ],
          undefined,
          'int32',
        )
        const keep = { words: 3, first: 2, second: 4 }
        const small = await expectSameWithout(model, x, { words: [1], first: [0, 2], second: [3] }, keep)
        const { forwardLayer, backwardLayer } = small.getLayer('first') as unknown as Bidirectional
        expect([forwardLayer, backwardLayer]).toEqual([
          expect.objectContaining({ units: 2, goBackwards: false }),
          expect.objectContaining({ units: 2, goBackwards: true }),
        ])
        await expectOrdinary(model, x, keep)
      }
    },
  )

  it('of TimeDistributed layers', async () => {
    const model = new Sequential([
      new TimeDistributed({
        layer: new Conv2D({ filters: 4, kernelSize: 3, activation: 'relu', inputShape: [5, 5, 1] }),
        inputShape: [3, 5, 5, 1],
        name: 'conv',
      }),
      new TimeDistributed(new BatchNormalization()),
      new TimeDistributed(new MaxPooling2D()),
      new TimeDistributed(new Conv2D({ filters: 3, kernelSize: 1, name: 'inner' })),
      new TimeDistributed(new Flatten()),
      new TimeDistributed({ layer: new Dense({ units: 6, activation: 'tanh', inputShape: [3] }), name: 'dense' }),
      new TimeDistributed(new Dropout(0.2)),
      new LSTM({ units: 3, name: 'lstm' }),
      new Dense({ units: 2 }),
    ])
    disturb(model)
    const [x, keep] = [data(2, 3, 5, 5, 1), { conv: 3, dense: 4, lstm: 2 }]
    const small = await expectSameWithout(model, x, { conv: [1], dense: [0, 5], lstm: [2] }, keep)
    expect((small.getLayer('dense') as unknown as TimeDistributed).layer).toMatchObject({ units: 4 })
    await expectOrdinary(model, x, keep)
  })

  it('of deeply nested layers', async () => {
    const model = new Sequential([
      new TimeDistributed({
        layer: new TimeDistributed(new Dense({ units: 5, activation: 'relu' })),
        inputShape: [2, 3, 4],
        name: 'dense',
      }),
      new TimeDistributed({ layer: new Bidirectional({ layer: new LSTM({ units: 3 }) }), name: 'both' }),
      new Dense({ units: 2 }),
    ])
    disturb(model)
    const [x, keep] = [data(2, 2, 3, 4), { dense: 3, both: 2 }]
    await expectSameWithout(model, x, { dense: [1, 4], both: [0] }, keep)
    await expectOrdinary(model, x, keep)
  })

  it('of nested models', async () => {
    const inner = new Sequential(
      [new Dense({ units: 4, activation: 'relu', inputShape: [3], name: 'in' }), new Dense({ units: 3, name: 'mid' })],
      { name: 'inner' },
    )
    const input = Input({ shape: [3] })
    const model = new Model({ inputs: input, outputs: new Dense({ units: 1 }).apply(inner.apply(input)) })
    await expectSameWithout(model, data(4, 3), { in: [1], mid: [0] }, { in: 3, mid: 2 })
    const behind = new Sequential([
      new Dense({ units: 3, inputShape: [2], name: 'front' }),
      inner,
      new Dense({ units: 1 }),
    ])
    await expect(pruneUnits(behind, { keep: { front: 2 } })).rejects.toThrow(
      /'front': they are an input of Sequential "inner". Possible: in, mid/,
    )
  })
})

describe('ranks units', () => {
  const model = (): Sequential => {
    const made = new Sequential([
      new Dense({ units: 3, activation: 'relu', inputShape: [2], name: 'hidden' }),
      new Dense({ units: 1, name: 'out' }),
    ])
    // h = [x0, 10·x1, x0 + x1]
    made.setWeights([
      [
        [1, 0, 1],
        [0, 10, 1],
      ],
      [0, 0, 0],
      [[2], [0.1], [-1]],
      [0],
    ])
    return made
  }
  const x = [
    [1, 0.2],
    [3, 0.2],
  ]
  const kept = (small: Model): number[] => [...small.weights[0]!.view]

  it('by utility: mean |h| · Σ |w_out|', async () => {
    // 2 · 2, 2 · 0.1, 2.2 · 1
    expect(kept(await pruneUnits(model(), { keep: { hidden: 2 }, by: 'utility', x }))).toEqual([1, 1, 0, 1])
    expect(kept(await pruneUnits(model(), { keep: { hidden: 1 }, by: 'utility', x }))).toEqual([1, 0])
  })

  it('by magnitude: ‖w_in‖ · ‖w_out‖', async () => {
    // 1 · 2, 10 · 0.1, √2 · 1
    expect(kept(await pruneUnits(model(), { keep: { hidden: 1 } }))).toEqual([1, 0])
    const other = model()
    other.weights[2]!.view[1] = 0.3
    expect(kept(await pruneUnits(other, { keep: { hidden: 1 } }))).toEqual([0, 10])
  })

  it.each(['utility', 'taylor'] as const)('by %s over all calls of a layer', async (by) => {
    const [a, b] = [Input({ shape: [2] }), Input({ shape: [2] })]
    const [hidden, out] = [new Dense({ units: 2, name: 'hidden' }), new Dense({ units: 1, name: 'out' })]
    const [first, second] = [a, b].map((input) => out.apply(hidden.apply(input))) as [Tensor, Tensor]
    const twice = new Model({ inputs: [a, b], outputs: new Add().apply([first, second]) })
    twice.setWeights([
      [
        [1, 0],
        [0, 1],
      ],
      [0, 0],
      [[1], [1]],
      [0],
    ])
    twice.compile({ optimizer: 'sgd', loss: 'mse' })
    // The first unit is used only in the first call, and more than the second unit is in the last.
    const given = { by, x: [[[10, 0]], [[0, 1]]] as const, y: [[0]] }
    const one = await pruneUnits(twice, { keep: { hidden: 1 }, ...given } as never)
    expect([...one.weights[0]!.view]).toEqual([1, 0])
  })

  it.each(['utility', 'taylor'] as const)('by %s of all heads that share a key and a value', async (by) => {
    const input = Input({ shape: [3, 4] })
    const attention = new GroupedQueryAttention({
      headDim: 2,
      numQueryHeads: 6,
      numKeyValueHeads: 3,
      name: 'attention',
    })
    const model = new Model({ inputs: input, outputs: attention.apply(input) })
    model.compile({ optimizer: 'sgd', loss: 'mse' })
    const [value, output] = ['value/kernel', 'attentionOutput/kernel'].map((name) =>
      model.weights.find((weight) => weight.name.endsWith(name))!,
    )
    output!.view.fill(1)
    // The value of the second of three is larger: kernel [features, heads, size].
    value!.view.forEach((_, i, view) => (view[i] = Math.floor(i / 2) % 3 === 1 ? 1 : 0.01))
    const small = await pruneUnits(model, {
      keep: { attention: 1 },
      by,
      x: ops.abs(data(2, 3, 4)),
      y: ops.zeros([2, 3, 4]),
    })
    expect([...small.weights.find(({ name }) => name.endsWith('value/kernel'))!.view]).toEqual(new Array(8).fill(1))
  })

  it('by Taylor: |Σ h · ∂loss/∂h| of each row', async () => {
    const trained = model()
    trained.compile({ optimizer: 'sgd', loss: 'mse' })
    // p = 2·x0 + 0.1·10·x1 − (x0 + x1) = [1, 3]; y = [1, 4]: ∂loss/∂p of a row is [0, −2]; h·w_out = [6, 0.2, −3.2] in the second
    expect(
      kept(await pruneUnits(trained, { keep: { hidden: 1 }, by: 'taylor', x, y: [[1], [4]], batchSize: 1 })),
    ).toEqual([1, 0])
    expect(kept(await pruneUnits(trained, { keep: { hidden: 2 }, by: 'taylor', x, y: [[1], [4]] }))).toEqual([
      1, 1, 0, 1,
    ])
  })

  it('keeps at least one', async () => {
    expect((await pruneUnits(model(), { keep: 0.01 })).weights[0]!.shape).toEqual([2, 1])
  })
})

describe('the smaller model', () => {
  const x = data(16, 3)
  const y = data(16, 2)
  const model = (optimizer: unknown = new Adam({ learningRate: 0.02 })): Sequential => {
    const made = new Sequential([
      new Dense({ units: 6, activation: 'tanh', inputShape: [3], name: 'hidden' }),
      new Dense({ units: 2, name: 'out' }),
    ])
    made.compile({ optimizer: optimizer as Adam, loss: 'mse', metrics: ['mae'] })
    return made
  }

  it('continues training like the model with silenced units: slots are sliced, too', async () => {
    for (const optimizer of [
      new Adam({ learningRate: 0.02, useEma: true }),
      new SGD({ learningRate: 0.1, momentum: 0.9, gradientAccumulationSteps: 2 }),
    ]) {
      const whole = model(optimizer)
      await whole.fit(x, y, { epochs: 3, batchSize: 16, shuffle: false, verbose: 0 })
      whole.optimizer.learningRate = 0.01
      const small = await pruneUnits(whole, { keep: 0.5 })
      expect(small.optimizer).not.toBe(whole.optimizer)
      expect(small.optimizer.learningRate).toBeCloseTo(0.01, 7)
      expect(small.optimizer.iterations.value.item()).toBe(whole.optimizer.iterations.value.item())
      const [kernel] = small.weights
      const units = [0, 1, 2].map((unit) =>
        [...Array(6).keys()].find((each) => whole.weights[0]!.view[each] === kernel!.view[unit])!,
      )
      for (const [kind, slots] of small.optimizer.slots) {
        const own = whole.optimizer.slots.get(kind)!
        expect([...slots[0]!.view]).toEqual(
          [0, 1, 2].flatMap((row) => units.map((unit) => own[0]!.view[6 * row + unit])),
        )
        expect([...slots[2]!.view]).toEqual(units.flatMap((unit) => [...own[2]!.view.subarray(2 * unit, 2 * unit + 2)]))
        expect([...slots[0]!.view].some((value) => value !== 0)).toBe(true)
      }
      const [before] = [await small.evaluate(x, y)]
      const { history } = await small.fit(x, y, { epochs: 20, batchSize: 8, verbose: 0 })
      expect(history['loss']!.at(-1)).toBeLessThan(before.loss)
      expect(Object.keys(history)).toEqual(['loss', 'mae'])
    }
  })

  it('continues training with several optimizers', async () => {
    const whole = model(
      new MultiOptimizer({ optimizers: [[new SGD({ learningRate: 0.1, momentum: 0.9 }), 'out'], ['adam']] }),
    )
    await whole.fit(x, y, { epochs: 2, verbose: 0 })
    const small = await pruneUnits(whole, { keep: 0.5 })
    const [kernel, , out] = small.weights
    const [adam, momentum] = [small.optimizer.slotsOf(kernel!), small.optimizer.slotsOf(out!)]
    expect([...adam.keys(), ...momentum.keys()]).toEqual([
      ...whole.optimizer.slotsOf(whole.weights[0]!).keys(),
      ...whole.optimizer.slotsOf(whole.weights[2]!).keys(),
    ])
    const before = [...[...whole.optimizer.slotsOf(whole.weights[2]!).values()][0]!.view]
    for (const value of [...momentum.values()][0]!.view) expect(before).toContain(value)
    await small.fit(x, y, { verbose: 0 })
  })

  it('continues training with custom schedules, functions, metrics and losses', async () => {
    class Halving extends LearningRateSchedule {
      call(step: Tensor): Tensor {
        return ops.multiply(0.1, ops.power(0.5, ops.cast(step, 'float32')))
      }
    }
    class Largest extends metrics.Mean {}
    const own = new Sequential([
      new Dense({ units: 4, inputShape: [3], name: 'hidden' }),
      new Dense({ units: 2, name: 'out' }),
    ])
    const largest = new Largest({ name: 'largest' })
    const isBias = (variable: Variable): boolean => variable.name.includes('bias')
    const optimizer = new SGD({
      learningRate: new Halving(),
      weightDecay: 0.1,
      groups: [{ match: isBias, learningRate: new Halving() }],
      noWeightDecay: [isBias],
    })
    own.compile({
      optimizer,
      loss: (yTrue: Tensor, yPred: Tensor) => ops.mean(ops.abs(ops.subtract(yTrue, yPred)), -1),
      metrics: ['mae', largest],
    })
    await own.fit(x, y, { verbose: 0 })
    const small = await pruneUnits(own, { keep: 0.5 })
    expect(small.optimizer.learningRate).toBeCloseTo(0.1 / 2, 6)
    const { history } = await small.fit(x, y, { verbose: 0 })
    expect(history['loss']![0]).toBeCloseTo(history['mae']![0]!, 5)
    expect(small.metrics.at(-1)).toBeInstanceOf(Largest)
    expect(small.metrics.at(-1)).not.toBe(largest)
    expect(small.optimizer.learningRate).toBeCloseTo(0.1 / 4, 6)
  })

  it('can be saved and loaded, and the given model can be trained further', async () => {
    const whole = model()
    const twin = model(new Adam({ learningRate: 0.02 }))
    twin.setWeights(whole.getWeights())
    await pruneUnits(whole, { keep: 0.5, by: 'taylor', x, y })
    await pruneUnits(whole, { maxLoss: 0.1, x, y })
    for (const each of [whole, twin]) await each.fit(x, y, { epochs: 2, shuffle: false, verbose: 0 })
    expect(weightsOf(whole)).toEqual(weightsOf(twin))
    const small = await pruneUnits(whole, { keep: { hidden: 2 }, x })
    const loaded = await loadModel(await small.save())
    expect(values(loaded as Model, x)).toEqual(values(small, x))
    expect(loaded.weights[0]!.shape).toEqual([3, 2])
  })

  it('is as small as a metric allows', async () => {
    const whole = model()
    silence(whole, 'hidden', [0, 2, 3])
    const own = await whole.predict(x)
    expect((await pruneUnits(whole, { maxLoss: 0, x, y: own })).weights[0]!.shape).toEqual([3, 3])
    expect((await pruneUnits(whole, { maxLoss: 1e6, x, y: own })).weights[0]!.shape).toEqual([3, 1])
    // One of the three may be removed, by the loss.
    const losses = await Promise.all(
      [1, 2].map(
        async (units) => (await (await pruneUnits(whole, { keep: { hidden: units }, x })).evaluate(x, own)).loss,
      ),
    )
    const some = await pruneUnits(whole, { maxLoss: (losses[0]! + losses[1]!) / 2, monitor: 'loss', x, y: own })
    expect(some.weights[0]!.shape).toEqual([3, 2])
  })

  it('keeps the state of regularizers', async () => {
    const whole = new Sequential([
      new Dense({ units: 3, inputShape: [2], kernelRegularizer: new L2Init(0.1), name: 'hidden' }),
      new Dense({ units: 1 }),
    ])
    const first = [...whole.weights[0]!.view]
    whole.setWeights([
      [
        [1, 0, 3],
        [1, 0, 3],
      ],
      [0, 0, 0],
      [[1], [1], [1]],
      [0],
    ])
    const small = await pruneUnits(whole, { keep: { hidden: 2 } })
    expect([...small.stateVariables[0]!.view]).toEqual([first[0], first[2], first[3], first[5]])
  })

  it('keeps layers frozen', async () => {
    const whole = model()
    whole.layers[0]!.trainable = false
    const small = await pruneUnits(whole, { keep: 0.5, x })
    expect(small.trainableWeights.map(({ name }) => name)).toEqual(['out/kernel', 'out/bias'])
  })
})

describe('refuses unsuitable models and options', () => {
  const x = data(4, 3)
  const model = (): Sequential =>
    new Sequential([
      new Dense({ units: 4, inputShape: [3], name: 'a' }),
      new LayerNormalization({ name: 'norm' }),
      new Dense({ units: 3, name: 'b' }),
      new Dense({ units: 2, name: 'c' }),
    ])
  it.each<[string, unknown, RegExp]>([
    ['neither option is given', {}, /needs exactly one of keep, maxLoss/],
    ['both options are given', { keep: 0.5, maxLoss: 1 }, /needs exactly one of keep, maxLoss/],
    ['all units would be removed', { keep: 0 }, /fraction above 0 .* At least one unit stays/],
    ['all units of a layer would be removed', { keep: { b: 0 } }, /keep.b must be .* number of units ≥ 1/],
    ['more units are kept than exist', { keep: { b: 4 } }, /at most 3/],
    ['a layer mixes its units', { keep: { a: 2 } }, /'a': LayerNormalization "norm" .* Possible: b/],
    ['the units are an output', { keep: { c: 1 } }, /'c': they are an output/],
    ['the layer does not exist', { keep: { d: 1 } }, /no layer has this name/],
    ['data are missing', { keep: 0.5, by: 'utility' }, /needs x/],
    ['targets are missing', { keep: 0.5, by: 'taylor', x }, /needs x and y/],
    ['the model is not compiled', { maxLoss: 0.1, x, y: data(4, 2) }, /call compile\(\) before/],
    ['a name is misspelt', { keeps: 0.5 }, /Did you mean 'keep'/],
  ])('%s', async (_case, given, message) => {
    await expect(pruneUnits(model(), given as never)).rejects.toThrow(message)
  })

  it('models that are not built, without a known graph, or without hidden units', async () => {
    await expect(pruneUnits(new Sequential([new Dense({ units: 2 })]), { keep: 0.5, x })).rejects.toThrow(
      /must be built/,
    )
    class Own extends Model {
      readonly dense = new Dense({ units: 2 })
      override call(input: Tensor): Tensor {
        return this.dense.apply(input)
      }
    }
    const own = new Own()
    own.predictOnBatch(x)
    await expect(pruneUnits(own, { keep: 0.5, x })).rejects.toThrow(/Sequential or a functional model/)
    await expect(pruneUnits({} as Model, { keep: 0.5 })).rejects.toThrow(/needs a model/)
    await expect(
      pruneUnits(new Sequential([new Dense({ units: 2, inputShape: [3], name: 'only' })]), { keep: 0.5, x }),
    ).rejects.toThrow(/no units that can be removed \(only: they are an output/)
    const only = new Sequential([new Dense({ units: 2, inputShape: [3], name: 'only' })])
    only.compile({ loss: 'mse' })
    await expect(pruneUnits(only, { maxLoss: 0.1, x, y: data(4, 2) })).rejects.toThrow(
      /no units that can be removed \(only: they are an output/,
    )
    const compiled = model()
    compiled.compile({ loss: 'mse' })
    await expect(pruneUnits(compiled, { maxLoss: 0.1, monitor: 'accuracy', x, y: data(4, 2) })).rejects.toThrow(
      /no log 'accuracy' to monitor/,
    )
  })

  it('layers by name, with the reason for this layer, also if no units can be removed', async () => {
    class Turned extends Dense {
      override call(input: Tensor): Tensor {
        return ops.flip(super.call(input), -1)
      }
    }
    class Product extends Layer<Tensor> {
      declare kernel: Variable
      override build([, n]: BatchShape): void {
        this.kernel = this.addWeight({ name: 'kernel', shape: [n!, 4] })
      }
      call(input: Tensor): Tensor {
        return ops.matmul(input, this.kernel)
      }
    }
    const chain = (first: Layer<Tensor>) =>
      new Sequential([Input({ shape: [3] }), first, new Dense({ units: 2, name: 'last' })])
    const turned = chain(new Turned({ units: 4, name: 'first' }))
    await expect(pruneUnits(turned, { keep: { first: 2 } })).rejects.toThrow(
      /cannot remove units of 'first': Turned "first" overrides call.* Possible: no layer$/,
    )
    await expect(pruneUnits(turned, { keep: { last: 1 } })).rejects.toThrow(/'last': they are an output/)
    await expect(pruneUnits(turned, { keep: { frist: 2 } })).rejects.toThrow(/'frist': no layer has this name/)
    await expect(pruneUnits(chain(new Product({ name: 'first' })), { keep: { first: 2 } })).rejects.toThrow(
      /'first': Product "first" does not declare units that it makes/,
    )
  })

  it('wrappers that share a layer, and units within wrappers', async () => {
    const input = Input({ shape: [3, 2] })
    const [shared, front] = [new Dense({ units: 4 }), new Dense({ units: 6, name: 'front' }).apply(input)]
    const wrapped = ['a', 'b'].map((name) => new TimeDistributed({ layer: shared, name }).apply(input))
    const model = new Model({
      inputs: input,
      outputs: new Dense({ units: 1 }).apply(new Concatenate().apply([...wrapped, front])),
    })
    await expect(pruneUnits(model, { keep: { a: 2 } })).rejects.toThrow(
      `'a': TimeDistributed "a" and TimeDistributed "b" share a/${shared.name}/kernel. Possible: front`,
    )
    await expect(pruneUnits(model, { keep: { front: 2 } })).rejects.toThrow(
      'has 6 weights, but its copy has 8. Two layers, such as wrappers, share one layer',
    )
    const ways = new Sequential([
      new Dense({ units: 4, inputShape: [3, 2], name: 'a' }),
      new Bidirectional({ layer: new LSTM({ units: 3, stateful: true }), name: 'ways' }),
      new Dense({ units: 3, name: 'b' }),
      new Dense(1),
    ])
    await expect(pruneUnits(ways, { keep: { a: 2 } })).rejects.toThrow(
      `'a': Bidirectional "ways" does not declare how it uses units. Possible: b`,
    )
    await expect(pruneUnits(ways, { keep: { ways: 2 } })).rejects.toThrow(ArgumentError)
  })

  it('a name shared by nested models, which a path disambiguates', async () => {
    const branch = (name: string): Model => {
      const input = Input({ shape: [3] })
      return new Model({
        inputs: input,
        outputs: new Dense({ units: 2, name: 'end' }).apply(new Dense({ units: 6, name: 'hidden' }).apply(input)),
        name,
      })
    }
    const input = Input({ shape: [3] })
    const both = new Model({
      inputs: input,
      outputs: new Add().apply([branch('a').apply(input), branch('b').apply(input)]),
    })
    await expect(pruneUnits(both, { keep: { hidden: 2 } })).rejects.toThrow(
      "keep.hidden may be any of 'a/hidden', 'b/hidden'. Give the path.",
    )
    const small = await pruneUnits(both, { keep: { 'b/hidden': 2 } })
    expect(['a', 'b'].map((name) => ((small.getLayer(name) as Model).getLayer('hidden') as Dense).units)).toEqual([
      6, 2,
    ])
  })
})
