// The inputs and outputs of a built model: their names and shapes.

import { ArgumentError, ShapeError, StateError, formatShape, quoted, unknownName } from '../core/errors'
import { custom } from '../core/options'
import { flatten, isBranch, pathName, pathsOf, propertyOf, type Tree } from '../core/tree'
import type { BatchShape, TensorSpec } from '../layers/spec'
import { buildSpecOf } from '../layers/weight-lists'
import { LayerGraph } from './layer-graph'
import type { Model } from './model'

export type AnyModel = Model<unknown, unknown>

/** The structure of the inputs, their specs, and the names of both ends. */
export interface Ends {
  readonly tree: Tree<TensorSpec>
  readonly specs: readonly TensorSpec[]
  readonly inputs: readonly string[]
  /** The keys of a record of inputs; else the names. */
  readonly keys: readonly string[]
  outputs(results: Tree<unknown>): readonly string[]
}

function isRecord(tree: Tree<unknown>): boolean {
  return isBranch(tree) && !Array.isArray(tree)
}

/** The keys of a record, or the names of layers. */
function namesFor(tree: Tree<unknown>, layers: readonly string[]): readonly string[] {
  return isRecord(tree) ? pathsOf(tree).map((each) => pathName(each).replaceAll('.', '_')) : layers
}

/** @throws StateError for a model that is not built */
export function endsOf(model: AnyModel): Ends {
  const { graph } = model
  const tree = graph instanceof LayerGraph ? graph.inputSpecs : buildSpecOf(model)
  if (tree === null)
    throw new StateError(`${model} is not built. Call it, fit it or give it an inputShape before it is written`)
  const specs = flatten<TensorSpec>(tree)
  const inputs = namesFor(tree, graph?.inputNames ?? specs.map((_, i) => (specs.length === 1 ? 'input' : `input_${i}`)))
  return {
    tree,
    specs,
    inputs,
    keys: isRecord(tree) ? pathsOf(tree).map((path, i) => (path.length === 1 ? String(path[0]) : inputs[i]!)) : inputs,
    outputs: (results) => namesFor(results, graph?.outputNames ?? pathsOf(results).map(() => model.name)),
  }
}

const isExtent = (value: unknown): value is number | null =>
  value === null || (Number.isSafeInteger(value) && Number(value) >= 1)

/** A shape with null for open extents. */
export const extents = custom<readonly (number | null)[]>(
  (value, where) => {
    if (Array.isArray(value) && value.every(isExtent)) return value
    throw new ArgumentError(`${where} must be a list of extents, with null for open ones, received ${quoted(value)}`)
  },
  (value) => [...value],
)

/**
 * The shapes of the inputs.
 * @param chosen shapes by the names of inputs, which fix open extents of the model
 * @throws ShapeError for a shape that the model does not take
 */
export function shapesOf(
  model: AnyModel,
  { specs, inputs }: Ends,
  chosen: Readonly<Record<string, BatchShape>>,
): readonly BatchShape[] {
  const unknown = Object.keys(chosen).find((name) => !inputs.includes(name))
  if (unknown !== undefined) throw unknownName('input in shapes', unknown, inputs)
  return specs.map(({ shape }, i) => {
    const name = inputs[i]!
    const wanted = propertyOf(chosen, name) ?? shape
    const fits =
      wanted.length === shape.length && shape.every((extent, axis) => extent === null || extent === wanted[axis])
    if (fits) return wanted
    throw new ShapeError(`${model}: shapes: '${name}' must fit ${formatShape(shape)}, received ${formatShape(wanted)}`)
  })
}
