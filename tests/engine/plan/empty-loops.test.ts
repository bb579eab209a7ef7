// Loops over the rows of an empty batch: no computation, and correct shapes.

import { describe, expect, it } from 'vitest'
import { Bidirectional, ConvLSTM2D, Dense, GRU, LSTM, TimeDistributed, jit, ops, valueAndGrad } from '../../../src'

describe('an empty batch', () => {
  it.each([
    ['LSTM', new LSTM({ units: 2 }), [0, 3, 2], [0, 2]],
    [
      'GRU, all steps, backwards',
      new GRU({ units: 2, returnSequences: true, goBackwards: true }),
      [0, 3, 2],
      [0, 3, 2],
    ],
    ['Bidirectional', new Bidirectional({ layer: new LSTM(2) }), [0, 3, 2], [0, 4]],
    ['ConvLSTM2D', new ConvLSTM2D({ filters: 2, kernelSize: 2 }), [0, 2, 3, 3, 1], [0, 2, 2, 2]],
    ['TimeDistributed', new TimeDistributed({ layer: new Dense(5) }), [0, 3, 2], [0, 3, 5]],
  ])('goes through %s', (_name, layer, shape, expected) => {
    expect(layer.apply(ops.zeros(shape)).shape).toEqual(expected)
  })

  it('goes through ops.scan and ops.foriLoop, forwards and backwards', () => {
    expect(ops.foriLoop(0, 3, (_i, y) => ops.add(y, 1), ops.zeros([0, 2])).shape).toEqual([0, 2])
    const [last, all] = ops.scan((state, x) => [ops.add(state, x), state], ops.zeros([0]), ops.zeros([4, 0]))
    expect([last.shape, all.shape]).toEqual([[0], [4, 0]])
    const [value, gradient] = valueAndGrad((x) =>
      ops.sum(ops.scan((state, each) => [ops.multiply(state, each), state], x, ops.ones([4, 0]))[0]),
    )(ops.zeros([0]))
    expect([value.item(), gradient.shape]).toEqual([0, [0]])
    expect(jit((x) => ops.foriLoop(0, 2, (_i, y) => ops.multiply(y, 2), x))(ops.zeros([0, 2])).shape).toEqual([0, 2])
  })
})
