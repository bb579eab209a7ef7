// Times products of a layer with few rows: x·W, xᵀ·g and g·Wᵀ for batches of 1 to 128, as a share of the speed per row that
// the largest batch reaches. Exits with 1 if a share is below its goal.
//
//   node bench/rows.mjs            writes results/rows.json and the table in README.md; NODE_BINARIES adds other versions of Node
//   node bench/rows.mjs --quick    four layers, three batches; prints only
import { parseArgs } from 'node:util'
import { loadBuilt, machineLine, measureInEachNode, nodeTitle, publish } from './machine.mjs'
import { cpuTime, interleave } from './peers/measure.mjs'
import { productsOf } from './products.mjs'
import { table } from './report.mjs'

const { values: options } = parseArgs({ options: { quick: { type: 'boolean', default: false } } })
// The minimum of the CPU time over all rounds, so that shares are valid on a busy machine.
const timing = { clock: cpuTime, rounds: options.quick ? 7 : 15, warmUpMs: 30, sampleMs: options.quick ? 15 : 30 }

const myelin = await loadBuilt()
const { productProgram } = productsOf(myelin)
myelin.configure({ threads: 1 })

/** Inputs and units of a layer. Rows of 1024 and 4096 numbers lie a multiple of 4 kB apart, those of 1000 do not. */
const LAYERS = options.quick
  ? [
      [1024, 1000],
      [1024, 1024],
      [768, 3072],
      [4096, 1024],
    ]
  : [
      [64, 64],
      [256, 256],
      [784, 128],
      [512, 512],
      [1000, 1000],
      [1024, 1000],
      [1024, 1024],
      [1100, 1100],
      [768, 3072],
      [784, 2048],
      [3072, 768],
      [2048, 2048],
      [4096, 1024],
      [4096, 4096],
    ]
const BATCHES = options.quick ? [4, 16, 128] : [1, 2, 4, 8, 12, 16, 24, 32, 40, 64, 128]

/** The least share for batches from `from` on. With fewer rows a product is limited by reading its weights. */
const GOALS = [
  { from: 16, share: 0.65 },
  { from: 4, share: 0.4 },
]
// The goals hold on Intel's Xeon. AMD's EPYC multiplies many rows faster and reads weights as fast, so its shares are lower: 0.44
// for 16 rows of 4096→1024. A short pass, which runs on every machine, only finds products that have lost their sweeps: 0.2.
const leniency = options.quick ? 0.55 : 1
const goalOf = (batch) => leniency * (GOALS.find(({ from }) => batch >= from)?.share ?? 0)

const PRODUCTS = {
  x·W: (batch, inputs, units) => ({ m: batch, k: inputs, n: units }),
  xᵀ·g: (batch, inputs, units) => ({ m: inputs, k: batch, n: units, transposeLhs: true }),
  g·Wᵀ: (batch, inputs, units) => ({ m: batch, k: units, n: inputs, transposeRhs: true }),
}

/** How often a product is measured until its shares reach their goals: other processes may take the caches meanwhile. */
const ATTEMPTS = options.quick ? 3 : 1

async function measure() {
  const rows = []
  for (const [inputs, units] of LAYERS) {
    for (const name of Object.keys(PRODUCTS)) {
      let row = await measureProduct(name, inputs, units)
      for (let attempt = 1; attempt < ATTEMPTS && misses(row).length > 0; attempt++) {
        row = await measureProduct(name, inputs, units)
      }
      rows.push(row)
    }
  }
  return { rows }
}

async function measureProduct(name, inputs, units) {
  const shapes = BATCHES.map((batch) => ({
    ...PRODUCTS[name](batch, inputs, units),
    name: `${name} ${batch}×${inputs}×${units}`,
    products: 1,
  }))
  const samples = await interleave(
    shapes.map((shape) => ({ name: shape.name, ...productProgram(shape) })),
    timing,
  )
  const gflops = shapes.map(({ name: each, m, k, n }) => (2 * m * k * n) / Math.min(...samples.get(each)) / 1e6)
  return { name, inputs, units, gflops, shares: gflops.map((rate) => rate / gflops.at(-1)) }
}

/** The batches whose share is below its goal. */
function misses({ shares }) {
  return BATCHES.flatMap((batch, i) => (shares[i] < goalOf(batch) ? [{ batch, share: shares[i] }] : []))
}

const report = await measureInEachNode(import.meta.url, measure)
const cell = (rate, share) => `${rate.toFixed(0)} (${share.toFixed(2)})`
const tables = report.runs.map((run) =>
  [
    `**${nodeTitle(run)}**`,
    '',
    table(
      ['GFLOP/s (of 128 rows)', ...BATCHES.map((batch) => `${batch} rows`)],
      run.rows.map(({ name, inputs, units, gflops, shares }) => [
        `${name}, ${inputs}→${units}`,
        ...gflops.map((rate, i) => cell(rate, shares[i])),
      ]),
    ),
  ].join('\n'),
)
const markdown = [
  ...tables,
  `One thread, the least CPU times of ${timing.rounds} interleaved rounds. ${machineLine(report)}`,
].join('\n\n')
if (options.quick) console.log(markdown)
else publish('rows', report, markdown)

const missed = report.runs.flatMap((run) =>
  run.rows.flatMap((row) =>
    misses(row).map(
      ({ batch, share }) =>
        `${nodeTitle(run)}: ${row.name}, ${row.inputs}→${row.units}, ${batch} rows: ${share.toFixed(2)} of the speed of 128 rows`,
    ),
  ),
)
for (const each of missed) console.error(`error: ${each}`)
process.exit(missed.length === 0 ? 0 : 1)
