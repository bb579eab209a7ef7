// Checks a file before its content is used: versions, names, operators, and that values are computed before they are
// read.

import { FormatError } from '../core/errors'
import { nameOf } from './call'
import { functionOf, isStandard, keyOf, operatorName } from './functions'
import { operators } from './operators'
import { ML } from './operators/ml'
import type { AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto, OperatorSet } from './proto'
import { hoisted } from './hoist'
import { graphsIn, modelProto } from './proto'
import type { OnnxFile } from './onnx-file'
import { Reader, Source, countFields } from './reader'
import { vocabularyOf } from './strings'
import { types } from './types'
import { decode } from './wire'

export type { OnnxFile } from './onnx-file'

/** What one graph may have of each kind: each takes time and memory, however few bytes it has. They are counted before anything is made. */
const MOST = 2 ** 15
/** The fields of a file, from `graph` on. */
const COUNTED: Readonly<Record<string, readonly number[]>> = {
  nodes: [7, 1],
  'results of nodes': [7, 1, 2],
  initializers: [7, 5],
}

/** The versions of the operators that are read. */
const [OLDEST, NEWEST] = [7, 23]

/** The version of the standard operators. */
export function opsetOf(opsets: readonly OperatorSet[], where: string): number {
  const versions = opsets.filter(({ domain }) => isStandard(domain)).map(({ version }) => version)
  // skl2onnx names a domain once for each part of a pipeline.
  const [version, ...others] = new Set(versions)
  if (version === undefined) throw new FormatError(`${where}: it names no version of the operators`)
  if (version >= OLDEST && version <= NEWEST && others.length === 0) return version
  throw new FormatError(
    `${where}: it needs version ${versions.join(' and ')} of the operators; versions ${OLDEST} to ${NEWEST} are read. Convert it in Python with onnx.version_converter.`,
  )
}

/** Whether a function names its own version of the standard operators. */
export function hasOpset({ opsets }: FunctionProto): boolean {
  return opsets.some(({ domain }) => isStandard(domain))
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

/** All nodes of a graph, and of the graphs in their attributes. */
function* allNodes(nodes: readonly NodeProto[]): Generator<NodeProto> {
  for (const node of nodes) {
    yield node
    for (const graph of graphsIn(node)) yield* allNodes(graph.nodes)
  }
}

/** @throws FormatError that lists every operator that is missing, with the first node that needs it */
export function requireOperators({
  name,
  graph,
  operators: available,
  functions,
}: Pick<OnnxFile, 'name' | 'operators' | 'functions'> & { readonly graph: Pick<GraphProto, 'nodes'> }): void {
  const missing = new Map<string, { node: NodeProto; count: number }>()
  const all = [graph.nodes, ...[...functions.values()].map(({ nodes }) => nodes)]
  for (const nodes of all) {
    for (const node of allNodes(nodes)) {
      if (functionOf(node, functions) !== null || available.has(operatorName(node))) continue
      const key = operatorName(node)
      const found = missing.get(key)
      if (found === undefined) missing.set(key, { node, count: 1 })
      else found.count++
    }
  }
  if (missing.size === 0) return
  const shown = [...missing].slice(0, 100).map(([type, { node, count }]) => {
    const said = node.name === '' ? (node.outputs[0] ?? '') : node.name
    return `${type} (at '${said}'${count > 1 ? ` and ${count - 1} more` : ''})`
  })
  throw new FormatError(`${name}: these operators are not available: ${shown.join(', ')}`)
}

/** The names that nodes may read: those of their graph, and of the graphs around it. */
class Names {
  private readonly own: Set<string>

  constructor(
    own: readonly string[],
    private readonly outer: Names | null = null,
  ) {
    this.own = new Set(own)
  }

  has(name: string): boolean {
    return this.own.has(name) || (this.outer?.has(name) ?? false)
  }

  /** Adds a name. @returns false if this graph has it already */
  add(name: string): boolean {
    const isNew = !this.own.has(name)
    this.own.add(name)
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

/** The attributes of a node of a function: those that refer to one of the calling node get its value. */
export function bound(
  attributes: readonly AttributeProto[],
  given: ReadonlyMap<string, AttributeProto>,
): readonly AttributeProto[] {
  if (attributes.every(({ reference }) => reference === '')) return attributes
  return attributes.flatMap((each) => {
    if (each.reference === '') return [each]
    const value = given.get(each.reference)
    return value === undefined ? [] : [{ ...value, name: each.name }]
  })
}
