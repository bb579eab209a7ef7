// From numbers to places: linear and logarithmic scales with ticks at round numbers.

import { compact } from './svg'

export interface Range {
  readonly low: number
  readonly high: number
}

export interface Tick {
  readonly value: number
  readonly text: string
}

/** From numbers to coordinates. */
export interface Scale {
  readonly place: (value: number) => number
  readonly ticks: readonly Tick[]
}

/** @param whole whether ticks are integers */
export function linearScale({ low, high }: Range, from: number, to: number, whole = false): Scale {
  return {
    // Halves, because the difference of two finite numbers can be infinite.
    place: (value) => from + ((value / 2 - low / 2) / (high / 2 - low / 2)) * (to - from),
    ticks: linearTicks({ low, high }, whole),
  }
}

/** For a range of positive numbers. */
export function logScale({ low, high }: Range, from: number, to: number): Scale {
  const [first, last] = [Math.log10(low), Math.log10(high)]
  return {
    place: (value) => from + ((Math.log10(value) - first) / (last - first)) * (to - from),
    ticks: logTicks(first, last),
  }
}

/** About five numbers of a range that are 1, 2 or 5 times a power of ten apart. */
function linearTicks({ low, high }: Range, whole: boolean): Tick[] {
  const rough = high / 5 - low / 5
  const power = 10 ** Math.floor(Math.log10(rough))
  const found = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough) ?? 10 * power
  const step = whole ? Math.max(1, found) : found
  const first = Math.ceil(low / step - 1e-9)
  const count = Math.min(12, Math.floor(high / step + 1e-9) - first + 1)
  return Array.from({ length: Math.max(0, count) }, (_, i) => {
    const value = (first + i) * step
    return { value, text: tickText(value, step) }
  })
}

/** As many digits as distinguish a tick from the next one: 10200 and 1.0002, not 1.02e4 and 1. */
function tickText(value: number, step: number): string {
  const size = Math.max(Math.abs(value), step)
  if (size >= 1e6 || step < 1e-5) return compact(value)
  return String(Number(value.toFixed(Math.max(0, -Math.floor(Math.log10(step) + 1e-9))))).replaceAll('-', '−')
}

/** Powers of ten; 1, 2 and 5 times these where there are few; at most about six. */
function logTicks(first: number, last: number): Tick[] {
  const digits = last - first > 2.5 ? [1] : [1, 2, 5]
  const powers = Array.from({ length: Math.floor(last) - Math.floor(first) + 1 }, (_, i) => Math.floor(first) + i)
  const all = powers
    .flatMap((power) => digits.map((digit) => digit * 10 ** power))
    .filter((value) => Math.log10(value) >= first - 1e-9 && Math.log10(value) <= last + 1e-9)
  const every = Math.ceil(all.length / 6)
  return all.filter((_, i) => i % every === 0).map((value) => ({ value, text: compact(value) }))
}

/** The range of the finite numbers, widened by a share of it on both sides. Equal numbers lie in the middle of a range. */
export function rangeOf(numbers: Iterable<number>, margin = 0.05): Range {
  let [low, high] = [Infinity, -Infinity]
  for (const each of numbers) {
    if (!Number.isFinite(each)) continue
    low = Math.min(low, each)
    high = Math.max(high, each)
  }
  if (!(high >= low)) return { low: 0, high: 1 }
  const spare = (high / 2 - low / 2) * 2 * margin || Math.abs(low) * 0.1 || 1
  if (margin === 0 && high > low) return { low, high }
  return { low: within(low - spare), high: within(high + spare) }
}

const within = (x: number): number => Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, x))

/** The range of the positive numbers on a logarithmic scale; null if there are none. */
export function logRangeOf(numbers: Iterable<number>): Range | null {
  const positive = Array.from(numbers).filter((each) => each > 0 && Number.isFinite(each))
  if (positive.length === 0) return null
  const { low, high } = rangeOf(positive.map(Math.log10))
  return { low: Math.max(Number.MIN_VALUE, 10 ** low), high: Math.min(Number.MAX_VALUE, 10 ** high) }
}
