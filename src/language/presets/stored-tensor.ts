// A tensor in a file: rows of numbers, which are read when they are needed.

import { FormatError, quoted } from '../../core/errors'
import { sizeOf, type Shape } from '../../core/shapes'
import { NUMBERS, type NumberKind } from '../../files/containers/numbers'
import type { PresetFile } from './preset-folder'

export interface StoredTensor {
  readonly name: string
  readonly shape: Shape
  /** The file in which it is. */
  readonly file: PresetFile
  /** The kind of its numbers; null if such numbers cannot be read. */
  readonly kind: NumberKind | null
  /** The bytes of a row. */
  readonly rowBytes: number
  /**
   * The bytes of rows, from ≤ row < to, along the first axis.
   * @param into room for them, in which they then are
   */
  bytes(from: number, to: number, into: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>
  /** The numbers of all rows, or of those in from ≤ row < to, along the first axis. */
  read(from?: number, to?: number): Promise<Float32Array>
}

/** Where a tensor lies in a file. */
export interface Extent {
  readonly name: string
  readonly shape: Shape
  /** The name of a type if such numbers cannot be read: files also have tables of integers, which are no weights. */
  readonly kind: NumberKind | string
  /** Its first byte. */
  readonly at: number
  readonly bytes: number
}

/** The bytes of a tensor. A row consists of whole blocks of its kind of numbers. */
export function bytesOf(shape: Shape, kind: NumberKind): number {
  return (sizeOf(shape) / kind.numbers) * kind.bytes
}

export function storedTensor(file: PresetFile, { name, shape, kind, at, bytes }: Extent): StoredTensor {
  const rows = shape[0] ?? 1
  const row = rows === 0 ? 0 : bytes / rows
  const kindOf = (): NumberKind => {
    if (typeof kind !== 'string') return kind
    throw new FormatError(
      `${file.name}: ${quoted(name)} has numbers of the type ${quoted(kind)}; supported: ${Object.keys(NUMBERS).join(', ')}`,
    )
  }
  return {
    name,
    shape,
    file,
    kind: typeof kind === 'string' ? null : kind,
    rowBytes: row,
    async bytes(from, to, into) {
      kindOf()
      const there = into.subarray(0, (to - from) * row)
      const found = await file.read(at + from * row, at + to * row, there)
      // Not every file can read into given room.
      if (found.buffer !== there.buffer) there.set(found)
      return there
    },
    read: async (from = 0, to = rows) => kindOf().read(await file.read(at + from * row, at + to * row)),
  }
}

/**
 * The first tensor that shares bytes with another one; null if there is none.
 * @param extents may be in any order
 */
export function overlapping(extents: readonly Extent[]): string | null {
  const sorted = extents.filter((each) => each.bytes > 0).sort((a, b) => a.at - b.at)
  return sorted.find((each, i) => i > 0 && sorted[i - 1]!.at + sorted[i - 1]!.bytes > each.at)?.name ?? null
}
