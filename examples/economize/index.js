// Makes networks cheaper without choosing the means: `economize` tries dead units, fewer units, low rank and int8, measures each on
// this processor, and keeps what pays. There are three networks: a wide one for digits, one with half of its units dead, and the
// small one of the demo, for which int8 does not pay.
//
// Baseline: the original network. Result: the wide network has a file of at most half, and loses at most 1 point of accuracy on rows
// that neither training nor economizing saw; for the small network, int8 is refused. Run it after `npm run build` with
// `node examples/economize`; `--seed 3` trains others.

import { Adam, Dense, Sequential, ops, setRandomSeed } from 'myelin'
import { plotModel } from 'myelin/plot'
import { economize, ledger } from 'myelin/thrift'
import { readDigits } from '../data/digits.js'
import { readPenguins } from '../data/penguins.js'
import { claim, percent, readOptions, savePicture } from '../shared/report.js'

const { seed } = readOptions({ seed: 1 })
const MAX_LOSS = 0.005
const MOST_LOST = 0.01

// 1. Digits: of 8,000, 6,000 for training and 2,000 for economize, which divides them itself. 2,000 others are only for the result.
const { train, test } = readDigits([784])
const rows = (from, to) => ({
  x: { data: train.x.data.subarray(784 * from, 784 * to), shape: [to - from, 784] },
  y: train.y.subarray(from, to),
})
const [learnt, held] = [rows(0, 6000), rows(6000, 8000)]

async function trainDigits(name) {
  setRandomSeed(seed)
  const model = new Sequential(
    [
      new Dense({ units: 512, activation: 'relu', inputShape: [784], name: 'first' }),
      new Dense({ units: 256, activation: 'relu', name: 'second' }),
      new Dense({ units: 10, activation: 'softmax', name: 'digit' }),
    ],
    { name },
  )
  model.compile({ optimizer: new Adam(), loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] })
  if (name === 'half-dead') {
    const bias = model.layers[0].bias
    bias.assign(ops.where(ops.less(ops.arange(512), 256), -20, 0))
  }
  await model.fit(learnt.x, learnt.y, { epochs: 4, verbose: 0 })
  return model
}

async function economized(model, data) {
  const result = await economize(model, { ...data, maxLoss: MAX_LOSS, seed })
  console.log()
  result.report.print()
  return result
}

const wide = await trainDigits('wide')
const { model: small, report } = await economized(wide, held)
const [before, after] = [await wide.evaluate(test.x, test.y), await small.evaluate(test.x, test.y)]
console.log(`On 2,000 other digits: ${percent(before.accuracy)} before, ${percent(after.accuracy)} after.`)

const dead = await trainDigits('half-dead')
const { report: ofDead } = await economized(dead, held)

// 2. The small network of the demo, on penguins.
const birds = readPenguins({ seed, testPart: 0.5 })
setRandomSeed(seed)
const tiny = new Sequential(
  [
    new Dense({ units: 10, activation: 'relu', inputShape: [8] }),
    new Dense({ units: 8, activation: 'relu' }),
    new Dense({ units: 1, activation: 'sigmoid' }),
  ],
  { name: '8→10→8→1' },
)
tiny.compile({ optimizer: new Adam({ learningRate: 0.01 }), loss: 'binaryCrossentropy', metrics: ['accuracy'] })
await tiny.fit(birds.train.x, birds.train.y, { epochs: 60, verbose: 0 })
const { report: ofTiny } = await economized(tiny, { x: birds.test.x, y: birds.test.y })

await savePicture('economize', plotModel(small, { ledger: ledger(small, { batchSize: 32 }), title: 'What is left' }))
const int8 = ofTiny.rows.filter(({ step }) => step === 'int8')
claim({
  'the wide network has a file of at most half': report.after.bytes <= report.before.bytes / 2,
  'and predicts faster': report.after.seconds < report.before.seconds,
  [`at most ${percent(MOST_LOST)} lost on other rows`]: before.accuracy - after.accuracy <= MOST_LOST,
  'half the units are found dead, and removing them is kept': ofDead.rows[0].kept,
  'int8 is refused for 8→10→8→1': int8.length > 0 && int8.every(({ kept }) => !kept),
})
