// One call of a layer whose inputs are tensors: the checks before it, the call itself, and the masks and losses of its output.
// What users pass becomes tensors in applying.ts.

import { warn } from '../core/warnings'
import { ArgumentError, MyelinError, restate } from '../core/errors'
import { flatten, mapTree, pathName, pathsOf, unflatten, type Tree } from '../core/tree'
import { divide } from '../ops/numpy/elementwise'
import { Tensor } from '../ops/tensor'
import { Variable } from '../ops/variable'
import { penaltyOf } from '../parts/regularizers/penalty'
import { requireInputs } from './checks'
import { tapped, type CallContext } from './context'
import { requireOne } from './forms'
import { callMethod, type LayerLike } from './layer-like'
import { maskOf, setMask } from './masks'
import { callArguments } from './members'
import { TensorSpec } from './spec'
import { traitsOf } from './traits'
import { stateOf } from './weight-lists'

/** Errors whose message already names the layer where they occurred. */
const placed = new WeakSet<Error>()

/** Adds to errors the layer in which they occurred, and the layers around it. */
export function placing<Result>(layer: LayerLike, body: () => Result): Result {
  try {
    return body()
  } catch (error) {
    if (error instanceof MyelinError) placeError(layer, error)
    throw error
  }
}

/** Adds the name of the layer in which an op refused its operands; the outermost model is not named. */
function placeError(layer: LayerLike, error: MyelinError): void {
  const isPathRoot = traitsOf(layer).isPathRoot ?? false
  const isKnown = error.message.includes(String(layer)) || (isPathRoot && placed.has(error))
  if (!isKnown) restate(error, `${layer}: ${error.message}`)
  placed.add(error)
}

/** @throws ShapeError for a list or a record where the layer takes one tensor */
export function requireForm(layer: LayerLike, input: Tree<unknown>): void {
  if (traitsOf(layer).form?.takesOne === true) requireOne(layer, input)
}

/** The output of a layer with its penalty and its masks. */
export function run(layer: LayerLike, input: Tree<unknown>, context: CallContext): Tree<Tensor> {
  const output = tapped(layer, input, callChecked(layer, input, context))
  const { activityRegularizer } = layer
  if (activityRegularizer !== null) {
    for (const leaf of flatten<Tensor>(output)) {
      // Per sample, so that the penalty does not depend on the batch size.
      context.addLoss(divide(penaltyOf(`${layer}: activityRegularizer`, activityRegularizer, leaf), leaf.shape[0] ?? 1))
    }
  }
  return traitsOf(layer).keepsMasks === true ? output : passMask(layer, input, output, context.mask)
}

/** The output of a layer for an input and masks that fit it. */
export function callChecked(layer: LayerLike, input: Tree<unknown>, context: CallContext): Tree<Tensor> {
  return placing(layer, () => {
    checkShapes(layer, input)
    checkMasks(layer, input, context.mask)
    const { callTree } = traitsOf(layer)
    return checkedOutput(
      layer,
      callTree === undefined ? callByClass(layer, input, context) : callTree(layer, input, context),
    )
  })
}

/** The result of the method `call`. */
export function callByClass(layer: LayerLike, input: Tree<unknown>, context: CallContext): unknown {
  requireForm(layer, input)
  return callMethod(layer, 'call', callArguments(layer, input, stateOf(layer).isApart, context))
}

/** @param input tensors, symbols or specs */
export function checkShapes(layer: LayerLike, input: Tree<unknown>): void {
  // Only layers of users have an inputSpec of their own: those of the library declare `requiredInputs`.
  if (setsInputSpec(layer)) requireInputs(layer, layer.inputSpec, input)
  const { builtFor } = stateOf(layer)
  const { checkShape } = traitsOf(layer)
  // While the layer is being built, the shape fits by definition.
  if (builtFor === null || checkShape === undefined) return
  const built = flatten(builtFor)
  const paths = pathsOf(input)
  flatten(input).forEach((leaf, i) => {
    const spec = built[i]
    if (spec !== undefined && (leaf instanceof Tensor || leaf instanceof TensorSpec))
      checkShape(layer, leaf.shape, spec.shape, paths[i]!)
  })
}

/** Whether the layer, or a class below `Layer`, defines `inputSpec`. */
function setsInputSpec(layer: object): boolean {
  const definitions: object[] = []
  for (let each: unknown = layer; typeof each === 'object' && each !== null; each = Object.getPrototypeOf(each))
    if (Object.hasOwn(each, 'inputSpec')) definitions.push(each)
  return definitions.length > 1
}

function checkMasks(layer: LayerLike, input: Tree<unknown>, mask: Tree<Tensor | null>): void {
  const { checkMask } = traitsOf(layer)
  if (mask === null || checkMask === undefined) return
  const masks = flatten(mask)
  const paths = pathsOf(input)
  flatten(input).forEach((leaf, i) => {
    const maskOfLeaf = masks[i] ?? null
    if (maskOfLeaf !== null && leaf instanceof Tensor) checkMask(layer, maskOfLeaf, leaf.shape, paths[i]!)
  })
}

/** The results of a method. @throws ArgumentError for results that are not tensors */
export function checkedOutput(layer: LayerLike, output: unknown, method = 'call'): Tree<Tensor> {
  if (output instanceof Tensor) return output
  const leaves = flatten<unknown>(output).map((leaf, i) => {
    if (leaf instanceof Tensor) return leaf
    if (leaf instanceof Variable) return leaf.value
    const path = pathsOf(output)[i]!
    const place = path === '' ? '' : ` at ${pathName(path)}`
    throw new ArgumentError(`${layer}: ${method} must return a Tensor, received ${typeof leaf}${place}`)
  })
  return unflatten(output, leaves)
}

/** Warns once of a mask that a layer does not pass on. */
function warnOfMask(layer: LayerLike): void {
  const { warned } = stateOf(layer)
  if (warned.has('mask')) return
  warned.add('mask')
  warn(
    `${layer}: its input has a mask, which this layer does not pass on. Later layers, losses and metrics do not see it.`,
  )
}

/** The output with the masks that follow from those of the input. */
function passMask(
  layer: LayerLike,
  input: Tree<unknown>,
  output: Tree<Tensor>,
  mask: Tree<Tensor | null>,
): Tree<Tensor> {
  const { supportsMasking } = layer
  if (mask !== null && !supportsMasking) warnOfMask(layer)
  const isPassed = supportsMasking && (mask !== null || traitsOf(layer).makesMask?.(layer) === true)
  const inputs = flatten(input)
  // An input that is returned unchanged may get another mask from here on.
  const results = mapTree(output, (leaf) =>
    inputs.includes(leaf) && (isPassed || maskOf(leaf) !== null) ? Tensor.aliasOf(leaf) : leaf,
  )
  if (!isPassed) return results
  const masks = flatten(callMethod(layer, 'computeMask', [input, mask]))
  flatten(results).forEach((leaf, i) => {
    const maskOfLeaf = masks[i]
    // A mask that the layer set itself stays.
    if (maskOfLeaf instanceof Tensor && maskOf(leaf) === null) setMask(leaf, maskOfLeaf)
  })
  return results
}
