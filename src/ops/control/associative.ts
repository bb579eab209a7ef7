// Parallel prefix: all partial results of an associative function, in logarithmic depth.

import { axis as axisKind, callback, tree } from '../kinds'
import { arg, opOf, optional } from '../op'
import { ShapeError, formatShape } from '../../core/errors'
import { boolean } from '../../core/options'
import { normalizeAxis } from '../../core/shapes'
import { pathsOf, unflatten } from '../../core/tree'
import { concatenate, flip, reshape, slice, stack } from '../numpy/shape'
import type { Tensor } from '../tensor'
import { currentTrace } from '../trace'
import { evaluateOnce } from '../transform'
import { nextCarries, toLeaves, type Branching, type Tensors } from './trees'

export interface AssociativeScanOptions {
  /** Whether to combine from the last element to the first. Default false. */
  readonly reverse?: boolean
  /** The axis of the elements; negative axes count from the end. Default 0. */
  readonly axis?: number
}

/** The signatures of `associativeScan`. */
interface AssociativeScan {
  /**
   * All prefixes under an associative function: y₀ = x₀, y_i = f(y_{i−1}, x_i), along one axis. Pairs of elements are
   * combined first, so that n elements take about 2 log₂ n calls of `f`, each for many elements at once. With `reverse`,
   * y_{n−1} = x_{n−1} and y_i = f(y_{i+1}, x_i). Differentiable.
   * @param f combines two trees of slices, element by element along the axis, and gives the same structure, shapes and
   * dtypes
   * @param elems a tensor, or arrays and records of tensors, with the same extent along the axis
   * @param reverse default false, also as an option
   * @param axis default 0, also as an option
   * @example ops.associativeScan(ops.add, tensor([1, 2, 3, 4])) // [1, 3, 6, 10]
   */
  <const Elements extends Branching>(
    f: (a: Tensors<Elements>, b: Tensors<Elements>) => NoInfer<Tensors<Elements>>,
    elems: Elements,
    reverse?: boolean | AssociativeScanOptions,
    axis?: number,
  ): Tensors<Elements>
  <const Elements extends Branching>(
    named: {
      /** Combines two elements. */
      readonly f: (a: Tensors<Elements>, b: Tensors<Elements>) => NoInfer<Tensors<Elements>>
      /** A tensor, or arrays and records of tensors. */
      readonly elems: Elements
    } & AssociativeScanOptions,
  ): Tensors<Elements>
}

export const associativeScan = opOf<AssociativeScan>(
  () => [arg('f', callback), arg('elems', tree), optional('reverse', boolean), optional('axis', axisKind)],
  {
    associativeScan(f: (a: unknown, b: unknown) => unknown, elems: Branching, reverse = false, axis = 0) {
      const leaves = toLeaves(elems, 'associativeScan: elems')
      const at = leaves.map(({ rank }) => normalizeAxis('associativeScan', axis, rank))
      const extent = leaves[0]?.shape[at[0]!] ?? 0
      leaves.forEach(({ shape }, i) => {
        if (shape[at[i]!] === extent) return
        const [first, other] = [pathsOf(elems)[0], pathsOf(elems)[i]]
        throw new ShapeError(
          `associativeScan: elems${first} has ${extent} elements, but elems${other} has the shape ${formatShape(shape)}`,
        )
      })
      const combine = (a: readonly Tensor[], b: readonly Tensor[]): Tensor[] => {
        const joined: unknown = f(unflatten(elems, a), unflatten(elems, b))
        return nextCarries('associativeScan', joined, elems, a)
      }
      const turned = (all: readonly Tensor[]): Tensor[] =>
        reverse ? all.map((each, i) => flip(each, at[i]!)) : [...all]
      const run = (all: readonly Tensor[]): Tensor[] => turned(prefixes(combine, turned(all), at))
      return unflatten(elems, currentTrace() === null ? evaluateOnce(leaves, run) : run(leaves))
    },
  },
)

type Combine = (a: readonly Tensor[], b: readonly Tensor[]) => Tensor[]

/** The prefixes of pairs are those at odd positions; one more call gives those at even positions. */
function prefixes(combine: Combine, all: Tensor[], at: readonly number[]): Tensor[] {
  const count = all[0]?.shape[at[0]!] ?? 0
  if (count < 2) return all
  const part = (list: readonly Tensor[], start: number, length: number): Tensor[] =>
    list.map((each, i) => within(each, at[i]!, start, length))
  const pairs = count >> 1
  const odd = prefixes(combine, combine(everySecond(all, at, 0, pairs), everySecond(all, at, 1, pairs)), at)
  const later = (count - 1) >> 1
  const first = part(all, 0, 1)
  const rest = later === 0 ? [] : combine(part(odd, 0, later), everySecond(all, at, 2, later))
  return all.map((_, i) => {
    const even = later === 0 ? first[i]! : concatenate([first[i]!, rest[i]!], at[i]!)
    return interleaved(even, odd[i]!, at[i]!)
  })
}

function within(x: Tensor, axis: number, start: number, length: number): Tensor {
  return slice(
    x,
    x.shape.map((_, i) => (i === axis ? start : 0)),
    x.shape.map((extent, i) => (i === axis ? length : extent)),
  )
}

/** The elements start, start + 2, …, which are the first or second ones of pairs. */
function everySecond(all: readonly Tensor[], at: readonly number[], start: number, count: number): Tensor[] {
  return all.map((x, i) => {
    const axis = at[i]!
    // The last pair may lack its second element. Second elements are found in pairs that begin one element earlier, so each has its first.
    const isSecond = start > 0
    const pairs = within(x, axis, isSecond ? start - 1 : start, 2 * count)
    const [before, after] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)]
    const split = reshape(pairs, [...before, count, 2, ...after])
    return reshape(within(split, axis + 1, isSecond ? 1 : 0, 1), [...before, count, ...after])
  })
}

/** even[0], odd[0], even[1], …; there may be one more even element. */
function interleaved(even: Tensor, odd: Tensor, axis: number): Tensor {
  const [evens, odds] = [even.shape[axis]!, odd.shape[axis]!]
  const both = stack([within(even, axis, 0, odds), odd], axis + 1)
  const joined = reshape(both, [...odd.shape.slice(0, axis), 2 * odds, ...odd.shape.slice(axis + 1)])
  return evens === odds ? joined : concatenate([joined, within(even, axis, odds, 1)], axis)
}
