// Connectionist temporal classification: the probability of a sequence of labels whose order is known, but not their
// positions. Graves et al. 2006. The only loss that needs a loop.

import { requireArguments } from '../core/arguments'
import { DataError, ShapeError, formatShape } from '../core/errors'
import { sameShape, type Shape, type TensorType } from '../core/shapes'
import { exactly } from '../core/tuples'
import { asTensor, tensorOrNothing, type TensorLike } from '../ops/convert'
import { ctcValues } from '../ops/nn/ctc'
import { cast, notEqual } from '../ops/numpy/elementwise'
import { sum } from '../ops/numpy/reduce'
import type { Tensor } from '../ops/tensor'
import { requireElements, wrongTargets } from './kinds'
import { Loss, type Counted } from './loss'

/** The class of the blank, which also pads rows of targets. */
const BLANK = 0

/**
 * −ln p(labels) = −ln Σ Π_t p_t(path_t), over all paths of one class per step that become the labels when repeated
 * classes are merged and blanks removed. Two equal labels in a row need a blank between them. If no path is short
 * enough, the loss is about 1e5.
 *
 * Keras: `keras.losses.ctc`.
 * @param yTrue labels [batch, most labels], class numbers from 1 on, padded with 0, the blank
 * @param yPred logits [batch, steps, classes], not probabilities
 * @param mask [batch, steps], true for the steps that count; default all
 * @returns [batch]
 * @throws ShapeError for targets or logits of another rank or another number of rows, and for a mask of another shape
 * @example losses.ctc([[1, 2, 0]], logits)   // logits [1, steps, 3]
 */
export function ctc(yTrue: TensorLike, yPred: TensorLike, mask?: TensorLike | null): Tensor {
  requireArguments('losses.ctc', arguments, 3)
  const labels = cast(asTensor(yTrue, 'yTrue'), 'int32')
  const logits = cast(asTensor(yPred, 'yPred'), 'float32')
  if (labels.rank !== 2)
    throw new ShapeError(`ctc: yTrue must be labels [batch, most labels], received ${formatShape(labels.shape)}`)
  if (logits.rank !== 3)
    throw new ShapeError(`ctc: yPred must be logits [batch, steps, classes], received ${formatShape(logits.shape)}`)
  const batch = labels.shape[0]
  const [rows, steps] = exactly(logits.shape, 3)
  if (rows !== batch)
    throw new ShapeError(
      `ctc: yTrue and yPred must have the same number of rows, received ${formatShape(labels.shape)} and ${formatShape(logits.shape)}`,
    )
  const held = tensorOrNothing(mask, 'mask')
  if (held !== undefined && !sameShape(held.shape, [rows, steps])) {
    throw new ShapeError(
      `ctc: mask must have the shape [batch, steps] of yPred, ${formatShape([rows, steps])}, received ${formatShape(held.shape)}`,
    )
  }
  const lengths = sum(cast(notEqual(labels, BLANK), 'int32'), 1)
  return ctcValues(labels, logits, lengths, held === undefined ? null : cast(held, 'bool'), BLANK)
}

/**
 * −ln p of a sequence of labels whose order is known, but not their positions: yTrue [batch, most labels], class
 * numbers from 1 on, padded with 0, the blank (`padSequences(labels, { padding: 'post' })`); yPred logits [batch,
 * steps, classes]. Masked steps are ignored. Graves et al. 2006.
 *
 * compile() does not accept it by name, because its loop would then be part of every bundle.
 * @example model.compile({ loss: new losses.CTC() })
 */
export class CTC extends Loss {
  static readonly className = 'CTC'

  call(yTrue: Tensor, yPred: Tensor): Tensor {
    return ctc(yTrue, yPred)
  }

  // The mask is per step, but each value covers all steps of a row.
  protected override counted(yTrue: Tensor, yPred: Tensor, mask: Tensor | undefined): Counted {
    return { values: ctc(yTrue, yPred, mask), mask: undefined }
  }

  override targetsFor([batch = 1]: Shape): TensorType {
    return { shape: [batch, 1], dtype: 'int32' }
  }

  override checkTargets(yTrue: Tensor, [, steps = 0, classes = 0]: Shape): void {
    if (yTrue.rank !== 2) throw wrongTargets(this.name, 'the shape', [0, 'most labels'], yTrue.shape, '')
    requireElements(
      this.name,
      yTrue,
      (x) => Number.isInteger(x) && x >= 0 && x < classes,
      `class numbers 1 … ${classes - 1}, padded with 0`,
    )
    const { data } = yTrue
    const most = yTrue.shape[1]!
    for (let row = 0; row * most < data.length; row++) {
      const labels = [...data.subarray(row * most, (row + 1) * most)]
      const length = labels.includes(BLANK) ? labels.indexOf(BLANK) : most
      if (labels.slice(length).some((label) => label !== BLANK)) {
        throw new DataError(
          `${this.name}: 0 is the blank, which may only pad the end of a row, received [${labels.join(', ')}] in row ${row}. Use padSequences with padding: 'post'.`,
        )
      }
      const repeats = labels.slice(1, length).filter((label, i) => label === labels[i]).length
      if (length + repeats > steps) {
        throw new DataError(
          `${this.name}: ${length} labels, ${repeats} of them repeated, need ${length + repeats} steps or more, the model has ${steps}; row ${row}`,
        )
      }
    }
  }
}
