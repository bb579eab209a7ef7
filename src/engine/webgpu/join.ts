// Kernels that are independent become one dispatch: between dispatches, a device waits. A kernel may move before others, to one with
// which it can run, if it is independent of all of them.

import type { Word } from '../ir/instruction'
import { coupled } from './couple'
import { RECORD_BYTES } from './device'
import { Emitter, type Piece } from './dispatch'
import { dispatchOf, sharedMemoryOf, wordsOf } from './module'
import type { LoopStep, Step } from './steps'
import { areIndependent, type Placed, type Uses } from './uses'

/** Steps before kernels are joined. */
export type Draft = (Placed | LoopStep)[]

/** Appends what is emitted. */
export function emitterTo(draft: Draft, label: string, unless: Word | null, uses: Uses): Emitter {
  return new Emitter(unless, (piece) => void draft.push({ ...piece, label, uses }))
}

/** The pieces of one dispatch. */
const MOST_PIECES = 8
/** The dispatches before which a kernel may move. */
const MOST_MOVES = 16
/** The memory of a workgroup that every device has, without some for functions.ts. */
const MOST_SHARED_BYTES = 15_000

/** Whether pieces may be one dispatch. */
function fit(pieces: readonly Piece[]): boolean {
  const threads = new Set(pieces.filter(({ isByElement }) => !isByElement).map(({ text }) => text.threads))
  const words = pieces.reduce((sum, { text }) => sum + wordsOf(text.fields).length + 1, 0)
  const shared = sharedMemoryOf(pieces.map(({ text }) => text))
  return (
    pieces.length <= MOST_PIECES &&
    threads.size <= 1 &&
    pieces.every(({ unless }) => unless === pieces[0]!.unless) &&
    4 * words <= RECORD_BYTES &&
    [...shared.values()].reduce((sum, { bytes }) => sum + bytes, 0) <= MOST_SHARED_BYTES
  )
}

/** The first pieces that `piece` can join; null if there are none. */
function homeOf(piece: Placed, dispatches: readonly (Placed[] | LoopStep)[]): Placed[] | null {
  let home: Placed[] | null = null
  for (let i = dispatches.length - 1; i >= Math.max(0, dispatches.length - MOST_MOVES); i--) {
    const pieces = dispatches[i]!
    if ('loop' in pieces || !pieces.every(({ uses }) => areIndependent(uses, piece.uses))) break
    if (fit([...pieces, piece])) home = pieces
  }
  return home
}

/**
 * Makes two kernels one: `piece`, and the only kernel that must run before it among the last ones. Returns false if there are several,
 * or if the two cannot be one.
 */
function couple(piece: Placed, dispatches: (Placed[] | LoopStep)[]): boolean {
  for (let i = dispatches.length - 1; i >= Math.max(0, dispatches.length - MOST_MOVES); i--) {
    const pieces = dispatches[i]!
    if ('loop' in pieces) return false
    const needed = pieces.filter(({ uses }) => !areIndependent(uses, piece.uses))
    if (needed.length === 0) continue
    const joint = needed.length === 1 ? coupled(needed[0]!, piece) : null
    if (joint === null) return false
    const changed = pieces.map((each) => (each === needed[0] ? joint : each))
    if (!fit(changed)) return false
    dispatches[i] = changed
    return true
  }
  return false
}

/** The steps of a draft, with fewer dispatches. */
export function joined(draft: Draft): Step[] {
  const dispatches: (Placed[] | LoopStep)[] = []
  for (const piece of draft) {
    if ('loop' in piece) dispatches.push(piece)
    else if (!couple(piece, dispatches)) {
      const home = homeOf(piece, dispatches)
      if (home === null) dispatches.push([piece])
      else home.push(piece)
    }
  }
  return dispatches.map((pieces) =>
    'loop' in pieces ? pieces : { ...dispatchOf(pieces), label: pieces.map(({ label }) => label).join(' & ') },
  )
}
