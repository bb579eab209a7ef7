// The gradient of attention's gradient, from primitives that are differentiable themselves. It stores all scores.
//
// With L = ln Σ e^S, y the result, and g and l the gradients of y and L, the gradient of attention is
//   P = e^(S − L),  C = g · valueᵀ − (Σ g ⊙ y − l),  D = P ⊙ C
//   dquery = scale D · key,  dkey = scale Dᵀ · query,  dvalue = Pᵀ · g,  dbias = D
// For the gradients a, b, c, f of these four, and with
//   E = scale (a · keyᵀ + query · bᵀ) + f,  W = P ⊙ E,  w = Σ W over columns,  T = W ⊙ C + P ⊙ (g · cᵀ)
// the gradients of its operands are
//   query: scale (T · key + D · b)      key: scale (Tᵀ · query + Dᵀ · a)      value: Wᵀ · g      bias: T
//   y: −w g      L: −Σ T over columns      g: W · value − w y + P · c      l: w
// Where no column of a row counts, L is +∞: P is 0, except in dvalue, where it is 1 / columns.

import type { Shape } from '../../core/shapes'
import type { Value } from '../ir/graph'
import {
  attentionExtents,
  attentionOperands,
  gradientOperands,
  scoresShape,
  type AttentionAttributes,
  type AttentionExtents,
  type GradientAttributes,
} from './attention-operands'
import type { Emitter } from './emitter'
import type { VjpContext } from './rule'

/** Finite, so that searches for non-finite values skip it; e to this power is 0. */
const HIDDEN = -1e30

/** The scores, with HIDDEN where they do not count. */
function masked(
  e: Emitter,
  scores: Value,
  mask: Value | null,
  { rows, columns }: AttentionExtents,
  { before, after }: AttentionAttributes,
): Value {
  const steps = (count: number, shape: Shape, shift: number): Value =>
    e.constant(
      Float32Array.from({ length: count }, (_, i) => i + shift),
      shape,
      'float32',
    )
  const column = steps(columns, [columns], 0)
  let left = scores
  if (mask !== null) left = e.select(mask, left, HIDDEN)
  if (before < rows) left = e.select(e.less(column, steps(rows, [rows, 1], -before)), HIDDEN, left)
  if (after < columns) left = e.select(e.less(steps(rows, [rows, 1], after), column), HIDDEN, left)
  return left
}

type Maybe = Value | null

/** The gradients of all operands of attentionGradient, in their order. */
export function secondGradient(
  { e, inputs, cotangents, isUsed }: VjpContext<unknown>,
  attributes: GradientAttributes,
): readonly Maybe[] {
  const operands = attentionOperands(inputs, attributes)
  const extents = attentionExtents(operands)
  const { batch, heads, keyHeads, rows, columns } = extents
  const { scale } = attributes

  // Heads that share a key are stacked along rows: [batch, key heads, shared · rows, n], beside [batch, key
  // heads, columns, n].
  const together = keyHeads === 0 ? 0 : (heads / keyHeads) * rows
  const headsFirst = (x: Value): Value => e.transpose(x, [0, 2, 1, 3])
  const ofColumns = headsFirst
  const ofRows = (x: Value): Value => e.reshape(headsFirst(x), [batch, keyHeads, together, x.shape[3]!])
  const toRows = (x: Value): Value => headsFirst(e.reshape(x, [batch, heads, rows, x.shape[3]!]))
  const ofScores = (x: Value): Value => e.reshape(x, [batch, keyHeads, together, columns])
  const toScores = (x: Value): Value => e.reshape(x, scoresShape(extents))
  const ofSums = (x: Value): Value => e.reshape(x, [batch, keyHeads, together, 1])
  const toSums = (x: Value): Value => e.reshape(x, [batch, heads, rows])

  // A missing operand counts as zero.
  const both = (a: Maybe, b: Maybe, join: (a: Value, b: Value) => Value): Maybe =>
    a === null || b === null ? null : join(a, b)
  const plus = (a: Maybe, b: Maybe): Maybe => both(a, b, (x, y) => e.add(x, y)) ?? a ?? b
  const through = (x: Maybe, read: (x: Value) => Value): Maybe => (x === null ? null : read(x))
  const scaled = (x: Maybe): Maybe => through(x, (each) => e.multiply(each, scale))
  const product = (a: Maybe, b: Maybe): Maybe => both(a, b, (x, y) => e.multiply(x, y))
  const times = (a: Maybe, b: Maybe): Maybe => both(a, b, (x, y) => e.matmul(x, y))
  const timesTransposed = (a: Maybe, b: Maybe): Maybe => both(a, b, (x, y) => e.matmul(x, e.transposeMatrix(y)))
  const transposedTimes = (a: Maybe, b: Maybe): Maybe => both(a, b, (x, y) => e.matmul(e.transposeMatrix(x), y))
  const overLast = (x: Value): Value => e.keepAxes(e.sum(x, [3]), x.shape, [3])
  const minus = (x: Maybe): Maybe => through(x, (each) => e.negative(each))

  const [result, logSum, ofResult, ofLogSum] = gradientOperands(inputs, attributes)
  const [query, key, value] = [ofRows(operands.query), ofColumns(operands.key), ofColumns(operands.value)]
  const [y, L, g] = [ofRows(result), ofSums(logSum), ofRows(ofResult)]
  const received = (i: number, read: (x: Value) => Value): Maybe => (isUsed(i) ? read(cotangents[i]!) : null)
  const [a, b, c, f] = [received(0, ofRows), received(1, ofColumns), received(2, ofColumns), received(3, ofScores)]

  const scores = e.multiply(e.matmul(query, e.transposeMatrix(key)), scale)
  const biased = operands.bias === null ? toScores(scores) : e.add(toScores(scores), operands.bias)
  const P = e.exp(e.subtract(ofScores(masked(e, biased, operands.mask, extents, attributes)), L))
  const shift = overLast(e.multiply(g, y))
  const C = e.subtract(
    e.matmul(g, e.transposeMatrix(value)),
    ofLogSum === undefined ? shift : e.subtract(shift, ofSums(ofLogSum)),
  )
  const D = e.multiply(P, C)
  const E = plus(scaled(plus(timesTransposed(a, key), timesTransposed(query, b))), f)
  const W = product(P, E)
  const w = through(W, overLast)
  const T = plus(product(W, C), product(P, timesTransposed(g, c)))
  const shares = e.add(P, e.select(e.equal(L, Infinity), 1 / columns, 0))

  const gradients = {
    query: through(scaled(plus(times(T, key), times(D, b))), toRows),
    key: through(scaled(plus(transposedTimes(T, query), transposedTimes(D, a))), headsFirst),
    value: through(transposedTimes(W, g), headsFirst),
    bias: both(T, operands.bias, (x, { shape }) => e.sumTo(toScores(x), shape)),
    y: through(minus(product(w, g)), toRows),
    L: through(minus(through(T, overLast)), toSums),
    g: through(plus(plus(times(W, value), minus(product(w, y))), times(shares, c)), toRows),
    l: through(w, toSums),
  }
  return [
    gradients.query,
    gradients.key,
    gradients.value,
    ...(attributes.hasMask ? [null] : []),
    ...(attributes.hasBias ? [gradients.bias] : []),
    gradients.y,
    gradients.L,
    gradients.g,
    ...(attributes.hasSums ? [gradients.l] : []),
  ]
}
