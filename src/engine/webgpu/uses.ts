// The bytes that kernels read and write: kernels are independent if no bytes that one of them writes are read or written by the other.

import { internalError } from '../../core/errors'
import { BYTES_PER_ELEMENT, dtypes } from '../../core/dtypes'
import { sizeOf } from '../../core/shapes'
import type { Value } from '../ir/graph'
import { offsetBy, type Address, type Operand } from '../ir/operand'
import type { Kernel, Placement } from '../plan/kernel'
import { isPlaced } from '../plan/memory'
import { hasEffect } from '../transforms/effect'
import type { Piece } from './dispatch'
import type { RunWords } from './kernel'

/** Bytes that are somewhere else than those of other spaces. */
export interface Range {
  readonly space: unknown
  readonly start: number
  readonly end: number
}

export interface Uses {
  readonly reads: readonly Range[]
  readonly writes: readonly Range[]
}

/** A kernel with its origin. */
export interface Placed extends Piece {
  readonly label: string
  readonly uses: Uses
}

/** The bytes that all parts of a kernel use. */
export function usesOf(kernel: Kernel, { operand, temporaryOf, block }: Placement, { unless, flag }: RunWords): Uses {
  const rangesIn = (value: Value): Range[] => rangesOfView(operand(value))
  const temporary = temporaryOf(kernel)
  const own = temporary === null ? [] : rangesOf(temporary, kernel.temporaryBytes)
  const joint = (kernel.blocks ?? []).flatMap((each) => rangesOf(block(each), each.bytes))
  const set = hasEffect(kernel.nodes[0]!) ? rangesOfWord(flag) : []
  return {
    reads: [...kernel.reads.flatMap(rangesIn), ...rangesOfWord(unless)],
    writes: [...kernel.writes.flatMap(rangesIn), ...own, ...joint, ...set],
  }
}

/** The bytes that a copy uses. */
export function usesOfCopy(from: Address, to: Address, bytes: number, unless: Address | null): Uses {
  return { reads: [...rangesOf(from, bytes), ...rangesOfWord(unless)], writes: rangesOf(to, bytes) }
}

/** The bytes between the first and the last element of a view. */
export function rangesOfView({ address, dtype, shape, strides }: Operand): Range[] {
  if (sizeOf(shape) === 0) return []
  const { bytes } = dtypes[dtype]
  const steps = strides.map((stride, axis) => stride * (shape[axis]! - 1))
  const low = steps.reduce((sum, step) => sum + Math.min(0, step), 0)
  const high = steps.reduce((sum, step) => sum + Math.max(0, step), 0)
  return rangesOf(offsetBy(address, bytes * low), bytes * (high - low + 1))
}

/** The bytes of a word that decides whether kernels run. */
export const rangesOfWord = (word: Address | null): Range[] => (word === null ? [] : rangesOf(word, BYTES_PER_ELEMENT))

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

const meet = (a: Range, b: Range): boolean => a.space === b.space && a.start < b.end && b.start < a.end

export const anyMeet = (some: readonly Range[], others: readonly Range[]): boolean =>
  some.some((a) => others.some((b) => meet(a, b)))

/** The bytes of two kernels that must not be the same, because at least one kernel writes them. */
function conflicts(a: Uses, b: Uses): (readonly [readonly Range[], readonly Range[]])[] {
  return [
    [a.writes, b.writes],
    [a.writes, b.reads],
    [a.reads, b.writes],
  ]
}

export function areIndependent(a: Uses, b: Uses): boolean {
  return !conflicts(a, b).some(([some, others]) => anyMeet(some, others))
}

export const isSame = (a: Range, b: Range): boolean => a.space === b.space && a.start === b.start && a.end === b.end

/** The pairs of bytes that meet, of which at least one is written. */
export function meetings(a: Uses, b: Uses): (readonly [Range, Range])[] {
  return conflicts(a, b).flatMap(([some, others]) =>
    some.flatMap((x) => others.filter((y) => meet(x, y)).map((y) => [x, y] as const)),
  )
}

export function both(a: Uses, b: Uses): Uses {
  return { reads: [...a.reads, ...b.reads], writes: [...a.writes, ...b.writes] }
}
