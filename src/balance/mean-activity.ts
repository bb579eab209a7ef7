// The mean activity of units over a number of steps. ReDo, synaptic scaling and Homeostat use it.

import { add } from '../ops/numpy/elementwise'
import type { Tensor } from '../ops/tensor'
import { Variable } from '../ops/variable'
import type { Probe, ProbedStep } from '../training/probes'
import { meanActivity, type HiddenUnits } from './hidden-units'

/** Sums of mean|h| over steps, for each unit of some groups. */
export class ActivitySums {
  private readonly sums: readonly Variable[]

  constructor(private readonly groups: readonly HiddenUnits[]) {
    this.sums = groups.map(({ count, name }) => new Variable([count], { name: `${name}/activity`, trainable: false }))
  }

  trace(step: ProbedStep): void {
    this.groups.forEach((units, i) => this.sums[i]!.assign(add(this.sums[i]!.value, meanActivity(step, units))))
  }

  /** The means over the steps since the last call, by group. */
  take(steps: number): Float64Array[] {
    return this.sums.map(({ view }) => {
      const means = Float64Array.from(view, (sum) => sum / steps)
      view.fill(0)
      return means
    })
  }

  getState(): Tensor[] {
    return this.sums.map((sum) => sum.value)
  }

  setState(sums: readonly Tensor[]): void {
    sums.forEach((sum, i) => this.sums[i]?.assign(sum))
  }
}

/** Receives the mean |h| of each unit of one group. */
export interface ActivityListener {
  readonly units: HiddenUnits
  onActivity(activity: Float64Array): void
}

/** Observes units in every step, and every `rhythm` steps passes the means to each listener. */
export class ActivityProbe implements Probe {
  private readonly sums: ActivitySums
  private steps = 0

  constructor(
    private readonly listeners: readonly ActivityListener[],
    private readonly rhythm: number,
  ) {
    this.sums = new ActivitySums(listeners.map(({ units }) => units))
  }

  trace(step: ProbedStep): void {
    this.sums.trace(step)
  }

  afterStep(): void {
    if (++this.steps < this.rhythm) return
    this.sums.take(this.steps).forEach((activity, i) => this.listeners[i]!.onActivity(activity))
    this.steps = 0
  }

  getState() {
    return { sums: this.sums.getState(), steps: this.steps }
  }

  setState({ sums, steps }: ReturnType<ActivityProbe['getState']>): void {
    this.sums.setState(sums)
    this.steps = steps
  }
}
