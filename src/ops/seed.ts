// The global seed, and the seeds that everything random derives from it.

import { requireArguments } from '../core/arguments'
import { ArgumentError, quoted } from '../core/errors'
import { threefry2x32 } from '../core/threefry'

let globalSeed = (Math.random() * 2 ** 32) | 0
let drawn = 0

/** Makes initial weights, shuffling and dropout the same in every run. */
export function setRandomSeed(seed: number): void {
  requireArguments('setRandomSeed', arguments, 1)
  if (!Number.isSafeInteger(seed))
    throw new ArgumentError(`setRandomSeed: the seed must be an integer, received ${quoted(seed)}`)
  globalSeed = seed | 0
  drawn = 0
}

/** The next seed derived from the one that was set. */
export function nextSeed(): number {
  return threefry2x32(globalSeed, 0, drawn++, 0)[0]
}

/** The seed, and how many were derived from it: what everything random that is made from now on follows from. */
export function seedState(): { readonly seed: number; readonly drawn: number } {
  return { seed: globalSeed, drawn }
}

/** Goes on where `seedState` was asked. */
export function restoreSeedState(state: { readonly seed: number; readonly drawn: number }): void {
  setRandomSeed(state.seed)
  drawn = state.drawn
}

/** Runs something as behind `setRandomSeed(seed)`. Afterwards seeds go on where they were. */
export async function withRandomSeed<Result>(seed: number, body: () => Promise<Result>): Promise<Result> {
  const before = seedState()
  setRandomSeed(seed)
  try {
    return await body()
  } finally {
    restoreSeedState(before)
  }
}

let time = 0

/** Runs something for the n-th time, from 0 on: fixed seeds give other numbers each time, the same in every run. */
export function drawnFor<Result>(count: number, body: () => Result): Result {
  const before = time
  time = count
  try {
    return body()
  } finally {
    time = before
  }
}

/** For the how many-th time something is drawn: 0 outside of `drawnFor`. */
export function timeDrawn(): number {
  return time
}
