// The JSON of Keras's to_json(), with and without weights in a file of their own.
// modes: simd

import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { Dense, FormatError, Sequential, loadModel, modelFromJSON, models } from '../../../src'
import { encodeUtf8 } from '../../../src/core/text'
import { typed } from '../../../src/core/tree'
import {
  loadKerasWeights,
  modelFromJSON as ofSubPath,
  readKeras,
  writeKeras,
  writeKerasWeights,
} from '../../../src/entries/keras'
import { readArchive } from '../../../src/files/containers/archive'
import { bytesOf, differenceOf, inputsOf, jsonOf, type Golden } from './goldens'

const text = async (path: string): Promise<string> =>
  new TextDecoder().decode((await readArchive(bytesOf(path))).get('config.json')!)

it.each(['core', 'graph', 'operations', 'recurrent'])('the JSON of %s, then its weights', async (name) => {
  const path = `3.15/${name}.keras`
  const json = await text(path)
  const weights = await writeKerasWeights(typed(await readKeras(bytesOf(path))))
  const { x, y } = jsonOf<Golden>(path.replace('.keras', '.json'))
  for (const model of [modelFromJSON<never, unknown>(json), await loadModel<never, unknown>(encodeUtf8(json))]) {
    await loadKerasWeights(typed(model), weights)
    expect(differenceOf(await model.predict(inputsOf(x) as never), y)).toBeLessThan(1e-5)
  }
})

it('the JSON that to_json of Keras gives', () => {
  const file = new URL('../../golden/keras/operations.json.gz', import.meta.url)
  const written = JSON.parse(gunzipSync(readFileSync(file)).toString()) as { models: { config: string }[] }
  expect(modelFromJSON(written.models[0]!.config).name).toBe('model')
})

it('reads the JSON of this library, too', () => {
  const model = new Sequential([new Dense({ units: 2, inputShape: [3] })])
  expect(modelFromJSON(JSON.stringify(model)).countParams()).toBe(model.countParams())
})

it('an object, the options of compile, and what this library does not have', async () => {
  const model = new Sequential([new Dense({ units: 2, inputShape: [3] })])
  model.compile({ optimizer: 'adam', loss: 'meanSquaredError' })
  const json = new TextDecoder().decode((await readArchive(await writeKeras(model))).get('config.json')!)
  expect(modelFromJSON(JSON.parse(json) as never).countParams()).toBe(8)
  const loaded = await loadModel(encodeUtf8(json))
  expect(loaded.optimizer.constructor.name).toMatch(/Adam/)
  expect(() => modelFromJSON(json.replaceAll('"Dense"', '"Denser"'))).toThrow(/Denser/)
})

it('is one function under all its names, with classes of the user', () => {
  expect(models.modelFromJSON).toBe(modelFromJSON)
  expect(ofSubPath).toBe(modelFromJSON)
  class Gate extends Dense {
    static override readonly className: string = 'Gate'
  }
  const gate = { module: 'gates', class_name: 'Gate', config: { units: 2 }, registered_name: 'gates>Gate' }
  const json = { class_name: 'Sequential', config: { name: 'net', layers: [gate] } }
  expect(() => modelFromJSON(json)).toThrow(FormatError)
  expect((modelFromJSON(json, { customObjects: { Gate } }) as Sequential).layers[0]).toBeInstanceOf(Gate)
})

it('the hard_sigmoid of Keras 2 is not that of Keras 3', async () => {
  const dense = { class_name: 'Dense', config: { units: 1, activation: 'hard_sigmoid', batch_input_shape: [null, 1] } }
  const json = { class_name: 'Sequential', config: { name: 'net', layers: [dense] } }
  const outputs = await Promise.all(
    ['2.15.0', '3.15.1'].map(async (version) => {
      const text = JSON.stringify({ ...json, keras_version: version, backend: 'tensorflow' })
      const made = [modelFromJSON<never, never>(text), await loadModel<never, never>(encodeUtf8(text))]
      return made.map((model) => {
        model.setWeights([[[1]], [0]])
        return typed<Sequential>(model).predictOnBatch([[1]]).data[0]
      })
    }),
  )
  const [former, present] = [Math.fround(0.7), Math.fround(1 / 6 + 0.5)]
  for (const [i, each] of [former, present].entries())
    for (const value of outputs[i]!) expect(value).toBeCloseTo(each, 6)
})
