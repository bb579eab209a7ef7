// Prints nodes of graphs, one per line, with bodies of loops indented. For people; nothing parses it.

import { formatShape } from '../../core/errors'
import { titleOf, type Node, type Value } from './graph'
import { Body, bodyOf, isLoop } from './region'

function nameOf(value: Value): string {
  return `%${value.id}`
}

function typed(value: Value): string {
  return `${nameOf(value)}: ${value.dtype} ${formatShape(value.shape)}`
}

function attribute(key: string, value: unknown): string {
  if (value instanceof Body) return `${key}=…`
  if (ArrayBuffer.isView(value) && 'length' in value) return `${key}=…${String(value.length)}`
  return `${key}=${JSON.stringify(value)}`
}

/** A line such as `%7: float32 [32, 10] = matmul(%0, %1)  # dense`; a loop has its body below. */
export function printNode(node: Node): string {
  const attributes = Object.entries(node.attributes).map(([key, value]) => attribute(key, value))
  const call = `${titleOf(node)}(${[...node.inputs.map(nameOf), ...attributes].join(', ')})`
  const outputs = node.outputs.map(typed).join(', ')
  const scope = node.scope === '' ? '' : `  # ${node.scope}`
  const line = `${outputs === '' ? '' : `${outputs} = `}${call}${scope}`
  return isLoop(node) ? [line, ...printBody(node)].join('\n') : line
}

/** The body's nodes, indented, between its parameters and its outputs. */
function printBody(node: Node<'loop'>): string[] {
  const { parameters, nodes, outputs } = bodyOf(node)
  const lines = nodes.flatMap((each) => printNode(each).split('\n'))
  return [
    `  (${parameters.map(typed).join(', ')}) → (${outputs.map(nameOf).join(', ')})`,
    ...lines.map((line) => `    ${line}`),
  ]
}
