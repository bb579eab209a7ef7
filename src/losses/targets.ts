// What kind of targets a crossentropy or an accuracy is to compare, as their shapes tell it.

import type { Shape } from '../core/shapes'

/** What a loss or metric compares. Shapes include the batch axis. */
export interface TargetShapes {
  readonly target: Shape
  readonly output: Shape
}

/**
 * One number as output, [batch] or [batch, …, 1], is yes or no; targets with an axis less, or with one number where the classes are, are class
 * numbers; else one-hot rows.
 *
 * Keras: `is_binary_or_sparse_categorical`.
 */
export function targetKind({ target, output }: TargetShapes): 'binary' | 'sparse' | 'oneHot' {
  if (output.length < 2 || output.at(-1) === 1) return 'binary'
  return target.length < output.length || target.at(-1) === 1 ? 'sparse' : 'oneHot'
}

/** The shapes of yes or no: what names are checked with before anything is known. */
export const UNKNOWN_SHAPES: TargetShapes = { target: [1, 1], output: [1, 1] }
