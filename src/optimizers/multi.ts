// Several optimizers, each for some of the weights.

import { ArgumentError, StateError, internalError, knownName } from '../core/errors'
import {
  configured,
  isOptions,
  listOf,
  named,
  required,
  withoutOptions,
  type OptionInputs,
  type Kind,
} from '../core/options'
import type { Config } from '../core/registry'
import type { Tensor } from '../ops/tensor'
import type { Variable } from '../ops/variable'
import { matchKind, matches, type Match } from './match'
import { Optimizer, increased, optimizerOptions, type UpdateResult } from './optimizer'
import { OptimizerMap } from './optimizer-map'
import type { Slot } from './parameters'
import { optimizers, type OptimizerIdentifier } from './registry'
import type { LearningRateSchedule } from './schedules'

/** An optimizer and its weights. Without `match`, it trains all weights that no other optimizer matches. */
export interface OptimizerFor {
  readonly optimizer: Optimizer
  readonly match: Match | null
  /** The map that the pair comes from. It refuses a weight that several of its keys match. */
  readonly map?: OptimizerMap
}

/** An optimizer, by name or as an object. */
export const optimizer = /* @__PURE__ */ named<Optimizer, OptimizerIdentifier>(optimizers)

// [optimizer, match], or [optimizer] for all other weights.
const optimizerFor: Kind<OptimizerFor, readonly [OptimizerIdentifier, (Match | null)?]> = {
  read(value, where) {
    if (!Array.isArray(value) || value.length < 1 || value.length > 2) {
      throw new ArgumentError(
        `${where} must be [optimizer, weights], for example ['sgd', 'encoder/'], or [optimizer] for all other weights`,
      )
    }
    const [identifier, match = null]: unknown[] = value
    const single = optimizer.read(identifier, `${where}[0]`)
    // A MultiOptimizer would divide the weights once more. An optimizer that skips non-finite gradients scales the loss.
    if (single instanceof MultiOptimizer || single.skipsNonFinite)
      throw new ArgumentError(`${where}[0] must be a single optimizer, received a ${single.constructor.name}`)
    return {
      optimizer: single,
      match: match === null ? null : matchKind.read(match, `${where}[1]`),
    }
  },
  write: (pair) => [optimizer.write(pair.optimizer), pair.match === null ? null : matchKind.write(pair.match)],
}

const pairs = listOf(optimizerFor)

const optimizerList: Kind<
  readonly OptimizerFor[],
  readonly (readonly [OptimizerIdentifier, (Match | null)?])[] | OptimizerMap
> = {
  read(value, where) {
    if (!(value instanceof OptimizerMap)) return pairs.read(value, where)
    const mapped = value.pairs.map((each) => [each.optimizer, each.match])
    return pairs.read(mapped, where).map((each) => ({ ...each, map: value }))
  },
  write: (all) => pairs.write(all),
}

const multiOptions = () => ({
  /** Pairs of an optimizer and its weights; the first that matches a weight trains it. Or an OptimizerMap. */
  optimizers: required(optimizerList),
})
export type MultiOptimizerOptions = (
  | OptionInputs<ReturnType<typeof multiOptions>>
  | {
      /** Keras's name of `optimizers`. */
      optimizerMap: OptimizerMap
    }
) & {
  /** Default: the class name in camelCase. */
  name?: string
}

/** Options in which `optimizers` stands in place of `optimizerMap`; other values unchanged. @throws ArgumentError for both */
function withoutMapName(options: unknown): unknown {
  if (!isOptions(options)) return options
  const key = knownName('optimizerMap', Object.keys(options))
  if (key === undefined) return options
  if (knownName('optimizers', Object.keys(options)) !== undefined)
    throw new ArgumentError('MultiOptimizer: optimizers and optimizerMap are two names of one option. Give one of them')
  return { ...withoutOptions(options, [key]), optimizers: options[key] }
}

/** The arguments of the constructor as those of its base, which checks them. */
function argumentsOfBase(args: readonly unknown[]): [options: OptionInputs<ReturnType<typeof multiOptions>>]
function argumentsOfBase(args: readonly unknown[]): unknown[] {
  return args.map(withoutMapName)
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0
}

const MultiOptimizerBase = configured(Optimizer, multiOptions, ['optimizers', 'name'])

/**
 * Several optimizers, each for some of the weights:
 *
 * ```ts
 * new MultiOptimizer({ optimizers: [[new SGD({ learningRate: 0.1 }), 'encoder/'], ['adam']] })
 * ```
 *
 * Keras: `keras.optimizers.MultiOptimizer`, which takes an `OptimizerMap`, as this class does, in order or as `optimizerMap`.
 * @throws ArgumentError for an option of the single optimizers, such as learningRate, and when it is built for a weight
 * that no optimizer matches
 */
export class MultiOptimizer extends MultiOptimizerBase {
  static readonly className = 'MultiOptimizer'
  private chosen: readonly Variable[] = []

  constructor(
    ...args:
      | [options: MultiOptimizerOptions]
      | [optimizers: OptionInputs<ReturnType<typeof multiOptions>>['optimizers'], options?: { name?: string }]
  ) {
    super(...argumentsOfBase(args))
    const single = Object.keys(optimizerOptions()).filter((name) => name !== 'name')
    for (const [key, value] of Object.entries<unknown>({ ...args.at(-1) })) {
      const name = knownName(key, single)
      const isSet = value !== undefined && value !== null && value !== false && !isEmptyList(value)
      if (name !== undefined && isSet)
        throw new ArgumentError(
          `${this.name}: ${name} has no effect here. Set it in the single optimizers, as in [new SGD({ learningRate: 0.1 }), 'encoder/']`,
        )
    }
  }

  /** Older configurations may contain a learning rate, which had no effect. @internal */
  static override fromConfig<Kind>(this: new (options: never) => Kind, config: Config): Kind {
    return Reflect.construct(this, [withoutOptions(config, ['learningRate'])])
  }

  protected override checkOptions(): void {
    const all = this.members
    if (all.length === 0) throw new ArgumentError(`${this.name}: optimizers must not be empty`)
    if (new Set(all).size < all.length)
      throw new ArgumentError(`${this.name}: two pairs have the same optimizer. Combine their weights in an array.`)
    // The loss is scaled once, for all optimizers.
    if (all.some(({ lossScaleFactor }) => lossScaleFactor !== null))
      throw new ArgumentError(`${this.name}: lossScaleFactor cannot be used here`)
  }

  protected declareSlots(): readonly string[] {
    return []
  }

  protected update(): UpdateResult {
    throw internalError('each optimizer updates its weights')
  }

  /** The learning rate of the first optimizer. Read only: set it in each optimizer. */
  override get learningRate(): number {
    return this.optimizers[0]!.optimizer.learningRate
  }

  override set learningRate(value: number | LearningRateSchedule) {
    if (this.optimizers !== undefined)
      throw new StateError(
        `${this.name}: set the learning rate of the single optimizers: optimizers[0].optimizer.learningRate`,
      )
    super.learningRate = value
  }

  override get members(): readonly Optimizer[] {
    return this.optimizers.map((each) => each.optimizer)
  }

  private optimizerOf(weight: Variable): Optimizer {
    const found = this.optimizers.find(({ match }) => match === null || matches(match, weight))
    found?.map?.get(weight.name)
    if (found !== undefined) return found.optimizer
    throw new ArgumentError(
      `${this.name}: no optimizer matches ${weight.name}. End the list with one for all other weights: ['adam'].`,
    )
  }

  override get scalars(): readonly Variable[] {
    return [this.iterations, ...this.optimizers.flatMap((each) => each.optimizer.scalars)]
  }

  /** `iterations`, then the variables of each optimizer. */
  override get variables(): readonly Variable[] {
    return [this.iterations, ...this.optimizers.flatMap((each) => each.optimizer.variables)]
  }

  override get slots(): ReadonlyMap<string, readonly Variable[]> {
    const all = new Map<string, Variable[]>()
    for (const { optimizer: single } of this.optimizers) {
      for (const [kind, slots] of single.slots) all.set(kind, [...(all.get(kind) ?? []), ...slots])
    }
    return all
  }

  override slotsOf(weight: Variable): ReadonlyMap<string, Variable> {
    return this.optimizerOf(weight).slotsOf(weight)
  }

  override declaredSlots(weight: Variable): readonly Slot[] {
    return this.optimizerOf(weight).declaredSlots(weight)
  }

  override get builtFor(): readonly Variable[] {
    return this.optimizers.flatMap((each) => each.optimizer.builtFor)
  }

  private partOf(single: Optimizer, weights: readonly Variable[]): Variable[] {
    return weights.filter((weight) => this.optimizerOf(weight) === single)
  }

  override isBuiltFor(weights: readonly Variable[]): boolean {
    const same = weights.length === this.chosen.length && weights.every((weight, i) => weight === this.chosen[i])
    return same && this.optimizers.every((each) => each.optimizer.isBuiltFor(this.partOf(each.optimizer, weights)))
  }

  override build(weights: readonly Variable[], all: readonly Variable[] = weights): void {
    for (const weight of weights) this.optimizerOf(weight)
    for (const { optimizer: single } of this.optimizers) single.build(this.partOf(single, weights), all)
    this.chosen = [...weights]
  }

  override apply(gradients: readonly Tensor[], weights: readonly Variable[] = this.chosen): void {
    this.requireAlike(gradients, weights)
    if (weights.length === 0) return
    if (this.builtFor.length === 0) this.build(weights)
    for (const { optimizer: single } of this.optimizers) {
      const positions = weights.flatMap((weight, i) => (this.optimizerOf(weight) === single ? [i] : []))
      single.apply(
        positions.map((i) => gradients[i]!),
        positions.map((i) => weights[i]!),
      )
    }
    this.iterations.assign(increased(this.iterations.value))
  }

  override excludeFromWeightDecay(which: Parameters<Optimizer['excludeFromWeightDecay']>[0]): void {
    for (const { optimizer: single } of this.optimizers) single.excludeFromWeightDecay(which)
  }

  override finalize(weights: readonly Variable[] = this.chosen): void {
    for (const { optimizer: single } of this.optimizers) single.finalize(weights)
  }

  override getConfig(): Config {
    return { optimizers: this.optimizers.map((each) => optimizerFor.write(each)), name: this.name }
  }
}
