// Checks that a graph is well formed, which every pass relies on and must preserve. Tests run it after every
// pass; compilation does not, because it would double the time that inference takes.

import { formatShape, internalError } from '../../core/errors'
import { ruleOf } from '../primitives'
import { results, type Graph, type Node, type Value } from '../ir/graph'
import { bodyOf, isLoop } from '../ir/region'
import type { PrimitiveName } from '../ir/attributes'
import { sameShape } from '../../core/shapes'

/** @throws an internal error that names the node */
export function verify(graph: Graph): void {
  const made = new Set<Value>([...graph.parameters, ...graph.cells.values()])
  for (const node of graph.nodes) {
    for (const input of node.inputs) {
      if (!made.has(input)) throw internalError(`${node.name}: operand %${input.id} is not computed before it`)
    }
    verifyTypes(node)
    if (isLoop(node)) verifyBody(node)
    for (const output of node.outputs) {
      if (made.has(output)) throw internalError(`${node.name}: %${output.id} is computed twice`)
      made.add(output)
    }
  }
  for (const value of results(graph)) {
    if (!made.has(value)) throw internalError(`result %${value.id} is never computed`)
  }
}

function verifyTypes<Name extends PrimitiveName>(node: Node<Name>): void {
  const types = ruleOf(node.name).infer(node.inputs, node.attributes, node.name)
  types.forEach((type, i) => {
    const output = node.outputs[i]
    if (output === undefined || output.dtype !== type.dtype || !sameShape(output.shape, type.shape)) {
      throw internalError(`${node.name}: output ${i} must be ${type.dtype} ${formatShape(type.shape)}`)
    }
  })
}

function verifyBody(node: Node<'loop'>): void {
  const body = bodyOf(node)
  if (body.cells.size > 0 || body.updates.length > 0) throw internalError('loop: a body must not have cells')
  verify(body)
}
