// HashedCrossing: one number for a combination of features.

import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import { choice, configured, extent, listOf, nullable, option, required, sparse } from '../../core/options'
import { sameShape } from '../../core/shapes'
import { toTensor, type TensorLike } from '../../ops/convert'
import { add, cast, multiply } from '../../ops/numpy/elementwise'
import { take } from '../../ops/numpy/shape'
import { StringTensor, beginsWithString, toStrings, type NestedStrings } from '../../ops/strings'
import { Tensor } from '../../ops/tensor'
import type { ApplyOptions } from '../call-options'
import type { CallContext } from '../context'
import { madeIndices } from '../indices'
import { Layer } from '../layer'
import { encode } from './encoding'
import { concatenatedFingerprint, fingerprintOf } from './fingerprint'
import type { LayerTraits } from '../traits'

/** The key that TensorFlow's hash of crossings starts with. */
const KEY = 0xdecafcaffen

/** The largest table in a model: making it takes about a second. */
const MOST_COMBINATIONS = 2 ** 20

const HashedCrossingBase = configured(
  Layer<readonly Tensor[]>,
  () => ({
    /** The number of bins. */
    numBins: required(extent),
    /** The form of the output: 'int', or 'oneHot', a row of length numBins. Default int. */
    outputMode: option(choice('int', 'oneHot'), 'int'),
    /** For models: n for each feature, whose values are 0 … n − 1. Default null. */
    cardinalities: option(nullable(listOf(extent)), null),
    /** Changes nothing: there are no sparse tensors. true warns. Default false. */
    sparse: option(sparse, false),
  }),
  ['numBins', 'outputMode'],
)

/**
 * The number of the bin that a combination of features falls into: two or more lists of strings or integers, [batch] or
 * [batch, 1] → int32 0 … numBins − 1. Nothing is learnt; different combinations may share a bin. The numbers are those of
 * Keras.
 *
 *   new HashedCrossing({ numBins: 5 }).apply([['A', 'B', 'A', 'B', 'A'], [101, 101, 101, 102, 102]])   // [1, 4, 1, 1, 3]
 *
 * In models, the features are integers, and `cardinalities` says how many values each has: then the layer reads the bin from
 * a table of all combinations. Without it, apply the layer to the data first.
 *
 * Keras: `keras.layers.HashedCrossing`.
 * @throws ShapeError for features of other shapes; ArgumentError in models without `cardinalities`, for more than 2²⁰
 * combinations there, and for features that are not strings or integers
 */
export class HashedCrossing extends HashedCrossingBase {
  static readonly className = 'HashedCrossing'
  /** @internal */
  static override readonly traits: LayerTraits<HashedCrossing> = {
    toTensors(layer, input) {
      if (!Array.isArray(input) || input.length < 2)
        throw new ArgumentError(`${layer}: the input must be a list of two or more features`)
      return input.map((feature: unknown) =>
        beginsWithString(feature) ? toStrings(feature, String(layer)) : toTensor(feature, String(layer)),
      )
    },
    outputDtype: (layer) => (layer.outputMode === 'int' ? 'int32' : 'float32'),
  }

  #table: Tensor | null = null

  /** @param features two or more lists of strings or integers */
  override apply(features: readonly (TensorLike | NestedStrings)[], options?: ApplyOptions | CallContext): Tensor
  override apply(
    first: TensorLike | NestedStrings,
    second: TensorLike | NestedStrings,
    ...others: (TensorLike | NestedStrings | ApplyOptions | CallContext)[]
  ): Tensor
  override apply(...args: readonly unknown[]): Tensor {
    return this.applyTo(args)
  }

  call(features: readonly Tensor[]): Tensor {
    const { shape } = features[0]!
    const isTraced = features.some((feature) => !(feature instanceof StringTensor) && isUnknown(feature))
    if (isTraced && (this.cardinalities === null || features.some(({ dtype }) => dtype === 'string')))
      throw new ArgumentError(
        `${this}: works on data, not in models, unless cardinalities gives the number of values of each feature. Apply it to the data before.`,
      )
    const other = features.find((feature) => !sameShape(feature.shape, shape))
    if (other !== undefined || shape.length > 2 || (shape.length === 2 && shape[1] !== 1))
      throw new ShapeError(
        `${this}: the features must all be [], [batch] or [batch, 1], received ${features.map((each) => formatShape(each.shape)).join(' and ')}`,
      )
    const numbers = isTraced ? this.fromTable(features) : this.fromHash(features)
    return this.outputMode === 'int'
      ? madeIndices(numbers, this, this.numBins)
      : encode(numbers, 'oneHot', this.numBins)
  }

  private fromHash(features: readonly Tensor[]): Tensor {
    const columns = features.map((feature) => this.fingerprintsOf(feature))
    const bins = Int32Array.from(columns[0]!, (_, i) =>
      this.binOf(columns.reduce((hash, column) => concatenatedFingerprint(hash, column[i]!), KEY)),
    )
    return new Tensor(bins, features[0]!.shape, 'int32')
  }

  private binOf(hash: bigint): number {
    return Number(hash % BigInt(this.numBins))
  }

  /** The bins of all combinations, the last feature varies first. */
  private tableOf(cardinalities: readonly number[]): Tensor {
    const size = cardinalities.reduce((product, values) => product * values, 1)
    if (size > MOST_COMBINATIONS)
      throw new ArgumentError(
        `${this}: the features have ${size} combinations, more than the ${MOST_COMBINATIONS} of a table in a model. Apply the layer to the data before.`,
      )
    const hashes = cardinalities.reduce<readonly bigint[]>(
      (all, values) =>
        all.flatMap((hash) => Array.from({ length: values }, (_, i) => concatenatedFingerprint(hash, BigInt(i)))),
      [KEY],
    )
    return new Tensor(
      Int32Array.from(hashes, (hash) => this.binOf(hash)),
      [size],
      'int32',
    )
  }

  private fromTable(features: readonly Tensor[]): Tensor {
    const cardinalities = this.cardinalities!
    if (cardinalities.length !== features.length)
      throw new ArgumentError(
        `${this}: cardinalities must have ${features.length} numbers, one for each feature, received ${cardinalities.length}`,
      )
    this.#table ??= this.tableOf(cardinalities)
    const at = features
      .map((feature) => cast(feature, 'int32'))
      .reduce((index, feature, i) => add(multiply(index, cardinalities[i]!), feature))
    return take(this.#table, at, 0)
  }

  private fingerprintsOf(feature: Tensor): readonly bigint[] {
    if (feature instanceof StringTensor) return feature.strings.map(fingerprintOf)
    return Array.from(feature.data, (value) => {
      if (Number.isInteger(value)) return BigInt.asUintN(64, BigInt(value))
      throw new ArgumentError(`${this}: the features must be strings or integers, received ${value}`)
    })
  }
}

/** Whether a tensor stands for data that are not known yet. */
const isUnknown = (feature: Tensor): boolean => feature.dtype === 'string' || Tensor.symbolOf(feature) !== null
