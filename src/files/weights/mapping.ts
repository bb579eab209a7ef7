// Weights under names of other programs: which arrays of a file become which weights, and back.
//
//   file name ──rows──▶ part ──blocks──▶ ──transpose──▶ ──reshape──▶ weight, or its row `at`
//
// Every array is checked before the first weight is assigned.

import { allocateData, type TensorData } from '../../core/dtypes'
import { ArgumentError, FormatError, formatShape, listed } from '../../core/errors'
import { sameShape, sizeOf, type Shape } from '../../core/shapes'
import type { NamedTensor } from '../containers/safetensors'
import type { WeightMapping, WeightTarget, WeightTargets } from '../containers/weight-mapping'
import type { SavedVariable } from '../../layers/saved-weights'
import { propertyOf } from '../../core/tree'
import { Tensor } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'
import { blocksOf, inverseOf, permuted } from './axes'

function targetsOf(mapping: WeightMapping, name: string): readonly WeightTarget[] | undefined {
  const found = typeof mapping === 'function' ? mapping(name) : propertyOf(mapping, name)
  return found === undefined ? undefined : listOf(found)
}

function listOf(targets: WeightTargets): readonly WeightTarget[] {
  if (targets === null) return []
  if (typeof targets === 'string') return [{ to: targets }]
  return isTargets(targets) ? targets : [targets]
}

/** Whether an array becomes several weights. */
export const isTargets = (targets: WeightTarget | readonly WeightTarget[]): targets is readonly WeightTarget[] =>
  Array.isArray(targets)

/** A weight that is assembled from arrays. */
interface Parts {
  readonly variable: Variable
  readonly data: TensorData
  readonly covered: Set<number>
}

/**
 * The new values of weights.
 * @throws FormatError that names weights without an array, arrays without a weight, and those of another shape
 */
export function mappedValues(
  weights: readonly SavedVariable[],
  arrays: ReadonlyMap<string, NamedTensor>,
  mapping: WeightMapping,
): readonly (readonly [Variable, Tensor])[] {
  const parts = new Map(
    weights.map(({ key, variable }): [string, Parts] => [
      key,
      { variable, data: allocateData(variable.dtype, sizeOf(variable.shape)), covered: new Set() },
    ]),
  )
  const problems: string[] = []
  const left: string[] = []
  for (const [name, array] of arrays) {
    const targets = targetsOf(mapping, name)
    if (targets === undefined) left.push(`'${name}' ${formatShape(array.shape)}`)
    else
      for (const target of targets) {
        const part = parts.get(target.to)
        const problem = part === undefined ? `the model has no weight '${target.to}'` : put(part, array, target)
        if (problem !== null) problems.push(`'${name}': ${problem}`)
      }
  }
  const missing = [...parts].filter(([, part]) => part.covered.size < rowsOf(part))
  const lists = [
    named(
      'weights without an array',
      missing.map(([key, { variable }]) => `'${key}' ${formatShape(variable.shape)}`),
    ),
    named('arrays without a weight', left),
    ...(problems.length === 0 ? [] : [listed(problems)]),
  ].filter((each) => each !== '')
  if (lists.length > 0) throw new FormatError(`The weights of the file do not fit the model: ${lists.join('. ')}`)
  return [...parts.values()].map(({ variable, data }) => [variable, new Tensor(data, variable.shape, variable.dtype)])
}

const named = (what: string, names: readonly string[]): string =>
  names.length === 0 ? '' : `${what}: ${listed(names, ', ')}`

const rowsOf = ({ variable: { shape } }: Parts): number => shape[0] ?? 1

/** Puts an array into a weight. Returns why it does not fit; null if it does. */
function put({ variable, data, covered }: Parts, array: NamedTensor, target: WeightTarget): string | null {
  const { at, add = false, reshape } = target
  const { shape: whole, dtype } = variable
  const wanted = at === undefined ? whole : whole.slice(1)
  const made = taken(array, target)
  if (typeof made === 'string') return made
  const isFitting = reshape === undefined ? sameShape(made.shape, wanted) : sameShape(made.shape, reshape)
  if (!isFitting || sizeOf(made.shape) !== sizeOf(wanted))
    return `it has ${formatShape(made.shape)}, but '${target.to}' needs ${formatShape(reshape ?? wanted)}`
  if (dtype !== 'float32' && made.data instanceof Float32Array && !made.data.every(Number.isInteger))
    return `it has fractions, but '${target.to}' is ${dtype}`
  const rows = at === undefined ? Array.from({ length: whole[0] ?? 1 }, (_, i) => i) : [at]
  if (at !== undefined && !(at >= 0 && at < (whole[0] ?? 0))) return `'${target.to}' has no row ${at}`
  const isSet = rows.some((row) => covered.has(row))
  if (isSet && !add) return `'${target.to}' has another array already`
  const first = at === undefined ? 0 : at * sizeOf(wanted)
  if (isSet) made.data.forEach((value, i) => (data[first + i]! += value))
  else data.set(made.data, first)
  for (const row of rows) covered.add(row)
  return null
}

interface Piece {
  readonly shape: Shape
  readonly data: TensorData
}

/** The part of an array that a target takes, in the order of the weight; or why there is none. */
function taken({ shape, data }: Piece, { rows, blocks, transpose }: WeightTarget): Piece | string {
  let piece: Piece = { shape, data }
  if (rows !== undefined) {
    const [begin, end] = rows
    const step = sizeOf(shape.slice(1))
    if (!(begin >= 0 && begin < end && end <= (shape[0] ?? 0)))
      return `it has ${formatShape(shape)}, so no rows ${begin} to ${end}`
    piece = { shape: [end - begin, ...shape.slice(1)], data: data.slice(begin * step, end * step) }
  }
  if (blocks !== undefined) {
    if (!isOrder(blocks)) return `blocks must be an order of 0 … ${blocks.length - 1}, received ${formatShape(blocks)}`
    if ((piece.shape[0] ?? 1) % blocks.length !== 0)
      return `it has ${formatShape(piece.shape)}, which are not ${blocks.length} blocks`
    piece = { shape: piece.shape, data: blocksOf(piece.data, blocks) }
  }
  if (transpose === undefined) return piece
  if (transpose.length !== piece.shape.length || !isOrder(transpose))
    return `it has ${formatShape(piece.shape)}, which cannot be transposed to ${formatShape(transpose)}`
  return {
    shape: transpose.map((axis) => piece.shape[axis] ?? 0),
    data: permuted(piece.data, piece.shape, transpose),
  }
}

const isOrder = (order: readonly number[]): boolean => order.every((_, i) => order.includes(i))

/**
 * The arrays of a file with the weights of a model, from which the same mapping gives these weights. If several arrays add up to a weight, the first contains the weight, and the others contain 0.
 * @throws ArgumentError for a function, which does not list its names, for weights that no array has, or not all of their rows, and for
 * orders and shapes that do not fit
 */
export function mappedArrays(weights: readonly SavedVariable[], mapping: WeightMapping): readonly NamedTensor[] {
  if (typeof mapping === 'function')
    throw new ArgumentError(
      'saveWeights: a mapping with which weights are written must be a record, which lists the names',
    )
  const byKey = new Map(weights.map(({ key, variable }) => [key, variable]))
  const written = new Set<string>()
  const arrays = Object.entries(mapping).flatMap(([name, targets]): NamedTensor[] => {
    const pieces = listOf(targets).map((target) => pieceFor(name, target, byKey, written))
    if (pieces.length === 0) return []
    pieces.sort((a, b) => a.begin - b.begin)
    const data = allocateData(
      'float32',
      pieces.reduce((sum, piece) => sum + piece.data.length, 0),
    )
    let at = 0
    for (const piece of pieces) {
      data.set(piece.data, at)
      at += piece.data.length
    }
    const rows = pieces.reduce((sum, { shape }) => sum + (shape[0] ?? 1), 0)
    const { shape } = pieces[0]!
    return [{ name, shape: shape.length === 0 ? [] : [rows, ...shape.slice(1)], data }]
  })
  const missing = weights.filter(({ key }) => !written.has(key)).map(({ key }) => `'${key}'`)
  if (missing.length > 0) throw new ArgumentError(`saveWeights: the mapping lacks ${named('weights', missing)}`)
  requireReadable(weights, arrays, mapping)
  return arrays
}

function requireReadable(
  weights: readonly SavedVariable[],
  arrays: readonly NamedTensor[],
  mapping: WeightMapping,
): void {
  try {
    mappedValues(weights, new Map(arrays.map((array) => [array.name, array])), mapping)
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause
    throw new ArgumentError(`saveWeights: the mapping does not fit the model. ${cause.message}`, { cause })
  }
}

/** The part of a weight that the array of a name contains, in the order of the file, and its place. */
function pieceFor(
  name: string,
  { to, rows, blocks, transpose, reshape, at, add = false }: WeightTarget,
  weights: ReadonlyMap<string, Variable>,
  written: Set<string>,
): Piece & { readonly begin: number } {
  const variable = weights.get(to)
  if (variable === undefined) throw new ArgumentError(`saveWeights: '${name}': the model has no weight '${to}'`)
  const whole = variable.value.data
  const target = at === undefined ? variable.shape : variable.shape.slice(1)
  const size = sizeOf(target)
  let data = at === undefined ? whole : whole.slice(at * size, (at + 1) * size)
  let shape = reshape ?? target
  if (transpose !== undefined) {
    const back = inverseOf(transpose)
    data = permuted(data, shape, back)
    shape = back.map((axis) => shape[axis]!)
  }
  if (blocks !== undefined) data = blocksOf(data, inverseOf(blocks))
  if (add && written.has(to)) data = data.map(() => 0)
  written.add(to)
  return { shape, data, begin: rows?.[0] ?? 0 }
}
