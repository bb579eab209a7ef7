// Calibration of a classifier: whether its accuracy equals its confidence.

import { requireArguments } from '../core/arguments'
import { DataError, ShapeError, formatShape } from '../core/errors'
import { option, readOptions, tableSize } from '../core/options'
import { toTensor, type TensorLike } from '../ops/convert'
import { classesOf, largestIn } from './labels'

export interface ReliabilityOptions {
  /** The number of bins of equal width between 0 and 1. Default 15. */
  readonly bins?: number
}

/** The predictions whose confidence lies in (from, to]. */
export interface ReliabilityBin {
  readonly from: number
  readonly to: number
  readonly count: number
  /** The mean confidence; NaN in an empty bin. */
  readonly confidence: number
  /** The fraction of correct predictions; NaN in an empty bin. */
  readonly accuracy: number
}

export interface ReliabilityDiagram {
  /** In order of confidence. */
  readonly bins: readonly ReliabilityBin[]
  /** Σ count / n · |accuracy − confidence| over the bins. */
  readonly expectedCalibrationError: number
  /** The largest |accuracy − confidence| of a bin. */
  readonly maximumCalibrationError: number
  /** The fraction of all predictions that are correct. */
  readonly accuracy: number
  /** The mean confidence of all predictions. */
  readonly confidence: number
}

const table = { bins: option(tableSize(), 15) }

/** The allowed rounding error of probabilities. */
const SLACK = 1e-4

/**
 * Bins predictions by confidence, with the accuracy of each bin. The confidence is the largest probability of a row;
 * for a single probability p of class 1, max(p, 1 − p).
 * @param probabilities [rows, classes], or of class 1 [rows] or [rows, 1]
 * @param labels class numbers [rows], or one-hot rows
 * @throws DataError for numbers that are not probabilities, and for a class that does not exist; ShapeError for shapes
 * that do not fit
 * Guo et al. 2017, "On calibration of modern neural networks".
 */
export function reliabilityDiagram(
  probabilities: TensorLike,
  labels: TensorLike,
  options: ReliabilityOptions = {},
): ReliabilityDiagram {
  requireArguments('reliabilityDiagram', arguments, 3)
  return inBins('reliabilityDiagram', probabilities, labels, options)
}

/**
 * The weighted mean distance of confidence and accuracy: Σ count / n · |accuracy − confidence| over 15 bins of
 * confidence. 0 is perfect. The arguments are those of reliabilityDiagram.
 *
 *   expectedCalibrationError(await model.predict(xTest), yTest)   // 0.03
 *
 * Naeini et al. 2015; Guo et al. 2017.
 */
export function expectedCalibrationError(
  probabilities: TensorLike,
  labels: TensorLike,
  options: ReliabilityOptions = {},
): number {
  requireArguments('expectedCalibrationError', arguments, 3)
  return inBins('expectedCalibrationError', probabilities, labels, options).expectedCalibrationError
}

/** The bin (i / bins, (i + 1) / bins] that contains a float32. */
function binOf(p: number, bins: number): number {
  const bin = Math.max(0, Math.min(bins - 1, Math.ceil(p * bins) - 1))
  // The float32 of a bound, such as 0.8, may be slightly larger than the bound.
  return bin > 0 && p <= Math.fround(bin / bins) ? bin - 1 : bin
}

function inBins(
  where: string,
  probabilities: TensorLike,
  labels: TensorLike,
  options: ReliabilityOptions,
): ReliabilityDiagram {
  const { bins } = readOptions(where, table, options)
  const outputs = toTensor(probabilities, `${where}: probabilities`, 'float32')
  if (outputs.rank < 1 || outputs.rank > 2 || outputs.size === 0)
    throw new ShapeError(
      `${where}: probabilities must have shape [rows] or [rows, classes], received ${formatShape(outputs.shape)}`,
    )
  const [rows, width] = [outputs.shape[0]!, outputs.shape[1] ?? 1]
  const wrong = outputs.data.findIndex((p: number) => !(p >= -SLACK && p <= 1 + SLACK))
  if (wrong >= 0)
    throw new DataError(
      `${where}: probabilities must lie in 0 … 1, received ${outputs.data[wrong]} in row ${Math.floor(wrong / width)}. Are they logits?`,
    )
  const classes = classesOf(where, labels, outputs)
  const counts = new Float64Array(bins)
  const [confidences, rights] = [new Float64Array(bins), new Float64Array(bins)]
  for (let row = 0; row < rows; row++) {
    const best = width > 1 ? largestIn(outputs.data, row * width, width) : Number(outputs.data[row]! >= 0.5)
    const p = width > 1 ? outputs.data[row * width + best]! : Math.max(outputs.data[row]!, 1 - outputs.data[row]!)
    const bin = binOf(p, bins)
    counts[bin]!++
    confidences[bin]! += p
    rights[bin]! += Number(best === classes[row])
  }
  const sum = (of: Float64Array): number => of.reduce((total, each) => total + each, 0)
  const gaps = counts.map((count, bin) => Math.abs(rights[bin]! - confidences[bin]!) / Math.max(1, count))
  return {
    bins: Array.from(counts, (count, bin) => ({
      from: bin / bins,
      to: (bin + 1) / bins,
      count,
      confidence: confidences[bin]! / count,
      accuracy: rights[bin]! / count,
    })),
    expectedCalibrationError: sum(gaps.map((gap, bin) => (gap * counts[bin]!) / rows)),
    maximumCalibrationError: Math.max(...gaps),
    accuracy: sum(rights) / rows,
    confidence: sum(confidences) / rows,
  }
}
