// Written .keras files: read again, they predict and train the same. KERAS_FILES=FOLDER keeps them for the real Keras, which
// tests/golden/keras-files-check.py runs.
// modes: simd

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  Adam,
  BatchNormalization,
  Bidirectional,
  Concatenate,
  Dense,
  Embedding,
  FormatError,
  GRU,
  Identity,
  Input,
  LSTM,
  Layer,
  LayerNormalization,
  Masking,
  Model,
  MultiHeadAttention,
  Sequential,
  Tensor,
  loadModel,
  SGD,
  ops,
  optimizers,
} from '../../../src'
import { loadKerasWeights, readKeras, writeKeras, writeKerasWeights } from '../../../src/entries/keras'
import { typed } from '../../../src/core/tree'
import { readTfjs, writeTfjs } from '../../../src/entries/tfjs'
import { bytesOf, differenceOf, filesIn, inputsOf, jsonOf, type Golden, type Plain } from './goldens'
import { readArchive as filesOf } from '../../../src/files/containers/archive'
import { readHdf5 } from '../../../src/files/keras/hdf5/read'

const folder = process.env['KERAS_FILES']

/** Keeps a file, and what a program must compute with it. */
const keep = (path: string, files: Readonly<Record<string, Uint8Array>>, content: string): void => {
  if (folder === undefined) return
  const name = path.replace(/\.\w+$/, '').replaceAll(/[/.]/g, '_')
  for (const [extension, bytes] of Object.entries(files)) writeFileSync(join(folder, `${name}.${extension}`), bytes)
  writeFileSync(join(folder, `${name}.json`), content)
}

const x = Array.from({ length: 12 }, (_, row) => [0, 1, 2, 3].map((i) => ((37 * (4 * row + i)) % 101) / 50 - 1))
const y = x.map((_, row) => [0, 1, 2].map((each) => Number(each === (row * 5) % 3)))
const plain = (rows: number[][]): Plain => ({ shape: [rows.length, rows[0]!.length], data: rows.flat() })

/** A model as files of all kinds. */
async function written(model: Model): Promise<Record<'keras' | 'h5' | 'weights.h5', Uint8Array>> {
  return {
    keras: await writeKeras(model),
    h5: await writeKeras(model, null, { format: 'h5' }),
    'weights.h5': await writeKerasWeights(model),
  }
}

describe('a model that is written and read again predicts the same', () => {
  // Lookups need TensorFlow; .h5 files have no hard_sigmoid of Keras 2.
  const families = ['2.15', '3.15'].flatMap((version) =>
    filesIn(version, '.keras').filter((path) => !/lookups|2.15.(?:core|recurrent)/.test(path)),
  )
  it.each(families)('%s', async (path) => {
    const files = await written(await readKeras<never, unknown>(bytesOf(path)))
    const json = path.replace('.keras', '.json')
    keep(path, files, JSON.stringify(jsonOf(json)))
    const { x: inputs, y: expected } = jsonOf<Golden>(json)
    for (const bytes of [files.keras, files.h5]) {
      const again = await readKeras<never, unknown>(bytes)
      expect(differenceOf(await again.predict(inputsOf(inputs) as never), expected)).toBeLessThan(1e-5)
    }
  })
})

it.each(['core', 'recurrent'])('hard_sigmoid of Keras 2: %s', async (name) => {
  const path = `2.15/${name}.keras`
  const model = await readKeras<never, unknown>(bytesOf(path))
  const bytes = await writeKeras(typed(model))
  const json = path.replace('.keras', '.json')
  keep(path, { keras: bytes }, JSON.stringify(jsonOf(json)))
  const { x: inputs, y: expected } = jsonOf<Golden>(json)
  const again = await readKeras<never, unknown>(bytes)
  expect(differenceOf(await again.predict(inputsOf(inputs) as never), expected)).toBeLessThan(1e-5)
  if (new TextDecoder().decode(bytes).includes('hard_sigmoid_of_keras_2'))
    await expect(writeKeras(typed(model), null, { format: 'h5' })).rejects.toThrow(/hard_sigmoid.*Write a \.keras file/)
})

it('an LSTM of TensorFlow.js with its default hardSigmoid is written for Keras, and read again', async () => {
  const layer = { class_name: 'LSTM', config: { units: 3, recurrent_activation: 'hard_sigmoid', name: 'lstm' } }
  const topology = {
    class_name: 'Sequential',
    config: [{ ...layer, config: { ...layer.config, batch_input_shape: [null, 5, 4] } }],
  }
  const made = new Sequential([new LSTM({ units: 3, inputShape: [5, 4] })])
  const { weights } = await writeTfjs(made)
  const manifest = [
    {
      paths: Object.keys(weights),
      weights: made.weights.map(({ shape }, i) => ({
        name: ['kernel', 'recurrent_kernel', 'bias'].map((each) => `lstm/${each}`)[i],
        shape,
        dtype: 'float32',
      })),
    },
  ]
  const text = JSON.stringify({ format: 'layers-model', modelTopology: topology, weightsManifest: manifest })
  const model = await readTfjs<Tensor, Tensor>(new TextEncoder().encode(text), { files: weights })
  const rows = new Tensor(
    Float32Array.from({ length: 40 }, (_, i) => ((37 * i) % 101) / 20 - 2),
    [2, 5, 4],
    'float32',
  )
  const expected = await model.predict(rows)
  const bytes = await writeKeras(typed(model))
  const plainOf = ({ shape, data }: Tensor): Plain => ({ shape: [...shape], data: Array.from(data) })
  keep('made_hard_sigmoid', { keras: bytes }, JSON.stringify({ x: plainOf(rows), y: plainOf(expected) }))
  expect(Array.from((await (await readKeras<Tensor, Tensor>(bytes)).predict(rows)).data)).toEqual(
    Array.from(expected.data),
  )
  // hard_sigmoid of Keras 3 gives other numbers.
  const other = new Sequential([new LSTM({ units: 3, recurrentActivation: 'hardSigmoid', inputShape: [5, 4] })])
  other.setWeights(model.getWeights())
  expect(Array.from(((await other.predict(rows)) as Tensor).data)).not.toEqual(Array.from(expected.data))
})

describe('training continues', () => {
  const runs = ['2.15', '3.15'].flatMap((version) => filesIn(`${version}/training`, '.keras'))
  it.each(runs)('%s', async (path) => {
    const one = await readKeras(bytesOf(path))
    const files = await written(one)
    const predicted = await one.predict(x)
    const options = { batchSize: 4, epochs: 3, shuffle: false, verbose: 0 } as const
    const { history } = await one.fit(x, y, options)
    const weights = one.getWeights().map(({ shape, data }) => ({ shape, data: Array.from(data) }))
    for (const bytes of [files.keras, files.h5]) {
      const other = await readKeras(bytes)
      const { history: again } = await other.fit(x, y, options)
      expect(again['loss']).toEqual(history['loss'])
      expect(other.getWeights().map(({ shape, data }) => ({ shape, data: Array.from(data) }))).toEqual(weights)
    }
    const before = { shape: predicted.shape, data: Array.from(predicted.data) }
    keep(
      path,
      { keras: files.keras, h5: files.h5 },
      JSON.stringify({ x: plain(x), y: before, targets: plain(y), loss: history['loss'], weights }),
    )
  })
})

describe('a model made in code', () => {
  const check = async (name: string, model: Model<never, Tensor>, inputs: unknown, rows: Plain): Promise<void> => {
    const files = await written(model)
    const { shape, data } = await model.predict(inputs as never)
    keep(name, files, JSON.stringify({ x: rows, y: { shape, data: Array.from(data) } }))
    for (const bytes of [files.keras, files.h5]) {
      const again = await readKeras<never, Tensor>(bytes)
      const { data: received } = await again.predict(inputs as never)
      Array.from(received).forEach((each, i) => expect(each).toBeCloseTo(data[i]!, 5))
    }
  }

  it('has shared and inner layers, recurrent ones, attention, ops and masks', async () => {
    const words = Input({ shape: [6], dtype: 'int32', name: 'words' })
    const embedded = new Embedding({ inputDim: 7, outputDim: 8, maskZero: true }).apply(words)
    const both = new Bidirectional({ layer: new LSTM({ units: 4, returnSequences: true }) }).apply(embedded)
    const attended = new MultiHeadAttention({ numHeads: 2, keyDim: 3 }).apply([both, both])
    const normal = new LayerNormalization().apply(ops.add(both, attended))
    const inner = new Sequential([new Dense({ units: 8, inputShape: [6, 8] }), new BatchNormalization()], {
      name: 'inner',
    })
    const state = new GRU({ units: 5 }).apply(inner.apply(inner.apply(normal)))
    const shared = new Dense({ units: 5, activation: 'tanh', name: 'shared' })
    const outputs = new Concatenate().apply([shared.apply(shared.apply(state)), ops.multiply(state, 2)])
    const model = new Model({ inputs: words, outputs: new Dense({ units: 3, activation: 'softmax' }).apply(outputs) })
    model.compile({
      optimizer: new Adam({ clipnorm: 1 }),
      loss: 'sparseCategoricalCrossentropy',
      metrics: ['accuracy'],
    })
    const rows = Array.from({ length: 8 }, (_, row) =>
      [0, 1, 2, 3, 4, 5].map((i) => (i < 3 + (row % 4) ? 1 + ((row * 5 + i) % 6) : 0)),
    )
    await model.fit(
      new Tensor(Int32Array.from(rows.flat()), [8, 6], 'int32'),
      rows.map((_, row) => row % 3),
      { epochs: 2, verbose: 0 },
    )
    await check('made_text', model as never, new Tensor(Int32Array.from(rows.flat()), [8, 6], 'int32'), plain(rows))
  })

  it('has an optimizer for each of its parts, whose layers are in models of several kinds', async () => {
    const [a, b] = [Input({ shape: [4] }), Input({ shape: [3] })]
    const inner = new Model({
      inputs: a,
      outputs: new Dense({ units: 3, activation: 'tanh', name: 'in.side' }).apply(a),
      name: 'inner',
    })
    const tower = new Sequential(
      [new Dense({ units: 3, activation: 'tanh', name: 'first' }), new BatchNormalization({ name: 'normal' })],
      {
        name: 'tower',
      },
    )
    const last = new Sequential([tower, new Dense({ units: 3, activation: 'softmax', name: 'last' })], {
      name: 'outer',
    })
    const model = new Sequential([inner, new Model({ inputs: b, outputs: last.apply(b) as never, name: 'middle' })], {
      name: 'whole',
    })
    model.compile({
      optimizer: new optimizers.MultiOptimizer([
        [new SGD({ learningRate: 0.1, momentum: 0.9 }), 'in.side/kernel'],
        [new Adam(0.02), [last, /^nothing/]],
        [new Adam({ learningRate: 0.01, amsgrad: true })],
      ]),
      loss: 'categoricalCrossentropy',
    })
    const options = { batchSize: 4, epochs: 3, shuffle: false, verbose: 0 } as const
    await model.fit(x, y, { ...options, epochs: 2 })
    const bytes = await writeKeras(model)
    const before = (await model.predict(x)) as Tensor
    const { history } = await model.fit(x, y, options)
    const weights = model.getWeights().map(({ shape, data }) => ({ shape, data: Array.from(data) }))
    keep(
      'made_optimizers',
      { keras: bytes },
      JSON.stringify({
        x: plain(x),
        y: { shape: before.shape, data: Array.from(before.data) },
        targets: plain(y),
        loss: history['loss'],
        weights,
      }),
    )
    const again = await readKeras(bytes)
    expect((await again.fit(x, y, options)).history['loss']).toEqual(history['loss'])
    expect(again.getWeights().map(({ shape, data }) => ({ shape, data: Array.from(data) }))).toEqual(weights)
  })

  it('has more names of layers than an attribute of HDF5 may have', async () => {
    const name = (i: number): string => `${'long_'.repeat(200)}${i}`
    const layers = Array.from({ length: 80 }, (_, i) => new Identity({ name: name(i) }))
    const model = new Sequential([
      new Dense({ units: 2, inputShape: [4], name: 'first' }),
      ...layers,
      new Dense({ units: 3, name: 'last' }),
    ])
    await check('made_names', model as never, x, plain(x))
    const weights = readHdf5(await writeKeras(model, null, { format: 'h5' })).members.get('model_weights')!
    const parts = ['layer_names0', 'layer_names1'].map((each) => weights.attributes.get(each)!)
    expect(parts.flatMap(({ values }) => Array.from<unknown>(values))).toEqual(model.layers.map((layer) => layer.name))
    for (const { values } of parts) expect(values.length * name(10).length).toBeLessThanOrEqual(64_512)
    expect(weights.attributes.has('layer_names')).toBe(false)
  })
})

describe('save', () => {
  it('writes by the ending of the path', async () => {
    const model = new Sequential([new Dense({ units: 2, inputShape: [3], name: 'only' })])
    model.compile({ optimizer: new Adam(1), loss: 'mse' })
    await loadModel(await model.save())
    const folder = mkdtempSync(join(tmpdir(), 'keras-'))
    const path = join(folder, 'model.keras')
    await model.save(path)
    const bytes = new Uint8Array(readFileSync(path))
    rmSync(folder, { recursive: true })
    const again = await loadModel(bytes)
    expect(again.getWeights().map(({ data }) => Array.from(data))).toEqual(
      model.getWeights().map(({ data }) => Array.from(data)),
    )
    expect(again.optimizer.learningRate).toBe(1)
    // Keras refuses an integer.
    expect(new TextDecoder().decode(bytes)).toContain('"learning_rate":1.0')
  })

  it('writes by the ending of a path in the functions of Keras, too', async () => {
    const made = (): Sequential => new Sequential([new Dense({ units: 2, inputShape: [3] }), new Dense({ units: 1 })])
    const one = made()
    const expected = one.getWeights().map(({ data }) => Array.from(data))
    const folder = mkdtempSync(join(tmpdir(), 'keras-'))
    const bytes = (name: string): Uint8Array => new Uint8Array(readFileSync(join(folder, name)))
    await writeKeras(one, join(folder, 'model.h5'))
    await writeKerasWeights(one, join(folder, 'some.h5'))
    await writeKerasWeights(one, join(folder, 'some.weights.h5'))
    const [whole, legacy, current] = ['model.h5', 'some.h5', 'some.weights.h5'].map(bytes)
    rmSync(folder, { recursive: true })
    expect(readHdf5(whole!).attributes.has('model_config')).toBe(true)
    expect(readHdf5(legacy!).attributes.has('layer_names')).toBe(true)
    expect(readHdf5(current!).members.has('layers')).toBe(true)
    for (const file of [whole!, legacy!, current!, await writeKerasWeights(one)]) {
      const other = made()
      await loadKerasWeights(other, file)
      expect(other.getWeights().map(({ data }) => Array.from(data))).toEqual(expected)
    }
  })

  it.each([
    ['model.weights.h5', 'weights'],
    ['MODEL.WEIGHTS.H5', 'weights'],
    ['model.H5', 'h5'],
    ['model.hdf5', 'h5'],
    ['model.KERAS', 'keras'],
  ])('save writes %s by its ending', async (name, kind) => {
    const one = new Sequential([new Dense({ units: 2, inputShape: [3] })])
    one.compile({ optimizer: 'sgd', loss: 'mse' })
    const folder = mkdtempSync(join(tmpdir(), 'keras-'))
    const loaded = await loadModel(await writeKeras(one)) // makes the formats known
    await loaded.save(join(folder, name))
    const bytes = new Uint8Array(readFileSync(join(folder, name)))
    rmSync(folder, { recursive: true })
    if (kind === 'keras') expect([...(await filesOf(bytes)).keys()]).toContain('config.json')
    else {
      const { attributes, members } = readHdf5(bytes)
      expect([attributes.has('model_config'), members.has('layers')]).toEqual([kind === 'h5', kind === 'weights'])
    }
  })

  it('names losses in .h5 files so that Keras 3 finds them', async () => {
    const input = Input({ shape: [3] })
    const [a, b] = ['a', 'b'].map((name) => new Dense({ units: 1, name }).apply(input))
    const model = new Model({ inputs: input, outputs: { a: a!, b: b! } })
    model.compile({ optimizer: 'sgd', loss: { a: 'mse', b: 'KLD' }, metrics: { a: ['mae'] } })
    const { attributes } = readHdf5(await writeKeras(model, null, { format: 'h5' }))
    const saved = JSON.parse(String(attributes.get('training_config')!.values[0])) as Record<string, unknown>
    expect(saved['loss']).toEqual({ a: 'mean_squared_error', b: 'kl_divergence' })
    expect(saved['metrics']).toEqual({ a: ['mae'] })
  })

  it('refuses names that Keras 3 refuses, and Keras 2 takes', async () => {
    const model = new Sequential([new Dense({ units: 2, inputShape: [3], name: 'a/b' })])
    await expect(writeKeras(model)).rejects.toThrow(/'a\/b': Keras allows no \/ in names of layers/)
    expect((await writeKeras(model, null, { format: 'h5' })).length).toBeGreaterThan(0)
  })

  it('refuses what Keras does not have', async () => {
    const model = new Sequential([new Dense({ units: 2, inputShape: [3] })])
    model.compile({ optimizer: new Adam({ noWeightDecay: ['bias'] }), loss: 'mse' })
    await expect(writeKeras(model)).rejects.toThrow(FormatError)
    await expect(writeKeras(model)).rejects.toThrow(/noWeightDecay of Adam/)
    expect((await writeKeras(model, null, { includeOptimizer: false })).length).toBeGreaterThan(0)
  })

  it.each<[why: string, outputs: (words: Tensor, state: Tensor) => Tensor]>([
    [
      'gru.*must be given',
      (words, state) =>
        new GRU({ units: 2, name: 'gru' }).apply(
          new Sequential([new Dense({ units: 3, inputShape: [5, 4] }), new Masking()]).apply(words),
          { initialState: [state] },
        ),
    ],
    ['lstm.*mask: null takes away', (words) => new LSTM({ units: 2, name: 'lstm' }).apply(words, { mask: null })],
  ])('refuses a mask that Keras would treat otherwise: %s', async (why, outputs) => {
    const [ids, state] = [Input({ shape: [5], dtype: 'int32' }), Input({ shape: [2] })]
    const words = new Embedding({ inputDim: 7, outputDim: 4, maskZero: true }).apply(ids)
    const model = new Model({ inputs: [ids, state], outputs: [outputs(words, state), state] })
    await expect(writeKeras(typed(model))).rejects.toThrow(new RegExp(why))
    await expect(writeKeras(typed(model), null, { format: 'h5' })).rejects.toThrow(new RegExp(why))
  })

  it('keeps layers of the user, which customObjects read', async () => {
    class Plus extends Layer {
      static readonly className = 'Plus'
      override call(input: never): never {
        return input
      }
    }
    const bytes = await writeKeras(
      new Sequential([new Dense({ units: 2, inputShape: [3] }), new Plus({ name: 'own' })]),
    )
    await expect(readKeras(bytes)).rejects.toThrow(/Plus \('own'\)/)
    expect((await readKeras(bytes, { customObjects: { Plus } })).getLayer('own')).toBeInstanceOf(Plus)
  })
})
