// Trains the small models of docs/choosing.md, prints their tables and writes them into it. Run it after `npm run build`
// with `node docs/choosing/run.js`. Every number is a mean over seeds, on held-out rows.

import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import * as myelin from 'myelin'
import { replaceTable, table } from '../../bench/report.mjs'

const { Dense, Sequential, losses, ops, random, setRandomSeed } = myelin
const SEEDS = [1, 2, 3, 4, 5]
const RATES = [0.001, 0.003, 0.01, 0.03, 0.1]

// Data: { x, y, xTest, yTest }, nested arrays.

/** Shuffles the rows with a seed and holds out the first quarter. */
function split(rows, seed) {
  const order = Array.from(random.permutation(rows.length, seed), (i) => rows[i])
  const at = Math.round(rows.length / 4)
  return { train: order.slice(at), test: order.slice(0, at) }
}

/** Two interleaved spirals with some noise, which no straight line separates. */
function spirals(seed) {
  const noise = random.normal([800, 2], { stddev: 0.04, seed: seed + 100 }).toArray()
  const rows = noise.map(([dx, dy], i) => {
    const along = Math.floor(i / 2) / 400
    const angle = 3.5 * Math.PI * along + Math.PI * (i % 2)
    // Times 2.5: a standard deviation near 1, as inputs should have.
    return { x: [2.5 * (along * Math.cos(angle) + dx), 2.5 * (along * Math.sin(angle) + dy)], y: [i % 2] }
  })
  return asData(split(rows, seed))
}

function asData({ train, test }) {
  const column = (rows, name) => rows.map((row) => row[name])
  return { x: column(train, 'x'), y: column(train, 'y'), xTest: column(test, 'x'), yTest: column(test, 'y') }
}

const MEASUREMENTS = ['bill_length_mm', 'bill_depth_mm', 'flipper_length_mm']
const [head, ...lines] = readFileSync(new URL('../../examples/data/penguins.csv', import.meta.url), 'utf8')
  .trim()
  .split('\n')
const columns = head.split(',')
const birds = lines.map((line) => Object.fromEntries(line.split(',').map((value, i) => [columns[i], value])))

/** Bill, flipper, species and sex → body mass in kg. A fraction `broken` of the training masses is ten times too large. */
function bodyMass(seed, broken) {
  const { train, test } = split(birds, seed)
  const scales = MEASUREMENTS.map((name) => {
    const values = train.map((bird) => Number(bird[name]))
    const mean = values.reduce((a, b) => a + b) / values.length
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)
    return (bird) => (Number(bird[name]) - mean) / deviation
  })
  const x = (bird) => [
    ...scales.map((scale) => scale(bird)),
    ...['Chinstrap', 'Gentoo'].map((species) => Number(bird.species === species)),
    Number(bird.sex === 'male'),
  ]
  const mass = (bird) => Number(bird.body_mass_g) / 1000
  const wrong = Math.round(broken * train.length) // the first ones, because the order is random
  return {
    x: train.map(x),
    y: train.map((bird, i) => [i < wrong ? 10 * mass(bird) : mass(bird)]),
    xTest: test.map(x),
    yTest: test.map((bird) => [mass(bird)]),
  }
}

const file = gunzipSync(readFileSync(new URL('../../examples/data/mnist.bin.gz', import.meta.url)))
const digitCount = file.readUInt32LE(4)
const pixels = Float32Array.from(file.subarray(16 + digitCount), (ink) => ink / 255)
const labels = file.subarray(16, 16 + digitCount)

/** The first 3,000 digits for training, the last 2,000 for testing. */
function digits({ oneHot = false } = {}) {
  const rows = (start, end) => ({ data: pixels.subarray(784 * start, 784 * end), shape: [end - start, 784] })
  const targets = (part) => (oneHot ? ops.oneHot(Int32Array.from(part), 10) : part)
  return {
    x: rows(0, 3000),
    y: targets(labels.subarray(0, 3000)),
    xTest: rows(8000, 10000),
    yTest: targets(labels.subarray(8000)),
  }
}

// Models

function network(units, activation, output) {
  return new Sequential([...units.map((each) => new Dense({ units: each, activation })), new Dense(output)])
}

/** Trains and evaluates. @returns the training loss of the last epoch, and the results on held-out rows */
async function train(model, data, { optimizer = 'adam', loss, metrics = ['accuracy'], epochs, batchSize = 32 }) {
  model.compile({ optimizer, loss, metrics })
  try {
    const { history } = await model.fit(data.x, data.y, { epochs, batchSize, verbose: 0 })
    const result = await model.evaluate(data.xTest, data.yTest, { batchSize: 500 })
    return { trainLoss: history.loss.at(-1), ...result }
  } catch (error) {
    if (error instanceof myelin.NonFiniteError) return { trainLoss: Infinity, accuracy: NaN }
    throw error
  } finally {
    model.dispose()
  }
}

async function overSeeds(run, seeds = SEEDS) {
  const results = []
  for (const seed of seeds) {
    setRandomSeed(seed)
    results.push(await run(seed))
  }
  return Object.fromEntries(
    Object.keys(results[0]).map((key) => [key, results.reduce((sum, each) => sum + each[key], 0) / results.length]),
  )
}

/** The result with the learning rate of the lowest final training loss; held-out rows are not used for the choice. */
async function bestRate(run) {
  let best = { trainLoss: Infinity }
  for (const learningRate of RATES) {
    const result = { learningRate, ...(await run(learningRate)) }
    if (result.trainLoss < best.trainLoss) best = result
  }
  return best
}

const percent = (fraction) => (Number.isNaN(fraction) ? 'diverged' : `${(100 * fraction).toFixed(1)} %`)

// 1. Hidden activations: the same task with two hidden layers and with eight.

async function activations() {
  const rows = []
  for (const activation of ['relu', 'leakyRelu', 'elu', 'selu', 'gelu', 'silu', 'tanh', 'sigmoid']) {
    const cells = [activation]
    for (const units of [[32, 32], Array.from({ length: 8 }, () => 32)]) {
      const result = await bestRate((learningRate) =>
        overSeeds((seed) =>
          train(network(units, activation, { units: 1, activation: 'sigmoid' }), spirals(seed), {
            optimizer: new myelin.Adam({ learningRate }),
            loss: 'binaryCrossentropy',
            epochs: 60,
          }),
        ),
      )
      cells.push(`${percent(result.accuracy)} (${result.learningRate})`)
    }
    rows.push(cells)
  }
  return table(['hidden activation', '2 hidden layers', '8 hidden layers'], rows)
}

// 2. Losses for ten classes: the digits, three epochs. Adam normalises gradients, plain SGD does not.

async function classLosses() {
  const choices = [
    ['softmax', 'sparseCategoricalCrossentropy', 'class numbers'],
    ['softmax', 'categoricalCrossentropy', 'one-hot'],
    ['sigmoid', 'binaryCrossentropy', 'one-hot'],
    ['softmax', 'meanSquaredError', 'one-hot'],
    ['linear', 'meanSquaredError', 'one-hot'],
  ]
  const rows = []
  for (const [activation, loss, targets] of choices) {
    const data = digits({ oneHot: targets === 'one-hot' })
    const metrics = [loss.startsWith('sparse') ? 'sparseCategoricalAccuracy' : 'categoricalAccuracy']
    const cells = [`${activation}, \`${loss}\``, targets]
    for (const optimizer of [() => 'adam', () => new myelin.SGD({ learningRate: 0.1 })]) {
      const result = await overSeeds(() =>
        train(network([64], 'relu', { units: 10, activation }), data, {
          optimizer: optimizer(),
          loss,
          metrics,
          epochs: 3,
        }),
      )
      cells.push(percent(result[metrics[0]]))
    }
    rows.push(cells)
  }
  return table(['output, loss', 'targets', 'Adam', 'SGD, rate 0.1'], rows)
}

// 3. Losses for a number: body mass, clean and with one training target in twenty ten times too large.

async function numberLosses() {
  const rows = []
  for (const [name, loss] of [
    ['meanSquaredError', 'meanSquaredError'],
    ['meanAbsoluteError', 'meanAbsoluteError'],
    ['Huber({ delta: 0.3 })', new losses.Huber({ delta: 0.3 })],
  ]) {
    const cells = [`\`${name}\``]
    for (const broken of [0, 0.05]) {
      const { meanAbsoluteError } = await overSeeds((seed) =>
        train(network([16], 'relu', { units: 1 }), bodyMass(seed, broken), {
          optimizer: new myelin.Adam({ learningRate: 0.01 }),
          loss,
          metrics: ['meanAbsoluteError'],
          epochs: 100,
        }),
      )
      cells.push(`${Math.round(1000 * meanAbsoluteError)} g`)
    }
    rows.push(cells)
  }
  return table(['loss', 'mean error, clean targets', '1 in 20 targets broken'], rows)
}

// 4. Optimizers: with their default learning rate, and with the best one.

async function optimizers() {
  const makers = {
    SGD: (learningRate) => new myelin.SGD({ ...learningRate }),
    'SGD, momentum 0.9': (learningRate) => new myelin.SGD({ ...learningRate, momentum: 0.9 }),
    RMSprop: (learningRate) => new myelin.RMSprop({ ...learningRate }),
    Adam: (learningRate) => new myelin.Adam({ ...learningRate }),
    AdamW: (learningRate) => new myelin.AdamW({ ...learningRate }),
  }
  const seeds = SEEDS.slice(0, 3)
  const tasks = [
    (options) =>
      overSeeds(
        (seed) =>
          train(network([32, 32], 'relu', { units: 1, activation: 'sigmoid' }), spirals(seed), {
            loss: 'binaryCrossentropy',
            epochs: 60,
            optimizer: options(),
          }),
        seeds,
      ),
    (options) =>
      overSeeds(
        () =>
          train(network([64], 'relu', { units: 10, activation: 'softmax' }), digits(), {
            loss: 'sparseCategoricalCrossentropy',
            epochs: 3,
            optimizer: options(),
          }),
        seeds,
      ),
  ]
  const rows = []
  for (const [name, make] of Object.entries(makers)) {
    const cells = [name]
    for (const task of tasks) {
      const standard = await task(() => make({}))
      const best = await bestRate((learningRate) => task(() => make({ learningRate })))
      cells.push(percent(standard.accuracy), `${percent(best.accuracy)} (${best.learningRate})`)
    }
    rows.push(cells)
  }
  return table(['optimizer', 'spirals, default rate', 'best rate', 'digits, default rate', 'best rate'], rows)
}

for (const [name, make] of Object.entries({
  activations,
  'class-losses': classLosses,
  'number-losses': numberLosses,
  optimizers,
})) {
  const started = performance.now()
  const markdown = await make()
  console.log(`\n${markdown}\n\n${name}: ${((performance.now() - started) / 1000).toFixed(1)} s`)
  replaceTable(new URL('../choosing.md', import.meta.url), name, markdown)
}
