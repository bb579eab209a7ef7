// ES modules that people can read, for Node, browsers and bundlers alike, and so without maps; and their declarations, a build of their
// own. Why, and what is measured: docs/decisions/0013-readable-modules.md. scripts/build-variants.mjs then writes other forms.
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { defineConfig } from 'rolldown'
import { dts } from 'rolldown-plugin-dts'

const { dependencies, exports } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'))

/** Entries with the declarations of `index`. */
const HOSTS = ['node', 'deno', 'workerd', 'react-native']
/** What `exports` of the package names: src/index.ts, and files of src/entries. */
const names = [...new Set([...JSON.stringify(exports).matchAll(/"\.\/dist\/([\w-]+)\.js"/g)].map(([, name]) => name))]
const entryOf = (name) => `src/${name === 'index' ? '' : 'entries/'}${name}.ts`

/**
 * Namespaces that are modules of their own: bundlers see what an application uses of a module, but not what it uses of an object that this
 * build makes of one. Those of losses, metrics and the like are objects, because every application has these anyhow, and each file costs
 * the import some 0.5 ms.
 */
const namespaces = ['activations', 'callbacks', 'image', 'layers', 'ops', 'random']
const isNamespace = (id) => namespaces.some((name) => id.endsWith(`/namespaces/${name}`))

/** Everything that `myelin` exports is one chunk, so that a class has one copy and a stack trace names few files. */
const rooms =
  'core data/samples engine files/containers files/own generation layers losses metrics models ops optimizers parts tables training'.split(
    ' ',
  )
const groups = [
  { name: 'myelin', test: new RegExp(`/src/(?:${rooms.join('|')})/(?!from-rows|webgpu)`), priority: 1 },
  // What loads models, by class names and in all formats. Only the main entries import it: bundlers drop an unused chunk with its dynamic
  // imports of formats, but not unused dynamic imports of a chunk that is used, nor of one that these formats import.
  { name: 'loading', test: /src\/files\/[\w-]+\.ts$/ },
  // Node and Deno share what consoles show; scripts/build-variants.mjs needs startInNode by its name.
  { name: 'consoles', test: /src\/entries\/(?:consoles|start-in-node)\.ts$/ },
  // What explanations and pictures share.
  { name: 'pictures', test: /src\/plot\//, minShareCount: 2 },
]

/** The text of wasm modules: files that the build of `assembly/` writes, and that the package has as they are. */
const isBinary = (id) => /\/(?:binaries|\w+-binary)$/.test(id)

const common = { platform: 'neutral', checks: { pluginTimings: false } }

export default defineConfig([
  {
    ...common,
    input: Object.fromEntries([
      ...names.map((name) => [name, entryOf(name)]),
      ...namespaces.map((name) => [name, `src/namespaces/${name}.ts`]),
    ]),
    external: (id) => isNamespace(id) || isBinary(id) || id.endsWith('.wasm') || Object.hasOwn(dependencies, id),
    transform: { target: 'es2022' },
    output: {
      dir: 'dist',
      cleanDir: true,
      comments: { annotation: true, jsdoc: false, legal: true },
      chunkFileNames: '[name].js',
      codeSplitting: { groups },
      minifyInternalExports: false,
      paths: (id) =>
        isNamespace(id) || isBinary(id)
          ? `./${basename(id)}.js`
          : id.endsWith('.wasm')
            ? `./kernels/${basename(id)}`
            : id,
    },
  },
  {
    ...common,
    input: Object.fromEntries(names.filter((name) => !HOSTS.includes(name)).map((name) => [name, entryOf(name)])),
    plugins: [dts({ emitDtsOnly: true })],
    output: { dir: 'dist', chunkFileNames: 'types/[name].d.ts' },
  },
])
