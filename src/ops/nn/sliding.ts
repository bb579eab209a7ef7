// Options per axis and padding, shared by ops and layers that slide windows over [batch, …spatial axes,
// channels].

import { ArgumentError, ShapeError, formatShape, quoted } from '../../core/errors'
import { choice, integer, listOf, type Kind } from '../../core/options'
import { placesAlong } from '../../engine/primitives/window'
import { unchecked, type ArgumentKind } from '../kinds'
import type { Tensor } from '../tensor'
import { apply } from '../trace'

/** One number for all axes, or one per axis. The kinds below do not use this name, because editors would show it instead of the type. */
export type Sizes = number | readonly number[]

/** An integer ≥ `min` for each of `rank` axes, with a product of at most `most`; one number applies to all. */
export function perAxis(
  rank: number,
  min = 1,
  most = MOST_PLACES,
): Kind<readonly number[], number | readonly number[]> {
  const one = integer({ min })
  const all = listOf(one, rank)
  return {
    read(value, where) {
      if (typeof value === 'number') return bounded(new Array<number>(rank).fill(one.read(value, where)), where, most)
      if (Array.isArray(value)) return bounded(all.read(value, where), where, most)
      throw new ArgumentError(`${where} must be an integer ≥ ${min} or an array of ${rank}, received ${quoted(value)}`)
    },
    write: (value) => [...value],
  }
}

/** The argument `Sizes` of an op whose number of axes depends on its operands. The op reads it with `perAxis`. */
export const sizes = /* @__PURE__ */ unchecked<number | readonly number[]>()
/** `sizes`, or null. */
export const sizesOrNull = /* @__PURE__ */ unchecked<number | readonly number[] | null>()

/** An integer ≥ `min` for both axes, or one for each. */
export const onBothAxes = (min = 1): ArgumentKind<number | readonly number[]> => perAxis(2, min)

/** The sizes of both axes. */
export const bothOf = (sizes: Sizes): readonly number[] => (typeof sizes === 'number' ? [sizes, sizes] : sizes)

/** The limit for a window, or for the image that is created: 8192 × 8192. */
const MOST_PLACES = 2 ** 26

/** @throws ArgumentError if the product of the sizes exceeds the limit */
function bounded(sizes: readonly number[], where: string, most: number): readonly number[] {
  if (sizes.reduce((product, size) => product * Math.max(size, 1), 1) <= most) return sizes
  throw new ArgumentError(`${where} must have a product of at most ${most}, received ${quoted(sizes)}`)
}

export type Padding = 'valid' | 'same' | 'causal'

/**
 * valid: the window stays inside. same: zeros on both sides, with at most one more at the end, so that a stride
 * s gives ⌈extent / s⌉ places.
 */
export const padding = /* @__PURE__ */ choice('valid', 'same')

/** Adds causal: zeros at the start only, so that a place depends only on earlier elements. */
export const sequencePadding = /* @__PURE__ */ choice('valid', 'same', 'causal')

export interface Sliding {
  readonly window: readonly number[]
  readonly strides: readonly number[]
  readonly dilation: readonly number[]
  readonly padding: Padding
}

/** The number of elements to add before and after an axis. */
export function paddingAlong(
  extent: number,
  taps: number,
  stride: number,
  dilation: number,
  how: Padding,
): [before: number, after: number] {
  if (how === 'valid') return [0, 0]
  const reach = (taps - 1) * dilation
  if (how === 'causal') return [reach, 0]
  const missing = Math.max(0, (Math.ceil(extent / stride) - 1) * stride + reach + 1 - extent)
  return [missing >> 1, missing - (missing >> 1)]
}

/**
 * The number of places along each axis; null for an open extent.
 * @param where names the op or the layer in errors
 * @throws ShapeError when the window does not fit into the padded input
 */
export function placesIn(where: string, spatial: readonly number[], sliding: Sliding): number[]
export function placesIn(where: string, spatial: readonly (number | null)[], sliding: Sliding): (number | null)[]
export function placesIn(
  where: string,
  spatial: readonly (number | null)[],
  { window, strides, dilation, padding: how }: Sliding,
): (number | null)[] {
  return spatial.map((extent, i) => {
    if (extent === null) return null
    const [before, after] = paddingAlong(extent, window[i]!, strides[i]!, dilation[i]!, how)
    const places = placesAlong(extent + before + after, window[i]!, strides[i]!, dilation[i]!)
    if (places >= 1) return places
    const spread = dilation.some((each) => each > 1) ? ` with a dilation of ${formatShape(dilation)}` : ''
    throw new ShapeError(
      `${where}: the window ${formatShape(window)}${spread} is larger than the input's spatial axes ${formatShape(spatial)}. Use a smaller window or padding: 'same'.`,
    )
  })
}

/**
 * The same places with the smallest windows that have the same elements: with padding 'same', a window that reaches both ends from every place
 * gains only padding if it is larger.
 */
export function withinReach(spatial: readonly number[], sliding: Sliding): Sliding {
  if (sliding.padding !== 'same') return sliding
  const window = sliding.window.map((taps, i) => {
    const [extent, stride] = [spatial[i]!, sliding.strides[i]!]
    return Math.min(taps, extent + (Math.ceil(extent / stride) - 1) * stride + 1)
  })
  return { ...sliding, window }
}

/** Pads x with `value` so that a window that stays inside has the places of `sliding`. */
export function padFor(x: Tensor, { window, strides, dilation, padding: how }: Sliding, value = 0): Tensor {
  const sides = window.map((taps, i) => paddingAlong(x.shape[i + 1]!, taps, strides[i]!, dilation[i]!, how))
  return padSides(x, sides, value)
}

/** Adds elements of `value` before and after each spatial axis. */
export function padSides(x: Tensor, sides: readonly (readonly [number, number])[], value = 0): Tensor {
  if (sides.every(([before, after]) => before === 0 && after === 0)) return x
  return apply('pad', [x], {
    before: [0, ...sides.map(([before]) => before), 0],
    after: [0, ...sides.map(([, after]) => after), 0],
    value,
  })[0]!
}
