// Trains a language model of two million weights on a part of Moby-Dick, from nothing: a tokenizer, a Llama, and sentences.
//
// Baseline: counts of the characters after up to four others, 2.39 bits a character. Result: 2.35, in about three minutes of one core.
// `--quick` trains a smaller model, which is compared with counts after two characters. reference.py trains the same model with PyTorch
// (README.md).
// Run it after `npm run build` with `node examples/tiny-gpt`.

import { readFileSync } from 'node:fs'
import { AdamW, CosineDecay, StopOnInterrupt, setRandomSeed } from 'myelin'
import { CausalLM, trainTokenizer } from 'myelin/language'
import { plotHistory } from 'myelin/plot'
import { claim, outputPath, printTable, readOptions, savePicture, stopwatch } from '../shared/report.js'
import { bitsOfCounts } from './counts.js'

const { seed, quick } = readOptions({ seed: 1, quick: false })
const settings = JSON.parse(readFileSync(new URL('settings.json', import.meta.url), 'utf8'))
const { sequenceLength, batchSize } = settings
const { config, epochs } = quick ? { ...settings, ...settings.quick } : settings
/** The characters of the longest context of the baseline. */
const LONGEST = quick ? 2 : 4
const seconds = stopwatch()

// 1. The book. The last tenth is held out: neither the tokenizer nor the model sees it.
const book = readFileSync(new URL('../data/moby-dick.txt', import.meta.url), 'utf8')
const border = Math.floor((1 - settings.heldOut) * book.length)
const [train, test] = [book.slice(0, border), book.slice(border)]

// 2. The tokenizer: frequent sequences of bytes become tokens.
const tokenizer = await trainTokenizer([train], { vocabularySize: settings.vocabularySize })
const [trained, held] = [train, test].map((text) => tokenizer.encode(text).length)
console.log(`${book.length} characters are ${trained + held} tokens, of ${tokenizer.vocabularySize} different ones`)

// 3. The model, and how it is trained. `fit` cuts the book into rows of sequenceLength tokens.
setRandomSeed(seed) // It decides about the order of the rows.
const lm = CausalLM.fromConfig({ ...settings.config, ...config }, tokenizer, { seed })
const steps = epochs * Math.ceil(Math.ceil(trained / sequenceLength) / batchSize)
const learningRate = new CosineDecay({
  initialLearningRate: 0,
  warmupTarget: settings.learningRate,
  warmupSteps: settings.warmupSteps,
  decaySteps: steps - settings.warmupSteps,
  alpha: settings.finalShare,
})
const { weightDecay, beta2, epsilon, clipNorm } = settings
lm.compile({ optimizer: new AdamW({ learningRate, weightDecay, beta2, epsilon, globalClipnorm: clipNorm }) })

const losses = []
const record = { onTrainBatchEnd: (batch, { loss }) => void (batch % 10 === 9 && losses.push(loss)) }
const fitting = stopwatch()
await lm.fit([train], {
  sequenceLength,
  batchSize,
  epochs,
  validationData: [test],
  callbacks: [new StopOnInterrupt(), record],
})
console.log(`Trained in ${fitting().toFixed(0)} s, ${((1000 * fitting()) / steps).toFixed(0)} ms a step`)

// 4. What it writes.
console.log()
for (const prompt of ['Call me', 'The whale', 'It was a', 'Captain Ahab']) {
  const text = await lm.generate(prompt, { maxTokens: 50, temperature: 0.7, topP: 0.95, seed })
  console.log(`${text.replace(/\s+/g, ' ')} …\n`)
}

// 5. The loss of the held-out text. Per character it does not depend on the tokenizer.
const { perplexity } = await lm.evaluate([test], { sequenceLength, batchSize })
const cpuSeconds = process.cpuUsage().user / 1e6
const loss = Math.log(perplexity)
const bits = (loss * held) / test.length / Math.LN2
const counts = Array.from({ length: 6 }, (_, longest) => bitsOfCounts(train, test, longest))
console.log(
  `Bits a character on the ${test.length} held-out characters; ${seconds().toFixed(0)} s in all, ${cpuSeconds.toFixed(0)} s of a core`,
)
printTable([
  ...counts.map((each, longest) => [`counts after up to ${longest} characters`, each.toFixed(3)]),
  [`${(lm.model.countParams() / 1e6).toFixed(2)} million weights: ${loss.toFixed(4)} nats a token`, bits.toFixed(3)],
])
await lm.saveToPreset(outputPath(quick ? 'tiny-gpt-quick' : 'tiny-gpt'))
await savePicture(
  'tiny-gpt',
  plotHistory({ loss: losses }, { title: 'Mean loss since the beginning of the epoch', xLabel: 'ten steps' }),
)
claim({
  [`fewer bits a character than counts after up to ${LONGEST} characters`]: bits < counts[LONGEST],
  'at most five minutes of one core': cpuSeconds <= 300,
})
