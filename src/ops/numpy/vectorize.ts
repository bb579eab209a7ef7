// Functions of parts of tensors as functions of whole tensors.

import { ArgumentError, ShapeError, formatShape, quoted } from '../../core/errors'
import { custom, nullable, option, text } from '../../core/options'
import type { Shape } from '../../core/shapes'
import { broadcastShapes, sizeOf } from '../../core/shapes'
import type { Tree } from '../../core/tree'
import { flatten, mapTree } from '../../core/tree'
import { map } from '../control/scan'
import { readTyped, requireIntegers } from '../arguments'
import type { TensorLike } from '../convert'
import { asTensor } from '../convert'
import { broadcastTo, reshape } from './shape'
import type { Tensor } from '../tensor'

export interface VectorizeOptions {
  /** The positions of arguments that are passed as they are. Default null: none. */
  readonly excluded?: readonly number[] | null
  /**
   * The axes that each call gets and returns, such as `(m,n),(n)->(m)`. Default null: calls get and return scalars.
   */
  readonly signature?: string | null
}

const positions = /* @__PURE__ */ custom<readonly number[]>(
  (value, what) => requireIntegers(what, value, 0),
  (value) => [...value],
)

/**
 * A function that calls `pyfunc` for each element of its arguments, or for each part that a signature describes. All other axes
 * broadcast; they come first in the result. `pyfunc` is called once, with symbols. In a functional model, call the result in a `Lambda`.
 * @throws ArgumentError for a signature that does not fit; ShapeError for shapes that do not fit it
 * @example
 * const product = ops.vectorize((a, b) => ops.sum(ops.multiply(a, b), -1), { signature: '(m,n),(n)->(m)' })
 * product(ops.ones([5, 2, 3]), [1, 2, 3])   // of shape [5, 2]
 */
export function vectorize<Result extends Tensor | readonly Tensor[]>(
  pyfunc: (...inputs: Tensor[]) => Result,
  options?: VectorizeOptions,
): (...inputs: TensorLike[]) => Result {
  if (typeof pyfunc !== 'function')
    throw new ArgumentError(`vectorize: expected a function, received ${quoted(pyfunc)}`)
  const table = { excluded: option(nullable(positions), null), signature: option(nullable(text), null) }
  const read = readTyped('vectorize', table, options)
  const cores = read.signature === null ? null : readSignature(read.signature)
  // Excluded arguments may be anything that the function takes.
  const call = pyfunc as (...given: readonly unknown[]) => Result
  return (...inputs) => {
    const looped = inputs.map((_, i) => i).filter((i) => !(read.excluded ?? []).includes(i))
    if (looped.length === 0) return call(...inputs)
    if (cores !== null && cores.inputs.length !== looped.length)
      throw new ArgumentError(
        `vectorize: the signature ${quoted(read.signature)} has ${cores.inputs.length} operands, received ${looped.length}`,
      )
    const values = looped.map((i) => asTensor(inputs[i]!, 'vectorize'))
    const sizes = new Map<string, number>()
    const parts = values.map(({ shape }, i) => splitShape(shape, cores?.inputs[i] ?? [], sizes))
    const outer = broadcastShapes(
      'vectorize',
      parts.map(({ front }) => front),
    )
    const slices = values.map((value, i) => {
      const { core } = parts[i]!
      return reshape(broadcastTo(value, [...outer, ...core]), [sizeOf(outer), ...core])
    })
    const results = map((each: readonly Tensor[]) => {
      const all: unknown[] = [...inputs]
      looped.forEach((at, i) => (all[at] = each[i]))
      return call(...all)
    }, slices)
    const ys = flatten(results as Tree<Tensor>)
    const expected = cores?.outputs ?? ys.map(() => [])
    if (expected.length !== ys.length)
      throw new ArgumentError(`vectorize: expected ${expected.length} results of the function, received ${ys.length}`)
    ys.forEach(({ shape }, i) => requireCore(shape.slice(1), expected[i]!, sizes))
    return mapTree(results as Tree<Tensor>, (y) => reshape(y, [...outer, ...y.shape.slice(1)])) as Result
  }
}

/** The names of the axes of each operand and of each result. */
interface Signature {
  readonly inputs: readonly (readonly string[])[]
  readonly outputs: readonly (readonly string[])[]
}

function readSignature(signature: string): Signature {
  const sides = signature.replace(/\s/g, '').split('->')
  if (sides.length !== 2 || !sides.every((side) => /^\([\w,]*\)(,\([\w,]*\))*$/.test(side)))
    throw new ArgumentError(`vectorize: the signature must be like '(m,n),(n)->(m)', received ${quoted(signature)}`)
  const [inputs, outputs] = sides.map((side) =>
    [...side.matchAll(/\(([\w,]*)\)/g)].map(([, names]) => names!.split(',').filter((name) => name !== '')),
  ) as [string[][], string[][]]
  return { inputs, outputs }
}

/** Splits a shape into the axes that are looped over, and those that each call gets, whose extents it adds to `sizes`. */
function splitShape(shape: Shape, names: readonly string[], sizes: Map<string, number>): { front: Shape; core: Shape } {
  const at = shape.length - names.length
  if (at < 0)
    throw new ShapeError(`vectorize: expected a tensor [… ${names.join(', ')}], received ${formatShape(shape)}`)
  const core = shape.slice(at)
  requireCore(core, names, sizes)
  return { front: shape.slice(0, at), core }
}

/** Checks that axes of one name have one extent. */
function requireCore(core: Shape, names: readonly string[], sizes: Map<string, number>): void {
  const fits =
    core.length === names.length &&
    names.every((name, i) => {
      if (!sizes.has(name)) sizes.set(name, core[i]!)
      return sizes.get(name) === core[i]
    })
  if (fits) return
  const expected = names.map((name) => sizes.get(name) ?? name)
  throw new ShapeError(`vectorize: expected a part of shape [${expected.join(', ')}], received ${formatShape(core)}`)
}
