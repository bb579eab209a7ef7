// The small network of the demo, 8→10→8→1 on penguins, from the first step to its energy use: train it within a budget,
// check the health of its units, prune it, quantize it, and explain its predictions. Prints accuracy, size, FLOPs,
// microseconds and joules before and after, what follows from them, and an energy label; docs/balance.md explains it.
//
// Baselines: the network before, and a constant answer, about 50 %. Result: each network is right for more than 80 % of the
// held-out birds, the pruned one with fewer operations. Run it with `npm run demo:balance`; `node examples/balance --seeds 20`
// trains 20 networks and prints how many of their units never fire.

import { Adam, Dense, Sequential, setRandomSeed } from 'myelin'
import { UnitHealth } from 'myelin/balance'
import { integratedGradients, shapleyValues } from 'myelin/explain'
import { plotAttributions } from 'myelin/plot'
import { Budget, EmissionsTracker, energyLabel, ledger, pruneUnits, quantize } from 'myelin/thrift'
import { readPenguins } from '../data/penguins.js'
import { median, quantile, withRange } from '../data/statistics.js'
import { claim, percent, readOptions, savePicture } from '../shared/report.js'

const SEED = 1
const BUDGET = 10e6 // floating-point operations
const { seeds } = readOptions({ seeds: 1 })
const { train, test, names } = readPenguins({ seed: SEED, testPart: 0.25 })

async function trained(seed) {
  setRandomSeed(seed)
  const model = new Sequential(
    [
      new Dense({ units: 10, activation: 'relu', inputShape: [8], name: 'first' }),
      new Dense({ units: 8, activation: 'relu', name: 'second' }),
      new Dense({ units: 1, activation: 'sigmoid', name: 'answer' }),
    ],
    { name: 'penguins' },
  )
  model.compile({ optimizer: new Adam({ learningRate: 0.01 }), loss: 'binaryCrossentropy', metrics: ['accuracy'] })
  const [budget, tracker, health] = [
    new Budget({ flops: BUDGET }),
    new EmissionsTracker(),
    new UnitHealth({ every: 8 }),
  ]
  await model.fit(train.x, train.y, { epochs: 1000, verbose: 0, callbacks: [budget, tracker, health] })
  return { model, budget, tracker, health }
}
/** The share of the units of a layer that never fire. */
const deadIn = ({ records }, name) => records.at(-1).layers.find(({ layer }) => layer === name).dead

// 1. Train. The budget ends training, not a number of epochs.
const { model, budget, tracker, health } = await trained(SEED)
console.log('1. Train within a budget')
console.log(`   stopped by the budget of ${(BUDGET / 1e6).toFixed(0)} MFLOP: ${budget.ended !== null}`)
console.log(`   ${tracker.footprint}\n`)

// 2. Check the units.
console.log('2. Health of the units')
console.log(`${health.table().replace(/^/gm, '   ')}\n`)
const dead = { first: deadIn(health, 'first'), second: deadIn(health, 'second') }
console.log(
  `   Of this network, ${percent(dead.first, 0)} of the first layer and ${percent(dead.second, 0)} of the second never fire.`,
)
if (seeds > 1) {
  const shares = []
  for (let seed = 1; seed <= seeds; seed++) {
    const each = await trained(seed)
    shares.push(100 * deadIn(each.health, 'second'))
    each.model.dispose()
  }
  const many = shares.filter((share) => share > 100 / 3).length
  console.log(
    `   Of ${seeds} seeds, the median of the second layer is ${withRange(shares, 0)} %; more than a third in ${many}.`,
  )
}
console.log()

// 3. Prune units, as far as the training birds allow, then fine-tune for an epoch or two.
const smaller = await pruneUnits(model, { maxLoss: 0.02, monitor: 'accuracy', by: 'utility', x: train.x, y: train.y })
await smaller.fit(train.x, train.y, { epochs: 10, verbose: 0 })
const widths = (of) => of.layers.map(({ units }) => units).join('→')
console.log(`3. Prune: 8→${widths(model)} becomes 8→${widths(smaller)}\n`)

// 4. Quantize the weights to bytes.
const bytes = quantize(smaller, { calibration: train.x })

// 5. Compare. Models are measured in turn, so that a change of the machine's speed affects all of them.
const ROUNDS = 15
const models = [model, smaller, bytes]
const rows = Array.from({ length: 1000 }, () => test.x).flat()
const times = models.map(() => [])
const energies = models.map(() => [])
const how = new Set()
// The first round is a warm-up.
for (let round = 0; round <= ROUNDS; round++) {
  for (const [i, each] of models.entries()) {
    const one = [test.x[0]]
    const start = performance.now()
    for (let n = 0; n < 2000; n++) each.predictOnBatch(one)
    const microseconds = (performance.now() - start) / 2
    const { footprint } = await new EmissionsTracker().track(() => each.predict(rows, { batchSize: 1000 }))
    if (round === 0) continue
    times[i].push(microseconds)
    energies[i].push((1e6 * footprint.joules.value) / rows.length)
    how.add(footprint.joules.how)
  }
}
const results = []
for (const [i, of] of models.entries()) {
  const { accuracy } = await of.evaluate(test.x, test.y)
  results.push({
    accuracy: percent(accuracy),
    parameters: of.countParams(),
    weights: of.weights.reduce((sum, { byteLength }) => sum + byteLength, 0),
    file: (await of.save(undefined, { includeOptimizer: false })).length,
    flops: ledger(of, { batchSize: 1 }).prediction.flops,
    microseconds: median(times[i]).toFixed(2),
    joules: median(energies[i]).toFixed(2),
  })
}
const sources = [...how].map((each) => (each === 'estimated' ? 'estimated: CPU seconds × 12 W' : each)).join(', ')
console.log(
  `4. Before and after: ${test.birds.length} held-out birds; joules ${sources}; medians of ${ROUNDS} rounds\n`,
)
console.log('   |                      |  trained |   pruned | and int8 |\n   |---|--:|--:|--:|')
const line = (title, key) =>
  console.log(`   | ${title.padEnd(20)} | ${results.map((each) => String(each[key]).padStart(8)).join(' | ')} |`)
line('accuracy', 'accuracy')
line('parameters', 'parameters')
line('bytes of weights', 'weights')
line('bytes of the file', 'file')
line('FLOPs per prediction', 'flops')
line('µs per prediction', 'microseconds')
line('µJ, one of 1,000', 'joules')

/** Compares the costs of two models: how many times as much the second one costs, if at least three quarters of the rounds agree. */
function verdict(name, before, after, less, more) {
  const ratios = after.map((each, i) => each / before[i])
  const [low, middle, high] = [0.25, 0.5, 0.75].map((share) => quantile(ratios, share))
  const word = high < 0.95 ? less : low > 1.05 ? more : 'level'
  return { text: `${name} ${middle.toFixed(2)} × (${word})`, word }
}
const verdicts = {
  pruned: [
    verdict('time', times[0], times[1], 'faster', 'slower'),
    verdict('energy', energies[0], energies[1], 'less', 'more'),
  ],
  int8: [
    verdict('time', times[1], times[2], 'faster', 'slower'),
    verdict('energy', energies[1], energies[2], 'less', 'more'),
  ],
}
const pays = (list) => list.some(({ word }) => word === 'faster' || word === 'less')
const costs = (list) => list.some(({ word }) => word === 'slower' || word === 'more')
const conclude = (list) =>
  costs(list) ? (pays(list) ? 'it is a trade' : 'it does not pay') : pays(list) ? 'it pays' : 'it changes little'
console.log('\n   What follows, as measured here:')
console.log(`   pruning: ${verdicts.pruned.map(({ text }) => text).join(', ')}; ${conclude(verdicts.pruned)}.`)
console.log(
  `   int8 after pruning: ${verdicts.int8.map(({ text }) => text).join(', ')}, file ${(results[2].file / results[1].file).toFixed(2)} ×; ${conclude(verdicts.int8)} at this size.`,
)

// 6. Explain: the exact contributions of the eight inputs to one prediction, relative to the average bird.
const bird = test.birds[0]
const why = await shapleyValues(smaller, [test.x[0]], { background: train.x, logits: true })
const path = await integratedGradients(smaller, [test.x[0]], { logits: true, tolerance: 1e-4 })
const answer = smaller.predictOnBatch([test.x[0]]).data[0]
const values = [...why.attributions.data]
console.log(
  `\n5. Why is ${bird.species}, ${bird.body_mass_g} g, a male with probability ${answer.toFixed(2)}? (It is ${bird.sex}.) In log-odds, relative to the other birds:`,
)
for (const i of values.map((_, i) => i).sort((a, b) => Math.abs(values[b]) - Math.abs(values[a]))) {
  console.log(
    `   ${names[i].padEnd(18)} ${values[i] >= 0 ? '+' : '−'}${Math.abs(values[i]).toFixed(3)}  ${(values[i] >= 0 ? '▇' : '░').repeat(Math.round((12 * Math.abs(values[i])) / Math.max(...values.map(Math.abs))))}`,
  )
}
const worstGap = (gap) => Math.max(...[...gap.data].map(Math.abs))
console.log(
  `   The contributions add up to the prediction: Shapley values within ${worstGap(why.gap).toExponential(0)}, integrated gradients within ${worstGap(path.gap).toExponential(0)}.`,
)

const accuracies = results.map(({ accuracy }) => parseFloat(accuracy))
const constant = Math.max(...[0, 1].map((sex) => test.y.filter(([each]) => each === sex).length)) / test.y.length
console.log(`\nA constant answer is right for ${percent(constant)}.`)
await savePicture('balance', plotAttributions(why, { names, title: `${bird.species}: contributions to male` }))
await savePicture(
  'balance-label',
  await energyLabel(model, { x: test.x, y: test.y, training: tracker.footprint, names }),
)
claim({
  'every model is right for at least 80 % of the birds': accuracies.every((accuracy) => accuracy >= 80),
  'the explanations add up to the predictions': worstGap(why.gap) <= 1e-5 && worstGap(path.gap) <= 1e-4,
  'the pruned model needs fewer operations': results[1].flops < results[0].flops,
})
