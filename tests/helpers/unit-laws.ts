// The laws of units: the declaration of a layer (layers/units.ts) compared with its computation. The layer is between
// layers with known units in a model, and every consequence of the unit groups of this model is tested with numbers.

import { expect } from 'vitest'
import { Dense, Input as inputSymbol, Model, ops, tensor, type Tensor, type Variable } from '../../src'
import { balanceSynapses } from '../../src/entries/balance'
import { ArgumentError } from '../../src/core/errors'
import { flatten, mapTree, typed, type Tree } from '../../src/core/tree'
import type { LayerBase } from '../../src/layers/layer'
import { TensorSpec } from '../../src/layers/spec'
import { buildSpecOf } from '../../src/layers/weight-lists'
import { innerUnitsOf, unitFlowOf } from '../../src/layers/declared-units'
import type { UnitFlow } from '../../src/layers/units'
import type { LayerGraph } from '../../src/models/layer-graph'
import { visitByUnit, visitUnits } from '../../src/models/unit-elements'
import { unitGroups, type UnitGroup, type UnitPlace } from '../../src/models/unit-groups'
import { smaller } from '../../src/thrift/smaller'
import { floats, integers } from './data'
import { applyTree } from '../../src/layers/applying'

/** The description of an input; the shape is that of one sample. */
export interface UnitInput {
  readonly shape: readonly number[]
  readonly dtype: string
  readonly below: number
}

const FEATURES = 3

/** Every float input comes from a Dense, every output goes to one. */
function around(
  layer: LayerBase,
  input: Tree<UnitInput>,
): { readonly model: Model<never, Tensor[]>; readonly data: Tensor[] } {
  const inputs: Tensor[] = []
  const data: Tensor[] = []
  const operands = mapTree(input, ({ shape, dtype, below }) => {
    const seed = inputs.length + 1
    const isMade = dtype === 'float32' && shape.length > 0
    const inner = isMade ? [...shape.slice(0, -1), FEATURES] : [...shape]
    const symbol = inputSymbol({ shape: inner, dtype: dtype as 'float32' })
    inputs.push(symbol)
    const full = [4, ...inner]
    const content = dtype === 'float32' ? floats(full, -2, 2, seed) : integers(full, 0, below - 1, seed)
    data.push(tensor([...content.data], full, dtype as 'float32'))
    return isMade ? new Dense({ units: shape.at(-1)!, name: `before_${seed}` }).apply(symbol) : symbol
  })
  const outputs = flatten<Tensor>(applyTree(layer, operands, {})).map((output, i) =>
    output.rank > 1 ? new Dense({ units: 2, name: `behind_${i}` }).apply(output) : output,
  )
  const model = new Model<never, Tensor[]>({ inputs: typed(inputs), outputs })
  model.weights.forEach((weight, i) => {
    if (weight.dtype === 'float32')
      weight.assign(
        tensor([...floats(weight.shape, /variance$/i.test(weight.name) ? 0.4 : -0.8, 0.8, i + 3).data], weight.shape),
      )
  })
  return { model, data }
}

function outputsOf(model: Model<never, Tensor[]>, data: readonly Tensor[], training: boolean): Tensor[] {
  const weights = [...model.weights, ...model.stateVariables]
  const before = weights.map((weight) => weight.value)
  const outputs = flatten<Tensor>(applyTree(model, typed(data), { training }))
  weights.forEach((weight, i) => weight.assign(before[i]!))
  return outputs
}

/** Whether training draws random numbers, so that it never gives the same output twice. */
function drawsIn(model: Model<never, Tensor[]>, data: readonly Tensor[]): boolean {
  const [a, b] = [1, 2].map(() => flatten<Tensor>(applyTree(model, typed(data), { training: true })))
  return distance(a!, b!) > 0
}

function distance(a: readonly Tensor[], b: readonly Tensor[]): number {
  return Math.max(
    ...a.map((each, i) => {
      expect(each.shape).toEqual(b[i]!.shape)
      return ops.max(ops.abs(ops.subtract(each, b[i]!))).item()
    }),
  )
}

/** Each place once. */
function placesOf({ incoming, along, outgoing }: UnitGroup): UnitPlace[] {
  const seen = new Map<string, UnitPlace>()
  const ids = new Map<Variable, number>()
  for (const place of [...incoming, ...along, ...outgoing]) {
    const { weight, axis, start } = place
    if (!ids.has(weight)) ids.set(weight, ids.size)
    seen.set(`${ids.get(weight)} ${axis} ${start}`, place)
  }
  return [...seen.values()]
}

/** Unit j moves to position j − 1, the first unit to the last position. */
function rotate(group: UnitGroup): void {
  for (const place of placesOf(group)) {
    const { view } = place.weight
    const before = view.slice()
    const starts = Array.from({ length: group.count }, (): number[] => [])
    let width = 0
    visitByUnit(place, group.count, (unit, start, length) => {
      starts[unit]!.push(start)
      width = length
    })
    starts.forEach((positions, unit) => {
      const other = starts[(unit + 1) % group.count]!
      positions.forEach((start, i) => view.set(before.subarray(other[i]!, other[i]! + width), start))
    })
  }
}

/** Whether f(c x) = c f(x) for numbers of several magnitudes, outside of training. */
function keepsFactor(layer: LayerBase, { shape: extents }: TensorSpec): boolean {
  const shape = extents.map((extent) => extent ?? 2)
  const x = tensor([...floats(shape, -1, 1, 5).data], shape)
  const outputOf = (input: Tensor): ArrayLike<number> => flatten<Tensor>(applyTree(layer, input, {}))[0]!.data
  const once = Array.from(outputOf(x))
  return [0.01, 100].every((factor) => {
    const scaled = outputOf(ops.multiply(x, factor))
    return once.every((value, i) => Math.abs(scaled[i]! - factor * value) <= 1e-4 * factor)
  })
}

/** A flow that keeps units declares whether the layer scales. With weights of each unit it need not. */
function requireScales(layer: LayerBase, flow: UnitFlow | null): void {
  const buildSpec = buildSpecOf(layer)
  if (flow?.kind !== 'keeps' || flow.along.length > 0 || !(buildSpec instanceof TensorSpec)) return
  expect(flow.scales, `${layer} scales`).toBe(keepsFactor(layer, buildSpec))
}

const groupsOf = (model: Model<never, Tensor[]>): UnitGroup[] => unitGroups(model.graph as LayerGraph, { inner: true })
const isFree = ({ fixed, count, outgoing, uses }: UnitGroup): boolean =>
  fixed === null && count > 1 && outgoing.length > 0 && uses.length > 0

/**
 * Checks that the units before a layer, in it and after it are as declared:
 * 1. permuting units, with all weights that belong to them, does not change the output;
 * 2. removing an unused unit, with all weights that belong to it, does not change the output;
 * 3. balancing the weights of units does not change the output;
 * 4. a layer that keeps units declares whether f(c x) = c f(x).
 * @returns the number of groups tested; null if the layer declares nothing
 */
export function tryUnits(make: () => LayerBase, input: Tree<UnitInput>, isRandom: boolean): number | null {
  const layer = make()
  const fresh = () => around(make(), input)
  const { model, data } = around(layer, input)
  const flow = unitFlowOf(layer)
  if (flow === null && innerUnitsOf(layer).length === 0) return null
  requireScales(layer, flow)
  const modes = isRandom && drawsIn(model, data) ? [false] : [false, true]
  const groups = groupsOf(model)
  const tried = [...groups.keys()].filter((i) => isFree(groups[i]!))
  for (const i of tried)
    for (const training of modes) {
      const { model: made } = fresh()
      const group = groupsOf(made)[i]!
      const where = `${group.makers.join(' and ')}, training ${training}`
      const before = outputsOf(made, data, training)
      rotate(group)
      expect(distance(outputsOf(made, data, training), before), `units that change places: ${where}`).toBeLessThan(2e-5)

      const gone = Math.floor(group.count / 2)
      for (const place of group.outgoing)
        visitUnits(place, [gone], (start, length) => void place.weight.view.fill(0, start, start + length))
      const without = outputsOf(made, data, training)
      const kept = Array.from({ length: group.count }, (_, unit) => unit).filter((unit) => unit !== gone)
      const less = typed<typeof made>(smaller(typed<Model<never, never>>(made), new Map([[group, kept]])))
      expect(distance(outputsOf(less, data, training), without), `without a unit: ${where}`).toBeLessThan(2e-5)
      // The model can be computed with random draws, too.
      expect(() => outputsOf(less, data, true), `trained without a unit: ${where}`).not.toThrow()
      less.dispose()
    }
  const before = outputsOf(model, data, false)
  try {
    balanceSynapses(model, { sweeps: 3 })
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error
  }
  const scale = Math.max(1, ...before.map((each) => ops.max(ops.abs(each)).item()))
  expect(distance(outputsOf(model, data, false), before) / scale, 'balanced').toBeLessThan(2e-5)
  return tried.length
}
