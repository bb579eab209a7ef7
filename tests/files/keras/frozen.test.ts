// Layers and weights that are frozen, thawed and added after training: files give back the weights that they were given, whatever is trained
// then, and drop the state of the optimizer where it does not fit.
// modes: simd

import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  Adam,
  BatchNormalization,
  Bidirectional,
  Dense,
  GroupNormalization,
  GRUCell,
  Input,
  InputLayer,
  LayerNormalization,
  LSTM,
  Model,
  MultiHeadAttention,
  RNN,
  SGD,
  Sequential,
  Tensor,
  TimeDistributed,
  loadModel,
  type Layer,
  type Variable,
} from '../../../src'
import { writeKeras } from '../../../src/entries/keras'
import { keysOf } from '../../../src/core/keys'
import { weightEndings } from '../../../src/files/containers/format-list'
import { weightsInOrder, type ListedArrays } from '../../../src/files/keras/legacy-order'
import { readTfjs, writeTfjs } from '../../../src/entries/tfjs'
import { readWeights, writeWeights } from '../../../src/entries/weights'
import { generator } from '../../helpers/data'
import { typed } from '../../../src/core/tree'
import { bytesOf, differenceOf, inputsOf, jsonOf, type Golden, type Plain } from './goldens'

type Made = { readonly model: Model; readonly parts: readonly Layer[] }
type Maker = (name: (own: string) => { name?: string }) => Made

const over = (shape: readonly number[], layer: Layer<never, Tensor>, ...parts: readonly Layer[]): Made => {
  const x = Input({ shape })
  const y =
    layer instanceof MultiHeadAttention
      ? typed<Layer<Tensor[], Tensor>>(layer).apply([x, x])
      : typed<Layer>(layer).apply(x)
  return {
    model: new Model({ inputs: x, outputs: new Dense({ units: 2 }).apply(y) }),
    parts: [typed<Layer>(layer), ...parts],
  }
}

const MAKERS: Readonly<Record<string, Maker>> = {
  BatchNormalization: (name) => over([4], typed(new BatchNormalization(name('b')))),
  LayerNormalization: (name) => over([4], typed(new LayerNormalization(name('l')))),
  GroupNormalization: (name) => over([4], typed(new GroupNormalization({ groups: 2, ...name('g') }))),
  functional(name) {
    const layers = [
      new Dense({ units: 4, ...name('first') }),
      new BatchNormalization(name('norm')),
      new Dense({ units: 4, ...name('second') }),
    ]
    const x = Input({ shape: [4] })
    const nested = new Model({ inputs: x, outputs: layers.reduce((y, layer) => typed<Layer>(layer).apply(y), x) })
    return over([4], typed(nested), ...typed<Layer[]>(layers))
  },
  Sequential(name) {
    const layers = [
      new Dense({ units: 4, ...name('first') }),
      new LayerNormalization(name('norm')),
      new Dense({ units: 4, ...name('second') }),
    ]
    return over([4], typed(new Sequential([new InputLayer({ shape: [4] }), ...layers])), ...typed<Layer[]>(layers))
  },
  Bidirectional(name) {
    const layer = new Bidirectional({ layer: new LSTM({ units: 4, ...name('lstm') }), ...name('both') })
    return over([3, 4], typed(layer), typed(layer.layer), typed(layer.backwardLayer))
  },
  StackedRNNCells(name) {
    const cells = ['one', 'two'].map((each) => new GRUCell({ units: 4, ...name(each) }))
    return over([3, 4], typed(new RNN({ cell: cells, ...name('rnn') })), ...typed<Layer[]>(cells))
  },
  TimeDistributed(name) {
    const layers = [new Dense({ units: 4, ...name('first') }), new Dense({ units: 4, ...name('second') })]
    const inner = new Sequential([new InputLayer({ shape: [4] }), ...layers])
    return over([3, 4], typed(new TimeDistributed({ layer: inner, ...name('each') })), ...typed<Layer[]>(layers))
  },
  MultiHeadAttention(name) {
    const layer = new MultiHeadAttention({ numHeads: 2, keyDim: 2, ...name('attention') })
    const { model } = over([3, 4], typed(layer))
    return { model, parts: [typed<Layer>(layer), ...typed<Layer[]>(layer.sublayers)] }
  },
}

const NAMED = (name: string): { name: string } => ({ name })
const UNNAMED = (): { name?: string } => ({})

function fill(model: Model, seed: number): void {
  const random = generator(seed)
  model.setWeights(
    model.getWeights().map(
      ({ shape, data }) =>
        new Tensor(
          Float32Array.from(data, () => random() + 0.1),
          shape,
          'float32',
        ),
    ),
  )
}

const contents = (model: Model): (readonly number[])[] => model.getWeights().map(({ data }) => Array.from(data))

/** Freezes random layers and weights. */
function freeze({ parts }: Made, random: () => number): void {
  for (const part of parts) if (random() < 0.5) part.trainable = random() < 0.3
  for (const part of parts) for (const weight of part.weights) if (random() < 0.2) weight.trainable = false
}

afterEach(() => void vi.restoreAllMocks())

describe.each(Object.entries(MAKERS))('%s', (_name, make) => {
  it('whole models come back, whatever is frozen', async () => {
    vi.spyOn(console, 'warn').mockReturnValue()
    for (let seed = 0; seed < 12; seed++) {
      const random = generator(seed)
      const made = make(random() < 0.5 ? NAMED : UNNAMED)
      fill(made.model, seed)
      freeze(made, random)
      const files = [
        await writeKeras(made.model, null, { format: 'h5' }),
        await writeKeras(made.model),
        await made.model.save(),
      ]
      for (const bytes of files) expect(contents(await loadModel(bytes))).toEqual(contents(made.model))
    }
  })

  it('weights come back, into a model that is frozen or not', async () => {
    for (let seed = 0; seed < 12; seed++) {
      const random = generator(seed)
      const named = random() < 0.5 ? NAMED : UNNAMED
      const made = make(named)
      fill(made.model, seed)
      freeze(made, random)
      for (const format of keysOf(weightEndings)) {
        const bytes = await writeWeights(made.model, null, { format })
        const others = [make(named), make(named), made]
        fill(others[0]!.model, seed + 100)
        fill(others[1]!.model, seed + 100)
        freeze(others[1]!, generator(seed + 1))
        const expected = contents(made.model)
        for (const { model } of others) {
          await readWeights(model, bytes)
          expect(contents(model)).toEqual(expected)
        }
      }
    }
  })
})

describe('.h5 files that Keras wrote', () => {
  type Frozen = Golden & { readonly weights: Readonly<Record<string, Plain>> }

  const CHANGES: Readonly<Record<string, (model: Model) => void>> = {
    'as loaded': () => undefined,
    frozen: (model) => void (model.trainable = false),
    unfrozen: (model) => void (model.trainable = true),
    'with frozen biases, betas and gammas': ({ weights }) => {
      for (const weight of weights) if (weight.shape.length === 1) weight.trainable = false
    },
  }

  it.each(['frozen_gamma', 'frozen_inner'])('%s', async (name) => {
    const { x, y, weights } = jsonOf<Frozen>(`3.15/${name}.json`)
    const bytes = bytesOf(`3.15/${name}.h5`)
    const check = async (model: Model): Promise<void> => {
      expect(differenceOf(model.getWeights(), Object.values(weights))).toBeLessThan(1e-6)
      expect(differenceOf(await model.predict(inputsOf(x) as Tensor), y)).toBeLessThan(1e-5)
    }
    await check(await loadModel(bytes))
    for (const change of Object.values(CHANGES)) {
      const model = await loadModel(bytes)
      fill(model, 1)
      change(model)
      await readWeights(model, bytes)
      await check(model)
    }
  })
})

describe('arrays with other names of layers', () => {
  const bidirectional = (): Bidirectional => {
    // Earlier layers take the numbers of the file.
    new Bidirectional(new LSTM(2)).apply(Input({ shape: [3, 2] }))
    const layer = new Bidirectional({ layer: new LSTM(2), name: 'both' })
    layer.apply(Input({ shape: [3, 2] }))
    return layer
  }
  const arraysOf = (paths: readonly string[], variables: readonly Variable[]): ListedArrays => ({
    group: 'both',
    names: paths.map((path) => `both/${path}:0`),
    paths: [],
    shapes: variables.map(({ shape }) => shape),
  })
  const KINDS = ['kernel', 'recurrent_kernel', 'bias']
  const all = (...layers: readonly string[]): string[] =>
    layers.flatMap((layer) => KINDS.map((kind) => `${layer}/${kind}`))

  it.each([
    ['numbers', all('backward_lstm/lstm_cell', 'forward_lstm/lstm_cell')],
    ['numbers of cells', all('backward_lstm_7/lstm_cell_9', 'forward_lstm_7/lstm_cell_8')],
    ['other names', all('backward_mine/lstm_cell', 'forward_mine/lstm_cell')],
  ])('of Bidirectional have %s: the direction decides', (_name, paths) => {
    const layer = bidirectional()
    const { weights } = layer
    const backward = layer.backwardLayer.weights
    const expected = [...backward, ...layer.forwardLayer.weights]
    expect(weightsInOrder(layer, weights, arraysOf(paths, expected))).toEqual(expected)
  })

  it('of a backward layer that was given, with and without the prefix', () => {
    const layer = new Bidirectional({
      layer: new LSTM(2),
      backwardLayer: new LSTM({ units: 2, goBackwards: true }),
      name: 'both',
    })
    layer.apply(Input({ shape: [3, 2] }))
    const expected = [...layer.backwardLayer.weights, ...layer.forwardLayer.weights]
    const paths = all('backward_lstm_71/lstm_cell_2', 'forward_lstm_70/lstm_cell_1')
    expect(weightsInOrder(layer, layer.weights, arraysOf(paths, expected))).toEqual(expected)
  })

  it('of which some names are known, and some are not', () => {
    const layer = new BatchNormalization({ name: 'both' })
    layer.apply(Input({ shape: [2] }))
    const known = ['gamma', 'beta', 'moving_mean', 'moving_variance']
    expect(weightsInOrder(layer, layer.weights, arraysOf(known, layer.weights))).toEqual(layer.weights)
    const renamed = known.with(0, 'scale')
    expect(weightsInOrder(layer, layer.weights, arraysOf(renamed, layer.weights))).toBeNull()
    const others = ['a', 'b', 'c', 'd']
    expect(weightsInOrder(layer, layer.weights, arraysOf(others, layer.weights))).toEqual(layer.weights)
  })
})

describe('the state of an optimizer', () => {
  const x = new Tensor(
    Float32Array.from({ length: 24 }, (_, i) => ((7 * i) % 11) / 10),
    [8, 3],
    'float32',
  )
  const y = new Tensor(
    Float32Array.from({ length: 16 }, (_, i) => ((5 * i) % 7) / 10),
    [8, 2],
    'float32',
  )
  const FIT = { epochs: 2, batchSize: 4, verbose: 0, shuffle: false } as const

  async function trained(change: (model: Sequential) => void): Promise<Sequential> {
    const model = new Sequential([
      new Dense({ units: 3, inputShape: [3], name: 'a' }),
      new Dense({ units: 3, name: 'b' }),
      new Dense({ units: 2, name: 'c' }),
    ])
    model.compile({ optimizer: new Adam(0.01), loss: 'mse' })
    model.getLayer('a').trainable = false
    await model.fit(x, y, FIT)
    change(model)
    return model
  }

  /** The model of each format, and the warnings of loading it. */
  async function reopened(model: Sequential): Promise<(readonly [format: string, model: Model, warnings: string[]])[]> {
    const { json, weights } = await writeTfjs(model)
    const opened = {
      keras: async () => loadModel(await writeKeras(model)),
      h5: async () => loadModel(await writeKeras(model, null, { format: 'h5' })),
      tfjs: () => readTfjs(json, { files: weights }),
      safetensors: async () => loadModel(await model.save()),
    }
    const found: (readonly [string, Model, string[]])[] = []
    for (const [format, open] of Object.entries(opened)) {
      const warn = vi.spyOn(console, 'warn').mockReturnValue()
      const other = await open()
      found.push([format, other, warn.mock.calls.map(([message]) => String(message))])
      warn.mockRestore()
    }
    return found
  }

  const CHANGES: Readonly<Record<string, (model: Sequential) => void>> = {
    'a layer is frozen': (model) => void (model.getLayer('b').trainable = false),
    'a layer is unfrozen': (model) => void (model.getLayer('a').trainable = true),
    'all are frozen': (model) => void (model.trainable = false),
    'another layer is trained': (model) => {
      model.getLayer('b').trainable = false
      model.getLayer('a').trainable = true
    },
    'a layer is added': (model) => model.add(new Dense({ units: 2, name: 'd' })),
  }

  it.each(Object.entries(CHANGES))('is dropped with one warning, if %s', async (_what, change) => {
    const model = await trained(change)
    for (const [format, other, warnings] of await reopened(model)) {
      expect(contents(other)).toEqual(contents(model))
      if (format === 'safetensors') {
        expect(warnings).toEqual([])
        continue
      }
      expect([format, warnings]).toEqual([format, [expect.stringMatching(/new state of its optimizer.*does not fit/)]])
      expect(other.optimizer.iterations.value.item()).toBe(0)
      if (other.trainableWeights.length > 0) await other.fit(x, y, FIT)
    }
  })

  it('is kept without a warning, if nothing changes', async () => {
    const model = await trained(() => undefined)
    const others = await reopened(model)
    await model.fit(x, y, FIT)
    for (const [, other, warnings] of others) {
      expect(warnings).toEqual([])
      await other.fit(x, y, FIT)
      expect(contents(other)).toEqual(contents(model))
    }
  })

  it('is that of the own model, if the optimizer was built for another', async () => {
    const optimizer = new SGD({ learningRate: 0.1, momentum: 0.9 })
    const make = (): Sequential => new Sequential([new Dense({ units: 2, inputShape: [3] })])
    const [one, other] = [make(), make()]
    one.compile({ optimizer, loss: 'mse' })
    await one.fit(x, y, FIT)
    other.compile({ optimizer, loss: 'mse' })
    for (const [, again, warnings] of await reopened(other)) {
      expect(warnings).toEqual([])
      expect(contents(again)).toEqual(contents(other))
      // No velocity of the other model.
      expect(again.optimizer.builtFor).toEqual([])
      await again.fit(x, y, FIT)
    }
  })
})
