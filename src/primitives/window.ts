// Windows that slide over the axes between the first (the batch) and the last (the channels) of a tensor: how many places
// they have, and where. Convolution, depthwise convolution and pooling see tensors through them.

import { WindowAxis } from '../../assembly/shared/instructions'
import { ArgumentError, ShapeError, formatShape } from '../core/errors'
import type { Shape, TensorType } from '../core/shapes'
import { forEachOffset, rowMajorStrides, sizeOf } from '../core/shapes'
import type { Operand } from '../ir/instruction'
import type { WindowAttributes } from './attributes'
import type { Layout } from './rule'

/** How many places a window has along an axis; at most 0 where it does not fit. */
export function placesAlong(extent: number, taps: number, stride: number, dilation: number): number {
  return Math.floor((extent - (taps - 1) * dilation - 1) / stride) + 1
}

/** The shape of all places: the batch, and the places along each axis. */
export function placesOf(x: Shape, window: Shape, { strides, dilation }: WindowAttributes): number[] {
  return [x[0]!, ...window.map((taps, i) => placesAlong(x[i + 1]!, taps, strides[i]!, dilation[i]!))]
}

/** @throws when the operand is not [batch, …, channels] in float32 with room for the window */
export function requireWindow(name: string, x: TensorType, window: Shape, attributes: WindowAttributes): void {
  const { strides, dilation } = attributes
  if (x.dtype !== 'float32') throw new ArgumentError(`${name}: the operand must be float32, received ${x.dtype}. Cast it first.`)
  const rank = window.length
  const isWhole = [strides, dilation].every((list) => list.length === rank && list.every((each) => Number.isInteger(each) && each >= 1))
  if (!isWhole) throw new ShapeError(`${name}: needs a stride and a dilation ≥ 1 for each axis of the window ${formatShape(window)}`)
  if (x.shape.length !== rank + 2) {
    throw new ShapeError(`${name}: the operand must be [batch, ${rank} axes, channels], received ${formatShape(x.shape)}`)
  }
  const fits = window.every((taps) => taps >= 1) && placesOf(x.shape, window, attributes).every((count, i) => i === 0 || count >= 1)
  if (!fits) {
    throw new ShapeError(`${name}: the window ${formatShape(window)} with dilation [${dilation.join(', ')}] does not fit into ${formatShape(x.shape)}`)
  }
}

/** Calls `visit` for every place and every tap with the offset of channel 0 in a contiguous tensor of shape x. */
export function forEachTap(x: Shape, window: Shape, attributes: WindowAttributes, visit: (place: number, tap: number, at: number) => void): void {
  const { strides, dilation } = attributes
  const own = rowMajorStrides(x)
  const inner = own.slice(1, -1)
  const offsets: number[] = []
  forEachOffset(window, inner.map((stride, i) => stride * dilation[i]!), 0, (at) => offsets.push(at))
  const steps = [own[0]!, ...inner.map((stride, i) => stride * strides[i]!)]
  forEachOffset(placesOf(x, window, attributes), steps, 0, (start, place) => offsets.forEach((offset, tap) => visit(place, tap, start + offset)))
}

/** Where a window stands and what it sees, for an instruction: see assembly/shared/instructions.ts. */
export interface WindowLists {
  readonly places: number
  readonly rank: number
  readonly taps: number
  /** Neighbouring elements that are taken as one. */
  readonly run: number
  readonly lists: readonly number[]
}

/** @param channels neighbouring elements of one tap; taps that go on where the one before ends are joined to it */
export function windowLists(x: Operand, window: Shape, attributes: WindowAttributes, channels: number | null): WindowLists {
  const { strides, dilation } = attributes
  const inner = x.strides.slice(1, -1)
  const tapStrides = inner.map((stride, i) => stride * dilation[i]!)
  let run = channels ?? 1
  let joined = window.length
  const goesOn = (axis: number): boolean => channels !== null && axis >= 0 && (tapStrides[axis] === run || window[axis] === 1)
  while (goesOn(joined - 1)) run *= window[--joined]!
  const offsets: number[] = []
  forEachOffset(window.slice(0, joined), tapStrides.slice(0, joined), 0, (at) => offsets.push(at))
  const extents = placesOf(x.shape, window, attributes)
  const axes = joinAxes(extents, [x.strides[0]!, ...inner.map((stride, i) => stride * strides[i]!)])
  return { places: sizeOf(extents), rank: axes.length / (WindowAxis.size / 4), taps: offsets.length, run, lists: [...axes, ...offsets] }
}

/** Extents and strides in turn; neighbouring axes that can be stepped through as one are joined, except the batch. */
function joinAxes(extents: readonly number[], strides: readonly number[]): number[] {
  const axes = [extents[0]!, strides[0]!]
  for (let i = 1; i < extents.length; i++) {
    const [extent, stride] = [extents[i]!, strides[i]!]
    if (extent === 1) continue
    const last = axes.length - 2
    if (last > 0 && axes[last + 1] === stride * extent) axes.splice(last, 2, axes[last]! * extent, stride)
    else axes.push(extent, stride)
  }
  return axes
}

/** Whether the channels of a pixel are neighbours, which is all that windows ask for. */
export function hasPixels(x: TensorType, { strides }: Layout): boolean {
  return x.shape.at(-1) === 1 || strides.at(-1) === 1
}
