// Windows that slide over the axes between the first (batch) and the last (channels): the number of places, and
// their offsets. Used by convolution, depthwise convolution and pooling.

import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import { rowMajorStrides, type Shape, type TensorType } from '../../core/shapes'
import type { PaddedAttributes, WindowAttributes } from '../ir/attributes'

/** The number of places of a window along an axis; at most 0 if it does not fit. */
export function placesAlong(extent: number, taps: number, stride: number, dilation: number): number {
  return Math.floor((extent - (taps - 1) * dilation - 1) / stride) + 1
}

/** Attributes of windows with zeros around a tensor, or of windows that stay inside. */
type Sliding = WindowAttributes & Partial<PaddedAttributes>

const zerosAround = ({ before, after }: Sliding, axis: number): number => (before?.[axis] ?? 0) + (after?.[axis] ?? 0)

/** The batch, and the number of places along each axis. */
export function placesOf(x: Shape, window: Shape, attributes: Sliding): number[] {
  const { strides, dilation } = attributes
  return [
    x[0]!,
    ...window.map((taps, i) => placesAlong(x[i + 1]! + zerosAround(attributes, i), taps, strides[i]!, dilation[i]!)),
  ]
}

/** @throws when the operand is not [batch, …, channels] in float32 with room for the window */
export function requireWindow(name: string, x: TensorType, window: Shape, attributes: Sliding): void {
  const { strides, dilation, before = [], after = [] } = attributes
  if (x.dtype !== 'float32')
    throw new ArgumentError(`${name}: the operand must be float32, received ${x.dtype}. Cast it first.`)
  const rank = window.length
  const isWhole = [strides, dilation].every(
    (list) => list.length === rank && list.every((each) => Number.isInteger(each) && each >= 1),
  )
  if (!isWhole)
    throw new ShapeError(
      `${name}: expected a stride and a dilation ≥ 1 for each axis of the window ${formatShape(window)}`,
    )
  if (![before, after].every((list) => list.every(Number.isInteger)) || before.some((count) => count < 0)) {
    throw new ShapeError(
      `${name}: expected integer numbers of zeros around each axis, received [${before.join(', ')}] before and [${after.join(', ')}] after`,
    )
  }
  if (x.shape.length !== rank + 2) {
    throw new ShapeError(
      `${name}: the operand must be [batch, ${rank} axes, channels], received ${formatShape(x.shape)}`,
    )
  }
  const fits =
    window.every((taps) => taps >= 1) &&
    placesOf(x.shape, window, attributes).every((count, i) => i === 0 || count >= 1)
  if (!fits) {
    throw new ShapeError(
      `${name}: the window ${formatShape(window)} with dilation [${dilation.join(', ')}] does not fit into ${formatShape(x.shape)}`,
    )
  }
}

/** Calls `visit` for every place and every tap inside x with the offset of channel 0 in a contiguous tensor of shape x. */
export function forEachTap(
  x: Shape,
  window: Shape,
  attributes: Sliding,
  visit: (place: number, tap: number, at: number) => void,
): void {
  const { strides, dilation, before } = attributes
  const steps = rowMajorStrides(x)
  const taps = positions(window)
  const offsetOf = (place: readonly number[], tap: readonly number[]): number | null => {
    let offset = place[0]! * steps[0]!
    for (let i = 0; i < tap.length; i++) {
      const at = place[i + 1]! * strides[i]! + tap[i]! * dilation[i]! - (before?.[i] ?? 0)
      if (at < 0 || at >= x[i + 1]!) return null
      offset += at * steps[i + 1]!
    }
    return offset
  }
  positions(placesOf(x, window, attributes)).forEach((place, index) => {
    taps.forEach((tap, t) => {
      const at = offsetOf(place, tap)
      if (at !== null) visit(index, t, at)
    })
  })
}

/** All positions in a shape, in row-major order. */
function positions(shape: Shape): number[][] {
  return combinations(shape.map((extent) => Array.from({ length: extent }, (_, i) => i)))
}

/** All combinations of one element from each list; the last list varies fastest. */
export function combinations<T>(lists: readonly (readonly T[])[]): T[][] {
  return lists.reduce<T[][]>((found, list) => found.flatMap((head) => list.map((each) => [...head, each])), [[]])
}
