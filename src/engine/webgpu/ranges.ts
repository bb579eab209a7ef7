// Where bytes are on the device, as far as a plan knows.

import { internalError } from '../../core/errors'
import { BYTES_PER_ELEMENT, dtypes } from '../../core/dtypes'
import { sizeOf } from '../../core/shapes'
import { offsetBy, type Address, type Operand } from '../ir/operand'
import { isPlaced } from '../plan/memory'

/** Bytes that are somewhere else than those of other spaces. */
export interface Range {
  readonly space: unknown
  readonly start: number
  readonly end: number
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

export const meet = (a: Range, b: Range): boolean => a.space === b.space && a.start < b.end && b.start < a.end

export const anyMeet = (some: readonly Range[], others: readonly Range[]): boolean =>
  some.some((a) => others.some((b) => meet(a, b)))

export const isSame = (a: Range, b: Range): boolean => a.space === b.space && a.start === b.start && a.end === b.end

/** Whether two addresses are the same place. Buffers may differ: a cell has one for its old content, and one for its new content. */
export function isSamePlace(a: Address, b: Address): boolean {
  if (a.buffer === b.buffer) return a.offset === b.offset
  const [some, others] = [rangesOf(a, BYTES_PER_ELEMENT), rangesOf(b, BYTES_PER_ELEMENT)]
  return some.length === 1 && others.length === 1 && isSame(some[0]!, others[0]!)
}
