// The order of the weights of a layer in `.h5` files: first those that are trained, then the others, so that it depends on what is frozen.
// Files list the names of their arrays, by which the weights are found again, whatever was frozen when the file was written.

import { sameShape, type Shape } from '../../core/shapes'
import { naturalOrder } from '../../core/text'
import { inFiles, weightPaths } from '../../layers/saved-weights'
import type { LayerBase } from '../../layers/layer'
import { Sequential } from '../../models/sequential'
import { LossScaleOptimizer } from '../../optimizers/loss-scale'
import { MultiOptimizer } from '../../optimizers/multi'
import type { Optimizer } from '../../optimizers/optimizer'
import type { Variable } from '../../ops/variable'
import { orderedOptimizers } from './multi-optimizer'
import { describedTrainable } from './trainability'
import { stepsIn } from './write-branch'
import { kerasName } from './write-names'

/** The attribute in which files of this library have the paths of weightPaths, which do not depend on the numbers in automatic names. */
export const PATHS = 'weight_paths'

/** The group of the weights that a model has besides those of its layers. */
export const TOP_LEVEL = 'top_level_model_weights'

/** The weights of a model besides those of its layers. */
export function topLevelWeights(model: LayerBase): readonly Variable[] {
  return model instanceof Sequential ? [] : inFiles(model.ownWeights)
}

/** The paths of weights of a layer. */
export function pathsIn(layer: LayerBase, weights: readonly Variable[]): readonly string[] {
  const paths = new Map(weightPaths(layer).map(({ key, variable }) => [variable, key]))
  return weights.flatMap((weight) => paths.get(weight) ?? [])
}

/** The paths of the weights of a model for which an optimizer has a state, in the order of the file. */
export function trainedPaths(optimizer: Optimizer, model: LayerBase): readonly string[] {
  if (optimizer instanceof LossScaleOptimizer) return trainedPaths(optimizer.innerOptimizer, model)
  if (optimizer instanceof MultiOptimizer)
    return orderedOptimizers(optimizer).flatMap((each) => trainedPaths(each.optimizer, model))
  return pathsIn(
    model,
    optimizer.builtFor.filter((weight) => optimizer.slotsOf(weight).size > 0),
  )
}

/** The arrays of a layer in a file, in order. */
export interface ListedArrays {
  /** The name of the group. */
  readonly group: string
  readonly names: readonly string[]
  /** Those of the attribute; none in files of other programs. */
  readonly paths: readonly string[]
  readonly shapes: readonly Shape[]
}

/** The weights of a layer in the order that Keras has for them now. */
export function legacyWeights(layer: LayerBase): readonly Variable[] {
  return inFiles([...layer.trainableWeights, ...layer.nonTrainableWeights])
}

/** The weights of a layer in the order that they have in the model that is made from its configuration. */
export function describedWeights(layer: LayerBase): readonly Variable[] {
  const described = describedTrainable(layer)
  return inFiles([
    ...layer.weights.filter((weight) => described.has(weight)),
    ...layer.weights.filter((weight) => !described.has(weight)),
  ])
}

/**
 * The weights of a layer in the order of the arrays of a file: by their names; or, if the file has other names, by the paths of this library; or
 * else in Keras's order, if no name speaks against it.
 * @returns null if the arrays cannot be told apart
 */
export function weightsInOrder(
  layer: LayerBase,
  weights: readonly Variable[],
  arrays: ListedArrays,
): readonly Variable[] | null {
  if (weights.length !== arrays.names.length) return null
  const names = withCurrentNames(arrays.names.map((name) => stepsOf(name.replace(/:\d+$/, ''), arrays.group)))
  const ours = weights.map(({ name }) => stepsOf(kerasName(name), layer.name))
  const among = new Set(weights)
  const paths = new Map(
    weightPaths(layer).flatMap(({ key, variable }) => (among.has(variable) ? [[key, variable] as const] : [])),
  )
  return (
    named(names.map(textOf), new Map(ours.map((steps, i) => [textOf(steps), weights[i]!]))) ??
    named(arrays.paths, paths) ??
    withinNames(names, ours, weights) ??
    inKerasOrder(layer, weights, names, arrays.shapes)
  )
}

const textOf = (steps: readonly string[]): string => steps.join('/')

/** Names of Keras 2 as Keras 3 has them: the kernel of a depthwise convolution; that of a separable one keeps its name. */
function withCurrentNames(names: readonly (readonly string[])[]): readonly (readonly string[])[] {
  const kinds = kindsByOuter(names)
  return names.map((steps) => {
    const isDepthwise = steps.at(-1) === 'depthwise_kernel' && !kinds.get(outerOf(steps))!.has('pointwise_kernel')
    return isDepthwise ? [...steps.slice(0, -1), 'kernel'] : steps
  })
}

/** The steps of a name after that of the layer. */
function stepsOf(name: string, layer: string): readonly string[] {
  const [outer, steps] = [stepsIn(layer), stepsIn(name)]
  const at = steps.findIndex((_, i) => outer.length > 0 && outer.every((step, k) => steps[i + k] === step))
  return at < 0 ? steps : steps.slice(Math.min(at + outer.length, steps.length - 1))
}

/** The weights of all names; null if one is missing, or twice there. */
function named(names: readonly string[], weights: ReadonlyMap<string, Variable>): readonly Variable[] | null {
  const found = names.flatMap((name) => weights.get(name) ?? [])
  return names.length === weights.size && new Set(found).size === weights.size ? found : null
}

/** The same for names with more or fewer steps, those of cells and models: `lstm/kernel`, `lstm/lstm_cell/kernel`. */
function withinNames(
  names: readonly (readonly string[])[],
  ours: readonly (readonly string[])[],
  weights: readonly Variable[],
): readonly Variable[] | null {
  const byLast = new Map<string | undefined, number[]>()
  ours.forEach((steps, i) => byLast.set(steps.at(-1), [...(byLast.get(steps.at(-1)) ?? []), i]))
  const left = new Set<number>()
  for (const steps of names) {
    const fitting = (byLast.get(steps.at(-1)) ?? []).filter(
      (i) => isWithin(ours[i]!, steps) || isWithin(steps, ours[i]!),
    )
    if (fitting.length !== 1 || left.has(fitting[0]!)) return null
    left.add(fitting[0]!)
  }
  return Array.from(left, (i) => weights[i]!)
}

/** Whether all steps of a name are in another one, in this order. */
function isWithin(few: readonly string[], many: readonly string[]): boolean {
  let at = 0
  for (const step of many) if (step === few[at]) at++
  return at === few.length
}

/**
 * The weights in the order of a file with other names: those of the same name with another number, with or without the direction of a
 * layer of Bidirectional, or with another name and this direction; the others in the order of today, or else in the one in which nothing
 * is frozen, or that of the configurations.
 * @returns null if the names speak against it
 */
function inKerasOrder(
  layer: LayerBase,
  weights: readonly Variable[],
  names: readonly (readonly string[])[],
  shapes: readonly Shape[],
): readonly Variable[] | null {
  const unfrozen = inFiles(layer.weights.filter(({ madeTrainable }) => madeTrainable))
  const others = inFiles(layer.weights.filter(({ madeTrainable }) => !madeTrainable))
  const nameOf = ({ name }: Variable): readonly string[] => stepsOf(kerasName(name), layer.name)
  const orders = [weights, [...unfrozen, ...others], describedWeights(layer)].flatMap((order) => {
    const found = matched(names, order.map(nameOf)).map((i) => order[i]!)
    return agree(names, found.map(nameOf)) ? [found] : []
  })
  // An order in which a shape differs is reported with this shape.
  return orders.find((order) => order.every(({ shape }, i) => sameShape(shape, shapes[i]!))) ?? orders[0] ?? null
}

const withoutNumbers = (steps: readonly string[]): string[] => steps.map((step) => step.replace(/_\d+$/, ''))
const DIRECTION = /^(forward|backward)_(?=.)/
/** What names have in common in which layers have other numbers, or other names: fewer and fewer of their parts. */
const KEYS: readonly ((steps: readonly string[]) => string)[] = [
  (steps) => textOf(withoutNumbers(steps)),
  (steps) => textOf(withoutNumbers(steps).map((step) => step.replace(DIRECTION, ''))),
  (steps) => textOf([directionOf(steps) ?? '', ...withoutNumbers(steps).filter((step) => !DIRECTION.test(step))]),
  () => '',
]

/** The direction of Bidirectional in a name; undefined if it has none. */
const directionOf = (steps: readonly string[]): string | undefined =>
  steps.slice(0, -1).flatMap((step) => DIRECTION.exec(step)?.[1] ?? [])[0]

/** For each name the position of ours: that of the same key, if there are as many of it here as there, or else of the next key. */
function matched(theirs: readonly (readonly string[])[], ours: readonly (readonly string[])[]): number[] {
  const found = new Map<number, number>()
  const taken = new Set<number>()
  for (const keyOf of KEYS) {
    const here = positionsBy(ours, keyOf, (i) => !taken.has(i))
    for (const [key, there] of positionsBy(theirs, keyOf, (i) => !found.has(i))) {
      const positions = here.get(key) ?? []
      if (positions.length !== there.length) continue
      there.forEach((i, k) => {
        found.set(i, positions[k]!)
        taken.add(positions[k]!)
      })
    }
  }
  return theirs.map((_, i) => found.get(i)!)
}

function positionsBy(
  names: readonly (readonly string[])[],
  keyOf: (steps: readonly string[]) => string,
  isLeft: (i: number) => boolean,
): ReadonlyMap<string, readonly number[]> {
  const found = new Map<string, number[]>()
  for (const [i, steps] of names.entries()) {
    if (!isLeft(i)) continue
    const list = found.get(keyOf(steps))
    if (list === undefined) found.set(keyOf(steps), [i])
    else list.push(i)
  }
  return found
}

/** Whether two lists of names can be those of the same weights, although layers have other names. */
function agree(theirs: readonly (readonly string[])[], ours: readonly (readonly string[])[]): boolean {
  const [kindsThere, kindsHere] = [kindsByOuter(theirs), kindsByOuter(ours)]
  const [numberless, numberlessHere] = [numberlessIn(kindsThere), numberlessIn(kindsHere)]
  const [here, there] = [new Map<string, string>(), new Map<string, string>()]
  for (const [i, steps] of theirs.entries()) {
    const ourSteps = ours[i]!
    const [outer, ourOuter] = [outerOf(steps), outerOf(ourSteps)]
    if ((here.get(outer) ?? ourOuter) !== ourOuter || (there.get(ourOuter) ?? outer) !== outer) return false
    here.set(outer, ourOuter)
    there.set(ourOuter, outer)
    // Weights of a layer either all have names that are known here, or none of them.
    const kinds = kindsHere.get(ourOuter)!
    if (steps.at(-1) !== ourSteps.at(-1) && [...kindsThere.get(outer)!].some((kind) => kinds.has(kind))) return false
    const [direction, ourDirection] = [directionOf(steps), directionOf(ourSteps)]
    if (direction !== undefined && ourDirection !== undefined && direction !== ourDirection) return false
    // A layer is not another one if its name is here, too.
    const [name, ourName] = [numberlessName(outer), numberlessName(ourOuter)]
    if (name !== ourName && (numberlessHere.has(name) || numberless.has(ourName))) return false
  }
  return areInOneOrder([...here])
}

type Kinds = ReadonlyMap<string, ReadonlySet<string>>

const numberlessName = (outer: string): string => textOf(withoutNumbers(outer.split('/')))

const numberlessIn = (kinds: Kinds): ReadonlySet<string> => new Set(Array.from(kinds.keys(), numberlessName))

const outerOf = (steps: readonly string[]): string => textOf(steps.slice(0, -1))

/** The last steps of names by those before. */
function kindsByOuter(names: readonly (readonly string[])[]): Kinds {
  const found = new Map<string, Set<string>>()
  for (const steps of names) found.set(outerOf(steps), (found.get(outerOf(steps)) ?? new Set()).add(steps.at(-1)!))
  return found
}

/** Whether numbers of automatic names rise together: layers are made in the same order, so `dense_4` and `dense_5` are not `dense_1` and `dense`. */
function areInOneOrder(pairs: readonly (readonly [theirs: string, ours: string])[]): boolean {
  const last = new Map<string, string>()
  const order = naturalOrder()
  const sorted = [...pairs].sort(([one], [other]) => order(one, other))
  return sorted.every(([theirs, ours]) => {
    const kind = [theirs, ours].map((each) => each.replace(/_\d+(?=\/|$)/g, '')).join(' ')
    const before = last.get(kind)
    last.set(kind, ours)
    return before === undefined || order(before, ours) <= 0
  })
}
