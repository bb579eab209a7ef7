// `apply` of a layer: what users pass becomes tensors and a context, and the layer runs; a call on symbols of a functional
// model is recorded.

import { ArgumentError } from '../core/errors'
import { flattenLike, isBranch, mapTree, unflatten, type Tree } from '../core/tree'
import { branchesIntoTensors, toTensor, type TensorLike } from '../ops/convert'
import { stateless } from '../ops/stateless'
import { Tensor } from '../ops/tensor'
import { withScope } from '../ops/trace'
import { keepingLosses } from './added-losses'
import { TENSOR_OPTIONS, readApplyOptions, statesFrom, type ApplyOptions } from './call-options'
import { CallContext, currentFrame, withFrame, withinPath } from './context'
import { outputSpecs, tryCall } from './inference'
import type { LayerLike } from './layer-like'
import { masksOf } from './masks'
import { readCall, type StatelessOptions } from './members'
import { run } from './running'
import { TensorSpec, specOf } from './spec'
import { hasSymbol, originOf, recordCall } from './symbol'
import { traitsOf } from './traits'
import { partsOf, stateOf, stateVariablesOf } from './weight-lists'

/** Calls a layer on one input, or a tree of them. */
export function applyTree<Out extends Tree<Tensor>>(
  layer: LayerLike<Out>,
  input: unknown,
  options: ApplyOptions | CallContext,
): Out
export function applyTree(layer: LayerLike, input: unknown, options: ApplyOptions | CallContext): Tree<Tensor>
export function applyTree(layer: LayerLike, input: unknown, options: ApplyOptions | CallContext): Tree<Tensor> {
  const { record } = traitsOf(layer)
  const isRecorded = hasSymbol(input)
  if (isRecorded && record !== undefined) return record(layer, input)
  const tensors: Tree<unknown> = isRecorded ? input : tensorsOf(layer, input)
  const read = options instanceof CallContext ? options : readOptions(layer, tensors, options)
  if (!(read instanceof CallContext) && read.separate === true) stateOf(layer).isApart = true
  if (isRecorded) return recorded(layer, tensors, read)
  const frame = currentFrame()
  if (!layer.built)
    layer.ensureBuilt(mapTree(tensors, (leaf) => (leaf instanceof Tensor ? specOf(leaf) : new TensorSpec([]))))
  if (frame !== null && frame.layer !== null) requireOwner(layer, frame.layer)
  const context = contextOf(tensors, read, frame?.context)
  const call = (): Tree<Tensor> =>
    withScope(layer.name, () =>
      withinPath(layer.name, () => withFrame(layer, context, () => run(layer, tensors, context))),
    )
  return frame?.layer == null ? keepingLosses(layer, context, call) : call()
}

/** The input as tensors. */
export function tensorsOf(layer: LayerLike, input: unknown): Tree<unknown> {
  const { toTensors } = traitsOf(layer)
  return toTensors === undefined ? tensorsIn(layer, input) : toTensors(layer, input)
}

/** The same for a layer without a rule of its own: data are converted. */
export function tensorsIn(layer: LayerLike, input: unknown): Tree<unknown> {
  if (input instanceof Tensor) return input
  if (!isBranch(input) || !branchesIntoTensors(input)) return toTensor(input, String(layer))
  if (Array.isArray(input)) return input.map((each) => tensorsOf(layer, each))
  return Object.fromEntries(Object.entries(input).map(([key, each]) => [key, tensorsOf(layer, each)]))
}

/** The options of a call, with a mask or null for each input. */
function readOptions(layer: LayerLike, input: Tree<unknown>, passed: ApplyOptions): ApplyOptions {
  const { callOptions = [], masksFor } = traitsOf(layer)
  const options = readApplyOptions(layer, passed, callOptions)
  const { mask, initialState } = options
  if (mask == null && initialState == null) return options
  const masks = mask == null ? null : (masksFor?.(layer, input, mask) ?? masksLike(layer, input, mask))
  return {
    ...options,
    ...(masks === null ? {} : { mask: masks }),
    ...(initialState == null ? {} : { initialState: statesFrom(initialState, `${layer}: initialState`) }),
  }
}

/**
 * Masks as a tree of the inputs' structure.
 * @throws ArgumentError for masks of another structure
 */
export function masksLike(layer: LayerLike, input: Tree<unknown>, mask: Tree<Tensor | null>): Tree<Tensor | null> {
  const where = `${layer}: the mask`
  const read = (each: unknown): Tensor | null => (each === null ? null : toTensor(each, where))
  if (!isBranch(input)) {
    // A list of one mask, as from a flattened tree, stands for that mask.
    const [only, ...others] =
      Array.isArray(mask) && mask.every((each) => each === null || each instanceof Tensor) ? mask : [mask]
    if (others.length === 0) return read(only)
    throw new ArgumentError(`${where} must be one, as there is one input, received a list of ${others.length + 1}`)
  }
  const structure = mapTree(input, () => null)
  return unflatten(structure, flattenLike(structure, mask, where).map(read))
}

/** Records a call on symbols. */
function recorded(layer: LayerLike, input: Tree<unknown>, options: ApplyOptions | CallContext): Tree<Tensor> {
  const specs = mapTree(
    input,
    (leaf) => originOf(leaf)?.spec ?? (leaf instanceof Tensor ? specOf(leaf) : new TensorSpec([])),
  )
  const recordedOptions = options instanceof CallContext ? {} : options
  const outputs = outputSpecs(layer, specs, recordedOptions)
  if (TENSOR_OPTIONS.some((name) => recordedOptions[name] != null)) tryCall(layer, specs, recordedOptions)
  return recordCall(layer, input, { ...recordedOptions }, outputs)
}

/** @throws ArgumentError for a layer with weights that is called inside of another one and does not belong to it */
function requireOwner(layer: LayerLike, owner: object): void {
  if (owner === layer || partsOf(owner).owned.has(layer)) return
  if (layer.weights.length === 0 && stateVariablesOf(layer).length === 0) return
  throw new ArgumentError(
    `${layer} is called inside ${String(owner)} but does not belong to it: its weights would not be trained or saved. Keep it in a property (also inside arrays, records or Maps), or in a #private field as this.track(layer).`,
  )
}

/** The context of a call, in that of the layer around it. */
function contextOf(
  input: Tree<unknown>,
  options: ApplyOptions | CallContext,
  outer: CallContext | undefined,
): CallContext {
  const training = options.training ?? outer?.training ?? false
  // A context that was passed on holds the mask and the states of another layer's input.
  if (options instanceof CallContext) return new CallContext(training, masksOf(input), null, outer ?? options)
  const { mask = masksOf(input), initialState } = options
  const states = initialState == null ? null : statesFrom(initialState, 'initialState')
  return new CallContext(training, mask, states, outer, options)
}

/** `layer.statelessCall`: see there. */
export function statelessCall(
  layer: LayerLike,
  trainable: readonly TensorLike[],
  others: readonly TensorLike[],
  args: readonly unknown[],
): unknown[] {
  const [input, { returnLosses = false, ...options }]: readonly [unknown, StatelessOptions] = readCall(layer, args)
  const where = `${layer}: statelessCall: variables`
  const [[[outputs, losses], state]] = stateless(where, layer.trainableVariables, trainable, () =>
    stateless(where, layer.nonTrainableVariables, others, () => [applyTree(layer, input, options), layer.losses]),
  )
  return returnLosses ? [outputs, state, losses] : [outputs, state]
}
