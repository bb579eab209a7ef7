// LeNet reads handwritten digits: two convolutions, each followed by pooling, then dense layers (LeCun et al., 1998).
// Run it after `npm run build` with `node examples/digits-lenet`.

import { Adam, Conv2D, CosineDecay, Dense, Dropout, Flatten, MaxPooling2D, Sequential, setRandomSeed } from 'myelin'
import { digitAt, drawDigits, readDigits } from '../data/digits.js'

const EPOCHS = 10
const BATCH_SIZE = 32
const LEAST_ACCURACY = 0.98

// An image is [rows, columns, channels]; grey has one channel.
const { train, test } = readDigits([28, 28, 1])

setRandomSeed(1)
const model = new Sequential([
  new Conv2D({ filters: 6, kernelSize: 5, padding: 'same', activation: 'relu', inputShape: [28, 28, 1] }),
  new MaxPooling2D(),
  new Conv2D({ filters: 16, kernelSize: 5, activation: 'relu' }),
  new MaxPooling2D(),
  new Flatten(),
  new Dropout(0.25),
  new Dense({ units: 120, activation: 'relu' }),
  new Dropout(0.25),
  new Dense({ units: 84, activation: 'relu' }),
  new Dense({ units: 10, activation: 'softmax' }),
])
// The learning rate decreases towards the end.
const decaySteps = EPOCHS * Math.ceil(train.count / BATCH_SIZE)
const optimizer = new Adam({ learningRate: new CosineDecay({ initialLearningRate: 0.003, decaySteps }) })
model.compile({ optimizer, loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] })
model.summary({ flops: true })
console.log()

const started = performance.now()
await model.fit(train.x, train.y, { epochs: EPOCHS, batchSize: BATCH_SIZE, verbose: 2 })
const seconds = (performance.now() - started) / 1000
const { loss, accuracy } = await model.evaluate(test.x, test.y)

// The misclassified digits with the highest confidence.
const probabilities = await model.predict(test.x)
const readings = probabilities.toArray().map((row, i) => {
  const certainty = Math.max(...row)
  return { i, read: row.indexOf(certainty), certainty, is: test.y[i] }
})
const mistakes = readings
  .filter(({ read, is }) => read !== is)
  .sort((a, b) => b.certainty - a.certainty)
  .slice(0, 3)
console.log(
  `\n${drawDigits(
    mistakes.map(({ i }) => digitAt(test.x, i)),
    mistakes.map(({ read, certainty, is }) => `read as ${read} (${Math.round(100 * certainty)} %), is ${is}`),
  )}`,
)

console.log(
  `\nOn the ${test.count} held-out digits: accuracy ${(100 * accuracy).toFixed(1)} %, loss ${loss.toFixed(3)}`,
)
console.log('(the dense network of examples/mnist: 96 %)')
console.log(`Trained on ${train.count} digits in ${seconds.toFixed(1)} s`)

if (accuracy < LEAST_ACCURACY) {
  console.error(`Expected at least ${100 * LEAST_ACCURACY} %`)
  process.exitCode = 1
}
