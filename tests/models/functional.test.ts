import { describe, expect, it } from 'vitest'
import {
  Dense,
  Embedding,
  Flatten,
  GRU,
  Input,
  Model,
  Sequential,
  cloneModel,
  loadModel,
  modelFromJSON,
  ops,
  tensor,
} from '../../src'
import { expectNear } from '../helpers/golden'
import { buildSpecOf } from '../../src/layers/weight-lists'

describe('functional models', () => {
  it('ops of a number and a symbol, in either order', () => {
    const x = Input({ shape: [2] })
    const model = new Model({ inputs: x, outputs: ops.subtract(ops.power(2, x), ops.multiply(x, 3)) })
    expect(new Model({ inputs: x, outputs: ops.clip(2, x as never, 3) }).predictOnBatch([[1, 3]]).toArray()).toEqual([
      [2, 3],
    ])
    for (const each of [model, modelFromJSON(model.toJSON()) as typeof model, cloneModel(model)])
      expect(each.predictOnBatch([[1, 3]]).toArray()).toEqual([[-1, -1]])
  })

  it('shared layers, ops on symbols, several inputs and outputs by name', async () => {
    const image = Input({ shape: [6], name: 'image' })
    const tags = Input({ shape: [3], dtype: 'int32', name: 'tags' })
    const trunk = new Dense({ units: 4, activation: 'relu' })
    const a = trunk.apply(image)
    const joined = ops.concatenate([a, ops.cast(tags, 'float32')], 1)
    const model = new Model({
      inputs: { image, tags },
      outputs: {
        price: new Dense({ units: 1, name: 'p' }).apply(joined),
        kind: new Dense({ units: 3, activation: 'softmax', name: 'k' }).apply(joined),
      },
    })
    model.compile({
      optimizer: 'adam',
      loss: { price: 'huber', kind: 'sparseCategoricalCrossentropy' },
      lossWeights: { price: 0.2 },
      metrics: { kind: ['accuracy'] },
    })
    const n = 20
    const x1 = Array.from({ length: n }, (_, i) => Array.from({ length: 6 }, (_, j) => Math.sin(i + j)))
    const x2 = Array.from({ length: n }, (_, i) => [i % 2, i % 3, 1])
    const y1 = x1.map((row) => [row[0]!])
    const y2 = x1.map((_, i) => i % 3)
    const { history } = await model.fit(
      { image: x1, tags: x2 },
      { price: y1, kind: y2 },
      { sampleWeight: { kind: y2.map((k) => k + 1) }, verbose: 0, epochs: 2 },
    )
    expect(Object.keys(history)).toEqual(['loss', 'priceLoss', 'kindLoss', 'kindAccuracy'])
    const { price, kind } = await model.predict({ image: x1, tags: x2 })
    expect(price.shape).toEqual([n, 1])
    expect(kind.shape).toEqual([n, 3])
    const copy = await loadModel<
      { image: typeof image; tags: typeof tags },
      { price: typeof image; kind: typeof image }
    >(await model.save())
    const again = await copy.predict({ image: x1, tags: x2 })
    expectNear(again.price.data, price.data, 'price')
    await copy.fit({ image: x1, tags: x2 }, { price: y1, kind: y2 }, { verbose: 0 })
    const fresh = modelFromJSON(JSON.stringify(model))
    expect(fresh.weights.map(({ shape }) => shape)).toEqual(model.weights.map(({ shape }) => shape))
    const lines: string[] = []
    model.summary({ printFn: (line) => lines.push(line) })
    expect(lines.find((line) => line.includes('concatenate'))).toMatch(
      /\[null, 7\].*dense\w*\[0\]\[0\], cast\w*\[0\]\[0\]/,
    )
    const middle = new Model({ inputs: model.input, outputs: trunk.output })
    expect((await middle.predict({ image: x1, tags: x2 })).shape).toEqual([n, 4])
    const nested = new Sequential([new Dense({ units: 6, inputShape: [2] })])
    const x = Input({ shape: [2] })
    const outer = new Model({ inputs: x, outputs: nested.apply(x) })
    expect(outer.predictOnBatch(tensor([[1, 2]])).shape).toEqual([1, 6])
  })

  it('take records by their keys, in any order, also within another model and nested', async () => {
    const [a, b] = [Input({ shape: [1], name: 'a' }), Input({ shape: [1], name: 'b' })]
    const model = new Model({ inputs: { a, of: { b } }, outputs: ops.subtract(a, b) })
    const [five, one] = [tensor([[5]]), tensor([[1]])]
    for (const x of [
      { a: five, of: { b: one } },
      { of: { b: one }, a: five },
    ]) {
      expect(model.apply(x).toArray()).toEqual([[4]])
      expect((await model.predict(x)).toArray()).toEqual([[4]])
    }
    const [c, d] = [Input({ shape: [1], name: 'c' }), Input({ shape: [1], name: 'd' })]
    const outer = new Model({ inputs: { c, d }, outputs: model.apply({ of: { b: d }, a: c }) })
    for (const each of [outer, cloneModel(outer)])
      expect((await each.predict({ d: one, c: five })).toArray()).toEqual([[4]])
  })

  it('are made from one record', () => {
    const x = Input({ shape: [2] })
    for (const inputs of [x, [x]]) {
      expect(() => Reflect.construct(Model, [inputs, new Dense({ units: 1 }).apply(x)])).toThrow(
        'Model takes { inputs, outputs }, received tensors as separate arguments',
      )
    }
    expect(() => Reflect.construct(Model, [{ inputs: x, outputs: x }, 'name'])).toThrow(
      "Model takes ({ … }), received (an object (Object), 'name')",
    )
  })
})

describe('a Sequential that starts with an Input', () => {
  it('is built at once, as in Keras, and is saved', async () => {
    const model = new Sequential([
      Input({ shape: [8], name: 'features' }),
      new Dense({ units: 10, activation: 'relu' }),
      new Dense({ units: 1 }),
    ])
    expect(model.built).toBe(true)
    expect(model.layers).toHaveLength(2)
    expect(model.countParams()).toBe(8 * 10 + 10 + 10 + 1)
    const x = ops.ones([3, 8])
    const copy = await loadModel(await model.save())
    expect((await copy.predict(x)).data).toEqual((await model.predict(x)).data)
  })

  it('may share the Input with another model', () => {
    const input = Input({ shape: [4], dtype: 'int32' })
    const models = [0, 1].map(() => new Sequential([input, new Embedding({ inputDim: 5, outputDim: 2 })]))
    for (const each of models) expect(each.predictOnBatch([[0, 1, 2, 3]]).shape).toEqual([1, 4, 2])
  })

  it('or with a model whose input is known', () => {
    const encoder = new Sequential([new Dense({ units: 2, inputShape: [5] })], { name: 'encoder' })
    const decoder = new Sequential([new Dense({ units: 5, inputShape: [2] })], { name: 'decoder' })
    const whole = new Sequential([encoder, decoder])
    const rows: string[] = []
    whole.summary({ printFn: (line) => rows.push(line) })
    expect(rows.find((row) => row.includes('decoder'))).toContain('[null, 5]')
    expect(rows).toContain(' Total params: 27 (108 B)')
  })

  it('takes no other symbol, and no Input after a layer', () => {
    const input = Input({ shape: [4] })
    const output = new Dense({ units: 2 }).apply(input)
    expect(() => new Sequential([output])).toThrow('Chains of symbols are for new Model')
    expect(() => new Sequential([new Dense({ units: 2 }), input])).toThrow('an Input is the first of the list')
    const model = new Sequential()
    model.add(input)
    model.add(new Dense({ units: 2 }))
    expect(model.built).toBe(true)
  })
})

describe('a Sequential that the first data build', () => {
  it('takes sequences of other lengths afterwards, also when loaded', async () => {
    const model = new Sequential(
      [new Embedding({ inputDim: 9, outputDim: 4 }), new GRU({ units: 3 }), new Dense({ units: 1 })],
      { name: 'reader' },
    )
    model.compile({ loss: 'mse' })
    await model.fit([[1, 2, 3]], [[1]], { verbose: 0 })
    expect(
      (
        await model.predict([
          [1, 2],
          [3, 4],
        ])
      ).shape,
    ).toEqual([2, 1])
    await model.fit([[1, 2, 3, 4, 5]], [[1]], { verbose: 0, validationData: [[[1]], [[0]]] })
    const copy = await loadModel(await model.save())
    expect(copy.predictOnBatch([[1, 2]]).data).toEqual(model.predictOnBatch([[1, 2]]).data)
    expect(() => model.predictOnBatch([[[1, 2]]])).toThrow(
      'Sequential "reader": the input must be [batch, 3], received [1, 1, 2]',
    )
  })

  it('takes typed arrays as rows, also a single one', async () => {
    const rows = [Float32Array.of(1, 2, 3), Float32Array.of(4, 5, 6)]
    for (const count of [2, 1]) {
      const model = new Sequential([new Dense({ units: 1 })])
      model.compile({ loss: 'mse' })
      await model.fit(rows.slice(0, count), ops.ones([count, 1]), { verbose: 0 })
      expect((await model.predict(rows)).data).toEqual(
        (
          await model.predict([
            [1, 2, 3],
            [4, 5, 6],
          ])
        ).data,
      )
      expect((await model.predict(rows.slice(0, 1))).shape).toEqual([1, 1])
    }
  })

  it('converts data as its first layer needs them', () => {
    const model = new Sequential([
      new Sequential([new Embedding({ inputDim: 9, outputDim: 4 })]),
      new GRU({ units: 3 }),
    ])
    expect(() => model.predictOnBatch([[1, 2.5]])).toThrow('x: every element must be an integer, received 2.5 in row 0')
    model.predictOnBatch([[1, 2]])
    expect(buildSpecOf(model)).toMatchObject({ dtype: 'int32' })
  })

  it('refuses inputs that one of its layers refuses', () => {
    const model = new Sequential([new Flatten(), new Dense({ units: 1 })], { name: 'flat' })
    model.predictOnBatch(ops.ones([2, 3, 4]))
    expect(() => model.predictOnBatch(ops.ones([2, 3, 5]))).toThrow(
      'Sequential "flat": the input must be [batch, 3, 4], received [2, 3, 5]',
    )
    expect(model.predictOnBatch(ops.ones([2, 4, 3])).shape).toEqual([2, 1])
  })

  it('keeps its declared shapes', () => {
    const model = new Sequential([new GRU({ units: 3, inputShape: [5, 2], name: 'gru' })], { name: 'five' })
    expect(() => model.predictOnBatch(ops.ones([2, 6, 2]))).toThrow(
      'Sequential "five": the input must be [batch, 5, 2], received [2, 6, 2]',
    )
  })
})
