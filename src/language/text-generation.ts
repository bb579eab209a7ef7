// Texts, piece by piece, from a model that scores the next token.

import {
  abortSignal,
  callback,
  count,
  custom,
  integer,
  listOf,
  nullable,
  number,
  option,
  readOptions,
  text,
} from '../core/options'
import { merged, replaced } from '../core/merged'
import { ArgumentError } from '../core/errors'
import { beamSearch, type BeamScorer } from '../generation/beams'
import { drawnTokens } from '../generation/generate'
import { readSampling, samplingTable, type Sampling, type SamplingOptions } from '../generation/sampling'
import type { GenerationConfig } from './generation-config'
import type { Tokenizer } from './tokens'

export interface TextOptions extends SamplingOptions {
  /** The largest number of tokens to add. Default: that of generation_config.json, otherwise 256, as far as the positions allow. */
  readonly maxTokens?: number | null
  /** A text, or several, that ends generation; it is not part of the result. Default none. */
  readonly stop?: string | readonly string[]
  /** A token, or several, that ends generation. Default: those of generation_config.json and of the tokenizer. */
  readonly stopTokens?: number | readonly number[] | null
  /** Determines the random draws. Default null: drawn from the generator of setRandomSeed. */
  readonly seed?: number | null
  /** Ends generation early; the text so far is the result. */
  readonly signal?: AbortSignal | null
  /** Is called with each new token, also with one that ends the text: to count them, for example. Default null. */
  readonly onToken?: ((token: number) => void) | null
  /**
   * The number of sequences that beam search keeps; it finds likelier texts than the likeliest token each time. It draws nothing, and a
   * stream yields the text when it is complete. Default 1: no beam search.
   */
  readonly beams?: number
  /** With beams, logarithms of probabilities are divided by length ^ lengthPenalty. Default 1. */
  readonly lengthPenalty?: number
}

/** Options of text generation, with the defaults of a preset. */
export interface TextSettings {
  readonly maxTokens: number
  readonly stop: readonly string[]
  readonly stopTokens: ReadonlySet<number>
  readonly sampling: Sampling
  readonly seed: number | null
  readonly signal: AbortSignal | null
  readonly onToken: ((token: number) => void) | null
  readonly beams: number
  readonly lengthPenalty: number
}

const DEFAULT_TOKENS = 256

const texts = custom<readonly string[], string | readonly string[]>(
  (value, where) => listOf(text).read(typeof value === 'string' ? [value] : value, where),
  (value) => [...value],
)
const tokens = custom<readonly number[], number | readonly number[]>(
  (value, where) => listOf(integer({ min: 0 })).read(typeof value === 'number' ? [value] : value, where),
  (value) => [...value],
)

// Where null stands for the default of the preset.
const table = merged(replaced(samplingTable, { repetitionPenalty: option(nullable(number({ above: 0 })), null) }), {
  maxTokens: option(nullable(count), null),
  stop: option(texts, []),
  stopTokens: option(nullable(tokens), null),
  seed: option(nullable(integer()), null),
  signal: option(nullable(abortSignal), null),
  onToken: option(nullable(callback<(token: number) => void>('a function (token) => …')), null),
  beams: option(count, 1),
  lengthPenalty: option(nullable(number()), null),
})

/** How many steps a text has and may have. */
export interface Room {
  /** The tokens of the longest prompt. */
  readonly prompt: number
  /** The most steps that the positions of the model allow. */
  readonly longest: number
}

/** @throws ArgumentError for unknown options, and for a prompt or a number of tokens for which the model has no positions */
export function readTextOptions(
  where: string,
  options: TextOptions,
  defaults: GenerationConfig,
  { prompt, longest }: Room,
): TextSettings {
  const read = readOptions(where, table, options)
  const room = longest - prompt
  if (room < 1)
    throw new ArgumentError(
      `${where}: the prompt has ${prompt} tokens, and the model has positions for ${longest}, so that no token can follow. Shorten the prompt`,
    )
  if (read.maxTokens !== null && read.maxTokens > room)
    throw new ArgumentError(
      `${where}: the prompt has ${prompt} tokens and maxTokens is ${read.maxTokens}, but the model has positions for ${longest}. Set maxTokens to at most ${room}`,
    )
  const { beams } = read
  if (beams > 1 && (read.temperature ?? 0) > 0)
    throw new ArgumentError(`${where}: beam search draws nothing, so beams and temperature exclude each other`)
  if (beams === 1 && read.lengthPenalty !== null) throw new ArgumentError(`${where}: lengthPenalty needs beams above 1`)
  const isDrawn = beams === 1 && (read.temperature ?? defaults.temperature) > 0
  const drawing = isDrawn ? defaults : null
  return {
    maxTokens: read.maxTokens ?? Math.min(defaults.maxTokens ?? DEFAULT_TOKENS, room),
    stop: read.stop,
    stopTokens: new Set(read.stopTokens ?? defaults.stopTokens),
    sampling: readSampling({
      temperature: read.temperature ?? (isDrawn ? defaults.temperature : null),
      topK: read.topK ?? drawing?.topK ?? null,
      topP: read.topP ?? drawing?.topP ?? null,
      minP: read.minP ?? drawing?.minP ?? null,
      repetitionPenalty: read.repetitionPenalty ?? defaults.repetitionPenalty,
    }),
    seed: read.seed,
    signal: read.signal,
    onToken: read.onToken,
    beams,
    lengthPenalty: read.lengthPenalty ?? 1,
  }
}

/** The tokens that follow a prompt. */
async function* newTokens(
  scorer: BeamScorer,
  prompt: readonly number[],
  settings: TextSettings,
  isOver: () => boolean,
): AsyncGenerator<number, void, void> {
  const { beams, maxTokens, stopTokens: stops, sampling, seed, lengthPenalty } = settings
  if (beams > 1) {
    const { repetitionPenalty } = sampling
    yield* await beamSearch(scorer, prompt, { beams, maxTokens, stops, lengthPenalty, repetitionPenalty, isOver })
    return
  }
  for await (const [token] of drawnTokens(scorer, [prompt], { maxTokens, stops, sampling, seed, isOver }))
    if (token != null) yield token
}

/** The text that follows a prompt, in pieces of whole characters. Stop tokens and stop texts are not part of it. */
export async function* textPieces(
  scorer: BeamScorer,
  tokenizer: Tokenizer,
  prompt: readonly number[],
  settings: TextSettings,
): AsyncGenerator<string, void, void> {
  const text = new GrowingText(tokenizer, settings)
  const isOver = (): boolean => settings.signal?.aborted === true || text.hasEnded
  for await (const token of newTokens(scorer, prompt, settings, isOver)) {
    const piece = text.push(token)
    if (piece !== '') yield piece
    if (text.hasEnded) break
  }
  const rest = text.end()
  if (rest !== '') yield rest
}

/** Prompts that are computed together. */
export interface PromptBatch {
  /** Their indices in the list of all. */
  readonly rows: readonly number[]
  /** The number of rows that every batch has room for. */
  readonly size: number
  /** The number of prompts in the batches before. */
  readonly first: number
}

/** Batches of at most `most` prompts, of about the same lengths, because all of a batch take each step together. */
export function promptBatches(prompts: readonly (readonly number[])[], most: number): PromptBatch[] {
  const batches = Math.ceil(prompts.length / most)
  const size = Math.ceil(prompts.length / Math.max(1, batches))
  const order = prompts.map((_, i) => i).sort((a, b) => prompts[a]!.length - prompts[b]!.length)
  return Array.from({ length: batches }, (_, i) => {
    const first = i * size
    return { rows: order.slice(first, first + size), size, first }
  })
}

/**
 * The texts that follow several prompts, which are computed together.
 * @param size the number of sequences of the scorer: the last prompt is repeated where prompts are missing
 */
export async function textsAfter(
  scorer: Pick<BeamScorer, 'next'>,
  tokenizer: Tokenizer,
  prompts: readonly (readonly number[])[],
  size: number,
  settings: TextSettings,
): Promise<string[]> {
  const texts = prompts.map(() => new GrowingText(tokenizer, settings))
  const made = prompts.map(() => '')
  const { maxTokens, stopTokens: stops, sampling, seed, signal } = settings
  const isOver = (): boolean => signal?.aborted === true
  const hasEnded = (i: number): boolean => texts[i]?.hasEnded ?? true
  const rows = Array.from({ length: size }, (_, i) => prompts[Math.min(i, prompts.length - 1)]!)
  for await (const step of drawnTokens(scorer, rows, { maxTokens, stops, sampling, seed, isOver, hasEnded }))
    texts.forEach((text, i) => step[i] != null && (made[i] += text.push(step[i]!)))
  return made.map((text, i) => text + texts[i]!.end())
}

/** Text from tokens, until a token or a text ends it. */
class GrowingText {
  private readonly decoder: ReturnType<Tokenizer['decoder']>
  private readonly ending: StopTexts
  private readonly stopTokens: ReadonlySet<number>
  private readonly onToken: TextSettings['onToken']
  /** Whether nothing follows. */
  hasEnded = false

  constructor(tokenizer: Tokenizer, { stop, stopTokens, onToken }: TextSettings) {
    this.decoder = tokenizer.decoder()
    this.ending = new StopTexts(stop)
    this.stopTokens = stopTokens
    this.onToken = onToken
  }

  /** @returns the whole characters that a token completes */
  push(token: number): string {
    this.onToken?.(token)
    this.hasEnded ||= this.stopTokens.has(token)
    if (this.hasEnded) return ''
    const piece = this.ending.take(this.decoder.push(token))
    this.hasEnded = this.ending.isReached
    return piece
  }

  /** What is left when no further token comes. */
  end(): string {
    return this.ending.take(this.decoder.end()) + this.ending.end()
  }
}

/** Holds text back while it may be the beginning of a stop text. */
class StopTexts {
  private held = ''
  isReached = false

  constructor(private readonly stops: readonly string[]) {}

  /** @returns the text that is certain to come before a stop text */
  take(piece: string): string {
    if (this.isReached) return ''
    const all = this.held + piece
    const places = this.stops.map((stop) => all.indexOf(stop)).filter((at) => at >= 0)
    if (places.length > 0) {
      this.isReached = true
      this.held = ''
      return all.slice(0, Math.min(...places))
    }
    const kept = this.unsure(all)
    this.held = all.slice(all.length - kept)
    return all.slice(0, all.length - kept)
  }

  /** How many characters at the end of a text may begin a stop text. */
  private unsure(text: string): number {
    const longest = Math.max(0, ...this.stops.map((stop) => stop.length - 1))
    for (let length = Math.min(longest, text.length); length > 0; length--) {
      const end = text.slice(text.length - length)
      if (this.stops.some((stop) => stop.startsWith(end))) return length
    }
    return 0
  }

  /** What was held back, when nothing follows. */
  end(): string {
    const { held } = this
    this.held = ''
    return held
  }
}
