// Optimizer: from gradients to new weights, one instruction for all weights that lie side by side (parameters.ts). The
// update rules are in index.ts.

import { ArgumentError, ShapeError, StateError, formatShape } from '../core/errors'
import type { InputsOf } from '../core/options'
import { Configured, boolean, configured, count, integer, listOf, nullable, number, option, optionFrom, text } from '../core/options'
import type { Config } from '../core/registry'
import { camelCase, classNameOf } from '../core/registry'
import { sameShape } from '../core/shapes'
import { add, cast, clip, divide, equal, maximum, mod, multiply, notEqual, sqrt, square, subtract, where } from '../ops/elementwise'
import type { Pack } from '../ops/packed'
import { sum } from '../ops/reduce'
import { concatenate, reshape, slice } from '../ops/shape'
import { Tensor } from '../ops/tensor'
import { currentTrace, withScope } from '../ops/trace'
import { Variable } from '../ops/variable'
import { groupKind } from './groups'
import type { Match } from './match'
import { matchKind, matches } from './match'
import type { Run } from './parameters'
import { ParameterStore } from './parameters'
import { Rate, learningRateKind } from './rate'
import type { LearningRateSchedule } from './schedules'

const limit = nullable(number({ above: 0 }))

const optimizerOptions = () => ({
  /** A number, or a schedule. The default is the class's. */
  learningRate: option(learningRateKind, 0.001),
  /** p ← p − learningRate · weightDecay · p before each update. Default null: none. */
  weightDecay: option(nullable(number({ min: 0 })), null),
  /** The largest L2 norm of the gradient of one weight. Default null: any. */
  clipnorm: option(limit, null),
  /** The largest absolute value of one element of a gradient. Default null: any. */
  clipvalue: option(limit, null),
  /** The largest L2 norm of all gradients together. Default null: any. */
  globalClipnorm: option(limit, null),
  /** Whether a running average of the weights is kept, which takes their place when training ends. Default false. */
  useEma: option(boolean, false),
  /** average ← emaMomentum · average + (1 − emaMomentum) · weight. Default 0.99. */
  emaMomentum: option(number({ min: 0, max: 1 }), 0.99),
  /** After every how many updates the average takes the place of the weights. Default null: when training ends. */
  emaOverwriteFrequency: option(nullable(count), null),
  /** Multiplies the loss before gradients are taken, and divides them. Default null: none. */
  lossScaleFactor: option(limit, null),
  /** Weights are updated every so many steps, by the mean of their gradients. Default null: in every step. */
  gradientAccumulationSteps: option(nullable(integer({ min: 2 })), null),
  /** Weights with a learning rate or weight decay of their own; of several that match, the first counts. Default none. */
  groups: option(listOf(groupKind), []),
  /** Weights without weight decay, as `excludeFromWeightDecay` adds them. Default none. */
  noWeightDecay: option(listOf(matchKind), []),
  /** Default: from the class. */
  name: optionFrom(text, (optimizer) => camelCase(classNameOf(optimizer))),
})
export type OptimizerOptions = InputsOf<ReturnType<typeof optimizerOptions>>

/** What an update rule is given, and what it makes of it. All flat, as long as the weights together. */
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

/** The kind of slot that holds the running average of a weight. @internal */
export const AVERAGE = 'average'
const ACCUMULATOR = 'gradientAccumulator'

/**
 * Subclass it, name the slots and write `update` with ops to make an optimizer of your own.
 *
 * `optimizer.apply(gradients, weights)` makes one update, in a traced training step or at once:
 *
 * ```ts
 * const optimizer = new Adam({ groups: [{ match: 'encoder/', learningRate: 1e-4 }, { match: 'bias', weightDecay: 0 }] })
 * const step = jit((x) => {
 *   const [loss, gradients] = …
 *   optimizer.apply(gradients, weights)
 *   return loss
 * })
 * ```
 */
export abstract class Optimizer extends configured(Configured, optimizerOptions) {
  /** Made when the option is set, which is before the fields of the class. */
  private declare rate: Rate | undefined
  /** The number of updates done. */
  readonly iterations = new Variable([], { name: 'iterations', dtype: 'int32', trainable: false })
  /** The gradients gathered since the last update; null when every step updates. */
  private readonly gathered = this.gradientAccumulationSteps === null ? null : new Variable([], { name: 'gathered', dtype: 'int32', trainable: false })
  private readonly excluded: Match[] = [...this.noWeightDecay]
  private known: ParameterStore | null = null
  /** The weights that were given to `build` last. */
  private trained: readonly Variable[] = []

  protected override checkOptions(): void {
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
  override get learningRate(): number {
    const { schedule, cell } = this.rate!
    return schedule === null ? cell.view[0]! : schedule.call(this.steps()).item()
  }

  override set learningRate(value: number | LearningRateSchedule) {
    if (this.rate === undefined) this.rate = new Rate(value)
    else this.rate.set(value)
  }

  /** The calls of `apply` so far, which schedules count. */
  private steps(): Tensor {
    const { gathered, gradientAccumulationSteps } = this
    const updates = this.iterations.value
    return gathered === null ? updates : add(multiply(updates, int(gradientAccumulationSteps!)), gathered.value)
  }

  private slotKinds(): string[] {
    return [...(this.useEma ? [AVERAGE] : []), ...(this.gathered === null ? [] : [ACCUMULATOR]), ...this.slotNames()]
  }

  private get store(): ParameterStore {
    return (this.known ??= new ParameterStore(this.slotKinds(), (weight) => this.settingOf(weight)))
  }

  /** What changes and does not depend on the weights. @internal */
  get scalars(): readonly Variable[] {
    const rates = this.groups.flatMap(({ rate }) => (rate == null ? [] : [rate.cell]))
    return [this.iterations, this.rate!.cell, ...rates, ...(this.gathered === null ? [] : [this.gathered])]
  }

  /**
   * Everything that changes besides the weights, for saving: `iterations`, the learning rate, those of groups, the steps
   * gathered; then the slots by kind (averages, gathered gradients, those of the rule), each of its weight's shape, in the
   * order of the weights. Weights that are not trained for a while keep theirs.
   */
  get variables(): readonly Variable[] {
    return [...this.scalars, ...[...this.slots.values()].flat()]
  }

  /** The slots by kind, each in the order of the weights that the optimizer knows. */
  get slots(): ReadonlyMap<string, readonly Variable[]> {
    return this.store.slots
  }

  /** What is kept beside one weight, by kind; nothing before the first training. */
  slotsOf(weight: Variable): ReadonlyMap<string, Variable> {
    return this.store.slotsOf(weight)
  }

  /** The weights it has slots for, in the order of `variables`; none before the first training. @internal */
  get builtFor(): readonly Variable[] {
    return this.store.weights
  }

  /** Whether `apply` without weights means exactly these, and they are where the optimizer put them. @internal */
  isBuiltFor(weights: readonly Variable[]): boolean {
    const same = weights.length === this.trained.length && weights.every((weight, i) => weight === this.trained[i])
    return same && weights.every((weight) => this.store.holds(weight))
  }

  /**
   * Makes slots for weights and moves the weights side by side; from now on they are those that `apply` updates. A weight
   * that had slots keeps them, also one that is not among the weights of this call.
   * @param all the weights of the whole model, by which it is known that it is the same one
   * @throws StateError when it trains another model
   */
  build(weights: readonly Variable[], all: readonly Variable[] = weights): void {
    const first = this.builtFor.length
    if (first > 0 && all.length > 0 && !all.some((weight) => this.store.knows(weight))) {
      throw new StateError('This optimizer trains another model already. Make one for each model.')
    }
    this.store.add(weights)
    this.trained = [...weights]
    // An average starts at the weight.
    const averages = this.slots.get(AVERAGE) ?? []
    this.builtFor.slice(first).forEach((weight, i) => averages[first + i]?.view.set(weight.view))
  }

  /**
   * Weights without weight decay. To be called before the first training.
   *
   * Keras: `exclude_from_weight_decay`.
   * @param names parts of names, or regular expressions
   */
  excludeFromWeightDecay({ variables = [], names = [] }: { variables?: readonly Variable[]; names?: readonly (string | RegExp)[] }): void {
    if (this.builtFor.length > 0) throw new StateError('excludeFromWeightDecay must be called before the optimizer is built')
    this.excluded.push(...variables, ...names)
  }

  private groupOf(weight: Variable): number {
    return this.groups.findIndex(({ match }) => matches(match, weight))
  }

  private isExcluded(weight: Variable): boolean {
    return this.excluded.some((match) => matches(match, weight))
  }

  /** A number for what is set for a weight: equal ones are updated together. */
  private settingOf(weight: Variable): number {
    return 2 * this.groupOf(weight) + Number(this.isExcluded(weight))
  }

  /** The loss as gradients are to be taken of it: see lossScaleFactor. */
  scaleLoss(loss: Tensor): Tensor {
    return this.lossScaleFactor === null ? loss : multiply(loss, this.lossScaleFactor)
  }

  /**
   * One update; traced into the training step, or at once.
   * @param gradients one for each weight
   * @param weights those of `build` when they are left out; the first call may be the one that builds. Weights of `build`
   * that are not among them stay as they are
   * @throws ArgumentError for another number of gradients, and for weights that the optimizer was not built for
   */
  apply(gradients: readonly Tensor[], weights: readonly Variable[] = this.trained): void {
    this.requireAlike(gradients, weights)
    if (weights.length === 0) return
    if (this.builtFor.length === 0) this.build(weights)
    const unknown = weights.find((weight) => !this.store.knows(weight))
    if (unknown !== undefined) throw new ArgumentError(`${this.name}: was not built for ${unknown.name}. Call build with all weights first.`)
    this.store.add(weights)
    withScope('optimizer', () => this.step(new Map(weights.map((weight, i) => [weight, gradients[i]!]))))
  }

  protected requireAlike(gradients: readonly Tensor[], weights: readonly Variable[]): void {
    if (gradients.length === weights.length) return
    throw new ArgumentError(`${this.name}: apply needs a gradient for each weight, received ${gradients.length} for ${weights.length}. Call build with the weights first, or name them: apply(gradients, weights).`)
  }

  /** One update from pairs of a gradient and its weight. Keras: `apply_gradients`. */
  applyGradients(pairs: readonly (readonly [Tensor, Variable])[]): void {
    this.apply(pairs.map(([gradient]) => gradient), pairs.map(([, weight]) => weight))
  }

  private step(gradients: ReadonlyMap<Variable, Tensor>): void {
    const runs = this.store.runsOf([...gradients.keys()])
    const steps = this.steps()
    const iterations = this.iterations.value
    const { gathered, gradientAccumulationSteps: every } = this
    const isUpdate = gathered === null ? null : equal(gathered.value, int(every! - 1))
    const flat = runs.map((run) => {
      const each = run.parts.map((part) => this.unscale(gradients.get(part)!))
      if (every === null) return { total: null, gradient: sideBySide(each.map((gradient) => this.clipOne(gradient))) }
      const total = add(sideBySide(each), readPack(run.slots.get(ACCUMULATOR)!))
      const mean = divide(total, every)
      return { total, gradient: this.clipnorm === null ? mean : sideBySide(cut(mean, run.parts).map((gradient) => this.clipOne(gradient))) }
    })
    const clipped = this.clipAll(flat.map(({ gradient }) => gradient))
    runs.forEach((run, i) => this.updateRun(run, { gradient: clipped[i]!, total: flat[i]!.total, steps, iterations, isUpdate }))
    if (gathered === null || isUpdate === null) return this.iterations.assign(add(iterations, int(1)))
    gathered.assign(where(isUpdate, int(0), add(gathered.value, int(1))))
    this.iterations.assign(add(iterations, cast(isUpdate, 'int32')))
  }

  private unscale(gradient: Tensor): Tensor {
    return this.lossScaleFactor === null ? gradient : divide(gradient, this.lossScaleFactor)
  }

  private clipOne(gradient: Tensor): Tensor {
    return this.clipnorm === null ? gradient : multiply(gradient, shrink(sum(square(gradient)), this.clipnorm))
  }

  private clipAll(gradients: readonly Tensor[]): readonly Tensor[] {
    const { clipvalue, globalClipnorm } = this
    if (clipvalue !== null) return gradients.map((gradient) => clip(gradient, -clipvalue, clipvalue))
    if (globalClipnorm === null) return gradients
    const squares = gradients.map((gradient) => sum(square(gradient))).reduce((a, b) => add(a, b))
    const factor = shrink(squares, globalClipnorm)
    return gradients.map((gradient) => multiply(gradient, factor))
  }

  private updateRun(run: Run, at: { gradient: Tensor; total: Tensor | null; steps: Tensor; iterations: Tensor; isUpdate: Tensor | null }): void {
    const { isUpdate } = at
    const group = this.groups[this.groupOf(run.parts[0]!)]
    const slots = this.slotNames().map((kind) => run.slots.get(kind)!)
    const before = { parameters: readPack(run), slots: slots.map(readPack) }
    const after = this.update({
      ...before,
      gradient: at.gradient,
      learningRate: (group?.rate ?? this.rate!).at(at.steps),
      iterations: at.iterations,
      weightDecay: this.isExcluded(run.parts[0]!) ? 0 : (group?.weightDecay ?? this.weightDecay ?? 0),
    })
    // While gradients are gathered everything stays as it is.
    const choose = (updated: Tensor, old: Tensor): Tensor => (isUpdate === null ? updated : where(isUpdate, updated, old))
    after.slots.forEach((slot, i) => updatePack(slots[i]!, choose(slot, before.slots[i]!)))
    if (isUpdate !== null && at.total !== null) updatePack(run.slots.get(ACCUMULATOR)!, where(isUpdate, 0, at.total))
    updatePack(run, constrained(run, this.average(run, choose(after.parameters, before.parameters), at.iterations)))
  }

  /** The parameters after their average took them in, which may take their place. */
  private average(run: Run, parameters: Tensor, iterations: Tensor): Tensor {
    const slot = run.slots.get(AVERAGE)
    if (slot === undefined) return parameters
    // average ← m · average + (1 − m) · p, m = 0 at the first update
    const momentum = multiply(cast(notEqual(iterations, int(0)), 'float32'), this.emaMomentum)
    const average = add(multiply(momentum, readPack(slot)), multiply(subtract(1, momentum), parameters))
    updatePack(slot, average)
    const { emaOverwriteFrequency: frequency } = this
    return frequency === null ? parameters : where(equal(mod(add(iterations, int(1)), frequency), 0), average, parameters)
  }

  /**
   * Ends training: with useEma the averages take the place of the weights. fit calls it after the last epoch.
   *
   * Keras: `finalize_variable_values`.
   * @param weights those of `build` when they are left out
   */
  finalize(weights: readonly Variable[] = this.trained): void {
    const averages = this.slots.get(AVERAGE)
    if (averages === undefined) return
    this.builtFor.forEach((weight, i) => {
      if (weights.includes(weight)) weight.assign(averages[i]!.value)
    })
  }

  override getConfig(): Config {
    return { ...super.getConfig(), learningRate: this.rate!.toJson(), noWeightDecay: this.excluded.map((match) => matchKind.write(match)) }
  }
}

/** The parameters, side by side, as the constraints of their variables want them. */
function constrained({ parts }: Run, parameters: Tensor): Tensor {
  if (parts.every(({ constraint }) => constraint === null)) return parameters
  const each = cut(parameters, parts).map((own, i) => {
    const { constraint, shape, name } = parts[i]!
    if (constraint === null) return own
    const made = constraint.call(reshape(own, shape))
    if (sameShape(made.shape, shape)) return made
    throw new ShapeError(`${name}: its constraint must keep the shape ${formatShape(shape)}, received ${formatShape(made.shape)}`)
  })
  return sideBySide(each)
}

function int(value: number): Tensor {
  return new Tensor(Int32Array.of(value), [], 'int32')
}

function sideBySide(tensors: readonly Tensor[]): Tensor {
  return concatenate(tensors.map((each) => reshape(each, [each.size])), 0)
}

function cut(flat: Tensor, parts: readonly Variable[]): Tensor[] {
  let start = 0
  return parts.map(({ size }) => slice(flat, [(start += size) - size], [size]))
}

// limit / max(|g|, limit), from |g|²
function shrink(squares: Tensor, limit: number): Tensor {
  return divide(limit, maximum(sqrt(squares), limit))
}

function readPack(pack: Pack<Variable>): Tensor {
  return currentTrace()?.readPack(pack) ?? pack.whole.value
}

function updatePack(pack: Pack<Variable>, value: Tensor): void {
  const trace = currentTrace()
  if (trace === null) pack.whole.assign(value)
  else trace.updatePack(pack, value)
}
