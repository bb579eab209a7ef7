// Operators of ai.onnx.ml that prepare columns of a table: categories to numbers and vectors, scales, missing values.

import * as ops from '../../../../ops'
import type { Tensor } from '../../../../ops/tensor'
import type { Call, Operator } from '../../call'
import { hostOf } from '../../host'
import type { HostTensor } from '../../tensors'
import type { ElementType } from '../../types'
import { Value } from '../../values'
import { converted } from '../logic'
import { features } from './scores'

/** A list that is an attribute under one of several names, as integers, floats or strings; null if there is none. */
function listOf(call: Call, kind: 'keys' | 'values'): HostTensor | null {
  const tensor = call.tensor(`${kind}_tensor`)
  if (tensor !== null) return tensor
  const strings = call.texts(`${kind}_strings`) ?? []
  if (strings.length > 0) return call.strings(strings).host
  const integers = call.integers(`${kind}_int64s`) ?? []
  if (integers.length > 0) return hostOf('int64', [integers.length], integers)
  const floats = call.floats(`${kind}_floats`)
  return floats.length > 0 ? hostOf('float32', [floats.length], floats) : null
}

/** The value for keys that a table lacks. */
function defaultOf(call: Call, type: ElementType): number {
  const tensor = call.tensor('default_tensor')
  if (tensor !== null) return tensor.data[0] ?? 0
  if (type === 'string') return call.strings([call.text('default_string', '_Unused')]).host!.data[0]!
  return type === 'int64' ? call.integer('default_int64', -1) : call.float('default_float', -0)
}

/** Replaces keys by values, in a table that is sorted by its keys. NaN is a key like others. */
function mapped(x: Value, keys: HostTensor, values: HostTensor, absent: number): Value {
  const pairs = [...keys.data].map((key, i): [number, number] => [key, values.data[i]!])
  const nan = pairs.find(([key]) => Number.isNaN(key))?.[1]
  // Of equal keys, the first counts.
  const byKey = new Map(pairs.toReversed())
  byKey.delete(NaN)
  const sorted = [...byKey].sort(([a], [b]) => a - b)
  const known = (numbers: readonly number[], type: ElementType): Tensor =>
    Value.known(hostOf(type, [numbers.length], numbers)).plain
  const [places, found] = [
    known(
      sorted.map(([key]) => key),
      x.type,
    ),
    known([...sorted.map(([, value]) => value), absent], values.type),
  ]
  const { plain } = x
  if (sorted.length === 0) return Value.of(ops.add(ops.multiply(ops.cast(plain, found.dtype), 0), absent), values.type)
  const at = ops.searchsorted(places, ops.reshape(plain, [plain.size]), 'left')
  const place = ops.minimum(ops.reshape(at, plain.shape), sorted.length - 1)
  const isKey = ops.equal(ops.take(places, place, 0), plain)
  const result = ops.take(found, ops.where(isKey, place, sorted.length), 0)
  return Value.of(nan === undefined ? result : ops.where(ops.isnan(plain), nan, result), values.type)
}

/** Version 1 names only strings, which become their numbers, or numbers that become strings. */
function labelEncoderOne(call: Call, x: Value): Value {
  const strings = call.strings(call.texts('classes_strings') ?? []).host!
  const numbers = hostOf('int64', strings.shape, [...strings.data.keys()])
  return x.type === 'string'
    ? mapped(x, strings, numbers, call.integer('default_int64', -1))
    : mapped(converted(call, x, 'int64'), numbers, strings, defaultOf(call, 'string'))
}

const labelEncoder: Operator = (call) => {
  const x = call.value(0)
  if (call.has('classes_strings')) return labelEncoderOne(call, x)
  const [keys, values] = [listOf(call, 'keys'), listOf(call, 'values')]
  call.require(
    keys !== null && values !== null && keys.data.length === values.data.length,
    () => 'its keys and values are not complete',
  )
  requireStrings(call, x, keys!.type === 'string')
  return mapped(x.type === 'string' ? x : converted(call, x, keys!.type), keys!, values!, defaultOf(call, values!.type))
}

const categoryMapper: Operator = (call) => {
  const x = call.value(0)
  const strings = call.strings(call.texts('cats_strings') ?? []).host!
  const numbers = hostOf('int64', strings.shape, call.integers('cats_int64s') ?? [])
  call.require(numbers.data.length === strings.data.length, () => 'its strings and numbers are not complete')
  return x.type === 'string'
    ? mapped(x, strings, numbers, call.integer('default_int64', -1))
    : mapped(converted(call, x, 'int64'), numbers, strings, defaultOf(call, 'string'))
}

function requireStrings(call: Call, x: Value, isString: boolean): void {
  call.require(
    (x.type === 'string') === isString,
    () => `its table is of ${isString ? 'strings' : 'numbers'}, the operand is ${x.type}`,
  )
}

/** [… ] → [… categories]. An unknown category gives zeros, or NaN if the file calls it an error. */
const oneHotEncoder: Operator = (call) => {
  const x = call.value(0)
  const strings = call.texts('cats_strings') ?? []
  requireStrings(call, x, strings.length > 0)
  const numbers = call.integers('cats_int64s') ?? []
  const categories =
    strings.length > 0 ? call.strings(strings) : Value.known(hostOf('int64', [numbers.length], numbers))
  call.require(categories.size > 0, () => 'it has no categories')
  const keys = strings.length > 0 ? x : converted(call, x, 'int64')
  const found = ops.cast(ops.equal(ops.expandDims(keys.plain, -1), categories.plain), 'float32')
  if (call.flag('zeros', true)) return Value.of(found, 'float32')
  return Value.of(ops.where(ops.equal(ops.sum(found, -1, true), 0), NaN, found), 'float32')
}

/** A list of one number for all features, or one for each, as [features]. */
function perFeature(
  call: Call,
  name: string,
  numbers: readonly number[],
  width: number,
  type: ElementType = 'float32',
): Tensor {
  call.require(
    numbers.length === 1 || numbers.length === width,
    () => `${name} has ${numbers.length} numbers for ${width} features`,
  )
  return Value.known(hostOf(type, [numbers.length], numbers)).plain
}

const imputer: Operator = (call) => {
  const x = call.value(0)
  const [floats, integers] = [call.floats('imputed_value_floats'), call.integers('imputed_value_int64s') ?? []]
  const isFloat = floats.length > 0
  const width = x.shape.at(-1) ?? 1
  const values = perFeature(call, 'imputed_value', isFloat ? floats : integers, width, x.type)
  const missing = isFloat ? call.float('replaced_value_float', 0) : call.integer('replaced_value_int64', 0)
  const { plain } = x
  const isMissing = Number.isNaN(missing) ? ops.isnan(plain) : ops.equal(plain, missing)
  return Value.of(ops.where(isMissing, values, plain), x.type)
}

/** (x − offset) · scale */
const scaler: Operator = (call) => {
  const x = converted(call, call.value(0), 'float32').plain
  const width = x.shape.at(-1) ?? 1
  const [offset, scale] = ['offset', 'scale'].map((name) => perFeature(call, name, call.floats(name), width))
  return Value.of(ops.multiply(ops.subtract(x, offset!), scale!), 'float32')
}

/** x / |x| along the last axis; rows whose norm is 0 stay. */
const NORMS: Readonly<Record<'MAX' | 'L1' | 'L2', (x: Tensor) => Tensor>> = {
  MAX: (x) => ops.max(x, -1, true),
  L1: (x) => ops.sum(ops.abs(x), -1, true),
  L2: (x) => ops.sqrt(ops.sum(ops.square(x), -1, true)),
}

const normalizer: Operator = (call) => {
  const x = converted(call, call.value(0), 'float32').plain
  const norm = call.word('norm', 'MAX', ['MAX', 'L1', 'L2'])
  const size = NORMS[norm](x)
  return Value.of(ops.divide(x, ops.where(ops.equal(size, 0), 1, size)), 'float32')
}

const binarizer: Operator = (call) => {
  const x = call.value(0)
  const { plain } = x
  return Value.of(ops.cast(ops.greater(plain, call.float('threshold', 0)), plain.dtype), x.type)
}

/** Elements of the last axis. A vector is one row. */
const extractor: Operator = (call) => {
  const [x, indices] = [call.value(0), call.value(1)]
  const extent = x.shape.at(-1) ?? 1
  const known = indices.host?.data
  call.require(
    known === undefined || known.every((each: number) => each >= 0 && each < extent),
    () => `an index is outside the ${extent} features`,
  )
  const all = x.rank < 2 ? ops.reshape(x.plain, [1, x.size]) : x.plain
  return Value.of(ops.take(all, ops.reshape(indices.plain, [indices.size]), all.rank - 1), x.type)
}

const vectorizer: Operator = (call) => {
  const parts = call.all.map((each) => {
    const x = converted(call, each, 'float32').plain
    return ops.reshape(x, [x.shape[0] ?? 1, x.size / Math.max(x.shape[0] ?? 1, 1)])
  })
  return Value.of(ops.concatenate(parts, 1), 'float32')
}

/** The columns of probabilities, which a map names by the classes: here they stay a matrix. */
const zipMap: Operator = (call) => Value.of(features(call), 'float32')

export const encoderOperators: Readonly<Record<string, Operator>> = {
  ArrayFeatureExtractor: extractor,
  Binarizer: binarizer,
  CategoryMapper: categoryMapper,
  FeatureVectorizer: vectorizer,
  Imputer: imputer,
  LabelEncoder: labelEncoder,
  Normalizer: normalizer,
  OneHotEncoder: oneHotEncoder,
  Scaler: scaler,
  ZipMap: zipMap,
}
