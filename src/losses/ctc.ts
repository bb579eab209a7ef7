// Connectionist temporal classification: the probability of a sequence of labels whose order is known, but not their
// positions. Graves et al. 2006. The only loss that needs a loop.

import { requireArguments } from '../core/arguments'
import { DataError, ShapeError, formatShape } from '../core/errors'
import type { Shape, TensorType } from '../core/shapes'
import { sameShape } from '../core/shapes'
import { logSoftmax } from '../ops/nn/activations'
import type { TensorLike } from '../ops/convert'
import { asTensor, tensorOrNothing } from '../ops/convert'
import {
  add,
  cast,
  equal,
  exp,
  log,
  logicalAnd,
  logicalOr,
  maximum,
  multiply,
  negative,
  notEqual,
  stopGradient,
  subtract,
  where,
} from '../ops/numpy/elementwise'
import { takeAlongAxis } from '../ops/numpy/rearrange'
import { logSumExp, sum } from '../ops/numpy/reduce'
import { scan } from '../ops/control/scan'
import { arange, concatenate, expandDims, full, reshape, slice, stack, transpose, zeros } from '../ops/numpy/shape'
import type { Tensor } from '../ops/tensor'
import { requireElements, wrongTargets } from './kinds'
import type { Counted } from './loss'
import { Loss } from './loss'
import { NOTHING } from './values'

/** The class of no label, which also pads rows of targets. */
const BLANK = 0

/**
 * −ln p(labels) = −ln Σ Π_t p_t(path_t), over all paths of one class per step that become the labels when repeated
 * classes are merged and blanks removed. Two equal labels in a row need a blank between them. If no path is short
 * enough, the loss is about 1e9.
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
  const [batch, most] = labels.shape as [number, number]
  const [rows, steps] = logits.shape as [number, number]
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
  // Blanks before, between and after the labels: ∅ a ∅ b ∅
  const states = concatenate(
    [reshape(stack([blanks([batch, most]), labels], 2), [batch, 2 * most]), blanks([batch, 1])],
    1,
  )
  const count = 2 * most + 1
  const at = arange(0, count, 1, 'int32')

  // A path may stay, move to the next state, or skip a blank between two different labels.
  const isJump = logicalAnd(
    notEqual(states, BLANK),
    notEqual(states, slice(concatenate([blanks([batch, 2]), states], 1), [0, 0], [batch, count])),
  )
  const emitted = takeAlongAxis(logSoftmax(logits), expandDims(states, 1), 2)
  const start = where(equal(at, 0), full([batch, count], 0), NOTHING)
  const isHeld = held === undefined ? null : transpose(cast(held, 'bool'))

  // α_t(s) = ln Σ of the paths that are in state s after step t
  const turn = (alpha: Tensor, emission: Tensor): Tensor => {
    const before = concatenate([full([batch, 2], NOTHING), alpha], 1)
    const next = slice(before, [0, 1], [batch, count])
    const jump = where(isJump, slice(before, [0, 0], [batch, count]), NOTHING)
    return add(logAdd(alpha, next, jump), emission)
  }
  const emissions = transpose(emitted, [1, 0, 2])
  const [alpha] =
    isHeld === null
      ? scan((alpha, emission) => [turn(alpha, emission), null], start, emissions)
      : scan((alpha, [emission, counts]) => [where(expandDims(counts, 1), turn(alpha, emission), alpha), null], start, [
          emissions,
          isHeld,
        ])

  // The last state is the last label or the blank after it.
  const end = multiply(sum(cast(notEqual(labels, BLANK), 'int32'), 1, true), 2)
  return negative(logSumExp(where(logicalOr(equal(at, end), equal(at, subtract(end, 1))), alpha, NOTHING), 1))
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

const blanks = (shape: readonly number[]): Tensor => zeros(shape, 'int32')

/** ln(eᵃ + eᵇ + eᶜ) of finite numbers. */
function logAdd(a: Tensor, b: Tensor, c: Tensor): Tensor {
  const largest = stopGradient(maximum(maximum(a, b), c))
  const part = (x: Tensor): Tensor => exp(subtract(x, largest))
  return add(log(add(add(part(a), part(b)), part(c))), largest)
}
