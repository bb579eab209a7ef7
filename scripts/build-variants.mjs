// Writes other forms of the package from the modules in dist/: dist/cjs/ for programs that can only `require`, such as the tests of
// Jest, with declarations for TypeScript's CommonJS, and dist/myelin.global.js for a script tag. Runs after tsdown, as a part of `npm run build`.

import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const dist = fileURLToPath(new URL('../dist/', import.meta.url))
if (!existsSync(join(dist, 'types'))) throw new Error('dist/ has no declarations of tsdown. Run `npm run build`.')
const { rolldown } = await import(pathToFileURL(createRequire(import.meta.resolve('tsdown')).resolve('rolldown')))
const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const parts = Object.keys(manifest.exports).flatMap((path) => /^\.\/(\w+)$/.exec(path)?.[1] ?? [])
const shared = { platform: 'neutral', checks: { pluginTimings: false } }

/** Imports of modules that cannot be required: of a package without CommonJS, and of a module that the user names. */
const KEPT = /\bimport(?=\((?:["'`]fast-png|\s*\/\* webpackIgnore))/g
const commonJs = {
  name: 'common-js',
  transform: (code) =>
    code
      .replace(KEPT, 'import_kept')
      .replace('`kernels/${name}.wasm`', '`../kernels/${name}.wasm`')
      .replaceAll('import.meta.url', 'url_kept'),
  renderChunk: (code) =>
    code
      .replaceAll('import_kept(', 'import(')
      .replaceAll('url_kept', 'require("node:url").pathToFileURL(__filename).href'),
}

// Each module is a file of its own, so that a class has one copy.
rmSync(join(dist, 'cjs'), { recursive: true, force: true })
const modules = await rolldown({
  ...shared,
  input: Object.fromEntries(['index', 'node', ...parts].map((name) => [name, join(dist, `${name}.js`)])),
  external: Object.keys(manifest.dependencies),
  plugins: [commonJs],
})
await modules.write({
  dir: join(dist, 'cjs'),
  format: 'cjs',
  preserveModules: true,
  preserveModulesRoot: dist,
  entryFileNames: '[name].cjs',
  chunkFileNames: '[name].cjs',
  dynamicImportInCjs: false,
})

// A file of declarations is CommonJS by its ending alone, and so are those that it imports. A module may import declarations of
// CommonJS, but not the other way, so that these are the only copy.
for (const folder of ['', 'types/']) {
  mkdirSync(join(dist, 'cjs', folder), { recursive: true })
  for (const name of readdirSync(join(dist, folder)).filter((each) => each.endsWith('.d.ts'))) {
    const text = readFileSync(join(dist, folder, name), 'utf8')
    const path = join(dist, 'cjs', folder, name.replace(/\.ts$/, '.cts'))
    writeFileSync(path, text.replace(/(?<= from "\.[^"]*)\.js(?=";$)/gm, '.cjs'))
    if (folder === '') writeFileSync(join(dist, name), `export * from './cjs/${name.replace(/\.d\.ts$/, '.cjs')}'\n`)
  }
}
rmSync(join(dist, 'types'), { recursive: true })

// `myelin.Dense`, and what sub-paths export as `myelin.data.readCsv`. fflate is inside; pages decode pictures themselves.
const entry = '\0global'
const names = [
  `export * from '${join(dist, 'index.js')}'`,
  ...parts.map((name) => `export * as ${name} from '${join(dist, `${name}.js`)}'`),
]
const licence = readFileSync(join(fileURLToPath(import.meta.resolve('fflate')), '../../LICENSE'), 'utf8')
const global = await rolldown({
  ...shared,
  platform: 'browser',
  input: entry,
  external: ['fast-png'],
  // A script has no address of its own: a search in threads needs the module.
  transform: { define: { 'import.meta.url': '""' } },
  plugins: [
    {
      name: 'entry',
      resolveId: (id) => (id === entry ? id : null),
      load: (id) => (id === entry ? names.join('\n') : null),
    },
  ],
})
const { output } = await global.generate({
  format: 'iife',
  name: 'myelin',
  codeSplitting: false,
  minify: true,
  comments: false,
})
const ascii = output[0].code.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
const head = `/*! myelin ${manifest.version}, MIT. It contains fflate:\n${licence.trim()}\n*/`
writeFileSync(join(dist, 'myelin.global.js'), `${head}\n${ascii}`)
