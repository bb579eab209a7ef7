// Records the body of a loop: symbols of the enclosing traces become captures, and variables that the body
// assigns become carries. The public ops are in scan.ts.

import type { Value } from '../../ir/graph'
import { Body } from '../../ir/region'
import type { TensorType } from '../../core/shapes'
import { loopPasses } from '../../tape/loop-passes'
import type { Tensor } from '../tensor'
import type { TracedCell } from '../trace'
import { Trace, tracedBy } from '../trace'

/** The symbols of a variable in the body. */
interface CellInside {
  readonly parameter: Value
  current: Value
}

/** The results of one iteration, as symbols of the body. */
export interface IterationSymbols<Result> {
  readonly carries: readonly Tensor[]
  readonly stacked: readonly Tensor[]
  readonly result: Result
}

export interface LoopInputs {
  readonly carries: readonly Tensor[]
  readonly scanned: readonly Tensor[]
  readonly length: number
  readonly reverse: boolean
}

export class RegionTrace extends Trace {
  private readonly captured = new Map<Value, Value>()
  private readonly cellsInside = new Map<TracedCell, CellInside>()

  constructor(private readonly outer: Trace) {
    super()
    this.builder.scope = outer.scope
  }

  protected override foreign(tensor: Tensor): Value {
    return this.capture(this.outer.valueOf(tensor))
  }

  private capture(outside: Value): Value {
    let value = this.captured.get(outside)
    if (value === undefined) {
      value = this.builder.parameter(outside)
      this.captured.set(outside, value)
    }
    return value
  }

  override read(variable: TracedCell): Tensor {
    return this.wrap(this.inside(variable).current)
  }

  override update(variable: TracedCell, value: Tensor): void {
    this.inside(variable).current = this.valueOf(value)
  }

  private inside(variable: TracedCell): CellInside {
    let known = this.cellsInside.get(variable)
    if (known === undefined) {
      const parameter = this.builder.parameter(variable)
      known = { parameter, current: parameter }
      this.cellsInside.set(variable, known)
    }
    return known
  }

  /** Records one iteration and emits the loop into the enclosing trace. */
  loop<Result>(
    { carries, scanned, length, reverse }: LoopInputs,
    body: (carries: Tensor[], slices: Tensor[]) => IterationSymbols<Result>,
  ) {
    const { outer } = this
    const carriesIn = carries.map((carry) => this.parameter(carry))
    const slicesIn = scanned
      .map(({ shape, dtype }): TensorType => ({ shape: shape.slice(1), dtype }))
      .map((type) => this.parameter(type))
    const turn = tracedBy(this, () => body(carriesIn, slicesIn))
    const outputs = [...turn.carries, ...turn.stacked].map((tensor) => this.valueOf(tensor))
    const cells = [...this.cellsInside]
    const assigned = cells.filter(([, { parameter, current }]) => current !== parameter)
    const read = cells.filter(([, { parameter, current }]) => current === parameter)
    const parameters = [
      ...carriesIn.map((carry) => this.valueOf(carry)),
      ...assigned.map(([, { parameter }]) => parameter),
      ...slicesIn.map((slice) => this.valueOf(slice)),
      ...read.map(([, { parameter }]) => parameter),
      ...this.captured.values(),
    ]
    const inputs = [
      ...carries,
      ...assigned.map(([variable]) => outer.read(variable)),
      ...scanned,
      ...read.map(([variable]) => outer.read(variable)),
      ...[...this.captured.keys()].map((value) => outer.wrap(value)),
    ]
    const results = [
      ...outputs.slice(0, carries.length),
      ...assigned.map(([, { current }]) => current),
      ...outputs.slice(carries.length),
    ]
    const made = outer.apply('loop', inputs, {
      body: new Body(this.builder.finish(results, parameters), loopPasses),
      length,
      reverse,
      carries: carries.length + assigned.length,
      scanned: scanned.length,
    })
    assigned.forEach(([variable], i) => outer.update(variable, made[carries.length + i]!))
    return {
      carries: made.slice(0, carries.length),
      stacked: made.slice(carries.length + assigned.length),
      result: turn.result,
    }
  }
}
