// Finds the cells that share bytes with a cell, and the last kernel that reads each.

import { cellsOverlap, endOfCell, type Cell, type CellStorage, type Value } from '../ir/graph'
import { firstAbove } from './offsets'

interface CellReader {
  readonly cell: Cell
  readonly content: Value
  /** The last kernel that reads it; −1 if none does. */
  readonly last: number
}

/** Up to this many cells of a storage, or queries, are searched linearly. */
const FEW_CELLS = 16

/**
 * Finds the cells that share bytes with a cell. A storage with many cells is divided at their borders, and each
 * piece lists the cells that cover it.
 */
export class CellReaders {
  private readonly few = new Map<CellStorage, readonly CellReader[]>()
  private readonly pieces = new Map<CellStorage, { readonly borders: number[]; readonly readers: CellReader[][] }>()

  /**
   * @param lastRead indexed by the id of a cell's content
   * @param questions the number of calls of `overlapping` to come
   */
  constructor(cells: ReadonlyMap<Cell, Value>, lastRead: Int32Array, questions: number) {
    const byStorage = new Map<CellStorage, CellReader[]>()
    cells.forEach((content, cell) => {
      const reader = { cell, content, last: lastRead[content.id]! }
      const list = byStorage.get(cell.storage)
      if (list === undefined) byStorage.set(cell.storage, [reader])
      else list.push(reader)
    })
    for (const [storage, all] of byStorage) {
      if (all.length <= FEW_CELLS || questions <= FEW_CELLS) {
        this.few.set(storage, all)
        continue
      }
      const borders = [...new Set(all.flatMap(({ cell }) => [cell.byteOffset, endOfCell(cell)]))].sort((a, b) => a - b)
      const readers = borders.map((): CellReader[] => [])
      for (const reader of all) for (const i of piecesOf(borders, reader.cell)) readers[i]!.push(reader)
      this.pieces.set(storage, { borders, readers })
    }
  }

  overlapping(cell: Cell): CellReader[] {
    const candidates = this.few.get(cell.storage) ?? this.nearby(cell)
    return candidates.filter((reader) => cellsOverlap(cell, reader.cell))
  }

  private nearby(cell: Cell): CellReader[] {
    const pieces = this.pieces.get(cell.storage)
    if (pieces === undefined) return []
    const found = new Set<CellReader>()
    for (const i of piecesOf(pieces.borders, cell)) for (const reader of pieces.readers[i]!) found.add(reader)
    return [...found]
  }
}

/** The indices of the pieces that a cell covers. */
function piecesOf(borders: readonly number[], cell: Cell): number[] {
  const next = firstAbove(borders.length, (i) => borders[i]! <= cell.byteOffset)
  const result: number[] = []
  for (let i = Math.max(0, next - 1); i < borders.length && borders[i]! < endOfCell(cell); i++) result.push(i)
  return result
}
