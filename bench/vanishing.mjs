// Times steps in which numbers vanish (gradients through many steps, moments of weights without a gradient, sharp
// attention, saturated units) beside the same steps with normal numbers. Processors are up to a hundred times slower on
// denormal numbers, below 2⁻¹²⁶, and WebAssembly cannot switch them off: docs/decisions/0033-vanished-numbers.md.
//
//   node bench/vanishing.mjs                   all cases, plain and relaxed SIMD
//   node bench/vanishing.mjs --quick           fewer rounds
//   node bench/vanishing.mjs --cases lstm,adam those whose names contain one of these
//   node bench/vanishing.mjs --simd relaxed    one of the two
//
// Exits with 1 if a step takes more than LIMIT times as long as with normal numbers. bench/guard.mjs runs it.
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { loadBuilt } from './machine.mjs'
import { cpuTime, interleave } from './peers/measure.mjs'
import { table } from './report.mjs'

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    cases: { type: 'string', default: '' },
    simd: { type: 'string' },
  },
})
// The least CPU time over all rounds, so that ratios are valid on a busy machine.
const timing = {
  clock: cpuTime,
  ...(options.quick ? { rounds: 7, warmUpMs: 60, sampleMs: 10 } : { rounds: 15, warmUpMs: 200, sampleMs: 30 }),
}
const levels = options.simd === undefined ? ['plain', 'relaxed'] : [options.simd]
/** The goal is 1.2; the rest is the noise of a shared machine. */
const LIMIT = 1.3
const ATTEMPTS = 5

// Node 20 has relaxed SIMD behind a flag.
if (Number(process.versions.node.split('.')[0]) < 21) setFlagsFromString('--experimental-wasm-relaxed-simd')
const { Sequential, Model, Input, configure, layers, optimizers, tensor } = await loadBuilt()

let state = 1
/** A number with mean 0 and deviation 1. */
function normal() {
  const uniform = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32
  return Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())
}
function filled(shape, element) {
  const size = shape.reduce((a, b) => a * b, 1)
  return tensor(
    Float32Array.from({ length: size }, (_, i) => element(i)),
    shape,
  )
}
const random = (shape, scale = 1) => filled(shape, () => scale * normal())

/** A training step on one batch. */
function step(model, x, y, { optimizer = 'sgd', loss = 'meanSquaredError' } = {}) {
  model.compile({ optimizer: typeof optimizer === 'string' ? optimizers.get(optimizer) : optimizer, loss })
  model.optimizer.learningRate = 1e-6
  return () => model.trainOnBatch(x, y)
}

/** From the last of many steps back to the first. With `keeps`, the state is hardly changed, and its gradient does not vanish. */
function recurrent(name, steps, vanishes) {
  const units = 64
  const layer = new layers[name]({ units, inputShape: [steps, 16] })
  const model = new Sequential([layer, new layers.Dense({ units: 1 })])
  if (!vanishes) {
    const [kernel, recurrent, bias] = layer.getWeights()
    // LSTM: [input, forget, cell, output]; GRU: [update, reset, candidate]
    const kept = { LSTM: [units, 2 * units], GRU: [0, units], SimpleRNN: [0, 0] }[name]
    bias.data.fill(12, ...kept)
    if (name === 'GRU') bias.data.fill(12, 3 * units, 4 * units)
    if (name === 'SimpleRNN') kernel.data.fill(0)
    layer.setWeights([kernel, recurrent, bias])
  }
  return step(model, random([32, steps, 16], 0.5), random([32, 1]))
}

/** After the first step there are only zeros, so that the state itself vanishes. */
function decaying(vanishes) {
  const units = 64
  const layer = new layers.SimpleRNN({ units, inputShape: [512, 16] })
  const model = new Sequential([layer, new layers.Dense({ units: 1 })])
  const [kernel, recurrent, bias] = layer.getWeights()
  const scale = vanishes ? 0.8 : 1
  layer.setWeights([kernel, filled(recurrent.shape, (i) => scale * recurrent.data[i]), bias])
  const first = (i) => (Math.floor(i / 16) % 512 === 0 ? normal() : 0)
  return step(model, filled([32, 512, 16], first), random([32, 1]))
}

/** Half of the inputs are 0, and so are the gradients of their weights. Moments are as after thousands of such steps, or not. */
function idleWeights(optimizer, vanishes) {
  const model = new Sequential([new layers.Dense({ units: 512, inputShape: [512] })])
  const call = step(
    model,
    filled([1, 512], (i) => (i < 8 ? normal() : 0)),
    random([1, 512]),
    { optimizer },
  )
  call()
  for (const slot of [...model.optimizer.slots.values()].flat()) {
    const start = vanishes ? 2e-38 : 1e-3
    slot.assign(filled(slot.shape, (i) => (i < slot.size / 2 ? start : 0.5 * start)))
  }
  // A mean of 2e-38 takes some steps to pass 2⁻¹²⁶; more would only keep it there.
  for (let i = 0; i < 40; i++) call()
  return call
}

function attention(sharpness) {
  const input = Input({ shape: [256, 64] })
  const layer = new layers.MultiHeadAttention({ numHeads: 4, keyDim: 16 })
  return step(
    new Model({ inputs: input, outputs: layer.apply([input, input]) }),
    random([4, 256, 64], sharpness),
    random([4, 256, 64]),
  )
}

/** Scores, softmax and product as layers. */
function composedAttention(sharpness) {
  const input = Input({ shape: [256, 64] })
  const scores = new layers.Dot({ axes: [2, 2] }).apply([input, new layers.Dense({ units: 64 }).apply(input)])
  const shares = new layers.Softmax().apply(scores)
  const output = new layers.Dot({ axes: [2, 1] }).apply([shares, input])
  return step(new Model({ inputs: input, outputs: output }), random([4, 256, 64], sharpness), random([4, 256, 64]))
}

function classes(confidence) {
  const model = new Sequential([new layers.Dense({ units: 1000, activation: 'softmax', inputShape: [256] })])
  const y = tensor(
    Int32Array.from({ length: 64 }, (_, i) => i),
    [64],
  )
  return step(model, random([64, 256], confidence), y, { loss: 'sparseCategoricalCrossentropy' })
}

/** Layers of one activation; inputs are `scale` times as large. */
function deep(depth, units, activation, scale, { kernel = 1, shift = 0, batch = 64, predicts = false } = {}) {
  const hidden = Array.from(
    { length: depth },
    (_, i) => new layers.Dense({ units, activation, ...(i === 0 ? { inputShape: [units] } : {}) }),
  )
  const model = new Sequential([...hidden, new layers.Dense({ units: 64 })])
  for (const layer of hidden) {
    const [weights, bias] = layer.getWeights()
    layer.setWeights([filled(weights.shape, (i) => kernel * weights.data[i]), filled(bias.shape, () => shift)])
  }
  const x = random([batch, units], scale)
  return predicts ? () => model.predictOnBatch(x) : step(model, x, random([batch, 64]))
}

/** A running mean of what no longer comes, and an average of weights that are 0. */
function averages(vanishes) {
  const model = new Sequential([
    new layers.Dense({ units: 512, inputShape: [512], kernelInitializer: 'zeros' }),
    new layers.BatchNormalization(),
  ])
  const call = step(
    model,
    filled([16, 512], () => 0),
    filled([16, 512], () => 0),
    { optimizer: new optimizers.SGD({ useEma: true }) },
  )
  call()
  const variables = [...model.optimizer.slots.values()].flat().concat(model.nonTrainableWeights)
  for (const each of variables) each.assign(filled(each.shape, () => (vanishes ? 1.2e-38 : 1e-3)))
  return call
}

const CASES = {
  ...Object.fromEntries(
    ['LSTM', 'GRU', 'SimpleRNN'].flatMap((name) =>
      [256, 512, 1000].map((steps) => [
        `${name.toLowerCase()}, last of ${steps} steps`,
        (vanishes) => recurrent(name, steps, vanishes),
      ]),
    ),
  ),
  ...Object.fromEntries(
    [
      ['adam', () => new optimizers.Adam()],
      ['adam with amsgrad', () => new optimizers.Adam({ amsgrad: true })],
      ['rmsprop', () => new optimizers.RMSprop()],
      ['rmsprop, centered with momentum', () => new optimizers.RMSprop({ centered: true, momentum: 0.9 })],
      ['momentum', () => new optimizers.SGD({ momentum: 0.9 })],
      ['nesterov', () => new optimizers.SGD({ momentum: 0.9, nesterov: true })],
      ['nadam', () => new optimizers.Nadam()],
      ['adamax', () => new optimizers.Adamax()],
      ['adadelta', () => new optimizers.Adadelta()],
      ['lion', () => new optimizers.Lion()],
      ['lamb', () => new optimizers.Lamb()],
      ['accumulated adam', () => new optimizers.Adam({ gradientAccumulationSteps: 4 })],
    ].map(([name, make]) => [`${name}, weights without gradient`, (vanishes) => idleWeights(make(), vanishes)]),
  ),
  'simplernn, zeros after the first step': decaying,
  'attention, sharp': (vanishes) => attention(vanishes ? 5 : 0.5),
  'attention, very sharp': (vanishes) => attention(vanishes ? 20 : 0.5),
  'attention of layers, sharp': (vanishes) => composedAttention(vanishes ? 3 : 0.3),
  'softmax of 1000 classes, confident': (vanishes) => classes(vanishes ? 30 : 1),
  'sigmoid, saturated': (vanishes) => deep(1, 512, 'sigmoid', vanishes ? 100 : 1),
  'sigmoid, saturated, predict': (vanishes) => deep(1, 512, 'sigmoid', vanishes ? 100 : 1, { predicts: true }),
  'four layers of sigmoid, saturated': (vanishes) =>
    deep(4, 256, 'sigmoid', vanishes ? 100 : 1, { kernel: vanishes ? 50 : 1 }),
  '60 layers of sigmoid': (vanishes) => deep(60, 64, 'sigmoid', 1, { kernel: vanishes ? 1 : 4 }),
  '60 layers of relu, small kernels': (vanishes) => deep(60, 64, 'relu', 1, { kernel: vanishes ? 0.3 : 1.4 }),
  'two layers of swish, far below 0': (vanishes) => deep(2, 256, 'swish', vanishes ? 60 : 1),
  'two layers of gelu, far below 0': (vanishes) => deep(2, 256, 'gelu', vanishes ? 20 : 1),
  'two layers of softplus, far below 0': (vanishes) => deep(2, 256, 'softplus', vanishes ? 100 : 1),
  ...Object.fromEntries(
    ['exponential', 'softplus', 'swish', 'mish', 'gelu', 'elu', 'logSigmoid', 'logSoftmax'].map((name) => [
      `${name}, denormal`,
      (vanishes) =>
        deep(1, 256, name, vanishes ? 10 : 0.1, { shift: vanishes ? (name === 'logSigmoid' ? 95 : -95) : 0 }),
    ]),
  ),
  'averages of zeros': averages,
}

/**
 * The least time of each call. On a busy machine one of the two may never run undisturbed in a few rounds: a ratio beyond
 * the limit gets more of them. More rounds do not hide a slow step, since its least time stays.
 */
async function leastTimes(vanishing, usual) {
  const calls = [
    { name: 'vanishing', call: vanishing },
    { name: 'usual', call: usual },
  ]
  const least = [Infinity, Infinity]
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const samples = await interleave(calls, timing)
    for (const [i, { name }] of calls.entries()) least[i] = Math.min(least[i], ...samples.get(name))
    if (least[0] / least[1] <= LIMIT) break
  }
  return least
}

const wanted = options.cases.split(',')
let worst = 0
for (const level of levels) {
  configure({ simd: level, threads: 1 })
  const rows = []
  for (const [name, make] of Object.entries(CASES)) {
    if (!wanted.some((part) => name.includes(part))) continue
    state = 1
    const vanishing = make(true)
    state = 1
    const usual = make(false)
    const [slow, normal] = await leastTimes(vanishing, usual)
    const isSlow = slow / normal > LIMIT
    if (isSlow) worst = Math.max(worst, slow / normal)
    rows.push([name, slow.toFixed(3), normal.toFixed(3), `${(slow / normal).toFixed(2)}${isSlow ? ' !' : ''}`])
  }
  console.log(`${level}\n${table(['', 'ms', 'ms with normal numbers', 'ratio'], rows)}\n`)
}
if (worst > 0)
  console.error(
    `error: a step takes ${worst.toFixed(2)} times as long as with normal numbers, at most ${LIMIT} expected`,
  )
process.exit(worst > 0 ? 1 : 0)
