// Running sums, products and linear recurrences on the GPU: a thread for each line along the axis. Floats are kept in two parts,
// so that the error does not grow with the length.

import { splitAround } from '../../../core/shapes'
import type { RunningResult } from '../../primitives/running'
import type { Sources } from '../functions/sources'
import type { RoutineKernel } from '../kernel'

/** How a line is computed. */
interface Line {
  readonly functions?: Sources
  /** The result before the first element. */
  readonly first: string
  /** The next result from the last one, y, and the element `at`. */
  readonly next: string
  readonly stored: string
}

/**
 * Declares sums and products in two parts, high and low. WGSL allows a compiler to reorder sums; `kept` prevents that, because
 * p.zero is known only at run time.
 */
const TWO_PARTS: Sources = {
  kept: 'fn kept(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) ^ p.zero); }',
  sumOf: `fn sumOf(a: f32, b: f32) -> vec2f {
let s = kept(a + b);
let v = kept(s - a);
return vec2f(s, kept(a - kept(s - v)) + kept(b - v));
}`,
  joined: `fn joined(high: f32, low: f32) -> vec2f {
if (!isFinite(high)) { return vec2f(high, 0.0); }
return sumOf(high, low);
}`,
  plus: `fn plus(y: vec2f, x: f32) -> vec2f {
let s = sumOf(y.x, x);
return joined(s.x, s.y + y.y);
}`,
  times: `fn times(y: vec2f, x: f32) -> vec2f {
let s = kept(y.x * x);
let a = leading(y.x);
let b = leading(x);
let c = y.x - a;
let d = x - b;
return joined(s, fma(y.y, x, kept(kept(kept(a * b - s) + a * d) + c * b) + c * d));
}`,
}

const X = 'f32At(p.x + at)'
const floatLine = (first: string, next: string): Line => ({
  functions: TWO_PARTS,
  first: `vec2f(${first}, 0.0)`,
  next,
  stored: 'storeF32(p.out + at, y.x);',
})
const integerLine = (first: string, next: string): Line => ({ first, next, stored: 'storeI32(p.out + at, y);' })

const floats: Readonly<Record<RunningResult['kind'], Line>> = {
  sum: floatLine('0.0', `plus(y, ${X})`),
  product: floatLine('1.0', `times(y, ${X})`),
  affine: floatLine('0.0', `plus(times(y, f32At(p.factor + at)), ${X})`),
}
const integers = {
  sum: integerLine('0i', 'y + i32At(p.x + at)'),
  product: integerLine('1i', 'y * i32At(p.x + at)'),
}

export const running: RoutineKernel<RunningResult> = {
  lower({ axis: along, kind, isBackwards }, { inputs: [x, factor], outputs: [out], emit }) {
    const { outer, axis, inner } = splitAround(x!.shape, along)
    const line = x!.dtype === 'float32' || kind === 'affine' ? floats[kind] : integers[kind]
    emit.over(outer * inner, {
      fields: {
        x,
        out,
        factor: factor ?? x,
        axis,
        inner,
        zero: 0,
      },
      functions: line.functions ?? {},
      body: `var y = ${line.first};
for (var i = 0u; i < p.axis; i++) {
let at = (index / p.inner * p.axis + ${isBackwards ? 'p.axis - 1u - i' : 'i'}) * p.inner + index % p.inner;
y = ${line.next};
${line.stored}
}`,
    })
  },
}
