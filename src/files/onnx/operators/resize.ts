// Resizing, one axis at a time: element i of the result is a weighted sum of elements around its place in the source.

import { keysOf } from '../../../core/keys'
import { sizeOf } from '../../../core/shapes'
import * as ops from '../../../ops'
import { Tensor } from '../../../ops/tensor'
import type { Call, Operator } from '../call'
import { Value, inOrder } from '../values'

/** How one axis is resized. */
interface Axis {
  readonly from: number
  readonly to: number
  readonly scale: number
  /** The exact product of the extent and the scale, of which `to` is the integer part. */
  readonly length: number
  /** The part that is read, from 0 to 1. */
  readonly begin: number
  readonly end: number
}

/** The place in the source of element i of the result. */
const PLACES = {
  half_pixel: (i: number, { scale }: Axis) => (i + 0.5) / scale - 0.5,
  half_pixel_symmetric: (i: number, { from, to, scale, length }: Axis) =>
    (from / 2) * (1 - to / length) + (i + 0.5) / scale - 0.5,
  pytorch_half_pixel: (i: number, { to, scale }: Axis) => (to > 1 ? (i + 0.5) / scale - 0.5 : 0),
  tf_half_pixel_for_nn: (i: number, { scale }: Axis) => (i + 0.5) / scale,
  align_corners: (i: number, { from, length }: Axis) => (length === 1 ? 0 : (i * (from - 1)) / (length - 1)),
  asymmetric: (i: number, { scale }: Axis) => i / scale,
  tf_crop_and_resize: (i: number, { from, to, begin, end }: Axis) =>
    to > 1 ? begin * (from - 1) + (i * (end - begin) * (from - 1)) / (to - 1) : 0.5 * (begin + end) * (from - 1),
} as const

const ROUNDINGS = {
  round_prefer_floor: (x: number) => Math.ceil(x - 0.5),
  round_prefer_ceil: (x: number) => Math.floor(x + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
} as const

const triangle = (x: number): number => Math.max(0, 1 - Math.abs(x))

/** Keys's cubic with the parameter a. */
const cubic =
  (a: number) =>
  (distance: number): number => {
    const x = Math.abs(distance)
    if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0
  }

interface Filter {
  readonly kernel: (x: number) => number
  /** The kernel is 0 beyond. */
  readonly support: number
}

type Place = (i: number, axis: Axis) => number

/** The weights [to, from] of an axis. */
function weights(axis: Axis, place: Place, filter: Filter, isSmooth: boolean, excludes: boolean): Float32Array {
  const { from, to } = axis
  const data = new Float32Array(to * from)
  const narrow = isSmooth ? Math.min(axis.scale, 1) : 1
  const support = filter.support / narrow
  for (let i = 0; i < to; i++) {
    const at = place(i, axis)
    const [first, last] = [Math.ceil(at - support), Math.floor(at + support)]
    let total = 0
    const taps: [number, number][] = []
    for (let j = first; j <= last; j++) {
      if (excludes && (j < 0 || j >= from)) continue
      const weight = filter.kernel((j - at) * narrow)
      total += weight
      taps.push([Math.min(Math.max(j, 0), from - 1), weight])
    }
    for (const [j, weight] of taps) data[i * from + j]! += total === 0 ? 0 : weight / total
  }
  return data
}

/** Applies weights [to, from] along an axis. */
function along(x: Tensor, axis: number, matrix: Tensor): Tensor {
  const [before, from, after] = [x.shape.slice(0, axis), x.shape[axis]!, x.shape.slice(axis + 1)]
  const flat = ops.reshape(x, [sizeOf(before), from, sizeOf(after)])
  return ops.reshape(ops.matmul(matrix, flat), [...before, matrix.shape[0]!, ...after])
}

/** The scale and the extent of each axis. */
function axesOf(call: Call, x: Value): Axis[] {
  const { rank, shape } = x
  const chosen = call.axes(call.integers('axes') ?? inOrder(rank), rank)
  const isOld = call.opset < 11
  const sizes = isOld || call.maybe(3) === null ? null : call.known(3).data
  const scales = call.maybe(isOld ? 1 : 2) === null ? call.floats('scales') : Array.from(call.known(isOld ? 1 : 2).data)
  const byScale = sizes === null || sizes.length === 0
  const list = byScale ? scales : Array.from(sizes)
  call.require(
    list.length === chosen.length && list.every((each) => each > 0),
    () => `it needs a scale or a size above 0 for each of ${chosen.length} axes`,
  )
  const policy = call.word('keep_aspect_ratio_policy', 'stretch', ['stretch', 'not_larger', 'not_smaller'])
  const ratios = list.map((each, i) => (byScale ? each : each / shape[chosen[i]!]!))
  const one = policy === 'stretch' || byScale ? null : (policy === 'not_larger' ? Math.min : Math.max)(...ratios)
  const roi = isOld || call.maybe(1) === null ? [] : Array.from(call.known(1).data)
  return shape.map((from, axis) => {
    const i = chosen.indexOf(axis)
    if (i < 0) return { from, to: from, scale: 1, length: from, begin: 0, end: 1 }
    const scale = one ?? ratios[i]!
    const wanted = one === null ? list[i]! : Math.round(from * scale)
    const to = byScale ? Math.floor(from * scale) : wanted
    const isRead = roi.length === 2 * chosen.length
    return {
      from,
      to,
      scale,
      length: byScale ? from * scale : to,
      begin: isRead ? roi[i]! : 0,
      end: isRead ? roi[i + chosen.length]! : 1,
    }
  })
}

const resize: Operator = (call) => {
  const x = call.value(0)
  const isOld = call.opset < 11
  const mode = call.word('mode', 'nearest', ['nearest', 'linear', 'cubic'])
  const how = isOld ? 'asymmetric' : call.word('coordinate_transformation_mode', 'half_pixel', keysOf(PLACES))
  const rounding = isOld ? 'floor' : call.word('nearest_mode', 'round_prefer_floor', keysOf(ROUNDINGS))
  const all = axesOf(call, x)
  const filter: Filter =
    mode === 'cubic'
      ? { kernel: cubic(call.float('cubic_coeff_a', -0.75)), support: 2 }
      : { kernel: triangle, support: 1 }
  const isCropped = how === 'tf_crop_and_resize'
  const changed = all.flatMap((each, axis) => (each.from === each.to && each.scale === 1 && !isCropped ? [] : [axis]))
  call.require(
    all.every(({ from, to }) => from >= 1 && to >= 1 && from * to <= 2 ** 22),
    () => `[${x.shape.join(', ')}] cannot become [${all.map(({ to }) => to).join(', ')}]`,
  )
  const start = mode === 'nearest' ? x.asIs : ops.cast(x.asIs, 'float32')
  const found = changed.reduce((value, axis) => {
    const position = x.order.indexOf(axis)
    const each = all[axis]!
    if (mode === 'nearest') {
      const places = Int32Array.from({ length: each.to }, (_, i) =>
        Math.min(Math.max(ROUNDINGS[rounding](PLACES[how](i, each)), 0), each.from - 1),
      )
      return ops.take(value, places, position)
    }
    const matrix = weights(each, PLACES[how], filter, call.flag('antialias'), call.flag('exclude_outside'))
    return along(value, position, new Tensor(matrix, [each.to, each.from], 'float32'))
  }, start)
  const made = Value.of(mode === 'nearest' ? found : ops.cast(found, start.dtype), x.type, x.order)
  return isCropped ? outsideFilled(call, made, all) : made
}

/** Replaces the elements whose place is outside the source. */
function outsideFilled(call: Call, made: Value, all: readonly Axis[]): Value {
  const outside = call.float('extrapolation_value', 0)
  const found = all.reduce((value, each, axis) => {
    const position = made.order.indexOf(axis)
    const isInside = Int32Array.from({ length: each.to }, (_, i) => {
      const at = PLACES.tf_crop_and_resize(i, each)
      return Number(at >= 0 && at <= each.from - 1)
    })
    if (isInside.every((one) => one === 1)) return value
    const shape = made.shape.map((_, i) => (i === position ? each.to : 1))
    return ops.where(new Tensor(isInside, shape, 'bool'), value, ops.cast(outside, value.dtype))
  }, made.asIs)
  return Value.of(found, made.type, made.order)
}

export const resizeOperators: Readonly<Record<string, Operator>> = { Resize: resize, Upsample: resize }
