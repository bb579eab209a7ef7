// timeseriesDataset: windows over a series in memory.

import { merged } from '../core/merged'
import { requireArguments } from '../core/arguments'
import { ArgumentError, DataError } from '../core/errors'
import { boolean, count, integer, nullable, option, readOptions, required, type OptionInputs } from '../core/options'
import { allocateData, type NumericArray } from '../core/dtypes'
import { sizeOf } from '../core/shapes'
import { toTensor, type TensorLike } from '../ops/convert'
import { Tensor } from '../ops/tensor'
import { abortableSource, signalOption } from './samples/abort'
import { Dataset, datasetOf } from './dataset'
import { doublesOf, keepsDoubles, withDoubles } from './samples/doubles'

const timeseriesOptions = () =>
  merged(signalOption(), {
    /** The number of steps in a window. */
    sequenceLength: required(count),
    /** The distance between the starts of two windows. Default 1. */
    sequenceStride: option(count, 1),
    /** The distance between two steps of a window in the series. Default 1. */
    samplingRate: option(count, 1),
    /** The number of windows in a batch; null: elements are single windows. Default 128. */
    batchSize: option(nullable(count), 128),
    /** Whether windows come in random order. Default false. */
    shuffle: option(boolean, false),
    /** The seed of that order. Default: derived from `setRandomSeed`. */
    seed: option(nullable(integer()), null),
    /** The first step that is used. Default 0. */
    startIndex: option(nullable(integer({ min: 0 })), null),
    /** The end of the used steps, exclusive. Default: the end of the series. */
    endIndex: option(nullable(integer({ min: 1 })), null),
  })
/** Options of `timeseriesDataset`. */
export type TimeseriesOptions = OptionInputs<ReturnType<typeof timeseriesOptions>> & {
  /** A target for each step: a window's target is that of its first step. Default: none. */
  targets?: TensorLike | null | undefined
}

/** The type of the elements of `timeseriesDataset`. */
export type TimeseriesElement<Options> = Options extends { readonly targets: infer Targets extends object }
  ? [
      Tensor,
      Options extends { readonly batchSize: null }
        ? Targets extends readonly number[]
          ? number
          : Tensor | number
        : Tensor,
    ]
  : Tensor

/**
 * Windows over a series: [windows, sequenceLength, …], batch by batch; with `targets`, pairs.
 *
 * // ten steps, and the step after them
 *   timeseriesDataset(series.slice(0, -10), { sequenceLength: 10, targets: series.slice(10) })
 *
 * Window i has the steps startIndex + i · sequenceStride + j · samplingRate, j = 0 … sequenceLength − 1.
 *
 * Keras: `keras.utils.timeseries_dataset_from_array`.
 * @param data [steps, …]
 * @throws DataError if the series is shorter than a window
 */
export function timeseriesDataset<const Options extends TimeseriesOptions>(
  data: TensorLike,
  options: Options & TimeseriesOptions,
): Dataset<TimeseriesElement<Options>> {
  requireArguments('timeseriesDataset', arguments, 2)
  const { targets = null, ...rest }: TimeseriesOptions = options ?? {}
  const { sequenceLength, sequenceStride, samplingRate, batchSize, shuffle, seed, startIndex, endIndex, signal } =
    readOptions('timeseriesDataset', timeseriesOptions(), rest)
  const series = stepsOf(data, 'timeseriesDataset')
  const goals = targets === null ? null : stepsOf(targets, 'timeseriesDataset: targets')
  const [start, end] = [startIndex ?? 0, endIndex ?? series.count]
  if (start >= end || end > series.count)
    throw new ArgumentError(
      `timeseriesDataset: startIndex and endIndex must be a part of 0 … ${series.count}, received ${start} and ${end}`,
    )
  const room = end - start - (sequenceLength - 1) * samplingRate
  const positions = Math.min(room, goals === null ? room : goals.count - start)
  if (positions < 1) {
    throw new DataError(
      `timeseriesDataset: a window of ${sequenceLength} steps spans ${(sequenceLength - 1) * samplingRate + 1}, there are ${end - start}${goals === null ? '' : ` and ${goals.count} targets`}`,
    )
  }
  const starts = Dataset.range(start, start + positions, sequenceStride)
  const order = shuffle ? starts.shuffle(starts.size!, seed === null ? {} : { seed }) : starts
  const windows = order.map((at): unknown => {
    const window = series.window(at, sequenceLength, samplingRate)
    return goals === null ? window : [window, goals.step(at)]
  })
  const all = batchSize === null ? windows : windows.batch(batchSize)
  return datasetOf(abortableSource<unknown>(all, signal))
}

/**
 * `timeseriesDataset` with Keras's parameters: targets and the length of a window come by position.
 *
 *   timeseriesDatasetFromArray(series.slice(0, -10), series.slice(10), 10, { batchSize: 32 })
 *
 * Keras: `keras.utils.timeseries_dataset_from_array`.
 * @param targets a target for each step; null for none
 */
export function timeseriesDatasetFromArray<const Targets extends TensorLike | null>(
  data: TensorLike,
  targets: Targets,
  sequenceLength: number,
  options: Omit<TimeseriesOptions, 'targets' | 'sequenceLength'> = {},
): Dataset<TimeseriesElement<{ targets: Targets }>> {
  requireArguments('timeseriesDatasetFromArray', arguments, 4)
  return datasetOf(timeseriesDataset(data, { ...options, targets, sequenceLength }))
}

interface Steps {
  readonly count: number
  step(at: number): number | Tensor
  window(at: number, length: number, rate: number): Tensor
}

function stepsOf(values: TensorLike, where: string): Steps {
  const { data, shape, dtype } = toTensor(values, where)
  const [count, ...rest] = shape
  if (count === undefined) throw new DataError(`${where}: expected steps, received a single number`)
  const width = sizeOf(rest)
  const stepsAt = <Data extends NumericArray>(from: NumericArray, target: Data, at: number, rate: number): Data => {
    for (let i = 0; i * width < target.length; i++) {
      const step = at + i * rate
      target.set(from.subarray(step * width, (step + 1) * width), i * width)
    }
    return target
  }
  let known: Float64Array | null = null
  /** The numbers before their conversion to float32, while they are saved. */
  const doubles = (): Float64Array | null => (keepsDoubles() ? (known ??= doublesOf(values)) : null)
  return {
    count,
    step(at) {
      const exact = doubles()
      if (rest.length === 0) return (exact ?? data)[at]!
      const [begin, end] = [at * width, (at + 1) * width]
      return withDoubles(new Tensor(data.subarray(begin, end), rest, dtype), exact && exact.subarray(begin, end))
    },
    window(at, length, rate) {
      const [exact, size] = [doubles(), length * width]
      const window = new Tensor(stepsAt(data, allocateData(dtype, size), at, rate), [length, ...rest], dtype)
      return withDoubles(window, exact && stepsAt(exact, new Float64Array(size), at, rate))
    },
  }
}
