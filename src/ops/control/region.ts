// Records the body of a loop or of a branch: symbols of the enclosing traces become captures, and variables that the
// body assigns become carries. The public ops are in scan.ts, while.ts and branch.ts.

import { StateError } from '../../core/errors'
import type { TensorType } from '../../core/shapes'
import type { Graph, Value } from '../../engine/ir/graph'
import { Body, type LoopPasses } from '../../engine/ir/region'
import type { LoopAttributes } from '../../engine/ir/attributes'
import { loopPasses } from '../../engine/tape/loop-passes'
import { zeros } from '../numpy/shape'
import type { Tensor } from '../tensor'
import { Trace, tracedBy, type TracedCell } from '../trace'

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
  /** Default: all iterations run. */
  readonly runs?: LoopAttributes['runs']
}

/** The parameters and results of a body, as symbols of its trace. */
interface BodySymbols {
  readonly carriesIn: readonly Tensor[]
  readonly slicesIn: readonly Tensor[]
  readonly carriesOut: readonly Tensor[]
  readonly stackedOut: readonly Tensor[]
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
    inputs: LoopInputs,
    body: (carries: Tensor[], slices: Tensor[]) => IterationSymbols<Result>,
  ): IterationSymbols<Result> {
    const carriesIn = inputs.carries.map((carry) => this.parameter(carry))
    const slicesIn = inputs.scanned.map(({ shape, dtype }) => this.parameter({ shape: shape.slice(1), dtype }))
    const turn = tracedBy(this, () => body(carriesIn, slicesIn))
    const made = this.emit(inputs, { carriesIn, slicesIn, carriesOut: turn.carries, stackedOut: turn.stacked })
    return { ...made, result: turn.result }
  }

  /**
   * Records a function that runs only if a condition is true.
   * @param condition bool [1]
   * @param otherwise the results if the function does not run; null: zeros
   */
  branch(condition: Tensor, otherwise: readonly Tensor[] | null, body: () => readonly Tensor[]): readonly Tensor[] {
    const results = tracedBy(this, body)
    const carries = otherwise ?? results.map(({ shape, dtype }) => zeros(shape, dtype))
    const inputs: LoopInputs = { carries, scanned: [condition], length: 1, reverse: false, runs: 'where' }
    return this.emit(inputs, {
      carriesIn: results.map((type) => this.parameter(type)),
      slicesIn: [this.parameter({ shape: [], dtype: 'bool' })],
      carriesOut: results,
      stackedOut: [],
    }).carries
  }

  /** Records a function that runs once, with other passes than a loop has. */
  once(passes: LoopPasses, body: () => readonly Tensor[]): readonly Tensor[] {
    const results = tracedBy(this, body)
    const carries = results.map(({ shape, dtype }) => zeros(shape, dtype))
    const symbols = {
      carriesIn: results.map((type) => this.parameter(type)),
      slicesIn: [],
      carriesOut: results,
      stackedOut: [],
    }
    return this.emit({ carries, scanned: [], length: 1, reverse: false }, symbols, passes).carries
  }

  /**
   * Records a function of slices and emits it for all slices at once; a function that assigns variables becomes a loop.
   * @param transform gives a graph of all slices: see engine/transforms/batch.ts
   */
  batch(
    scanned: readonly Tensor[],
    length: number,
    transform: (graph: Graph, slices: number, length: number, passes: LoopPasses) => Graph,
    body: (slices: Tensor[]) => readonly Tensor[],
  ): readonly Tensor[] {
    const slicesIn = scanned.map(({ shape, dtype }) => this.parameter({ shape: shape.slice(1), dtype }))
    const stackedOut = tracedBy(this, () => body(slicesIn))
    if (this.assigns)
      return this.emit(
        { carries: [], scanned, length, reverse: false },
        { carriesIn: [], slicesIn, carriesOut: [], stackedOut },
      ).stacked
    const { graph, captures } = this.close(slicesIn, stackedOut)
    return this.outer.inline(transform(graph, scanned.length, length, loopPasses), [...scanned, ...captures])
  }

  /**
   * Records a function of symbols, without emitting it.
   * @returns the graph [...inputs, ...captures] → results, and the captures as tensors of the enclosing trace
   */
  record(types: readonly TensorType[], where: string, body: (inputs: Tensor[]) => readonly Tensor[]) {
    const inputs = types.map((type) => this.parameter(type))
    const results = tracedBy(this, () => body(inputs))
    if (this.assigns) throw new StateError(`${where} must not assign variables or draw random numbers`)
    return this.close(inputs, results)
  }

  /** Whether the recorded function assigns a variable. */
  private get assigns(): boolean {
    return [...this.cellsInside.values()].some(({ parameter, current }) => current !== parameter)
  }

  private close(inputs: readonly Tensor[], results: readonly Tensor[]) {
    const outputs = results.map((each) => this.valueOf(each))
    const parameters = [
      ...inputs.map((each) => this.valueOf(each)),
      ...[...this.cellsInside.values()].map(({ parameter }) => parameter),
      ...this.captured.values(),
    ]
    const captures = [
      ...[...this.cellsInside.keys()].map((variable) => this.outer.read(variable)),
      ...[...this.captured.keys()].map((value) => this.outer.wrap(value)),
    ]
    return { graph: this.builder.finish(outputs, parameters), captures }
  }

  private emit(
    { carries, scanned, length, reverse, runs }: LoopInputs,
    { carriesIn, slicesIn, carriesOut, stackedOut }: BodySymbols,
    passes: LoopPasses = loopPasses,
  ) {
    const { outer } = this
    const toValue = (tensor: Tensor): Value => this.valueOf(tensor)
    // The results are read before the cells and captures are listed, because reading a result may add a capture.
    const [next, stacked] = [carriesOut.map(toValue), stackedOut.map(toValue)]
    const cells = [...this.cellsInside]
    const assigned = cells.filter(([, { parameter, current }]) => current !== parameter)
    const read = cells.filter(([, { parameter, current }]) => current === parameter)
    const parameters = [
      ...carriesIn.map(toValue),
      ...assigned.map(([, { parameter }]) => parameter),
      ...slicesIn.map(toValue),
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
    const results = [...next, ...assigned.map(([, { current }]) => current), ...stacked]
    const made = outer.apply('loop', inputs, {
      body: new Body(this.builder.finish(results, parameters), passes),
      length,
      carries: carries.length + assigned.length,
      scanned: scanned.length,
      reverse,
      runs,
    })
    assigned.forEach(([variable], i) => outer.update(variable, made[carries.length + i]!))
    return { carries: made.slice(0, carries.length), stacked: made.slice(carries.length + assigned.length) }
  }
}
