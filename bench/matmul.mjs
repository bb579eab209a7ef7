// Times products on the tape and the micro-kernel that does their work, called directly with panels in the first-level
// cache. For other operations see index.mjs.
//
//   node bench/matmul.mjs            plain and relaxed SIMD, and turbo from Node 24 on; writes results/matmul.json and
//                                    the table in README.md; NODE_BINARIES adds other versions of Node
//   node bench/matmul.mjs --quick    one short pass; prints only
//   node bench/matmul.mjs --simd plain --only 784     prints only
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { instantiateKernels } from './internals.mjs'
import { loadBuilt, machineLine, measureInEachNode, nodeTitle, publish } from './machine.mjs'
import { interleave, median, ratio } from './peers/measure.mjs'
import { productsOf } from './products.mjs'
import { table } from './report.mjs'

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    simd: { type: 'string' },
    rounds: { type: 'string', default: '9' },
    'sample-ms': { type: 'string', default: '60' },
    'warm-up-ms': { type: 'string', default: '300' },
  },
})
const timing = options.quick
  ? { rounds: 3, warmUpMs: 60, sampleMs: 20 }
  : { rounds: Number(options.rounds), warmUpMs: Number(options['warm-up-ms']), sampleMs: Number(options['sample-ms']) }

const major = Number(process.versions.node.split('.')[0])
// Node 20 has relaxed SIMD behind a flag.
if (major < 21) setFlagsFromString('--experimental-wasm-relaxed-simd')

const myelin = await loadBuilt()
const { configure, runtimeInfo } = myelin

const square = (n, products = 1) => ({ name: `${n}×${n}×${n}`, m: n, k: n, n, products })
/**
 * lhs [m,k] · rhs [k,n]. Small products are repeated on one tape, with different operands, so that the time is that of
 * the instruction and not of the call from JavaScript.
 */
const shapes = [
  square(8, 16),
  square(16, 16),
  square(32, 4),
  square(64),
  square(128),
  square(256),
  square(512),
  square(1024),
  // odd sizes, each after its even neighbour
  { name: '8×14×6', m: 8, k: 14, n: 6, products: 16 },
  { name: '7×13×5', m: 7, k: 13, n: 5, products: 16, neighbour: '8×14×6' },
  { name: '2×784×128', m: 2, k: 784, n: 128, products: 1 },
  { name: '1×784×128', m: 1, k: 784, n: 128, products: 1, neighbour: '2×784×128' },
  { name: '34×66×128', m: 34, k: 66, n: 128, products: 1 },
  { name: '33×65×127', m: 33, k: 65, n: 127, products: 1, neighbour: '34×66×128' },
  { name: 'x·W 128×784×128', m: 128, k: 784, n: 128, products: 1 },
  { name: 'xᵀ·dy 784×128×128', m: 784, k: 128, n: 128, products: 1, transposeLhs: true },
  { name: 'dy·Wᵀ 128×128×784', m: 128, k: 128, n: 784, products: 1, transposeRhs: true },
].filter(({ name }) => name.includes(options.only))
if (shapes.length === 0) throw new Error(`--only ${options.only}: no product has this in its name`)

const levels = options.simd === undefined ? ['plain', 'relaxed', ...(major >= 24 ? ['turbo'] : [])] : [options.simd]
/** turbo is the relaxed binary in an engine that pairs vectors. */
const settingsOf = (level) => ({ simd: level === 'turbo' ? 'relaxed' : level, turbo: level === 'turbo', threads: 1 })

const { content, productProgram } = productsOf(myelin)

const PEAK = { rows: 96, k: 256 }

/**
 * The widest tile that the level uses, on panels that fit into 32 kB: 4 × 8, or 6 × 16 where vectors are paired. All
 * products on the tape are measured by it. @returns {{ call: () => void, flops: number }}
 */
function microKernel(level) {
  const { memory, exports } = kernelsOf(level)
  const { rows, k } = PEAK
  const [height, width] = level === 'turbo' ? [6, 16] : [4, 8]
  // bytes: lhs panel [k,height], rhs panels [k,8], a row of zeros, out [rows,width]
  const lhs = 1024
  const rhs = lhs + 4 * height * k
  const zeros = rhs + 4 * width * k
  const out = zeros + 1024
  const panel = (address, length, phase) => new Float32Array(memory.buffer, address, length).set(content(length, phase))
  panel(lhs, height * k, 0)
  panel(rhs, width * k, 0.5)
  // The same rows of lhs every time: a step of 0 to the next panel.
  const call =
    level === 'turbo'
      ? () => exports.gemm_6x16_columns_f32(out, 64, lhs, 24, 0, rhs, 32, 32 * k, rows, k, zeros, 0, -Infinity)
      : () => exports.gemm_4x8_columns_f32(out, 32, 64, lhs, 16, 0, rhs, 32, rows, k, 8, zeros, 0, 0, -Infinity)
  call()
  const view = new Float32Array(memory.buffer)
  for (const [i, j] of [
    [0, 0],
    [3, width - 1],
    [rows - 2, 5],
  ]) {
    let sum = 0
    for (let p = 0; p < k; p++) {
      sum += view[lhs / 4 + height * p + (i % height)] * view[rhs / 4 + 8 * (k * Math.floor(j / 8) + p) + (j % 8)]
    }
    const received = view[out / 4 + width * i + j]
    if (!(Math.abs(received - sum) < 1e-3))
      throw new Error(`the micro-kernel's element [${i}, ${j}] must be ${sum}, received ${received}`)
  }
  return { call, flops: 2 * rows * width * k }
}

/** The kernels as the level runs them; for turbo, compiled by the library after V8's flag is set. */
function kernelsOf(level) {
  if (level !== 'turbo') return instantiateKernels(level)
  configure(settingsOf(level))
  const { turbo, turboNote } = runtimeInfo()
  if (!turbo) throw new Error(`turbo: ${turboNote}. --simd plain or --simd relaxed measures the others`)
  return instantiateKernels('relaxed')
}

async function measure() {
  // turbo last: its flag applies to every module compiled afterwards.
  const peaks = new Map(levels.map((level) => [level, { ...microKernel(level), rates: [] }]))
  const rows = []
  for (const shape of shapes) {
    const { name, m, k, n, products } = shape
    // The peak is measured again with every product, so that a disturbance affects both.
    const contenders = levels.flatMap((level) => {
      configure(settingsOf(level))
      return [
        { name: `${level} peak`, call: peaks.get(level).call },
        { name: level, ...productProgram(shape) },
      ]
    })
    const samples = await interleave(contenders, timing)
    const row = { name, m, k, n, productsPerRun: products }
    for (const level of levels) {
      // m·n sums of k products each
      const rates = samples.get(level).map((ms) => (2 * m * k * n * products) / ms / 1e6)
      const peakRates = samples.get(`${level} peak`).map((ms) => peaks.get(level).flops / ms / 1e6)
      peaks.get(level).rates.push(...peakRates)
      row[level] = {
        medianMs: median(samples.get(level)) / products,
        gflops: median(rates),
        ofPeak: ratio(rates, peakRates),
        roundsGflops: rates,
        roundsPeakGflops: peakRates,
      }
      const neighbour = rows.find((other) => other.name === shape.neighbour)
      if (neighbour !== undefined) row[level].ofNeighbour = row[level].ofPeak / neighbour[level].ofPeak
    }
    rows.push(row)
    console.error(
      `${name}: ${levels.map((level) => `${level} ${row[level].gflops.toFixed(1)} GFLOP/s, ${row[level].ofPeak.toFixed(2)} of the peak`).join('; ')}`,
    )
  }
  return {
    rounds: timing.rounds,
    peakGflops: Object.fromEntries(levels.map((level) => [level, median(peaks.get(level).rates)])),
    rows,
  }
}

const report = await measureInEachNode(import.meta.url, measure)
const columns = report.runs.flatMap((run) => Object.keys(run.peakGflops).map((level) => ({ run, level })))
const cell = ({ gflops, ofPeak, ofNeighbour }) =>
  `${gflops.toFixed(1)} (${ofPeak.toFixed(2)})${ofNeighbour === undefined ? '' : ` ${ofNeighbour.toFixed(2)}×`}`
const markdown = [
  table(
    ['GFLOP/s (of the peak)', ...columns.map(({ run, level }) => `${nodeTitle(run)}, ${level}`)],
    [
      ...shapes.map(({ name, neighbour }, i) => [
        neighbour === undefined ? name : `${name}, beside ${neighbour}`,
        ...columns.map(({ run, level }) => cell(run.rows[i][level])),
      ]),
      ['micro-kernel, in the first-level cache', ...columns.map(({ run, level }) => run.peakGflops[level].toFixed(1))],
    ],
  ),
  '',
  `Medians of ${timing.rounds} interleaved rounds; one thread. Odd sizes: × is their rate as a multiple of the even neighbour's. ${machineLine(report)}`,
].join('\n')
console.log(markdown)
if (!options.quick && options.only === '' && options.simd === undefined) publish('matmul', report, markdown)
