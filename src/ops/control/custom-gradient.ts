// Functions with a gradient that the user writes. The results pass through a loop of one iteration, which changes nothing and
// disappears from the plan; its pass for the gradient is the user's function, recorded as a graph.

import { callback } from '../kinds'
import { arg, opOf } from '../op'
import { ShapeError, formatShape } from '../../core/errors'
import { sameShape, type TensorType } from '../../core/shapes'
import { flatten, flattenLike, structureOf, type Tree } from '../../core/tree'
import type { Graph, Node, Value } from '../../engine/ir/graph'
import { Body, operandsOf } from '../../engine/ir/region'
import { AllLoopPasses } from '../../engine/tape/loop-passes'
import { GraphBuilder } from '../../engine/transforms/builder'
import type { BackwardPass } from '../../engine/transforms/loops'
import { pairOf, type DataArguments, type TensorFunction } from '../transform'
import { toTensor } from '../convert'
import { CallArguments, putBack, takeResults, type Results } from '../signature'
import { zerosLike } from '../numpy/shape'
import type { Tensor } from '../tensor'
import { currentTrace } from '../trace'
import { RegionTrace } from './region'
import { requireFunction, type UntypedFunction } from '../arguments'

/** The signatures of `customGradient`. */
interface CustomGradient {
  /**
   * A function whose gradient the user gives. `f` returns [result, gradient]; gradient(upstream) gets the cotangents of the
   * result, with its structure, and returns those of the arguments: a list with one element for each argument or, for a
   * single argument, just its cotangents. It may use all values that f computed. No other gradient flows, in particular none to values
   * that f reads from outside; the gradient of the gradient is that of the ops in `gradient` and of the values that it uses.
   * @throws ArgumentError or ShapeError when the gradients do not have the structure and shapes of the arguments
   * @example
   * const log1pexp = ops.customGradient((x: Tensor) => {
   *   const e = ops.exp(x)
   *   return [ops.log(ops.add(1, e)), (upstream: Tensor) => ops.multiply(upstream, ops.subtract(1, ops.divide(1, ops.add(1, e))))]
   * })
   *
   * JAX: `jax.custom_gradient`.
   */
  <Arguments extends readonly unknown[], Result>(
    f: TensorFunction<Arguments, readonly [Result, (upstream: Result) => unknown]>,
  ): (...inputs: DataArguments<Arguments>) => Result
}

export const customGradient = opOf<CustomGradient>(() => [arg('f', callback)], {
  customGradient(f: UntypedFunction) {
    return (...inputs: readonly unknown[]) => {
      const args = CallArguments.take('customGradient', inputs)
      const outer = currentTrace()
      const bound = outer === null ? args.withLeaves(args.contents) : args.bind(args.tensors)
      const [result, gradient] = pairOf('customGradient', f(...bound), '[result, gradient]')
      requireFunction('customGradient: the gradient', gradient)
      const results = takeResults('customGradient', result)
      if (outer === null) return putBack(results.structure, results.tensors)
      const tensors = flatten(bound).filter((leaf): leaf is Tensor => leaf != null)
      const upstream = results.tensors.map(({ shape }): TensorType => ({ shape, dtype: 'float32' }))
      const { graph, captures } = new RegionTrace(outer).record(upstream, 'customGradient: the gradient', (symbols) =>
        gradientsOf(gradient(putBack(results.structure, symbols)), bound),
      )
      const operands = [...results.tensors, ...tensors, ...captures]
      const body = new Body(identity(operands, results), new CustomGradientPasses(graph, tensors.length))
      const attributes = { body, length: 1, carries: results.tensors.length, scanned: 0, reverse: false }
      return putBack(results.structure, outer.apply('loop', operands, attributes))
    }
  },
})

/** The gradient of each leaf of the arguments. */
function gradientsOf(result: unknown, bound: readonly Tree<Tensor | null | undefined>[]): Tensor[] {
  const isOne = bound.length === 1 && !(Array.isArray(result) && structureOf(result) === structureOf(bound))
  const leaves = flattenLike(bound, isOne ? [result] : result, 'customGradient: the gradients')
  return flatten(bound).flatMap((argument, i) => {
    if (argument == null) return []
    const leaf = leaves[i]
    if (argument.dtype !== 'float32' || leaf === null || leaf === undefined) return [zerosLike(argument, 'float32')]
    const gradient = toTensor(leaf, 'customGradient: the gradient')
    if (gradient.dtype === 'float32' && sameShape(gradient.shape, argument.shape)) return [gradient]
    throw new ShapeError(
      `customGradient: the gradient of ${formatShape(argument.shape)} must be float32 with that shape, received ${gradient.dtype} ${formatShape(gradient.shape)}`,
    )
  })
}

/** [...results, ...others] → results */
function identity(operands: readonly TensorType[], { tensors }: Results): Graph {
  const builder = new GraphBuilder()
  const parameters = operands.map((operand) => builder.parameter(operand))
  return builder.finish(parameters.slice(0, tensors.length))
}

/** The gradient is another graph: [...cotangents of the results, ...captures] → gradients of the arguments. */
class CustomGradientPasses extends AllLoopPasses {
  constructor(
    private readonly gradient: Graph,
    private readonly argumentCount: number,
  ) {
    super()
  }

  private argumentsOf(node: Node<'loop'>): readonly Value[] {
    return operandsOf(node, node.inputs).captures.slice(0, this.argumentCount)
  }

  override readonly dependents = (node: Node<'loop'>, carriers: ReadonlySet<Value>): Value[] =>
    this.argumentsOf(node).some((argument) => carriers.has(argument)) ? [...node.outputs] : []

  override readonly pullBack = (node: Node<'loop'>, { back, carriers, cotangents }: BackwardPass): void => {
    const { parameters, nodes, outputs } = this.gradient
    const received = node.outputs.map(
      (output, i) => cotangents.total(output) ?? back.e.zeros({ ...parameters[i]!, dtype: 'float32' }),
    )
    const captures = operandsOf(node, node.inputs).captures.slice(this.argumentCount)
    const values = new Map<Value, Value>()
    const operands = [...received, ...captures]
    parameters.forEach((parameter, i) => values.set(parameter, operands[i]!))
    for (const each of nodes) {
      const made = back.copy(
        each,
        each.inputs.map((input) => values.get(input)!),
      )
      each.outputs.forEach((output, i) => values.set(output, made[i]!))
    }
    this.argumentsOf(node).forEach((argument, i) => {
      if (carriers.has(argument)) cotangents.add(argument, values.get(outputs[i]!)!)
    })
  }
}
