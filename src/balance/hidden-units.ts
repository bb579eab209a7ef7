// The hidden units of a model in training: their list, their activity, the strength of their outgoing weights. The
// methods that use them are in other files.

import { ArgumentError, quoted } from '../core/errors'
import type { LayerBase } from '../layers/layer'
import { isNamed, type LayerName } from '../layers/kinds'
import { whyUnknown } from '../layers/declared-units'
import { TensorSpec } from '../layers/spec'
import { knownGraph, pathsIn } from '../models/known-graph'
import { ARE_OUTPUT, groupName, indicesOf, unitGroups, type UnitGroup, type UnitPlace } from '../models/unit-groups'
import { abs, add, multiply } from '../ops/numpy/elementwise'
import { mean, sum } from '../ops/numpy/reduce'
import { concatenate, reshape, slice, take } from '../ops/numpy/shape'
import { Tensor } from '../ops/tensor'
import type { TrainedModel } from '../training/callbacks'
import type { ProbedStep } from '../training/probes'
import { buildSpecOf } from '../layers/weight-lists'

/** A group of hidden units, and the layer whose output shows their activity. */
export interface HiddenUnits extends UnitGroup {
  /** The names of the layers that make them. */
  readonly name: string
  readonly output: LayerBase
  /** The extent of the last axis of that output: the number of units, or a multiple if they are repeated. */
  readonly extent: number
}

/**
 * The hidden units of a model, in the order of its layers: only groups whose units can be exchanged and whose weights
 * are all trained.
 * @param method names the method in errors
 * @param chosen layers that make the units; null for all
 * @throws ArgumentError for a model without a known graph or without hidden units, and for layers that make none
 */
export function hiddenUnits(method: string, model: TrainedModel, chosen: readonly LayerName[] | null): HiddenUnits[] {
  return choose(method, model, chosen, whyNotExchanged(model))
}

/** Like hiddenUnits, but includes units that cannot be exchanged or are not trained, for observation only. */
export function visibleUnits(method: string, model: TrainedModel, chosen: readonly LayerName[] | null): HiddenUnits[] {
  return choose(method, model, chosen, whyNotSeen)
}

/** The reason for each layer with weights that belongs to no group of `seen`, by path. */
export function leftOut(
  method: string,
  model: TrainedModel,
  seen: readonly UnitGroup[],
): Readonly<Record<string, string>> {
  const graph = knownGraph(method, model)
  const groups = unitGroups(graph)
  const concerns =
    (layer: LayerBase) =>
    ({ makers, keepers }: UnitGroup): boolean =>
      makers.includes(layer) || keepers.includes(layer)
  const others = [...pathsIn(graph)].filter(([layer]) => layer.weights.length > 0 && !seen.some(concerns(layer)))
  return Object.fromEntries(
    others.map(([layer, path]) => {
      const group = groups.find(concerns(layer))
      const why =
        group === undefined
          ? (whyUnknown(layer) ?? `${layer} does not declare its units`)
          : (whyNotSeen(group) ?? 'not among the chosen layers')
      return [path, why]
    }),
  )
}

type WhyNot = (group: UnitGroup) => string | null

const whyNotSeen: WhyNot = ({ fixed }) => (fixed === ARE_OUTPUT ? fixed : null)

function choose(
  method: string,
  model: TrainedModel,
  chosen: readonly LayerName[] | null,
  whyNot: WhyNot,
): HiddenUnits[] {
  const groups = unitGroups(knownGraph(method, model))
  if (chosen !== null) {
    for (const each of chosen) {
      const group = groups.find(({ makers }) => makers.some((maker) => isNamed(each, maker)))
      const layer = model.allLayers.find((one) => isNamed(each, one))
      const why =
        group === undefined ? ((layer && whyUnknown(layer)) ?? 'no layer of this name makes units') : whyNot(group)
      if (why === null) continue
      const possible = groups.filter((one) => whyNot(one) === null).map(groupName)
      throw new ArgumentError(
        `${method}: cannot use the units of ${typeof each === 'string' ? quoted(each) : String(each)}: ${why}. Possible: ${possible.join(', ') || 'none'}`,
      )
    }
  }
  const found = groups.filter(
    (group) =>
      whyNot(group) === null &&
      (chosen === null || chosen.some((each) => group.makers.some((maker) => isNamed(each, maker)))),
  )
  if (found.length > 0) return found.map((group) => ({ ...group, name: groupName(group), ...outputOf(group, groups) }))
  const reasons = groups.map((group) => `${groupName(group)}: ${whyNot(group)}`)
  throw new ArgumentError(
    `${method}: the model ${quoted(model.name)} has no hidden units${reasons.length === 0 ? '' : ` (${reasons.join('; ')})`}`,
  )
}

function whyNotExchanged(model: TrainedModel): WhyNot {
  const trained = new Set(model.trainableWeights)
  return ({ fixed, incoming, outgoing }) => {
    if (fixed !== null) return fixed
    if (outgoing.length === 0) return 'no layer uses them'
    const frozen = [...incoming, ...outgoing].find(({ weight }) => !trained.has(weight))
    return frozen === undefined ? null : `${frozen.weight.name} is not trained`
  }
}

/** The output after the normalisation and activation of the units, but before a random layer such as Dropout. */
function outputOf(
  { made, makers, keepers: all, count }: UnitGroup,
  groups: readonly UnitGroup[],
): Pick<HiddenUnits, 'output' | 'extent'> {
  const { blocks = 1 } = made.get(makers.at(-1)!)!
  const extent = count * blocks
  // The output of a layer shared with other groups does not show these units alone.
  const keepers = all.filter((layer) => groups.filter((group) => group.keepers.includes(layer)).length === 1)
  const alone = keepers.filter((layer) => {
    const spec = buildSpecOf(layer)
    return spec instanceof TensorSpec && spec.shape.at(-1) === extent
  })
  const isRandom = ({ stateVariables }: LayerBase): boolean => stateVariables.some(({ dtype }) => dtype === 'int32')
  return { output: [...makers, ...alone.filter((layer) => !isRandom(layer))].at(-1)!, extent }
}

/**
 * The activity of the units in a step: [rows, units], one row for each sample, place, step of a sequence and direction.
 * Traced.
 */
export function activityOf(step: ProbedStep, { output, count, extent }: HiddenUnits): Tensor {
  const outputs = step.outputs(output).filter(({ dtype, shape }) => dtype === 'float32' && shape.at(-1) === extent)
  const rows = outputs.map((each) => reshape(each, [-1, count]))
  return rows.length === 1 ? rows[0]! : concatenate(rows, 0)
}

/** mean |h| of each unit over the rows of a step: [units]. Traced. */
export function meanActivity(step: ProbedStep, units: HiddenUnits): Tensor {
  return mean(abs(activityOf(step, units)), 0)
}

/** Σ |w_out| of each unit after a step: [units]. Traced. */
export function outgoingStrength(step: ProbedStep, { outgoing, count }: HiddenUnits): Tensor {
  return outgoing.map((place) => sumByUnit(place, count, abs(step.after(place.weight)))).reduce((a, b) => add(a, b))
}

/** The sum over the elements of each unit in a weight: [units]. Traced. */
function sumByUnit(place: UnitPlace, count: number, elements: Tensor): Tensor {
  const {
    axis,
    start,
    blocks,
    width,
    weight: { shape },
  } = place
  const along = sum(
    elements,
    shape.map((_, i) => i).filter((i) => i !== axis),
  )
  if (blocks * width === 1) return slice(along, [start], [count])
  const indices = Int32Array.from(
    indicesOf(
      place,
      Array.from({ length: count }, (_, unit) => unit),
    ),
  )
  return sum(take(along, new Tensor(indices, [blocks, count, width], 'int32')), [0, 2])
}

/** share · a + (1 − share) · b */
export function blend(share: number, a: Tensor, b: Tensor): Tensor {
  return add(multiply(a, share), multiply(b, 1 - share))
}
