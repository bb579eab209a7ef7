// Tables of options that losses share with metrics of the same formula.

import { boolean, integer, nullable, number, option } from '../core/options'

/** The options of the cross-entropies with targets in [0, 1]. */
const crossentropyRows = {
  /** The predictions are logits, not probabilities. Default false. */
  fromLogits: option(boolean, false),
  /** The strength of smoothing targets towards the uniform distribution. Default 0. */
  labelSmoothing: option(number({ min: 0, below: 1 }), 0),
  /** The class axis; for the binary one, the axis of the mean. Default the last. */
  axis: option(integer(), -1),
}
type CrossentropyRows = typeof crossentropyRows
export type CrossentropyTable = { [Name in keyof CrossentropyRows]: CrossentropyRows[Name] }
export const crossentropyOptions: CrossentropyTable = crossentropyRows

/** The options of the cross-entropy with class numbers as targets. */
const sparseCrossentropyRows = {
  /** The predictions are logits, not probabilities. Default false. */
  fromLogits: option(boolean, false),
  /** The number of a class whose samples are ignored, such as −1 or 255 for "void". Default null. */
  ignoreClass: option(nullable(integer()), null),
  /** The class axis. Default the last. */
  axis: option(integer(), -1),
}
type SparseCrossentropyRows = typeof sparseCrossentropyRows
export type SparseCrossentropyTable = { [Name in keyof SparseCrossentropyRows]: SparseCrossentropyRows[Name] }
export const sparseCrossentropyOptions: SparseCrossentropyTable = sparseCrossentropyRows

/** The options of the cosine similarity. */
const cosineRows = {
  /** The axis of the vectors. Default the last. */
  axis: option(integer(), -1),
}
type CosineRows = typeof cosineRows
export type CosineTable = { [Name in keyof CosineRows]: CosineRows[Name] }
export const cosineOptions: CosineTable = cosineRows
