// One network answers three questions about a penguin: its species, its sex and its weight, from its bill, its flippers
// and its island. The tasks share a trunk, and each has a head and a loss. Three networks with one question each are the comparison.
//
// Baselines: a constant answer, and a network for each question. Result: about 98 % of the species, 86 % of the sexes, 290 g
// of error (constant: 47 %, 49 %, 644 g), with 869 parameters instead of 2,357, in 1 s.
// Run it after `npm run build` with `node examples/multi-task`.

import { Adam, Dense, Dropout, Input, Model, setRandomSeed } from 'myelin'
import { plotModel } from 'myelin/plot'
import { readPenguins } from '../data/penguins.js'
import { mean, median } from '../data/statistics.js'
import { claim, percent, printTable, readOptions, savePicture, stopwatch } from '../shared/report.js'

const SPECIES = ['Adelie', 'Chinstrap', 'Gentoo']
const { seed, epochs } = readOptions({ seed: 1, epochs: 60 })

// The weight, which is the fourth column, is a target here; the species is in the columns after it, and the islands last.
const { train, test } = readPenguins({ seed, testPart: 0.25 })
const inputsOf = ({ x }) => x.map((row) => [...row.slice(0, 3), ...row.slice(6)])
const targetsOf = ({ birds }) => ({
  species: birds.map(({ species }) => SPECIES.indexOf(species)),
  sex: birds.map(({ sex }) => Number(sex === 'male')),
  kilograms: birds.map(({ body_mass_g }) => body_mass_g / 1000),
})
const [x, y, testX, testY] = [inputsOf(train), targetsOf(train), inputsOf(test), targetsOf(test)]

const heads = {
  species: { units: 3, activation: 'softmax', loss: 'sparseCategoricalCrossentropy', metric: 'accuracy' },
  sex: { units: 1, activation: 'sigmoid', loss: 'binaryCrossentropy', metric: 'accuracy' },
  kilograms: { units: 1, activation: 'linear', loss: 'meanSquaredError', metric: 'mae' },
}
const eachOf = (tasks, valueOf) => Object.fromEntries(tasks.map((task) => [task, valueOf(heads[task])]))

/** A trunk with a head for each task. */
function network(tasks) {
  const input = Input({ shape: [x[0].length], name: 'bird' })
  let hidden = new Dense({ units: 24, activation: 'relu' }).apply(input)
  hidden = new Dropout(0.1).apply(new Dense({ units: 24, activation: 'relu' }).apply(hidden))
  const outputs = eachOf(tasks, ({ units, activation }) => new Dense({ units, activation }).apply(hidden))
  const model = new Model({ inputs: input, outputs })
  model.compile({
    optimizer: new Adam({ learningRate: 0.005 }),
    loss: eachOf(tasks, ({ loss }) => loss),
    // The losses have different units; so weighted, all tasks move the trunk.
    lossWeights: eachOf(tasks, ({ units }) => (units === 1 ? 1 : 0.5)),
    metrics: eachOf(tasks, ({ metric }) => [metric]),
  })
  return model
}
/** The results on the held-out birds, by task. */
async function learn(tasks) {
  setRandomSeed(seed)
  const model = network(tasks)
  const pick = (targets) => Object.fromEntries(tasks.map((task) => [task, targets[task]]))
  await model.fit(x, pick(y), { epochs, batchSize: 32, verbose: tasks.length > 1 ? 2 : 0 })
  const logs = await model.evaluate(testX, pick(testY), { verbose: 0 })
  // With several outputs, the name of the output is part of a metric's name.
  const named = (task) =>
    tasks.length === 1 ? heads[task].metric : `${task}${heads[task].metric === 'mae' ? 'Mae' : 'Accuracy'}`
  return { model, weights: model.countParams(), ...Object.fromEntries(tasks.map((task) => [task, logs[named(task)]])) }
}

const seconds = stopwatch()
const together = await learn(Object.keys(heads))
const alone = { weights: 0 }
for (const task of Object.keys(heads)) {
  const { weights, ...results } = await learn([task])
  Object.assign(alone, results, { weights: alone.weights + weights })
}
console.log(`Trained four networks in ${seconds().toFixed(1)} s`)

// The baseline: the most frequent class of the training birds, and their median weight.
const counted = (values) => values.reduce((counts, value) => counts.set(value, (counts.get(value) ?? 0) + 1), new Map())
const mostFrequent = (values) => [...counted(values)].sort(([, a], [, b]) => b - a)[0][0]
const constant = {
  species: mean(testY.species.map((each) => Number(each === mostFrequent(y.species)))),
  sex: mean(testY.sex.map((each) => Number(each === mostFrequent(y.sex)))),
  kilograms: mean(testY.kilograms.map((each) => Math.abs(each - median(y.kilograms)))),
  weights: 0,
}
console.log(`\n${test.birds.length} held-out birds`)
const row = (name, { species, sex, kilograms, weights }) => [
  name,
  percent(species),
  percent(sex),
  `${(1000 * kilograms).toFixed(0)} g`,
  weights,
]
printTable([
  ['', 'species right', 'sex right', 'error of the weight', 'parameters'],
  row('a constant answer', constant),
  row('a network for each question', alone),
  row('one network', together),
])
await savePicture('multi-task', plotModel(together.model, { title: 'One trunk with three heads' }))
claim({
  'one network knows the species of 92 % and the sex of 72 %': together.species >= 0.92 && together.sex >= 0.72,
  'its error of the weight is at most 60 % of that of a constant': together.kilograms <= 0.6 * constant.kilograms,
  'it has half the parameters of three networks': together.weights <= alone.weights / 2,
})
