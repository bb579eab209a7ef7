// Text, or any sequence of integers, from a model that tells what comes next. Each new token costs one step of the model: what
// its attentions computed for those before is kept (layers/attention/decoding.ts).

import { restating } from '../core/errors'
import { boolean, count, custom, integer, nullable, option, required } from '../core/options'
import { threefryUniform } from '../core/threefry'
import { TensorSpec } from '../layers/spec'
import { readTyped } from '../ops/arguments'
import { nextSeed } from '../ops/seed'
import type { Tensor } from '../ops/tensor'
import { Pace } from '../training/pace'
import type { Decoder } from './programs'
import { tokensOf } from './programs'
import type { Prompt, Prompts } from './prompts'
import { readPrompts } from './prompts'
import type { SamplingOptions } from './sampling'
import { readSampling, sampleFrom, samplingTable } from './sampling'
import type { Scorer } from './scorers'
import { CachedScorer, WholeScorer } from './scorers'

export interface GenerateOptions extends SamplingOptions {
  /** How many tokens to add, at most. */
  readonly maxTokens: number
  /** A token, or several, behind which a sequence ends. Default none. */
  readonly stopTokens?: number | readonly number[]
  /** Fixes what is drawn; from setRandomSeed's when left out. */
  readonly seed?: number | null
  /** Whether attentions keep the keys and values of earlier steps. false computes everything anew for each token. Default true. */
  readonly cache?: boolean
  /** Ends it early; what was made so far is given. */
  readonly signal?: AbortSignal
}

const tokens = custom<readonly number[], number | readonly number[]>(
  (value, where) => (Array.isArray(value) ? value : [value]).map((each) => integer({ min: 0 }).read(each, where)),
  (value) => value,
)
const table = {
  ...samplingTable,
  maxTokens: required(count),
  stopTokens: option(tokens, []),
  seed: option(nullable(integer()), null),
  cache: option(boolean, true),
  signal: option(
    custom<AbortSignal | null>(
      (value) => value as AbortSignal | null,
      () => null,
    ),
    null,
  ),
}

/**
 * Adds tokens to a prompt, each chosen by what the model says of it: softmax of the scores at the last step.
 *
 *   await generate(model, [5, 1, 7], { maxTokens: 20 })                                  the likeliest, always
 *   await generate(model, prompt, { maxTokens: 50, temperature: 0.8, topK: 40, seed: 1 })
 *   await generate(model, [[5, 1], [7, 2, 2]], { maxTokens: 20, stopTokens: 0 })         several at once
 *
 * The model maps integers [batch, steps] to scores, or to probabilities by a softmax, [batch, steps, tokens].
 *
 * With its cache a token costs one step. That is for models in which steps look at each other only in MultiHeadAttention and
 * GroupedQueryAttention, called with `useCausalMask` on query, value and key of the same steps. A layer of your own that depends
 * on where a step stands asks `firstStep`. All others, such as convolutions along the steps, LSTM or the layer Attention, need
 * `cache: false`. To tell, both ways are compared on random tokens, and on weights that were changed at random meanwhile: for
 * each step once per model, up to the most steps that were asked for, which costs about as much as generating that many.
 * Differences below a hundredth of what scores differ by from step to step are not seen. What comes right behind a masked token,
 * such as a 0 at the end of a prompt under `maskZero`, is not compared, and may be another one with the cache than without.
 *
 * @param prompt tokens, at least one; or a list of such prompts, which may differ in length; or a tensor [steps] or [batch, steps]
 * @returns prompt and new tokens together; with several prompts, a list of such
 * @throws ArgumentError for what is no prompt, for topK or topP without a temperature, and for an attention that is not causal
 * @throws DataError for tokens outside the vocabulary, in the prompt or from the model
 * @throws StateError when a step by itself gives other scores than within the whole sequence
 * Keras Hub: `keras_hub.models.CausalLM.generate`.
 */
export async function generate(model: Decoder, prompt: Prompt, options: GenerateOptions): Promise<number[]>
export async function generate(model: Decoder, prompt: readonly Prompt[], options: GenerateOptions): Promise<number[][]>
export async function generate(
  model: Decoder,
  prompt: Prompt | readonly Prompt[] | Tensor,
  options: GenerateOptions,
): Promise<number[] | number[][]>
export async function generate(
  model: Decoder,
  prompt: Prompt | readonly Prompt[] | Tensor,
  options: GenerateOptions,
): Promise<number[] | number[][]> {
  const { sequences, isOne } = readPrompts(prompt)
  const made = sequences.map((each) => [...each])
  for await (const step of steps(model, sequences, options))
    step.forEach((token, i) => token !== null && made[i]!.push(token))
  return isOne ? made[0]! : made
}

/**
 * The same, token by token:
 *
 *   for await (const token of generateTokens(model, prompt, { maxTokens: 50 })) write(token)
 *
 * With several prompts each turn gives one token of every sequence, null for those that have ended.
 */
export function generateTokens(
  model: Decoder,
  prompt: Prompt,
  options: GenerateOptions,
): AsyncGenerator<number, void, void>
export function generateTokens(
  model: Decoder,
  prompt: readonly Prompt[],
  options: GenerateOptions,
): AsyncGenerator<(number | null)[], void, void>
export function generateTokens(
  model: Decoder,
  prompt: Prompt | readonly Prompt[] | Tensor,
  options: GenerateOptions,
): AsyncGenerator<number | null | (number | null)[], void, void>
export async function* generateTokens(
  model: Decoder,
  prompt: Prompt | readonly Prompt[] | Tensor,
  options: GenerateOptions,
): AsyncGenerator<number | null | (number | null)[], void, void> {
  const { sequences, isOne } = readPrompts(prompt)
  for await (const step of steps(model, sequences, options)) {
    if (!isOne) yield step
    else if (step[0] != null) yield step[0]
  }
}

/** The new tokens of all sequences, step by step. Sequences whose prompt goes on have null until it has ended. */
async function* steps(
  model: Decoder,
  prompts: Prompts['sequences'],
  options: GenerateOptions,
): AsyncGenerator<(number | null)[], void, void> {
  const { maxTokens, stopTokens, seed, cache, signal, ...given } = readTyped('generate', table, options)
  const sampling = readSampling(given)
  if (!model.built) model.ensureBuilt(new TensorSpec([null, null], 'int32'))
  for (const prompt of prompts) requireKnown(model, prompt, 'the prompt')
  const stops = new Set(stopTokens)
  const sequences = prompts.map((prompt) => [...prompt])
  const ends = prompts.map((prompt) => prompt.length + maxTokens)
  const [shortest, longest] = [Math.min, Math.max].map((of) => of(...prompts.map(({ length }) => length))) as [
    number,
    number,
  ]
  const scorer: Scorer = cache
    ? new CachedScorer(model, prompts.length, longest + maxTokens - 1)
    : new WholeScorer(model)
  const key = seed ?? nextSeed()
  const uniforms = new Float32Array(prompts.length)
  const pace = new Pace(undefined)
  const isOpen = prompts.map(() => true)
  try {
    await scorer.prepare(pace, signal)
    for (let known = shortest; isOpen.includes(true); known++) {
      if (signal?.aborted === true) return
      if (pace.isDue()) await pace.yield()
      const rows = scorer.next(sequences.map((sequence) => sequence.slice(0, known)))
      threefryUniform(key, 0, known, uniforms)
      const step = sequences.map((sequence, i) => {
        // The prompt goes on, or the sequence has ended: it stays as long as the others, whose steps it shares.
        if (sequence.length > known) return null
        const token = isOpen[i] ? sampleFrom(rows[i]!, sampling, uniforms[i]!) : 0
        sequence.push(token)
        if (!isOpen[i]) return null
        isOpen[i] = !stops.has(token) && sequence.length < ends[i]!
        if (isOpen[i]) requireKnown(model, [token], `token ${token}, which the model gave`)
        return token
      })
      if (step.some((token) => token !== null)) yield step
    }
  } finally {
    scorer.dispose()
  }
}

/** @throws DataError for tokens that the model refuses as data */
function requireKnown(model: Decoder, sequence: readonly number[], what: string): void {
  restating(
    (message) => `generate: the model cannot take ${what}: ${message}`,
    () => model.checkData([tokensOf([sequence])]),
  )
}
