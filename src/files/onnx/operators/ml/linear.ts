// Linear models and support vector machines of ai.onnx.ml, as scikit-learn's are exported.

import * as ops from '../../../../ops'
import type { Tensor } from '../../../../ops/tensor'
import type { Call, Operator } from '../../call'
import { hostOf } from '../../host'
import { Value } from '../../values'
import { bothScores, features, floatsOf, labelAt, labelsOf, transformOf, transformed } from './scores'

/** x [batch, features] · coefficientsᵀ + intercepts: [batch, targets] */
function linear(call: Call, targets: number): Tensor {
  const x = features(call)
  const scores = ops.matmul(x, ops.transpose(floatsOf(call, 'coefficients', [targets, x.shape[1]!])))
  return call.floats('intercepts').length === 0 ? scores : ops.add(scores, floatsOf(call, 'intercepts', [targets]))
}

const linearRegressor: Operator = (call) =>
  Value.of(transformed(linear(call, call.integer('targets', 1)), transformOf(call)), 'float32')

const linearClassifier: Operator = (call) => {
  const width = features(call).shape[1]!
  const targets = Math.floor(call.floats('coefficients').length / Math.max(width, 1))
  call.require(targets >= 1, () => 'it has no coefficients')
  const scores = linear(call, targets)
  const labels = labelsOf(call, Math.max(targets, 2))
  const transform = transformOf(call)
  if (targets > 1) {
    call.require(labels.size === targets, () => `it has ${targets} scores for ${labels.size} labels`)
    const label = labelAt(labels, ops.argmax(scores, -1))
    return [label, Value.of(transformed(scores, transform), 'float32')]
  }
  const isSecond = ops.cast(ops.greater(ops.reshape(scores, [scores.shape[0]!]), 0), 'int32')
  const both = labels.size === 2 ? bothScores(scores, transform, true) : transformed(scores, transform)
  return [labelAt(labels, isSecond), Value.of(both, 'float32')]
}

const KERNELS = ['LINEAR', 'POLY', 'RBF', 'SIGMOID'] as const

/** The kernel of each row x [batch, features] with each vector s [vectors, features]: [batch, vectors]. */
function kernel(call: Call, x: Tensor, s: Tensor): Tensor {
  const type = call.word('kernel_type', 'LINEAR', KERNELS)
  const [gamma = 0, shift = 0, degree = 0] = call.floats('kernel_params')
  if (type === 'RBF') return ops.exp(ops.multiply(squaredDistances(x, s), -gamma))
  const product = ops.matmul(x, ops.transpose(s))
  if (type === 'LINEAR') return product
  const scaled = ops.add(ops.multiply(product, gamma), shift)
  return type === 'POLY' ? ops.power(scaled, degree) : ops.tanh(scaled)
}

/** Σ (x − s)², feature by feature: sums of squares of large features would cancel, and all differences at once would be large. */
function squaredDistances(x: Tensor, s: Tensor): Tensor {
  const zeros = ops.zeros([x.shape[0]!, s.shape[0]!])
  const [sum] = ops.scan(
    (before: Tensor, [a, b]: readonly [Tensor, Tensor]): [Tensor, null] => [
      ops.add(before, ops.square(ops.subtract(ops.expandDims(a, 1), ops.expandDims(b, 0)))),
      null,
    ],
    zeros,
    [ops.transpose(x), ops.transpose(s)] as const,
  )
  return sum
}

/** The kernels with the support vectors. */
function withVectors(call: Call, x: Tensor, count: number): Tensor {
  return kernel(call, x, floatsOf(call, 'support_vectors', [count, x.shape[1]!]))
}

const svmRegressor: Operator = (call) => {
  const x = features(call)
  const count = call.integer('n_supports', 0)
  const kernels = count > 0 ? withVectors(call, x, count) : x
  const sum = ops.matmul(kernels, floatsOf(call, 'coefficients', [kernels.shape[1]!, 1]))
  const found = ops.add(sum, call.floats('rho')[0] ?? 0)
  const sign = (): Tensor => ops.where(ops.greater(found, 0), 1, -1)
  return Value.of(
    call.flag('one_class') ? ops.cast(sign(), 'float32') : transformed(found, transformOf(call)),
    'float32',
  )
}

/** The pairs i < j of classes, in the order of the file. */
const pairsOf = (classes: number): [i: number, j: number][] =>
  Array.from({ length: classes }, (_, i) =>
    Array.from({ length: classes - i - 1 }, (__, k): [number, number] => [i, i + k + 1]),
  ).flat()

/** A matrix [rows, columns] that is 1 where a function says so. */
function choices(rows: number, columns: number, isOne: (row: number, column: number) => boolean): Tensor {
  const numbers = Array.from({ length: rows * columns }, (_, at) =>
    Number(isOne(Math.floor(at / columns), at % columns)),
  )
  return Value.known(hostOf('float32', [rows, columns], numbers)).plain
}

/** The score of each pair of classes: [batch, pairs]. Its coefficients are those of the vectors of both classes. */
function pairScores(call: Call, x: Tensor, counts: readonly number[]): Tensor {
  const vectors = counts.reduce((sum, count) => sum + count, 0)
  const pairs = pairsOf(counts.length)
  const starts = counts.map((_, i) => counts.slice(0, i).reduce((sum, count) => sum + count, 0))
  const coefficients = call.floats('coefficients')
  call.require(
    coefficients.length === (counts.length - 1) * vectors,
    () => `it has ${coefficients.length} coefficients`,
  )
  const matrix = new Float32Array(vectors * pairs.length)
  pairs.forEach(([i, j], at) => {
    for (const [owner, other] of [
      [i, j - 1],
      [j, i],
    ] as const)
      for (let v = starts[owner]!; v < starts[owner]! + counts[owner]!; v++)
        matrix[v * pairs.length + at] = coefficients[other * vectors + v]!
  })
  const sums = ops.matmul(
    withVectors(call, x, vectors),
    Value.known({ type: 'float32', shape: [vectors, pairs.length], data: matrix }).plain,
  )
  return ops.add(sums, floatsOf(call, 'rho', [pairs.length]))
}

/** The probabilities of libsvm: those of two classes, and of more by coupling those of all pairs. */
function probabilities(call: Call, scores: Tensor, classes: number): Tensor {
  const pairs = pairsOf(classes)
  const [a, b] = [floatsOf(call, 'prob_a', [pairs.length]), floatsOf(call, 'prob_b', [pairs.length])]
  const fitted = ops.sigmoid(ops.negative(ops.add(ops.multiply(scores, a), b)))
  const first = ops.clip(fitted, 1e-7, 1 - 1e-7)
  const at = (i: number, j: number): Tensor => {
    const [low, high] = i < j ? [i, j] : [j, i]
    const p = ops.getItem(first, ['...', pairs.findIndex(([x, y]) => x === low && y === high)])
    return i < j ? p : ops.subtract(1, p)
  }
  return coupled(classes, at, scores.shape[0]!)
}

/** The steps of the iteration at most. */
const MOST_STEPS = 100

/**
 * p [batch, k] that minimizes Σ (r_ji p_i − r_ij p_j)² (Wu, Lin and Weng 2004), by the iteration of libsvm. A row that has converged stays.
 * @param r the probability [batch] of class i in the pair i, j
 */
function coupled(k: number, r: (i: number, j: number) => Tensor, batch: number): Tensor {
  const classes = [...Array(k).keys()]
  const q = classes.map((i) =>
    classes.map((j) =>
      i === j
        ? classes
            .filter((each) => each !== i)
            .map((each) => ops.square(r(each, i)))
            .reduce((x, y) => ops.add(x, y))
        : ops.negative(ops.multiply(r(j, i), r(i, j))),
    ),
  )
  // [batch, i, j]
  const matrix = ops.stack(
    q.map((row) => ops.stack(row, -1)),
    1,
  )
  const productOf = (p: Tensor): Tensor => ops.sum(ops.multiply(matrix, ops.expandDims(p, 1)), -1)
  const column = (x: Tensor, i: number): Tensor => ops.take(x, [i], 1)
  const step = (start: Tensor): { next: Tensor; isDone: Tensor } => {
    let [p, qp] = [start, productOf(start)]
    let pqp = ops.sum(ops.multiply(p, qp), -1, true)
    const error = ops.max(ops.abs(ops.subtract(qp, pqp)), -1, true)
    for (const i of classes) {
      const diagonal = ops.reshape(q[i]![i]!, [batch, 1])
      const difference = ops.divide(ops.subtract(pqp, column(qp, i)), diagonal)
      const scale = ops.add(difference, 1)
      const more = ops.multiply(difference, ops.add(ops.multiply(difference, diagonal), ops.multiply(column(qp, i), 2)))
      pqp = ops.divide(ops.divide(ops.add(pqp, more), scale), scale)
      const unit = choices(1, k, (_, j) => j === i)
      p = ops.divide(ops.add(p, ops.multiply(difference, unit)), scale)
      const row = ops.stack(q[i]!, -1)
      qp = ops.divide(ops.add(qp, ops.multiply(difference, row)), scale)
    }
    return { next: p, isDone: ops.less(error, 0.005 / k) }
  }
  return ops.foriLoop(
    0,
    MOST_STEPS,
    (_, p: Tensor) => {
      const { next, isDone } = step(p)
      return ops.where(isDone, p, next)
    },
    ops.full([batch, k], 1 / k),
  )
}

/** In linear mode each class has coefficients of the features; else each pair has some of the support vectors. */
const svmClassifier: Operator = (call) => {
  const x = features(call)
  const counts = call.integers('vectors_per_class') ?? []
  const isPaired = counts.some((count) => count > 0)
  const labels = labelsOf(call, Math.max(counts.length, 1))
  const classes = labels.size
  const rho = call.floats('rho')
  const transform = transformOf(call)
  const rows = x.shape[0]!
  if (!isPaired) {
    const kernels = kernel(call, x, floatsOf(call, 'coefficients', [classes, x.shape[1]!]))
    const scores = ops.add(kernels, rho[0] ?? 0)
    const isOne = ops.cast(ops.greater(ops.reshape(ops.max(scores, -1), [rows]), 0), 'int32')
    const label = rho.length === 1 && classes !== 2 ? Value.of(isOne, 'int64') : labelAt(labels, ops.argmax(scores, -1))
    return [label, Value.of(classes === 1 ? scores : transformed(scores, transform), 'float32')]
  }
  call.require(
    counts.length === classes && classes >= 2,
    () => `it has vectors of ${counts.length} classes for ${classes} labels`,
  )
  const scores = pairScores(call, x, counts)
  const pairs = pairsOf(classes)
  const isFirst = ops.cast(ops.greater(scores, 0), 'float32')
  const votes = ops.add(
    ops.matmul(
      isFirst,
      choices(pairs.length, classes, (pair, i) => pairs[pair]![0] === i),
    ),
    ops.matmul(
      ops.subtract(1, isFirst),
      choices(pairs.length, classes, (pair, i) => pairs[pair]![1] === i),
    ),
  )
  const label = labelAt(labels, ops.argmax(votes, -1))
  if (call.floats('prob_a').length > 0)
    return [label, Value.of(transformed(probabilities(call, scores, classes), transform), 'float32')]
  return [
    label,
    Value.of(
      classes === 2 ? bothScores(scores, transform, transform.startsWith('SOFTMAX')) : transformed(scores, transform),
      'float32',
    ),
  ]
}

export const linearOperators: Readonly<Record<string, Operator>> = {
  LinearClassifier: linearClassifier,
  LinearRegressor: linearRegressor,
  SVMClassifier: svmClassifier,
  SVMRegressor: svmRegressor,
}
