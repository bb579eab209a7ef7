// Files run in the modes that they name: see marked-modes.ts.
// modes: simd

import { describe, expect, inject, it } from 'vitest'
import { leftOut, markedModes } from './marked-modes'
import { allModes } from './modes'

describe('the modes of a test file', () => {
  it('are all modes if it names none at its top', () => {
    expect(markedModes('// Tests.\n\nimport a\n', allModes)).toBe(null)
    expect(markedModes(`${'//\n'.repeat(20)}// modes: simd`, allModes)).toBe(null)
  })

  it('are the modes named at its top', () => {
    expect(markedModes('// Tests.\n// modes: simd\n', allModes)).toEqual(['simd'])
    expect(markedModes('// Tests.\n// modes: simd, turbo\n', allModes)).toEqual(['simd', 'turbo'])
  })

  it('must exist, and simd must be one of them', () => {
    expect(() => markedModes('// modes: smid', allModes)).toThrow("no mode 'smid'")
    expect(() => markedModes('// modes: relaxed', allModes)).toThrow('every file must run in the mode simd')
  })

  it('hold: this file runs in simd and in no other mode', () => {
    expect(inject('mode')).toBe('simd')
    for (const mode of allModes) {
      expect(leftOut('tests', mode, allModes).includes('tests/helpers/marked-modes.test.ts')).toBe(mode !== 'simd')
    }
    expect(leftOut('tests', 'simd', allModes)).toEqual([])
  })
})
