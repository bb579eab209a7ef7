// Generated points in the plane.

import { generator } from '../../../examples/data/statistics.js'

/** A point with the number of its class, or with a number to predict. */
export interface Point {
  readonly x: number
  readonly y: number
  readonly label: number
}

/** The part of the plane that is shown: both coordinates. */
export const PLANE = { low: -1.7, high: 1.7 } as const

/** A number of the normal distribution: Box and Muller. */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

export type Shape = 'moons' | 'circles' | 'spirals' | 'xor' | 'wave'

/** Where point i of n lies without noise. `at` runs from 0 to 1 within a class. */
const SHAPES: Readonly<Record<Shape, (label: number, at: number, random: () => number) => readonly [number, number]>> =
  {
    moons: (label, at) => {
      const angle = Math.PI * at
      return label === 0
        ? [Math.cos(angle) - 0.5, 1.3 * (Math.sin(angle) - 0.25)]
        : [0.5 - Math.cos(angle), 1.3 * (0.25 - Math.sin(angle))]
    },
    circles: (label, at) => {
      const radius = label === 0 ? 0.55 : 1.25
      return [radius * Math.cos(2 * Math.PI * at), radius * Math.sin(2 * Math.PI * at)]
    },
    spirals: (label, at) => {
      const angle = 1.25 * 2 * Math.PI * at + Math.PI * label
      const radius = 0.1 + 1.35 * at
      return [radius * Math.cos(angle), radius * Math.sin(angle)]
    },
    xor: (label, _at, random) => {
      const [x, y] = [0.12 + 1.3 * random(), 0.12 + 1.3 * random()]
      const side = random() < 0.5 ? -1 : 1
      return [side * x, (label === 0 ? side : -side) * y]
    },
    wave: (_label, _at, random) => [3 * random() - 1.5, 3 * random() - 1.5],
  }

/** The height of the wave, which is to be predicted. */
const wave = (x: number, y: number): number => Math.sin(2.2 * x) * Math.cos(1.8 * y)

/** Points of two classes in turn, or points with the height of a wave. */
export function pointsOf(shape: Shape, rows: number, noise: number, seed: number): Point[] {
  const random = generator(seed)
  const half = Math.ceil(rows / 2)
  // Spirals are narrow: the same noise would hide them.
  const spread = shape === 'spirals' ? noise / 3 : noise
  return Array.from({ length: rows }, (_, i) => {
    const label = i % 2
    const [x, y] = SHAPES[shape](label, Math.floor(i / 2) / (half - 1), random)
    if (shape === 'wave') return { x, y, label: wave(x, y) + spread * normal(random) }
    return { x: x + spread * normal(random), y: y + spread * normal(random), label }
  })
}
