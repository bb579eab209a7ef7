// Quotients, roots and remainders of floats.

import type { Sources } from './sources'

export const quotients: Sources = {
  // a/b, also for tiny a and b and for |b| above 2¹²⁵, where WGSL promises nothing; 2.5 ulp
  divided: `fn divided(a: f32, b: f32) -> f32 {
let isHuge = magnitude(b) >= 0x7e000000u;
let x = select(a, enlarged(a), isTiny(a));
let y = select(select(b, b * ${2 ** -8}, isHuge), enlarged(b), isTiny(b));
let shift = select(0, 24, isTiny(b)) - select(0, 24, isTiny(a)) - select(0, 8, isHuge);
return x / y * powerOfTwo(shift);
}`,
  // y for 0 < x < Inf, else the special values of a root: ±0 and Inf stay, below 0 and NaN → NaN
  rootSpecial: `fn rootSpecial(y: f32, x: f32) -> f32 {
let xBits = bitcast<u32>(x);
let stays = xBits == 0u || xBits == 0x80000000u || xBits == 0x7f800000u;
return replaced(y, select(0x7fc00000u, xBits, stays), stays || xBits > 0x7f800000u);
}`,
  // √x and a step of Newton's method; 1 ulp
  sqrtOf: `fn sqrtOf(x: f32) -> f32 {
let v = select(x, enlarged(x), isTiny(x));
let s = sqrt(v);
return rootSpecial(fma(fma(-s, s, v), 0.5 / s, s) * select(1.0, ${2 ** -12}, isTiny(x)), x);
}`,
  // 1/√x: ±0 → ±Inf; 2 ulp
  rsqrtOf: `fn rsqrtOf(x: f32) -> f32 {
let y = inverseSqrt(select(x, enlarged(x), isTiny(x))) * select(1.0, 4096.0, isTiny(x));
let root = rootSpecial(y, x);
let xBits = bitcast<u32>(x);
return replaced(root, select(xBits | 0x7f800000u, 0u, xBits == 0x7f800000u), magnitude(x) == 0u || xBits == 0x7f800000u);
}`,

  // the 24 bits of |x| as an integer m, and e with |x| = m · 2^(e − 150)
  significand: `fn significand(size: u32) -> vec2u {
let exponent = size >> 23u;
return vec2u(select(0u, 0x800000u, exponent > 0u) | (size & 0x7fffffu), max(exponent, 1u));
}`,
  // |x| = q·|y| + r for finite x and y ≠ 0: q modulo 2³², and the bits of r; exact, in steps of 8 binary digits
  longDivision: `fn longDivision(x: f32, y: f32) -> vec2u {
if (magnitude(x) < magnitude(y)) { return vec2u(0u, magnitude(x)); }
let a = significand(magnitude(x));
let b = significand(magnitude(y));
var q = a.x / b.x;
var r = a.x % b.x;
for (var left = a.y - b.y; left > 0u;) {
let step = min(left, 8u);
r <<= step;
q = (q << step) + r / b.x;
r %= b.x;
left -= step;
}
let zeros = countLeadingZeros(r) - 8u;
if (r == 0u) { return vec2u(q, 0u); }
if (zeros >= b.y) { return vec2u(q, r << (b.y - 1u)); }
return vec2u(q, ((r << zeros) & 0x7fffffu) | ((b.y - zeros) << 23u));
}`,
  // x − ⌊x/y⌋·y: the sign of y; x infinite, y = 0 or NaN → NaN; exact except for the rounding of r + y
  modulo: `fn modulo(x: f32, y: f32) -> f32 {
if (!isFinite(x) || isNaN(y) || magnitude(y) == 0u) { return replaced(0.0, 0x7fc00000u, true); }
let r = withSignOf(bitcast<f32>(longDivision(x, y).y), x);
if (magnitude(r) == 0u) { return withSignOf(0.0, y); }
return select(r + y, r, (bitcast<i32>(x) ^ bitcast<i32>(y)) >= 0);
}`,
  // ⌊x/y⌋ as NumPy's floor_divide: ±Inf for x/0, NaN for infinite x; exact below 2²⁴, else as divided
  floorQuotient: `fn floorQuotient(x: f32, y: f32) -> f32 {
let size = magnitude(x);
let by = magnitude(y);
let sign = (bitcast<u32>(x) ^ bitcast<u32>(y)) & 0x80000000u;
let isInvalid = size > 0x7f800000u || by > 0x7f800000u || select(size == 0x7f800000u, size == 0u, by == 0u);
if (isInvalid || by == 0u) { return replaced(0.0, select(sign | 0x7f800000u, 0x7fc00000u, isInvalid), true); }
if (size < by) { return replaced(-1.0, sign, sign == 0u || size == 0u); }
let quotient = divided(x, y);
if (magnitude(quotient) >= 0x4b800000u) { return quotient; }
let division = longDivision(x, y);
let whole = f32(division.x);
return select(whole, -whole - select(0.0, 1.0, division.y != 0u), sign != 0u);
}`,
}
