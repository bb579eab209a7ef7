// Finds the number of units and the learning rate that best predict the sex of penguins: 27 random choices, of which a
// third continues after every round of training, each compared on five folds. Then evaluates on birds that no trial
// used. Run it after a build with `node examples/search`, or with two threads: `node examples/search 2`.

import { randomSearch } from 'myelin/search'
import { readPenguins } from '../data/penguins.js'

const WORKERS = Number(process.argv[2] ?? 1)
const SEED = 1
const EPOCHS = 27
const GOAL = 0.85

const { train, test } = readPenguins({ seed: SEED, testPart: 0.25 })

const started = performance.now()
const result = await randomSearch(
  new URL('make.js', import.meta.url),
  { units: { min: 2, max: 64, scale: 'log', integer: true }, learningRate: { min: 1e-4, max: 0.3, scale: 'log' } },
  {
    x: train.x,
    y: train.y,
    folds: 5,
    trials: 27,
    epochs: EPOCHS,
    batchSize: 32,
    halving: { factor: 3, minEpochs: 3 },
    seed: SEED,
    workers: WORKERS,
  },
)
const seconds = (performance.now() - started) / 1000

const epochs = result.trials.reduce((sum, trial) => sum + trial.epochs, 0)
console.log(
  `${result.trials.length} choices on ${train.birds.length} birds in ${seconds.toFixed(1)} s: ${epochs} epochs of five folds instead of ${result.trials.length * EPOCHS}\n`,
)
console.log(result.table(12))

const { accuracy } = await result.best.model.evaluate(test.x, test.y)
const { units, learningRate } = result.best.choice
console.log(
  `\nThe best, ${units} units and a learning rate of ${learningRate.toPrecision(2)}, is correct for ${(100 * accuracy).toFixed(1)} % of the ${test.birds.length} held-out birds`,
)

const worst = Math.max(...result.trials.filter(({ rounds }) => rounds === 1).map(({ score }) => score))
if (accuracy < GOAL || result.best.score > worst / 2) {
  console.error(`\nExpected ${100 * GOAL} %, and a loss half that of the worst choice`)
  process.exitCode = 1
}
