// Shares instructions among threads: how many parts each has, and before which of them all threads synchronize.
// Kernels decide where parts begin, and no result depends on the number of parts.

import type { Share } from '.'
import type { LabelledInstruction, TapeInstruction } from './encode'
import { workOf } from './work'

/** The least work of a part in nanoseconds: one thread alone finishes less work sooner. */
export const PART_WORK = 30_000

/** The number of threads that share an instruction, each with at least `partWork` nanoseconds of work. */
function partsOf(instruction: TapeInstruction, threads: number, partWork = PART_WORK): number {
  if (threads === 1) return 1
  const { nanoseconds, pieces } = workOf(instruction)
  return Math.max(1, Math.min(threads, Math.floor(nanoseconds / partWork), Math.ceil(pieces)))
}

/**
 * The instructions before which all threads synchronize: those that may depend on an instruction that ran on
 * another thread since the last meeting. Instructions with one part run in order on one thread, with no meeting
 * between them.
 */
function meetings(parts: readonly number[]): boolean[] {
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

/**
 * Instructions with their parts and meetings. All threads run a loop if its body contains an instruction with
 * several parts.
 */
function dealOut(
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

/** Shares work among `threads` threads. @param partWork the least nanoseconds of a part; default PART_WORK */
export function sharing(threads: number, partWork?: number): Share {
  return (all) => ({
    instructions: dealOut(all, threads, partWork),
    nanoseconds: all.reduce((sum, each) => sum + workOf(each).nanoseconds, 0),
  })
}
