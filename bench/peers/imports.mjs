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
import { formatMilliseconds, table } from '../report.mjs'
import tfjs, { savedModel } from './adapters/tfjs.mjs'
import ortWeb from './adapters/ort-web.mjs'
import { cases, network } from './cases.mjs'
import { interleave, median, ratio } from './measure.mjs'
import { uses } from './networks.mjs'
import { onnxModel } from './onnx.mjs'

const { values: flags } = parseArgs({
  options: { rounds: { type: 'string', default: '9' }, only: { type: 'string' }, load: { type: 'string' } },
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

/** Contenders in turn: [milliseconds of ours, of theirs, their ratio]. */
async function compared(ours, theirs) {
  const samples = await interleave(
    [
      { name: 'ours', call: ours },
      { name: 'theirs', call: theirs },
    ],
    timing,
  )
  return [median(samples.get('ours')), median(samples.get('theirs')), ratio(samples.get('theirs'), samples.get('ours'))]
}

/** Classes that the adapter of TensorFlow.js defines, which a file does not contain. */
const OWN_LAYERS = ['MultiHeadAttention', 'PositionEmbedding']

const chosen = flags.only?.split(',')
const seen = new Set()
const rows = []
for (const { id, operation, network: own, data, batchSize } of cases) {
  if (operation !== 'predict' || seen.has(own) || (chosen !== undefined && !chosen.some((each) => id.startsWith(each))))
    continue
  seen.add(own)
  const { inputShape, tokens } = own
  const size = data.x.length / data.rows
  const inputs = (count) =>
    tensor(data.x.slice(0, count * size), [count, ...inputShape], tokens === undefined ? 'float32' : 'int32')
  const sources = [
    ['ONNX', 'onnxruntime-web', ortWeb, async () => onnxModel(own)],
    [
      'TF.js',
      'TensorFlow.js (wasm)',
      tfjs,
      async () => {
        const { json, weights } = await savedModel(own)
        return [new File([json], 'model.json'), new File([weights], 'weights.bin')]
      },
    ],
  ]
  for (const [format, name, adapter, file] of sources) {
    if (!adapter.can({ operation, network: own }) || (format === 'TF.js' && uses(own, OWN_LAYERS))) continue
    const model = await loadModel(await file())
    const all = inputs(data.rows)
    const one = inputs(1)
    const theirs = await adapter.build(own, data, batchSize)
    const single = await compared(
      () => model.predictOnBatch(one),
      () => theirs.predictRow(0),
    )
    const batch = await compared(
      () => model.predictOnBatch(all),
      () => theirs.predictAll(),
    )
    for (const [count, [mine, other, times]] of [
      [1, single],
      [data.rows, batch],
    ])
      rows.push([
        id,
        format,
        name,
        String(count),
        `${formatMilliseconds(mine)} / ${formatMilliseconds(other)}`,
        `${times.toFixed(2)}×`,
      ])
    console.error(
      rows
        .slice(-2)
        .map((row) => row.join(' | '))
        .join('\n'),
    )
    theirs.dispose()
    model.dispose()
  }
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

console.log(
  table(
    ['network', 'format', 'opened by the library of the format', 'rows', 'ms: myelin / other', 'other ÷ myelin'],
    rows,
  ),
)
console.log(
  `\nLoading 10 MB and the first prediction: myelin ${formatMilliseconds(median(loads.ours))}, onnxruntime-web ${formatMilliseconds(median(loads.theirs))}: ${(median(loads.ours) / median(loads.theirs)).toFixed(2)} times as long`,
)
console.log(machineLine(machine))
