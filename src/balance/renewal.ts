// Reinitializes units: incoming weights drawn again, outgoing weights 0, optimizer slots reset. The callers decide
// which units, and when.

import type { UnitGroup, UnitPlace } from '../models/unit-groups'
import { visitUnits } from '../models/unit-elements'
import { Tensor, type TensorData } from '../ops/tensor'
import type { Variable } from '../ops/variable'
import type { TrainedModel } from '../training/callbacks'
import { redraw } from '../layers/weight-lists'

/**
 * New random values for one weight, dealt out unit by unit. Drawing a whole weight for each unit would take as long as
 * many steps.
 */
class FreshUnits {
  private drawn: TensorData | null = null
  private used = 0

  constructor(
    private readonly model: TrainedModel,
    private readonly place: UnitPlace,
    private readonly count: number,
  ) {}

  getState(): { readonly drawn: Tensor | null; readonly used: number } {
    const { drawn, used } = this
    return { drawn: drawn === null ? null : new Tensor(drawn, [drawn.length], 'float32'), used }
  }

  setState({ drawn, used }: ReturnType<FreshUnits['getState']>): void {
    this.drawn = drawn?.data ?? null
    this.used = used
  }

  /** Writes values that no other unit has received. */
  write(unit: number): void {
    const { model, place, count } = this
    if (this.drawn === null || this.used === count) {
      this.drawn = redraw(model, place.weight).data
      this.used = 0
    }
    copyUnit(place, this.drawn, this.used++, place.weight.view, unit)
  }
}

/** Reinitializes units of one group. */
export class Renewal {
  private readonly fresh: readonly FreshUnits[]
  private readonly places: readonly UnitPlace[]

  constructor(
    private readonly model: TrainedModel,
    private readonly group: UnitGroup,
  ) {
    const { incoming, along, outgoing, count } = group
    this.fresh = [...incoming, ...along].map((place) => new FreshUnits(model, place, count))
    this.places = [...incoming, ...along, ...outgoing]
  }

  /** The drawn values and how many of them are used. */
  getState(): ReturnType<FreshUnits['getState']>[] {
    return this.fresh.map((each) => each.getState())
  }

  setState(states: ReturnType<Renewal['getState']>): void {
    states.forEach((state, i) => this.fresh[i]?.setState(state))
  }

  /** w_in, b and the other weights of a unit ← new random values, w_out ← 0, optimizer slots ← their initial values. */
  renew(units: readonly number[]): void {
    for (const unit of units) for (const fresh of this.fresh) fresh.write(unit)
    // After the incoming weights: a recurrent unit's weight to itself is both incoming and outgoing, and becomes 0.
    for (const place of this.group.outgoing) fill(place, units, place.weight, 0)
    for (const place of this.places) this.forget(place, units)
  }

  private forget(place: UnitPlace, units: readonly number[]): void {
    const { optimizer } = this.model
    if (!optimizer.builtFor.includes(place.weight)) return
    const slots = optimizer.slotsOf(place.weight)
    for (const { name, axes, start = 0 } of optimizer.declaredSlots(place.weight)) {
      const axis = axes === undefined ? place.axis : axes.indexOf(place.axis)
      // A slot without an axis of units is kept.
      if (axis < 0) continue
      const slot = slots.get(name)!
      if (start === 'weight') for (const unit of units) copyUnit(place, place.weight.view, unit, slot.view, unit)
      else fill({ ...place, weight: slot, axis }, units, slot, start)
    }
  }
}

function fill(place: UnitPlace, units: readonly number[], variable: Variable, value: number): void {
  const { view } = variable
  visitUnits(place, units, (start, length) => void view.fill(value, start, start + length))
}

function copyUnit(place: UnitPlace, from: TensorData, source: number, to: TensorData, target: number): void {
  const starts: number[] = []
  visitUnits(place, [source], (start) => void starts.push(start))
  let next = 0
  visitUnits(place, [target], (start, length) => {
    const offset = starts[next++]!
    for (let i = 0; i < length; i++) to[start + i] = from[offset + i]!
  })
}
