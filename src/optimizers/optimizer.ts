// Optimizer: from gradients to new weights. Keeps all trainable weights side by side in linear memory, so that
// one instruction updates everything. The update rules are in index.ts.

import { ArgumentError, StateError } from '../core/errors'
import { add, cast, clip, divide, maximum, multiply, sqrt, square } from '../ops/elementwise'
import { sum } from '../ops/reduce'
import { concatenate, reshape } from '../ops/shape'
import type { TensorData } from '../ops/tensor'
import { Tensor } from '../ops/tensor'
import { withScope } from '../ops/trace'
import { Variable } from '../ops/variable'
import { withRuntime } from '../runtime/runtime'
import type { Config, Serialized } from '../core/registry'
import { isSerialized, serialize } from '../core/registry'
import { LearningRateSchedule, getSchedule } from './schedules'

/** A number, a schedule, or a saved schedule. */
export type LearningRate = number | LearningRateSchedule | Serialized

export interface OptimizerOptions {
  learningRate?: LearningRate
  /** p ← p − learningRate · weightDecay · p before each update. */
  weightDecay?: number | null
  /** The largest L2 norm of the gradient of one weight. */
  clipnorm?: number | null
  /** The largest absolute value of one element of a gradient. */
  clipvalue?: number | null
  /** The largest L2 norm of all gradients together. */
  globalClipnorm?: number | null
}

/** The names of OptimizerOptions. */
export const OPTIMIZER_OPTIONS: readonly (keyof OptimizerOptions)[] = [
  'learningRate', 'weightDecay', 'clipnorm', 'clipvalue', 'globalClipnorm',
]

/** What an update rule is given, and what it makes of it. All flat, as long as all weights together. */
export interface UpdateInput {
  readonly parameters: Tensor
  readonly gradient: Tensor
  /** Scalar. */
  readonly learningRate: Tensor
  /** The number of updates before this one: int32 scalar. */
  readonly iterations: Tensor
  readonly slots: readonly Tensor[]
  readonly weightDecay: number
}

export interface UpdateResult {
  readonly parameters: Tensor
  readonly slots: readonly Tensor[]
}

export abstract class Optimizer {
  private readonly schedule: LearningRateSchedule | null
  private readonly rate: Variable
  /** The number of updates done. */
  readonly iterations: Variable
  readonly weightDecay: number | null
  readonly clipnorm: number | null
  readonly clipvalue: number | null
  readonly globalClipnorm: number | null
  private weights: readonly Variable[] = []
  private flat: Variable | null = null
  private slotVariables: readonly Variable[] = []

  constructor(learningRate: LearningRate, options: OptimizerOptions) {
    const resolved = isSerialized(learningRate) ? getSchedule(learningRate, {}) : learningRate
    this.schedule = resolved instanceof LearningRateSchedule ? resolved : null
    this.rate = new Variable([], { name: 'learningRate', trainable: false })
    this.iterations = new Variable([], { name: 'iterations', dtype: 'int32', trainable: false })
    if (typeof resolved === 'number') this.learningRate = resolved
    this.weightDecay = options.weightDecay ?? null
    if (this.weightDecay !== null && !(this.weightDecay >= 0)) {
      throw new ArgumentError(`weightDecay must be ≥ 0, received ${this.weightDecay}`)
    }
    this.clipnorm = positive('clipnorm', options.clipnorm)
    this.clipvalue = positive('clipvalue', options.clipvalue)
    this.globalClipnorm = positive('globalClipnorm', options.globalClipnorm)
    const clips = [this.clipnorm, this.clipvalue, this.globalClipnorm].filter((each) => each !== null)
    if (clips.length > 1) {
      throw new ArgumentError('Only one of clipnorm, clipvalue and globalClipnorm can be used at a time')
    }
  }

  /** Names of the flat buffers that the rule keeps besides the weights. */
  protected abstract slotNames(): readonly string[]

  /** The update rule, written with ops. */
  protected abstract update(input: UpdateInput): UpdateResult

  /** The learning rate of the next update. Setting it never recompiles. */
  get learningRate(): number {
    return this.schedule === null ? this.rate.view[0]! : this.schedule.call(this.iterations.value).item()
  }

  set learningRate(value: number) {
    if (this.schedule !== null) {
      throw new StateError('The learning rate follows a schedule and cannot be set. Compile with a number to set it.')
    }
    if (!Number.isFinite(value) || value < 0) {
      throw new ArgumentError(`learningRate must be a finite number ≥ 0, received ${value}`)
    }
    this.rate.view[0] = value
  }

  /** What changes and does not depend on the weights. @internal */
  get scalars(): readonly Variable[] {
    return [this.iterations, this.rate]
  }

  /** Everything that changes besides the weights, for saving. */
  get variables(): readonly Variable[] {
    return [...this.scalars, ...this.slotVariables]
  }

  /** The weights it has slots for; none before the first training. @internal */
  get builtFor(): readonly Variable[] {
    return this.weights
  }

  /** Whether it keeps exactly these weights, where they are. @internal */
  isBuiltFor(weights: readonly Variable[]): boolean {
    const same = weights.length === this.weights.length && weights.every((weight, i) => weight === this.weights[i])
    // Another optimizer may have moved a weight that two models share.
    return same && weights.every((weight) => weight.storage === this.flat?.storage)
  }

  /**
   * Moves the weights side by side and makes the slots; a weight that it had before keeps its part of them.
   * @throws StateError when it trains another model
   * @internal
   */
  build(weights: readonly Variable[]): void {
    if (this.weights.length > 0 && !weights.some((weight) => this.weights.includes(weight))) {
      throw new StateError('This optimizer trains another model already. Make one for each model.')
    }
    const kept = this.slotContents()
    this.weights = weights
    const first = weights[0]
    if (first === undefined) return
    const size = weights.reduce((total, weight) => total + weight.size, 0)
    const storage = first.runtime.createStorage(4 * size)
    this.flat = Variable.within(storage, 0, [size], 'parameters')
    this.slotVariables = withRuntime(first.runtime, () =>
      this.slotNames().map((name) => new Variable([size], { name, trainable: false })),
    )
    let offset = 0
    for (const weight of weights) {
      weight.adopt(storage, 4 * offset)
      const contents = kept.get(weight)
      this.slotVariables.forEach((slot, i) => contents?.[i] && slot.view.set(contents[i], offset))
      offset += weight.size
    }
  }

  private slotContents(): Map<Variable, TensorData[]> {
    let offset = 0
    const contents = new Map<Variable, TensorData[]>()
    for (const weight of this.weights) {
      const start = offset
      offset += weight.size
      contents.set(weight, this.slotVariables.map((slot) => slot.view.slice(start, offset)))
    }
    return contents
  }

  /** One update; traced into the training step. `gradients` has one tensor for each weight given to build. */
  apply(gradients: readonly Tensor[]): void {
    const flat = this.flat
    if (flat === null) return
    withScope('optimizer', () => {
      const gradient = this.clipFlat(concatenate(this.clipEach(gradients).map((each) => reshape(each, [each.size])), 0))
      const iterations = this.iterations.value
      const { parameters, slots } = this.update({
        parameters: flat.value,
        gradient,
        learningRate: this.schedule === null ? this.rate.value : cast(this.schedule.call(iterations), 'float32'),
        iterations,
        slots: this.slotVariables.map((slot) => slot.value),
        weightDecay: this.weightDecay ?? 0,
      })
      flat.assign(parameters)
      slots.forEach((slot, i) => this.slotVariables[i]!.assign(slot))
      this.iterations.assign(add(iterations, new Tensor(Int32Array.of(1), [], 'int32')))
    })
  }

  private clipEach(gradients: readonly Tensor[]): readonly Tensor[] {
    const { clipnorm } = this
    return clipnorm === null ? gradients : gradients.map((gradient) => clipByNorm(gradient, clipnorm))
  }

  private clipFlat(gradient: Tensor): Tensor {
    if (this.clipvalue !== null) return clip(gradient, -this.clipvalue, this.clipvalue)
    return this.globalClipnorm === null ? gradient : clipByNorm(gradient, this.globalClipnorm)
  }

  getConfig(): Config {
    const options: Record<string, Config[string]> = {
      learningRate: this.schedule === null ? this.rate.view[0]! : serialize(this.schedule),
    }
    for (const key of ['weightDecay', 'clipnorm', 'clipvalue', 'globalClipnorm'] as const) options[key] = this[key]
    return options
  }
}

// g · limit / max(|g|, limit)
function clipByNorm(gradient: Tensor, limit: number): Tensor {
  const norm = sqrt(sum(square(gradient)))
  return multiply(gradient, divide(limit, maximum(norm, limit)))
}

function positive(name: string, value: number | null | undefined): number | null {
  if (value == null) return null
  if (value > 0) return value
  throw new ArgumentError(`${name} must be > 0, received ${value}`)
}

