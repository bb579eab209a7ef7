// IntrinsicPlasticity: units that adapt their slope and threshold towards a target distribution of their outputs.

import { ShapeError, formatShape } from '../core/errors'
import { configured, number, option, type OptionInputs } from '../core/options'
import type { CallContext } from '../layers/context'
import type { BatchShape } from '../layers/spec'
import { unitAxes } from '../layers/units'
import { add, divide, maximum, multiply, sigmoid, square, subtract } from '../ops/numpy/elementwise'
import { mean } from '../ops/numpy/reduce'
import type { Tensor } from '../ops/tensor'
import type { Variable } from '../ops/variable'
import { ELEMENTWISE } from '../layers/forms'
import { Layer } from '../layers/layer'
import type { LayerTraits } from '../layers/traits'

const intrinsicPlasticityOptions = () => ({
  /** The target mean output of each unit, μ in 0 … 1. Default 0.2. */
  target: option(number({ above: 0, below: 1 }), 0.2),
  /** η ≥ 0. Default 0.001. */
  rate: option(number({ min: 0 }), 0.001),
})
export type IntrinsicPlasticityOptions = OptionInputs<ReturnType<typeof intrinsicPlasticityOptions>>

/** The smallest slope: below it, a unit's output would hardly depend on its input. */
const LEAST_SLOPE = 1e-3

const IntrinsicPlasticityBase = configured(Layer<Tensor>, intrinsicPlasticityOptions)

/**
 * An activation σ(a x + b) for x [batch, …, units] whose slopes a and thresholds b [units] are not trained on the loss.
 * In training, each unit adapts them so that the distribution of its outputs y approaches an exponential one of mean μ,
 * which has the largest entropy for this mean:
 *
 *     a ← a + η · mean(1/a + x − (2 + 1/μ) x y + x y²/μ)
 *     b ← b + η · mean(1 − (2 + 1/μ) y + y²/μ)
 *
 * with means over all axes but the last. Initially a = 1 and b = 0; both are weights that no optimizer trains.
 *
 * ```ts
 * import { IntrinsicPlasticity } from 'myelin/balance'
 * new Sequential([new Dense({ units: 100, inputShape: [784] }), new IntrinsicPlasticity({ target: 0.2 }), new Dense(10)])
 * const again = await loadModel(bytes, { customObjects: { IntrinsicPlasticity } })
 * ```
 *
 * Measured use: little benefit. With 784→100→10 on digits and μ = 0.2, four epochs reduce the mean output from 0.50 to
 * 0.44; accuracy is 91.5 %, with a plain sigmoid 91.9 %, and 68.0 % at η = 0.01 and μ = 0.1. With initial weights of
 * standard deviation 1 it is more robust to noise on the inputs (70 against 56 %), but less accurate without noise (86.8
 * against 88.2 %). A plain relu has 93.8 % (`node examples/brain-rules`).
 *
 * Triesch, A gradient rule for the plasticity of a neuron's intrinsic excitability, 2005.
 */
export class IntrinsicPlasticity extends IntrinsicPlasticityBase {
  static readonly className = 'IntrinsicPlasticity'
  /** @internal */
  static override readonly traits: LayerTraits<IntrinsicPlasticity> = {
    form: ELEMENTWISE,
    unitFlow: (layer) => ({ kind: 'keeps', along: unitAxes(0, layer.slope, layer.threshold) }),
  }
  private slopeVariable: Variable | null = null
  private thresholdVariable: Variable | null = null

  /** a, [units] */
  get slope(): Variable {
    return this.requireBuilt(this.slopeVariable)
  }

  /** b, [units] */
  get threshold(): Variable {
    return this.requireBuilt(this.thresholdVariable)
  }

  override build(inputShape: BatchShape): void {
    const units = inputShape.at(-1)
    if (units == null)
      throw new ShapeError(`${this}: the last axis of the input must be known, received ${formatShape(inputShape)}`)
    this.slopeVariable = this.addWeight({ name: 'slope', shape: [units], initializer: 'ones', trainable: false })
    this.thresholdVariable = this.addWeight({
      name: 'threshold',
      shape: [units],
      initializer: 'zeros',
      trainable: false,
    })
  }

  call(x: Tensor, { training }: CallContext): Tensor {
    const [a, b] = [this.slope.value, this.threshold.value]
    const y = sigmoid(add(multiply(x, a), b))
    if (training && this.trainable) this.adapt(x, y, a, b)
    return y
  }

  private adapt(x: Tensor, y: Tensor, a: Tensor, b: Tensor): void {
    const { target, rate } = this
    const others = x.shape.slice(0, -1).map((_, axis) => axis)
    // 1 − (2 + 1/μ) y + y²/μ
    const pull = add(subtract(1, multiply(y, 2 + 1 / target)), divide(square(y), target))
    this.thresholdVariable!.assign(add(b, multiply(mean(pull, others), rate)))
    this.slopeVariable!.assign(
      maximum(add(a, multiply(add(divide(1, a), mean(multiply(x, pull), others)), rate)), LEAST_SLOPE),
    )
  }
}
