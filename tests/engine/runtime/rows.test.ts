// Rows in linear memory: the kernel draws the same order as JavaScript.
// modes: simd

import { describe, expect, it } from 'vitest'
import { permutationKey, permute } from '../../../src/core/permute'
import { ResidentRows } from '../../../src/engine/runtime/rows'
import { currentRuntime } from '../../../src/engine/runtime/current'

describe('the order of resident rows', () => {
  // Above 2²¹ the product of a random word and an index does not fit float64.
  it.each([1, 2, 3, 1000, 3_000_001])('%i rows', (size) => {
    const runtime = currentRuntime()
    const rows = new ResidentRows(runtime, [{ data: new Int32Array(size), width: 1 }], size)
    const key = permutationKey(size)
    rows.shuffle(key)
    const drawn = new Int32Array(runtime.memory.buffer, rows.orderAddress, size)
    const expected = new Int32Array(size)
    permute(expected, size, key)
    expect(Buffer.compare(Buffer.from(drawn.slice().buffer), Buffer.from(expected.buffer))).toBe(0)
    const seen = new Uint8Array(size)
    for (const row of drawn) seen[row]!++
    expect(seen.every((count) => count === 1)).toBe(true)
    rows.dispose()
  })
})
