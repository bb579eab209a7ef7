// Layers-models that are written: read again, they predict and train the same. TFJS_FILES=FOLDER keeps them for the real TensorFlow.js,
// which tests/golden/tfjs-files-check.mjs runs.
// modes: simd

import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import * as myelin from '../../../src'
import {
  ArgumentError,
  Bidirectional,
  Dense,
  FormatError,
  GRU,
  Input,
  InputLayer,
  LSTM,
  Model,
  SGD,
  Sequential,
  activations,
  layers,
  ops,
  optimizers,
} from '../../../src'
import { readTfjs, writeTfjs, type TfjsFiles } from '../../../src/entries/tfjs'
import { differenceOf, inputsOf } from '../keras/goldens'
import { defaultLayers } from './default-layers'
import { casesIn, goldenOf, jsonOf, pathOf } from './goldens'

function keep(name: string, { json, weights }: TfjsFiles, content: unknown): void {
  const folder = process.env['TFJS_FILES']
  if (folder === undefined) return
  const path = join(folder, name.replaceAll('/', '-'))
  mkdirSync(path, { recursive: true })
  writeFileSync(join(path, 'model.json'), json)
  for (const [file, bytes] of Object.entries(weights)) writeFileSync(join(path, file), bytes)
  writeFileSync(join(path, 'golden.json'), JSON.stringify(content))
}

const again = async (files: TfjsFiles): Promise<Model<never, unknown>> =>
  readTfjs<never, unknown>(files.json, { files: files.weights })

const plain = ({ shape, data }: { shape: readonly number[]; data: ArrayLike<number> }) => ({
  shape: [...shape],
  data: Array.from(data),
})

const x = Array.from({ length: 12 }, (_, row) => [0, 1, 2, 3].map((i) => ((37 * (4 * row + i)) % 101) / 50 - 1))
const y = x.map((_, row) => [0, 1, 2].map((each) => Number(each === (row * 5) % 3)))
const rows = (of: number[][]) => ({ shape: [of.length, of[0]!.length], data: of.flat() })

describe('a model that is written and read again predicts the same', () => {
  it.each(casesIn())('%s', async (name) => {
    const files = await writeTfjs(await readTfjs(pathOf(name)))
    const golden = goldenOf(name)
    keep(name, files, golden)
    const model = await again(files)
    expect(differenceOf(await model.predict(inputsOf(golden.x) as never), golden.y)).toBeLessThan(1e-5)
  })
})

async function trainOn(name: string, model: Model): Promise<void> {
  const files = await writeTfjs(model)
  const other = (await again(files)) as unknown as Model
  const options = { batchSize: 4, epochs: 3, shuffle: false, verbose: 0 } as const
  const { history } = await model.fit(x, y, options)
  const { history: repeated } = await other.fit(x, y, options)
  expect(Math.max(...repeated['loss']!.map((loss, i) => Math.abs(loss - history['loss']![i]!)))).toBeLessThan(1e-6)
  const weights = [...model.trainableWeights, ...model.nonTrainableWeights].map(({ value }) => plain(value))
  expect(
    differenceOf(
      [...other.trainableWeights, ...other.nonTrainableWeights].map(({ value }) => value),
      weights,
    ),
  ).toBeLessThan(1e-6)
  keep(name, files, { x: rows(x), targets: rows(y), loss: history['loss'], weights })
}

describe('training continues', () => {
  it.each(casesIn('training/'))('%s', async (name) => trainOn(name, await readTfjs(pathOf(name))))

  const made: Readonly<Record<string, () => optimizers.Optimizer>> = {
    adam: () => new optimizers.Adam({ learningRate: 0.02, beta1: 0.8, epsilon: 1e-6 }),
    momentum: () => new SGD({ learningRate: 0.1, momentum: 0.7 }),
    rmsprop: () => new optimizers.RMSprop({ learningRate: 0.01, rho: 0.8, momentum: 0.3 }),
    adagrad: () => new optimizers.Adagrad({ learningRate: 0.1, initialAccumulatorValue: 0.2 }),
    new: () => new optimizers.Adam({ learningRate: 0.02 }),
  }
  it.each(Object.keys(made))('of a model that is made here: %s', async (name) => {
    const input = Input([4], { name: 'x' })
    const hidden = new Dense({ units: 4, activation: 'relu', name: 'hidden' }).apply(input)
    const frozen = new Dense({ units: 4, name: 'frozen', trainable: false }).apply(hidden)
    const sum = new layers.Add().apply([frozen, hidden])
    const output = new Dense({ units: 3, activation: 'softmax', name: 'output' }).apply(
      new layers.BatchNormalization({ name: 'norm' }).apply(sum),
    )
    const model = new Model({ inputs: input, outputs: output })
    model.compile({ optimizer: made[name]!(), loss: 'categoricalCrossentropy', metrics: ['accuracy'] })
    if (name !== 'new') await model.fit(x, y, { batchSize: 4, epochs: 2, verbose: 0 })
    await trainOn(`made-${name}`, model as Model)
  })
})

describe('every layer that TensorFlow.js has', () => {
  it('is written with the options that it has here by default', async () => {
    for (const { shape, layers: own } of defaultLayers()) {
      const input = Input(shape)
      const outputs = own.map((layer) => layer.apply(input))
      const model = new Model({ inputs: input, outputs })
      const size = shape.reduce((product, extent) => product * extent, 2)
      const data = Float32Array.from({ length: size }, (_, i) =>
        shape.length === 1 ? i % 3 : ((i * 37) % 101) / 50 - 1,
      )
      const given = ops.reshape(data, [2, ...shape])
      const predicted = (await model.predict(given)) as unknown as { shape: number[]; data: Float32Array }[]
      const files = await writeTfjs(model as never)
      const golden = { x: [plain(given)], y: predicted.map(plain) }
      keep(`default-${shape.length}`, files, golden)
      expect(differenceOf(await (await again(files)).predict(given as never), golden.y)).toBeLessThan(1e-5)
    }
  })

  it('is among the files of TensorFlow.js', async () => {
    const { isClass } = await import('../../../src/files/tfjs/layers/classes')
    const text = casesIn()
      .map((name) => JSON.stringify(jsonOf(`${name}.json`)))
      .join('')
    const missing = Object.keys(layers).filter((name) => isClass(name) && !text.includes(`"class_name":"${name}"`))
    expect(missing).toEqual([])
  })
})

describe('files', () => {
  it('are a folder, or model.json with the weights next to it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tfjs-'))
    try {
      const model = new Sequential([new Dense({ units: 2000, inputShape: [1000] })])
      const { json, weights } = await writeTfjs(model, join(folder, 'large'))
      expect(readdirSync(join(folder, 'large')).sort()).toEqual([
        'group1-shard1of2.bin',
        'group1-shard2of2.bin',
        'model.json',
      ])
      expect(Object.values(weights).map(({ length }) => length)).toEqual([2 ** 22, 8_008_000 - 2 ** 22])
      expect(Uint8Array.from(readFileSync(join(folder, 'large', 'model.json')))).toEqual(json)
      const other = await readTfjs(join(folder, 'large'))
      expect(
        Buffer.from(other.getWeights()[0]!.data.buffer).equals(Buffer.from(model.getWeights()[0]!.data.buffer)),
      ).toBe(true)
      await writeTfjs(model, join(folder, 'named.json'))
      expect((await readTfjs(join(folder, 'named.json'))).countParams()).toBe(2_002_000)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('what TensorFlow.js does not have', () => {
  const message = async (model: Model<never, never>): Promise<string> => {
    const error = await writeTfjs(model as never).catch((each: unknown) => each)
    expect(error).toBeInstanceOf(FormatError)
    return String(error)
  }

  it('is refused by name, all at once', async () => {
    const input = Input([6, 4], { name: 'x' })
    const chain = [
      new layers.GroupNormalization({ groups: 2, name: 'groups' }),
      new layers.Conv1D({ filters: 4, kernelSize: 2, groups: 2, padding: 'causal', name: 'conv' }),
      new layers.Dense({ units: 4, activation: 'hardSigmoid', activityRegularizer: 'l2', name: 'dense' }),
      new GRU({ units: 4, name: 'gru' }),
    ]
    let output = chain.reduce((symbol, layer) => layer.apply(symbol) as never, input)
    output = ops.add(output, 1)
    const model = new Model({ inputs: input, outputs: output })
    model.compile({ optimizer: new optimizers.AdamW(), loss: 'huber', metrics: ['auc'] })
    const text = await message(model as never)
    for (const part of [
      'there is no layer GroupNormalization',
      'Conv1D cannot have groups = 2',
      'Conv1D cannot have padding = "causal"',
      'there is no activation "hardSigmoid"',
      'Dense cannot have activityRegularizer',
      'GRU cannot have resetAfter = true',
      'there is no layer for ops.add',
      'there is no optimizer AdamW',
      'there is no loss "huber"',
      'there is no metric "auc"',
      'includeOptimizer: false',
    ])
      expect(text).toContain(part)
  })

  it('is not needed without the optimizer', async () => {
    const model = new Sequential([new Dense({ units: 1, inputShape: [2] })])
    model.compile({ optimizer: new optimizers.AdamW(), loss: 'huber' })
    const { json } = await writeTfjs(model, null, { includeOptimizer: false })
    expect(JSON.parse(new TextDecoder().decode(json))).not.toHaveProperty('trainingConfig')
  })

  it('are several layers of one name, or with one layer', async () => {
    const inner = (): Sequential => new Sequential([new Dense({ units: 2, inputShape: [2], name: 'same' })])
    expect(await message(new Sequential([inner(), inner()]) as never)).toContain(
      "two weights would be named 'same/kernel'",
    )
    const shared = new Dense({ units: 2, name: 'shared' })
    const twice = [0, 1].map(() => new Sequential([new InputLayer({ shape: [2] }), shared]))
    expect(await message(new Sequential(twice) as never)).toContain('belongs to two models')
  })

  it('are masks, in some layers', async () => {
    const made = (maskZero: boolean, returnSequences: boolean): Sequential =>
      new Sequential([
        new layers.Embedding({ inputDim: 5, outputDim: 2, maskZero, inputShape: [4] }),
        new Bidirectional({ layer: new LSTM({ units: 2, returnSequences }) }),
        ...(returnSequences ? [new layers.GlobalAveragePooling1D()] : []),
      ])
    const text = await message(made(true, true) as never)
    expect(text).toMatch(
      /Bidirectional ".*": its mask would count in only one of the two programs; GlobalAveragePooling1D ".*": its mask/,
    )
    await writeTfjs(made(false, true))
    await writeTfjs(made(true, false))
  })

  it('refuses a Sequential that computes something else', async () => {
    class Net extends Sequential {
      override call(x: myelin.Tensor): myelin.Tensor {
        return ops.multiply(x, 7)
      }
    }
    const model = new Net([Input({ shape: [2] }), new Dense(2)])
    expect(await message(model as never)).toContain('there is no layer Net')
  })

  it('refuses a weight that is frozen itself, and values that are not a model', async () => {
    const model = new Sequential([new Dense({ units: 1, inputShape: [2], name: 'only' })])
    model.weights[0]!.trainable = false
    expect(await message(model as never)).toContain('the weight only/kernel is frozen alone')
    await expect(writeTfjs(model.layers[0] as never)).rejects.toThrow(ArgumentError)
  })

  it('is a Bidirectional with other layers', async () => {
    const layer = new LSTM({ units: 2 })
    const model = new Sequential([
      new Bidirectional({ layer, backwardLayer: new LSTM({ units: 3, goBackwards: true }), inputShape: [4, 2] }),
    ])
    expect(await message(model as never)).toContain('the backward layer must have the options of the forward layer')
  })
})

describe('functions of Keras 2', () => {
  it('are read and written', async () => {
    const model = await readTfjs(pathOf('recurrent'))
    const { json } = await writeTfjs(model)
    expect(new TextDecoder().decode(json)).toContain('"recurrent_activation":"hard_sigmoid"')
    expect(Object.keys(activations)).not.toContain('formerHardSigmoid')
    expect(Object.keys(myelin)).not.toContain('formerHardSigmoid')
  })
})
