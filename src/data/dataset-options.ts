// The options of Dataset's methods.

import { merged } from '../core/merged'
import {
  boolean,
  count,
  custom,
  extent,
  integer,
  listOf,
  nullable,
  number,
  option,
  required,
  type Kind,
  type OptionInputs,
} from '../core/options'

export const shuffleOptions = () => ({
  /** The seed of the order. Default: derived from `setRandomSeed`. */
  seed: option(nullable(integer()), null),
  /** Whether each pass has another order. Default true. */
  reshuffleEachEpoch: option(boolean, true),
})
export type ShuffleOptions = OptionInputs<ReturnType<typeof shuffleOptions>>

export const batchOptions = () => ({
  /** Whether to drop a smaller last batch. Default false. */
  dropRemainder: option(boolean, false),
})
export type BatchOptions = OptionInputs<ReturnType<typeof batchOptions>>

export const paddedOptions = () =>
  merged(batchOptions(), {
    /** The value that pads short rows at the end. Default 0. */
    padValue: option(number(), 0),
    /** Extents are padded to a multiple of this: fewer shapes, and so fewer programs to compile. Default 1. */
    padToMultipleOf: option(extent, 1),
  })
export type PaddedBatchOptions = OptionInputs<ReturnType<typeof paddedOptions>>

const countOrCounts: Kind<number | readonly number[]> = custom(
  (value, where) => (Array.isArray(value) ? listOf(count).read(value, where) : count.read(value, where)),
  (value) => (typeof value === 'number' ? value : [...value]),
)

export const bucketOptions = () =>
  merged(paddedOptions(), {
    /** The ascending lengths at which buckets end: [10, 20] makes three buckets, below 10, below 20 and the rest. */
    boundaries: required(listOf(integer({ min: 1 }))),
    /** The batch size: one number for all buckets, or one for each. Default 32. */
    batchSize: option(countOrCounts, 32),
  })
export type BucketOptions = OptionInputs<ReturnType<typeof bucketOptions>>

export const windowOptions = () => ({
  /** The distance between the starts of two windows. Default: size, so that windows do not overlap. */
  shift: option(nullable(count), null),
  /** The distance between two elements of a window. Default 1. */
  stride: option(count, 1),
  /** Whether to drop smaller windows at the end. Default true. */
  dropRemainder: option(boolean, true),
})
export type WindowOptions = OptionInputs<ReturnType<typeof windowOptions>>

export const mapOptions = () => ({
  /** The maximum number of calls in progress, if the function returns promises; the order is kept. Default 1. */
  parallel: option(count, 1),
})
export type MapOptions = OptionInputs<ReturnType<typeof mapOptions>>
