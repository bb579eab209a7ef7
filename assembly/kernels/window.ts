// Where windows stand: what convolution, depthwise convolution and pooling have in common.

import { Box, BoxAxis, BoxTap, CONVOLUTION_PLACES, WindowAxis } from '../shared/instructions'
import { partEnd, partStart } from '../parts'
import { activate_f32 } from './gemm'

/** Of a table of places: four more than CONVOLUTION_PLACES, for the last tile. */
export const TABLE_BYTES: usize = 4 * (CONVOLUTION_PLACES + 4)

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

@inline
export function boxTaps(box: usize): usize {
  return box + Box.size + <usize>load<i32>(box, Box.rank) * BoxAxis.size
}

/** The box behind this one. */
@inline
export function nextBox(box: usize): usize {
  return boxTaps(box) + <usize>load<i32>(box, Box.taps) * BoxTap.size
}

/**
 * Writes where the windows of `count` places of a box from `first` on begin, and where their results go. The last one is
 * repeated until they are a multiple of four.
 */
export function writeBoxPlaces(places: usize, outs: usize, box: usize, input: usize, out: usize, first: i32, count: i32): void {
  const axes = box + Box.size
  const last = axes + <usize>(load<i32>(box, Box.rank) - 1) * BoxAxis.size
  const extent = load<i32>(last, BoxAxis.extent)
  const step = load<usize>(last, BoxAxis.stride) << 2, outStep = load<usize>(last, BoxAxis.outStride) << 2
  out += load<usize>(box, Box.to) << 2
  for (let left = count; left > 0; ) {
    let at = input, to = out, rest = first
    for (let axis = last; axis >= axes; axis -= BoxAxis.size) {
      const outer = rest / load<i32>(axis, BoxAxis.extent)
      const index = <usize>(rest - outer * load<i32>(axis, BoxAxis.extent))
      at += index * (load<usize>(axis, BoxAxis.stride) << 2)
      to += index * (load<usize>(axis, BoxAxis.outStride) << 2)
      rest = outer
    }
    let row = min(extent - first % extent, left)
    first += row
    left -= row
    for (; row > 0; row--, places += 4, outs += 4, at += step, to += outStep) {
      store<usize>(places, at)
      store<usize>(outs, to)
    }
  }
  for (; count & 3; count++, places += 4, outs += 4) {
    store<usize>(places, load<usize>(places - 4))
    store<usize>(outs, load<usize>(outs - 4))
  }
}

/** Applies an epilogue that is no part of the tiles to a part of the places of a box. */
export function activateBox(box: usize, part: i32, parts: i32, tables: usize, out: usize, channels: i32, epilogue: i32): void {
  const all = load<i32>(box, Box.places)
  const last = partEnd(all, 4, part, parts)
  const places = tables, outs = tables + TABLE_BYTES
  const step = <usize>channels * 4
  for (let place = partStart(all, 4, part, parts); place < last; place += CONVOLUTION_PLACES) {
    const count = min(CONVOLUTION_PLACES, last - place)
    writeBoxPlaces(places, outs, box, 0, out, place, count)
    // places side by side are one run
    for (let i = 0; i < count; ) {
      const from = load<usize>(outs + <usize>i * 4)
      let end = from
      for (; i < count && load<usize>(outs + <usize>i * 4) == end; i++) end += step
      activate_f32(from, <i32>((end - from) >> 2), epilogue)
    }
  }
}
