// The parts of a layer: its weights, inner layers and random streams, and the lists of them. After any part of any layer was
// created or changed, a new list is compared with the current one and replaces it only if they differ. So a change of
// another model compiles nothing again.

import { fileScope, withFile } from '../core/file-scope'
import { requireWithinLimit } from '../core/weight-limit'
import { dtypes, type DType } from '../core/dtypes'
import { ArgumentError, ShapeError, StateError, checkOptions, formatShape, restating } from '../core/errors'
import { classNameOf } from '../core/registry'
import { scoped } from '../core/scope'
import { sameShape, type Shape } from '../core/shapes'
import type { Tree } from '../core/tree'
import type { Constraint, ConstraintIdentifier } from '../parts/constraints'
import { constraints } from '../parts/constraints/registry'
import type { FanAxes, InitializerIdentifier } from '../parts/initializers'
import { initializers } from '../parts/initializers/registry'
import { requireShape } from '../ops/arguments'
import type { SeedGenerator } from '../ops/random/generator'
import { toTensor, type TensorLike } from '../ops/convert'
import { drawnFor } from '../ops/random/seed'
import { Tensor, shapeOrValue } from '../ops/tensor'
import { trace, untraced } from '../ops/trace'
import { changes } from '../ops/changes'
import { Variable, penalties, place } from '../ops/variable'
import type { Regularizer, RegularizerIdentifier } from '../parts/regularizers'
import { regularizers } from '../parts/regularizers/registry'
import { currentPath, withoutFrame } from './context'
import { findParts, type Part, type Parts } from './parts'
import type { TensorSpec } from './spec'
import { traitsOf } from './traits'

export interface WeightOptions {
  /** The weight's name; the path of the layer is put before it. Default 'variable'. */
  name?: string | undefined
  /** The extent of each axis. */
  shape: Shape
  /** Default glorotUniform. */
  initializer?: InitializerIdentifier
  /** A penalty that is added to the loss. Default null. */
  regularizer?: RegularizerIdentifier | null | undefined
  /** Applied after every update. Default null. */
  constraint?: ConstraintIdentifier | null | undefined
  /** Which axes are inputs and which are outputs, for initializers that scale by their sizes. Default: Keras's rule. */
  fans?: FanAxes
  /** Which axes are inputs, for constraints that need them. Default: those of `fans`. */
  inputAxes?: readonly number[] | null
  /** Default true for float32. */
  trainable?: boolean
  /** Default float32. */
  dtype?: DType
}

export interface OwnWeight {
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
  readonly layer: Part
  readonly weight: Variable
  readonly regularizer: Regularizer
  readonly kept: readonly Variable[]
}

/** Whether lists are requested in the order of old files. @internal */
export function isFormerOrder(): boolean {
  return fileScope().isInFormerOrder === true
}

/**
 * Runs a function while layers and weights are listed in the order that old files use.
 * @param isFormer false: keep the current order
 */
export function inFormerOrder<Result>(isFormer: boolean, body: () => Result): Result {
  return isFormer ? withFile({ isInFormerOrder: true }, body) : body()
}

/** What holds while layers are built. */
interface Building {
  /** The layers built since the outermost one began, so that an error can undo them. */
  readonly built: object[] | null
  /** The layer that is being built; the options that it reads meanwhile become fixed. */
  readonly reader: object | null
}

export const building = scoped<Building>({ built: null, reader: null })

/** The parts of a layer and of its inner layers. The object is replaced only when its content changes. */
export interface WeightLists {
  readonly layers: readonly object[]
  readonly weights: readonly Variable[]
  readonly trainableWeights: readonly Variable[]
  /** The count at the last change of a value that programs hold as a constant. */
  readonly constants: number
  /** Everything that is compared with later lists. */
  readonly all: readonly unknown[]
}

/** The mutable state of a layer. It is not a property, because properties are searched for parts. */
class State {
  trainable = true
  builtFor: Tree<TensorSpec> | null = null
  /** The names of the models and layers in which it was built, and its own; null before. */
  path: string | null = null
  readonly own: OwnWeight[] = []
  readonly tracked: Part[] = []
  parts: Parts | null = null
  partsAt = -1
  lists: WeightLists | null = null
  listsAt = -1
  changed = 0
  constants = 0
  readonly warned = new Set<string>()
  /** Whether `apply` got several inputs as separate arguments. */
  isApart = false
  /** The layers of which this model was made. */
  readonly held = new Set<object>()
  /** The number of models that were made of this layer and are not disposed. */
  holders = 0
  /** The options that weights and parts depend on; null while options are plain properties. */
  fixed: Set<string> | null = null
}

/** The states of all layers. Only layers have one. */
const states = new WeakMap<object, State>()

export function stateOf(layer: object): State {
  let state = states.get(layer)
  if (state === undefined) {
    state = new State()
    states.set(layer, state)
  }
  return state
}

/** Notes that a model is made of a layer, or, with −1, that it is no longer. */
export function hold(model: object, layer: object, change = 1): void {
  stateOf(layer).holders += change
  if (change > 0) stateOf(model).held.add(layer)
  else stateOf(model).held.delete(layer)
}

/** Notes that a model is disposed. @returns the variables that other models have, too */
export function release(layer: object): readonly Variable[] {
  const state = stateOf(layer)
  if (state.holders > 0) return [...listsOf(layer).weights, ...stateVariablesOf(layer)]
  for (const inner of state.held) hold(layer, inner, -1)
  return partsOf(layer).sublayers.flatMap(release)
}

/** Notes that the parts of a layer changed, or which of them are trained. */
export function partsChanged(layer: object): void {
  stateOf(layer).changed = changes.note()
}

/** Notes a change of a value that programs hold as a constant. The programs of all models with this layer are compiled again. */
export function constantsChanged(layer: object): void {
  stateOf(layer).constants = changes.note()
}

/** The specs for which the weights of a layer were created; null before. */
export function buildSpecOf(layer: object): Tree<TensorSpec> | null {
  return stateOf(layer).builtFor
}

/** What `build` made. @throws StateError before the layer is built */
export function requireBuilt<Value>(layer: object, value: Value | null | undefined): Value {
  if (value != null) return value
  throw new StateError(
    `${String(layer)} has no weights yet. They are made at the first call, or when inputShape is given.`,
  )
}

export function unbuild(layer: object): void {
  const state = stateOf(layer)
  state.own.length = 0
  state.builtFor = null
  state.path = null
  partsChanged(layer)
}

const isLayer = (value: object): value is Part => states.has(value)

function foundParts(layer: object, tracked: readonly Part[]): Parts {
  const hiddenParts = traitsOf(layer).hiddenParts?.(layer) ?? []
  return building.within({ ...building.current, reader: null }, () =>
    isFormerOrder()
      ? findParts(layer, isLayer, [], [...hiddenParts, ...tracked])
      : findParts(layer, isLayer, hiddenParts, tracked),
  )
}

export function partsOf(layer: object): Parts {
  const state = stateOf(layer)
  const find = (): Parts => foundParts(layer, state.tracked)
  if (isFormerOrder()) return find()
  if (state.parts === null || state.partsAt !== changes.last) {
    state.parts = find()
    state.partsAt = changes.last
  }
  return state.parts
}

/** The lists of a layer and its inner layers. */
export function listsOf(layer: object): WeightLists {
  if (isFormerOrder()) return listed(layer)
  const state = stateOf(layer)
  if (state.lists === null || state.listsAt !== changes.last) {
    const found = listed(layer)
    const known = state.lists?.all
    if (found.all.length !== known?.length || found.all.some((each, i) => each !== known[i])) state.lists = found
    state.listsAt = changes.last
  }
  return state.lists!
}

/** The number of layers within one another: with more, the stack of some engines overflows. */
const DEEPEST = 64

function listed(layer: object): WeightLists {
  const [layers, weights, trainable] = [new Set<object>(), new Set<Variable>(), new Set<Variable>()]
  let [changed, constants] = [0, 0]
  const collect = (each: object, isTrained: boolean, depth: number): void => {
    if (layers.has(each)) return
    if (depth > DEEPEST) throw new ArgumentError(`${layer}: layers are nested more than ${DEEPEST} deep`)
    layers.add(each)
    const state = stateOf(each)
    changed = Math.max(changed, state.changed)
    constants = Math.max(constants, state.constants)
    const trains = isTrained && state.trainable
    for (const variable of ownWeightsOf(each)) {
      weights.add(variable)
      if (trains && variable.trainable) trainable.add(variable)
    }
    for (const inner of partsOf(each).sublayers) collect(inner, trains, depth + 1)
  }
  collect(layer, true, 0)
  return {
    layers: [...layers],
    weights: Object.freeze([...weights]),
    trainableWeights: Object.freeze([...trainable]),
    constants,
    all: [changed, constants, ...layers, ...weights, null, ...trainable],
  }
}

/** The states of a layer's random streams and of its regularizers, without those of its sublayers. */
export function ownState(layer: object): readonly Variable[] {
  const { generators } = partsOf(layer)
  return [...generators.map(({ state }) => state), ...stateOf(layer).own.flatMap(({ kept }) => kept)]
}

export function ownWeightsOf(layer: object): readonly Variable[] {
  const all = [...new Set([...stateOf(layer).own.map(({ variable }) => variable), ...partsOf(layer).variables])]
  return isFormerOrder() ? all : all.sort((a, b) => Number(b.madeTrainable) - Number(a.madeTrainable))
}

/** The states of all random streams, then those of all regularizers. */
export function stateVariablesOf(layer: object): readonly Variable[] {
  const { layers } = listsOf(layer)
  const generators = new Set<SeedGenerator>(layers.flatMap((each) => partsOf(each).generators))
  const kept = new Set<Variable>(layers.flatMap((each) => stateOf(each).own.flatMap(({ kept }) => kept)))
  return [...[...generators].map((generator) => generator.state), ...kept]
}

/** The trainable weights with a penalty; layers that are not trained are left out with all their inner layers. */
export function regularizedOf(layer: Part): readonly RegularizedWeight[] {
  const found: RegularizedWeight[] = []
  const seen = new Set<object>()
  const visit = (each: Part): void => {
    if (seen.has(each)) return
    seen.add(each)
    const { trainable, own } = stateOf(each)
    if (!trainable) return
    for (const { variable, regularizer, kept } of own)
      if (regularizer !== null && variable.trainable) found.push({ layer: each, weight: variable, regularizer, kept })
    for (const inner of partsOf(each).sublayers) visit(inner)
  }
  visit(layer)
  return found
}

const WEIGHT_OPTIONS = [
  'name',
  'shape',
  'initializer',
  'regularizer',
  'constraint',
  'fans',
  'inputAxes',
  'trainable',
  'dtype',
] as const satisfies readonly (keyof WeightOptions)[]

/**
 * Creates a weight that belongs to a layer.
 * @throws ArgumentError for an unknown option, initializer, regularizer or constraint; ShapeError for a shape whose extents
 *   are not integers ≥ 0, or that is too large
 */
export function addWeightTo(layer: Part, options: WeightOptions): Variable {
  checkOptions(`${layer}: addWeight`, options, WEIGHT_OPTIONS)
  const { name = 'variable', initializer = 'glorotUniform', fans, dtype = 'float32' } = options
  const { inputAxes = fans?.inputAxes ?? null, trainable = dtype === 'float32' } = options
  const shape = requireShape(`${layer}: ${name}`, options.shape)
  const regularizer = options.regularizer == null ? null : regularizers.get(options.regularizer)
  const userConstraint = options.constraint == null ? null : constraints.get(options.constraint)
  requireWithinLimit(`${layer}: ${name}`, shape)
  const drawn = initializers.get(initializer)
  const draw = (): Tensor => {
    const made = drawn.call(shape, fans)
    return made.dtype === dtype ? made : new Tensor(dtypes[dtype].array.from(made.data), made.shape, dtype)
  }
  const { fillsWeights } = fileScope()
  const blocks = fillsWeights === true || dtype !== 'float32' ? null : drawn.blocks(shape, fans)
  const initial = fillsWeights === true || blocks !== null ? shape : draw()
  if (initial instanceof Tensor && !sameShape(initial.shape, shape)) {
    throw new ShapeError(
      `${layer}: the initializer of ${name} must make shape ${formatShape(shape)}, received ${formatShape(initial.shape)}`,
    )
  }
  const within = (path: readonly string[]): string =>
    [...path, ...(path.at(-1) === layer.name ? [] : [layer.name]), name].join('/')
  const variable = new Variable(initial, { name: within(currentPath()), trainable, dtype })
  variable.path = within(place.current.path)
  if (blocks !== null) fill(variable, blocks)
  const constraint =
    userConstraint === null || inputAxes === null
      ? userConstraint
      : { call: (w: Tensor) => userConstraint.call(w, inputAxes) }
  if (constraint !== null)
    requireConstrainable(`${layer}: the constraint ${classNameOf(userConstraint!)} of ${name}`, shape, constraint)
  variable.constraint = constraint
  if (regularizer !== null) penalties.set(variable, regularizer)
  const kept = regularizer?.keep?.(variable) ?? []
  addOwn(layer, { variable, regularizer, kept, draw, drawn: 1 })
  return variable
}

function fill(variable: Variable, blocks: Iterable<Tensor>): void {
  let at = 0
  for (const block of blocks) {
    // Not before the block is there: memory may have grown.
    variable.view.set(block.data, at)
    at += block.size
  }
}

/** Adds a weight of an inner layer to a layer's own weights, at this position of their order. */
export function trackWeight(layer: object, variable: Variable): void {
  addOwn(layer, { variable, regularizer: null, kept: [], draw: null, drawn: 0 })
}

/** Adds a weight to those of a layer. */
function addOwn(layer: object, weight: OwnWeight): void {
  stateOf(layer).own.push(weight)
  partsChanged(layer)
}

/** Tries a constraint, which the optimizer calls only after the first update. */
function requireConstrainable(what: string, shape: Shape, constraint: Pick<Constraint, 'call'>): void {
  const where = `${what} ${formatShape(shape)}`
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
  throw new ShapeError(`${where} must give a tensor of this shape, received ${shapeOrValue(made)}`)
}

/**
 * A new initial value for a weight of a layer or of an inner one: the initializer draws other numbers each time. With a seeded
 * initializer they follow from the seed and from the number of draws.
 * @throws ArgumentError for a variable that no layer created with addWeight
 */
export function redraw(layer: object, weight: Variable): Tensor {
  for (const each of listsOf(layer).layers) {
    const added = stateOf(each).own.find(({ variable }) => variable === weight)
    if (added?.draw != null) return drawnFor(added.drawn++, () => untraced(added.draw!))
  }
  throw new ArgumentError(`${layer}: has no initializer of ${weight.name}`)
}

/** All weights that layers created, of a layer and of its inner ones. */
function ownOf(layer: object): readonly OwnWeight[] {
  return listsOf(layer).layers.flatMap((each) => stateOf(each).own)
}

/** How often the value of each addWeight weight of a layer and its inner layers was drawn; the next draw depends on it. */
export function timesDrawn(layer: object): readonly number[] {
  return ownOf(layer).map(({ drawn }) => drawn)
}

/** Sets `timesDrawn`. */
export function setTimesDrawn(layer: object, times: readonly number[]): void {
  ownOf(layer).forEach((weight, i) => (weight.drawn = times[i] ?? 0))
}

/**
 * Replaces all weights, or none.
 * @throws ShapeError naming the first tensor that does not fit
 */
export function setWeightsOf(layer: object, weights: readonly TensorLike[]): void {
  const variables = listsOf(layer).weights
  if (weights?.length !== variables.length) {
    const hint =
      variables.length === 0 && stateOf(layer).builtFor === null
        ? ' They are made at the first call, or when inputShape is given.'
        : ''
    throw new ArgumentError(
      `${layer}: setWeights needs ${variables.length} tensors, received ${weights?.length}.${hint}`,
    )
  }
  const tensors = weights.map((weight, i) => {
    const tensor = toTensor(weight, `weights[${i}]`, variables[i]!.dtype)
    if (sameShape(tensor.shape, variables[i]!.shape)) return tensor
    throw new ShapeError(
      `${variables[i]!.name}: weights[${i}] must have shape ${formatShape(variables[i]!.shape)}, received ${formatShape(tensor.shape)}`,
    )
  })
  tensors.forEach((tensor, i) => variables[i]!.assign(tensor))
}
