// Finds the number of units and the learning rate that best predict the sex of penguins: 27 random choices, of which a
// third continues after every round of training, each compared on five folds. Then evaluates on birds that no trial
// used.
//
// Baseline: the worst of the choices. Result: at most half of its loss, and above 85 % of the held-out birds, in 1 s.
// Run it after a build with `node examples/search`, or with two threads: `node examples/search --workers 2`.

import { plotProjection } from 'myelin/plot'
import { randomSearch } from 'myelin/search'
import { readPenguins } from '../data/penguins.js'
import { claim, percent, readOptions, savePicture, stopwatch } from '../shared/report.js'

const { seed, workers } = readOptions({ seed: 1, workers: 1 })
const EPOCHS = 27
const GOAL = 0.85

const { train, test } = readPenguins({ seed, testPart: 0.25 })

const seconds = stopwatch()
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
    seed,
    workers,
  },
)

const epochs = result.trials.reduce((sum, trial) => sum + trial.epochs, 0)
console.log(
  `${result.trials.length} choices on ${train.birds.length} birds in ${seconds().toFixed(1)} s: ${epochs} epochs of five folds instead of ${result.trials.length * EPOCHS}\n`,
)
console.log(result.table(12))

const { accuracy } = await result.best.model.evaluate(test.x, test.y)
const { units, learningRate } = result.best.choice
console.log(
  `\nThe best, ${units} units and a learning rate of ${learningRate.toPrecision(2)}, is correct for ${(100 * accuracy).toFixed(1)} % of the ${test.birds.length} held-out birds`,
)

const worst = Math.max(...result.trials.filter(({ rounds }) => rounds === 1).map(({ score }) => score))
// Choices by units and learning rate, both logarithmic; in colours, how many rounds they lasted.
const points = result.trials.map(({ choice }) => [Math.log10(choice.units), Math.log10(choice.learningRate)])
const rounds = result.trials.map((trial) => trial.rounds - 1)
const names = Array.from({ length: Math.max(...rounds) + 1 }, (_, i) => `${i + 1} ${i === 0 ? 'round' : 'rounds'}`)
await savePicture(
  'search',
  plotProjection(points, { labels: rounds, names, title: 'Logarithms of units and learning rates' }),
)
claim({
  [`the best choice is right for ${percent(GOAL, 0)} of the held-out birds`]: accuracy >= GOAL,
  'its loss is at most half that of the worst choice': result.best.score <= worst / 2,
})
