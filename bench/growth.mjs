// Measures how the time and memory of a training step grow: with batch, width and depth of dense layers, with the side
// of an image, and with the steps of a recurrence and of attention. Fits curves, reports cliffs, and compares the
// workspace with the planner's lower bound.
//
//   node bench/growth.mjs            writes results/growth.json, docs/growth.svg and the table in README.md
//   node bench/growth.mjs --quick    shorter samples; prints only, and draws into FILE with --svg FILE
//   node bench/growth.mjs --only width    one sweep; prints only
//
// Exits with 1 when a peak workspace is more than 10 % above the lower bound. Cliffs in time are reported only.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { drawGrowth } from './growth-plot.mjs'
import { memoryPlans } from './internals.mjs'
import { describeMachine, loadBuilt, machineLine, publish, warnIfBusy } from './machine.mjs'
import { interleave, median } from './peers/measure.mjs'
import { formatMilliseconds, table } from './report.mjs'

/** The largest peak workspace, as a multiple of the lower bound. */
const WORKSPACE_LIMIT = 1.1
/** A point further from its neighbours' trend than this is a cliff. */
const CLIFF = 1.6

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    /** The file of the drawing when results are not published. */
    svg: { type: 'string' },
    rounds: { type: 'string', default: '7' },
    'sample-ms': { type: 'string', default: '80' },
    'warm-up-ms': { type: 'string', default: '250' },
  },
})
const timing = options.quick
  ? { rounds: 3, warmUpMs: 60, sampleMs: 20 }
  : { rounds: Number(options.rounds), warmUpMs: Number(options['warm-up-ms']), sampleMs: Number(options['sample-ms']) }

const machine = describeMachine()
warnIfBusy(machine)
const {
  Conv2D,
  Dense,
  GlobalAveragePooling1D,
  GlobalAveragePooling2D,
  LSTM,
  Layer,
  MultiHeadAttention,
  Sequential,
  configure,
  runtimeInfo,
  tensor,
} = await loadBuilt()

const CLASSES = 10
const classifier = () => new Dense({ units: CLASSES, activation: 'softmax' })

/** width inputs → depth hidden layers of width relu units → 10 softmax. */
const dense = ({ batch, width, depth }) => ({
  inputShape: [width],
  batch,
  layers: [
    ...Array.from(
      { length: depth },
      (_, l) => new Dense({ units: width, activation: 'relu', ...(l === 0 && { inputShape: [width] }) }),
    ),
    classifier(),
  ],
})
const BASE = { batch: 64, width: 64, depth: 2 }

/**
 * One size is swept, the others are those of `base`. Sizes are powers of two and, between them, sizes that no tile
 * divides, where edges cost most. Time is a + b·valueᵖ with p = power.
 */
const sweeps = [
  {
    name: 'batch',
    power: 1,
    base: BASE,
    network: dense,
    values: [1, 2, 3, 4, 6, 8, 11, 16, 23, 32, 45, 64, 91, 128, 181, 256, 363, 512, 725, 1024, 1449, 2048, 2897, 4096],
    unit: 'samples',
  },
  // Weights grow with the square of the width.
  {
    name: 'width',
    power: 2,
    base: BASE,
    network: dense,
    values: [8, 11, 16, 23, 32, 45, 64, 91, 128, 181, 256, 363, 512, 725, 1024],
    unit: 'units',
  },
  {
    name: 'depth',
    power: 1,
    base: BASE,
    network: dense,
    values: [1, 2, 3, 4, 6, 8, 11, 16, 23, 32, 45, 64],
    unit: 'hidden layers',
  },
  {
    name: 'side',
    power: 2,
    base: { batch: 16, filters: 16 },
    values: [6, 8, 11, 16, 23, 32, 45, 64, 91],
    network: ({ batch, side, filters }) => ({
      inputShape: [side, side, 3],
      batch,
      layers: [
        new Conv2D({ filters, kernelSize: 3, padding: 'same', activation: 'relu', inputShape: [side, side, 3] }),
        new Conv2D({ filters, kernelSize: 3, padding: 'same', activation: 'relu' }),
        new GlobalAveragePooling2D(),
        classifier(),
      ],
    }),
  },
  {
    name: 'turns',
    power: 1,
    base: { batch: 16, units: 32 },
    values: [4, 6, 8, 11, 16, 23, 32, 45, 64, 91, 128, 181, 256, 363, 512],
    network: ({ batch, turns, units }) => ({
      inputShape: [turns, 16],
      batch,
      layers: [new LSTM({ units, inputShape: [turns, 16] }), classifier()],
    }),
  },
  {
    name: 'tokens',
    power: 2,
    base: { batch: 4, heads: 2, keys: 16 },
    values: [8, 11, 16, 23, 32, 45, 64, 91, 128, 181, 256, 363, 512],
    network: ({ batch, tokens, heads, keys }) => ({
      inputShape: [tokens, heads * keys],
      batch,
      layers: [new SelfAttention(heads, keys, [tokens, heads * keys]), new GlobalAveragePooling1D(), classifier()],
    }),
  },
].filter(({ name }) => options.only === undefined || name === options.only)
if (sweeps.length === 0)
  throw new Error(`--only knows batch, width, depth, side, turns, tokens; received ${options.only}`)

class SelfAttention extends Layer {
  constructor(heads, keys, inputShape) {
    super({ inputShape })
    this.attention = new MultiHeadAttention({ numHeads: heads, keyDim: keys })
  }

  call(x) {
    return this.attention.apply(x)
  }
}

/** A training step with Adam on random data. */
function build({ network, base, name }, value) {
  const { inputShape, batch, layers } = network({ ...base, [name]: value })
  const model = new Sequential(layers)
  // A learning rate that keeps all of these models finite while they are timed.
  model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy' })
  model.optimizer.learningRate = 1e-5
  const x = tensor(
    Float32Array.from({ length: inputShape.reduce((a, b) => a * b, batch) }, (_, i) => Math.sin(1.7 * i)),
    [batch, ...inputShape],
  )
  const y = tensor(
    Float32Array.from({ length: batch }, (_, i) => i % CLASSES),
    [batch, 1],
  )
  return { model, step: () => model.trainOnBatch(x, y).loss }
}

/** Each memory has a single model, so that its workspace is this model's. */
function freshRuntime() {
  const { fuse } = runtimeInfo()
  configure({ fuse: !fuse })
  configure({ fuse })
}

function measureMemory(sweep, value) {
  freshRuntime()
  const { model, step } = build(sweep, value)
  const loss = step()
  if (!(loss > 0) || !Number.isFinite(loss)) throw new Error(`${sweep.name} ${value}: the loss is ${loss}`)
  const { usedBytes, workspaceBytes } = runtimeInfo().memory
  const plans = [...memoryPlans(model).values()]
  // Programs share one workspace: its size is the largest of theirs.
  const lowerBound = Math.max(...plans.map((plan) => plan.lowerBound))
  const parameters = model.countParams()
  model.dispose()
  return { parameters, usedBytes, workspaceBytes, lowerBound, workspaceRatio: workspaceBytes / lowerBound }
}

/** Least squares of y ≈ a + b·xᵖ in relative error, a ≥ 0, b ≥ 0. */
function fitCurve(xs, ys, power) {
  // Σ ((a + b·x − y) / y)² is linear in a and b
  const sum = (termOf) => xs.reduce((total, x, i) => total + termOf(1 / ys[i], x ** power / ys[i]), 0)
  const [s00, s01, s11] = [sum((u) => u * u), sum((u, v) => u * v), sum((_, v) => v * v)]
  const [s0, s1] = [sum((u) => u), sum((_, v) => v)]
  const determinant = s00 * s11 - s01 * s01
  let [a, b] = [(s0 * s11 - s1 * s01) / determinant, (s1 * s00 - s0 * s01) / determinant]
  if (a < 0) [a, b] = [0, s1 / s11]
  else if (b < 0) [a, b] = [s0 / s00, 0]
  const worst = Math.max(...xs.map((x, i) => Math.abs(Math.log((a + b * x ** power) / ys[i]))))
  return { power, a, b, worstFactor: Math.exp(worst) }
}

/** The slope of log y over log x in the larger half, where fixed costs matter little. */
function exponent(xs, ys) {
  const from = Math.floor(xs.length / 2)
  const [u, v] = [xs, ys].map((values) => values.slice(from).map(Math.log))
  const [mu, mv] = [u, v].map((values) => values.reduce((sum, value) => sum + value, 0) / values.length)
  const [cov, sq] = u.reduce(([c, s], value, i) => [c + (value - mu) * (v[i] - mv), s + (value - mu) ** 2], [0, 0])
  return cov / sq
}

/** Points more than CLIFF times above or below the line through their neighbours, log-log. */
function cliffs(xs, ys) {
  const found = []
  xs.forEach((x, i) => {
    // inner points: between the two neighbours; ends: the line through two of the next three points
    const [l, r] = i === 0 ? [1, 3] : i === xs.length - 1 ? [i - 3, i - 1] : [i - 1, i + 1]
    const slope = Math.log(ys[r] / ys[l]) / Math.log(xs[r] / xs[l])
    const factor = ys[i] / (ys[l] * Math.exp(slope * Math.log(x / xs[l])))
    if (factor > CLIFF || factor < 1 / CLIFF) found.push({ at: x, factor })
  })
  return found
}

const results = sweeps.map((sweep) => ({
  name: sweep.name,
  unit: sweep.unit,
  base: sweep.base,
  points: sweep.values.map((value) => ({ value, ...measureMemory(sweep, value) })),
}))

// All models of a sweep are timed in turn, so that a disturbance does not look like a cliff.
freshRuntime()
const { simd, threads } = runtimeInfo()
for (const [i, result] of results.entries()) {
  console.error(`${result.name}: ${result.points.length} sizes`)
  const built = result.points.map(({ value }) => ({ name: value, ...build(sweeps[i], value) }))
  const samples = await interleave(
    built.map(({ name, step }) => ({ name, call: step })),
    timing,
  )
  for (const point of result.points) {
    const rounds = samples.get(point.value)
    Object.assign(point, { medianMs: median(rounds), minMs: Math.min(...rounds), roundsMs: rounds })
  }
  for (const { model, step } of built) {
    if (!Number.isFinite(step())) throw new Error(`${model}: the loss is not finite any more`)
    model.dispose()
  }
  const xs = result.points.map(({ value }) => value)
  const of = (key) => result.points.map((point) => point[key])
  const { power } = sweeps[i]
  // The fastest rounds: disturbances only add time.
  const times = of('minMs')
  result.time = { fit: fitCurve(xs, times, power), exponent: exponent(xs, times), cliffs: cliffs(xs, times) }
  result.workspace = { exponent: exponent(xs, of('workspaceBytes')), cliffs: cliffs(xs, of('workspaceBytes')) }
  result.used = { exponent: exponent(xs, of('usedBytes')), cliffs: cliffs(xs, of('usedBytes')) }
}

/** The dense sweeps, which have a unit, are drawn. */
const drawn = results.filter(({ unit }) => unit !== undefined)

const formatBytes = (bytes) =>
  bytes >= 1e6 ? `${(bytes / 1e6).toPrecision(3)} MB` : `${(bytes / 1e3).toPrecision(3)} kB`
const formatCliffs = (found) =>
  found.length === 0 ? 'none' : found.map(({ at, factor }) => `${at}: ${factor.toFixed(1)}×`).join(', ')
const others = ({ name, base }) =>
  Object.entries(base)
    .filter(([key]) => key !== name)
    .map(([key, value]) => `${key} ${value}`)
    .join(', ')

const markdown = [
  table(
    [
      '',
      'step, smallest',
      'step, largest',
      'step ≈',
      'exponent',
      'cliffs',
      'memory, largest',
      'exponent',
      'cliffs',
      'workspace, largest',
      'of the lower bound, at most',
    ],
    results.map((result) => {
      const { name, points, time, used, workspace } = result
      const { fit } = time
      const variable = name[0]
      const curve = `${formatMilliseconds(fit.a)} + ${formatMilliseconds(fit.b)}·${variable}${fit.power === 2 ? '²' : ''} (±${fit.worstFactor.toFixed(1)}×)`
      return [
        `${name} ${points[0].value} … ${points.at(-1).value} (${others(result)})`,
        formatMilliseconds(points[0].minMs),
        formatMilliseconds(points.at(-1).minMs),
        curve,
        time.exponent.toFixed(2),
        formatCliffs(time.cliffs),
        formatBytes(points.at(-1).usedBytes),
        used.exponent.toFixed(2),
        formatCliffs([...used.cliffs, ...workspace.cliffs]),
        formatBytes(points.at(-1).workspaceBytes),
        Math.max(...points.map((point) => point.workspaceRatio)).toFixed(3),
      ]
    }),
  ),
  '',
  `One \`trainOnBatch\`, Adam, ${CLASSES} classes. Batch, width, depth: width inputs → depth × relu → softmax. Side: two 3×3 convolutions of an image. Turns: an LSTM. Tokens: self-attention. ${simd} SIMD, ${threads === 1 ? 'one thread' : `${threads} threads`}. The fastest of ${timing.rounds} interleaved rounds; ± is the fit's largest miss, the exponent is of the larger half, a cliff is a point more than ${CLIFF}× off its neighbours' trend. ${machineLine(machine)}`,
].join('\n')
console.log(markdown)

if (!options.quick && options.only === undefined) {
  publish('growth', { ...machine, simd, threads, rounds: timing.rounds, sweeps: results }, markdown)
  writeFileSync(new URL('../docs/growth.svg', import.meta.url), drawGrowth(drawn))
  console.error('written: docs/growth.svg')
} else if (options.svg !== undefined) {
  writeFileSync(options.svg, drawGrowth(drawn))
}

const fat = results.flatMap(({ name, points }) =>
  points.filter(({ workspaceRatio }) => workspaceRatio > WORKSPACE_LIMIT).map((point) => ({ name, ...point })),
)
for (const { name, value, workspaceBytes, lowerBound } of fat) {
  console.error(
    `error: ${name} ${value}: a workspace of ${workspaceBytes} bytes, ${(workspaceBytes / lowerBound).toFixed(2)} times the lower bound ${lowerBound}`,
  )
}
// Idle workers must not keep the process alive.
process.exit(fat.length === 0 ? 0 : 1)
