// Times training steps of every family of layers and a large product: the share of a step that its products alone would
// take at that rate, and the goal for it. Nothing is published: docs/decisions has the shares of each family.
//
//   node bench/layers.mjs                     plain and relaxed SIMD
//   node bench/layers.mjs --quick             one short pass
//   node bench/layers.mjs --cases cnn,lstm    some of them
//   node bench/layers.mjs --simd relaxed      one of the two, or turbo
//   node bench/layers.mjs --profile encoder   the time of each instruction of a step
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { instructionsOf, predictionProgram, trainingProgram } from './internals.mjs'
import { loadBuilt } from './machine.mjs'
import { myelinData, myelinModel } from './peers/build.mjs'
import { cpuTime, interleave } from './peers/measure.mjs'
import { networks, prepared } from './peers/networks.mjs'
import { table } from './report.mjs'

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    cases: { type: 'string' },
    simd: { type: 'string' },
    profile: { type: 'string' },
  },
})
// The minimum of the CPU time over all rounds, so that shares are valid on a busy machine.
const timing = {
  clock: cpuTime,
  ...(options.quick ? { rounds: 7, warmUpMs: 200, sampleMs: 10 } : { rounds: 49, warmUpMs: 1000, sampleMs: 40 }),
}
const levels = options.simd === undefined ? ['plain', 'relaxed'] : [options.simd]
/** turbo is the relaxed binary in an engine that pairs vectors. */
const settingsOf = (level) => ({ simd: level === 'turbo' ? 'relaxed' : level, turbo: level === 'turbo', threads: 1 })

/**
 * The goal for the share of the products in a step, with relaxed SIMD; an embedding has hardly any. Above 1 where Winograd's
 * algorithm takes fewer multiplications.
 */
const GOALS = {
  cnn: 0.55,
  cnnbn: 1.15,
  dwsep: 0.45,
  lstm: 0.72,
  gru: 0.62,
  bilstm: 0.7,
  charlstm: 0.78,
  encoder: 0.8,
  gpt: 0.7,
}
/** The smallest allowed speed of a custom LSTM cell, relative to the built-in one. */
const CELL_GOAL = 0.75
const CELL = 'cell'

const known = [...Object.keys(networks), CELL]
const chosen = options.cases?.split(',') ?? known
const unknown = [...chosen, ...(options.profile === undefined ? [] : [options.profile])].filter(
  (id) => !known.includes(id),
)
if (unknown.length > 0) throw new Error(`the cases are ${known.join(', ')}; received ${unknown.join(', ')}`)

// Node 20 has relaxed SIMD behind a flag.
if (Number(process.versions.node.split('.')[0]) < 21) setFlagsFromString('--experimental-wasm-relaxed-simd')
const myelin = await loadBuilt()
const { Adam, Cell, Layer, RNN, Sequential, Variable, configure, ops, tensor } = myelin

const SQUARE = 256
const content = (shape) =>
  tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(1.3 * i)),
    shape,
  )

class Product extends Layer {
  constructor() {
    super({ inputShape: [1] })
    this.operands = [0, 1].map(() => new Variable(content([SQUARE, SQUARE]), { trainable: false }))
  }

  call() {
    return ops.matmul(...this.operands.map(({ value }) => value))
  }
}

function product() {
  const model = new Sequential([new Product()])
  model.predictOnBatch([[0]])
  return predictionProgram(model, [1, 1])
}

/** An LSTM as a user would write it. */
class OwnCell extends Cell {
  constructor({ units }) {
    super()
    this.units = units
  }

  get stateSize() {
    return [this.units, this.units]
  }

  build({ input }) {
    this.kernel = this.addWeight({ name: 'kernel', shape: [input.at(-1), 4 * this.units] })
    this.recurrentKernel = this.addWeight({ name: 'recurrentKernel', shape: [this.units, 4 * this.units] })
    this.bias = this.addWeight({ name: 'bias', shape: [4 * this.units] })
  }

  call({ input, state: [h, c] }) {
    const sum = ops.add(ops.add(ops.matmul(input, this.kernel), ops.matmul(h, this.recurrentKernel)), this.bias)
    const [i, f, g, o] = ops.split(sum, 4, -1)
    const cell = ops.add(ops.multiply(ops.sigmoid(f), c), ops.multiply(ops.sigmoid(i), ops.tanh(g)))
    const output = ops.multiply(ops.sigmoid(o), ops.tanh(cell))
    return { output, state: [output, cell] }
  }
}

const ownCell = { layers: { LSTM: (cell) => new RNN({ cell: new OwnCell(cell) }) } }

function trainingStep(id, builders) {
  const { network, data } = prepared(id)
  const model = myelinModel(myelin, network, builders)
  const { x, y } = myelinData(myelin, network, data)
  // Many steps on one batch: a rate that keeps every model finite for as long as it is timed.
  model.compile({ optimizer: new Adam({ learningRate: 1e-6 }), loss: network.loss })
  const { loss } = model.trainOnBatch(x, y)
  if (!(loss > 0 && Number.isFinite(loss))) throw new Error(`${id}: the loss is ${loss}`)
  return trainingProgram(model)
}

/** The time of a step's products, in large products. */
const productsOf = (id) => (1e6 * networks[id].mflop) / (2 * SQUARE ** 3)

/** The milliseconds of one run of each program. */
async function timed(programs) {
  const samples = await interleave(
    Object.entries(programs).map(([name, program]) => ({ name, call: () => program.run() })),
    timing,
  )
  return Object.fromEntries([...samples].map(([name, rounds]) => [name, Math.min(...rounds)]))
}

/** @returns {Promise<{ ms: number, share: number }>} the share of the products in the step */
async function shareOfProducts(id) {
  const ms = await timed({ step: trainingStep(id), product: product() })
  return { ms: ms.step, share: (productsOf(id) * ms.product) / ms.step }
}

/** @returns {Promise<{ ms: number, share: number }>} the time of the built-in layer relative to the custom cell */
async function shareOfBuiltIn() {
  const ms = await timed({ custom: trainingStep('lstm', ownCell), builtIn: trainingStep('lstm') })
  return { ms: ms.custom, share: ms.builtIn / ms.custom }
}

/** The instructions of a step with the milliseconds of each, longest first, and the time of their products alone. */
async function profile(id) {
  configure(settingsOf(options.simd ?? 'relaxed'))
  const step = id === CELL ? trainingStep('lstm', ownCell) : trainingStep(id)
  const parts = instructionsOf(step).map((part, i) => ({ ...part, name: String(i) }))
  const samples = await interleave(
    [
      ...parts,
      {
        name: 'product',
        call: (
          (program) => () =>
            program.run()
        )(product()),
      },
    ],
    { rounds: 15, warmUpMs: 30, sampleMs: 2 },
  )
  const ms = (name) => Math.min(...samples.get(name))
  const total = parts.reduce((sum, { name }) => sum + ms(name), 0)
  const limit = productsOf(id === CELL ? 'lstm' : id) * ms('product')
  const rows = parts.map((part) => ({ ...part, ms: ms(part.name) })).sort((a, b) => b.ms - a.ms)
  console.log(
    table(
      ['instruction', 'ms', '%'],
      rows
        .slice(0, 60)
        .map(({ name, opcode, label, ms }) => [
          `${name} ${opcode} ${label}`,
          ms.toFixed(3),
          ((100 * ms) / total).toFixed(1),
        ]),
    ),
  )
  const byOpcode = Object.entries(Object.groupBy?.(rows, ({ opcode }) => opcode) ?? {}).map(
    ([opcode, of]) => `${opcode} ${of.reduce((sum, { ms }) => sum + ms, 0).toFixed(2)}`,
  )
  console.log(
    `${total.toFixed(2)} ms, products alone ${limit.toFixed(2)} ms: ${(limit / total).toFixed(2)}; ${byOpcode.join(', ')}`,
  )
}

const columnOf = ({ ms, share }, hasShare) =>
  hasShare ? `${share.toFixed(2)} (${ms.toFixed(2)} ms)` : `${ms.toFixed(2)} ms`

if (options.profile !== undefined) await profile(options.profile)
else {
  const rows = []
  for (const id of chosen) {
    const isCell = id === CELL
    const { title, mflop } = isCell
      ? { title: 'LSTM(64) as a custom cell in RNN; share of the built-in layer', mflop: networks.lstm.mflop }
      : networks[id]
    const columns = []
    for (const simd of levels) {
      configure(settingsOf(simd))
      columns.push(columnOf(await (isCell ? shareOfBuiltIn() : shareOfProducts(id)), mflop > 0))
    }
    rows.push([`${id}: ${title}`, `${mflop} Mflop`, ...columns, (isCell ? CELL_GOAL : GOALS[id])?.toFixed(2) ?? '–'])
    console.error(rows.at(-1).join(' | '))
  }
  console.log(table(['', 'products', ...levels.map((simd) => `${simd} SIMD`), 'goal, relaxed'], rows))
}
process.exit()
