// Where windows stand: what convolution, depthwise convolution and pooling have in common. Computes addresses only.

import { WindowAxis } from '../shared/instructions'

/** Bytes from the start of input to where the window stands at a place. */
export function windowOffset(axes: usize, rank: i32, place: i32): usize {
  let offset: usize = 0
  for (let axis = axes + <usize>(rank - 1) * WindowAxis.size; axis >= axes; axis -= WindowAxis.size) {
    const extent = load<i32>(axis, WindowAxis.extent)
    const outer = place / extent
    offset += <usize>(place - outer * extent) * (load<usize>(axis, WindowAxis.stride) << 2)
    place = outer
  }
  return offset
}

/** How many places lie in a row, the last axis. */
@inline
export function rowExtent(axes: usize, rank: i32): i32 {
  return load<i32>(axes + <usize>(rank - 1) * WindowAxis.size, WindowAxis.extent)
}

/** Bytes in input from one place of a row to the next. */
@inline
export function rowStep(axes: usize, rank: i32): usize {
  return load<usize>(axes + <usize>(rank - 1) * WindowAxis.size, WindowAxis.stride) << 2
}

/** Writes where the windows of `count` places from `first` on begin. */
export function writePlaces(table: usize, input: usize, axes: usize, rank: i32, first: i32, count: i32): void {
  const extent = rowExtent(axes, rank), step = rowStep(axes, rank)
  while (count > 0) {
    let left = min(extent - first % extent, count)
    let at = input + windowOffset(axes, rank, first)
    first += left
    count -= left
    for (; left > 0; left--, table += 4, at += step) store<usize>(table, at)
  }
}

/** Writes where the first windows of `count` rows from row `first` on begin. */
export function writeRows(table: usize, input: usize, axes: usize, rank: i32, first: i32, count: i32): void {
  const extent = rowExtent(axes, rank)
  for (let place = first * extent; count > 0; count--, table += 4, place += extent) {
    store<usize>(table, input + windowOffset(axes, rank, place))
  }
}
