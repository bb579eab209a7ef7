// Tells male from female penguins by four measurements, the species and the island.
// Run it with `npm run demo`, or after a build with `node examples/penguins`.

import { Adam, Dense, Sequential, setRandomSeed } from 'myelin'
import { readPenguins } from '../data/penguins.js'

const SEED = 1
const EPOCHS = 25

// 1. Read the birds as rows of eight numbers, and keep a quarter apart. Nothing may learn anything from these.
const { train, test } = readPenguins({ seed: SEED, testPart: 0.25 })
const testCount = test.birds.length

// 2. The model.
setRandomSeed(SEED)
const model = new Sequential([
  new Dense({ units: 10, activation: 'relu', inputShape: [8] }),
  new Dense({ units: 8, activation: 'relu' }),
  new Dense({ units: 1, activation: 'sigmoid' }),
])
// Ten times the default learning rate: an epoch of so few birds has eight steps only.
model.compile({ optimizer: new Adam({ learningRate: 0.01 }), loss: 'binaryCrossentropy', metrics: ['accuracy'] })

console.log(`${train.birds.length + testCount} penguins: ${train.birds.length} to learn from, ${testCount} kept apart\n`)
model.summary()
console.log()

// 3. Learn, then look at the birds that were kept apart.
const batchSize = 32
await model.fit(train.x, train.y, { epochs: EPOCHS, batchSize })

const { loss, accuracy } = await model.evaluate(test.x, test.y)
const probabilities = (await model.predict(test.x)).data

console.log('\nSome of the birds kept apart')
console.log('  species    island     bill          flipper  mass     P(male)  predicted  truth')
for (const [i, bird] of test.birds.slice(0, 8).entries()) {
  const predicted = probabilities[i] > 0.5 ? 'male' : 'female'
  const bill = `${bird.bill_length_mm} × ${bird.bill_depth_mm}`
  const cells = [
    bird.species.padEnd(11),
    bird.island.padEnd(11),
    bill.padEnd(14),
    `${bird.flipper_length_mm} mm`.padEnd(9),
    `${bird.body_mass_g} g`.padEnd(9),
    probabilities[i].toFixed(2).padEnd(9),
    predicted.padEnd(11),
    bird.sex,
    predicted === bird.sex ? '' : '  ✗',
  ]
  console.log(`  ${cells.join('')}`)
}

// What is right without looking at any measurement: always saying the more common answer.
const males = test.y.filter(([label]) => label === 1).length
const baseline = Math.max(males, testCount - males) / testCount
const percent = (fraction) => `${(100 * fraction).toFixed(1).padStart(5)} %`

console.log(`\nOn the ${testCount} birds kept apart`)
console.log(`  accuracy              ${percent(accuracy)}   (loss ${loss.toFixed(3)})`)
console.log(`  always "${males * 2 > testCount ? 'male' : 'female'}"`.padEnd(24) + percent(baseline))

// Once more, without progress bar, to see how long a step takes.
const epochs = 500
const started = performance.now()
await model.fit(train.x, train.y, { epochs, batchSize, verbose: 0 })
const milliseconds = performance.now() - started
const steps = epochs * Math.ceil(train.birds.length / batchSize)
console.log(`\nTime per training step: ${((1000 * milliseconds) / steps).toFixed(1)} µs (${steps.toLocaleString('en-US')} steps without progress bar, shuffling and metrics included)`)

if (accuracy < Math.max(0.85, baseline + 0.2)) {
  console.error('The model should be right far more often than the baseline: something is broken.')
  process.exitCode = 1
}
