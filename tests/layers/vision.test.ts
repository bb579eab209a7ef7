// Convolution, pooling, normalization and noise beyond the goldens and the contract: training, errors, statistics.

import { describe, expect, it } from 'vitest'
import {
  AlphaDropout,
  ArgumentError,
  BatchNormalization,
  Conv1D,
  Conv2D,
  Conv2DTranspose,
  Dense,
  DepthwiseConv2D,
  Dropout,
  Flatten,
  GaussianDropout,
  GaussianNoise,
  GroupNormalization,
  MaxPooling2D,
  Sequential,
  ShapeError,
  SpatialDropout1D,
  SpatialDropout2D,
  SpatialDropout3D,
  SpatialLayer,
  initializers,
  ops,
  tensor,
  type BatchShape,
  type Tensor,
} from '../../src'
import { floats } from '../helpers/data'
import type { NormalizedFile } from '../golden/format'
import { expectFitted } from '../helpers/fitted'
import { expectNear, readFixture, titleOf } from '../helpers/golden'

const make = (shape: readonly number[], seed = 1): Tensor => tensor([...floats(shape, -2, 2, seed).data], shape)

describe('invalid inputs raise clear errors', () => {
  it.each([
    [
      'a wrong rank',
      () => new Conv2D({ filters: 2, kernelSize: 3, name: 'first' }).apply(make([2, 8, 8])),
      /"first".*\[batch, rows, columns, channels\]/,
    ],
    [
      'a window larger than the image',
      () => new Conv2D({ filters: 2, kernelSize: 5, name: 'first' }).apply(make([1, 4, 4, 1])),
      /"first".*window \[5, 5\].*\[4, 4\]/,
    ],
    [
      'a dilated window larger than the image',
      () => new Conv1D({ filters: 2, kernelSize: 3, dilationRate: 4 }).apply(make([1, 8, 1])),
      /dilation/,
    ],
    [
      'other channels than at build',
      () => {
        const layer = new Conv2D({ filters: 2, kernelSize: 1 })
        layer.apply(make([1, 2, 2, 3]))
        layer.apply(make([1, 2, 2, 4]))
      },
      /the last input dimension must be 3, received \[1, 2, 2, 4\]/,
    ],
    [
      'groups that do not divide the channels',
      () => new Conv2D({ filters: 4, kernelSize: 1, groups: 2 }).apply(make([1, 2, 2, 3])),
      /2 groups/,
    ],
    [
      'channels without a depthwise kernel',
      () => {
        const layer = new DepthwiseConv2D({ kernelSize: 1 })
        layer.apply(make([1, 2, 2, 3]))
        layer.apply(make([1, 2, 2, 4]))
      },
      /the last input dimension must be 3, received \[1, 2, 2, 4\]/,
    ],
    ['a pool larger than the image', () => new MaxPooling2D(3).apply(make([1, 2, 2, 1])), /window/],
    [
      'groups of a normalization that do not divide',
      () => new GroupNormalization({ groups: 3 }).apply(make([2, 4])),
      /4 channels and 3 groups/,
    ],
    ['a wrong rank of spatial dropout', () => new SpatialDropout2D(0.5).apply(make([2, 3])), /rows/],
  ])('%s', (_title, call, message) => {
    expect(call).toThrow(ShapeError)
    expect(call).toThrow(message)
  })

  it('conflicting options', () => {
    expect(() => new Conv2D({ filters: 3, kernelSize: 1, groups: 2 })).toThrow(ArgumentError)
    expect(() => new Conv2DTranspose({ filters: 3, kernelSize: 3, strides: 2, outputPadding: 2 })).toThrow(
      ArgumentError,
    )
    expect(() => new Conv2D({ filters: 3, kernelSize: [1, 2, 3] })).toThrow(/array of 2/)
    expect(() => new Conv2D({ units: 3, kernelSize: 1 } as never)).toThrow(
      "Unknown option of Conv2D 'units'. Did you mean 'filters'?",
    )
    expect(() => new Conv2D({ filters: 3, kernelSize: '3' as never })).toThrow(
      "Conv2D: kernelSize must be an integer ≥ 1 or an array of 2, received '3'",
    )
    expect(() => new Dropout({ rate: 0.5, noiseShape: [null, 2] }).apply(make([3, 4]), { training: true })).toThrow(
      /noiseShape/,
    )
  })
})

describe('BatchNormalization in training', () => {
  const x = tensor([
    [
      [1, 2],
      [3, 4],
    ],
    [
      [5, 0],
      [7, 2],
    ],
  ])

  it('normalizes by the batch and moves its averages', () => {
    const layer = new BatchNormalization({ momentum: 0.75, epsilon: 0 })
    const y = layer.apply(x, { training: true })
    expectNear([...ops.mean(y, [0, 1]).data, ...ops.variance(y, [0, 1]).data], [0, 0, 1, 1], 'moments', 1e-5)
    expectNear(layer.movingMean.value.data, [1, 0.5], 'mean', 1e-6)
    expectNear(layer.movingVariance.value.data, [0.75 + 5 / 4, 0.75 + 2 / 4], 'variance', 1e-6)
  })

  it('skips masked elements', () => {
    const layer = new BatchNormalization({ momentum: 0 })
    layer.apply(x, {
      training: true,
      mask: tensor([
        [true, true],
        [false, false],
      ]),
    })
    expectNear(layer.movingMean.value.data, [2, 3], 'mean', 1e-5)
    expectNear(layer.movingVariance.value.data, [1, 1], 'variance', 1e-5)
  })

  it.each(readFixture<NormalizedFile>('normalized').runs.map((run) => ({ title: titleOf(run.layers[1]!), ...run })))(
    'agrees with Keras: $title',
    expectFitted,
  )

  it('refuses unknown or conflicting limits of renorm', () => {
    expect(() => new BatchNormalization({ renorm: true, renormClipping: { rMx: 1 } })).toThrow(/rMx.*rmax/s)
    expect(() => new BatchNormalization({ renorm: true, renormClipping: { rmin: 2, rmax: 1 } })).toThrow(
      /rmax must not be below rmin, received 1 and 2/,
    )
    expect(() => new BatchNormalization({ renorm: true, renormClipping: { dmax: -1 } })).toThrow(/dmax must be ≥ 0/)
  })

  it('uses its averages when frozen, and changes nothing', () => {
    const layer = new BatchNormalization({ epsilon: 0 })
    layer.apply(x)
    layer.trainable = false
    expectNear(layer.apply(x, { training: true }).data, x.data, 'as it came', 1e-6)
    expect([...layer.movingMean.value.data]).toEqual([0, 0])
  })

  it('updates them twice when called twice', () => {
    const layer = new BatchNormalization({ momentum: 0.5 })
    layer.apply(x, { training: true })
    layer.apply(x, { training: true })
    expectNear(layer.movingMean.value.data, [3, 1.5], 'mean', 1e-6)
  })

  it('learns the output of the layer before it in a model', async () => {
    const model = new Sequential([
      new Conv2D({
        filters: 4,
        kernelSize: 3,
        padding: 'same',
        inputShape: [6, 6, 1],
        kernelInitializer: new initializers.GlorotUniform({ seed: 1 }),
      }),
      new BatchNormalization({ momentum: 0.6 }),
      new MaxPooling2D(2),
      new Flatten(),
      new Dense({ units: 1, kernelInitializer: new initializers.GlorotUniform({ seed: 2 }) }),
    ])
    model.compile({ optimizer: 'adam', loss: 'mse' })
    const images = make([64, 6, 6, 1])
    const y = ops.mean(images, [1, 2, 3])
    const { history } = await model.fit(images, y, { epochs: 30, batchSize: 16, verbose: 0, shuffle: false })
    expect(history['loss']!.at(-1)!).toBeLessThan(0.3 * history['loss']![0]!)
    const evaluated = await model.evaluate(images, y, { verbose: 0 })
    expect(evaluated['loss']!).toBeLessThan(history['loss']![0]!)
  })
})

describe('noise', () => {
  const ones = ops.ones([100, 50])
  const moments = (x: Tensor): [number, number] => [ops.mean(x).item(), ops.std(x).item()]

  it('has the declared mean and deviation', () => {
    const [mean, deviation] = moments(new GaussianNoise({ stddev: 0.3, seed: 1 }).apply(ones, { training: true }))
    expect(Math.abs(mean - 1)).toBeLessThan(0.02)
    expect(Math.abs(deviation - 0.3)).toBeLessThan(0.01)
    const [centre, spread] = moments(new GaussianDropout({ rate: 0.2, seed: 1 }).apply(ones, { training: true }))
    expect(Math.abs(centre - 1)).toBeLessThan(0.03)
    expect(Math.abs(spread - 0.5)).toBeLessThan(0.02)
  })

  it('of AlphaDropout keeps mean and variance', () => {
    const normal = make([200, 50], 7)
    const own = ops.divide(ops.subtract(normal, ops.mean(normal)), ops.std(normal))
    const [mean, deviation] = moments(new AlphaDropout({ rate: 0.3, seed: 2 }).apply(own, { training: true }))
    expect(Math.abs(mean)).toBeLessThan(0.05)
    expect(Math.abs(deviation - 1)).toBeLessThan(0.05)
  })

  it('of SpatialDropout drops whole channels', () => {
    for (const [layer, axes] of [
      [new SpatialDropout1D({ rate: 0.5, seed: 1 }), 1],
      [new SpatialDropout2D({ rate: 0.5, seed: 1 }), 2],
      [new SpatialDropout3D({ rate: 0.5, seed: 1 }), 3],
    ] as const) {
      const shape = [4, ...new Array<number>(axes).fill(3), 8]
      const y = layer.apply(ops.ones(shape), { training: true })
      const over = Array.from({ length: axes }, (_, i) => i + 1)
      expect([...ops.max(y, over).data]).toEqual([...ops.min(y, over).data])
      expect(new Set(y.data)).toEqual(new Set([0, 2]))
    }
  })
})

it('a custom spatial layer receives channels last', () => {
  class Brightness extends SpatialLayer {
    static readonly className = 'Brightness'
    protected readonly rank = 2
    protected callLast(x: Tensor): Tensor {
      return ops.mean(x, -1, true)
    }
    protected shapeLast(inputShape: BatchShape): BatchShape {
      return [...inputShape.slice(0, -1), 1]
    }
  }
  const first = new Brightness({ dataFormat: 'channelsFirst' })
  expect(first.apply(make([2, 3, 4, 5])).shape).toEqual([2, 1, 4, 5])
  expect(first.computeOutputShape([null, 3, 4, 5])).toEqual([null, 1, 4, 5])
})
