// The binaries as they stand in the source: text that gives their bytes, and modules that AssemblyScript's own loader
// takes.
// modes: simd

import { readFileSync } from 'node:fs'
import { instantiateSync } from '@assemblyscript/loader'
import { array, assert, property, uint8Array } from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { Fill } from '../../assembly/shared/instructions'
import { Opcode } from '../../assembly/shared/opcodes'
import { lead, textCode } from '../../scripts/encode-bytes.mjs'
import { instruction } from '../../src/ir/instruction'
import { encode, tapeBytes } from '../../src/plan/tape'
import { decoder, pieces } from '../../src/runtime/engine/binaries'
import { decodeBytes } from '../../src/runtime/engine/decode'
import type { KernelExports, SimdLevel } from '../../src/runtime/engine/wasm'
import { binary, supportsRelaxedSimd } from '../../src/runtime/engine/wasm'
import { Arena, createWasmMemory } from '../../src/runtime/memory'

const file = (name: string): Buffer => readFileSync(new URL(`../../build/${name}.wasm`, import.meta.url))
const levels = [['plain', 'simd'], ['relaxed', 'relaxed']] as const satisfies readonly (readonly [SimdLevel, string])[]

describe('the text of the binaries', () => {
  it.each(levels)('gives the bytes of the %s one', (level, name) => {
    expect(Buffer.from(binary(level)).equals(file(name))).toBe(true)
  })

  it('gives them where there is no TextEncoder, as in jsdom', () => {
    vi.stubGlobal('TextEncoder', undefined)
    try {
      expect(Buffer.from(binary('plain')).equals(file('simd'))).toBe(true)
    } finally {
      vi.unstubAllGlobals()
    }
  })

  it('is nothing that a string, a template, a page or an encoding could read otherwise', () => {
    expect(pieces.flat().join('')).toMatch(/^[ !#%()*+,\-./0-9:;=?@A-Z[\]^_a-z{|}~]*$/)
  })

  it('holds any bytes', () => {
    const bytes = uint8Array({ maxLength: 2000 })
    assert(
      property(array(bytes, { maxLength: 3 }), bytes, (samples, content) => {
        const code = textCode(samples)
        const text = code.encode(content)
        const decoded = decodeBytes(text, { decoder, lead, table: Buffer.from(code.table).toString('base64') })
        expect([...decoded]).toEqual([...content])
      }),
      { numRuns: 50 },
    )
  })

  it('takes one character for a frequent byte and two for any other', () => {
    const all = Uint8Array.from({ length: 256 }, (_, i) => i)
    const { encode: write } = textCode([all, all.subarray(100, 185)])
    const lengths = Array.from(all, (byte) => write(Uint8Array.of(byte)).length)
    expect(lengths).toEqual(Array.from(all, (byte) => (byte >= 100 && byte < 185 ? 1 : 2)))
  })
})

describe('a binary', () => {
  it.each(levels)('of the %s kind runs with nothing but a memory', (level) => {
    if (level === 'relaxed' && !supportsRelaxedSimd()) return
    const memory = createWasmMemory()
    const { exports } = instantiateSync<KernelExports>(binary(level), { env: { memory } })
    const arena = new Arena(memory)
    const out = arena.allocate(4 * 10)
    const fill = instruction(Opcode.Fill, Fill, { out, value: 7, count: 9 })
    const tape = arena.allocate(tapeBytes([fill]))
    const words = encode([fill], ({ offset }) => offset)
    new Int32Array(memory.buffer, tape, words.length).set(words)
    expect(exports.run(tape)).toBe(0)
    expect([...new Int32Array(memory.buffer, out, 10)]).toEqual([...new Array<number>(9).fill(7), 0])
  })
})
