// Positions of windows, shared by convolution, depthwise convolution and pooling.

import { Box, BoxAxis, BoxTap, CONVOLUTION_PLACES, WindowAxis } from '../shared/instructions'
import { partEnd, partStart } from '../parts'
import { activate_f32 } from './activate'

/** Bytes of a table of places: four more places than CONVOLUTION_PLACES, for the last tile. */
export const TABLE_BYTES: usize = 4 * (CONVOLUTION_PLACES + 4)

/** The byte offset in input of the window at a place. */
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

/** Writes the start addresses of the windows of `count` places from `first` on. */
export function writePlaces(table: usize, input: usize, axes: usize, rank: i32, first: i32, count: i32): void {
  const last = axes + <usize>(rank - 1) * WindowAxis.size
  const extent = load<i32>(last, WindowAxis.extent), step = load<usize>(last, WindowAxis.stride) << 2
  while (count > 0) {
    let left = min(extent - first % extent, count)
    let at = input + windowOffset(axes, rank, first)
    first += left
    count -= left
    for (; left > 0; left--, table += 4, at += step) store<usize>(table, at)
  }
}

@inline
export function boxTaps(box: usize): usize {
  return box + Box.size + <usize>load<i32>(box, Box.rank) * BoxAxis.size
}

/** The box after this one. */
@inline
export function nextBox(box: usize): usize {
  return boxTaps(box) + <usize>load<i32>(box, Box.taps) * BoxTap.size
}

/** The axis along which the places of a box form rows: its last one. */
@inline
export function boxRow(box: usize): usize {
  return boxTaps(box) - BoxAxis.size
}

/** Bytes from the first place of a box to another, by one of its strides. */
function boxOffset(box: usize, place: i32, stride: usize): usize {
  let offset: usize = 0
  for (let axis = boxRow(box); axis >= box + Box.size; axis -= BoxAxis.size) {
    const extent = load<i32>(axis, BoxAxis.extent)
    const outer = place / extent
    offset += <usize>(place - outer * extent) * (load<usize>(axis + stride) << 2)
    place = outer
  }
  return offset
}

/**
 * Writes the start addresses of `count` rows of a box from row `first` on, in input and in the tensor of its places.
 */
export function writeBoxRows(rows: usize, outs: usize, box: usize, input: usize, out: usize, first: i32, count: i32): void {
  const extent = load<i32>(boxRow(box), BoxAxis.extent)
  out += load<usize>(box, Box.to) << 2
  for (let place = first * extent; count > 0; count--, place += extent, rows += 4, outs += 4) {
    store<usize>(rows, input + boxOffset(box, place, BoxAxis.stride))
    store<usize>(outs, out + boxOffset(box, place, BoxAxis.outStride))
  }
}

/**
 * Writes the start addresses of the windows of `count` places of a box from `first` on, and the addresses of their
 * results. The last one is repeated up to a multiple of four.
 */
export function writeBoxPlaces(places: usize, outs: usize, box: usize, input: usize, out: usize, first: i32, count: i32): void {
  const last = boxRow(box)
  const extent = load<i32>(last, BoxAxis.extent)
  const step = load<usize>(last, BoxAxis.stride) << 2, outStep = load<usize>(last, BoxAxis.outStride) << 2
  out += load<usize>(box, Box.to) << 2
  for (let left = count; left > 0; ) {
    let at = input + boxOffset(box, first, BoxAxis.stride), to = out + boxOffset(box, first, BoxAxis.outStride)
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

/** Applies an epilogue that the tiles do not compute to a part of the places of a box. */
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
