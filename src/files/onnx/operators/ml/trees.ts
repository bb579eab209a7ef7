// Decision trees and forests of ai.onnx.ml. All rows walk down all trees at once: a step is some gathers, and there are as many steps as the
// deepest tree has comparisons. Features and thresholds are float32.

import * as ops from '../../../../ops'
import type { Tensor } from '../../../../ops/tensor'
import type { Call, Operator } from '../../call'
import { Value } from '../../values'
import { MODES, forestOf, modeNamed, type Forest, type LeafWeight, type Split, type Trees } from './forest'
import { TRANSFORMS, bothScores, features, labelAt, labelsOf, transformOf, transformed, type Transform } from './scores'

/** The numbers of the elements of leaves × outputs: 256 MB. */
const MOST_WEIGHTS = 2 ** 26

const AGGREGATES = ['AVERAGE', 'SUM', 'MIN', 'MAX'] as const
type Aggregate = (typeof AGGREGATES)[number]

/** Numbers of an attribute that is a list in some versions and a tensor in others. */
function numbersOf(call: Call, name: string): readonly number[] {
  const tensor = call.tensor(`${name}_as_tensor`)
  return tensor === null ? call.floats(name) : [...tensor.data]
}

/** Integers of an attribute, of which there must be some number. */
function integersOf(call: Call, name: string, count: number | null = null): readonly number[] {
  const found = call.integers(name) ?? []
  call.require(
    count === null || found.length === count,
    () => `${name} must have ${count} elements, it has ${found.length}`,
  )
  return found
}

/** The trees of the operators that name nodes by tree and number. @param prefix of the attributes of leaves */
function treesByNumber(call: Call, prefix: 'target' | 'class'): Trees {
  const trees = integersOf(call, 'nodes_treeids')
  const count = trees.length
  const column = (name: string): readonly number[] => integersOf(call, `nodes_${name}`, count)
  const [ids, features] = [column('nodeids'), column('featureids')]
  const [yes, no] = [column('truenodeids'), column('falsenodeids')]
  const values = numbersOf(call, 'nodes_values')
  const missing = call.has('nodes_missing_value_tracks_true') ? column('missing_value_tracks_true') : []
  const modes = (call.texts('nodes_modes') ?? []).map((name) => modeNamed(call, name))
  call.require(
    count > 0 && modes.length === count && values.length === count,
    () => `its ${count} nodes are not complete`,
  )
  const splits = new Map<string, Split>()
  const leaves = new Map<string, LeafWeight[]>()
  const roots = new Map<number, string>()
  for (let i = 0; i < count; i++) {
    const key = `${trees[i]}:${ids[i]}`
    call.require(!splits.has(key) && !leaves.has(key), () => `there are two nodes ${key}`)
    // The first node of a tree is its root.
    if (!roots.has(trees[i]!)) roots.set(trees[i]!, key)
    const mode = modes[i]!
    if (mode === 'LEAF') leaves.set(key, [])
    else
      splits.set(key, {
        feature: features[i]!,
        mode,
        value: values[i]!,
        isTrueForNaN: missing[i] === 1,
        yes: `${trees[i]}:${yes[i]}`,
        no: `${trees[i]}:${no[i]}`,
      })
  }
  const ofLeaves = (name: string): readonly number[] => integersOf(call, `${prefix}_${name}`)
  const [owners, nodes, outputs] = [ofLeaves('treeids'), ofLeaves('nodeids'), ofLeaves('ids')]
  const weights = numbersOf(call, `${prefix}_weights`)
  call.require(
    [owners, nodes, outputs].every(({ length }) => length === weights.length),
    () => `the weights of its leaves are not complete`,
  )
  weights.forEach((weight, i) => {
    const leaf = leaves.get(`${owners[i]}:${nodes[i]}`)
    call.require(leaf !== undefined, () => `there is no leaf ${owners[i]}:${nodes[i]}`)
    leaf!.push({ output: outputs[i]!, weight })
  })
  return { roots: [...roots.values()], splits, leaves }
}

/** The trees of TreeEnsemble, whose nodes and leaves are numbered apart. */
function treesByPosition(call: Call): Trees {
  const modes = [...(call.tensor('nodes_modes')?.data ?? [])]
  const values = [...(call.tensor('nodes_splits')?.data ?? [])]
  const count = modes.length
  const column = (name: string): readonly number[] => integersOf(call, name, count)
  const features = column('nodes_featureids')
  const [yes, no] = [column('nodes_truenodeids'), column('nodes_falsenodeids')]
  const [isYesLeaf, isNoLeaf] = [column('nodes_trueleafs'), column('nodes_falseleafs')]
  const missing = call.has('nodes_missing_value_tracks_true') ? column('nodes_missing_value_tracks_true') : []
  const weights = [...(call.tensor('leaf_weights')?.data ?? [])]
  const outputs = integersOf(call, 'leaf_targetids', weights.length)
  call.require(count > 0 && values.length === count, () => `its ${count} nodes are not complete`)
  // Each set of members ends with NaN.
  const members = [...(call.tensor('membership_values')?.data ?? [])]
  const membersOf = (): number[] => {
    const end = members.findIndex(Number.isNaN)
    return members.splice(0, end < 0 ? members.length : end + 1).filter((each) => !Number.isNaN(each))
  }
  const splits = new Map<string, Split>()
  for (let i = 0; i < count; i++) {
    const mode = MODES[modes[i]!]
    if (mode === undefined || mode === 'LEAF') throw call.error(`node ${i} has the mode ${modes[i]}`)
    splits.set(String(i), {
      feature: features[i]!,
      mode,
      value: values[i]!,
      members: mode === 'BRANCH_MEMBER' ? membersOf() : [],
      isTrueForNaN: missing[i] === 1,
      yes: `${isYesLeaf[i] === 1 ? 'leaf ' : ''}${yes[i]}`,
      no: `${isNoLeaf[i] === 1 ? 'leaf ' : ''}${no[i]}`,
    })
  }
  return {
    roots: integersOf(call, 'tree_roots').map(String),
    splits,
    leaves: new Map(weights.map((weight, i) => [`leaf ${i}`, [{ output: outputs[i]!, weight }]])),
  }
}

/** A table on the heap as a tensor. */
const table = (
  type: 'int32' | 'float32',
  data: Int32Array | Float32Array,
  shape: readonly number[] = [data.length],
): Tensor => Value.known({ type, shape, data }).plain

/** The number of the leaf of each row in each tree: int32 [batch, trees] */
function leavesOf(forest: Forest, x: Tensor): Tensor {
  const [batch = 0, width = 0] = x.shape
  const { features: columns, thresholds, next, roots, depth, hasNaN, firstLeaf } = forest
  const [column, threshold, following] = [table('int32', columns), table('float32', thresholds), table('int32', next)]
  const flat = ops.reshape(x, [batch * width])
  const row = ops.multiply(ops.reshape(ops.arange(0, batch, 1, 'int32'), [batch, 1]), width)
  const step = (node: Tensor): Tensor => {
    const value = ops.take(flat, ops.add(row, ops.take(column, node, 0)), 0)
    const isHigh = ops.where(ops.lessEqual(value, ops.take(threshold, node, 0)), 0, 1)
    const way = hasNaN ? ops.where(ops.isnan(value), 2, isHigh) : isHigh
    return ops.take(following, ops.add(ops.multiply(node, 3), ops.cast(way, 'int32')), 0)
  }
  const start = ops.broadcastTo(table('int32', roots, [1, roots.length]), [batch, roots.length])
  return ops.subtract(
    ops.foriLoop(0, depth, (_, node: Tensor) => step(node), start),
    firstLeaf,
  )
}

interface Scores {
  /** [batch, outputs] */
  readonly found: Tensor
  /** The outputs that have weights. */
  readonly used: ReadonlySet<number>
  readonly areAllPositive: boolean
}

/** The weights of the leaves of each row, over all trees. An output without weights is 0. */
function scoresOf(call: Call, trees: Trees, outputs: number, aggregate: Aggregate): Scores {
  const x = features(call)
  const forest = forestOf(call, trees)
  call.require(forest.mostFeature < x.shape[1]!, () => `a tree reads feature ${forest.mostFeature} of ${x.shape[1]}`)
  const { leaves } = forest
  call.require(leaves.length * outputs <= MOST_WEIGHTS, () => `${leaves.length} leaves have ${outputs} outputs`)
  const isExtreme = aggregate === 'MIN' || aggregate === 'MAX'
  const least = aggregate === 'MAX' ? -Infinity : 0
  const none = aggregate === 'MIN' ? Infinity : least
  const joined = (before: number, weight: number): number => {
    if (!isExtreme) return before + weight
    if (before === none) return weight
    return aggregate === 'MIN' ? Math.min(before, weight) : Math.max(before, weight)
  }
  const weights = new Float32Array(leaves.length * outputs).fill(none)
  const used = new Set<number>()
  let areAllPositive = true
  leaves.forEach((key, i) => {
    for (const { output, weight } of trees.leaves.get(key)!) {
      call.require(output >= 0 && output < outputs, () => `a leaf has the output ${output} of ${outputs}`)
      const at = i * outputs + output
      weights[at] = joined(weights[at]!, weight)
      used.add(output)
      areAllPositive &&= weight >= 0
    }
  })
  // [batch, trees, outputs]
  const all = ops.take(table('float32', weights, [leaves.length, outputs]), leavesOf(forest, x), 0)
  const sum = isExtreme ? (aggregate === 'MIN' ? ops.min : ops.max)(all, 1) : ops.sum(all, 1)
  const summed = aggregate === 'AVERAGE' ? ops.divide(sum, forest.roots.length) : sum
  const found = isExtreme ? ops.where(ops.isinf(sum), 0, sum) : summed
  return { found, used, areAllPositive }
}

/** Adds the base values, if there are any. One number for several classes is that of the first. */
function withBase(call: Call, scores: Tensor, isOfFirst = false): Tensor {
  const base = numbersOf(call, 'base_values')
  if (base.length === 0 || (isOfFirst && base.length === 1)) return scores
  call.require(base.length === 1 || base.length === scores.shape[1], () => `it has ${base.length} base values`)
  return ops.add(scores, table('float32', Float32Array.from(base)))
}

const regressor: Operator = (call) => {
  const aggregate = call.word('aggregate_function', 'SUM', AGGREGATES)
  const { found } = scoresOf(call, treesByNumber(call, 'target'), call.integer('n_targets', 1), aggregate)
  return Value.of(transformed(withBase(call, found), transformOf(call)), 'float32')
}

const ensemble: Operator = (call) => {
  const aggregate = AGGREGATES[call.integer('aggregate_function', 1)]
  const transform: Transform | undefined = TRANSFORMS[call.integer('post_transform', 0)]
  call.require(
    aggregate !== undefined && transform !== undefined,
    () => 'it has an unknown aggregate_function or post_transform',
  )
  const { found } = scoresOf(call, treesByPosition(call), call.integer('n_targets', 1), aggregate!)
  return Value.of(transformed(found, transform!), call.value(0).type)
}

const classifier: Operator = (call) => {
  const trees = treesByNumber(call, 'class')
  const count = [...trees.leaves.values()].flat().reduce((most, { output }) => Math.max(most, output + 1), 1)
  const labels = labelsOf(call, count)
  const transform = transformOf(call)
  const classes = labels.size
  const { found, used, areAllPositive } = scoresOf(call, trees, classes, 'SUM')
  // Two classes of which only the first has weights: they are the score of the second class.
  if (classes <= 2 && !used.has(1)) return fromOne(call, ops.take(found, [0], 1), { labels, transform, areAllPositive })
  const scores = withBase(call, found, used.size === 1)
  const isSecond = (): Tensor => {
    const second = ops.reshape(ops.take(scores, [1], 1), [scores.shape[0]!])
    return ops.cast(ops.greater(second, used.size === 1 && areAllPositive ? 0.5 : 0), 'int32')
  }
  const index = used.size === 1 && classes === 2 ? isSecond() : ops.argmax(scores, -1)
  return [labelAt(labels, index), Value.of(transformed(scores, transform), 'float32')]
}

interface OneScore {
  readonly labels: Value
  readonly transform: Transform
  readonly areAllPositive: boolean
}

/** The results of a classifier with one score for two classes. Weights that are all positive are probabilities. */
function fromOne(call: Call, sum: Tensor, { labels, transform, areAllPositive }: OneScore): Value[] {
  const base = numbersOf(call, 'base_values')
  const score = base.length === 0 ? sum : ops.add(sum, base[0]!)
  const isSecond = ops.greater(ops.reshape(score, [score.shape[0]!]), areAllPositive ? 0.5 : 0)
  const label =
    labels.size === 2 ? labelAt(labels, ops.cast(isSecond, 'int32')) : Value.of(ops.cast(isSecond, 'int32'), 'int64')
  // With a base value for each class, the second class has no score.
  const all =
    base.length === 2
      ? transformed(ops.concatenate([score, ops.zerosLike(score)], 1), transform)
      : bothScores(score, transform, areAllPositive)
  return [label, Value.of(all, 'float32')]
}

export const treeOperators: Readonly<Record<string, Operator>> = {
  TreeEnsemble: ensemble,
  TreeEnsembleClassifier: classifier,
  TreeEnsembleRegressor: regressor,
}
