// LoRA: the same training as in Keras, the merged kernel in files, and what enableLora refuses.

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  ArgumentError,
  Conv1D,
  Conv2D,
  Conv2DTranspose,
  Conv3D,
  Dense,
  DepthwiseConv2D,
  EinsumDense,
  Embedding,
  Input,
  Model,
  ReversibleEmbedding,
  Sequential,
  StateError,
  enableLora,
  loadModel,
  ops,
  setRandomSeed,
  tensor,
  type LoraLayer,
  type NestedArray,
  type Variable,
} from '../../src'
import { quantize, quantizedLayers } from '../../src/entries/thrift'
import { readKeras, writeKeras } from '../../src/entries/keras'
import { expectNear } from '../helpers/golden'

interface Case {
  readonly className: string
  readonly options: { readonly lora_alpha?: number }
  readonly x: NestedArray
  readonly y: NestedArray
  readonly plain: NestedArray[]
  readonly starts: NestedArray[]
  readonly first: NestedArray
  readonly losses: number[]
  readonly names: string[]
  readonly trained: string[]
  readonly trainedValues: NestedArray[]
  readonly last: NestedArray
  readonly merged: NestedArray[]
}

const cases: readonly Case[] = JSON.parse(readFileSync(new URL('../golden/lora.json', import.meta.url), 'utf8'))

const layers = [
  () => new Dense({ units: 3, activation: 'tanh' }),
  () => new Dense({ units: 3, useBias: false, kernelRegularizer: 'l2' }),
  () => new EinsumDense({ equation: 'abc,cde->abde', outputShape: [3, 2, 5], biasAxes: 'e' }),
  () => new Embedding({ inputDim: 6, outputDim: 4 }),
  () => new Conv1D({ filters: 4, kernelSize: 3, padding: 'causal', groups: 2 }),
  () => new Conv2D({ filters: 3, kernelSize: 2, activation: 'relu', kernelRegularizer: 'l2' }),
  () => new Conv3D({ filters: 2, kernelSize: 2, useBias: false }),
]

function adapters(layer: LoraLayer, options: Case['options'] = {}, rank = 2) {
  const loraAlpha = options.lora_alpha ?? null
  if (layer instanceof Embedding) {
    const { loraEmbeddingsA, loraEmbeddingsB } = enableLora(layer, rank, { loraAlpha })
    return [loraEmbeddingsA, loraEmbeddingsB] as const
  }
  const { loraKernelA, loraKernelB } = enableLora(layer, rank, { loraAlpha })
  return [loraKernelA, loraKernelB] as const
}

const flat = (values: NestedArray): number[] => [...tensor(values).data]
const last = ({ name }: Variable): string => name.split('/').at(-1)!

describe('a layer with LoRA', () => {
  it.each(cases.map((each, i) => [`${each.className} ${i}`, each, layers[i]!] as const))(
    'trains as in Keras: %s',
    async (_title, golden, make) => {
      const layer = make()
      const x = tensor(golden.x, undefined, layer instanceof Embedding ? 'int32' : 'float32')
      const input = Input({ shape: x.shape.slice(1), dtype: x.dtype })
      const model = new Model({ inputs: input, outputs: layer.apply(input) })
      model.setWeights(golden.plain)
      const [a, b] = adapters(layer, golden.options)
      a.assign(golden.starts[0]!)
      b.assign(golden.starts[1]!)
      expect(layer.weights.map(last)).toEqual(golden.names)
      expect(layer.trainableWeights.map(last)).toEqual(golden.trained)
      expectNear((await model.predict(x)).data, flat(golden.first), 'values', 1e-5)
      expectNear(layer.apply(x).data, flat(golden.first), 'values', 1e-5)

      model.compile({ optimizer: { className: 'SGD', config: { learningRate: 0.1 } }, loss: 'mse' })
      const losses: number[] = []
      for (let i = 0; i < 3; i++) losses.push(model.trainOnBatch(x, golden.y).loss)
      expectNear(losses, golden.losses, 'values', 1e-4)
      model.trainableWeights.forEach((weight, i) =>
        expectNear(weight.value.data, flat(golden.trainedValues[i]!), 'values', 1e-4),
      )
      expect([...model.weights[0]!.value.data]).toEqual([...tensor(golden.plain[0]!).data])
      const kernel = layer instanceof Embedding ? layer.embeddings : layer.kernel
      expectNear(kernel.value.data, flat(golden.merged[0]!), 'values', 1e-4)

      const loaded = await loadModel(await model.save())
      expect(loaded.weights.map(last)).toEqual(golden.names.slice(0, golden.merged.length))
      expect(loaded.trainableWeights).toEqual(loaded.weights)
      loaded.weights.forEach((weight, i) => expectNear(weight.value.data, flat(golden.merged[i]!), 'values', 1e-4))
      expectNear((await loaded.predict(x)).data, flat(golden.last), 'values', 1e-4)
      const reread = await readKeras(await writeKeras(model))
      expectNear((await reread.predict(x)).data, flat(golden.last), 'values', 1e-4)
    },
  )

  it('begins with the results of the plain layer, and a program is compiled again', async () => {
    const layer = new Dense({ units: 3, inputShape: [4] })
    const model = new Sequential([layer])
    const x = tensor([[1, -2, 3, 4]])
    const plain = await model.predict(x)
    const enabled = enableLora(layer, 2)
    expect(enabled).toBe(layer)
    expect([enabled.loraEnabled, enabled.loraRank, enabled.loraAlpha]).toEqual([true, 2, 2])
    expect(enabled.loraKernelA.value.data.some((value: number) => value !== 0)).toBe(true)
    expect([...(await model.predict(x)).data]).toEqual([...plain.data])
    enabled.loraKernelB.assign(ops.ones([2, 3]))
    expect([...(await model.predict(x)).data]).not.toEqual([...plain.data])
  })

  it('continues training after saving, and resumes from its own weights', async () => {
    setRandomSeed(3)
    const layer = new Dense({ units: 2, inputShape: [3] })
    const model = new Sequential([layer, new Dense({ units: 1 })])
    model.compile({ optimizer: 'adam', loss: 'mse' })
    const x = ops.reshape(ops.arange(12), [4, 3])
    const y = tensor([[1], [2], [3], [5]])
    // The optimizer has slots of the kernel from before.
    model.trainOnBatch(x, y)
    enableLora(layer, 1)
    for (let i = 0; i < 3; i++) model.trainOnBatch(x, y)
    const bytes = await model.save()
    const kept = model.getWeights()
    const { loss } = model.trainOnBatch(x, y)
    const loaded = await loadModel(bytes)
    expect(loaded.trainOnBatch(x, y).loss).toBeCloseTo(loss, 4)
    expect(Number.isFinite(loaded.trainOnBatch(x, y).loss)).toBe(true)
    model.setWeights(kept)
    model.getWeights().forEach((weight, i) => expect([...weight.data]).toEqual([...kept[i]!.data]))
  })

  it.each(['save', 'saveWeights'] as const)('loads what %s wrote, into plain and adapted layers', async (method) => {
    const make = (): readonly [Sequential, Dense] => {
      const layer = new Dense({ units: 3, inputShape: [4] })
      return [new Sequential([layer, new Dense({ units: 2 })]), layer]
    }
    const [model, layer] = make()
    const { loraKernelA, loraKernelB } = enableLora(layer, 2)
    loraKernelB.assign(ops.ones([2, 3]))
    const x = tensor([[1, -2, 3, 4]])
    const expected = (await model.predict(x)).data
    const bytes = await model[method]()
    const [plain] = make()
    await plain.loadWeights(bytes)
    expectNear((await plain.predict(x)).data, expected, 'values', 1e-5)
    const drawn = loraKernelA.value.data
    await model.loadWeights(bytes)
    expectNear((await model.predict(x)).data, expected, 'values', 1e-5)
    expect([...loraKernelB.value.data]).toEqual([0, 0, 0, 0, 0, 0])
    expect([...loraKernelA.value.data]).toEqual([...drawn])
  })

  it('is quantized with the sum as its kernel', async () => {
    const layer = new Dense({ units: 8, inputShape: [16] })
    const other = new EinsumDense({ equation: 'ab,bc->ac', outputShape: 4 })
    const model = new Sequential([layer, other])
    enableLora(layer, 2, { bInitializer: 'ones' })
    enableLora(other, 2, { bInitializer: 'ones' })
    const x = ops.reshape(ops.linspace(-1, 1, 16), [1, 16])
    const expected = (await model.predict(x)).data
    const small = quantize(model)
    const loaded = await loadModel(await small.save(), { customObjects: quantizedLayers })
    expectNear((await loaded.predict(x)).data, expected, 'values', 0.05)
  })

  it('takes a kernel', async () => {
    const layer = new Dense({ units: 1, inputShape: [2] })
    const model = new Sequential([layer])
    enableLora(layer, 1, { bInitializer: 'ones' })
    layer.kernel.assign(tensor([[2], [3]]))
    expect([...layer.kernel.view]).toEqual([2, 3])
    expect([...(await model.predict(tensor([[1, 10]]))).data]).toEqual([32])
  })

  it('keeps both directions of a ReversibleEmbedding', () => {
    const layer = new ReversibleEmbedding({ inputDim: 5, outputDim: 3 })
    layer.apply(tensor([[1]], undefined, 'int32'))
    enableLora(layer, 2, { bInitializer: 'ones' })
    const table = layer.embeddings.value
    expectNear(layer.apply(tensor([4], undefined, 'int32')).data, table.data.slice(12), 'values', 1e-5)
  })
})

describe('enableLora refuses', () => {
  const built = (options = {}): Dense => {
    const layer = new Dense({ units: 2, ...options })
    layer.apply(tensor([[1, 2]]))
    return layer
  }

  it.each([0, -1, 1.5, NaN, 'two', null])('rank %s', (rank) => {
    expect(() => enableLora(built(), rank as number)).toThrow(ArgumentError)
  })

  it('a layer that is not built', () => {
    expect(() => enableLora(new Dense({ units: 2 }), 1)).toThrow(StateError)
  })

  it('a second time', () => {
    const layer = enableLora(built(), 1)
    expect(() => enableLora(layer, 1)).toThrow(/LoRA is enabled already/)
    expect(layer.weights).toHaveLength(4)
  })

  it('a constraint, another layer and an unknown option', () => {
    expect(() => enableLora(built({ kernelConstraint: 'nonNeg' }), 1)).toThrow(/kernelConstraint/)
    const table = new Embedding({ inputDim: 3, outputDim: 2, embeddingsConstraint: 'nonNeg', inputShape: [1] })
    table.apply(tensor([[1]], undefined, 'int32'))
    expect(() => enableLora(table, 1)).toThrow(/embeddingsConstraint/)
    expect(() => enableLora(new Sequential() as unknown as Dense, 1)).toThrow(ArgumentError)
    expect(() => enableLora(built(), 1, { alpha: 2 } as object)).toThrow(ArgumentError)
  })

  it.each([new Conv2DTranspose({ filters: 2, kernelSize: 2 }), new DepthwiseConv2D({ kernelSize: 2 })])(
    '%s',
    (layer) => {
      layer.apply(ops.ones([1, 3, 3, 2]))
      expect(() => enableLora(layer as unknown as Conv2D, 1)).toThrow(/Conv1D, Conv2D, Conv3D/)
    },
  )
})
