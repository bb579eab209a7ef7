// A process with few addresses, as under `ulimit -v` of shared machines: WebAssembly gets no memory there.
// modes: simd

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { builtEntries } from '../../helpers/built'

const folder = mkdtempSync(join(tmpdir(), 'myelin-space-'))
const script = join(folder, 'train.mjs')
afterAll(() => rmSync(folder, { recursive: true }))

/** Trains a model in a process with so many kilobytes of addresses. @returns what it prints */
function train(kilobytes: number, options: readonly string[] = [], settings = '{}'): string {
  const { stdout } = spawnSync(
    'sh',
    ['-c', `ulimit -v ${kilobytes}; exec "$@"`, 'sh', process.execPath, ...options, script, settings],
    { encoding: 'utf8' },
  )
  return stdout.trim()
}

// Only Linux limits addresses by ulimit -v.
describe.runIf(process.platform === 'linux')('a process with few addresses', () => {
  beforeAll(async () => {
    const { node } = await builtEntries(join(folder, 'built'), ['node'])
    writeFileSync(
      script,
      `
      const { Sequential, Dense, configure } = await import(${JSON.stringify(node)})
      try {
        configure(JSON.parse(process.argv[2]))
        const model = new Sequential([new Dense({ units: 3, inputShape: [2] })])
        model.compile({ optimizer: 'sgd', loss: 'mse' })
        await model.fit([[1, 2], [3, 4]], [[1, 2, 3], [1, 2, 3]], { epochs: 2, verbose: 0 })
        console.log('trained')
      } catch (error) {
        console.log(error.name + ': ' + error.message)
      }
      process.exit(0)`,
    )
  }, 60_000)

  it.each([1_500_000, 4_000_000, 12_000_000])('%i kB: the error says what to do, and each works', (kilobytes) => {
    const said = train(kilobytes)
    // Engines may come to need less.
    if (said !== 'trained')
      for (const part of [/^StateError: /, /ulimit -v/, /--disable-wasm-trap-handler/, /backend: 'interpreter'/])
        expect(said).toMatch(part)
    expect(train(kilobytes, ['--disable-wasm-trap-handler'])).toBe('trained')
    expect(train(kilobytes, [], '{"backend":"interpreter"}')).toBe('trained')
  })
})
