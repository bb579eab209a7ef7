// Which arrays of a file become which weights: see files/weights/mapping.ts.

import type { Shape } from '../../core/shapes'

/** How an array of a file becomes a weight. */
export interface WeightTarget {
  /** The path of the weight, such as `dense/kernel`: the names that `saveWeights` uses. */
  readonly to: string
  /** The part of the array from this row up to that one. Default: all rows. */
  readonly rows?: readonly [begin: number, end: number]
  /** The order of equal blocks along the first axis, such as the gates of an RNN: block i is block `blocks[i]` of the file. */
  readonly blocks?: readonly number[]
  /** The axes of the array in the order of the weight, as in `ops.transpose`. Default: the same order. */
  readonly transpose?: readonly number[]
  /** The shape of the array after the transposition, if the weight has its elements in another shape. */
  readonly reshape?: Shape
  /** The index along the first axis of the weight at which the array is. Default: it is the whole weight. */
  readonly at?: number
  /** Whether the weight is the sum of all arrays with this target. Default false. */
  readonly add?: boolean
}

/** The weights of an array: a path, how it becomes one, several weights, or null for an array that the model does not need. */
export type WeightTargets = string | WeightTarget | readonly WeightTarget[] | null

/** The weights of the names in a file. A function returns undefined for a name that it does not know. */
export type WeightMapping = Readonly<Record<string, WeightTargets>> | ((name: string) => WeightTargets | undefined)
