// Guards the speed of the hot loops without measuring time: checks the machine code that V8 generates. What no machine code
// shows is guarded by ratios of times in one process, which hold on a busy machine: of generation.mjs, vanishing.mjs and rows.mjs, and
// of images.mjs, which compares with Node's zlib, if the package is built.
//
//   node bench/guard.mjs             this Node, and the ones in NODE_BINARIES (paths, separated by commas)
//   node bench/guard.mjs --update    writes the counts of this engine into guard.json: review the difference
//   node bench/guard.mjs --print gemm_4x8_rows_f32    the loop itself
//
// For each kernel of guard.json it finds the innermost loop and counts, per step of the loop as it was written:
// instructions, accesses of the stack, and vectors among these. V8 may unroll a loop: the kernel's arithmetic
// gives the number of steps per iteration. Exits with 1 when a count is above its limit, or a kernel is no longer a
// separate function. The code depends on the engine and on the CPU, so limits are kept by V8 version, for x64.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { slowImages } from './images.mjs'
import { instantiateKernels, kernelBinaries } from './internals.mjs'
import { table } from './report.mjs'

const file = new URL('guard.json', import.meta.url)
const guard = JSON.parse(readFileSync(file, 'utf8'))
/** turbo is the relaxed binary in an engine that pairs vectors. */
const LEVELS = ['plain', 'relaxed', 'turbo']
/** The first version of Node with that. */
const PAIRS_VECTORS = 24

const { values: options } = parseArgs({
  options: {
    update: { type: 'boolean', default: false },
    print: { type: 'string' },
    /** Internal: the SIMD level to compile, with the flags that print the code. */
    child: { type: 'string' },
    /** Internal: the binary to compile. Each binary numbers its functions from 0. */
    binary: { type: 'string' },
  },
})

if (options.child !== undefined) {
  const { exports } = instantiateKernels(options.child === 'turbo' ? 'relaxed' : options.child, [options.binary])
  console.log(
    JSON.stringify({
      v8: process.versions.v8,
      exports: Object.entries(exports).flatMap(([name, value]) =>
        typeof value === 'function' ? [[name, Number(value.name)]] : [],
      ),
    }),
  )
  process.exit()
}

/** All optimised functions in one engine: name → instructions { at, text, jump? }. */
function compileAll(node, major, level) {
  const compiled = kernelBinaries().map((binary) => compile(node, major, level, binary))
  return { v8: compiled[0].v8, functions: new Map(compiled.flatMap(({ functions }) => [...functions])) }
}

function compile(node, major, level, binary) {
  const flags = ['--no-liftoff', '--no-wasm-lazy-compilation', '--no-wasm-tier-up', '--print-wasm-code']
  if (major < 21) flags.push('--experimental-wasm-relaxed-simd')
  if (level === 'turbo') flags.push('--experimental-wasm-revectorize')
  const output = execFileSync(node, [...flags, fileURLToPath(import.meta.url), '--child', level, '--binary', binary], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  const { v8, exports } = JSON.parse(output.split('\n').findLast((line) => line.startsWith('{"v8"')))
  const bodies = new Map()
  for (const part of output.split('--- WebAssembly code ---').slice(1)) {
    const index = /^index: (\d+)/m.exec(part)
    if (index === null || !/^compiler: Turbo/m.test(part)) continue
    const lines = part.slice(part.indexOf('Instructions (size')).split('\n')
    // 0x1273a4530340     0  55                   push rbp        <+0x…> after jumps: the offset of the target
    const instructions = []
    for (const line of lines.slice(1)) {
      const match = /^0x[0-9a-f]+ +([0-9a-f]+) {2}[0-9a-f]+ +(.*)$/.exec(line)
      if (match === null) break
      const target = /^j\w+ .*<\+0x([0-9a-f]+)>/.exec(match[2])
      instructions.push({ at: parseInt(match[1], 16), text: match[2], jump: target && parseInt(target[1], 16) })
    }
    bodies.set(Number(index[1]), instructions)
  }
  return {
    v8,
    functions: new Map(
      exports.map(([name, index]) => [name, bodies.get(index)]).filter(([, body]) => body !== undefined),
    ),
  }
}

/**
 * The shortest loop that contains the kernel's arithmetic: from the target of a backward jump to that jump. Code after
 * the function's end that jumps back does not count.
 */
function innermostLoop(instructions, isArithmetic) {
  let shortest = null
  for (const [end, { at, jump }] of instructions.entries()) {
    if (jump === null || jump > at) continue
    const body = instructions.slice(
      instructions.findIndex((other) => other.at === jump),
      end + 1,
    )
    if (body.some(({ text }) => text.startsWith('ret'))) continue
    if (body.some(isArithmetic) && (shortest === null || body.length < shortest.length)) shortest = body
  }
  return shortest
}

function count(instructions, { arithmetic, perStep }) {
  const pattern = new RegExp(`^(${arithmetic})\\b`)
  const isArithmetic = ({ text }) => pattern.test(text)
  const loop = innermostLoop(instructions, isArithmetic)
  if (loop === null) return null
  const body = loop.filter(({ text }) => !text.startsWith('nop'))
  const onStack = body.filter(({ text }) => /\[r[bs]p[+-]/.test(text))
  const steps = body.filter(isArithmetic).length / perStep
  return {
    loop,
    steps,
    instructions: body.length / steps,
    stack: onStack.length / steps,
    vectorsOnStack: onStack.filter(({ text }) => /[xy]mm\d/.test(text)).length / steps,
  }
}

if (process.arch !== 'x64') {
  console.log(`guard: supports x64 only, not ${process.arch}; nothing was checked`)
  process.exit()
}

/** Programs that fail if a ratio of times is beyond its limit, and what is slow then. */
const RATIOS = [
  ['vanishing', 'steps with numbers that vanish are slower than with normal ones'],
  ['rows', 'products of few rows are slower than those of many'],
]
const COUNTS = ['instructions', 'stack', 'vectorsOnStack']
const failures = []
const rows = []
const nodes = [process.execPath, ...(process.env.NODE_BINARIES?.split(',').filter(Boolean) ?? [])]
for (const node of nodes) {
  const major = Number(execFileSync(node, ['--version'], { encoding: 'utf8' }).slice(1).split('.')[0])
  for (const level of LEVELS) {
    if (level === 'turbo' && major < PAIRS_VECTORS) continue
    const { v8, functions } = compileAll(node, major, level)
    const engine = v8.split('.').slice(0, 2).join('.')
    for (const [name, kernel] of Object.entries(guard.kernels)) {
      if (!(kernel.levels ?? ['plain', 'relaxed']).includes(level)) continue
      const body = functions.get(name)
      if (body === undefined) {
        failures.push(`${name} (${level}, V8 ${engine}): is no longer an exported function with separate code`)
        continue
      }
      const found = count(body, kernel)
      if (found === null || !Number.isInteger(found.steps)) {
        failures.push(
          `${name} (${level}, V8 ${engine}): no loop with a multiple of ${kernel.perStep} × ${kernel.arithmetic}`,
        )
        continue
      }
      if (options.print === name)
        console.log([`${name} (${level}, V8 ${v8})`, ...found.loop.map(({ text }) => `  ${text}`)].join('\n'))
      if (options.update) {
        const limits = ((guard.limits[engine] ??= {})[level] ??= {})
        limits[name] = Object.fromEntries(COUNTS.map((key) => [key, Math.ceil(100 * found[key]) / 100]))
      }
      const limit = guard.limits[engine]?.[level]?.[name]
      for (const key of COUNTS) {
        if (limit !== undefined && found[key] > limit[key]) {
          failures.push(
            `${name} (${level}, V8 ${engine}): ${found[key]} ${key} per step, at most ${limit[key]} expected. See --print ${name}`,
          )
        }
      }
      const beside = (key) => `${Number(found[key].toFixed(2))}${limit === undefined ? '' : ` ≤ ${limit[key]}`}`
      rows.push([`${name}, ${level}, V8 ${engine}`, ...COUNTS.map(beside), String(found.steps)])
    }
    if (guard.limits[engine] === undefined)
      console.error(`guard: no limits are known for V8 ${engine}; counts were only printed`)
  }
}
/** The time of generate's first token, as a multiple of one prediction of its prompt. */
const FIRST_TOKEN_LIMIT = 3
const ratios = []
if (options.print === undefined && !options.update) {
  const program = fileURLToPath(new URL('generation.mjs', import.meta.url))
  for (const node of nodes) {
    const { ratio } = JSON.parse(execFileSync(node, [program, '--json'], { encoding: 'utf8' }))
    ratios.push(['first token / prediction of its prompt', `${ratio.toFixed(2)} ≤ ${FIRST_TOKEN_LIMIT}`])
    if (ratio > FIRST_TOKEN_LIMIT)
      failures.push(
        `generate (${node}): the first token takes ${ratio.toFixed(2)} times as long as one prediction of its prompt, at most ${FIRST_TOKEN_LIMIT} expected. See bench/generation.mjs`,
      )
  }
}
if (ratios.length > 0) console.log(table(['', 'ratio'], ratios))
if (options.print === undefined)
  console.log(table(['', 'instructions per step', 'on the stack', 'vectors among them', 'steps per iteration'], rows))
if (options.print === undefined && existsSync(new URL('../dist/data.js', import.meta.url)))
  failures.push(...(await slowImages()))
if (options.update) writeFileSync(file, `${JSON.stringify(guard, null, 2)}\n`)
if (options.print === undefined && !options.update) {
  for (const [name, what] of RATIOS) {
    const program = fileURLToPath(new URL(`${name}.mjs`, import.meta.url))
    // In this Node alone: the machine code of the others is counted above.
    const env = { ...process.env, NODE_BINARIES: '' }
    const { status } = spawnSync(process.execPath, [program, '--quick'], { stdio: 'inherit', env })
    if (status !== 0) failures.push(`${what}: see bench/${name}.mjs`)
  }
}
for (const failure of failures) console.error(`error: ${failure}`)
process.exit(failures.length === 0 ? 0 : 1)
