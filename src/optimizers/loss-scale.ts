// LossScaleOptimizer: a factor of the loss that grows while all gradients are finite. Most models compute in float32 and do not need it.

import { ArgumentError, internalError } from '../core/errors'
import { configured, count, number, option, required, type AnyOption, type OptionInputs } from '../core/options'
import type { Config } from '../core/registry'
import { add, cast, equal, isfinite, logicalAnd, multiply, divide, where } from '../ops/numpy/elementwise'
import { all } from '../ops/numpy/reduce'
import { Tensor } from '../ops/tensor'
import { Variable } from '../ops/variable'
import { optimizer } from './multi'
import { Optimizer, optimizerOptions, type UpdateResult } from './optimizer'
import type { Slot } from './parameters'
import type { LearningRateSchedule } from './schedules'

const lossScaleOptions = () => ({
  /** The optimizer that updates the weights. Its lossScaleFactor must be null. */
  innerOptimizer: required(optimizer),
  /** The first factor. Default 32768. */
  initialScale: option(number({ above: 0 }), 2 ** 15),
  /** The number of steps with finite gradients after which the factor is doubled. Default 2000. */
  dynamicGrowthSteps: option(count, 2000),
})
export type LossScaleOptions = OptionInputs<ReturnType<typeof lossScaleOptions>> & {
  /** Default: the class name in camelCase. */
  name?: string
}

const int = (value: number): Tensor => new Tensor(Int32Array.of(value), [], 'int32')

const LossScaleOptimizerBase = configured(Optimizer, lossScaleOptions, [
  'innerOptimizer',
  'initialScale',
  'dynamicGrowthSteps',
  'name',
])

/**
 * Multiplies the loss by a factor, divides the gradients by it, and passes them to another optimizer. A step with a gradient
 * that is not finite changes no weight, and halves the factor; after `dynamicGrowthSteps` steps with finite gradients it is
 * doubled. Such steps do not end training, as with other optimizers.
 *
 *   model.compile({ optimizer: new LossScaleOptimizer(new Adam(1e-3)), loss: 'mse' })
 *
 * Keras: `keras.optimizers.LossScaleOptimizer`.
 * @throws ArgumentError for options of the inner optimizer, such as learningRate
 */
export class LossScaleOptimizer extends LossScaleOptimizerBase {
  static readonly className = 'LossScaleOptimizer'
  /** The number of steps with finite gradients since the factor changed. */
  readonly stepCounter = new Variable([], { name: 'stepCounter', dtype: 'int32', trainable: false })
  /** The factor. */
  readonly dynamicScale = new Variable(new Tensor(Float32Array.of(this.initialScale), [], 'float32'), {
    name: 'dynamicScale',
    trainable: false,
  })
  private readonly counters = this.named([this.stepCounter, this.dynamicScale])

  protected override checkOptions(): void {
    const table: Readonly<Record<string, AnyOption>> = optimizerOptions()
    for (const [name, { initial, read, write, unread }] of Object.entries(table)) {
      if (unread) continue
      // The rate of the options; the property `learningRate` is that of the inner optimizer.
      const value: unknown = name === 'learningRate' ? super.learningRate : Reflect.get(this, name)
      const usual = name === 'learningRate' ? Math.fround(Number(initial!({}))) : write(read(initial!({}), name))
      if (name !== 'name' && JSON.stringify(write(value)) !== JSON.stringify(usual))
        throw new ArgumentError(`${this.name}: ${name} has no effect here. Set it in the inner optimizer`)
    }
    if (this.innerOptimizer.lossScaleFactor !== null || this.innerOptimizer.skipsNonFinite)
      throw new ArgumentError(
        `${this.name}: the loss is scaled once, so the inner optimizer must not scale it (lossScaleFactor null, no LossScaleOptimizer)`,
      )
  }

  protected declareSlots(): readonly string[] {
    return []
  }

  protected update(): UpdateResult {
    throw internalError('the inner optimizer updates the weights')
  }

  /** The learning rate of the inner optimizer. */
  override get learningRate(): number {
    return this.innerOptimizer.learningRate
  }

  override set learningRate(value: number | LearningRateSchedule) {
    if (this.innerOptimizer === undefined) super.learningRate = value
    else this.innerOptimizer.learningRate = value
  }

  override get members(): readonly Optimizer[] {
    return this.innerOptimizer.members
  }

  override get schedule(): LearningRateSchedule | null {
    return this.innerOptimizer.schedule
  }

  override get skipsNonFinite(): boolean {
    return true
  }

  override get scalars(): readonly Variable[] {
    return [this.iterations, ...this.counters, ...this.innerOptimizer.scalars]
  }

  /** `iterations`, `stepCounter`, `dynamicScale`, then the variables of the inner optimizer. */
  override get variables(): readonly Variable[] {
    return [this.iterations, ...this.counters, ...this.innerOptimizer.variables]
  }

  override get slots(): ReadonlyMap<string, readonly Variable[]> {
    return this.innerOptimizer.slots
  }

  override slotsOf(weight: Variable): ReadonlyMap<string, Variable> {
    return this.innerOptimizer.slotsOf(weight)
  }

  override declaredSlots(weight: Variable): readonly Slot[] {
    return this.innerOptimizer.declaredSlots(weight)
  }

  override get builtFor(): readonly Variable[] {
    return this.innerOptimizer.builtFor
  }

  override isBuiltFor(weights: readonly Variable[]): boolean {
    return this.innerOptimizer.isBuiltFor(weights)
  }

  override build(weights: readonly Variable[], everything: readonly Variable[] = weights): void {
    this.innerOptimizer.build(weights, everything)
  }

  override scaleLoss(loss: Tensor): Tensor {
    return multiply(loss, this.dynamicScale.value)
  }

  override apply(gradients: readonly Tensor[], weights: readonly Variable[] = this.builtFor): void {
    this.requireAlike(gradients, weights)
    if (weights.length === 0) return
    const { innerOptimizer: inner, stepCounter, dynamicScale } = this
    if (inner.builtFor.length === 0) inner.build(weights)
    const scale = dynamicScale.value
    const isFinite = gradients.map((gradient) => all(isfinite(gradient))).reduce((a, b) => logicalAnd(a, b))
    const changed = [...weights, ...inner.variables]
    const before = changed.map(({ value }) => value)
    inner.apply(
      gradients.map((gradient) => divide(gradient, scale)),
      weights,
    )
    changed.forEach((each, i) => each.assign(where(isFinite, each.value, before[i]!)))
    const steps = add(stepCounter.value, int(1))
    const grows = equal(steps, int(this.dynamicGrowthSteps))
    stepCounter.assign(where(logicalAnd(isFinite, equal(cast(grows, 'int32'), int(0))), steps, int(0)))
    dynamicScale.assign(multiply(scale, where(isFinite, where(grows, 2, 1), 0.5)))
    this.iterations.assign(inner.iterations.value)
  }

  override excludeFromWeightDecay(which: Parameters<Optimizer['excludeFromWeightDecay']>[0]): void {
    this.innerOptimizer.excludeFromWeightDecay(which)
  }

  override finalize(weights: readonly Variable[] = this.builtFor): void {
    this.innerOptimizer.finalize(weights)
  }

  override getConfig(): Config {
    const { name, innerOptimizer, initialScale, dynamicGrowthSteps } = this
    return { name, innerOptimizer: optimizer.write(innerOptimizer), initialScale, dynamicGrowthSteps }
  }
}
