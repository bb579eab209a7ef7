// The most probable labels of CTC logits: greedy, or with a beam search.

import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import { boolean, choice, nullable } from '../../core/options'
import { sameShape } from '../../core/shapes'
import { exactly } from '../../core/tuples'
import { asTensor } from '../convert'
import { operand, whole } from '../kinds'
import { sliceAlong } from '../numpy/along'
import { cast, equal, greaterEqual, negative, where } from '../numpy/elementwise'
import { takeAlongAxis } from '../numpy/rearrange'
import { argmax, max, sum } from '../numpy/reduce'
import { arange, concatenate, expandDims, zeros } from '../numpy/shape'
import { argsort } from '../numpy/sorting'
import { arg, op, optional } from '../op'
import type { Tensor } from '../tensor'
import { isData } from '../trace'
import { logSoftmax } from './activations'
import { searchBeams } from './ctc-beams'

export interface CtcDecodeOptions {
  /** 'greedy': the best class of each step. 'beamSearch': the best sums over paths. Default greedy. */
  readonly strategy?: 'greedy' | 'beamSearch' | 'beam_search'
  /** How many prefixes a beam search keeps. Default 100. */
  readonly beamWidth?: number
  /** How many results a beam search gives. Default 1. */
  readonly topPaths?: number
  /** Whether the greedy strategy merges repeated classes. A beam search always does. Default true. */
  readonly mergeRepeated?: boolean
  /** The class number of the blank; null for the last class. Default 0. */
  readonly maskIndex?: number | null
}

export const ctcDecode = op(
  () => [
    arg('inputs', operand),
    arg('sequenceLengths', operand),
    optional('strategy', choice('greedy', 'beamSearch')),
    optional('beamWidth', whole(1)),
    optional('topPaths', whole(1)),
    optional('mergeRepeated', boolean),
    optional('maskIndex', nullable(whole(0))),
  ],
  {
    /**
     * The labels of CTC logits: repeated classes are merged and blanks removed, and −1 fills the rest. Keras:
     * `keras.ops.ctc_decode`.
     * @param inputs logits [batch, steps, classes], not probabilities
     * @param sequenceLengths the number of steps in each row, [batch]
     * @param strategy 'greedy' takes the best class of each step; 'beamSearch' finds the labels with the most probable paths, on
     *   data only. Default greedy
     * @param beamWidth how many prefixes a beam search keeps. Default 100
     * @param topPaths how many results a beam search gives. Default 1
     * @param mergeRepeated whether the greedy strategy merges repeated classes. Default true
     * @param maskIndex the class number of the blank; null for the last class. Default 0
     * @returns the labels, int32 [1, batch, steps], and −Σ of the best logits [batch, 1]; of a beam search the labels [topPaths,
     *   batch, steps], and their log probabilities [batch, topPaths]
     * @throws ShapeError for inputs of other shapes; ArgumentError for a beam search in a traced function
     * @example const [labels, scores] = ops.ctcDecode(logits, [10], 'beamSearch')
     */
    ctcDecode(
      inputs,
      sequenceLengths,
      strategy: CtcDecodeOptions['strategy'] = 'greedy',
      beamWidth = 100,
      topPaths = 1,
      mergeRepeated = true,
      maskIndex = 0,
    ): [labels: Tensor, scores: Tensor] {
      const name = 'ctcDecode'
      const [logits, lengths] = [
        cast(asTensor(inputs, name), 'float32'),
        cast(asTensor(sequenceLengths, name), 'int32'),
      ]
      const [batch = 0, steps = 0, classes = 0] = logits.shape
      if (logits.rank !== 3 || !sameShape(lengths.shape, [batch]) || steps === 0 || classes === 0)
        throw new ShapeError(
          `${name}: expected logits [batch, steps, classes] and lengths [batch], received ${formatShape(logits.shape)} and ${formatShape(lengths.shape)}`,
        )
      const blank = maskIndex ?? classes - 1
      if (blank >= classes)
        throw new ArgumentError(
          `${name}: maskIndex must be less than the number of classes ${classes}, received ${blank}`,
        )
      if (strategy === 'greedy') return decodeGreedily(logits, lengths, mergeRepeated, blank)
      if (![logits, lengths].every(isData))
        throw new ArgumentError(`${name}: a beam search works on data. In a traced function use strategy: 'greedy'`)
      if (!mergeRepeated) throw new ArgumentError(`${name}: a beam search always merges repeated classes`)
      return searchBeams(logSoftmax(logits), lengths, beamWidth, topPaths, blank)
    },
  },
)

function decodeGreedily(logits: Tensor, lengths: Tensor, merge: boolean, blank: number): [Tensor, Tensor] {
  const [batch, steps] = exactly(logits.shape, 3)
  const at = arange(0, steps, 1, 'int32')
  const isAfter = greaterEqual(at, expandDims(lengths, 1))
  const best = where(isAfter, blank, argmax(logits, -1))
  const isRepeated = merge
    ? concatenate(
        [zeros([batch, 1], 'bool'), equal(sliceAlong(best, 1, 1, steps - 1), sliceAlong(best, 1, 0, steps - 1))],
        1,
      )
    : zeros([batch, steps], 'bool')
  const merged = where(isRepeated, blank, best)
  const isBlank = equal(merged, blank)
  // The sort is stable: labels keep their order, blanks follow.
  const labels = takeAlongAxis(where(isBlank, -1, merged), argsort(cast(isBlank, 'int32'), -1), 1)
  const scores = sum(where(isAfter, 0, max(logits, -1)), 1, true)
  return [expandDims(labels, 0), negative(scores)]
}
