// What to say of units that are ill. Where nothing is, nothing.

import type { HealthRecord, LayerHealth } from '../training/callbacks'

/** From which share of the units on something is worth saying. */
const MANY = 0.3
/** From which part of the weights on a single step changes too much. */
const LARGE_STEP = 0.1

interface Finding {
  readonly isIll: (layer: LayerHealth, record: HealthRecord) => boolean
  readonly say: (layer: LayerHealth) => string
}

const percent = (share: number): string => `${Math.round(100 * share)} %`

/** The first that holds is said. */
const OF_UNITS: readonly Finding[] = [
  {
    isIll: ({ dead }) => dead >= MANY,
    say: ({ dead }) =>
      `${percent(dead)} of the units never fire. Lower the learning rate, use leakyRelu, or let ContinualBackprop renew units`,
  },
  {
    isIll: ({ saturated }) => saturated !== null && saturated >= MANY,
    say: ({ saturated }) =>
      `${percent(saturated!)} of the units are saturated, so that hardly any gradient passes. Scale the inputs, begin with smaller weights, or put a normalisation in front`,
  },
  {
    isIll: ({ dormant }) => dormant >= MANY,
    say: ({ dormant }) =>
      `${percent(dormant)} of the units hardly fire compared with the others. ReDo renews such units; fewer units may do`,
  },
  {
    isIll: ({ rank, units, activity }) => rank === 1 && units >= 4 && activity > 0,
    say: ({ units }) =>
      `all ${units} units say the same but for a factor. Lower the learning rate, or draw other weights`,
  },
]

const OF_STEPS: readonly Finding[] = [
  {
    // Where a whole layer is dead, that is the reason, and has been said.
    isIll: ({ gradientNorm }, { layers }) => gradientNorm === 0 && layers.every(({ dead }) => dead < 1),
    say: () => 'no gradient reaches the weights. Look at the layers behind it',
  },
  {
    isIll: ({ updateRatio }) => updateRatio > LARGE_STEP,
    say: ({ updateRatio }) =>
      `a step changes the weights by ${percent(updateRatio)} of their norm. Lower the learning rate`,
  },
]

/** Sentences on a record: `dense_2: 84 % of the units never fire. …` */
export function adviceOn(record: HealthRecord | undefined): string[] {
  if (record === undefined) return []
  return record.layers.flatMap((layer) => {
    const found = [OF_UNITS, OF_STEPS].map((findings) => findings.find(({ isIll }) => isIll(layer, record)))
    return found.filter((each) => each !== undefined).map(({ say }) => `${layer.layer}: ${say(layer)}.`)
  })
}
