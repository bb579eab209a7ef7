// The bytes that kernels read and write: kernels are independent if no bytes that one of them writes are read or written by the other.

import type { Value } from '../ir/graph'
import type { Address } from '../ir/operand'
import type { Kernel, Placement } from '../plan/kernel'
import { hasEffect } from '../transforms/effect'
import type { Piece } from './dispatch'
import type { RunWords } from './kernel'
import { anyMeet, meet, rangesOf, rangesOfView, rangesOfWord, type Range } from './ranges'

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

/** The pairs of bytes that meet, of which at least one is written. */
export function meetings(a: Uses, b: Uses): (readonly [Range, Range])[] {
  return conflicts(a, b).flatMap(([some, others]) =>
    some.flatMap((x) => others.filter((y) => meet(x, y)).map((y) => [x, y] as const)),
  )
}

export function both(a: Uses, b: Uses): Uses {
  return { reads: [...a.reads, ...b.reads], writes: [...a.writes, ...b.writes] }
}
