// The library for the demo, in build/demo/: bundled from src/ in seconds, without declarations and without what makes a package small.

import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const root = fileURLToPath(new URL('..', import.meta.url))
const bundle = await rolldown({
  input: {
    index: `${root}src/index.ts`,
    ...Object.fromEntries(['data', 'plot', 'thrift'].map((name) => [name, `${root}src/entries/${name}.ts`])),
  },
  platform: 'neutral',
  external: ['fflate', 'fast-png'],
  logLevel: 'silent',
})
await bundle.write({ dir: `${root}build/demo`, entryFileNames: '[name].mjs', chunkFileNames: '[name].mjs' })
