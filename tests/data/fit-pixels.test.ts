// Images on their way to a common size have the bits of ops.image.resize, in every mode.

import { describe, expect, it } from 'vitest'
import { ops } from '../../src'
import { colourWriter, mixColours } from '../../src/data/readers/jpeg-colours'
import type { Channels } from '../../src/data/readers/pixel-rows'
import { rowsOf } from '../../src/data/readers/pixel-rows'
import { inSize } from '../../src/data/readers/pictures'
import { asTensor } from '../../src/data/readers/pixels'
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
            expect(inSize(pixels, settings).data).toEqual(expected.data)
            const cut = ops.image.resize(whole, imageSize, { cropToAspectRatio: true })
            expect(inSize(pixels, { ...settings, cropToAspectRatio: true }).data).toEqual(cut.data)
          }
        }
  })
})

// The sums of float64, which a Uint8ClampedArray rounds.
it('the integers of YCbCr give the bytes of all 2²⁴ colours', () => {
  const all = Uint8Array.from({ length: 256 }, (_, i) => i)
  const [light, blue, red] = [new Uint8Array(256), new Uint8Array(256), all]
  const rows = [light, blue, red].map((data) => ({ data, begin: () => 0 })) as [never, never, never]
  const levels = Float32Array.from(all)
  const columns = Int32Array.from(all)
  const [bytes, expected] = [new Uint8ClampedArray(768), new Uint8ClampedArray(768)]
  const numbers = new Float32Array(768)
  let differences = 0
  for (let y = 0; y < 256; y++)
    for (let b = 0; b < 256; b++) {
      light.fill(y)
      blue.fill(b)
      mixColours(...rows, 0, bytes)
      colourWriter(...rows)(levels, columns)(0, numbers, 0)
      for (let r = 0; r < 256; r++) {
        expected[3 * r] = y + 1.402 * (r - 128)
        expected[3 * r + 1] = y - 0.344136286 * (b - 128) - 0.714136286 * (r - 128)
        expected[3 * r + 2] = y + 1.772 * (b - 128)
      }
      for (let i = 0; i < 768; i++) if (bytes[i] !== expected[i] || numbers[i] !== expected[i]) differences++
    }
  expect(differences).toBe(0)
})
