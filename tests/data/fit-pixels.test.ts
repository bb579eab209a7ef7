// Images on their way to a common size have the bits of ops.image.resize, in every mode.

import { describe, it } from 'vitest'
import { ops } from '../../src'
import { rowsOf, type Channels } from '../../src/data/readers/pixel-rows'
import { inSize } from '../../src/data/readers/pictures'
import { asTensor } from '../../src/data/readers/pixels'
import { expectSame } from '../helpers/compare'
import { generator } from '../helpers/data'

const random = generator(3)
const sizes = [
  [1, 1],
  [2, 3],
  [5, 64],
  [17, 8],
  [40, 33],
] as const
const plain = {
  cropToAspectRatio: false,
  padToAspectRatio: false,
  interpolation: 'bilinear',
  dtype: 'float32',
} as const

describe.each([1, 2, 3, 4] as const)('pixels of %i channels', (from) => {
  it.each([1, 3, 4] as const)('in %i', (channels: Channels) => {
    for (const largest of [255, 65535])
      for (const [height, width] of sizes)
        for (const scale of [1, 1 / 255, -0.5]) {
          const length = height * width * from
          const Samples = largest > 255 ? Uint16Array : Uint8Array
          const data = new Samples(length).map(() => Math.floor(random() * (largest + 1)))
          const pixels = rowsOf({ width, height, channels: from, data, largest })
          const whole = asTensor(pixels, { channels, dtype: 'float32', scale })
          for (const imageSize of [...sizes, [height, width]] as const) {
            const expected = ops.image.resize(whole, imageSize)
            const settings = { ...plain, imageSize, channels, scale }
            const where = `${height} × ${width} to ${imageSize.join(' × ')}`
            expectSame(inSize(pixels, settings).data, expected.data, where)
            const cut = ops.image.resize(whole, imageSize, { cropToAspectRatio: true })
            expectSame(inSize(pixels, { ...settings, cropToAspectRatio: true }).data, cut.data, `${where}, cut`)
          }
        }
  })
})
