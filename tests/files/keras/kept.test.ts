// What files of Keras hold besides numbered weights of plainly named layers: any names of layers, weights of a model itself, tf-idf weights,
// and options that change nothing.
// modes: simd

import { describe, expect, it, vi } from 'vitest'
import {
  Adafactor,
  BatchNormalization,
  CategoryEncoding,
  Dense,
  Hashing,
  Input,
  InputLayer,
  IntegerLookup,
  Model,
  Sequential,
  SpatialDropout1D,
  TextVectorization,
  loadModel,
} from '../../../src'
import { typed } from '../../../src/core/tree'
import { forgetWarnings } from '../../../src/core/warnings'
import { readArchive, writeArchive } from '../../../src/files/containers/archive'
import { writeKeras } from '../../../src/entries/keras'
import { openHdf5 } from '../../../src/files/keras/hdf5/read'
import type { Hdf5GroupContent } from '../../../src/files/keras/hdf5/types'
import { writeHdf5 } from '../../../src/files/keras/hdf5/write'
import { readTfjs, writeTfjs } from '../../../src/entries/tfjs'
import { readWeights, writeWeights } from '../../../src/entries/weights'

const contents = (model: Model): (readonly number[])[] => model.getWeights().map(({ data }) => Array.from(data))
const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes)
const bytesOf = (json: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(json))

describe('layers of any name in .h5 files', () => {
  it.each([
    ['block1/conv', 'block1'],
    ['x/', 'x'],
    ['/', '.'],
    ['a/b', 'a', 'a/b/kernel', 'a/b/a'],
    ['top_level_model_weights', 'top_level_model_weights_1'],
    ['model_weights', 'layer_names'],
  ])('%s and %s', async (...names) => {
    const make = (): Model => {
      const x = Input({ shape: [3] })
      const outputs = names.reduce((y, name) => new Dense({ units: 3, name }).apply(y), x)
      return typed(new Model({ inputs: x, outputs }))
    }
    const model = make()
    expect(contents(await loadModel(await writeKeras(model, null, { format: 'h5' })))).toEqual(contents(model))
    const other = make()
    await readWeights(other, await writeWeights(model, null, { format: 'h5' }))
    expect(contents(other)).toEqual(contents(model))
  })
})

/** A `.keras` file with another configuration. */
async function edited(bytes: Uint8Array, edit: (config: string) => string): Promise<Map<string, Uint8Array>> {
  const files = new Map(await readArchive(bytes))
  return files.set('config.json', new TextEncoder().encode(edit(text(files.get('config.json')))))
}

it('tf-idf weights are those of the file', async () => {
  const layer = new TextVectorization({ outputMode: 'tfIdf', name: 'text_vectorization' })
  await layer.adapt(['a b c', 'b c d e', 'c d'])
  const model = new Sequential([new InputLayer({ shape: [1], dtype: 'string' }), layer, new Dense(2)])
  const expected = await model.predict([['a c'], ['d z']])
  const { vocabulary, idfWeights } = layer.getConfig() as { vocabulary: string[]; idfWeights: number[] }
  // As Keras 2.15 has them: with the weight of unknown tokens, which is the mean.
  const files = await edited(await writeKeras(typed(model)), (config) =>
    config
      .replace(/"vocabulary":\[[^\]]*\]/, '"vocabulary":null')
      .replace(/"idf_weights":\[[^\]]*\]/, '"idf_weights":null'),
  )
  files.set(
    'assets/layers/text_vectorization/vocabulary.txt',
    new TextEncoder().encode(['[UNK]', ...vocabulary].join('\n')),
  )
  const root = await openHdf5(files.get('model.weights.h5')!)
  const mean = idfWeights.reduce((sum, each) => sum + each, 0) / idfWeights.length
  const values = Float32Array.of(mean, ...idfWeights)
  const weights = { kind: 'dataset', read: () => ({ type: 'float32', shape: [values.length], values }) }
  const vars = { kind: 'group', attributes: new Map(), members: new Map([['idf_weights', weights]]) }
  const layers = root.members.get('layers') as typeof root
  const put = (group: typeof root, name: string, member: unknown) => ({
    ...group,
    members: new Map([...group.members, [name, member]]),
  })
  const own = { kind: 'group', attributes: new Map(), members: new Map([['vars', vars]]) }
  const written = put(root, 'layers', put(layers, 'text_vectorization', own))
  files.set('model.weights.h5', writeHdf5(written as never as Hdf5GroupContent))
  const again = await loadModel<never, typeof expected>(writeArchive(files))
  expect([...(await again.predict([['a c'], ['d z']] as never)).data]).toEqual([...expected.data])
})

it('options that change nothing are read, warn once, and are written as they came', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  forgetWarnings()
  const model = new Sequential([
    new InputLayer({ shape: [3, 2], name: 'x' }),
    new SpatialDropout1D({ rate: 0.5 }),
    new BatchNormalization({ name: 'scale' }),
    new Dense(2),
  ])
  model.compile({ optimizer: new Adafactor(0.01), loss: 'mse' })
  const files = await edited(await writeKeras(typed(model)), (config) =>
    config
      .replace('"rate":0.5', '"rate":0.5,"noise_shape":null')
      .replace('"sparse":false', '"sparse":true')
      .replace('"synchronized":false', '"synchronized":true')
      .replace('"relative_step":true', '"relative_step":false'),
  )
  const changed = /sparse":true.*noise_shape.*synchronized":true.*relative_step":false/
  expect(text(files.get('config.json'))).toMatch(changed)
  const loaded = await loadModel(writeArchive(files))
  expect(contents(loaded)).toEqual(contents(typed(model)))
  for (const style of ['keras', 'h5'] as const) {
    const again = await loadModel(await writeKeras(typed(loaded), null, { format: style }))
    const kept = text((await readArchive(await writeKeras(typed(again)))).get('config.json'))
    expect(kept).toMatch(/sparse":true.*synchronized":true.*relative_step":false/)
  }
  expect(warn.mock.calls.map(([each]) => String(each).replace(/:.* changes nothing here:.*/, ''))).toEqual([
    'InputLayer "x"',
    'BatchNormalization "scale"',
    'Adafactor "adafactor"',
  ])
  warn.mockRestore()
})

it.each([
  () => new Hashing({ numBins: 3, sparse: true }),
  () => new IntegerLookup({ vocabulary: [3, 4], sparse: true, outputMode: 'multiHot' }),
  () => new CategoryEncoding({ numTokens: 9, sparse: true }),
  () => new TextVectorization({ vocabulary: ['a'], outputMode: 'multiHot', sparse: true }),
])('sparse of %s is kept', (make) => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  expect(make().getConfig()['sparse']).toBe(true)
  warn.mockRestore()
})

it('null in the shape of a Reshape of TensorFlow.js is the open extent', async () => {
  const { weights } = await writeTfjs(typed(new Sequential([new Dense({ units: 2, inputShape: [12] })])))
  expect(Object.keys(weights)).toHaveLength(1)
  const config = { name: 'reshape', target_shape: [null, 6], batch_input_shape: [null, 12] }
  const modelTopology = { class_name: 'Sequential', config: { name: 'm', layers: [{ class_name: 'Reshape', config }] } }
  const model = await readTfjs(bytesOf({ format: 'layers-model', modelTopology, weightsManifest: [] }))
  expect(model.output).toMatchObject({ shape: [null, 2, 6] })
})
