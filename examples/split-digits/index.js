// Digits in five tasks of two classes each, none of which comes back. Plain training, the baseline, forgets: compares how much
// a memory of some samples, and weights held where they matter, preserve, and their costs.
//
// Result: accuracy falls to 19 % without replay, and is 90 % with 1000 stored samples. Run it after `npm run build` with
// `node examples/split-digits`; `--quick` has one seed and the methods of the claims.

import { Adam, Dense, Sequential, setRandomSeed } from 'myelin'
import { ElasticWeightConsolidation, KWinnersTakeAll, ReservoirReplay, consolidate } from 'myelin/balance'
import { plotHistory } from 'myelin/plot'
import { readDigits } from '../data/digits.js'
import { mean, median } from '../data/statistics.js'
import { claim, readOptions, savePicture } from '../shared/report.js'

const { seeds, quick } = readOptions({ seeds: 3, quick: false })
const SEEDS = quick ? 1 : seeds
const EPOCHS = 3
const PIXELS = 784
const TASKS = [
  [0, 1],
  [2, 3],
  [4, 5],
  [6, 7],
  [8, 9],
]

/** The digits of some classes. */
function only({ x, y }, classes) {
  const rows = [...y.keys()].filter((row) => classes.includes(y[row]))
  const data = new Float32Array(rows.length * PIXELS)
  rows.forEach((row, i) => data.set(x.data.subarray(row * PIXELS, (row + 1) * PIXELS), i * PIXELS))
  return { x: { data, shape: [rows.length, PIXELS] }, y: Int32Array.from(rows, (row) => y[row]) }
}

const digits = readDigits([PIXELS])
const tasks = TASKS.map((classes) => ({
  classes,
  train: only(digits.train, classes),
  test: only(digits.test, classes),
}))

/**
 * Trains on task after task.
 *   perTask   whether the task of a digit is known at the end: then only its two classes are compared
 */
async function learn(seed, { perTask, regularizer = null, replay = null, winners = null }) {
  setRandomSeed(seed)
  const layer = (units, activation, options = {}) =>
    new Dense({ units, activation, kernelRegularizer: regularizer, biasRegularizer: regularizer, ...options })
  const model = new Sequential([
    layer(200, winners === null ? 'relu' : 'linear', { inputShape: [PIXELS] }),
    ...(winners === null ? [] : [new KWinnersTakeAll(winners)]),
    layer(10, 'softmax'),
  ])
  model.compile({ optimizer: new Adam({ learningRate: 1e-3 }), loss: 'sparseCategoricalCrossentropy' })
  const accuracyOf = async ({ classes, test }) => {
    const { data } = await model.predict(test.x)
    const right = test.y.filter((label, i) => {
      const allowed = perTask ? classes : TASKS.flat()
      return (
        label === allowed.reduce((best, each) => (data[10 * i + each] > data[10 * i + best] ? each : best), allowed[0])
      )
    })
    return (100 * right.length) / test.y.length
  }
  const learnt = []
  const course = []
  let seconds = 0
  for (const task of tasks) {
    const started = performance.now()
    const { x, y } = task.train
    const [mixedX, mixedY] = replay === null ? [x, y] : replay.mixed(x, y)
    await model.fit(mixedX, mixedY, { epochs: EPOCHS, verbose: 0 })
    replay?.add(x, y)
    if (regularizer !== null) await consolidate(model, x, y)
    seconds += (performance.now() - started) / 1000
    learnt.push(await accuracyOf(task))
    const soFar = []
    for (const each of tasks.slice(0, learnt.length)) soFar.push(await accuracyOf(each))
    course.push(mean(soFar))
  }
  model.dispose()
  return { learnt: mean(learnt), kept: course.at(-1), course, seconds }
}

const methods = {
  nothing: () => ({}),
  'replay of 200': () => ({ replay: new ReservoirReplay(200) }),
  'replay of 1000': () => ({ replay: new ReservoirReplay(1000) }),
  EWC: () => ({ regularizer: new ElasticWeightConsolidation(1000) }),
  'EWC, replay of 200': () => ({ regularizer: new ElasticWeightConsolidation(1000), replay: new ReservoirReplay(200) }),
  '20 winners of 200': () => ({ winners: 20 }),
}
/** Megabytes that are kept besides the model: samples, or two numbers per weight. */
const memory = {
  nothing: 0,
  'replay of 200': (200 * 4 * (PIXELS + 1)) / 1e6,
  'replay of 1000': (1000 * 4 * (PIXELS + 1)) / 1e6,
  EWC: (2 * 4 * (PIXELS * 200 + 200 + 2000 + 10)) / 1e6,
  '20 winners of 200': 0,
}
memory['EWC, replay of 200'] = memory['EWC'] + memory['replay of 200']

const results = {}
const curves = {}
/** With `--quick`, only the methods of the claims. */
const isChosen = (name, perTask) => !quick || ['nothing', perTask ? 'EWC' : 'replay of 1000'].includes(name)
for (const perTask of [false, true]) {
  console.log(
    `${perTask ? '\n' : ''}Accuracy over five tasks, ${perTask ? 'when the task of a digit is known' : 'among all ten classes'}; median of ${SEEDS} seeds`,
  )
  console.log(`${''.padEnd(20)} when learnt   in the end   seconds   memory`)
  for (const [name, options] of Object.entries(methods)) {
    if (!isChosen(name, perTask)) continue
    const runs = []
    for (let seed = 1; seed <= SEEDS; seed++) runs.push(await learn(seed, { perTask, ...options() }))
    const [learnt, kept, seconds] = ['learnt', 'kept', 'seconds'].map((of) => median(runs.map((run) => run[of])))
    results[`${name} ${perTask}`] = kept
    if (!perTask) curves[name] = tasks.map((_, task) => median(runs.map((run) => run.course[task])))
    console.log(
      `${name.padEnd(20)} ${learnt.toFixed(1).padStart(9)} %   ${kept.toFixed(1).padStart(8)} %   ${seconds.toFixed(1).padStart(7)}   ${memory[name].toFixed(1).padStart(3)} MB`,
    )
  }
}

await savePicture(
  'split-digits',
  plotHistory(curves, { title: 'Accuracy on the tasks so far, among all ten classes', xLabel: 'tasks learned' }),
)
claim({
  'replay of 1000 saves 50 points among ten classes': results['replay of 1000 false'] >= results['nothing false'] + 50,
  'EWC saves 5 points when the task is known': results['EWC true'] >= results['nothing true'] + 5,
})
