// Where quantize writes bytes, the kernels that multiply them are right, in every compiler of V8: the baseline compiler
// of V8 11 (Node 20) may overwrite a sum while it adds products of bytes to it.
// modes: simd

import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { Quantize, QuantizedRow } from '../../assembly/shared/instructions'

const pathOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
const isOld = Number(process.versions.node.split('.')[0]) < 21
const relaxed = isOld ? ['--experimental-wasm-relaxed-simd'] : []

interface Found {
  writesBytes: boolean
  one: boolean
  four: boolean
}

function productsWith(flags: readonly string[], warmups: number, level = 'relaxed'): Found {
  const offsets = JSON.stringify({ quantize: Quantize, row: QuantizedRow })
  const binary = pathOf(`../../build/${level}.quantized.kernels.wasm`)
  const script = pathOf('byte-products.mjs')
  const output = execFileSync(process.execPath, [...relaxed, ...flags, script, binary, offsets, String(warmups)], {
    encoding: 'utf8',
  })
  return JSON.parse(output) as Found
}

describe('products of bytes', () => {
  it.each([
    [[], 0],
    [[], 20_000],
    [['--liftoff-only'], 0],
    [['--liftoff-only'], 20_000],
  ] as const)('are right with %j after %i warm-up calls, or not used', (flags, warmups) => {
    const { writesBytes, one, four } = productsWith(flags, warmups)
    if (isOld) expect(writesBytes && !(one && four)).toBe(false)
    else expect({ writesBytes, one, four }).toEqual({ writesBytes: true, one: true, four: true })
  })

  it('are used in optimized code', () => {
    expect(productsWith(['--no-liftoff'], 0)).toEqual({ writesBytes: true, one: true, four: true })
  })

  it('are not used by the plain binary', () => {
    expect(productsWith([], 0, 'simd').writesBytes).toBe(false)
  })
})
