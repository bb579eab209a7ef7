// Hashing: strings to numbers without a vocabulary.

import type { DType } from '../../core/dtypes'
import { ArgumentError, quoted } from '../../core/errors'
import { choice, configured, custom, extent, integer, nullable, option, required } from '../../core/options'
import type { Kind } from '../../core/options'
import type { StringTensor } from '../../ops/strings'
import { Tensor } from '../../ops/tensor'
import type { BatchShape } from '../spec'
import { encode, encodedShape } from './encoding'
import { bucketOf } from './fingerprint'
import { anyText } from './lookup'
import { StringLayer } from './string-layer'

type Salt = readonly [number, number]

const saltKind: Kind<Salt, number | readonly number[]> = custom(
  (value, place): Salt => {
    const [first, second = first, ...more] = Array.isArray(value) ? (value as unknown[]) : [value]
    if (more.length > 0) throw new ArgumentError(`${place} must be a number, or two, received ${quoted(value)}`)
    const read = (each: unknown): number => integer({ min: 0 }).read(each, place)
    return [read(first), read(second)]
  },
  (salt) => salt,
)

/**
 * The number of the bin that a string falls into: [batch, …] strings → int32 0 … numBins − 1. Nothing is learnt;
 * different strings may share a bin. The numbers are those of Keras: FarmHash64 modulo numBins, or SipHash64 with a
 * salt.
 *
 *   new Hashing({ numBins: 3 }).apply([['A'], ['B'], ['C'], ['D'], ['E']])   // [[1], [0], [1], [1], [2]]
 *
 * Keras: `keras.layers.Hashing`.
 */
export class Hashing extends configured(
  StringLayer,
  () => ({
    /** The number of bins. */
    numBins: required(extent),
    /** A string that has bin 0 to itself. Default null: no such string. */
    maskValue: option(nullable(anyText), null),
    /** A number, or two, which change the distribution of strings over the bins. Default null. */
    salt: option(nullable(saltKind), null),
    /** The form of the output: 'int', 'oneHot', 'multiHot' or 'count'. Default 'int'. */
    outputMode: option(choice('int', 'oneHot', 'multiHot', 'count'), 'int'),
  }),
  ['numBins', 'maskValue', 'salt', 'outputMode'],
) {
  static readonly className = 'Hashing'

  readStrings({ strings, shape }: StringTensor): Tensor {
    const { numBins, maskValue, salt } = this
    const free = maskValue === null || numBins === 1 ? 0 : 1
    const bin = (text: string): number => (text === maskValue ? 0 : free + bucketOf(text, numBins - free, salt))
    return new Tensor(Int32Array.from(strings, bin), shape, 'int32')
  }

  protected readShape(shape: BatchShape): BatchShape {
    return shape
  }

  protected encode(numbers: Tensor): Tensor {
    return this.outputMode === 'int' ? numbers : encode(numbers, this.outputMode, this.numBins)
  }

  override computeOutputShape(shape: BatchShape): BatchShape {
    return this.outputMode === 'int' ? shape : encodedShape(shape, this.outputMode, this.numBins)
  }

  protected override outputDtype(): DType {
    return this.outputMode === 'int' ? 'int32' : 'float32'
  }
}
