// The kind of targets of a cross-entropy or an accuracy, inferred from shapes.

import type { Shape } from '../core/shapes'

/** The shapes a loss or metric compares, including the batch axis. */
export interface TargetShapes {
  readonly target: Shape
  readonly output: Shape
}

/**
 * Outputs of one number, [batch] or [batch, …, 1], are binary; targets with one axis less, or with extent 1 in place of
 * the classes, are class numbers; all others are one-hot rows.
 *
 * Keras: `is_binary_or_sparse_categorical`.
 */
export function targetKind({ target, output }: TargetShapes): 'binary' | 'sparse' | 'oneHot' {
  if (output.length < 2 || output.at(-1) === 1) return 'binary'
  return target.length < output.length || target.at(-1) === 1 ? 'sparse' : 'oneHot'
}

/** Shapes of binary targets, to check names before the real shapes are known. */
export const UNKNOWN_SHAPES: TargetShapes = { target: [1, 1], output: [1, 1] }
