import { Concatenate, Dense, Embedding, GRU, Input, LSTM, Model, RMSprop, losses, ops } from '../../../src'
import { Numbers, rows } from './drawn'
import type { Program } from './program'

export const run: Program = async (begin) => {
  const numbers = new Numbers(7)
  const [title, body] = [numbers.integers(20, 48, 4), numbers.integers(20, 48, 9)]
  const tags = ops.cast(numbers.integers(2, 48, 5), 'float32')
  const priority = ops.cast(ops.greater(ops.sum(title, { axis: 1, keepDims: true }), 38), 'float32')
  const department = ops.oneHot(ops.mod(ops.take(body, 0, 1), 3), 3)

  const titleInput = Input({ shape: [null], name: 'title', dtype: 'int32' })
  const bodyInput = Input({ shape: [null], name: 'body', dtype: 'int32' })
  const tagsInput = Input({ shape: [5], name: 'tags' })
  const titleFeatures = new LSTM(6).apply(new Embedding({ inputDim: 20, outputDim: 8 }).apply(titleInput))
  const bodyFeatures = new GRU(5).apply(new Embedding({ inputDim: 20, outputDim: 8, maskZero: true }).apply(bodyInput))
  const x = new Concatenate().apply([titleFeatures, bodyFeatures, tagsInput])
  const priorityPred = new Dense(1, { name: 'priority' }).apply(x)
  const departmentPred = new Dense(3, { name: 'department' }).apply(x)
  const model = new Model({
    inputs: [titleInput, bodyInput, tagsInput],
    outputs: { priority: priorityPred, department: departmentPred },
  })
  begin({ model })
  model.compile({
    optimizer: new RMSprop({ learningRate: 1e-3 }),
    loss: {
      priority: new losses.BinaryCrossentropy({ fromLogits: true }),
      department: new losses.CategoricalCrossentropy({ fromLogits: true }),
    },
    lossWeights: { priority: 1.0, department: 0.2 },
  })
  const { history } = await model.fit(
    { title, body, tags },
    { priority, department },
    { epochs: 3, batchSize: 16, shuffle: false, verbose: 0 },
  )
  const predictions = await model.predict({ title: rows(title, 0, 4), body: rows(body, 0, 4), tags: rows(tags, 0, 4) })
  return { history, predictions }
}
