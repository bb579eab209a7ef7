// Images on their way to a common size have the bits of ops.image.resize, in every mode.

import { describe, expect, it } from 'vitest'
import { ops } from '../../src'
import { mixColours, mixedByKernels } from '../../src/data/readers/jpeg/colours'
import { roomFor } from '../../src/data/readers/jpeg/memory'
import { rowsOf, type Channels } from '../../src/data/readers/pixel-rows'
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

it('kernels give all 2²⁴ colours of YCbCr the bytes of the plain loop, the nearest to the sums in float64', () => {
  const room = roomFor(new Uint8Array(0), 4096)
  if (room.kernels === null) throw new Error('the kernels are missing')
  const rows = Array.from({ length: 3 }, () => ({ data: room.bytes(256), begin: () => 0 }))
  const [light, blue, red] = rows as [(typeof rows)[0], (typeof rows)[0], (typeof rows)[0]]
  const three = [light, blue, red] as const
  red.data.set(Uint8Array.from({ length: 256 }, (_, i) => i))
  const kernelRow = mixedByKernels(three, 256, room)
  const bytes = new Uint8ClampedArray(768)
  let [differences, farthest] = [0, 0]
  for (let y = 0; y < 256; y++)
    for (let b = 0; b < 256; b++) {
      light.data.fill(y)
      blue.data.fill(b)
      mixColours(three, 0, bytes)
      const pixels = kernelRow(0)
      for (let r = 0; r < 256; r++) {
        const sums = [
          y + 1.402 * (r - 128),
          y - 0.344136286 * (b - 128) - 0.714136286 * (r - 128),
          y + 1.772 * (b - 128),
        ]
        for (let i = 0; i < 3; i++) {
          if (bytes[3 * r + i] !== pixels[4 * r + i]) differences++
          farthest = Math.max(farthest, Math.abs(bytes[3 * r + i]! - Math.max(0, Math.min(255, sums[i]!))))
        }
        if (pixels[4 * r + 3] !== 255) differences++
      }
    }
  expect(differences).toBe(0)
  expect(farthest).toBeLessThan(0.502)
})
