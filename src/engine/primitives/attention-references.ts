// References of attention and its gradient as plain loops.

import type { NumericArray } from '../../core/dtypes'
import { broadcastStrides, rowMajorStrides } from '../../core/shapes'
import {
  attentionExtents,
  attentionOperands,
  gradientOperands,
  scoresShape,
  type AttentionAttributes,
  type GradientAttributes,
} from './attention-operands'
import type { RefContext } from './rule'
import { factorOf } from './special'

/** One row of scores: the offsets of its query and result, and of the key and value of each column. */
interface Row {
  readonly query: number
  readonly result: number
  readonly logSum: number
  /** The index of the row's first score among all scores. */
  readonly scores: number
  key(s: number): number
  value(s: number): number
  /** −∞ where the score does not count. */
  score(s: number): number
}

function forEachRow(
  { inputs, inputTypes, attributes }: RefContext<AttentionAttributes>,
  visit: (row: Row) => void,
): void {
  const types = attentionOperands(inputTypes, attributes)
  const { query: q, key: k, mask, bias } = attentionOperands(inputs, attributes)
  const extents = attentionExtents(types)
  const { batch, heads, keyHeads, rows, columns, depth, width } = extents
  const { scale, before, after } = attributes
  const reader = (data: NumericArray | null, type: typeof types.mask) => {
    if (data === null || type === null) return null
    const [b, h, t, s] = broadcastStrides(type.shape, rowMajorStrides(type.shape), scoresShape(extents))
    return (i: number, j: number, m: number, n: number): number => data[i * b! + j * h! + m * t! + n * s!]!
  }
  const [maskAt, biasAt] = [reader(mask, types.mask), reader(bias, types.bias)]
  for (let b = 0; b < batch; b++) {
    for (let h = 0; h < heads; h++) {
      const g = Math.floor((h * keyHeads) / heads)
      for (let t = 0; t < rows; t++) {
        const query = ((b * rows + t) * heads + h) * depth
        const key = (s: number): number => ((b * columns + s) * keyHeads + g) * depth
        visit({
          query,
          key,
          result: ((b * rows + t) * heads + h) * width,
          logSum: (b * heads + h) * rows + t,
          scores: ((b * heads + h) * rows + t) * columns,
          value: (s) => ((b * columns + s) * keyHeads + g) * width,
          score(s) {
            if (s < t - before || s > t + after || maskAt?.(b, h, t, s) === 0) return -Infinity
            let sum = 0
            for (let i = 0; i < depth; i++) sum += q[query + i]! * k[key(s) + i]!
            return scale * sum + (biasAt?.(b, h, t, s) ?? 0)
          },
        })
      }
    }
  }
}

const add = (target: NumericArray, at: number, x: number): void => void (target[at] = target[at]! + x)

export function attentionReference(context: RefContext<AttentionAttributes>): void {
  const [, , value] = context.inputs
  const [out, logSum] = context.outputs
  const { columns, width } = attentionExtents(attentionOperands(context.inputTypes, context.attributes))
  out!.fill(0)
  forEachRow(context, (row) => {
    const scores = Array.from({ length: columns }, (_, s) => row.score(s))
    const largest = scores.reduce((a, b) => (b > a ? b : a), -Infinity)
    const shift = largest === -Infinity ? 0 : largest
    const total = scores.reduce((sum, score) => sum + Math.exp(score - shift), 0)
    scores.forEach((score, s) => {
      const weight = total === 0 ? 1 / columns : factorOf(Math.exp(score - shift)) / total
      for (let i = 0; i < width; i++) add(out!, row.result + i, weight * value![row.value(s) + i]!)
    })
    logSum![row.logSum] = total === 0 ? Infinity : largest + Math.log(total)
  })
}

export function attentionGradientReference(context: RefContext<GradientAttributes>): void {
  const [query, key, value] = context.inputs
  const [y, logSum, gradient, dLogSum] = gradientOperands(context.inputs, context.attributes)
  const [dQuery, dKey, dValue, dBias] = context.outputs
  const { columns, depth, width } = attentionExtents(attentionOperands(context.inputTypes, context.attributes))
  const { scale } = context.attributes
  context.outputs.forEach((output) => output.fill(0))
  forEachRow(context, (row) => {
    const total = logSum[row.logSum]!
    const weights = Array.from({ length: columns }, (_, s) =>
      total === Infinity ? 1 / columns : factorOf(Math.exp(row.score(s) - total)),
    )
    const ofWeights = weights.map((weight, s) => {
      let sum = 0
      for (let i = 0; i < width; i++) {
        const dy = gradient[row.result + i]!
        add(dValue!, row.value(s) + i, weight * dy)
        sum += dy * value![row.value(s) + i]!
      }
      return sum
    })
    let mean = -(dLogSum?.[row.logSum] ?? 0)
    for (let i = 0; i < width; i++) mean += gradient[row.result + i]! * y[row.result + i]!
    weights.forEach((weight, s) => {
      const dScore = total === Infinity ? 0 : weight * (ofWeights[s]! - mean)
      for (let i = 0; i < depth; i++) {
        add(dQuery!, row.query + i, scale * dScore * key![row.key(s) + i]!)
        add(dKey!, row.key(s) + i, scale * dScore * query![row.query + i]!)
      }
      if (dBias !== undefined) dBias[row.scores + s] = dScore
    })
  })
}
