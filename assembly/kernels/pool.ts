// Maxima and sums over windows, four neighbouring channels in a vector, and their adjoints.

import { CONVOLUTION_PLACES, GEMM_SCRATCH, Pool, Unpool, WindowAxis } from '../shared/instructions'
import { Pooling } from '../shared/opcodes'
import { partEnd, partStart } from '../parts'
import { fillWords, storeTail } from '../simd'
import { writePlaces } from './window'

/** All ones where x is above the largest so far, or NaN. */
@inline
function isAbove(x: v128, largest: v128): v128 {
  return v128.not(f32x4.le(x, largest))
}

/** Runs a Pool, or a part of its places. */
export function pool(instruction: usize, part: i32, parts: i32): void {
  const all = load<i32>(instruction, Pool.places)
  const first = partStart(all, 4, part, parts), last = partEnd(all, 4, part, parts)
  const rank = load<i32>(instruction, Pool.rank)
  const taps = load<i32>(instruction, Pool.taps)
  const channels = load<i32>(instruction, Pool.channels)
  const pooling = load<i32>(instruction, Pool.pooling)
  const axes = instruction + Pool.size, offsets = axes + <usize>rank * WindowAxis.size
  const places = load<usize>(instruction, Pool.scratch) + <usize>part * GEMM_SCRATCH
  const input = load<usize>(instruction, Pool.input)
  const values = load<usize>(instruction, Pool.values) - input
  const step = <usize>channels * 4
  let out = load<usize>(instruction, Pool.out) + <usize>first * step
  for (let place = first; place < last; place += CONVOLUTION_PLACES) {
    const count = min(CONVOLUTION_PLACES, last - place)
    writePlaces(places, input, axes, rank, place, count)
    if (pooling == Pooling.Max) pool_max_f32(out, places, offsets, taps, channels, count)
    else if (pooling == Pooling.Sum) pool_sum_f32(out, places, offsets, taps, channels, count)
    else pool_pick_f32(out, places, offsets, taps, channels, count, values)
    out += <usize>count * step
  }
}

@inline
function storeChannels(out: usize, value: v128, columns: i32): void {
  if (columns >= 4) v128.store(out, value)
  else storeTail(out, value, columns)
}

/** A window with a NaN gives NaN. */
export function pool_max_f32(out: usize, places: usize, offsets: usize, taps: i32, channels: i32, count: i32): void {
  const end = offsets + <usize>taps * 4
  for (; count > 0; count--, places += 4) {
    let at = load<usize>(places)
    for (let left = channels; left > 0; left -= 4, at += 16) {
      let largest = f32x4.splat(-Infinity), nan = i32x4.splat(0)
      for (let tap = offsets; tap != end; tap += 4) {
        const x = v128.load(at + (load<usize>(tap) << 2))
        largest = f32x4.pmax(largest, x)
        nan = v128.or(nan, f32x4.ne(x, x))
      }
      // all ones is a NaN
      storeChannels(out, v128.or(largest, nan), left)
      out += <usize>min(left, 4) * 4
    }
  }
}

export function pool_sum_f32(out: usize, places: usize, offsets: usize, taps: i32, channels: i32, count: i32): void {
  const end = offsets + <usize>taps * 4
  for (; count > 0; count--, places += 4) {
    let at = load<usize>(places)
    for (let left = channels; left > 0; left -= 4, at += 16) {
      let sum = f32x4.splat(0)
      for (let tap = offsets; tap != end; tap += 4) sum = f32x4.add(sum, v128.load(at + (load<usize>(tap) << 2)))
      storeChannels(out, sum, left)
      out += <usize>min(left, 4) * 4
    }
  }
}

/** @param values bytes from an element of input to the element of values */
export function pool_pick_f32(out: usize, places: usize, offsets: usize, taps: i32, channels: i32, count: i32, values: usize): void {
  const end = offsets + <usize>taps * 4
  for (; count > 0; count--, places += 4) {
    let at = load<usize>(places)
    for (let left = channels; left > 0; left -= 4, at += 16) {
      let from = at + (load<usize>(offsets) << 2)
      let largest = v128.load(from), picked = v128.load(from + values)
      for (let tap = offsets + 4; tap < end; tap += 4) {
        from = at + (load<usize>(tap) << 2)
        const x = v128.load(from)
        const above = isAbove(x, largest)
        largest = v128.bitselect(x, largest, above)
        picked = v128.bitselect(v128.load(from + values), picked, above)
      }
      storeChannels(out, picked, left)
      out += <usize>min(left, 4) * 4
    }
  }
}

/** Runs an Unpool, or a part of its batch: windows overlap, but not those of two samples. */
export function unpool(instruction: usize, part: i32, parts: i32): void {
  const rank = load<i32>(instruction, Unpool.rank)
  const taps = load<i32>(instruction, Unpool.taps)
  const channels = load<i32>(instruction, Unpool.channels)
  const pooling = load<i32>(instruction, Unpool.pooling)
  const axes = instruction + Unpool.size, offsets = axes + <usize>rank * WindowAxis.size
  const places = load<usize>(instruction, Unpool.scratch) + <usize>part * GEMM_SCRATCH
  const batch = load<i32>(axes, WindowAxis.extent)
  const perImage = load<i32>(instruction, Unpool.places) / max(batch, 1)
  const firstImage = partStart(batch, 1, part, parts), lastImage = partEnd(batch, 1, part, parts)
  const first = firstImage * perImage, last = lastImage * perImage
  const input = load<usize>(instruction, Unpool.input), out = load<usize>(instruction, Unpool.out)
  const imageSize = load<i32>(instruction, Unpool.count) / max(batch, 1)
  fillWords(out + <usize>(firstImage * imageSize) * 4, 0, (lastImage - firstImage) * imageSize)
  const step = <usize>channels * 4
  let gradient = load<usize>(instruction, Unpool.gradient) + <usize>first * step
  for (let place = first; place < last; place += CONVOLUTION_PLACES) {
    const count = min(CONVOLUTION_PLACES, last - place)
    writePlaces(places, pooling == Pooling.Sum ? out : input, axes, rank, place, count)
    if (pooling == Pooling.Sum) unpool_sum_f32(places, offsets, taps, gradient, channels, count)
    else unpool_pick_f32(out - input, places, offsets, taps, gradient, channels, count)
    gradient += <usize>count * step
  }
}

export function unpool_sum_f32(places: usize, offsets: usize, taps: i32, gradient: usize, channels: i32, count: i32): void {
  const end = offsets + <usize>taps * 4
  for (; count > 0; count--, places += 4) {
    let at = load<usize>(places)
    for (let left = channels; left > 0; left -= 4, at += 16) {
      const dy = v128.load(gradient)
      for (let tap = offsets; tap != end; tap += 4) {
        const to = at + (load<usize>(tap) << 2)
        storeChannels(to, f32x4.add(v128.load(to), dy), left)
      }
      gradient += <usize>min(left, 4) * 4
    }
  }
}

/** @param out bytes from an element of input to the element of out */
export function unpool_pick_f32(out: usize, places: usize, offsets: usize, taps: i32, gradient: usize, channels: i32, count: i32): void {
  const end = offsets + <usize>taps * 4
  for (; count > 0; count--, places += 4) {
    let at = load<usize>(places)
    for (let left = channels; left > 0; left -= 4, at += 16) {
      let from = at + (load<usize>(offsets) << 2)
      // The offset of the tap with the maximum, per channel.
      let largest = v128.load(from), winner = i32x4.splat(<i32>load<usize>(offsets))
      for (let tap = offsets + 4; tap < end; tap += 4) {
        const x = v128.load(at + (load<usize>(tap) << 2))
        const above = isAbove(x, largest)
        largest = v128.bitselect(x, largest, above)
        winner = v128.bitselect(i32x4.splat(<i32>load<usize>(tap)), winner, above)
      }
      addAt(out + at, i32x4.extract_lane(winner, 0), gradient)
      if (left > 1) addAt(out + at + 4, i32x4.extract_lane(winner, 1), gradient + 4)
      if (left > 2) addAt(out + at + 8, i32x4.extract_lane(winner, 2), gradient + 8)
      if (left > 3) addAt(out + at + 12, i32x4.extract_lane(winner, 3), gradient + 12)
      gradient += <usize>min(left, 4) * 4
    }
  }
}

@inline
function addAt(at: usize, offset: i32, gradient: usize): void {
  const to = at + (<usize>offset << 2)
  store<f32>(to, load<f32>(to) + load<f32>(gradient))
}
