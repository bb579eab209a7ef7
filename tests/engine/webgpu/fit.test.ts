// fit, evaluate and predict on the GPU give the numbers of the CPU: models of every family, optimizers, losses, callbacks.
// modes: simd

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as m from '../../../src'
import { setAccelerator } from '../../../src/engine/runtime/accelerator'
import { WebGpu } from '../../../src/engine/webgpu/webgpu'
import { generator } from '../../helpers/data'
import { testGpu } from './adapter'

const gpu = await testGpu()
let web: WebGpu

describe.skipIf(gpu === null)('on the GPU', () => {
  beforeAll(() => {
    web = new WebGpu(gpu!, 'always', 'the device of the tests', null)
  })
  afterAll(() => setAccelerator(null))

  function numbers(shape: readonly number[], seed = 1, low = -1, high = 1): m.Tensor {
    const random = generator(seed)
    const size = shape.reduce((product, extent) => product * extent, 1)
    return m.ops.reshape(m.tensor(Float32Array.from({ length: size }, () => low + (high - low) * random())), [...shape])
  }

  function classes(count: number, most: number, seed = 2): m.Tensor {
    const random = generator(seed)
    return m.ops.cast(m.tensor(Float32Array.from({ length: count }, () => Math.floor(random() * most))), 'int32')
  }

  interface Trained {
    readonly weights: readonly Float32Array[]
    readonly history: Readonly<Record<string, readonly number[]>>
    readonly results: object
    readonly predicted: Float32Array
  }

  async function train(make: () => m.Model, x: m.Tensor, y: m.Tensor, batchSize: number): Promise<Trained> {
    m.setRandomSeed(3)
    const model = make()
    const { history } = await model.fit(x, y, { epochs: 2, batchSize, verbose: 0, validationData: [x, y] })
    const results = await model.evaluate(x, y, { batchSize, verbose: 0 })
    const predicted = (await model.predict(x, { batchSize })) as m.Tensor
    return {
      weights: model.weights.map(({ value }) => Float32Array.from(value.data)),
      history: history as Trained['history'],
      results,
      predicted: Float32Array.from(predicted.data),
    }
  }

  function expectAlike(received: ArrayLike<number>, expected: ArrayLike<number>, where: string): void {
    const largest = Array.from(expected).reduce((most, each) => Math.max(most, Math.abs(each)), 1e-3)
    const wrong = Array.from(expected).filter((each, i) => !(Math.abs(each - received[i]!) <= 2e-5 * largest))
    expect(wrong.length, `${where}: ${wrong.length} of ${expected.length} numbers differ`).toBe(0)
  }

  /** Trains the same model on the CPU and on the GPU, and compares everything that it learns and answers. */
  async function compare(make: () => m.Model, x: m.Tensor, y: m.Tensor, batchSize = 8): Promise<void> {
    setAccelerator(null)
    const cpu = await train(make, x, y, batchSize)
    setAccelerator(web)
    const before = web.report.programs.length
    const device = await train(make, x, y, batchSize)
    const places = web.report.programs.slice(before)
    expect(places.map(({ device: place, why }) => `${place}: ${why}`)).toEqual(
      places.map(() => "gpu: when is 'always'"),
    )
    expect(places.length).toBeGreaterThan(0)
    cpu.weights.forEach((each, i) => expectAlike(device.weights[i]!, each, `weight ${i}`))
    expectAlike(device.predicted, cpu.predicted, 'predict')
    for (const [name, values] of Object.entries(cpu.history)) expectAlike(device.history[name]!, values, name)
    expectAlike(Object.values(device.results), Object.values(cpu.results), 'evaluate')
  }

  const { Dense } = m
  const dense =
    (options: object = {}) =>
    () => {
      const model = new m.Sequential([
        new Dense({ units: 16, activation: 'relu', inputShape: [9] }),
        new Dense({ units: 3, activation: 'softmax' }),
      ])
      model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'], ...options })
      return model
    }

  describe('models', () => {
    const compiled =
      (layers: () => m.Layer[], loss = 'meanSquaredError') =>
      () => {
        const model = new m.Sequential(layers())
        model.compile({ optimizer: new m.Adam({ learningRate: 0.01 }), loss: loss as 'meanSquaredError' })
        return model
      }

    it('of Dense, with a smaller last batch', () => compare(dense(), numbers([21, 9]), classes(21, 3)))

    it('with dropout and regularizers', () =>
      compare(
        compiled(() => [
          new Dense({ units: 12, activation: 'tanh', kernelRegularizer: 'l2', inputShape: [6] }),
          new m.Dropout({ rate: 0.4 }),
          new Dense({ units: 2 }),
        ]),
        numbers([16, 6]),
        numbers([16, 2], 5),
      ))

    it('of convolutions, pooling and batch normalization', () =>
      compare(
        compiled(
          () => [
            new m.Conv2D({ filters: 4, kernelSize: 3, padding: 'same', activation: 'relu', inputShape: [8, 8, 2] }),
            new m.MaxPooling2D({ poolSize: 2 }),
            new m.DepthwiseConv2D({ kernelSize: 3 }),
            new m.AveragePooling2D({ poolSize: 2 }),
            new m.Flatten(),
            new Dense({ units: 3, activation: 'softmax' }),
          ],
          'sparseCategoricalCrossentropy',
        ),
        numbers([10, 8, 8, 2]),
        classes(10, 3),
      ))

    it('of attention and layer normalization', () =>
      compare(
        () => {
          const x = m.Input({ shape: [6, 8] })
          const attended = new m.MultiHeadAttention({ numHeads: 2, keyDim: 4 }).apply(x, x, { useCausalMask: true })
          const normal = new m.LayerNormalization({}).apply(new m.Add().apply([x, attended]))
          const y = new Dense({ units: 1 }).apply(new m.GlobalAveragePooling1D().apply(normal))
          const model = new m.Model({ inputs: x, outputs: y })
          // The gradient of the bias of keys is 0 but for rounding, which Adam would enlarge.
          model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
          return model
        },
        numbers([10, 6, 8]),
        numbers([10, 1], 4),
      ))

    it('of embeddings', () =>
      compare(
        compiled(
          () => [
            new m.Embedding({ inputDim: 30, outputDim: 5, inputShape: [7] }),
            new m.GlobalAveragePooling1D(),
            new Dense({ units: 4, activation: 'softmax' }),
          ],
          'sparseCategoricalCrossentropy',
        ),
        m.ops.reshape(classes(84, 30, 7), [12, 7]),
        classes(12, 4),
      ))
  })

  describe('optimizers', () => {
    const optimizers: readonly m.Optimizer[] = [
      new m.SGD({ learningRate: 0.05, momentum: 0.9, nesterov: true }),
      new m.RMSprop({ learningRate: 0.01, momentum: 0.5, centered: true }),
      new m.AdamW({ learningRate: 0.01 }),
      new m.Adagrad({ learningRate: 0.05 }),
      new m.Nadam({ learningRate: 0.01 }),
      new m.Lion({ learningRate: 0.003 }),
    ]
    it.each(optimizers.map((each) => [each.constructor.name, each] as const))('%s', (_name, optimizer) => {
      const config = m.optimizers.serialize(optimizer)
      return compare(dense({ optimizer: config }), numbers([16, 9]), classes(16, 3))
    })
  })

  it('stops at a number that is not finite, with the weights before it', async () => {
    const x = numbers([24, 9])
    const y = numbers([24, 1], 4)
    const make = () => {
      m.setRandomSeed(1)
      const model = new m.Sequential([new Dense({ units: 1, inputShape: [9] })])
      // The weights grow until a loss overflows.
      model.compile({ optimizer: new m.SGD({ learningRate: 1e12 }), loss: 'meanSquaredError' })
      return model
    }
    const failed = async (accelerator: WebGpu | null) => {
      setAccelerator(accelerator)
      const model = make()
      const error = await model.fit(x, y, { batchSize: 4, shuffle: false, verbose: 0 }).then(
        () => null,
        (reason: unknown) => reason,
      )
      return { error: error as m.NonFiniteError, weights: model.getWeights().map(({ data }) => [...data]) }
    }
    const cpu = await failed(null)
    const device = await failed(web)
    expect(device.error).toBeInstanceOf(m.NonFiniteError)
    expect(device.error.step).toBe(cpu.error.step)
    device.weights.forEach((each, i) => expectAlike(each, cpu.weights[i]!, `weight ${i}`))
  })
})
