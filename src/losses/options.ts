// Tables of options that losses share with metrics of the same formula.

import { boolean, integer, nullable, number, option } from '../core/options'

/** The options of the cross-entropies with targets in [0, 1]. */
export const crossentropyOptions = {
  /** The predictions are logits, not probabilities. Default false. */
  fromLogits: option(boolean, false),
  /** The strength of smoothing targets towards the uniform distribution. Default 0. */
  labelSmoothing: option(number({ min: 0, below: 1 }), 0),
  /** The class axis; for the binary one, the axis of the mean. Default the last. */
  axis: option(integer(), -1),
}

/** The options of the cross-entropy with class numbers as targets. */
export const sparseCrossentropyOptions = {
  /** The predictions are logits, not probabilities. Default false. */
  fromLogits: option(boolean, false),
  /** The number of a class whose samples are ignored, such as −1 or 255 for "void". Default null. */
  ignoreClass: option(nullable(integer()), null),
  /** The class axis. Default the last. */
  axis: option(integer(), -1),
}

/** The options of the cosine similarity. */
export const cosineOptions = {
  /** The axis of the vectors. Default the last. */
  axis: option(integer(), -1),
}
