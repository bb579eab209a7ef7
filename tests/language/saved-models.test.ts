// The models of language models in files of this library, with the classes that loadModel finds itself.
// modes: simd

import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { loadModel, modelFromJSON, tensor, type Tensor } from '../../src'
import type { Shape } from '../../src/core/shapes'
import { languageLayers, type WeightKind } from '../../src/entries/language'
import { quantizedLayers } from '../../src/entries/thrift'
import type { JsonRecord } from '../../src/files/containers/json'
import { enableAdapters } from '../../src/language/adapters'
import type { Kind } from '../../src/language/families'
import type { EncoderInputs } from '../../src/language/families/encoder'
import { fillNetwork, transformerOf } from '../../src/language/preset'
import { drawnStore } from '../helpers/language'

interface Described {
  readonly config: JsonRecord
  readonly shapes: Readonly<Record<string, Shape>>
}
const { decoders, encoders }: Readonly<Record<'decoders' | 'encoders', Readonly<Record<string, Described>>>> =
  JSON.parse(gunzipSync(readFileSync(new URL('../golden/language/families.json.gz', import.meta.url))).toString('utf8'))

async function networkOf<Of extends Kind>({ config, shapes }: Described, kind: Of, weights: WeightKind = 'float32') {
  const [network, family] = transformerOf(config, kind, { name: 'model', weights })
  await fillNetwork(network, family, drawnStore(shapes), { where: 'model' })
  return network
}
const row = (...ids: number[]) => tensor(ids, [1, ids.length], 'int32')

describe.each(['float32', 'int8', 'int4'] as const)('%s', (weights) => {
  it.each(['llama', 'gemma2', 'phi3', 'gpt2', 'gpt_neox'])('%s predicts the same again', async (name) => {
    const { model } = await networkOf(decoders[name]!, 'decoder', weights)
    const again = await loadModel(await model.save())
    const x = row(5, 6, 7, 8, 9)
    expect(Array.from((await again.predict(x)).data)).toEqual(Array.from((await model.predict(x)).data))
    expect(() => modelFromJSON(model.toJSON())).toThrow(/Unknown layer .* languageLayers for those of myelin\/language/)
    expect(modelFromJSON(model.toJSON(), { customObjects: languageLayers }).countParams()).toBe(model.countParams())
  })

  it.each(['bert', 'roberta', 'distilbert'])('%s predicts the same again', async (name) => {
    const { model, description } = await networkOf(encoders[name]!, 'encoder', weights)
    const again = await loadModel<EncoderInputs, Tensor>(await model.save())
    const x = {
      tokens: row(5, 6, 7, 8),
      mask: row(1, 1, 1, 0),
      ...(description.tokenTypes === undefined ? {} : { tokenTypes: row(0, 0, 0, 0) }),
    }
    expect(Array.from((await again.predict(x)).data)).toEqual(Array.from((await model.predict(x)).data))
  })
})

it('files tell the layers of language models and those of myelin/thrift apart', () => {
  expect(Object.keys(languageLayers).filter((name) => Object.hasOwn(quantizedLayers, name))).toEqual([])
})

it('refuses to write models that its files do not describe', async () => {
  const adapted = await networkOf(decoders['llama']!, 'decoder')
  enableAdapters({ blocks: adapted.blocks, weights: adapted.model.weights }, 2, {})
  await expect(adapted.model.save()).rejects.toThrow(
    expect.objectContaining({ name: 'StateError', message: expect.stringMatching(/block0" has adapters.* saveLora/) }),
  )
  const shared = await networkOf(encoders['mpnet']!, 'encoder')
  await expect(shared.model.save()).rejects.toThrow(
    expect.objectContaining({ name: 'StateError', message: expect.stringMatching(/shares a bias.* saveToPreset/) }),
  )
})
