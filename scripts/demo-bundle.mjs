// The library for the demo, in build/demo/: bundled from src/ in seconds, without declarations and without what makes a package small.

import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const { rolldown } = await import(pathToFileURL(createRequire(import.meta.resolve('tsdown')).resolve('rolldown')))
const bundle = await rolldown({
  input: Object.fromEntries(['index', 'data', 'plot', 'thrift'].map((name) => [name, `${root}src/${name}.ts`])),
  platform: 'neutral',
  external: ['fflate', 'fast-png'],
  logLevel: 'silent',
})
await bundle.write({ dir: `${root}build/demo`, entryFileNames: '[name].mjs', chunkFileNames: '[name].mjs' })
