// Engines of apps, which have no WebAssembly and few globals: QuickJS as it is, and Hermes after what Metro does to a program: the
// conditions of React Native, and its Babel preset. The program of Hermes is that of React Native 0.70, the newest that is a package.
import { spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Skipped, asModule, folder, found, output, root, tool, version } from '../kit.mjs'

const WARNING = 'This JavaScript engine has no WebAssembly with SIMD'

/** What React Native provides, and these programs do not. */
const PRELUDE = `
globalThis.console = { log: print, warn: print, error: print, info: print };
if (typeof setTimeout !== 'function') globalThis.setTimeout = function (body) { Promise.resolve().then(body) };
if (!Symbol.asyncIterator) Object.defineProperty(Symbol, 'asyncIterator', { value: Symbol('Symbol.asyncIterator') });
[Array, Int8Array, Uint8Array, Int32Array, Float32Array, Float64Array].forEach(function (each) {
  if (!each.prototype.at)
    Object.defineProperty(each.prototype, 'at', { value: function (i) { return this[i < 0 ? this.length + i : i] } });
});
if (!Promise.allSettled)
  Promise.allSettled = function (all) {
    return Promise.all(Array.from(all).map(function (each) {
      return Promise.resolve(each).then(
        function (value) { return { status: 'fulfilled', value: value } },
        function (reason) { return { status: 'rejected', reason: reason } },
      )
    }))
  };
`

const main = `start().then((found) => print('started: ' + found), (error) => print(String((error && error.stack) || error)))\n`

/** A script of all that the program needs, with the entry of React Native. */
async function bundle(cwd) {
  const { build } = await tool('esbuild')
  const { outputFiles } = await build({
    entryPoints: [join(cwd, 'program.js')],
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['react-native'],
    target: 'es2022',
    logLevel: 'error',
    logOverride: { 'empty-import-meta': 'silent' },
  })
  return outputFiles[0].text
}

/** The result, after one warning. */
function foundWithWarning(text) {
  const warnings = text.split(WARNING).length - 1
  if (warnings !== 1) throw new Error(`expected one warning, received ${warnings}: ${text.slice(-3000)}`)
  return found(text)
}

async function inQuickJs() {
  const cwd = folder('quickjs', { 'program.js': asModule() + main })
  const code = PRELUDE + (await bundle(cwd))
  const { getQuickJS } = await tool('quickjs-emscripten')
  const runtime = (await getQuickJS()).newRuntime()
  const context = runtime.newContext()
  let text = ''
  const print = context.newFunction('print', (...parts) => {
    text += `${parts.map((part) => String(context.dump(part))).join(' ')}\n`
  })
  context.setProp(context.global, 'print', print)
  for (const { error } of [context.evalCode(code), runtime.executePendingJobs()])
    if (error !== undefined) throw new Error(JSON.stringify(context.dump(error)))
  return { version: version('quickjs-emscripten'), result: foundWithWarning(text) }
}

async function inHermes() {
  const hermes = join(root, 'node_modules/hermes-engine-cli/linux64-bin/hermes')
  if (process.platform !== 'linux' || !existsSync(hermes)) throw new Skipped('no program of Hermes for this system')
  // It is dynamically linked.
  if (spawnSync(hermes, ['--version']).status !== 0) throw new Skipped('the program of Hermes does not start here')
  const cwd = folder('hermes', { 'program.js': asModule() + main })
  const { default: babel } = await tool('@babel/core')
  const { code } = await babel.transformAsync(await bundle(cwd), {
    presets: [['@react-native/babel-preset', { enableBabelRuntime: false }]],
    babelrc: false,
    configFile: false,
    compact: true,
    cwd: root,
    filename: join(root, 'hermes.js'),
    sourceType: 'script',
  })
  // This program reads no import(); bundlers for React Native replace it.
  writeFileSync(join(cwd, 'out.js'), (PRELUDE + code).replace(/\bimport\(/g, 'Promise.reject('))
  const text = await output(hermes, ['-w', 'out.js'], { cwd })
  return { version: version('hermes-engine-cli'), result: foundWithWarning(text) }
}

export default [
  { name: 'quickjs', run: inQuickJs },
  { name: 'hermes', run: inHermes },
]
