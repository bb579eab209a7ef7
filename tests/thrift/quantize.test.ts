// Models with int8 weights: close to the original, a quarter as large, and with the methods of any model.
import { describe, expect, inject, it } from 'vitest'
import {
  ArgumentError,
  BatchNormalization,
  Conv1D,
  Conv2D,
  Dense,
  Embedding,
  Flatten,
  GlobalAveragePooling1D,
  Input,
  LSTM,
  MaxPooling2D,
  Model,
  Sequential,
  ShapeError,
  TimeDistributed,
  cloneModel,
  grad,
  loadModel,
  modelFromJSON,
  ops,
  runtimeInfo,
  tensor,
  type Tensor,
} from '../../src'
import {
  QuantizedConv1D,
  QuantizedConv2D,
  QuantizedDense,
  fakeQuantize,
  ledger,
  quantizationAware,
  quantize,
  quantizedLayers,
} from '../../src/entries/thrift'
import { columnsOf, toIntegers } from '../../src/thrift/integers'
import { dispose } from '../../src/engine/runtime/configure'
import { withRuntime } from '../../src/engine/runtime/current'
import { floats } from '../helpers/data'
import { threadedRuntime } from '../helpers/threads'

const data = (shape: number[], seed = 1): Tensor => tensor([...floats(shape, -1, 1, seed).data], shape)

/** The largest difference, relative to the largest number. */
function difference(a: Tensor, b: Tensor): number {
  expect(a.shape).toEqual(b.shape)
  const largest = Math.max(...Array.from(b.data, Math.abs))
  return Math.max(...Array.from(a.data, (x, i) => Math.abs(x - b.data[i]!))) / largest
}

const dense = () =>
  new Sequential([
    new Dense({ units: 37, activation: 'relu', inputShape: [30] }),
    new Dense({ units: 20, activation: 'tanh', useBias: false }),
    new Dense({ units: 5, activation: 'softmax' }),
  ])
const images = () =>
  new Sequential([
    new Conv2D({ filters: 6, kernelSize: 3, activation: 'relu', padding: 'same', inputShape: [9, 8, 2] }),
    new BatchNormalization(),
    new MaxPooling2D(),
    new Conv2D({ filters: 5, kernelSize: [2, 3], strides: [2, 1] }),
    new Flatten(),
    new Dense({ units: 4 }),
  ])
const sequences = () =>
  new Sequential([
    new Conv1D({
      filters: 7,
      kernelSize: 4,
      padding: 'causal',
      dilationRate: 2,
      activation: 'gelu',
      inputShape: [12, 3],
    }),
    new Conv1D({ filters: 4, kernelSize: 3 }),
    new GlobalAveragePooling1D(),
    new Dense({ units: 2 }),
  ])
const models: [string, () => Sequential, number[]][] = [
  ['Dense', dense, [33, 30]],
  ['Conv2D', images, [5, 9, 8, 2]],
  ['Conv1D', sequences, [5, 12, 3]],
]

describe.each(models)('of %s layers', (_name, make, shape) => {
  it.each([false, true])('predicts nearly the same; calibrated: %s', async (isCalibrated) => {
    const model = make()
    const x = data(shape)
    const before = model.getWeights()
    const small = quantize(model, isCalibrated ? { calibration: x } : {})
    expect(difference(await small.predict(x), await model.predict(x))).toBeLessThan(0.04)
    expect(small.layers.map(({ name }) => name)).toEqual(model.layers.map(({ name }) => name))
    // The given model is unchanged.
    expect(model.getWeights()).toEqual(before)
    expect(
      model.layers.some(
        (layer) =>
          layer instanceof QuantizedDense || layer instanceof QuantizedConv2D || layer instanceof QuantizedConv1D,
      ),
    ).toBe(false)
  })

  it('has the same predictions after saving and loading', async () => {
    const x = data(shape)
    const small = quantize(make(), { calibration: x })
    const bytes = await small.save()
    expect(() => modelFromJSON(small.toJSON())).toThrow(
      /Unknown layer '\w+'\. .* customObjects, .* quantizedLayers for all layers of myelin\/thrift/,
    )
    const again = await loadModel(bytes)
    expect((await again.predict(x)).data).toEqual((await small.predict(x)).data)
    expect(again.getWeights()).toEqual(small.getWeights())
    expect(modelFromJSON(small.toJSON(), { customObjects: quantizedLayers }).name).toBe(small.name)
  })
})

describe('quantize', () => {
  it('rounds to even, with a scale for each output', () => {
    const { integers, scales } = toIntegers([127, 0, 2.5, -1, -3.5, 0.25], columnsOf(6, 2), 8)
    expect([...integers]).toEqual([127, 0, 2, -127, -4, 32])
    expect([...scales]).toEqual([1, Math.fround(1 / 127)])
    expect([...toIntegers([0, 1, 0, 2], columnsOf(4, 2), 8).integers]).toEqual([0, 64, 0, 127])
  })

  it('computes the documented formula exactly', async () => {
    const model = new Sequential([new Dense({ units: 2, inputShape: [3] })])
    model.setWeights([
      [
        [127, 1],
        [-64, 2],
        [3, 127],
      ],
      [0.5, -1],
    ])
    const small = quantize(model)
    // Largest 254: the scale is 2, and the integers are 127, 2 (2.5 to even), −1.
    const [sums, scale] = [[127 * 127 + 2 * -64 - 3, 127 + 2 * 2 - 127], 2]
    expect((await small.predict([[254, 5, -2]])).toArray()).toEqual([[sums[0]! * scale + 0.5, sums[1]! * scale - 1]])
    expect(small.layers[0]).toBeInstanceOf(QuantizedDense)
    expect((small.layers[0] as unknown as QuantizedDense).kernel.toArray()).toEqual([
      [127, 1],
      [-64, 2],
      [3, 127],
    ])
    // Each row has its own scale; one of zeros gives the bias.
    expect((await small.predict([[0, 0, 0]])).toArray()).toEqual([[0.5, -1]])
  })

  it('a calibrated model clips larger inputs', async () => {
    const model = new Sequential([new Dense({ units: 1, inputShape: [2], useBias: false })])
    model.setWeights([[[1], [1]]])
    const small = quantize(model, {
      calibration: [
        [1, -1],
        [0.5, 0.25],
      ],
    })
    const [one, ten] = (
      await small.predict([
        [1, 0],
        [10, 0],
      ])
    ).toArray<number[][]>()
    expect(one![0]).toBeCloseTo(1, 6)
    expect(ten).toEqual(one)
  })

  it('files are about a quarter as large, and contain int8', async () => {
    const model = new Sequential([
      new Dense({ units: 304, activation: 'relu', inputShape: [784] }),
      new Dense({ units: 10 }),
    ])
    const [large, small] = [await model.save(), await quantize(model).save()]
    expect(small.length / large.length).toBeLessThan(0.27)
    expect(new TextDecoder().decode(small.subarray(0, 2000))).toContain('"I8"')
  })

  it('is evaluated as the given one was compiled, with separate metrics', async () => {
    const model = dense()
    model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] })
    const [x, y] = [data([40, 30]), Array.from({ length: 40 }, (_, i) => i % 5)]
    await model.fit(x, y, { epochs: 20, verbose: 0 })
    const small = quantize(model)
    const [a, b] = [await model.evaluate(x, y), await small.evaluate(x, y)]
    expect(Object.keys(b)).toEqual(Object.keys(a))
    expect(b['loss']).toBeCloseTo(a['loss'], 1)
    expect(Math.abs(b['accuracy']! - a['accuracy']!)).toBeLessThanOrEqual(0.05)
    // None of it is trained: int8 weights are constant.
    expect(small.trainableWeights).toEqual([])
  })

  it('functional and nested models, shared layers; other layers stay float32', async () => {
    const shared = new Dense({ units: 6, activation: 'relu', name: 'shared' })
    const inner = new Sequential(
      [new Dense({ units: 5, inputShape: [6], name: 'first' }), new Dense({ units: 3, name: 'second' })],
      { name: 'inner' },
    )
    const [a, b] = [Input({ shape: [4], name: 'a' }), Input({ shape: [4], name: 'b' })]
    const [left, right] = [shared.apply(a), shared.apply(b)]
    const model = new Model({ inputs: { a, b }, outputs: { sum: ops.add(left, right), inner: inner.apply(left) } })
    const x = { a: data([7, 4]), b: data([7, 4], 2) }
    const small = quantize(model, { calibration: x })
    const [expected, received] = [await model.predict(x), await small.predict(x)]
    expect(difference(received.sum, expected.sum)).toBeLessThan(0.03)
    expect(difference(received.inner, expected.inner)).toBeLessThan(0.05)
    expect(small.allLayers.filter((layer) => layer instanceof QuantizedDense).map(({ name }) => name)).toEqual([
      'shared',
      'first',
      'second',
    ])

    const mixed = new Sequential([
      new Embedding({ inputDim: 11, outputDim: 6, inputShape: [5] }),
      new TimeDistributed(new Dense({ units: 4 })),
      new LSTM({ units: 3, returnSequences: true }),
      new Conv1D({ filters: 6, kernelSize: 2, groups: 3 }),
      new Dense({ units: 2 }),
    ])
    const words = tensor([1, 2, 3, 4, 5, 10, 9, 8, 7, 0], [2, 5], 'int32')
    const some = quantize(mixed)
    expect(some.layers.map((layer) => layer instanceof QuantizedDense)).toEqual([false, false, false, false, true])
    expect(difference(await some.predict(words), await mixed.predict(words))).toBeLessThan(0.03)
  })

  it('channels first; masks and sequences of vectors', async () => {
    const first = new Sequential([
      new Conv2D({ filters: 5, kernelSize: 2, dataFormat: 'channelsFirst', inputShape: [3, 6, 5] }),
    ])
    expect(quantize(first).layers[0]).toBeInstanceOf(QuantizedConv2D)
    const x = data([2, 3, 6, 5])
    expect(difference(await quantize(first).predict(x), await first.predict(x))).toBeLessThan(0.03)
    const steps = new Sequential([new Dense({ units: 5, inputShape: [4, 3] })])
    const y = data([2, 4, 3])
    expect(difference(await quantize(steps).predict(y), await steps.predict(y))).toBeLessThan(0.03)
  })

  it.skipIf(inject('mode') === 'interpreter')('gives the same bits on several threads', async () => {
    const x = data([33, 9, 8, 2])
    const model = images()
    const expected = await quantize(model).predict(x, { batchSize: 33 })
    const before = runtimeInfo().counters.threadedRuns
    const runtime = await threadedRuntime(2, 1)
    await withRuntime(runtime, async () => {
      const other = images()
      other.setWeights(model.getWeights())
      expect((await quantize(other).predict(x, { batchSize: 33 })).data).toEqual(expected.data)
    })
    expect(runtimeInfo().counters.threadedRuns).toBeGreaterThan(before)
    await dispose()
  })

  it('preserves NaN and infinity', async () => {
    const model = new Sequential([
      new Dense({ units: 3, inputShape: [2], useBias: false }),
      new Dense({ units: 2, activation: 'relu', useBias: false }),
    ])
    model.setWeights([
      [
        [1, 2, 3],
        [1, 1, 1],
      ],
      [
        [1, 1],
        [1, -1],
        [1, 1],
      ],
    ])
    const small = quantize(model)
    const rows = (
      await small.predict([
        [3e38, 3e38],
        [1, 1],
      ])
    ).toArray<number[][]>()
    expect(rows[0]!.every(Number.isFinite)).toBe(false)
    expect(rows[1]!.every(Number.isFinite)).toBe(true)
  })

  it('takes integers as numbers, and has no gradient', async () => {
    const input = Input({ shape: [3], dtype: 'int32' })
    const whole = new Model({ inputs: input, outputs: new Dense({ units: 2 }).apply(input) })
    const x = tensor([1, -5, 127, 3, 2, 1], [2, 3], 'int32')
    expect(difference(await quantize(whole, { calibration: x }).predict(x), await whole.predict(x))).toBeLessThan(0.03)
    const small = quantize(dense())
    expect(() => grad((value: Tensor) => ops.sum(small.apply(value)))(data([2, 30]))).toThrow(
      'No gradient flows through int8 layers',
    )
  })

  it('one batch at once, single rows, cost and summary', async () => {
    const model = dense()
    const small = quantize(model)
    const x = data([3, 30])
    const all = await small.predict(x)
    const [row] = small.predictOnBatch([Array.from(x.data.subarray(30, 60))]).toArray<number[][]>()
    row!.forEach((value, i) => expect(value).toBeCloseTo(all.data[5 + i]!, 6))
    const lines: string[] = []
    small.summary({ printFn: (line) => lines.push(line), flops: true })
    expect(lines.join('\n')).toContain('QuantizedDense')
    expect(ledger(small, { batchSize: 32 }).prediction.bytes).toBeLessThan(
      ledger(model, { batchSize: 32 }).prediction.bytes,
    )
  })

  it('refuses unsuitable models with a clear error', async () => {
    const model = dense()
    expect(() => quantize(model, { calibration: data([4, 29]) })).toThrow(ShapeError)
    expect(() => quantize(model, { calibration: [] })).toThrow()
    // @ts-expect-error: misspelt
    expect(() => quantize(model, { callibration: null })).toThrow("Did you mean 'calibration'?")
    expect(() => quantize(new Sequential([new Dense(3)]))).toThrow('must be built')
    // @ts-expect-error: no model
    expect(() => quantize({})).toThrow('needs a model')
    expect(() => quantize(new Sequential([new Flatten({ inputShape: [2, 2] })]))).toThrow(
      'no layer that can be quantized',
    )
    class Own extends Model {
      first = new Dense({ units: 2 })
      override call(x: Tensor): Tensor {
        return this.first.apply(x)
      }
    }
    const own = new Own()
    await own.predict([[1, 2]])
    expect(() => quantize(own)).toThrow('custom class')
    const small = quantize(model)
    expect(() => small.predictOnBatch([[1, 2, 3]])).toThrow('[batch, 30]')
    expect(() => new QuantizedConv1D({ filters: 2, kernelSize: 2 }).build([null, 5, null])).toThrow(
      'channels must be known',
    )
    expect(() => cloneModel(small)).not.toThrow()
  })

  it('int8 is only for weights: no op accepts it', () => {
    const [kernel] = quantize(dense()).getWeights()
    expect(kernel!.dtype).toBe('int8')
    expect(() => ops.add(kernel!, 1)).toThrow(ArgumentError)
    expect(() => ops.add(kernel!, 1)).toThrow('ops do not compute with int8')
    expect(() => ops.reshape(kernel!, [-1])).toThrow('ops do not compute with int8')
    // @ts-expect-error: nor is it made
    expect(() => ops.cast([1, 2], 'int16')).toThrow('dtype')
    expect(() => ops.cast([1, 2], 'int8')).toThrow('dtype')
    expect(() => ops.zeros([2], 'int8')).toThrow('dtype')
  })
})

describe('quantization-aware training', () => {
  it('rounds in the forward pass, and ignores the rounding in gradients', () => {
    const x = tensor([1, 0.5, -0.333, 0.1], [2, 2])
    expect(
      fakeQuantize(x, [1])
        .toArray<number[][]>()
        .flat()
        .map((y) => Math.round(y * 1e6) / 1e6),
    ).toEqual([1, 0.503937, -0.333, 0.099638])
    const gradient = grad((value: Tensor) =>
      ops.sum(
        ops.multiply(fakeQuantize(value, [1]), [
          [1, 2],
          [3, 4],
        ]),
      ),
    )(x)
    expect(gradient.toArray()).toEqual([
      [1, 2],
      [3, 4],
    ])
  })

  it.each(models)('%s: learns, and quantize gives the trained model', async (_name, make, shape) => {
    const model = make()
    const [x, units] = [data(shape), model.predictOnBatch(data(shape)).shape[1]!]
    const y = ops.softmax(ops.multiply(data([shape[0]!, units], 3), 3))
    model.compile({ optimizer: 'adam', loss: 'mse' })
    const aware = quantizationAware(model)
    expect(aware.getWeights().map(({ data: each }) => each)).toEqual(model.getWeights().map(({ data: each }) => each))
    const { history } = await aware.fit(x, y, { epochs: 30, batchSize: shape[0]!, verbose: 0 })
    expect(history['loss']!.at(-1)).toBeLessThan(history['loss']![0]!)
    const small = quantize(aware)
    // Predictions are those of training, up to the last bits.
    expect(difference(await small.predict(x), await aware.predict(x))).toBeLessThan(1e-3)
    const again = await loadModel(await aware.save(), { customObjects: quantizedLayers })
    expect((await again.predict(x)).data).toEqual((await aware.predict(x)).data)
  })

  it('keeps custom functions, which need no names', () => {
    const model = new Sequential([
      new Dense({
        units: 2,
        inputShape: [3],
        kernelInitializer: (shape) => ops.ones(shape),
        kernelConstraint: (w) => ops.clip(w, -1, 1),
      }),
    ])
    const [aware] = quantizationAware(model).layers as [Dense]
    expect(aware.kernelConstraint!.call(tensor([2])).toArray()).toEqual([1])
    expect(aware.kernel.value.toArray()).toEqual([
      [1, 1],
      [1, 1],
      [1, 1],
    ])
  })
})
