// Shared parts of loss functions: reading options, converting targets and predictions, and the mean over the last axis. The functions
// are in files by family.

import { requireArguments } from '../core/arguments'
import { functionOptions, type OptionInputs, type OptionTable, type ValuesOf } from '../core/options'
import { normalizeAxis } from '../core/shapes'
import { asTensor, type TensorLike } from '../ops/convert'
import { cast, notEqual } from '../ops/numpy/elementwise'
import { mean } from '../ops/numpy/reduce'
import { reshape } from '../ops/numpy/shape'
import type { Tensor } from '../ops/tensor'
import { alignRanks } from './sample-weights'

/** Keeps logarithms of probabilities and quotients finite: Keras's `backend.epsilon()`. */
export const EPSILON = 1e-7

/** Replaces −∞ as the logarithm of an excluded value: its exponential is 0, and gradients stay finite. */
export const NOTHING = -1e9

/**
 * The options of a loss function (yTrue, yPred, options).
 * @param name of the function, for errors
 * @throws ArgumentError for unknown options, and for more than three arguments
 */
export function optionsOf<Table extends OptionTable>(
  name: string,
  args: ArrayLike<unknown>,
  table: Table,
  options: OptionInputs<Table> | ValuesOf<Table>,
): ValuesOf<Table> {
  requireArguments(`losses.${name}`, args, 3)
  return functionOptions(name, table, options)
}

/** Targets and predictions as float32 tensors of equal rank. */
export function floats(yTrue: TensorLike, yPred: TensorLike): [Tensor, Tensor] {
  return alignRanks(cast(asTensor(yTrue, 'yTrue'), 'float32'), cast(asTensor(yPred, 'yPred'), 'float32'))
}

/** The mean over an axis; a scalar is returned unchanged. */
export function meanOver(x: Tensor, axis = -1): Tensor {
  return x.rank === 0 ? x : mean(x, { axis })
}

/** One class number per output: yTrue may have an axis of 1 in place of the classes. */
export function classNumbers(yTrue: Tensor, yPred: Tensor, axis: number): Tensor {
  const at = normalizeAxis('sparseCategoricalCrossentropy', axis, yPred.rank)
  return reshape(
    cast(yTrue, 'int32'),
    yPred.shape.filter((_, i) => i !== at),
  )
}

/** Which samples count: those whose class is not `ignoreClass`. The mask has the shape of the values. */
export function classMask(
  yTrue: Tensor,
  yPred: Tensor,
  { ignoreClass, axis }: { ignoreClass: number; axis: number },
): Tensor {
  return notEqual(classNumbers(yTrue, yPred, axis), ignoreClass)
}
