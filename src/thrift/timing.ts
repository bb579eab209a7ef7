// Times predictions of several models in turn, so that a change of the machine's speed affects all of them.

import { clock } from '../core/globals'
import type { Tree } from '../core/tree'
import { Pace } from '../data/samples/pace'
import type { Tensor } from '../ops/tensor'
import { currentRuntime } from '../engine/runtime/current'
import { takeGathered, type GatheredRows } from '../training/gathered'
import { EnergyMeter } from './energy'
import { threefryUniform } from '../core/threefry'

/** The shortest duration that is timed, in ms: clocks of pages are coarse, and counters of energy tick every ms. */
const BURST = 4
const LEAST_ROUNDS = 25
/** Bursts before the first round: engines compile a function again once it has run often. */
const WARM = 4

/** The time and energy of a run. */
export interface Timing {
  /** The median of the rounds. */
  readonly seconds: number
  /** Seconds per run in each round. */
  readonly rounds: readonly number[]
  readonly joules: number
  /** Whether joules are read from a counter. */
  readonly how: 'measured' | 'estimated'
}

/** A quantile of sorted numbers. */
function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1)
  const [low, high] = [sorted[Math.floor(at)]!, sorted[Math.ceil(at)]!]
  return low + (at % 1) * (high - low)
}

const ascending = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b)

/** @param seconds the duration of the measurement of each run */
export async function timedInTurn(
  runs: readonly (() => unknown)[],
  seconds: number,
  signal: AbortSignal | null = null,
): Promise<readonly Timing[]> {
  const pace = new Pace(signal ?? undefined)
  const meter = new EnergyMeter(1, currentRuntime().memory.buffer.byteLength)
  try {
    const counts = runs.map(burstOf)
    const rounds: number[][] = runs.map(() => [])
    const joules: number[][] = runs.map(() => [])
    const end = clock() + 1000 * seconds * runs.length
    while (rounds[0]!.length < LEAST_ROUNDS || clock() < end) {
      const round = runs.map((run, i) => {
        const before = meter.joules().value
        const seconds = secondsOf(run, counts[i]!)
        const isShort = 1000 * seconds * counts[i]! < BURST / 2
        const result = { seconds, joules: (meter.joules().value - before) / counts[i]!, isShort }
        // A machine that was busy when the burst was chosen made it too short.
        if (isShort) counts[i]! *= 2
        return result
      })
      if (!round.some(({ isShort }) => isShort)) {
        round.forEach((each, i) => {
          rounds[i]!.push(each.seconds)
          joules[i]!.push(each.joules)
        })
      }
      if (pace.isDue()) await pace.yield()
    }
    const { how } = meter.joules()
    return rounds.map((each, i) => ({
      seconds: quantile(ascending(each), 0.5),
      rounds: each,
      joules: joules[i]!.reduce((sum, value) => sum + value, 0) / each.length,
      how,
    }))
  } finally {
    meter.close()
  }
}

/** Seconds per run. */
function secondsOf(run: () => unknown, count: number): number {
  const start = clock()
  for (let i = 0; i < count; i++) run()
  return (clock() - start) / 1000 / count
}

/** The number of runs that take as long as a burst; compiles the program, and warms up. */
function burstOf(run: () => unknown): number {
  run()
  let count = 1
  for (let i = 0; i < WARM;) {
    if (secondsOf(run, count) * count * 1000 < BURST) count *= 2
    else i++
  }
  return count
}

/** How many times as fast one run is as another: the ratio of the medians, and its 95 % interval. */
export interface Speedup {
  readonly low: number
  readonly median: number
  readonly high: number
}

const RESAMPLES = 400

/**
 * The ratio of the medians of runs that were timed in turn. The interval is that of the ratio when the rounds are drawn anew, with
 * repetition, both runs of a round together (percentile bootstrap, Efron & Tibshirani 1993): slow phases of the machine, which
 * hit both, cancel. The same rounds give the same interval.
 */
export function speedup(before: Timing, after: Timing): Speedup {
  const count = before.rounds.length
  const medianOf = ({ rounds }: Timing, chosen: ArrayLike<number>): number =>
    quantile(ascending(Array.from(chosen, (at) => rounds[at]!)), 0.5)
  const drawn = new Float32Array(count)
  const ratios = ascending(
    Array.from({ length: RESAMPLES }, (_, resample) => {
      threefryUniform(SEED, 0, resample, drawn)
      const chosen = drawn.map((each) => Math.min(count - 1, Math.floor(each * count)))
      return medianOf(before, chosen) / medianOf(after, chosen)
    }),
  )
  return { low: quantile(ratios, 0.025), median: before.seconds / after.seconds, high: quantile(ratios, 0.975) }
}

/** The seed of the draws of rounds. */
const SEED = 1

/** `1.35 × (1.21 to 1.49)` */
export const speedText = ({ low, median, high }: Speedup): string =>
  `${median.toFixed(2)} × (${low.toFixed(2)} to ${high.toFixed(2)})`

/**
 * Why a step gains nothing, by its speed and the size of its file, relative to the model without it; null if it does: if the whole
 * interval of the speed is at or above 1 + minGain, or the file is smaller by minGain.
 */
export function whyNoGain(speed: Speedup, size: number, minGain: number): string | null {
  if (speed.median < 1 - minGain) return `slower: ${speedText(speed)} the speed`
  if (size > 1 + minGain) return `a larger file: ${size.toFixed(2)} ×`
  if (gainsOf(speed, size, minGain).length > 0) return null
  const isUnsure = speed.median >= 1 + minGain
  return `no ${isUnsure ? 'certain ' : ''}gain: ${speedText(speed)} the speed, ${size.toFixed(2)} × the file`
}

/** What a step certainly gains. */
export function gainsOf({ low }: Speedup, size: number, minGain: number): ('faster' | 'smaller file')[] {
  return [
    ...(low >= 1 + minGain ? (['faster'] as const) : []),
    ...(size <= 1 - minGain ? (['smaller file'] as const) : []),
  ]
}

/** The inputs of the first rows; repeated if there are fewer. */
export function rowsForTiming(rows: GatheredRows, count: number): Tree<Tensor> {
  return takeGathered(
    rows,
    Array.from({ length: count }, (_, i) => i % rows.size),
  ).x
}
