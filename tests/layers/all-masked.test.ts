// A row whose steps are all masked has finite outputs, losses and gradients, alone and beside other rows.

import { describe, expect, it } from 'vitest'
import * as myelin from '../../src'
import type { Tensor } from '../../src'

const { Embedding, Input, Model, ops } = myelin

/** Of [batch, steps, channels] with a mask. */
const layersOnSteps: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  GlobalAveragePooling1D: (x) => new myelin.GlobalAveragePooling1D().apply(x),
  'GlobalAveragePooling1D, keepDims': (x) => new myelin.GlobalAveragePooling1D({ keepDims: true }).apply(x),
  'GlobalAveragePooling1D, channelsFirst': (x) =>
    new myelin.GlobalAveragePooling1D({ dataFormat: 'channelsFirst' }).apply(
      new myelin.Permute({ dims: [2, 1] }).apply(x),
    ),
  GlobalMaxPooling1D: (x) => new myelin.GlobalMaxPooling1D().apply(x),
  AveragePooling1D: (x) => new myelin.AveragePooling1D({ poolSize: 2 }).apply(x),
  Attention: (x) => new myelin.Attention().apply([x, x]),
  'Attention with scale': (x) => new myelin.Attention({ useScale: true, scoreMode: 'concat' }).apply([x, x]),
  AdditiveAttention: (x) => new myelin.AdditiveAttention().apply([x, x]),
  MultiHeadAttention: (x) => new myelin.MultiHeadAttention({ numHeads: 2, keyDim: 3 }).apply([x, x]) as Tensor,
  'MultiHeadAttention with dropout': (x) =>
    new myelin.MultiHeadAttention({ numHeads: 2, keyDim: 3, dropout: 0.2 }).apply([x, x]) as Tensor,
  GroupedQueryAttention: (x) =>
    new myelin.GroupedQueryAttention({ headDim: 3, numQueryHeads: 2, numKeyValueHeads: 1 }).apply([x, x]) as Tensor,
  SimpleRNN: (x) => new myelin.SimpleRNN({ units: 3 }).apply(x) as Tensor,
  LSTM: (x) => new myelin.LSTM({ units: 3 }).apply(x) as Tensor,
  'LSTM, sequences': (x) =>
    new myelin.LSTM({ units: 3, returnSequences: true, zeroOutputForMask: true } as never).apply(x) as Tensor,
  GRU: (x) => new myelin.GRU({ units: 3, goBackwards: true }).apply(x) as Tensor,
  Bidirectional: (x) => new myelin.Bidirectional({ layer: new myelin.LSTM({ units: 2 }) }).apply(x) as Tensor,
  TimeDistributed: (x) => new myelin.TimeDistributed({ layer: new myelin.Dense({ units: 2 }) }).apply(x) as Tensor,
  BatchNormalization: (x) => new myelin.BatchNormalization().apply(x),
  LayerNormalization: (x) => new myelin.LayerNormalization().apply(x),
  UnitNormalization: (x) => new myelin.UnitNormalization().apply(x),
  Add: (x) => new myelin.Add().apply([x, x]),
  Concatenate: (x) => new myelin.Concatenate().apply([x, x]),
  Dot: (x) => new myelin.Dot({ axes: [1, 1] }).apply([x, x]),
  Masking: (x) => new myelin.GlobalAveragePooling1D().apply(new myelin.Masking().apply(x)),
}

const isFinite = (x: Tensor): boolean => x.data.every(Number.isFinite)

describe.each(Object.keys(layersOnSteps))('%s', (name) => {
  const modelOf = (): InstanceType<typeof Model<Tensor, Tensor>> => {
    myelin.setRandomSeed(1)
    const input = Input({ shape: [4], dtype: 'int32' })
    const embedded = new Embedding({ inputDim: 9, outputDim: 3, maskZero: true }).apply(input)
    const model = new Model({ inputs: input, outputs: layersOnSteps[name]!(embedded) }) as never
    ;(model as InstanceType<typeof Model<Tensor, Tensor>>).compile({ optimizer: 'sgd', loss: 'meanSquaredError', metrics: ['meanAbsoluteError'] }) // prettier-ignore
    return model
  }

  it.each([
    ['alone', [[0, 0, 0, 0]]],
    ['beside another row', [[3, 1, 0, 0], [0, 0, 0, 0]]], // prettier-ignore
  ])('has finite outputs, losses and gradients: %s', (_, rows) => {
    const model = modelOf()
    const outputs = model.predictOnBatch(rows)
    expect(isFinite(outputs)).toBe(true)
    const targets = ops.zeros(outputs.shape)
    expect(Object.values(model.testOnBatch(rows, targets)).every(Number.isFinite)).toBe(true)
    for (let i = 0; i < 2; i++) {
      const logs = model.trainOnBatch(rows, targets)
      expect(Object.values(logs).every(Number.isFinite)).toBe(true)
    }
    expect(model.getWeights().every(isFinite)).toBe(true)
  })
})

it('pooling over no step gives 0', () => {
  const x = ops.ones([2, 3, 2])
  const pooled = new myelin.GlobalAveragePooling1D().apply(x, { mask: ops.cast([[0, 0, 0], [1, 0, 0]], 'bool') } as never) // prettier-ignore
  expect(pooled.toArray()).toEqual([[0, 0], [1, 1]]) // prettier-ignore
})

it('attention over no step is finite, and Softmax over nothing as well', () => {
  const x = ops.ones([1, 3, 2, 4])
  const mask = ops.zeros([1, 1, 3, 3], 'bool')
  expect(isFinite(ops.dotProductAttention(x, x, x, { mask }))).toBe(true)
  const none = ops.zeros([2, 3], 'bool')
  expect(isFinite(new myelin.Softmax().apply(ops.ones([2, 3]), { mask: none } as never))).toBe(true)
  const query = ops.ones([2, 3, 4])
  const masks = [ops.zeros([2, 3], 'bool'), ops.zeros([2, 3], 'bool')]
  expect(isFinite(new myelin.Attention().apply([query, query], { mask: masks } as never))).toBe(true)
  expect(isFinite(new myelin.AdditiveAttention().apply([query, query], { mask: masks } as never))).toBe(true)
  const heads = new myelin.MultiHeadAttention({ numHeads: 1, keyDim: 2 })
  expect(
    isFinite(heads.apply([query, query], { attentionMask: ops.zeros([2, 3, 3], 'bool') } as never) as Tensor),
  ).toBe(true)
})
