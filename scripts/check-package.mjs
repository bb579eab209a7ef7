// Checks the package as a user receives it: packs it, lints the tarball, checks its types, its size, its imports and
// its readability. Builds nothing: run `npm run build` first.
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runInNewContext } from 'node:vm'
import { gzipSync } from 'node:zlib'
import { publint } from 'publint'
import { rolldown } from 'rolldown'
import { formatMessage } from 'publint/utils'
import ts from 'typescript'
import { undocumentedOptions } from './undocumented-options.mjs'

/**
 * Limits in bytes of gzipped JavaScript, wasm included: of a small application, of what it may be larger if it uses names of
 * namespaces (`layers.Dense`, `ops.add`), of the published files without sub-paths, and of what a sub-path adds to the rest.
 * Readers of the files of other libraries, and of pictures, which have separate kernels, may be larger. Then follow the limits of all
 * files on disk, of the archive with them, and of the largest file of declarations; the last limit is a number of types, those that the
 * compiler makes for a small program.
 */
const limits = {
  bundled: 148_100,
  named: 1_460,
  published: 587_000,
  part: 30_000,
  unpacked: 8_000_000,
  archive: 2_350_000,
  declarations: 1_010_000,
  instantiations: 6_000,
  parts: { data: 35_500, keras: 40_000, language: 74_500, onnx: 52_900, tfjs: 58_000, thrift: 44_500, webgpu: 39_000 },
}
/** Sub-paths that `loadModel` imports when a file needs them. */
const formats = ['keras', 'onnx', 'tfjs', 'weights']
const longestLine = 1200

const root = fileURLToPath(new URL('..', import.meta.url))
process.chdir(root)
if (!existsSync('dist/index.js')) throw new Error('dist/index.js does not exist. Did you run `npm run build`?')

const manifest = JSON.parse(readFileSync('package.json', 'utf8'))
// Packages that readers of files load at run time. Their size does not count: an application has them in separate
// files.
const loaded = Object.keys(manifest.dependencies)
mkdirSync('build', { recursive: true })
const packed = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', 'build'], {
  encoding: 'utf8',
})
const [{ filename, files, unpackedSize }] = JSON.parse(packed)
const tarball = readFileSync(join('build', filename))

let failures = 0
function report(check, problems, note = '') {
  console.log(`${problems.length === 0 ? 'ok    ' : 'FAILED'}  ${check}${note && `: ${note}`}`)
  for (const problem of problems) console.log(`        ${problem}`)
  if (problems.length > 0) failures++
}

const lint = await publint({ pack: { tarball: new Uint8Array(tarball).buffer }, strict: true })
report(
  'publint',
  lint.messages.filter(({ type }) => type !== 'suggestion').map((message) => formatMessage(message, manifest)),
)

const types = await checkPackage(createPackageFromTarballData(tarball))
report(
  'types',
  types.types === false
    ? ['the tarball contains no types']
    : types.problems.map((problem) => `${problem.kind} ${JSON.stringify(problem)}`),
)

// A TypeScript program that imports every entry, compiled like an application; it also checks the declarations
// themselves, in copies without the line that tells the compilers of applications not to.
const program = join(root, 'build', 'types-of-the-package')
rmSync(program, { recursive: true, force: true })
for (const { path } of files.filter((each) => /(?:\.d\.c?ts|package\.json)$/.test(each.path))) {
  const copy = join(program, 'node_modules', manifest.name, path)
  mkdirSync(dirname(copy), { recursive: true })
  writeFileSync(copy, readFileSync(path, 'utf8').replace('// @ts-nocheck\n', ''))
}
writeFileSync(join(program, 'package.json'), '{ "type": "module" }')
writeFileSync(
  join(program, 'tsconfig.json'),
  JSON.stringify({
    compilerOptions: {
      strict: true,
      module: 'nodenext',
      target: 'es2022',
      lib: ['es2023', 'dom', 'dom.asynciterable'],
      types: [],
      noEmit: true,
    },
    files: ['program.ts'],
  }),
)
writeFileSync(
  join(program, 'program.ts'),
  `
import { Dense, EarlyStopping, Sequential, StringLookup, callbacks, layers, losses, metrics } from 'myelin'
import { ContinualBackprop } from 'myelin/balance'
import { Dataset, readCsv } from 'myelin/data'
import { saliency } from 'myelin/explain'
import { readKeras } from 'myelin/keras'
import { plotHistory } from 'myelin/plot'
import { gridSearch } from 'myelin/search'
import { readTfjs } from 'myelin/tfjs'
import { quantize } from 'myelin/thrift'
const model = new Sequential([new Dense({ units: 1, inputShape: [2] })])
model.compile({ optimizer: 'adam', loss: new losses.Huber(), metrics: [new metrics.R2Score()] })
const { history } = await model.fit([[1, 2]], [1], { callbacks: [new EarlyStopping(), new callbacks.History(), new ContinualBackprop()] })
const rows: number[][] = (await model.predict([[1, 2]])).toArray<number[][]>()
const flats = readCsv('flats.csv', { target: 'rent', types: { rent: 'number', rooms: 'number' } })
await model.fit(flats.map(([{ rooms }, rent]) => ({ x: [rooms, 1], y: rent / 1000 })).batch(32), { epochs: 2 })
await model.fit(['good', 'bad'], [1, 0])
await model.predict(Dataset.from([['good'], ['bad']]).batch(2))
console.log(history, rows, layers.Dense === Dense, StringLookup, saliency, readKeras, plotHistory, gridSearch, readTfjs, quantize)
`,
)
const tsc = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', program], {
  encoding: 'utf8',
})
report('types in a program', tsc.status === 0 ? [] : tsc.stdout.trim().split('\n').slice(0, 10))

// How long a small program takes to check follows from the types that its use of the package makes: a count that no other load of the
// machine changes.
const ofUser = join(root, 'build', 'small-program')
rmSync(ofUser, { recursive: true, force: true })
mkdirSync(join(ofUser, 'node_modules'), { recursive: true })
symlinkSync(root, join(ofUser, 'node_modules', manifest.name))
writeFileSync(join(ofUser, 'package.json'), '{ "type": "module" }')
writeFileSync(
  join(ofUser, 'program.ts'),
  `
import { Dense, Sequential, layers } from 'myelin'
const model = new Sequential([new Dense({ units: 8, activation: 'relu', inputShape: [2] }), new layers.Dense({ units: 1 })])
model.compile({ optimizer: 'adam', loss: 'meanSquaredError', metrics: ['mae'] })
const { history } = await model.fit([[1, 2]], [[1]], { epochs: 3 })
console.log(history, (await model.predict([[1, 2]])).toArray())
`,
)
writeFileSync(join(ofUser, 'nothing.ts'), 'console.log(await Promise.resolve(1))\nexport {}\n')
/** The types that the compiler makes for a file of the small program, with the checks of libraries. */
function instantiations(file) {
  const compiled = ts.createProgram([join(ofUser, file)], {
    strict: true,
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    types: [],
    noEmit: true,
    skipLibCheck: false,
  })
  const [error] = compiled.getSemanticDiagnostics()
  if (error !== undefined) throw new Error(`${file}: ${ts.flattenDiagnosticMessageText(error.messageText, '\n')}`)
  return compiled.getInstantiationCount()
}
const made = instantiations('program.ts') - instantiations('nothing.ts')
report(
  'types that a small program makes',
  made > limits.instantiations ? [`expected at most ${limits.instantiations}, received ${made}`] : [],
  String(made),
)

/** The script for pages is one minified file, of what the modules have: see build-variants.mjs. */
const GLOBAL = 'script/myelin.global.js'
const scripts = readdirSync('dist').filter((name) => name.endsWith('.js'))
const codeOf = new Map(scripts.map((name) => [name, readFileSync(join('dist', name), 'utf8')]))
const gzipped = (text) => gzipSync(text, { level: 9 }).length
const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`

/** The file of each entry, such as `myelin/explain`. */
const entries = new Map(
  Object.entries(manifest.exports).flatMap(([path, { default: file }]) =>
    file === undefined ? [] : [[path.replace('.', manifest.name), join(root, file)]],
  ),
)
const parts = [...entries.keys()].filter((name) => name !== manifest.name)

const { count, lacking } = undocumentedOptions(program, [...entries.keys()])
report('editors show documentation of options', count === 0 ? ['no options were found'] : lacking, `${count} options`)

// node.js takes the place of index.js. Chunks that only sub-paths load are of these.
const partFiles = new Set(parts.map((part) => entries.get(part)).map((file) => basename(file)))
const loadedByRest = new Set(['index.js'])
for (const name of loadedByRest)
  for (const [, next] of codeOf.get(name).matchAll(/["']\.\/([\w.-]+\.js)["']/g))
    if (codeOf.has(next) && !partFiles.has(next)) loadedByRest.add(next)
const published = [...loadedByRest].reduce((sum, name) => sum + gzipped(codeOf.get(name)), 0)
report(
  'size as published',
  published > limits.published ? [`expected at most ${limits.published} bytes gzipped, received ${published}`] : [],
  `${kilobytes(published)} gzipped; tarball ${kilobytes(tarball.length)}, ${files.length} files`,
)

report(
  'size on disk',
  [
    ...(unpackedSize > limits.unpacked ? [`expected at most ${limits.unpacked} bytes, received ${unpackedSize}`] : []),
    ...(tarball.length > limits.archive
      ? [`the archive: expected at most ${limits.archive} bytes, received ${tarball.length}`]
      : []),
    ...files
      .filter(({ path, size }) => /\.d\.c?ts$/.test(path) && size > limits.declarations)
      .map(({ path, size }) => `${path}: expected at most ${limits.declarations} bytes, received ${size}`),
  ],
  kilobytes(unpackedSize),
)

/** An application's bundle: the code that it loads at once, and the files of what it loads at run time. */
async function bundled(application) {
  const entry = '\0application'
  const input = await rolldown({
    input: entry,
    platform: 'browser',
    external: loaded,
    checks: { pluginTimings: false },
    plugins: [
      {
        name: 'application',
        resolveId: (id) => (id === entry ? id : (entries.get(id) ?? null)),
        load: (id) => (id === entry ? application : null),
      },
    ],
    // An application that imports a format itself has it in the same file.
    onLog: (_level, log) =>
      log.code === 'INEFFECTIVE_DYNAMIC_IMPORT' || report('bundles without a warning', [log.message]),
  })
  const { output } = await input.generate({ minify: true, comments: false })
  // What is loaded at run time is in separate chunks.
  const chunks = new Map(output.filter(({ type }) => type === 'chunk').map((chunk) => [chunk.fileName, chunk]))
  const found = new Set()
  const collect = (fileName) => {
    if (found.has(fileName) || !chunks.has(fileName)) return
    found.add(fileName)
    chunks.get(fileName).imports.forEach(collect)
  }
  collect(output.find(({ isEntry }) => isEntry).fileName)
  return {
    code: Array.from(found, (fileName) => chunks.get(fileName).code).join('\n'),
    later: [...chunks.keys()].filter((fileName) => !found.has(fileName)),
  }
}

const bundle = async (application) => (await bundled(application)).code

const { code: small, later } = await bundled(
  "import { Sequential, Dense } from 'myelin'; globalThis.classes = [Sequential, Dense]",
)
// Vite up to 7 cannot build a worker of several files without being told how.
report(
  'Sequential and Dense are one file',
  later.map((file) => `${file} is loaded at run time`),
)
const size = gzipped(small)
report(
  'size of Sequential and Dense, bundled',
  size > limits.bundled ? [`expected at most ${limits.bundled} bytes gzipped, received ${size}`] : [],
  kilobytes(size),
)

const named = await bundle(
  "import { Sequential, layers, ops, random } from 'myelin'; globalThis.used = [Sequential, layers.Dense, ops.add, random.normal]",
)
report(
  'size of the same by names of namespaces, with two ops',
  gzipped(named) > size + limits.named
    ? [`expected at most ${limits.named} bytes more than ${size} gzipped, received ${gzipped(named)}`]
    : [],
  kilobytes(gzipped(named)),
)

// Strings from code that such an application must not contain.
const unreached = {
  Dropout: 'Dropout',
  EarlyStopping: 'EarlyStopping',
  checkpoints: 'has no other half',
  backups: 'not a saved run of fit',
  'event files': 'brain.Event',
  'stores of a page': 'IndexedDB refused',
  loops: 'loop: the body takes',
  attention: 'features together, received',
  factorizations: 'the matrices must be float32',
  sorting: 'the sorted sequence must be a vector',
  'Fourier transforms': 'expected two float32 parts',
  'the interpreter': 'the interpreter runs on one thread',
  threads: 'not all workers reached the first meeting',
  turbo: 'V8 does not pair vectors although',
  loadModel: 'This file has weights, but no model',
}
report(
  'drops unused code',
  Object.keys(unreached)
    .filter((part) => small.includes(unreached[part]))
    .map((part) => `the bundle has ${part}`),
)
const whole = await bundle("import * as all from 'myelin'; globalThis.all = all")
for (const part of parts) {
  const withPart = await bundle(
    `import * as all from 'myelin'; import * as part from '${part}'; globalThis.all = [all, part]`,
  )
  const size = gzipped(withPart) - gzipped(whole)
  const most = limits.parts[part.split('/').at(-1)] ?? limits.part
  report(
    `size of ${part} beside the rest, bundled`,
    size > most ? [`expected at most ${most} bytes gzipped, received ${size}`] : [],
    kilobytes(size),
  )
}
// Strings from the code of a sub-path, which other code must not contain.
const apart = {
  'myelin/keras': { import: 'formerHardSigmoid', unreached: ['has calls in a circle', 'is not HDF5'] },
  'myelin/data': {
    import: 'Dataset',
    unreached: ['a quote is opened and not closed', 'is a broken picture', 'is not a .npy file'],
  },
  'myelin/plot': {
    import: 'sparkline',
    unreached: ['light-dark', 'IHDR', 'has no layers yet', 'all labels are of one class'],
  },
  'myelin/explain': {
    import: 'saliency',
    unreached: [
      'coalitions do not determine',
      'is not a layer of',
      'What the answer is made of',
      'prefers-color-scheme',
      'IHDR',
      'Are they logits',
    ],
  },
}
for (const [name, { import: one, unreached }] of Object.entries(apart)) {
  const [little, all] = [
    await bundle(`import { ${one} } from '${name}'; globalThis.one = ${one}`),
    await bundle(`import * as all from '${name}'; globalThis.all = all`),
  ]
  const found = unreached
    .filter((words) => little.includes(words))
    .map((words) => `the bundle of ${one} has '${words}'`)
  const lost = unreached
    .filter((words) => !all.includes(words))
    .map((words) => `no code contains '${words}' any more: choose other words`)
  report(`drops unused code of ${name}`, [...found, ...lost])
}
report(
  'strings of unused code',
  Object.keys(unreached)
    .filter((part) => !whole.includes(unreached[part]))
    .map((part) => `no code contains '${unreached[part]}' any more: choose another string for ${part}`),
)

report(
  'readable',
  scripts.flatMap((name) => {
    const longest = Math.max(
      ...codeOf
        .get(name)
        .split('\n')
        .map((line) => line.length),
    )
    const problems =
      longest > longestLine ? [`${name}: expected lines of at most ${longestLine} characters, received ${longest}`] : []
    const foreign = [...codeOf.get(name)].find((character) => character > '\x7f')
    return foreign === undefined ? problems : [...problems, `${name}: expected ASCII only, received ${foreign}`]
  }),
)

// Modules that people can read need no maps. Third-party code would need a notice in the package.
report('every module is of this project', [
  ...files.filter(({ path }) => path.endsWith('.map')).map(({ path }) => `${path} is in the package`),
  ...scripts.flatMap((name) =>
    [...codeOf.get(name).matchAll(/^\/\/#region (.*)/gm)]
      .map(([, source]) => source)
      .filter((source) => !/^(?:src|assembly\/shared)\/|^\\0(?:rolldown\/runtime|recorded-ops:)/.test(source))
      .map((source) => `${name} has a module from elsewhere: ${source}`),
  ),
])

const forbidden = [
  [/^\s*(?:import|export)\b[^'"\n]*['"](?!\.)[^'"\n]+['"]/m, 'a static import from another package or from Node'],
  // Or of a module that the user names, marked so that bundlers ignore it.
  [
    new RegExp(
      String.raw`\bimport\s*\((?!"(?:${loaded.join('|')})"\)|"\./(?:${[...formats, 'thrift', 'language-layers', 'packed-kernels', 'open-gguf', 'save-dataset', 'png', 'jpeg', 'picture-threads'].join('|')})\.js"\)|\s*\/\* webpackIgnore: true \*\/\s*\/\* @vite-ignore \*\/)`,
    ),
    'a dynamic import of a package that is no dependency, nor a file that is loaded when needed, which bundlers follow or warn about',
  ],
  [
    /(?<![\w$.#])(?:process|Buffer|global)\b(?=\??\.[\w[(]| ===)/,
    'a bare global of Node, for which bundlers install a package',
  ],
  [/^(?:(?:const|let|var)\b[^={]*=\s*)?await\b/m, 'a top-level await'],
]
report(
  'imports',
  scripts.flatMap((name) => {
    const code = codeOf.get(name)
    return forbidden.flatMap(([pattern, what]) => {
      const found = pattern.exec(code)
      return found === null ? [] : [`${name} has ${what}: ${found[0].trim()}`]
    })
  }),
)

const require = createRequire(import.meta.url)
for (const name of entries.keys()) {
  const part = name.split('/')[1] ?? 'index'
  const [asModule, asCommonJs] = [await import(entries.get(name)), require(`../dist/cjs/${part}.cjs`)]
  const lost = Object.keys(asModule).filter((each) => !(each in asCommonJs))
  const isClass = (value) => typeof value === 'function' && /^class\b/.test(value)
  const isRenamed = (each) => isClass(asModule[each]) && asModule[each].name !== asCommonJs[each]?.name
  const renamed = Object.keys(asModule).filter(isRenamed)
  report(`${name} has a CommonJS form`, [
    ...lost.map((each) => `dist/cjs/${part}.cjs lacks ${each}`),
    ...renamed.map((each) => `the class ${each} is called ${asCommonJs[each]?.name} in dist/cjs/${part}.cjs`),
  ])
}
// Threads import what they run.
for (const [file, needed] of Object.entries({ search: 'serveTrials', 'picture-threads': 'pictureThreads' })) {
  const found = Object.keys(await import(`../dist/cjs/${file}.cjs`))
  report(
    `threads find dist/cjs/${file}.cjs`,
    found.includes(needed) ? [] : [`${needed} is not among ${found.join(', ')}`],
  )
}
const script = readFileSync(join('dist', GLOBAL), 'utf8')
const inPage = runInNewContext(`${script}; myelin`, { WebAssembly, performance, atob })
report(
  'the script for pages',
  [
    ...Object.keys(await import(entries.get(manifest.name))),
    ...parts.map((name) => name.slice(manifest.name.length + 1)),
  ]
    .filter((name) => !(name in inPage))
    .map((name) => `myelin.${name} is missing`),
  `${kilobytes(gzipped(script))} gzipped, ${Object.keys(inPage).length} names`,
)
/** What goes wrong where models do not have the loader of files: models/file-loader.ts. */
function withoutLoader({ Sequential, Dense }) {
  try {
    Sequential.fromConfig(new Sequential([new Dense({ units: 1, inputShape: [2] })]).getConfig())
    return []
  } catch (error) {
    return [error.message]
  }
}
for (const [name, of] of Object.entries({
  'dist/deno.js': await import('../dist/deno.js'),
  'dist/react-native.js': await import('../dist/react-native.js'),
  'dist/node.js': await import('../dist/node.js'),
}))
  report(`models of ${name} know all classes`, withoutLoader(of))
const forWorkers = readFileSync('dist/workerd.js', 'utf8')
report(
  'the entry for workerd imports every kernel',
  readdirSync('dist/kernels')
    .filter((name) => !forWorkers.includes(`"./kernels/${name}"`))
    .map((name) => `dist/workerd.js does not import ${name}`),
)

for (const name of entries.keys()) {
  const names = Object.keys(await import(name))
  report(`${name} loads in Node`, names.length > 0 ? [] : ['exports nothing'], `${names.length} exports`)
}
const [forAll, forNode] = await Promise.all([import('../dist/index.js'), import('../dist/node.js')])
const differing = Object.keys({ ...forAll, ...forNode }).filter((name) => forAll[name] !== forNode[name])
report(
  'the entry for Node is the default one, with kernels from files',
  [
    ...differing.map((name) => `${name} differs`),
    ...readdirSync('build')
      .map((name) => /^simd\.(\w+)\.wasm$/.exec(name)?.[1])
      .filter((name) => name !== undefined && !files.some(({ path }) => path === `dist/kernels/${name}.wasm`))
      .map((name) => `dist/kernels/${name}.wasm is not in the package`),
  ],
  `${Object.keys(forNode).length} names`,
)
const untyped = parts
  .map((name) => name.slice(manifest.name.length + 1))
  .filter((name) => manifest.typesVersions?.['*']?.[name] === undefined)
report(
  'sub-paths have types for tools that do not read exports',
  untyped.map((name) => `typesVersions of package.json lacks ${name}`),
)
// The first condition that applies counts. A CommonJS file would be a second copy of the library.
const otherwise = Object.entries(manifest.exports).filter(
  ([, to]) => typeof to === 'object' && Object.keys(to).find((condition) => condition !== 'types') !== 'react-native',
)
report(
  'all paths are modules in React Native, also below require',
  otherwise.map(([path]) => `'react-native' is not the first condition of ${path}`),
)

console.log(failures === 0 ? 'package: all checks passed' : `package: ${failures} failed`)
process.exitCode = failures === 0 ? 0 : 1
