// The global seed, from which every default seed is derived.

import { requireArguments } from '../../core/arguments'
import { ArgumentError, quoted } from '../../core/errors'
import { scoped } from '../../core/scope'
import { seedWord, threefry2x32 } from '../../core/threefry'

interface SeedState {
  readonly seed: number
  /** The number of seeds that were derived from it. */
  readonly drawn: number
}

/** A variable of the module: the seed is set for the whole program, and no call passes it. */
let state: SeedState = { seed: (Math.random() * 2 ** 32) | 0, drawn: 0 }

/** Sets the global seed, so that initial weights, shuffling and dropout are the same in every run. */
export function setRandomSeed(seed: number): void {
  requireArguments('setRandomSeed', arguments, 1)
  if (!Number.isSafeInteger(seed))
    throw new ArgumentError(`setRandomSeed: the seed must be an integer of at most 53 bits, received ${quoted(seed)}`)
  state = { seed: seedWord(seed), drawn: 0 }
}

/** The next seed derived from the global seed. */
export function nextSeed(): number {
  const { seed, drawn } = state
  state = { seed, drawn: drawn + 1 }
  return threefry2x32(seed, 0, drawn, 0)[0]
}

/** The global seed, and how many seeds were derived from it. Together they determine all later seeds. */
export function seedState(): SeedState {
  return state
}

/** Restores a state of `seedState`. */
export function restoreSeedState({ seed, drawn }: SeedState): void {
  setRandomSeed(seed)
  state = { ...state, drawn }
}

/** Runs `body` as if after `setRandomSeed(seed)`, then restores the state. */
export async function withRandomSeed<Result>(seed: number, body: () => Promise<Result>): Promise<Result> {
  const before = seedState()
  setRandomSeed(seed)
  try {
    return await body()
  } finally {
    restoreSeedState(before)
  }
}

/** The number of the draw. */
const draw = /* @__PURE__ */ scoped(0)

/**
 * Runs `body` with draw number `count`, from 0: a fixed seed gives other numbers for each draw, the same in
 * every run.
 */
export function drawnFor<Result>(count: number, body: () => Result): Result {
  return draw.within(count, body)
}

/** The current draw number; 0 outside of `drawnFor`. */
export function timeDrawn(): number {
  return draw.current
}
