// Sequences of primitives that are one normalization of ONNX. The rows of their first nodes write all others.

import type { PrimitiveName } from '../../../ir/attributes'
import type { Node } from '../../../ir/graph'
import type { Call } from '../call'
import type { Item } from '../items'
import type { Match, Step } from '../patterns'
import { pattern } from '../patterns'
import { channelsSecond } from './window'

/** x g / √(v + e) + (b − m g / √(v + e)), as BatchNormalization traces it. */
const BATCH = pattern('add(v,e) rsqrt(0) multiply(1,g) negative(m) multiply(3,2) add(4,b) multiply(x,2) add(6,5)')

/** g (x − μ) / √(σ² + e) + b over the last axis, as LayerNormalization traces it. */
const LAYER = pattern(
  'mean(x) reshape(0) subtract(x,1) square(2) mean(3) reshape(4) subtract(x,1) add(5,e) rsqrt(7) multiply(6,8) multiply(9,g) add(10,b)',
)

interface Operands {
  readonly match: Match
  readonly epsilon: number
  /** The item of a letter. */
  at(letter: string): Item
}

/** The operands of a pattern, if those with some letters are vectors. */
function operandsOf(call: Call, steps: readonly Step[], vectors: string): Operands | null {
  const match = call.around.match(steps)
  if (match === null) return null
  const at = (letter: string): Item => call.writer.items.get(match.values.get(letter)!)!
  const { content, rank } = at('e')
  const isKnown = content.kind === 'constant' && rank === 0 && [...vectors].every((letter) => at(letter).rank === 1)
  return isKnown ? { match, epsilon: content.data[0]!, at } : null
}

/** Only where channels are second already, as ONNX wants them. */
function batchNormalization(call: Call): Item | null {
  const found = operandsOf(call, BATCH, 'gbmv')
  if (found === null) return null
  const { match, epsilon, at } = found
  const x = at('x')
  const isSecond = x.rank === 2 || x.order[1] === x.rank - 1
  if (x.rank < 2 || !isSecond || at('g').shape[0]![0] !== x.shape.at(-1)![0]) return null
  call.around.fuse(...match.nodes)
  const { writer } = call
  const order = channelsSecond(x.rank)
  const operands = [...'gbmv'].map((letter) => writer.name(at(letter)))
  const attributes = { epsilon: { float: epsilon } }
  return writer.item(writer.node('BatchNormalization', [writer.name(x, order), ...operands], attributes), x, order)
}

function layerNormalization(call: Call): Item | null {
  const found = operandsOf(call, LAYER, 'gb')
  if (found === null) return null
  const { match, epsilon, at } = found
  const x = at('x')
  const isLast = [0, 4].every((i) => {
    const { axes } = (match.nodes[i] as Node<'mean'>).attributes
    return axes.length === 1 && axes[0] === x.rank - 1
  })
  if (!isLast) return null
  call.around.fuse(...match.nodes)
  const { writer } = call
  const operands = [x, at('g'), at('b')].map((each) => writer.name(each))
  return writer.item(writer.node('LayerNormalization', operands, { axis: -1, epsilon: { float: epsilon } }), x)
}

/** By the first primitive. */
export const normalizations: { readonly [Name in PrimitiveName]?: (call: Call) => Item | null } = {
  add: batchNormalization,
  mean: layerNormalization,
}
