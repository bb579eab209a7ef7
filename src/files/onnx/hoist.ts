// Weights that are inside the branches of an If, or in the body of a loop, become initializers of the file's graph, so that they are
// trained and saved like all others.

import type { GraphProto, NodeProto, TensorProto, ValueInfo } from './proto'
import { graphsIn } from './nodes'
import { elementType, types } from './types'
import { weightUsesOf } from './uses'

const isFloat = ({ type }: TensorProto): boolean => {
  const element = elementType(type)
  return element !== null && types[element].isFloat
}

/** The tensor of a Constant node that an operator takes as a weight. */
function constantIn({ type, attributes, outputs }: NodeProto, isWeight: (name: string) => boolean): TensorProto | null {
  if (type !== 'Constant' || !isWeight(outputs[0] ?? '')) return null
  return attributes.find(({ name }) => name === 'value')?.tensor ?? null
}

class Hoist {
  readonly found: TensorProto[] = []
  private readonly taken: Set<string>

  constructor({ nodes, inputs, initializers }: GraphProto) {
    this.taken = new Set([
      ...nodes.flatMap(({ outputs }) => outputs),
      ...[...inputs, ...initializers].map(({ name }) => name),
    ])
  }

  /** @param outer new names of values of the graphs around */
  node(node: NodeProto, outer: ReadonlyMap<string, string>): NodeProto {
    const isSame = outer.size === 0 && graphsIn(node).length === 0
    if (isSame) return node
    return {
      ...node,
      inputs: node.inputs.map((name) => outer.get(name) ?? name),
      attributes: node.attributes.map((each) =>
        each.graph === null ? each : { ...each, graph: this.graph(each.graph, outer) },
      ),
    }
  }

  private graph(graph: GraphProto, outer: ReadonlyMap<string, string>): GraphProto {
    const isWeight = weightUsesOf(graph)
    // Names of this graph hide those around it.
    const names = new Map(outer)
    for (const { name } of [...graph.inputs, ...graph.initializers]) names.delete(name)
    for (const { outputs } of graph.nodes) for (const name of outputs) names.delete(name)
    const move = (proto: TensorProto, name: string): void => {
      const unique = this.unique(name)
      this.found.push({ ...proto, name: unique })
      names.set(name, unique)
    }
    const initializers = graph.initializers.filter((proto) => {
      const isMoved = isFloat(proto) && !graph.inputs.some(({ name }) => name === proto.name)
      if (isMoved) move(proto, proto.name)
      return !isMoved
    })
    const nodes = graph.nodes.filter((node) => {
      const proto = constantIn(node, isWeight)
      const isMoved = proto !== null && isFloat(proto)
      if (isMoved) move(proto, node.outputs[0]!)
      return !isMoved
    })
    const renamed = (info: ValueInfo): ValueInfo => ({ ...info, name: names.get(info.name) ?? info.name })
    return {
      ...graph,
      initializers,
      nodes: nodes.map((node) => this.node(node, names)),
      outputs: graph.outputs.map(renamed),
    }
  }

  private unique(name: string): string {
    let found = name
    for (let i = 1; this.taken.has(found); i++) found = `${name}_${i}`
    this.taken.add(found)
    return found
  }
}

/** The same graph without weights in the graphs of its nodes. */
export function hoisted(graph: GraphProto): GraphProto {
  if (graph.nodes.every((node) => graphsIn(node).length === 0)) return graph
  const hoist = new Hoist(graph)
  const nodes = graph.nodes.map((node) => hoist.node(node, new Map()))
  return { ...graph, nodes, initializers: [...graph.initializers, ...hoist.found] }
}
