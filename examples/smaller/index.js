// Five ways to a smaller network for digits, each by itself: fewer units, small from the start, fewer weights, low rank, and
// training by a larger network. 8,000 digits train, and 2,000 others give the accuracy. Nothing is chosen by the results: all of them are printed.
//
// Baseline: 784→304→10 after five epochs, 95.6 %. Result: with half the units and one more epoch it is as accurate. Run it after
// `npm run build` with `node examples/smaller`; `--quick` has one seed and the parts of the claims.

import { Adam, Dense, Sequential, setRandomSeed } from 'myelin'
import { MagnitudePruning, distill, ledger, lowRank, pruneUnits } from 'myelin/thrift'
import { plotModel } from 'myelin/plot'
import { readDigits } from '../data/digits.js'
import { median, withRange } from '../data/statistics.js'
import { claim, printTable, readOptions, savePicture } from '../shared/report.js'
import { speedup } from '../shared/speed.js'

const { seeds, quick } = readOptions({ seeds: 5, quick: false })
const SEEDS = quick ? 1 : seeds
const [PIXELS, LARGE, TINY] = [784, 304, 16]
const { train, test } = readDigits([PIXELS])
/** The first digits: the few that have labels. */
const FEW = 1000
const few = { x: { data: train.x.data.subarray(0, FEW * PIXELS), shape: [FEW, PIXELS] }, y: train.y.subarray(0, FEW) }
const batch = { data: test.x.data.subarray(0, 32 * PIXELS), shape: [32, PIXELS] }

const compiled = (model) => {
  model.compile({ optimizer: new Adam(0.001), loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] })
  return model
}
function network(units, seed) {
  setRandomSeed(seed)
  return compiled(
    new Sequential([
      new Dense({ units, activation: 'relu', inputShape: [PIXELS] }),
      new Dense({ units: 10, activation: 'softmax' }),
    ]),
  )
}
async function trained(model, epochs, { x, y } = train, callbacks = []) {
  await model.fit(x, y, { epochs, verbose: 0, callbacks })
  return model
}
const accuracyOf = async (model) => 100 * (await model.evaluate(test.x, test.y, { verbose: 0 })).accuracy

/** The accuracies of each way, by its name. */
const results = {}
async function note(name, model) {
  const accuracy = await accuracyOf(await model)
  ;(results[name] ??= []).push(accuracy)
}
const speeds = {}
const measure = (name, before, after) => (speeds[name] ??= speedup(before, after, batch))

async function fewerUnits(large, seed) {
  await note('304 units, 5 epochs', large)
  const copy = await pruneUnits(large, { keep: 1 })
  await note('304 units, one more epoch', trained(copy, 1))
  for (const units of quick ? [152] : [152, 38]) {
    for (const by of quick ? ['magnitude'] : ['magnitude', 'taylor', 'utility']) {
      const data = by === 'magnitude' ? {} : by === 'utility' ? { x: train.x } : { x: train.x, y: train.y }
      const small = await pruneUnits(large, { keep: units / LARGE, by, ...data })
      measure(`${units} units`, large, small)
      await note(`${units} units by ${by}`, small)
      await note(`${units} units by ${by}, one more epoch`, trained(small, 1))
      small.dispose()
    }
    if (quick) continue
    await note(`${units} units from the start, 6 epochs`, trained(network(units, seed), 6))
    // As many FLOPs as five epochs of the large network and one of the small one.
    const [costly, cheap] = [large, network(units, seed)].map((each) => ledger(each, { batchSize: 32 }).training.flops)
    const epochs = Math.round((5 * costly + cheap) / cheap)
    await note(`${units} units from the start, ${epochs} epochs`, trained(network(units, seed), epochs))
  }
}

async function fewerWeights(seed) {
  for (const share of [0, 0.8, 0.9]) {
    const callbacks = share === 0 ? [] : [new MagnitudePruning({ finalSparsity: share })]
    await note(`${100 * share} % zeros, 6 epochs`, trained(network(LARGE, seed), 6, train, callbacks))
  }
}

async function narrow(large) {
  const [hidden] = large.layers
  for (const rank of [32, 16]) {
    const thin = compiled(lowRank(large, { rank, layers: [hidden.name] }))
    measure(`rank ${rank}`, large, thin)
    await note(`rank ${rank}`, thin)
    await note(`rank ${rank}, one more epoch`, trained(thin, 1))
    thin.dispose()
  }
}

async function taught(seed) {
  const teacher = await trained(network(LARGE, seed), 12)
  await note('the teacher, 304 units, 12 epochs', teacher)
  for (const [name, data, epochs] of [
    ['8,000 digits', train, 12],
    ['1,000 digits', few, 60],
  ]) {
    await note(`16 units, ${name}, no teacher`, trained(network(TINY, seed), epochs, data))
    for (const [how, options] of Object.entries({
      'T = 4': { temperature: 4, alpha: 0.1 },
      'T = 2': { temperature: 2, alpha: 0.1 },
      'T = 4, no labels': { temperature: 4, alpha: 0 },
    })) {
      const student = network(TINY, seed)
      const distiller = distill(teacher, student, options)
      await distiller.fit(data.x, data.y, { epochs, verbose: 0 })
      await note(`16 units, ${name}, ${how}`, student)
    }
  }
  teacher.dispose()
}

for (let seed = 1; seed <= SEEDS; seed++) {
  const large = await trained(network(LARGE, seed), 5)
  await fewerUnits(large, seed)
  if (!quick) {
    await fewerWeights(seed)
    await narrow(large)
    await taught(seed)
  }
  large.dispose()
  console.error(`seed ${seed}`)
}

console.log(`Accuracy on ${test.count} held-out digits in %, medians of ${SEEDS} seeds with the least and the greatest`)
printTable([['', 'accuracy'], ...Object.entries(results).map(([name, values]) => [name, withRange(values)])])
console.log('\nHow many times as fast a prediction of 32 rows is as with 304 units, quartiles of 61 rounds')
for (const [name, { low, median: middle, high }] of Object.entries(speeds))
  console.log(`  ${name.padEnd(10)} ${middle.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`)

const medians = Object.fromEntries(Object.entries(results).map(([name, values]) => [name, median(values)]))
const pruned = await pruneUnits(network(LARGE, 1), { keep: 0.5 })
await savePicture('smaller', plotModel(pruned, { ledger: ledger(pruned, { batchSize: 32 }), title: 'Half the units' }))
const [before, half] = ['304 units, 5 epochs', '152 units by magnitude, one more epoch'].map((name) => medians[name])
claim({
  'half the units and one more epoch: at most 0.3 points lost': half >= before - 0.3,
  'half the units: at least 1.3 × as fast': speeds['152 units'].median >= 1.3,
})
