// Reads the rows of tensors in order, while the caller handles those that were read before.

import type { PresetFile } from '../preset-folder'
import type { StoredTensor } from '../stored-tensor'

/** Rows of a tensor that are read at once. */
export interface RowBlock {
  readonly tensor: StoredTensor
  readonly from: number
  readonly to: number
}

/**
 * Calls `use` with the bytes of each block, in order. The bytes are valid until it returns.
 * @param slots where blocks are read: as many are read at a time, and each is as large as the largest block
 */
export async function readAhead<Block extends RowBlock>(
  blocks: readonly Block[],
  slots: readonly Uint8Array<ArrayBuffer>[],
  use: (block: Block, bytes: Uint8Array<ArrayBuffer>) => void,
): Promise<void> {
  const start = (block: Block, index: number): Promise<Uint8Array<ArrayBuffer>> => {
    const read = block.tensor.bytes(block.from, block.to, slots[index % slots.length]!)
    // It may fail before its turn comes.
    read.catch(() => {})
    return read
  }
  const reads = blocks.slice(0, slots.length).map(start)
  try {
    for (const [i, block] of blocks.entries()) {
      use(block, await reads[0]!)
      void reads.shift()
      const next = i + slots.length
      if (next < blocks.length) reads.push(start(blocks[next]!, next))
    }
  } finally {
    // After an error, nothing writes into the slots any more.
    await Promise.allSettled(reads)
  }
}

/** Runs `body` while files stay open. */
export function keepingOpen(files: Iterable<PresetFile>, body: () => Promise<void>): Promise<void> {
  const [file, ...others] = files
  if (file === undefined) return body()
  const inner = (): Promise<void> => keepingOpen(others, body)
  return file.whileOpen?.(inner) ?? inner()
}
