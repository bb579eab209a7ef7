// Sorting, and searching in sorted values. Elements become keys, unsigned integers in the same order, so that one loop
// serves floats and integers: 0 and −0 are equal, NaN is above all. An entry of 64 bits is a key above an index:
// entries differ at least in the index, so comparing whole entries keeps the order of equal keys.

import { SORT_FIXED, Search, Sort } from '../shared/instructions'

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

/** How often each value of each byte of the keys occurs: four tables of 256. */
export function count_bytes(counts: usize, entries: usize, n: i32): void {
  memory.fill(counts, 0, SORT_FIXED)
  const end = entries + (<usize>n << 3)
  for (; entries < end; entries += 8) {
    const key = load<u32>(entries, 4)
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

/** Moves entries to their positions by the byte at `shift` of their keys. `places` holds the count of each value. */
export function radix_pass(target: usize, entries: usize, n: i32, places: usize, shift: u32): void {
  let next: u32 = 0
  for (let value: usize = 0; value < 1024; value += 4) {
    const count = load<u32>(places + value)
    store<u32>(places + value, next)
    next += count
  }
  const end = entries + (<usize>n << 3)
  for (; entries < end; entries += 8) {
    const entry = load<u64>(entries)
    const place = places + ((<usize>(entry >> 32) >> shift & 0xff) << 2)
    const at = load<u32>(place)
    store<u32>(place, at + 1)
    store<u64>(target + (<usize>at << 3), entry)
  }
}

/** Sorts n entries; returns their address afterwards, `entries` or `spare`. */
export function radix_sort(entries: usize, spare: usize, counts: usize, n: i32): usize {
  count_bytes(counts, entries, n)
  const first = <usize>load<u32>(entries, 4)
  for (let shift: u32 = 0; shift < 32; shift += 8) {
    const places = counts + <usize>(shift << 7)
    // all keys have the same byte here
    if (load<i32>(places + ((first >> shift & 0xff) << 2)) == n) continue
    radix_pass(spare, entries, n, places, shift)
    const sorted = spare
    spare = entries
    entries = sorted
  }
  return entries
}

export function sort_indices(out: usize, entries: usize, n: i32, stride: usize): void {
  for (; n > 0; n--) {
    store<u32>(out, load<u32>(entries))
    out += stride
    entries += 8
  }
}

/** Runs a Sort. */
export function sort(instruction: usize, _part: i32, _parts: i32): void {
  let out = load<usize>(instruction, Sort.out)
  let input = load<usize>(instruction, Sort.input)
  const axis = load<i32>(instruction, Sort.axis)
  const inner = load<i32>(instruction, Sort.inner)
  const isInteger = load<i32>(instruction, Sort.isInteger)
  const flip: u32 = load<i32>(instruction, Sort.descending) ? 0xffffffff : 0
  const counts = load<usize>(instruction, Sort.temporary)
  const entries = counts + SORT_FIXED
  const spare = entries + (<usize>axis << 3)
  const stride = <usize>inner << 2
  const skip = <usize>(axis - 1) * stride
  for (let outer = load<i32>(instruction, Sort.outer); outer > 0; outer--) {
    for (let i = 0; i < inner; i++) {
      sort_entries(entries, input, axis, stride, isInteger, flip)
      let sorted = entries
      if (axis <= SHORT) insertion_sort(entries, axis)
      else sorted = radix_sort(entries, spare, counts, axis)
      sort_indices(out, sorted, axis, stride)
      input += 4
      out += 4
    }
    input += skip
    out += skip
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
