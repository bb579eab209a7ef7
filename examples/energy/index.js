// The cost of reading 97 of 100 digits: FLOPs, CPU seconds and joules until a LeNet reaches this accuracy on test
// digits, when it is trained for all planned epochs (the baseline), stopped at the goal, pruned to half its units after the
// first epoch, or built with half of them.
//
// Result: at most half the FLOPs when training stops at the goal. Run it after `npm run build` with `node examples/energy`;
// `--seeds 1` takes a fifth of the time, and `--quick` reads 94 of 100 digits after half the training digits.

import { Adam, Conv2D, Dense, Flatten, MaxPooling2D, Sequential, setRandomSeed } from 'myelin'
import { plotHistory } from 'myelin/plot'
import { EmissionsTracker, pruneUnits } from 'myelin/thrift'
import { readDigits } from '../data/digits.js'
import { median } from '../data/statistics.js'
import { claim, percent, readOptions, savePicture } from '../shared/report.js'

const { seeds, quick } = readOptions({ seeds: 5, quick: false })
const GOAL = quick ? 0.94 : 0.97
const PLANNED_EPOCHS = quick ? 6 : 10
const SEEDS = quick ? 1 : seeds
const BATCH_SIZE = 32

const { train, test } = readDigits([28, 28, 1])
const COUNT = quick ? train.count / 2 : train.count
const x = { data: train.x.data.subarray(0, COUNT * 28 * 28), shape: [COUNT, 28, 28, 1] }
const y = train.y.subarray(0, COUNT)

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

const epoch = (model) => model.fit(x, y, { batchSize: BATCH_SIZE, verbose: 0 })
const accuracyOf = async (model) => (await model.evaluate(test.x, test.y, { batchSize: 250 })).accuracy

/** Trains epoch by epoch until the goal is reached or the plan ends. */
async function untilGoal(model, epochs = PLANNED_EPOCHS) {
  let accuracy = 0
  for (let done = 0; done < epochs && accuracy < GOAL; done++) {
    await epoch(model)
    accuracy = await accuracyOf(model)
  }
  return accuracy
}

const ways = {
  [`as long as planned, ${PLANNED_EPOCHS} epochs`]: async () => {
    const model = lenet()
    for (let i = 0; i < PLANNED_EPOCHS; i++) await epoch(model)
    return accuracyOf(model)
  },
  [`ended at ${percent(GOAL, 0)}`]: () => untilGoal(lenet()),
  [`half the units pruned after an epoch, ended at ${percent(GOAL, 0)}`]: async () => {
    const model = lenet()
    await epoch(model)
    return untilGoal(await pruneUnits(model, { keep: 0.5 }))
  },
  [`half the units from the start, ended at ${percent(GOAL, 0)}`]: () => untilGoal(lenet(0.5)),
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
    const { result: accuracy, footprint } = await new EmissionsTracker().track(run)
    runs.push({ accuracy, footprint })
  }
  const of = (figure) => median(runs.map(({ footprint }) => footprint[figure].value))
  rows.push({
    name,
    accuracy: median(runs.map(({ accuracy }) => accuracy)),
    gigaflops: of('flops') / 1e9,
    seconds: of('cpuSeconds'),
    joules: of('joules'),
    how: runs[0].footprint.joules.how,
  })
}

const [first] = rows
console.log(`Medians of ${SEEDS} seed${SEEDS === 1 ? '' : 's'}; joules ${first.how}; evaluations are included.\n`)
console.log(`| | accuracy on ${test.count} held-out digits | GFLOP | CPU seconds | joules |\n|---|--:|--:|--:|--:|`)
for (const { name, accuracy, gigaflops, seconds, joules } of rows) {
  console.log(
    `| ${name} | ${(100 * accuracy).toFixed(1)} % | ${gigaflops.toFixed(1)} | ${seconds.toFixed(1)} | ${joules.toFixed(0)} |`,
  )
}

const [planned, ended, pruned] = rows
const columns = { gigaflops: rows.map((row) => row.gigaflops), cpuSeconds: rows.map((row) => row.seconds) }
await savePicture(
  'energy',
  plotHistory(columns, { title: 'The cost of each way', xLabel: 'way, in the order of the table' }),
)
claim({
  [`every way reaches ${percent(GOAL, 0)}`]: rows.every(({ accuracy }) => accuracy >= GOAL),
  'to stop at the goal costs at most half the FLOPs': ended.gigaflops <= planned.gigaflops / 2,
  'with units pruned as well': pruned.gigaflops <= planned.gigaflops / 2,
})
