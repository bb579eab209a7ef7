// Graph → smaller graph with the same results: removes unused nodes, shares equal computations, folds scalar
// constants, applies the `simplify` of each primitive, and expands composed primitives.

import type { GraphBuilder } from '../transforms/builder'
import { results, type Graph, type Node, type Value } from '../ir/graph'
import { isLoop, passesOf } from '../ir/region'
import { hasEffect } from '../transforms/effect'
import { LoopPlanning } from './loops'
import { ruleOf } from '../primitives'
import type { PrimitiveName } from '../ir/attributes'
import type { NumericArray } from '../../core/dtypes'
import { sizeOf } from '../../core/shapes'
import { rewrite, type Shared } from './rewrite'

export function simplify(graph: Graph): Graph {
  const simple = simplifyOnce(graph)
  // Nodes moved out of a loop were not there when the other nodes were simplified.
  return simple.nodes.some(isLoop) || graph.nodes.some(isLoop) ? simplifyOnce(simple) : simple
}

function simplifyOnce(graph: Graph): Graph {
  const live = liveValues(graph)
  return rewrite(graph, (node, inputs, builder, shared) => {
    if (!isNeeded(node, live)) return []
    if (isLoop(node))
      return passesOf(node, LoopPlanning).simplify(node, inputs, (output) => live[output.id] === 1, builder, shared)
    return reduceNode(node, inputs, builder) ?? shareOrEmit(node, inputs, builder, shared)
  })
}

/** Indexed by id: 1 for the values on which a result or an effect depends. */
function liveValues(graph: Graph): Uint8Array {
  const live = new Uint8Array(graph.idEnd)
  for (const value of results(graph)) live[value.id] = 1
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i]!
    if (isNeeded(node, live)) for (let j = 0; j < node.inputs.length; j++) live[node.inputs[j]!.id] = 1
  }
  return live
}

function isNeeded(node: Node, live: Uint8Array): boolean {
  const { outputs } = node
  for (let i = 0; i < outputs.length; i++) if (live[outputs[i]!.id] === 1) return true
  return hasEffect(node)
}

/** The numbers of views, cached so that nested views are resolved once. */
const knownNumbers = new WeakMap<Value, number>()

/** The number that every element of a value equals, if known: a scalar constant, or a view of one. */
export function constantNumber(value: Value): number | null {
  const { node } = value
  if (node === null) return null
  const { kind } = ruleOf(node.name)
  if (kind === 'constant') return sizeOf(value.shape) === 1 ? constantData(node)![0]! : null
  if (kind !== 'view') return null
  const number = knownNumbers.get(value) ?? constantNumber(node.inputs[0]!)
  if (number !== null) knownNumbers.set(value, number)
  return number
}

/** The numbers of all values; null if one is unknown. */
function constantNumbers(values: readonly Value[]): number[] | null {
  const numbers: number[] = []
  for (let i = 0; i < values.length; i++) {
    const number = constantNumber(values[i]!)
    if (number === null) return null
    numbers.push(number)
  }
  return numbers
}

/** The data of a constant node; null for other nodes. */
export function constantData<Name extends PrimitiveName>(node: Node<Name>): NumericArray | null {
  const rule = ruleOf(node.name)
  return rule.kind === 'constant' ? rule.data(node.attributes) : null
}

function reduceNode<Name extends PrimitiveName>(
  node: Node<Name>,
  inputs: readonly Value[],
  builder: GraphBuilder,
): readonly Value[] | null {
  const rule = ruleOf(node.name)
  const output = node.outputs[0]
  if (output === undefined) return null
  if (rule.kind === 'elementwise') {
    const numbers = constantNumbers(inputs)
    if (numbers !== null) {
      const folded = builder.e.scalar(rule.scalar(numbers, inputs, node.attributes), output.dtype)
      return [builder.e.broadcastTo(folded, output.shape)]
    }
  }
  if (rule.kind === 'composed') return [rule.compose(builder.e, inputs, node.attributes)]
  const simpler = rule.simplify?.({ e: builder.e, inputs, output, attributes: node.attributes, constantNumber })
  return simpler == null ? null : [simpler]
}

function shareOrEmit<Name extends PrimitiveName>(
  node: Node<Name>,
  inputs: readonly Value[],
  builder: GraphBuilder,
  shared: Shared,
): readonly Value[] {
  if (hasEffect(node)) return builder.keep(node, inputs)
  const attributes = attributesKey(node.attributes, node.outputs[0]?.id)
  const key = attributes === '' ? node.name : `${node.name} ${attributes}`
  return share(shared, key, inputs, () => builder.keep(node, inputs))
}

export function share(
  shared: Shared,
  name: string,
  inputs: readonly Value[],
  emit: () => readonly Value[],
): readonly Value[] {
  let alike = shared.get(name)
  if (alike === undefined) {
    alike = new Map()
    shared.set(name, alike)
  }
  const key = operandsKey(inputs)
  let outputs = alike.get(key)
  if (outputs === undefined) {
    outputs = emit()
    alike.set(key, outputs)
  }
  return outputs
}

/** Larger than the ids of a graph, and small enough that two ids fit into one exact number. */
const ID_LIMIT = 2 ** 26

/**
 * Equal only for the same operands. Most nodes have one or two operands; their keys are numbers, which are
 * cheaper than strings.
 */
function operandsKey(inputs: readonly Value[]): number | string {
  if (inputs.length === 1) return inputs[0]!.id
  if (inputs.length === 2) return (inputs[0]!.id + 1) * ID_LIMIT + inputs[1]!.id
  return inputs.map(({ id }) => id).join()
}

const LARGEST_COMPARED = 16

/**
 * A key that is equal only for equal attributes. Large data is identified by `identity`, because comparing it
 * would cost more than sharing saves.
 */
export function attributesKey(attributes: object, identity?: number): string {
  let text = ''
  let name: string
  for (name in attributes) text += `${name}: ${attributeText(Reflect.get(attributes, name), identity)}, `
  return text
}

function attributeText(value: unknown, identity: number | undefined): string {
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value)
  if (Array.isArray(value)) return `[${value.map((each) => attributeText(each, identity)).join()}]`
  if (!isNumericArray(value)) return JSON.stringify(value)
  if (value.byteLength > 4 * LARGEST_COMPARED) return `node ${identity}`
  return attributeText(Array.from(value), identity)
}

/** Whether an attribute is data: attributes have no other views of memory. */
function isNumericArray(value: unknown): value is NumericArray {
  return ArrayBuffer.isView(value)
}
