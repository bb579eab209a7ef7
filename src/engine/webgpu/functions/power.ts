// Powers of floats: aᵇ = 2^(b·log₂ a), with the logarithm in two parts, because an error of it counts up to 128 times.

import { polynomial, split } from './exponentials'
import type { Sources } from './sources'

/** 2/ln 2 */
const SCALE = 2 * Math.LOG2E
const [SCALE_LEADING, SCALE_REST] = split(SCALE)

export const power: Sources = {
  // log₂ m for m in [√½, √2) as a sum of 12 bits and a rest: f·(2/ln 2)·(1 + z/3 + z²/5 + …), f = (m − 1)/(m + 1), z = f².
  // m ± 1 are integers times 2⁻²⁴, so that m + 1 in two parts is exact.
  log2Parts: `fn log2Parts(m: f32) -> vec2f {
let whole = i32(m * 16777216.0);
let above = f32(whole - 16777216);
let below = f32((whole + 16777216) & ~0x3fff);
let belowRest = f32((whole + 16777216) & 0x3fff);
let f = above / (below + belowRest);
let first = leading(f);
let last = fma(-first, belowRest, fma(-first, below, above)) / (below + belowRest);
let sum = first + last;
let z = sum * sum;
let p = ${polynomial('z', [0.3205988979753252, 0.4121985831111324, 0.5770780163555853, 0.9617966939259756])};
let high = leading(first * ${SCALE_LEADING}f);
let low = fma(first, ${SCALE_LEADING}f, -high) + fma(first, ${SCALE_REST}f, fma(last, ${SCALE}f, sum * z * p));
return vec2f(high, low);
}`,
  // |x|^y for a finite x ≠ 0: 2^k·2^r, r = y·log₂|x| − k from products that are exact
  powerOfSize: `fn powerOfSize(x: f32, y: f32) -> f32 {
let v = select(abs(x), abs(enlarged(x)), isTiny(x));
let n = exponentOf(v) - select(0.0, 24.0, isTiny(x));
let parts = log2Parts(mantissaOf(v));
let product = clamp(y * (n + (parts.x + parts.y)), -200.0, 200.0);
let k = round(product);
let first = leading(y);
let last = y - first;
let high = fma(last, n, fma(first, parts.x, fma(first, n, -k)));
let r = select(fma(y, parts.y, fma(last, parts.x, high)), 0.0, abs(product) >= 200.0);
return scaled(1.0 + expm1Near(r * ${Math.LN2}f), i32(k));
}`,
  // whether y is an odd integer, whether it is an integer: infinities and numbers from 2²⁴ on are even
  isOdd: `fn isOdd(y: f32) -> bool {
let exponent = i32(magnitude(y) >> 23u) - 127;
if (exponent < 0 || exponent > 23) { return false; }
let ones = (bitcast<u32>(y) & 0x7fffffu) | 0x800000u;
return (ones & ((2u << u32(23 - exponent)) - 1u)) == (1u << u32(23 - exponent));
}`,
  isWhole: `fn isWhole(y: f32) -> bool {
let exponent = i32(magnitude(y) >> 23u) - 127;
if (exponent < 0) { return magnitude(y) == 0u; }
if (exponent > 22) { return true; }
return (bitcast<u32>(y) & (0x7fffffu >> u32(exponent))) == 0u;
}`,
  // x^y as C's powf: x^0 = 1^y = (−1)^±Inf = 1; a negative base gives NaN unless y is an integer; 2.5 ulp
  power: `fn power(x: f32, y: f32) -> f32 {
let size = magnitude(x);
let isEndless = magnitude(y) == 0x7f800000u;
if (bitcast<u32>(x) == 0x3f800000u || magnitude(y) == 0u || (size == 0x3f800000u && isEndless)) { return 1.0; }
let isNegative = bitcast<i32>(x) < 0;
let isInvalid = isNaN(x) || isNaN(y) || (isNegative && size > 0u && size < 0x7f800000u && !isWhole(y));
if (isInvalid) { return replaced(0.0, 0x7fc00000u, true); }
let sign = select(0u, 0x80000000u, isNegative && isOdd(y));
let isAboveOne = size > 0x3f800000u;
let limit = select(0u, 0x7f800000u, isAboveOne == (bitcast<i32>(y) >= 0));
let y0 = replaced(powerOfSize(x, y), limit, size == 0u || size == 0x7f800000u || isEndless);
return bitcast<f32>(bitcast<u32>(y0) | sign);
}`,
}
