// The operands of attention and its gradient, by name.

import type { Shape, TensorType } from '../../core/shapes'

export interface AttentionAttributes {
  /** Multiplies query · key. */
  readonly scale: number
  /** How many steps back, and how many ahead, a row attends to; Infinity for all. */
  readonly before: number
  readonly after: number
  /** Which optional operands follow query, key and value. */
  readonly hasMask: boolean
  readonly hasBias: boolean
}

export interface GradientAttributes extends AttentionAttributes {
  /** Whether ln Σ e^S has a gradient. */
  readonly hasSums: boolean
  /** Whether to compute the gradient of the bias. */
  readonly givesBias: boolean
}

interface Operands<Item> {
  readonly query: Item
  readonly key: Item
  readonly value: Item
  readonly mask: Item | null
  readonly bias: Item | null
}

/** The operands of both primitives by their names. */
export function attentionOperands<Item>(
  inputs: readonly Item[],
  { hasMask, hasBias }: AttentionAttributes,
): Operands<Item> {
  return {
    query: inputs[0]!,
    key: inputs[1]!,
    value: inputs[2]!,
    mask: hasMask ? inputs[3]! : null,
    bias: hasBias ? inputs[hasMask ? 4 : 3]! : null,
  }
}

export interface AttentionExtents {
  readonly batch: number
  readonly heads: number
  readonly keyHeads: number
  readonly rows: number
  readonly columns: number
  readonly depth: number
  readonly width: number
}

export function attentionExtents({ query, key, value }: Operands<TensorType>): AttentionExtents {
  return {
    batch: query.shape[0]!,
    heads: query.shape[2]!,
    keyHeads: key.shape[2]!,
    rows: query.shape[1]!,
    columns: key.shape[1]!,
    depth: query.shape[3]!,
    width: value.shape[3]!,
  }
}

/** [batch, heads, rows, columns] */
export const scoresShape = ({ batch, heads, rows, columns }: AttentionExtents): Shape => [batch, heads, rows, columns]

/**
 * The operands after those of attention: its two results, the gradient of the first and, with `hasSums`, that
 * of the second.
 */
export function gradientOperands<Item>(
  inputs: readonly Item[],
  { hasSums }: GradientAttributes,
): readonly [y: Item, logSum: Item, dy: Item, dLogSum?: Item] {
  const [y, logSum, dy, dLogSum] = inputs.slice(hasSums ? -4 : -3)
  return hasSums ? [y!, logSum!, dy!, dLogSum!] : [y!, logSum!, dy!]
}
