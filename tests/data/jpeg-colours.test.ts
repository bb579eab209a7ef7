// The colours of JPEG: the kernels mix them as the plain loop does.
// modes: simd

import { expect, it } from 'vitest'
import { mixColours, mixedByKernels } from '../../src/data/readers/jpeg/colours'
import { roomFor } from '../../src/data/readers/jpeg/memory'

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
