// Setup file of every test file: switches the library to the project's mode before the tests load, and fails the file
// afterwards if another path was taken, so that every fallback is noticed. Random numbers are the same in every run.
import { afterAll, beforeEach, expect, inject } from 'vitest'
import { clearSession, configure, runtimeInfo, setRandomSeed } from '../../src'
import { forgetWarnings } from '../../src/core/warnings'
import { settingsOf } from './modes'
import { ownRuns } from './with-settings'

const mode = inject('mode')
const settings = settingsOf[mode]
// A file before this one in the process may have left other settings, and has counted automatic names.
clearSession()
forgetWarnings()
configure({ threads: 1, turbo: false, ...settings })
setRandomSeed(1)
beforeEach(() => setRandomSeed(1))
const before = ownRuns()

afterAll(() => {
  const after = ownRuns()
  const wasmRuns = after.wasmRuns - before.wasmRuns
  const interpreterRuns = after.interpreterRuns - before.interpreterRuns
  // A file that runs no graph, for example a test of the planner, passes in every mode.
  if (wasmRuns === 0 && interpreterRuns === 0) return

  const { backend, simd, fuse, tile, turboNote } = runtimeInfo()
  if (settings.backend === 'interpreter') {
    expect({ backend }, `mode ${mode}: backend`).toEqual({ backend: 'interpreter' })
    expect(wasmRuns, `mode ${mode}: runs that went to wasm`).toBe(0)
  } else {
    const { turbo = false, ...others } = settings
    expect({ backend, simd, fuse }, `mode ${mode}: settings after the file`).toEqual(others)
    // A processor without 256-bit vectors reports it; then the mode tests the fallback.
    if (!turbo || turboNote !== null) expect(tile, `mode ${mode}: ${turboNote}`).toBe('4×8')
    else expect(tile, `mode ${mode}`).toBe('6×16')
    expect(interpreterRuns, `mode ${mode}: runs that fell back to the interpreter`).toBe(0)
  }
})
