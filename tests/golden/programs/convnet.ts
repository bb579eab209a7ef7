import { AveragePooling2D, Conv2D, Dense, Flatten, MaxPooling2D, Sequential, ops } from '../../../src'
import { Numbers, rows } from './drawn'
import type { Program } from './program'

export const run: Program = async (begin) => {
  const numbers = new Numbers(1)
  const images = numbers.uniform(96, 10, 10, 1)
  const center = ops.sum(ops.slice(images, [0, 2, 2, 0], [96, 6, 6, 1]), [1, 2, 3])
  const upper = ops.sum(ops.slice(images, [0, 0, 0, 0], [96, 5, 10, 1]), [1, 2, 3])
  const labels = ops.add(ops.cast(ops.greater(center, 0), 'int32'), ops.cast(ops.greater(upper, 0), 'int32'))
  const [xTrain, xTest] = [rows(images, 0, 80), rows(images, 80)]
  const [yTrain, yTest] = [ops.oneHot(rows(labels, 0, 80), 3), ops.oneHot(rows(labels, 80), 3)]

  const model = new Sequential([
    new Conv2D({ filters: 6, kernelSize: [3, 3], activation: 'relu', inputShape: [10, 10, 1] }),
    new MaxPooling2D({ poolSize: [2, 2] }),
    new Conv2D({ filters: 8, kernelSize: [3, 3], activation: 'relu', padding: 'same' }),
    new AveragePooling2D({ poolSize: 2 }),
    new Flatten(),
    new Dense(3, { activation: 'softmax' }),
  ])
  begin({ model })
  model.compile({ loss: 'categoricalCrossentropy', optimizer: 'adam', metrics: ['accuracy'] })
  const { history } = await model.fit(xTrain, yTrain, {
    batchSize: 16,
    epochs: 4,
    validationSplit: 0.1,
    shuffle: false,
    verbose: 0,
  })
  const { loss, accuracy } = await model.evaluate(xTest, yTest)
  return { history, score: [loss, accuracy!], predictions: await model.predict(xTest) }
}
