// Pages that forbid WebAssembly: an error that says what to allow, and the alternative. tests/browser uses real
// browsers.
// modes: simd

import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, it, vi } from 'vitest'

afterEach(() => void vi.unstubAllGlobals())

function refuse(error: Error): void {
  vi.stubGlobal('WebAssembly', {
    ...Object.fromEntries(
      ['Memory', 'Instance', 'CompileError', 'validate'].map((name) => [name, Reflect.get(WebAssembly, name)]),
    ),
    Module: function Module() {
      throw error
    },
  })
}

describe('a page that forbids WebAssembly', () => {
  it.each([
    [
      'Chrome',
      new WebAssembly.CompileError(
        "Refused to compile or instantiate WebAssembly module because 'unsafe-eval' is not allowed",
      ),
    ],
    ['Firefox', new WebAssembly.CompileError('call to WebAssembly.Module() blocked by CSP')],
    ['Safari', new EvalError("Refused to create a WebAssembly object because 'wasm-unsafe-eval' is not allowed")],
  ])('gets an error that says what to allow, and mentions the interpreter: %s', async (_, refusal) => {
    vi.resetModules() // modules compiled before are cached
    const fresh = await import('../../../src')
    fresh.configure({ simd: 'plain' })
    refuse(refusal)
    const run = () =>
      new fresh.Sequential([new fresh.Dense({ units: 1, kernelInitializer: 'ones' })]).predictOnBatch([[1, 2]])
    const error: unknown = (() => {
      try {
        return run()
      } catch (thrown) {
        return thrown
      }
    })()
    expect(error).toBeInstanceOf(fresh.StateError)
    expect(error).toMatchObject({ cause: refusal })
    expect(String(error)).toContain("'wasm-unsafe-eval'")
    expect(String(error)).toContain("configure({ backend: 'interpreter' })")
    expect(String(error)).toContain(refusal.message)
    fresh.configure({ backend: 'interpreter' })
    expect(run().item()).toBe(3)
  })
})

describe('a host that compiles only what is imported', () => {
  it('runs with kernels that it has compiled, those of families as well', async () => {
    const compiled = (name: string) => new WebAssembly.Module(readFileSync(`build/simd.${name}.wasm`))
    const given = { core: compiled('core'), convolution: compiled('convolution') }
    vi.resetModules()
    const fresh = await import('../../../src')
    const { addModules } = await import('../../../src/engine/runtime/wasm/wasm')
    fresh.configure({ simd: 'plain' })
    addModules('plain', given)
    refuse(new WebAssembly.CompileError('Wasm code generation disallowed by embedder'))
    const model = new fresh.Sequential([
      new fresh.Conv2D({ filters: 1, kernelSize: 2, kernelInitializer: 'ones', inputShape: [2, 2, 1] }),
    ])
    expect(
      model
        .predictOnBatch([
          [
            [[1], [2]],
            [[3], [4]],
          ],
        ])
        .item(),
    ).toBe(10)
  })
})
