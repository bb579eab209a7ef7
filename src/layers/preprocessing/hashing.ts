// Hashing: strings to numbers without a vocabulary.

import type { DType } from '../../core/dtypes'
import { choice, configured, either, extent, nullable, number, option, required, sparse } from '../../core/options'
import type { Shape } from '../../core/shapes'
import { beginsWithString, type StringTensor } from '../../ops/strings'
import { Tensor } from '../../ops/tensor'
import { madeIndices } from '../indices'
import type { BatchShape } from '../spec'
import { encode, encodedShape } from './encoding'
import { bucketOf } from './fingerprint'
import { anyText, saltKind } from './lookup'
import { StringLayer, stringsIn } from './string-layer'
import type { LayerTraits } from '../traits'
import { toTensor } from '../../ops/convert'

const HashingBase = configured(
  StringLayer,
  () => ({
    /** The number of bins. */
    numBins: required(extent),
    /** A string or a number that has bin 0 to itself. Default null: none. */
    maskValue: option(nullable(either(number(), anyText, (value) => typeof value === 'number')), null),
    /** A number, or two, which change the distribution of strings over the bins. Default null. */
    salt: option(nullable(saltKind), null),
    /** The form of the output: 'int', 'oneHot', 'multiHot' or 'count'. Default 'int'. */
    outputMode: option(choice('int', 'oneHot', 'multiHot', 'count'), 'int'),
    /** Changes nothing: there are no sparse tensors. true warns. Default false. */
    sparse: option(sparse, false),
  }),
  ['numBins', 'maskValue', 'salt', 'outputMode'],
)

/**
 * The number of the bin that a string falls into: [batch, …] strings → int32 0 … numBins − 1. Nothing is learnt;
 * different strings may share a bin. The numbers are those of Keras: FarmHash64 modulo numBins, or SipHash64 with a
 * salt.
 *
 *   new Hashing({ numBins: 3 }).apply([['A'], ['B'], ['C'], ['D'], ['E']])   // [[1], [0], [1], [1], [2]]
 *
 * Outside of models, it also takes numbers: their decimal digits are hashed, without the fraction.
 *
 * Keras: `keras.layers.Hashing`.
 */
export class Hashing extends HashingBase {
  static readonly className = 'Hashing'
  /** @internal */
  static override readonly traits: LayerTraits<Hashing> = {
    toTensors(layer, input) {
      return beginsWithString(input) ? stringsIn(layer, input) : toTensor(input, String(layer))
    },
    outputDtype: (layer) => (layer.outputMode === 'int' ? 'int32' : 'float32'),
  }

  readStrings({ strings, shape }: StringTensor): Tensor {
    return this.binsOf(strings, shape, (text) => text)
  }

  override call(x: Tensor): Tensor {
    const isNumbers = x.dtype !== 'string' && Tensor.symbolOf(x) === null
    return isNumbers ? this.encode(this.binsOf(Array.from(x.data), x.shape, digitsOf(x.dtype))) : super.call(x)
  }

  private binsOf<Value extends string | number>(
    values: readonly Value[],
    shape: Shape,
    textOf: (value: Value) => string,
  ): Tensor {
    const { numBins, maskValue, salt } = this
    const free = maskValue === null || numBins === 1 ? 0 : 1
    const bin = (value: Value): number =>
      free === 1 && value === maskValue ? 0 : free + bucketOf(textOf(value), numBins - free, salt)
    return new Tensor(Int32Array.from(values, bin), shape, 'int32')
  }

  /** @internal */
  readShape(shape: BatchShape): BatchShape {
    return shape
  }

  protected encode(numbers: Tensor): Tensor {
    return this.outputMode === 'int'
      ? madeIndices(numbers, this, this.numBins)
      : encode(numbers, this.outputMode, this.numBins)
  }

  override computeOutputShape(shape: BatchShape): BatchShape {
    return this.outputMode === 'int' ? shape : encodedShape(shape, this.outputMode, this.numBins)
  }
}

/** Numbers as texts, as `tf.strings.as_string` writes them after a cast to int64. */
const digitsOf =
  (dtype: DType) =>
  (value: number): string =>
    dtype === 'bool' ? String(value !== 0) : String(Math.trunc(value) + 0)
