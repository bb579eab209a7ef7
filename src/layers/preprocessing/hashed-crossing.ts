// HashedCrossing: one number for a combination of features.

import type { DType } from '../../core/dtypes'
import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import { choice, configured, extent, option, required } from '../../core/options'
import { sameShape } from '../../core/shapes'
import type { Tree } from '../../core/tree'
import type { TensorLike } from '../../ops/convert'
import { asTensor } from '../../ops/convert'
import type { NestedStrings } from '../../ops/strings'
import { StringTensor, beginsWithString, toStrings } from '../../ops/strings'
import { Tensor } from '../../ops/tensor'
import type { ApplyOptions } from '../call-options'
import type { CallContext } from '../context'
import { Layer } from '../layer'
import { encode, notSparse } from './encoding'
import { concatenatedFingerprint, fingerprintOf } from './fingerprint'

/** The key that TensorFlow's hash of crossings starts with. */
const KEY = 0xdecafcaffen

/**
 * The number of the bin that a combination of features falls into: two or more lists of strings or integers, [batch] or
 * [batch, 1] → int32 0 … numBins − 1. Nothing is learnt; different combinations may share a bin. The numbers are those of
 * Keras.
 *
 *   new HashedCrossing({ numBins: 5 }).apply([['A', 'B', 'A', 'B', 'A'], [101, 101, 101, 102, 102]])   // [1, 4, 1, 1, 3]
 *
 * The layer works on data. In models, apply it to the data first.
 *
 * Keras: `keras.layers.HashedCrossing`.
 * @throws ShapeError for features of other shapes; ArgumentError in models, and for features that are not strings or
 * integers
 */
export class HashedCrossing extends configured(
  Layer<readonly Tensor[]>,
  () => ({
    /** The number of bins. */
    numBins: required(extent),
    /** The form of the output: 'int', or 'oneHot', a row of length numBins. Default int. */
    outputMode: option(choice('int', 'oneHot'), 'int'),
    /** Must be false. */
    sparse: option(notSparse, false),
  }),
  ['numBins', 'outputMode'],
) {
  static readonly className = 'HashedCrossing'

  /** @param features two or more lists of strings or integers */
  override apply(features: readonly (TensorLike | NestedStrings)[], options: ApplyOptions | CallContext = {}): Tensor {
    return super.apply(features as readonly Tensor[], options)
  }

  /** @internal */
  protected override toTensors(input: unknown): Tree<unknown> {
    if (!Array.isArray(input) || input.length < 2)
      throw new ArgumentError(`${this}: the input must be a list of two or more features`)
    return input.map((feature: unknown) =>
      beginsWithString(feature) ? toStrings(feature, String(this)) : asTensor(feature as TensorLike, String(this)),
    )
  }

  call(features: readonly Tensor[]): Tensor {
    const { shape } = features[0]!
    if (features.some((feature) => !(feature instanceof StringTensor) && isUnknown(feature)))
      throw new ArgumentError(`${this}: works on data, not in models. Apply it to the data before.`)
    const other = features.find((feature) => !sameShape(feature.shape, shape))
    if (other !== undefined || shape.length > 2 || (shape.length === 2 && shape[1] !== 1))
      throw new ShapeError(
        `${this}: the features must all be [], [batch] or [batch, 1], received ${features.map((each) => formatShape(each.shape)).join(' and ')}`,
      )
    const columns = features.map((feature) => this.fingerprintsOf(feature))
    const bins = Int32Array.from(columns[0]!, (_, i) =>
      Number(columns.reduce((hash, column) => concatenatedFingerprint(hash, column[i]!), KEY) % BigInt(this.numBins)),
    )
    const numbers = new Tensor(bins, shape, 'int32')
    return this.outputMode === 'int' ? numbers : encode(numbers, 'oneHot', this.numBins)
  }

  private fingerprintsOf(feature: Tensor): readonly bigint[] {
    if (feature instanceof StringTensor) return feature.strings.map(fingerprintOf)
    return Array.from(feature.data, (value) => {
      if (Number.isInteger(value)) return BigInt.asUintN(64, BigInt(value))
      throw new ArgumentError(`${this}: the features must be strings or integers, received ${value}`)
    })
  }

  protected override outputDtype(): DType {
    return this.outputMode === 'int' ? 'int32' : 'float32'
  }
}

/** Whether a tensor stands for data that are not known yet. */
const isUnknown = (feature: Tensor): boolean => feature.dtype === 'string' || Tensor.symbolOf(feature) !== null
