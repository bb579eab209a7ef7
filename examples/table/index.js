// A table without any settings: `tableModel` examines the columns of a CSV file with missing values, encodes each, and makes a
// model of the species of a penguin. It answers for one bird with a missing value, and shows the importance of each column.
//
// Baseline: the most frequent species, 44 %. Result: above 95 % of 83 held-out birds.
// Run it after `npm run build` with `node examples/table`. examples/penguins makes such a model of single layers.

import { loadModel, setRandomSeed } from 'myelin'
import { readCsv, tableModel, trainTestSplit } from 'myelin/data'
import { plotConfusionMatrix, textConfusionMatrix } from 'myelin/plot'
import { claim, percent, printTable, savePicture } from '../shared/report.js'

const LEAST_ACCURACY = 0.95
const target = 'species'

setRandomSeed(1)
const rows = await readCsv(new URL('../data/penguins.csv', import.meta.url)).toArray()
// One bird in ten was not weighed.
const birds = rows.map((row, i) => (i % 10 === 0 ? { ...row, body_mass_g: null } : row))
const [train, test] = trainTestSplit(birds, { testSize: 83, stratify: birds.map((bird) => bird[target]), seed: 1 })

// The whole program: a model of the columns, its training, and an answer for one bird.
const model = await tableModel(train, { target })
await model.fit(train, { epochs: 60, verbose: 0 })
const bird = { island: 'Biscoe', bill_length_mm: 47, bill_depth_mm: 15, flipper_length_mm: 216, sex: 'female' }
console.log('\nOne bird, not weighed:', await model.predict({ ...bird, body_mass_g: null }, { labels: true }))

const expected = test.map((row) => model.classNames.indexOf(row[target]))
/** The share of right answers, and the classes that were answered. */
async function answersTo(rows) {
  const labels = (await model.predict(rows, { labels: true })).map(({ label }) => model.classNames.indexOf(label))
  return { labels, accuracy: labels.filter((label, i) => label === expected[i]).length / labels.length }
}
const { labels, accuracy } = await answersTo(test)
const counts = model.classNames.map((_, k) => expected.filter((label) => label === k).length)
const baseline = Math.max(...counts) / test.length

// Importance: the loss of accuracy if the values of a column are those of other birds.
const importance = []
for (const column of Object.keys(bird).concat('body_mass_g')) {
  const shuffled = test.map((row, i) => ({ ...row, [column]: test[(i + 29) % test.length][column] }))
  importance.push([column, percent(accuracy - (await answersTo(shuffled)).accuracy)])
}
printTable([['column', 'lost without it'], ...importance])
console.log(
  `\n${percent(accuracy)} of ${test.length} held-out birds; the most frequent species would be ${percent(baseline)}`,
)

const names = model.classNames
const matrix = names.map((_, k) =>
  names.map((__, answer) => expected.filter((label, i) => label === k && labels[i] === answer).length),
)
console.log(`\n${textConfusionMatrix(matrix, { names })}\n`)
await savePicture('table', plotConfusionMatrix(matrix, { names, title: 'Species of 83 penguins' }))

// The file has the columns, how they are encoded, and the names of the classes.
const again = await loadModel(await model.save())
const { label } = await again.predict({ ...bird, body_mass_g: null }, { labels: true })
claim({
  'the loaded model answers Gentoo': label === 'Gentoo',
  [`above ${percent(LEAST_ACCURACY, 0)} of the held-out birds`]: accuracy > LEAST_ACCURACY,
  'more than the most frequent species': accuracy > baseline,
})
