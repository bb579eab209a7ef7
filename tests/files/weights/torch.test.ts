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
  LSTMCell,
  LayerNormalization,
  Model,
  MultiHeadAttention,
  RNN,
  Sequential,
  ops,
  type Tensor,
} from '../../../src'
import { typed } from '../../../src/core/tree'
import { weightPaths } from '../../../src/layers/saved-weights'
import {
  readWeights,
  torchMapping,
  writeWeights,
  type WeightTarget,
  type WeightTargets,
} from '../../../src/entries/weights'
import { readArrays } from '../../../src/files/weights/formats'
import { differenceOf, inputsOf, type Golden } from '../keras/goldens'

const folder = new URL('../../golden/torch/', import.meta.url)
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

describe('torchMapping of layers with equal shapes', () => {
  const conv = (layer: string): Record<string, WeightTargets> => ({
    weight: { to: `${layer}/kernel`, transpose: [2, 3, 1, 0] },
    bias: `${layer}/bias`,
  })
  const dense = (layer: string): Record<string, WeightTargets> => ({
    weight: { to: `${layer}/kernel`, transpose: [1, 0] },
    bias: `${layer}/bias`,
  })
  const norm = (layer: string): Record<string, WeightTargets> => ({
    weight: `${layer}/gamma`,
    bias: `${layer}/beta`,
    running_mean: `${layer}/movingMean`,
    running_var: `${layer}/movingVariance`,
  })
  /** A file with the weights of a model, under the names of modules. */
  const fileOf = (model: Model<Tensor, Tensor>, modules: Record<string, Record<string, WeightTargets>>) => {
    const mapping = Object.fromEntries(
      Object.entries(modules).flatMap(([module, rows]) =>
        Object.entries(rows).map(([key, target]) => [`${module}.${key}`, target]),
      ),
    )
    return writeWeights(model, null, { mapping })
  }
  const pathsOf = (mapping: Record<string, WeightTargets>): Record<string, string> =>
    Object.fromEntries(
      Object.entries(mapping)
        .filter(([name]) => name.endsWith('.bias'))
        .map(([name, target]) => [name, typeof target === 'string' ? target : (target as WeightTarget).to]),
    )

  /** The projection of the shortcut is called before the second convolution, or after it. */
  function block(isFirst: boolean, names: readonly (string | undefined)[] = []): Model<Tensor, Tensor> {
    const [bn1, bn2, other] = names.map((name) => (name === undefined ? {} : { name }))
    const x = Input({ shape: [4, 4, 3] })
    const projected = (): Tensor =>
      new BatchNormalization({ ...other }).apply(new Conv2D({ filters: 4, kernelSize: 1 }).apply(x))
    const before = isFirst ? projected() : null
    let h = new Conv2D({ filters: 4, kernelSize: 3, padding: 'same' }).apply(x)
    h = new Activation({ activation: 'relu' }).apply(new BatchNormalization({ ...bn1 }).apply(h))
    h = new BatchNormalization({ ...bn2 }).apply(new Conv2D({ filters: 4, kernelSize: 3, padding: 'same' }).apply(h))
    return new Model({ inputs: x, outputs: ops.add(h, before ?? projected()) })
  }
  const norms = (model: Model<Tensor, Tensor>): string[] => {
    const names = model.layers.map(({ name }) => name).filter((name) => /bn|downsample/.test(name))
    return ['bn1', 'bn2', 'downsample.1'].map((name) => {
      const at = names.indexOf(name)
      return at === 0 ? 'batch_normalization' : `batch_normalization_${at}`
    })
  }

  it.each([true, false])('names what nothing tells apart in a residual block (shortcut first: %s)', async (isFirst) => {
    const named = block(isFirst, ['bn1', 'bn2', 'downsample.1'])
    const [bn1, bn2, other] = norms(named) as [string, string, string]
    const convs = new Map(named.weights.filter(({ name }) => name.endsWith('kernel')).map(({ shape }, i) => [i, shape]))
    const pathOf = (i: number): string => (i === 0 ? 'conv2d' : `conv2d_${i}`)
    const of = (test: (shape: readonly number[]) => boolean): string =>
      pathOf([...convs].find(([, shape]) => test(shape))![0])
    const file = await fileOf(named, {
      conv1: conv(of((shape) => shape[0] === 3 && shape[2] === 3)),
      bn1: norm(bn1),
      conv2: conv(of((shape) => shape[0] === 3 && shape[2] === 4)),
      bn2: norm(bn2),
      'downsample.0': conv(of((shape) => shape[0] === 1)),
      'downsample.1': norm(other),
    })
    const error = torchMapping(block(isFirst), file)
    await expect(error).rejects.toThrow(FormatError)
    await expect(error).rejects.toThrow(
      /'bn1', 'bn2', 'downsample.1' fit each of 'batch_normalization', 'batch_normalization_1', 'batch_normalization_2', and nothing tells which is which: give these layers the names of the modules, such as \{ name: 'bn1' \}\. Or write the mapping/,
    )
    const mapping = pathsOf(await torchMapping(named, file))
    expect(mapping).toMatchObject({
      'bn1.bias': `${bn1}/beta`,
      'bn2.bias': `${bn2}/beta`,
      'downsample.1.bias': `${other}/beta`,
    })
    // Names with other separators.
    expect(pathsOf(await torchMapping(block(isFirst, ['bn1', 'bn2', 'downsample_1']), file))).toEqual(mapping)
  })

  const deep = (count: number): Sequential =>
    new Sequential([Input({ shape: [4] }), ...Array.from({ length: count }, () => new Dense({ units: 4 }))])
  const ten = Array.from({ length: 11 }, (_, i) => (i === 0 ? 'dense' : `dense_${i}`))

  it.each([
    ['fc1', (i: number) => `fc${i + 1}`],
    ['layers.0.linear', (i: number) => `layers.${i}.linear`],
  ])('follows numbers such as those in %s along a chain of layers', async (_, nameOf) => {
    const file = await fileOf(deep(11), Object.fromEntries(ten.map((path, i) => [nameOf(i), dense(path)])))
    const expected = Object.fromEntries(ten.map((path, i) => [`${nameOf(i)}.bias`, `${path}/bias`]))
    expect(pathsOf(await torchMapping(deep(11), file))).toEqual(expected)
  })

  it('does not follow words, or numbers of layers side by side', async () => {
    const words = await fileOf(deep(2), { decoder: dense('dense'), encoder: dense('dense_1') })
    await expect(torchMapping(deep(2), words)).rejects.toThrow(/'decoder', 'encoder' fit each of 'dense', 'dense_1'/)

    const x = Input({ shape: [4] })
    const sides = (names: readonly string[] = []): Model<Tensor, Tensor> => {
      const [one, other] = [0, 1].map((i) => new Dense({ units: 4, ...(names[i] && { name: names[i] }) }).apply(x))
      return new Model({ inputs: x, outputs: ops.add(one!, other!) })
    }
    const file = await fileOf(sides(), { 'sides.0': dense('dense'), 'sides.1': dense('dense_1') })
    await expect(torchMapping(sides(), file)).rejects.toThrow(/'sides.0', 'sides.1' fit each of/)
    expect(pathsOf(await torchMapping(sides(['sides_1', 'sides_0']), file))).toEqual({
      'sides.0.bias': 'dense_1/bias',
      'sides.1.bias': 'dense/bias',
    })
  })

  it('names groups with unequal numbers of layers and modules', async () => {
    const file = await fileOf(deep(2), { fc1: dense('dense'), fc2: dense('dense_1') })
    await expect(torchMapping(deep(3), file)).rejects.toThrow(/'fc1', 'fc2' fit each of 'dense', 'dense_1', 'dense_2'/)
    await expect(torchMapping(deep(1), file)).rejects.toThrow(/'fc1', 'fc2' fit 'dense'/)
  })

  it('finds inner models by their names, and stacked cells by their numbers', async () => {
    const nested = (): Sequential =>
      new Sequential([
        Input({ shape: [4] }),
        new Sequential([new Dense({ units: 4, name: 'fc' })], { name: 'b' }),
        new Sequential([new Dense({ units: 4, name: 'fc' })], { name: 'a' }),
      ])
    const paths = ['sequential/dense', 'sequential_1/dense'] as const
    const inner = await fileOf(nested(), { 'b.fc': dense(paths[0]), 'a.fc': dense(paths[1]) })
    expect(pathsOf(await torchMapping(nested(), inner))).toEqual({
      'a.fc.bias': `${paths[1]}/bias`,
      'b.fc.bias': `${paths[0]}/bias`,
    })

    const cells = (): Sequential =>
      new Sequential([
        Input({ shape: [3, 4] }),
        new RNN({ cell: [new LSTMCell({ units: 4 }), new LSTMCell({ units: 4 })] }),
      ])
    const model = cells()
    const [zero, one] = weightPaths(typed(model)).flatMap(({ key }) =>
      key.endsWith('/bias') ? [key.slice(0, -5)] : [],
    )
    const cell = (path: string): Record<string, WeightTargets> => ({
      weight_ih: { to: `${path}/kernel`, transpose: [1, 0] },
      weight_hh: { to: `${path}/recurrent_kernel`, transpose: [1, 0] },
      bias_ih: { to: `${path}/bias`, add: true },
      bias_hh: { to: `${path}/bias`, add: true },
    })
    const rows = (path: string, layer: number): object =>
      Object.fromEntries(Object.entries(cell(path)).map(([key, target]) => [`lstm.${key}_l${layer}`, target]))
    const mapping = { ...rows(zero!, 0), ...rows(one!, 1) }
    const file = await writeWeights(model, null, { mapping })
    expect(await torchMapping(cells(), file)).toEqual(mapping)
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
