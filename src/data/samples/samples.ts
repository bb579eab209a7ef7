// Parsed data of fit and evaluate: samples in arrays, or a sequence of batches. parse.ts parses them.

import { DataError } from '../../core/errors'
import { sizeOf, type Shape } from '../../core/shapes'
import type { Tree } from '../../core/tree'
import { StringTensor, type StringReader } from '../../ops/strings'
import { Tensor } from '../../ops/tensor'
import type { Source } from './source'

/** An input of strings, and the layers that convert them to numbers. Their results replace it, in this order. */
interface StringInput {
  readonly readers: readonly StringReader[]
  /** The shape of a row of strings. */
  readonly row: Shape
}

/** The string inputs, by position; null for inputs of numbers. */
export type Readers = readonly (StringInput | null)[]

/** Samples in arrays, with their targets and weights, if any, as flat lists of tensors. */
export interface Samples {
  readonly kind: 'samples'
  /** The inputs' positions in the argument of the model. */
  readonly x: Tree<unknown>
  readonly inputs: readonly Tensor[]
  /** The targets' positions in the output of the model. */
  readonly y: Tree<unknown>
  /** null for an output without targets. */
  readonly targets: readonly (Tensor | null)[]
  /** [size], or [size, steps, …], for each target; null if all samples weigh 1. */
  readonly weights: readonly (Tensor | null)[]
  readonly size: number
  /** Whether any input is a tensor of strings. */
  readonly hasStrings: boolean
  /** The readers of string inputs, whose numbers replace the strings among the inputs. */
  readonly readers?: Readers
  readonly names: DataNames
}

/** A sequence of batches. Each is parsed into samples when it is read. */
export interface BatchSource {
  readonly kind: 'batches'
  readonly source: Source
}

/** Parsed data. */
export type Data = Samples | BatchSource

/** All tensors of samples, in the order of a step's parameters. */
export function tensorsOf({ inputs, targets, weights }: Samples): readonly Tensor[] {
  return [...inputs, ...targets, ...weights].filter((tensor) => tensor !== null)
}

/** Names of inputs, targets and weights, for errors. */
export interface DataNames {
  readonly x: string
  readonly y: string
  readonly sampleWeight: string
}

/** The names for data that are passed as x and y. */
export const PLAIN_NAMES: DataNames = { x: 'x', y: 'y', sampleWeight: 'sampleWeight' }
/** The names for validation data [x, y, sampleWeight]. */
export const VALIDATION_NAMES: DataNames = {
  x: 'validationData[0]',
  y: 'validationData[1]',
  sampleWeight: 'validationData[2]',
}

/** Splits samples into a first and a last part; the last has `fraction` of the rows. Keras's rule. */
export function splitValidation(samples: Samples, fraction: number): [Samples, Samples] {
  const at = Math.floor(samples.size * (1 - fraction))
  if (at === 0 || at === samples.size) {
    throw new DataError(
      `validationSplit ${fraction} of ${samples.size} rows leaves ${at} for training and ${samples.size - at} for validation`,
    )
  }
  return [rows(samples, 0, at), rows(samples, at, samples.size)]
}

function rows(samples: Samples, start: number, end: number): Samples {
  const part = (tensor: Tensor): Tensor => {
    if (tensor instanceof StringTensor) return tensor.rows(start, end)
    const width = sizeOf(tensor.shape.slice(1))
    const shape: Shape = [end - start, ...tensor.shape.slice(1)]
    return new Tensor(tensor.data.subarray(start * width, end * width), shape, tensor.dtype)
  }
  return {
    ...samples,
    inputs: samples.inputs.map(part),
    targets: samples.targets.map((each) => each && part(each)),
    weights: samples.weights.map((each) => each && part(each)),
    size: end - start,
  }
}
