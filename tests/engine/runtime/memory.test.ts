// The arena: blocks that never overlap, and that merge again when they are freed.
// modes: simd, interpreter

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ALIGNMENT, READ_SLACK } from '../../../assembly/shared/instructions'
import { ArgumentError } from '../../../src/core/errors'
import { Arena, PlainMemory } from '../../../src/engine/runtime/memory'
import { currentRuntime } from '../../../src/engine/runtime/current'
import { collectGarbage } from '../../helpers/gc'

interface Taken {
  readonly address: number
  readonly bytes: number
}

/** A number > 0 allocates that many bytes; one ≤ 0 frees one of the blocks. */
const actions = fc.array(fc.oneof(fc.integer({ min: 1, max: 300_000 }), fc.integer({ min: -50, max: 0 })), {
  maxLength: 60,
})

function run(arena: Arena, sequence: readonly number[]): Taken[] {
  const taken: Taken[] = []
  for (const action of sequence) {
    if (action > 0) taken.push({ address: arena.allocate(action), bytes: action })
    else if (taken.length > 0) arena.release(taken.splice(-action % taken.length, 1)[0]!.address)
  }
  return taken
}

describe('arena', () => {
  it('blocks are aligned, separate from each other and from scratch, and inside the memory', () => {
    fc.assert(
      fc.property(actions, (sequence) => {
        const memory = new PlainMemory()
        const arena = new Arena(memory)
        const first = arena.allocate(1)
        const blocks = [{ address: first, bytes: 1 }, ...run(arena, sequence)].sort((a, b) => a.address - b.address)
        expect(arena.scratch).toBeGreaterThan(0)
        expect(first).toBeGreaterThan(arena.scratch)
        blocks.forEach(({ address, bytes }, i) => {
          const end = blocks[i + 1]?.address ?? memory.buffer.byteLength - READ_SLACK
          if (address % ALIGNMENT !== 0 || address + bytes > end)
            expect.fail(`block ${address} of ${bytes} bytes reaches past ${end}`)
        })
        const rounded = blocks.reduce((sum, { bytes }) => sum + Math.ceil(bytes / ALIGNMENT) * ALIGNMENT, 0)
        expect(arena.usedBytes).toBe(rounded)
      }),
      { numRuns: 200 },
    )
  })

  it('merges freed blocks again', () => {
    fc.assert(
      fc.property(actions, (sequence) => {
        const memory = new PlainMemory()
        const arena = new Arena(memory)
        const start = arena.allocate(1)
        arena.release(start)
        for (const { address } of run(arena, sequence)) arena.release(address)
        expect(arena.usedBytes).toBe(0)
        const size = memory.buffer.byteLength
        expect(arena.allocate(size - READ_SLACK - start), 'all of it at once').toBe(start)
        expect(memory.buffer.byteLength, 'without growth').toBe(size)
      }),
      { numRuns: 200 },
    )
  })

  it('gives zeros, in memory that was used before and behind it', () => {
    fc.assert(
      fc.property(actions, fc.integer({ min: 1, max: 600_000 }), (sequence, bytes) => {
        const memory = new PlainMemory()
        const arena = new Arena(memory)
        for (const block of run(arena, sequence)) {
          new Uint8Array(memory.buffer, block.address, block.bytes).fill(1)
          arena.release(block.address)
        }
        const address = arena.allocate(bytes, true)
        expect(new Uint8Array(memory.buffer, address, bytes).every((byte) => byte === 0)).toBe(true)
      }),
      { numRuns: 100 },
    )
  })

  it('keeps the content when the memory grows', () => {
    const memory = new PlainMemory()
    const arena = new Arena(memory)
    const address = arena.allocate(40)
    new Int32Array(memory.buffer, address, 10).set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    const size = memory.buffer.byteLength
    const large = arena.allocate(3 * size)
    expect(memory.buffer.byteLength).toBeGreaterThanOrEqual(large + 3 * size)
    expect(Array.from(new Int32Array(memory.buffer, address, 10))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  })

  it('reports the size that did not fit when the address space is used up, and stays usable', () => {
    const arena = new Arena(new PlainMemory())
    expect(() => arena.allocate(5e9)).toThrow(ArgumentError)
    expect(() => arena.allocate(5e9)).toThrow('Out of memory: 5000000000 more bytes do not fit into the 4 GiB')
    expect(arena.usedBytes).toBe(0)
    expect(arena.allocate(64)).toBeGreaterThan(0)
  })

  it('refuses to release a block twice', () => {
    const arena = new Arena(new PlainMemory())
    const address = arena.allocate(64)
    arena.release(address)
    expect(() => arena.release(address)).toThrow('internal: ')
  })
})

describe('storage', () => {
  it('is freed by dispose, once', () => {
    const runtime = currentRuntime()
    const before = runtime.arena.usedBytes
    const storage = runtime.createStorage(1000)
    expect(runtime.arena.usedBytes).toBe(before + 1024)
    storage.dispose()
    storage.dispose()
    expect(runtime.arena.usedBytes).toBe(before)
  })

  it('is freed when nothing refers to it any more', async () => {
    const runtime = currentRuntime()
    await collectGarbage()
    const before = runtime.arena.usedBytes
    for (let i = 0; i < 20; i++) runtime.createStorage(1000)
    expect(runtime.arena.usedBytes).toBe(before + 20 * 1024)
    await expect
      .poll(async () => {
        await collectGarbage()
        return runtime.arena.usedBytes
      })
      .toBeLessThanOrEqual(before)
  })
})
