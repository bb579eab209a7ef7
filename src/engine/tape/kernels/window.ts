// The lists of window instructions: places and taps of pooling, boxes of convolutions.

import { WindowAxis } from '../../../../assembly/shared/instructions'
import { forEachOffset, rowMajorStrides, sizeOf, type Shape, type TensorType } from '../../../core/shapes'
import type { PaddedAttributes, WindowAttributes } from '../../ir/attributes'
import type { Operand } from '../../ir/operand'
import type { View } from '../../primitives/rule'
import { combinations, placesOf } from '../../primitives/window'

/** The places and taps of a window for an instruction: see assembly/shared/instructions.ts. */
export interface WindowLists {
  readonly places: number
  readonly rank: number
  readonly taps: number
  readonly lists: readonly number[]
}

export function windowLists(x: Operand, window: Shape, attributes: WindowAttributes): WindowLists {
  const { strides, dilation } = attributes
  const inner = x.strides.slice(1, -1)
  const offsets: number[] = []
  forEachOffset(
    window,
    inner.map((stride, i) => stride * dilation[i]!),
    0,
    (at) => offsets.push(at),
  )
  const extents = placesOf(x.shape, window, attributes)
  const axes = joinAxes(extents, [x.strides[0]!, ...inner.map((stride, i) => stride * strides[i]!)])
  return {
    places: sizeOf(extents),
    rank: axes.length / (WindowAxis.size / 4),
    taps: offsets.length,
    lists: [...axes, ...offsets],
  }
}

/** Alternates extents and strides. Merges neighbouring axes that can be traversed as one, except the batch. */
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

/** A tap, by its number along an axis, and the element of the tensor that it reads. */
interface Seen {
  readonly tap: number
  readonly at: number
}

/** Places along an axis with the same taps: `count` places from `first` on, at distance `step`. */
export interface Stretch {
  readonly first: number
  readonly step: number
  readonly count: number
  /** The distance in the tensor between the elements that neighbouring places read. */
  readonly stride: number
  /** The elements that the first place reads, by ascending tap numbers. */
  readonly seen: readonly Seen[]
}

/** The places along each axis of windows that slide over x. */
export function slidingStretches(x: Shape, window: Shape, attributes: PaddedAttributes): Stretch[][] {
  const { strides, dilation, before } = attributes
  const [, ...places] = placesOf(x, window, attributes)
  return window.map((taps, i) => {
    const seenAt = (place: number, tap: number): number => place * strides[i]! + tap * dilation[i]! - before[i]!
    return stretchesOf(places[i]!, 1, strides[i]!, taps, x[i + 1]!, seenAt)
  })
}

/**
 * The adjoint: x[i] adds up the elements at o for the taps t with i + before = o·stride + t·dilation. Except
 * near the ends, the set of taps depends on i modulo the stride. Taps are numbered from the last.
 */
export function transposedStretches(x: Shape, window: Shape, attributes: PaddedAttributes): Stretch[][] {
  const { strides, dilation, before } = attributes
  const [, ...places] = placesOf(x, window, attributes)
  return window.map((taps, i) => {
    const seenAt = (place: number, tap: number): number =>
      (place + before[i]! - (taps - 1 - tap) * dilation[i]!) / strides[i]!
    return stretchesOf(x[i + 1]!, strides[i]!, 1, taps, places[i]!, seenAt)
  })
}

function stretchesOf(
  places: number,
  step: number,
  stride: number,
  taps: number,
  extent: number,
  seenAt: (place: number, tap: number) => number,
): Stretch[] {
  const seenFrom = (place: number): Seen[] =>
    Array.from({ length: taps }, (_, tap) => ({ tap, at: seenAt(place, tap) })).filter(
      ({ at }) => Number.isInteger(at) && at >= 0 && at < extent,
    )
  const stretches: Stretch[] = []
  for (let phase = 0; phase < Math.min(step, places); phase++) {
    let open: Stretch | null = null
    for (let place = phase; place < places; place += step) {
      const seen = seenFrom(place)
      const goesOn: boolean =
        open !== null && open.seen.length === seen.length && open.seen.every(({ tap }, i) => tap === seen[i]!.tap)
      if (goesOn) stretches.pop()
      open = goesOn ? { ...open!, count: open!.count + 1 } : { first: place, step, count: 1, stride, seen }
      stretches.push(open)
    }
  }
  return stretches
}

/** Boxes of places for an instruction: see assembly/shared/instructions.ts. */
export interface BoxLists {
  readonly places: number
  readonly boxes: number
  /** The number of runs in the whole window, and the number of elements in each; every box uses this division. */
  readonly taps: number
  readonly run: number
  readonly lists: readonly number[]
}

/**
 * @param stretches of each axis of the window
 * @param out the shape of the result, [batch, …, channels]
 * @param channels the number of neighbouring elements of one tap, each with a row of weights; contiguous taps are joined
 */
export function boxLists(
  x: Operand,
  out: Shape,
  window: Shape,
  stretches: readonly (readonly Stretch[])[],
  channels: number,
): BoxLists {
  const inner = x.strides.slice(1, -1)
  const { joined, run } = joinTaps(inner, window, stretches, channels)
  return { ...boxesOf(x, out, window, stretches, joined, channels), taps: sizeOf(window.slice(0, joined)), run }
}

/** For depthwise convolution: every tap has one weight per channel and a separate position; taps are not joined. */
export function depthwiseBoxLists(
  x: Operand,
  out: Shape,
  window: Shape,
  stretches: readonly (readonly Stretch[])[],
): BoxLists {
  return { ...boxesOf(x, out, window, stretches, window.length, 4 * x.shape.at(-1)!), taps: sizeOf(window), run: 1 }
}

/** The first of the last axes whose taps are contiguous at every place, and the number of elements of such a run. */
function joinTaps(
  inner: readonly number[],
  window: Shape,
  stretches: readonly (readonly Stretch[])[],
  channels: number,
): { joined: number; run: number } {
  let run = channels
  let joined = window.length
  const isWhole = (axis: number): boolean =>
    axis === window.length || stretches[axis]!.every(({ seen }) => seen.length === window[axis])
  const follows = (axis: number, before: Seen, after: Seen): boolean =>
    after.tap === before.tap + 1 && run === (after.at - before.at) * inner[axis]!
  const isDense = (axis: number): boolean =>
    stretches[axis]!.every(({ seen }) => seen.every((each, i) => i === 0 || follows(axis, seen[i - 1]!, each)))
  while (joined > 0 && isWhole(joined) && isDense(joined - 1)) run *= window[--joined]!
  return { joined, run }
}

/** @param rows the stride of a tap in the weights */
function boxesOf(
  x: Operand,
  out: Shape,
  window: Shape,
  stretches: readonly (readonly Stretch[])[],
  joined: number,
  rows: number,
): Pick<BoxLists, 'places' | 'boxes' | 'lists'> {
  const [batchStride, ...inner] = x.strides
  const outStrides = rowMajorStrides(out)
  const weightStrides = rowMajorStrides([...window, rows])
  const batch: BoxAxis = [out[0]!, batchStride!, outStrides[0]!]
  const boxes = sizeOf(out) === 0 ? [] : combinations(stretches)
  const lists = boxes.flatMap((box) => {
    const sum = (taps: readonly Seen[], of: (seen: Seen, axis: number) => number): number =>
      taps.reduce((total, seen, axis) => total + of(seen, axis), 0)
    const run = box.slice(joined).map(({ seen }) => seen)
    // Runs begin with the first tap of each joined axis.
    const taps = combinations(box.map(({ seen }, axis) => (axis < joined ? seen : seen.slice(0, 1)))).flatMap(
      (taps) => [
        4 * sum(taps, ({ at }, axis) => at * inner[axis]!),
        sum(taps, ({ tap }, axis) => tap * weightStrides[axis]!),
      ],
    )
    const axes = joinBoxAxes([
      batch,
      ...box.map(({ count, stride, step }, i): BoxAxis => [count, stride * inner[i]!, step * outStrides[i + 1]!]),
    ])
    const to = box.reduce((at, { first }, i) => at + first * outStrides[i + 1]!, 0)
    const places = box.reduce((count, each) => count * each.count, out[0]!)
    return [
      places,
      to,
      taps.length / 2,
      run.reduce((length, seen) => length * seen.length, rows),
      axes.length,
      ...axes.flat(),
      ...taps,
    ]
  })
  return { places: sizeOf(out.slice(0, -1)), boxes: boxes.length, lists }
}

type BoxAxis = readonly [extent: number, stride: number, outStride: number]

/** Merges neighbouring axes that both sides traverse as one; at least one axis remains. */
function joinBoxAxes([first, ...rest]: readonly BoxAxis[]): BoxAxis[] {
  const axes = [first!]
  for (const axis of rest) {
    const [extent, stride, outStride] = axis
    const [outer, outerStride, outerOutStride] = axes.at(-1)!
    if (extent === 1) continue
    const isOne = outer === 1 || (outerStride === stride * extent && outerOutStride === outStride * extent)
    if (isOne) axes.splice(-1, 1, [outer * extent, stride, outStride])
    else axes.push(axis)
  }
  return axes
}

/** Whether the channels of a pixel are adjacent, which is all that windows require. */
export function hasPixels(x: TensorType, { strides }: View): boolean {
  return x.shape.at(-1) === 1 || strides.at(-1) === 1
}
