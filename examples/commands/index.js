// Understands spoken commands: a spectrogram shows the power of each pitch over time, and a network reads it. The spectrogram
// is a layer, so the model takes samples as a microphone gives them. The commands are synthesised, see speech.js.
//
// Baseline: the average of the spectrogram, which ignores order, 51 % of the commands. Result: 94 to 100 %, in 2 s.
// Run it after `npm run build` with `node examples/commands`.

import {
  Adam,
  Dense,
  Dropout,
  GRU,
  GlobalAveragePooling1D,
  MelSpectrogram,
  Normalization,
  Permute,
  Sequential,
  metrics,
  setRandomSeed,
} from 'myelin'
import { plotConfusionMatrix, plotImages } from 'myelin/plot'
import { claim, percent, printTable, readOptions, savePicture, stopwatch } from '../shared/report.js'
import { COMMANDS, RATE, SAMPLES, speakMany } from './speech.js'

const { seed, epochs } = readOptions({ seed: 1, epochs: 6 })
const train = speakMany(500, seed)
const test = speakMany(300, seed + 1000)

/** Mel spectrograms as steps over time, in decibels, scaled to mean 0 and variance 1 in each band. */
const spectrogram = new Sequential([
  new MelSpectrogram({
    fftLength: 256,
    sequenceStride: 128,
    samplingRate: RATE,
    numMelBins: 24,
    minFreq: 80,
    inputShape: [SAMPLES],
  }),
  new Permute([2, 1]),
])
const scale = new Normalization()
await scale.adapt(await spectrogram.predict(train.x, { verbose: 0 }))

async function learn(name, layers) {
  setRandomSeed(seed)
  const model = new Sequential(
    [spectrogram, scale, ...layers, new Dense({ units: COMMANDS.length, activation: 'softmax' })],
    { name },
  )
  const confusion = new metrics.ConfusionMatrix({ numClasses: COMMANDS.length })
  model.compile({
    optimizer: new Adam({ learningRate: 0.005 }),
    loss: 'sparseCategoricalCrossentropy',
    metrics: ['accuracy', confusion],
  })
  await model.fit(train.x, train.y, { epochs, batchSize: 16, verbose: name === 'gru' ? 2 : 0 })
  const { accuracy } = await model.evaluate(test.x, test.y, { verbose: 0 })
  return { accuracy, confusion: confusion.result() }
}
const seconds = stopwatch()
const { accuracy, confusion } = await learn('gru', [new GRU({ units: 32 }), new Dropout(0.2)])
// The baseline reads the same spectrogram, and ignores the order of sounds.
const average = await learn('average', [new GlobalAveragePooling1D(), new Dense({ units: 32, activation: 'relu' })])
console.log(`Trained two networks on ${train.count} commands in ${seconds().toFixed(1)} s`)

console.log(`\n${test.count} commands of other speakers`)
printTable([
  ['a constant answer', percent(1 / COMMANDS.length)],
  ['the average of the spectrogram', percent(average.accuracy)],
  ['GRU over the spectrogram', percent(accuracy)],
])
const one = COMMANDS.map((_, command) => test.y.indexOf(command))
const pictures = (await spectrogram.predict(test.x, { verbose: 0 })).toArray()
// Time goes to the right, and frequency upwards.
const upright = one.map((i) => pictures[i][0].map((_, band) => pictures[i].map((step) => step[band])).reverse())
await savePicture(
  'commands-spectrograms',
  plotImages(upright, { captions: COMMANDS, columns: 3, size: 180, title: 'A spectrogram of each command' }),
)
await savePicture('commands', plotConfusionMatrix(confusion, { names: COMMANDS, title: 'Commands of other speakers' }))
claim({
  'at least 92 % of the commands are understood': accuracy >= 0.92,
  'that is 15 points more than without order': accuracy >= average.accuracy + 0.15,
})
