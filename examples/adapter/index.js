// Teaches a language model how to answer questions, with a LoRA adapter of 2 % of its weights, and saves the adapter alone. What to
// answer comes from the model: it is tested on countries about which it was not asked in training.
//
// Baseline: the model before, which knows most capitals, but never answers in this form. Result: it always does, and names the right
// capital in 80 to 100 % of the answers; their perplexity is less than a tenth, in 12 s.
// Run it after `npm run build` with `node examples/adapter`. Without options it first makes a small model and saves it as a preset.
// `--preset FOLDER` or `--preset hf://HuggingFaceTB/SmolLM2-135M` adapts another one.

import { AdamW, CosineDecay, setRandomSeed } from 'myelin'
import { CausalLM, trainTokenizer } from 'myelin/language'
import { plotHistory } from 'myelin/plot'
import { claim, outputPath, percent, printTable, readOptions, savePicture, stopwatch } from '../shared/report.js'
import { questions, texts } from './capitals.js'

const options = readOptions({ seed: 1, preset: '', rank: 4, epochs: 20, rate: 0 })
const { seed, rank, epochs } = options
const isOwn = options.preset === ''
/** Large models need a smaller rate than the small one. */
const learningRate = options.rate || (isOwn ? 0.005 : 0.0005)
/** The perplexity of held-out answers relative to that before, at most. */
const MOST_PERPLEXITY = 0.1
const seconds = stopwatch()

// 1. The preset: a folder as Hugging Face has it.
const preset = isOwn ? await makePreset(outputPath('adapter/base')) : options.preset
const lm = await CausalLM.fromPreset(preset)
const { train, test } = questions(seed)
const before = await judge(lm)

// 2. The adapter: narrow matrices beside the projections to queries and values. Everything else is frozen.
lm.enableLora(rank, { targets: ['query', 'value'], alpha: 2 * rank, seed })
setRandomSeed(seed)
lm.compile({ optimizer: new AdamW({ learningRate }) })
const { history } = await lm.fit(train, { batchSize: 8, epochs, validationData: test })
const after = await judge(lm)

// 3. Only the adapter is saved, in the files of Python's peft, and read into the preset.
const folder = outputPath('adapter/capitals')
const files = await lm.saveLora(folder)
const fresh = await CausalLM.fromPreset(preset)
await fresh.loadLora(folder)
const again = await judge(fresh)

console.log(`\nHeld-out questions, of which the model was not asked any in training; ${seconds().toFixed(0)} s in all`)
printTable([
  ['', 'before', 'after'],
  ...test.slice(0, 5).map(({ prompt }, i) => [prompt, before.answers[i], after.answers[i]]),
  ['answers in the form of the rows', percent(before.inForm, 0), percent(after.inForm, 0)],
  ['answers with the right city', percent(before.right, 0), percent(after.right, 0)],
  ['perplexity of the answers', before.perplexity.toFixed(1), after.perplexity.toFixed(1)],
])
const size = [...files.values()].reduce((sum, { length }) => sum + length, 0)
console.log(`The files of the adapter have ${size} bytes, the weights of the preset ${4 * lm.model.countParams()}.`)
await savePicture('adapter', plotHistory(history, { title: 'Loss of the answers', xLabel: 'epoch' }))
claim({
  'before no answer to a held-out question has the form of the rows, afterwards at least 90 % have it':
    before.inForm === 0 && after.inForm >= 0.9,
  'at least 70 % of the held-out answers name the right capital': after.right >= 0.7,
  [`the perplexity of held-out answers is at most ${percent(MOST_PERPLEXITY, 0)} of that before`]:
    after.perplexity <= MOST_PERPLEXITY * before.perplexity,
  'a fresh model with the saved adapter gives the same answers and the same perplexity':
    again.answers.join('\n') === after.answers.join('\n') && again.perplexity === after.perplexity,
})

/** Answers the held-out questions. */
async function judge(model) {
  const prompts = test.map(({ prompt }) => prompt)
  const made = await model.generate(prompts, { maxTokens: 12, temperature: 0, stripPrompt: true })
  const { perplexity } = await model.evaluate(test)
  const share = (isSo) => made.filter(isSo).length / test.length
  return {
    answers: made.map((answer) => answer.trim()),
    inForm: share((answer) => /^ It is \w+\.$/.test(answer)),
    right: share((answer, i) => answer.includes(test[i].city)),
    perplexity,
  }
}

/** Trains a small model on texts about capitals and saves it. @returns the folder */
async function makePreset(path) {
  const pages = texts(3500, seed)
  const tokenizer = await trainTokenizer(pages, { vocabularySize: 512 })
  const config = {
    model_type: 'llama',
    hidden_size: 64,
    intermediate_size: 160,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    max_position_embeddings: 128,
  }
  const small = CausalLM.fromConfig(config, tokenizer, { seed })
  const learningRate = new CosineDecay({ initialLearningRate: 0.006, decaySteps: pages.length / 4 })
  setRandomSeed(seed)
  small.compile({ optimizer: new AdamW({ learningRate }) })
  await small.fit(pages, { batchSize: 4 })
  await small.saveToPreset(path)
  await small.dispose()
  return path
}
