// Compiles assembly/ and embeds it in src/engine/runtime/wasm/binaries.js: the core and each family of kernels (assembly/families)
// is one binary, stored as text (encode-bytes.mjs), from which the plain and the relaxed variant are made
// (multiply-add.mjs). The steps of chains, which are the exports step_NAME, get their places in the table here, and
// src/engine/ir/steps.ts names these. Readers of files have separate modules, assembly/csv.ts in
// src/data/readers/csv/csv-binary.js, and so jpeg, resize and rows. Does nothing if no source changed; with --check it only says whether one
// did. asc and V8 do all optimisations (asconfig.json) except the one in hoist-constants.mjs.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { encodeBytes } from './encode-bytes.mjs'
import { hoistConstants, hoistedConstants } from './hoist-constants.mjs'
import { fusions, sections, splitMultiplyAdds } from './multiply-add.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
process.chdir(root)

/** The target of asconfig.json. */
const target = 'relaxed'
const isCoreAlone = process.argv.includes('--core')
const families = readdirSync('assembly/families').sort()
/** Each binary with its entry file: the core, which holds the loop over the tape, and a family of kernels each. */
const entries = new Map([
  ['core', 'assembly/index.ts'],
  ...(isCoreAlone ? [] : families.map((file) => [basename(file, '.ts'), `assembly/families/${file}`])),
])
/** The outputs in build/: each binary as in the package, and with all kernels exported by name for bench/. */
const written = [
  ...[...entries.keys()].flatMap((name) => [
    `simd.${name}.wasm`,
    `relaxed.${name}.wasm`,
    `simd.${name}.kernels.wasm`,
    `relaxed.${name}.kernels.wasm`,
    `relaxed.${name}.wat`,
  ]),
  'decode.wasm',
  'csv.wasm',
  'jpeg.wasm',
  'resize.wasm',
  'rows.wasm',
]
/** The exports of the core that src/engine/runtime calls. */
const called = [
  'run',
  'runOne',
  'runPart',
  'setTurn',
  'lead',
  'serve',
  'pause',
  'abandon',
  'permute',
  'gemm_4x8_columns_f32',
  'gemm_6x16_columns_f32',
  'table',
]
const generated = 'src/engine/runtime/wasm/binaries.js'
/** Where the numbers of the steps are written. */
const stepsFile = 'src/engine/ir/steps.ts'
/** The number of the first step. Numbers are places in the table of the core, where smaller ones are opcodes. */
const FIRST_STEP = 64
/** The modules of readers: assembly/NAME.ts and where it is embedded. */
const readers = new Map([
  ...['csv', 'jpeg', 'resize'].map((name) => [name, `src/data/readers/${name}/${name}-binary.js`]),
  ['rows', 'src/language/presets/rows/rows-binary.js'],
])
const requireFromHere = createRequire(import.meta.url)
const ascPackage = requireFromHere.resolve('assemblyscript/package.json')
const asc = join(dirname(ascPackage), 'bin', 'asc.js')
// The loader that the installed version of the compiler has.
const binaryenFile = createRequire(ascPackage).resolve('binaryen')

const sources = readdirSync('assembly', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => join('assembly', name))
  .sort()
const hash = createHash('sha256')
const tools = ['build-wasm', 'encode-bytes', 'hoist-constants', 'multiply-add'].map((name) => `scripts/${name}.mjs`)
for (const file of [...sources, 'asconfig.json', ...tools, ascPackage]) {
  hash
    .update(file.endsWith('package.json') ? 'asc' : file)
    .update('\0')
    .update(readFileSync(file))
    .update('\0')
}
const sourcesHash = hash.digest('hex')
const hashLine = `// sources: ${sourcesHash}${isCoreAlone ? ' (the core alone)' : ''}`

const upToDate =
  [generated, stepsFile, ...readers.values()].every(
    (file) => existsSync(file) && readFileSync(file, 'utf8').includes(hashLine + '\n'),
  ) && written.every((name) => existsSync(`build/${name}`))
// A whole build serves the demo as well.
const isWhole = isCoreAlone && readOf(generated).includes(`// sources: ${sourcesHash}\n`)
if (upToDate || isWhole) process.exit(0)
if (process.argv.includes('--check')) {
  console.error('The WebAssembly binaries were built from other sources. Run `npm run build:wasm`.')
  process.exit(1)
}

// Node 20 compiles relaxed SIMD only behind a flag; later versions need none.
if (Number(process.versions.node.split('.')[0]) < 21) setFlagsFromString('--experimental-wasm-relaxed-simd')

const { default: binaryen } = await import(pathToFileURL(binaryenFile))
const started = performance.now()
mkdirSync('build', { recursive: true })
const scratch = mkdtempSync('build/asc-') // concurrent builds must not see each other's half-written files
try {
  await Promise.all([
    ...[...entries].map(([name, entry]) => runCompiler(`${target}.${name}`, scratch, [entry, '--target', target])),
    compileAlone('decode', scratch, ['-Oz', '--initialMemory', '5']),
    ...[...readers.keys()].map((name) => compileAlone(name, scratch, ['-O3', '--enable', 'simd'])),
  ])
  const inScratch = (name) => join(scratch, name)
  const texts = new Map(
    [...entries.keys()].map((name) => [name, readFileSync(inScratch(`${target}.${name}.wat`), 'utf8')]),
  )
  for (const name of entries.keys()) checkModule(readFileSync(inScratch(`${target}.${name}.wasm`)))
  // All binaries share one table of constants, so that the order in which they are loaded does not matter.
  const table = [...new Set([...texts.values()].flatMap((wat) => [...hoistedConstants(wat)]))].sort()
  const { address, bytes } = placeOfConstants()
  if (4 * table.length > bytes)
    throw new Error(`${table.length} constants do not fit into ${bytes} bytes: see assembly/shared/instructions.ts`)
  const opcodes = enumOf('assembly/shared/opcodes.ts', 'Opcode')
  if (opcodes.length > FIRST_STEP) throw new Error(`there are more than ${FIRST_STEP} opcodes: see FIRST_STEP`)
  const steps = stepsIn(texts.get('core'))
  const sizes = []
  const decoder = inQuotes(readFileSync(inScratch('decode.wasm')).toString('base64'))
  const text = [
    '// Generated by scripts/build-wasm.mjs from assembly/. Do not edit; not under version control. Types: binaries.d.ts.',
    hashLine,
    '',
    `export const decoder = ${decoder}`,
    `export const fusions = ${JSON.stringify(fusions)}`,
  ]
  writeFileSync(inScratch('steps.ts'), numbersOf(steps))
  for (const [name, wat] of texts) {
    const hoisted = hoistConstants(name === 'core' ? withTable(wat, steps, opcodes) : wat, table, address)
    writeFileSync(inScratch(`${target}.${name}.wat`), hoisted)
    const all = splitMultiplyAdds(assemble(hoisted))
    writeFileSync(inScratch(`simd.${name}.kernels.wasm`), all.plain)
    writeFileSync(inScratch(`relaxed.${name}.kernels.wasm`), all.relaxed)
    const kernels = name === 'core' ? [] : opcodes.filter(([kernel]) => hoisted.includes(` (export "${kernel}" `))
    const kept = name === 'core' ? called : kernels.map(([kernel]) => kernel)
    const { plain, relaxed } = splitMultiplyAdds(assemble(withoutExports(hoisted, kept)))
    writeFileSync(inScratch(`simd.${name}.wasm`), plain)
    writeFileSync(inScratch(`relaxed.${name}.wasm`), relaxed)
    sizes.push(`${name} ${(plain.length / 1000).toFixed(1)} kB`)
    text.push(
      `export const ${name} = {`,
      `  name: '${name}',`,
      `  encoded: ${inQuotes(encodeBytes(plain))},`,
      `  size: ${plain.length},`,
      `  kernels: ${JSON.stringify(kernels)},`,
      '}',
    )
  }
  // Families whose kernels were not compiled.
  if (isCoreAlone)
    for (const name of families.map((file) => basename(file, '.ts')))
      text.push(`export const ${name} = { name: '${name}', encoded: '', size: 0, kernels: [] }`)
  writeFileSync(inScratch('binaries.js'), `${text.join('\n')}\n`)
  for (const file of written) renameSync(inScratch(file), `build/${file}`)
  renameSync(inScratch('binaries.js'), generated)
  renameSync(inScratch('steps.ts'), stepsFile)

  for (const [name, file] of readers) {
    const text = [
      `// Generated by scripts/build-wasm.mjs from assembly/${name}.ts. Do not edit; not under version control.`,
      hashLine,
      '/** base64 */',
      `export const ${name}Module = ${inQuotes(readFileSync(`build/${name}.wasm`).toString('base64'))}`,
      '',
    ].join('\n')
    writeFileSync(inScratch('generated.ts'), text)
    renameSync(inScratch('generated.ts'), file)
  }

  console.log(`wasm: ${sizes.join(', ')}; ${((performance.now() - started) / 1000).toFixed(1)} s`)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

function readOf(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}

/** The steps of chains, which are the exports step_NAME: [['abs', '$assembly/…/step_abs'], …] in the order of their numbers. */
function stepsIn(wat) {
  const found = [...wat.matchAll(/^ \(export "step_(\w+)" \(func (\S+)\)\)$/gm)]
  return found.map(([, name, id]) => [name, id]).sort(([a], [b]) => (a < b ? -1 : 1))
}

/**
 * The core with its steps in the table, each at its number, and its kernels at their opcodes: the loop over a tape calls these directly,
 * but src/standalone finds them there.
 */
function withTable(wat, steps, opcodes) {
  const kernels = opcodes.flatMap(([name, opcode]) => {
    const found = new RegExp(`^ \\(export "${name}" \\(func (\\S+)\\)\\)$`, 'm').exec(wat)
    return found === null ? [] : [`(elem $${name} (i32.const ${opcode}) ${found[1]})`]
  })
  const elements = [...kernels, `(elem $steps (i32.const ${FIRST_STEP}) ${steps.map(([, id]) => id).join(' ')})`].join(
    '\n ',
  )
  const filled = wat.replace(
    /^ \(table (\$\S+) 1 funcref\)$/m,
    (_, id) => ` (table ${id} ${FIRST_STEP + steps.length} funcref)\n ${elements}`,
  )
  if (filled === wat) throw new Error('expected an empty table in the core')
  return filled
}

function numbersOf(steps) {
  const numbers = steps.map(([name], i) => `export const ${name} = ${FIRST_STEP + i}`)
  return [
    '// Generated by scripts/build-wasm.mjs from assembly/kernels/steps/. Do not edit; not under version control.',
    hashLine,
    '// The steps of chains: step_NAME of assembly/ by its place in the table.',
    ...numbers,
    '',
  ].join('\n')
}

/** The members of an enum without initializers, as kernels are named: [['chain', 0], …]. */
function enumOf(file, name) {
  const [, body] = new RegExp(`export enum ${name} \\{([^}]*)\\}`).exec(readFileSync(file, 'utf8'))
  const members = [...body.replace(/\/\*\*[^]*?\*\/|\/\/.*/g, '').matchAll(/(\w+)\s*(=)?/g)]
  if (members.some(([, , value]) => value !== undefined)) throw new Error(`${file}: ${name} has a member with a value`)
  return members.map(([, member], i) => [member[0].toLowerCase() + member.slice(1), i])
}

/** Compiles a single file of assembly/, with a separate memory. */
function compileAlone(name, folder, options) {
  const common = [
    '--config',
    'none',
    '--noAssert',
    '--uncheckedBehavior',
    'always',
    '--runtime',
    'stub',
    '--use',
    'abort=',
  ]
  return runCompiler(name, folder, [`assembly/${name}.ts`, ...common, ...options])
}

function runCompiler(name, folder, options) {
  const files = ['--outFile', join(folder, `${name}.wasm`), '--textFile', join(folder, `${name}.wat`)]
  // AS112: JavaScript cannot call functions with v128. Only kernels call those.
  const child = spawn(process.execPath, [asc, ...options, ...files, '--disableWarning', '112'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  child.stdout.on('data', (chunk) => (output += chunk))
  child.stderr.on('data', (chunk) => (output += chunk))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      if (code !== 0) return reject(new Error(`asc ${options.join(' ')} failed (exit ${code})\n${output}`))
      if (output.trim() !== '') console.warn(output.trimEnd()) // warnings
      resolve()
    })
  })
}

/** Splits a string into short lines: a backslash at the end of a line adds nothing to the string. */
function inQuotes(text) {
  return `'${text.replace(/.{120}(?=.)/g, '$&\\\n')}'`
}

// The numbers by which the library reserves memory.
function placeOfConstants() {
  const source = readFileSync('assembly/shared/instructions.ts', 'utf8')
  const valueOf = (name) => Number(new RegExp(`export const ${name} = (\\d+)`).exec(source)[1])
  return { address: valueOf('CONSTANTS'), bytes: valueOf('CONSTANTS_SIZE') }
}

/** Drops all exports but `kept`: the names of all kernels cost 1 kB. `assemble` then drops functions that nothing calls. */
function withoutExports(text, kept) {
  return text.replace(/^ \(export "(\w+)".*\n/gm, (line, name) => (kept.includes(name) ? line : ''))
}

function assemble(text) {
  const module = binaryen.parseText(text)
  module.setFeatures(binaryen.Features.All)
  if (!module.validate()) throw new Error('the module is not valid after its constants were moved')
  module.runPasses(['remove-unused-module-elements'])
  const binary = module.emitBinary()
  module.dispose()
  return binary
}

// A kernel module owns no memory: JS plans every byte. So it imports only the memory and has no data segment from asc,
// which each worker's instantiation would write again over memory in use. (The hoisted constants are the same bytes
// every time.)
// asc emits a data segment for strings, static arrays and functions used as values.
function checkModule(bytes) {
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(bytes)).map(
    (entry) => `${entry.module}.${entry.name}`,
  )
  if (imports.join() !== 'env.memory') {
    throw new Error(`expected to import env.memory only, received ${imports.join(', ')}`)
  }
  const dataSection = 11
  if (sections(bytes).some(({ id }) => id === dataSection)) {
    throw new Error(
      'expected no data segment. A string, a static array or a function used as a value makes one; ' +
        `look for "(data" in the .wat of \`npx asc assembly/index.ts --target ${target}\``,
    )
  }
}
