// The inputs of attention layers and their masks by the names that they have in Keras.

import { knownName } from '../../core/errors'
import { toTensor, type TensorLike } from '../../ops/convert'
import type { Tensor } from '../../ops/tensor'
import type { ApplyOptions } from '../layer'
import { withNamedInputs } from '../named-inputs'

/** Inputs of a call by name, and its options. */
export interface AttentionInputs extends ApplyOptions {
  /** What asks, [batch, steps, features]. */
  readonly query?: TensorLike | null | undefined
  /** What is averaged, [batch, steps, features]. */
  readonly value?: TensorLike | null | undefined
  /** What the query is compared with. Default: the value. */
  readonly key?: TensorLike | null | undefined
  /** Which steps of the query count; the same as the first of the list `mask`. */
  readonly queryMask?: Tensor | null | undefined
  /** Which steps of the value count. */
  readonly valueMask?: Tensor | null | undefined
  /** Which steps of the key count. Default: those of the value. */
  readonly keyMask?: Tensor | null | undefined
}

const INPUTS = ['query', 'value', 'key'] as const
const MASKS = ['queryMask', 'valueMask', 'keyMask'] as const

/** The arguments of `apply` with a list of the inputs, and their masks as one option. */
export function withNames(layer: { toString(): string }, args: readonly unknown[]): readonly unknown[] {
  const call = withNamedInputs(layer, INPUTS, args)
  if (call === args && args.length < 2) return call
  const options = call.at(-1)
  if (typeof options !== 'object' || options === null) return call
  const masks: (Tensor | null)[] = []
  const others: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(options)) {
    const place = MASKS.findIndex((name) => name === knownName(key, MASKS))
    if (place < 0) others[key] = value
    else if (value != null) masks[place] = toTensor(value, `${layer.toString()}: ${key}`)
  }
  if (masks.length === 0) return call
  const inputs = call.slice(0, -1)
  const count = Array.isArray(inputs[0]) ? inputs[0].length : inputs.filter((each) => each != null).length
  const length = Math.max(count, masks.length)
  return [...inputs, { ...others, mask: Array.from({ length }, (_, i) => masks[i] ?? null) }]
}
