// Convolutions and pooling, on channels-last tensors.

import * as ops from '../../../ops'
import { needWindows } from '../../../ops/families'
import { padSides } from '../../../ops/nn/sliding'
import type { Tensor } from '../../../ops/tensor'
import { apply } from '../../../ops/trace'
import { placesAlong } from '../../../engine/primitives/window'
import type { Call, Operator } from '../call'
import { Value, channelsLast, inOrder, kernelLast } from '../values'

interface Sliding {
  readonly window: readonly number[]
  readonly strides: readonly number[]
  readonly dilation: readonly number[]
  readonly before: readonly number[]
  readonly after: readonly number[]
}

const AUTO = ['NOTSET', 'SAME_UPPER', 'SAME_LOWER', 'VALID'] as const

/** A number for each spatial axis. */
function perAxis(call: Call, name: string, rank: number, absent: number, least: number): number[] {
  const list = call.integers(name) ?? new Array<number>(rank).fill(absent)
  call.require(
    list.length === rank && list.every((each) => each >= least && each <= 2 ** 20),
    () => `${name} must have ${rank} integers ≥ ${least}, it is [${list.join(', ')}]`,
  )
  return list
}

/** How the window of a node moves over spatial axes. */
function slidingOf(call: Call, spatial: readonly number[], window: readonly number[]): Sliding {
  const rank = spatial.length
  call.require(rank >= 1 && window.length === rank, () => `the window [${window.join(', ')}] must have ${rank} axes`)
  const strides = perAxis(call, 'strides', rank, 1, 1)
  const dilation = perAxis(call, 'dilations', rank, 1, 1)
  const auto = call.word('auto_pad', 'NOTSET', AUTO)
  if (auto === 'NOTSET') {
    const pads = perAxis(call, 'pads', 2 * rank, 0, 0)
    return { window, strides, dilation, before: pads.slice(0, rank), after: pads.slice(rank) }
  }
  const missing = spatial.map((extent, i) =>
    auto === 'VALID'
      ? 0
      : Math.max(0, (Math.ceil(extent / strides[i]!) - 1) * strides[i]! + (window[i]! - 1) * dilation[i]! + 1 - extent),
  )
  const before = missing.map((each) => (auto === 'SAME_LOWER' ? Math.ceil(each / 2) : Math.floor(each / 2)))
  return { window, strides, dilation, before, after: missing.map((each, i) => each - before[i]!) }
}

function requireImages(call: Call, x: Value): void {
  call.require(x.rank >= 3 && x.rank <= 5, () => `[${x.shape.join(', ')}] must have 1 to 3 spatial axes`)
}

/** Adds a bias for each channel. */
function biased(call: Call, result: Tensor): Value {
  const bias = call.maybe(2)
  const sum = bias === null ? result : ops.add(result, bias.plain)
  call.require(sum.size === result.size, () => `the bias does not fit ${result.shape.at(-1)} channels`)
  return Value.of(sum, call.value(0).type, channelsLast(result.rank))
}

const conv: Operator = (call) => {
  const [x, kernel] = [call.value(0), call.value(1)]
  requireImages(call, x)
  const groups = call.integer('group', 1)
  const [filters = 0, channels = 0] = kernel.shape
  call.require(
    kernel.rank === x.rank && groups >= 1 && channels * groups === x.shape[1] && filters % groups === 0,
    () => `a kernel [${kernel.shape.join(', ')}] in ${groups} groups does not fit [${x.shape.join(', ')}]`,
  )
  const { window: _, ...sliding } = slidingOf(call, x.shape.slice(2), kernel.shape.slice(2))
  needWindows()
  const taps = kernel.in(kernelLast(kernel.rank))
  return biased(call, apply('convolution', [x.last, taps], { ...sliding, groups })[0]!)
}

/** The zeros that a transposed convolution takes off, and the extents of its result. */
function croppedBy(call: Call, x: Value, window: readonly number[]): Sliding & { readonly spatial: readonly number[] } {
  const sliding = slidingOf(call, x.shape.slice(2), window)
  const { strides, dilation } = sliding
  const rank = window.length
  const more = perAxis(call, 'output_padding', rank, 0, 0)
  const full = window.map((taps, i) => strides[i]! * (x.shape[i + 2]! - 1) + (taps - 1) * dilation[i]! + 1 + more[i]!)
  const auto = call.word('auto_pad', 'NOTSET', AUTO)
  const isSame = auto === 'SAME_UPPER' || auto === 'SAME_LOWER'
  const wanted = call.integers('output_shape')?.slice(-rank)
  if (wanted === undefined && !isSame) {
    const spatial = full.map((extent, i) => extent - sliding.before[i]! - sliding.after[i]!)
    return { ...sliding, after: sliding.after.map((each, i) => each - more[i]!), spatial }
  }
  const spatial = wanted ?? strides.map((stride, i) => stride * x.shape[i + 2]!)
  const total = full.map((extent, i) => extent - spatial[i]!)
  const before = total.map((each) =>
    Math.max(0, auto === 'SAME_UPPER' ? Math.floor(each / 2) : each - Math.floor(each / 2)),
  )
  return { ...sliding, before, after: total.map((each, i) => each - before[i]! - more[i]!), spatial }
}

const convTranspose: Operator = (call) => {
  const [x, kernel] = [call.value(0), call.value(1)]
  requireImages(call, x)
  const groups = call.integer('group', 1)
  call.require(
    kernel.rank === x.rank && kernel.shape[0] === x.shape[1] && groups >= 1 && x.shape[1]! % groups === 0,
    () => `a kernel [${kernel.shape.join(', ')}] in ${groups} groups does not fit [${x.shape.join(', ')}]`,
  )
  const { window, strides, dilation, before, after, spatial } = croppedBy(call, x, kernel.shape.slice(2))
  call.require(
    spatial.every((extent) => extent >= 1 && extent <= 2 ** 24),
    () => `the result would have the extents [${spatial.join(', ')}]`,
  )
  needWindows()
  const taps = kernel.in(kernelLast(kernel.rank))
  // The kernels crop less than the reach of a window. More is cut off afterwards.
  const reach = window.map((each, i) => (each - 1) * dilation[i]!)
  const cut = [before, after].map((list) => list.map((each, i) => Math.max(0, each - reach[i]!)))
  const inner = {
    before: before.map((each, i) => each - cut[0]![i]!),
    after: after.map((each, i) => each - cut[1]![i]!),
  }
  const wide = spatial.map((extent, i) => extent + cut[0]![i]! + cut[1]![i]!)
  const made = apply('convolutionTranspose', [x.last, taps], { strides, dilation, ...inner, groups, spatial: wide })[0]!
  return biased(call, ops.slice(made, [0, ...cut[0]!, 0], [made.shape[0]!, ...spatial, made.shape.at(-1)!]))
}

/** The places of a pool: with ceil_mode also windows that begin inside and end outside. */
function poolPlaces(call: Call, spatial: readonly number[], sliding: Sliding): number[] {
  const { window, strides, dilation, before, after } = sliding
  const isUp = call.flag('ceil_mode')
  return spatial.map((extent, i) => {
    const padded = extent + before[i]! + after[i]!
    const places = placesAlong(padded, window[i]!, strides[i]!, dilation[i]!)
    call.require(places >= 1, () => `the window [${window.join(', ')}] does not fit [${spatial.join(', ')}]`)
    const reach = (window[i]! - 1) * dilation[i]! + 1
    const more = isUp && (padded - reach) % strides[i]! !== 0 && places * strides[i]! < extent + before[i]!
    return places + Number(more)
  })
}

/** x with `value` around it, so that all windows are inside. */
function surrounded(x: Tensor, places: readonly number[], sliding: Sliding, value: number): Tensor {
  const sides = places.map((count, i): [number, number] => {
    const reach = (sliding.window[i]! - 1) * sliding.dilation[i]! + 1
    const needed = (count - 1) * sliding.strides[i]! + reach
    return [sliding.before[i]!, Math.max(sliding.after[i]!, needed - x.shape[i + 1]! - sliding.before[i]!)]
  })
  return padSides(x, sides, value)
}

/** Brings the taps of a window with distances together: each place gets a window without gaps. */
function undilated(x: Tensor, places: readonly number[], { window, strides, dilation }: Sliding): Tensor {
  return window.reduce((value, taps, i) => {
    const indices = Array.from({ length: places[i]! * taps }, (_, at) => {
      return Math.floor(at / taps) * strides[i]! + (at % taps) * dilation[i]!
    })
    return ops.take(value, Int32Array.from(indices), i + 1)
  }, x)
}

function pooled(
  call: Call,
  x: Value,
  name: 'maxPool' | 'sumPool',
  value: number,
): { result: Tensor; places: number[]; sliding: Sliding } {
  requireImages(call, x)
  const spatial = x.shape.slice(2)
  const sliding = slidingOf(call, spatial, perAxis(call, 'kernel_shape', spatial.length, 0, 1))
  const places = poolPlaces(call, spatial, sliding)
  const wide = surrounded(ops.cast(x.last, 'float32'), places, sliding, value)
  needWindows()
  const { window, strides } = sliding
  const isPlain = sliding.dilation.every((each) => each === 1)
  const source = isPlain ? wide : undilated(wide, places, sliding)
  const [result] = apply(name, [source], { window, strides: isPlain ? strides : window })
  // Windows beyond the last place do not count.
  return {
    result: ops.slice(
      result!,
      x.shape.map(() => 0),
      [x.shape[0]!, ...places, x.shape[1]!],
    ),
    places,
    sliding,
  }
}

const maxPool: Operator = (call) => {
  const x = call.value(0)
  call.require((call.node.outputs[1] ?? '') === '', () => 'the indices of the largest elements are not available')
  const { result } = pooled(call, x, 'maxPool', -Infinity)
  const found = x.isFloat ? result : ops.cast(result, 'int32')
  return Value.of(found, x.type, channelsLast(x.rank))
}

const averagePool: Operator = (call) => {
  const x = call.value(0)
  const { result, places, sliding } = pooled(call, x, 'sumPool', 0)
  const counts = places.map((count, i) => {
    const extent = x.shape[i + 2]!
    const [low, high] = call.flag('count_include_pad') ? [-sliding.before[i]!, extent + sliding.after[i]!] : [0, extent]
    return Array.from({ length: count }, (_, place) => {
      const begin = place * sliding.strides[i]! - sliding.before[i]!
      const taps = Array.from({ length: sliding.window[i]! }, (_each, tap) => begin + tap * sliding.dilation[i]!)
      return Math.max(1, taps.filter((at) => at >= low && at < high).length)
    })
  })
  const isConstant = counts.every((axis) => axis.every((each) => each === axis[0]))
  const scale = isConstant
    ? ops.multiply(result, 1 / counts.reduce((product, axis) => product * axis[0]!, 1))
    : counts.reduce((value, axis, i) => {
        const along = places.map((_, j) => (i === j ? places[j]! : 1))
        return ops.divide(value, ops.reshape(Float32Array.from(axis), [1, ...along, 1]))
      }, result)
  return Value.of(scale, x.type, channelsLast(x.rank))
}

const globalPool =
  (reduce: (x: Tensor, options: { axis: number[]; keepDims: boolean }) => Tensor): Operator =>
  (call) => {
    const x = call.value(0)
    call.require(x.rank >= 3, () => `[${x.shape.join(', ')}] has no spatial axes`)
    const axis = inOrder(x.rank - 2).map((each) => each + 1)
    return Value.of(reduce(x.last, { axis, keepDims: true }), x.type, channelsLast(x.rank))
  }

export const windowOperators: Readonly<Record<string, Operator>> = {
  AveragePool: averagePool,
  Conv: conv,
  ConvTranspose: convTranspose,
  GlobalAveragePool: globalPool(ops.mean),
  GlobalMaxPool: globalPool(ops.max),
  MaxPool: maxPool,
}
