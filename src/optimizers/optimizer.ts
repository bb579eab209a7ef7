// Optimizer: gradients → new weights, in one instruction for all weights that lie side by side (parameters.ts). The
// update rules are in rules/.

import { warnOnce } from '../core/warnings'
import { requireArguments } from '../core/arguments'
import { ArgumentError, ShapeError, StateError, formatShape, quoted, unknownName } from '../core/errors'
import {
  Configured,
  boolean,
  configured,
  count,
  custom,
  idle,
  integer,
  listOf,
  nullable,
  number,
  option,
  optionFrom,
  readOptions,
  text,
  unread,
  type OptionInputs,
  type Kind,
  type InOrder,
} from '../core/options'
import { camelCase, classNameOf, type Config } from '../core/registry'
import { sameShape } from '../core/shapes'
import { toTensor, type TensorLike } from '../ops/convert'
import {
  add,
  cast,
  clip,
  divide,
  equal,
  maximum,
  minimum,
  mod,
  multiply,
  notEqual,
  sqrt,
  square,
  subtract,
  where,
} from '../ops/numpy/elementwise'
import type { Pack } from '../ops/packed'
import { sum } from '../ops/numpy/reduce'
import { concatenate, reshape, slice } from '../ops/numpy/shape'
import { assignAll, stateless } from '../ops/stateless'
import { Tensor } from '../ops/tensor'
import { apply, currentTrace, withScope } from '../ops/trace'
import { Variable } from '../ops/variable'
import { groupKind } from './groups'
import { matchKind, matches, type Match } from './match'
import { ParameterStore, type UpdateGroup, type Slot, type Treatment } from './parameters'
import { Rate, learningRateKind } from './rate'
import type { LearningRateSchedule } from './schedules'

const limit = nullable(number({ above: 0 }))
const EMA_MOMENTUM = 0.99

/** The options of all optimizers. */
export const optimizerOptions = () => ({
  /** A number, a schedule, or a function of the step. Default 0.001; SGD and ScheduleFreeAdamW have other defaults. */
  learningRate: option(learningRateKind, 0.001),
  /** p ← p − learningRate · weightDecay · p before each update. Default null: none. */
  weightDecay: option(nullable(number({ min: 0 })), null),
  /** The largest L2 norm of the gradient of one weight. Default null: unlimited. */
  clipnorm: option(limit, null),
  /** The largest absolute value of one element of a gradient. Default null: unlimited. */
  clipvalue: option(limit, null),
  /** The largest L2 norm of all gradients together. Default null: unlimited. */
  globalClipnorm: option(limit, null),
  /** Whether to keep a running average of the weights, which replaces them when training ends. Default false. */
  useEma: option(boolean, false),
  /** average ← emaMomentum · average + (1 − emaMomentum) · weight. Needs useEma. Default 0.99. */
  emaMomentum: option(number({ min: 0, max: 1 }), EMA_MOMENTUM),
  /** The number of updates after which the average replaces the weights. Needs useEma. Default null: only when training ends. */
  emaOverwriteFrequency: option(nullable(count), null),
  /** Multiplies the loss, and divides the gradients. Default null: 1. */
  lossScaleFactor: option(limit, null),
  /** The number of steps whose gradients are averaged for one update. Default null: an update in every step. */
  gradientAccumulationSteps: option(nullable(integer({ min: 2 })), null),
  /** Default: from the class. */
  name: optionFrom<string, string | null>(text, (optimizer) => camelCase(classNameOf(optimizer))),
  /** Changes nothing, as in Keras 3: a schedule changes the rate. Values other than null warn. Default null. */
  decay: unread(idle(nullable(number()), [null], 'use a schedule'), null),
  /** Weights whose learning rate or weight decay differs; the first matching group counts. Default none. */
  groups: option(listOf(groupKind), []),
  /** Weights without weight decay; `excludeFromWeightDecay` adds to them. Default none. */
  noWeightDecay: option(listOf(matchKind), []),
})
export type OptimizerOptions = OptionInputs<ReturnType<typeof optimizerOptions>>

/**
 * The input of an update rule. Normally all weights as one flat tensor; if the rule sees weights apart, one weight and
 * its slots in their shapes.
 */
export interface UpdateInput {
  /** The weights to update. */
  readonly parameters: Tensor
  /** The gradient of the loss, in the same shape. */
  readonly gradient: Tensor
  /** Scalar. */
  readonly learningRate: Tensor
  /** The number of earlier updates: int32 scalar. */
  readonly iterations: Tensor
  /** In the order of `declareSlots`. */
  readonly slots: readonly Tensor[]
  /** The rule's scalars, as `advance` returned them for this update. */
  readonly scalars: readonly Tensor[]
  /** 0 without weight decay. */
  readonly weightDecay: number
}

/** The result of an update rule, in the shapes of its input. */
export interface UpdateResult {
  readonly parameters: Tensor
  readonly slots: readonly Tensor[]
}

/** The kind of slot that holds the running average of a weight. @internal */
export const AVERAGE = 'average'
const ACCUMULATOR = 'gradientAccumulator'

const variableKind: Kind<Variable> = custom(
  (value, where) => {
    if (value instanceof Variable) return value
    throw new ArgumentError(`${where} must be a weight, received ${quoted(value)}`)
  },
  ({ name }) => name,
)

const exclusionOptions = () => ({
  /** Weights. Default none. */
  variables: option(listOf(variableKind), []),
  /** Parts of names, such as `bias` or `encoder/`, or regular expressions. Default none. */
  names: option(listOf(matchKind), []),
})
export type ExclusionOptions = OptionInputs<ReturnType<typeof exclusionOptions>>

const OptimizerBase = (configured as InOrder<['learningRate', 'weightDecay']>)(Configured, optimizerOptions)

/**
 * For a custom optimizer, subclass it, declare the slots and write `update` with ops:
 *
 * ```ts
 * class UnitSteps extends Optimizer {
 *   protected declareSlots() { return ['velocity'] }
 *   protected seesApart() { return true } // for the norm of each weight's gradient
 *   protected update({ parameters, gradient, learningRate, slots: [velocity] }) {
 *     const unit = ops.divide(gradient, ops.add(ops.norm(gradient), 1e-7))
 *     const step = ops.add(ops.multiply(velocity, 0.9), ops.multiply(unit, learningRate))
 *     return { parameters: ops.subtract(parameters, step), slots: [step] }
 *   }
 * }
 * ```
 *
 * `optimizer.apply(gradients, weights)` makes one update, in a traced training step or immediately:
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
export abstract class Optimizer extends OptimizerBase {
  /** The option sets it before the fields of the class are initialised. */
  declare private rate: Rate | undefined
  /** The number of updates done. It stays at 2³¹ − 2. */
  readonly iterations = new Variable([], { name: 'iterations', dtype: 'int32', trainable: false })
  /** The number of gradients accumulated since the last update; null without accumulation. */
  private readonly gathered =
    this.gradientAccumulationSteps === null
      ? null
      : new Variable([], { name: 'gathered', dtype: 'int32', trainable: false })
  private readonly kept = Object.entries(this.declareScalars()).map(
    ([name, start]) => new Variable(new Tensor(Float32Array.of(start), [], 'float32'), { name, trainable: false }),
  )
  private readonly scalarVariables = this.named(this.allScalars())
  private readonly excluded: Match[] = [...this.noWeightDecay]
  private known: ParameterStore | null = null
  /** The weights of the last `build`. */
  private trained: readonly Variable[] = []

  protected override checkOptions(): void {
    const clips = [this.clipnorm, this.clipvalue, this.globalClipnorm].filter((each) => each !== null)
    if (clips.length > 1) {
      throw new ArgumentError(
        `${classNameOf(this)}: only one of clipnorm, clipvalue and globalClipnorm can be used at a time`,
      )
    }
    if (!this.useEma && (this.emaMomentum !== EMA_MOMENTUM || this.emaOverwriteFrequency !== null))
      warnOnce(`${classNameOf(this)}: emaMomentum and emaOverwriteFrequency change nothing without useEma`)
  }

  /** The slots of a weight: a name alone is a slot of the weight's shape that starts with 0. */
  protected abstract declareSlots(weight: Variable): readonly (string | Slot)[]

  /** The update rule, written with ops. */
  protected abstract update(input: UpdateInput): UpdateResult

  /**
   * Whether the rule needs each weight separately, in its shape, because it does not work element by element: a norm, a
   * matrix product. Default false: all neighbours as one flat tensor, so that the update is one instruction.
   */
  protected seesApart(_weight: Variable): boolean {
    return false
  }

  /** The scalars that the rule keeps for all weights together: names and initial values. */
  protected declareScalars(): Readonly<Record<string, number>> {
    return {}
  }

  /** The scalars after an update; called before the weights are updated. */
  protected advance(scalars: readonly Tensor[], _iterations: Tensor): readonly Tensor[] {
    return scalars
  }

  /** The weight decay of a weight, unless its group overrides it; null for none. */
  protected decayOf(_weight: Variable): number | null {
    return this.weightDecay
  }

  /** The learning rate of the next update. Setting it never recompiles. */
  override get learningRate(): number {
    const { schedule, cell } = this.rate!
    return schedule === null ? cell.view[0]! : schedule.call(this.steps()).item()
  }

  override set learningRate(value: number | LearningRateSchedule) {
    if (this.rate === undefined) this.rate = new Rate(value)
    else this.rate.set(value)
  }

  /** Refuses the name `lr` of Keras 1. @internal */
  set lr(_rate: never) {
    throw unknownName('property of optimizers', 'lr', ['learningRate'])
  }

  /** Refuses the name of Keras. @internal */
  set learning_rate(_rate: never) {
    throw unknownName('property of optimizers', 'learning_rate', ['learningRate'])
  }

  /** The optimizers that have a learning rate: this one, or those that it combines. @internal */
  get members(): readonly Optimizer[] {
    return [this]
  }

  /** Whether a step whose gradients are not finite changes no weight, instead of ending training. @internal */
  get skipsNonFinite(): boolean {
    return false
  }

  /** The schedule of the learning rate; null for a number. @internal */
  get schedule(): LearningRateSchedule | null {
    return this.rate!.schedule
  }

  /** The number of calls of `apply` so far, which schedules use. */
  private steps(): Tensor {
    const { gathered, gradientAccumulationSteps } = this
    const updates = this.iterations.value
    if (gathered === null) return updates
    const every = gradientAccumulationSteps!
    const counted = minimum(updates, int(Math.floor(MOST_UPDATES / every) - 1))
    return add(multiply(counted, int(every)), gathered.value)
  }

  /** The slots that the rule declares for a weight. */
  private ownSlots(weight: Variable): readonly Slot[] {
    return this.declareSlots(weight).map((slot) => (typeof slot === 'string' ? { name: slot } : slot))
  }

  /** All slots of a weight, in the order of `slotsOf`. @internal */
  declaredSlots(weight: Variable): readonly Slot[] {
    const average: Slot[] = this.useEma ? [{ name: AVERAGE, start: 'weight' }] : []
    return [...average, ...(this.gathered === null ? [] : [{ name: ACCUMULATOR }]), ...this.ownSlots(weight)]
  }

  private get store(): ParameterStore {
    return (this.known ??= new ParameterStore(this.name, (weight) => this.treatmentOf(weight)))
  }

  /** The state that does not depend on the weights. @internal */
  get scalars(): readonly Variable[] {
    return this.scalarVariables
  }

  private allScalars(): readonly Variable[] {
    const rates = this.groups.flatMap(({ rate }) => (rate == null ? [] : [rate.cell]))
    return [
      this.iterations,
      this.rate!.cell,
      ...rates,
      ...(this.gathered === null ? [] : [this.gathered]),
      ...this.kept,
    ]
  }

  /** Variables whose paths begin with the optimizer's name. */
  protected named(variables: readonly Variable[]): readonly Variable[] {
    for (const each of variables) each.path = `${this.name}/${each.name}`
    return variables
  }

  /**
   * The complete state besides the weights, for saving: `iterations`, the learning rate, those of groups, the number of
   * accumulated steps, scalars of the rule; then the slots by kind (averages, accumulated gradients, those of the rule)
   * in the order of the weights. Frozen weights keep their slots.
   */
  get variables(): readonly Variable[] {
    return [...this.scalars, ...[...this.slots.values()].flat()]
  }

  /** The slots by kind, each in the order of the weights that have one. */
  get slots(): ReadonlyMap<string, readonly Variable[]> {
    return this.store.slots
  }

  /** The slots of one weight by kind; empty before the first training. */
  slotsOf(weight: Variable): ReadonlyMap<string, Variable> {
    return this.store.slotsOf(weight)
  }

  /** Whether `build` was called, which the first training does. */
  get built(): boolean {
    return this.builtFor.length > 0
  }

  /**
   * Replaces the values of `variables`, all or none: the state of an optimizer of the same kind for the same weights.
   *
   *   other.setWeights(optimizer.variables)
   *
   * Keras: `Optimizer.set_weights`.
   * @throws ArgumentError for another number of values; ShapeError for one that does not fit
   */
  setWeights(weights: readonly TensorLike[]): void {
    requireArguments('setWeights', arguments, 1)
    assignAll(`${this.name}: weights`, this.variables, weights)
  }

  /**
   * One update as a function of all values: nothing of the optimizer or of the weights changes. Call `build` before.
   *
   *   optimizer.build(model.trainableVariables)
   *   const update = jit((state, grads, weights) => optimizer.statelessApply(state, grads, weights))
   *   const [weights, state] = update(optimizer.variables, gradients, model.trainableVariables)
   *
   * Keras: `Optimizer.stateless_apply`.
   * @returns the new weights, and the new values of `variables`
   * @throws ArgumentError for another number of values
   */
  statelessApply(
    optimizerVariables: readonly TensorLike[],
    grads: readonly Tensor[],
    trainableVariables: readonly TensorLike[],
  ): [trainableVariables: Tensor[], optimizerVariables: Tensor[]] {
    requireArguments('statelessApply', arguments, 3)
    const where = `${this.name}: statelessApply: variables`
    const [[, state], weights] = stateless(where, this.trained, trainableVariables, () =>
      stateless(where, this.variables, optimizerVariables, () => this.apply(grads)),
    )
    return [weights, state]
  }

  /** The weights that have slots, in the order of `variables`; empty before the first training. @internal */
  get builtFor(): readonly Variable[] {
    return this.store.weights
  }

  /** Whether the optimizer is built for exactly these weights, and they are still in its memory layout. @internal */
  isBuiltFor(weights: readonly Variable[]): boolean {
    const same = weights.length === this.trained.length && weights.every((weight, i) => weight === this.trained[i])
    return same && weights.every((weight) => this.store.holds(weight))
  }

  /**
   * Creates slots for weights and moves the weights side by side; `apply` then updates them by default. Weights that
   * have slots keep them, even those not in this call.
   * @param all the weights of the whole model, to recognise that it is the same model
   * @throws StateError if the optimizer trains another model
   */
  build(weights: readonly Variable[], all: readonly Variable[] = weights): void {
    requireArguments('build', arguments, 2)
    if (this.builtFor.length > 0 && all.length > 0 && !all.some((weight) => this.store.knows(weight))) {
      throw new StateError('This optimizer trains another model already. Use one optimizer per model.')
    }
    this.store.add(weights)
    this.trained = [...weights]
  }

  /**
   * Excludes weights from weight decay. Must be called before the first training.
   *
   *   optimizer.excludeFromWeightDecay({ names: ['bias', /norm.*gamma/] })
   *
   * Keras: `exclude_from_weight_decay`. A string is a part of the full name, `encoder/dense/bias`; patterns are regular
   * expressions.
   * @throws ArgumentError for other arguments, StateError after the first training
   */
  excludeFromWeightDecay(which: ExclusionOptions): void {
    requireArguments('excludeFromWeightDecay', arguments, 1)
    const { variables, names } = readOptions('excludeFromWeightDecay', exclusionOptions(), which)
    if (variables.length + names.length === 0)
      throw new ArgumentError("excludeFromWeightDecay: names no weights. For example: { names: ['bias'] }")
    if (this.builtFor.length > 0)
      throw new StateError('excludeFromWeightDecay must be called before the optimizer is built')
    this.excluded.push(...variables, ...names)
  }

  private groupOf(weight: Variable): number {
    return this.groups.findIndex(({ match }) => matches(match, weight))
  }

  private isExcluded(weight: Variable): boolean {
    return this.excluded.some((match) => matches(match, weight))
  }

  private treatmentOf(weight: Variable): Treatment {
    const slots = this.declaredSlots(weight)
    const isAlone = this.seesApart(weight)
    const group = [this.groupOf(weight), this.isExcluded(weight), isAlone, ...slots.map(({ name }) => name)].join(' ')
    return { slots, group, isAlone }
  }

  /** The loss whose gradients are computed: see lossScaleFactor. */
  scaleLoss(loss: Tensor): Tensor {
    return this.lossScaleFactor === null ? loss : multiply(loss, this.lossScaleFactor)
  }

  /**
   * One update; traced into the training step, or immediate.
   * @param gradients one per weight
   * @param weights default: those of `build`; without it, the first call builds. Weights of `build` that are not listed
   * are not updated
   * @throws ArgumentError for another number of gradients, and for weights that the optimizer was not built for
   */
  apply(gradients: readonly Tensor[], weights: readonly Variable[] = this.trained): void {
    requireArguments('apply', arguments, 2)
    this.requireAlike(gradients, weights)
    if (weights.length === 0) return
    if (this.builtFor.length === 0) this.build(weights)
    const unknown = weights.find((weight) => !this.store.knows(weight))
    if (unknown !== undefined)
      throw new ArgumentError(`${this.name}: it is not built for ${unknown.name}. Call build with all weights first.`)
    this.store.add(weights)
    const each = weights.map((weight, i) => this.gradientOf(weight, gradients[i]))
    withScope('optimizer', () => this.step(new Map(weights.map((weight, i) => [weight, each[i]!]))))
  }

  /** The gradient of a weight, checked, in float32. */
  private gradientOf({ name, shape }: Variable, value: unknown): Tensor {
    const where = `${this.name}: the gradient of ${name}`
    const gradient = toTensor(value, where)
    if (!sameShape(gradient.shape, shape))
      throw new ShapeError(
        `${where} must have the shape of the weight, ${formatShape(shape)}, received ${formatShape(gradient.shape)}`,
      )
    return cast(gradient, 'float32')
  }

  protected requireAlike(gradients: readonly Tensor[], weights: readonly Variable[]): void {
    const strange = weights.findIndex((weight) => !(weight instanceof Variable))
    if (strange >= 0)
      throw new ArgumentError(
        `${this.name}: apply needs weights, received ${quoted(weights[strange])}. In pairs the gradient comes first: [gradient, weight].`,
      )
    if (gradients.length === weights.length) return
    throw new ArgumentError(
      `${this.name}: apply needs a gradient for each weight, received ${gradients.length} for ${weights.length}. Call build with the weights first, or name them: apply(gradients, weights).`,
    )
  }

  /** One update from pairs of a gradient and its weight. Keras: `apply_gradients`. */
  applyGradients(pairs: readonly (readonly [Tensor, Variable])[]): void {
    requireArguments('applyGradients', arguments, 1)
    this.apply(
      pairs.map(([gradient]) => gradient),
      pairs.map(([, weight]) => weight),
    )
  }

  private step(gradients: ReadonlyMap<Variable, Tensor>): void {
    const runs = this.store.runsOf([...gradients.keys()])
    const steps = this.steps()
    const iterations = this.iterations.value
    const { gathered, gradientAccumulationSteps: every } = this
    const isUpdate = gathered === null ? null : equal(gathered.value, int(every! - 1))
    // While gradients are accumulated, nothing else changes.
    const choose = (updated: Tensor, old: Tensor): Tensor =>
      isUpdate === null ? updated : where(isUpdate, updated, old)
    const flat = runs.map((run) => {
      const each = run.parts.map((part) => this.unscale(gradients.get(part)!))
      if (every === null) return { total: null, gradient: sideBySide(each.map((gradient) => this.clipOne(gradient))) }
      const total = add(sideBySide(each), readPack(run.slots.get(ACCUMULATOR)!))
      const mean = divide(total, every)
      return {
        total,
        gradient:
          this.clipnorm === null ? mean : sideBySide(cut(mean, run.parts).map((gradient) => this.clipOne(gradient))),
      }
    })
    const clipped = this.clipAll(flat.map(({ gradient }) => gradient))
    const rates = this.ratesAt(steps)
    const before = this.kept.map(({ value }) => value)
    const scalars = this.advance(before, iterations)
    runs.forEach((run, i) => {
      const { total } = flat[i]!
      if (isUpdate !== null && total !== null) updatePack(run.slots.get(ACCUMULATOR)!, where(isUpdate, 0, total))
      this.updateRun(run, { gradient: clipped[i]!, rates, iterations, scalars, choose })
    })
    this.kept.forEach((scalar, i) => scalar.assign(choose(scalars[i]!, before[i]!)))
    if (gathered === null || isUpdate === null) return this.iterations.assign(increased(iterations))
    gathered.assign(where(isUpdate, int(0), add(gathered.value, int(1))))
    this.iterations.assign(where(isUpdate, increased(iterations), iterations))
  }

  /** The learning rates of an update, before anything changes: an invalid rate ends the step. */
  private ratesAt(steps: Tensor): ReadonlyMap<Rate, Tensor> {
    const rates = [this.rate!, ...this.groups.flatMap(({ rate }) => rate ?? [])]
    return new Map(rates.map((rate) => [rate, rate.at(steps)]))
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

  private updateRun(
    run: UpdateGroup,
    at: Pick<UpdateInput, 'gradient' | 'iterations' | 'scalars'> & {
      rates: ReadonlyMap<Rate, Tensor>
      choose(updated: Tensor, old: Tensor): Tensor
    },
  ): void {
    const { gradient, iterations, scalars, rates, choose } = at
    const weight = run.parts[0]!
    const group = this.groups[this.groupOf(weight)]
    const slots = this.ownSlots(weight).map(({ name }) => run.slots.get(name)!)
    const read = (pack: Pack<Variable>): Tensor => shaped(readPack(pack), pack, run)
    const before = { parameters: read(run), slots: slots.map(read) }
    const after = this.update({
      ...before,
      gradient: shaped(gradient, run, run),
      learningRate: rates.get(group?.rate ?? this.rate!)!,
      iterations,
      scalars,
      weightDecay: this.isExcluded(weight) ? 0 : (group?.weightDecay ?? this.decayOf(weight) ?? 0),
    })
    if (currentTrace() !== null && (this.isGuarded || this.isExtreme))
      apply('guard', [after.parameters, ...after.slots], {})
    after.slots.forEach((slot, i) => updatePack(slots[i]!, flatten(choose(slot, before.slots[i]!))))
    updatePack(
      run,
      constrained(run, this.average(run, flatten(choose(after.parameters, before.parameters)), iterations)),
    )
  }

  /** Whether updates by finite gradients may not be finite, whatever the options are. */
  protected readonly isGuarded: boolean = false

  /** Whether an option is so small or large that updates by finite gradients may not be finite in float32, such as 0 / (0 + epsilon). */
  private get isExtreme(): boolean {
    return Object.entries(this).some(([name, value]: [string, unknown]) => {
      if (typeof value !== 'number') return false
      const size = Math.abs(value)
      const isSmall = /epsilon/.test(name) ? size < 1e-38 : size > 0 && size < 1e-8
      return isSmall || size > 1e8 || (size < 1 && size > 1 - 2 ** -25)
    })
  }

  /** Updates the average; returns the parameters, or their average where it replaces them. */
  private average(run: UpdateGroup, parameters: Tensor, iterations: Tensor): Tensor {
    const slot = run.slots.get(AVERAGE)
    if (slot === undefined) return parameters
    // average ← m · average + (1 − m) · p, m = 0 at the first update
    const momentum = multiply(cast(notEqual(iterations, int(0)), 'float32'), this.emaMomentum)
    const average = add(multiply(momentum, readPack(slot)), multiply(subtract(1, momentum), parameters))
    updatePack(slot, average)
    const { emaOverwriteFrequency: frequency } = this
    return frequency === null
      ? parameters
      : where(equal(mod(add(iterations, int(1)), frequency), 0), average, parameters)
  }

  /**
   * Ends training: with useEma the averages replace the weights. fit calls it after the last epoch.
   *
   * Keras: `finalize_variable_values`.
   * @param weights default: those of `build`
   */
  finalize(weights: readonly Variable[] = this.trained): void {
    requireArguments('finalize', arguments, 1)
    const averages = this.slots.get(AVERAGE)
    if (averages === undefined) return
    this.builtFor.forEach((weight, i) => {
      if (weights.includes(weight)) weight.assign(averages[i]!.value)
    })
  }

  override getConfig(): Config {
    return {
      ...super.getConfig(),
      learningRate: this.rate!.toJson(),
      noWeightDecay: this.excluded.map((match) => matchKind.write(match)),
    }
  }
}

/** The parameters, side by side, with the constraints of their variables applied. */
function constrained({ parts }: UpdateGroup, parameters: Tensor): Tensor {
  if (parts.every(({ constraint }) => constraint === null)) return parameters
  const each = cut(parameters, parts).map((part, i) => {
    const { constraint, shape, name } = parts[i]!
    if (constraint === null) return part
    const made = constraint.call(reshape(part, shape))
    if (sameShape(made.shape, shape)) return made
    throw new ShapeError(
      `${name}: its constraint must keep the shape ${formatShape(shape)}, received ${formatShape(made.shape)}`,
    )
  })
  return sideBySide(each)
}

/** The largest number of updates that is counted: `iterations` and the number of the next update are int32. */
const MOST_UPDATES = 2 ** 31 - 2

/** The number of updates after one more. @internal */
export function increased(iterations: Tensor): Tensor {
  return add(minimum(iterations, int(MOST_UPDATES - 1)), int(1))
}

function int(value: number): Tensor {
  return new Tensor(Int32Array.of(value), [], 'int32')
}

const flatten = (x: Tensor): Tensor => reshape(x, [x.size])

/** The content of a pack as the rule sees it: a single weight in its shape, else flat. */
function shaped(flat: Tensor, { parts }: Pack<Variable>, { isAlone }: UpdateGroup): Tensor {
  return isAlone ? reshape(flat, parts[0]!.shape) : flat
}

function sideBySide(tensors: readonly Tensor[]): Tensor {
  return concatenate(tensors.map(flatten), 0)
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
