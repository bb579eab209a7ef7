// Compares float32 results with float64 truths: class by class (NaN, ±Inf, numbers), numbers by ulp. Throws
// vitest errors that name the worst element; computes nothing else.

import { expect } from 'vitest'
import type { NumericArray } from '../../src/core/dtypes'

export interface Tolerance {
  /** In units in the last place of the expected float32. */
  readonly ulp: number
  readonly absolute: number
  /** Whether 0 and −0 are different. */
  readonly signedZero: boolean
}

const LARGEST_FLOAT32 = 3.4028234663852886e38

/** The distance between neighbouring float32 at x; of denormals below 2⁻¹²⁶. */
function ulpAt(x: number): number {
  const magnitude = Math.abs(Math.fround(x))
  if (magnitude < 2 ** -126) return 2 ** -149
  return 2 ** (Math.floor(Math.log2(Math.min(magnitude, LARGEST_FLOAT32))) - 23)
}

/** The distance of a float32 from the truth, in ulp; Infinity if one is NaN or infinite and the other is not. */
export function ulpError(received: number, expected: number): number {
  const rounded = Math.fround(expected)
  if (Object.is(received, rounded) || received === rounded) return 0
  if (!Number.isFinite(received) || !Number.isFinite(rounded)) return Infinity
  return Math.abs(received - expected) / ulpAt(expected)
}

function differs(received: number, expected: number, { ulp, absolute, signedZero }: Tolerance): boolean {
  const rounded = Math.fround(expected)
  if (!Number.isFinite(received) || !Number.isFinite(rounded)) return !Object.is(received, rounded)
  if (signedZero && rounded === 0 && received === 0) return !Object.is(received, rounded)
  return Math.abs(received - expected) > absolute + ulp * ulpAt(expected)
}

/** @param where names the result in the error */
export function expectClose(received: NumericArray, expected: NumericArray, tolerance: Tolerance, where: string): void {
  expect(received.length, `${where}: length`).toBe(expected.length)
  const wrong: string[] = []
  for (let i = 0; i < expected.length; i++) {
    if (!differs(received[i]!, expected[i]!, tolerance)) continue
    const error = ulpError(received[i]!, expected[i]!).toPrecision(3)
    wrong.push(`[${i}] expected ${print(expected[i]!)}, received ${print(received[i]!)} (${error} ulp)`)
  }
  expect(wrong.slice(0, 8), where).toEqual([])
}

/** Bit for bit, except that any NaN equals any NaN. */
export function expectSame(received: NumericArray, expected: NumericArray, where: string): void {
  expectClose(received, expected, { ulp: 0, absolute: 0, signedZero: true }, where)
}

function print(x: number): string {
  return Object.is(x, -0) ? '-0' : String(x)
}
