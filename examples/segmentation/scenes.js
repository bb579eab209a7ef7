// Generated pictures with their masks, for segmentation: discs, rings and crosses of equal brightness, in random places and
// sizes, over a ground with stripes and noise.

import { generator } from '../data/statistics.js'

export const CLASSES = ['ground', 'disc', 'ring', 'cross']
export const SIDE = 32

/** Whether a point is within a shape with radius 1 around the origin; y points down. */
const within = {
  disc: (x, y) => x * x + y * y < 0.8,
  ring: (x, y) => x * x + y * y < 1 && x * x + y * y > 0.35,
  cross: (x, y) => Math.max(Math.abs(x), Math.abs(y)) < 1 && Math.min(Math.abs(x), Math.abs(y)) < 0.3,
}

/** `count` pictures: { x [count, SIDE, SIDE, 1], y [count, SIDE, SIDE] }, where y has the number of the class. */
export function makeScenes(count, seed) {
  const random = generator(seed)
  const between = (low, high) => low + (high - low) * random()
  const x = new Float32Array(count * SIDE * SIDE)
  const y = new Uint8Array(count * SIDE * SIDE)
  for (let image = 0; image < count; image++) {
    const shapes = Array.from({ length: 2 + Math.floor(2 * random()) }, () => ({
      kind: 1 + Math.floor(3 * random()),
      centre: [between(5, SIDE - 5), between(5, SIDE - 5)],
      radius: between(4, 7),
      light: between(0.25, 0.45),
    }))
    const stripes = { angle: between(0, Math.PI), width: between(1.2, 2.5), phase: between(0, 6) }
    for (let row = 0; row < SIDE; row++) {
      for (let column = 0; column < SIDE; column++) {
        const at = (image * SIDE + row) * SIDE + column
        const along = column * Math.cos(stripes.angle) + row * Math.sin(stripes.angle)
        let light = 0.35 + 0.15 * Math.sin(along / stripes.width + stripes.phase)
        for (const { kind, centre, radius, light: brightness } of shapes) {
          if (!within[CLASSES[kind]]((column - centre[0]) / radius, (row - centre[1]) / radius)) continue
          light = 0.35 + brightness
          y[at] = kind
        }
        x[at] = Math.min(1, Math.max(0, light + between(-0.15, 0.15)))
      }
    }
  }
  return { x: { data: x, shape: [count, SIDE, SIDE, 1] }, y: { data: y, shape: [count, SIDE, SIDE] }, count }
}
