// Generates sequences of tokens with a model that scores the next token. Each new token costs one step of the model:
// what it needs of earlier steps is kept (stepper.ts).

import { merged } from '../core/merged'
import { requireArguments } from '../core/arguments'
import { restating } from '../core/errors'
import { warnOnce } from '../core/warnings'
import { abortSignal, boolean, count, custom, integer, nullable, option, readOptions, required } from '../core/options'
import { threefryUniform } from '../core/threefry'
import { TensorSpec } from '../layers/spec'
import { nextSeed } from '../ops/random/seed'
import type { Tensor } from '../ops/tensor'
import { Pace } from '../data/samples/pace'
import { UnknownError } from './growth'
import { tokensOf, type Decoder } from './programs'
import { readPrompts, type Prompt, type Prompts } from './prompts'
import { readSampling, sampleFrom, samplingTable, type Sampling, type SamplingOptions } from './sampling'
import { CachedScorer, FEWEST_STEPS, WholeScorer, type Scorer } from './scorers'

export interface GenerateOptions extends SamplingOptions {
  /** The largest number of tokens to add. */
  readonly maxTokens: number
  /** A token, or several, that ends a sequence. Default none. */
  readonly stopTokens?: number | readonly number[]
  /** Determines the random draws. Default: drawn from the generator of setRandomSeed. */
  readonly seed?: number | null
  /** Whether what earlier steps have computed is kept; false computes the whole sequence for each token. Default true. */
  readonly cache?: boolean
  /** Ends generation early; the tokens so far are returned. */
  readonly signal?: AbortSignal
}

const tokens = custom<readonly number[], number | readonly number[]>(
  (value, where) => (Array.isArray(value) ? value : [value]).map((each) => integer({ min: 0 }).read(each, where)),
  (value) => value,
)
const table = merged(samplingTable, {
  maxTokens: required(count),
  stopTokens: option(tokens, []),
  seed: option(nullable(integer()), null),
  cache: option(boolean, true),
  signal: option(nullable(abortSignal), null),
})

/**
 * Adds tokens to a prompt, each chosen from the softmax of the model's scores at the last step.
 *
 *   await generate(model, [5, 1, 7], { maxTokens: 20 })                                  always the likeliest token
 *   await generate(model, prompt, { maxTokens: 50, temperature: 0.8, topK: 40, seed: 1 })
 *   await generate(model, [[5, 1], [7, 2, 2]], { maxTokens: 20, stopTokens: 0 })         several at once
 *
 * The model maps integers [batch, steps] to scores, or to probabilities by a softmax, [batch, steps, tokens].
 *
 * With the cache, a token costs one step: what later steps need of earlier ones is kept, such as keys and values of
 * attention, states of recurrent layers, and inputs of causal convolutions. This requires that no score depends on later
 * steps, which is read from the graph of the model: attention needs `useCausalMask` or another mask that hides later steps,
 * convolutions `padding: 'causal'`, recurrent layers run forwards, and nothing is computed over all steps. All other models
 * need `cache: false`, which computes the whole sequence for each token. So do, with a warning, models whose graph does not
 * show whether it is so, for example with a sort of the steps. Scores right after a masked token, such as a 0 at
 * the end of a prompt under `maskZero`, may differ with the cache.
 *
 * @param prompt at least one token; or a list of such prompts, of equal or different lengths; or a tensor [steps] or
 * [batch, steps]
 * @returns the prompt followed by the new tokens; with several prompts, a list of such sequences
 * @throws ArgumentError for an invalid prompt, and for topK or topP without a temperature
 * @throws DataError for tokens outside the vocabulary, in the prompt or from the model
 * @throws StateError with the cache, for a model whose scores depend on later steps; it names the layer and the reason
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
  requireArguments('generate', arguments, 3)
  const { sequences, isOne } = readPrompts(prompt)
  const made = sequences.map((each) => [...each])
  for await (const step of steps(model, sequences, options))
    step.forEach((token, i) => token !== null && made[i]!.push(token))
  return isOne ? made[0]! : made
}

/**
 * As generate, token by token:
 *
 *   for await (const token of generateTokens(model, prompt, { maxTokens: 50 })) write(token)
 *
 * With several prompts, each iteration yields one token per sequence, null for those that have ended.
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
  requireArguments('generateTokens', arguments, 3)
  const { sequences, isOne } = readPrompts(prompt)
  for await (const step of steps(model, sequences, options)) {
    if (!isOne) yield step
    else if (step[0] != null) yield step[0]
  }
}

/** The new tokens of all sequences, step by step. A sequence has null while its prompt continues. */
async function* steps(
  model: Decoder,
  prompts: Prompts['sequences'],
  options: GenerateOptions,
): AsyncGenerator<(number | null)[], void, void> {
  const { maxTokens, stopTokens, seed, cache, signal, ...others } = readOptions('generate', table, options)
  const sampling = readSampling(others)
  if (!model.built) model.ensureBuilt(new TensorSpec([null, null], 'int32'))
  for (const prompt of prompts) requireKnown(model, prompt, 'the prompt')
  const lengths = prompts.map(({ length }) => length)
  const [shortest, longest] = [Math.min(...lengths), Math.max(...lengths)]
  const scorer = scorerOf(model, cache, [prompts.length, longest + maxTokens - 1], shortest - 1)
  try {
    const requireToken = (token: number): void =>
      requireKnown(model, [token], `token ${token}, which the model generated`)
    yield* drawnTokens(scorer, prompts, {
      maxTokens,
      sampling,
      seed,
      stops: new Set(stopTokens),
      isOver: () => signal?.aborted === true,
      requireToken,
    })
  } finally {
    await scorer.dispose()
  }
}

/** How tokens are drawn. */
export interface Drawing {
  readonly maxTokens: number
  readonly stops: ReadonlySet<number>
  readonly sampling: Sampling
  readonly seed: number | null
  /** Whether no further token is asked for. */
  readonly isOver: () => boolean
  /** Whether no further token of one sequence is asked for. Default: its tokens alone tell. */
  readonly hasEnded?: (sequence: number) => boolean
  /** @throws DataError for a token that the model cannot read next */
  readonly requireToken?: (token: number) => void
}

/** The new tokens of all sequences, step by step, drawn from the scores of a scorer. */
export async function* drawnTokens(
  scorer: Pick<Scorer, 'next'>,
  prompts: readonly (readonly number[])[],
  { maxTokens, stops, sampling, seed, isOver, hasEnded, requireToken }: Drawing,
): AsyncGenerator<(number | null)[], void, void> {
  const sequences = prompts.map((prompt) => [...prompt])
  const ends = prompts.map((prompt) => prompt.length + maxTokens)
  const key = seed ?? nextSeed()
  const uniforms = new Float32Array(prompts.length)
  const pace = new Pace(undefined)
  const isOpen = prompts.map(() => true)
  for (let known = Math.min(...prompts.map(({ length }) => length)); isOpen.includes(true); known++) {
    if (isOver()) return
    if (pace.isDue()) await pace.yield()
    const rows = await scorer.next(sequences.map((sequence) => sequence.slice(0, known)))
    threefryUniform(key, 0, known, uniforms)
    const step = sequences.map((sequence, i) => {
      // This sequence's prompt continues, or it has ended: it is padded, because all sequences take each step together.
      if (sequence.length > known) return null
      const token = isOpen[i] ? sampleFrom(rows[i]!, sampling, uniforms[i]!, sequence) : 0
      sequence.push(token)
      if (!isOpen[i]) return null
      isOpen[i] = !stops.has(token) && sequence.length < ends[i]!
      if (isOpen[i]) requireToken?.(token)
      return token
    })
    if (step.some((token) => token !== null)) yield step
    if (hasEnded !== undefined) isOpen.forEach((is, i) => (isOpen[i] = is && !hasEnded(i)))
  }
}

/** @param first the number of steps that are known before the first token is drawn, without the last one */
function scorerOf(
  model: Decoder,
  cache: boolean,
  [batch, length]: readonly [batch: number, length: number],
  first: number,
): Scorer {
  if (!cache || length <= FEWEST_STEPS) return new WholeScorer(model)
  try {
    return new CachedScorer(model, batch, length, first < FEWEST_STEPS ? 0 : first)
  } catch (error) {
    if (!(error instanceof UnknownError)) throw error
    warnOnce(error.message)
    return new WholeScorer(model)
  }
}

/** @throws DataError for tokens that the model rejects as input */
function requireKnown(model: Decoder, sequence: readonly number[], what: string): void {
  restating(
    (message) => `generate: the model cannot take ${what}: ${message}`,
    () => model.checkData([tokensOf([sequence])]),
  )
}
