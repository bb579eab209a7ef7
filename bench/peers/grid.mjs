// Times training steps of layers over a grid of shapes and batches, beside PyTorch (eager, one thread each): a hole in the speed
// of a kernel shows as a cell far below its neighbours.
//
//   node grid.mjs --python PATH              writes ../results/grid.json and the table in ../README.md
//   node grid.mjs --python PATH --quick      batches 1 and 32, one short round; prints only
//   node grid.mjs --python PATH --only conv  rows whose name contains the text; prints only
//   NODE_BINARIES=path/to/node24 node grid.mjs --python PATH     in both versions of Node
import { parseArgs } from 'node:util'
import { pythonAdapters } from './adapters/python.mjs'
import myelin from './adapters/myelin.mjs'
import { interleave, median, ratio } from './measure.mjs'
import { preparedFrom } from './networks.mjs'
import { loadBuilt, machineLine, measureInEachNode, nodeTitle, publish } from '../machine.mjs'
import { table } from '../report.mjs'

const { values: options } = parseArgs({
  options: { python: { type: 'string' }, quick: { type: 'boolean', default: false }, only: { type: 'string' } },
})
if (options.python === undefined) throw new Error('pass --python PATH: an interpreter with PyTorch')
const BATCHES = options.quick ? [1, 32] : [1, 2, 4, 8, 16, 32, 64, 128]
const timing = options.quick ? { rounds: 1, warmUpMs: 30, sampleMs: 20 } : { rounds: 5, warmUpMs: 150, sampleMs: 60 }
const WORST = 8
/** How far apart the losses of the first step may be. */
const TOLERANCE = 2e-4

const dense = (units) => ({ layer: 'Dense', units, activation: 'relu' })
const conv = (filters, kernelSize) => ({ layer: 'Conv2D', filters, kernelSize, padding: 'same', activation: 'relu' })
const depthwise = { layer: 'DepthwiseConv2D', kernelSize: 3, padding: 'same', useBias: false }
const recurrent = (layer, units) => ({ layer, units, returnSequences: true })
const attention = (numHeads, keyDim, isCausal) => ({ layer: 'MultiHeadAttention', numHeads, keyDim, isCausal })
const [batchNorm, layerNorm] = [{ layer: 'BatchNormalization' }, { layer: 'LayerNormalization' }]
const averageOfPixels = { layer: 'GlobalAveragePooling2D' }
const averageOfSteps = { layer: 'GlobalAveragePooling1D' }
const times = (count, layer) => Array.from({ length: count }, () => layer)

/** Each layer stands behind another, so that the gradient of its input is computed too. */
const rows = [
  ...[
    [64, 64],
    [256, 256],
    [784, 128],
    [1000, 1000],
    [1024, 1024],
    [768, 3072],
    [2048, 2048],
    [4096, 1024],
  ].map(([inputs, units]) => [`Dense ${inputs}→${units}→${inputs}`, [inputs], [dense(units), dense(inputs)]]),
  ...[
    [28, 8],
    [32, 32],
    [16, 64],
    [14, 128],
    [7, 256],
  ].map(([side, filters]) => [
    `Conv2D 3×3, ${side}×${side}×${filters}, twice`,
    [side, side, filters],
    [...times(2, conv(filters, 3)), averageOfPixels],
  ]),
  ...[
    [28, 64],
    [7, 512],
  ].map(([side, filters]) => [
    `Conv2D 1×1, ${side}×${side}×${filters}, twice`,
    [side, side, filters],
    [...times(2, conv(filters, 1)), averageOfPixels],
  ]),
  ...[
    [32, 32],
    [14, 256],
  ].map(([side, filters]) => [
    `DepthwiseConv2D 3×3, ${side}×${side}×${filters}, twice`,
    [side, side, filters],
    [...times(2, depthwise), averageOfPixels],
  ]),
  ...['LSTM', 'GRU'].flatMap((layer) =>
    [
      [32, 32],
      [32, 128],
      [16, 512],
    ].map(([steps, units]) => [
      `${layer}(${units}), ${steps} steps, twice`,
      [steps, units],
      [...times(2, recurrent(layer, units)), averageOfSteps],
    ]),
  ),
  ...[
    [32, 64, 4, false],
    [128, 128, 4, true],
    [64, 512, 8, false],
  ].map(([steps, features, heads, isCausal]) => [
    `MultiHeadAttention, ${steps} steps of ${features}, ${heads} heads${isCausal ? ', causal' : ''}, twice`,
    [steps, features],
    [...times(2, attention(heads, features / heads, isCausal)), averageOfSteps],
  ]),
  [
    'BatchNormalization 32×32×32, max pooling, twice',
    [32, 32, 32],
    [...times(2, [batchNorm, { layer: 'MaxPooling2D' }]).flat(), averageOfPixels],
  ],
  ['LayerNormalization, 64 steps of 256, twice', [64, 256], [...times(2, layerNorm), averageOfSteps]],
  ['LayerNormalization of 1024, twice', [1024], times(2, layerNorm)],
  ...[
    [10_000, 32],
    [1000, 256],
  ].map(([inputDim, outputDim]) => [
    `Embedding(${inputDim}, ${outputDim}) of 64 tokens, average`,
    [64],
    [{ layer: 'Embedding', inputDim, outputDim }, averageOfSteps],
    inputDim,
  ]),
].filter(([name]) => options.only === undefined || name.includes(options.only))

async function measureCell(torch, [, inputShape, layers, tokens], batchSize) {
  const { network, data } = preparedFrom({ inputShape, layers, tokens, loss: 'mse', batchSize }, 7)
  const models = [myelin.build(network, data, batchSize), await torch.build(network, data, batchSize)]
  const losses = [await models[0].trainOnBatch(0), await models[1].trainOnBatch(0)]
  if (!(Math.abs(losses[0] - losses[1]) <= TOLERANCE * Math.abs(losses[1])))
    throw new Error(`${network.layers[0].layer}, ${batchSize} rows: the losses are ${losses.join(' and ')}`)
  const samples = await interleave(
    [
      { name: 'myelin', call: () => models[0].trainOnBatch(0) },
      { name: 'torch', sample: (milliseconds) => models[1].sample('trainOnBatch', milliseconds) },
    ],
    timing,
  )
  for (const model of models) model.dispose()
  const [ours, theirs] = [samples.get('myelin'), samples.get('torch')]
  return { milliseconds: median(ours), ratio: ratio(theirs, ours) }
}

async function measure() {
  const myelin = await loadBuilt()
  myelin.configure({ threads: 1 })
  await myelin.load()
  const torch = (await pythonAdapters(options.python)).get('torch')
  const cells = []
  for (const row of rows) {
    const found = []
    for (const batchSize of BATCHES) found.push(await measureCell(torch, row, batchSize))
    cells.push({ name: row[0], cells: found })
    console.error(`${row[0]}: ${found.map((cell) => cell.ratio.toFixed(2)).join(' ')}`)
  }
  return { simd: myelin.runtimeInfo().simd, torch: torch.version, rows: cells }
}

const report = await measureInEachNode(import.meta.url, measure)
const meanOf = (values) => Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length)
const markdown = [
  ...report.runs.flatMap((run) => {
    const all = run.rows.flatMap(({ name, cells }) => cells.map((cell, i) => ({ name, batch: BATCHES[i], ...cell })))
    const worst = all.toSorted((a, b) => a.ratio - b.ratio).slice(0, WORST)
    return [
      `**${nodeTitle(run)}**`,
      table(
        ['', ...BATCHES.map((batch) => `batch ${batch}`)],
        run.rows.map(({ name, cells }) => [name, ...cells.map((cell) => cell.ratio.toFixed(2))]),
      ),
      `Geometric mean of the ${all.length} cells: **${meanOf(all.map((cell) => cell.ratio)).toFixed(2)}**. Worst: ${worst.map((cell) => `${cell.name}, batch ${cell.batch}: ${cell.ratio.toFixed(2)}`).join('; ')}.`,
    ]
  }),
  `How many times as fast as PyTorch ${report.runs[0].torch} (eager, fused Adam) a training step is, loss read back: medians of the ratios of ${timing.rounds} interleaved rounds, one thread each. Before timing, the losses of a first step are compared. ${machineLine(report)}`,
].join('\n\n')
if (options.quick || options.only !== undefined) console.log(markdown)
else publish('grid', report, markdown)
