// Loops that end when a condition is false.

import { callback, tree } from '../kinds'
import { arg, opOf, optional } from '../op'
import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import { integer, nullable } from '../../core/options'
import { unflatten } from '../../core/tree'
import { UNLIMITED } from '../../engine/ir/region'
import type { UntypedFunction } from '../arguments'
import { toTensor } from '../convert'
import { needControl } from '../families'
import { cast } from '../numpy/elementwise'
import { Tensor } from '../tensor'
import { currentTrace } from '../trace'
import { evaluateOnce } from '../transform'
import type { TensorLike } from '../variable'
import { RegionTrace } from './region'
import { nextCarries, toLeaves, type Branching, type Parameters, type Tensors } from './trees'

/** A function of loop variables: of the elements of a list, or of one tree. */
export type OfVariables<Vars, Result> = Vars extends readonly [...infer Each extends readonly unknown[]]
  ? (...vars: Parameters<Each>) => Result
  : (vars: Tensors<Vars>) => Result

/** A condition: a scalar, which is true if it is not 0. */
export type Condition = TensorLike

/** The signatures of `whileLoop`. */
interface WhileLoop {
  /**
   * while (cond(…vars)) vars = body(…vars). A list of loop variables is passed as separate arguments, anything else as one
   * argument. Both functions are traced: they may use tensors, variables and traced values from outside, and variables
   * that `body` assigns keep their last contents.
   *
   * The gradient needs `maximumIterations`, because it keeps values of every iteration; memory grows with that number, time
   * with the number of iterations that run. (In Keras on JAX a while loop has no gradient.)
   * @param cond gives a scalar
   * @param body gives variables with the same structure, shapes and dtypes
   * @param loopVars a tensor, or arrays and records of tensors
   * @param maximumIterations the loop also ends after this number of iterations; default null: no limit
   * @returns the loop variables after the last iteration
   * @throws ArgumentError or ShapeError when a variable changes its shape or dtype, or the condition is not a scalar
   * @example
   * const [i, power] = ops.whileLoop((i, x) => ops.less(x, 100), (i, x) => [ops.add(i, 1), ops.multiply(x, 3)], [0, 1])
   * // i = 5, power = 243
   */
  <const Vars extends Branching>(
    cond: OfVariables<Vars, Condition>,
    body: OfVariables<Vars, NoInfer<Tensors<Vars>>>,
    loopVars: Vars,
    maximumIterations?:
      | number
      | null
      | {
          /** The loop also ends after this number of iterations. Default null: no limit. */
          readonly maximumIterations?: number | null
        },
  ): Tensors<Vars>
  <const Vars extends Branching>(named: {
    /** Gives a scalar: whether the loop goes on. */
    readonly cond: OfVariables<Vars, Condition>
    /** Gives the next variables. */
    readonly body: OfVariables<Vars, NoInfer<Tensors<Vars>>>
    /** A tensor, or arrays and records of tensors. */
    readonly loopVars: Vars
    /** The loop also ends after this number of iterations. Default null: no limit. */
    readonly maximumIterations?: number | null
  }): Tensors<Vars>
}

export const whileLoop = opOf<WhileLoop>(
  () => [
    arg('cond', callback),
    arg('body', callback),
    arg('loopVars', tree),
    optional('maximumIterations', nullable(integer({ min: 0, max: UNLIMITED - 1 }))),
  ],
  {
    whileLoop(
      cond: UntypedFunction,
      body: UntypedFunction,
      loopVars: Branching,
      maximumIterations: number | null = null,
    ) {
      const most = maximumIterations ?? UNLIMITED
      const variables = toLeaves(loopVars, 'whileLoop: loopVars')
      const call = (fn: UntypedFunction, leaves: readonly Tensor[]): unknown => {
        const tree = unflatten(loopVars, leaves)
        return Array.isArray(tree) ? fn(...tree) : fn(tree)
      }
      const holds = (leaves: readonly Tensor[]): Tensor => {
        const condition = scalarOf('whileLoop: cond', call(cond, leaves))
        if (most === UNLIMITED && Tensor.symbolOf(condition) === null && condition.item() !== 0)
          throw new ArgumentError(
            'whileLoop: the condition is always true. Compute it from the variables, or give maximumIterations',
          )
        return cast(condition, 'bool')
      }
      needControl()
      const run = (initial: readonly Tensor[]): Tensor[] => {
        const inputs = {
          carries: [holds(initial), ...initial],
          scanned: [],
          length: most,
          reverse: false,
          runs: 'while' as const,
        }
        const loop = new RegionTrace(currentTrace()!).loop(inputs, ([, ...state]) => {
          const next = nextCarries('whileLoop', call(body, state), loopVars, state)
          return { carries: [holds(next), ...next], stacked: [], result: null }
        })
        return loop.carries.slice(1)
      }
      const results = currentTrace() === null ? evaluateOnce(variables, run) : run(variables)
      return unflatten(loopVars, results)
    },
  },
)

/** A condition as a scalar. @param where names it in errors */
export function scalarOf(where: string, value: unknown): Tensor {
  if (value === undefined || value === null)
    throw new ArgumentError(`${where} must be a scalar, received ${String(value)}`)
  const condition = toTensor(value, where)
  if (condition.rank === 0) return condition
  throw new ShapeError(`${where} must be a scalar, received shape ${formatShape(condition.shape)}`)
}
