// Dense: the fully connected layer.

import { merged } from '../../core/merged'
import { boolean, configured, extent, option, required } from '../../core/options'
import { add } from '../../ops/numpy/elementwise'
import { matmul } from '../../ops/linalg/linalg'
import type { Tensor } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'
import { requireExtents, requireFeatures } from '../checks'
import { activation, constraint, initializer, kernelOptions, regularizer } from '../kinds'
import { extentsAt, type BatchShape } from '../spec'
import { unitAxes } from '../units'
import { TENSOR } from '../forms'
import { Layer } from '../layer'
import type { LayerTraits } from '../traits'

const DenseBase = configured(
  Layer<Tensor>,
  () =>
    merged(
      {
        /** The number of outputs. */
        units: required(extent),
        /** Applied to the result. Default linear. */
        activation: option(activation, null),
        /** Default true. */
        useBias: option(boolean, true),
        /** Default glorotUniform. */
        kernelInitializer: option(initializer, 'glorotUniform'),
        /** Default zeros. */
        biasInitializer: option(initializer, 'zeros'),
        /** A penalty on the kernel. Default null. */
        kernelRegularizer: option(regularizer, null),
        /** Applied to the kernel after every update. Default null. */
        kernelConstraint: option(constraint, null),
        /** A penalty on the bias. Default null. */
        biasRegularizer: option(regularizer, null),
        /** Applied to the bias after every update. Default null. */
        biasConstraint: option(constraint, null),
      },
      kernelOptions(),
    ),
  ['units', 'activation', 'useBias'],
)

/**
 * activation(x · kernel + bias): x [batch, …, n] → [batch, …, units], kernel [n, units], bias [units].
 *
 *   new Dense({ units: 10, activation: 'relu' })
 *
 * Keras: `keras.layers.Dense`.
 */
export class Dense extends DenseBase {
  static readonly className: string = 'Dense'
  /** @internal */
  static override readonly traits: LayerTraits<Dense> = {
    form: TENSOR,
    requiredInputs: (layer) => ({ minNdim: 2, ...extentsAt(layer.buildShape, [-1]) }),
    checkShape(layer, shape, built) {
      requireFeatures(layer, shape)
      requireExtents(layer, shape, built, [-1])
    },
    unitFlow(layer) {
      const { units: count, activation } = layer
      const units = {
        count,
        optionsFor: (units: number) => ({ units }),
        incoming: unitAxes(-1, layer.kernel, layer.bias),
        activation,
      }
      return { kind: 'makes', units, from: unitAxes(0, layer.kernel) }
    },
  }
  override readonly supportsMasking = true
  private kernelVariable: Variable | null = null
  private biasVariable: Variable | null = null

  /** [n, units] */
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
      shape: [requireFeatures(this, inputShape), this.units],
      initializer: this.kernelInitializer,
      regularizer: this.kernelRegularizer,
      constraint: this.kernelConstraint,
    })
    if (!this.useBias) return
    this.biasVariable = this.addWeight({
      name: 'bias',
      shape: [this.units],
      initializer: this.biasInitializer,
      regularizer: this.biasRegularizer,
      constraint: this.biasConstraint,
    })
  }

  call(x: Tensor): Tensor {
    const product = matmul(x, this.kernel)
    return this.activation(this.biasVariable === null ? product : add(product, this.biasVariable))
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    requireFeatures(this, inputShape)
    return [...inputShape.slice(0, -1), this.units]
  }
}

export type DenseOptions = Exclude<ConstructorParameters<typeof Dense>[0], number>
