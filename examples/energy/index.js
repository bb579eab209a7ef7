// The cost of reading 97 of 100 digits: FLOPs, CPU seconds and joules until a LeNet reaches this accuracy on test
// digits, when it is trained for all planned epochs, stopped at the goal, pruned to half its units after the first
// epoch, or built with half of them. Run it after `npm run build` with `node examples/energy`; `--seeds 1` takes a
// fifth of the time.

import { Adam, Conv2D, Dense, Flatten, MaxPooling2D, Sequential, setRandomSeed } from 'myelin'
import { EmissionsTracker, pruneUnits } from 'myelin/thrift'
import { readDigits } from '../data/digits.js'

const GOAL = 0.97
const PLANNED_EPOCHS = 10
const BATCH_SIZE = 32
const option = process.argv.indexOf('--seeds')
const SEEDS = option < 0 ? 5 : Number(process.argv[option + 1])

const { train, test } = readDigits([28, 28, 1])

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

const epoch = (model) => model.fit(train.x, train.y, { batchSize: BATCH_SIZE, verbose: 0 })
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
  'as long as planned, 10 epochs': async () => {
    const model = lenet()
    for (let i = 0; i < PLANNED_EPOCHS; i++) await epoch(model)
    return accuracyOf(model)
  },
  'ended at 97 %': () => untilGoal(lenet()),
  'half the units pruned after an epoch, ended at 97 %': async () => {
    const model = lenet()
    await epoch(model)
    return untilGoal(await pruneUnits(model, { keep: 0.5 }))
  },
  'half the units from the start, ended at 97 %': () => untilGoal(lenet(0.5)),
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]

// Excludes one-time work, such as allocating memory and compiling code.
setRandomSeed(0)
await epoch(lenet())

const rows = []
for (const [name, run] of Object.entries(ways)) {
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
if (
  rows.some(({ accuracy }) => accuracy < GOAL) ||
  ended.gigaflops > planned.gigaflops / 2 ||
  pruned.gigaflops > planned.gigaflops / 2
) {
  console.error(`\nExpected ${100 * GOAL} % for every method, and half the FLOPs when training stops at the goal`)
  process.exitCode = 1
}
