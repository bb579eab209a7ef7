// jvp: a function's results, and their derivatives in a direction. The pullback is linear in its cotangents, and the
// transpose of a linear function is its gradient; so the derivative in a direction is the pullback of the pullback.

import { callback, type ArgumentKind } from './kinds'
import { arg, opOf, optional } from './op'
import { ArgumentError, ShapeError, formatShape } from '../core/errors'
import { boolean } from '../core/options'
import { sameShape } from '../core/shapes'
import { inOrderOf, mapTree, type Tree } from '../core/tree'
import { requireList, type UntypedFunction } from './arguments'
import { zeros } from './numpy/shape'
import { CallArguments, putBack, takeResults } from './signature'
import type { Tensor } from './tensor'
import { currentTrace } from './trace'
import { evaluateOnce, pairOf, type DataArguments, type TensorFunction } from './transform'
import { withPullback } from './vjp'

/** A list of arguments, which the op converts. */
const list: ArgumentKind<readonly unknown[]> = {
  holds: 'operand',
  read: (value, where) => requireList(where, value),
}

/** The required arguments of `jvp` by name. */
interface JvpArguments<Arguments extends readonly unknown[], Result> {
  /** The function. */
  readonly fun: TensorFunction<Arguments, Result>
  /** The arguments of the function. */
  readonly primals: DataArguments<Arguments>
  /** The tangents of the arguments, in the same structure. */
  readonly tangents: DataArguments<Arguments>
}

/** The signatures of `jvp`. */
interface Jvp {
  /**
   * The Jacobian-vector product: [f(x, …), ∂f/∂x · v + …] for tangents v of the arguments, the derivative in the direction v.
   * Arguments and results are tensors, and lists and records of them; all must be float32. It costs about one evaluation and
   * two gradients, and exists where the gradient has a gradient.
   *
   *   const [y, slope] = jvp((x: Tensor) => ops.sin(x), [0.1], [1])   // sin 0.1, cos 0.1
   *
   * @param primals the list of arguments of the function
   * @param tangents one for each argument, with its structure and shapes
   * @param hasAux the function returns [results, aux], and jvp returns [results, tangents, aux]; default false
   * @throws ArgumentError or ShapeError for integer arguments, and for tangents of another structure or shape
   *
   * JAX: `jax.jvp`.
   */
  <Arguments extends readonly unknown[], Outputs, Aux>(
    fun: TensorFunction<Arguments, readonly [Outputs, Aux]>,
    primals: DataArguments<Arguments>,
    tangents: DataArguments<Arguments>,
    hasAux:
      | true
      | {
          /** Whether the function returns [results, aux]. Default false. */
          readonly hasAux: true
        },
  ): [outputs: Outputs, tangents: Outputs, aux: Aux]
  <Arguments extends readonly unknown[], Outputs>(
    fun: TensorFunction<Arguments, Outputs>,
    primals: DataArguments<Arguments>,
    tangents: DataArguments<Arguments>,
    hasAux?:
      | false
      | {
          /** Whether the function returns [results, aux]. Default false. */
          readonly hasAux?: false
        },
  ): [outputs: Outputs, tangents: Outputs]
  <Arguments extends readonly unknown[], Outputs, Aux>(
    named: JvpArguments<Arguments, readonly [Outputs, Aux]> & {
      /** Whether the function returns [results, aux]. Default false. */
      readonly hasAux: true
    },
  ): [outputs: Outputs, tangents: Outputs, aux: Aux]
  <Arguments extends readonly unknown[], Outputs>(
    named: JvpArguments<Arguments, Outputs> & {
      /** Whether the function returns [results, aux]. Default false. */
      readonly hasAux?: false
    },
  ): [outputs: Outputs, tangents: Outputs]
}

export const jvp = opOf<Jvp>(
  () => [arg('fun', callback), arg('primals', list), arg('tangents', list), optional('hasAux', boolean)],
  {
    jvp(fun: UntypedFunction, primals: readonly unknown[], tangents: readonly unknown[], hasAux = false): unknown {
      const args = CallArguments.take('jvp: primals', primals)
      const ordered = requireList('jvp: tangents', inOrderOf(primals, tangents))
      const directions = CallArguments.take('jvp: tangents', ordered)
      requireAlike(args, directions)
      const all = [...args.contents, ...directions.contents]
      const count = args.contents.length
      let structure: Tree<number | null | undefined> = null
      const run = (symbols: readonly Tensor[]): readonly Tensor[] => {
        const at = args.withLeaves(symbols.slice(0, count))
        const along = directions.withLeaves(symbols.slice(count))
        const call = (...inputs: readonly unknown[]): unknown => {
          const result = fun(...inputs)
          requireFloats(hasAux ? pairOf('jvp', result, '[results, aux]')[0] : result)
          return result
        }
        const { results, pullback, aux } = withPullback(call, at, hasAux)
        const start = mapTree(results, (leaf) => (leaf == null ? leaf : zeros(leaf.shape)))
        const [derivatives] = withPullback(pullback, [start], false).pullback(along)
        const found = takeResults('jvp', hasAux ? [results, derivatives, aux] : [results, derivatives])
        structure = found.structure
        return found.tensors
      }
      const results = currentTrace() === null ? evaluateOnce(all, run) : run(all)
      return putBack(structure, results)
    },
  },
)

function requireFloats(result: unknown): void {
  const other = takeResults('jvp', result).tensors.find(({ dtype }) => dtype !== 'float32')
  if (other !== undefined)
    throw new ArgumentError(
      `jvp: a result is ${other.dtype}, which has no derivative. Pass hasAux and return it as aux in [results, aux]`,
    )
}

function requireAlike(args: CallArguments, directions: CallArguments): void {
  if (args.structure !== directions.structure)
    throw new ArgumentError(
      `jvp: the tangents must have the structure of the primals, ${args.structure}, received ${directions.structure}`,
    )
  for (let i = 0; i < args.count; i++) {
    args.requireFloats(i)
    directions.requireFloats(i)
  }
  args.contents.forEach(({ shape }, i) => {
    const other = directions.contents[i]!.shape
    if (!sameShape(shape, other))
      throw new ShapeError(
        `jvp: a tangent must have the shape ${formatShape(shape)} of its primal, received ${formatShape(other)}`,
      )
  })
}
