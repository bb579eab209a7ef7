// Learns to read handwritten digits: 784 pixels → 128 → 10 classes. Run it after `npm run build` with `node
// examples/mnist`.

import { Adam, CosineDecay, Dense, Dropout, Sequential, setRandomSeed } from 'myelin'
import { digitAt, drawDigits, readDigits } from '../data/digits.js'

const EPOCHS = 15
const BATCH_SIZE = 128
const LEAST_ACCURACY = 0.95

const { train, test } = readDigits([784])

setRandomSeed(1)
const model = new Sequential([
  new Dense({ units: 128, activation: 'relu', inputShape: [784] }),
  new Dropout(0.3),
  new Dense({ units: 10, activation: 'softmax' }),
])
// The learning rate decreases towards the end.
const decaySteps = EPOCHS * Math.ceil(train.count / BATCH_SIZE)
const optimizer = new Adam({ learningRate: new CosineDecay({ initialLearningRate: 0.004, decaySteps }) })
model.compile({ optimizer, loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] })
model.summary()
console.log()

const started = performance.now()
await model.fit(train.x, train.y, { epochs: EPOCHS, batchSize: BATCH_SIZE })
const seconds = (performance.now() - started) / 1000
const { loss, accuracy } = await model.evaluate(test.x, test.y, { batchSize: 500 })
const probabilities = await model.predict(test.x, { batchSize: 500 })

// The class of the largest probability in each row.
const guesses = Array.from({ length: test.count }, (_, i) => {
  const row = probabilities.data.subarray(10 * i, 10 * i + 10)
  return row.indexOf(Math.max(...row))
})

// Two digits: one read correctly, and one not.
const right = guesses.findIndex((guess, i) => guess === test.y[i])
const wrong = guesses.findIndex((guess, i) => guess !== test.y[i])
const shown = [right, wrong].filter((i) => i >= 0)
const captions = shown.map((i) => {
  const certainty = Math.round(100 * probabilities.data[10 * i + guesses[i]])
  return `read as ${guesses[i]} (${certainty} %), is ${test.y[i]}`
})
console.log(
  `\n${drawDigits(
    shown.map((i) => digitAt(test.x, i)),
    captions,
  )}`,
)

console.log(
  `\nOn the ${test.count} held-out digits: accuracy ${(100 * accuracy).toFixed(1)} %, loss ${loss.toFixed(3)}`,
)
console.log(`Trained on ${train.count} digits in ${seconds.toFixed(2)} s`)

if (accuracy < LEAST_ACCURACY) {
  console.error(`Expected at least ${100 * LEAST_ACCURACY} %`)
  process.exitCode = 1
}
