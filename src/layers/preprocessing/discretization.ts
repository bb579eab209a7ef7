// Discretization: the index of the range that a number falls into.

import { hasNonFinite, type DType } from '../../core/dtypes'
import { ArgumentError, DataError } from '../../core/errors'
import { choice, configured, listOf, nullable, number, option, sparse, tableSize } from '../../core/options'
import { digitize } from '../../ops/numpy/sorting'
import { Tensor } from '../../ops/tensor'
import { Variable } from '../../ops/variable'
import { madeIndices } from '../indices'
import type { BatchShape } from '../spec'
import { AdaptedLayer } from './adapted'
import { encode, encodedShape } from './encoding'
import { EMPTY, boundariesOf, merged, summaryOf, type Summary } from './quantiles'
import type { LayerTraits } from '../traits'

const DiscretizationBase = configured(
  AdaptedLayer<Tensor>,
  () => ({
    /** The ends of the bins, in ascending order: n boundaries make n + 1 bins. Default null: adapt finds them. */
    binBoundaries: option(nullable(listOf(number())), null),
    /** The number of bins that adapt makes. Default null, for given binBoundaries. */
    numBins: option(nullable(tableSize()), null),
    /** The precision of adapt: its summary has 1/epsilon values. Default 0.01. */
    epsilon: option(number({ above: 0, max: 1 }), 0.01),
    /** 'int', the number of the bin; 'oneHot', 'multiHot' and 'count' as in CategoryEncoding. Default int. */
    outputMode: option(choice('int', 'oneHot', 'multiHot', 'count'), 'int'),
    /** Changes nothing: there are no sparse tensors. true warns. Default false. */
    sparse: option(sparse, false),
  }),
  ['binBoundaries', 'numBins', 'epsilon', 'outputMode', 'sparse', 'dtype', 'name'],
)

/**
 * The number of the bin of each element, int32: how many of the boundaries are ≤ x. Boundaries are given, or `adapt`
 * finds `numBins − 1` of them so that all bins hold about equally many of the data. Other output modes encode that
 * number.
 *
 *   new Discretization({ binBoundaries: [0, 1, 2] }).apply([-1.5, 1, 3.4, 0.5])   // [0, 2, 3, 1]
 *
 *   const ages = new Discretization({ numBins: 4, outputMode: 'oneHot' })
 *   await ages.adapt(column)
 *
 * The data are summarized as 1/epsilon quantiles, merged batch by batch. The boundaries are part of the configuration,
 * so that files and clones contain them. If there are fewer distinct values than bins, the last bins stay empty.
 *
 * Keras: `keras.layers.Discretization`.
 * @throws StateError if it is used before it was adapted
 */
export class Discretization extends DiscretizationBase {
  static readonly className = 'Discretization'
  /** @internal */
  static override readonly traits: LayerTraits<Discretization> = {
    outputDtype: (layer) => layer.outputDtype,
  }
  private summary: Summary = EMPTY

  /** The dtype of the output: int32 for outputMode 'int', else float32. */
  get outputDtype(): DType {
    return this.outputMode === 'int' ? 'int32' : 'float32'
  }

  // Traced programs read this variable, so that the layer can adapt again. It is not a weight: the configuration holds
  // the boundaries.
  readonly #boundaries = new Variable(this.filled(), { name: `${this.name}/boundaries`, trainable: false })

  protected override checkOptions(): void {
    const { binBoundaries, numBins } = this
    if (binBoundaries === null && numBins === null)
      throw new ArgumentError(`${this}: needs binBoundaries, or numBins for adapt`)
    const falls = binBoundaries?.findIndex((boundary, i) => i > 0 && boundary < binBoundaries[i - 1]!) ?? -1
    if (falls >= 0)
      throw new ArgumentError(
        `${this}: binBoundaries must rise, received ${binBoundaries![falls]} behind ${binBoundaries![falls - 1]}`,
      )
    if (binBoundaries !== null && numBins !== null && binBoundaries.length >= numBins) {
      throw new ArgumentError(
        `${this}: binBoundaries make ${binBoundaries.length + 1} bins, more than numBins, ${numBins}. One of both is enough`,
      )
    }
  }

  /** The number of bins. */
  private get depth(): number {
    return this.numBins ?? this.binBoundaries!.length + 1
  }

  protected get isAdapted(): boolean {
    return this.binBoundaries !== null
  }

  protected override requireAdaptable(): void {
    if (this.numBins === null)
      throw new ArgumentError(
        `${this}: has the binBoundaries that it was given. Give numBins in their place, and adapt finds them`,
      )
  }

  protected begin(): void {
    this.summary = EMPTY
  }

  protected update({ data }: Tensor): void {
    if (hasNonFinite(data)) throw new DataError(`${this}: adapt: the data hold NaN or infinite numbers`)
    this.summary = merged(summaryOf(data, this.epsilon), this.summary, this.epsilon)
  }

  protected finish(): void {
    if (this.summary.values.length === 0) throw new DataError(`${this}: adapt: the data have no numbers`)
    Object.assign(this, { binBoundaries: [...boundariesOf(this.summary, this.depth)] })
    this.#boundaries.assign(this.filled())
    this.summary = EMPTY
  }

  /** All boundaries; unused ones are beyond all numbers. */
  private filled(): Tensor {
    const all = Float32Array.from({ length: this.depth - 1 }, (_, i) => this.binBoundaries?.[i] ?? Infinity)
    return new Tensor(all, [all.length], 'float32')
  }

  call(x: Tensor): Tensor {
    this.requireAdapted()
    const bins = digitize(x, this.#boundaries.value)
    return this.outputMode === 'int' ? madeIndices(bins, this, this.depth) : encode(bins, this.outputMode, this.depth)
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return this.outputMode === 'int' ? inputShape : encodedShape(inputShape, this.outputMode, this.depth)
  }
}
