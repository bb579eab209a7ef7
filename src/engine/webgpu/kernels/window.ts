// What convolution and pooling share on the GPU: the fields of a window that slides over the axes between batch and channels, and
// WGSL that finds the element for a place of the window and a tap in it.

import type { Shape } from '../../../core/shapes'
import type { WindowAttributes, PaddedAttributes } from '../../ir/attributes'
import { placesOf } from '../../primitives/window'
import type { RecordFields } from '../dispatch'

/** A window over x [batch, …, channels]. */
export interface Slide {
  readonly rank: number
  readonly fields: RecordFields
}

export function slideOf(x: Shape, window: Shape, attributes: WindowAttributes & Partial<PaddedAttributes>): Slide {
  const { strides, dilation, before } = attributes
  const [, ...places] = placesOf(x, window, attributes)
  const fields: Record<string, number> = {}
  window.forEach((taps, i) => {
    Object.assign(fields, {
      [`taps${i}`]: taps,
      [`places${i}`]: places[i]!,
      [`extent${i}`]: x[i + 1]!,
      [`stride${i}`]: strides[i]!,
      [`dilation${i}`]: dilation[i]!,
      [`before${i}`]: before?.[i] ?? 0,
    })
  })
  return { rank: window.length, fields }
}

const axes = (rank: number): number[] => Array.from({ length: rank }, (_, i) => i)
const inward = (rank: number): number[] => axes(rank).reverse()

/** Statements that split `number` into NAME0 … along the axes with the extents p.EXTENT0 …; the rest is in NAMErest. */
function split(number: string, name: string, extent: string, rank: number): string {
  return `var ${name}rest = ${number};\n${inward(rank)
    .map((i) => `let ${name}${i} = ${name}rest % p.${extent}${i}; ${name}rest /= p.${extent}${i};`)
    .join('\n')}`
}

/** The number of the element at NAME0 … of image NAMErest. */
const joined = (image: string, name: string, extent: string, rank: number): string =>
  axes(rank).reduce((number, i) => `(${number} * p.${extent}${i} + ${name}${i})`, image)

/**
 * Statements that declare `pixel`, the number of the pixel of x that tap `tap` of the window at `place` sees. Where there is none, the
 * statement `otherwise` runs. Differences below 0 are large unsigned numbers.
 */
export function pixelSeen(rank: number, place: string, tap: string, otherwise: string): string {
  return `${split(place, 'o', 'places', rank)}
${split(tap, 't', 'taps', rank)}
${axes(rank)
  .map(
    (i) =>
      `let x${i} = o${i} * p.stride${i} + t${i} * p.dilation${i} - p.before${i}; if (x${i} >= p.extent${i}) { ${otherwise} }`,
  )
  .join('\n')}
let pixel = ${joined('orest', 'x', 'extent', rank)};`
}

/**
 * The adjoint: statements that declare `place`, the place of the window whose tap `tap` sees the pixel. Where there is none,
 * `otherwise` runs.
 * @param isTurned whether taps are numbered from the last
 */
export function placeThatSees(rank: number, pixel: string, tap: string, otherwise: string, isTurned = false): string {
  const own = (i: number): string => (isTurned ? `(p.taps${i} - 1u - t${i})` : `t${i}`)
  return `${split(pixel, 'x', 'extent', rank)}
${split(tap, 't', 'taps', rank)}
${axes(rank)
  .map(
    (i) => `let u${i} = x${i} + p.before${i} - ${own(i)} * p.dilation${i}; let o${i} = u${i} / p.stride${i};
if (u${i} >= 0x80000000u || o${i} * p.stride${i} != u${i} || o${i} >= p.places${i}) { ${otherwise} }`,
  )
  .join('\n')}
let place = ${joined('xrest', 'o', 'places', rank)};`
}
