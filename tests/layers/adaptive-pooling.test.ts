// Adaptive pooling: the windows of any number of places. The contract test has a row for each layer.
import { describe, expect, it } from 'vitest'
import {
  AdaptiveAveragePooling1D,
  AdaptiveAveragePooling2D,
  AdaptiveAveragePooling3D,
  AdaptiveMaxPooling1D,
  AdaptiveMaxPooling2D,
  AdaptiveMaxPooling3D,
  ops,
} from '../../src'

describe('adaptive pooling', () => {
  it.each([1, 2, 3, 4, 5, 7, 9].flatMap((extent) => [1, 2, 3, 4, 7, 11].map((places) => [extent, places] as const)))(
    'of %i elements to %i places takes the elements ⌊i·n/o⌋ … ⌈(i + 1)·n/o⌉ − 1',
    (extent, places) => {
      const x = Array.from({ length: extent }, (_, i) => Math.sin(7 * i))
      const windows = Array.from({ length: places }, (_, i) =>
        x.slice(Math.floor((i * extent) / places), Math.ceil(((i + 1) * extent) / places)),
      )
      const input = [x.map((each) => [each])]
      const mean = new AdaptiveAveragePooling1D(places).apply(input)
      const most = new AdaptiveMaxPooling1D({ outputSize: places }).apply(input)
      windows.forEach((window, i) => {
        expect(mean.data[i]).toBeCloseTo(window.reduce((sum, each) => sum + each, 0) / window.length, 5)
        expect(most.data[i]).toBe(Math.fround(Math.max(...window)))
      })
    },
  )

  it('has one number of places for all axes, or one for each', () => {
    const [image, volume] = [ops.ones([2, 5, 6, 3]), ops.ones([1, 4, 3, 5, 2])]
    expect(new AdaptiveAveragePooling2D(4).apply(image).shape).toEqual([2, 4, 4, 3])
    expect(new AdaptiveMaxPooling2D([2, 7]).apply(image).shape).toEqual([2, 2, 7, 3])
    expect(new AdaptiveAveragePooling3D([2, 3, 1]).apply(volume).shape).toEqual([1, 2, 3, 1, 2])
    expect(new AdaptiveMaxPooling3D(2).apply(volume).shape).toEqual([1, 2, 2, 2, 2])
  })

  it('refuses other sizes', () => {
    expect(() => new AdaptiveMaxPooling2D(0)).toThrow('outputSize')
    expect(() => new AdaptiveMaxPooling2D([1, 2, 3])).toThrow('outputSize')
    expect(() => ops.adaptiveMaxPool([1, 2], 1)).toThrow('adaptiveMaxPool: expected [batch, …spatial axes, channels]')
  })
})
