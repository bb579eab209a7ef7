// Times factorizations and what is computed from them, compared with LAPACK: NumPy and SciPy on one thread, whichever is
// faster. Results are compared before anything is timed.
//
//   node bench/linalg.mjs --python PATH            writes results/linalg.json and the table in README.md; NODE_BINARIES adds
//                                                  other versions of Node. PATH is a Python with NumPy and SciPy
//   node bench/linalg.mjs --python PATH --quick    one short pass; prints only
//   node bench/linalg.mjs --python PATH --only eigh,qr    prints only
//
// A time is that of a call of the op on data, with its results as tensors.
import { parseArgs } from 'node:util'
import { fileURLToPath } from 'node:url'
import { loadBuilt, machineLine, measureInEachNode, nodeTitle, publish } from './machine.mjs'
import { interleave, median, ratio } from './peers/measure.mjs'
import { startPython } from './peers/adapters/process.mjs'
import { formatMilliseconds, table } from './report.mjs'

const { values: options } = parseArgs({
  options: {
    python: { type: 'string' },
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
  },
})
if (options.python === undefined) throw new Error('--python PATH is missing: a Python with NumPy and SciPy')
const timing = options.quick ? { rounds: 3, warmUpMs: 20, sampleMs: 5 } : { rounds: 5, warmUpMs: 40, sampleMs: 12 }

const { ops, runtimeInfo, tensor } = await loadBuilt()

const call = {
  eigh: (a) => ops.eigh(a),
  svd: (a) => ops.svd(a),
  svdvals: (a) => ops.svd(a, true, false),
  qr: (a) => ops.qr(a),
  cholesky: (a) => ops.cholesky(a),
  luFactor: (a) => ops.luFactor(a),
  solve: (a, b) => ops.solve(a, b),
  inv: (a) => ops.inv(a),
  det: (a) => ops.det(a),
}
/** The part of a result that every implementation computes alike. */
const unique = { eigh: ([w]) => w, svd: ([, s]) => s, qr: ([, r]) => r, luFactor: ([lu]) => lu }
const ANY_SHAPE = ['svd', 'svdvals', 'qr']
const SQUARE = Object.keys(call)
const BATCH = SQUARE.filter((operation) => operation !== 'luFactor')

const groups = [
  ...[8, 32, 64, 128, 256].map((n) => ({ title: `${n}×${n}`, shape: [n, n], operations: SQUARE })),
  { title: '256×32', shape: [256, 32], operations: ANY_SHAPE },
  { title: '32×256', shape: [32, 256], operations: ANY_SHAPE },
  { title: '256 of 4×4', shape: [256, 4, 4], operations: BATCH },
]
const only = options.only.split(',').filter(Boolean)
const operations = SQUARE.filter((operation) => only.length === 0 || only.includes(operation))

/** Numbers between −1 and 1, in which neighbours are unrelated. */
const content = (shape) =>
  Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => (((i + 1) * 0.754877666) % 1) * 2 - 1).map(
    (x, i) => Math.sin(12.9898 * x + 78.233 * ((i * 0.569840291) % 1)),
  )

function matrixFor(operation, shape) {
  const x = tensor(content(shape), shape)
  if (ANY_SHAPE.includes(operation)) return x
  const across = ops.swapAxes(x, -2, -1)
  if (operation === 'eigh') return ops.add(x, across)
  // positive definite, with a determinant that float32 can represent
  const n = shape.at(-1)
  return ops.add(ops.multiply(ops.matmul(x, across), 0.1 / n), ops.eye(n))
}

const encoded = (x) => ({
  shape: x.shape,
  data: Buffer.from(x.data.buffer, x.data.byteOffset, x.data.byteLength).toString('base64'),
})

function check(title, ours, theirs) {
  const size = Math.max(...theirs.map(Math.abs))
  const error = Math.max(...theirs.map((value, i) => Math.abs(value - ours[i]))) / size
  if (ours.length !== theirs.length || !(error < 1e-4)) throw new Error(`${title}: differs from LAPACK by ${error}`)
}

async function measure() {
  const python = startPython(options.python, fileURLToPath(new URL('peers/python/linalg.py', import.meta.url)))
  const { version } = await python.ready
  const cases = []
  for (const { title, shape, operations: offered } of groups) {
    for (const operation of operations.filter((each) => offered.includes(each))) {
      const a = matrixFor(operation, shape)
      const b = tensor(
        content(a.shape).map((x) => x / 2),
        a.shape,
      )
      const ours = () => call[operation](a, b)
      const theirs = await python.ask({ kind: 'case', operation, a: encoded(a), b: encoded(b) })
      const result = ours()
      check(`${operation} ${title}`, [...(unique[operation]?.(result) ?? result).data], theirs)
      const samples = await interleave(
        [
          { name: 'ours', call: ours },
          { name: 'lapack', sample: (milliseconds) => python.ask({ kind: 'time', milliseconds }) },
        ],
        timing,
      )
      const [mine, lapack] = [samples.get('ours'), samples.get('lapack')]
      cases.push({ operation, title, ours: median(mine), lapack: median(lapack), ratio: ratio(mine, lapack) })
    }
  }
  python.end()
  return { simd: runtimeInfo().simd === 'relaxed' ? 'relaxed' : 'plain', peer: version, cases }
}

const report = await measureInEachNode(import.meta.url, measure)

const cell = (found) =>
  found === undefined ? '–' : `${formatMilliseconds(found.ours)} (${found.ratio.toPrecision(2)}×)`
const rows = operations.flatMap((operation) =>
  report.runs.map((run, i) => [
    i === 0 ? operation : '',
    nodeTitle(run),
    ...groups.map(({ title }) => cell(run.cases.find((each) => each.operation === operation && each.title === title))),
  ]),
)
const markdown = [
  table(['', '', ...groups.map(({ title }) => title)], rows),
  '',
  `Medians of ${timing.rounds} interleaved rounds; in brackets the multiple of LAPACK's time, ${report.runs[0].peer}, in float32 on one thread. ${machineLine(report)}`,
].join('\n')
if (options.quick || only.length > 0) console.log(markdown)
else publish('linalg', report, markdown)
