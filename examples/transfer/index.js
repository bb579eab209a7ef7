// Transfer learning: a network that Keras trained on the digits 0 to 4 (examples/data/digits-0-4.keras) is cut off before its head,
// frozen, and learns 5 to 9 from 50 images with augmentation.
//
// Baseline: the same network without pretraining. Result: above 75 %, and 5 points more than the baseline.
// Run it after `npm run build` with `node examples/transfer`; index.html does the same in a page.

import { fileURLToPath } from 'node:url'
import { plotImages } from 'myelin/plot'
import { digitAt, drawDigits, readDigits } from '../data/digits.js'
import { claim, percent, printTable, savePicture, stopwatch } from '../shared/report.js'
import { CLASSES, SHOTS, compare, digitsOf, pretrained } from './transfer.js'

const LEAST_ACCURACY = 0.75
const LEAST_GAIN = 0.05

const { train, test } = readDigits([28, 28, 1])
const few = digitsOf(train, SHOTS)
const held = digitsOf(test, Infinity)
console.log(`${few.count} images of the digits ${CLASSES.join(', ')} to learn from, ${held.count} to test with`)

const features = await pretrained(fileURLToPath(new URL('../data/digits-0-4.keras', import.meta.url)))
features.summary()
const seconds = stopwatch()
const { model, transferred, scratch } = await compare(features, few, held)
console.log(`\nTrained both networks in ${seconds().toFixed(1)} s`)

const probabilities = await model.predict(held.x, { verbose: 0 })
const shown = CLASSES.slice(0, 4).map((_, k) => held.y.indexOf(k))
const captions = shown.map((i) => {
  const row = [...probabilities.data.subarray(i * CLASSES.length, (i + 1) * CLASSES.length)]
  const most = Math.max(...row)
  return `read as ${CLASSES[row.indexOf(most)]} (${Math.round(100 * most)} %)`
})
console.log(
  drawDigits(
    shown.map((i) => digitAt(held.x, i)),
    captions,
  ),
)

console.log(`\naccuracy on ${held.count} other images`)
printTable([
  ['without pretraining', percent(scratch)],
  ['pretrained on 0 to 4, new head', percent(transferred)],
])
const read = held.y.map((_, i) => {
  const row = probabilities.data.subarray(i * CLASSES.length, (i + 1) * CLASSES.length)
  return CLASSES[row.indexOf(Math.max(...row))]
})
const pictured = held.y.slice(0, 30).flatMap((_, i) => [...digitAt(held.x, i)])
await savePicture(
  'transfer',
  plotImages(
    { data: Float32Array.from(pictured), shape: [30, 28, 28] },
    { captions: read.slice(0, 30).map(String), columns: 10, title: 'Digits, and how they are read' },
  ),
)
claim({
  [`at least ${percent(LEAST_ACCURACY, 0)} of the digits are read`]: transferred >= LEAST_ACCURACY,
  'that is 5 points more than without pretraining': transferred >= scratch + LEAST_GAIN,
})
