// Learns to read handwritten digits: 784 pixels → 128 → 10 classes. Run it after `npm run build` with
// `node examples/mnist`.

import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { Adam, CosineDecay, Dense, Dropout, Sequential, setRandomSeed } from 'myelin'

const TRAIN_COUNT = 8000
const EPOCHS = 15
const BATCH_SIZE = 128
const LEAST_ACCURACY = 0.95
const MOST_SECONDS = 10

// The file is described in ../data/README.md: a header of 16 bytes, then the labels, then the pixels.
const file = gunzipSync(readFileSync(new URL('../data/mnist.bin.gz', import.meta.url)))
const count = file.readUInt32LE(4)
const [rows, columns] = [file.readUInt32LE(8), file.readUInt32LE(12)]
const size = rows * columns
const labels = file.subarray(16, 16 + count)
const pixels = Float32Array.from(file.subarray(16 + count), (ink) => ink / 255)

// Typed arrays with a shape need no nested arrays. The digits are in random order, so the last can be kept apart.
const part = (start, end) => ({
  x: { data: pixels.subarray(start * size, end * size), shape: [end - start, size] },
  y: labels.subarray(start, end),
})
const train = part(0, TRAIN_COUNT)
const test = part(TRAIN_COUNT, count)

setRandomSeed(1)
const model = new Sequential([
  new Dense({ units: 128, activation: 'relu', inputShape: [size] }),
  new Dropout(0.3),
  new Dense({ units: 10, activation: 'softmax' }),
])
// Large steps at first, ever smaller ones towards the end.
const decaySteps = EPOCHS * Math.ceil(TRAIN_COUNT / BATCH_SIZE)
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
const guesses = Array.from({ length: count - TRAIN_COUNT }, (_, i) => {
  const row = probabilities.data.subarray(10 * i, 10 * i + 10)
  return row.indexOf(Math.max(...row))
})

// Two digits: one that was read rightly, and one that was not.
const right = guesses.findIndex((guess, i) => guess === test.y[i])
const wrong = guesses.findIndex((guess, i) => guess !== test.y[i])
const drawings = [right, wrong].filter((i) => i >= 0).map(draw)
console.log()
for (let line = 0; line < drawings[0].length; line++) console.log(drawings.map((drawing) => drawing[line]).join('    '))

console.log(`\nOn the ${count - TRAIN_COUNT} digits kept apart: accuracy ${(100 * accuracy).toFixed(1)} %, loss ${loss.toFixed(3)}`)
console.log(`Trained on ${TRAIN_COUNT} digits in ${seconds.toFixed(2)} s`)

if (accuracy < LEAST_ACCURACY || seconds > MOST_SECONDS) {
  console.error(`Expected at least ${100 * LEAST_ACCURACY} % in at most ${MOST_SECONDS} s`)
  process.exitCode = 1
}

/** Two rows of pixels a line, because characters are twice as high as wide; a caption below. */
function draw(i) {
  const ink = (row, column) => test.x.data[i * size + row * columns + column]
  const lines = Array.from({ length: rows / 2 }, (_, line) =>
    Array.from({ length: columns }, (_, column) => {
      const darkness = (ink(2 * line, column) + ink(2 * line + 1, column)) / 2
      return ' .:-=+*#%@'[Math.round(9 * darkness)]
    }).join(''),
  )
  const certainty = Math.round(100 * probabilities.data[10 * i + guesses[i]])
  const caption = `read as ${guesses[i]} (${certainty} %), is ${test.y[i]}`
  return [...lines, caption].map((line) => line.padEnd(columns))
}
