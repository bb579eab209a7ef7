// loadModel and save with models of TensorFlow.js: folders, lists of files, and storages of a page.
// modes: simd

import { mkdtempSync, promises, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, expect, it, vi } from 'vitest'
import { Dense, Sequential, StateError, loadModel, tensor, type Tensor } from '../../../src'
import '../../../src/entries/node'

const folder = mkdtempSync(join(tmpdir(), 'myelin-tfjs-'))
afterAll(() => rmSync(folder, { recursive: true }))

const network = (): Sequential =>
  new Sequential([
    new Dense({ units: 3, inputShape: [2], activation: 'tanh', name: 'hidden' }),
    new Dense({ units: 1, name: 'answer' }),
  ])
const model = network()
const x = tensor([
  [1, 2],
  [-0.5, 0.25],
])

it('save writes a folder, which loadModel opens by its path, its file and its files', async () => {
  const expected = (await model.predict(x)).toArray()
  await model.save(`${folder}/net/`)
  await model.save(join(folder, 'other.json'))
  const names = readdirSync(join(folder, 'net')).sort()
  expect(names).toEqual(['group1-shard1of1.bin', 'model.json'])
  const files = names.map((name) => new File([readFileSync(join(folder, 'net', name))], name))
  for (const source of [
    join(folder, 'net'),
    pathToFileURL(`${folder}/net/`),
    join(folder, 'net', 'model.json'),
    join(folder, 'other.json'),
    files,
    files.toReversed(),
  ]) {
    const again = await loadModel(source)
    expect(((await again.predict(x)) as Tensor).toArray()).toEqual(expected)
  }
  const blank = network()
  await blank.loadWeights(join(folder, 'net', 'model.json'))
  expect((await blank.predict(x)).toArray()).toEqual(expected)
})

it('a model is replaced as a whole, also if writing ends before model.json', async () => {
  const path = join(folder, 'replaced')
  const answers = async (source: string): Promise<unknown> =>
    ((await (await loadModel(source)).predict(x)) as Tensor).toArray()
  const [first, second, third] = [network(), network(), network()]
  const expected = await Promise.all([first, second, third].map(async (each) => (await each.predict(x)).toArray()))
  await first.save(`${path}/`)
  const rename = vi.spyOn(promises, 'rename')
  rename.mockImplementation(async (from, to) => {
    if (String(to).endsWith('model.json')) throw new Error('the process ends')
    renameSync(from, to)
  })
  await expect(second.save(`${path}/`)).rejects.toThrow()
  rename.mockRestore()
  expect(await answers(path)).toEqual(expected[0])
  await second.save(`${path}/`)
  expect(await answers(path)).toEqual(expected[1])
  // Two models in one folder keep their weights.
  await second.save(join(path, 'other.json'))
  await third.save(`${path}/`)
  expect(await answers(path)).toEqual(expected[2])
  expect(await answers(join(path, 'other.json'))).toEqual(expected[1])
  await third.save(join(path, 'other.json'))
  expect(await answers(join(path, 'other.json'))).toEqual(expected[2])
  expect(await answers(path)).toEqual(expected[2])
  expect(readdirSync(path).filter((name) => name.endsWith('.bin'))).toHaveLength(1)
})

it('names what is missing', async () => {
  const [json] = readdirSync(join(folder, 'net'))
    .filter((name) => name.endsWith('.json'))
    .map((name) => new File([readFileSync(join(folder, 'net', name))], name))
  await expect(loadModel([json!])).rejects.toThrow(/needs the file 'group1-shard1of1\.bin'/)
  await expect(loadModel('indexeddb://none')).rejects.toBeInstanceOf(StateError)
  await expect(model.save('indexeddb://none')).rejects.toBeInstanceOf(StateError)
})

it('reads options that TensorFlow.js writes as null', async () => {
  const embedding = {
    class_name: 'Embedding',
    config: {
      name: 'words',
      input_dim: 4,
      output_dim: 1,
      mask_zero: null,
      input_length: null,
      batch_input_shape: [null, 2],
    },
  }
  const weights = [{ name: 'words/embeddings', shape: [4, 1], dtype: 'float32' }]
  const json = JSON.stringify({
    format: 'layers-model',
    modelTopology: { class_name: 'Sequential', config: { name: 'net', layers: [embedding] } },
    weightsManifest: [{ paths: ['w.bin'], weights }],
  })
  const table = new File([Float32Array.of(5, 6, 7, 8)], 'w.bin')
  const read = await loadModel([new File([json], 'model.json'), table])
  expect(((await read.predict(tensor([[3, 1]], [1, 2], 'int32'))) as Tensor).toArray()).toEqual([[[8], [6]]])
})
