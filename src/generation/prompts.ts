// From what users give as prompts to lists of tokens.

import { ArgumentError, formatShape, quoted } from '../core/errors'
import { Tensor } from '../ops/tensor'

/** Tokens, at least one. */
export type Prompt = readonly number[] | Int32Array

export interface Prompts {
  readonly sequences: readonly (readonly number[])[]
  /** Whether one prompt was given by itself, not in a list. */
  readonly isOne: boolean
}

/** @throws ArgumentError for what is not a prompt, a list of such, or a tensor [steps] or [batch, steps] */
export function readPrompts(given: Prompt | readonly Prompt[] | Tensor): Prompts {
  const value: unknown = given instanceof Tensor ? listsOf(given) : given
  const isOne = isSequence(value)
  const sequences: readonly unknown[] | null = isOne
    ? [value]
    : Array.isArray(value) && value.length > 0 && value.every(isSequence)
      ? value
      : null
  if (sequences === null)
    throw refusal(given instanceof Tensor ? `a tensor of shape ${formatShape(given.shape)}` : quoted(given))
  return {
    isOne,
    sequences: sequences.map((each) => {
      const sequence = Array.from(each as Prompt)
      const wrong = sequence.find((token) => !Number.isInteger(token) || token < 0)
      if (sequence.length === 0) throw refusal(isOne ? 'none' : 'a list with one that has none')
      if (wrong !== undefined) throw refusal(`${quoted(wrong)} as a token`)
      return sequence
    }),
  }
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
    `generate: the prompt must be at least one token, each an integer from 0 on, or a list of such prompts, or a tensor [steps] or [batch, steps]; received ${received}`,
  )
}
