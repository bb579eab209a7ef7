// Classifies short film reviews as praise or blame: with an LSTM, which reads word by word, and with the average of the
// word vectors, which ignores order. The reviews are generated, see reviews.js.
//
// Baselines: a constant answer, 50 %; naive Bayes, which counts words. Result: the LSTM is right for more than 97 %, and 10 points
// above all others. Run it after `npm run build` with `node examples/reviews`.

import {
  Adam,
  Dense,
  Embedding,
  GlobalAveragePooling1D,
  LSTM,
  Sequential,
  metrics,
  padSequences,
  setRandomSeed,
} from 'myelin'
import { plotConfusionMatrix } from 'myelin/plot'
import { claim, percent, printTable, readOptions, savePicture, stopwatch } from '../shared/report.js'
import { writeReviews } from './reviews.js'

const LEAST_ACCURACY = 0.97
/** The least lead of the LSTM over models that ignore order. */
const LEAST_LEAD = 0.1
const { seed } = readOptions({ seed: 1 })

// 1. The reviews are synthetic, see reviews.js.
const reviews = writeReviews(5000, seed)
const train = reviews.slice(0, 4000)
const test = reviews.slice(4000)
console.log('Synthetic reviews, written by a few rules')
for (const { text, isPraise } of train.slice(0, 4)) console.log(`  ${isPraise ? '+' : '−'}  ${text}`)
console.log()
const wordsOf = ({ text }) => text.split(' ')

// 2. Words as numbers from 1; 0 is padding, which the embedding masks.
const vocabulary = [...new Set(train.flatMap(wordsOf))]
const numberOf = new Map(vocabulary.map((word, i) => [word, i + 1]))
const toNumbers = (review) => wordsOf(review).map((word) => numberOf.get(word))
const toInputs = (some) => padSequences(some.map(toNumbers), { padding: 'post' })
const toLabels = (some) => some.map(({ isPraise }) => Number(isPraise))

// 3. Two models that differ in how they turn a sequence into one vector.
async function learn(name, layers, epochs) {
  setRandomSeed(seed)
  const model = new Sequential(
    [
      new Embedding({ inputDim: vocabulary.length + 1, outputDim: 16, maskZero: true }),
      ...layers,
      new Dense({ units: 1, activation: 'sigmoid' }),
    ],
    { name },
  )
  const confusion = new metrics.ConfusionMatrix({ numClasses: 2 })
  model.compile({
    optimizer: new Adam({ learningRate: 0.005 }),
    loss: 'binaryCrossentropy',
    metrics: ['accuracy', confusion],
  })
  const seconds = stopwatch()
  await model.fit(toInputs(train), toLabels(train), { epochs, verbose: 2 })
  console.log(`Trained in ${seconds().toFixed(1)} s`)
  model.summary()
  const { accuracy } = await model.evaluate(toInputs(test), toLabels(test))
  return { model, accuracy, confusion: confusion.result() }
}
const average = await learn('average', [new GlobalAveragePooling1D(), new Dense({ units: 16, activation: 'relu' })], 10)
const lstm = await learn('lstm', [new LSTM({ units: 32 })], 6)

// 4. Predictions of the LSTM for reviews with small differences.
const examples = [
  'the plot was great .',
  'the plot was not great at all .',
  'i expected it to be dull but it was great .',
  'i expected it to be great but it was dull .',
]
const chances = lstm.model.predictOnBatch(toInputs(examples.map((text) => ({ text })))).data
console.log('\nPraise?')
examples.forEach((text, i) => console.log(`  ${(100 * chances[i]).toFixed(0).padStart(3)} %  ${text}`))

const praised = test.filter(({ isPraise }) => isPraise).length
const majority = Math.max(praised, test.length - praised) / test.length
const counted = naiveBayes()
console.log(`\nCorrect for ${test.length} held-out reviews, after training on ${train.length}`)
printTable([
  ['a constant answer', percent(majority)],
  ['naive Bayes, which counts words', percent(counted)],
  ['average of vectors', percent(average.accuracy)],
  ['LSTM', percent(lstm.accuracy)],
])
await savePicture(
  'reviews',
  plotConfusionMatrix(lstm.confusion, { names: ['blame', 'praise'], title: 'Held-out reviews' }),
)
claim({
  [`the LSTM is right for at least ${percent(LEAST_ACCURACY, 0)}`]: lstm.accuracy >= LEAST_ACCURACY,
  'it is 10 points above the models that ignore order':
    lstm.accuracy >= Math.max(counted, average.accuracy) + LEAST_LEAD,
  'the average is 10 points above a constant answer': average.accuracy >= majority + LEAST_LEAD,
})

/**
 * The fraction of reviews whose class is the one under which their words are likelier, with independent words (each
 * count plus one).
 */
function naiveBayes() {
  const kinds = [true, false].map((isPraise) => {
    const counts = new Map(vocabulary.map((word) => [word, 1]))
    for (const review of train)
      if (review.isPraise === isPraise) for (const word of wordsOf(review)) counts.set(word, counts.get(word) + 1)
    const all = [...counts.values()].reduce((sum, count) => sum + count, 0)
    return (review) => wordsOf(review).reduce((sum, word) => sum + Math.log(counts.get(word) / all), 0)
  })
  const [praise, blame] = kinds
  return test.filter((review) => praise(review) > blame(review) === review.isPraise).length / test.length
}
