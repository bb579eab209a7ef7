// The structure of a graph-model: JSON of a GraphDef and of a signature → nodes in the order in which they run.
//
//   modelTopology.node ┐                          ┌─ inputs, outputs: by the keys of the signature
//   signature ─────────┼──▶ Definition ──▶ graph ─┼─ nodes that outputs need, operands before results
//   tensors ───────────┘                          └─ initializers: the tensors of Const nodes
//
// Nodes become those of files/onnx/run.ts, with the operators of TensorFlow. `name:i` is result i of a node, `^name` only says that a node runs
// before, which does not matter here.

import { FormatError, quoted } from '../../../core/errors'
import type { Json } from '../../../core/registry'
import { isRecord, valueAt, type JsonRecord } from '../../containers/json'
import type { NodeProto, ValueInfo } from '../../onnx/proto'
import { attributesOf, dimensionsOf, typeCode } from './attributes'

/** A node of the file. */
export interface Node {
  readonly name: string
  readonly op: string
  /** Result `index` of the node `name`. */
  readonly inputs: readonly Operand[]
  readonly attributes: JsonRecord
}

export interface Operand {
  readonly name: string
  readonly index: number
}

/** An input or output of the model. */
export interface End {
  /** What users call it. */
  readonly key: string
  readonly operand: Operand
  /** Its entry in the signature. */
  readonly entry: JsonRecord
}

export interface Definition {
  readonly inputs: readonly End[]
  readonly outputs: readonly End[]
  /** The nodes that outputs need, in the order in which they run. */
  readonly nodes: readonly Node[]
  /** Names of values: not those of inputs and outputs, which users choose. */
  valueName(operand: Operand): string
}

/** Results of all nodes, so that a small file takes little memory. */
const MOST_RESULTS = 2 ** 20

/**
 * @param check called with the nodes that outputs need, before their order is known
 * @throws FormatError for a graph that is incomplete or has a cycle
 */
export function definitionOf(
  topology: JsonRecord,
  signature: JsonRecord,
  check: (nodes: readonly Node[]) => void,
  where: string,
): Definition {
  const nodes = nodesOf(valueAt(topology, 'node'), where)
  const declared = endsOf(valueAt(signature, 'inputs'), nodes, where)
  const outputs = endsOf(valueAt(signature, 'outputs'), nodes, where)
  const all = outputs.length > 0 ? outputs : lastOf(nodes)
  if (all.length === 0) throw new FormatError(`${where}: the graph has no outputs`)
  const fed = new Set(declared.map(({ operand }) => operand.name))
  const needed = neededNodes(all, fed, nodes, where)
  check(needed.filter(({ name }) => !fed.has(name)))
  const sorted = sortedNodes(all, fed, nodes, where)
  const others = sorted.filter(({ op, name }) => op === 'Placeholder' && !fed.has(name))
  const inputs = [...declared, ...others.map(({ name }) => ({ key: name, operand: { name, index: 0 }, entry: {} }))]
  const skipped = new Set(inputs.map(({ operand }) => operand.name))
  const reserved = new Set([...inputs, ...all].map(({ key }) => key))
  const byNode = new Map(inputs.map(({ key, operand }) => [operand.name, key]))
  return {
    inputs,
    outputs: all,
    nodes: sorted.filter(({ name }) => !skipped.has(name)),
    valueName({ name, index }) {
      const key = index === 0 ? byNode.get(name) : undefined
      if (key !== undefined) return key
      let found = index === 0 ? name : `${name}:${index}`
      while (reserved.has(found)) found += '_'
      return found
    },
  }
}

function nodesOf(list: Json | undefined, where: string): ReadonlyMap<string, Node> {
  if (!Array.isArray(list)) throw new FormatError(`${where}: modelTopology has no list of nodes`)
  const found = new Map<string, Node>()
  for (const each of list as readonly Json[]) {
    const [name, op] = isRecord(each) ? [valueAt(each, 'name'), valueAt(each, 'op')] : []
    if (!isRecord(each) || typeof name !== 'string' || name === '' || typeof op !== 'string')
      throw new FormatError(`${where}: each node must have a name and an op, received ${quoted(each)}`)
    if (found.has(name)) throw new FormatError(`${where}: there are two nodes '${name}'`)
    const attributes = valueAt(each, 'attr') ?? {}
    if (!isRecord(attributes))
      throw new FormatError(`${where}: the node '${name}' has attributes that are not a record`)
    found.set(name, { name, op, inputs: operandsOf(valueAt(each, 'input') ?? [], name, where), attributes })
  }
  return found
}

function operandsOf(list: Json, name: string, where: string): Operand[] {
  if (!Array.isArray(list) || list.some((each) => typeof each !== 'string'))
    throw new FormatError(`${where}: the inputs of the node '${name}' must be a list of names`)
  return (list as readonly string[]).filter((each) => !each.startsWith('^')).map(operandOf)
}

function operandOf(text: string): Operand {
  const match = /^(.*):(\d{1,6})$/s.exec(text)
  return match === null ? { name: text, index: 0 } : { name: match[1]!, index: Number(match[2]) }
}

/** The inputs or outputs of a signature. */
function endsOf(entries: Json | undefined, nodes: ReadonlyMap<string, Node>, where: string): End[] {
  if (!isRecord(entries)) return []
  return Object.entries(entries).map(([key, entry]) => {
    const name = isRecord(entry) ? valueAt(entry, 'name') : undefined
    if (!isRecord(entry) || typeof name !== 'string')
      throw new FormatError(`${where}: the signature has no name of a node for '${key}'`)
    const operand = operandOf(name)
    if (nodes.has(operand.name)) return { key, operand, entry }
    throw new FormatError(`${where}: the signature names the node '${operand.name}', which the graph does not have`)
  })
}

/** Without a signature, the nodes that no other reads are the outputs. */
function lastOf(nodes: ReadonlyMap<string, Node>): End[] {
  const read = new Set([...nodes.values()].flatMap(({ inputs }) => inputs.map(({ name }) => name)))
  return [...nodes.values()]
    .filter(({ name, op }) => !read.has(name) && op !== 'Const' && op !== 'NoOp' && op !== 'Placeholder')
    .map(({ name }) => ({ key: name, operand: { name, index: 0 }, entry: {} }))
}

/** The nodes from which outputs are computed; the graph may have others. */
function neededNodes(
  outputs: readonly End[],
  fed: ReadonlySet<string>,
  nodes: ReadonlyMap<string, Node>,
  where: string,
): readonly Node[] {
  const found = new Set(outputs.map(({ operand }) => nodes.get(operand.name)!))
  // The loop also visits what it adds.
  for (const { name, inputs } of found) {
    if (fed.has(name)) continue
    for (const input of inputs) {
      const node = nodes.get(input.name)
      if (node === undefined)
        throw new FormatError(`${where}: the node '${name}' reads '${input.name}', which the graph does not have`)
      found.add(node)
    }
  }
  return [...found]
}

/** Operands before results. Recursion would end at some thousand nodes in a row. */
function sortedNodes(
  outputs: readonly End[],
  fed: ReadonlySet<string>,
  nodes: ReadonlyMap<string, Node>,
  where: string,
): readonly Node[] {
  const found: Node[] = []
  const states = new Map<Node, 'open' | 'done'>()
  const path: { node: Node; next: number }[] = []
  const enter = (name: string): void => {
    const node = nodes.get(name)!
    if (states.get(node) === 'done') return
    if (states.get(node) === 'open') {
      const names = path.slice(path.findIndex((each) => each.node === node)).map((each) => `'${each.node.name}'`)
      const shown = names.length > 8 ? [...names.slice(0, 7), '…', names.at(-1)] : names
      throw new FormatError(`${where}: the nodes ${shown.join(', ')} are a cycle`)
    }
    states.set(node, 'open')
    path.push({ node, next: 0 })
  }
  for (const { operand } of outputs) {
    enter(operand.name)
    while (path.length > 0) {
      const top = path.at(-1)!
      const input = fed.has(top.node.name) ? undefined : top.node.inputs[top.next++]
      if (input !== undefined) enter(input.name)
      else {
        path.pop()
        states.set(top.node, 'done')
        found.push(top.node)
      }
    }
  }
  return found
}

/** The nodes of a definition as those that run. Const nodes are initializers. */
export function runnable({ nodes, outputs, valueName }: Definition, where: string): NodeProto[] {
  const counts = new Map<string, number>()
  const read = [...nodes.flatMap(({ inputs }) => inputs), ...outputs.map(({ operand }) => operand)]
  for (const { name, index } of read) counts.set(name, Math.max(counts.get(name) ?? 1, index + 1))
  const total = [...counts.values()].reduce((sum, each) => sum + each, 0)
  if (total > MOST_RESULTS) throw new FormatError(`${where}: the nodes have more than ${MOST_RESULTS} results`)
  const running = nodes
    .filter(({ op }) => op !== 'Const')
    .map(({ name, op, inputs, attributes }): NodeProto => ({
      name,
      type: op,
      domain: '',
      inputs: inputs.map(valueName),
      outputs: Array.from({ length: counts.get(name) ?? 1 }, (_, index) => valueName({ name, index })),
      attributes: attributesOf(attributes, `${where}: the node '${name}' (${op})`),
    }))
  const names = outputs.map(({ key, operand }): NodeProto => ({
    name: key,
    type: 'Identity',
    domain: '',
    inputs: [valueName(operand)],
    outputs: [key],
    attributes: [],
  }))
  // An output that is an input has its name already.
  return [...running, ...names.filter(({ inputs, outputs: [key] }) => inputs[0] !== key)]
}

/** The declared type of an input or output. */
export function infoOf(end: End, attributes: JsonRecord, where: string): ValueInfo {
  const { key, entry } = end
  const what = `${where}: '${key}'`
  const attribute = (name: string, kind: string): Json | undefined => {
    const found = valueAt(attributes, name)
    return isRecord(found) ? valueAt(found, kind) : undefined
  }
  const dims = dimensionsOf(valueAt(entry, 'tensorShape'), what) ?? dimensionsOf(attribute('shape', 'shape'), what)
  // The first axis of a vector may be time.
  const isBatch = dims !== null && dims.length > 1 && dims[0]!.value === null
  const named = dims?.map((each, i) => (i === 0 && isBatch ? { ...each, name: 'batch' } : each)) ?? null
  const type = typeCode(attribute('dtype', 'type')) || typeCode(valueAt(entry, 'dtype'))
  return { name: key, type: { tensor: { type, shape: named === null ? null : { dims: named } } } }
}
