// Branches: only the chosen function is computed.

import { callback, operand, tree, type ArgumentKind } from '../kinds'
import { arg, opOf, rest } from '../op'
import { ArgumentError, ShapeError, formatShape, quoted } from '../../core/errors'
import { sameShape } from '../../core/shapes'
import { inOrderOf, structureOf, unflatten, type Tree } from '../../core/tree'
import { requireInteger } from '../arguments'
import { asTensor } from '../convert'
import { needControl } from '../families'
import { cast, equal, logicalNot, maximum, minimum } from '../numpy/elementwise'
import { reshape } from '../numpy/shape'
import { Tensor } from '../tensor'
import { currentTrace } from '../trace'
import type { TensorLike } from '../variable'
import { RegionTrace } from './region'
import { toLeaves, type Branching, type Parameters, type Tensors } from './trees'
import { scalarOf } from './while'

/** The signatures of `cond`. */
interface Cond {
  /**
   * trueFn() if `pred` is true, otherwise falseFn(). Only the chosen function is computed, and only it gets a gradient, so
   * that a NaN of the other function has no effect. Variables that a function assigns change only if it is chosen. If `pred` has
   * data, the other function is not even called; inside a traced function, both are called, with symbols.
   * @param pred a scalar, which is true if it is not 0
   * @param trueFn gives a tensor, arrays and records of tensors, or null
   * @param falseFn gives the same structure, shapes and dtypes
   * @throws ArgumentError or ShapeError when the results of the functions differ in structure, shape or dtype
   * @example ops.cond(ops.greater(x, 0), () => ops.log(x), () => ops.zerosLike(x))
   */
  <Result extends Branching | null>(
    pred: TensorLike,
    trueFn: () => Result,
    falseFn: () => NoInfer<Result>,
  ): Tensors<Result>
  <Result extends Branching | null>(
    pred: TensorLike,
    named: {
      /** Gives the result if the condition is true. */
      readonly trueFn: () => Result
      /** Gives the result if it is false. */
      readonly falseFn: () => NoInfer<Result>
    },
  ): Tensors<Result>
  <Result extends Branching | null>(named: {
    /** A scalar, which is true if it is not 0. */
    readonly pred: TensorLike
    /** Gives the result if the condition is true. */
    readonly trueFn: () => Result
    /** Gives the result if it is false. */
    readonly falseFn: () => NoInfer<Result>
  }): Tensors<Result>
}

export const cond = opOf<Cond>(() => [arg('pred', operand), arg('trueFn', callback), arg('falseFn', callback)], {
  cond(pred: TensorLike, trueFn: () => unknown, falseFn: () => unknown) {
    const value = scalarOf('cond: pred', pred)
    if (hasData(value)) return chosen('cond', value.item() === 0 ? falseFn : trueFn)
    const condition = cast(value, 'bool')
    return choose('cond', [condition, logicalNot(condition)], [trueFn, falseFn])
  },
})

/** A list of functions, at least one. */
const functions: ArgumentKind<readonly ((...args: never[]) => unknown)[]> = {
  read(value, where) {
    if (!Array.isArray(value) || value.length === 0)
      throw new ArgumentError(`${where} must be an array of at least one function, received ${quoted(value)}`)
    return Array.from<unknown, (...args: never[]) => unknown>(value, (each) => callback.read(each, `each of ${where}`))
  },
}

/** The signatures of `switch`. */
interface Switch {
  /**
   * branches[i](…operands) where i is `index`, at least 0 and at most the last. Only this branch is computed: see cond.
   * @param index an int32 scalar, or an integer
   * @param branches functions of the operands, which give the same structure, shapes and dtypes
   * @param operands tensors, or arrays and records of tensors
   * @throws ArgumentError for an index that is not an integer, and for an empty list of branches
   * @example ops.switch(1, [ops.add, ops.subtract], tensor(2), tensor(0.5)) // 1.5
   */
  <const Operands extends readonly Branching[], Result extends Branching | null>(
    index: TensorLike,
    branches: readonly ((...operands: Parameters<Operands>) => Result)[],
    ...operands: Operands
  ): Tensors<Result>
}

export const switchBranch = opOf<Switch>(
  () => [arg('index', operand), arg('branches', functions), rest('operands', tree)],
  {
    switch(
      index: TensorLike,
      branches: readonly ((...operands: readonly unknown[]) => unknown)[],
      ...operands: readonly Branching[]
    ) {
      const trees = operands.map((operand, i) => unflatten(operand, toLeaves(operand, `switch: operand ${i}`)))
      const calls = branches.map((branch) => () => branch(...trees))
      const last = calls.length - 1
      const position =
        typeof index === 'number' ? requireInteger('switch: index', index) : asTensor(index, 'switch: index')
      if (typeof position === 'number' || hasData(position)) {
        const at = typeof position === 'number' ? position : indexOf(position).item()
        return chosen('switch', calls[Math.min(Math.max(at, 0), last)]!)
      }
      const at = minimum(maximum(indexOf(position), ofInt(0)), ofInt(last))
      return choose(
        'switch',
        calls.map((_, i) => equal(at, ofInt(i))),
        calls,
      )
    },
  },
)

const ofInt = (x: number): Tensor => new Tensor(Int32Array.of(x), [], 'int32')

function indexOf(index: Tensor): Tensor {
  if (index.dtype !== 'int32') throw new ArgumentError(`switch: index must be int32, received ${index.dtype}`)
  if (index.rank === 0) return index
  throw new ShapeError(`switch: index must be a scalar, received shape ${formatShape(index.shape)}`)
}

function hasData(tensor: Tensor): boolean {
  return Tensor.symbolOf(tensor) === null
}

/** The result of the only function that is called. */
function chosen(where: string, fn: () => unknown): unknown {
  const result = fn() ?? null
  return result === null ? null : unflatten(result, toLeaves(result, `${where}: the result`))
}

/** @throws ArgumentError for a symbol of a functional model, which the function of a recorded branch cannot read */
function requireTraced(where: string, i: number, leaves: readonly Tensor[]): void {
  const symbol = leaves.find(({ shape }) => (shape as readonly (number | null)[]).includes(null))
  if (symbol !== undefined)
    throw new ArgumentError(
      `${where}: function ${i} uses a symbol of a model, ${symbol.dtype} ${formatShape(symbol.shape)}, from outside. Pass it as an operand: ops.switch(ops.cast(pred, 'int32'), [falseFn, trueFn], x)`,
    )
}

/** Records all branches. At run time, the branch whose condition is true runs. */
function choose(where: string, conditions: readonly Tensor[], fns: readonly (() => unknown)[]): unknown {
  const outer = currentTrace()!
  needControl()
  let tree: unknown = null
  let leaves: readonly Tensor[] | null = null
  fns.forEach((fn, i) => {
    const before = leaves
    leaves = new RegionTrace(outer).branch(reshape(conditions[i]!, [1]), before, () => {
      const result = inOrderOf(tree, fn() ?? null)
      const leaves = result === null ? [] : toLeaves(result, `${where}: the result of function ${i}`)
      requireTraced(where, i, leaves)
      if (before === null) tree = result
      else requireSame(where, i, result, leaves, tree, before)
      return leaves
    })
  })
  return tree === null ? null : unflatten(tree, leaves!)
}

function requireSame(
  where: string,
  i: number,
  result: unknown,
  leaves: readonly Tensor[],
  first: unknown,
  expected: readonly Tensor[],
): void {
  const [received, wanted] = [result, first].map((tree) =>
    tree === null ? 'null' : structureOf(tree as Tree<unknown>),
  )
  if (received !== wanted)
    throw new ArgumentError(
      `${where}: all functions must return the same structure. That of function 0 is ${wanted}, that of function ${i} is ${received}`,
    )
  leaves.forEach(({ shape, dtype }, j) => {
    const other = expected[j]!
    if (dtype === other.dtype && sameShape(shape, other.shape)) return
    throw new ShapeError(
      `${where}: function 0 returned ${other.dtype} ${formatShape(other.shape)}, but function ${i} returned ${dtype} ${formatShape(shape)}`,
    )
  })
}
