// Turns the data of fit, evaluate and predict into rows that can be copied into a step's inputs. All errors in data are
// found here, before a weight changes.

import type { NumericArray } from '../core/dtypes'
import { hasNonFinite, isInt32 } from '../core/dtypes'
import { ArgumentError, DataError, ShapeError, formatShape, quoted, restating } from '../core/errors'
import type { PermutationKey } from '../core/permute'
import { permutationKey } from '../core/permute'
import type { Shape } from '../core/shapes'
import { sizeOf } from '../core/shapes'
import type { Tree } from '../core/tree'
import { flatten, flattenLike, isBranch, mapTree, pathName, pathsOf } from '../core/tree'
import { TensorSpec } from '../layers/spec'
import type { TensorLike } from '../ops/convert'
import { branchesIntoTensors, toTensor } from '../ops/convert'
import type { NestedStrings, StringReader } from '../ops/strings'
import { StringTensor, beginsWithString, fitStrings, toStrings } from '../ops/strings'
import type { TensorData } from '../ops/tensor'
import { Tensor } from '../ops/tensor'
import { ResidentRows, keepsRows } from '../runtime/rows'
import type { Runtime } from '../runtime/runtime'

/** Class number → weight of the samples of that class. */
export type ClassWeight = Readonly<Record<number, number>>

/** Class number → weight; with several outputs, one such record for each, by name or position. */
export type ClassWeights = ClassWeight | readonly (ClassWeight | null)[] | Readonly<Record<string, ClassWeight | null>>

/**
 * Data for a tree of tensors: at each leaf a tensor-like value, or strings; lists may be given by name, records by
 * position.
 */
export type DataOf<Tensors> = Tensors extends Tensor
  ? TensorLike | readonly NestedStrings[]
  : Tensors extends readonly unknown[]
    ? | { readonly [Key in keyof Tensors]: DataOf<Tensors[Key]> }
      | Readonly<Record<string, TensorLike | readonly NestedStrings[]>>
    : { readonly [Key in keyof Tensors]: DataOf<Tensors[Key]> } | readonly (TensorLike | readonly NestedStrings[])[]

/**
 * Targets for a tree of outputs. An output without a loss and metrics needs none: its target is null, or a list
 * contains only the targets of the others.
 */
export type TargetsOf<Tensors> = Tensors extends Tensor
  ? TensorLike
  : Tensors extends readonly unknown[]
    ? | { readonly [Key in keyof Tensors]: TargetsOf<Tensors[Key]> | null }
      | Readonly<Record<string, TensorLike | null>>
      | TensorLike
      | readonly TensorLike[]
    : { readonly [Key in keyof Tensors]?: TargetsOf<Tensors[Key]> | null } | TensorLike | readonly (TensorLike | null)[]

/**
 * One weight per sample, or one per step of a sequence: [samples] or [samples, steps]. With several outputs, one for
 * all of them, or a list or record.
 */
export type SampleWeights =
  | TensorLike
  | readonly (TensorLike | null)[]
  | { readonly [output: string]: TensorLike | null }

/** The expected form of inputs or targets. */
export interface Layout {
  /** The specs as a tree; null if only the data determine the form. */
  readonly structure: Tree<TensorSpec> | null
  /** A name for each leaf. */
  readonly names: readonly string[]
  /** Which leaves need data. Default: all. */
  readonly needed?: readonly boolean[]
}

/** An input of strings: the layers that convert them to numbers, whose results replace the strings in this order. */
export interface StringInput {
  readonly readers: readonly StringReader[]
  /** The shape of a row of strings. */
  readonly row: Shape
}

/** Which inputs are strings; null for inputs of numbers. */
export type Readers = readonly (StringInput | null)[]

/** Samples with targets, as flat lists. */
export interface Dataset {
  /** The inputs' positions in the argument of the model. */
  readonly x: Tree<unknown>
  readonly inputs: readonly Tensor[]
  /** The targets' positions in the output of the model. */
  readonly y: Tree<unknown>
  /** null for an output without targets. */
  readonly targets: readonly (Tensor | null)[]
  /** [size], or [size, steps, …], for each target; null if all samples weigh 1. */
  readonly weights: readonly (Tensor | null)[]
  readonly size: number
  /** The readers of string inputs, whose numbers replace the strings among the inputs. */
  readonly readers?: Readers
  /** The names of its parts in errors. */
  readonly names: DataNames
}

/** The tensors of which a step takes rows, in the order of its parameters. */
export function tensorsOf({ inputs, targets, weights }: Dataset): readonly Tensor[] {
  return [...inputs, ...targets, ...weights].filter((tensor) => tensor !== null)
}

/** Data for a layout, leaf by leaf: in the structure's form, by the leaves' names, or by their positions. */
function leavesFor(
  { structure, names }: Layout,
  data: unknown,
  where: string,
  isPartial: boolean,
): { leaves: unknown[]; tree: Tree<unknown> } {
  const tree = structure === null ? mapData(data, () => null) : mapTree(structure, () => null)
  if (!isBranch(tree)) return { leaves: [theOnly(names, data, where)], tree }
  const isRecord = isBranch(data) && !Array.isArray(data)
  const count = flatten(tree).length
  if (Array.isArray(tree) && isRecord && names.length === count)
    return { leaves: byName(names, data, where, isPartial), tree }
  // As in Keras, a single input may be given alone or in a list.
  if (Array.isArray(tree) && count === 1 && !isBranch(tree[0]) && !isWrapped(data)) return { leaves: [data], tree }
  if (!Array.isArray(tree) && Array.isArray(data) && data.length === count) return { leaves: [...data], tree }
  if (isPartial && !Array.isArray(tree) && isRecord && Object.values(tree).every((child) => !isBranch(child))) {
    return { leaves: byName(Object.keys(tree), data, where, true), tree }
  }
  return { leaves: flattenLike(tree, data, where), tree }
}

/** The layout of data whose form only the data show. */
export const UNKNOWN_LAYOUT: Layout = { structure: null, names: [] }

/** The layout if the data have its form, otherwise the unknown one. For custom steps, which accept any data. */
export function layoutFor(layout: Layout, data: unknown): Layout {
  if (layout.structure === null || data == null) return layout
  const specs = flatten(layout.structure)
  try {
    const { leaves } = leavesFor(layout, data, '', true)
    return leaves.every((leaf, i) => !branchesIntoTensors(leaf) || areRows(specs[i]!, leaf)) ? layout : UNKNOWN_LAYOUT
  } catch (error) {
    if (error instanceof ArgumentError) return UNKNOWN_LAYOUT
    throw error
  }
}

/** The content of a record or list around a single input or output; otherwise the data themselves. */
function theOnly(names: readonly string[], data: unknown, where: string): unknown {
  if (!isWrapped(data)) return data
  if (Array.isArray(data)) return data[0]
  const keys = Object.keys(data as object)
  const named = (): unknown => byName(names, data as object, where, false)[0]
  const hint = "Are these columns? Then make one array of them: features: 'vector' of readCsv, or .map(…)."
  if (names.length !== 1)
    throw new ArgumentError(`${where}: expected one array, received { ${keys.join(', ')} }. ${hint}`)
  return keys.includes(names[0]!) ? named() : restating((message) => `${message}. ${hint}`, named)
}

/** Whether data for one tensor are in a record, or in a list of one. */
function isWrapped(data: unknown): boolean {
  return isNamedData(data) || (Array.isArray(data) && data.length === 1 && branchesIntoTensors(data))
}

/** Whether typed arrays in a list are the rows of one input, rather than one input each. */
function areRows({ shape }: TensorSpec, data: unknown): boolean {
  return shape.length > 1 && Array.isArray(data) && data.every((each) => ArrayBuffer.isView(each))
}

function byName(names: readonly string[], data: object, where: string, isPartial: boolean): unknown[] {
  const unknown = Object.keys(data).find((key) => !names.includes(key))
  const missing = isPartial ? undefined : names.find((name) => Reflect.get(data, name) === undefined)
  if (unknown !== undefined || missing !== undefined) {
    const wrong = unknown !== undefined ? `'${unknown}' is not one of them` : `'${missing}' is missing`
    throw new ArgumentError(`${where}: expected { ${names.join(', ')} }; ${wrong}`)
  }
  return names.map((name) => Reflect.get(data, name) ?? null)
}

/** The tree that data form by themselves: rows of numbers are one leaf, lists and records of tensors are branches. */
export function mapData<To>(data: unknown, replace: (leaf: unknown, path: string) => To, path = ''): Tree<To> {
  if (!branchesIntoTensors(data)) return replace(data, path)
  if (Array.isArray(data)) return data.map((each, i) => mapData(each, replace, `${path}[${i}]`))
  return Object.fromEntries(
    Object.entries(data as object).map(([key, each]) => [key, mapData(each, replace, `${path}.${key}`)]),
  )
}

/**
 * Checked inputs with at least one row and no NaN, in the dtypes of the model's inputs, otherwise float32 (or int32).
 */
export function prepareInputs(
  layout: Layout,
  x: unknown,
  where: string,
): { x: Tree<unknown>; inputs: Tensor[]; size: number } {
  const { structure } = layout
  if (structure instanceof TensorSpec && (!isWrapped(x) || areRows(structure, x))) {
    const input = prepareInput(structure, x, where)
    return { x: null, inputs: [input], size: input.shape[0]! }
  }
  const { leaves, tree } = leavesFor(layout, x, where, false)
  const specs = structure === null ? null : flatten(structure)
  const paths = pathsOf(tree)
  const inputs = leaves.map((leaf, i) => prepareInput(specs?.[i] ?? null, leaf, placeOf(where, paths[i]!)))
  return { x: tree, inputs, size: sameRows(inputs, where, paths) }
}

/** Whether data are a record of data, and not a tensor in the form { data, shape }. */
export function isNamedData(x: unknown): boolean {
  return isBranch(x) && !Array.isArray(x) && !('data' in x && 'shape' in x)
}

function placeOf(where: string, path: string): string {
  return path === '' ? where : `${where}.${pathName(path)}`
}

function prepareInput(spec: TensorSpec | null, data: unknown, where: string): Tensor {
  if (spec === null ? beginsWithString(data) : spec.dtype === 'string') return prepareStrings(spec, data, where)
  const given = fitRank(toTensor(data as TensorLike, where), spec)
  // int32 data for a float32 input are not converted: kernels do that.
  const dtype = spec === null || (spec.dtype === 'float32' && given.dtype === 'int32') ? given.dtype : spec.dtype
  const wanted = dtype === 'bool' && spec?.dtype !== 'bool' ? 'float32' : dtype
  if (given.dtype === 'float32') requireNumbers(given, where)
  // Integers do not pass through float32, which cannot represent large ones.
  const input = given.dtype === wanted ? given : fitRank(toTensor(data as TensorLike, where, wanted), spec)
  requireRows(input, where)
  if (input.dtype === 'int32' && given.dtype === 'float32') requireIntegers(given, where)
  return input
}

/** A column of numbers may be given as a list, [n] for [n, 1], and the reverse, as in Keras. */
function fitRank(given: Tensor, spec: TensorSpec | null): Tensor {
  if (spec === null) return given
  const { shape } = given
  const rank = spec.shape.length
  if (shape.length === rank - 1 && rank > 1 && spec.shape.at(-1) === 1)
    return new Tensor(given.data, [...shape, 1], given.dtype)
  // Before a model is built, its input shape is only a guess.
  const isKnown = rank > 0 && spec.shape.slice(1).every((extent) => extent !== null)
  return isKnown && shape.length === rank + 1 && shape.at(-1) === 1
    ? new Tensor(given.data, shape.slice(0, -1), given.dtype)
    : given
}

function prepareStrings(spec: TensorSpec | null, data: unknown, where: string): StringTensor {
  const read = toStrings(data, where)
  const strings = spec === null ? read : fitStrings(read, spec.shape.length)
  requireRows(strings, where)
  return strings
}

function sameRows(tensors: readonly Tensor[], where: string, paths: readonly string[]): number {
  const size = tensors[0]!.shape[0]!
  tensors.forEach((tensor, i) => {
    if (tensor.shape[0] === size) return
    throw new ShapeError(
      `${placeOf(where, paths[0]!)} and ${placeOf(where, paths[i]!)} must have as many rows, received ${size} and ${tensor.shape[0]}`,
    )
  })
  return size
}

function requireRows(tensor: Tensor, where: string): void {
  if (tensor.rank === 0)
    throw new ShapeError(`${where}: needs a batch axis, received a single value. One row is a list of one: [value]`)
  if (tensor.shape[0] === 0) throw new DataError(`${where}: the data set is empty, shape ${formatShape(tensor.shape)}`)
}

function requireIntegers({ data, shape }: Tensor, where: string): void {
  const at = data.findIndex((x) => !isInt32(x))
  if (at < 0) return
  throw new DataError(
    `${where}: every element must be an integer${Number.isInteger(data[at]) ? ' of 32 bits' : ''}, received ${data[at]} in row ${Math.floor(at / sizeOf(shape.slice(1)))}`,
  )
}

/** @throws DataError naming the first element that is not finite */
export function requireNumbers(tensor: Tensor, where: string): void {
  const { data } = tensor
  if (!hasNonFinite(data)) return
  for (let i = 0; i < data.length; i++) {
    if (Number.isFinite(data[i]!)) continue
    const rowSize = sizeOf(tensor.shape.slice(1))
    const column = rowSize > 1 ? `, element ${i % rowSize}` : ''
    throw new DataError(
      `${where}: every element must be a finite number, received ${data[i]} in row ${Math.floor(i / rowSize)}${column}. Drop or fill incomplete rows first.`,
    )
  }
}

/** The names of the parts of a data set in errors. */
export interface DataNames {
  readonly x: string
  readonly y: string
  readonly sampleWeight: string
}

const PLAIN_NAMES: DataNames = { x: 'x', y: 'y', sampleWeight: 'sampleWeight' }
/** The names for validation data [x, y, sampleWeight]. */
export const VALIDATION_NAMES: DataNames = {
  x: 'validationData[0]',
  y: 'validationData[1]',
  sampleWeight: 'validationData[2]',
}

/**
 * Checked samples, targets and weights that belong together.
 * @param needsTargets whether a missing y is an error
 */
export function prepareDataset(
  layouts: { readonly x: Layout; readonly y: Layout },
  x: unknown,
  y: unknown,
  sampleWeight: SampleWeights | null | undefined,
  needsTargets: boolean,
  names: DataNames = PLAIN_NAMES,
): Dataset {
  const prepared = prepareInputs(layouts.x, x, names.x)
  const { size } = prepared
  // Most models have one input and one output, with no structure to flatten.
  if (layouts.y.structure instanceof TensorSpec && y != null && !isWrapped(y)) {
    const weights =
      sampleWeight == null
        ? null
        : weightsOf(size, theOnly(layouts.y.names, sampleWeight, names.sampleWeight), names.sampleWeight)
    return {
      x: prepared.x,
      inputs: prepared.inputs,
      y: null,
      targets: [prepareTarget(y, size, names.x, names.y)],
      weights: [weights],
      size,
      names,
    }
  }
  const given = y == null ? null : besideNothing(layouts.y, y, size)
  if (given === null) {
    if (needsTargets) throw new ArgumentError(`${names.y}: targets are missing`)
    return { ...prepared, y: null, targets: [null], weights: [null], names }
  }
  const { leaves, tree } = leavesFor(layouts.y, given, names.y, true)
  const paths = pathsOf(tree)
  const targets = leaves.map((leaf, i) =>
    leaf === null && isBranch(tree) ? null : prepareTarget(leaf, size, names.x, placeOf(names.y, paths[i]!)),
  )
  const weights =
    sampleWeight == null
      ? targets.map(() => null)
      : prepareWeights(layouts.y, tree, sampleWeight, size, names.sampleWeight)
  return {
    ...prepared,
    y: tree,
    targets,
    weights: weights.map((each, i) => (targets[i] === null ? null : each)),
    names,
  }
}

/**
 * The targets as a list with null for outputs that need none. Other data are returned unchanged.
 *
 * As in Keras, targets may be a list for the outputs that need them, or a single target alone.
 */
function besideNothing({ structure, needed }: Layout, y: unknown, size: number): unknown {
  if (needed === undefined || !needed.includes(false) || !isBranch(structure)) return y
  const children = Object.values(structure)
  const isListOf = (count: number): boolean =>
    Array.isArray(y) && y.length === count && y.every((each) => each === null || rowsOf(each) === size)
  if (children.some(isBranch) || isListOf(children.length)) return y
  const count = needed.filter(Boolean).length
  const list = isListOf(count) ? (y as readonly unknown[]) : count === 1 && rowsOf(y) === size ? [y] : null
  if (list === null) return y
  let at = 0
  return needed.map((isNeeded) => (isNeeded ? list[at++] : null))
}

/** The number of rows in data for one tensor; null for numbers and for records of data. */
function rowsOf(data: unknown): number | null {
  if (Array.isArray(data)) return data.length
  if (ArrayBuffer.isView(data)) return 'length' in data ? Number(data.length) : null
  if (!isBranch(data) && !(data instanceof Tensor)) return null
  const { shape } = data as { readonly shape?: Shape }
  return Array.isArray(shape) ? (shape[0] ?? null) : null
}

function prepareTarget(data: unknown, size: number, inputs: string, where: string): Tensor {
  const target = toTensor(data as TensorLike, where)
  requireRows(target, where)
  requireNumbers(target, where)
  if (target.shape[0] !== size)
    throw new ShapeError(`${inputs} and ${where} must have as many rows, received ${size} and ${target.shape[0]}`)
  return target
}

function prepareWeights(
  layout: Layout,
  tree: Tree<unknown>,
  sampleWeight: SampleWeights,
  size: number,
  where: string,
): (Tensor | null)[] {
  const paths = pathsOf(tree)
  if (!isBranch(tree) || !isPerOutput(sampleWeight, paths.length)) {
    const weights = weightsOf(size, isBranch(tree) ? sampleWeight : theOnly(layout.names, sampleWeight, where), where)
    return paths.map(() => weights)
  }
  const { leaves } = leavesFor(
    layout.structure === null ? { structure: null, names: [] } : layout,
    sampleWeight,
    where,
    true,
  )
  return leaves.map((leaf, i) => (leaf == null ? null : weightsOf(size, leaf, placeOf(where, paths[i] ?? ''))))
}

/** Whether weights are given for each output, rather than once for all. */
function isPerOutput(sampleWeight: SampleWeights, count: number): boolean {
  if (branchesIntoTensors(sampleWeight) || isNamedData(sampleWeight)) return true
  return (
    Array.isArray(sampleWeight) &&
    sampleWeight.length === count &&
    sampleWeight.every((each) => typeof each !== 'number')
  )
}

function weightsOf(size: number, sampleWeight: unknown, where: string): Tensor {
  const given = toTensor(sampleWeight as TensorLike, where, 'float32')
  if (given.shape[0] !== size)
    throw new ShapeError(`${where} must have shape [${size}], received ${formatShape(given.shape)}`)
  requireNumbers(given, where)
  return given.size === size ? new Tensor(given.data, [size], 'float32') : given
}

/** Multiplies each sample's weight by the weight of its class; a class without a weight has weight 1. */
export function weighClasses(
  dataset: Dataset,
  classWeight: ClassWeights | null | undefined,
  outputs: readonly string[],
): Dataset {
  if (classWeight == null) return dataset
  const { targets, size, weights } = dataset
  const each = classWeightsOf(classWeight, targets.length, outputs)
  return {
    ...dataset,
    weights: weights.map((weight, i) =>
      each[i] == null
        ? weight
        : weighed(targets[i] ?? null, weight, size, each[i], targets.length === 1 ? '' : ` of '${outputs[i] ?? i}'`),
    ),
  }
}

/** The class weights of each output, from a list or a record. */
function classWeightsOf(
  classWeight: ClassWeights,
  count: number,
  outputs: readonly string[],
): readonly (ClassWeight | null | undefined)[] {
  const entries = Object.entries(classWeight)
  const isPerOutput = entries.length > 0 && entries.every(([, each]) => each === null || typeof each === 'object')
  if (!isPerOutput) {
    if (count === 1) return [classWeight as ClassWeight]
    throw new ArgumentError(
      `classWeight: there are ${count} outputs. Give a record of classes for each that is to be weighed: { ${outputs.join(', ')} }`,
    )
  }
  if (Array.isArray(classWeight)) {
    if (classWeight.length === count) return classWeight
    throw new ArgumentError(
      `classWeight must have one entry for each of the ${count} outputs, received ${classWeight.length}`,
    )
  }
  const unknown = Object.keys(classWeight).find((name) => !outputs.includes(name))
  if (unknown !== undefined)
    throw new ArgumentError(
      `classWeight names '${unknown}', which is no output. The outputs are: ${outputs.join(', ')}`,
    )
  return outputs.map((name) => (classWeight as Readonly<Record<string, ClassWeight | null>>)[name])
}

function weighed(
  target: Tensor | null,
  weight: Tensor | null,
  size: number,
  classWeight: ClassWeight,
  which: string,
): Tensor {
  if (target === null) throw new ArgumentError(`classWeight: the output${which} has no targets`)
  if (target.rank > 2) {
    throw new ArgumentError(
      `classWeight${which} is for targets with one class per sample, received ${formatShape(target.shape)}. Give sampleWeight instead.`,
    )
  }
  if (!isBranch(classWeight))
    throw new ArgumentError(
      `classWeight${which} must be weights by class numbers, such as { 0: 1, 1: 3 }, received ${quoted(classWeight)}`,
    )
  for (const [label, own] of Object.entries(classWeight)) {
    if (!Number.isInteger(Number(label)))
      throw new ArgumentError(`classWeight${which} must be weights by class numbers, received '${label}'`)
    if (!(Number.isFinite(own) && own >= 0))
      throw new ArgumentError(
        `classWeight${which}: the weight of class ${label} must be a finite number ≥ 0, received ${quoted(own)}`,
      )
  }
  requireClasses(target, size, which)
  const given = weight ?? new Tensor(new Float32Array(size).fill(1), [size], 'float32')
  const steps = given.size / size
  const ofRow = Float32Array.from(classNumbers(target, size), (label) => classWeight[label] ?? 1)
  return new Tensor(
    Float32Array.from(given.data, (own, i) => own * ofRow[Math.floor(i / steps)]!),
    given.shape,
    'float32',
  )
}

/**
 * Targets with one number are class numbers, or probabilities between 0 and 1. @throws ArgumentError for others, such
 * as those of a regression
 */
function requireClasses({ data }: Tensor, size: number, which: string): void {
  if (data.length !== size) return
  const row = data.findIndex((x) => !Number.isInteger(x) && !(x > 0 && x < 1))
  if (row >= 0)
    throw new ArgumentError(
      `classWeight${which} is for targets that are class numbers, received ${data[row]} in row ${row}. Give sampleWeight instead.`,
    )
}

/** One number per row: the rounded target, or the position of the maximum in a one-hot row. */
export function classNumbers(y: Tensor, size: number): number[] {
  const width = y.size / size
  return Array.from({ length: size }, (_, row) => {
    if (width === 1) return Math.round(y.data[row]!)
    let best = 0
    for (let i = 1; i < width; i++) if (y.data[row * width + i]! > y.data[row * width + best]!) best = i
    return best
  })
}

/** Splits a data set into a first and a last part; the last has `fraction` of the rows. Keras's rule. */
export function splitValidation(dataset: Dataset, fraction: number): [Dataset, Dataset] {
  if (!(fraction > 0 && fraction < 1))
    throw new ArgumentError(`validationSplit must be in (0, 1), received ${fraction}`)
  const at = Math.floor(dataset.size * (1 - fraction))
  if (at === 0 || at === dataset.size) {
    throw new DataError(
      `validationSplit ${fraction} of ${dataset.size} rows leaves ${at} for training and ${dataset.size - at} for validation`,
    )
  }
  return [rows(dataset, 0, at), rows(dataset, at, dataset.size)]
}

function rows(dataset: Dataset, start: number, end: number): Dataset {
  const part = (tensor: Tensor): Tensor => {
    if (tensor instanceof StringTensor) return tensor.rows(start, end)
    const width = sizeOf(tensor.shape.slice(1))
    const shape: Shape = [end - start, ...tensor.shape.slice(1)]
    return new Tensor(tensor.data.subarray(start * width, end * width), shape, tensor.dtype)
  }
  return {
    ...dataset,
    inputs: dataset.inputs.map(part),
    targets: dataset.targets.map((each) => each && part(each)),
    weights: dataset.weights.map((each) => each && part(each)),
    size: end - start,
  }
}

/** Copies rows of a data set, in a given order, into a step's input. */
export class RowSource {
  private readonly data: TensorData
  private readonly width: number

  constructor(tensor: Tensor) {
    this.data = tensor.data
    this.width = sizeOf(tensor.shape.slice(1))
  }

  /** target [count, width] ← rows order[start … start + count − 1] */
  fill(target: NumericArray, order: Int32Array | null, start: number, count: number): void {
    const { data, width } = this
    if (order === null) {
      const from = start * width
      // Below a few hundred elements, a loop is faster than creating a view.
      if (count * width > 256) target.set(data.subarray(from, from + count * width))
      else for (let i = 0, n = count * width; i < n; i++) target[i] = data[from + i]!
      return
    }
    if (width > 128) {
      for (let row = 0; row < count; row++) {
        const from = order[start + row]! * width
        target.set(data.subarray(from, from + width), row * width)
      }
      return
    }
    for (let row = 0, at = 0; row < count; row++) {
      const from = order[start + row]! * width
      for (let i = 0; i < width; i++) target[at++] = data[from + i]!
    }
  }
}

/** JavaScript copies wider rows equally fast. */
const WIDEST_RESIDENT = 128
/** The maximum number of bytes of a data set for a copy in linear memory. */
const LARGEST_RESIDENT = 16 * 2 ** 20

/**
 * A copy of the data set in linear memory, from which short rows are copied faster; null if it would not help, or would
 * take more than 16 MB.
 */
export function makeResident(runtime: Runtime, dataset: Dataset): ResidentRows | null {
  const { size } = dataset
  const rows = tensorsOf(dataset).map(({ data }) => ({ data, width: data.length / size }))
  const bytes = rows.reduce((sum, { data }) => sum + data.byteLength, 0)
  if (!keepsRows(runtime) || bytes > LARGEST_RESIDENT || rows.some(({ width }) => width > WIDEST_RESIDENT)) return null
  return new ResidentRows(runtime, rows, size)
}

/** The key of the order of rows in an epoch. */
export function orderKey(seed: number, epoch: number): PermutationKey {
  return permutationKey(seed ^ Math.imul(epoch + 1, 0x9e3779b1))
}
