// The JSON of Keras's to_json(), with and without weights in a file of their own.
// modes: simd

import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { Dense, FormatError, Sequential, loadModel, modelFromJSON as ours } from '../../src'
import { encodeUtf8 } from '../../src/core/text'
import { typed } from '../../src/core/tree'
import { loadKerasWeights, modelFromJSON, readKeras, writeKeras, writeKerasWeights } from '../../src/keras'
import { readArchive } from '../../src/archives/archive'
import { bytesOf, differenceOf, inputsOf, jsonOf } from './goldens'
import type { Golden } from './goldens'

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
  const file = new URL('../golden/keras/operations.json.gz', import.meta.url)
  const { models } = JSON.parse(gunzipSync(readFileSync(file)).toString()) as { models: { config: string }[] }
  expect(modelFromJSON(models[0]!.config).name).toBe('model')
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
  expect(() => ours(json)).toThrow(FormatError)
  expect(() => ours(json)).toThrow("modelFromJSON of 'myelin/keras'")
})
