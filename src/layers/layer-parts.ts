// What a layer consists of: a name, weights, inner layers and random streams; which weights are trained and which have
// penalties. How a layer is built and called is in base.ts.

import { requireWithinLimit } from '../core/weight-limit'
import type { DType } from '../core/dtypes'
import { dtypes } from '../core/dtypes'
import { ArgumentError, ShapeError, StateError, formatShape, quoted, restating } from '../core/errors'
import type { OptionTable } from '../core/options'
import { Configured, boolean, choice, extent, extents, named, nullable, option, optionsOf, text } from '../core/options'
import type { Config } from '../core/registry'
import { classNameOf, uniqueName } from '../core/registry'
import type { Shape } from '../core/shapes'
import { requireSize, sameShape } from '../core/shapes'
import type { Tree } from '../core/tree'
import type { Constraint } from '../constraints'
import type { FanAxes, InitializerIdentifier } from '../initializers'
import { initializers } from '../initializers/registry'
import type { SeedGenerator } from '../ops/random'
import type { TensorLike } from '../ops/convert'
import { toTensor } from '../ops/convert'
import { drawnFor } from '../ops/seed'
import { Tensor } from '../ops/tensor'
import { trace, untraced, withScope } from '../ops/trace'
import { Variable, structure } from '../ops/variable'
import type { Regularizer, RegularizerIdentifier } from '../regularizers'
import { penaltyOf } from '../regularizers/penalty'
import { regularizers } from '../regularizers/registry'
import { currentPath, withoutFrame } from './context'
import type { Parts } from './parts'
import { findParts } from './parts'
import type { BatchShape, TensorSpec } from './spec'

export interface LayerOptions {
  /** Default: the class's name in snake case, numbered. */
  name?: string | null | undefined
  /** Whether optimizers may change the weights. Default true. */
  trainable?: boolean | undefined
  /** The shape of one sample, for the first layer of a model; null for an open extent. */
  inputShape?: BatchShape | null | undefined
  /** Short for inputShape: [inputDim]. */
  inputDim?: number | null | undefined
  /** The dtype of computations: float32. */
  dtype?: 'float32' | (string & {}) | undefined
  /** A penalty on the outputs, per sample, added to the loss. */
  activityRegularizer?: RegularizerIdentifier | null | undefined
}

const LAYER_OPTIONS: () => OptionTable = () => ({
  name: option(nullable(text), null),
  trainable: option(boolean, true),
  inputShape: option(nullable(extents(null)), null),
  inputDim: option(nullable(extent), null),
  dtype: option(choice('float32'), 'float32'),
  activityRegularizer: option(nullable(named<Regularizer, RegularizerIdentifier>(regularizers)), null),
})

export interface WeightOptions {
  /** The weight's name; the path of the layer is put before it. */
  name: string
  /** The extent of each axis. */
  shape: Shape
  /** Default glorotUniform. */
  initializer?: InitializerIdentifier
  /** A penalty that is added to the loss. Default null. */
  regularizer?: Regularizer | null
  /** Applied after every update. Default null. */
  constraint?: Constraint | null
  /** Which axes are inputs and which are outputs, for initializers that scale by their sizes. Default: Keras's rule. */
  fans?: FanAxes
  /** Which axes are inputs, for constraints that need them. Default: those of `fans`. */
  inputAxes?: readonly number[] | null
  /** Default true for float32. */
  trainable?: boolean
  /** Default float32. */
  dtype?: DType
}

interface OwnWeight {
  readonly variable: Variable
  readonly regularizer: Regularizer | null
  /** The state that the regularizer keeps for the weight. */
  readonly kept: readonly Variable[]
  /** Draws the initial value of the weight. */
  readonly draw: (() => Tensor) | null
  /** How often the value was drawn, including the first time. */
  drawn: number
}

/** A weight with its penalty. */
export interface RegularizedWeight {
  readonly layer: LayerParts
  readonly weight: Variable
  readonly regularizer: Regularizer
  readonly kept: readonly Variable[]
}

let former = false

/** Whether lists are requested in the order of old files. @internal */
export function isFormerOrder(): boolean {
  return former
}

/**
 * Runs a function while layers and weights are listed in the order that old files use: layers in properties first, then
 * those of a graph by their first call, and weights in the order of their creation.
 * @param isFormer false: keep the current order
 */
export function inFormerOrder<Result>(isFormer: boolean, body: () => Result): Result {
  if (!isFormer) return body()
  const set = (value: boolean): void => {
    former = value
    structure.version++
  }
  set(true)
  try {
    return body()
  } finally {
    set(false)
  }
}

/** Options that no code reads after construction: they are fixed once the layer is built. */
const FIXED = ['inputShape', 'inputDim', 'dtype', 'seed']

/** The layer that is being built; the options it reads meanwhile become fixed. */
const reading: { by: object | null } = { by: null }

/** The mutable state of a layer. It is not a property, because properties are searched for parts. */
class State {
  trainable = true
  builtFor: Tree<TensorSpec> | null = null
  readonly own: OwnWeight[] = []
  readonly tracked: LayerParts[] = []
  parts: Parts | null = null
  partsVersion = -1
  weights: readonly Variable[] = []
  trainableWeights: readonly Variable[] = []
  listsVersion = -1
  readonly warned = new Set<string>()
  /** The options that weights and parts depend on; null while options are plain properties. */
  fixed: Set<string> | null = null
}

const states = new WeakMap<object, State>()

export function stateOf(layer: object): State {
  let state = states.get(layer)
  if (state === undefined) {
    state = new State()
    states.set(layer, state)
  }
  return state
}

/** The part of a layer that holds its weights and inner layers. Subclass Layer instead. */
export abstract class LayerParts extends Configured {
  static override readonly declare = LAYER_OPTIONS
  declare readonly name: string
  /** The shape of one sample, if it was given as an option. */
  declare readonly inputShape: BatchShape | null
  declare readonly dtype: 'float32'
  declare readonly activityRegularizer: Regularizer | null
  constructor(...given: [options?: LayerOptions]) {
    super(...given)
    const own = this as { name: string | null; inputShape: BatchShape | null; readonly inputDim?: number | null }
    own.name ??= uniqueName(classNameOf(this))
    if (own.inputShape === null && own.inputDim != null && isInputDim(this)) own.inputShape = [own.inputDim]
    structure.version++
  }

  /** Whether optimizers may change the weights. Setting it also sets it for all inner layers. */
  get trainable(): boolean {
    return stateOf(this).trainable
  }

  set trainable(trainable: boolean) {
    const state = stateOf(this)
    state.trainable = trainable
    structure.version++
    // Within the constructor there are no inner layers yet.
    if (state.parts !== null || state.builtFor !== null) for (const layer of this.sublayers) layer.trainable = trainable
  }

  /** Options that the constructor reads, besides `seed`. @internal */
  protected get constructorOptions(): readonly string[] {
    return []
  }

  /**
   * Runs `build` and watches its options. An option that `build` reads is fixed from then on; setting any other
   * recompiles all programs.
   * @internal
   */
  protected watchingOptions(build: () => void): void {
    const state = stateOf(this)
    if (state.fixed === null) this.watchOptions()
    state.fixed = new Set([...FIXED, ...this.constructorOptions])
    const outer = reading.by
    reading.by = this
    try {
      build()
    } finally {
      reading.by = outer
    }
  }

  private watchOptions(): void {
    for (const [name, { read }] of Object.entries(optionsOf(this.constructor))) {
      // `trainable` has its own accessor, and a change of `name` needs no compilation.
      if (name === 'name' || !Object.hasOwn(this, name)) continue
      let value: unknown = Reflect.get(this, name)
      Object.defineProperty(this, name, {
        enumerable: true,
        get: () => {
          if (reading.by === this) stateOf(this).fixed!.add(name)
          return value
        },
        set: (given: unknown) => {
          const before = value
          if (given === before) return
          this.changeOption(name, () => {
            value = read(given, `${this}: ${name}`)
            return () => (value = before)
          })
        },
      })
    }
  }

  /** @param set stores the new value and returns a function that restores the old one */
  private changeOption(name: string, set: () => () => void): void {
    const { fixed, builtFor } = stateOf(this)
    if (builtFor !== null && fixed!.has(name))
      throw new StateError(
        `${this}: ${name} cannot change any more, because the layer was made with it. Set it before the layer is built, or make another layer; cloneModel(model, { cloneFunction }) makes a model with others.`,
      )
    const part = this.allLayers.find(
      (each) => each !== this && name in optionsOf(each.constructor) && !(name in optionsOf(LayerParts)),
    )
    if (part !== undefined)
      throw new StateError(
        `${this}: ${name} cannot change any more, because ${part} within it was made with it. Set it there.`,
      )
    const before = this.outputText()
    const undo = set()
    try {
      this.checkOptions()
      const after = this.outputText()
      if (after !== before)
        throw new StateError(
          `${this}: ${name} cannot change any more, because the output would be ${after} and no longer ${before}, for which the layers behind it were made. Make another layer.`,
        )
    } catch (error) {
      undo()
      throw error
    }
    structure.version++
    structure.constants++
  }

  /** The types of the outputs, for errors. @internal */
  protected outputText(): string {
    return ''
  }

  /** Creates a variable that belongs to the layer; trainable by default. */
  protected addWeight({
    name,
    shape,
    initializer = 'glorotUniform',
    regularizer = null,
    constraint: given = null,
    fans,
    inputAxes = fans?.inputAxes ?? null,
    dtype = 'float32',
    trainable = dtype === 'float32',
  }: WeightOptions): Variable {
    requireSize(`${this}: ${name}`, shape)
    requireWithinLimit(`${this}: ${name}`, shape)
    const drawn = initializers.get(initializer)
    const draw = (): Tensor => {
      const made = drawn.call(shape, fans)
      return made.dtype === dtype ? made : new Tensor(dtypes[dtype].array.from(made.data), made.shape, dtype)
    }
    const initial = draw()
    if (!sameShape(initial.shape, shape)) {
      throw new ShapeError(
        `${this}: the initializer of ${name} must make shape ${formatShape(shape)}, received ${formatShape(initial.shape)}`,
      )
    }
    const within = currentPath()
    const prefix = within.at(-1) === this.name ? within : [...within, this.name]
    const variable = new Variable(initial, { name: [...prefix, name].join('/'), trainable, dtype })
    const constraint = given === null || inputAxes === null ? given : { call: (w: Tensor) => given.call(w, inputAxes) }
    if (constraint !== null)
      this.requireConstrainable(`the constraint ${classNameOf(given!)} of ${name}`, shape, constraint)
    variable.constraint = constraint
    const kept = regularizer?.keep?.(variable) ?? []
    stateOf(this).own.push({ variable, regularizer, kept, draw, drawn: 1 })
    return variable
  }

  /** Tries a constraint, which the optimizer calls only after the first update. */
  private requireConstrainable(what: string, shape: Shape, constraint: Pick<Constraint, 'call'>): void {
    const where = `${this}: ${what} ${formatShape(shape)}`
    let made: unknown
    restating(
      (message) => `${where}: ${message}`,
      () =>
        untraced(() =>
          withoutFrame(() =>
            trace([{ shape, dtype: 'float32' }], ([weight]) => {
              made = constraint.call(weight!)
              return []
            }),
          ),
        ),
    )
    if (made instanceof Tensor && sameShape(made.shape, shape)) return
    throw new ShapeError(
      `${where} must give a tensor of this shape, received ${made instanceof Tensor ? formatShape(made.shape) : quoted(made)}`,
    )
  }

  /** Adds a weight of an inner layer to this layer's own weights, at this position of their order. */
  protected trackWeight(variable: Variable): void {
    stateOf(this).own.push({ variable, regularizer: null, kept: [], draw: null, drawn: 0 })
    structure.version++
  }

  /**
   * A new initial value for a weight of this layer or of an inner one: the initializer draws other numbers each time.
   * With a seeded initializer they follow from the seed and from the number of draws.
   * @throws ArgumentError for a variable that no layer created with addWeight
   * @internal
   */
  drawAnew(weight: Variable): Tensor {
    for (const layer of this.allLayers) {
      const own = stateOf(layer).own.find(({ variable }) => variable === weight)
      if (own?.draw != null) return drawnFor(own.drawn++, () => untraced(own.draw!))
    }
    throw new ArgumentError(`${this}: does not know how ${weight.name} was made`)
  }

  /**
   * How often the value of each addWeight weight, here and in inner layers, was drawn; the next draw depends on it.
   * @internal
   */
  get timesDrawn(): readonly number[] {
    return this.allLayers.flatMap((layer) => stateOf(layer).own.map(({ drawn }) => drawn))
  }

  set timesDrawn(times: readonly number[]) {
    this.allLayers.flatMap((layer) => stateOf(layer).own).forEach((own, i) => (own.drawn = times[i] ?? 0))
  }

  /**
   * Makes a layer an inner layer of this one if no property holds it: `#inner = this.track(new Dense({ units: 4 }))`.
   */
  protected track<Part extends LayerParts>(layer: Part): Part {
    stateOf(this).tracked.push(layer)
    structure.version++
    return layer
  }

  /** For layers whose inner layers change after they are built. */
  protected partsChanged(): void {
    structure.version++
  }

  /** Inner layers that no property holds. @internal */
  get hiddenParts(): readonly LayerParts[] {
    return []
  }

  /** The inner layers. Their weights belong to this layer. */
  get sublayers(): readonly LayerParts[] {
    return partsOf(this).sublayers as readonly LayerParts[]
  }

  /**
   * The weights of this layer without those of its sublayers, in the order of creation: first those created as
   * trainable, then the others.
   */
  get ownWeights(): readonly Variable[] {
    return ownWeightsOf(this)
  }

  /** All variables that are learnt or saved as weights: the layer's own, then its sublayers', in Keras's order. */
  get weights(): readonly Variable[] {
    return listsOf(this).weights
  }

  get trainableWeights(): readonly Variable[] {
    return listsOf(this).trainableWeights
  }

  get nonTrainableWeights(): readonly Variable[] {
    const trainable = new Set(this.trainableWeights)
    return this.weights.filter((weight) => !trainable.has(weight))
  }

  /**
   * Weights and all other state: for each layer its weights, then the states of its random streams, then those of its
   * sublayers. Variables of the optimizer and of metrics are not included. Keras: `Layer.variables`.
   */
  get variables(): readonly Variable[] {
    const found = new Set<Variable>()
    visitLayers(this, (layer) => [...layer.ownWeights, ...ownState(layer)].forEach((variable) => found.add(variable)))
    return [...found]
  }

  /** The same as `trainableWeights`: other state is never trained. */
  get trainableVariables(): readonly Variable[] {
    return this.trainableWeights
  }

  /** The variables that no optimizer changes: weights, and the states of random streams. */
  get nonTrainableVariables(): readonly Variable[] {
    const trainable = new Set(this.trainableWeights)
    return this.variables.filter((variable) => !trainable.has(variable))
  }

  /**
   * State that is saved with the model but is not a weight: positions of random streams, and the state of regularizers.
   */
  get stateVariables(): readonly Variable[] {
    const generators = new Set<SeedGenerator>()
    const kept = new Set<Variable>()
    visitLayers(this, (layer) => {
      partsOf(layer).generators.forEach((generator) => generators.add(generator))
      stateOf(layer).own.forEach((own) => own.kept.forEach((variable) => kept.add(variable)))
    })
    return [...[...generators].map((generator) => generator.state), ...kept]
  }

  /**
   * The state of this layer alone, without sublayers, that passes from batch to batch and is not saved with the model.
   * @internal
   */
  get passingState(): readonly Variable[] {
    return []
  }

  /** This layer and all its inner layers, each once, from the outside in. */
  get allLayers(): readonly LayerParts[] {
    const found: LayerParts[] = []
    visitLayers(this, (layer) => found.push(layer))
    return found
  }

  /** The trainable weights with a penalty, their layers, and the penalties' state. @internal */
  get regularized(): readonly RegularizedWeight[] {
    const found: RegularizedWeight[] = []
    visitLayers(this, (layer) => {
      if (!layer.trainable) return false
      for (const { variable, regularizer, kept } of stateOf(layer).own) {
        if (regularizer !== null && variable.trainable) found.push({ layer, weight: variable, regularizer, kept })
      }
      return true
    })
    return found
  }

  /** The penalties of regularized trainable weights; traced. */
  regularizationLosses(): Tensor[] {
    return this.regularized.map(({ layer, weight, regularizer, kept }) =>
      withScope(layer.name, () => penaltyOf(`${layer}: ${weight.name}`, regularizer, weight.value, kept)),
    )
  }

  /** The number of elements of all weights. */
  countParams(): number {
    return this.weights.reduce((total, weight) => total + weight.size, 0)
  }

  /** Copies of all weights. */
  getWeights(): Tensor[] {
    return this.weights.map((weight) => weight.value)
  }

  /**
   * Replaces all weights, or none.
   * @param weights in the order of getWeights()
   * @throws ShapeError naming the first tensor that does not fit
   */
  setWeights(weights: readonly TensorLike[]): void {
    const own = this.weights
    if (weights.length !== own.length) {
      const hint =
        own.length === 0 && stateOf(this).builtFor === null
          ? ' There are no weights before the first call, or before an inputShape is given.'
          : ''
      throw new ArgumentError(`${this}: setWeights needs ${own.length} tensors, received ${weights.length}.${hint}`)
    }
    const tensors = weights.map((weight, i) => {
      const tensor = toTensor(weight, `weights[${i}]`, own[i]!.dtype)
      if (sameShape(tensor.shape, own[i]!.shape)) return tensor
      throw new ShapeError(
        `${own[i]!.name}: weights[${i}] must have shape ${formatShape(own[i]!.shape)}, received ${formatShape(tensor.shape)}`,
      )
    })
    tensors.forEach((tensor, i) => own[i]!.assign(tensor))
  }

  /** `Dense "fc1"`, for errors. */
  override toString(): string {
    // An unnamed layer has no name yet when its options are checked.
    const name: string | null = this.name
    return name === null ? classNameOf(this) : `${classNameOf(this)} "${name}"`
  }

  override getConfig(): Config {
    const config = super.getConfig()
    // Options that are not set are not saved.
    return Object.fromEntries(
      Object.entries(config).filter(([name, value]) => !(name in UNSAID && UNSAID[name] === value)),
    )
  }

  /** @throws StateError before the layer is built */
  protected requireBuilt<T>(value: T | null | undefined): T {
    if (value != null) return value
    throw new StateError(`${this} has no weights yet. They are made at the first call, or when inputShape is given.`)
  }
}

/**
 * Whether inputDim is the shorthand of inputShape; it is not if the layer has its own option of this name, as Embedding
 * has.
 */
function isInputDim({ constructor }: object): boolean {
  return optionsOf(constructor)['inputDim'] === optionsOf(LayerParts)['inputDim']
}

const UNSAID: Readonly<Record<string, unknown>> = {
  trainable: true,
  inputShape: null,
  inputDim: null,
  dtype: 'float32',
  activityRegularizer: null,
}

export function unbuild(layer: object): void {
  const state = stateOf(layer)
  state.own.length = 0
  state.builtFor = null
  structure.version++
}

export function partsOf(layer: object): Parts {
  const state = stateOf(layer)
  if (state.parts === null || state.partsVersion !== structure.version) {
    const hidden = (layer as LayerParts).hiddenParts
    const isLayer = (value: object): boolean => value instanceof LayerParts
    const outer = reading.by
    reading.by = null
    state.parts = former
      ? findParts(layer, isLayer, [], [...hidden, ...state.tracked])
      : findParts(layer, isLayer, hidden, state.tracked)
    reading.by = outer
    state.partsVersion = structure.version
  }
  return state.parts
}

/** The states of a layer's random streams and of its regularizers, without those of its sublayers. */
function ownState(layer: LayerParts): readonly Variable[] {
  const { generators } = partsOf(layer)
  return [...generators.map(({ state }) => state), ...stateOf(layer).own.flatMap(({ kept }) => kept)]
}

function ownWeightsOf(layer: object): readonly Variable[] {
  const all = [...new Set([...stateOf(layer).own.map(({ variable }) => variable), ...partsOf(layer).variables])]
  return former ? all : all.sort((a, b) => Number(b.madeTrainable) - Number(a.madeTrainable))
}

/**
 * Visits a layer and its inner layers, each once. If `visit` returns false, the inner layers of that layer are skipped.
 */
function visitLayers(layer: object, visit: (layer: LayerParts) => unknown): void {
  const seen = new Set<object>()
  const walk = (each: object): void => {
    if (seen.has(each)) return
    seen.add(each)
    if (visit(each as LayerParts) === false) return
    for (const inner of partsOf(each).sublayers) walk(inner)
  }
  walk(layer)
}

function listsOf(layer: object): State {
  const state = stateOf(layer)
  if (state.listsVersion === structure.version) return state
  const [weights, trainable] = [new Set<Variable>(), new Set<Variable>()]
  const collect = (each: object, isTrained: boolean, seen: Set<object>): void => {
    if (seen.has(each)) return
    seen.add(each)
    const trains = isTrained && stateOf(each).trainable
    for (const variable of ownWeightsOf(each)) {
      weights.add(variable)
      if (trains && variable.trainable) trainable.add(variable)
    }
    partsOf(each).sublayers.forEach((inner) => collect(inner, trains, seen))
  }
  collect(layer, true, new Set())
  state.weights = Object.freeze([...weights])
  state.trainableWeights = Object.freeze([...trainable])
  state.listsVersion = structure.version
  return state
}
