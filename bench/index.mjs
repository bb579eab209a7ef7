// Times myelin through its public API. For comparisons see peers/run.mjs.
//
//   npm run build && node bench/index.mjs        writes results/ours.json and the table in README.md
//   NODE_BINARIES=path/to/node24 node bench/index.mjs     this Node and that one, side by side
//   node bench/index.mjs --only matmul           the tasks whose name contains the word; prints only
//   node bench/index.mjs --quick                 short samples; prints only
import { parseArgs } from 'node:util'
import { Bench } from 'tinybench'
import { loadBuilt, machineLine, measureInEachNode, nodeTitle, publish } from './machine.mjs'
import { cases, FIT_EPOCHS } from './peers/cases.mjs'
import adapter from './peers/adapters/myelin.mjs'
import { formatMilliseconds, table } from './report.mjs'

const MATMUL_SIZES = [16, 64, 128, 256, 512, 1024]
/** Short calls are timed in groups of about this length, so that the timer itself matters little. */
const GROUP_MS = 0.2

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    time: { type: 'string', default: '1000' },
    quick: { type: 'boolean', default: false },
  },
})
const timeMs = options.quick ? 200 : Number(options.time)

/** In one Node: all tasks, one at a time. @param {'' | 'turbo'} variant */
async function measure(variant) {
  const { configure, ops, runtimeInfo, tensor } = await loadBuilt()
  configure({ turbo: variant === 'turbo' })
  await adapter.load()

  /** @type {{ name: string, call: () => unknown, units?: number, flops?: number }[]} */
  const tasks = [
    ...cases.map(({ title, network, data, batchSize, call, unitsPerCall }) => {
      const model = adapter.build(network, data, batchSize)
      return { name: title, call: () => call(model), units: unitsPerCall }
    }),
    ...MATMUL_SIZES.map((n) => {
      const a = tensor(
        Float32Array.from({ length: n * n }, (_, i) => Math.sin(i)),
        [n, n],
      )
      const b = tensor(
        Float32Array.from({ length: n * n }, (_, i) => Math.cos(i)),
        [n, n],
      )
      // a [N,N] · b [N,N]: N³ multiplications and N³ additions
      return { name: `ops.matmul ${n}×${n}×${n}`, call: () => ops.matmul(a, b).dispose?.(), flops: 2 * n ** 3 }
    }),
  ].filter(({ name }) => name.includes(options.only ?? ''))
  if (tasks.length === 0) throw new Error(`--only ${options.only}: no task has this in its name`)

  const rows = []
  for (const task of tasks) {
    const row = await timeTask(task)
    console.error(`  ${row.name}: ${formatMilliseconds(row.medianMs)}`)
    rows.push(row)
  }
  const { simd, threads, tile, turboNote } = runtimeInfo()
  return { simd: variant === 'turbo' ? `turbo (${simd}, tiles of ${tile})` : simd, threads, turboNote, rows }
}

async function timeTask({ name, call, units = 1, flops }) {
  const group = await groupOf(call)
  const result = call()
  const isAsync = result instanceof Promise
  await result
  const bench = new Bench({ time: timeMs, warmupTime: timeMs / 2 })
  if (isAsync) {
    bench.add(name, async () => {
      for (let i = 0; i < group; i++) await call()
    })
  } else {
    bench.add(name, () => {
      for (let i = 0; i < group; i++) call()
    })
  }
  await bench.run()
  const { result: timed } = bench.tasks[0]
  if (timed.state !== 'completed') throw new Error(`${name}: ${timed.state}`, { cause: timed.error })
  const per = group * units
  const medianMs = timed.latency.p50 / per
  return {
    name,
    medianMs,
    minMs: timed.latency.min / per,
    p75Ms: timed.latency.p75 / per,
    samples: timed.latency.samplesCount,
    ...(flops && { gflops: flops / medianMs / 1e6 }),
  }
}

/** The number of calls in one timed group; runs the call for a while, which also warms it up. */
async function groupOf(call) {
  const end = performance.now() + 100
  let perCall = Infinity
  do {
    const start = performance.now()
    await call()
    perCall = Math.min(perCall, performance.now() - start)
  } while (performance.now() < end)
  return Math.max(1, Math.round(GROUP_MS / perCall))
}

const report = { ...(await measureInEachNode(import.meta.url, measure, ['', 'turbo'])), fitEpochs: FIT_EPOCHS }
const { runs } = report
const { threads } = runs[0]
const markdown = [
  table(
    ['', ...runs.map(nodeTitle)],
    runs[0].rows.map(({ name }, task) => [
      name,
      ...runs.map(({ rows }) => {
        const { medianMs, gflops } = rows[task]
        return `${formatMilliseconds(medianMs)}${gflops === undefined ? '' : ` (${gflops.toFixed(1)})`}`
      }),
    ]),
  ),
  '',
  `Medians; in brackets GFLOP/s. ${threads === 1 ? 'One thread' : `${threads} threads`}. ${machineLine(report)}`,
].join('\n')

console.log(markdown)
if (options.only === undefined && !options.quick) publish('ours', report, markdown)
