// LoRA: trains a product of two narrow matrices in place of a large one.

import { requireArguments } from '../../core/arguments'
import { ArgumentError, StateError } from '../../core/errors'
import { extent, nullable, number, option, readOptions } from '../../core/options'
import { withFile } from '../../core/file-scope'
import { matmul } from '../../ops/linalg/linalg'
import { add, cast, multiply } from '../../ops/numpy/elementwise'
import { full, take } from '../../ops/numpy/shape'
import { Tensor } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'
import { ConvolutionLayer } from '../convolutional/base'
import type { Conv1D, Conv2D, Conv3D } from '../convolutional/convolution'
import { initializer } from '../kinds'
import { requireRoomFor } from '../indices'
import type { LoraOptions } from '../members'
import { addWeightTo } from '../weight-lists'
import { Dense } from './dense'
import { EinsumDense } from './einsum-dense'
import { Embedding, requireIndices } from './embedding'
import { changeTraits } from '../traits'

const loraOptions = () => ({
  loraAlpha: option(nullable(number()), null),
  aInitializer: option(initializer, 'heUniform'),
  bInitializer: option(initializer, 'zeros'),
})
export type { LoraOptions }

/** What a layer has with LoRA. */
export interface Lora {
  readonly loraEnabled: true
  readonly loraRank: number
  readonly loraAlpha: number
}

/** A convolution whose kernel has the filters on its last axis. */
type Convolution = Conv1D | Conv2D | Conv3D

/** The layers that `enableLora` takes. */
export type LoraLayer = Dense | EinsumDense | Embedding | Convolution

/** A layer with LoRA. */
export type WithLora<L extends LoraLayer> = L &
  Lora &
  (L extends Embedding
    ? {
        /** A, [inputDim, rank] */
        readonly loraEmbeddingsA: Variable
        /** B, [rank, outputDim] */
        readonly loraEmbeddingsB: Variable
      }
    : {
        /** A, [n, rank]; for EinsumDense and convolutions the axes of the kernel but the last one, then the rank. */
        readonly loraKernelA: Variable
        /** B, [rank, units]; of a convolution [rank, filters] */
        readonly loraKernelB: Variable
      })

/**
 * Freezes the kernel of a layer, and trains in its place two narrow matrices whose product is added to it:
 *
 *     kernel + (loraAlpha / rank) · A · B     kernel [n, units], A [n, rank], B [rank, units]
 *
 * Trains a small part of the weights of a large layer. The layer is a Dense, an EinsumDense, a Conv1D, Conv2D or Conv3D, or an
 * Embedding with its table, and must be built. Its bias is still trained.
 *
 *   for (const layer of base.layers) if (layer instanceof Dense) enableLora(layer, 4)
 *   model.compile({ optimizer: 'adam', loss: 'mse' })
 *   await model.fit(x, y)
 *   await model.save('tuned.safetensors')   // each kernel with its product added: plain layers
 *
 * `layer.kernel` reads as the sum; assigning to it sets the frozen kernel, and B to zeros. Files have the sum as the kernel, so
 * that a loaded model has plain layers; the model in memory still trains A and B. Loading weights into it sets B to zeros.
 * `getWeights` and `setWeights` have the frozen kernel, A and B. Compile the model after `enableLora`, as in Keras.
 *
 * Keras: `layer.enable_lora(rank)`. `layer.enableLora(rank)` does the same in Node; bundles for pages, Deno and workerd need this function,
 * because the code of a method would be in every program with a Dense layer.
 * @param rank ≥ 1
 * @returns the layer
 * @throws ArgumentError for another layer or rank, and for a layer with a constraint of the kernel; StateError before the layer
 * is built, and if LoRA is enabled already
 */
export function enableLora<L extends LoraLayer>(layer: L, rank: number, options?: LoraOptions): WithLora<L>
export function enableLora(layer: LoraLayer, rank: number, options: LoraOptions = {}): LoraLayer {
  requireArguments('enableLora', arguments, 3)
  const isTable = layer instanceof Embedding
  const hasFilters = layer instanceof ConvolutionLayer && layer.takesLora
  if (!isTable && !hasFilters && !(layer instanceof Dense) && !(layer instanceof EinsumDense))
    throw new ArgumentError(
      `enableLora: the layer must be a Dense, an EinsumDense, a Conv1D, Conv2D, Conv3D or an Embedding, received ${String(layer)}`,
    )
  const where = `${layer}: enableLora`
  const what = isTable ? 'embeddings' : 'kernel'
  const { loraAlpha, aInitializer, bInitializer } = readOptions(where, loraOptions(), options)
  extent.read(rank, `${where}: rank`)
  if ((isTable ? layer.embeddingsConstraint : layer.kernelConstraint) !== null)
    throw new ArgumentError(`${where}: a layer with ${what}Constraint cannot have LoRA. Remove the constraint`)
  if (!layer.built) throw new StateError(`${where}: build the layer before, with an inputShape or a call`)
  const base = isTable ? layer.embeddings : layer.kernel
  if (base.inFile !== undefined) throw new StateError(`${where}: LoRA is enabled already`)

  const make = (suffix: 'a' | 'b', shape: readonly number[], initializer: typeof aInitializer): Variable => {
    const regularizer = isTable ? layer.embeddingsRegularizer : layer.kernelRegularizer
    // Files do not contain A and B, so a layer that enables LoRA in build initializes them, also while a file is read.
    const variable = withFile({ fillsWeights: false }, () =>
      addWeightTo(layer, { name: `lora_${what}_${suffix}`, shape, initializer, regularizer }),
    )
    for (const key of ['name', 'path'] as const) variable[key] = base[key].replace(/[^/]*$/, `lora_${what}_${suffix}`)
    variable.inFile = []
    return variable
  }
  const a = make('a', [...base.shape.slice(0, -1), rank], aInitializer)
  const b = make('b', [rank, base.shape.at(-1)!], bInitializer)
  const alpha = loraAlpha ?? rank
  const productWith = (x: Tensor): Tensor => multiply(matmul(x, b), alpha / rank)
  base.trainable = false
  const sum = sumOf(base, () => productWith(a.value), b)
  base.inFile = [sum]
  const name = isTable ? 'loraEmbeddings' : 'loraKernel'
  define(layer, {
    ...(hasFilters ? { kernelVariables: [sum] } : { [isTable ? 'table' : 'kernelVariable']: sum }),
    loraEnabled: true,
    loraRank: rank,
    loraAlpha: alpha,
    [`${name}A`]: a,
    [`${name}B`]: b,
  })
  // The weights of a unit are now a sum, which cannot be cut or reinitialized by unit.
  changeTraits(layer, { unitFlow: () => null })
  // The product of the rows that are read costs less than that of the table.
  if (isTable && layer.call === Embedding.prototype.call)
    define(layer, {
      call(x: Tensor): Tensor {
        if (Tensor.symbolOf(x) === null) requireIndices(layer, x)
        else requireRoomFor(x, layer, 'inputDim', layer.inputDim)
        const indices = cast(x, 'int32')
        return add(take(base, indices, 0), productWith(take(a, indices, 0)))
      },
    })
  return layer
}

/** Defines properties that the search for parts of a layer does not see. */
function define(object: object, values: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(values)) Object.defineProperty(object, name, { value, enumerable: false })
}

/** A variable that reads as another one plus a product. */
function sumOf(base: Variable, product: () => Tensor, b: Variable): Variable {
  const read = (): Tensor => add(base.value, product())
  const sum: Variable = Object.create(base, {
    value: { get: read },
    view: { get: () => read().data },
    // Files have the sum as a trainable kernel.
    trainable: { value: true },
    assign: {
      value(tensor: Tensor) {
        base.assign(tensor)
        b.assign(full(b.shape, 0))
      },
    },
  })
  return sum
}
