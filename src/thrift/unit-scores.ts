// The importance of each unit of a group, from its weights or its activity on data.

import { RowSource } from '../data/samples/row-source'
import { tensorsOf, type Samples } from '../data/samples/samples'
import { flatten } from '../core/tree'
import { CallContext, withFrame, withTap, type Tap } from '../layers/context'
import type { Model } from '../models/model'
import { sumByUnit } from '../models/unit-elements'
import { indicesOf, type UnitGroup, type UnitUse } from '../models/unit-groups'
import { abs, add, multiply } from '../ops/numpy/elementwise'
import { mean, sum } from '../ops/numpy/reduce'
import { take } from '../ops/numpy/shape'
import { Tensor } from '../ops/tensor'
import { compileTraced, currentTrace, trace } from '../ops/trace'
import type { Program } from '../engine/runtime/program'
import { typesOf } from '../training/runner'
import { Pace } from '../data/samples/pace'
import { batchOf, inputsOf, parameterTypes } from '../training/steps'
import { applyTree } from '../layers/applying'

/** For each group, a score per unit: units with the smallest scores are least important. */
export type Scores = ReadonlyMap<UnitGroup, Float64Array>

export type Criterion = 'magnitude' | 'utility' | 'taylor'

/** ‖w_in‖ · ‖w_out‖, which is invariant to rescaling a ReLU unit. */
function magnitudes(group: UnitGroup): Float64Array {
  const square = (weight: number): number => weight * weight
  const incoming = sumByUnit(group.incoming, group.count, square)
  const outgoing = sumByUnit(group.outgoing, group.count, square)
  return incoming.map((each, unit) => Math.sqrt(each * outgoing[unit]!))
}

/** Data, and the number of rows per batch. */
export interface Seen {
  readonly samples: Samples
  readonly batchSize: number
  readonly signal: AbortSignal | null
}

/** The scores of all units. @param data null for the criterion that needs only weights */
export async function scoresOf(
  model: Model,
  groups: readonly UnitGroup[],
  by: Criterion,
  data: Seen | null,
): Promise<Scores> {
  if (by === 'magnitude' || data === null) return new Map(groups.map((group) => [group, magnitudes(group)]))
  if (by === 'taylor') return effects(model, groups, data)
  const found = await activities(model, groups, data)
  return new Map(
    groups.map((group) => {
      const strength = sumByUnit(group.outgoing, group.count, Math.abs)
      return [group, found.get(group)!.map((each, unit) => each * strength[unit]!)]
    }),
  )
}

/**
 * The units of each group that are 0 wherever they are used, for all rows. A layer that reads the units that it computes, as
 * recurrent layers do, has no dead units here: its earlier outputs are not observed.
 */
export async function deadUnits(
  model: Model,
  groups: readonly UnitGroup[],
  data: Seen,
): Promise<ReadonlyMap<UnitGroup, ReadonlySet<number>>> {
  const found = await activities(model, groups, data)
  return new Map(
    groups.map((group) => [
      group,
      new Set(
        [...found.get(group)!.entries()].flatMap(([unit, mean]) => (mean === 0 && !usesItself(group) ? [unit] : [])),
      ),
    ]),
  )
}

/** Whether a layer reads the units that it computes, as recurrent layers do. */
export const usesItself = ({ made }: UnitGroup): boolean =>
  [...made.values()].some(({ outgoing = [] }) => outgoing.length > 0)

/** Traces a body, and notes the inputs of each call of a layer. */
class Calls {
  private readonly inputs = new Map<unknown, Tensor[]>()

  during<Result>(body: () => Result): Result {
    const note: Tap = (layer, input, output) => {
      const [first] = flatten(input)
      if (first instanceof Tensor) this.inputs.set(layer, [...(this.inputs.get(layer) ?? []), first])
      return output
    }
    return withFrame(null, new CallContext(false), () => withTap(note, body))
  }

  of(layer: object): readonly Tensor[] {
    return this.inputs.get(layer)!
  }
}

/** mean |h| of each unit, where it is used. */
function activities(model: Model, groups: readonly UnitGroup[], data: Seen): Promise<Scores> {
  return overRows(groups, data, (types, symbols) => {
    const calls = new Calls()
    calls.during(() =>
      applyTree(model, inputsOf(types.x, symbols.slice(0, types.inputs.length), types.readers), { training: false }),
    )
    return groups.map((group) =>
      meanOf(group.uses.flatMap((use) => calls.of(use.layer).map((input) => activity(use, group.count, input)))),
    )
  })
}

/** |Σ h · ∂loss/∂h| of each row. */
function effects(model: Model, groups: readonly UnitGroup[], data: Seen): Promise<Scores> {
  return overRows(groups, data, (types, symbols) => {
    const calls = new Calls()
    const { loss } = calls.during(() => model.forward(batchOf(types, symbols), { training: false }))
    const inputs = [...new Set(groups.flatMap(({ uses }) => uses.flatMap(({ layer }) => calls.of(layer))))]
    const gradients = currentTrace()!.gradients(loss, inputs)
    const changes = new Map(inputs.map((input, i) => [input, multiply(input, gradients[i]!)]))
    return groups.map((group) =>
      meanOf(
        group.uses.map((use) =>
          effect(
            use,
            group.count,
            calls.of(use.layer).map((each) => changes.get(each)!),
          ),
        ),
      ),
    )
  })
}

/** The mean over the places where units are used, and over calls. Traced. */
/* @__NO_SIDE_EFFECTS__ */
function meanOf(each: readonly Tensor[]): Tensor {
  return multiply(
    each.reduce((a, b) => add(a, b)),
    1 / each.length,
  )
}

/** [rows, …, units along the axis, …] → [rows, units] */
function byUnit(
  { axis, ...use }: UnitUse,
  count: number,
  value: Tensor,
  fold: (x: Tensor, axes: readonly number[]) => Tensor,
): Tensor {
  const unitAxis = value.rank + axis
  const others = value.shape.flatMap((_, i) => (i === 0 || i === unitAxis ? [] : [i]))
  const rows = others.length === 0 ? value : fold(value, others)
  const indices = Int32Array.from(
    indicesOf(
      use,
      Array.from({ length: count }, (_, unit) => unit),
    ),
  )
  return fold(take(rows, new Tensor(indices, [use.blocks, count, use.width], 'int32'), 1), [1, 3])
}

/** Σ over rows of mean |h|: [units]. Traced. */
function activity(use: UnitUse, count: number, value: Tensor): Tensor {
  return sum(
    byUnit(use, count, abs(value), (x, axes) => mean(x, axes)),
    0,
  )
}

/** Σ over rows of |Σ h · ∂loss/∂h| over all calls, for the loss of each row: [units]. Traced. */
function effect(use: UnitUse, count: number, calls: readonly Tensor[]): Tensor {
  const each = calls.map((value) => byUnit(use, count, value, (x, axes) => sum(x, axes))).reduce((a, b) => add(a, b))
  return multiply(sum(abs(each), 0), each.shape[0]!)
}

/** The mean over all rows of the sums that `body` returns for a batch: a tensor [units] for each group. */
async function overRows(
  groups: readonly UnitGroup[],
  { samples, batchSize, signal }: Seen,
  body: (types: ReturnType<typeof typesOf>, symbols: readonly Tensor[]) => readonly Tensor[],
): Promise<Scores> {
  const totals = groups.map(({ count }) => new Float64Array(count))
  const sources = tensorsOf(samples).map((tensor) => new RowSource(tensor))
  const programs = new Map<number, Program>()
  const pace = new Pace(signal ?? undefined)
  const programFor = (count: number): Program => {
    if (!programs.has(count)) {
      const types = typesOf(samples, count)
      programs.set(count, compileTraced(trace(parameterTypes(types), (symbols) => body(types, symbols))))
    }
    return programs.get(count)!
  }
  try {
    for (let start = 0; start < samples.size; start += batchSize) {
      const count = Math.min(batchSize, samples.size - start)
      const program = programFor(count)
      sources.forEach((source, i) => source.fill(program.parameter(i), null, start, count))
      program.run()
      totals.forEach((total, i) => program.output(i).forEach((value, unit) => (total[unit]! += value / samples.size)))
      if (pace.isDue()) await pace.yield()
    }
  } finally {
    programs.forEach((program) => program.dispose())
  }
  return new Map(groups.map((group, i) => [group, totals[i]!]))
}
