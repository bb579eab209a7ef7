// A plot with two axes: from numbers to places, lines at round numbers.

import { element, label, short } from './svg'

export interface Range {
  readonly low: number
  readonly high: number
}

/** Where a plot lies in the picture. */
export interface Box {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

export class Axes {
  constructor(
    private readonly box: Box,
    private readonly x: Range,
    private readonly y: Range,
  ) {}

  placeX(x: number): number {
    return this.box.left + ((x - this.x.low) / (this.x.high - this.x.low)) * this.box.width
  }

  placeY(y: number): number {
    return this.box.top + (1 - (y - this.y.low) / (this.y.high - this.y.low)) * this.box.height
  }

  /** Lines at round numbers, their numbers, and the names of both axes. */
  draw(nameX: string, nameY: string): string {
    const { left, top, width, height } = this.box
    const bottom = top + height
    const vertical = roundIn(this.x).map((x) => {
      const at = this.placeX(x)
      return (
        element('path', 'line', { d: `M${at} ${top}V${bottom}`, fill: 'none' }) +
        label(short(x), 'soft', { x: at, y: bottom + 16, 'text-anchor': 'middle' })
      )
    })
    const horizontal = roundIn(this.y).map((y) => {
      const at = this.placeY(y)
      return (
        element('path', 'line', { d: `M${left} ${at}H${left + width}`, fill: 'none' }) +
        label(short(y), 'soft', { x: left - 6, y: at + 4, 'text-anchor': 'end' })
      )
    })
    const names = [
      label(nameX, 'ink', { x: left + width / 2, y: bottom + 36, 'text-anchor': 'middle' }, Math.floor(width / 7)),
      label(
        nameY,
        'ink',
        { x: -(top + height / 2), y: 16, 'text-anchor': 'middle', transform: 'rotate(-90)' },
        Math.floor(height / 7),
      ),
    ]
    return [...vertical, ...horizontal, ...names].join('')
  }

  /** A line through points. */
  line(points: readonly (readonly [x: number, y: number])[]): string {
    return points.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${fixed(this.placeX(x))} ${fixed(this.placeY(y))}`).join('')
  }
}

const fixed = (x: number): number => Math.round(x * 100) / 100

/** The range of numbers, a little wider; that around a single one where they are all the same. */
export function rangeOf(numbers: Iterable<number>, margin = 0.05): Range {
  let [low, high] = [Infinity, -Infinity]
  for (const each of numbers) {
    low = Math.min(low, each)
    high = Math.max(high, each)
  }
  if (!(high >= low)) return { low: 0, high: 1 }
  const spare = (high - low) * margin || Math.abs(low) * 0.1 || 1
  return margin === 0 && high > low ? { low, high } : { low: low - spare, high: high + spare }
}

/** About five numbers of a range that are 1, 2 or 5 times a power of ten apart. */
function roundIn({ low, high }: Range): number[] {
  const rough = (high - low) / 5
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough) ?? 10 * power
  const first = Math.ceil(low / step - 1e-9)
  const count = Math.floor(high / step + 1e-9) - first + 1
  return Array.from({ length: count }, (_, i) => (first + i) * step)
}
