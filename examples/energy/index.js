// The cost of reading digits with a LeNet, by plan of training: all planned epochs, ended early, pruned, or small from the
// start. A sixth of the training digits decides when training ends; the test digits only give the accuracy that is reported.
//
// Baseline: ten epochs of the whole network. Result: to end at the goal costs at most half of their FLOPs; the table shows that
// shorter plans and smaller networks save as well. Run it after `npm run build` with `node examples/energy`; `--seeds 1` takes a
// fifth of the time, `--goal 0.97` is a goal that the network barely reaches, and `--quick` has half the training digits.

import { Adam, Conv2D, Dense, EarlyStopping, Flatten, MaxPooling2D, Sequential, setRandomSeed } from 'myelin'
import { plotHistory } from 'myelin/plot'
import { EmissionsTracker, pruneUnits } from 'myelin/thrift'
import { readDigits } from '../data/digits.js'
import { median, withRange } from '../data/statistics.js'
import { claim, percent, readOptions, savePicture } from '../shared/report.js'

const { seeds, goal: fullGoal, quick } = readOptions({ seeds: 5, goal: 0.96, quick: false })
const GOAL = quick ? 0.93 : fullGoal
/** By how much the test digits may be harder than those that decide. */
const SLACK = 0.01
const PLANNED_EPOCHS = quick ? 6 : 10
const SEEDS = quick ? 1 : seeds
const BATCH_SIZE = 32

const { train, test } = readDigits([28, 28, 1])
const SIZE = 28 * 28
/** Some of the training digits. */
const part = (from, to) => ({
  x: { data: train.x.data.subarray(from * SIZE, to * SIZE), shape: [to - from, 28, 28, 1] },
  y: train.y.subarray(from, to),
})
const COUNT = quick ? train.count / 2 : train.count
const VALIDATION = Math.round(COUNT / 6)
const learning = part(0, COUNT - VALIDATION)
const validation = part(COUNT - VALIDATION, COUNT)

/** @param share the fraction of LeNet's units */
function lenet(share = 1) {
  const units = (all) => Math.round(share * all)
  const model = new Sequential([
    new Conv2D({ filters: units(6), kernelSize: 5, padding: 'same', activation: 'relu', inputShape: [28, 28, 1] }),
    new MaxPooling2D(),
    new Conv2D({ filters: units(16), kernelSize: 5, activation: 'relu' }),
    new MaxPooling2D(),
    new Flatten(),
    new Dense({ units: units(120), activation: 'relu' }),
    new Dense({ units: units(84), activation: 'relu' }),
    new Dense({ units: 10, activation: 'softmax' }),
  ])
  model.compile({
    optimizer: new Adam({ learningRate: 0.002 }),
    loss: 'sparseCategoricalCrossentropy',
    metrics: ['accuracy'],
  })
  return model
}

const epoch = (model) => model.fit(learning.x, learning.y, { batchSize: BATCH_SIZE, verbose: 0 })
const accuracyOn = async (model, { x, y }) => (await model.evaluate(x, y, { batchSize: 250 })).accuracy

async function forEpochs(model, epochs) {
  for (let i = 0; i < epochs; i++) await epoch(model)
  return model
}

/** Trains until the validation digits reach the goal, or the plan ends. */
async function untilGoal(model) {
  for (let done = 0; done < PLANNED_EPOCHS; done++) {
    await epoch(model)
    if ((await accuracyOn(model, validation)) >= GOAL) break
  }
  return model
}

/** Trains until the validation digits are not read better for two epochs, and returns to the best. */
async function untilNoGain(model) {
  const stopping = new EarlyStopping({ monitor: 'valAccuracy', patience: 2, restoreBestWeights: true })
  await model.fit(learning.x, learning.y, {
    epochs: PLANNED_EPOCHS,
    batchSize: BATCH_SIZE,
    validationData: [validation.x, validation.y],
    callbacks: [stopping],
    verbose: 0,
  })
  return model
}

const SHORT = PLANNED_EPOCHS / 2
const goal = `ended at ${percent(GOAL, 0)}`
const ways = {
  [`whole network, ${PLANNED_EPOCHS} epochs`]: () => forEpochs(lenet(), PLANNED_EPOCHS),
  [`whole network, ${SHORT} epochs`]: () => forEpochs(lenet(), SHORT),
  'whole network, early stopping': () => untilNoGain(lenet()),
  [`whole network, ${goal}`]: () => untilGoal(lenet()),
  [`half the units pruned after an epoch, ${goal}`]: async () =>
    untilGoal(await pruneUnits(await forEpochs(lenet(), 1), { keep: 0.5 })),
  [`half the units from the start, ${PLANNED_EPOCHS} epochs`]: () => forEpochs(lenet(0.5), PLANNED_EPOCHS),
  [`half the units from the start, ${SHORT} epochs`]: () => forEpochs(lenet(0.5), SHORT),
  [`half the units from the start, ${goal}`]: () => untilGoal(lenet(0.5)),
}

// Excludes one-time work, such as allocating memory and compiling code.
setRandomSeed(0)
await epoch(lenet())

const rows = []
for (const [name, run] of Object.entries(ways)) {
  console.error(name)
  const runs = []
  for (let seed = 1; seed <= SEEDS; seed++) {
    setRandomSeed(seed)
    const { result: model, footprint } = await new EmissionsTracker().track(run)
    runs.push({ accuracy: 100 * (await accuracyOn(model, test)), footprint })
    model.dispose()
  }
  const of = (figure) => runs.map(({ footprint }) => footprint[figure].value)
  rows.push({
    name,
    accuracies: runs.map(({ accuracy }) => accuracy),
    gigaflops: of('flops').map((flops) => flops / 1e9),
    seconds: of('cpuSeconds'),
    joules: of('joules'),
    how: runs[0].footprint.joules,
  })
}

console.log(
  `${SEEDS === 1 ? 'One seed' : `Medians of ${SEEDS} seeds (least–greatest)`}. ${learning.y.length} digits train, ${validation.y.length} others decide when training ends, ${test.count} others are for testing. What decides is included in the cost.`,
)
const { how, from } = rows[0].how
console.log(`Joules are ${how}. ${from}.\n`)
console.log(`| | accuracy in % | GFLOP | CPU seconds | joules |\n|---|--:|--:|--:|--:|`)
for (const { name, accuracies, gigaflops, seconds, joules } of rows)
  console.log(
    `| ${name} | ${withRange(accuracies)} | ${withRange(gigaflops)} | ${median(seconds).toFixed(1)} | ${median(joules).toFixed(0)} |`,
  )

const [planned, , , ended, pruned, , , small] = rows.map(({ gigaflops }) => median(gigaflops))
const cheapest = ['Ending at the goal', 'Pruning', 'The network that is small from the start'][
  [ended, pruned, small].indexOf(Math.min(ended, pruned, small))
]
const parts = [ended, pruned, small].map((each) => percent(each / planned, 0))
console.log(
  `\nOf the FLOPs of ${PLANNED_EPOCHS} epochs, ending at the goal takes ${parts[0]}, pruning as well ${parts[1]}, half the units from the start ${parts[2]}. ${cheapest} costs least.`,
)
const columns = {
  gigaflops: rows.map((row) => median(row.gigaflops)),
  accuracy: rows.map((row) => median(row.accuracies)),
}
await savePicture(
  'energy',
  plotHistory(columns, { title: 'The cost of each plan', xLabel: 'plan, in the order of the table' }),
)
claim({
  [`every plan reads ${percent(GOAL - SLACK, 1)} of the test digits`]: rows.every(
    ({ accuracies }) => median(accuracies) >= 100 * (GOAL - SLACK),
  ),
  'to end at the goal costs at most half the FLOPs': ended <= planned / 2,
  'with units pruned as well': pruned <= planned / 2,
})
