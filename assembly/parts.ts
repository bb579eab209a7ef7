// How the work of one instruction is dealt out to threads. Decides nothing about the results: what a kernel adds
// up, and in which order, follows from the whole instruction, never from the part.

/**
 * Where part `part` of `parts` begins when `count` items are dealt out in whole blocks; it ends where the next one
 * begins. Parts differ by one block at most.
 */
export function partStart(count: i32, block: i32, part: i32, parts: i32): i32 {
  if (parts == 1) return part ? count : 0
  const blocks = (count + block - 1) / block
  return min((blocks / parts * part + min(part, blocks % parts)) * block, count)
}

/**
 * Where part `part` of `parts` begins when the elements of [outer, inner] are dealt out in runs of `block` that end
 * with their row: a place in row-major order.
 */
export function rowPartStart(outer: i32, inner: i32, block: i32, part: i32, parts: i32): i32 {
  if (parts == 1) return part ? outer * inner : 0
  const runs = (inner + block - 1) / block
  const run = partStart(outer * runs, 1, part, parts)
  const row = run / runs
  return row * inner + (run - row * runs) * block
}
