// Grad-CAM against the formula, by hand.

import { describe, expect, it, vi } from 'vitest'
import {
  ArgumentError,
  Conv1D,
  Conv2D,
  Dense,
  Flatten,
  GlobalAveragePooling1D,
  GlobalAveragePooling2D,
  MaxPooling2D,
  Sequential,
  tensor,
} from '../../src'
import { gradCam, heatMapPicture, integratedGradients, occlusion } from '../../src/entries/explain'
import { quantize } from '../../src/entries/thrift'

/** A = [x, −2x]; f = 3 · mean A₀ + 1 · mean A₁, so α = [3, 1] / (rows · columns) and Σ α A = (3x − 2x) / (rows · columns). */
function eye(layers: ConstructorParameters<typeof Sequential>[0] = []): Sequential {
  const model = new Sequential([
    new Conv2D({ filters: 2, kernelSize: 1, useBias: false, inputShape: [2, 3, 1], name: 'look' }),
    ...layers!,
    new GlobalAveragePooling2D(),
    new Dense({ units: 1, useBias: false, name: 'say' }),
  ])
  model.setWeights([tensor([[[[1, -2]]]]), tensor([[3], [1]])])
  return model
}
const image = tensor([1, -2, 3, 4, 0.5, -6], [1, 2, 3, 1])

describe('gradCam', () => {
  it('is relu(Σ α A) with the mean gradient α', async () => {
    const { heatMap, coarse, value, units, layer } = await gradCam(eye(), image)
    const expected = [1, -2, 3, 4, 0.5, -6].map((x) => Math.max(0, x) / 6)
    expect(heatMap.shape).toEqual([1, 2, 3])
    for (const map of [heatMap, coarse]) map.data.forEach((each, i) => expect(each).toBeCloseTo(expected[i]!, 6))
    expect(value.data[0]).toBeCloseTo((3 - 2) * (0.5 / 6), 6)
    expect([layer, units!.data[0]]).toEqual(['look', 0])
  })

  it('explains the layer with the given name, and resizes the map to the image', async () => {
    const model = eye([new MaxPooling2D({ poolSize: [1, 3], name: 'pool' })])
    const { heatMap, coarse } = await gradCam(model, image, { layer: 'pool' })
    expect([heatMap.shape, coarse.shape]).toEqual([
      [1, 2, 3],
      [1, 2, 1],
    ])
    // A₀ = max x, A₁ = max −2x, in each row
    ;[3 * 3 + 4, 3 * 4 + 12].forEach((sum, row) => {
      expect(coarse.data[row]).toBeCloseTo(sum / 2, 5)
      for (let column = 0; column < 3; column++) expect(heatMap.data[row * 3 + column]).toBeCloseTo(sum / 2, 5)
    })
    expect((await gradCam(model, image, { layer: model.getLayer('pool') })).layer).toBe('pool')
  })

  it('finds the convolution in a nested model, and supports channelsFirst', async () => {
    const inner = new Sequential([
      new Conv2D({
        filters: 2,
        kernelSize: 1,
        useBias: false,
        inputShape: [1, 2, 3],
        dataFormat: 'channelsFirst',
        name: 'deep',
      }),
    ])
    const model = new Sequential([
      inner,
      new GlobalAveragePooling2D({ dataFormat: 'channelsFirst' }),
      new Dense({ units: 1, useBias: false }),
    ])
    model.setWeights([tensor([[[[1, -2]]]]), tensor([[3], [1]])])
    const { heatMap, layer } = await gradCam(model, tensor(image.data, [1, 1, 2, 3]))
    expect([layer, heatMap.shape]).toEqual(['deep', [1, 2, 3]])
    heatMap.data.forEach((each, i) => expect(each).toBeCloseTo(Math.max(0, image.data[i]!) / 6, 6))
  })

  it('explains sequences', async () => {
    const model = new Sequential([
      new Conv1D({ filters: 1, kernelSize: 1, useBias: false, inputShape: [4, 1] }),
      new GlobalAveragePooling1D(),
    ])
    model.setWeights([tensor([[[2]]])])
    const { heatMap } = await gradCam(model, [[[1], [-1], [2], [0.5]]])
    expect(heatMap.shape).toEqual([1, 4])
    ;[2, 0, 4, 1].forEach((each, i) => expect(heatMap.data[i]).toBeCloseTo(each / 4, 6))
  })

  it('refuses unsuitable layers, and lists the convolutions', async () => {
    const refusal = async (model: Sequential, x: unknown, layer?: string): Promise<string> => {
      const error: unknown = await gradCam(model, x as number[][], layer === undefined ? {} : { layer }).catch(
        (error: unknown) => error,
      )
      expect(error).toBeInstanceOf(ArgumentError)
      return (error as Error).message
    }
    const model = eye()
    expect(await refusal(model, image, 'lok')).toBe(`gradCam: 'lok' is not a layer of ${model}. Its convolutions: look`)
    expect(await refusal(model, image, 'say')).toMatch(
      /^gradCam: needs a layer that outputs \[batch, rows, columns, channels\].*; Dense "say" outputs \[1, 1\]$/,
    )
    const flat = new Sequential([new Flatten({ inputShape: [2, 2, 1] }), new Dense({ units: 1 })])
    expect(
      await refusal(flat, [
        [
          [[1], [2]],
          [[3], [4]],
        ],
      ]),
    ).toContain('It has no convolutions')
    expect(await refusal(new Sequential([new Dense({ units: 1, inputShape: [2] })]), [[1, 2]])).toContain(
      'has no convolutions',
    )
  })
})

describe('a map that is 0 everywhere', () => {
  /** f = x₀₀ − x₀₁ after Flatten: the mean gradient over the places is 0. */
  function flat(): Sequential {
    const model = new Sequential([
      new Conv2D({ filters: 1, kernelSize: 1, useBias: false, inputShape: [1, 2, 1] }),
      new Flatten(),
      new Dense({ units: 1, useBias: false }),
    ])
    model.setWeights([tensor([[[[1]]]]), tensor([[1], [-1]])])
    return model
  }
  const pair = tensor([2, 1, 3, 5], [2, 1, 2, 1])

  it('is named, with methods that explain the image', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    const { heatMap, zeroMaps } = await gradCam(flat(), pair)
    expect(zeroMaps).toEqual([0, 1])
    expect(warn).toHaveBeenCalledWith(
      expect.stringMatching(/the map of image 0, 1 is 0 everywhere.*integratedGradients/),
    )
    warn.mockRestore()
    const svg = heatMapPicture(heatMap, { image: pair })
    expect(svg).toContain('0 everywhere: no place counts.')
    expect(svg).toContain('Try integratedGradients or occlusion.')
    const { attributions } = await integratedGradients(flat(), pair)
    ;[2, -1, 3, -5].forEach((each, i) => expect((attributions as typeof pair).data[i]).toBeCloseTo(each, 4))
  })

  it('is not claimed of other maps', async () => {
    const { heatMap, zeroMaps } = await gradCam(eye(), image)
    expect(zeroMaps).toEqual([])
    expect(heatMapPicture(heatMap, { image })).not.toContain('everywhere')
  })
})

it('names the way for int8 models; int4 models have gradients', async () => {
  await expect(gradCam(quantize(eye()), image)).rejects.toThrow(
    /no gradient flows through the int8 layers.*Explain the float32 model from which it was made.*occlusion/,
  )
  const { attributions } = await occlusion(quantize(eye()), image)
  expect((attributions as typeof image).data.some((each) => each !== 0)).toBe(true)
  const wide = new Sequential([
    new Conv2D({ filters: 8, kernelSize: 3, padding: 'same', inputShape: [2, 3, 1], name: 'look' }),
    new GlobalAveragePooling2D(),
    new Dense({ units: 2 }),
  ])
  const { layer, value } = await gradCam(quantize(wide, { bits: 4 }), image)
  expect(layer).toBe('look')
  expect(value.data[0]).toBeCloseTo((await gradCam(wide, image)).value.data[0]!, 0)
})
