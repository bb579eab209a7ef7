// Bounding boxes: their functions, and image layers that move them. Compared with Keras where it is deterministic;
// otherwise with the place of a painted rectangle in the transformed image.

import { describe, expect, it } from 'vitest'
import {
  ArgumentError,
  AugMix,
  CenterCrop,
  CutMix,
  MixUp,
  Pipeline,
  RandAugment,
  RandomBrightness,
  RandomCrop,
  RandomElasticTransform,
  RandomFlip,
  RandomPerspective,
  RandomRotation,
  RandomShear,
  RandomTranslation,
  RandomZoom,
  Resizing,
  ShapeError,
  boundingBoxes,
  jit,
  ops,
  tensor,
  type ImageLayer,
  type Tensor,
} from '../../src'
import { camelCase } from '../../src/core/registry'
import { layers } from '../../src/layers/registry'
import type { FixtureTensor, PreprocessingFile } from '../golden/format'
import { expectNear, expectTensor, readFixture, serialized, titleOf, toTensor } from '../helpers/golden'

const { boxed, utilities } = readFixture<PreprocessingFile>('preprocessing')
const training = { training: true }

describe('boxes agree with Keras', () => {
  it.each(boxed.map((one, i) => ({ title: `${i} ${titleOf(one.layer)}`, ...one })))(
    '$title',
    ({ layer, images, boxes, labels, training, output, outputLabels }) => {
      const made = layers.get(serialized(layer)) as ImageLayer
      const given = { boxes: toTensor(boxes), labels: tensor(labels.data, labels.shape, 'int32') }
      const result = made.apply({ images: ops.zeros(images), boundingBoxes: given }, { training })
      expectTensor(result.boundingBoxes.boxes, output, 'boxes', 2e-5)
      expect(result.boundingBoxes.labels.dtype).toBe('int32')
      expect([...result.boundingBoxes.labels.data]).toEqual(outputLabels.data)
    },
  )
})

const isTensor = (value: unknown): value is FixtureTensor =>
  typeof value === 'object' && value !== null && 'data' in value && 'shape' in value

describe('boundingBoxes agrees with keras.utils.bounding_boxes', () => {
  const functions = boundingBoxes as unknown as Readonly<Record<string, (...given: unknown[]) => Tensor>>
  it.each(
    utilities.map((one, i) => ({
      title: `${i} ${one.name} ${one.arguments.filter((each) => typeof each === 'string').join()}`,
      ...one,
    })),
  )('$title', ({ name, arguments: given, output }) => {
    const made = functions[camelCase(name)]!(...given.map((each) => (isTensor(each) ? toTensor(each) : each)))
    expectTensor(made, output, name, 2e-5 * Math.max(1, ...output.data.map(Math.abs)))
  })

  it('clips boxes, with the labels of those outside', () => {
    const given = { boxes: [[-10, -20, 150, 160], [50, 40, 70, 80], [200, 0, 210, 10]], labels: [0, 1, 2], scores: 'kept' } // prettier-ignore
    const clipped = boundingBoxes.clipToImageSize(given, 100, 120)
    expect(clipped.boxes.toArray()).toEqual([[0, 0, 120, 100], [50, 40, 70, 80], [120, 0, 120, 10]]) // prettier-ignore
    expect(clipped.labels.toArray()).toEqual([0, 1, -1])
    expect(clipped.scores).toBe('kept')
    const shares = boundingBoxes.clipToImageSize({ boxes: [[-0.5, 0.2, 0.5, 1.2]] }, null, null, 'rel_xyxy')
    expectNear(shares.boxes.data, [0, 0.2, 0.5, 1], 'shares')
    expect(shares).not.toHaveProperty('labels')
  })

  it('converts records', () => {
    const made = boundingBoxes.convertFormat({ boxes: [[10, 20, 30, 40]], labels: [3] }, 'xyxy', 'XYWH' as 'xywh')
    expect(made.boxes.toArray()).toEqual([[10, 20, 20, 20]])
    expect(made.labels).toEqual([3])
  })

  it('decodes levels', () => {
    const anchors = { p3: [[0, 0, 4, 4]], p4: [[1, 1, 3, 3]] }
    const deltas = { p3: [[0, 0, 0, 0]], p4: [[0.5, 0, 0, 0]] }
    const made = boundingBoxes.decodeDeltasToBoxes(anchors, deltas, 'xyxy', 'xyxy')
    expect(made.p3.toArray()).toEqual([[0, 0, 4, 4]])
    expect(made.p4.toArray()).toEqual([[1, 2, 3, 4]])
    expect(() => boundingBoxes.decodeDeltasToBoxes(anchors, { p3: deltas.p3 } as never, 'xyxy', 'xyxy')).toThrow(/'p4'/)
  })

  it.each<[string, () => unknown, RegExp]>([
    [
      'a size is missing',
      () => boundingBoxes.convertFormat([[0, 0, 1, 1]], 'xyxy', 'relXywh'),
      /needs height and width/,
    ],
    ['a format is unknown', () => boundingBoxes.convertFormat([[0, 0, 1, 1]], 'xyxx' as never, 'xyxy'), /'xyxy' or/],
    ['boxes have three numbers', () => boundingBoxes.convertFormat([[0, 0, 1]], 'xyxy', 'xywh'), /\[…, 4\]/],
    [
      'boxes have too many axes',
      () => boundingBoxes.computeIou([[[[0, 0, 1, 1]]]], [[0, 0, 1, 1]], 'xyxy'),
      /boxes, 4/,
    ],
    ['a variance is missing', () => boundingBoxes.encodeBoxToDeltas([[0, 0, 1, 1]], [[0, 0, 1, 1]], 'xyxy', 'xyxy', 'centerXywh', [1]), /array of 4/], // prettier-ignore
    ['the result of crop has another format', () => boundingBoxes.crop([[0, 0, 1, 1]], 0, 0, 1, 1, 'xywh' as never), /'xyxy'/], // prettier-ignore
  ])('refuses if %s', (_what, call, message) => {
    expect(call).toThrow(message)
  })
})

describe('boxes follow the pixels', () => {
  // Two images of 48 × 60, each with a painted rectangle; 'nearest' keeps its values.
  const [rows, columns] = [48, 60]
  const painted = [
    [14, 12, 30, 22],
    [26, 20, 44, 36],
  ] as const
  const images = tensor(
    Float32Array.from({ length: 2 * rows * columns }, (_, i) => {
      const [left, top, right, bottom] = painted[Math.floor(i / (rows * columns))]!
      const [y, x] = [Math.floor(i / columns) % rows, i % columns]
      return x >= left && x < right && y >= top && y < bottom ? 1 : 0
    }),
    [2, rows, columns, 1],
  )
  const given = { images, boundingBoxes: { boxes: painted.map((box) => [box]), labels: [[1], [2]] } }

  /** The edges of the painted pixels of an image. */
  function edgesIn(image: Tensor, i: number): number[] {
    const [, rows, columns] = image.shape as [number, number, number, number]
    const at = (y: number, x: number): boolean => image.data[(i * rows + y) * columns + x]! > 0.5
    const xs = Array.from({ length: columns }, (_, x) => x).filter((x) =>
      Array.from({ length: rows }, (_, y) => y).some((y) => at(y, x)),
    )
    const ys = Array.from({ length: rows }, (_, y) => y).filter((y) =>
      Array.from({ length: columns }, (_, x) => x).some((x) => at(y, x)),
    )
    return [xs[0]!, ys[0]!, xs.at(-1)! + 1, ys.at(-1)! + 1]
  }

  const place = { interpolation: 'nearest', fillMode: 'constant', boundingBoxFormat: 'xyxy', seed: 3 } as const
  it.each<[string, ImageLayer]>([
    ['RandomFlip', new RandomFlip({ mode: 'horizontal', boundingBoxFormat: 'xyxy', seed: 1 })],
    ['RandomFlip of rows', new RandomFlip({ mode: 'vertical', boundingBoxFormat: 'xyxy', seed: 1 })],
    ['RandomFlip of both', new RandomFlip({ boundingBoxFormat: 'xyxy', seed: 1 })],
    ['RandomRotation', new RandomRotation({ factor: 0.2, ...place })],
    ['RandomTranslation', new RandomTranslation({ heightFactor: 0.2, widthFactor: 0.2, ...place })],
    ['RandomZoom', new RandomZoom({ heightFactor: [-0.2, 0.6], widthFactor: [-0.2, 0.6], ...place })],
    ['RandomShear of columns', new RandomShear({ xFactor: 0.4, ...place })],
    ['RandomShear', new RandomShear({ xFactor: 0.3, yFactor: [0.1, 0.2], ...place })],
    [
      'RandomPerspective',
      new RandomPerspective({ scale: 0.5, interpolation: 'nearest', boundingBoxFormat: 'xyxy', seed: 2 }),
    ],
    ['RandomCrop', new RandomCrop({ height: 40, width: 52, boundingBoxFormat: 'xyxy', seed: 1 })],
    ['CenterCrop', new CenterCrop({ height: 40, width: 50, boundingBoxFormat: 'xyxy' })],
    ['Resizing', new Resizing({ height: 90, width: 40, interpolation: 'nearest', boundingBoxFormat: 'xyxy' })],
    [
      'Resizing that crops',
      new Resizing({ height: 60, width: 60, cropToAspectRatio: true, boundingBoxFormat: 'xyxy' }),
    ],
    ['Resizing that pads', new Resizing({ height: 60, width: 60, padToAspectRatio: true, boundingBoxFormat: 'xyxy' })],
  ])('%s', (_name, layer) => {
    // The sides of a turned rectangle end between pixels.
    const tolerance = [RandomRotation, RandomShear, RandomPerspective].some((kind) => layer instanceof kind) ? 2.1 : 1.1
    let moved = 0
    for (let draw = 0; draw < 6; draw++) {
      const made = layer.apply(given, training)
      const { boxes, labels } = made.boundingBoxes as unknown as { boxes: Tensor; labels: Tensor }
      expect(labels.toArray()).toEqual([[1], [2]])
      for (const i of [0, 1]) {
        const box = Array.from(boxes.data.slice(4 * i, 4 * i + 4))
        const edges = edgesIn(made.images, i)
        box.forEach((edge, j) => expect(Math.abs(edge - edges[j]!), `edge ${j} of ${box.join()} and ${edges.join()}`).toBeLessThan(tolerance)) // prettier-ignore
        if (box.some((edge, j) => edge !== painted[i]![j])) moved++
      }
    }
    expect(moved).toBeGreaterThan(0)
  })

  it('also in a compiled function, with channels first, for one image and through a Pipeline', () => {
    const layer = new RandomTranslation({
      heightFactor: [0.25, 0.25],
      widthFactor: [-0.1, -0.1],
      boundingBoxFormat: 'xyxy',
    })
    const [first, second] = [[8, 24, 24, 34], [20, 32, 38, 48]] // prettier-ignore
    const compiled = jit((x: Tensor, boxes: Tensor, labels: Tensor) => {
      return layer.apply({ images: x, boundingBoxes: { boxes, labels } }, training).boundingBoxes.boxes
    })
    const list = painted.map((box) => [[...box]])
    expect(compiled(images, tensor(list), tensor([[1], [2]])).toArray()).toEqual([[first], [second]])
    const one = { images: ops.reshape(ops.take(images, [1], 0), [rows, columns, 1]), boundingBoxes: { boxes: [painted[1]], labels: [2] } } // prettier-ignore
    expect(layer.apply(one, training).boundingBoxes.boxes.toArray()).toEqual([second])
    const channelsFirst = new RandomTranslation({ heightFactor: [0.25, 0.25], widthFactor: [-0.1, -0.1], boundingBoxFormat: 'xyxy', dataFormat: 'channelsFirst' }) // prettier-ignore
    const moved = channelsFirst.apply({ ...given, images: ops.reshape(images, [2, 1, rows, columns]) }, training)
    expect(moved.boundingBoxes.boxes.toArray()).toEqual([[first], [second]])
    const both = new Pipeline([layer, new CenterCrop({ height: rows, width: 30, boundingBoxFormat: 'xyxy' })])
    const piped = both.apply(
      { images, boundingBoxes: { boxes: tensor(list), labels: tensor([[1], [2]]) } },
      training,
    ) as { boundingBoxes: { boxes: Tensor } }
    expect(piped.boundingBoxes.boxes.toArray()).toEqual([[[0, 24, 9, 34]], [[5, 32, 23, 48]]])
  })

  it('a box that leaves the image has the label −1', () => {
    const away = new RandomTranslation({ heightFactor: [0, 0], widthFactor: [-0.5, -0.5], boundingBoxFormat: 'xyxy' })
    const { boxes, labels } = away.apply(given, training).boundingBoxes
    expect(labels.toArray()).toEqual([[-1], [2]])
    expect(boxes.toArray()).toEqual([[[0, 12, 0, 22]], [[0, 20, 14, 36]]])
    // Without training nothing moves.
    expect(away.apply(given).boundingBoxes.labels.toArray()).toEqual([[1], [2]])
  })

  it('one-hot labels of boxes are accepted', () => {
    const away = new RandomTranslation({ heightFactor: [0, 0], widthFactor: [-0.5, -0.5], boundingBoxFormat: 'xyxy' })
    const labels = [[[0, 1]], [[1, 0]]]
    const made = away.apply({ images, boundingBoxes: { ...given.boundingBoxes, labels } }, training)
    expect(made.boundingBoxes.labels.toArray()).toEqual([[[-1, -1]], [[1, 0]]])
  })

  it('MixUp returns the boxes of both images', () => {
    const { boxes, labels } = new MixUp({ boundingBoxFormat: 'xyxy', seed: 2 }).apply(given, training).boundingBoxes
    expect(boxes.shape).toEqual([2, 2, 4])
    const rows = labels.toArray<number[][]>()
    expect(rows.map(([own]) => own)).toEqual([1, 2])
    expect(rows.map(([, other]) => other).toSorted((a, b) => Number(a) - Number(b))).toEqual([1, 2])
    const byLabel: Readonly<Record<number, readonly number[]>> = { 1: painted[0], 2: painted[1] }
    expect(boxes.toArray<number[][][]>()).toEqual(rows.map((row) => row.map((label) => byLabel[label])))
  })

  it('RandAugment moves boxes by the augmentations that it chose', () => {
    const layer = new RandAugment({ numOps: 1, factor: 0.2, valueRange: [0, 1], interpolation: 'nearest', boundingBoxFormat: 'xyxy', seed: 1 }) // prettier-ignore
    let moved = 0
    for (let draw = 0; draw < 24; draw++) {
      const made = layer.apply({ ...given, segmentationMasks: ops.cast(images, 'int32') }, training)
      const { boxes } = made.boundingBoxes
      if ([...boxes.data].every((edge, i) => edge === painted.flat()[i])) continue
      moved++
      // The mask is not mirrored at the edges if the rectangle stays inside.
      for (const i of [0, 1]) {
        const box = Array.from(boxes.data.slice(4 * i, 4 * i + 4))
        const edges = edgesIn(made.segmentationMasks, i)
        box.slice(0, 2).forEach((edge, j) => expect(Math.abs(edge - edges[j]!)).toBeLessThan(2.1))
      }
    }
    // 3 of 11 augmentations move boxes.
    expect(moved).toBeGreaterThan(1)
    expect(moved).toBeLessThan(16)
  })

  it('AugMix and colours leave boxes in their places', () => {
    for (const layer of [
      new AugMix({ boundingBoxFormat: 'xyxy', chainDepth: 1, numChains: 1 }),
      new RandomBrightness({ factor: 0.3, boundingBoxFormat: 'xyxy' }),
    ])
      expect(layer.apply(given, training).boundingBoxes.boxes.toArray()).toEqual(painted.map((box) => [[...box]]))
  })

  it.each<[string, ImageLayer, object, typeof ArgumentError | typeof ShapeError, RegExp]>([
    ['without a format', new RandomFlip(), given, ArgumentError, /need the option boundingBoxFormat/],
    ['for CutMix', new CutMix({ boundingBoxFormat: 'xyxy' }), given, ArgumentError, /cannot transform bounding boxes/],
    [
      'for RandomElasticTransform',
      new RandomElasticTransform({ boundingBoxFormat: 'xyxy' }),
      given,
      ArgumentError,
      /cannot transform/,
    ],
    ['without labels', new RandomFlip({ boundingBoxFormat: 'xyxy' }), { images, boundingBoxes: { boxes: given.boundingBoxes.boxes } }, ArgumentError, /record \{ boxes, labels \}/], // prettier-ignore
    ['with another part', new RandomFlip({ boundingBoxFormat: 'xyxy' }), { images, boundingBoxes: { ...given.boundingBoxes, scores: [1, 2] } }, ArgumentError, /record \{ boxes, labels \}/], // prettier-ignore
    ['of three numbers', new RandomFlip({ boundingBoxFormat: 'xyxy' }), { images, boundingBoxes: { boxes: [[[1, 2, 3]], [[1, 2, 3]]], labels: [[1], [2]] } }, ShapeError, /must be boxes \[batch, boxes, 4\]/], // prettier-ignore
    ['with another number of labels', new RandomFlip({ boundingBoxFormat: 'xyxy' }), { images, boundingBoxes: { ...given.boundingBoxes, labels: [[1, 1], [2, 2]] } }, ShapeError, /with labels/], // prettier-ignore
  ])('are refused %s', (_what, layer, input, kind, message) => {
    const call = (): unknown => layer.apply(input as never, training)
    expect(call).toThrow(kind)
    expect(call).toThrow(message)
  })
})
