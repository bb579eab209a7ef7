// Writes ONNX files: a model is traced as for predict, and every primitive of the graph is written as operators of ONNX. So layers
// of users are written, too. A model with open extents is traced for several values of each, which shows where they occur.

import { withFile } from '../../core/file-scope'
import { requireArguments } from '../../core/arguments'
import { ArgumentError, FormatError, MyelinError, quoted, restate, unknownName } from '../../core/errors'
import { option, readOptions, recordOf, text } from '../../core/options'
import { flatten, propertyOf, unflatten, type Tree } from '../../core/tree'
import type { Graph, Value } from '../../engine/ir/graph'
import type { LayerBase } from '../../layers/layer'
import { endsOf, extents, shapesOf, type AnyModel, type Ends } from '../../models/ends'
import { Model } from '../../models/model'
import { predicted } from '../../training/step'
import { Tensor } from '../../ops/tensor'
import { trace } from '../../ops/trace'
import { Variable } from '../../ops/variable'
import { writeFile } from '../../engine/runtime/files'
import { acrossTraces, isFixed, sameNumbers, traceShapesFor, type Numbers, type TraceShapes } from './export/extents'
import { writeNodes, type Problems } from './export/graph'
import { ended } from './export/ended'
import { Item, elementTypes } from './export/items'
import { valueInfo } from './export/scope'
import { Refusal, Writer } from './export/writer'
import { modelProto } from './proto'
import { encode } from './wire'

const [IR_VERSION, OPSET] = [8, 17]
/** The bytes of a protocol buffer at most. */
const MOST_BYTES = 2 ** 31 - 1

export interface WriteOnnxOptions {
  /** Other names of inputs and outputs, by their names. Default {}. */
  names?: Readonly<Record<string, string>>
  /** Shapes of inputs, by their names, that fix open extents of the model: null stands for one that stays open. Default {}. */
  shapes?: Readonly<Record<string, readonly (number | null)[]>>
}

const table = { names: option(recordOf(text), {}), shapes: option(recordOf(extents), {}) }

/**
 * A model as an ONNX file of opset 17, for ONNX Runtime and other programs. It computes what `predict` computes; the optimizer and the
 * options of compile are not in it.
 *
 *   const bytes = await writeOnnx(model, 'model.onnx')
 *
 * Inputs and outputs are named after their layers, or have the keys of a record; weights are named by their paths. Of equal names, all but
 * the first get a number, such as `lstm_1`. The batch and other open extents stay open. Images stay channels last.
 * @param path where to write it as well (Node); null for bytes alone
 * @throws FormatError for what ONNX does not have, such as strings, random numbers and states between calls, all of it in one message;
 * ArgumentError for `names` that give two of them the same name; StateError for a model that is not built
 */
export async function writeOnnx(
  model: Model,
  path?: string | URL | null,
  options: WriteOnnxOptions = {},
): Promise<Uint8Array> {
  requireArguments('writeOnnx', arguments, 3)
  readOptions('writeOnnx', table, options)
  if (!(model instanceof Model)) throw new ArgumentError(`writeOnnx: expected a model, received ${quoted(model)}`)
  const bytes = onnxOf(model, options)
  if (path != null) await writeFile(path, bytes, 'writeOnnx')
  return bytes
}

/** @throws FormatError before a trace changes the states */
function requireStateless(layer: LayerBase, model: AnyModel): void {
  if ('stateful' in layer && layer.stateful === true)
    throw new FormatError(
      `${model}: ${layer} is stateful, and an ONNX file has no states between calls. Return and pass its state: returnState, initialState`,
    )
  for (const each of layer.sublayers) requireStateless(each, model)
}

/** @throws FormatError that names the inputs that are strings, and the layers that read them */
function requireNumbers(model: AnyModel, { specs, inputs }: Ends): void {
  const strings = specs.flatMap(({ dtype }, i) => (dtype === 'string' ? [quoted(inputs[i]!)] : []))
  if (strings.length === 0) return
  const readers =
    model.graph?.calls.filter(({ input }) =>
      flatten(input).some((each) => each instanceof Tensor && each.dtype === 'string'),
    ) ?? []
  throw new FormatError(
    `${model}: an ONNX file cannot take strings: the input ${strings.join(', ')}${readers.map(({ layer }) => `, which ${layer} reads`).join('')}. Leave these layers out, and give the numbers that they return.`,
  )
}

/** The graph for each of some extents. */
function traced(
  model: AnyModel,
  { tree, specs }: Ends,
  { traces }: TraceShapes,
): { graphs: Graph[]; results: Tree<unknown> } {
  let results: Tree<unknown> = null
  const graphs = traces.map(
    (shapes) =>
      trace(
        specs.map(({ dtype }, i) => ({ shape: shapes[i]!, dtype })),
        (symbols) => {
          const outputs = withFile({ foldsConstants: true }, () => predicted(model, unflatten(tree, symbols)))
          results = outputs
          return flatten(outputs)
        },
      ).graph,
  )
  return { graphs, results }
}

/** The bytes of an ONNX file. @throws FormatError that names what ONNX does not have */
function onnxOf(model: AnyModel, { names = {}, shapes = {} }: WriteOnnxOptions = {}): Uint8Array {
  requireStateless(model, model)
  const ends = endsOf(model)
  requireNumbers(model, ends)
  let refusal: unknown = null
  const inputShapes = shapesOf(model, ends, shapes)
  for (const shaped of traceShapesFor(inputShapes, ends.inputs)) {
    let found: ReturnType<typeof traced>
    try {
      found = traced(model, ends, shaped)
    } catch (error) {
      refusal ??= error
      continue
    }
    return fileOf(model, ends, shaped, found, names)
  }
  const open = ends.inputs.find((_, i) => inputShapes[i]!.includes(null, 1))
  if (refusal instanceof MyelinError && open !== undefined)
    restate(
      refusal,
      `${refusal.message}. The model refuses every length that was tried. Fix the open extents with the option shapes: { shapes: { '${open}': … } }`,
    )
  throw refusal
}

/** The bytes of the file for a traced model. @param renamed other names of inputs and outputs, by their names */
function fileOf(
  model: AnyModel,
  ends: Ends,
  { open, traces }: TraceShapes,
  { graphs, results }: ReturnType<typeof traced>,
  renamed: Readonly<Record<string, string>>,
): Uint8Array {
  const graph = graphs[0]!
  const names = endNames(ends, ends.outputs(results), renamed)
  const writer = new Writer(open, names.inputs, model.name)
  const inputNames = names.inputs.map((name) => writer.names.unique(name))
  const outputNames = names.outputs.map((name) => writer.names.unique(name))
  const shapes = acrossInputs(traces)
  addInputs(writer, graph, inputNames, shapes)
  addWeights(writer, graph, traces.length)
  writeBody(model, writer, graphs)
  const { outputs, nodes, initializers } = ended(writer, graph, outputNames)
  const types = acrossTypes(graphs)
  const bytes = encode(modelProto, {
    irVersion: IR_VERSION,
    producer: 'myelin',
    graph: {
      nodes,
      name: model.name,
      initializers,
      inputs: inputNames.map((name, i) => endInfo(name, graph.parameters[i]!, shapes[i]!, open)),
      outputs: outputs.map((name, i) => endInfo(name, graph.outputs[i]!, types[i]!, open)),
    },
    opsets: [{ domain: '', version: OPSET }],
  })
  if (bytes.length > MOST_BYTES)
    throw new FormatError(`${model}: an ONNX file has at most 2 GB, it would have ${bytes.length} bytes`)
  return bytes
}

/**
 * The names that the user wants for inputs and outputs.
 * @throws ArgumentError for a name that the model does not have, and for two inputs or outputs with one new name
 */
function endNames(
  { inputs }: Ends,
  outputs: readonly string[],
  renamed: Readonly<Record<string, string>>,
): { inputs: string[]; outputs: string[] } {
  const all = [...new Set([...inputs, ...outputs])]
  const unknown = Object.keys(renamed).find((name) => !all.includes(name))
  if (unknown !== undefined) throw unknownName('input or output in names', unknown, [...inputs, ...outputs])
  const nameOf = (name: string): string => propertyOf(renamed, name) ?? name
  const named = all.map(nameOf)
  const twice = Object.values(renamed).find((name) => named.indexOf(name) !== named.lastIndexOf(name))
  if (twice !== undefined)
    throw new ArgumentError(
      `writeOnnx: names would give '${twice}' to two inputs or outputs. Each needs a name that no other has.`,
    )
  return { inputs: inputs.map(nameOf), outputs: outputs.map(nameOf) }
}

/** Adds the items of the inputs of a graph. */
function addInputs(
  writer: Writer,
  graph: Graph,
  names: readonly string[],
  shapes: readonly (readonly Numbers[])[],
): void {
  graph.parameters.forEach((value, i) =>
    writer.items.set(value, new Item(value.dtype, shapes[i]!, { kind: 'node', name: names[i]!, scope: writer.root })),
  )
}

/** Adds the items of the weights and states that a graph reads. Only a Variable has elements to write. */
function addWeights(writer: Writer, graph: Graph, traces: number): void {
  for (const [cell, value] of graph.cells) {
    const { name, shape, dtype } = cell
    const data = cell instanceof Variable ? cell.value.data : new Float32Array()
    const weight = { name, shape, dtype, data, written: null, forms: new Map<string, string>() }
    const extents = shape.map((extent) => new Array<number>(traces).fill(extent))
    writer.items.set(value, new Item(dtype, extents, { kind: 'weight', weight, views: [] }))
  }
}

/** Writes all nodes. @throws FormatError that names what ONNX cannot have */
function writeBody(model: AnyModel, writer: Writer, graphs: readonly Graph[]): void {
  const graph = graphs[0]!
  const problems: Problems = new Map()
  try {
    writeNodes(writer, graphs, [...graph.outputs.keys()], problems)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    problems.set(error.message, new Set([String(model)]))
  }
  const states = graph.updates.filter(({ cell, value }) => graph.cells.get(cell) !== value).map(({ cell }) => cell.name)
  if (problems.size === 0 && states.length > 0) problems.set('states that a call changes', new Set(states))
  if (problems.size > 0) throw refused(model, problems)
}

/** The declared type of an input or an output. Its open extents have names; '' is one without a name. */
function endInfo(name: string, { dtype }: Value, shape: readonly Numbers[], open: TraceShapes['open']) {
  const dims = shape.map((each) =>
    isFixed(each) ? each[0]! : (open.find(({ values }) => sameNumbers(values, each))?.name ?? ''),
  )
  return valueInfo(name, elementTypes[dtype], dims)
}

const acrossInputs = (traces: TraceShapes['traces']) =>
  traces[0]!.map((_, i) => acrossTraces(traces.map((shapes) => shapes[i]!)))

const acrossTypes = (graphs: readonly Graph[]) =>
  graphs[0]!.outputs.map((_, i) => acrossTraces(graphs.map(({ outputs }) => outputs[i]!.shape)))

function refused(model: AnyModel, problems: Problems): FormatError {
  const list = [...problems].map(
    ([what, layers]) => `${what} (${[...layers].filter((each) => each !== '').join(', ') || 'an op'})`,
  )
  return new FormatError(`${model}: an ONNX file of opset ${OPSET} cannot have: ${list.join('; ')}`)
}
