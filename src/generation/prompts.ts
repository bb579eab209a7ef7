// Converts prompts to lists of tokens.

import { ArgumentError, formatShape, quoted } from '../core/errors'
import { Tensor } from '../ops/tensor'

/** Tokens, at least one. */
export type Prompt = readonly number[] | Int32Array

export interface Prompts {
  readonly sequences: readonly (readonly number[])[]
  /** Whether there is one prompt that is not in a list. */
  readonly isOne: boolean
}

/** @throws ArgumentError unless `prompt` is a prompt, a list of prompts, or a tensor [steps] or [batch, steps] */
export function readPrompts(prompt: Prompt | readonly Prompt[] | Tensor): Prompts {
  const value: unknown = prompt instanceof Tensor ? listsOf(prompt) : prompt
  const isOne = isSequence(value)
  const sequences = isOne ? [value] : value
  if (!areSequences(sequences))
    throw refusal(prompt instanceof Tensor ? `a tensor of shape ${formatShape(prompt.shape)}` : quoted(prompt))
  return {
    isOne,
    sequences: sequences.map((each) => {
      const sequence = Array.from(each)
      const wrong = sequence.find((token) => !Number.isInteger(token) || token < 0)
      if (sequence.length === 0) throw refusal(isOne ? 'an empty one' : 'a list with an empty one')
      if (wrong !== undefined) throw refusal(`${quoted(wrong)} as a token`)
      return sequence
    }),
  }
}

function areSequences(value: unknown): value is readonly Prompt[] {
  return Array.isArray(value) && value.length > 0 && value.every(isSequence)
}

function isSequence(value: unknown): value is Prompt {
  return value instanceof Int32Array || (Array.isArray(value) && value.every((token) => typeof token !== 'object'))
}

function listsOf({ data, shape }: Tensor): unknown {
  const tokens = Array.from(data)
  if (shape.length === 1) return tokens
  const [batch, steps] = shape
  return shape.length === 2
    ? Array.from({ length: batch! }, (_, i) => tokens.slice(i * steps!, (i + 1) * steps!))
    : null
}

function refusal(received: string): ArgumentError {
  return new ArgumentError(
    `generate: the prompt must be at least one token, each an integer ≥ 0, or a list of such prompts, or a tensor [steps] or [batch, steps]; received ${received}`,
  )
}
