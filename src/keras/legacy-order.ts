// The order of the weights of a layer in `.h5` files: first those that are trained, then the others, so that it depends on what is frozen.
// Files list the names of their arrays, by which the weights are found again, whatever was frozen when the file was written.

import { sameShape } from '../core/shapes'
import type { Shape } from '../core/shapes'
import { natural } from '../core/text'
import { inFiles, weightPaths } from '../formats/weights'
import type { LayerBase } from '../layers/layer'
import { Sequential } from '../models/sequential'
import { LossScaleOptimizer } from '../optimizers/loss-scale'
import { MultiOptimizer } from '../optimizers/multi'
import type { Optimizer } from '../optimizers/optimizer'
import type { Variable } from '../ops/variable'
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
  const names = arrays.names.map((name) => stepsOf(name.replace(/:\d+$/, ''), arrays.group))
  const own = weights.map(({ name }) => stepsOf(kerasName(name), layer.name))
  const among = new Set(weights)
  const paths = new Map(
    weightPaths(layer).flatMap(({ key, variable }) => (among.has(variable) ? [[key, variable] as const] : [])),
  )
  return (
    named(names.map(textOf), new Map(own.map((steps, i) => [textOf(steps), weights[i]!]))) ??
    named(arrays.paths, paths) ??
    withinNames(names, own, weights) ??
    inKerasOrder(layer, weights, names, arrays.shapes)
  )
}

const textOf = (steps: readonly string[]): string => steps.join('/')

/** The steps of a name after that of the layer. */
function stepsOf(name: string, layer: string): readonly string[] {
  const [own, steps] = [stepsIn(layer), stepsIn(name)]
  const at = steps.findIndex((_, i) => own.length > 0 && own.every((step, k) => steps[i + k] === step))
  return at < 0 ? steps : steps.slice(Math.min(at + own.length, steps.length - 1))
}

/** The weights of all names; null if one is missing, or twice there. */
function named(names: readonly string[], weights: ReadonlyMap<string, Variable>): readonly Variable[] | null {
  const found = names.flatMap((name) => weights.get(name) ?? [])
  return names.length === weights.size && new Set(found).size === weights.size ? found : null
}

/** The same for names with more or fewer steps, those of cells and models: `lstm/kernel`, `lstm/lstm_cell/kernel`. */
function withinNames(
  names: readonly (readonly string[])[],
  own: readonly (readonly string[])[],
  weights: readonly Variable[],
): readonly Variable[] | null {
  const byLast = new Map<string | undefined, number[]>()
  own.forEach((steps, i) => byLast.set(steps.at(-1), [...(byLast.get(steps.at(-1)) ?? []), i]))
  const left = new Set<number>()
  for (const steps of names) {
    const fitting = (byLast.get(steps.at(-1)) ?? []).filter((i) => isWithin(own[i]!, steps) || isWithin(steps, own[i]!))
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
 * The weights in the order of a file with other names: that of today, or, if the names speak against it, the one in which nothing is frozen, or
 * that of the configurations.
 */
function inKerasOrder(
  layer: LayerBase,
  weights: readonly Variable[],
  names: readonly (readonly string[])[],
  shapes: readonly Shape[],
): readonly Variable[] | null {
  const unfrozen = inFiles(layer.weights.filter(({ madeTrainable }) => madeTrainable))
  const others = inFiles(layer.weights.filter(({ madeTrainable }) => !madeTrainable))
  const agrees = (order: readonly Variable[]): boolean =>
    agree(
      names,
      order.map(({ name }) => stepsOf(kerasName(name), layer.name)),
    )
  const fits = (order: readonly Variable[]): boolean =>
    order.every(({ shape }, i) => sameShape(shape, shapes[i]!)) && agrees(order)
  // An order in which a shape differs is reported with this shape.
  return [weights, [...unfrozen, ...others], describedWeights(layer)].find(fits) ?? (agrees(weights) ? weights : null)
}

/** Whether two lists of names can be those of the same weights, although layers have other names. */
function agree(theirs: readonly (readonly string[])[], ours: readonly (readonly string[])[]): boolean {
  const kinds = new Set(ours.map((steps) => steps.at(-1)))
  const [here, there] = [new Map<string, string>(), new Map<string, string>()]
  for (const [i, steps] of theirs.entries()) {
    const kind = steps.at(-1)
    if (kind !== ours[i]!.at(-1) && kinds.has(kind)) return false
    const [outer, own] = [steps, ours[i]!].map((each) => textOf(each.slice(0, -1))) as [string, string]
    if ((here.get(outer) ?? own) !== own || (there.get(own) ?? outer) !== outer) return false
    here.set(outer, own)
    there.set(own, outer)
  }
  return areInOneOrder([...here])
}

/** Whether numbers of automatic names rise together: layers are made in the same order, so `dense_4` and `dense_5` are not `dense_1` and `dense`. */
function areInOneOrder(pairs: readonly (readonly [theirs: string, ours: string])[]): boolean {
  const last = new Map<string, string>()
  const sorted = [...pairs].sort(([one], [other]) => natural.compare(one, other))
  return sorted.every(([theirs, ours]) => {
    const kind = [theirs, ours].map((each) => each.replace(/_\d+(?=\/|$)/g, '')).join(' ')
    const before = last.get(kind)
    last.set(kind, ours)
    return before === undefined || natural.compare(before, ours) <= 0
  })
}
