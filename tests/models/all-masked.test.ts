// Rows and batches with fully masked steps: no NaN from layers, losses, metrics, fit, evaluate or predict.
import { describe, expect, it } from 'vitest'
import {
  AdditiveAttention,
  Attention,
  BatchNormalization,
  Bidirectional,
  Dense,
  Embedding,
  GRU,
  GlobalAveragePooling1D,
  GlobalMaxPooling1D,
  GroupedQueryAttention,
  LSTM,
  MultiHeadAttention,
  Sequential,
  SimpleRNN,
  Softmax,
  Tensor,
  TimeDistributed,
  losses,
  metrics,
  ops,
  tensor,
  type Layer,
} from '../../src'
import { applyTree } from '../../src/layers/applying'

const x = tensor([
  [
    [1, 2],
    [3, 4],
  ],
  [
    [1, 2],
    [3, 5],
  ],
])
/** The first row has no unmasked step, the second has one. */
const mask = tensor([
  [false, false],
  [true, false],
])
const nothing = tensor([
  [false, false],
  [false, false],
])

function expectFinite(values: unknown): void {
  for (const each of [values].flat(Infinity)) {
    const numbers = each instanceof Tensor ? [...each.data] : [each]
    for (const value of numbers) expect(value).toSatisfy(Number.isFinite)
  }
}

describe('layers', () => {
  it('GlobalAveragePooling1D gives 0', () => {
    const layer = new GlobalAveragePooling1D()
    expect(layer.apply(x, { mask }).toArray()).toEqual([
      [0, 0],
      [1, 2],
    ])
    const kept = new GlobalAveragePooling1D({ keepDims: true })
    expect(kept.apply(x, { mask: nothing }).toArray()).toEqual([[[0, 0]], [[0, 0]]])
    const all = tensor([[true, true, true]])
    expect(layer.apply([[[1], [2], [6]]], { mask: all }).toArray()).toEqual([[3]])
  })

  it.each([
    ['SimpleRNN', () => new SimpleRNN(2)],
    ['LSTM', () => new LSTM(2)],
    ['GRU', () => new GRU({ units: 2, goBackwards: true })],
    ['Bidirectional', () => new Bidirectional(new LSTM(2))],
  ] as const)('%s gives its zero state', (_, make) => {
    const [row] = (make().apply(x, { mask }) as Tensor).toArray() as number[][]
    expect(row!.every((value) => value === 0)).toBe(true)
  })

  it.each([
    ['LSTM of sequences', () => new LSTM({ units: 2, returnSequences: true })],
    ['BatchNormalization', () => new BatchNormalization()],
    ['TimeDistributed', () => new TimeDistributed(new Dense(2))],
    ['GlobalMaxPooling1D', () => new GlobalMaxPooling1D()],
  ] as const)('%s gives numbers, and keeps numbers', (_, make: () => Layer) => {
    for (const given of [mask, nothing]) {
      const layer = make()
      expectFinite(layer.apply(x, { mask: layer instanceof GlobalMaxPooling1D ? undefined : given, training: true }))
      expectFinite(layer.weights.map(({ value }) => value))
    }
  })

  it('Softmax gives 0 if all are masked', () => {
    const output = new Softmax().apply(
      [
        [1, 2],
        [3, 4],
      ],
      { mask },
    )
    expect(output.toArray()).toEqual([
      [0, 0],
      [1, 0],
    ])
  })

  it('attention gives numbers', () => {
    for (const returnAttentionScores of [false, true]) {
      for (const layer of [new Attention(), new AdditiveAttention()])
        expectFinite(layer.apply([x, x], { mask: [mask, mask], returnAttentionScores }))
      for (const layer of [
        new MultiHeadAttention({ numHeads: 2, keyDim: 2 }),
        new GroupedQueryAttention({ headDim: 2, numQueryHeads: 2, numKeyValueHeads: 1 }),
      ])
        expectFinite(applyTree(layer, [x, x], { attentionMask: ops.zeros([2, 2, 2]), returnAttentionScores }))
    }
  })
})

const [targets, predictions] = [ops.full([2, 2, 3], 0.2), ops.full([2, 2, 3], 0.3)]

describe('losses without elements', () => {
  it.each([
    losses.BinaryCrossentropy,
    losses.BinaryFocalCrossentropy,
    losses.CategoricalCrossentropy,
    losses.CategoricalFocalCrossentropy,
    losses.CategoricalHinge,
    losses.CosineSimilarity,
    losses.Dice,
    losses.Hinge,
    losses.Huber,
    losses.KLDivergence,
    losses.LogCosh,
    losses.MeanAbsolutePercentageError,
    losses.MeanSquaredError,
    losses.MeanSquaredLogarithmicError,
    losses.Poisson,
    losses.Tversky,
  ])('%o is 0', (Each: new (options: losses.LossOptions) => losses.Loss) => {
    for (const reduction of ['sumOverBatchSize', 'sum', 'meanWithSampleWeight', 'none'] as const) {
      const loss = new Each({ reduction })
      for (const [weights, own] of [
        [null, nothing],
        [[0, 0], null],
        [[0, 0], mask],
      ] as const)
        expect([...loss.apply(targets, predictions, weights, own).data].every((value) => value === 0)).toBe(true)
    }
  })
})

describe('metrics without elements', () => {
  it.each([
    metrics.AUC,
    metrics.BinaryAccuracy,
    metrics.CosineSimilarity,
    metrics.F1Score,
    metrics.KLDivergence,
    metrics.MeanAbsoluteError,
    metrics.PearsonCorrelation,
    metrics.Precision,
    metrics.R2Score,
    metrics.Recall,
    metrics.RootMeanSquaredError,
  ])('%o is 0', (Each: new () => metrics.Metric) => {
    for (const [weights, own] of [
      [[0, 0], null],
      [null, [false, false]],
    ] as const) {
      const metric = new Each()
      metric.apply(ops.full([2, 3], 0.2), ops.full([2, 3], 0.3), weights, own)
      expect([...metric.result().data].every((value) => value === 0)).toBe(true)
    }
  })
})

describe('models with fully padded rows', () => {
  const ids = [
    [1, 2, 0],
    [0, 0, 0],
    [2, 2, 1],
  ]
  const ofRows = [[1], [0], [1]]
  const ofSteps = ids.map((row) => row.map((id) => [id]))

  it.each([
    ['an LSTM', () => [new LSTM(3), new Dense(1)], ofRows],
    ['a mean over steps', () => [new GlobalAveragePooling1D(), new Dense(1)], ofRows],
    [
      'normalized steps',
      () => [
        new LSTM({ units: 3, returnSequences: true }),
        new BatchNormalization(),
        new GlobalAveragePooling1D(),
        new Dense(1),
      ],
      ofRows,
    ],
    ['an output for each step', () => [new GRU({ units: 3, returnSequences: true }), new Dense(1)], ofSteps],
  ] as const)('%s', async (_, layers, y) => {
    for (const batchSize of [3, 1]) {
      const model = new Sequential([
        new Embedding({ inputDim: 3, outputDim: 2, maskZero: true, inputShape: [3] }),
        ...layers(),
      ])
      model.compile({ optimizer: 'adam', loss: 'mse', metrics: ['mae', 'cosineSimilarity'] })
      const { history } = await model.fit(ids, y, { epochs: 2, batchSize, verbose: 0 })
      expectFinite(Object.values(history))
      expectFinite(Object.values(await model.evaluate(ids, y, { batchSize })))
      expectFinite(Object.values(model.testOnBatch(ids.slice(1, 2), y.slice(1, 2))))
      expectFinite(await model.predict(ids))
    }
  })
})
