// Sorting, and searching in sorted values. Elements become keys, unsigned integers in the same order, so that one loop
// serves floats and integers: 0 and −0 are equal, NaN is above all. An entry of 64 bits is a key above an index:
// entries differ at least in the index, so comparing whole entries keeps the order of equal keys.

import { NETWORK, SORT_FIXED, Search, Sort } from '../shared/instructions'
import { load_columns, load_rows, sort_lanes, store_columns, store_rows } from './sort-lanes'

/** Rows up to this length are sorted by insertion; for them, counting bytes costs more. */
const SHORT = 48

/** A key for the 32 bits of a float32 or int32. */
@inline
function keyOf(bits: u32, isInteger: i32): u32 {
  if (isInteger) return bits ^ 0x80000000
  const size = bits & 0x7fffffff
  if (size > 0x7f800000) return 0xffffffff
  if (size == 0) return 0x80000000
  return bits ^ (<u32>(<i32>bits >> 31) | 0x80000000)
}

/** Entries of `n` elements `stride` bytes apart. `flip` is all ones for descending order, 0 for ascending. */
export function sort_entries(entries: usize, input: usize, n: i32, stride: usize, isInteger: i32, flip: u32): void {
  for (let i = 0; i < n; i++) {
    store<u32>(entries, i)
    store<u32>(entries, keyOf(load<u32>(input), isInteger) ^ flip, 4)
    entries += 8
    input += stride
  }
}

/** Sorts n ≥ 0 entries in place. */
export function insertion_sort(entries: usize, n: i32): void {
  const end = entries + (<usize>n << 3)
  for (let at = entries + 8; at < end; at += 8) {
    const entry = load<u64>(at)
    let place = at
    for (; place > entries && load<u64>(place - 8) > entry; place -= 8) store<u64>(place, load<u64>(place - 8))
    store<u64>(place, entry)
  }
}

/** How often each value of each byte of n keys occurs, `step` bytes apart: four tables of 256. */
@inline
function countBytes(counts: usize, keys: usize, n: i32, step: usize): void {
  memory.fill(counts, 0, 4096)
  const end = keys + <usize>n * step
  for (; keys < end; keys += step) {
    const key = load<u32>(keys)
    const first = counts + <usize>(key << 2 & 0x3fc)
    const second = counts + <usize>(key >> 6 & 0x3fc)
    const third = counts + <usize>(key >> 14 & 0x3fc)
    const fourth = counts + <usize>(key >> 22 & 0x3fc)
    store<u32>(first, load<u32>(first) + 1)
    store<u32>(second, load<u32>(second, 1024) + 1, 1024)
    store<u32>(third, load<u32>(third, 2048) + 1, 2048)
    store<u32>(fourth, load<u32>(fourth, 3072) + 1, 3072)
  }
}

/** The counts of a table become the position of the first key with each value of the byte. */
function startPlaces(places: usize): void {
  let next: u32 = 0
  for (const end = places + 1024; places < end; places += 4) {
    const count = load<u32>(places)
    store<u32>(places, next)
    next += count
  }
}

/** Moves entries to their positions by the byte at `shift` of their keys. */
export function radix_pass(target: usize, entries: usize, n: i32, places: usize, shift: u32): void {
  const end = entries + (<usize>n << 3)
  for (; entries < end; entries += 8) {
    const entry = load<u64>(entries)
    const place = places + <usize>((<u32>(entry >> 32) >> shift & 0xff) << 2)
    const at = load<u32>(place)
    store<u32>(place, at + 1)
    store<u64>(target + (<usize>at << 3), entry)
  }
}

/** The same for keys without indices. */
export function keys_pass(target: usize, keys: usize, n: i32, places: usize, shift: u32): void {
  const end = keys + (<usize>n << 2)
  for (; keys < end; keys += 4) {
    const key = load<u32>(keys)
    const place = places + <usize>((key >> shift & 0xff) << 2)
    const at = load<u32>(place)
    store<u32>(place, at + 1)
    store<u32>(target + (<usize>at << 2), key)
  }
}

export function count_entries(counts: usize, entries: usize, n: i32): void {
  countBytes(counts, entries + 4, n, 8)
}

export function count_keys(counts: usize, keys: usize, n: i32): void {
  countBytes(counts, keys, n, 4)
}

/** Sorts n entries, or keys without indices; returns their address afterwards, `items` or `spare`. */
@inline
function radixSort(items: usize, spare: usize, counts: usize, n: i32, isKeys: bool): usize {
  if (isKeys) count_keys(counts, items, n)
  else count_entries(counts, items, n)
  const first = load<u32>(items + (isKeys ? 0 : 4))
  for (let shift: u32 = 0; shift < 32; shift += 8, counts += 1024) {
    // all keys have the same byte here
    if (load<i32>(counts + <usize>((first >> shift & 0xff) << 2)) == n) continue
    startPlaces(counts)
    if (isKeys) keys_pass(spare, items, n, counts, shift)
    else radix_pass(spare, items, n, counts, shift)
    const sorted = spare
    spare = items
    items = sorted
  }
  return items
}

export function radix_sort(entries: usize, spare: usize, counts: usize, n: i32): usize {
  return radixSort(entries, spare, counts, n, false)
}

export function radix_sort_keys(keys: usize, spare: usize, counts: usize, n: i32): usize {
  return radixSort(keys, spare, counts, n, true)
}

export function sort_indices(out: usize, entries: usize, n: i32, stride: usize): void {
  for (; n > 0; n--) {
    store<u32>(out, load<u32>(entries))
    out += stride
    entries += 8
  }
}

/** The elements that n sorted entries stand for. */
export function sort_elements(out: usize, entries: usize, input: usize, n: i32, stride: usize): void {
  for (; n > 0; n--) {
    store<u32>(out, load<u32>(input + <usize>load<u32>(entries) * stride))
    out += stride
    entries += 8
  }
}

/** Sorts entries of n elements, ascending or descending; returns their address. */
function sortedEntries(temporary: usize, input: usize, n: i32, stride: usize, isInteger: i32, flip: u32): usize {
  const entries = temporary + SORT_FIXED
  sort_entries(entries, input, n, stride, isInteger, flip)
  if (n > SHORT) return radix_sort(entries, entries + (<usize>n << 3), temporary, n)
  insertion_sort(entries, n)
  return entries
}

/** Writes the ascending values of a row by means of entries, so that 0 and −0 keep their order. */
function stableValues(out: usize, input: usize, n: i32, stride: usize, isInteger: i32, temporary: usize): void {
  sort_elements(out, sortedEntries(temporary, input, n, stride, isInteger, 0), input, n, stride)
}

/** Whether a row has −0. Writes keys, unsigned integers in the order of the elements. */
export function make_keys(keys: usize, input: usize, n: i32, stride: usize, isInteger: i32): bool {
  let found: u32 = 0
  for (; n > 0; n--) {
    const bits = load<u32>(input)
    store<u32>(keys, keyOf(bits, isInteger))
    found |= <u32>(bits == 0x80000000)
    keys += 4
    input += stride
  }
  return found != 0 && !isInteger
}

/** The elements of sorted keys. */
export function from_keys(out: usize, keys: usize, n: i32, stride: usize, isInteger: i32): void {
  for (; n > 0; n--) {
    const key = load<u32>(keys)
    store<u32>(out, isInteger ? key ^ 0x80000000 : key ^ (<u32>(~(<i32>key >> 31)) | 0x80000000))
    out += stride
    keys += 4
  }
}

/** Ascending values of [outer, axis, inner]. */
function sortValues(out: usize, input: usize, outer: i32, axis: i32, inner: i32, isInteger: i32, temporary: usize): void {
  const stride = <usize>inner << 2
  const block = <usize>axis * stride
  const next: usize = inner == 1 ? block : 4
  const rows = inner == 1 ? outer : inner
  const blocks = inner == 1 ? 1 : outer
  for (let b = 0; b < blocks; b++, input += block, out += block) {
    for (let row = 0; row < rows; row++) {
      const from = input + <usize>row * next
      const to = out + <usize>row * next
      if (axis <= NETWORK) {
        const width = min(rows - row, 4)
        const isStable = inner == 1
          ? load_rows(temporary, from, axis, block, width, isInteger)
          : load_columns(temporary, from, axis, stride, isInteger)
        if (isStable) {
          for (let i: usize = 0; i < <usize>width; i++) {
            stableValues(to + i * next, from + i * next, axis, stride, isInteger, temporary)
          }
        } else {
          sort_lanes(temporary, axis)
          if (inner == 1) store_rows(to, temporary, axis, block, width, isInteger)
          else store_columns(to, temporary, axis, stride, width, isInteger)
        }
        row += width - 1
      } else {
        const keys = temporary + SORT_FIXED
        if (make_keys(keys, from, axis, stride, isInteger)) {
          stableValues(to, from, axis, stride, isInteger, temporary)
        } else {
          from_keys(to, radix_sort_keys(keys, keys + (<usize>axis << 2), temporary, axis), axis, stride, isInteger)
        }
      }
    }
  }
}

/**
 * The indices of the `count` ≥ 1 largest of n floats, or integers, in descending order. The best entries so far are kept
 * sorted; a vector of elements below all of them is skipped.
 */
export function select_largest(out: usize, input: usize, n: i32, count: i32, isInteger: i32, entries: usize): void {
  const last = entries + (<usize>(count - 1) << 3)
  for (let i = 0; i < count; i++) store<u64>(entries + (<usize>i << 3), u64.MAX_VALUE)
  let least = v128.splat<u32>(isInteger ? 0x80000000 : 0xff800000)
  let isFull = false
  for (let i = 0; i < n; i += 4) {
    const x = v128.load(input + (<usize>i << 2))
    const rest = isInteger ? i32x4.le_s(x, least) : f32x4.le(x, least)
    if (isFull && i32x4.bitmask(rest) == 15) continue
    for (let j = i; j < min(i + 4, n); j++) {
      const key = ~keyOf(load<u32>(input + (<usize>j << 2)), isInteger)
      const entry = <u64>key << 32 | <u64>j
      if (entry >= load<u64>(last)) continue
      let place = last
      for (; place > entries && load<u64>(place - 8) > entry; place -= 8) store<u64>(place, load<u64>(place - 8))
      store<u64>(place, entry)
    }
    const worst = load<u64>(last)
    isFull = worst != u64.MAX_VALUE
    if (isFull) least = v128.load32_splat(input + (<usize>(<u32>worst) << 2))
  }
  sort_indices(out, entries, count, 4)
}

/** The largest number of elements that are selected one by one. */
const SELECTED = 64

/** Runs a Sort. */
export function sort(instruction: usize, _part: i32, _parts: i32): void {
  let out = load<usize>(instruction, Sort.out)
  let input = load<usize>(instruction, Sort.input)
  const outer = load<i32>(instruction, Sort.outer)
  const axis = load<i32>(instruction, Sort.axis)
  const inner = load<i32>(instruction, Sort.inner)
  const count = load<i32>(instruction, Sort.count)
  const isInteger = load<i32>(instruction, Sort.isInteger)
  const descending = load<i32>(instruction, Sort.descending)
  const temporary = load<usize>(instruction, Sort.temporary)
  if (load<i32>(instruction, Sort.isValues)) return sortValues(out, input, outer, axis, inner, isInteger, temporary)
  const stride = <usize>inner << 2
  if (descending && inner == 1 && count <= SELECTED && count << 2 <= axis) {
    for (let row = 0; row < outer; row++) {
      select_largest(out, input, axis, count, isInteger, temporary)
      out += <usize>count << 2
      input += <usize>axis << 2
    }
    return
  }
  const flip: u32 = descending ? 0xffffffff : 0
  for (let block = 0; block < outer; block++) {
    for (let i = 0; i < inner; i++) {
      sort_indices(out, sortedEntries(temporary, input, axis, stride, isInteger, flip), count, stride)
      input += 4
      out += 4
    }
    input += <usize>(axis - 1) * stride
    out += <usize>(count - 1) * stride
  }
}

/** The number of sorted elements below the key; with isRight, below or equal. */
export function search_sorted(sorted: usize, length: i32, key: u32, isInteger: i32, isRight: i32): i32 {
  let low = 0
  while (length > 0) {
    const half = length >> 1
    const middle = keyOf(load<u32>(sorted + (<usize>(low + half) << 2)), isInteger)
    if (middle < key || (isRight && middle == key)) {
      low += half + 1
      length -= half + 1
    } else {
      length = half
    }
  }
  return low
}

/** Runs a Search. */
export function search(instruction: usize, _part: i32, _parts: i32): void {
  let out = load<usize>(instruction, Search.out)
  let values = load<usize>(instruction, Search.values)
  const sorted = load<usize>(instruction, Search.sorted)
  const length = load<i32>(instruction, Search.length)
  const isInteger = load<i32>(instruction, Search.isInteger)
  const isRight = load<i32>(instruction, Search.isRight)
  for (let count = load<i32>(instruction, Search.count); count > 0; count--) {
    store<i32>(out, search_sorted(sorted, length, keyOf(load<u32>(values), isInteger), isInteger, isRight))
    out += 4
    values += 4
  }
}
