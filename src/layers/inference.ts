// The specs of a layer's output for specs of its input: those that its class computes, or found by tracing `call`.

import { ArgumentError, restating } from '../core/errors'
import { flatten, mapTree, unflatten, type Tree } from '../core/tree'
import type { Tensor } from '../ops/tensor'
import { STRINGS, trace, untraced } from '../ops/trace'
import { assumedTypes, statesFrom, type ApplyOptions } from './call-options'
import { CallContext, whileInferring, withFrame } from './context'
import { callMethod, overrides, type LayerLike } from './layer-like'
import { callChecked, checkShapes, placing, requireForm } from './running'
import { commonSpecs, tracedForExtents, type AssumedExtents } from './shape-inference'
import { TensorSpec, shapesOf, specsFrom, type SpecsOf } from './spec'
import { inputDtypeOf, traitsOf } from './traits'

/** The specs of the results for inputs of these specs; builds the layer. */
export function outputSpecs<Out extends Tree<Tensor>>(
  layer: LayerLike<Out>,
  inputs: Tree<TensorSpec>,
  options?: ApplyOptions,
): SpecsOf<Out>
export function outputSpecs(layer: LayerLike, inputs: Tree<TensorSpec>, options?: ApplyOptions): Tree<TensorSpec>
export function outputSpecs(layer: LayerLike, inputs: Tree<TensorSpec>, options: ApplyOptions = {}): Tree<TensorSpec> {
  const specs = traitsOf(layer).inputSpecs?.(layer, inputs) ?? inputs
  layer.ensureBuilt(specs)
  return placing(layer, () => {
    checkShapes(layer, specs)
    return specsOfOutput(layer, specs, options)
  })
}

/** The same without checks, for a layer that is built. */
export function specsOfOutput(layer: LayerLike, specs: Tree<TensorSpec>, options: ApplyOptions): Tree<TensorSpec> {
  const { outputTree } = traitsOf(layer)
  return outputTree === undefined ? specsByClass(layer, specs, options) : outputTree(layer, specs, options)
}

/** The specs by `computeOutputSpec` or `computeOutputShape`, if the class overrides one of them; else traced. */
export function specsByClass(layer: LayerLike, specs: Tree<TensorSpec>, options: ApplyOptions): Tree<TensorSpec> {
  requireForm(layer, specs)
  if (overrides(layer, 'computeOutputSpec')) return specsFrom(callMethod(layer, 'computeOutputSpec', [specs, options]))
  const { form = {}, outputDtype } = traitsOf(layer)
  if (!overrides(layer, 'computeOutputShape') && form.keepsShape !== true)
    return tracedOutputSpecs(layer, specs, options)
  const dtypes = flatten(specs).map((spec) => spec.dtype)
  if (dtypes.includes('string') && inputDtypeOf(layer) !== 'string') throw new ArgumentError(`${layer}: ${STRINGS}`)
  const dtype = outputDtype?.(layer, dtypes) ?? form.dtype?.(dtypes) ?? 'float32'
  const shapes = callMethod(layer, 'computeOutputShape', [shapesOf(specs)])
  return mapTree(specsFrom(shapes), ({ shape }) => new TensorSpec(shape, dtype))
}

/** The specs of the outputs, inferred by tracing `call`; an extent that depends on an open one is open. */
export function tracedOutputSpecs<Out extends Tree<Tensor>>(
  layer: LayerLike<Out>,
  specs: Tree<TensorSpec>,
  options?: ApplyOptions,
): SpecsOf<Out>
export function tracedOutputSpecs(layer: LayerLike, specs: Tree<TensorSpec>, options?: ApplyOptions): Tree<TensorSpec>
export function tracedOutputSpecs(
  layer: LayerLike,
  specs: Tree<TensorSpec>,
  options: ApplyOptions = {},
): Tree<TensorSpec> {
  layer.ensureBuilt(specs)
  return commonSpecs(traceAll(layer, specs, options))
}

/** Calls the layer on symbols once: its inner layers create their weights then. */
export function traceOnce(layer: LayerLike, specs: Tree<TensorSpec>): void {
  traceAll(layer, specs, {}, 1)
}

/** Tries the call on specs, so that wrong options fail now and not when data arrive. */
export function tryCall(layer: LayerLike, specs: Tree<TensorSpec>, options: ApplyOptions): void {
  const tried = (extents: AssumedExtents): unknown =>
    restating(
      (message) => `${message} (with ${extents.length} for the extents that are open)`,
      () => traceFor(layer, specs, extents, options),
    )
  tracedForExtents(flatten(specs), tried, 1)
}

/** The outputs of `call` as symbols of temporary traces, each for other values of open extents; `most` of them. */
function traceAll(
  layer: LayerLike,
  specs: Tree<TensorSpec>,
  options: ApplyOptions,
  most?: number,
): readonly Tree<Tensor>[] {
  return tracedForExtents(flatten(specs), (extents) => traceFor(layer, specs, extents, options), most)
}

function traceFor(
  layer: LayerLike,
  specs: Tree<TensorSpec>,
  extents: AssumedExtents,
  options: ApplyOptions,
): Tree<Tensor> {
  const { types, said } = assumedTypes(specs, extents, options)
  let output: Tree<Tensor> | null = null
  untraced(() =>
    whileInferring(() =>
      trace(types, (symbols) => {
        const input: Tree<unknown> = unflatten<Tensor>(specs, symbols)
        const { training = false, mask = null, initialState = null, ...others } = said(symbols)
        const states = initialState === null ? null : statesFrom(initialState, `${layer}: initialState`)
        const context = new CallContext(training, mask, states, undefined, others)
        output = withFrame(layer, context, () => callChecked(layer, input, context))
        return []
      }),
    ),
  )
  return output!
}
