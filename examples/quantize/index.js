// The costs and savings of int8 and int4 weights: the speed of int8 by the size of the network on this processor; file and accuracy
// of a network for digits, and of one for texts with an embedding and an LSTM.
//
// Baseline: the same models with float32 weights. Result: int8 files of at most 35 %, at most 0.5 points of accuracy lost; int4 files
// of at most 25 %, at most 3 points lost; the embedding and the LSTM are quantized, too. Speeds are printed, not claimed: int8 makes
// small networks slower. Run it after `npm run build` with `node examples/quantize`; `--seeds 5` gives medians of five trainings.

import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import {
  Adam,
  Conv2D,
  Dense,
  Embedding,
  Flatten,
  LSTM,
  MaxPooling2D,
  Sequential,
  ops,
  padSequences,
  random,
  runtimeInfo,
  setRandomSeed,
} from 'myelin'
import { plotHistory } from 'myelin/plot'
import { quantizationReport, quantize } from 'myelin/thrift'
import { readDigits } from '../data/digits.js'
import { median } from '../data/statistics.js'
import { writeReviews } from '../reviews/reviews.js'
import { claim, percent, printTable, readOptions, savePicture } from '../shared/report.js'
import { speedup } from '../shared/speed.js'

const { seeds: SEEDS } = readOptions({ seeds: 1 })
const MOST_LOST = { 8: 0.005, 4: 0.03 }
const LARGEST_FILE = { 8: 0.35, 4: 0.25 }

// 1. Speed by size.
const relu = { activation: 'relu' }
const SIZES = {
  '784→1024→1024→10': [
    [784],
    () => [new Dense({ units: 1024, ...relu, inputShape: [784] }), new Dense({ units: 1024, ...relu }), new Dense(10)],
  ],
  LeNet: [
    [28, 28, 1],
    () => [
      new Conv2D({ filters: 8, kernelSize: 5, padding: 'same', ...relu, inputShape: [28, 28, 1] }),
      new MaxPooling2D(),
      new Conv2D({ filters: 16, kernelSize: 5, ...relu }),
      new MaxPooling2D(),
      new Flatten(),
      new Dense({ units: 120, ...relu }),
      new Dense(10),
    ],
  ],
  '64→64→10': [[64], () => [new Dense({ units: 64, ...relu, inputShape: [64] }), new Dense(10)]],
  '8→10→8→1': [
    [8],
    () => [new Dense({ units: 10, ...relu, inputShape: [8] }), new Dense({ units: 8, ...relu }), new Dense(1)],
  ],
}

/** The processor, and whether it multiplies bytes in one instruction (VNNI). */
function processor() {
  let flags = ''
  try {
    flags = readFileSync('/proc/cpuinfo', 'utf8').match(/^flags\s*:.*$/m)?.[0] ?? ''
  } catch {
    // Only Linux has this file.
  }
  const vnni = flags === '' ? 'VNNI unknown' : /avx(?:512)?_vnni/.test(flags) ? 'with VNNI' : 'without VNNI'
  return `${cpus()[0].model.trim()}, ${vnni}, Node ${process.versions.node}, ${runtimeInfo().simd} SIMD`
}

console.log(
  `int8 against float32, µs of float32 and how many times as fast int8 is, quartiles of 61 rounds\n${processor()}`,
)
const rows = [['network', '1 row, µs', 'int8', '32 rows, µs', 'int8', 'file']]
const speeds = { '1 row': [], '32 rows': [] }
for (const [name, [shape, layers]] of Object.entries(SIZES)) {
  setRandomSeed(1)
  const model = new Sequential(layers(), { name: 'sized' })
  const small = quantize(model)
  const found = [1, 32].map((count) => speedup(model, small, ops.abs(random.normal([count, ...shape], { seed: 1 }))))
  speeds['1 row'].push(found[0].median)
  speeds['32 rows'].push(found[1].median)
  const [large, few] = [await model.save(), await small.save()].map(({ length }) => length)
  rows.push([
    name,
    ...found.flatMap(({ low, median: middle, high, microseconds }) => [
      microseconds.toPrecision(3),
      `${middle.toFixed(2)} × (${low.toFixed(2)}–${high.toFixed(2)})`,
    ]),
    `${(few / large).toFixed(3)} ×`,
  ])
  for (const each of [model, small]) each.dispose()
}
printTable(rows)

// 2. File and accuracy.
const digits = readDigits([784])
async function trainDigits(seed) {
  setRandomSeed(seed)
  const model = new Sequential(
    [new Dense({ units: 304, ...relu, inputShape: [784] }), new Dense({ units: 10, activation: 'softmax' })],
    { name: 'digits' },
  )
  model.compile({ optimizer: new Adam(), loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] })
  await model.fit(digits.train.x, digits.train.y, { epochs: 4, verbose: 0 })
  return { model, x: digits.test.x, y: digits.test.y }
}

async function trainReviews(seed) {
  const reviews = writeReviews(5000, seed)
  const words = reviews.map(({ text }) => text.split(' '))
  const numbers = new Map([...new Set(words.flat())].map((word, i) => [word, i + 1]))
  const x = padSequences(
    words.map((each) => each.map((word) => numbers.get(word))),
    { padding: 'post' },
  )
  const y = reviews.map(({ isPraise }) => Number(isPraise))
  setRandomSeed(seed)
  const model = new Sequential(
    [
      new Embedding({ inputDim: numbers.size + 1, outputDim: 64, maskZero: true }),
      new LSTM({ units: 64 }),
      new Dense({ units: 1, activation: 'sigmoid' }),
    ],
    { name: 'reviews' },
  )
  model.compile({ optimizer: new Adam({ learningRate: 0.005 }), loss: 'binaryCrossentropy', metrics: ['accuracy'] })
  await model.fit(ops.slice(x, [0, 0], [4000, x.shape[1]]), y.slice(0, 4000), { epochs: 4, verbose: 0 })
  return { model, x: ops.slice(x, [4000, 0], [1000, x.shape[1]]), y: y.slice(4000) }
}

async function figuresOf(train, seed) {
  const { model, x, y } = await train(seed)
  const { length } = await model.save(undefined, { includeOptimizer: false })
  const before = await model.evaluate(x, y)
  const found = { before: { accuracy: before.accuracy, loss: before.loss } }
  for (const bits of [8, 4]) {
    const small = quantize(model, { bits })
    const report = quantizationReport(small)
    if (seed === 1) {
      console.log()
      report.print()
    }
    const { accuracy, loss } = await small.evaluate(x, y)
    found[bits] = {
      accuracy,
      loss,
      lost: before.accuracy - accuracy,
      file: (await small.save(undefined, { includeOptimizer: false })).length / length,
      isCovered: report.rows.every(({ why }) => why === null),
    }
    small.dispose()
  }
  model.dispose()
  return found
}

const table = [['network', 'float32', 'int8', 'file', 'int4', 'file']]
const claims = {}
for (const [name, train] of [
  ['digits, 784→304→10', trainDigits],
  ['reviews, Embedding and LSTM', trainReviews],
]) {
  const runs = []
  for (let seed = 1; seed <= SEEDS; seed++) runs.push(await figuresOf(train, seed))
  const of = (kind, figure) => median(runs.map((run) => run[kind][figure]))
  const quality = (kind) => `${percent(of(kind, 'accuracy'))}, ${of(kind, 'loss').toFixed(4)}`
  table.push([
    name,
    quality('before'),
    ...[8, 4].flatMap((bits) => [quality(bits), `${of(bits, 'file').toFixed(3)} ×`]),
  ])
  for (const bits of [8, 4]) {
    claims[`${name}, int${bits}: at most ${percent(MOST_LOST[bits])} lost`] = of(bits, 'lost') <= MOST_LOST[bits]
    claims[`${name}, int${bits}: a file of at most ${LARGEST_FILE[bits]} ×`] = of(bits, 'file') <= LARGEST_FILE[bits]
  }
  claims[`${name}: all layers are quantized`] = runs.every((run) => run[8].isCovered && run[4].isCovered)
}
console.log(
  `\nAccuracy and loss on held-out rows, and the file; ${SEEDS === 1 ? 'one seed' : `medians of ${SEEDS} seeds`}`,
)
printTable(table)
await savePicture('quantize', plotHistory(speeds, { title: 'Speed of int8 by size', xLabel: 'network' }))
claim(claims)
