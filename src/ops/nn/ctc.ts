// Connectionist temporal classification: the probability of a sequence of labels whose order is known, but not their
// positions. Graves et al. 2006.

import { DataError, ShapeError, formatShape } from '../../core/errors'
import { sameShape } from '../../core/shapes'
import { exactly } from '../../core/tuples'
import { asTensor } from '../convert'
import { scan } from '../control/scan'
import { operand, whole } from '../kinds'
import { sliceAlong } from '../numpy/along'
import { add, cast, clip, equal, greater, less, logicalAnd, negative, where } from '../numpy/elementwise'
import { logaddexp } from '../numpy/functions'
import { takeAlongAxis } from '../numpy/rearrange'
import { sum } from '../numpy/reduce'
import { arange, concatenate, expandDims, full, transpose, zeros } from '../numpy/shape'
import { arg, op, optional } from '../op'
import type { Tensor } from '../tensor'
import { isData } from '../trace'
import { logSoftmax } from './activations'

/** The logarithm of the probability of an excluded path, as in Keras. */
const EXCLUDED = -1e5

export const ctcLoss = op(
  () => [
    arg('target', operand),
    arg('output', operand),
    arg('targetLength', operand),
    arg('outputLength', operand),
    optional('maskIndex', whole(0)),
  ],
  {
    /**
     * −ln p(labels) = −ln Σ Π_t p_t(path_t), over all paths of one class per step that become the labels when repeated classes
     * are merged and blanks removed. Two equal labels in a row need a blank between them. If no path is short enough, the loss is
     * about 1e5. Keras: `keras.ops.ctc_loss`.
     * @param target labels [batch, most labels], class numbers, padded with any number
     * @param output logits [batch, steps, classes], not probabilities
     * @param targetLength the number of labels in each row, [batch]
     * @param outputLength the number of steps in each row, [batch]
     * @param maskIndex the class number of the blank. Default 0
     * @returns [batch]
     * @throws ShapeError for operands of other shapes; DataError for labels that are not classes and for lengths that are too
     *   large, when they are data
     * @example ops.ctcLoss([[1, 2, 0]], logits, [2], [10])   // logits [1, 10, 3]
     */
    ctcLoss(target, output, targetLength, outputLength, maskIndex = 0): Tensor {
      const [labels, lengths, stepCounts] = exactly(
        [target, targetLength, outputLength].map((each) => cast(asTensor(each, 'ctcLoss'), 'int32')),
        3,
      )
      const logits = cast(asTensor(output, 'ctcLoss'), 'float32')
      const [batch = 0, most = 0] = labels.shape
      const [rows, steps = 0, classes = 0] = logits.shape
      if (labels.rank !== 2 || logits.rank !== 3 || rows !== batch || classes === 0)
        throw new ShapeError(
          `ctcLoss: expected labels [batch, most labels] and logits [batch, steps, classes], received ${formatShape(labels.shape)} and ${formatShape(logits.shape)}`,
        )
      requireLengths('targetLength', lengths, batch, most)
      requireLengths('outputLength', stepCounts, batch, steps)
      if (maskIndex >= classes)
        throw new ShapeError(
          `ctcLoss: maskIndex must be less than the number of classes ${classes}, received ${maskIndex}`,
        )
      requireLabels(labels, lengths, classes)
      const counts = less(arange(0, steps, 1, 'int32'), expandDims(stepCounts, 1))
      return ctcValues(labels, logits, clip(lengths, 0, most), counts, maskIndex)
    },
  },
)

function requireLengths(name: string, lengths: Tensor, batch: number, most: number): void {
  if (!sameShape(lengths.shape, [batch]))
    throw new ShapeError(`ctcLoss: ${name} must be [batch], here [${batch}], received ${formatShape(lengths.shape)}`)
  const wrong = isData(lengths) ? lengths.data.find((length) => length < 0 || length > most) : undefined
  if (wrong !== undefined) throw new DataError(`ctcLoss: ${name} must be between 0 and ${most}, received ${wrong}`)
}

function requireLabels(labels: Tensor, lengths: Tensor, classes: number): void {
  if (!isData(labels) || !isData(lengths)) return
  const most = labels.shape[1]!
  const wrong = labels.data.findIndex(
    (label, i) => i % most < lengths.data[Math.floor(i / most)]! && !(label >= 0 && label < classes),
  )
  if (wrong >= 0)
    throw new DataError(
      `ctcLoss: labels must be class numbers 0 … ${classes - 1}, received ${labels.data[wrong]} in row ${Math.floor(wrong / most)}`,
    )
}

/**
 * The losses of checked operands: labels [batch, most], logits [batch, steps, classes], lengths [batch] → [batch].
 * @param counts which steps count, [batch, steps]; null for all
 */
export function ctcValues(
  labels: Tensor,
  logits: Tensor,
  lengths: Tensor,
  counts: Tensor | null,
  blank: number,
): Tensor {
  const [batch, most] = exactly(labels.shape, 2)
  const classes = logits.shape[2]!
  const logP = logSoftmax(logits)
  const isClass = logicalAnd(greater(labels, -1), less(labels, classes))
  const ofLabels = where(expandDims(isClass, 1), takeAlongAxis(logP, expandDims(clip(labels, 0, classes - 1), 1), 2), 0)
  const ofBlank = sliceAlong(logP, 2, blank, 1)

  // Whether the next label is the same. Between equal labels, a path must pass the blank; between others it may.
  const pairs = Math.max(most - 1, 0)
  const repeats = concatenate(
    [
      equal(sliceAlong(labels, 1, 0, pairs), sliceAlong(labels, 1, most - pairs, pairs)),
      zeros([batch, most - pairs], 'bool'),
    ],
    1,
  )
  const [direct, throughBlank] = [where(repeats, EXCLUDED, 0), where(repeats, 0, EXCLUDED)]

  // After step t: phi[n] = ln Σ of the paths that passed n labels and are ready for the next; emit[n] = ln Σ of those that are
  // at label n.
  const entered = (phi: Tensor, score: Tensor): Tensor =>
    concatenate([sliceAlong(phi, 1, 0, 1), logaddexp(sliceAlong(phi, 1, 1, most), score)], 1)
  const step = ([phi, emit]: readonly [Tensor, Tensor], [label, pause]: readonly [Tensor, Tensor]) => {
    const ready = entered(phi, add(emit, direct))
    const next = add(logaddexp(sliceAlong(ready, 1, 0, most), emit), label)
    return [entered(add(ready, pause), add(add(emit, pause), throughBlank)), next] as const
  }
  const start = [
    concatenate([zeros([batch, 1]), full([batch, most], EXCLUDED)], 1),
    full([batch, most], EXCLUDED),
  ] as const
  const steps = [transpose(ofLabels, [1, 0, 2]), transpose(ofBlank, [1, 0, 2])] as const
  const [[phi, emit]] =
    counts === null
      ? scan((state, x) => [step(state, x), null], start, steps)
      : scan(
          (state, [isCounted, x]) => {
            const [ready, at] = step(state, x)
            const held = expandDims(isCounted, 1)
            return [[where(held, ready, state[0]), where(held, at, state[1])] as const, null]
          },
          start,
          [transpose(cast(counts, 'bool')), steps] as const,
        )
  const isEnd = equal(arange(0, most + 1, 1, 'int32'), expandDims(lengths, 1))
  return negative(sum(where(isEnd, entered(phi, emit), 0), 1))
}
