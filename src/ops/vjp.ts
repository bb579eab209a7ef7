// vjp: a function's results, and the pullback that maps cotangents of the results to gradients of the
// arguments. The function runs once; the values that the pullback needs are kept for all its calls.

import { ArgumentError, ShapeError, StateError, checkOptions, formatShape } from '../core/errors'
import { sameShape } from '../core/shapes'
import { flatten, flattenLike, isBranch, pathsOf, type Tree } from '../core/tree'
import { cut } from '../engine/transforms/cut'
import type { Graph } from '../engine/ir/graph'
import type { Program } from '../engine/runtime/program'
import type { Runtime } from '../engine/runtime/runtime'
import { toTensor, type InputsOf, type TensorsOf } from './convert'
import { CallArguments, putBack, takeResults, type Results } from './signature'
import type { Tensor } from './tensor'
import { pairOf, type DataArguments, type TensorFunction } from './transform'
import { requireFunction, type UntypedFunction } from './arguments'
import { compileTraced, currentTrace, runProgram, trace, type Trace } from './trace'

/** Maps cotangents, with the structure and shapes of a function's results, to one gradient for each argument. */
export type Pullback<Arguments extends readonly unknown[], Outputs> = (cotangents: InputsOf<Outputs>) => {
  -readonly [Position in keyof Arguments]: TensorsOf<Arguments[Position]>
}

export interface AuxOption {
  /** The function returns [results, aux]; aux is returned unchanged. */
  readonly hasAux: true
}

/** The gradients of flat arguments, from flat cotangents. */
type FlatPullback = (cotangents: readonly Tensor[]) => readonly Tensor[]

interface Call {
  readonly outputs: Results
  readonly aux: Results
  readonly pullBack: FlatPullback
}

/**
 * The vector-Jacobian product: [f(x, …), pullback], where pullback(v) = [vᵀ · ∂f/∂x, …] for cotangents v of the results.
 * Arguments, results and cotangents are tensors, and lists and records of them; all arguments must be float32.
 *
 *   const [y, pullback] = vjp((x: Tensor, w: Tensor) => ops.matmul(x, w), x, w)
 *   const [dx, dw] = pullback(ops.ones(y.shape))
 *
 * With `{ hasAux: true }` after the arguments, the function returns [results, aux] and vjp returns [results, pullback, aux].
 * The function runs once, with the contents of variables at that time. Inside a traced function vjp is part of the trace.
 * @throws ArgumentError for integer arguments and results; the pullback for cotangents of another structure
 *
 * JAX: `jax.vjp`.
 */
export function vjp<Arguments extends readonly unknown[], Outputs, Aux>(
  fn: TensorFunction<Arguments, readonly [Outputs, Aux]>,
  ...primalsAndOptions: [...primals: DataArguments<Arguments>, options: AuxOption]
): [outputs: Outputs, pullback: Pullback<Arguments, Outputs>, aux: Aux]
export function vjp<Arguments extends readonly unknown[], Outputs>(
  fn: TensorFunction<Arguments, Outputs>,
  ...primals: DataArguments<Arguments>
): [outputs: Outputs, pullback: Pullback<Arguments, Outputs>]
export function vjp(fn: UntypedFunction, ...inputs: unknown[]): unknown {
  requireFunction('vjp', fn)
  const options = optionsIn(inputs)
  const hasAux = options !== null && Reflect.get(options, 'hasAux') === true
  const { results, pullback, aux } = withPullback(fn, options === null ? inputs : inputs.slice(0, -1), hasAux)
  return hasAux ? [results, pullback, aux] : [results, pullback]
}

/** The results of a function, and its pullback. */
interface WithPullback {
  readonly results: Tree<Tensor | null | undefined>
  readonly aux: Tree<Tensor | null | undefined>
  /** Maps cotangents to one gradient for each argument. */
  readonly pullback: (cotangents: unknown) => readonly Tree<Tensor | null | undefined>[]
}

/** `vjp` for a list of arguments. @param hasAux whether the function returns [results, aux] */
export function withPullback(fn: UntypedFunction, inputs: readonly unknown[], hasAux: boolean): WithPullback {
  const args = CallArguments.take('vjp', inputs)
  for (let i = 0; i < args.count; i++) args.requireFloats(i)
  const call = (bound: readonly unknown[]): readonly [unknown, unknown] => {
    const result = fn(...bound)
    return hasAux ? pairOf('vjp', result, '[results, aux]') : [result, null]
  }
  const outer = currentTrace()
  const { outputs, aux, pullBack } = outer === null ? runApart(args, call) : runWithin(outer, args, call)
  const shapes = outputs.tensors.map(({ shape }) => shape)
  return {
    results: putBack(outputs.structure, outputs.tensors),
    aux: putBack(aux.structure, aux.tensors),
    pullback: (cotangents) => args.withLeaves(pullBack(takeCotangents(outputs, shapes, cotangents))),
  }
}

/**
 * The options after the arguments, or null. A record of booleans is read as options: as an argument it would have no
 * gradient.
 */
function optionsIn(inputs: readonly unknown[]): object | null {
  const last = inputs.at(-1)
  if (!isBranch(last) || Array.isArray(last)) return null
  const values = Object.values(last)
  if (values.length === 0 || !values.every((value) => typeof value === 'boolean')) return null
  checkOptions('vjp', last, ['hasAux'])
  return last
}

/** Computes vjp inside the active trace. */
function runWithin(
  outer: Trace,
  args: CallArguments,
  call: (bound: readonly unknown[]) => readonly [unknown, unknown],
): Call {
  const bound = args.bind(args.tensors.map((tensor) => outer.alias(tensor)))
  const [outputs, aux] = resultsOf(call(bound))
  const wrt = leavesOf(bound)
  return { outputs, aux, pullBack: (cotangents) => requireSame(outer).pullBack(outputs.tensors, wrt, cotangents) }
}

function requireSame(outer: Trace): Trace {
  if (currentTrace() === outer) return outer
  throw new StateError('vjp: a pullback created inside a traced function or a loop body can only be called there')
}

/**
 * Uses two programs: one for the results and the values the pullback needs, one for the gradients, compiled at
 * the first call.
 */
function runApart(args: CallArguments, call: (bound: readonly unknown[]) => readonly [unknown, unknown]): Call {
  const { tensors } = args
  let place = { nodes: 0, parameters: tensors.length, outputs: 0 }
  let found: readonly [Results, Results] | null = null
  const { graph, runtime } = trace(tensors, (symbols) => {
    const inner = currentTrace()!
    const bound = args.bind(symbols)
    found = resultsOf(call(bound))
    const [outputs, aux] = found
    const results = [...outputs.tensors, ...aux.tensors]
    place = { ...place, nodes: inner.length, outputs: results.length }
    const cotangents = outputs.tensors.map((output) => inner.parameter(output))
    return [...results, ...inner.pullBack(outputs.tensors, leavesOf(bound), cotangents)]
  })
  const [outputs, aux]: readonly [Results, Results] = found!
  const { first, second } = cut(graph, place)
  const values = runOnce(first, runtime, tensors)
  const count = outputs.tensors.length
  return {
    outputs: { ...outputs, tensors: values.slice(0, count) },
    aux: { ...aux, tensors: values.slice(count, place.outputs) },
    pullBack: backward(second, runtime, values.slice(place.outputs)),
  }
}

function runOnce(graph: Graph, runtime: Runtime, parameters: readonly Tensor[]): Tensor[] {
  const program = compileTraced({ graph, runtime })
  try {
    return runProgram(program, parameters)
  } finally {
    program.dispose()
  }
}

function backward(graph: Graph, runtime: Runtime, carried: readonly Tensor[]): FlatPullback {
  let program: Program | null = null
  return (cotangents) => {
    const parameters = [...carried, ...cotangents]
    const outer = currentTrace()
    if (outer !== null) return outer.inline(graph, parameters)
    program ??= compileTraced({ graph, runtime })
    return runProgram(program, parameters)
  }
}

function resultsOf([result, more]: readonly [unknown, unknown]): readonly [Results, Results] {
  const [outputs, aux] = [takeResults('vjp', result), takeResults('vjp: aux', more)]
  const other = outputs.tensors.find(({ dtype }) => dtype !== 'float32')
  if (other !== undefined)
    throw new ArgumentError(
      `vjp: a result is ${other.dtype}, which has no gradient. Pass { hasAux: true } and return it as aux in [results, aux]`,
    )
  return [outputs, aux]
}

function leavesOf(bound: readonly Tree<Tensor | null | undefined>[]): Tensor[] {
  return flatten(bound).filter((leaf) => leaf != null)
}

/** Cotangents in the order of the results. */
function takeCotangents({ structure }: Results, shapes: readonly (readonly number[])[], cotangents: unknown): Tensor[] {
  const leaves = flattenLike(structure, cotangents, 'pullback: the cotangents')
  const paths = pathsOf(structure)
  const places = flatten(structure)
  return leaves.flatMap((leaf, i) => {
    const place = places[i]
    if (typeof place !== 'number') return []
    const where = `pullback: the cotangent${paths[i] === '' ? '' : ` ${paths[i]}`}`
    const tensor = toTensor(leaf, where)
    if (sameShape(tensor.shape, shapes[place]!) && tensor.dtype === 'float32') return [tensor]
    throw new ShapeError(
      `${where} must be float32 ${formatShape(shapes[place]!)}, received ${tensor.dtype} ${formatShape(tensor.shape)}`,
    )
  })
}
