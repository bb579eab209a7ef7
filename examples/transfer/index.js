// Transfer learning: a network that Keras trained on the digits 0 to 4 (examples/data/digits-0-4.keras) is cut off before its head,
// frozen, and learns 5 to 9 from 50 images with augmentation. The baseline is the same network without pretraining. Run it after
// `npm run build` with `node examples/transfer`.

import { fileURLToPath } from 'node:url'
import { digitAt, drawDigits, readDigits } from '../data/digits.js'
import { CLASSES, SHOTS, compare, digitsOf, pretrained } from './transfer.js'

const LEAST_ACCURACY = 0.75
const LEAST_GAIN = 0.05

const { train, test } = readDigits([28, 28, 1])
const few = digitsOf(train, SHOTS)
const held = digitsOf(test, Infinity)
console.log(`${few.count} images of the digits ${CLASSES.join(', ')} to learn from, ${held.count} to test with`)

const features = await pretrained(fileURLToPath(new URL('../data/digits-0-4.keras', import.meta.url)))
features.summary()
const started = performance.now()
const { model, transferred, scratch } = await compare(features, few, held)
console.log(`\nTrained both networks in ${((performance.now() - started) / 1000).toFixed(1)} s`)

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
console.log(`  pretrained on 0 to 4, new head  ${(100 * transferred).toFixed(1)} %`)
console.log(`  without pretraining             ${(100 * scratch).toFixed(1)} %`)
if (transferred < LEAST_ACCURACY || transferred - scratch < LEAST_GAIN) {
  console.error(
    `Expected at least ${100 * LEAST_ACCURACY} %, and ${100 * LEAST_GAIN} points more than without pretraining`,
  )
  process.exitCode = 1
}
