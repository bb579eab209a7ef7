// Loops for users. The function is traced once and runs as one instruction with a body, whatever the number of
// iterations.

import { callback, tree, whole } from '../kinds'
import { arg, opOf, optional } from '../op'
import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import { boolean, either, integer, nullable } from '../../core/options'
import { pathsOf, unflatten } from '../../core/tree'
import { UNLIMITED } from '../../engine/ir/region'
import { RegionTrace } from './region'
import { nextCarries, toLeaves, type Branching, type Tensors } from './trees'
import { arange } from '../numpy/shape'
import type { Tensor } from '../tensor'
import { currentTrace } from '../trace'
import { evaluateOnce } from '../transform'

export interface ScanOptions {
  /** The number of iterations; required if nothing is scanned. */
  readonly length?: number | null
  /** Whether to iterate from the last slice to the first. Default false. */
  readonly reverse?: boolean
  /** Changes nothing: a loop is one instruction. Default 1. */
  readonly unroll?: number | boolean
}

/** How a loop iterates. */
interface Iteration {
  readonly length: number | null
  readonly reverse: boolean
}

/** The signatures of `scan`. */
interface Scan {
  /**
   * Calls a function for each slice along the first axis of `xs` and passes a carry from one iteration to the next:
   * (c_{t+1}, y_t) = f(c_t, x_t). Differentiable. `f` may use tensors, variables and traced values from outside. Variables
   * that it assigns, and random numbers, continue from one iteration to the next.
   * @param f called once, with symbols
   * @param init the first carry: a tensor, or arrays and records of tensors
   * @param xs what is scanned: a tensor, or arrays and records of tensors; or null, then `length` is required
   * @returns the last carry, and every y stacked along a new first axis; null if f returns null for y
   * @throws ArgumentError or ShapeError when a carry changes its shape or dtype, or first axes differ
   * @example
   * const [total, sums] = ops.scan((sum, x) => [ops.add(sum, x), ops.add(sum, x)], 0, tensor([1, 2, 3]))
   * // total = 6, sums = [1, 3, 6]
   */
  <const Carry extends Branching, const Xs extends Branching | null, Y extends Branching | null>(
    f: (carry: Tensors<Carry>, x: Tensors<Xs>) => readonly [NoInfer<Tensors<Carry>>, Y],
    init: Carry,
    xs: Xs,
    length?: number | null | ScanOptions,
    reverse?: boolean | Omit<ScanOptions, 'length'>,
    unroll?: number | boolean,
  ): [carry: Tensors<Carry>, ys: Y]
  <const Carry extends Branching, const Xs extends Branching | null, Y extends Branching | null>(
    f: (carry: Tensors<Carry>, x: Tensors<Xs>) => readonly [NoInfer<Tensors<Carry>>, Y],
    named: {
      /** The first carry: a tensor, or arrays and records of tensors. */
      readonly init: Carry
      /** What is scanned: a tensor, or arrays and records of tensors; or null, then `length` is required. */
      readonly xs: Xs
    } & ScanOptions,
  ): [carry: Tensors<Carry>, ys: Y]
}

export const scan = opOf<Scan>(
  () => [
    arg('f', callback),
    arg('init', tree),
    arg('xs', tree),
    optional('length', nullable(integer({ min: 0, max: UNLIMITED }))),
    optional('reverse', boolean),
    optional(
      'unroll',
      either(boolean, whole(1), (value) => typeof value === 'boolean'),
    ),
  ],
  {
    scan(f: TurnFunction, init: Branching, xs: Branching | null, length: number | null = null, reverse = false) {
      const { carry, ys } = scanTrees('scan', (state, x) => f(state, x), init, xs, { length, reverse })
      return [carry, ys]
    },
  },
)

type TurnFunction = (carry: unknown, x: unknown) => unknown

/** scan for trees whose types the caller checked. */
function scanTrees(
  where: string,
  f: TurnFunction,
  init: Branching,
  xs: Branching | null,
  options: Iteration,
): { carry: unknown; ys: unknown } {
  const carries = toLeaves(init, `${where}: the carry`)
  const scanned = xs === null ? [] : toLeaves(xs, `${where}: xs`)
  const length = lengthOf(where, scanned, xs, options.length)
  const found: { ys: unknown } = { ys: null }
  const run = (symbols: readonly Tensor[]): Tensor[] => {
    const inputs = {
      carries: symbols.slice(0, carries.length),
      scanned: symbols.slice(carries.length),
      length,
      reverse: options.reverse,
    }
    const loop = new RegionTrace(currentTrace()!).loop(inputs, (state, slices) => {
      const [next, y] = pairOf(where, f(unflatten(init, state), xs === null ? null : unflatten(xs, slices)))
      found.ys = y
      return {
        carries: nextCarries(where, next, init, state),
        stacked: y === null ? [] : toLeaves(y, `${where}: y`),
        result: null,
      }
    })
    return [...loop.carries, ...loop.stacked]
  }
  const all = [...carries, ...scanned]
  const results = currentTrace() === null ? evaluateOnce(all, run) : run(all)
  const ys = found.ys === null ? null : unflatten(found.ys, results.slice(carries.length))
  return { carry: unflatten(init, results.slice(0, carries.length)), ys }
}

/** The signatures of `map`. */
interface MapSlices {
  /**
   * Calls a function for each slice along the first axis of `xs` and stacks the results: result[t] = f(xs[t]).
   * @example ops.map((row) => ops.sum(row), matrix)
   */
  (f: (x: Tensor) => Tensor, xs: Tensor): Tensor
  <const Xs extends Branching, Y extends Branching>(f: (x: Tensors<Xs>) => Y, xs: Xs): Y
  <const Xs extends Branching, Y extends Branching>(named: {
    /** A function of a slice. */
    readonly f: (x: Tensors<Xs>) => Y
    /** A tensor, or arrays and records of tensors, with the same first extent. */
    readonly xs: Xs
  }): Y
}

export const map = opOf<MapSlices>(() => [arg('f', callback), arg('xs', tree)], {
  map(f: (x: unknown) => unknown, xs: Branching) {
    const turn: TurnFunction = (carry, x) => [carry, f(x)]
    return scanTrees('map', turn, [], xs, { length: null, reverse: false }).ys
  },
})

/** The signatures of `foriLoop`. */
interface ForiLoop {
  /**
   * c = initVal; for i = lower … upper − 1: c = bodyFun(i, c). The bounds are numbers, i is an int32 scalar.
   * @returns the last carry; `initVal` when upper ≤ lower
   * @example ops.foriLoop(0, 5, (i, x) => ops.multiply(x, 2), 1) // 32
   */
  <const Carry extends Branching>(
    lower: number,
    upper: number,
    bodyFun: (i: Tensor, carry: Tensors<Carry>) => Tensors<Carry>,
    initVal: Carry,
  ): Tensors<Carry>
  <const Carry extends Branching>(
    lower: number,
    upper: number,
    named: {
      /** Gives the next carry. */
      readonly bodyFun: (i: Tensor, carry: Tensors<Carry>) => Tensors<Carry>
      /** The first carry: a tensor, or arrays and records of tensors. */
      readonly initVal: Carry
    },
  ): Tensors<Carry>
  <const Carry extends Branching>(named: {
    /** The first i. */
    readonly lower: number
    /** One more than the last i. */
    readonly upper: number
    /** Gives the next carry. */
    readonly bodyFun: (i: Tensor, carry: Tensors<Carry>) => Tensors<Carry>
    /** The first carry: a tensor, or arrays and records of tensors. */
    readonly initVal: Carry
  }): Tensors<Carry>
}

export const foriLoop = opOf<ForiLoop>(
  () => [arg('lower', whole()), arg('upper', whole()), arg('bodyFun', callback), arg('initVal', tree)],
  {
    foriLoop(lower: number, upper: number, bodyFun: TurnFunction, initVal: Branching) {
      const turns = arange(lower, Math.max(lower, upper), 1, 'int32')
      const turn: TurnFunction = (state, i) => {
        const next: unknown = bodyFun(i, state)
        return [next, null]
      }
      return scanTrees('foriLoop', turn, initVal, turns, { length: null, reverse: false }).carry
    },
  },
)

/**
 * The extent of the first axes, which must agree.
 * @param tree what is scanned; null for nothing
 * @param what names it in errors
 */
export function lengthOf(
  where: string,
  scanned: readonly Tensor[],
  tree: Branching | null,
  wanted: number | null,
  what = 'xs',
): number {
  const paths = tree === null ? [] : pathsOf(tree)
  let length = wanted
  scanned.forEach(({ shape }, i) => {
    const [count] = shape
    if (count === undefined)
      throw new ShapeError(
        `${where}: ${what}${paths[i]} is a scalar and has no slices. Convert a list of numbers with ops.array`,
      )
    if (length !== null && count !== length) {
      const other = wanted === null ? `${what}${paths[0]} has ${length} slices` : `length is ${wanted}`
      throw new ShapeError(
        `${where}: ${other}, but ${what}${paths[i]} has ${count}: its shape is ${formatShape(shape)}`,
      )
    }
    length = count
  })
  if (length === null)
    throw new ArgumentError(`${where}: length, the number of iterations, is required when xs is null`)
  return length
}

function pairOf(where: string, returned: unknown): readonly [next: unknown, y: unknown] {
  if (!Array.isArray(returned) || returned.length !== 2) {
    throw new ArgumentError(`${where}: the function must return [carry, y]; y may be null`)
  }
  const [next, y]: readonly unknown[] = returned
  return [next, y ?? null]
}
