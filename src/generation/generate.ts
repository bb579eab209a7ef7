// Text, or any sequence of integers, from a model that tells what comes next. Each new token costs one step of the model: what
// its attentions computed for those before is kept (layers/attention/decoding.ts).

import { ArgumentError, ShapeError, StateError, formatShape } from '../core/errors'
import { boolean, count, custom, integer, nullable, number, option, required } from '../core/options'
import { threefryUniform } from '../core/threefry'
import { Decoding } from '../layers/attention/decoding'
import type { Model } from '../models/model'
import { readTyped } from '../ops/arguments'
import { nextSeed } from '../ops/seed'
import { slice, squeeze } from '../ops/shape'
import { Tensor } from '../ops/tensor'
import { compileTraced, operandOf, runProgram, trace } from '../ops/trace'
import type { Program } from '../runtime/program'
import { Pace } from '../training/pace'
import type { Sampling, SamplingOptions } from './sampling'
import { sampleFrom } from './sampling'

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

type Prompt = readonly number[]
/** Integers [batch, steps] → what comes behind each step, [batch, steps, tokens]. */
type Decoder = Model<Tensor, Tensor>

const tokens = custom<readonly number[], number | readonly number[]>((value, where) => (Array.isArray(value) ? value : [value]).map((each) => integer({ min: 0 }).read(each, where)), (value) => value)
const table = {
  maxTokens: required(count),
  temperature: option(number({ min: 0 }), 0),
  topK: option(nullable(count), null),
  topP: option(nullable(number({ above: 0, max: 1 })), null),
  stopTokens: option(tokens, []),
  seed: option(nullable(integer()), null),
  cache: option(boolean, true),
  signal: option(custom<AbortSignal | null>((value) => value as AbortSignal | null, () => null), null),
}

/**
 * Adds tokens to a prompt, each chosen by what the model says of it: softmax of the scores at the last step.
 *
 *   await generate(model, [5, 1, 7], { maxTokens: 20 })                                  the likeliest, always
 *   await generate(model, prompt, { maxTokens: 50, temperature: 0.8, topK: 40, seed: 1 })
 *   await generate(model, [[5, 1], [7, 2, 2]], { maxTokens: 20, stopTokens: 0 })         several at once
 *
 * The model maps integers [batch, steps] to scores, or to probabilities by a softmax, [batch, steps, tokens]. Its
 * MultiHeadAttention and GroupedQueryAttention layers are called with `useCausalMask`; then a token costs one step, with a
 * cache of keys and values. A layer of your own that depends on where a step stands asks `firstStep`; one that mixes steps
 * otherwise, such as LSTM, needs `cache: false`. The first time that a model is used, both ways are compared.
 *
 * @param prompt tokens, at least one; or a list of such lists, which may differ in length
 * @returns prompt and new tokens together; with a list of prompts, a list of such
 * @throws ArgumentError for an empty prompt, and for an attention that is not causal
 * @throws StateError when a step by itself gives other scores than the whole sequence
 * Keras Hub: `keras_hub.models.CausalLM.generate`.
 */
export async function generate(model: Decoder, prompt: Prompt, options: GenerateOptions): Promise<number[]>
export async function generate(model: Decoder, prompt: readonly Prompt[], options: GenerateOptions): Promise<number[][]>
export async function generate(model: Decoder, prompt: Prompt | readonly Prompt[], options: GenerateOptions): Promise<number[] | number[][]> {
  const prompts = promptsOf(prompt)
  const made = prompts.map((each) => [...each])
  for await (const step of steps(model, prompts, options)) step.forEach((token, i) => token !== null && made[i]!.push(token))
  return isOne(prompt) ? made[0]! : made
}

/**
 * The same, token by token:
 *
 *   for await (const token of generateTokens(model, prompt, { maxTokens: 50 })) write(token)
 *
 * With a list of prompts each turn gives one token of every sequence, null for those that have ended.
 */
export function generateTokens(model: Decoder, prompt: Prompt, options: GenerateOptions): AsyncGenerator<number, void, void>
export function generateTokens(model: Decoder, prompt: readonly Prompt[], options: GenerateOptions): AsyncGenerator<(number | null)[], void, void>
export async function* generateTokens(model: Decoder, prompt: Prompt | readonly Prompt[], options: GenerateOptions): AsyncGenerator<number | null | (number | null)[], void, void> {
  for await (const step of steps(model, promptsOf(prompt), options)) {
    if (!isOne(prompt)) yield step
    else if (step[0] != null) yield step[0]
  }
}

function isOne(prompt: Prompt | readonly Prompt[]): prompt is Prompt {
  return typeof prompt[0] === 'number'
}

function promptsOf(prompt: Prompt | readonly Prompt[]): readonly Prompt[] {
  const prompts = Array.isArray(prompt) ? (isOne(prompt) ? [prompt] : (prompt as readonly Prompt[])) : []
  const isSequence = (each: unknown): boolean => Array.isArray(each) && each.length > 0 && each.every((token) => Number.isInteger(token) && token >= 0)
  if (prompts.length > 0 && prompts.every(isSequence)) return prompts
  throw new ArgumentError('generate: the prompt must be a list of at least one token, each an integer from 0 on, or a list of such lists')
}

/** The new tokens of all sequences, step by step. Sequences whose prompt goes on have null until it has ended. */
async function* steps(model: Decoder, prompts: readonly Prompt[], options: GenerateOptions): AsyncGenerator<(number | null)[], void, void> {
  const { maxTokens, stopTokens, seed, cache, signal, ...sampling } = readTyped('generate', table, options)
  const stops = new Set(stopTokens)
  const sequences = prompts.map((prompt) => [...prompt])
  const ends = prompts.map((prompt) => prompt.length + maxTokens)
  const [shortest, longest] = [Math.min, Math.max].map((of) => of(...prompts.map(({ length }) => length))) as [number, number]
  const scorer = cache ? new CachedScorer(model, prompts.length, longest + maxTokens - 1) : new WholeScorer(model)
  const key = seed ?? nextSeed()
  const uniforms = new Float32Array(prompts.length)
  const pace = new Pace(undefined)
  const isOpen = prompts.map(() => true)
  try {
    for (let known = shortest; isOpen.includes(true); known++) {
      if (signal?.aborted === true) return
      if (pace.isDue()) await pace.yield()
      const rows = scorer.next(sequences.map((sequence) => sequence.slice(0, known)))
      threefryUniform(key, 0, known, uniforms)
      const step = sequences.map((sequence, i) => {
        // The prompt goes on, or the sequence has ended: it stays as long as the others, whose steps it shares.
        if (sequence.length > known) return null
        const token = isOpen[i] ? sampleFrom(rows[i]!, sampling as Sampling, uniforms[i]!) : 0
        sequence.push(token)
        if (!isOpen[i]) return null
        isOpen[i] = !stops.has(token) && sequence.length < ends[i]!
        return token
      })
      if (step.some((token) => token !== null)) yield step
    }
  } finally {
    scorer.dispose()
  }
}

/** Says of sequences, all equally long, how likely each token is next. */
interface Scorer {
  next(sequences: readonly Prompt[]): Float32Array[]
  dispose(): void
}

const tokensOf = (sequences: readonly Prompt[]): Tensor => {
  const shape = [sequences.length, sequences[0]!.length]
  return new Tensor(Int32Array.from(sequences.flat()), shape, 'int32')
}

const rowsOf = ({ data, shape }: Tensor): Float32Array[] => Array.from({ length: shape[0]! }, (_, i) => (data as Float32Array).subarray(i * shape[1]!, (i + 1) * shape[1]!))

/** The scores [batch, tokens] behind the last of traced steps. */
function lastScores(model: Decoder, input: Tensor): Tensor {
  const output = model.apply(input, { training: false })
  const [batch, steps, tokens] = output.shape
  if (!(output instanceof Tensor) || output.rank !== 3 || batch !== input.shape[0] || steps !== input.shape[1]) {
    throw new ShapeError(`generate: ${model} must map [batch, steps] to [batch, steps, tokens], received ${formatShape(output.shape)} for ${formatShape(input.shape)}`)
  }
  const logits = operandOf(output, 'softmax')
  return squeeze(slice(logits ?? output, [0, steps! - 1, 0], [batch!, 1, tokens!]), 1)
}

function compileFor(model: Decoder, batch: number, steps: number, around: (body: () => Tensor) => Tensor): Program {
  return compileTraced(trace([{ shape: [batch, steps], dtype: 'int32' }], ([input]) => [around(() => lastScores(model, input!))]))
}

/** Everything anew for each token. */
class WholeScorer implements Scorer {
  constructor(private readonly model: Decoder) {}

  next(sequences: readonly Prompt[]): Float32Array[] {
    const program = compileFor(this.model, sequences.length, sequences[0]!.length, (body) => body())
    try {
      return rowsOf(runProgram(program, [tokensOf(sequences)])[0]!)
    } finally {
      program.dispose()
    }
  }

  dispose(): void {}
}

/** Models whose steps were compared with the whole. */
const compared = new WeakSet<Decoder>()

/** A pass over all but the last token of what is known first, then one step after another. */
class CachedScorer implements Scorer {
  private readonly decoding: Decoding
  private step: Program | null = null

  constructor(
    private readonly model: Decoder,
    private readonly batch: number,
    length: number,
  ) {
    this.decoding = new Decoding(length)
  }

  next(sequences: readonly Prompt[]): Float32Array[] {
    const known = sequences[0]!.length
    if (this.step === null) {
      const rows = this.begin(sequences)
      if (rows !== null) return rows
    }
    const rows = rowsOf(runProgram(this.step!, [tokensOf(sequences.map((sequence) => sequence.slice(known - 1)))])[0]!)
    if (!compared.has(this.model)) this.compare(sequences, rows)
    return rows
  }

  /** The scores, where the prompt is one token; else null, and the last token is still to be seen. */
  private begin(sequences: readonly Prompt[]): Float32Array[] | null {
    const known = sequences[0]!.length
    const first = sequences.map((sequence) => sequence.slice(0, Math.max(1, known - 1)))
    const program = compileFor(this.model, this.batch, first[0]!.length, (body) => this.decoding.pass(true, first[0]!.length, body))
    try {
      const rows = rowsOf(runProgram(program, [tokensOf(first)])[0]!)
      this.step = compileFor(this.model, this.batch, 1, (body) => this.decoding.pass(false, 1, body))
      return known === 1 ? rows : null
    } finally {
      program.dispose()
    }
  }

  private compare(sequences: readonly Prompt[], rows: readonly Float32Array[]): void {
    const whole = new WholeScorer(this.model).next(sequences)
    const isAlike = rows.every((row, i) => row.every((score, token) => Math.abs(score - whole[i]![token]!) <= TOLERANCE * (1 + Math.abs(score))))
    if (!isAlike) {
      throw new StateError(
        `generate: ${this.model} gives other scores for a step by itself than for the whole sequence. A layer depends on where a step stands without asking firstStep, or mixes steps other than by causal attention. Pass cache: false, or change it.`,
      )
    }
    compared.add(this.model)
  }

  dispose(): void {
    this.step?.dispose()
  }
}

/** Far above what another order of additions makes, far below what a wrong place does. */
const TOLERANCE = 1e-3
