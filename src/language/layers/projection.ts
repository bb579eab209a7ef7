// Projection: a linear layer whose weights lie as in files of other programs, and which may have an adapter beside them.

import { boolean, configured, extent, option, required } from '../../core/options'
import { matmul } from '../../ops/linalg/linalg'
import { add } from '../../ops/numpy/elementwise'
import { packedMatmul } from '../../ops/nn/packed'
import { transpose } from '../../ops/numpy/shape'
import type { Tensor } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'
import { requireExtents, requireFeatures } from '../../layers/checks'
import type { CallContext } from '../../layers/context'
import { TENSOR } from '../../layers/forms'
import { initializer } from '../../layers/kinds'
import { Layer } from '../../layers/layer'
import type { BatchShape } from '../../layers/spec'
import type { LayerTraits } from '../../layers/traits'
import type { LoraBranch } from './lora-branch'
import { addMatrix, weightKind, type Matrix } from './packed-weight'

const ProjectionBase = configured(
  Layer<Tensor>,
  () => ({
    /** The number of outputs. */
    units: required(extent),
    /** Default true. */
    useBias: option(boolean, true),
    /** Default glorotUniform. */
    kernelInitializer: option(initializer, 'glorotUniform'),
    /** Default zeros. */
    biasInitializer: option(initializer, 'zeros'),
    /** How the kernel is stored. Integers are not trained; an adapter beside them is. Default float32. */
    storage: option(weightKind, 'float32'),
  }),
  ['units', 'useBias'],
)

/**
 * x · kernelᵀ + bias: x [batch, …, n] → [batch, …, units], kernel [units, n], bias [units]. With LoRA, s · (x · Aᵀ) · Bᵀ is added to the
 * product, with A [rank, n] and B [units, rank].
 *
 * The kernel lies as PyTorch stores it, so that files are read and written without a transposition.
 *
 * With integers as `storage`, predictions round each 32 neighbouring features of x to integers within ±127 with a scale; training
 * multiplies x as it is, so that gradients are those of the numbers that the integers stand for.
 */
export class Projection extends ProjectionBase {
  static readonly className = 'Projection'
  /** @internal */
  static override readonly traits: LayerTraits<Projection> = {
    form: TENSOR,
    checkShape(layer, shape, built) {
      requireFeatures(layer, shape)
      requireExtents(layer, shape, built, [-1])
    },
  }
  override readonly supportsMasking = true
  private matrixOfKernel: Matrix | null = null
  private biasVariable: Variable | null = null
  /** The adapter beside the kernel; null for none. */
  lora: LoraBranch | null = null

  /** The kernel with its format. @internal */
  get matrix(): Matrix {
    return this.requireBuilt(this.matrixOfKernel)
  }

  /** [units, n]; of integers their bytes, in the order in which products read them. */
  get kernel(): Variable {
    return this.matrix.variable
  }

  /** [units]; null when useBias is false. */
  get bias(): Variable | null {
    return this.biasVariable
  }

  override build(inputShape: BatchShape): void {
    const shape = [this.units, requireFeatures(this, inputShape)] as const
    const add = this.addWeight.bind(this)
    this.matrixOfKernel = addMatrix(add, this.storage, 'kernel', shape, this.kernelInitializer)
    if (this.useBias)
      this.biasVariable = this.addWeight({ name: 'bias', shape: [this.units], initializer: this.biasInitializer })
  }

  call(x: Tensor, { training }: CallContext): Tensor {
    const product = this.product(x, training)
    const adapted = this.lora === null ? product : add(product, this.lora.apply(x))
    return this.biasVariable === null ? adapted : add(adapted, this.biasVariable)
  }

  private product(x: Tensor, training: boolean): Tensor {
    const { format, variable } = this.matrix
    if (format === null) return matmul(x, transpose(variable))
    return packedMatmul(x, variable.value, format, training ? 'float32' : 'int8')
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return [...inputShape.slice(0, -1), this.units]
  }
}
