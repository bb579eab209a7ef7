// Parses the data that users give into samples or batches, once. Checks them alone and against the form that a model
// expects; training/prepared.ts checks them against layers and losses.

import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import { TensorSpec } from '../../core/spec'
import { flatten, isBranch, pathsOf, type Tree } from '../../core/tree'
import { toTensor } from '../../ops/convert'
import { StringTensor, beginsWithString, fitStrings, toStrings } from '../../ops/strings'
import { Tensor } from '../../ops/tensor'
import { requireIntegers, requireNumbers, requireRows } from './checks'
import type { SampleWeights } from './data-types'
import {
  UNKNOWN_LAYOUT,
  areRows,
  hasTensors,
  withNullTargets,
  isPerOutput,
  isWrapped,
  layoutFor,
  assignLeaves,
  placeOf,
  unwrapSingle,
  type Layout,
} from './layout'
import { PLAIN_NAMES, type BatchSource, type DataNames, type Samples } from './samples'
import { records } from './record-hook'
import { outermostOf, type ElementsOrMaker } from './source'
import { stackTensors } from './stack'

/** Unparsed data, in parts. */
export interface Parts {
  readonly x: unknown
  readonly y?: unknown
  readonly sampleWeight?: SampleWeights | null | undefined
}

/** Inputs as a flat list of tensors. */
export type Inputs = Pick<Samples, 'x' | 'inputs' | 'size' | 'hasStrings' | 'readers'>

/** The form of data that a model expects. */
export interface DataForm {
  readonly inputs: Layout
  /** null if the outputs are unknown before the model is called. */
  readonly targets: Layout | null
  /** Builds the model for inputs, to find the layout of its outputs. */
  learnTargets(inputs: Inputs): Layout
  /** Whether missing targets are an error. */
  readonly needsTargets: boolean
  /** Whether data of any other form are accepted, too. */
  readonly takesAny: boolean
}

/** A sequence of batches. @param where names the call in errors */
export function parseBatches(batches: ElementsOrMaker<unknown>, where: string): BatchSource {
  return { kind: 'batches', source: outermostOf(batches, where) }
}

/** Parses inputs, targets and weights with the same number of rows into flat lists of tensors. */
export function parseSamples(form: DataForm, parts: Parts, names: DataNames = PLAIN_NAMES): Samples {
  const { sampleWeight } = parts
  const { x, y } = records?.columns(form.inputs, parts, names) ?? parts
  const inputs = parseColumns(form.takesAny ? layoutFor(form.inputs, x) : form.inputs, x, names.x)
  const outputs = form.targets ?? form.learnTargets(inputs)
  const layout = form.takesAny ? layoutFor(outputs, y) : outputs
  const { size } = inputs
  // Most models have one input and one output, with no structure to flatten.
  if (layout.structure instanceof TensorSpec && y != null && !isWrapped(y)) {
    const target = parseTarget(y, size, names.x, names.y)
    const weight =
      sampleWeight == null
        ? null
        : weightsOf(size, unwrapSingle(layout.names, sampleWeight, names.sampleWeight), names.sampleWeight)
    const { x: tree, inputs: tensors, hasStrings } = inputs
    return {
      kind: 'samples',
      x: tree,
      inputs: tensors,
      size,
      hasStrings,
      y: null,
      targets: [target],
      weights: [weight],
      names,
    }
  }
  const allTargets = y == null ? null : withNullTargets(layout, y, size)
  if (allTargets === null) {
    if (form.needsTargets) throw new ArgumentError(`${names.y}: targets are missing`)
    return withoutTargets(inputs, names)
  }
  const { leaves, tree } = assignLeaves(layout, allTargets, names.y, true)
  const paths = pathsOf(tree)
  const targets = leaves.map((leaf, i) =>
    leaf === null && isBranch(tree) ? null : parseTarget(leaf, size, names.x, placeOf(names.y, paths[i]!)),
  )
  const weights =
    sampleWeight == null ? targets.map(() => null) : parseWeights(layout, tree, sampleWeight, size, names.sampleWeight)
  return {
    kind: 'samples',
    ...inputs,
    y: tree,
    targets,
    weights: weights.map((each, i) => (targets[i] === null ? null : each)),
    names,
  }
}

/** Samples without targets. */
export function withoutTargets(inputs: Inputs, names: DataNames = PLAIN_NAMES): Samples {
  return { kind: 'samples', ...inputs, y: null, targets: [null], weights: [null], names }
}

/** Parses inputs: at least one row, no NaN, in the dtypes of the model's inputs or, if unknown, float32 or int32. */
export function parseInputs(layout: Layout, x: unknown, where: string): Inputs {
  return parseColumns(layout, records ? records.columns(layout, { x }, { ...PLAIN_NAMES, x: where }).x : x, where)
}

/** Like `parseInputs`, after rows of objects became columns. */
function parseColumns(layout: Layout, x: unknown, where: string): Inputs {
  const { structure } = layout
  if (structure instanceof TensorSpec && (!isWrapped(x) || areRows(structure, x))) {
    const input = parseInput(structure, x, where)
    return { x: null, inputs: [input], size: input.shape[0]!, hasStrings: input instanceof StringTensor }
  }
  // A list of one input may have the rows of that input.
  const isOneInList = Array.isArray(structure) && structure.length === 1 && structure[0] instanceof TensorSpec
  const data = isOneInList && areRows(structure[0], x) ? [x] : x
  const { leaves, tree } = assignLeaves(layout, data, where, false)
  const specs = structure === null ? null : flatten(structure)
  const paths = pathsOf(tree)
  const inputs = leaves.map((leaf, i) => parseInput(specs?.[i] ?? null, leaf, placeOf(where, paths[i]!)))
  const hasStrings = inputs.some((input) => input instanceof StringTensor)
  return { x: tree, inputs, size: sameRows(inputs, where, paths), hasStrings }
}

function parseInput(spec: TensorSpec | null, column: unknown, where: string): Tensor {
  const data = hasTensors(column) ? stackTensors(column, spec, where) : column
  if (spec === null ? beginsWithString(data) : spec.dtype === 'string') return parseStrings(spec, data, where)
  const natural = fitRank(toTensor(data, where), spec)
  // int32 data for a float32 input are not converted here: the step converts them.
  const dtype = spec === null || (spec.dtype === 'float32' && natural.dtype === 'int32') ? natural.dtype : spec.dtype
  const wanted = dtype === 'bool' && spec?.dtype !== 'bool' ? 'float32' : dtype
  if (natural.dtype === 'float32' && !spec?.optional) requireNumbers(natural, where)
  // Integers do not pass through float32, which cannot represent large ones.
  const input = natural.dtype === wanted ? natural : fitRank(toTensor(data, where, wanted), spec)
  requireRows(input, where)
  if (input.dtype === 'int32' && natural.dtype === 'float32') requireIntegers(natural, where)
  return input
}

/** A column of numbers may be a list, [n] for [n, 1], and the reverse, as in Keras. */
function fitRank(tensor: Tensor, spec: TensorSpec | null): Tensor {
  if (spec === null) return tensor
  const { data, shape, dtype } = tensor
  const rank = spec.shape.length
  if (shape.length === rank - 1 && rank > 1 && spec.shape.at(-1) === 1) return new Tensor(data, [...shape, 1], dtype)
  if (shape.length !== rank + 1 || rank === 0 || shape.at(-1) !== 1) return tensor
  // Before a model is built, its input shape is only a guess.
  const isKnown = spec.shape.every((extent, axis) => axis === 0 || extent !== null)
  return isKnown ? new Tensor(data, shape.slice(0, -1), dtype) : tensor
}

function parseStrings(spec: TensorSpec | null, data: unknown, where: string): StringTensor {
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
      `${placeOf(where, paths[0]!)} and ${placeOf(where, paths[i]!)} must have the same number of rows, received ${size} and ${tensor.shape[0]}`,
    )
  })
  return size
}

function parseTarget(data: unknown, size: number, inputs: string, where: string): Tensor {
  const target = hasTensors(data) ? stackTensors(data, null, where) : toTensor(data, where)
  requireRows(target, where)
  requireNumbers(target, where)
  if (target.shape[0] !== size)
    throw new ShapeError(
      `${inputs} and ${where} must have the same number of rows, received ${size} and ${target.shape[0]}`,
    )
  return target
}

function parseWeights(
  layout: Layout,
  tree: Tree<unknown>,
  sampleWeight: SampleWeights,
  size: number,
  where: string,
): (Tensor | null)[] {
  const paths = pathsOf(tree)
  if (!isBranch(tree) || !isPerOutput(sampleWeight, paths.length)) {
    const weights = weightsOf(
      size,
      isBranch(tree) ? sampleWeight : unwrapSingle(layout.names, sampleWeight, where),
      where,
    )
    return paths.map(() => weights)
  }
  const { leaves } = assignLeaves(layout.structure === null ? UNKNOWN_LAYOUT : layout, sampleWeight, where, true)
  return leaves.map((leaf, i) => (leaf == null ? null : weightsOf(size, leaf, placeOf(where, paths[i] ?? ''))))
}

function weightsOf(size: number, sampleWeight: unknown, where: string): Tensor {
  const weights = toTensor(sampleWeight, where, 'float32')
  if (weights.shape[0] !== size)
    throw new ShapeError(`${where} must have shape [${size}], received ${formatShape(weights.shape)}`)
  requireNumbers(weights, where)
  return weights.size === size ? new Tensor(weights.data, [size], 'float32') : weights
}
