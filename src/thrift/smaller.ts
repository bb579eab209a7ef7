// Copies a model with fewer units: layers from changed configurations, with the remaining part of every weight and
// optimizer slot. prune-units.ts chooses the units.

import { ArgumentError, StateError, formatShape } from '../core/errors'
import { rowMajorStrides, sameShape, sizeOf } from '../core/shapes'
import { Layer, type LayerBase } from '../layers/layer'
import { remade } from '../layers/remade'
import { cloneModel } from '../models/clone'
import type { Model } from '../models/model'
import { indicesOf, type UnitGroup } from '../models/unit-groups'
import type { Variable } from '../ops/variable'
import { compileLike } from '../training/compile-like'
import { regularizedOf } from '../layers/weight-lists'

/** For each group, the units to keep, in ascending order. Groups that are not listed keep all. */
export type Kept = ReadonlyMap<UnitGroup, readonly number[]>

/** For each axis of a weight, the indices to keep; null for all. */
type Indices = readonly (readonly number[] | null)[]

/**
 * A copy of a model with only some units, compiled as the model, with the remaining optimizer state. `model` is
 * not changed.
 * @throws ArgumentError if layers share a layer that their configurations do not express
 */
export function smaller<Kind extends Model>(model: Kind, units: Kept): Kind {
  const changes = changedOptions(units)
  const copy = cloneModel(model, { cloneFunction: (layer) => remade(layer, changes.get(layer)) })
  if (copy.weights.length !== model.weights.length) {
    throw new ArgumentError(
      `pruneUnits: ${model} has ${model.weights.length} weights, but its copy has ${copy.weights.length}. Two layers, such as wrappers, share one layer, and their copies do not.`,
    )
  }
  const indices = indicesByWeight(units)
  model.weights.forEach((weight, i) => take(weight, copy.weights[i]!, indices.get(weight) ?? []))
  // The state that regularizers keep of a weight has its shape.
  const weightOf = new Map(
    regularizedOf(model).flatMap(({ weight, kept }) => kept.map((variable) => [variable, weight] as const)),
  )
  model.stateVariables.forEach((variable, i) =>
    take(variable, copy.stateVariables[i]!, indices.get(weightOf.get(variable)!) ?? []),
  )
  compileLike(copy.training, model.training)
  if (model.training.compiled !== null) takeOptimizer(model, copy, indices)
  return copy
}

/** The changed options of layers. */
function changedOptions(kept: Kept): Map<LayerBase, Record<string, unknown>> {
  const changes = new Map<LayerBase, Record<string, unknown>>()
  const change = (layer: LayerBase, options: Record<string, unknown>): unknown =>
    changes.set(layer, { ...changes.get(layer), ...options })
  for (const [{ made, keepers, uses }, units] of kept) {
    for (const [maker, { optionsFor }] of made) change(maker, optionsFor(units.length))
    // The input shape may have changed, whatever was declared.
    const users = uses.map(({ layer }) => layer).filter((layer) => layer instanceof Layer)
    for (const layer of [...keepers, ...users]) change(layer, { inputShape: null })
  }
  return changes
}

function indicesByWeight(kept: Kept): Map<Variable, Indices> {
  const gone = new Map<Variable, (Set<number> | null)[]>()
  for (const [{ count, incoming, along, outgoing }, units] of kept) {
    const staying = new Set(units)
    const removed = without(count, staying)
    for (const place of [...incoming, ...along, ...outgoing]) {
      const { weight, axis } = place
      if (!gone.has(weight))
        gone.set(
          weight,
          weight.shape.map(() => null),
        )
      const axes = gone.get(weight)!
      axes[axis] ??= new Set()
      for (const index of indicesOf(place, removed)) axes[axis].add(index)
    }
  }
  return new Map(
    [...gone].map(([weight, axes]) => [
      weight,
      axes.map((removed, axis) => removed && without(weight.shape[axis]!, removed)),
    ]),
  )
}

/** The numbers below a limit that are not in a set. */
function without(limit: number, set: ReadonlySet<number>): number[] {
  return Array.from({ length: limit }, (_, i) => i).filter((i) => !set.has(i))
}

/** Copies the remaining part of source to target. */
function take(source: Variable, target: Variable, indices: Indices): void {
  const shape = source.shape.map((extent, axis) => indices[axis]?.length ?? extent)
  if (!sameShape(shape, target.shape)) {
    throw new StateError(
      `${source.name}: its remaining part has shape ${formatShape(shape)}, but the smaller model needs ${formatShape(target.shape)}. A layer has a size that does not follow from its input.`,
    )
  }
  const strides = rowMajorStrides(source.shape)
  const { view: from } = source
  const { view: to } = target
  if (indices.every((list) => list == null)) return to.set(from)
  const last = shape.length - 1
  for (let at = 0, rows = sizeOf(shape.slice(0, last)); at < rows; at++) {
    let [start, rest] = [0, at]
    for (let axis = last - 1; axis >= 0; axis--) {
      const index = rest % shape[axis]!
      rest = Math.floor(rest / shape[axis]!)
      start += strides[axis]! * (indices[axis]?.[index] ?? index)
    }
    const width = shape[last]!
    for (let i = 0; i < width; i++) to[at * width + i] = from[start + (indices[last]?.[i] ?? i)]!
  }
}

function takeOptimizer(model: Model, copy: Model, indices: ReadonlyMap<Variable, Indices>): void {
  const positions = new Map(model.weights.map((weight, i) => [weight, i]))
  const { optimizer: from } = model
  const { optimizer: to } = copy
  const weights = from.builtFor.map((weight) => copy.weights[positions.get(weight)!]!)
  if (weights.length > 0) to.build(weights, copy.weights)
  from.scalars.forEach((variable, i) => take(variable, to.scalars[i]!, []))
  for (const weight of from.builtFor) {
    const targets = to.slotsOf(copy.weights[positions.get(weight)!]!)
    const sources = from.slotsOf(weight)
    const kept = indices.get(weight) ?? []
    for (const { name, axes } of from.declaredSlots(weight))
      take(sources.get(name)!, targets.get(name)!, axes?.map((axis) => kept[axis] ?? null) ?? kept)
  }
}
