// padSequences: sequences of different lengths as one tensor. Embedding and Masking mask the padding.

import { requireArguments } from '../../core/arguments'
import { DataError, ShapeError, formatShape, quoted } from '../../core/errors'
import { choice, extent, nullable, number, option, readOptions, type OptionInputs } from '../../core/options'
import { allocateData } from '../../core/dtypes'
import { requireSize, sameShape, sizeOf } from '../../core/shapes'
import { toTensor, type TensorLike } from '../../ops/convert'
import { Tensor } from '../../ops/tensor'

const padOptions = () => ({
  /** The length of every row. Default null: that of the longest sequence. */
  maxlen: option(nullable(extent), null),
  /** Default 'int32'. */
  dtype: option(choice('int32', 'float32'), 'int32'),
  /** Whether a short sequence is padded before its first step or after its last. Default 'pre'. */
  padding: option(choice('pre', 'post'), 'pre'),
  /** Whether a long sequence loses its first steps or its last. Default 'pre'. */
  truncating: option(choice('pre', 'post'), 'pre'),
  /** The value of the padding. Default 0. */
  value: option(number(), 0),
})
export type PadSequencesOptions = OptionInputs<ReturnType<typeof padOptions>>

/**
 * Sequences of different lengths as the rows of one tensor: [sequences, maxlen], or [sequences, maxlen, …] if each step
 * is a list itself. Short sequences are padded with `value`, long ones are cut.
 *
 *   padSequences([[5, 2, 8], [7]])                             // [[5, 2, 8], [0, 0, 7]]
 *   padSequences([[5, 2, 8], [7]], { padding: 'post' })        // [[5, 2, 8], [7, 0, 0]]
 *   padSequences([[5, 2, 8], [7]], { maxlen: 2 })              // [[2, 8], [0, 7]]
 *
 * `new Embedding({ …, maskZero: true })` masks the zeros, so that later layers skip them.
 *
 * Keras: `keras.utils.pad_sequences`.
 * @throws DataError if there is no sequence, and ShapeError if the steps of two sequences differ in shape
 */
export function padSequences(sequences: readonly TensorLike[], options: PadSequencesOptions = {}): Tensor {
  requireArguments('padSequences', arguments, 2)
  const { maxlen, dtype, padding, truncating, value } = readOptions('padSequences', padOptions(), options)
  if (!Array.isArray(sequences) || sequences.length === 0) {
    throw new DataError(`padSequences: expected a list of sequences, received ${quoted(sequences)}`)
  }
  const rows = (sequences as readonly TensorLike[]).map((sequence, i) => {
    const row = toTensor(sequence, `padSequences: sequence ${i}`, dtype)
    if (row.rank > 0) return row
    throw new DataError(`padSequences: sequence ${i} must be a list of steps, received ${quoted(sequence)}`)
  })
  // An empty sequence does not determine the shape of a step.
  const filled = rows.findIndex((row) => row.shape[0]! > 0)
  const step = filled < 0 ? [] : rows[filled]!.shape.slice(1)
  rows.forEach((row, i) => {
    if (row.shape[0] === 0 || sameShape(row.shape.slice(1), step)) return
    throw new ShapeError(
      `padSequences: the steps of sequences ${filled} and ${i} must have one shape, received ${formatShape(step)} and ${formatShape(row.shape.slice(1))}`,
    )
  })
  const steps = maxlen ?? rows.reduce((longest, row) => Math.max(longest, row.shape[0]!), 0)
  const width = sizeOf(step)
  requireSize('padSequences: maxlen', [rows.length, steps, ...step])
  const data = allocateData(dtype, rows.length * steps * width).fill(value)
  rows.forEach((row, i) => {
    const length = row.shape[0]!
    const taken = Math.min(length, steps)
    const from = truncating === 'pre' ? length - taken : 0
    const to = padding === 'pre' ? steps - taken : 0
    data.set(row.data.subarray(from * width, (from + taken) * width), (i * steps + to) * width)
  })
  return new Tensor(data, [rows.length, steps, ...step], dtype)
}
