// Functions that look at the bits of numbers: WGSL allows an implementation to assume that there are no NaNs and infinities, to
// compute with zeros in place of denormal numbers, and to reorder sums. So comparisons and special values are found by bits.

import { LEAST_FACTOR, LEAST_SQUARED, LEAST_STATE } from '../../../../assembly/shared/vanishing'
import type { Sources } from './sources'

/** The bits of a float32 as a literal of WGSL. */
const bitsOf = (x: number): string => `${new Uint32Array(Float32Array.of(x).buffer)[0]!}u`

export const bits: Sources = {
  // Elements of `memory` by their index.
  f32At: 'fn f32At(at: u32) -> f32 { return bitcast<f32>(memory[at]); }',
  i32At: 'fn i32At(at: u32) -> i32 { return bitcast<i32>(memory[at]); }',
  storeF32: 'fn storeF32(at: u32, x: f32) { memory[at] = bitcast<u32>(x); }',
  storeI32: 'fn storeI32(at: u32, x: i32) { memory[at] = bitcast<u32>(x); }',

  // the bits of |x|, which grow with it; NaN has the largest
  magnitude: 'fn magnitude(x: f32) -> u32 { return bitcast<u32>(x) & 0x7fffffffu; }',
  isNaN: 'fn isNaN(x: f32) -> bool { return magnitude(x) > 0x7f800000u; }',
  isFinite: 'fn isFinite(x: f32) -> bool { return magnitude(x) < 0x7f800000u; }',
  // ±0 or denormal
  isTiny: 'fn isTiny(x: f32) -> bool { return magnitude(x) < 0x00800000u; }',

  // the number with the given bits where `isSpecial`, else y
  replaced: `fn replaced(y: f32, special: u32, isSpecial: bool) -> f32 {
return bitcast<f32>(select(bitcast<u32>(y), special, isSpecial));
}`,
  // x where it is NaN, else y
  orNaN: 'fn orNaN(y: f32, x: f32) -> f32 { return replaced(y, bitcast<u32>(x), isNaN(x)); }',
  // |x| with the sign of `sign`
  withSignOf: `fn withSignOf(x: f32, sign: f32) -> f32 {
return bitcast<f32>(magnitude(x) | (bitcast<u32>(sign) & 0x80000000u));
}`,
  // the first 12 bits of x: the product of two such numbers is exact
  leading: 'fn leading(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) & 0xfffff000u); }',
  // x · 2²⁴ for a tiny x; exact
  enlarged: `fn enlarged(x: f32) -> f32 {
return withSignOf(f32(bitcast<u32>(x) & 0x7fffffu) * ${2 ** -125}f, x);
}`,
  // 2ⁿ for −126 ≤ n ≤ 127
  powerOfTwo: 'fn powerOfTwo(n: i32) -> f32 { return bitcast<f32>((n + 127) << 23u); }',
  // y · 2ⁿ for a normal y; 0 in place of a denormal result, ±Inf above the largest number
  scaled: `fn scaled(y: f32, n: i32) -> f32 {
let exponent = i32(magnitude(y) >> 23u) + n;
let sign = bitcast<u32>(y) & 0x80000000u;
let limit = sign | select(0u, 0x7f800000u, exponent > 0);
return replaced(bitcast<f32>(bitcast<i32>(y) + (n << 23u)), limit, exponent <= 0 || exponent >= 255);
}`,

  // integers in the order of floats; ±0 give 0
  order: `fn order(x: f32) -> i32 {
let size = bitcast<i32>(magnitude(x));
return select(size, -size, bitcast<i32>(x) < 0);
}`,
  // a < b, a ≤ b and a = b; false for NaN
  isLess: 'fn isLess(a: f32, b: f32) -> bool { return order(a) < order(b) && !isNaN(a) && !isNaN(b); }',
  isAtMost: 'fn isAtMost(a: f32, b: f32) -> bool { return order(a) <= order(b) && !isNaN(a) && !isNaN(b); }',
  isEqual: 'fn isEqual(a: f32, b: f32) -> bool { return order(a) == order(b) && !isNaN(a); }',
  // the larger and the smaller of two; NaN if one is NaN; −0 < +0
  maximum: `fn maximum(a: f32, b: f32) -> f32 {
let takesA = order(a) > order(b) || (order(a) == order(b) && bitcast<i32>(b) < 0);
return orNaN(orNaN(bitcast<f32>(select(bitcast<u32>(b), bitcast<u32>(a), takesA)), b), a);
}`,
  minimum: `fn minimum(a: f32, b: f32) -> f32 {
let takesA = order(a) < order(b) || (order(a) == order(b) && bitcast<i32>(a) < 0);
return orNaN(orNaN(bitcast<f32>(select(bitcast<u32>(b), bitcast<u32>(a), takesA)), b), a);
}`,
  // x < 0 ? 0 : x, so that NaN and −0 pass
  relu: `fn relu(x: f32) -> f32 {
let xBits = bitcast<u32>(x);
return bitcast<f32>(select(xBits, 0u, xBits > 0x80000000u && xBits <= 0xff800000u));
}`,
  // y > 0 ? dy : 0
  reluGradient: `fn reluGradient(y: f32, dy: f32) -> f32 {
return bitcast<f32>(select(0u, bitcast<u32>(dy), bitcast<u32>(y) - 1u < 0x7f800000u));
}`,
  // −1, 0 or 1; ±0 and NaN stay as they are
  signOf: `fn signOf(x: f32) -> f32 {
return select(withSignOf(1.0, x), x, magnitude(x) == 0u || isNaN(x));
}`,
  // ⌊x⌋ and ⌈x⌉, also of denormal numbers; from 2²³ on, numbers are whole
  floorOf: `fn floorOf(x: f32) -> f32 {
let size = magnitude(x);
if (size >= 0x4b000000u || size == 0u) { return x; }
if (size < 0x3f800000u) { return select(0.0, -1.0, bitcast<i32>(x) < 0); }
return floor(x);
}`,
  ceilOf: `fn ceilOf(x: f32) -> f32 {
let size = magnitude(x);
if (size >= 0x4b000000u || size == 0u) { return x; }
if (size < 0x3f800000u) { return select(1.0, withSignOf(0.0, x), bitcast<i32>(x) < 0); }
return ceil(x);
}`,
  // the nearest whole number; half to even
  roundOf: 'fn roundOf(x: f32) -> f32 { return select(round(x), x, magnitude(x) >= 0x4b000000u); }',
  // x without its fraction as an integer: saturates, NaN → 0
  truncated: `fn truncated(x: f32) -> i32 {
if (isNaN(x)) { return 0; }
if (magnitude(x) >= 0x4f000000u) { return select(0x7fffffff, -0x7fffffff - 1, bitcast<i32>(x) < 0); }
return i32(x);
}`,

  // |x| < least ? 0 : x
  flushFactor: `fn flushFactor(x: f32) -> f32 { return replaced(x, 0u, magnitude(x) < ${bitsOf(LEAST_FACTOR)}); }`,
  flushState: `fn flushState(x: f32) -> f32 { return replaced(x, 0u, magnitude(x) < ${bitsOf(LEAST_STATE)}); }`,
  // x², 0 where it would vanish
  squareOf: `fn squareOf(x: f32) -> f32 { return replaced(x * x, 0u, magnitude(x) < ${bitsOf(LEAST_SQUARED)}); }`,
}
