// The short blocks of the guides, which take a model and data for granted: each runs by itself, on stand-ins for what it does not
// declare. Blocks below `<!-- tested -->` run in guides.test.ts.
// modes: simd

import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import ts from 'typescript'
import * as myelin from '../src'
import * as balance from '../src/balance'
import * as data from '../src/data'
import * as explain from '../src/explain'
import { findWeightFilesWith } from '../src/models/weight-files'
import { weightFiles } from '../src/models/weight-formats'
import * as onnx from '../src/onnx'
import * as plot from '../src/plot'
import * as predict from '../src/predict'
import * as search from '../src/search'
import * as tfjs from '../src/tfjs'
import * as thrift from '../src/thrift'
import * as weights from '../src/weights'
import { readDocument, runBlocks } from './helpers/documented'

const { Conv2D, Dense, Flatten, Input, Model, Sequential, metrics } = myelin
const exported = {
  ...myelin,
  ...balance,
  ...data,
  ...explain,
  ...onnx,
  ...plot,
  ...search,
  ...tfjs,
  ...thrift,
  ...weights,
}

const folder = mkdtempSync(join(tmpdir(), 'myelin-snippets-'))
beforeAll(() => {
  // As in the entry for Node.
  findWeightFilesWith(weightFiles(() => import('../src/weights')))
  vi.spyOn(console, 'log').mockReturnValue()
  vi.spyOn(console, 'warn').mockReturnValue()
  vi.spyOn(process.stdout, 'write').mockReturnValue(true)
})
afterAll(() => {
  findWeightFilesWith(null)
  vi.restoreAllMocks()
  rmSync(folder, { recursive: true })
})

/** Paths of files and folders that a block names. */
const PATH =
  /'(\/?(?:[\w-]+\/)*[\w-]+\.(?:safetensors|svg|keras|onnx|npz|json|jpg)|(?:models?|backup|copy)\/[^']*|animals)'/g

/** The blocks of a page that no mark introduces, without those that need a module of their own. */
function snippetsOf(page: string): string[] {
  const text = readDocument(`docs/${page}.md`).replace(
    /^<!-- (?:tested|from \S+|listed|worker) -->\n```[\s\S]*?^```$/gm,
    '',
  )
  const all = [...text.matchAll(/^```[jt]s\n([\s\S]*?)^```$/gm)].map(([, code]) => code!)
  return all.filter((code) => !code.includes('import.meta'))
}

/** Runs a block in a scope of its own; names that it neither declares nor is given come from the package. */
async function runSnippet(code: string, scope: Readonly<Record<string, unknown>>): Promise<void> {
  const { outputText } = ts.transpileModule(code.replace(/^import [\s\S]*? from 'myelin[^']*'$/gm, ''), {
    compilerOptions: { target: ts.ScriptTarget.ESNext },
  })
  // Two epochs show as much as a hundred.
  const placed = outputText
    .replace(PATH, (_, path: string) => JSON.stringify(join(folder, path)))
    .replace(/\bepochs: \d+/g, 'epochs: 2')
  await runBlocks([`{\n${placed}\n}`], exported, { ...exported, ...scope }, [])
}

const rowsOf = (count: number, columns: number): number[][] =>
  Array.from({ length: count }, (_, i) => Array.from({ length: columns }, (__, j) => Math.sin(1 + i * columns + j)))

/** A classifier of three classes with convolutions or without, compiled and trained a little. */
async function classifier(inputShape: readonly number[], x: myelin.TensorLike, y: readonly number[]) {
  myelin.setRandomSeed(1)
  const front =
    inputShape.length === 3
      ? [new Conv2D({ filters: 8, kernelSize: 3, activation: 'relu', inputShape, name: 'conv' }), new Flatten()]
      : []
  const model = new Sequential([
    ...front,
    new Dense({ units: 200, activation: 'relu', name: 'hidden', ...(front.length === 0 && { inputShape }) }),
    new Dense({ units: 8, activation: 'relu', name: 'second' }),
    new Dense({ units: 3, activation: 'softmax', name: 'dense' }),
  ])
  model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] })
  await model.fit(x, y, { epochs: 1, verbose: 0 })
  return model
}

/** A classifier of rows of four numbers, with what it learns. */
async function ofRows() {
  const [x, y] = [rowsOf(30, 4), labelsOf(30)]
  return { model: await classifier([4], x, y), x, y }
}

const there = (name: string): string => join(folder, name)
const golden = (path: string): string => fileURLToPath(new URL(`golden/${path}`, import.meta.url))

const labelsOf = (count: number): number[] => Array.from({ length: count }, (_, i) => i % 3)
const images = { data: Float32Array.from({ length: 12 * 64 }, (_, i) => Math.sin(i) ** 2), shape: [12, 8, 8, 1] }

/** What a block of each page takes for granted. */
const scopes: Readonly<Record<string, (code: string) => Promise<Record<string, unknown>>>> = {
  async thrift(code) {
    const [x, y] = [images, labelsOf(12)]
    const model = await classifier([8, 8, 1], x, y)
    const base = new Sequential([new Flatten({ inputShape: [8, 8, 1] }), new Dense({ units: 1 })])
    if (code.includes('base.safetensors')) await base.save(join(folder, 'base.safetensors'))
    const [teacher, student] = [await classifier([8, 8, 1], x, y), await classifier([8, 8, 1], x, y)]
    const rows = myelin.tensor(images.data, images.shape)
    const sliced = Object.assign(rows, { slice: () => images })
    return { model, x: sliced, y, xTest: x, yTest: y, validationData: [x, y], teacher, student, unlabelled: x }
  },
  async plot(code) {
    // The plane has two columns.
    const width = code.includes('plotDecision') ? 2 : 4
    const [x, xTest] = [rowsOf(30, width), rowsOf(12, width)]
    const y = labelsOf(30).map((label) => Math.min(label, width - 1))
    const model = await classifier([width], x, y)
    const eye = await classifier([8, 8, 1], images, labelsOf(12))
    const history = await model.fit(x, y, { epochs: 2, verbose: 0 })
    const confusion = new metrics.ConfusionMatrix({ numClasses: 3 })
    confusion.apply(y, await model.predict(x))
    return { model, x, y, xTest, yTest: labelsOf(12), columns: ['a', 'b', 'c', 'd'], history, confusion, eye, images }
  },
  async callbacks() {
    const [x, y] = [rowsOf(30, 4), labelsOf(30)]
    const model = await classifier([4], x, y)
    const makeModel = () => {
      const made = new Sequential([new Dense({ units: 3, activation: 'softmax', inputShape: [4] })])
      made.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy' })
      return made
    }
    return { model, makeModel, x, y, xVal: x, yVal: y }
  },
  async explain() {
    const [xTest, yTest] = [rowsOf(12, 8), labelsOf(12)]
    const model = await classifier([8, 8, 1], images, yTest)
    const flat = await classifier([8], xTest, yTest)
    const image = Input({ shape: [8], name: 'image' })
    const tags = Input({ shape: [2], name: 'tags' })
    const joined = new myelin.Concatenate().apply([image, tags])
    const shop = new Model({ inputs: { image, tags }, outputs: { price: new Dense({ units: 1 }).apply(joined) } })
    const reader = new Sequential([new Dense({ units: 8, inputShape: [8] })])
    const scope = { images, labels: yTest, shop, image: xTest, tags: rowsOf(12, 2), reader, x: xTest }
    return { ...scope, model, flat, xValidation: images, yValidation: yTest, xTest: images, yTest }
  },
  async search() {
    const y = labelsOf(30).map((label) => [Number(label > 0)])
    const make = ({ units, learningRate }: { units: number; learningRate: number }) => {
      const model = new Sequential([
        new Dense({ units, inputShape: [8] }),
        new Dense({ units: 1, activation: 'sigmoid' }),
      ])
      model.compile({ optimizer: new myelin.Adam({ learningRate }), loss: 'binaryCrossentropy', metrics: ['accuracy'] })
      return model
    }
    const space = { units: [2, 4], learningRate: [0.1, 0.01] }
    return { x: rowsOf(30, 8), y, make, space }
  },
  balance: ofRows,
  async onnx(code) {
    const labels = labelsOf(12)
    const model = await classifier([8, 8, 1], images, labels)
    await onnx.writeOnnx(model, there('model.onnx'))
    if (code.includes('OnnxModel')) await (await onnx.loadOnnx(there('model.onnx'))).save(there('model.safetensors'))
    return { images, labels, ...(code.includes('writeOnnx(') && { model }) }
  },
  async tfjs() {
    const { model, x, y } = await ofRows()
    await tfjs.writeTfjs(model, there('model/'))
    return { x, y }
  },
  async 'tfjs-graph-models'(code) {
    cpSync(golden('tfjs-graph/series'), there('model'), { recursive: true })
    const model = await tfjs.readTfjs(there('model/model.json'))
    if (code.includes('TfjsModel')) await model.save(there('model.safetensors'))
    return { images: myelin.ops.ones([8, 8, 3]), labels: labelsOf(8).map((label) => label % 2) }
  },
  async weights() {
    const model = new Sequential([new Dense({ units: 3, inputShape: [4], name: 'dense' })])
    const mapping = { 'fc.weight': { to: 'dense/kernel', transpose: [1, 0] }, 'fc.bias': 'dense/bias' }
    await model.saveWeights(there('net.safetensors'), { mapping })
    return { model }
  },
  async 'keras-files'() {
    const { model, x, y } = await ofRows()
    await model.save(there('model.keras'))
    return { x, y }
  },
  async 'growing-out'() {
    const given = await ofRows()
    await given.model.save(there('grown.keras'))
    return given
  },
  tape: ofRows,
  async start() {
    const { model } = await ofRows()
    await model.save(there('model.safetensors'))
    class Image {
      alt = ''
      src = ''
    }
    const append = ({ alt, src }: Image) => {
      expect(alt).toContain('loss')
      expect(src).toMatch(/^blob:/)
    }
    return { loadModel: predict.loadModel, history: { loss: [2, 1] }, Image, document: { body: { append } } }
  },
  async files() {
    const { model, x, y } = await ofRows()
    await model.save(there('model.keras'))
    return { x, y }
  },
  async data(code) {
    cpSync(golden('data/animals'), there('animals'), { recursive: true })
    const photo = readFileSync(golden('data/animals/cat/0.png'))
    const frame = { width: 2, height: 2, data: new Uint8ClampedArray(16) }
    // There is no camera in Node.
    async function* webcamFrames() {
      yield data.fromPixels(frame)
    }
    const rows = data.Dataset.range(2000)
    return {
      rows,
      input: { files: [photo] },
      canvas: frame,
      isDone: true,
      ...(code.includes('webcam') && { webcamFrames }),
    }
  },
  async images(code) {
    cpSync(golden('data/animals'), there('animals'), { recursive: true })
    if (code.includes('animals.keras')) {
      const model = new Sequential([Input({ shape: [224, 224, 3] }), new myelin.GlobalAveragePooling2D(), new Dense(2)])
      await model.save(there('animals.keras'))
      // The reader goes by the content, not by the name.
      cpSync(golden('data/animals/cat/0.png'), there('photo.jpg'))
    }
    if (!code.includes('imageFolder')) return { model: await classifier([8, 8, 1], images, labelsOf(12)), images }
    const photos = { data: new Float32Array(3 * 64 * 64 * 3), shape: [3, 64, 64, 3] }
    return { model: await classifier([64, 64, 3], photos, labelsOf(3)) }
  },
  async preprocessing(code) {
    const boxes = [[[1, 1, 4, 4]], [[2, 2, 6, 6]]]
    const model = await classifier([8, 8, 1], images, labelsOf(12))
    model.compile({ optimizer: 'adam', loss: 'categoricalCrossentropy' })
    const oneHot = labelsOf(12).map((label) => [0, 1, 2].map((each) => Number(each === label)))
    return {
      rows: rowsOf(12, 3),
      texts: ['a fine film', 'a dull film', 'fine', 'dull'],
      labels: code.includes('boxes') ? [[1], [2]] : [1, 0, 1, 0],
      dataset: data.Dataset.fromTensorSlices({ images, labels: oneHot }),
      model,
      photos: { data: new Float32Array(2 * 8 * 8 * 3).fill(100), shape: [2, 8, 8, 3] },
      boxes,
    }
  },
  async keras() {
    return {}
  },
  async notebooks() {
    const given = await ofRows()
    const svg = (text: string) => expect(text).toMatch(/^<svg /)
    // There is no document in which element() could make one.
    const plotHistory = (of: myelin.callbacks.History) =>
      Object.assign(plot.plotHistory(of), { element: () => expect(of).toBeInstanceOf(myelin.callbacks.History) })
    return {
      ...given,
      history: await given.model.fit(given.x, given.y, { verbose: 0 }),
      tslab: { display: { svg } },
      plotHistory,
    }
  },
}

describe.each(Object.keys(scopes))('docs/%s.md', (page) => {
  it('has blocks that run', async () => {
    const snippets = snippetsOf(page)
    expect(snippets.length).toBeGreaterThan(0)
    const failed: string[] = []
    for (const code of snippets) {
      await runSnippet(code, await scopes[page]!(code)).catch((error: unknown) =>
        failed.push(`${code}\n${String(error)}`),
      )
    }
    expect(failed).toEqual([])
  })
})

/** Pages whose blocks without a mark are checked by other tests. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'adding-a-layer': 'tests/layers/documented.test.ts',
  errors: 'tests/guides.test.ts',
  'react-native': 'tests/runtime/without-wasm.test.ts',
}

it('every page with code has a test', () => {
  const pages = readdirSync(new URL('../docs', import.meta.url), { recursive: true })
    .map(String)
    .filter((path) => path.endsWith('.md') && !path.startsWith('node_modules'))
    .map((path) => path.slice(0, -3))
  const lacking = pages.filter((page) => !(page in scopes) && !(page in ELSEWHERE) && snippetsOf(page).length > 0)
  expect(lacking).toEqual([])
  for (const [page, test] of Object.entries(ELSEWHERE))
    expect(readFileSync(new URL(`../${test}`, import.meta.url), 'utf8')).toContain(`docs/${page}.md`)
})
