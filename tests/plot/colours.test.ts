// The colours of series differ from the paper and from each other, for all kinds of vision.
// modes: simd
import { describe, expect, it } from 'vitest'
import { COLOURS, SERIES, channelsOf } from '../../src/plot/drawing/colours'

type Rgb = readonly number[]

const linear = (colour: string): Rgb =>
  channelsOf(colour).map((each) => (each <= 10.31 ? each / 255 / 12.92 : ((each / 255 + 0.055) / 1.055) ** 2.4))
const luminance = ([r, g, b]: Rgb): number => 0.2126 * r! + 0.7152 * g! + 0.0722 * b!
/** WCAG 2. */
function contrast(a: string, b: string): number {
  const [low, high] = [luminance(linear(a)), luminance(linear(b))].sort((x, y) => x - y)
  return (high! + 0.05) / (low! + 0.05)
}

/** Machado et al. 2009, complete deficiency: linear red, green and blue as they appear. */
const VISIONS: Readonly<Record<string, readonly Rgb[]>> = {
  full: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
}

/** Lightness and both axes of colour, in CIE L*a*b*. */
function lab(colour: Rgb): Rgb {
  const rows = [
    [0.4124, 0.3576, 0.1805],
    [0.2126, 0.7152, 0.0722],
    [0.0193, 0.1192, 0.9505],
  ]
  const white = [0.9505, 1, 1.089]
  const f = (t: number): number => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116)
  const [x, y, z] = rows.map((row, i) => f(row.reduce((sum, each, c) => sum + each * colour[c]!, 0) / white[i]!))
  return [116 * y! - 16, 500 * (x! - y!), 200 * (y! - z!)]
}

function distance(a: string, b: string, vision: readonly Rgb[]): number {
  const seen = (colour: string): Rgb => {
    const own = linear(colour)
    return lab(
      vision.map((row) =>
        Math.min(
          1,
          Math.max(
            0,
            row.reduce((sum, each, c) => sum + each * own[c]!, 0),
          ),
        ),
      ),
    )
  }
  const [first, second] = [seen(a), seen(b)]
  return Math.hypot(...first.map((each, i) => each - second[i]!))
}

describe.each(['light', 'dark'] as const)('on %s paper', (scheme) => {
  const column = scheme === 'light' ? 0 : 1
  const paper = COLOURS.paper[(column + 1) as 1 | 2]
  const series = SERIES.map((pair) => pair[column])

  it('every series has a contrast of 3:1', () => {
    for (const colour of series) expect(contrast(colour, paper), colour).toBeGreaterThanOrEqual(3)
  })

  it('texts have a contrast of 4.5:1, also on cards', () => {
    for (const text of [COLOURS.ink, COLOURS.soft])
      for (const below of [COLOURS.paper, COLOURS.card])
        expect(contrast(text[(column + 1) as 1 | 2], below[(column + 1) as 1 | 2])).toBeGreaterThanOrEqual(4.5)
  })

  it.each(Object.entries(VISIONS))('the first four differ with %s', (_name, vision) => {
    for (let i = 0; i < 4; i++)
      for (let j = 0; j < i; j++) expect(distance(series[i]!, series[j]!, vision), `${i} and ${j}`).toBeGreaterThan(18)
  })
})
