// A model's prediction of one row as a graph, with the names of its inputs and outputs.

import { ArgumentError, formatShape, quoted } from '../core/errors'
import type { Shape, TensorType } from '../core/shapes'
import { flatten, structureOf, unflatten, type Tree } from '../core/tree'
import type { Graph } from '../engine/ir/graph'
import { flushVanished } from '../engine/plan/flush'
import type { Runtime } from '../engine/runtime/runtime'
import type { BatchShape } from '../layers/spec'
import { endsOf, shapesOf, type AnyModel, type Ends } from '../models/ends'
import { readersOf, type StringReader } from '../ops/strings'
import { trace } from '../ops/trace'
import type { Readers } from '../data/samples/samples'
import { inStep, predicted } from '../training/step'
import { inputsOf } from '../training/steps'

/** An input or an output, without its batch axis. */
export interface Port extends TensorType {
  readonly name: string
}

export interface InputPort extends Port {
  /** Its key in a record of inputs; else its name. */
  readonly key: string
  /** The layers that read the strings of an input, each for one parameter of the graph; null for numbers, which are one parameter. */
  readonly readers: readonly StringReader[] | null
}

export interface TracedModel {
  /** Its parameters and outputs are those of a batch of one row. */
  readonly graph: Graph
  /** The runtime of its weights. */
  readonly runtime: Runtime
  readonly inputs: readonly InputPort[]
  /** Whether the model has one input that is not named, and one output. */
  readonly takesOne: boolean
  readonly outputs: readonly Port[]
  readonly givesOne: boolean
}

/**
 * @param shapes the shapes of inputs, by their names, where the model leaves extents open
 * @throws ArgumentError for a model with an extent that is not known, or with outputs that do not have one row
 */
export function tracedRow(model: AnyModel, shapes: Readonly<Record<string, BatchShape>> = {}): TracedModel {
  const ends = endsOf(model)
  const rows = shapesOf(model, ends, shapes).map((shape, i) => rowOf(model, ends.inputs[i]!, shape))
  const readers = readersFor(model, ends, rows)
  const types = parameterTypes(ends, rows, readers)
  let results: Tree<unknown> = null
  const { graph: traced, runtime } = trace(types, (symbols) => {
    const outputs = predicted(model, inputsOf(ends.tree, symbols, readers ?? undefined))
    results = outputs
    return flatten(outputs)
  })
  const names = distinct(ends.outputs(results))
  // As the programs of predict: see ops/trace.ts.
  const graph = flushVanished(traced)
  return {
    graph,
    runtime,
    inputs: ends.specs.map(({ dtype }, i) => ({
      name: ends.inputs[i]!,
      key: ends.keys[i]!,
      dtype,
      shape: rows[i]!,
      readers: readers?.[i]?.readers ?? null,
    })),
    takesOne: structureOf(ends.tree) === '*',
    outputs: graph.outputs.map(({ dtype, shape }, i) => {
      if (shape[0] === 1) return { name: names[i]!, dtype, shape: shape.slice(1) }
      throw new ArgumentError(
        `${model}: the output ${quoted(names[i]!)} of one row must have the shape [1, …], received ${formatShape(shape)}. Only models that predict row by row can be exported`,
      )
    }),
    givesOne: structureOf(results) === '*',
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

/** The layers that read the strings of each input; null for a model without strings. */
function readersFor(model: AnyModel, { specs, tree }: Ends, rows: readonly Shape[]): Readers | null {
  if (specs.every(({ dtype }) => dtype !== 'string')) return null
  const types = specs.map(({ dtype }, i) => ({ dtype, shape: [2, ...rows[i]!] }))
  let readers: Readers = []
  trace(types, (symbols) => {
    inStep(false, () => model.lookStep(unflatten(tree, symbols)))
    readers = symbols.map((symbol, i) =>
      symbol.dtype === 'string' ? { readers: readersOf(symbol), row: rows[i]! } : null,
    )
    return []
  })
  return readers
}

/** The types of the graph's parameters: each reader gives one. */
function parameterTypes({ specs }: Ends, rows: readonly Shape[], readers: Readers | null): TensorType[] {
  return specs.flatMap(({ dtype }, i): TensorType[] => {
    const found = readers?.[i]
    if (found == null) return [{ dtype, shape: [1, ...rows[i]!] }]
    return found.readers.map((reader) => ({ dtype: 'int32', shape: numbersOf(reader, rows[i]!) }))
  })
}

/** The shape of the numbers that a reader makes of the strings of one row. */
function numbersOf(reader: StringReader, row: Shape): Shape {
  return reader.readShape([1, ...row]).map((extent) => {
    if (extent !== null) return extent
    throw new ArgumentError(
      `${String(reader)}: an exported module needs to know how many numbers it makes of a row. Set outputSequenceLength.`,
    )
  })
}

/** Names of which all but the first of equal ones get a number: `lstm`, `lstm_1`. */
function distinct(names: readonly string[]): readonly string[] {
  const taken = new Set<string>()
  return names.map((name) => {
    let unique = name
    for (let i = 1; taken.has(unique); i++) unique = `${name}_${i}`
    taken.add(unique)
    return unique
  })
}
