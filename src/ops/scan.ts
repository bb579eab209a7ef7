// Loops as users write them. The function is recorded once and runs as one instruction with a body, however many turns
// there are.

import { ArgumentError, ShapeError, formatShape } from '../core/errors'
import type { MapTree, Tree } from '../core/tree'
import { flatten, pathsOf, structureOf, unflatten } from '../core/tree'
import { asTensor } from './convert'
import { RegionTrace } from './region'
import { arange } from './shape'
import { Tensor } from './tensor'
import { currentTrace } from './trace'
import { evaluateOnce } from './transform'
import type { Variable } from './variable'

/** What carries and slices are made of: arrays and records of these. */
type Leaf = Tensor | Variable | number
/** The same tree of tensors. */
type Tensors<Structure> = MapTree<Structure, Leaf, Tensor>
/** A leaf or a branch. That branches end in leaves is checked when it runs: tsc finds no end in a recursive constraint. */
type Branching = Leaf | object

export interface ScanOptions {
  /** How many turns; needed where nothing is scanned. */
  readonly length?: number
  /** Whether the first turn has the last slices. Default false. */
  readonly reverse?: boolean
}

/**
 * Calls a function for each slice along the first axis of `xs`, handing a carry on from turn to turn:
 * (c_{t+1}, y_t) = f(c_t, x_t). Differentiable. Tensors, variables and traced values of the code around may be used in
 * `f`; variables that it assigns go on from turn to turn, and so do random numbers.
 * @param f called once, with symbols
 * @param init the first carry: a tensor, or arrays and records of tensors
 * @param xs what is scanned, likewise; null when there is nothing, then `length` says how many turns
 * @returns the last carry, and each y of all turns along a new first axis; null where f returns null for y
 * @throws ArgumentError or ShapeError when a carry changes its shape or dtype, or first axes differ
 * @example
 * const [total, sums] = ops.scan((sum, x) => [ops.add(sum, x), ops.add(sum, x)], 0, tensor([1, 2, 3]))
 * // total = 6, sums = [1, 3, 6]
 */
export function scan<const Carry extends Branching, const Xs extends Branching | null, Y extends Branching | null>(
  f: (carry: Tensors<Carry>, x: Tensors<Xs>) => readonly [NoInfer<Tensors<Carry>>, Y],
  init: Carry,
  xs: Xs,
  options: ScanOptions = {},
): [carry: Tensors<Carry>, ys: Y] {
  const { carry, ys } = scanTrees((state, x) => f(state as Tensors<Carry>, x as Tensors<Xs>), init, xs, options)
  return [carry as Tensors<Carry>, ys as Y]
}

type TurnFunction = (carry: unknown, x: unknown) => unknown

/** scan, for trees whose types the caller knows. */
function scanTrees(f: TurnFunction, init: Branching, xs: Branching | null, options: ScanOptions): { carry: unknown; ys: unknown } {
  const carries = toLeaves(init, 'the carry')
  const scanned = xs === null ? [] : toLeaves(xs, 'xs')
  const length = lengthOf(scanned, xs === null ? [] : pathsOf(xs), options.length)
  const found: { ys: unknown } = { ys: null }
  const run = (symbols: readonly Tensor[]): Tensor[] => {
    const inputs = {
      carries: symbols.slice(0, carries.length),
      scanned: symbols.slice(carries.length),
      length,
      reverse: options.reverse ?? false,
    }
    const loop = new RegionTrace(currentTrace()!).loop(inputs, (state, slices) => {
      const [next, y] = pairOf(f(unflatten(init, state), xs === null ? null : unflatten(xs, slices)))
      found.ys = y
      return { carries: nextCarries(next, init, state), stacked: y === null ? [] : toLeaves(y, 'y'), result: null }
    })
    return [...loop.carries, ...loop.stacked]
  }
  const all = [...carries, ...scanned]
  const results = currentTrace() === null ? evaluateOnce(all, run) : run(all)
  const ys = found.ys === null ? null : unflatten(found.ys, results.slice(carries.length))
  return { carry: unflatten(init, results.slice(0, carries.length)), ys }
}

/**
 * Calls a function for each slice along the first axis of `xs` and stacks what it returns: result[t] = f(xs[t]).
 * @example ops.map((row) => ops.sum(row), matrix)
 */
export function map<const Xs extends Branching, Y extends Branching>(f: (x: Tensors<Xs>) => Y, xs: Xs): Y {
  return scanTrees((carry, x) => [carry, f(x as Tensors<Xs>)], [], xs, {}).ys as Y
}

/**
 * c = init; for i = lower … upper − 1: c = body(i, c). The bounds are numbers, i is an int32 scalar.
 * @returns the last carry; `init` when upper ≤ lower
 * @example ops.foriLoop(0, 5, (i, x) => ops.multiply(x, 2), 1) // 32
 */
export function foriLoop<const Carry extends Branching>(
  lower: number,
  upper: number,
  body: (i: Tensor, carry: Tensors<Carry>) => Tensors<Carry>,
  init: Carry,
): Tensors<Carry> {
  for (const [name, bound] of Object.entries({ lower, upper })) {
    if (!Number.isInteger(bound)) throw new ArgumentError(`foriLoop: ${name} must be an integer, received ${String(bound)}`)
  }
  const turns = arange(lower, Math.max(lower, upper), 1, 'int32')
  const turn: TurnFunction = (state, i) => {
    const next: unknown = body(i as Tensor, state as Tensors<Carry>)
    return [next, null]
  }
  return scanTrees(turn, init, turns, {}).carry as Tensors<Carry>
}

function toLeaves(tree: unknown, what: string): Tensor[] {
  const paths = pathsOf(tree as Tree<unknown>)
  return flatten(tree as Tree<unknown>).map((leaf, i) => {
    if (leaf instanceof Tensor || typeof leaf === 'number' || (typeof leaf === 'object' && leaf !== null)) return asTensor(leaf as Leaf, `scan: ${what}${paths[i]}`)
    throw new ArgumentError(`scan: ${what}${paths[i]} must be a tensor, received ${String(leaf)}`)
  })
}

function lengthOf(scanned: readonly Tensor[], paths: readonly string[], given: number | undefined): number {
  if (given !== undefined && (!Number.isInteger(given) || given < 0)) {
    throw new ArgumentError(`scan: length must be an integer from 0 on, received ${String(given)}`)
  }
  let length = given
  scanned.forEach(({ shape }, i) => {
    const [own] = shape
    if (own === undefined) throw new ShapeError(`scan: xs${paths[i]} is a scalar and has no slices`)
    if (length !== undefined && own !== length) {
      const other = given === undefined ? `xs${paths[0]} has ${length} slices` : `length is ${given}`
      throw new ShapeError(`scan: ${other}, but xs${paths[i]} has ${own}: its shape is ${formatShape(shape)}`)
    }
    length = own
  })
  if (length === undefined) throw new ArgumentError('scan: where xs is null, length must say how many turns there are')
  return length
}

function pairOf(returned: unknown): readonly [next: unknown, y: unknown] {
  if (!Array.isArray(returned) || returned.length !== 2) {
    throw new ArgumentError('scan: the function must return [carry, y]; y may be null')
  }
  const [next, y]: readonly unknown[] = returned
  return [next, y ?? null]
}

/** The next carry's leaves; each must be what it was. */
function nextCarries(next: unknown, init: Tree<unknown>, before: readonly Tensor[]): Tensor[] {
  if (structureOf(next as Tree<unknown>) !== structureOf(init)) {
    throw new ArgumentError(
      `scan: the function must return a carry of the structure it gets, ${structureOf(init)}, received ${structureOf(next as Tree<unknown>)}`,
    )
  }
  const paths = pathsOf(init)
  return toLeaves(next, 'the carry').map((leaf, i) => {
    const { shape, dtype } = before[i]!
    if (leaf.dtype !== dtype || formatShape(leaf.shape) !== formatShape(shape)) {
      throw new ShapeError(
        `scan: the carry${paths[i] === '' ? '' : ` ${paths[i]}`} must stay ${dtype} ${formatShape(shape)}, the function returned ${leaf.dtype} ${formatShape(leaf.shape)}`,
      )
    }
    return leaf
  })
}
