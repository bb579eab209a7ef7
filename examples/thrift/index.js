// The cost of a model, and how to reduce it: trains a dense network and a LeNet on handwritten digits within a budget,
// and quantizes their weights to int8.
//
// Baseline: the same models with float32 weights. Result: at most 0.5 points of accuracy lost, a file of at most 27 %.
// Run it after `npm run build` with `node examples/thrift`; `--seeds 5` gives medians of five trainings.

import { Adam, Conv2D, Dense, Flatten, MaxPooling2D, Sequential, setRandomSeed } from 'myelin'
import { Budget, EmissionsTracker, ledger, quantize } from 'myelin/thrift'
import { plotModel } from 'myelin/plot'
import { readDigits } from '../data/digits.js'
import { median } from '../data/statistics.js'
import { claim, percent, readOptions, savePicture } from '../shared/report.js'

const MOST_LOST = 0.005
const LARGEST_FILE = 0.27
const BATCH_SIZE = 32
const { seeds: SEEDS } = readOptions({ seeds: 1 })

const dense = () => [
  new Dense({ units: 304, activation: 'relu', inputShape: [784] }),
  new Dense({ units: 10, activation: 'softmax' }),
]
const lenet = () => [
  new Conv2D({ filters: 8, kernelSize: 5, padding: 'same', activation: 'relu', inputShape: [28, 28, 1] }),
  new MaxPooling2D(),
  new Conv2D({ filters: 16, kernelSize: 5, activation: 'relu' }),
  new MaxPooling2D(),
  new Flatten(),
  new Dense({ units: 120, activation: 'relu' }),
  new Dense({ units: 10, activation: 'softmax' }),
]

/** Seconds of a prediction of one batch of several models, measured in turn: the minimum of many. */
function secondsOf(models, x) {
  const least = models.map(() => Infinity)
  for (let i = 0; i < 600; i++) {
    models.forEach((model, at) => {
      const start = performance.now()
      model.predictOnBatch(x)
      least[at] = Math.min(least[at], (performance.now() - start) / 1000)
    })
  }
  return least
}

/** The figures of one model before and after, trained from one seed. */
async function figuresOf(name, layers, shape, seed) {
  const { train, test } = readDigits(shape)
  setRandomSeed(seed)
  const model = new Sequential(layers(), { name })
  model.compile({
    optimizer: new Adam({ learningRate: 0.001 }),
    loss: 'sparseCategoricalCrossentropy',
    metrics: ['accuracy'],
  })
  const costs = ledger(model, { batchSize: BATCH_SIZE })
  if (seed === 1) {
    costs.print()
    await savePicture(`thrift-${name}`, plotModel(model, { ledger: costs, title: `The cost of ${name}` }))
  }

  // Four passes over the data; the budget would end a fifth.
  const steps = 4 * Math.ceil(train.count / BATCH_SIZE)
  const budget = new Budget({ flops: steps * costs.training.flops })
  const {
    reports: { footprint },
  } = await model.fit(train.x, train.y, {
    epochs: 20,
    batchSize: BATCH_SIZE,
    verbose: 0,
    callbacks: [new EmissionsTracker(), budget],
  })
  if (seed === 1) console.log(`\n${footprint}`)

  const small = quantize(model)
  const size = shape.reduce((product, extent) => product * extent, 1)
  const batch = { data: test.x.data.subarray(0, BATCH_SIZE * size), shape: [BATCH_SIZE, ...shape] }
  const calibrated = quantize(model, {
    calibration: { data: train.x.data.subarray(0, 500 * size), shape: [500, ...shape] },
  })
  const [before, int8, fixed] = await Promise.all(
    [model, small, calibrated].map(async (each) => (await each.evaluate(test.x, test.y)).accuracy),
  )
  const [bytes, fewer] = [
    (await model.save(undefined, { includeOptimizer: false })).length,
    (await small.save(undefined, { includeOptimizer: false })).length,
  ]
  const [slow, fast, fastest] = secondsOf([model, small, calibrated], batch)
  const figures = {
    before,
    int8,
    fixed,
    lost: before - Math.min(int8, fixed),
    file: fewer / bytes,
    faster: slow / fast,
    fastest: slow / fastest,
  }
  for (const each of [model, small, calibrated]) each.dispose()
  return { ...figures, excess: footprint.steps.value - steps }
}

async function run(name, layers, shape) {
  const runs = []
  for (let seed = 1; seed <= SEEDS; seed++) runs.push(await figuresOf(name, layers, shape, seed))
  const of = (figure) => median(runs.map((each) => each[figure]))
  console.log(
    `${SEEDS === 1 ? 'one seed' : `medians of ${SEEDS} seeds`}: accuracy ${percent(of('before'))}, with int8 ${percent(of('int8'))}, calibrated ${percent(of('fixed'))}; lost ${(100 * of('lost')).toFixed(2)} points`,
  )
  console.log(
    `file ${of('file').toFixed(3)} ×; a prediction of ${BATCH_SIZE} rows ${of('faster').toFixed(2)} × as fast, calibrated ${of('fastest').toFixed(2)} ×\n`,
  )
  claim({
    [`${name}: at most ${percent(MOST_LOST)} lost`]: runs.every(({ lost }) => lost <= MOST_LOST),
    [`${name}: a file of at most ${LARGEST_FILE} ×`]: runs.every(({ file }) => file <= LARGEST_FILE),
    [`${name}: as many steps as the budget allows`]: runs.every(({ excess }) => excess === 0),
  })
}

await run('dense', dense, [784])
await run('lenet', lenet, [28, 28, 1])
