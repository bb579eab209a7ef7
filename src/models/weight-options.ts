// The options with which weights of models are read and written.

import { merged } from '../core/merged'
import { ArgumentError } from '../core/errors'
import {
  always,
  boolean,
  custom,
  nullable,
  option,
  readOptions,
  unread,
  type OptionInputs,
  type ValuesOf,
} from '../core/options'
import { signalOption } from '../data/samples/abort'
import type { WeightMapping } from '../files/containers/weight-mapping'
import { overwriteOption } from './overwrite'

function isMapping(value: unknown): value is WeightMapping {
  return typeof value === 'function' || (typeof value === 'object' && value !== null && !Array.isArray(value))
}

const mappingKind = /* @__PURE__ */ custom<WeightMapping>(
  (value, where) => {
    if (isMapping(value)) return value
    throw new ArgumentError(`${where} must be a record or a function, from names in the file to weights`)
  },
  () => null,
)

export const mappingOption = () => ({
  /** The weights of the names in a file of another program: see `torchMapping` of `myelin/weights`. Default: names of this library. */
  mapping: option(nullable(mappingKind), null),
})

const saveWeightsRows = () =>
  merged(mappingOption(), overwriteOption(), {
    /** Must be null: weights are written to one file. Default null. */
    maxShardSize: unread(always([null], 'weights are written to one file'), null),
  })
type SaveWeightsRows = ReturnType<typeof saveWeightsRows>
export type SaveWeightsTable = { [Name in keyof SaveWeightsRows]: SaveWeightsRows[Name] }
export const saveWeightsTable: () => SaveWeightsTable = saveWeightsRows
export type SaveWeightsOptions = OptionInputs<ReturnType<typeof saveWeightsTable>>
export const loadWeightsTable = () =>
  merged(
    signalOption(),
    merged(mappingOption(), {
      /**
       * true: layers whose weights are not in the file, or have other shapes there, keep theirs, with a warning. Files of Keras,
       * safetensors of `saveWeights`, and .npz. Default false.
       */
      skipMismatch: option(boolean, false),
    }),
  )
export type LoadWeightsOptions = OptionInputs<ReturnType<typeof loadWeightsTable>>

/** @throws ArgumentError for options that exclude each other */
export function readLoading(where: string, options: unknown): ValuesOf<ReturnType<typeof loadWeightsTable>> {
  const read = readOptions(where, loadWeightsTable(), options)
  if (!read.skipMismatch || read.mapping === null) return read
  throw new ArgumentError(`${where}: skipMismatch and mapping exclude each other: a mapping names what is loaded`)
}
