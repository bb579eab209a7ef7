// Deals instructions out to threads: how many parts each has, and before which of them all threads meet. Only says how
// many parts: kernels decide where they begin, and no result depends on it.

import type { Share } from '.'
import type { LabelledInstruction, TapeInstruction } from './encode'
import { workOf } from './work'

/** Nanoseconds of work that a part is worth: less is done sooner by one thread alone. */
export const PART_WORK = 30_000

/** How many threads share an instruction, each doing at least `partWork` nanoseconds of it. */
export function partsOf(instruction: TapeInstruction, threads: number, partWork = PART_WORK): number {
  if (threads === 1) return 1
  const { nanoseconds, pieces } = workOf(instruction)
  return Math.max(1, Math.min(threads, Math.floor(nanoseconds / partWork), Math.ceil(pieces)))
}

/**
 * Before which instructions all threads meet: where something may depend on what ran on another thread since the last
 * meeting. Instructions of one part run on one thread, in order, and need none between them.
 */
export function meetings(parts: readonly number[]): boolean[] {
  let ran = false
  let ranShared = false
  return parts.map((count) => {
    const meets = ran && (ranShared || count > 1)
    if (meets) ranShared = false
    ran = true
    if (count > 1) ranShared = true
    return meets
  })
}

/** Instructions with their parts and meetings. All threads walk a loop in whose body several have something to do. */
export function dealOut(
  instructions: readonly LabelledInstruction[],
  threads: number,
  partWork?: number,
): LabelledInstruction[] {
  if (threads === 1) return [...instructions]
  const dealt = instructions.map((each): LabelledInstruction => {
    if (each.body === undefined) return { ...each, parts: partsOf(each, threads, partWork) }
    const body = dealOut(each.body, threads, partWork)
    return { ...each, body, parts: body.some(({ parts = 1 }) => parts > 1) ? threads : 1 }
  })
  const meets = meetings(dealt.map(({ parts = 1 }) => parts))
  return dealt.map((each, i) => ({ ...each, meets: meets[i]! }))
}

/** Deals out to so many threads. @param partWork nanoseconds that a part must be worth; default PART_WORK */
export function sharing(threads: number, partWork?: number): Share {
  return (all) => ({
    instructions: dealOut(all, threads, partWork),
    nanoseconds: all.reduce((sum, each) => sum + workOf(each).nanoseconds, 0),
  })
}
