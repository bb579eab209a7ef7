// Sines, cosines and the angle of a point, with the polynomials of assembly/angles.ts.

import type { Sources } from './sources'

export const angles: Sources = {
  // the upper 32 bits of a·b
  highProduct: `fn highProduct(a: u32, b: u32) -> u32 {
let low = (a & 0xffffu) * (b & 0xffffu);
let middle = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
let other = (a & 0xffffu) * (b >> 16u) + (middle & 0xffffu);
return (a >> 16u) * (b >> 16u) + (middle >> 16u) + (other >> 16u);
}`,
  // 32 bits of 2/π = 0.A2F9836E…₁₆, from bit `first` − 32 on
  twoOverPi: `fn twoOverPi(first: u32) -> u32 {
var words = array(0u, 0xa2f9836eu, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u, 0xdb629599u, 0x3c439041u, 0xfe5163abu);
let word = first >> 5u;
let shift = first & 31u;
return select((words[word] << shift) | (words[word + 1u] >> ((32u - shift) & 31u)), words[word], shift == 0u);
}`,
  // |x|·2/π modulo 4 for |x| ≥ ½, in units of 2⁻⁶²: Payne and Hanek's reduction, in integers
  quarterTurns: `fn quarterTurns(x: f32) -> vec2u {
let m = (bitcast<u32>(x) & 0x7fffffu) | 0x800000u;
let first = (magnitude(x) >> 23u) - 120u;
let next = twoOverPi(first + 32u);
let below = highProduct(m, twoOverPi(first + 64u));
let low = m * next + below;
return vec2u(m * twoOverPi(first) + highProduct(m, next) + select(0u, 1u, low < below), low);
}`,
  // sin(x + turn·π/2), turn = 0 or 1, for any x: sin r = r + r³·s(r²), cos r = 1 − r²/2 + r⁴·c(r²), |r| ≤ π/4; 2.5 ulp
  sine: `fn sine(x: f32, turn: u32) -> f32 {
if (!isFinite(x)) { return replaced(0.0, 0x7fc00000u, true); }
var r = x;
var quarter = turn;
if (magnitude(x) > 0x3f490fdau) {
let turns = quarterTurns(x);
let k = (turns.x + 0x20000000u) >> 30u;
let high = turns.x - (k << 30u);
let isBelow = high >= 0x80000000u;
let size = (f32(select(high, ~high, isBelow)) + f32(select(turns.y, ~turns.y, isBelow)) * ${2 ** -32}) * ${(Math.PI / 2) * 2 ** -30};
let isNegative = bitcast<i32>(x) < 0;
r = select(size, -size, isBelow != isNegative);
quarter += select(k, 0u - k, isNegative);
}
let z = r * r;
let s = fma(fma(-0.000195179062, z, 0.00833218731), z, -0.166666552);
let c = fma(fma(2.44323273e-5, z, -0.00138873095), z, 0.0416666456);
let y = select(withSignOf(fma(s * z, r, r), r), fma(c * z, z, fma(z, -0.5, 1.0)), (quarter & 1u) == 1u);
return select(y, -y, (quarter & 2u) == 2u);
}`,
  sinOf: 'fn sinOf(x: f32) -> f32 { return sine(x, 0u); }',
  cosOf: 'fn cosOf(x: f32) -> f32 { return sine(x, 1u); }',

  // the angle of the point (x, y), through arctan t = t + t³·p(t²), t ≤ tan(π/8), else π/4 + arctan((t − 1)/(t + 1)); 5 ulp
  arctan2: `fn arctan2(y: f32, x: f32) -> f32 {
let isSteep = magnitude(y) > magnitude(x);
let low = bitcast<f32>(min(magnitude(x), magnitude(y)));
let high = bitcast<f32>(max(magnitude(x), magnitude(y)));
let diagonal = select(0.0, 1.0, magnitude(high) > 0u);
let t = select(divided(low, high), diagonal, magnitude(low) == magnitude(high));
let isUpper = t > 0.414213568;
let r = select(t, (t - 1.0) / (t + 1.0), isUpper);
let z = r * r;
let p = fma(fma(fma(0.0805374458, z, -0.138776854), z, 0.199777111), z, -0.333329499);
var angle = fma(p * z, r, r);
angle = select(angle, angle + 0.785398185, isUpper);
angle = select(angle, 1.57079637 - angle, isSteep);
angle = select(angle, 3.14159274 - angle, bitcast<i32>(x) < 0);
return orNaN(orNaN(withSignOf(angle, y), x), y);
}`,
}
