// Projection: a linear layer whose weights lie as in files of other programs, and which may have an adapter beside them.

import { boolean, configured, extent, option, required } from '../../core/options'
import { matmul } from '../../ops/linalg/linalg'
import { add } from '../../ops/numpy/elementwise'
import { transpose } from '../../ops/numpy/shape'
import type { Tensor } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'
import { requireExtents, requireFeatures } from '../../layers/checks'
import { TENSOR } from '../../layers/forms'
import { initializer } from '../../layers/kinds'
import { Layer } from '../../layers/layer'
import type { BatchShape } from '../../layers/spec'
import type { LayerTraits } from '../../layers/traits'
import type { LoraBranch } from './lora-branch'

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
  }),
  ['units', 'useBias'],
)

/**
 * x · kernelᵀ + bias: x [batch, …, n] → [batch, …, units], kernel [units, n], bias [units]. With LoRA, s · (x · Aᵀ) · Bᵀ is added to the
 * product, with A [rank, n] and B [units, rank].
 *
 * The kernel lies as PyTorch stores it, so that files are read and written without a transposition.
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
  private kernelVariable: Variable | null = null
  private biasVariable: Variable | null = null
  /** The adapter beside the kernel; null for none. */
  lora: LoraBranch | null = null

  /** [units, n] */
  get kernel(): Variable {
    return this.requireBuilt(this.kernelVariable)
  }

  /** [units]; null when useBias is false. */
  get bias(): Variable | null {
    return this.biasVariable
  }

  override build(inputShape: BatchShape): void {
    this.kernelVariable = this.addWeight({
      name: 'kernel',
      shape: [this.units, requireFeatures(this, inputShape)],
      initializer: this.kernelInitializer,
    })
    if (this.useBias)
      this.biasVariable = this.addWeight({ name: 'bias', shape: [this.units], initializer: this.biasInitializer })
  }

  call(x: Tensor): Tensor {
    const product = matmul(x, transpose(this.kernel))
    const adapted = this.lora === null ? product : add(product, this.lora.apply(x))
    return this.biasVariable === null ? adapted : add(adapted, this.biasVariable)
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return [...inputShape.slice(0, -1), this.units]
  }
}
