// What a Homeostat did: its acts as data and as text. homeostat.ts decides on them.

import { count } from '../core/table'

/** One act of a Homeostat, with its reason. */
export interface HomeostatAct {
  /** The training steps so far, over all fits. */
  readonly step: number
  /**
   * `renew` gives units new weights, `decay` begins to shrink the weights, `rest` ends that. `prune` changes nothing: it
   * names units without use, because only a model can remove them.
   */
  readonly act: 'renew' | 'decay' | 'rest' | 'prune'
  /** The layer of the units; null if the act concerns all. */
  readonly layer: string | null
  /** The units, by number; empty if the act concerns all. */
  readonly units: readonly number[]
  readonly reason: string
}

declare global {
  interface MyelinReports {
    /** What a Homeostat did: see Homeostat. */
    readonly homeostat: readonly HomeostatAct[]
  }
}

const MOST_NAMED = 8

/** `units 3, 7 and 2 more of dense` */
function named({ layer, units }: HomeostatAct): string {
  if (layer === null) return ''
  const rest = units.length - MOST_NAMED
  const list = units.slice(0, MOST_NAMED).join(', ')
  return ` unit${units.length === 1 ? '' : 's'} ${list}${rest > 0 ? ` and ${rest} more` : ''} of ${layer}`
}

/** `step 1,234: renew units 3, 7 of dense: the data changed …` */
export const actText = (act: HomeostatAct): string => `step ${count(act.step)}: ${act.act}${named(act)}: ${act.reason}`
