// Divides the work of one instruction among threads. Never changes the results: which elements a kernel adds, and in
// which order, follows from the whole instruction, never from the part.
//
// `count` items are divided into whole blocks; parts differ by one block at most. The elements of [outer, inner] are
// divided into runs of `block` that end with their row; positions among them are in row-major order. An instruction of
// one part takes no divisions, whose time small models would notice.

/** The end of the blocks before part `part`. */
export function partBorder(count: i32, block: i32, part: i32, parts: i32): i32 {
  const blocks = (count + block - 1) / block
  return min((blocks / parts * part + min(part, blocks % parts)) * block, count)
}

/** The end of the runs before part `part`. */
export function rowPartBorder(outer: i32, inner: i32, block: i32, part: i32, parts: i32): i32 {
  const runs = (inner + block - 1) / block
  const run = partBorder(outer * runs, 1, part, parts)
  const row = run / runs
  return row * inner + (run - row * runs) * block
}

@inline
export function partStart(count: i32, block: i32, part: i32, parts: i32): i32 {
  return parts == 1 ? 0 : partBorder(count, block, part, parts)
}

@inline
export function partEnd(count: i32, block: i32, part: i32, parts: i32): i32 {
  return parts == 1 ? count : partBorder(count, block, part + 1, parts)
}

@inline
export function rowPartStart(outer: i32, inner: i32, block: i32, part: i32, parts: i32): i32 {
  return parts == 1 ? 0 : rowPartBorder(outer, inner, block, part, parts)
}

@inline
export function rowPartEnd(outer: i32, inner: i32, block: i32, part: i32, parts: i32): i32 {
  return parts == 1 ? outer * inner : rowPartBorder(outer, inner, block, part + 1, parts)
}
