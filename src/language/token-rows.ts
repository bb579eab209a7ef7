// Rows of tokens for training: texts, or prompts with responses, as tokens with targets and weights.

import { ArgumentError, quoted } from '../core/errors'
import { warnOnce } from '../core/warnings'
import { Tensor } from '../ops/tensor'
import type { ChatMessage, Tokenizer } from './tokens'

/** A prompt and its response. Only the tokens of the response count for the loss. */
export interface PromptAndResponse {
  /** A text; or the messages of a conversation, which the chat template of the preset writes, as `chat` does. */
  readonly prompt: string | readonly ChatMessage[]
  readonly response: string
}

/** What a language model is trained on: a text, or a prompt with its response. */
export type TrainingText = string | PromptAndResponse

/** Rows of equal length. */
export interface TokenRows {
  /** int32 [rows, length] */
  readonly tokens: Tensor
  /** The token after each one, int32 [rows, length]. */
  readonly targets: Tensor
  /** 1 where the target counts, otherwise 0, [rows, length]. */
  readonly weights: Tensor
}

/** One row before it is padded. */
interface Row {
  readonly tokens: readonly number[]
  /** The index of the first token that counts as a target. */
  readonly from: number
}

/**
 * Converts texts to rows. A text that is longer than a row continues in the next one, so that every token is trained; a prompt with its
 * response must fit into one row, or its end is cut off, with a warning.
 * @param length the tokens of a row besides the target of the last one
 */
export function tokenRows(texts: readonly TrainingText[], tokenizer: Tokenizer, length: number): TokenRows {
  const rows = texts.flatMap((text, i) => rowsOf(text, i, tokenizer, length))
  if (rows.length === 0) throw new ArgumentError('fit: the texts have no tokens to train on')
  return padded(rows, Math.min(length, Math.max(...rows.map(({ tokens }) => tokens.length - 1))), tokenizer)
}

function rowsOf(text: TrainingText, index: number, tokenizer: Tokenizer, length: number): readonly Row[] {
  if (typeof text === 'string') return rowsOfText(withEnd(tokenizer.encode(text), tokenizer), length)
  if (!isPair(text))
    throw new ArgumentError(
      `fit: text ${index} must be a string, or a record of a prompt (a string or a list of messages) and a string response; received ${quoted(text)}`,
    )
  const prompt =
    typeof text.prompt === 'string'
      ? tokenizer.encode(text.prompt)
      : tokenizer.encodeChat(text.prompt, { addGenerationPrompt: true })
  const response = withEnd(tokenizer.encode(text.response, { addSpecialTokens: false }), tokenizer)
  const tokens = [...prompt, ...response]
  if (tokens.length > length + 1)
    warnOnce(
      `fit: a prompt with its response has ${tokens.length} tokens, of which the first ${length + 1} are used. Raise sequenceLength, or shorten the texts`,
    )
  const kept = tokens.slice(0, length + 1)
  return kept.length > Math.max(prompt.length, 1) ? [{ tokens: kept, from: Math.max(prompt.length, 1) }] : []
}

function rowsOfText(tokens: readonly number[], length: number): readonly Row[] {
  const rows: Row[] = []
  // The last token of a row is the first one of the next, so that each token but the first is a target once.
  for (let at = 0; at + 1 < tokens.length; at += length)
    rows.push({ tokens: tokens.slice(at, at + length + 1), from: 1 })
  return rows
}

function withEnd(tokens: readonly number[], { eosTokenId }: Tokenizer): readonly number[] {
  return eosTokenId === null || tokens.at(-1) === eosTokenId ? tokens : [...tokens, eosTokenId]
}

function isPair(value: unknown): value is PromptAndResponse {
  return (
    typeof value === 'object' &&
    value !== null &&
    'prompt' in value &&
    'response' in value &&
    (typeof value.prompt === 'string' || Array.isArray(value.prompt)) &&
    typeof value.response === 'string'
  )
}

function padded(rows: readonly Row[], length: number, { padTokenId, eosTokenId }: Tokenizer): TokenRows {
  const padding = padTokenId ?? eosTokenId ?? 0
  const tokens = new Int32Array(rows.length * length).fill(padding)
  const targets = new Int32Array(rows.length * length).fill(padding)
  const weights = new Float32Array(rows.length * length)
  rows.forEach((row, r) => {
    const at = r * length
    tokens.set(row.tokens.slice(0, Math.min(length, row.tokens.length - 1)), at)
    for (let i = 1; i < row.tokens.length; i++) {
      targets[at + i - 1] = row.tokens[i]!
      if (i >= row.from) weights[at + i - 1] = 1
    }
  })
  const shape = [rows.length, length]
  return {
    tokens: new Tensor(tokens, shape, 'int32'),
    targets: new Tensor(targets, shape, 'int32'),
    weights: new Tensor(weights, shape, 'float32'),
  }
}
