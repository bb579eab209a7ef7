// The mean activity of units over a number of steps. ReDo and synaptic scaling use it.

import { add } from '../ops/numpy/elementwise'
import { Variable } from '../ops/variable'
import type { Probe, ProbedStep } from '../training/probes'
import type { HiddenUnits } from './hidden-units'
import { meanActivity } from './hidden-units'

/** Receives the mean |h| of each unit of one group. */
export interface ActivityListener {
  readonly units: HiddenUnits
  onActivity(activity: Float64Array): void
}

/** Observes units in every step, and every `rhythm` steps passes the means to each listener. */
export class ActivityProbe implements Probe {
  /** Σ over steps of mean|h| */
  private readonly sums: readonly Variable[]
  private steps = 0

  constructor(
    private readonly listeners: readonly ActivityListener[],
    private readonly rhythm: number,
  ) {
    this.sums = listeners.map(
      ({ units: { count, name } }) => new Variable([count], { name: `${name}/activity`, trainable: false }),
    )
  }

  trace(step: ProbedStep): void {
    this.listeners.forEach(({ units }, i) => this.sums[i]!.assign(add(this.sums[i]!.value, meanActivity(step, units))))
  }

  afterStep(): void {
    if (++this.steps < this.rhythm) return
    this.listeners.forEach((listener, i) => {
      const { view } = this.sums[i]!
      listener.onActivity(Float64Array.from(view, (sum) => sum / this.steps))
      view.fill(0)
    })
    this.steps = 0
  }

  getState() {
    return { sums: this.sums.map((sum) => sum.value), steps: this.steps }
  }

  setState({ sums, steps }: ReturnType<ActivityProbe['getState']>): void {
    sums.forEach((sum, i) => this.sums[i]?.assign(sum))
    this.steps = steps
  }
}
