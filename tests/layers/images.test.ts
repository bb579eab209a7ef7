// Layers of images in training: compared with Keras where they are deterministic, by statistics otherwise; records,
// formats, seeds, files, errors.

import { describe, expect, it } from 'vitest'
import {
  ArgumentError,
  AutoContrast,
  CenterCrop,
  Conv2D,
  CutMix,
  Dense,
  Equalization,
  Flatten,
  ImageLayer,
  MixUp,
  RandomBrightness,
  RandomContrast,
  RandomCrop,
  RandomErasing,
  RandomFlip,
  RandomGaussianBlur,
  RandomGrayscale,
  RandomImageLayer,
  RandomInvert,
  RandomRotation,
  RandomShear,
  RandomTranslation,
  RandomZoom,
  Rescaling,
  Resizing,
  Sequential,
  ShapeError,
  Solarization,
  jit,
  loadModel,
  ops,
  setRandomSeed,
  tensor,
  type Tensor,
} from '../../src'
import { Dataset } from '../../src/data/dataset'
import { layers } from '../../src/layers/registry'
import type { PreprocessingFile, TrainedCase } from '../golden/format'
import { floats } from '../helpers/data'
import { expectNear, expectTensor, readFixture, serialized, titleOf, toTensor } from '../helpers/golden'

const { trained } = readFixture<PreprocessingFile>('preprocessing')
const training = { training: true }

const make = (shape: readonly number[], low = 0, high = 1, seed = 1): Tensor =>
  tensor([...floats(shape, low, high, seed).data], shape)
const mean = (xs: ArrayLike<number>): number => Array.from(xs).reduce((a, b) => a + b, 0) / xs.length
/** One number of each image. */
const each = (x: Tensor, at = 0): number[] =>
  Array.from({ length: x.shape[0]! }, (_, i) => x.data[(i * x.size) / x.shape[0]! + at]!)

describe('in training they agree with Keras', () => {
  it.each(trained.map((one): [string, TrainedCase] => [`${titleOf(one.layer)} of [${one.input.shape.join()}]`, one]))(
    '%s',
    (_title, { layer, input, output }) => {
      const made = layers.get(serialized(layer))
      if (!(made instanceof ImageLayer)) throw new Error('no layer of images')
      expectTensor(
        made.apply(toTensor(input), training),
        output,
        'output',
        2e-5 * Math.max(1, ...input.data.map(Math.abs)),
      )
    },
  )
})

describe('random parameters', () => {
  // Of 4000 draws the mean of a uniform number is within 0.02 of the middle, the least and the largest near the ends.
  const many = 4000
  const expectUniform = (xs: readonly number[], low: number, high: number): void => {
    const width = high - low
    expect(xs.every((x) => x >= low - 1e-5 && x <= high + 1e-5)).toBe(true)
    expect(Math.abs(mean(xs) - (low + high) / 2) / width).toBeLessThan(0.02)
    expect(Math.min(...xs)).toBeLessThan(low + 0.01 * width)
    expect(Math.max(...xs)).toBeGreaterThan(high - 0.01 * width)
  }

  it('brightness and contrast, separate for each image', () => {
    const grey = ops.full([many, 1, 1, 1], 0.5)
    expectUniform(
      each(new RandomBrightness({ factor: [-0.1, 0.3], valueRange: [0, 1], seed: 1 }).apply(grey, training)),
      0.4,
      0.8,
    )
    const pairs = tensor({
      data: Float32Array.from({ length: 2 * many }, (_, i) => (i % 2 ? 1 : -1)),
      shape: [many, 1, 2, 1],
    })
    expectUniform(
      each(new RandomContrast({ factor: [0.2, 0.6], valueRange: [-9, 9], seed: 1 }).apply(pairs, training), 1),
      0.8,
      1.6,
    )
    expectUniform(
      each(new RandomContrast({ factor: 0.5, valueRange: [-9, 9], seed: 1 }).apply(pairs, training), 1),
      0.5,
      1.5,
    )
    expect(
      new RandomBrightness({ factor: 1, seed: 1 })
        .apply(ops.full([9, 1, 1, 1], 200), training)
        .data.every((x: number) => x >= 0 && x <= 255),
    ).toBe(true)
  })

  it('positions: translation, zoom and shear', () => {
    const slope = ops.broadcastTo(ops.reshape(ops.arange(0, 10), [1, 1, 10, 1]), [many, 1, 10, 1])
    // the value at column 5 comes from 5 − dx
    expectUniform(
      each(new RandomTranslation({ heightFactor: 0, widthFactor: 0.3, seed: 1 }).apply(slope, training), 5),
      2,
      8,
    )
    // column 9 is 4.5 right of the middle
    expectUniform(each(new RandomZoom({ heightFactor: [-0.5, 0], seed: 1 }).apply(slope, training), 9), 4.5 + 2.25, 9)
    const rows = ops.broadcastTo(ops.reshape(ops.arange(0, 10), [1, 1, 10, 1]), [many, 3, 10, 1])
    const sheared = each(new RandomShear({ xFactor: [1, 1], seed: 1 }).apply(rows, training), 24)
    expect([...new Set(sheared.map((x) => Math.round(x)))].sort((a, b) => a - b)).toEqual([2, 6])
    expect(Math.abs(mean(sheared) - 4)).toBeLessThan(0.1)
  })

  it('rotation, over the whole range of angles', () => {
    // a pixel right of the centre rotates
    const images = ops.broadcastTo(
      tensor(
        [
          [0, 0, 0],
          [0, 0, 1],
          [0, 0, 0],
        ],
        [1, 3, 3, 1],
      ),
      [many, 3, 3, 1],
    )
    const turned = new RandomRotation({ factor: 0.5, seed: 3 }).apply(images, training)
    const quarters = [3, 1, 5, 7].map((at) => each(turned, at).filter((x) => x > 0.7).length)
    quarters.forEach((count) => expect(Math.abs(count - quarters[0]!) / many).toBeLessThan(0.05))
    const some = new RandomRotation({ factor: [0, 0.25], seed: 3 }).apply(images, training)
    expect([3, 7].map((at) => Math.max(...each(some, at)))).toEqual([0, 0].map(() => expect.closeTo(0, 1)))
  })

  it('flips, of half of the images', () => {
    const x = ops.broadcastTo(tensor([1, 2, 3, 4], [1, 2, 2, 1]), [many, 2, 2, 1])
    const seen = (mode: RandomFlip['mode'] | 'horizontal_and_vertical'): (readonly [string, number])[] => {
      const y = new RandomFlip({ mode, seed: 1 }).apply(x, training)
      const found = new Map<string, number>()
      for (let i = 0; i < many; i++) {
        const key = [...y.data.subarray(4 * i, 4 * i + 4)].join('')
        found.set(key, (found.get(key) ?? 0) + 1 / many)
      }
      return [...found].sort(([a], [b]) => Number(a) - Number(b))
    }
    const half = expect.closeTo(0.5, 1)
    expect(seen('horizontal')).toEqual([
      ['1234', half],
      ['2143', half],
    ])
    expect(seen('vertical')).toEqual([
      ['1234', half],
      ['3412', half],
    ])
    expect(seen('horizontal_and_vertical')).toEqual([
      ['1234', half],
      ['4321', half],
    ])
  })

  it('crops, at random positions, and of the centre outside training', () => {
    const x = ops.broadcastTo(tensor({ data: Float32Array.from({ length: 12 }, (_, i) => i), shape: [1, 3, 4, 1] }), [
      many,
      3,
      4,
      1,
    ])
    const layer = new RandomCrop({ height: 2, width: 2, seed: 1 })
    const y = layer.apply(x, training)
    expect(y.shape).toEqual([many, 2, 2, 1])
    const corners = each(y)
    for (const at of [0, 1, 2, 4, 5, 6])
      expect(corners.filter((corner) => corner === at).length / many).toBeCloseTo(1 / 6, 1)
    expect(each(y, 3)).toEqual(corners.map((corner) => corner + 5))
    expect([...layer.apply(x).data.subarray(0, 4)]).toEqual([1, 2, 5, 6])
    expect(new RandomCrop({ height: 6, width: 2 }).apply(x, training).shape).toEqual([many, 6, 2, 1])
  })

  it('probabilities: grey, inverted, erased', () => {
    const rgb = ops.broadcastTo(tensor([1, 0, 0], [1, 1, 1, 3]), [many, 1, 1, 3])
    const grey = each(new RandomGrayscale({ factor: 0.3, seed: 1 }).apply(rgb, training))
    expect(grey.filter((x) => x < 0.5).length / many).toBeCloseTo(0.3, 1)
    const negative = each(new RandomInvert({ factor: [0.8, 0.8], valueRange: [0, 1], seed: 1 }).apply(rgb, training))
    expect(negative.filter((x) => x === 0).length / many).toBeCloseTo(0.8, 1)
    // one number f is a probability of 0 … f
    expect(
      each(new RandomInvert({ factor: 1, valueRange: [0, 1], seed: 1 }).apply(rgb, training)).filter((x) => x === 0)
        .length / many,
    ).toBeCloseTo(0.5, 1)
    const images = ops.zeros([400, 20, 20, 1])
    const erased = new RandomErasing({
      factor: [1, 1],
      scale: [0.25, 0.25],
      fillValue: 1,
      valueRange: [0, 1],
      seed: 1,
    }).apply(images, training)
    // a rectangle of half the rows and half the columns, which may end within a pixel
    const areas = Array.from({ length: 400 }, (_, i) => mean(erased.data.subarray(400 * i, 400 * (i + 1))))
    expect(areas.every((area) => area > 0.2 && area < 0.31)).toBe(true)
    expect(mean(areas)).toBeCloseTo(0.25, 2)
    const noise = new RandomErasing({ factor: [1, 1], scale: [1, 1], valueRange: [-3, 3], seed: 1 }).apply(
      images,
      training,
    )
    expect(Math.abs(mean(noise.data))).toBeLessThan(0.05)
    expect(Math.max(...noise.data.subarray(0, 4000))).toBe(3)
  })

  it('solarization: the addition, and the threshold of inversion', () => {
    const x = ops.full([many, 1, 1, 1], 0.5)
    expectUniform(
      each(
        new Solarization({ additionFactor: [0.1, 0.3], thresholdFactor: [1, 1], valueRange: [0, 1], seed: 1 }).apply(
          x,
          training,
        ),
      ),
      0.6,
      0.8,
    )
    const inverted = each(
      new Solarization({ thresholdFactor: 1, valueRange: [0, 0.8], seed: 1 }).apply(x, training),
    ).filter((y) => y < 0.4)
    expect(inverted.length / many).toBeCloseTo(0.625, 1)
  })
})

describe('mixing', () => {
  const classes = 16
  /** Images of a single value, that of their class, and one-hot labels. */
  const batch = (): { images: Tensor; labels: Tensor } => {
    const images = ops.broadcastTo(ops.reshape(ops.arange(0, classes), [classes, 1, 1, 1]), [classes, 10, 10, 1])
    return { images, labels: ops.eye(classes) }
  }
  const numbers = ops.reshape(ops.arange(0, classes), [classes, 1])

  it.each([new MixUp({ alpha: 1, seed: 1 }), new CutMix({ seed: 1 })])('%s mixes labels like images', (layer) => {
    const { images, labels } = layer.apply(batch(), training)
    const values = ops.reshape(ops.mean(images, [1, 2]), [classes])
    const expected = ops.reshape(ops.matmul(labels, numbers), [classes])
    expectNear(values.data, expected.data, 'the mean of an image, by its labels', layer instanceof MixUp ? 1e-5 : 0.35)
    expectNear(ops.sum(labels, 1).data, new Array(classes).fill(1), 'labels', 1e-5)
    expect(labels.data.some((x: number) => x > 0.05 && x < 0.95)).toBe(true)
  })

  it('weights follow a symmetric beta distribution', () => {
    for (const alpha of [0.2, 1, 3]) {
      const x = tensor({ data: Float32Array.from({ length: 8000 }, (_, i) => i % 2), shape: [8000, 1, 1, 1] })
      const weights = each(new MixUp({ alpha, seed: 2 }).apply(x, training)).filter((y) => y !== 0 && y !== 1)
      // of pairs of 0 and 1: the mean ½ and the variance 1 / (4 (2α + 1)), which equal pairs do not change
      const of01 = weights.filter((y) => y > 1e-6 && y < 1 - 1e-6)
      expect(Math.abs(mean(of01) - 0.5)).toBeLessThan(0.02)
      const variance = mean(of01.map((y) => (y - 0.5) ** 2))
      if (alpha >= 1) expect(variance * 4 * (2 * alpha + 1)).toBeCloseTo(1, 1)
      else expect(of01.filter((y) => y < 0.1 || y > 0.9).length / of01.length).toBeGreaterThan(0.5)
    }
  })

  it('refuses class numbers, and leaves labels unchanged outside training', () => {
    const { images } = batch()
    expect(() => new MixUp({ name: 'mix' }).apply({ images, labels: ops.arange(0, classes) }, training)).toThrow(
      'MixUp "mix": labels must be one-hot rows, [batch, classes], to be mixed, received [16]. See ops.oneHot',
    )
    const labels = tensor([1, 2], [2], 'int32')
    expect(new CutMix().apply({ images: make([2, 3, 3, 1]), labels }).labels).toBe(labels)
  })
})

describe('records and formats', () => {
  it('masks are transformed like images, and keep their values', () => {
    const images = tensor({ data: Float32Array.from({ length: 60 }, (_, i) => i % 4), shape: [3, 4, 5, 1] })
    for (const layer of [
      new RandomFlip({ seed: 1 }),
      new RandomRotation({ factor: 0.5, interpolation: 'nearest', seed: 1 }),
      new RandomCrop({ height: 2, width: 3, seed: 1 }),
      new CenterCrop({ height: 2, width: 2 }),
      new Resizing({ height: 8, width: 10, interpolation: 'nearest' }),
    ]) {
      const made = layer.apply(
        { images, segmentationMasks: ops.cast(images, 'int32'), labels: [1, 2, 3], weight: [1, 1, 1] },
        training,
      )
      expect(made.segmentationMasks.dtype).toBe('int32')
      expect([...made.segmentationMasks.data], String(layer)).toEqual([...made.images.data])
      expect([...made.labels.data, ...made.weight.data]).toEqual([1, 2, 3, 1, 1, 1])
    }
    const colours = new RandomBrightness({ factor: 0.5, seed: 1 }).apply(
      { images, segmentation_masks: images },
      training,
    )
    expect(colours.segmentation_masks).toBe(images)
  })

  it('one image is a batch of one, and channels may come first', () => {
    const x = make([4, 5, 3])
    for (const options of [{ seed: 7 }]) {
      const [one, many, first] = [undefined, undefined, 'channelsFirst' as const].map(
        (dataFormat) => new RandomRotation({ factor: 0.3, dataFormat, ...options }),
      )
      const turned = one!.apply(x, training)
      expect(turned.shape).toEqual([4, 5, 3])
      expectNear(many!.apply(ops.expandDims(x, 0), training).data, turned.data, 'a batch of one')
      const channels = first!.apply(ops.moveAxis(x, 2, 0), training)
      expect(channels.shape).toEqual([3, 4, 5])
      expectNear(ops.moveAxis(channels, 0, 2).data, turned.data, 'channels first')
    }
    const { images, labels } = new RandomFlip({ seed: 1 }).apply({ images: x, labels: [0, 1] }, training)
    expect([images.shape, labels.shape]).toEqual([[4, 5, 3], [2]])
  })

  it('refuses inputs that are not images', () => {
    expect(() => new RandomFlip({ name: 'f' }).apply([[1, 2]])).toThrow(
      'RandomFlip "f": the input must be [batch, rows, columns, channels] or [rows, columns, channels], received [1, 2]',
    )
    expect(() => new RandomFlip({ dataFormat: 'channels_first' }).apply([[1, 2]])).toThrow(
      /\[batch, channels, rows, columns\]/,
    )
    expect(() => new RandomFlip().apply({ labels: [1] } as never)).toThrow(/received a record of labels/)
    expect(() => new RandomFlip().apply([make([1, 2, 2, 1]), make([1, 2, 2, 1])] as never)).toThrow(ShapeError)
    expect(() => new RandomFlip().apply({ images: make([1, 2, 2, 1]), bounding_boxes: [1] }, training)).toThrow(
      "bounding_boxes need the option boundingBoxFormat, such as 'xyxy'",
    )
    expect(() => new RandomGrayscale().apply(make([1, 2, 2, 2]), training)).toThrow(/3 channels, red, green and blue/)
    expect(() => new RandomErasing({ fillValue: [1, 2] }).apply(make([1, 2, 2, 3]), training)).toThrow(
      /or 3, one for each channel, received 2/,
    )
  })

  it('refuses invalid options', () => {
    expect(() => new RandomRotation(1.5)).toThrow(
      'RandomRotation: factor must be a finite number in [-1, 1], received 1.5',
    )
    expect(() => new RandomZoom({ heightFactor: [0, 3] })).toThrow(/heightFactor\[1\]/)
    expect(() => new RandomTranslation({ heightFactor: 0.1, widthFactor: '1' as never })).toThrow(ArgumentError)
    expect(() => new Resizing({ height: 1, width: 1, cropToAspectRatio: true, padToAspectRatio: true })).toThrow(
      /exclude each other/,
    )
    expect(() => new RandomGaussianBlur({ kernelSize: 2 })).toThrow(/kernelSize must be odd/)
    expect(() => new AutoContrast([3, 3])).toThrow(/two numbers that differ/)
  })
})

describe('the channels of an image', () => {
  it('with one value stay, and others are stretched', () => {
    const x = tensor([5, 1, 5, 3], [1, 1, 2, 2])
    expect([...new AutoContrast({ valueRange: [0, 10] }).apply(x).data]).toEqual([5, 0, 5, 10])
    expect([...new Equalization({ valueRange: [0, 10] }).apply(x, training).data]).toEqual([5, 0, 5, 10])
    expect([...new Equalization({ valueRange: [0, 10] }).apply(x).data]).toEqual([...x.data])
  })

  it('are equalized by the levels of their own image', () => {
    const two = tensor([0, 1, 0, 9], [2, 1, 2, 1])
    expect([...new Equalization({ valueRange: [0, 10] }).apply(two, training).data]).toEqual([0, 10, 0, 10])
  })
})

it('a custom image layer, in training and outside', () => {
  class Brighter extends ImageLayer {
    transformation() {
      return { images: (x: Tensor) => ops.add(x, 1), labels: (y: Tensor) => ops.multiply(y, 2) }
    }
  }
  const { images, labels } = new Brighter({ dataFormat: 'channelsFirst' }).apply({
    images: ops.zeros([1, 2, 3]),
    labels: [3],
  })
  expect([images.shape, [...images.data], [...labels.data]]).toEqual([[1, 2, 3], new Array(6).fill(1), [6]])
})

it('a custom augmentation', async () => {
  class RandomGain extends RandomImageLayer {
    static readonly className = 'RandomGain'

    augment(images: Tensor) {
      const gain = this.drawEach([0.5, 2], images)
      return { images: (x: Tensor) => ops.multiply(x, gain) }
    }
  }
  const layer = new RandomGain({ seed: 1, inputShape: [2, 2, 1] })
  const x = ops.ones([4, 2, 2, 1])
  const gains = each(layer.apply({ images: x, labels: [0, 1, 2, 3] }, training).images)
  expect(gains.every((gain) => gain >= 0.5 && gain < 2)).toBe(true)
  expect(new Set(gains).size).toBe(4)
  const model = new Sequential([layer, new Flatten(), new Dense(1)])
  const copy = await loadModel(await model.save(), { customObjects: { RandomGain } })
  expect([...copy.predictOnBatch(x).data]).toEqual([...model.predictOnBatch(x).data])
})

describe('seeds', () => {
  const x = make([4, 5, 5, 1])

  it('make runs repeatable, and calls differ', () => {
    const draws = (layer: RandomRotation): number[][] => [1, 2].map(() => [...layer.apply(x, training).data])
    const [first, second] = draws(new RandomRotation({ factor: 0.3, seed: 5 }))
    expect(first).not.toEqual(second)
    expect(draws(new RandomRotation({ factor: 0.3, seed: 5 }))).toEqual([first, second])
    const unseeded = (): number[][] => {
      setRandomSeed(3)
      return draws(new RandomRotation(0.3))
    }
    expect(unseeded()).toEqual(unseeded())
    // each image differently
    const alike = new RandomRotation({ factor: 0.3, seed: 5 }).apply(
      ops.broadcastTo(ops.slice(x, [0, 0, 0, 0], [1, 5, 5, 1]), [4, 5, 5, 1]),
      training,
    )
    expect(new Set(each(alike, 6)).size).toBe(4)
  })

  it('are saved: a loaded model continues the sequence', async () => {
    const model = new Sequential([
      new RandomTranslation({ heightFactor: 0.4, widthFactor: 0.4, inputShape: [5, 5, 1] }),
      new Flatten(),
      new Dense(1),
    ])
    model.compile({ optimizer: 'sgd', loss: 'mse' })
    const targets = [[0], [1], [0], [1]]
    await model.fit(x, targets, { epochs: 2, verbose: 0, shuffle: false })
    const copy = await loadModel(await model.save())
    const [own, loaded] = [
      await model.fit(x, targets, { epochs: 2, verbose: 0, shuffle: false }),
      await copy.fit(x, targets, { epochs: 2, verbose: 0, shuffle: false }),
    ]
    expect(loaded.history['loss']).toEqual(own.history['loss'])
    expect(own.history['loss']![0]).not.toBe(own.history['loss']![1])
  })
})

describe('pipelines', () => {
  it('inside a model: training changes images, predictions do not', async () => {
    setRandomSeed(1)
    const model = new Sequential([
      new Rescaling({ scale: 1 / 255, inputShape: [6, 6, 1] }),
      new RandomFlip('horizontal'),
      new RandomRotation(0.1),
      new RandomTranslation({ heightFactor: 0.1, widthFactor: 0.1 }),
      new RandomZoom(0.1),
      new RandomContrast({ factor: 0.2, valueRange: [0, 1] }),
      new Conv2D({ filters: 2, kernelSize: 3 }),
      new Flatten(),
      new Dense(1),
    ])
    model.compile({ optimizer: 'adam', loss: 'mse' })
    const x = make([8, 6, 6, 1], 0, 255)
    const before = [...model.predictOnBatch(x).data]
    expect([...model.predictOnBatch(x).data]).toEqual(before)
    const { history } = await model.fit(x, make([8, 1]), { epochs: 3, verbose: 0 })
    expect(history['loss']!.every(Number.isFinite)).toBe(true)
    expect([...model.predictOnBatch(x).data]).not.toEqual(before)
  })

  it('in front of a model, batch by batch', async () => {
    const [images, labels] = [make([8, 4, 4, 1]), ops.eye(8)]
    const mix = new MixUp({ alpha: 0.5, seed: 1 })
    const mixed = Dataset.fromTensorSlices({ images, labels })
      .batch(4)
      .map((batch) => mix.apply(batch, training))
      .map(({ images: x, labels: y }) => ({ x, y }))
    const model = new Sequential([new Flatten(), new Dense({ units: 8, activation: 'softmax' })])
    model.compile({ optimizer: 'adam', loss: 'categoricalCrossentropy' })
    const { history } = await model.fit(mixed, { epochs: 2, verbose: 0 })
    expect(history['loss']).toHaveLength(2)
  })

  it('compiled, as one program', () => {
    const layer = new RandomTranslation({ heightFactor: 0.3, widthFactor: 0.3, seed: 4 })
    const moved = jit((x: Tensor) => layer.apply(x, training))
    const x = make([3, 5, 5, 2])
    expect([...moved(x).data]).not.toEqual([...moved(x).data])
    expectNear(
      jit((y: Tensor) => new RandomFlip({ seed: 1 }).apply(y, training))(x).data,
      new RandomFlip({ seed: 1 }).apply(x, training).data,
      'the same numbers',
    )
  })
})
