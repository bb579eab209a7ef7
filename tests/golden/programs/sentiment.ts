import {
  Conv1D,
  Dense,
  Embedding,
  GlobalMaxPooling1D,
  Input,
  Model,
  TextVectorization,
  ops,
  tensor,
} from '../../../src'
import { Numbers, rows } from './drawn'
import type { Program } from './program'

export const run: Program = async (begin) => {
  const words = ['good', 'great', 'fine', 'bad', 'poor', 'awful', 'film', 'plot', 'actor', 'the', 'a', 'was']
  const numbers = new Numbers(2)
  const drawn = numbers.integers(words.length, 64, 9).toArray<number[][]>()
  const texts = drawn.map((row) => row.map((i) => words[i]!).join(' '))
  const y = tensor(
    drawn.map((row) => [Number(row.filter((i) => i < 3).length > row.filter((i) => i >= 3 && i < 6).length)]),
  )

  const vectorize = new TextVectorization({
    maxTokens: 20,
    outputMode: 'int',
    outputSequenceLength: 10,
    vocabulary: words,
  })
  const x = vectorize.apply(texts) as ReturnType<typeof tensor>

  const inputs = Input({ shape: [null], dtype: 'int32' })
  let h = new Embedding({ inputDim: 20, outputDim: 8 }).apply(inputs)
  h = new Conv1D({ filters: 12, kernelSize: 3, padding: 'valid', activation: 'relu', strides: 2 }).apply(h)
  h = new GlobalMaxPooling1D().apply(h)
  h = new Dense(8, { activation: 'relu' }).apply(h)
  const predictions = new Dense(1, { activation: 'sigmoid', name: 'predictions' }).apply(h)
  const model = new Model({ inputs, outputs: predictions })
  begin({ model })
  model.compile({ loss: 'binaryCrossentropy', optimizer: 'adam', metrics: ['accuracy'] })
  const { history } = await model.fit(x, y, { epochs: 3, batchSize: 16, shuffle: false, verbose: 0 })
  return { history, tokens: ops.cast(x, 'float32'), predictions: await model.predict(rows(x, 0, 8)) }
}
