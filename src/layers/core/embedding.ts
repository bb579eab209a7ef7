// Embedding: a learnt vector for each of a number of items.

import { merged } from '../../core/merged'
import { DataError } from '../../core/errors'
import { always, boolean, configured, extent, idle, nullable, option, required, unread } from '../../core/options'
import type { Tree } from '../../core/tree'
import { cast, notEqual } from '../../ops/numpy/elementwise'
import { take } from '../../ops/numpy/shape'
import { Tensor } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'
import { requireRoomFor } from '../indices'
import { constraint, initializer, kernelOptions, regularizer } from '../kinds'
import type { BatchShape } from '../spec'
import { unitAxes } from '../units'
import { TENSOR } from '../forms'
import { Layer } from '../layer'
import type { LayerTraits } from '../traits'

const EmbeddingBase = configured(
  Layer<Tensor>,
  () =>
    merged(
      {
        /** The number of items. */
        inputDim: required(extent),
        /** The length of a vector. */
        outputDim: required(extent),
        /** Default uniform in ±0.05. */
        embeddingsInitializer: option(initializer, 'uniform'),
        /** A penalty on the table. Default null. */
        embeddingsRegularizer: option(regularizer, null),
        /** Applied to the table after every update. Default null. */
        embeddingsConstraint: option(constraint, null),
        /** Whether index 0 is padding: later layers, losses and metrics skip it. Default false. */
        maskZero: option(boolean, false),
        /** Must be null: `embeddingsInitializer: new Constant(table)` gives the first embeddings. Default null. */
        weights: unread(always([null], 'use embeddingsInitializer: new Constant(table)'), null),
        /** Changes nothing: the input has its length. Others than null warn. Default null. */
        inputLength: unread(idle(nullable(extent), [null], 'the input has its length'), null),
      },
      kernelOptions(),
    ),
  ['inputDim', 'outputDim', 'embeddingsInitializer', 'embeddingsRegularizer', 'embeddingsConstraint', 'maskZero'],
)

/**
 * Row i of `embeddings` for each index i: [batch, …] of integers in 0 … inputDim − 1 → [batch, …, outputDim].
 *
 *   new Embedding({ inputDim: 1000, outputDim: 64, maskZero: true })
 *
 * The layer checks indices when it is called on data, and the number of those that a layer before it makes, such as a
 * StringLookup. Inside a trace, −1 is the last row, and an index out of range gives NaN, as in `ops.take`.
 *
 * Keras: `keras.layers.Embedding`.
 * @throws DataError for an index out of range, when the layer is called on data; ArgumentError if a layer before it makes more than
 * inputDim indices
 */
export class Embedding extends EmbeddingBase {
  static readonly className: string = 'Embedding'
  /** @internal */
  static override readonly traits: LayerTraits<Embedding> = {
    form: TENSOR,
    constructorOptions: ['maskZero'],
    inputDtype: () => 'int32',
    makesMask: (layer) => layer.maskZero,
    unitFlow: (layer) => ({
      kind: 'makes',
      units: {
        count: layer.outputDim,
        optionsFor: (outputDim) => ({ outputDim }),
        incoming: unitAxes(1, layer.embeddings),
      },
      from: [],
    }),
    validateInput: requireIndices,
    maskTrail: (layer, [x]) => (layer.maskZero ? new Map([[x!, 1]]) : null),
  }
  override readonly supportsMasking: boolean = this.maskZero
  private table: Variable | null = null

  /** [inputDim, outputDim] */
  get embeddings(): Variable {
    return this.requireBuilt(this.table)
  }

  override build(): void {
    this.table = this.addWeight({
      name: 'embeddings',
      shape: [this.inputDim, this.outputDim],
      initializer: this.embeddingsInitializer,
      regularizer: this.embeddingsRegularizer,
      constraint: this.embeddingsConstraint,
    })
  }

  call(x: Tensor): Tensor {
    if (Tensor.symbolOf(x) === null) requireIndices(this, x)
    else requireRoomFor(x, this, 'inputDim', this.inputDim)
    return take(this.embeddings, cast(x, 'int32'), 0)
  }

  override computeMask(x: Tensor, _mask: Tree<Tensor | null>): Tensor | null {
    return this.maskZero ? notEqual(x, 0) : null
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return [...inputShape, this.outputDim]
  }
}

/** @throws DataError for the first index that is not among 0 … inputDim − 1 */
export function requireIndices(layer: Embedding, { data, shape }: Tensor): void {
  const { inputDim } = layer
  const at = data.findIndex((index: number) => !(index >= 0 && index < inputDim && Number.isInteger(index)))
  if (at < 0) return
  const row = Math.floor(at / (data.length / (shape[0] ?? 1)))
  const kind = Number.isInteger(data[at]) ? '' : 'integers '
  throw new DataError(
    `${layer}: the indices must be ${kind}in 0 … ${inputDim - 1}, received ${data[at]} in sample ${row}`,
  )
}
