// The inputs and outputs of a built model: their names and shapes.

import { ShapeError, StateError, formatShape, unknownName } from '../core/errors'
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
  outputs(results: Tree<unknown>): readonly string[]
}

/** The keys of a record, or the names of layers. */
function namesFor(tree: Tree<unknown>, layers: readonly string[]): readonly string[] {
  const isRecord = isBranch(tree) && !Array.isArray(tree)
  return isRecord ? pathsOf(tree).map((each) => pathName(each).replaceAll('.', '_')) : layers
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
    outputs: (results) => namesFor(results, graph?.outputNames ?? pathsOf(results).map(() => model.name)),
  }
}

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
