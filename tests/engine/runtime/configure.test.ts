// configure() and runtimeInfo(): choices, errors, counters.

import { inject, describe, expect, it } from 'vitest'
import { ArgumentError } from '../../../src/core/errors'
import { configure, runtimeInfo } from '../../../src'
import { currentRuntime } from '../../../src/engine/runtime/current'
import { supportsRelaxedSimd } from '../../../src/engine/runtime/wasm/wasm'
import { floats } from '../../helpers/data'
import { graphOf, runGraph } from '../../helpers/graphs'
import { settingsOf } from '../../helpers/modes'
import { withSettings } from '../../helpers/with-settings'

const mode = settingsOf[inject('mode')]
const input = [floats([5])]
const graph = graphOf(input, (b, [x]) => [b.e.exp(x!)])

/** Untyped arguments of JavaScript callers. */
const unchecked = (changes: object) => configure(changes)

describe('configure', () => {
  it('reports the option and the nearest choice for a misspelt one', () => {
    expect(() => unchecked({ backend: 'wsam' })).toThrow(ArgumentError)
    expect(() => unchecked({ backend: 'wsam' })).toThrow("Unknown backend 'wsam'. Did you mean 'wasm'?")
    expect(() => unchecked({ backend: 'gpu-cluster' })).toThrow('Known: wasm, interpreter')
    expect(() => unchecked({ simd: 'plane' })).toThrow("Unknown simd 'plane'. Did you mean 'plain'?")
    expect(() => unchecked({ turbo: 'yes' })).toThrow("turbo must be true or false, received 'yes'")
  })

  it('changes nothing when it throws', () => {
    const runtime = currentRuntime()
    expect(() => unchecked({ fuse: !mode.fuse, backend: 'gpu-cluster' })).toThrow(ArgumentError)
    expect(currentRuntime()).toBe(runtime)
    expect(runtimeInfo()).toMatchObject({ backend: mode.backend, fuse: mode.fuse })
  })

  it('accepts relaxed SIMD exactly if the engine supports it', async () => {
    const choose = () => withSettings({ backend: 'interpreter', simd: 'relaxed' }, () => runtimeInfo().simd)
    if (supportsRelaxedSimd()) expect(await choose()).toBe('relaxed')
    else await expect(choose()).rejects.toThrow("simd: 'relaxed' is not available in this JavaScript engine")
  })

  it('keeps the runtime when nothing changes, and makes a new one otherwise', async () => {
    const runtime = currentRuntime()
    configure({ ...mode })
    expect(currentRuntime()).toBe(runtime)
    await withSettings({ fuse: !mode.fuse }, () => {
      expect(currentRuntime()).not.toBe(runtime)
      expect(runtimeInfo().fuse).toBe(!mode.fuse)
    })
    expect(runtimeInfo()).toMatchObject({ backend: mode.backend, fuse: mode.fuse })
  })
})

describe('runtimeInfo', () => {
  it('reports the mode', () => {
    expect(runtimeInfo()).toMatchObject({ backend: mode.backend, simd: mode.simd, fuse: mode.fuse, threads: 1 })
  })

  it('counts the runs of each backend', async () => {
    const own = mode.backend === 'wasm' ? 'wasmRuns' : 'interpreterRuns'
    const before = runtimeInfo().counters
    runGraph(currentRuntime(), graph, input)
    runGraph(currentRuntime(), graph, input)
    expect(runtimeInfo().counters).toEqual({ ...before, [own]: before[own] + 2 })
    await withSettings({ backend: 'interpreter' }, () => {
      const { interpreterRuns } = runtimeInfo().counters
      runGraph(currentRuntime(), graph, input)
      expect(runtimeInfo().counters.interpreterRuns).toBe(interpreterRuns + 1)
    })
  })

  it('reports reserved and used memory', () => {
    const { memory } = runtimeInfo()
    expect(memory.reservedBytes).toBe(currentRuntime().memory.buffer.byteLength)
    const storage = currentRuntime().createStorage(64_000)
    expect(runtimeInfo().memory.usedBytes).toBe(memory.usedBytes + 64_000)
    storage.dispose()
    expect(runtimeInfo().memory.usedBytes).toBe(memory.usedBytes)
  })
})
