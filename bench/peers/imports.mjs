// Models of other formats: opened by loadModel, and by the library that they come from. Ratios above 1: myelin is faster. One thread.
//
//   node bench/peers/imports.mjs [--rounds N] [--only seed,cnn]          after `npm run build` and `npm ci --prefix bench/peers`

import { execFileSync } from 'node:child_process'
import { writeFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { describeMachine, loadBuilt, machineLine, warnIfBusy } from '../machine.mjs'
import { formatMilliseconds, replaceTable, table } from '../report.mjs'
import tfjs, { savedModel } from './adapters/tfjs.mjs'
import ortWeb from './adapters/ort-web.mjs'
import { cases } from './cases.mjs'
import { network } from './dense.mjs'
import { interleave, median, ratio } from './measure.mjs'
import { uses } from './networks.mjs'
import { onnxModel } from './onnx.mjs'

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '9' },
    only: { type: 'string' },
    load: { type: 'string' },
    publish: { type: 'boolean' },
  },
})
const timing = { rounds: Number(flags.rounds), warmUpMs: 400, sampleMs: 60 }
/** Weights of the network whose loading is timed: 10 MB. */
const large = network(
  784,
  [1280, 1024, 256, 10].map((units, i) => ({ units, activation: i < 3 ? 'relu' : 'softmax' })),
  'sparseCategoricalCrossentropy',
  1,
)

// A fresh process that loads the file and predicts once, without the time of importing the library.
if (flags.load !== undefined) {
  const [library, path] = flags.load.split(',')
  const x = new Float32Array(784).fill(0.5)
  let milliseconds
  if (library === 'myelin') {
    const { loadModel, tensor } = await loadBuilt()
    const started = performance.now()
    const model = await loadModel(path)
    await model.predict(tensor(x, [1, 784]))
    milliseconds = performance.now() - started
  } else {
    const ort = await import('onnxruntime-web/wasm')
    ort.env.wasm.numThreads = 1
    const { readFile } = await import('node:fs/promises')
    const started = performance.now()
    const session = await ort.InferenceSession.create(await readFile(path), { executionProviders: ['wasm'] })
    await session.run({ x: new ort.Tensor('float32', x, [1, 784]) })
    milliseconds = performance.now() - started
  }
  console.log(milliseconds)
  process.exit()
}

const machine = describeMachine()
warnIfBusy(machine)
const { loadModel, tensor, configure } = await loadBuilt()
configure({ threads: 1 })
await ortWeb.load()
await tfjs.load()

/** How many times longer theirs takes. */
async function compared(ours, theirs) {
  const samples = await interleave(
    [
      { name: 'ours', call: ours },
      { name: 'theirs', call: theirs },
    ],
    timing,
  )
  return ratio(samples.get('theirs'), samples.get('ours'))
}

/** Classes that the adapter of TensorFlow.js defines, which a file does not contain. */
const OWN_LAYERS = ['MultiHeadAttention', 'PositionEmbedding']

const chosen = flags.only?.split(',')
const seen = new Set()
const rows = []
for (const { id, title, operation, network, data, batchSize } of cases) {
  if (
    operation !== 'predict' ||
    seen.has(network) ||
    (chosen !== undefined && !chosen.some((each) => id.startsWith(each)))
  )
    continue
  seen.add(network)
  const { inputShape, tokens } = network
  const size = data.x.length / data.rows
  const inputs = (count) =>
    tensor(data.x.slice(0, count * size), [count, ...inputShape], tokens === undefined ? 'float32' : 'int32')
  const sources = [
    [ortWeb, async () => onnxModel(network)],
    [
      tfjs,
      async () => {
        const { json, weights } = await savedModel(network)
        return [new File([json], 'model.json'), new File([weights], 'weights.bin')]
      },
    ],
  ]
  const cells = [title.replace(/^[^:]*: /, '').replace(/; batch \d+$/, '')]
  for (const [adapter, file] of sources) {
    if (!adapter.can({ operation, network }) || (adapter === tfjs && uses(network, OWN_LAYERS))) {
      cells.push('–', '–')
      continue
    }
    const model = await loadModel(await file())
    const [one, all] = [inputs(1), inputs(data.rows)]
    const theirs = await adapter.build(network, data, batchSize)
    const single = await compared(
      () => model.predictOnBatch(one),
      () => theirs.predictRow(0),
    )
    const batch = await compared(
      () => model.predictOnBatch(all),
      () => theirs.predictAll(),
    )
    cells.push(...[single, batch].map((times) => `${times >= 10 ? times.toFixed(0) : times.toFixed(1)}×`))
    theirs.dispose()
    model.dispose()
  }
  rows.push(cells)
  console.error(cells.join(' | '))
}

const folder = mkdtempSync(join(tmpdir(), 'imports-'))
const path = join(folder, 'large.onnx')
writeFileSync(path, onnxModel(large))
const loadIn = (library) =>
  Number(
    execFileSync(process.execPath, [fileURLToPath(import.meta.url), '--load', `${library},${path}`], {
      encoding: 'utf8',
    }),
  )
const loads = { ours: [], theirs: [] }
for (let round = 0; round < timing.rounds; round++) {
  loads.ours.push(loadIn('myelin'))
  loads.theirs.push(loadIn('onnxruntime-web'))
}
rmSync(folder, { recursive: true })

const markdown = [
  table(['network', 'ONNX: one row', 'ONNX: a batch', 'TensorFlow.js: one row', 'TensorFlow.js: a batch'], rows),
  `The times of onnxruntime-web and of TensorFlow.js (wasm) as multiples of those of myelin, medians of ${timing.rounds} rounds. Opening an ONNX file of 10 MB in a fresh process, until its first prediction: myelin ${formatMilliseconds(median(loads.ours))}, onnxruntime-web ${formatMilliseconds(median(loads.theirs))}. ${machineLine(machine)}`,
].join('\n\n')
if (flags.publish) replaceTable(fileURLToPath(new URL('../../docs/files.md', import.meta.url)), 'imports', markdown)
console.log(markdown)
