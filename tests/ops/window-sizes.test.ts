// Windows and sizes that would take gigabytes are refused at once.
// modes: simd

import { describe, expect, it } from 'vitest'
import { AveragePooling3D, Conv2D, MaxPooling1D, MaxPooling2D, ops } from '../../src'

describe('sizes along axes', () => {
  const image = ops.zeros([1, 4, 4, 1])
  it.each<[string, () => unknown]>([
    ['MaxPooling1D', () => new MaxPooling1D(3e8)],
    ['MaxPooling2D', () => new MaxPooling2D({ poolSize: 20000, padding: 'same' })],
    ['AveragePooling3D', () => new AveragePooling3D({ poolSize: [1000, 1000, 68] })],
    ['strides', () => new MaxPooling2D({ poolSize: 2, strides: 1e9 })],
    ['Conv2D', () => new Conv2D({ filters: 1, kernelSize: 20000 })],
    ['resize', () => ops.resize(image, [20000, 20000])],
  ])('%s: more than 2²⁶ positions are refused', (_, make) => {
    expect(make).toThrow('must have a product of at most 67108864, received [')
  })

  it('takes a window that is larger than the image', () => {
    expect(new MaxPooling2D({ poolSize: 50, padding: 'same' }).apply(image).shape).toEqual([1, 1, 1, 1])
    expect(new MaxPooling2D({ poolSize: 8192 }).poolSize).toEqual([8192, 8192])
  })
})
