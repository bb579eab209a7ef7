// A graph-model without the elements of its weights, as one JSON text: what the configuration of a TfjsGraph has.
//
//   { node, signature, weights: [{ name, dtype, shape, data? }] }     data: base64, for constants
//
// Float tensors are weights, except single numbers. Shapes are computed from integers, which are constants.

import { fromBase64, toBase64 } from '../../../core/base64'
import { FormatError, quoted } from '../../../core/errors'
import type { Json } from '../../../core/registry'
import type { Shape } from '../../../core/shapes'
import { isRecord, itemsOf, parseJson, recordAt, valueAt, type JsonRecord } from '../../containers/json'
import type { ReadGraph } from '../../onnx/graph-layer'
import { requireOperators } from '../../onnx/nodes'
import type { NodeProto, TensorProto, ValueInfo } from '../../onnx/proto'
import { elementType, types } from '../../onnx/types'
import { inOrder } from '../../onnx/values'
import type { Initializer } from '../../onnx/trained-tensors'
import { numbersOf, type ManifestTensor } from '../manifest'
import { keptAttributes } from './attributes'
import { definitionOf, infoOf, runnable, type Definition, type End, type Node } from './definition'
import { operators } from './operators'
import { sharedWeights, type Filled } from './shared'
import { isLearned, usesOf } from './uses'

/** The version of ONNX's operators that those of TensorFlow call. */
const OPSET = 23

/** Nodes that have their values from elsewhere. */
const INPUTS = ['Const', 'Placeholder']

/** A tensor of a Const node. */
interface Constant {
  readonly name: string
  readonly dtype: 'float32' | 'int32' | 'bool'
  readonly shape: Shape
  /** null for a weight. */
  readonly data: Uint8Array | null
}

const signatureOf = (json: JsonRecord): JsonRecord => {
  const found = valueAt(json, 'signature')
  return isRecord(found) ? found : recordAt(recordAt(json, 'userDefinedMetadata'), 'signature')
}

export interface Structure {
  /** The JSON. */
  readonly file: string
  /** The names of inputs. */
  readonly inputs: readonly string[]
  /** The elements of weights, by the names in the file. */
  readonly contents: ReadonlyMap<string, Float32Array>
}

/**
 * The structure of a graph-model.
 * @param json of model.json
 * @throws FormatError for a graph that is incomplete, and for operators that are not available, all of them in one message
 */
export function structureOf(json: JsonRecord, tensors: readonly ManifestTensor[], where: string): Structure {
  const signature = signatureOf(json)
  const definition = definitionOf(recordAt(json, 'modelTopology'), signature, requireAvailable(where), where)
  const needed = new Map(definition.nodes.filter(({ op }) => op === 'Const').map((node) => [node.name, node]))
  const uses = usesOf(definition)
  const filled: Filled[] = []
  const all = tensors.flatMap((tensor) => {
    const { name, dtype, shape } = tensor
    if (!needed.delete(name)) return []
    if (dtype === 'string') throw new FormatError(`${where}: the graph computes with the strings of '${name}'`)
    const values = numbersOf(tensor)
    if (values instanceof Float32Array && isLearned(shape, uses.get(name))) {
      filled.push({ name, shape, values })
      return [{ name, dtype, shape: [...shape] }]
    }
    const data = toBase64(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    return [{ name, dtype, shape: [...shape], data }]
  })
  const [missing] = needed.keys()
  if (missing !== undefined) throw new FormatError(`${where}: weightsManifest has no tensor for the node '${missing}'`)
  const inputs = new Set(definition.inputs.map(({ operand }) => operand.name))
  const kept = definitionNodes(json).filter(({ name }) => inputs.has(String(name)))
  const shared = sharedWeights(filled)
  const nodes = definition.nodes.map(({ name, op, inputs: operands, attributes }) =>
    shared.has(name)
      ? { name, op: 'Identity', input: [shared.get(name)!] }
      : {
          name,
          op,
          input: operands.map(({ name: from, index }) => (index === 0 ? from : `${from}:${index}`)),
          attr: keptAttributes(attributes),
        },
  )
  const weights = all.filter(({ name }) => !shared.has(name))
  return {
    file: JSON.stringify({ node: [...kept, ...nodes], signature, weights }),
    inputs: definition.inputs.map(({ key }) => key),
    contents: new Map(filled.map(({ name, values }) => [name, values])),
  }
}

/** The nodes that are inputs, with their declared shapes. */
function definitionNodes(json: JsonRecord): readonly JsonRecord[] {
  const list = valueAt(recordAt(json, 'modelTopology'), 'node')
  return itemsOf(list).filter(isRecord)
}

/**
 * The graph of a structure.
 * @throws FormatError
 */
export function readStructure(structure: string, where: string): ReadGraph {
  const json = parseJson(structure, `${where}: the option file`)
  if (!isRecord(json)) throw new FormatError(`${where}: the option file must be the JSON of a graph-model`)
  const definition = definitionOf(json, signatureOf(json), requireAvailable(where), where)
  const attributes = new Map(
    definitionNodes({ modelTopology: json }).map((node) => [valueAt(node, 'name'), recordAt(node, 'attr')]),
  )
  const info = (end: (typeof definition.inputs)[number]) => infoOf(end, attributes.get(end.operand.name) ?? {}, where)
  for (const { operand, key } of definition.inputs)
    if (operand.index > 0) throw new FormatError(`${where}: the input '${key}' is not the first result of a node`)
  const graph = {
    name: '',
    nodes: runnable(definition, where),
    initializers: [],
    sparse: [],
    inputs: definition.inputs.map(info),
    outputs: definition.outputs.map((end) => outputInfo(end, where)),
  }
  const file = { name: where, graph, opset: OPSET, operators, functions: new Map(), strings: null, isTable: false }
  return { file, initializers: initializersOf(json, definition, where) }
}

/** The declared type of an output, if the signature has it. */
function outputInfo(end: End, where: string): ValueInfo {
  const isKnown = ['dtype', 'tensorShape'].every((key) => valueAt(end.entry, key) !== undefined)
  const info = infoOf(end, {}, where)
  return isKnown && elementType(info.type?.tensor?.type ?? 0) !== null ? info : { name: end.key, type: null }
}

function initializersOf(json: JsonRecord, definition: Definition, where: string): Initializer[] {
  const list = valueAt(json, 'weights')
  if (!Array.isArray(list)) throw new FormatError(`${where}: the option file has no list of weights`)
  const uses = usesOf(definition)
  const found = (list as readonly Json[]).map((each): Initializer => {
    const { name, dtype, shape, data } = constantOf(each, where)
    const value = definition.valueName({ name, index: 0 })
    const weight =
      data !== null
        ? null
        : { name, shape, order: inOrder(shape.length), trainable: uses.get(name)?.isAverage !== true }
    return { name: value, proto: protoOf(name, dtype, shape, data), weight }
  })
  const held = new Set(found.map(({ proto }) => proto.name))
  const missing = definition.nodes.find(({ op, name }) => op === 'Const' && !held.has(name))
  if (missing === undefined) return found
  throw new FormatError(`${where}: the option file has no tensor for the node '${missing.name}'`)
}

function constantOf(spec: Json, where: string): Constant {
  if (!isRecord(spec)) throw new FormatError(`${where}: a weight of the graph must be a record`)
  const [name, dtype, shape, data] = ['name', 'dtype', 'shape', 'data'].map((key) => valueAt(spec, key))
  const isShape = Array.isArray(shape) && shape.every((each) => Number.isSafeInteger(each) && Number(each) >= 0)
  const isType = dtype === 'float32' || dtype === 'int32' || dtype === 'bool'
  if (typeof name !== 'string' || !isShape || !isType || (data === undefined && dtype !== 'float32'))
    throw new FormatError(`${where}: the weight ${quoted(spec)} of the graph is incomplete`)
  return { name, dtype, shape: shape as Shape, data: data === undefined ? null : fromBase64(String(data)) }
}

function protoOf(name: string, dtype: Constant['dtype'], shape: Shape, raw: Uint8Array | null): TensorProto {
  const none = new Float64Array(0)
  return {
    name,
    dims: Float64Array.from(shape),
    type: types[dtype].code,
    raw,
    floats: none,
    integers: none,
    longs: none,
    doubles: none,
    unsigned: none,
    strings: [],
    external: [],
    place: 0,
  }
}

const requireAvailable =
  (where: string) =>
  (nodes: readonly Node[]): void => {
    const all = nodes.flatMap(({ name, op }): NodeProto[] =>
      INPUTS.includes(op) ? [] : [{ name, type: op, domain: '', inputs: [], outputs: [], attributes: [] }],
    )
    requireOperators({ name: where, graph: { nodes: all }, operators, functions: new Map() })
  }
