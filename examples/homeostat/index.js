// One callback without options: Homeostat lets a training alone while its data stay the same, and keeps a network able to
// learn when they change.
//
// Baselines: plain training, and L2 with ReDo, whose strength and threshold were chosen for these changes. Result: the same
// weights as plain training where the data stay the same (digits, penguins, two moons), and within 0.3 points of L2 with ReDo
// where they change (permuted digits; an error within 5 % for the slowly-changing regression). Run it after `npm run build`
// with `node examples/homeostat`; `--from 201` has other seeds, `--tasks 20` fewer orders of the digits, `--quick` fewer tasks and one
// seed.
//
// Accuracy on data that stay the same is that of held-out rows, which decide nothing. In the changing ones each example
// counts once, before the network learns from it.

import { Adam, Dense, SGD, Sequential, random, regularizers, setRandomSeed } from 'myelin'
import { Homeostat, ReDo } from 'myelin/balance'
import { plotHistory } from 'myelin/plot'
import { readDigits } from '../data/digits.js'
import { readPenguins } from '../data/penguins.js'
import { COUNT, PIXELS, permutedDigits } from '../data/permuted-digits.js'
import { TASK, slowTasks } from '../data/slowly-changing.js'
import { mean, median, withRange } from '../data/statistics.js'
import { claim, printTable, readOptions, savePicture } from '../shared/report.js'

const { seeds, from, tasks, quick } = readOptions({ seeds: 3, from: 1, tasks: 30, quick: false })
const seedsOf = (count) => Array.from({ length: count }, (_, i) => from + i)
const failed = {}

/** Relu layers, compiled; `out` is the output layer, `penalty` the strength of L2. */
function network(
  seed,
  { units, out, optimizer, loss, metrics = ['accuracy'], penalty = 0, initializer = 'glorotUniform' },
) {
  setRandomSeed(seed)
  const regularizer = penalty === 0 ? null : new regularizers.L2(penalty)
  const dense = (options) =>
    new Dense({
      kernelRegularizer: regularizer,
      biasRegularizer: regularizer,
      kernelInitializer: initializer,
      ...options,
    })
  const hidden = units.map((each) => dense({ units: each, activation: 'relu' }))
  const model = new Sequential([...hidden, dense(out)])
  model.compile({ optimizer, loss, metrics })
  return model
}

// 1. Data that stay the same: no act, and the same weights.

/** Two half circles, one for each class, with noise. */
function moons(count, seed) {
  const noise = random.normal([count, 2], { stddev: 0.2, seed }).data
  const angle = random.uniform([count], { maxval: Math.PI, seed: seed + 1000 }).data
  const y = Array.from({ length: count }, (_, i) => [i % 2])
  const x = y.map(([label], i) => [
    (label === 0 ? Math.cos(angle[i]) : 1 - Math.cos(angle[i])) + noise[2 * i],
    (label === 0 ? Math.sin(angle[i]) : 0.5 - Math.sin(angle[i])) + noise[2 * i + 1],
  ])
  return { x, y }
}

const yesNo = { out: { units: 1, activation: 'sigmoid' }, loss: 'binaryCrossentropy' }
const digits = readDigits([PIXELS])
const sets = {
  'digits, 784→128→10': {
    data: () => digits,
    epochs: quick ? 3 : 10,
    network: () => ({
      units: [128],
      out: { units: 10, activation: 'softmax' },
      loss: 'sparseCategoricalCrossentropy',
      optimizer: new Adam(0.001),
    }),
  },
  'penguins, 8→10→8→1': {
    data: (seed) => readPenguins({ seed, testPart: 0.25 }),
    epochs: 200,
    network: () => ({ units: [10, 8], ...yesNo, optimizer: new Adam(0.01) }),
  },
  'moons, 2→16→16→1': {
    data: (seed) => ({ train: moons(1000, seed), test: moons(1000, seed + 500) }),
    epochs: 60,
    network: () => ({ units: [16, 16], ...yesNo, optimizer: new SGD({ learningRate: 0.1, momentum: 0.9 }) }),
  },
}

console.log('1. Data that stay the same: accuracy on held-out rows in %, with and without Homeostat\n')
const same = [['', 'seeds', 'plain', 'Homeostat', 'difference', 'acts', 'same weights']]
for (const [name, { data, epochs, network: options }] of Object.entries(sets)) {
  const runs = []
  for (const seed of seedsOf(name.startsWith('digits') ? (quick ? 1 : seeds) : quick ? 3 : 10)) {
    const { train, test } = data(seed)
    const one = async (callbacks) => {
      const model = network(seed, options())
      await model.fit(train.x, train.y, { epochs, verbose: 0, callbacks })
      const { accuracy } = await model.evaluate(test.x, test.y, { verbose: 0 })
      const weights = model.getWeights().map((each) => [...each.data])
      model.dispose()
      return { accuracy: 100 * accuracy, weights: JSON.stringify(weights) }
    }
    const homeostat = new Homeostat()
    const [plain, kept] = [await one([]), await one([homeostat])]
    const acts = homeostat.log.filter(({ act }) => act !== 'prune')
    runs.push({ plain, kept, acts: acts.length, isSame: plain.weights === kept.weights })
    for (const act of acts) console.error(`${name}, seed ${seed}: ${act.act}: ${act.reason}`)
  }
  const difference = mean(runs.map(({ plain, kept }) => kept.accuracy - plain.accuracy))
  failed[name] = Math.abs(difference) > 0.1
  same.push([
    name,
    runs.length,
    withRange(runs.map(({ plain }) => plain.accuracy)),
    withRange(runs.map(({ kept }) => kept.accuracy)),
    difference.toFixed(2),
    runs.reduce((sum, { acts }) => sum + acts, 0),
    `${runs.filter(({ isSame }) => isSame).length} of ${runs.length}`,
  ])
}
printTable(same)

// 2. Data that change.

const problems = {
  'permuted digits': {
    unit: '%',
    tasks: permutedDigits,
    count: quick ? 12 : tasks,
    seeds: quick ? 1 : seeds,
    /** The mean over the last tasks. */
    last: 10,
    score: ({ accuracy }) => 100 * accuracy[0],
    options: { batchSize: 16 },
    redo: () => new ReDo({ threshold: 0.1, every: COUNT / 16 }),
    network: () => ({
      units: [100, 100],
      out: { units: 10, activation: 'softmax' },
      loss: 'sparseCategoricalCrossentropy',
      optimizer: new Adam(0.001),
    }),
  },
  'slowly-changing': {
    unit: 'mean squared error',
    tasks: slowTasks,
    count: (quick ? 100_000 : 300_000) / TASK,
    seeds: quick ? 10 : 10 * seeds,
    last: quick ? 5 : 10,
    score: ({ mse }) => mse[0],
    options: { batchSize: 1, shuffle: false },
    redo: () => new ReDo({ threshold: 0.1, every: 1000 }),
    network: () => ({
      units: [5],
      out: { units: 1, kernelInitializer: 'lecunUniform' },
      loss: 'mse',
      metrics: ['mse'],
      optimizer: new SGD(0.01),
      initializer: 'heUniform',
    }),
  },
}
const ways = {
  plain: () => ({ callbacks: [] }),
  'L2 and ReDo': ({ redo }) => ({ penalty: 1e-3, callbacks: [redo()] }),
  Homeostat: () => ({ callbacks: [new Homeostat()] }),
}

/** The mean over seeds of the differences between two ways, with its standard error: `0.012 ± 0.009`. */
function difference(values, others, digits) {
  const each = values.map((value, i) => value - others[i])
  if (each.length === 1) return each[0].toFixed(digits)
  const variance = mean(each.map((value) => (value - mean(each)) ** 2)) / (each.length - 1)
  return `${mean(each).toFixed(digits)} ± ${Math.sqrt(variance).toFixed(digits)}`
}

const found = {}
let curves = {}
let log = ''
for (const [name, problem] of Object.entries(problems)) {
  found[name] = {}
  const shown = {}
  const ends = {}
  const digits = problem.unit === '%' ? 1 : 2
  const rows = [['', `the last ${problem.last} tasks, ${problem.unit}`, 'Homeostat minus it']]
  for (const [way, make] of Object.entries(ways)) {
    const runs = []
    for (const seed of seedsOf(problem.seeds)) {
      const { penalty = 0, callbacks } = make(problem)
      const model = network(seed, { ...problem.network(), penalty })
      const scores = []
      for (const { x, y } of problem.tasks(seed)) {
        const { history } = await model.fit(x, y, { ...problem.options, verbose: 0, callbacks })
        scores.push(problem.score(history))
        if (scores.length === problem.count) break
      }
      model.dispose()
      runs.push(scores)
      if (way === 'Homeostat' && name === 'permuted digits') log ||= String(callbacks[0])
    }
    console.error(`${name}, ${way}: ${runs.length} seeds`)
    ends[way] = runs.map((scores) => mean(scores.slice(-problem.last)))
    found[name][way] = median(ends[way])
    shown[way] = Array.from({ length: problem.count }, (_, task) => median(runs.map((scores) => scores[task])))
  }
  for (const [way, scores] of Object.entries(ends))
    rows.push([
      way,
      withRange(scores, digits, scores.length > 5 ? 0.25 : 0),
      way === 'Homeostat' ? '' : difference(ends.Homeostat, scores, digits + 1),
    ])
  if (name === 'permuted digits') curves = shown
  console.log(`\n2. ${name}: ${problem.count} tasks, median of ${problem.seeds} seeds\n`)
  printTable(rows)
}
console.log(`\nThe first lines of its log, permuted digits:\n${log.split('\n').slice(0, 3).join('\n')}`)

const [permuted, slow] = [found['permuted digits'], found['slowly-changing']]
await savePicture('homeostat', plotHistory(curves, { title: 'Accuracy while learning a task', xLabel: 'task' }))
claim({
  'data that stay the same: within 0.1 points of plain training': !Object.values(failed).includes(true),
  'permuted digits: at most 0.3 points below L2 with ReDo, and ahead of plain training':
    permuted.Homeostat >= permuted['L2 and ReDo'] - 0.3 && permuted.Homeostat > permuted.plain + 1,
  'slowly-changing: an error at most 5 % above that of L2 with ReDo, and below that of plain training':
    slow.Homeostat <= 1.05 * slow['L2 and ReDo'] && slow.Homeostat < slow.plain,
})
