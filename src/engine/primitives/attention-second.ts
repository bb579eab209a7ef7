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

/** Arithmetic with values that may be missing, which count as zero. */
function arithmetic(e: Emitter) {
  const through = (x: Maybe, read: (x: Value) => Value): Maybe => (x === null ? null : read(x))
  const both = (a: Maybe, b: Maybe, join: (a: Value, b: Value) => Value): Maybe =>
    a === null || b === null ? null : join(a, b)
  return {
    through,
    both,
    plus: (a: Maybe, b: Maybe): Maybe => both(a, b, (x, y) => e.add(x, y)) ?? a ?? b,
    minus: (x: Maybe): Maybe => through(x, (each) => e.negative(each)),
    scaled: (x: Maybe, scale: number): Maybe => through(x, (each) => e.multiply(each, scale)),
    product: (a: Maybe, b: Maybe): Maybe => both(a, b, (x, y) => e.multiply(x, y)),
    times: (a: Maybe, b: Maybe): Maybe => both(a, b, (x, y) => e.matmul(x, y)),
    timesTransposed: (a: Maybe, b: Maybe): Maybe => both(a, b, (x, y) => e.matmul(x, e.transposeMatrix(y))),
    transposedTimes: (a: Maybe, b: Maybe): Maybe => both(a, b, (x, y) => e.matmul(e.transposeMatrix(x), y)),
  }
}

/**
 * Reshapes operands into matrices, and results back. Heads that share a key are stacked along rows: [batch, key heads,
 * shared · rows, n], beside [batch, key heads, columns, n].
 */
function matricesOf(e: Emitter, extents: AttentionExtents) {
  const { batch, heads, keyHeads, rows, columns } = extents
  const together = keyHeads === 0 ? 0 : (heads / keyHeads) * rows
  const headsFirst = (x: Value): Value => e.transpose(x, [0, 2, 1, 3])
  return {
    headsFirst,
    ofRows: (x: Value): Value => e.reshape(headsFirst(x), [batch, keyHeads, together, x.shape[3]!]),
    toRows: (x: Value): Value => headsFirst(e.reshape(x, [batch, heads, rows, x.shape[3]!])),
    ofScores: (x: Value): Value => e.reshape(x, [batch, keyHeads, together, columns]),
    toScores: (x: Value): Value => e.reshape(x, scoresShape(extents)),
    ofSums: (x: Value): Value => e.reshape(x, [batch, keyHeads, together, 1]),
    toSums: (x: Value): Value => e.reshape(x, [batch, heads, rows]),
  }
}

/** The gradients of all operands of attentionGradient, in their order. */
export function secondGradient(
  { e, inputs, cotangents, isUsed }: VjpContext<unknown>,
  attributes: GradientAttributes,
): readonly Maybe[] {
  const operands = attentionOperands(inputs, attributes)
  const extents = attentionExtents(operands)
  const { scale } = attributes
  const { headsFirst, ofRows, toRows, ofScores, toScores, ofSums, toSums } = matricesOf(e, extents)
  const { through, both, plus, minus, scaled, product, times, timesTransposed, transposedTimes } = arithmetic(e)
  const overLast = (x: Value): Value => e.keepAxes(e.sum(x, [3]), x.shape, [3])

  const [result, logSum, ofResult, ofLogSum] = gradientOperands(inputs, attributes)
  const [query, key, value] = [ofRows(operands.query), headsFirst(operands.key), headsFirst(operands.value)]
  const [y, L, g] = [ofRows(result), ofSums(logSum), ofRows(ofResult)]
  const received = (i: number, read: (x: Value) => Value): Maybe => (isUsed(i) ? read(cotangents[i]!) : null)
  const [a, b] = [received(0, ofRows), received(1, headsFirst)]
  const [c, f] = [received(2, headsFirst), received(3, ofScores)]

  const scores = e.multiply(e.matmul(query, e.transposeMatrix(key)), scale)
  const biased = operands.bias === null ? toScores(scores) : e.add(toScores(scores), operands.bias)
  const P = e.exp(e.subtract(ofScores(masked(e, biased, operands.mask, extents, attributes)), L))
  const shift = overLast(e.multiply(g, y))
  const C = e.subtract(
    e.matmul(g, e.transposeMatrix(value)),
    ofLogSum === undefined ? shift : e.subtract(shift, ofSums(ofLogSum)),
  )
  const D = e.multiply(P, C)
  const E = plus(scaled(plus(timesTransposed(a, key), timesTransposed(query, b)), scale), f)
  const W = product(P, E)
  const w = through(W, overLast)
  const T = plus(product(W, C), product(P, timesTransposed(g, c)))
  const shares = e.add(P, e.select(e.equal(L, Infinity), 1 / extents.columns, 0))

  return [
    through(scaled(plus(times(T, key), times(D, b)), scale), toRows),
    through(scaled(plus(transposedTimes(T, query), transposedTimes(D, a)), scale), headsFirst),
    through(transposedTimes(W, g), headsFirst),
    ...(attributes.hasMask ? [null] : []),
    ...(attributes.hasBias ? [both(T, operands.bias, (x, { shape }) => e.sumTo(toScores(x), shape))] : []),
    through(minus(product(w, g)), toRows),
    through(minus(through(T, overLast)), toSums),
    through(plus(plus(times(W, value), minus(product(w, y))), times(shares, c)), toRows),
    ...(attributes.hasSums ? [through(w, toSums)] : []),
  ]
}
