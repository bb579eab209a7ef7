import { Dense, Discretization, Normalization, Sequential, StringLookup, metrics, ops, type Tensor } from '../../../src'
import { Numbers, rows } from './drawn'
import type { Program } from './program'

export const run: Program = async (begin) => {
  const numbers = new Numbers(12)
  const amounts = ops.add(ops.multiply(numbers.uniform(80, 2), 400), 500)
  const sex = numbers
    .integers(2, 80, 1)
    .toArray<number[][]>()
    .map(([i]) => [['f', 'm'][i!]!])
  const age = ops.add(numbers.integers(50, 80, 1), 20)
  const column = (i: number): Tensor => ops.slice(amounts, [0, i], [80, 1])
  const y = ops.cast(ops.greater(column(0), column(1)), 'float32')

  const normalization = new Normalization()
  await normalization.adapt(amounts)
  const lookup = new StringLookup({ vocabulary: ['f', 'm'], outputMode: 'oneHot', numOovIndices: 0 })
  const buckets = new Discretization({ binBoundaries: [30, 40, 50, 60], outputMode: 'oneHot' })
  const encoded = ops.concatenate([normalization.apply(amounts), lookup.apply(sex), buckets.apply(age)] as Tensor[], 1)

  const model = new Sequential([
    new Dense(8, { activation: 'relu', inputShape: [encoded.shape[1]!] }),
    new Dense(1, { activation: 'sigmoid' }),
  ])
  begin({ model })
  model.compile({ optimizer: 'adamw', loss: 'binaryCrossentropy', metrics: ['accuracy', new metrics.AUC()] })
  const { history } = await model.fit(encoded, y, {
    epochs: 4,
    batchSize: 16,
    classWeight: { 0: 1.0, 1: 2.0 },
    validationSplit: 0.2,
    shuffle: false,
    verbose: 0,
  })
  return { history, encoded, predictions: await model.predict(rows(encoded, 0, 6)) }
}
