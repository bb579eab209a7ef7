// splitDataset: two parts of a data set.

import { requireArguments } from '../core/arguments'
import { ArgumentError, quoted } from '../core/errors'
import { boolean, custom, integer, nullable, option, readOptions, type OptionInputs, type Kind } from '../core/options'
import { permutation } from '../ops/random/random'
import { nextSeed } from '../ops/random/seed'
import { Dataset } from './dataset'

const part: Kind<number> = custom(
  (value, where) => {
    if (typeof value === 'number' && value > 0 && (value < 1 || Number.isSafeInteger(value))) return value
    throw new ArgumentError(
      `${where} must be a share between 0 and 1 or a number of elements, received ${quoted(value)}`,
    )
  },
  (value) => value,
)

const splitOptions = () => ({
  /** The share of the first part, or its number of elements. Default: what `rightSize` leaves. */
  leftSize: option(nullable(part), null),
  /** The share of the second part, or its number of elements. Default: what `leftSize` leaves. */
  rightSize: option(nullable(part), null),
  /** Whether the elements are shuffled before the split. Default false. */
  shuffle: option(boolean, false),
  /** The seed of that order. Default: derived from `setRandomSeed`. */
  seed: option(nullable(integer()), null),
})
export type SplitDatasetOptions = OptionInputs<ReturnType<typeof splitOptions>>

/**
 * Two parts of a data set, of which all elements are read into memory.
 *
 *   const [train, test] = await splitDataset(rows, { leftSize: 0.8, shuffle: true, seed: 1 })
 *
 * Keras: `keras.utils.split_dataset`.
 * @param dataset a Dataset, or the elements in an array
 * @throws ArgumentError without a size, or if the sizes leave a part empty or exceed the elements
 */
export async function splitDataset<T>(
  dataset: Dataset<T> | readonly T[],
  options: SplitDatasetOptions,
): Promise<[Dataset<T>, Dataset<T>]> {
  requireArguments('splitDataset', arguments, 2)
  const { leftSize, rightSize, shuffle, seed } = readOptions('splitDataset', splitOptions(), options)
  if (leftSize === null && rightSize === null)
    throw new ArgumentError('splitDataset: give leftSize or rightSize, for example { leftSize: 0.8 }')
  if (!(dataset instanceof Dataset) && !Array.isArray(dataset))
    throw new ArgumentError(`splitDataset: expected a Dataset or an array of elements, received ${quoted(dataset)}`)
  const elements: readonly T[] = dataset instanceof Dataset ? await dataset.toArray() : dataset
  const { length } = elements
  const countOf = (size: number): number => (size < 1 ? halfToEven(size * length) : size)
  const left = leftSize === null ? length - countOf(rightSize!) : countOf(leftSize)
  const right = rightSize === null ? length - left : countOf(rightSize)
  if (left < 1 || right < 1 || left + right > length)
    throw new ArgumentError(`splitDataset: parts of ${left} and ${right} elements of ${length}`)
  const order = shuffle ? Array.from(permutation(length, seed ?? nextSeed()), (i) => elements[i]!) : elements
  return [Dataset.from(order.slice(0, left)), Dataset.from(order.slice(left, left + right))]
}

/** The nearest integer; of two, the even one, as in Keras. */
function halfToEven(x: number): number {
  const near = Math.round(x)
  return x % 1 === 0.5 && near % 2 !== 0 ? near - 1 : near
}
