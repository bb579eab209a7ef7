// Kernels that do not need each other's results become one dispatch: between dispatches, a device waits. A kernel may move before
// others, to one with which it can run, if no bytes that one of them writes are read or written by the other.

import { internalError } from '../../core/errors'
import type { Word } from '../ir/instruction'
import { offsetBy, type Address } from '../ir/operand'
import { isPlaced } from '../plan/memory'
import { RECORD_BYTES } from './device'
import { declarationsIn, dispatchOf, Emitter, wordsOf, type Piece } from './dispatch'
import type { LoopStep, Step } from './steps'

/** Bytes that are somewhere else than those of other spaces. */
export interface Range {
  readonly space: unknown
  readonly start: number
  readonly end: number
}

/** The bytes that a kernel reads and writes. */
export interface Uses {
  readonly reads: readonly Range[]
  readonly writes: readonly Range[]
}

/** A kernel with its origin. */
interface Placed extends Piece {
  readonly label: string
  /** null: unknown, so that it stays apart. */
  readonly uses: Uses | null
}

/** Steps before kernels are joined. */
export type Draft = (Placed | LoopStep)[]

/** Appends what is emitted. */
export function emitterTo(draft: Draft, label: string, unless: Word | null, uses: Uses | null = null): Emitter {
  return new Emitter(unless, (piece) => void draft.push({ ...piece, label, uses }))
}

/** Where bytes may be. In a loop, all bytes that they may be in any turn. */
export function rangesOf({ buffer, offset }: Address, bytes: number): Range[] {
  const within = (space: unknown, start: number): Range[] => [{ space, start, end: start + bytes }]
  if (!isPlaced(buffer)) return within(buffer, offset)
  const { home } = buffer
  switch (home.kind) {
    case 'workspace':
      return within('workspace', home.offset + offset)
    case 'constants':
      // Nothing writes them.
      return []
    case 'cell':
      return within(home.cell.storage, home.cell.byteOffset + offset)
    case 'inside':
      return rangesOf(offsetBy(home.at, offset), bytes)
    case 'moving':
      return [home.stream.first, home.stream.odd, home.stream.even].flatMap((each) =>
        rangesOf({ buffer: each.buffer, offset: 0 }, each.buffer.byteLength),
      )
    default:
      throw internalError(`no address for ${home.kind} on the GPU`)
  }
}

const meet = (some: readonly Range[], others: readonly Range[]): boolean =>
  some.some((a) => others.some((b) => a.space === b.space && a.start < b.end && b.start < a.end))

function areIndependent({ uses: a }: Placed, { uses: b }: Placed): boolean {
  return a !== null && b !== null && !meet(a.writes, b.writes) && !meet(a.writes, b.reads) && !meet(a.reads, b.writes)
}

/** The pieces of one dispatch. */
const MOST_PIECES = 8
/** The dispatches before which a kernel may move. */
const MOST_MOVES = 16
/** The workgroup memory that every device has, without some for single words. */
const MOST_WORKGROUP_BYTES = 16_000
const BYTES: Readonly<Record<string, number>> = { vec4f: 16, vec2f: 8 }

/** Pieces of the same text share their workgroup memory. */
function workgroupBytes(pieces: readonly Piece[]): number {
  const all = new Set(pieces.flatMap(({ text }) => declarationsIn(text)).map((each) => each.trim()))
  return [...all].reduce((sum, each) => {
    const [, type, count] = /^var<workgroup> \w+: array<(\w+), (\d+)>/.exec(each) ?? []
    return type === undefined ? sum : sum + (BYTES[type] ?? 4) * Number(count)
  }, 0)
}

/** Whether pieces may be one dispatch. */
function fit(pieces: readonly Piece[]): boolean {
  const threads = new Set(pieces.filter(({ isByElement }) => !isByElement).map(({ text }) => text.threads))
  const words = pieces.reduce((sum, piece) => sum + wordsOf(piece).length + 1, 0)
  return (
    pieces.length <= MOST_PIECES &&
    threads.size <= 1 &&
    pieces.every(({ unless }) => unless === pieces[0]!.unless) &&
    4 * words <= RECORD_BYTES &&
    workgroupBytes(pieces) <= MOST_WORKGROUP_BYTES
  )
}

/** The first pieces that `piece` can join; null if there are none. */
function homeOf(piece: Placed, dispatches: readonly (Placed[] | LoopStep)[]): Placed[] | null {
  let home: Placed[] | null = null
  for (let i = dispatches.length - 1; i >= Math.max(0, dispatches.length - MOST_MOVES); i--) {
    const pieces = dispatches[i]!
    if ('loop' in pieces || !pieces.every((each) => areIndependent(each, piece))) break
    if (fit([...pieces, piece])) home = pieces
  }
  return home
}

/** The steps of a draft, with fewer dispatches. */
export function joined(draft: Draft): Step[] {
  const dispatches: (Placed[] | LoopStep)[] = []
  for (const piece of draft) {
    if ('loop' in piece) dispatches.push(piece)
    else {
      const home = homeOf(piece, dispatches)
      if (home === null) dispatches.push([piece])
      else home.push(piece)
    }
  }
  return dispatches.map((pieces) =>
    'loop' in pieces ? pieces : { ...dispatchOf(pieces), label: pieces.map(({ label }) => label).join(' & ') },
  )
}
