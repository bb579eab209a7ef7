// A layer, as the functions beside its class use it: what they read of any layer, and the calls of its methods. The class
// itself is in layer.ts, which imports these functions.

import type { Tree } from '../core/tree'
import type { Tensor } from '../ops/tensor'
import type { Variable } from '../ops/variable'
import type { Regularizer } from '../parts/regularizers'
import type { InputSpec, TensorSpec } from './spec'

/** A layer with any inputs, and with outputs of a type. */
export interface LayerLike<Out = unknown> {
  readonly name: string
  readonly built: boolean
  readonly supportsMasking: boolean
  readonly activityRegularizer: Regularizer | null
  readonly inputSpec: InputSpec | readonly InputSpec[] | null
  readonly weights: readonly Variable[]
  readonly trainableVariables: readonly Variable[]
  readonly nonTrainableVariables: readonly Variable[]
  readonly losses: readonly Tensor[]
  call(...inputs: never[]): Out
  computeOutputShape(...inputs: never[]): unknown
  computeOutputSpec(...inputs: never[]): unknown
  computeMask(...inputs: never[]): unknown
  ensureBuilt(input: Tree<TensorSpec>): void
  toString(): string
}

/**
 * Calls a method that classes of users override. Functions know inputs as trees, and a class knows their exact types, which
 * the compiler cannot compare; the caller checks the result.
 */
export function callMethod(
  layer: LayerLike,
  method: 'call' | 'computeMask' | 'computeOutputShape' | 'computeOutputSpec',
  inputs: readonly unknown[],
): unknown {
  return Reflect.apply(layer[method], layer, inputs)
}

/** Calls the `build` of the class. The object has another one, which users call. */
export function callBuildOfClass(layer: object, inputs: readonly unknown[]): void {
  const build: unknown = Reflect.get(Object.getPrototypeOf(layer), 'build')
  if (typeof build === 'function') Reflect.apply(build, layer, inputs)
}

/** Whether a class below `Layer`, or the object itself, defines a method of `Layer` again. */
export function overrides(layer: object, method: 'computeOutputShape' | 'computeOutputSpec'): boolean {
  let first: unknown
  for (let each: unknown = layer; typeof each === 'object' && each !== null; each = Object.getPrototypeOf(each))
    if (Object.hasOwn(each, method)) first = Reflect.get(each, method)
  return Reflect.get(layer, method) !== first
}
