// Functions of slices and of scalars, computed for all of them at once.

import { callback, tree } from '../kinds'
import { arg, opOf, optional } from '../op'
import { ArgumentError, ShapeError, formatShape, quoted } from '../../core/errors'
import { custom, nullable } from '../../core/options'
import { broadcastShapes, sizeOf, type Shape } from '../../core/shapes'
import { flatten, mapTree, unflatten, type Tree } from '../../core/tree'
import { batched } from '../../engine/transforms/batch'
import { requireInteger, type UntypedFunction } from '../arguments'
import { asTensor } from '../convert'
import { broadcastTo, reshape } from '../numpy/shape'
import type { Tensor } from '../tensor'
import { currentTrace } from '../trace'
import { evaluateOnce } from '../transform'
import type { TensorLike } from '../variable'
import { RegionTrace } from './region'
import { lengthOf } from './scan'
import { toLeaves, type Branching, type Tensors } from './trees'

/** The signatures of `vectorizedMap`. */
interface VectorizedMap {
  /**
   * Applies a function to every slice along the first axis and stacks the results: result[i] = function(elements[i]). The function
   * is traced once, and each of its ops is computed for all slices at once; an op that cannot, such as a factorization,
   * becomes a loop over that op alone. A function that assigns variables or draws random numbers runs slice by slice.
   * Differentiable.
   * @param function_ gives a tensor, or arrays and records of tensors
   * @param elements a tensor, or arrays and records of tensors, with the same first extent
   * @throws ShapeError for scalars, and when first extents differ
   * @example ops.vectorizedMap((row) => ops.sum(ops.square(row)), tensor([[1, 2], [3, 4]])) // [5, 25]
   */
  (function_: (x: Tensor) => Tensor, elements: Tensor): Tensor
  <const Elements extends Branching, Y extends Branching>(
    function_: (x: Tensors<Elements>) => Y,
    elements: Elements,
  ): Tensors<Y>
  <const Elements extends Branching, Y extends Branching>(named: {
    /** A function of a slice. */
    readonly function: (x: Tensors<Elements>) => Y
    /** A tensor, or arrays and records of tensors, with the same first extent. */
    readonly elements: Elements
  }): Tensors<Y>
}

export const vectorizedMap = opOf<VectorizedMap>(() => [arg('function', callback), arg('elements', tree)], {
  vectorizedMap(function_: (x: Tree<Tensor>) => unknown, elements: Branching) {
    return mapAll('vectorizedMap', function_, elements)
  },
})

/** The results of a function of slices, stacked. */
function mapAll(where: string, f: (x: Tree<Tensor>) => unknown, elements: Branching): Tree<Tensor> {
  const leaves = toLeaves(elements, `${where}: elements`)
  if (leaves.length === 0) throw new ArgumentError(`${where}: elements must contain a tensor`)
  const length = lengthOf(where, leaves, elements, null, 'elements')
  let tree: unknown = null
  const run = (symbols: readonly Tensor[]): readonly Tensor[] =>
    new RegionTrace(currentTrace()!).batch(symbols, length, batched, (slices) => {
      const result = f(unflatten(elements, slices))
      tree = result
      return toLeaves(result, `${where}: the result`)
    })
  const results = currentTrace() === null ? evaluateOnce(leaves, (symbols) => run(symbols)) : run(leaves)
  return unflatten(tree, results)
}

export interface VectorizeOptions {
  /** The positions of arguments that are passed unchanged. Default null: none. */
  readonly excluded?: readonly number[] | ReadonlySet<number> | null
  /** The core axes of arguments and results, such as '(m,n),(n)->(m)'. Default null: scalars. */
  readonly signature?: string | null
}

/** Positions of arguments. */
const positions = /* @__PURE__ */ custom<ReadonlySet<number>>(
  (value, where) => {
    const all = value instanceof Set ? [...value] : value
    if (!Array.isArray(all))
      throw new ArgumentError(`${where} must be an array or a Set of positions, received ${quoted(value)}`)
    return new Set(all.map((each) => requireInteger(`each of ${where}`, each, 0)))
  },
  (value) => [...value],
)

/** The names of the core axes of each argument and of each result. */
interface Signature {
  readonly inputs: readonly (readonly string[])[]
  readonly outputs: readonly (readonly string[])[] | null
}

/** The signatures of `vectorize`. */
interface Vectorize {
  /**
   * A function of scalars as a function of tensors, which broadcast: the result is that of `pyfunc` for each element. With
   * a signature, `pyfunc` gets and gives tensors with these core axes, and the leading axes broadcast. All calls are computed
   * at once, as in vectorizedMap.
   * @param pyfunc gives a tensor or an array of tensors
   * @throws ShapeError for arguments that do not have the core axes, or do not broadcast
   * @example
   * const product = ops.vectorize(ops.matmul, { signature: '(m,n),(n,k)->(m,k)' })
   * product(ops.ones([5, 2, 3]), ops.ones([3, 4])).shape // [5, 2, 4]
   */
  <Result extends Tensor | readonly Tensor[]>(
    pyfunc: (...inputs: Tensor[]) => Result,
    options?: VectorizeOptions,
  ): (...inputs: TensorLike[]) => Result
  <Result extends Tensor | readonly Tensor[]>(
    named: {
      /** A function of tensors. */
      readonly pyfunc: (...inputs: Tensor[]) => Result
    } & VectorizeOptions,
  ): (...inputs: TensorLike[]) => Result
}

export const vectorize = opOf<Vectorize>(
  () => [arg('pyfunc', callback), optional('excluded', nullable(positions)), optional('signature', nullable(coreAxes))],
  {
    vectorize(
      pyfunc: UntypedFunction,
      excluded: ReadonlySet<number> | null = null,
      signature: Signature | null = null,
    ) {
      return (...args: readonly TensorLike[]) => {
        const mapped = args.flatMap((_, i) => (excluded?.has(i) === true ? [] : [i]))
        const tensors = mapped.map((i) => asTensor(args[i]!, `vectorize: argument ${i}`))
        const cores = signature?.inputs ?? tensors.map(() => [])
        if (cores.length !== tensors.length)
          throw new ArgumentError(
            `vectorize: the signature has ${cores.length} arguments, received ${tensors.length} that are not excluded`,
          )
        const extents = new Map<string, number>()
        tensors.forEach(({ shape }, i) => readCore(shape, cores[i]!, extents, `argument ${mapped[i]}`))
        const outerOf = ({ shape }: Tensor, i: number): Shape => shape.slice(0, shape.length - cores[i]!.length)
        const outer = broadcastShapes('vectorize', tensors.map(outerOf))
        const flat = tensors.map((each, i) => {
          const core = each.shape.slice(each.rank - cores[i]!.length)
          return reshape(broadcastTo(each, [...outer, ...core]), [sizeOf(outer), ...core])
        })
        const call = (slices: readonly Tensor[]): unknown => {
          const inputs: unknown[] = [...args]
          mapped.forEach((position, i) => (inputs[position] = slices[i]))
          const result = pyfunc(...inputs)
          const all = toLeaves(result, 'vectorize: the result')
          if (signature === null || signature.outputs !== null) {
            const wanted = signature?.outputs ?? all.map(() => [])
            if (wanted.length !== all.length)
              throw new ArgumentError(
                `vectorize: the signature has ${wanted.length} results, the function gave ${all.length}`,
              )
            const known = new Map(extents)
            all.forEach(({ shape }, i) => {
              readCore(shape, wanted[i]!, known, `result ${i}`)
              if (shape.length !== wanted[i]!.length)
                throw new ShapeError(
                  `vectorize: result ${i} must have ${wanted[i]!.length} axes, received shape ${formatShape(shape)}. Give a signature`,
                )
            })
          }
          return result
        }
        if (flat.length === 0) return call([])
        const results = mapAll('vectorize', (slices) => call(flatten(slices)), flat)
        return mapTree(results, (x) => reshape(x, [...outer, ...x.shape.slice(1)]))
      }
    },
  },
)

/** The axes in a text such as '(m,n),(n)->(m)'. */
const coreAxes = /* @__PURE__ */ custom<Signature>(
  (value, where) => {
    const part = String.raw`\(\s*(?:\w+\s*(?:,\s*\w+\s*)*)?\)`
    const list = `${part}(?:\\s*,\\s*${part})*`
    const whole = new RegExp(`^\\s*(${list})\\s*->\\s*(${list})\\s*$`)
    const found = typeof value === 'string' ? whole.exec(value) : null
    if (found === null)
      throw new ArgumentError(`${where} must be a string such as '(m,n),(n)->(m)', received ${quoted(value)}`)
    const axesOf = (text: string): string[][] =>
      Array.from(text.matchAll(/\(([^)]*)\)/g), ([, names]) => names!.match(/\w+/g) ?? [])
    return { inputs: axesOf(found[1]!), outputs: axesOf(found[2]!) }
  },
  () => null,
)

/** Checks the last axes of a shape against the names of core axes; a name has one extent. */
function readCore(shape: Shape, core: readonly string[], extents: Map<string, number>, what: string): void {
  const first = shape.length - core.length
  if (first < 0)
    throw new ShapeError(`vectorize: ${what} needs the axes (${core.join()}), received shape ${formatShape(shape)}`)
  core.forEach((name, i) => {
    const extent = shape[first + i]!
    const known = extents.get(name) ?? extent
    if (known !== extent)
      throw new ShapeError(`vectorize: axis ${name} of ${what} has extent ${extent}, but another has ${known}`)
    extents.set(name, extent)
  })
}
