// Engines without WebAssembly, or with little of what pages have: the interpreter computes, with one warning.
// modes: simd

import { spawnSync } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { runInNewContext } from 'node:vm'
import { bundle } from '../../helpers/built'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { Dense, Sequential, StateError, loadModel } from '../../../src'
import { requireSimd } from '../../../src/engine/runtime/wasm/wasm'
import { readDocument } from '../../helpers/documented'

/** Globals that engines for apps lack. */
const LACKING = [
  'WebAssembly',
  'FinalizationRegistry',
  'WeakRef',
  'Intl',
  'TextDecoder',
  'TextEncoder',
  'performance',
  'structuredClone',
  'crypto',
  'URL',
  'Blob',
  'File',
  'fetch',
  'Response',
  'AbortController',
  'AbortSignal',
  'MessageChannel',
  'setImmediate',
  'queueMicrotask',
  'SharedArrayBuffer',
  'Atomics',
  'DecompressionStream',
  'ReadableStream',
  'process',
]
const RUN = `
const run = async (m) => {
  m.setRandomSeed(1)
  const x = Array.from({ length: 32 }, (_, i) => [Math.sin(i), Math.cos(3 * i)])
  const y = x.map(([a, b]) => [Number(a > b)])
  const model = new m.Sequential([new m.Dense({ units: 8, activation: 'relu', inputShape: [2] }), new m.Dense({ units: 1, activation: 'sigmoid' })])
  model.compile({ optimizer: 'adam', loss: 'binaryCrossentropy', metrics: ['accuracy'] })
  const { history } = await model.fit(x, y, { epochs: 3, batchSize: 8, verbose: 0 })
  const copy = await m.loadModel(await model.save(), { layers: [m.Dense] })
  const equal = String((await copy.predict(x)).data) === String((await model.predict(x)).data)
  console.log(JSON.stringify({ loss: history.loss, equal, backend: m.runtimeInfo().backend }))
}
`
/** The names must be there at import, and missing afterwards. */
const without = (names: readonly string[]): string =>
  `for (const name of ${JSON.stringify(names)}) Object.defineProperty(globalThis, name, { value: undefined, configurable: true })\n`

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'myelin-'))
  const source = JSON.stringify(resolve('src/index.ts'))
  await writeFile(join(folder, 'lacking.js'), without(LACKING))
  await writeFile(join(folder, 'bare.js'), `import './lacking.js'\nimport * as m from ${source}\n${RUN}run(m)\n`)
  await writeFile(join(folder, 'whole.js'), `import * as m from ${source}\n${RUN}run(m)\n`)
  const entry = ['bare', 'whole'].map((name) => join(folder, `${name}.js`))
  await bundle(entry, join(folder, 'built'))
}, 60_000)
afterAll(() => rm(folder, { recursive: true }))

async function run(name: string, ...flags: string[]) {
  const outDir = join(folder, 'built')
  const file = (await readdir(outDir)).find((each) => each.startsWith(`${name}.`))!
  const { stdout, stderr } = spawnSync(process.execPath, [...flags, join(outDir, file)], { encoding: 'utf8' })
  if (stdout === '') throw new Error(stderr)
  return { ...(JSON.parse(stdout) as { loss: number[]; equal: boolean; backend: string }), stderr }
}

const WARNING = /^This JavaScript engine has no WebAssembly with SIMD, so the interpreter computes: [^\n]*\n$/

describe('the interpreter computes', () => {
  it('where the engine has no WebAssembly, with the same results and one warning', async () => {
    const [usual, jitless] = [await run('whole'), await run('whole', '--jitless')]
    expect(usual).toMatchObject({ backend: 'wasm', stderr: '' })
    expect(jitless).toMatchObject({ backend: 'interpreter', equal: true })
    // Node itself says that the flag turns WebAssembly off.
    expect(jitless.stderr.replace(/^Warning: disabling flag .*\n/, '')).toMatch(WARNING)
    for (const [i, loss] of usual.loss.entries()) expect(jitless.loss[i]).toBeCloseTo(loss, 5)
  })

  it('where it has none of what pages and Node have besides', async () => {
    const bare = await run('bare')
    expect(bare).toMatchObject({ backend: 'interpreter', equal: true })
    expect(bare.stderr).toMatch(WARNING)
  })
})

it('a bundle without the interpreter says what to do', () => {
  vi.stubGlobal('WebAssembly', undefined)
  try {
    expect(requireSimd).toThrow(StateError)
    expect(requireSimd).toThrow("configure({ backend: 'interpreter' })")
  } finally {
    vi.unstubAllGlobals()
  }
})

it('the blocks of docs/react-native.md do what they say', async () => {
  const [settings = '', babel = '', model = ''] = Array.from(
    readDocument('docs/react-native.md').matchAll(/^```js\n([\s\S]*?)^```$/gm),
    ([, code]) => code!,
  )
  const metro = { getDefaultConfig: () => ({ resolver: { assetExts: ['png'] } }), mergeConfig: (...all: object[]) => Object.assign({}, ...all) as object } // prettier-ignore
  const module = { exports: {} }
  runInNewContext(settings, { require: () => metro, module, __dirname: '.' })
  expect(module.exports).toMatchObject({ resolver: { assetExts: ['png', 'keras', 'h5', 'onnx', 'safetensors'] } })

  runInNewContext(babel, { module })
  expect(module.exports).toMatchObject({ plugins: [expect.any(Function)] })
  const [withoutImportMeta] = (module.exports as { plugins: [(babel: object) => { visitor: { MetaProperty: (path: object) => void } }] }).plugins // prettier-ignore
  const { MetaProperty } = withoutImportMeta({ template: { expression: { ast: String.raw } } }).visitor
  const replaced: string[] = []
  for (const name of ['import', 'new']) MetaProperty({ node: { meta: { name } }, replaceWith: (code: string) => replaced.push(code) }) // prettier-ignore
  expect(replaced).toEqual(['({})'])

  const saved = await new Sequential([new Dense({ units: 3, inputShape: [2] })]).save()
  const body = model.replace(/^import .*$/gm, '')
  const scores: unknown = await runInNewContext(`(async () => { ${body}; return scores })()`, {
    require: () => 1,
    Image: { resolveAssetSource: () => ({ uri: 'asset' }) },
    fetch: () => Promise.resolve(new Response(new Uint8Array(saved))),
    loadModel,
    readings: [1, 2],
  })
  expect(scores).toMatchObject({ shape: [1, 3] })
})
