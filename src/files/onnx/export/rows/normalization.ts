// Sequences of primitives that are one normalization of ONNX. The rows of their first nodes write all others.

import type { PrimitiveName } from '../../../../engine/ir/attributes'
import type { Call } from '../call'
import type { Item } from '../items'
import { pattern } from '../patterns'
import { channelsSecond } from './window'

/** x g / √(v + e) + (b − m g / √(v + e)), as BatchNormalization traces it. */
const BATCH = pattern('add(v,e) rsqrt(0) multiply(1,g) negative(m) multiply(3,2) add(4,b) multiply(x,2) add(6,5)')

/** Only where channels are second already, as ONNX wants them. */
function batchNormalization(call: Call): Item | null {
  const match = call.around.match(BATCH)
  if (match === null) return null
  const { writer } = call
  const at = (letter: string): Item => writer.items.get(match.values.get(letter)!)!
  const { content, rank } = at('e')
  if (content.kind !== 'constant' || rank !== 0 || [...'gbmv'].some((letter) => at(letter).rank !== 1)) return null
  const x = at('x')
  const isSecond = x.rank === 2 || x.order[1] === x.rank - 1
  if (x.rank < 2 || !isSecond || at('g').shape[0]![0] !== x.shape.at(-1)![0]) return null
  call.around.fuse(...match.nodes)
  const order = channelsSecond(x.rank)
  const operands = [...'gbmv'].map((letter) => writer.name(at(letter)))
  const attributes = { epsilon: { float: content.data[0]! } }
  return writer.item(writer.node('BatchNormalization', [writer.name(x, order), ...operands], attributes), x, order)
}

/** By the first primitive. */
export const normalizations: { readonly [Name in PrimitiveName]?: (call: Call) => Item | null } = {
  add: batchNormalization,
}
