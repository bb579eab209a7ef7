// Completes the modules that the bundler wrote into dist/, and writes their other forms: dist/script/myelin.global.js, one script for
// script tags that is also a CommonJS module; dist/cjs/ with a file for each entry, for programs that can only `require`, such as the
// tests of Jest; and the declarations, which are CommonJS. Runs after rolldown, as a part of `npm run build`.

import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'
import { minify } from 'terser'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = join(root, 'dist')
if (!existsSync(join(dist, 'types'))) throw new Error('dist/ has no declarations. Run `npm run build`.')
const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
/** An engine keeps a source that is all ASCII in half the memory, and it may be served in any encoding. */
const inAscii = (code) =>
  code.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** The names that a module exports or imports, which would be one long line. */
const inShortLines = (code) => {
  const broken = (line) => line.replace(/(.{80,110},) /g, '$1\n\t')
  return code.replace(/^export \{.*\};$/m, broken).replace(/^import \{.*\} from .*;$/gm, broken)
}

/**
 * `add: () => add` in a namespace is a function named add, inside of which add is something else. Babel, which Metro runs on packages,
 * gives such a function its name, and therefore renames the other throughout the file: a thousand passes over it, in a quarter of an hour.
 */
const withoutNames = (code) => code.replace(/^\t(\w+): \(\) => \1(,?)$/gm, '\t$1: 0 || (() => $1)$2')

for (const name of readdirSync(dist).filter((each) => each.endsWith('.js')))
  writeFileSync(join(dist, name), withoutNames(inShortLines(inAscii(readFileSync(join(dist, name), 'utf8')))))

// The binaries as text, which a bundler would write in one line each, and as files for Node and workerd.
copyFileSync(join(root, 'src/engine/runtime/wasm/binaries.js'), join(dist, 'binaries.js'))
for (const name of ['csv', 'jpeg', 'resize'])
  copyFileSync(join(root, `src/data/readers/${name}/${name}-binary.js`), join(dist, `${name}-binary.js`))
copyFileSync(join(root, 'src/language/presets/rows/rows-binary.js'), join(dist, 'rows-binary.js'))
mkdirSync(join(dist, 'kernels'), { recursive: true })
for (const file of readdirSync(join(root, 'build'))) {
  const [, level, name] = /^(simd|relaxed)\.(\w+)\.wasm$/.exec(file) ?? []
  const to = `kernels/${name}${level === 'relaxed' ? '.relaxed' : ''}.wasm`
  if (level !== undefined) copyFileSync(join(root, 'build', file), join(dist, to))
}

const parts = Object.keys(manifest.exports).flatMap((path) => /^\.\/(\w+)$/.exec(path)?.[1] ?? [])

// `myelin.Dense`, and what sub-paths export as `myelin.data.readCsv`. fflate is inside; pages decode pictures themselves. A module
// has two functions besides, for its entry for Node and for threads that decode pictures.
const [ENTRY, ADDRESS] = ['\0global', '\0address']
const from = (name) => `from '${join(dist, `${name}.js`)}'`
const virtual = {
  [ENTRY]: [
    `export * ${from('index')}`,
    ...parts.map((name) => `export * as ${name} ${from(name)}`),
    `import { startInNode } ${from('consoles')}`,
    `import { pictureThreads } ${from('picture-threads')}`,
    `if (typeof module === 'object') Object.assign(module.exports, { startInNode, pictureThreads })`,
  ].join('\n'),
  // The CommonJS file in the place of a module, from which threads import. A script in a page has none: a search in threads needs
  // the module.
  [ADDRESS]: `export const addressOf = (name) => typeof __dirname === 'string'
    ? process.getBuiltinModule('node:url').pathToFileURL(\`\${__dirname}/../cjs/\${name}.cjs\`).href
    : ''`,
}
const modules = {
  name: 'modules',
  resolveId: (id) => (id in virtual ? id : null),
  load: (id) => virtual[id] ?? null,
  transform(code, id) {
    const name = basename(id, '.js')
    if (!code.includes('import.meta.url')) return code
    const text = code.replace('`kernels/', '`../kernels/').replaceAll('import.meta.url', `addressOf('${name}')`)
    return `import { addressOf } from '${ADDRESS}';\n${text}`
  },
}
const licenceOf = (name) => readFileSync(join(fileURLToPath(import.meta.resolve(name)), '../../LICENSE'), 'utf8').trim()
/** Packages whose code the modules contain. */
const CONTAINED = ['@huggingface/jinja', '@huggingface/tokenizers']
writeFileSync(
  join(dist, 'licenses.txt'),
  CONTAINED.map((name) => `myelin/language contains parts of ${name}:\n\n${licenceOf(name)}\n`).join('\n'),
)
const script = await rolldown({
  platform: 'browser',
  input: ENTRY,
  external: ['fast-png'],
  checks: { pluginTimings: false },
  // The script has everything, so what index.js calls is no part that a page might not use.
  treeshake: { moduleSideEffects: (id) => (id === join(dist, 'index.js') ? true : undefined) },
  plugins: [modules],
})
/** Consoles and messages show the names of classes. */
const CLASSES = { class: true, function: false }
const { output } = await script.generate({
  format: 'iife',
  name: 'myelin',
  codeSplitting: false,
  minify: { mangle: { keepNames: CLASSES }, compress: { keepNames: CLASSES } },
  comments: false,
})
// Node shows the line that throws before the message of an error that nobody catches, so lines are short.
const { code: inLines } = await minify(output[0].code, {
  compress: false,
  mangle: false,
  format: { ascii_only: true, max_line_len: 200 },
})
mkdirSync(join(dist, 'script'), { recursive: true })
writeFileSync(
  join(dist, 'script/myelin.global.js'),
  `/*! myelin ${manifest.version}, MIT. It contains parts of ${CONTAINED.join(' and ')}, whose licences licenses.txt has, and fflate:
${licenceOf('fflate')}
*/
${inLines}
if (typeof module === 'object') Object.assign(module.exports, myelin)
`,
)
// Its ending is that of scripts, and the package's type is `module`.
writeFileSync(join(dist, 'script/package.json'), '{ "type": "commonjs" }\n')

// Each file takes its names from the script, so that a class has one copy. Node sees the names of `exports.NAME =`.
rmSync(join(dist, 'cjs'), { recursive: true, force: true })
mkdirSync(join(dist, 'cjs/types'), { recursive: true })
const load = "require('../script/myelin.global.js')"
const commonJs = (name, code) => writeFileSync(join(dist, 'cjs', `${name}.cjs`), `'use strict'\n${code}\n`)
for (const name of ['index', ...parts]) {
  const names = Object.keys(await import(pathToFileURL(join(dist, `${name}.js`))))
  commonJs(
    name,
    [
      `Object.defineProperty(exports, Symbol.toStringTag, { value: 'Module' })`,
      `const all = ${load}${name === 'index' ? '' : `.${name}`}`,
      ...names.map((each) => `exports.${each} = all.${each}`),
    ].join('\n'),
  )
}
commonJs('node', `${load}.startInNode()\nmodule.exports = require('./index.cjs')`)
commonJs('picture-threads', `exports.pictureThreads = ${load}.pictureThreads`)

// Comments of members on separate lines: elsewhere, editors take them for those of the member before.
function withOwnLines(declarations) {
  return declarations
    .replace(/^( *)(.*[;,{]) (?=\/\*\*)/gm, '$1$2\n$1')
    .replace(/^( *)(\/\*\* .*? \*\/)(?=\w)/gm, '$1$2\n$1')
}

// A file of declarations is CommonJS by its ending alone, and so are those that it imports. A module may import declarations of
// CommonJS, but not the other way, so that these are the only copy. `npm run test:package` has checked them; a
// program without skipLibCheck would do so again, which takes longer than the rest of its check.
for (const folder of ['', 'types/']) {
  for (const name of readdirSync(join(dist, folder)).filter((each) => each.endsWith('.d.ts'))) {
    const text = withOwnLines(readFileSync(join(dist, folder, name), 'utf8'))
    const path = join(dist, 'cjs', folder, name.replace(/\.ts$/, '.cts'))
    writeFileSync(path, `// @ts-nocheck\n${text.replace(/( from "\.[^"]*)\.js";$/gm, '$1.cjs";')}`)
    if (folder === '') writeFileSync(join(dist, name), `export * from './cjs/${name.replace(/\.d\.ts$/, '.cjs')}'\n`)
  }
}
rmSync(join(dist, 'types'), { recursive: true })
