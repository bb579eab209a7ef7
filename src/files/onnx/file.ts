// Checks a file before its content is used: versions, names, operators, and that values are computed before they are
// read.

import { FormatError } from '../../core/errors'
import { nameOf } from './call'
import { NEWEST, functionOf, isStandard, keyOf, opsetOf } from './functions'
import { operators } from './operators'
import { ML } from './operators/ml'
import { hoisted } from './hoist'
import { allNodes, graphsIn, requireOperators } from './nodes'
import { modelProto, type FunctionProto, type GraphProto, type ModelProto, type NodeProto } from './proto'
import type { OnnxFile } from './onnx-file'
import { Reader, Source, countFields } from './reader'
import { vocabularyOf } from './strings'
import { types } from './types'
import { decode } from './wire'

/** What one graph may have of each kind: each takes time and memory, however few bytes it has. They are counted before anything is made. */
const MOST = 2 ** 15
/** The fields of a file, from `graph` on. */
const COUNTED: Readonly<Record<string, readonly number[]>> = {
  nodes: [7, 1],
  'results of nodes': [7, 1, 2],
  initializers: [7, 5],
}

/**
 * Reads a file and checks it.
 * @throws FormatError that names what is wrong, or all operators that are missing
 */
export function readFile(bytes: Uint8Array, name: string): OnnxFile {
  if (bytes.length === 0) throw new FormatError(`${name}: the file is empty`)
  for (const [what, fields] of Object.entries(COUNTED)) {
    const count = countFields(new Reader(new Source(bytes, name), 0, bytes.length), fields)
    if (count > MOST) throw new FormatError(`${name}: its graph has ${count} ${what}, more than ${MOST}`)
  }
  return checked(decode(modelProto, bytes, name), name)
}

function checked({ graph, opsets, functions: list }: ModelProto, name: string): OnnxFile {
  if (graph === null) throw new FormatError(`${name}: it has no graph, so it is not an ONNX model`)
  const all = [graph.nodes, ...list.map(({ nodes }) => nodes)]
  const isUsed = (domain: string): boolean =>
    all.some((nodes) => [...allNodes(nodes)].some((node) => node.domain === domain))
  // A file without operators of ONNX itself need not name their version.
  const needsOpset =
    opsets.length === 0 || opsets.some(({ domain }) => isStandard(domain)) || isUsed('') || isUsed('ai.onnx')
  const opset = needsOpset ? opsetOf(opsets, name) : NEWEST
  const functions = new Map(list.map((each) => [keyOf(each.domain, each.name), each]))
  const hasTexts = graph.inputs.some(({ type }) => type?.tensor?.type === types.string.code)
  const strings = vocabularyOf(graph, functions, hasTexts)
  const file = { name, graph, opset, operators, functions, strings, isTable: isUsed(ML) }
  requireOperators(file)
  if (graph.sparse.length > 0) throw new FormatError(`${name}: sparse initializers cannot be read`)
  requireOrder(graph, null, name)
  for (const each of list) {
    if (each.opsets.length > 0)
      opsetOf([...each.opsets, ...(each.opsets.some(({ domain }) => isStandard(domain)) ? [] : opsets)], name)
    requireNodes(each.nodes, new Names(each.inputs), each.outputs, `${name}: the function '${each.name}'`)
  }
  requireFinite(functions, name)
  return { ...file, graph: hoisted(graph) }
}

/** The names that nodes may read: those of their graph, and of the graphs around it. */
class Names {
  private readonly names: Set<string>

  constructor(
    names: readonly string[],
    private readonly outer: Names | null = null,
  ) {
    this.names = new Set(names)
  }

  has(name: string): boolean {
    return this.names.has(name) || (this.outer?.has(name) ?? false)
  }

  /** Adds a name. @returns false if this graph has it already */
  add(name: string): boolean {
    const isNew = !this.names.has(name)
    this.names.add(name)
    return isNew
  }
}

/** @throws FormatError if a value is read before it is computed, or computed twice */
function requireOrder(graph: GraphProto, outer: Names | null, where: string): void {
  const held = new Set<string>()
  for (const { name } of graph.initializers) {
    if (held.has(name)) throw new FormatError(`${where}: there are two initializers named '${name}'`)
    held.add(name)
  }
  requireNodes(
    graph.nodes,
    new Names([...held, ...graph.inputs.map(({ name }) => name)], outer),
    graph.outputs.map(({ name }) => name),
    where,
  )
}

function requireNodes(nodes: readonly NodeProto[], names: Names, outputs: readonly string[], where: string): void {
  for (const node of nodes) {
    const unknown = node.inputs.find((input) => input !== '' && !names.has(input))
    if (unknown !== undefined)
      throw new FormatError(
        `${where}: ${nameOf(node)} reads '${unknown}', which nothing before it computes: the graph has a cycle, or nodes are not in order`,
      )
    for (const graph of graphsIn(node)) requireOrder(graph, names, where)
    for (const output of node.outputs) {
      if (output === '' || names.add(output)) continue
      throw new FormatError(`${where}: '${output}' exists already where ${nameOf(node)} computes it`)
    }
  }
  const missing = outputs.find((output) => !names.has(output))
  if (missing !== undefined) throw new FormatError(`${where}: nothing computes the output '${missing}'`)
}

/** @throws FormatError if a function calls itself */
function requireFinite(functions: OnnxFile['functions'], where: string): void {
  const done = new Set<FunctionProto>()
  const within = new Set<FunctionProto>()
  const visit = (each: FunctionProto): void => {
    if (done.has(each)) return
    if (within.has(each)) throw new FormatError(`${where}: the function '${each.name}' calls itself`)
    within.add(each)
    for (const node of allNodes(each.nodes)) {
      const called = functionOf(node, functions)
      if (called !== null) visit(called)
    }
    within.delete(each)
    done.add(each)
  }
  for (const each of functions.values()) visit(each)
}
