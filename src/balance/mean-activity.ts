// How active units were since somebody looked last: what ReDo and synaptic scaling decide by.

import { add } from '../ops/elementwise'
import { Variable } from '../ops/variable'
import type { Probe } from '../training/probes'
import type { HiddenUnits } from './hidden-units'
import { meanActivity } from './hidden-units'

/** Is told the mean |h| of each unit of one group. */
export interface ActivityListener {
  readonly units: HiddenUnits
  hear(activity: Float64Array): void
}

/** Observes units in every step, and after so many steps tells each listener the means over them. */
export function activityProbe(listeners: readonly ActivityListener[], every: number): Probe {
  // Σ over steps of mean|h|
  const sums = listeners.map(({ units: { count, name } }) => new Variable([count], { name: `${name}/activity`, trainable: false }))
  let steps = 0
  return {
    trace: (step) => listeners.forEach(({ units }, i) => sums[i]!.assign(add(sums[i]!.value, meanActivity(step, units)))),
    afterStep: () => {
      if (++steps < every) return
      listeners.forEach((listener, i) => {
        const { view } = sums[i]!
        listener.hear(Float64Array.from(view, (sum) => sum / steps))
        view.fill(0)
      })
      steps = 0
    },
  }
}
