// A model's prediction of one row as a graph, with the names of its inputs and outputs.

import { ArgumentError, formatShape, quoted } from '../core/errors'
import { flatten, unflatten, type Tree } from '../core/tree'
import type { Shape, TensorType } from '../core/shapes'
import type { Graph } from '../engine/ir/graph'
import type { BatchShape } from '../layers/spec'
import { endsOf, shapesOf, type AnyModel } from '../models/ends'
import { trace } from '../ops/trace'
import { predicted } from '../training/step'

/** An input or an output, without its batch axis. */
export interface Port extends TensorType {
  readonly name: string
}

export interface TracedModel {
  /** Its parameters and outputs are those of a batch of one row. */
  readonly graph: Graph
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
}

/**
 * @param shapes the shapes of inputs, by their names, where the model leaves extents open
 * @throws ArgumentError for a model with an extent that is not known, or with outputs that do not have one row
 */
export function tracedRow(model: AnyModel, shapes: Readonly<Record<string, BatchShape>> = {}): TracedModel {
  const ends = endsOf(model)
  const rows = shapesOf(model, ends, shapes).map((shape, i) => rowOf(model, ends.inputs[i]!, shape))
  const types = ends.specs.map(({ dtype }, i): TensorType => ({ dtype, shape: [1, ...rows[i]!] }))
  let results: Tree<unknown> = null
  const { graph } = trace(types, (symbols) => {
    const outputs = predicted(model, unflatten(ends.tree, symbols))
    results = outputs
    return flatten(outputs)
  })
  const names = ends.outputs(results)
  return {
    graph,
    inputs: types.map(({ dtype }, i) => ({ name: ends.inputs[i]!, dtype, shape: rows[i]! })),
    outputs: graph.outputs.map(({ dtype, shape }, i) => {
      if (shape[0] === 1) return { name: names[i]!, dtype, shape: shape.slice(1) }
      throw new ArgumentError(
        `${model}: the output ${quoted(names[i]!)} of one row must have the shape [1, …], received ${formatShape(shape)}. Only models that predict row by row can be exported`,
      )
    }),
  }
}

function rowOf(model: AnyModel, name: string, [, ...row]: BatchShape): Shape {
  return row.map((extent) => {
    if (extent !== null) return extent
    throw new ArgumentError(
      `${model}: the input ${quoted(name)} has the shape ${formatShape([null, ...row])}, and an exported module needs every extent but that of the batch. Fix it with the option shapes: { shapes: { ${quoted(name)}: [null, …] } }`,
    )
  })
}
