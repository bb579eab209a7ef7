// Advice on unhealthy units; empty for a healthy model.

import type { HealthRecord, LayerHealth } from './health-record'

/** The share of units from which a finding is reported. */
const MANY = 0.3
/** The relative change of weights per step above which it counts as too large. */
const LARGE_STEP = 0.1

interface Finding {
  readonly isIll: (layer: LayerHealth, record: HealthRecord) => boolean
  readonly say: (layer: LayerHealth) => string
}

const percent = (share: number): string => `${Math.round(100 * share)} %`

/** Only the first matching finding of each list is reported. */
const OF_UNITS: readonly Finding[] = [
  {
    isIll: ({ dead }) => dead >= MANY,
    say: ({ dead }) =>
      `${percent(dead)} of the units never fire. Lower the learning rate, use leakyRelu, or let ContinualBackprop renew units. After training, pruneUnits(model, { dead: true, x }) of myelin/thrift removes those that are 0 for all of x, with the same answers`,
  },
  {
    isIll: ({ saturated }) => saturated !== null && saturated >= MANY,
    say: ({ saturated }) =>
      `${percent(saturated!)} of the units are saturated, so their gradients are nearly zero. Scale the inputs, start with smaller weights, or add a normalisation before the activation`,
  },
  {
    isIll: ({ dormant }) => dormant >= MANY,
    say: ({ dormant }) =>
      `${percent(dormant)} of the units are much less active than the others. ReDo reinitializes such units; fewer units may suffice`,
  },
  {
    isIll: ({ rank, rankRows, units, activity }) => rank === 1 && rankRows >= 4 && units >= 4 && activity > 0,
    say: ({ units }) =>
      `all ${units} units have proportional outputs. Lower the learning rate, or initialize the weights differently`,
  },
]

const OF_STEPS: readonly Finding[] = [
  {
    // A dead layer would be the cause, and is reported above.
    isIll: ({ gradientNorm }, { layers }) => gradientNorm === 0 && layers.every(({ dead }) => dead < 1),
    say: () => 'no gradient reaches the weights. Check the layers after it',
  },
  {
    isIll: ({ updateRatio }) => updateRatio > LARGE_STEP,
    say: ({ updateRatio }) =>
      `a step changes the weights by ${percent(updateRatio)} of their norm. Lower the learning rate`,
  },
]

/** The advice on a record: `dense_2: 84 % of the units never fire. …` */
export function adviceOn(record: HealthRecord | undefined): string[] {
  if (record === undefined) return []
  return record.layers.flatMap((layer) => {
    const found = [OF_UNITS, OF_STEPS].map((findings) => findings.find(({ isIll }) => isIll(layer, record)))
    return found.filter((each) => each !== undefined).map(({ say }) => `${layer.layer}: ${say(layer)}.`)
  })
}
