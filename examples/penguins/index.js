// Tells male from female penguins by four measurements, the species and the island.
// Run it with `npm run demo`, or after a build with `node examples/penguins`.

import { readFileSync } from 'node:fs'
import { Adam, Dense, Sequential, random, setRandomSeed } from 'myelin'

const SEED = 1
const EPOCHS = 25
const TEST_PART = 0.25
const MEASUREMENTS = ['bill_length_mm', 'bill_depth_mm', 'flipper_length_mm', 'body_mass_g']
const CATEGORIES = ['species', 'island']

// 1. Read the birds, and put them in a random order that is the same in every run: the file is sorted by species.
const text = readFileSync(new URL('../data/penguins.csv', import.meta.url), 'utf8')
const [header, ...lines] = text.trim().split('\n')
const columns = header.split(',')
const birds = lines.map((line) => Object.fromEntries(line.split(',').map((value, i) => [columns[i], value])))
const shuffled = Array.from(random.permutation(birds.length, SEED), (i) => birds[i])

// 2. Keep a quarter apart. Nothing below may learn anything from these birds.
const testCount = Math.round(TEST_PART * shuffled.length)
const train = shuffled.slice(testCount)
const test = shuffled.slice(0, testCount)

// 3. Numbers of the same size: measurements in standard deviations from the mean, both of the training birds only.
const scales = MEASUREMENTS.map((name) => {
  const values = train.map((bird) => Number(bird[name]))
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
  return (bird) => (Number(bird[name]) - mean) / Math.sqrt(variance)
})

// 4. Categories as one column per level but the first, which is "all zeros": 3 species → 2 columns, 3 islands → 2.
const levels = CATEGORIES.map((name) => ({ name, rest: [...new Set(train.map((bird) => bird[name]))].sort().slice(1) }))

const toInputs = (bird) => [
  ...scales.map((scale) => scale(bird)),
  ...levels.flatMap(({ name, rest }) => rest.map((level) => Number(bird[name] === level))),
]
const toLabel = (bird) => [Number(bird.sex === 'male')]
const [xTrain, yTrain] = [train.map(toInputs), train.map(toLabel)]
const [xTest, yTest] = [test.map(toInputs), test.map(toLabel)]

// 5. The model.
setRandomSeed(SEED)
const model = new Sequential([
  new Dense({ units: 10, activation: 'relu', inputShape: [8] }),
  new Dense({ units: 8, activation: 'relu' }),
  new Dense({ units: 1, activation: 'sigmoid' }),
])
// Ten times the default learning rate: an epoch of so few birds has eight steps only.
model.compile({ optimizer: new Adam({ learningRate: 0.01 }), loss: 'binaryCrossentropy', metrics: ['accuracy'] })

console.log(`${birds.length} penguins: ${train.length} to learn from, ${test.length} kept apart\n`)
model.summary()
console.log()

// 6. Learn, then look at the birds that were kept apart.
const batchSize = 32
await model.fit(xTrain, yTrain, { epochs: EPOCHS, batchSize })

const { loss, accuracy } = await model.evaluate(xTest, yTest)
const probabilities = (await model.predict(xTest)).data

console.log('\nSome of the birds kept apart')
console.log('  species    island     bill          flipper  mass     P(male)  predicted  truth')
for (const [i, bird] of test.slice(0, 8).entries()) {
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
const males = yTest.filter(([label]) => label === 1).length
const baseline = Math.max(males, testCount - males) / testCount
const percent = (fraction) => `${(100 * fraction).toFixed(1).padStart(5)} %`

console.log(`\nOn the ${testCount} birds kept apart`)
console.log(`  accuracy              ${percent(accuracy)}   (loss ${loss.toFixed(3)})`)
console.log(`  always "${males * 2 > testCount ? 'male' : 'female'}"`.padEnd(24) + percent(baseline))

// Once more, without progress bar, to see how long a step takes.
const epochs = 500
const started = performance.now()
await model.fit(xTrain, yTrain, { epochs, batchSize, verbose: 0 })
const milliseconds = performance.now() - started
const steps = epochs * Math.ceil(train.length / batchSize)
console.log(`\nTime per training step: ${((1000 * milliseconds) / steps).toFixed(1)} µs (${steps.toLocaleString('en-US')} steps without progress bar, shuffling and metrics included)`)

if (accuracy < Math.max(0.85, baseline + 0.2)) {
  console.error('The model should be right far more often than the baseline: something is broken.')
  process.exitCode = 1
}
