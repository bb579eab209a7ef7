// A plot with two axes: lines at round numbers, their numbers, names, and lines through points.

import { linearScale, logScale, type Range, type Scale, type Tick } from './scales'
import { coordinate, element, label } from './svg'

/** Where a plot lies in the picture. */
export interface Box {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

export type Point = readonly [x: number, y: number]

export interface AxesOptions {
  /** A logarithmic y axis. */
  readonly log?: boolean
  /** Ticks of x are integers. */
  readonly whole?: boolean
  /** The marks of x. Default: round numbers. */
  readonly ticks?: readonly Tick[]
}

export class Axes {
  private readonly x: Scale
  private readonly y: Scale

  constructor(
    readonly box: Box,
    x: Range,
    y: Range,
    { log = false, whole = false, ticks }: AxesOptions = {},
  ) {
    const bottom = box.top + box.height
    const scale = linearScale(x, box.left, box.left + box.width, whole)
    this.x = ticks === undefined ? scale : { ...scale, ticks }
    this.y = (log ? logScale : linearScale)(y, bottom, box.top)
  }

  placeX(x: number): number {
    return this.x.place(x)
  }

  placeY(y: number): number {
    return this.y.place(y)
  }

  /** Lines at round numbers, their numbers, and the names of both axes. */
  draw(nameX: string, nameY: string | null): string {
    const { left, top, width, height } = this.box
    const bottom = top + height
    const vertical = linesAcross(this.x, top, bottom)
    const horizontal = this.y.ticks.map(({ value, text }) => {
      const at = this.placeY(value)
      return (
        element('path', 'line', { d: `M${left} ${coordinate(at)}H${left + width}`, fill: 'none' }) +
        label(text, 'soft', { x: left - 6, y: at + 4, 'text-anchor': 'end' })
      )
    })
    const most = Math.floor(height / 7)
    const names = [
      label(nameX, 'ink', { x: left + width / 2, y: bottom + 36, 'text-anchor': 'middle' }, Math.floor(width / 7)),
      nameY === null
        ? ''
        : label(
            nameY,
            'ink',
            { x: -(top + height / 2), y: 16, 'text-anchor': 'middle', transform: 'rotate(-90)' },
            most,
          ),
    ]
    return [vertical, ...horizontal, ...names].join('')
  }

  /** A line through points. */
  line(points: readonly Point[]): string {
    return points
      .map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${coordinate(this.placeX(x))} ${coordinate(this.placeY(y))}`)
      .join('')
  }
}

/** Vertical lines at the ticks of a horizontal scale, with their numbers below. */
export function linesAcross({ ticks, place }: Scale, top: number, bottom: number): string {
  return ticks
    .map(({ value, text }) => {
      const at = place(value)
      return (
        element('path', 'line', { d: `M${coordinate(at)} ${coordinate(top)}V${coordinate(bottom)}`, fill: 'none' }) +
        label(text, 'soft', { x: at, y: bottom + 16, 'text-anchor': 'middle' })
      )
    })
    .join('')
}
