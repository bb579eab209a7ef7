// The small network of the demo, 8→10→8→1 on penguins, from the first step to its energy use: train it within a budget,
// check the health of its units, prune it, quantize it, and explain its predictions. Prints accuracy, size, FLOPs,
// microseconds and joules before and after; docs/balance.md explains it.
//
// Baselines: the network before, and a constant answer, about 50 %. Result: each network is right for more than 80 % of the
// held-out birds, the pruned one with fewer operations. Run it with `npm run demo:balance`.

import { Adam, Dense, Sequential, setRandomSeed } from 'myelin'
import { UnitHealth } from 'myelin/balance'
import { integratedGradients, shapleyValues } from 'myelin/explain'
import { plotAttributions } from 'myelin/plot'
import { Budget, EmissionsTracker, ledger, pruneUnits, quantize } from 'myelin/thrift'
import { readPenguins } from '../data/penguins.js'
import { claim, percent, savePicture } from '../shared/report.js'

const SEED = 1
const BUDGET = 10e6 // floating-point operations
const { train, test, names } = readPenguins({ seed: SEED, testPart: 0.25 })

// 1. Train. The budget ends training, not a number of epochs.
setRandomSeed(SEED)
const model = new Sequential(
  [
    new Dense({ units: 10, activation: 'relu', inputShape: [8], name: 'first' }),
    new Dense({ units: 8, activation: 'relu', name: 'second' }),
    new Dense({ units: 1, activation: 'sigmoid', name: 'answer' }),
  ],
  { name: 'penguins' },
)
model.compile({ optimizer: new Adam({ learningRate: 0.01 }), loss: 'binaryCrossentropy', metrics: ['accuracy'] })
const [budget, tracker, health] = [new Budget({ flops: BUDGET }), new EmissionsTracker(), new UnitHealth({ every: 8 })]
await model.fit(train.x, train.y, { epochs: 1000, verbose: 0, callbacks: [budget, tracker, health] })
console.log('1. Train within a budget')
console.log(`   stopped by the budget of ${(BUDGET / 1e6).toFixed(0)} MFLOP: ${budget.ended !== null}`)
console.log(`   ${tracker.footprint}\n`)

// 2. Check the units.
console.log('2. Health of the units')
console.log(`${health.table().replace(/^/gm, '   ')}\n`)

// 3. Prune units, as far as the training birds allow, then fine-tune for an epoch or two.
const smaller = await pruneUnits(model, { maxLoss: 0.02, monitor: 'accuracy', by: 'utility', x: train.x, y: train.y })
await smaller.fit(train.x, train.y, { epochs: 10, verbose: 0 })
const widths = (of) => of.layers.map(({ units }) => units).join('→')
console.log(`3. Prune: 8→${widths(model)} becomes 8→${widths(smaller)}\n`)

// 4. Quantize the weights to bytes.
const bytes = quantize(smaller, { calibration: train.x })

// 5. Compare.
async function measure(of) {
  const rows = Array.from({ length: 1000 }, () => test.x).flat()
  await of.predict(rows, { batchSize: 1000 })
  const { footprint } = await new EmissionsTracker().track(() => of.predict(rows, { batchSize: 1000 }))
  const one = [test.x[0]]
  let least = Infinity
  for (let i = 0; i < 2000; i++) {
    const start = performance.now()
    of.predictOnBatch(one)
    least = Math.min(least, performance.now() - start)
  }
  const { accuracy } = await of.evaluate(test.x, test.y)
  return {
    accuracy: percent(accuracy),
    parameters: of.countParams(),
    weights: of.weights.reduce((sum, { byteLength }) => sum + byteLength, 0),
    flops: ledger(of, { batchSize: 1 }).prediction.flops,
    microseconds: (1000 * least).toFixed(1),
    joules: ((1e6 * footprint.joules.value) / rows.length).toFixed(2),
    how: footprint.joules.how,
  }
}
// The first measurement is a warm-up.
await measure(model)
const results = [await measure(model), await measure(smaller), await measure(bytes)]
console.log(`4. Before and after: ${test.birds.length} held-out birds; joules ${results[0].how}\n`)
console.log('   |                      |  trained |   pruned | and int8 |\n   |---|--:|--:|--:|')
const line = (title, key) =>
  console.log(`   | ${title.padEnd(20)} | ${results.map((each) => String(each[key]).padStart(8)).join(' | ')} |`)
line('accuracy', 'accuracy')
line('parameters', 'parameters')
line('bytes of weights', 'weights')
line('FLOPs per prediction', 'flops')
line('µs per prediction', 'microseconds')
line('µJ, one of 1,000', 'joules')

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
claim({
  'every model is right for at least 80 % of the birds': accuracies.every((accuracy) => accuracy >= 80),
  'the explanations add up to the predictions': worstGap(why.gap) <= 1e-5 && worstGap(path.gap) <= 1e-4,
  'the pruned model needs fewer operations': results[1].flops < results[0].flops,
})
