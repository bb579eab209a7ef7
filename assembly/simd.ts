// Small building blocks of every kernel: multiply-add, tails, sums across lanes, runs of words and rows. math.ts has
// the functions beyond + and ×.

// In the plain binary, which the build makes of the relaxed one (scripts/multiply-add.mjs), the next three are two
// instructions each and round twice.

/** a·b + c. One rounding where the machine has fused multiply-add. */
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  return f32x4.relaxed_madd(a, b, c)
}

/** c − a·b, rounded like madd. */
@inline
export function nmadd(a: v128, b: v128, c: v128): v128 {
  return f32x4.relaxed_nmadd(a, b, c)
}

/** a·b + c on two float64, rounded like madd. */
@inline
export function madd_f64(a: v128, b: v128, c: v128): v128 {
  return f64x2.relaxed_madd(a, b, c)
}

/**
 * x, but 0 where |x| is below `least`, which is not negative; NaN → NaN. Compares bits: those of |x| grow with it. A number
 * that may be denormal in memory costs nothing here, unlike as a factor.
 */
@inline
export function flushed(x: v128, least: v128): v128 {
  return v128.andnot(x, i32x4.lt_s(v128.and(x, i32x4.splat(0x7fffffff)), least))
}

/** x, but 0 where it is below `least`: 0 for relu, more for relu and `flushed`, −∞ for neither. NaN and −0 pass as in relu. */
@inline
export function rectified(x: v128, least: v128): v128 {
  return v128.andnot(x, f32x4.lt(x, least))
}

/**
 * sums + Σ of four products of bytes, in each lane. Engines agree if the second operand is within 0 … 127; see Bytes in
 * kernels/quantized.ts. The plain binary computes something else, whose result has no meaning.
 */
@inline
export function dotBytes(a: v128, b: v128, sums: v128): v128 {
  return i32x4.relaxed_dot_i8x16_i7x16_add_s(a, b, sums)
}

/**
 * Sums of two products of bytes, in each int16 lane; `b` is within 0 … 127. The plain binary computes something else, whose
 * result has no meaning.
 */
@inline
export function dotPairs(a: v128, b: v128): v128 {
  return i16x8.relaxed_dot_i8x16_i7x16_s(a, b)
}

/** [a₀ + a₁, a₂ + a₃, b₀ + b₁, b₂ + b₃], of integers */
@inline
export function sumPairs(a: v128, b: v128): v128 {
  return i32x4.add(v128.shuffle<i32>(a, b, 0, 2, 4, 6), v128.shuffle<i32>(a, b, 1, 3, 5, 7))
}

/** Stores the first `n` of four lanes, 1 ≤ n ≤ 3. */
@inline
export function storeTail(pointer: usize, value: v128, n: i32): void {
  if (n & 2) {
    v128.store64_lane(pointer, value, 0)
    if (n & 1) v128.store32_lane(pointer, value, 2, 8)
  } else {
    v128.store32_lane(pointer, value, 0)
  }
}

/** Stores the first `n` ≥ 1 of four lanes; all if n ≥ 4. */
@inline
export function storeUpTo4(pointer: usize, value: v128, n: i32): void {
  if (n >= 4) v128.store(pointer, value)
  else storeTail(pointer, value, n)
}

/** storeUpTo4 as a function: for the ends of loops, where its time does not matter. */
export function store_up_to_4(pointer: usize, value: v128, n: i32): void {
  storeUpTo4(pointer, value, n)
}

/** Stores the first `n` ≥ 1 of the eight lanes of two vectors; all if n ≥ 8. */
@inline
export function storeUpTo8(pointer: usize, low: v128, high: v128, n: i32): void {
  if (n >= 8) {
    v128.store(pointer, low)
    v128.store(pointer, high, 16)
  } else if (n >= 4) {
    v128.store(pointer, low)
    if (n > 4) storeTail(pointer + 16, high, n - 4)
  } else {
    storeTail(pointer, low, n)
  }
}

/** Stores 16 lanes. */
@inline
export function storeRow16(pointer: usize, a: v128, b: v128, c: v128, d: v128): void {
  v128.store(pointer, a), v128.store(pointer, b, 16), v128.store(pointer, c, 32), v128.store(pointer, d, 48)
}

/** Stores 16 lanes, rectified. */
@inline
export function storeRectified16(pointer: usize, a: v128, b: v128, c: v128, d: v128, least: v128): void {
  v128.store(pointer, rectified(a, least)), v128.store(pointer, rectified(b, least), 16)
  v128.store(pointer, rectified(c, least), 32), v128.store(pointer, rectified(d, least), 48)
}

/** Stores the first `n` ≥ 1 of the 16 lanes of four vectors; all if n ≥ 16. */
export function store_up_to_16(out: usize, y0: v128, y1: v128, y2: v128, y3: v128, n: i32): void {
  for (; n > 0; n -= 4) {
    if (n >= 4) v128.store(out, y0)
    else storeTail(out, y0, n)
    out += 16
    y0 = y1
    y1 = y2
    y2 = y3
  }
}

/** Stores the columns of a 4×4 matrix, from its rows, at addresses `stride` bytes apart. */
@inline
export function storeTransposed(pointer: usize, stride: usize, a: v128, b: v128, c: v128, d: v128): void {
  // 2×2 blocks first, then their halves
  const ab0 = v128.shuffle<i32>(a, b, 0, 4, 1, 5)
  const cd0 = v128.shuffle<i32>(c, d, 0, 4, 1, 5)
  const ab1 = v128.shuffle<i32>(a, b, 2, 6, 3, 7)
  const cd1 = v128.shuffle<i32>(c, d, 2, 6, 3, 7)
  v128.store(pointer, v128.shuffle<i64>(ab0, cd0, 0, 2))
  v128.store(pointer + stride, v128.shuffle<i64>(ab0, cd0, 1, 3))
  v128.store(pointer + 2 * stride, v128.shuffle<i64>(ab1, cd1, 0, 2))
  v128.store(pointer + 3 * stride, v128.shuffle<i64>(ab1, cd1, 1, 3))
}

/** Lanes below `n` are all ones, the others zero. */
@inline
export function tailMask(n: i32): v128 {
  return i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(n))
}

@inline
export function swapHalves(a: v128): v128 {
  return v128.shuffle<i32>(a, a, 2, 3, 0, 1)
}

@inline
export function swapNeighbours(a: v128): v128 {
  return v128.shuffle<i32>(a, a, 1, 0, 3, 2)
}

/** (a0 + a2) + (a1 + a3) in every lane. */
@inline
export function sumLanes(a: v128): v128 {
  const pairs = f32x4.add(a, swapHalves(a))
  return f32x4.add(pairs, swapNeighbours(pairs))
}

/** The largest lane in every lane. NaN is skipped or kept as pmax does it. */
@inline
export function pmaxLanes(a: v128): v128 {
  const pairs = f32x4.pmax(a, swapHalves(a))
  return f32x4.pmax(pairs, swapNeighbours(pairs))
}

// The numbers of four rows are the lanes of a vector. Each row in turn pushes its number in from the right and takes it
// out from the left.

/** Drops the first lane and appends the first one of `next`. */
@inline
export function push(lanes: v128, next: v128): v128 {
  return v128.shuffle<i32>(lanes, next, 1, 2, 3, 4)
}

@inline
export function firstLane(lanes: v128): v128 {
  return v128.shuffle<i32>(lanes, lanes, 0, 0, 0, 0)
}

/** Copies `n` ≥ 0 words, many by the engine. The two runs are the same or do not overlap. */
@inline
export function copyRun(target: usize, source: usize, n: i32): void {
  if (n > 128) copyLong(target, source, n)
  else copyVectors(target, source, n)
}

@inline
function copyVectors(target: usize, source: usize, n: i32): void {
  for (; n >= 4; n -= 4) {
    v128.store(target, v128.load(source))
    target += 16
    source += 16
  }
  if (n > 0) storeTail(target, v128.load(source), n)
}

/**
 * The engine's copy is ten times slower on AMD if the target is less than 16 bytes ahead of the source within their pages of
 * 4096 bytes. A function apart, because this test in the loops of short copies would delay them.
 */
function copyLong(target: usize, source: usize, n: i32): void {
  if ((target - source - 1 & 4095) < 15) copyVectors(target, source, n)
  else memory.copy(target, source, <usize>n << 2)
}

/** copyRun as a function, for runs to which a call adds little. */
export function copyWords(target: usize, source: usize, n: i32): void {
  copyRun(target, source, n)
}

/** Copies `n` ≥ 0 words that are `step` bytes apart, which may be negative. The two runs do not overlap. */
export function copySpacedWords(target: usize, source: usize, step: usize, n: i32): void {
  if (step == <usize>-4) {
    for (; n >= 4; n -= 4) {
      const x = v128.load(source - 12)
      v128.store(target, v128.shuffle<i32>(x, x, 3, 2, 1, 0))
      target += 16
      source -= 16
    }
  } else {
    for (; n >= 4; n -= 4) {
      let x = v128.load32_zero(source)
      source += step
      x = v128.load32_lane(source, x, 1)
      source += step
      x = v128.load32_lane(source, x, 2)
      source += step
      v128.store(target, v128.load32_lane(source, x, 3))
      source += step
      target += 16
    }
  }
  for (; n > 0; n--) {
    store<u32>(target, load<u32>(source))
    target += 4
    source += step
  }
}

/** Writes `word` to `n` ≥ 0 words. It is not a vector, because V8 cannot pair the stores of a function's argument. */
export function fillWords(target: usize, word: i32, n: i32): void {
  const value = i32x4.splat(word)
  for (; n >= 16; n -= 16) {
    v128.store(target, value)
    v128.store(target, value, 16)
    v128.store(target, value, 32)
    v128.store(target, value, 48)
    target += 64
  }
  for (; n >= 4; n -= 4) {
    v128.store(target, value)
    target += 16
  }
  if (n > 0) storeTail(target, value, n)
}

/**
 * Fills `rows` neighbouring rows of `columns` ≤ 16 words with a word each; the words are `step` bytes apart. Writes whole
 * vectors, which the next row overwrites, and so up to 15 words after the last row.
 */
export function fillShortRows(target: usize, source: usize, step: usize, rows: i32, columns: i32): void {
  for (; rows > 0; rows--) {
    const value = v128.load32_splat(source)
    v128.store(target, value)
    if (columns > 4) {
      v128.store(target, value, 16)
      if (columns > 8) {
        v128.store(target, value, 32)
        v128.store(target, value, 48)
      }
    }
    target += <usize>columns << 2
    source += step
  }
}

/** out = input · scale */
@inline
export function scaleRow(out: usize, input: usize, columns: i32, scale: v128): void {
  for (; columns >= 4; columns -= 4) {
    v128.store(out, f32x4.mul(v128.load(input), scale))
    input += 16
    out += 16
  }
  if (columns > 0) storeTail(out, f32x4.mul(v128.load(input), scale), columns)
}

/** Σ a·b, in runs of 256, so that long rows lose no precision. */
@inline
export function rowProduct(a: usize, b: usize, n: i32): f32 {
  let total = f32x4.splat(0.0)
  while (n >= 4) {
    let sum = f32x4.splat(0.0)
    const whole = min(n, 256) & ~3
    for (const end = b + (<usize>whole << 2); b < end; b += 16) {
      sum = madd(v128.load(a), v128.load(b), sum)
      a += 16
    }
    n -= whole
    total = f32x4.add(total, sum)
  }
  if (n > 0) total = f32x4.add(total, v128.and(f32x4.mul(v128.load(a), v128.load(b)), tailMask(n)))
  return f32x4.extract_lane(sumLanes(total), 0)
}
