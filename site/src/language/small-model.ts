// A small model that the page makes itself: a tokenizer and a Llama of two blocks, trained on a few sentences.

import { AdamW } from 'myelin'
import { CausalLM, trainTokenizer } from 'myelin/language'

const CONFIG = {
  model_type: 'llama',
  hidden_size: 64,
  intermediate_size: 160,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  max_position_embeddings: 256,
  initializer_range: 0.06,
}
/** The most characters that it is trained on. */
const LONGEST = 200_000
/** About as many tokens are trained in all, as long as that is within the numbers of epochs below. */
const TOKENS = 26_000
const [FEWEST_EPOCHS, MOST_EPOCHS] = [4, 60]

export interface Making {
  readonly signal: AbortSignal
  readonly onProgress: (share: number) => void
}

/** @returns the model, and how many tokens it was trained on */
export async function makeSmall(text: string, { signal, onProgress }: Making): Promise<[lm: CausalLM, tokens: number]> {
  const sentences = text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()]))
  if (sentences.length < 2) throw new Error('The text needs at least two lines to learn from.')
  if (text.length > LONGEST)
    throw new Error(`The text has ${text.length} characters; the small model learns from at most ${LONGEST}.`)
  const tokenizer = await trainTokenizer(sentences, { vocabularySize: 512 })
  const lm = CausalLM.fromConfig(CONFIG, tokenizer, { seed: 1 })
  lm.compile({ optimizer: new AdamW({ learningRate: 4e-3 }) })
  const count = sentences.reduce((sum, each) => sum + tokenizer.encode(each).length + 1, 0)
  const epochs = Math.min(MOST_EPOCHS, Math.max(FEWEST_EPOCHS, Math.round(TOKENS / count)))
  let batches = 0
  const all = epochs * Math.ceil(sentences.length / 8)
  await lm.fit(sentences, {
    sequenceLength: 64,
    batchSize: 8,
    epochs,
    verbose: 0,
    signal,
    callbacks: [{ onTrainBatchEnd: () => onProgress(Math.min(1, ++batches / all)) }],
  })
  return [lm, count * epochs]
}
