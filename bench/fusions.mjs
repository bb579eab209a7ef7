// Times each fusion and what it replaces, in one run and interleaved. For other libraries see peers/run.mjs, for the
// machine's limits bandwidth.mjs.
//
//   node bench/fusions.mjs                writes results/fusions.json and the table in README.md; NODE_BINARIES adds other
//                                         versions of Node
//   node bench/fusions.mjs --quick        one short pass; prints only
//   node bench/fusions.mjs --only softmax     prints only
//
// "Apart" is the same program with configure({ fuse: false }), one instruction per operation, unless stated otherwise.
import { parseArgs } from 'node:util'
import { instructionsOf, predictionProgram, trainingProgram } from './internals.mjs'
import { loadBuilt, machineLine, measureInEachNode, nodeTitle, publish } from './machine.mjs'
import { interleave, median, ratio } from './peers/measure.mjs'
import { formatMilliseconds, table } from './report.mjs'

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    rounds: { type: 'string', default: '15' },
    'sample-ms': { type: 'string', default: '20' },
    'warm-up-ms': { type: 'string', default: '100' },
  },
})
const timing = options.quick
  ? { rounds: 5, warmUpMs: 40, sampleMs: 8 }
  : { rounds: Number(options.rounds), warmUpMs: Number(options['warm-up-ms']), sampleMs: Number(options['sample-ms']) }

const { Adam, Dense, Layer, Sequential, Variable, configure, losses, ops, runtimeInfo, tensor, valueAndGrad } =
  await loadBuilt()

/** Values of both signs around 1, or class numbers. */
const content = (length, phase, classes = 0) =>
  Float32Array.from({ length }, (_, i) => (classes > 0 ? i % classes : Math.sin(1.3 * i + phase)))

/** One run of a program, and its instructions. */
const contender = (program) => ({ call: () => program.run(), count: instructionsOf(program).length })

/** A training step on one batch. The learning rate is small, so that a million steps change nothing. */
function trainingStep({ layers, inputs, batchSize, loss, targets }) {
  const model = new Sequential(layers())
  model.compile({ optimizer: new Adam({ learningRate: 1e-9 }), loss })
  const x = tensor(content(batchSize * inputs, 0), [batchSize, inputs])
  model.trainOnBatch(x, tensor(targets, [batchSize, 1]))
  return contender(trainingProgram(model))
}

const seedModel = () =>
  trainingStep({
    layers: () => [
      new Dense({ units: 10, activation: 'relu', inputShape: [8] }),
      new Dense({ units: 8, activation: 'relu' }),
      new Dense({ units: 1, activation: 'sigmoid' }),
    ],
    inputs: 8,
    batchSize: 32,
    loss: 'binaryCrossentropy',
    targets: content(32, 0, 2),
  })

const classifier = () =>
  trainingStep({
    layers: () => [
      new Dense({ units: 128, activation: 'relu', inputShape: [784] }),
      new Dense({ units: 10, activation: 'softmax' }),
    ],
    inputs: 784,
    batchSize: 128,
    loss: 'sparseCategoricalCrossentropy',
    targets: content(128, 0, 10),
  })

/**
 * A program with only `body`, whose operands are variables. All results except the last are assigned to other
 * variables.
 */
class Body extends Layer {
  constructor(operands, body) {
    super({ inputShape: [1] })
    this.operands = operands.map(
      (shape, i) =>
        new Variable(
          tensor(
            content(
              shape.reduce((a, b) => a * b, 1),
              i,
            ),
            shape,
          ),
          { trainable: false },
        ),
    )
    this.body = body
    this.results = []
  }

  call() {
    const results = this.body(...this.operands.map(({ value }) => value))
    results.slice(0, -1).forEach((result, i) => {
      this.results[i] ??= new Variable(result.shape, { trainable: false })
      this.results[i].assign(result)
    })
    return results.at(-1)
  }
}

function program(operands, body) {
  const model = new Sequential([new Body(operands, body)])
  model.predictOnBatch([[0]])
  return contender(predictionProgram(model, [1, 1]))
}

/** Runs `make` with fusion and without. */
const withAndWithout = (make) => ({
  fused: make,
  apart: () => {
    configure({ fuse: false })
    try {
      return make()
    } finally {
      configure({ fuse: true })
    }
  },
})

const wide = [1 << 22]
const wideChain = (a, b) => [ops.relu(ops.add(ops.multiply(ops.subtract(ops.multiply(a, b), 0.5), a), b))]
const labels = tensor(Int32Array.from(content(128, 0, 10)), [128])
const lossAndGradient = (loss) => (x) => valueAndGrad((logits) => ops.mean(loss(logits)))(x)
const composedCrossEntropy = (x) =>
  ops.negative(ops.sum(ops.multiply(ops.oneHot(labels, 10), ops.logSoftmax(x)), { axis: -1 }))
const targets = tensor(content(32, 0, 2), [32, 1])

/** Updates of `sizes` weights, each with a separate instruction. */
function updates(sizes) {
  const instructions = sizes.map((units) => {
    const model = new Sequential([new Dense({ units, useBias: false, inputShape: [1] })])
    model.compile({ optimizer: new Adam({ learningRate: 1e-9 }), loss: 'mse' })
    model.trainOnBatch([[1]], tensor(content(units, 1), [1, units]))
    return instructionsOf(trainingProgram(model)).find(({ opcode }) => opcode === 'Adam')
  })
  return {
    call: () => {
      for (const { call } of instructions) call()
    },
    count: instructions.length,
  }
}

const comparisons = [
  { name: 'All: 8→10→8→1, batch 32, Adam', ...withAndWithout(seedModel) },
  { name: 'All: 784→128→10, batch 128, Adam', ...withAndWithout(classifier) },
  {
    name: 'Softmax and cross-entropy with its gradient, 128×10; apart: log-softmax, comparison, products, sums (themselves fused)',
    fused: () =>
      program(
        [[128, 10]],
        lossAndGradient((x) => losses.sparseCategoricalCrossentropy(labels, x, { fromLogits: true })),
      ),
    apart: () => program([[128, 10]], lossAndGradient(composedCrossEntropy)),
  },
  {
    name: 'Sigmoid and binary cross-entropy with its gradient, 32×1',
    ...withAndWithout(() =>
      program(
        [[32, 1]],
        lossAndGradient((x) => losses.binaryCrossentropy(targets, x, { fromLogits: true })),
      ),
    ),
  },
  {
    name: 'Gradient of relu, 128×128; apart: a comparison and a choice (themselves one chain)',
    fused: () =>
      program(
        [
          [128, 128],
          [128, 128],
        ],
        (x, dy) => [valueAndGrad((z) => ops.sum(ops.multiply(ops.relu(z), dy)))(x)[1]],
      ),
    apart: () =>
      program(
        [
          [128, 128],
          [128, 128],
        ],
        (x, dy) => [ops.where(ops.less(0, ops.relu(x)), dy, 0)],
      ),
  },
  {
    name: 'Elementwise chain in tiles: 5 cheap steps on 2²² elements',
    ...withAndWithout(() => program([wide, wide], wideChain)),
  },
  {
    name: 'Bias and relu inside the product, 128×128×128',
    ...withAndWithout(() =>
      program([[128, 128], [128, 128], [128]], (x, w, b) => [ops.relu(ops.add(ops.matmul(x, w), b))]),
    ),
  },
  {
    name: 'Bias and relu inside the product, 32×8×10',
    ...withAndWithout(() => program([[32, 8], [8, 10], [10]], (x, w, b) => [ops.relu(ops.add(ops.matmul(x, w), b))])),
  },
  {
    name: 'Adam over all 187 weights; apart: one instruction for each of six variables',
    fused: () => updates([187]),
    apart: () => updates([80, 10, 80, 8, 8, 1]),
  },
].filter(({ name }) => name.includes(options.only))
if (comparisons.length === 0) throw new Error(`--only ${options.only}: no fusion has this in its name`)

async function measure() {
  const rows = []
  for (const { name, ...variants } of comparisons) {
    const contenders = Object.entries(variants).map(([variant, make]) => ({ name: variant, ...make() }))
    const samples = await interleave(contenders, timing)
    const [fused, apart] = contenders
    rows.push({
      name,
      fusedMs: median(samples.get('fused')),
      apartMs: median(samples.get('apart')),
      gain: ratio(samples.get('apart'), samples.get('fused')),
      fusedInstructions: fused.count,
      apartInstructions: apart.count,
    })
    console.error(`${name}: ${rows.at(-1).gain.toFixed(2)}×`)
  }

  const { simd, threads } = runtimeInfo()
  return { simd, threads, rounds: timing.rounds, rows }
}

const report = await measureInEachNode(import.meta.url, measure)
const markdown = [
  table(
    ['', 'instructions', ...report.runs.flatMap((run) => [`${nodeTitle(run)}: fused`, 'apart', 'gain'])],
    report.runs[0].rows.map(({ name, fusedInstructions, apartInstructions }, i) => [
      name,
      `${fusedInstructions} for ${apartInstructions}`,
      ...report.runs.flatMap(({ rows }) => {
        const { fusedMs, apartMs, gain } = rows[i]
        return [formatMilliseconds(fusedMs), formatMilliseconds(apartMs), `${gain.toFixed(2)}×`]
      }),
    ]),
  ),
  '',
  `Medians of ${timing.rounds} interleaved rounds; the gain is the median of the ratios within each round. ${machineLine(report)}`,
].join('\n')
console.log(markdown)
if (!options.quick && options.only === '') publish('fusions', report, markdown)
