// Exponentials, logarithms and functions made of them, with the polynomials of assembly/math.ts: those of WGSL are too coarse.
//
// Arithmetic in two parts uses fma, whose product is exact anyway where an implementation of fma rounds it, so that neither
// this nor a reordering of sums loses the low part.

import { GELU_TANH } from '../../primitives/special'
import type { Sources } from './sources'

/** WGSL: the polynomial of `x` with the coefficients from the highest power to the constant. */
export function polynomial(x: string, [first, ...rest]: readonly number[]): string {
  return rest.reduce((sum, coefficient) => `fma(${sum}, ${x}, ${coefficient}f)`, `${first}f`)
}

/** ln 2 = LN2_HIGH + LN2_LOW; n · LN2_HIGH is exact for |n| < 256. */
const LN2_HIGH = 0.693145751953125
const LN2_LOW = 1.428606765330187e-6

/** A number as its first 12 bits and the rest. */
export function split(x: number): readonly [leading: number, rest: number] {
  const leading = Float32Array.of(x)
  new Uint32Array(leading.buffer)[0]! &= 0xfffff000
  return [leading[0]!, x - leading[0]!]
}
const [LINEAR, LINEAR_REST] = split(GELU_TANH.linear)
const [CUBIC, CUBIC_REST] = split(GELU_TANH.cubic)

export const exponentials: Sources = {
  // x = n·ln 2 + r: n, and r without the rounding of n·ln 2
  turnsOf: `fn turnsOf(x: f32) -> f32 { return round(x * ${Math.LOG2E}f); }`,
  restOf: `fn restOf(x: f32, n: f32) -> f32 { return fma(n, -${LN2_LOW}f, fma(n, -${LN2_HIGH}f, x)); }`,
  // e^r − 1 = r + r²·q(r) for |r| ≤ ln 2 / 2
  expm1Near: `fn expm1Near(r: f32) -> f32 {
return fma(${polynomial('r', [0.00138706574, 0.00836626161, 0.0416674353, 0.166665465, 0.49999997])}, r * r, r);
}`,
  // factor · e^(high + low) for a normal factor and a sum in [−200, 200]; 0 in place of denormals; 1.2 ulp
  expOfSum: `fn expOfSum(factor: f32, high: f32, low: f32) -> f32 {
let n = turnsOf(high + low);
return scaled(factor * (1.0 + expm1Near(restOf(high, n) + low)), i32(n));
}`,
  // e^x; 0 below −87.34; 1.2 ulp
  expOf: 'fn expOf(x: f32) -> f32 { return orNaN(expOfSum(1.0, clamp(x, -104.0, 89.0), 0.0), x); }',
  // e^x − 1 = 2·(2ⁿ⁻¹·t + (2ⁿ⁻¹ − ½)), t = e^r − 1; 1.7 ulp
  expm1Of: `fn expm1Of(x: f32) -> f32 {
let c = clamp(x, -25.0, 89.0);
let n = turnsOf(c);
let t = expm1Near(restOf(c, n));
let half = powerOfTwo(i32(n) - 1);
let y = fma(half, t, half - 0.5);
return orNaN(withSignOf(select(y + y, t, n == 0.0), x), x);
}`,

  // log(1 + f) + n·ln 2 for 1 + f in [√½, √2): f − f²/2 + f³·p(f)
  logNear: `fn logNear(f: f32, n: f32) -> f32 {
let z = f * f;
let p = ${polynomial('f', [-0.0763643906, 0.127622172, -0.131596103, 0.1420158, -0.166234091, 0.200012416, -0.250008196, 0.333333313])};
return fma(n, ${LN2_HIGH}f, f + fma(z, -0.5, fma(n, ${LN2_LOW}f, p * z * f)));
}`,
  // a positive normal x = 2ⁿ·m, m in [√½, √2): m and n
  mantissaOf:
    'fn mantissaOf(x: f32) -> f32 { return bitcast<f32>(((bitcast<u32>(x) - 0x3f3504f3u) & 0x7fffffu) + 0x3f3504f3u); }',
  exponentOf: 'fn exponentOf(x: f32) -> f32 { return f32((bitcast<i32>(x) - 0x3f3504f3) >> 23u); }',
  // y for 0 < x < Inf, else the special values of a logarithm: ±0 → −Inf, Inf → Inf, below 0 and NaN → NaN
  logSpecial: `fn logSpecial(y: f32, x: f32) -> f32 {
let size = bitcast<u32>(x);
let other = select(0x7fc00000u, size, size == 0x7f800000u);
return replaced(y, select(other, 0xff800000u, magnitude(x) == 0u), magnitude(x) == 0u || size >= 0x7f800000u);
}`,
  // ln x; 1 ulp
  logOf: `fn logOf(x: f32) -> f32 {
let v = select(x, enlarged(x), isTiny(x));
return logSpecial(logNear(mantissaOf(v) - 1.0, exponentOf(v) - select(0.0, 24.0, isTiny(x))), x);
}`,
  // ln(1 + x): 1 + x = 2ⁿ·(1 + f), f = 2⁻ⁿ·x + (2⁻ⁿ − 1), rounded once; 1 ulp
  log1pOf: `fn log1pOf(x: f32) -> f32 {
let u = x + 1.0;
let n = exponentOf(u);
let s = powerOfTwo(clamp(-i32(n), -126, 127));
let f = select(fma(x, s, s - 1.0), mantissaOf(u) - 1.0, n > 24.0);
return logSpecial(withSignOf(logNear(f, n), x), select(u, x, !isFinite(x)));
}`,

  // tanh x = x·P(x²)/Q(x²), |y| ≤ 1; 6 ulp
  tanhOf: `fn tanhOf(x: f32) -> f32 {
let c = clamp(x, -8.6, 8.6);
let z = c * c;
let p = ${polynomial('z', [1.54279753e-8, 2.20232469e-5, 0.00357899209, 0.134506211, 1])};
let q = ${polynomial('z', [8.59878128e-7, 0.000342365063, 0.0261922386, 0.467839479, 1])};
return orNaN(clamp(c * p / q, -1.0, 1.0), x);
}`,
  // σ(x) = 1/(1 + e^−x); 0 below −87.3; 3 ulp
  sigmoidOf: `fn sigmoidOf(x: f32) -> f32 {
let y = 1.0 / (1.0 + expOf(-clamp(x, -87.3, 30.0)));
return orNaN(select(y, 0.0, x < -87.3), x);
}`,
  // ln(1 + e^x) = max(x, 0) + ln(1 + e), e = e^−|x|, ln(1 + e) = e + e²·p(e); 2.5 ulp
  softplusOf: `fn softplusOf(x: f32) -> f32 {
let e = expOf(-abs(x));
let p = ${polynomial('e', [-0.00329107419, 0.0200884603, -0.0574604832, 0.106613711, -0.153449774, 0.196921214, -0.249580204, 0.333304644, -0.499999315])};
return orNaN(max(x, 0.0) + fma(p, e * e, e), x);
}`,
  // tanh(ln(1 + e^x)) = n/(n + 2), n = e^x (e^x + 2), through e = e^−|x|; for x ≥ 0 both over e^2x; 4 ulp
  tanhSoftplus: `fn tanhSoftplus(x: f32) -> f32 {
let e = expOf(-abs(x));
let above = 2.0 * e + select(1.0, e * e, x < 0.0);
return orNaN(above / (above + select(2.0 * e * e, 2.0, x < 0.0)), x);
}`,
  // x·gate, where the gate is e^x below −87 and may have vanished; 1.8 ulp
  gated: `fn gated(x: f32, gate: f32) -> f32 {
return orNaN(select(x * gate, expOfSum(max(x, -120.0), max(x, -120.0), 0.0), x < -87.0), x);
}`,

  // x·σ(v), v = x·w, w = a + b·x²; v and w in two parts, each from products that are exact; 4 ulp
  geluTanh: `fn geluTanh(x: f32) -> f32 {
let t = min(abs(x), 10.9);
let first = leading(t);
let last = t - first;
let square = leading(t * t);
let squareRest = fma(last, t + first, fma(first, first, -square));
let w = leading(fma(t * t, ${GELU_TANH.cubic}f, ${GELU_TANH.linear}f));
let wRest = fma(${CUBIC}f, square, ${LINEAR}f - w) + (${LINEAR_REST}f + fma(${CUBIC_REST}f, square, ${GELU_TANH.cubic}f * squareRest));
let high = -(first * w);
let low = -fma(last, w, t * wRest);
let y = select(x, expOfSum(max(x, -10.9), high, low), x < 0.0);
return orNaN(y / (1.0 + expOfSum(1.0, high, low)), x);
}`,
  // x·Φ(x) = max(x, 0) − |x|·Φ(−|x|), Φ(−t) = e^(−t²/2)/(1 + t/2) times a polynomial, t² in two parts; 5 ulp
  geluOf: `fn geluOf(x: f32) -> f32 {
let t = min(abs(x), 14.0);
let first = leading(t);
let w = t / fma(0.5, t, 1.0);
let u = fma(-0.5, w, 0.375);
let p = ${polynomial('u', [-0.03478521108627319, -0.05454651638865471, 0.05491608753800392, 0.02180316671729088, -0.07258401066064835, 0.05375545099377632, 0.04711563140153885, -0.13463662564754486, 0.004013861995190382, 0.3390079140663147, 0.3782447278499603])};
return orNaN(max(x, 0.0) - expOfSum(w * p, first * first * -0.5, (t - first) * (t + first) * -0.5), x);
}`,
  // (Φ(x) + x·φ(x)) dy = (½ + x·p(x²)/q(x²)) dy; an absolute error of 4e-7 dy
  geluGradient: `fn geluGradient(x: f32, dy: f32) -> f32 {
let t = clamp(x, -5.7383, 5.7383);
let z = t * t;
let p = ${polynomial('z', [1.9290145303330064e-7, 3.5953937185695395e-5, 1.9250112018198706e-5, 0.014230125583708286, -0.030994540080428123, 0.7978853583335876])};
let q = ${polynomial('z', [8.9515242507332e-6, 0.00019204053387511522, 0.003523044753819704, 0.04098055139183998, 0.29449567198753357, 1])};
return orNaN(dy * (t * p / q + 0.5), x);
}`,
  // erf t = t + t·p(t²), from 0.92 on 1 − e^−(t + t·q(t)); 1.3 ulp
  erfOf: `fn erfOf(x: f32) -> f32 {
let t = min(abs(x), 4.0);
let z = t * t;
let near = fma(${polynomial('z', [-0.000599441002, 0.00499402592, -0.0267673451, 0.112818435, -0.376124978, 0.128379151])}, t, t);
let far = 1.0 - expOf(-fma(${polynomial('t', [-0.000213925989, 0.00321446196, -0.0228883605, 0.105259314, 0.635720253, 0.128513783])}, t, t));
return orNaN(withSignOf(select(near, far, t > 0.921875), x), x);
}`,
  // erf⁻¹(x) = x·p(ln(1 − x²)), below −6 in powers of ln(1 − x²) + 11: ±1 → ±Inf, |x| > 1 → NaN; 3 ulp
  erfInv: `fn erfInv(x: f32) -> f32 {
let a = abs(x);
let t = logOf((1.0 - a) * (1.0 + a));
let near = ${polynomial('t', [5.84345416e-9, 1.53465649e-7, 1.33400226e-6, 7.07887978e-7, -5.42234993e-5, -0.000144042118, 0.00231857039, 0.0115413349, -0.232015073, 0.886226892])};
let c = t + 11.0;
let far = ${polynomial('c', [3.16249443e-10, 2.62289457e-9, -8.11855383e-9, -3.32574814e-7, -6.83136523e-6, -0.000140772361, -0.00334027526, -0.151649743, 3.15088367])};
let isOne = magnitude(x) == 0x3f800000u;
return replaced(x * select(near, far, t < -6.0), select(0x7fc00000u, bitcast<u32>(x) | 0x7f800000u, isOne), magnitude(x) >= 0x3f800000u);
}`,
}
