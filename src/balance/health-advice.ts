// Advice on unhealthy units; none for a healthy model.

import type { HealthRecord, LayerHealth } from './health-record'

/** The share of units from which a finding is reported. */
const MANY = 0.3
/** The relative change of weights per step above which it counts as too large. */
const LARGE_STEP = 0.1

interface Finding {
  readonly applies: (layer: LayerHealth, record: HealthRecord) => boolean
  readonly text: (layer: LayerHealth) => string
}

const percent = (share: number): string => `${Math.round(100 * share)} %`

/** Only the first matching finding of each list is reported. */
const OF_UNITS: readonly Finding[] = [
  {
    applies: ({ dead }) => dead >= MANY,
    text: ({ dead }) =>
      `${percent(dead)} of the units never fire. Lower the learning rate, use leakyRelu, or let ContinualBackprop renew units. After training, pruneUnits(model, { dead: true, x }) of myelin/thrift removes those that are 0 for all of x, with the same answers`,
  },
  {
    applies: ({ saturated }) => saturated !== null && saturated >= MANY,
    text: ({ saturated }) =>
      `${percent(saturated!)} of the units are saturated, so their gradients are nearly zero. Scale the inputs, start with smaller weights, or add a normalisation before the activation`,
  },
  {
    applies: ({ dormant }) => dormant >= MANY,
    text: ({ dormant }) =>
      `${percent(dormant)} of the units are much less active than the others. ReDo reinitializes such units; fewer units may suffice`,
  },
  {
    applies: ({ rank, rankRows, units, activity }) => rank === 1 && rankRows >= 4 && units >= 4 && activity > 0,
    text: ({ units }) =>
      `all ${units} units have proportional outputs. Lower the learning rate, or initialize the weights differently`,
  },
]

const OF_STEPS: readonly Finding[] = [
  {
    // A dead layer would be the cause, and is reported above.
    applies: ({ gradientNorm }, { layers }) => gradientNorm === 0 && layers.every(({ dead }) => dead < 1),
    text: () => 'no gradient reaches the weights. Check the layers after it',
  },
  {
    applies: ({ updateRatio }) => updateRatio > LARGE_STEP,
    text: ({ updateRatio }) =>
      `a step changes the weights by ${percent(updateRatio)} of their norm. Lower the learning rate`,
  },
]

/** The advice on a record: `dense_2: 84 % of the units never fire. …` */
export function adviceOn(record: HealthRecord | undefined): string[] {
  if (record === undefined) return []
  return record.layers.flatMap((layer) => {
    const found = [OF_UNITS, OF_STEPS].map((findings) => findings.find(({ applies }) => applies(layer, record)))
    return found.filter((each) => each !== undefined).map(({ text }) => `${layer.layer}: ${text(layer)}.`)
  })
}
