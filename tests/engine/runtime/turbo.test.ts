// turbo: its reports when it is active and when not. The mode `turbo` tests its results: the whole suite runs in it on
// Node 24 and later.

import { inject, describe, expect, it } from 'vitest'
import { runtimeInfo } from '../../../src'
import { infoOf, makeRuntime } from '../../../src/engine/runtime/configure'
import { currentRuntime } from '../../../src/engine/runtime/current'
import { requestTurbo } from '../../../src/engine/runtime/wasm/turbo'

const { settings } = currentRuntime()
const major = Number(process.versions.node.split('.')[0])

describe('turbo', () => {
  it.runIf(inject('mode') !== 'turbo')('is off and reports it', () => {
    const note = settings.backend === 'interpreter' ? 'the interpreter has no vectors' : 'turbo was not configured'
    expect(runtimeInfo()).toMatchObject({ turbo: false, turboNote: note, tile: '4×8' })
  })

  it.runIf(inject('mode') === 'turbo')(
    'was measured: either it is on, with tiles for it, or a note explains why not',
    () => {
      const { turbo, turboNote, tile } = runtimeInfo()
      expect(tile).toBe(turbo ? '6×16' : '4×8')
      expect(turboNote === null).toBe(turbo)
    },
  )

  it('leaves the plain binary unchanged, which has the same bits everywhere', () => {
    expect(requestTurbo('plain')).toContain("simd is 'plain'")
    const info = infoOf(makeRuntime({ backend: 'wasm', simd: 'plain', fuse: true, turbo: true }))
    expect(info).toMatchObject({ turbo: false, tile: '4×8' })
  })

  it.runIf(major >= 21 && major < 24)('reports the first version of Node that supports it', () => {
    expect(requestTurbo('relaxed')).toContain('requires Node 24')
  })
})
