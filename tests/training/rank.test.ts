// Inputs of one column, as a list of numbers or as rows of one: Keras's rule.
// modes: simd

import { expect, it } from 'vitest'
import { Concatenate, Dense, Embedding, Input, Model, ShapeError, tensor } from '../../src'

it('[n] and [n, 1] are interchangeable', async () => {
  const [a, b] = [Input({ shape: [1], name: 'a' }), Input({ shape: [2], name: 'b' })]
  const model = new Model({ inputs: { a, b }, outputs: new Dense({ units: 1 }).apply(new Concatenate().apply([a, b])) })
  const pairs = [
    [1, 2],
    [3, 4],
  ]
  const expected = (await model.predict({ a: [[5], [6]], b: pairs })).toArray()
  expect((await model.predict({ a: [5, 6], b: pairs })).toArray()).toEqual(expected)
  expect(model.predictOnBatch({ a: Float32Array.of(5, 6), b: tensor(pairs) }).toArray()).toEqual(expected)
  await expect(model.predict({ a: [5, 6], b: [1, 2] })).rejects.toThrow(ShapeError)
})

it.each([[[1, 2, 0]], [Int32Array.of(1, 2, 0)], [tensor([1, 2, 0])]])('integers too: %j', async (column) => {
  const input = Input({ shape: [1], dtype: 'int32' })
  const model = new Model({ inputs: input, outputs: new Embedding({ inputDim: 3, outputDim: 2 }).apply(input) })
  expect((await model.predict(column)).toArray()).toEqual((await model.predict([[1], [2], [0]])).toArray())
})
