// Weights of PyTorch: see tests/golden/torch_weights.py.
// modes: simd

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  Activation,
  ArgumentError,
  BatchNormalization,
  Bidirectional,
  Conv2D,
  Dense,
  Embedding,
  FormatError,
  GRU,
  GlobalAveragePooling2D,
  Input,
  LSTM,
  LayerNormalization,
  Model,
  MultiHeadAttention,
  Sequential,
  ops,
} from '../../src'
import type { Tensor } from '../../src'
import { readWeights, torchMapping, writeWeights } from '../../src/weights'
import { readArrays } from '../../src/weights/arrays'
import { differenceOf, inputsOf } from '../keras/goldens'
import type { Golden } from '../keras/goldens'

const folder = new URL('../golden/torch/', import.meta.url)
const bytesOf = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(name, folder)))
const golden = (name: string): Golden => JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as Golden

const mlp = (): Sequential =>
  new Sequential([new Dense({ units: 8, activation: 'tanh', inputShape: [4] }), new Dense({ units: 3 })])

const models: Record<string, () => Model<Tensor, Tensor>> = {
  mlp,
  convolutional: () =>
    new Sequential([
      new Conv2D({ filters: 4, kernelSize: 3, padding: 'same', inputShape: [6, 6, 2] }),
      new BatchNormalization({ epsilon: 1e-5 }),
      new Activation({ activation: 'relu' }),
      new Conv2D({ filters: 6, kernelSize: 3 }),
      new BatchNormalization({ epsilon: 1e-5 }),
      new Activation({ activation: 'relu' }),
      new GlobalAveragePooling2D(),
      new Dense({ units: 3 }),
    ]),
  recurrent: () => {
    const x = Input({ shape: [7], dtype: 'int32' })
    const embedded = new Embedding({ inputDim: 10, outputDim: 6 }).apply(x)
    const both = new Bidirectional({ layer: new LSTM({ units: 5, returnSequences: true }) }).apply(embedded)
    return new Model({ inputs: x, outputs: new Dense({ units: 2 }).apply(new GRU({ units: 4 }).apply(both)) })
  },
  attention: () => {
    const x = Input({ shape: [5, 8] })
    const h = new LayerNormalization({ epsilon: 1e-5 }).apply(x)
    const sum = ops.add(x, new MultiHeadAttention({ numHeads: 2, keyDim: 4 }).apply([h, h]))
    const inner = new Dense({ units: 12, activation: 'relu' }).apply(sum)
    return new Model({ inputs: x, outputs: ops.add(sum, new Dense({ units: 8 }).apply(inner)) })
  },
}

describe('torchMapping', () => {
  it.each(Object.keys(models))('%s computes the same as in PyTorch, and is written as it was', async (name) => {
    const model = models[name]!()
    const bytes = bytesOf(`${name}.safetensors`)
    const mapping = await torchMapping(model, bytes)
    await readWeights(model, bytes, { mapping })
    const { x, y } = golden(name)
    expect(differenceOf(await model.predict(inputsOf(x) as Tensor), y)).toBeLessThan(1e-5)

    const [expected, received] = [
      await readArrays(bytes),
      await readArrays(await writeWeights(model, null, { mapping })),
    ]
    for (const [key, { shape, data }] of expected) {
      if (key.endsWith('num_batches_tracked')) continue
      const written = received.get(key)!
      expect([key, written.shape]).toEqual([key, shape])
      // The two biases of an RNN are one here.
      if (!/lstm\.bias/.test(key)) expect([key, Array.from(written.data)]).toEqual([key, Array.from(data)])
    }
    const again = models[name]!()
    await readWeights(again, await writeWeights(model, null, { mapping, format: 'npz' }), { mapping })
    expect(again.getWeights().map(({ data }) => Array.from(data))).toEqual(
      model.getWeights().map(({ data }) => Array.from(data)),
    )
  })

  it('reads floats of 16 bits, and .npz', async () => {
    const { x, y } = golden('mlp')
    const limits = { 'mlp.npz': 1e-5, 'mlp-float16.safetensors': 2e-3, 'mlp-bfloat16.safetensors': 2e-2 }
    for (const [name, limit] of Object.entries(limits)) {
      const model = mlp()
      await readWeights(model, bytesOf(name), { mapping: await torchMapping(model, bytesOf(name)) })
      const difference = differenceOf(await model.predict(inputsOf(x) as Tensor), y)
      expect(difference).toBeLessThan(limit)
      if (limit > 1e-4) expect(difference).toBeGreaterThan(1e-6)
    }
  })

  it('names layers and modules for which nothing fits', async () => {
    const model = new Sequential([new Dense({ units: 8, inputShape: [4] }), new Dense({ units: 5 })])
    const error = torchMapping(model, bytesOf('mlp.safetensors'))
    await expect(error).rejects.toThrow(FormatError)
    await expect(error).rejects.toThrow(/no module fits 'dense_1' \(kernel \[8, 5\], bias \[5\]\); no layer fits '2'/)
  })
})

describe('a mapping', () => {
  const arrays = bytesOf('mlp.safetensors')
  const whole = {
    '0.weight': { to: 'dense/kernel', transpose: [1, 0] },
    '0.bias': 'dense/bias',
    '2.weight': { to: 'dense_1/kernel', transpose: [1, 0] },
    '2.bias': 'dense_1/bias',
  }

  it('is a record or a function', async () => {
    const [one, other] = [mlp(), mlp()]
    await readWeights(one, arrays, { mapping: whole })
    await readWeights(other, arrays, { mapping: (name) => whole[name as keyof typeof whole] })
    expect(other.getWeights()).toEqual(one.getWeights())
    await expect(writeWeights(one, null, { mapping: () => null })).rejects.toThrow(/must be a record/)
    await expect(writeWeights(one, null, { mapping: { a: 'dense/bias' } })).rejects.toThrow(
      /lacks weights: 'dense\/kernel'/,
    )
  })

  it('must fit as a whole, or nothing is loaded', async () => {
    const model = mlp()
    const before = model.getWeights()
    const { '0.bias': _bias, ...lacking } = whole
    const wrong: [object, RegExp][] = [
      [lacking, /weights without an array: 'dense\/bias' \[8\]\. arrays without a weight: '0.bias' \[8\]/],
      [{ ...whole, '0.bias': null }, /weights without an array: 'dense\/bias' \[8\]$/],
      [{ ...whole, '0.weight': 'dense/kernel' }, /'0.weight': it has \[8, 4\], but 'dense\/kernel' needs \[4, 8\]/],
      [{ ...whole, '0.bias': 'dense/other' }, /the model has no weight 'dense\/other'/],
      [{ ...whole, '0.bias': ['dense/bias', 'dense/bias'].map((to) => ({ to })) }, /another array already/],
      [{ ...whole, '0.weight': { to: 'dense/kernel', transpose: [1, 5] } }, /cannot be transposed to \[1, 5\]/],
      [{ ...whole, '0.weight': { to: 'dense/kernel', transpose: [1] } }, /cannot be transposed to \[1\]/],
      [{ ...whole, '0.bias': { to: 'dense/bias', rows: [0, 9] } }, /no rows 0 to 9/],
      [{ ...whole, '0.bias': { to: 'dense/bias', blocks: [0, 1, 2] } }, /are not 3 blocks/],
      [
        { ...whole, '0.bias': { to: 'dense/bias', blocks: [0, 2] } },
        /blocks must be an order of 0 … 1, received \[0, 2\]/,
      ],
      [{ ...whole, '0.bias': { to: 'dense/bias', at: 8, rows: [0, 1], reshape: [1] } }, /no row 8/],
    ]
    for (const [mapping, message] of wrong)
      await expect(readWeights(model, arrays, { mapping: mapping as never })).rejects.toThrow(message)
    expect(model.getWeights()).toEqual(before)
    await expect(readWeights(model, arrays, { mapping: 5 as never })).rejects.toThrow(/record or a function/)
  })

  it('that could not be read is not written', async () => {
    const row = { to: 'dense/kernel', reshape: [8] }
    const wrong: [object, RegExp][] = [
      [{ '0.weight': { ...row, at: 0 } }, /weights without an array: 'dense\/kernel' \[4, 8\]/],
      [{ '0.weight': { to: 'dense/kernel', transpose: [1, 5] } }, /cannot be transposed/],
      [{ '0.weight': { to: 'dense/kernel', reshape: [5, 8] } }, /does not fit/],
      [{ '0.weight': { to: 'dense/kernel', blocks: [1, 1] } }, /blocks must be an order/],
      [{ '0.weight': { to: 'dense/kernel', rows: [1, 5] } }, /no rows 1 to 5/],
    ]
    for (const [mapping, message] of wrong) {
      const written = writeWeights(mlp(), null, { mapping: { ...whole, ...mapping } as never })
      await expect(written).rejects.toThrow(ArgumentError)
      await expect(written).rejects.toThrow(message)
    }
    const rows = Object.fromEntries([0, 1, 2, 3].map((at) => [`row${at}`, { to: 'dense/kernel', at }]))
    const { '0.weight': _weight, ...others } = whole
    const [one, other] = [mlp(), mlp()]
    await readWeights(other, await writeWeights(one, null, { mapping: { ...others, ...rows } }), {
      mapping: { ...others, ...rows },
    })
    expect(other.getWeights()).toEqual(one.getWeights())
  })
})
