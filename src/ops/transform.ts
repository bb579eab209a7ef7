// Transformations of functions of ops: gradients and compilation. Arguments and results are trees of tensors;
// signature.ts flattens them.

import { requireArguments } from '../core/arguments'
import { ArgumentError, quoted } from '../core/errors'
import { boolean, custom, option, readOptions } from '../core/options'
import { flatten, type Tree } from '../core/tree'
import type { Program } from '../engine/runtime/program'
import { ProgramCache } from '../engine/runtime/program-cache'
import type { Runtime } from '../engine/runtime/runtime'
import { currentRuntime } from '../engine/runtime/current'
import { requireFunction, requireInteger, requireList, type UntypedFunction } from './arguments'
import type { InputsOf, TensorsOf } from './convert'
import { CallArguments, putBack, takeResults, withLeaves, type Results } from './signature'
import { Tensor } from './tensor'
import { compileTraced, currentTrace, runProgram, trace } from './trace'
import type { Variable } from './variable'

/** A function of tensors, or trees of tensors, that is written with ops. */
export type TensorFunction<Arguments extends readonly unknown[] = Tensor[], Result = Tensor> = (
  ...inputs: Arguments
) => Result

/** Positions of arguments: one, or several. Negative positions count from the end. */
export type Argnums = number | readonly number[]

export interface GradOptions<Which extends Argnums = Argnums> {
  /**
   * The arguments to differentiate with respect to: a number gives one gradient, an array a tuple of gradients.
   * Default 0.
   */
  readonly argnums?: Which | undefined
  /** Whether the function returns [loss, aux]; aux is returned unchanged. Default false. */
  readonly hasAux?: boolean | undefined
}

/** The argument types at the call of a function of trees: data at the leaves. */
export type DataArguments<Arguments extends readonly unknown[]> = {
  [Position in keyof Arguments]: InputsOf<Arguments[Position]>
}

/** A function without declared arguments accepts any: it depends on them through variables, or not at all. */
type Named<Arguments extends readonly unknown[]> = Arguments extends readonly [] ? Tensor[] : Arguments

type ArgumentAt<Arguments extends readonly unknown[], Position> = number extends Arguments['length'] | Position
  ? Arguments[number]
  : `${Position & number}` extends keyof Arguments
    ? Arguments[`${Position & number}`]
    : Arguments[number]

/** The gradients with respect to the chosen arguments, with their structures. */
export type GradientsOf<Arguments extends readonly unknown[], Which> = Which extends readonly number[]
  ? { -readonly [Key in keyof Which]: TensorsOf<ArgumentAt<Named<Arguments>, Which[Key]>> }
  : TensorsOf<ArgumentAt<Named<Arguments>, Which>>

/**
 * A call with a list of variables that the function reads directly:
 * `valueAndGrad(() => loss())(model.trainableWeights)`.
 */
type OfVariables<Arguments extends readonly unknown[], Result> = Arguments extends readonly Tensor[]
  ? (variables: readonly Variable[]) => Result
  : unknown

const argnums = custom<Argnums>(
  (value, where) =>
    Array.isArray(value) ? value.map((each) => requireInteger(`each of ${where}`, each)) : requireInteger(where, value),
  (value) => value,
)
const GRAD_OPTIONS = { argnums: option(argnums, 0), hasAux: option(boolean, false) }

interface GradientCall {
  readonly value: unknown
  readonly aux: unknown
  /** One tree, or a list of them. */
  readonly gradients: unknown
}

/** The call behind grad and valueAndGrad. */
function differentiated(
  where: string,
  fn: UntypedFunction,
  options: GradOptions | undefined,
): (inputs: readonly unknown[]) => GradientCall {
  requireFunction(where, fn)
  const { argnums, hasAux } = readOptions(where, GRAD_OPTIONS, options)
  return (inputs) => {
    const args = CallArguments.take(where, inputs)
    const chosen = (typeof argnums === 'number' ? [argnums] : argnums).map((i) => positionOf(where, i, args.count))
    for (const i of chosen) args.requireFloats(i)
    const results = runOnce(where, args, (bound) => {
      const result = fn(...bound)
      const [value, aux] = hasAux ? pairOf(where, result) : [result, null]
      const wrt = chosen.map((i) => bound[i]!)
      const leaves = flatten(wrt).filter((leaf) => leaf != null)
      const gradients = withLeaves(wrt, currentTrace()!.gradients(requireTensor(where, value), leaves))
      return [value, aux, typeof argnums === 'number' ? gradients[0] : gradients]
    })
    const [value, aux, gradients] = requireList(where, results)
    return { value, aux, gradients }
  }
}

/**
 * The gradient of a scalar function: grad(f)(x) = ∂f/∂x, with the structure and shapes of x. Can be nested, and compiled
 * by jit.
 *
 *   const slope = grad(({ w, b }: { w: Tensor; b: Tensor }) => ops.sum(ops.square(ops.add(w, b))))
 *   slope({ w: [1, 2], b: 3 }) // { w: [8, 10], b: 18 }
 *
 * Arguments are tensors or data, and lists and records of them. An argument that is a Variable stands for its content,
 * even where the function reads the variable directly: `grad((_: readonly Tensor[]) => loss())(model.trainableWeights)`.
 * Everything else that the function reads is a constant.
 *
 * With `{ hasAux: true }` the function returns [loss, aux], and the result is [∂f/∂x, aux].
 * @throws ArgumentError when the function's result is not a float32 scalar, and for integer arguments
 *
 * JAX: `jax.grad`.
 */
// This overload comes first: tsc does not try another return type for a function with typed arguments.
export function grad<Arguments extends readonly unknown[] = Tensor[], Aux = unknown, const Which extends Argnums = 0>(
  fn: TensorFunction<Arguments, readonly [Tensor, Aux]>,
  options: GradOptions<Which> & { readonly hasAux: true },
): OfVariables<Arguments, [gradients: Tensor[], aux: Aux]> &
  ((...inputs: DataArguments<Named<Arguments>>) => [gradients: GradientsOf<Arguments, Which>, aux: Aux])
export function grad<Arguments extends readonly unknown[] = Tensor[], const Which extends Argnums = 0>(
  fn: TensorFunction<Arguments>,
  options?: GradOptions<Which> & { readonly hasAux?: false | undefined },
): OfVariables<Arguments, Tensor[]> & ((...inputs: DataArguments<Named<Arguments>>) => GradientsOf<Arguments, Which>)
export function grad(fn: UntypedFunction, options?: GradOptions): UntypedFunction {
  requireArguments('grad', arguments, 2)
  const call = differentiated('grad', fn, options)
  return (...inputs) => {
    const { gradients, aux } = call(inputs)
    return options?.hasAux === true ? [gradients, aux] : gradients
  }
}

/**
 * A scalar function's value and its gradient: valueAndGrad(f)(x) = [f(x), ∂f/∂x]. With `{ hasAux: true }` it is
 * [[f(x), aux], ∂f/∂x]. See grad.
 *
 * JAX: `jax.value_and_grad`.
 */
export function valueAndGrad<
  Arguments extends readonly unknown[] = Tensor[],
  Aux = unknown,
  const Which extends Argnums = 0,
>(
  fn: TensorFunction<Arguments, readonly [Tensor, Aux]>,
  options: GradOptions<Which> & { readonly hasAux: true },
): OfVariables<Arguments, [result: [value: Tensor, aux: Aux], gradients: Tensor[]]> &
  ((
    ...inputs: DataArguments<Named<Arguments>>
  ) => [result: [value: Tensor, aux: Aux], gradients: GradientsOf<Arguments, Which>])
export function valueAndGrad<Arguments extends readonly unknown[] = Tensor[], const Which extends Argnums = 0>(
  fn: TensorFunction<Arguments>,
  options?: GradOptions<Which> & { readonly hasAux?: false | undefined },
): OfVariables<Arguments, [value: Tensor, gradients: Tensor[]]> &
  ((...inputs: DataArguments<Named<Arguments>>) => [value: Tensor, gradients: GradientsOf<Arguments, Which>])
export function valueAndGrad(fn: UntypedFunction, options?: GradOptions): UntypedFunction {
  requireArguments('valueAndGrad', arguments, 2)
  const call = differentiated('valueAndGrad', fn, options)
  return (...inputs) => {
    const { value, gradients, aux } = call(inputs)
    return [options?.hasAux === true ? [value, aux] : value, gradients]
  }
}

/**
 * Compiles a function of ops. It is traced once for each combination of structures, shapes and dtypes of its arguments,
 * then runs as one tape. Arguments and results are tensors, and lists and records of them. Other values that the function
 * reads, except variables, are fixed by the first call. When there are too many programs, the least recently used ones
 * are disposed.
 *
 *   const update = jit((params: Params, x: Tensor) => ({ ...params, w: ops.subtract(params.w, ops.multiply(0.1, grad(loss)(params, x).w)) }))
 *
 * JAX: `jax.jit`.
 */
export function jit<Arguments extends readonly unknown[] = Tensor[], Result = Tensor>(
  fn: TensorFunction<Arguments, Result>,
): (...inputs: DataArguments<Arguments>) => Result
export function jit(fn: UntypedFunction): UntypedFunction {
  requireArguments('jit', arguments, 1)
  const compiled = compiledFunction('jit', fn)
  return (...inputs) => {
    const args = CallArguments.take('jit', inputs)
    // Inside another trace the function becomes part of it.
    if (currentTrace() !== null) return checkedTree('jit', fn(...args.bind(args.tensors)))
    const { program, structure } = compiled(args)
    return putBack(structure, runProgram(program, args.tensors))
  }
}

/** A program, and the structure of the results that its outputs are. */
interface CompiledResults {
  readonly program: Program
  readonly structure: Results['structure']
}

/** The programs of a function: one for each key of its arguments. */
export function compiledFunction(where: string, fn: UntypedFunction): (args: CallArguments) => CompiledResults {
  requireFunction(where, fn)
  const caches = new WeakMap<Runtime, ProgramCache>()
  const structures = new WeakMap<Program, Results['structure']>()
  return (args) => {
    const runtime = currentRuntime()
    let cache = caches.get(runtime)
    if (cache === undefined) caches.set(runtime, (cache = new ProgramCache()))
    const program = cache.get(args.key, () => {
      const { program, structure } = compileResults(where, args, (symbols) => fn(...args.bind(symbols)))
      structures.set(program, structure)
      return program
    })
    return { program, structure: structures.get(program) }
  }
}

function compileResults(
  where: string,
  args: CallArguments,
  body: (symbols: readonly Tensor[]) => unknown,
): CompiledResults {
  let structure: Results['structure'] = null
  const traced = trace(args.tensors, (symbols) => {
    const results = takeResults(where, body(symbols))
    structure = results.structure
    return results.tensors
  })
  return { program: compileTraced(traced), structure }
}

/** Runs `body` on the arguments: inside the active trace, or through a program for this one call. */
function runOnce(
  where: string,
  args: CallArguments,
  body: (bound: Tree<Tensor | null | undefined>[]) => unknown,
): unknown {
  const { tensors } = args
  const outer = currentTrace()
  // New symbols, because the function may also use the same tensors as constants.
  if (outer !== null) return checkedTree(where, body(args.bind(tensors.map((tensor) => outer.alias(tensor)))))
  const { program, structure } = compileResults(where, args, (symbols) => body(args.bind(symbols)))
  try {
    return putBack(structure, runProgram(program, tensors))
  } finally {
    program.dispose()
  }
}

function checkedTree(where: string, result: unknown): unknown {
  const { structure, tensors } = takeResults(where, result)
  return putBack(structure, tensors)
}

function positionOf(where: string, i: number, count: number): number {
  const position = i < 0 ? i + count : i
  if (position >= 0 && position < count) return position
  throw new ArgumentError(`${where}: argument ${i} is missing, received ${count} arguments`)
}

/** The result of a function with hasAux. */
export function pairOf(where: string, result: unknown, expected = '[loss, aux]'): readonly [unknown, unknown] {
  if (Array.isArray(result) && result.length === 2) return [result[0], result[1]]
  throw new ArgumentError(`${where}: with hasAux the function must return ${expected}, received ${described(result)}`)
}

function requireTensor(where: string, value: unknown): Tensor {
  if (value instanceof Tensor) return value
  throw new ArgumentError(
    `${where}: the function must return a scalar Tensor, received ${described(value)}. To return more, pass { hasAux: true } and return [loss, aux]`,
  )
}

function described(value: unknown): string {
  if (value instanceof Tensor) return 'a Tensor'
  return Array.isArray(value) ? `an array of ${value.length}` : quoted(value)
}

/** Traces a function of tensors, runs it once on data and discards the program. */
export function evaluateOnce(inputs: readonly Tensor[], body: (symbols: Tensor[]) => readonly Tensor[]): Tensor[] {
  const program = compileTraced(trace(inputs, body))
  try {
    return runProgram(program, inputs)
  } finally {
    program.dispose()
  }
}
