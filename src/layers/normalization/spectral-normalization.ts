// SpectralNormalization: keeps the largest singular value of a layer's kernel at 1. Miyato et al. 2018, "Spectral
// normalization for generative adversarial networks".

import { ArgumentError } from '../../core/errors'
import { configured, iterations, option, required } from '../../core/options'
import { TruncatedNormal } from '../../parts/initializers'
import { divide, equal, where } from '../../ops/numpy/elementwise'
import { matmul } from '../../ops/linalg/linalg'
import { normalize } from '../../ops/nn/normalization'
import { all } from '../../ops/numpy/reduce'
import { reshape, transpose } from '../../ops/numpy/shape'
import type { Tensor } from '../../ops/tensor'
import { Variable } from '../../ops/variable'
import { Wrapper } from '../core/wrapper'
import type { CallContext } from '../context'
import { innerLayer } from '../kinds'
import { extentsAt, type BatchShape, type SpecsOf, type TensorSpec } from '../spec'
import type { LayerTraits } from '../traits'
import { trackWeight } from '../weight-lists'
import { outputSpecs } from '../inference'

const SpectralNormalizationBase = configured(
  Wrapper,
  () => ({
    /** The inner layer; it must have a kernel or embeddings. */
    layer: required(innerLayer),
    /** How often the vectors are updated before each division. Default 1. */
    powerIterations: option(iterations, 1),
  }),
  ['layer', 'powerIterations'],
)

/**
 * Divides the kernel of the inner layer by its largest singular value σ before every training step. With the kernel as
 * a matrix W [n, filters] and a stored vector u [1, filters], it repeats powerIterations times:
 *
 *   v = u Wᵀ / |u Wᵀ|,   u = v W / |v W|;   then σ = v W uᵀ and W ← W / σ
 *
 *   new SpectralNormalization(new Conv2D({ filters: 8, kernelSize: 3 }))
 *
 * A kernel of zeros stays as it is. Keras: `keras.layers.SpectralNormalization`; as in Keras on TensorFlow, the
 * gradient is that of the divided kernel.
 */
export class SpectralNormalization extends SpectralNormalizationBase {
  static readonly className = 'SpectralNormalization'
  /** @internal */
  static override readonly traits: LayerTraits<SpectralNormalization> = {
    requiredInputs: (layer) => layer.buildShape && { minNdim: 1, ...extentsAt(layer.buildShape, [-1]) },
  }
  override readonly supportsMasking: boolean = this.layer.supportsMasking
  private vector: Variable | null = null

  override build(_inputShape: BatchShape, spec: TensorSpec): void {
    this.layer.ensureBuilt(spec)
    // The kernel comes first in the order of weights, as in Keras.
    trackWeight(this, this.kernel)
    const filters = this.kernel.shape.at(-1)!
    this.vector = this.addWeight({
      name: 'vector_u',
      shape: [1, filters],
      initializer: new TruncatedNormal({ stddev: 0.02 }),
      trainable: false,
    })
  }

  override computeOutputSpec(spec: TensorSpec): SpecsOf<Tensor> {
    return outputSpecs(this.layer, spec)
  }

  /** The kernel of the inner layer, or its embeddings. */
  private get kernel(): Variable {
    const { layer } = this
    const kernel: unknown = 'kernel' in layer ? layer.kernel : null
    const found: unknown = kernel ?? ('embeddings' in layer ? layer.embeddings : null)
    if (found instanceof Variable) return found
    throw new ArgumentError(`${this}: ${this.layer} has neither a kernel nor embeddings`)
  }

  /** The current estimate of the left singular vector u [1, filters]. */
  get vectorU(): Variable {
    return this.requireBuilt(this.vector)
  }

  call(x: Tensor, { training }: CallContext): Tensor {
    if (training) this.divideKernel()
    return this.layer.apply(x) as Tensor
  }

  private divideKernel(): void {
    const { kernel, vectorU } = this
    const matrix = reshape(kernel, [-1, kernel.shape.at(-1)!])
    let u = vectorU.value
    let v = u
    for (let i = 0; i < this.powerIterations; i++) {
      v = normalize(matmul(u, transpose(matrix)), { axis: null })
      u = normalize(matmul(v, matrix), { axis: null })
    }
    const sigma = reshape(matmul(matmul(v, matrix), transpose(u)), [])
    const isZero = all(equal(kernel, 0))
    vectorU.assign(where(isZero, vectorU.value, u))
    kernel.assign(divide(kernel, where(isZero, 1, sigma)))
  }
}
