// Times single instructions other than matrix products and compares them with the machine's limit. For whole programs
// see index.mjs and fusions.mjs.
//
//   node bench/bandwidth.mjs                writes results/bandwidth.json and the tables in README.md; NODE_BINARIES adds
//                                           other versions of Node
//   node bench/bandwidth.mjs --quick        one short pass; prints only
//   node bench/bandwidth.mjs --only softmax --simd relaxed --place L1     prints only
//
// The limit is the larger of two times, both measured with the instruction:
//
//   bytes       the bytes that are read and written, at the speed of a copy in the same cache: memory.copy or a loop of
//               vectors, whichever is faster
//   arithmetic  the formulas of the elementary functions in it, called directly on 4 kB in the first-level cache
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { instantiateKernels, instructionsOf, predictionProgram, trainingProgram } from './internals.mjs'
import { loadBuilt, machineLine, measureInEachNode, nodeTitle, publish } from './machine.mjs'
import { interleave, median, ratio } from './peers/measure.mjs'
import { formatMilliseconds, table } from './report.mjs'

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    simd: { type: 'string', default: 'auto' },
    place: { type: 'string', default: '' },
    rounds: { type: 'string', default: '7' },
    'sample-ms': { type: 'string', default: '12' },
    'warm-up-ms': { type: 'string', default: '40' },
  },
})
const timing = options.quick
  ? { rounds: 3, warmUpMs: 15, sampleMs: 4 }
  : { rounds: Number(options.rounds), warmUpMs: Number(options['warm-up-ms']), sampleMs: Number(options['sample-ms']) }

// Node 20 has relaxed SIMD behind a flag.
if (options.simd === 'relaxed' && Number(process.versions.node.split('.')[0]) < 21)
  setFlagsFromString('--experimental-wasm-relaxed-simd')

const { Adam, Dense, Layer, RMSprop, SGD, Sequential, Variable, configure, grad, ops, runtimeInfo, tensor } =
  await loadBuilt()
configure({ simd: options.simd, threads: 1 })
const { simd } = runtimeInfo()

/**
 * The size of all buffers of an instruction: half of the first-level cache, half of the second, three times the third.
 */
const places = [
  { place: 'L1', bytes: 16 << 10 },
  { place: 'L2', bytes: 192 << 10 },
  { place: 'memory', bytes: 96 << 20 },
].filter(({ place }) => place.includes(options.place))

/**
 * `reads` and `writes` count floats per element; `steps` the elementary functions, by the name of their loop.
 * `shape` is the shape of n elements, if not one row. `body` gets one tensor of that shape for each buffer that is
 * read.
 */
const elementwise = (name, reads, body, steps = []) => ({ name, reads, writes: 1, body, steps })
const rowWise = (name, columns, body, steps, { writes = 1 } = {}) => ({
  name,
  reads: 1,
  writes,
  body,
  steps,
  shape: (n) => [Math.max(1, Math.floor(n / columns)), columns],
})
const square = (n) => [Math.floor(Math.sqrt(n)), Math.floor(Math.sqrt(n))]
const fold = (name, body, shape = square) => ({ name, reads: 1, writes: 0, body, steps: [], shape })
const optimizer = (name, make, reads, writes, steps = []) => ({ name, optimizer: make, reads, writes, steps })

const cases = [
  { name: 'a copy, by a loop of vectors', loop: true, reads: 1, writes: 1, steps: [] },
  elementwise('a + b', 2, (a, b) => ops.add(a, b)),
  elementwise('relu and its gradient', 2, (x, dy) => grad((z) => ops.sum(ops.multiply(ops.relu(z), dy)))(x), [
    'step_relu',
    'step_reluGradient',
  ]),
  elementwise('a·b + c', 3, (a, b, c) => ops.add(ops.multiply(a, b), c), ['step_multiply', 'step_add']),
  elementwise('½·a + b', 2, (a, b) => ops.add(ops.multiply(a, 0.5), b), ['step_multiply', 'step_add']),
  elementwise('exp', 1, (a) => ops.exp(a), ['exp_f32']),
  elementwise('log', 1, (a) => ops.log(a), ['step_log']),
  elementwise('tanh', 1, (a) => ops.tanh(a), ['step_tanh']),
  elementwise('sigmoid', 1, (a) => ops.sigmoid(a), ['step_sigmoid']),
  elementwise('softplus', 1, (a) => ops.softplus(a), ['softplus_f32']),
  elementwise('binary cross-entropy', 2, (x, y) => ops.subtract(ops.softplus(x), ops.multiply(x, y)), [
    'softplus_f32',
    'step_multiply',
    'step_subtract',
  ]),
  ...[10, 100, 1000].map((columns) =>
    rowWise(`softmax, rows of ${columns}`, columns, (x) => ops.softmax(x), ['exp_f32', 'step_divide']),
  ),
  ...[10, 100, 1000].map((columns) =>
    rowWise(`log-softmax, rows of ${columns}`, columns, (x) => ops.logSoftmax(x), ['exp_f32', 'step_subtract']),
  ),
  fold('sum of all', (x) => ops.sum(x)),
  fold('sum over the last axis', (x) => ops.sum(x, { axis: -1 })),
  fold(
    'sum over the last axis, rows of 10',
    (x) => ops.sum(x, { axis: -1 }),
    (n) => [Math.floor(n / 10), 10],
  ),
  fold('sum over the first axis', (x) => ops.sum(x, { axis: 0 })),
  fold(
    'sum over the first axis, rows of 10',
    (x) => ops.sum(x, { axis: 0 }),
    (n) => [Math.floor(n / 10), 10],
  ),
  fold('mean of all', (x) => ops.mean(x)),
  fold('max over the last axis', (x) => ops.max(x, { axis: -1 })),
  fold('max over the first axis', (x) => ops.max(x, { axis: 0 })),
  fold('argmax over the last axis', (x) => ops.argmax(x, -1)),
  fold(
    'argmax over the last axis, rows of 10',
    (x) => ops.argmax(x, -1),
    (n) => [Math.floor(n / 10), 10],
  ),
  fold('argmax over the first axis', (x) => ops.argmax(x, 0)),
  { name: 'transpose', reads: 1, writes: 1, body: (x) => ops.transpose(x), steps: [], shape: square },
  {
    name: 'gather of every second row of 64',
    reads: 0.5,
    writes: 0.5,
    body: everySecondRow,
    steps: [],
    shape: (n) => [Math.floor(n / 64), 64],
  },
  optimizer('SGD', () => new SGD({ learningRate: 1e-4 }), 2, 1),
  optimizer('SGD with momentum', () => new SGD({ learningRate: 1e-4, momentum: 0.9 }), 3, 2),
  optimizer('RMSprop', () => new RMSprop({ learningRate: 1e-4 }), 3, 2, ['step_sqrt', 'step_divide']),
  optimizer('Adam', () => new Adam({ learningRate: 1e-4 }), 4, 3, ['step_sqrt', 'step_divide']),
].filter(({ name }) => name.includes(options.only))
if (cases.length === 0) throw new Error(`--only ${options.only}: no instruction has this in its name`)

function everySecondRow(x) {
  const rows = Int32Array.from({ length: Math.floor(x.shape[0] / 2) }, (_, i) => 2 * i)
  return ops.take(x, tensor(rows, [rows.length]), 0)
}

/** Values of both signs around 1: nothing overflows, and nothing is denormal. */
function content(length, phase) {
  const result = Float32Array.from({ length: Math.min(length, 8191) }, (_, i) => Math.sin(1.3 * i + phase))
  if (result.length === length) return result
  const repeated = new Float32Array(length)
  for (let i = 0; i < length; i += result.length) repeated.set(result.subarray(0, length - i), i)
  return repeated
}

/** A layer that computes `body` from variables. */
class Body extends Layer {
  constructor({ reads, body }, shape) {
    super({ inputShape: [1] })
    const size = shape.reduce((a, b) => a * b, 1)
    this.operands = Array.from(
      { length: Math.ceil(reads) },
      (_, i) => new Variable(tensor(content(size, i), shape), { trainable: false }),
    )
    this.body = body
  }

  call() {
    return this.body(...this.operands.map(({ value }) => value))
  }
}

/** The instructions that do the work, as calls. */
function instructionsFor(each, bytes) {
  if (each.loop) {
    const { call } = copyCalls(bytes).find(({ name }) => name === 'copy loop')
    return { elements: bytes / 8, instructions: [{ opcode: '', call }] }
  }
  const n = Math.floor(bytes / 4 / Math.ceil(each.reads + (each.optimizer ? 0 : each.writes)))
  if (each.optimizer !== undefined) {
    // n weights: a kernel of [columns, 128] and a bias. Only the update is timed.
    const columns = Math.max(1, Math.floor(n / 128) - 1)
    const model = new Sequential([new Dense({ units: 128, inputShape: [columns] })])
    model.compile({ optimizer: each.optimizer(), loss: 'mse' })
    model.trainOnBatch(tensor(content(columns, 0), [1, columns]), tensor(content(128, 1), [1, 128]))
    const updates = instructionsOf(trainingProgram(model)).filter(({ opcode }) =>
      ['Sgd', 'RmsProp', 'Adam'].includes(opcode),
    )
    return { model, elements: 128 * (columns + 1), instructions: updates }
  }
  const shape = each.shape?.(n) ?? [n]
  const model = new Sequential([new Body(each, shape)])
  model.predictOnBatch([[0]])
  return {
    model,
    elements: shape.reduce((a, b) => a * b, 1),
    instructions: instructionsOf(predictionProgram(model, [1, 1])),
  }
}

const { memory, exports } = instantiateKernels(simd)
const CACHED = 1024
/**
 * Registers of a step, one after another, with a cache line between them, so that they do not fall into the same sets.
 */
const registers = [0, 1, 2].map((i) => 4096 + i * (4 * CACHED + 64))
new Float32Array(memory.buffer, registers[1], CACHED).set(content(CACHED, 0.5))
new Float32Array(memory.buffer, registers[2], CACHED).set(content(CACHED, 0).map((x) => x + 2))

/** The loops of steps, which take the least exponent. */
const WITH_LEAST = ['exp_f32', 'softplus_f32']

/** One step over 1024 elements in the first-level cache. */
function stepCall(name) {
  const step = exports[name]
  const [target, a, b] = registers
  if (WITH_LEAST.includes(name)) return () => step(target, a, CACHED, -104)
  return () => step(target, a, b, CACHED, 0)
}

/** Copies half of `bytes` to the other half, in both ways. */
function copyCalls(bytes) {
  const [from, half] = [64 << 10, bytes >> 1]
  const missing = from + bytes + 65536 - memory.buffer.byteLength
  if (missing > 0) memory.grow(Math.ceil(missing / 65536))
  return [
    { name: 'memory.copy', call: () => exports.copy_strided_bits(from + half, from, 1, half >> 2, 0, 1, 0, 1) },
    // One instruction more than a copy, which does not cost time.
    { name: 'copy loop', call: () => exports.step_abs(from + half, from, 0, half >> 2, 0) },
  ]
}

async function measure() {
  const rows = []
  for (const each of cases) {
    const row = { name: each.name }
    for (const { place, bytes } of places) {
      const { model, elements, instructions } = instructionsFor(each, bytes)
      const run = () => {
        for (const { call } of instructions) call()
      }
      const samples = await interleave(
        [
          ...copyCalls(bytes),
          ...each.steps.map((name) => ({ name, call: stepCall(name) })),
          { name: 'tape', call: run },
        ],
        timing,
      )
      // A copy that moves as many bytes in total.
      const moved = 4 * elements * (each.reads + each.writes)
      const bytesMs = samples
        .get('copy loop')
        .map((loop, i) => (Math.min(loop, samples.get('memory.copy')[i]) / bytes) * moved)
      const arithmeticMs = bytesMs.map((_, i) =>
        each.steps.reduce((sum, name) => sum + (samples.get(name)[i] / CACHED) * elements, 0),
      )
      const limitMs = bytesMs.map((ms, i) => Math.max(ms, arithmeticMs[i]))
      row[place] = {
        elements,
        instructions: instructions.map(({ opcode }) => opcode),
        medianMs: median(samples.get('tape')),
        bytesMs: median(bytesMs),
        arithmeticMs: median(arithmeticMs),
        limit: median(arithmeticMs) > median(bytesMs) ? 'arithmetic' : 'bytes',
        ofLimit: ratio(limitMs, samples.get('tape')),
      }
      model?.dispose()
    }
    rows.push(row)
    console.error(
      `${each.name}: ${places.map(({ place }) => `${place} ${row[place].ofLimit.toFixed(2)} (${row[place].limit})`).join(', ')}`,
    )
  }

  return { simd, threads: 1, rounds: timing.rounds, places, rows }
}

const report = await measureInEachNode(import.meta.url, measure)
const markdown = [
  ...report.runs.flatMap((run) => [`**${nodeTitle(run)}**`, '', tableOf(run), '']),
  `One thread, medians of ${timing.rounds} interleaved rounds. ${machineLine(report)}`,
].join('\n')

function tableOf({ rows }) {
  return table(
    ['', 'instructions', ...places.flatMap(({ place }) => [`${place}: per element`, 'of the limit'])],
    rows.map((row) => [
      row.name,
      row[places[0].place].instructions.join(', '),
      ...places.flatMap(({ place }) => {
        const { medianMs, elements, ofLimit, limit } = row[place]
        return [formatMilliseconds(medianMs / elements), `${ofLimit.toFixed(2)} ${limit}`]
      }),
    ]),
  )
}
console.log(markdown)
if (!options.quick && options.only === '' && options.place === '' && options.simd === 'auto')
  publish('bandwidth', report, markdown)
