// Nodes of graphs as text, one a line. For people; nothing parses it.

import { formatShape } from '../core/errors'
import type { Node, Value } from './graph'

function nameOf(value: Value): string {
  return `%${value.id}`
}

function typed(value: Value): string {
  return `${nameOf(value)}: ${value.dtype} ${formatShape(value.shape)}`
}

function attribute(key: string, value: unknown): string {
  if (ArrayBuffer.isView(value) && 'length' in value) return `${key}=…${String(value.length)}`
  return `${key}=${JSON.stringify(value)}`
}

/** `%7: float32 [32, 10] = matmul(%0, %1)  # dense` */
export function printNode(node: Node): string {
  const attributes = Object.entries(node.attributes).map(([key, value]) => attribute(key, value))
  const call = `${node.name}(${[...node.inputs.map(nameOf), ...attributes].join(', ')})`
  const outputs = node.outputs.map(typed).join(', ')
  const scope = node.scope === '' ? '' : `  # ${node.scope}`
  return `${outputs === '' ? '' : `${outputs} = `}${call}${scope}`
}
