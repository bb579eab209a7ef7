// How many units of each group to keep: for a share of all units, for a limit on the loss of quality, and for a target of latency.

import { ArgumentError } from '../core/errors'
import { visitUnits } from '../models/unit-elements'
import type { UnitGroup } from '../models/unit-groups'
import { monitored, type Monitor } from './monitored'
import type { Scores } from './unit-scores'

/** 'layer': every layer keeps the same share. 'global': the best units of all layers. */
export type Ranking = 'layer' | 'global'

export function countOf(share: number, all: number): number {
  return Math.max(1, Math.round(share * all))
}

/** The units of the largest scores, in ascending order. */
export function best(scores: Float64Array, units: number): number[] {
  const order = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]! || a - b)
  return order.slice(0, units).sort((a, b) => a - b)
}

/** For a share, the number of units to keep of each group. */
export function countsBy(
  ranking: Ranking,
  groups: readonly UnitGroup[],
  scores: Scores,
): (share: number) => readonly number[] {
  if (ranking === 'layer') return (share) => groups.map(({ count }) => countOf(share, count))
  // Scores of different layers have different scales: each is divided by the root of the mean square of its layer.
  const all = groups.flatMap((group, at) => {
    const units = scores.get(group)!
    const size = Math.sqrt(units.reduce((sum, score) => sum + score * score, 0) / units.length)
    const order = [...units].sort((a, b) => b - a).map((score) => score / (size || 1))
    // The best unit of each layer stays.
    return order.map((score, place) => ({ at, score: place === 0 ? Infinity : score }))
  })
  const order = all.sort((a, b) => b.score - a.score)
  return (share) => {
    const counts = groups.map(() => 0)
    for (const { at } of order.slice(0, Math.max(groups.length, Math.round(share * order.length)))) counts[at]!++
    return counts
  }
}

/** Shares are searched in steps of 1/32. */
const STEPS = 32

/** The limit on the loss of quality, and how quality is measured. */
export interface Bound extends Monitor {
  readonly maxLoss: number
  evaluate(): Promise<Readonly<Record<string, number>>>
}

/**
 * Searches the smallest numbers of units. Simulates the removal of units by zeroing their outgoing weights, which has
 * the same effect.
 */
export class PruningSearch {
  private readonly outgoing: ReadonlyMap<UnitGroup, readonly Float32Array[]>
  private reference = 0

  constructor(
    private readonly groups: readonly UnitGroup[],
    private readonly scores: Scores,
    private readonly bound: Bound,
    private readonly countsFor: (share: number) => readonly number[],
  ) {
    this.outgoing = new Map(
      groups.map((group) => [group, group.outgoing.map(({ weight }) => Float32Array.from(weight.view))]),
    )
  }

  /** The number of units to keep of each group. */
  async run(): Promise<number[]> {
    const all = this.groups.map((group) => group.count)
    this.reference = await this.measure(all)
    const share = await least(1, STEPS, (each) => this.isGood(this.countsFor(each / STEPS)))
    const counts = [...this.countsFor(share / STEPS)]
    const size = ({ incoming, outgoing }: UnitGroup): number =>
      [...incoming, ...outgoing].reduce((sum, { weight }) => sum + weight.size, 0)
    const order = this.groups.map((group, i) => [i, size(group)] as const).sort((a, b) => b[1] - a[1])
    for (const [i] of order) {
      counts[i] = await least(1, counts[i]!, (each) => this.isGood(counts.map((units, j) => (i === j ? each : units))))
    }
    return counts
  }

  private async isGood(counts: readonly number[]): Promise<boolean> {
    const { maxLoss } = this.bound
    // 5e-7 allows for rounding.
    return (await this.measure(counts)) <= this.reference + maxLoss + 5e-7
  }

  /** The monitored value; negated if it should rise. */
  private async measure(counts: readonly number[]): Promise<number> {
    // A weight may belong to several groups, so all are restored first.
    for (const [{ outgoing }, contents] of this.outgoing)
      outgoing.forEach(({ weight }, i) => weight.view.set(contents[i]!))
    this.groups.forEach((group, i) => {
      const staying = new Set(best(this.scores.get(group)!, counts[i]!))
      const gone = Array.from({ length: group.count }, (_, unit) => unit).filter((unit) => !staying.has(unit))
      for (const place of group.outgoing)
        visitUnits(place, gone, (start, length) => void place.weight.view.fill(0, start, start + length))
    })
    return monitored(await this.bound.evaluate(), this.bound).cost
  }
}

/** Binary search of the smallest number in low … high with `isGood`, which is monotonic and true for high. */
async function least(low: number, high: number, isGood: (value: number) => Promise<boolean>): Promise<number> {
  let [bad, good] = [low - 1, high]
  while (good - bad > 1) {
    const middle = Math.floor((good + bad) / 2)
    if (await isGood(middle)) good = middle
    else bad = middle
  }
  return good
}

/**
 * The largest share whose model is fast enough, as counts of units.
 * @param measure milliseconds of a prediction with these units
 * @throws ArgumentError if the smallest model is too slow
 */
export async function countsWithin(
  target: number,
  countsFor: (share: number) => readonly number[],
  measure: (counts: readonly number[]) => Promise<number>,
): Promise<readonly number[]> {
  const isFast = async (gone: number): Promise<boolean> => {
    const milliseconds = await measure(countsFor((STEPS - gone) / STEPS))
    if (gone === STEPS - 1 && milliseconds > target)
      throw new ArgumentError(
        `pruneUnits: with 1/${STEPS} of its units, a prediction takes ${milliseconds.toPrecision(3)} ms on this machine, more than targetLatency: ${target}`,
      )
    return milliseconds <= target
  }
  if (await isFast(0)) return countsFor(1)
  await isFast(STEPS - 1)
  return countsFor((STEPS - (await least(1, STEPS - 1, isFast))) / STEPS)
}
