// Measures myelin/webgpu beside TensorFlow.js and jax-js on the same GPU, and beside its own WebAssembly: products, training steps and
// predictions. Counts the calls of WebGPU of each library for one step. Needs `npm run build` and `npm ci --prefix bench/peers`.
//
//   node bench/webgpu.mjs                    times and counts; prints only. With a software adapter: as --counts
//   node bench/webgpu.mjs --counts           small batches, and only the counts; writes the table in docs/webgpu.md
//   node bench/webgpu.mjs --rows mlp,gpt2    some of the rows; prints only
//   node bench/webgpu.mjs --only gpu,jax     some of the libraries: gpu, wasm, tfjs, jax; prints only
//   node bench/webgpu.mjs --rounds 9 --sample-ms 500 --warm-up-ms 2000
//   node bench/webgpu.mjs --quick            one short round; prints only
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { parseArgs } from 'node:util'
import { create, globals } from 'webgpu'
import { describeMachine, machineLine, warnIfBusy } from './machine.mjs'
import { interleave, median } from './peers/measure.mjs'
import { replaceTable, table } from './report.mjs'
import { countCalls } from './webgpu/counts.mjs'
import { measuredLimits } from './webgpu/limits.mjs'
import { flopsOf, myelinAdapter } from './webgpu/myelin.mjs'
import {
  adapterLines,
  aboutCounts,
  aboutTimes,
  countsTable,
  limitsLine,
  request,
  timesTable,
  whyLines,
} from './webgpu/report.mjs'
import { placesOfAuto, useDevice } from './webgpu/places.mjs'
import { CALLS, countedRow, preparedRow, rows } from './webgpu/rows.mjs'

const { values: options } = parseArgs({
  options: {
    counts: { type: 'boolean', default: false },
    rows: { type: 'string' },
    only: { type: 'string' },
    rounds: { type: 'string', default: '7' },
    'sample-ms': { type: 'string', default: '300' },
    'warm-up-ms': { type: 'string', default: '1000' },
    quick: { type: 'boolean', default: false },
  },
})
const timing = options.quick
  ? { rounds: 1, warmUpMs: 1, sampleMs: 1 }
  : { rounds: Number(options.rounds), warmUpMs: Number(options['warm-up-ms']), sampleMs: Number(options['sample-ms']) }
/** What --counts measures: one product stands for all. */
const COUNTED_ROWS = Object.keys(rows).filter((id) => rows[id].n === undefined || id === 'product-256')
/** The largest difference of predictions before training, and of sums of products, as a part of the largest number. */
const TOLERANCE = 1e-3
const DOCUMENT = new URL('../docs/webgpu.md', import.meta.url)
const SOFTWARE = ['/usr/lib/chromium/vk_swiftshader_icd.json', '/opt/google/chrome/vk_swiftshader_icd.json']

const require = createRequire(import.meta.url)
const myelin = await import('../dist/node.js')
const { ledger } = await import('../dist/thrift.js')
const { useWebGPU } = await import('../dist/webgpu.js')
const { bugs, version } = require('../package.json')

function choose(flag, text, known) {
  const chosen = text?.split(',') ?? known
  const unknown = chosen.filter((name) => !known.includes(name))
  if (unknown.length > 0) throw new Error(`${flag} knows ${known.join(', ')}; received ${unknown.join(', ')}`)
  return chosen
}

/** Puts WebGPU where pages have it: navigator.gpu, and its classes as globals. Dawn ends the process if the entry is collected. */
async function provideWebGpu() {
  Object.assign(globalThis, globals)
  let gpu = create([])
  let adapter = await gpu.requestAdapter()
  const software = SOFTWARE.find((path) => existsSync(path))
  if (adapter === null && software !== undefined) {
    process.env.VK_ICD_FILENAMES ??= software
    gpu = create([])
    adapter = await gpu.requestAdapter()
  }
  if (adapter === null)
    throw new Error('WebGPU finds no adapter. Debian: install a Vulkan driver, or chromium and libvulkan1')
  const navigator = globalThis.navigator ?? { userAgent: `Node ${process.version}` }
  Object.defineProperty(navigator, 'gpu', { value: gpu })
  Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true })
  return adapter
}

const versionOf = (name, folder = './peers/node_modules') =>
  JSON.parse(readFileSync(new URL(`${folder}/${name}/package.json`, import.meta.url), 'utf8')).version

/** The libraries that take part. Two builds of myelin are two instances: one uses the GPU, the other WebAssembly. */
async function loadLibraries(names) {
  const load = {
    gpu: () => ({ title: 'myelin', version, adapter: myelinAdapter(myelin) }),
    wasm: () => ({ title: 'myelin, wasm', version, adapter: myelinAdapter(require('../dist/cjs/node.cjs')) }),
    tfjs: () => loadPeer('tfjs'),
    jax: () => loadPeer('jax'),
  }
  const libraries = []
  for (const name of names) libraries.push({ name, ...(await load[name]()) })
  return libraries
}

async function loadPeer(name) {
  const { onWebGpu: adapter } = await import(`./peers/adapters/${name}.mjs`)
  await adapter.load()
  return { title: adapter.title, version: versionOf(adapter.package), adapter }
}

/** The numbers of a row: one result for each call. */
async function measureRow(id, libraries, counter, isCounted) {
  const prepared = preparedRow(id, { isCounted })
  const { use, end } = await useDevice(useWebGPU, 'always')
  const built = []
  const failures = {}
  for (const { name, adapter } of libraries) {
    console.error(`  ${name}`)
    try {
      built.push({ name, ...(await countedRow(adapter, prepared, counter)) })
    } catch (error) {
      failures[name] = { why: firstLine(error) }
    }
  }
  for (const { why, device } of use.programs)
    if (device !== 'gpu') console.error(`  gpu: a program stays on the CPU: ${why}`)
  const results = []
  for (const call of CALLS.filter((each) => built.some(({ calls }) => each in calls))) {
    const differs = differencesOf(built, call)
    const measured = { ...failures, ...differs }
    const present = built.filter(({ name }) => measured[name] === undefined)
    for (const { name, counts } of present) measured[name] = name === 'wasm' ? {} : { counts: counts[call] }
    if (!isCounted) for (const [name, ms] of await timesOf(present, call)) measured[name].ms = ms
    results.push({
      id,
      call,
      flops: flopsOf({ myelin, ledger }, prepared, call),
      libraries: measured,
    })
  }
  for (const each of built) each.dispose()
  end()
  const own = libraries.find(({ name }) => name === 'gpu')
  const places = isCounted || own === undefined ? {} : await placesOfAuto(useWebGPU, own.adapter, prepared)
  return results.map((result) => ({ ...result, auto: places[result.call] ?? null }))
}

/** The libraries whose predictions or products are not those of the first. */
function differencesOf(built, call) {
  const kind = call === 'train' ? 'predict' : call
  const numbersOf = ({ answers }) => (typeof answers[kind] === 'number' ? [answers[kind]] : Array.from(answers[kind]))
  const [first, ...others] = built
  if (first === undefined) return {}
  const expected = numbersOf(first)
  const largest = expected.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
  return Object.fromEntries(
    others.flatMap((each) => {
      const numbers = numbersOf(each)
      const most = expected.reduce((sum, x, i) => Math.max(sum, Math.abs(x - numbers[i])), 0)
      return most <= TOLERANCE * largest ? [] : [[each.name, { why: `its numbers differ by ${most.toExponential(1)}` }]]
    }),
  )
}

/** Medians in milliseconds of one step, prediction or product. */
async function timesOf(present, call) {
  const samples = await interleave(
    present.map(({ name, calls }) => ({ name, call: calls[call].call })),
    timing,
  )
  return present.map(({ name, calls }) => [name, median(samples.get(name)) / calls[call].units])
}

const firstLine = (error) =>
  String(error?.message ?? error)
    .split('\n')[0]
    .slice(0, 120)

const adapter = await provideWebGpu()
const { note, isAvailable } = await useWebGPU({ gpu: navigator.gpu }).then((use) => (use.stop(), use))
const isCounted = options.counts || !isAvailable
const chosen = choose('--rows', options.rows, isCounted ? COUNTED_ROWS : Object.keys(rows))
const libraries = await loadLibraries(
  choose('--only', options.only, isCounted ? ['gpu', 'tfjs', 'jax'] : ['gpu', 'wasm', 'tfjs', 'jax']),
)
const machine = describeMachine()
if (!isCounted) warnIfBusy(machine)
const limits = isCounted ? null : await measuredLimits(await adapter.requestDevice())
const counter = countCalls(globalThis)

const results = []
for (const id of chosen) {
  console.error(rows[id].title)
  results.push(...(await measureRow(id, libraries, counter, isCounted)))
}

const versions = libraries.map(({ title, version: of }) => `${title} ${of}`).join(', ')
const dawn = `Dawn of webgpu ${versionOf('webgpu', '../node_modules')}`
const counts = [
  aboutCounts(libraries),
  '',
  table(...countsTable(results, libraries)),
  ...whyLines(results, libraries),
  '',
]
const place = `${versions}; ${dawn} on ${adapter.info.description || adapter.info.vendor}, ${machine.platform}, Node ${machine.node}, ${new Date().toISOString().slice(0, 10)}.`

if (isCounted) {
  const markdown = [...counts, `Batches of 2, and smaller residual blocks and GPTs. ${place}`].join('\n')
  console.log(markdown)
  if (!isAvailable) console.log(`\nOnly counts: ${note}, so times would mean nothing.`)
  if (options.rows === undefined && options.only === undefined) replaceTable(DOCUMENT, 'webgpu-counts', markdown)
} else {
  console.log(
    [
      '## myelin on a GPU',
      '',
      ...adapterLines(adapter),
      limitsLine(limits),
      `- ${place}`,
      `- ${machineLine(machine)}`,
      '',
      table(...timesTable(results, libraries, limits)),
      '',
      aboutTimes(timing.rounds),
      '',
      ...counts,
      request(bugs),
    ].join('\n'),
  )
}
process.exit()
