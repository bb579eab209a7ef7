// Image ops and linear algebra: what the fixtures of Keras do not cover.

import { describe, expect, it } from 'vitest'
import { Input, Model, jit, modelFromJSON, ops, tensor, type Tensor } from '../../src'
import { readKeras, writeKeras } from '../../src/entries/keras'
import { floats } from '../helpers/data'

const images = tensor([...floats([2, 20, 24, 3], 0, 1, 4).data], [2, 20, 24, 3])

describe('ops.image', () => {
  it('has the functions of the flat names', () => {
    expect(ops.image.resize(images, 8).data).toEqual(ops.resize(images, 8).data)
  })

  it.each([
    ['resize', (by: string) => [ops.resize(images, 4, by as 'nearest'), ops.image.resize(images, 4, by as 'nearest')]],
    [
      'affineTransform',
      (by: string) =>
        [ops.affineTransform, ops.image.affineTransform].map((each) => each(images, ops.ones([8]), by as 'nearest')),
    ],
  ] as const)('%s is one op of two names, as which it is saved and errors name it', (name, call) => {
    const [flat, within] = call('nearest')
    expect(flat!.data).toEqual(within!.data)
    const x = Input({ shape: [20, 24, 3] })
    const given = { resize: 4, affineTransform: ops.ones([8]) }[name]
    for (const [of, title] of [
      [ops, name],
      [ops.image, `image.${name}`],
    ] as const) {
      const op = of[name] as (...given: readonly unknown[]) => Tensor
      expect(() => op(images, given, 'cubist')).toThrow(`${title}: interpolation must be`)
      const json = JSON.stringify(new Model({ inputs: x, outputs: op(x, given) }))
      expect(json).toContain(`"op":"${title}"`)
      expect(modelFromJSON(json).outputs[0]!.shape).toHaveLength(4)
    }
  })

  it('is recorded in functional models', () => {
    const x = Input({ shape: [20, 24, 3] })
    const model = new Model({ inputs: x, outputs: ops.image.gaussianBlur(x, 5, 1.5) })
    expect(model.apply(images).data).toEqual(ops.image.gaussianBlur(images, [5, 5], [1.5, 1.5]).data)
  })

  it('elasticTransform moves pixels by a smooth normal field, the same for a seed', () => {
    const slope = ops.broadcastTo(ops.reshape(ops.arange(0, 64, 1, 'float32'), [1, 64, 1]), [64, 64, 1])
    const moved = ops.image.elasticTransform(slope, { alpha: 2, sigma: 2, seed: 3, fillMode: 'nearest' })
    const shift = ops.slice(ops.subtract(moved, slope), [10, 10, 0], [44, 44, 1])
    // α / √(4 π) = 0.56: the standard deviation of white noise with σ after a Gaussian blur with σ, times α.
    const spread = Number(ops.std(shift).data[0])
    expect(spread).toBeGreaterThan(0.45)
    expect(spread).toBeLessThan(0.68)
    const again = jit((x: Tensor) => ops.image.elasticTransform(x, 2, 2, 'bilinear', 'nearest', 0, 3))(slope)
    expect(again.data).toEqual(moved.data)
  })

  it('rejects sizes and options that do not fit', () => {
    expect(() => ops.image.cropImages(images, { topCropping: 1, leftCropping: 0, rightCropping: 0 })).toThrow(
      'give two of',
    )
    expect(() => ops.image.cropImages(images, 30, 0, 0, 0)).toThrow('fewer than the cropping removes')
    expect(() =>
      ops.image.padImages(images, { topPadding: 1, targetHeight: 8, leftPadding: 0, rightPadding: 0 }),
    ).toThrow('-13')
    expect(() => ops.image.ssim(images, images, { filterSize: 4 })).toThrow('odd')
    expect(() => ops.image.rgbToHsv(ops.cast(images, 'int32'))).toThrow('float32')
    expect(() => ops.image.resize(images, 4, { cropToAspectRatio: true, padToAspectRatio: true })).toThrow('exclude')
    expect(() => ops.image.gaussianBlur(images, 1e9)).toThrow('kernelSize')
  })
})

describe('linear algebra', () => {
  it('matrixRank counts singular values', () => {
    const x = [
      [
        [1, 2],
        [2, 4],
      ],
      [
        [1, 0],
        [0, 1e-3],
      ],
      [
        [0, 0],
        [0, 0],
      ],
    ]
    expect([...ops.matrixRank(x).data]).toEqual([1, 2, 0])
    expect([...ops.matrixRank(x, 0.01).data]).toEqual([1, 1, 0])
  })

  it('eig accepts symmetric matrices only', () => {
    const [values] = ops.eig([
      [2, 1],
      [1, 2],
    ])
    expect(values.data[0]).toBeCloseTo(1, 5)
    expect(values.data[1]).toBeCloseTo(3, 5)
    const turn = [
      [0, 1],
      [-1, 0],
    ]
    expect(() => ops.eig(turn)).toThrow('must be symmetric')
    expect([...jit((x: Tensor) => ops.eig(x)[0])(tensor(turn)).data]).toEqual([NaN, NaN])
  })
})

describe('colours with their channels first', () => {
  const pixels = ops.reshape(ops.linspace(0, 1, 36), [1, 3, 4, 3])
  const first = ops.transpose(pixels, [0, 3, 1, 2])
  const back = (images: Tensor): unknown => ops.moveaxis(images, -3, -1).toArray()

  it.each(['rgbToGrayscale', 'rgbToHsv', 'hsvToRgb'] as const)('%s', (name) => {
    const op = ops.image[name]
    expect(back(op(first, 'channelsFirst'))).toEqual(op(pixels).toArray())
    const one = ops.squeeze(first, 0)
    expect(back(op(one, { dataFormat: 'channelsFirst' }))).toEqual(op(ops.squeeze(pixels, 0)).toArray())
  })

  it('are in a file of Keras', async () => {
    const x = Input([3, 3, 4])
    const model = new Model({ inputs: x, outputs: ops.image.rgbToGrayscale(x, { dataFormat: 'channelsFirst' }) })
    const loaded = await readKeras(await writeKeras(model))
    expect((await loaded.predict(first)).toArray()).toEqual((await model.predict(first)).toArray())
    expect((await loaded.predict(first)).shape).toEqual([1, 1, 3, 4])
  })
})
