// The binaries as stored in the source: text that decodes to their bytes, and modules that AssemblyScript's loader
// accepts.
// modes: simd

import { readFileSync } from 'node:fs'
import { instantiateSync } from '@assemblyscript/loader'
import { array, assert, constantFrom, nat, property, tuple, uint8Array } from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { Fill } from '../../assembly/shared/instructions'
import { Opcode } from '../../assembly/shared/opcodes'
import { encodeBytes } from '../../scripts/encode-bytes.mjs'
import { instruction } from '../../src/engine/ir/instruction'
import { encode, tapeBytes } from '../../src/engine/tape/encode'
import {
  algebra,
  attention,
  control,
  convolution,
  core,
  decoder,
  normalization,
  packed,
  quantized,
} from '../../src/engine/runtime/wasm/binaries'
import { decodeBytes } from '../../src/engine/runtime/wasm/decode'
import { bytesOf, supportsRelaxedSimd, type KernelExports, type SimdLevel } from '../../src/engine/runtime/wasm/wasm'
import { Arena, createWasmMemory } from '../../src/engine/runtime/memory'

const file = (name: string): Buffer => readFileSync(new URL(`../../build/${name}.wasm`, import.meta.url))
const levels = [
  ['plain', 'simd'],
  ['relaxed', 'relaxed'],
] as const satisfies readonly (readonly [SimdLevel, string])[]

const binaries = [core, algebra, attention, control, convolution, normalization, packed, quantized]

describe('binaries from files', () => {
  it.each(levels)('replace the text of the %s variants', (level, name) => {
    const read = vi.fn((binary: string) => new Uint8Array(file(`simd.${binary}`)))
    for (const binary of binaries) {
      const textless = { ...binary, encoded: '' }
      expect(Buffer.from(bytesOf(textless, level, read)).equals(file(`${name}.${binary.name}`)), binary.name).toBe(true)
    }
    expect(read.mock.calls.map(([binary]) => binary)).toEqual(binaries.map(({ name }) => name))
  })

  it.each([
    ['are missing', () => null],
    ['have another size', () => new Uint8Array(7)],
  ])('are not needed: the text is decoded if they %s', (_, read) => {
    expect(Buffer.from(bytesOf(core, 'plain', read)).equals(file('simd.core'))).toBe(true)
  })
})

describe('the text of the binaries', () => {
  it.each(levels)('decodes to the bytes of the %s variants', (level, name) => {
    for (const binary of binaries)
      expect(Buffer.from(bytesOf(binary, level)).equals(file(`${name}.${binary.name}`)), binary.name).toBe(true)
  })

  it('decodes to different binaries of equal length', () => {
    const [plain, relaxed] = [bytesOf(core, 'plain'), bytesOf(core, 'relaxed')]
    expect(relaxed.length).toBe(plain.length)
    expect(plain.filter((byte, i) => byte !== relaxed[i]).length).toBeGreaterThan(3000)
  })

  it('decodes without TextEncoder, as in jsdom', () => {
    vi.stubGlobal('TextEncoder', undefined)
    try {
      expect(Buffer.from(bytesOf(core, 'plain')).equals(file('simd.core'))).toBe(true)
    } finally {
      vi.unstubAllGlobals()
    }
  })

  it('contains no character that is special in a string, a template, a page or an encoding', () => {
    for (const { encoded } of binaries) expect(encoded).toMatch(/^[!#?-[\]-_a-~]*$/)
  })

  const roundTrip = (bytes: Uint8Array): number[] => [...decodeBytes(encodeBytes(bytes), bytes.length, decoder)]

  it('represents any bytes', () => {
    assert(
      property(uint8Array({ maxLength: 2000 }), (bytes) => {
        expect(roundTrip(bytes)).toEqual([...bytes])
      }),
      { numRuns: 50 },
    )
  })

  // Lengths and distances beyond a block of the encoder, self-overlapping repetitions, carries through many digits.
  it('represents repeated bytes', () => {
    const run = tuple(constantFrom(0, 255, 7), nat(1200)).map(([byte, length]) => new Array<number>(length).fill(byte))
    assert(
      property(array(run, { maxLength: 3 }), uint8Array({ maxLength: 700 }), nat(3), (runs, word, times) => {
        const bytes = Uint8Array.from([
          ...runs.flat(),
          ...Array.from({ length: times }, () => [...word]).flat(),
          ...runs.flat(),
        ])
        expect(roundTrip(bytes)).toEqual([...bytes])
      }),
      { numRuns: 20 },
    )
  })

  it('gets shorter with more repetitions', () => {
    const bytes = Uint8Array.from({ length: 3000 }, (_, i) => (i * i) % 251)
    expect(encodeBytes(bytes).length).toBeLessThan(bytes.length / 5)
  })
})

describe('the families', () => {
  it('have kernels for every opcode that the core lacks', () => {
    const inFamilies = binaries.flatMap(({ kernels }) => kernels.map(([name, opcode]) => [Opcode[opcode], name]))
    for (const [opcode, name] of inFamilies) expect(name).toBe(opcode![0]!.toLowerCase() + opcode!.slice(1))
    const tape = readFileSync(new URL('../../assembly/tape.ts', import.meta.url), 'utf8')
    const inCore = [...tape.matchAll(/case Opcode\.(\w+):/g)].map(([, name]) => name)
    const all = Object.values(Opcode).filter((value) => typeof value === 'string')
    expect([...inCore, ...inFamilies.map(([opcode]) => opcode)].map(String).sort()).toEqual(all.map(String).sort())
  })
})

describe('a binary', () => {
  it.each(levels)('of the %s kind needs only a memory', (level) => {
    if (level === 'relaxed' && !supportsRelaxedSimd()) return
    const memory = createWasmMemory()
    const { exports } = instantiateSync<KernelExports>(bytesOf(core, level), { env: { memory } })
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
