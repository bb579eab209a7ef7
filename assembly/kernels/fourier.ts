// The fast Fourier transform for lengths that are a power of two: Stockham's algorithm of radix 4, whose result is in
// order.
//
//   out[k] = Σ_j input[j] w^(jk),  w = e^(−2πi/n)
//
// A stage takes sequences of length n whose elements are `stride` apart and makes four times as many of length n/4. The
// elements at one position of all sequences are neighbours, so that vectors run along them from the second stage on, or
// from the first if there is more than one column.

import { FOURIER_FIXED, Fourier } from '../shared/instructions'
import { madd, nmadd } from '../simd'

/**
 * real and imag of w^k for k < n, n a power of two. w, w², w⁴, … come from halving angles; every other power is the
 * product of those for the bits of its exponent, in float64.
 */
export function roots_of_unity(real: usize, imag: usize, n: i32, temporary: usize): void {
  // w^(2^b) at b, followed by the products over the bits from b on
  const products = temporary + 512
  const bits = ctz(n)
  let c: f64 = -1
  let s: f64 = 0
  for (let b = bits - 1; b >= 0; b--) {
    store<f64>(temporary + (<usize>b << 4), c)
    store<f64>(temporary + (<usize>b << 4), s, 8)
    // cos ½x = √(½ (1 + cos x)), sin ½x = sin x / (2 cos ½x)
    const half = sqrt<f64>((c + 1) * 0.5)
    s = half == 0 ? -1 : s / (2 * half)
    c = half
  }
  for (let b = 0; b <= bits; b++) {
    store<f64>(products + (<usize>b << 4), 1)
    store<f64>(products + (<usize>b << 4), 0, 8)
  }
  store<f32>(real, 1)
  store<f32>(imag, 0)
  for (let k = 1; k < n; k++) {
    const bit = ctz(k)
    const root = temporary + (<usize>bit << 4)
    const above = products + (<usize>(bit + 1) << 4)
    const x = load<f64>(root) * load<f64>(above) - load<f64>(root, 8) * load<f64>(above, 8)
    const y = load<f64>(root) * load<f64>(above, 8) + load<f64>(root, 8) * load<f64>(above)
    for (let b = bit; b >= 0; b--) {
      store<f64>(products + (<usize>b << 4), x)
      store<f64>(products + (<usize>b << 4), y, 8)
    }
    store<f32>(real + (<usize>k << 2), <f32>x)
    store<f32>(imag + (<usize>k << 2), <f32>y)
  }
}

/** The last stage of two elements, `count` of them. */
export function fourier_2_f32(outReal: usize, outImag: usize, real: usize, imag: usize, count: i32): void {
  const far = <usize>count << 2
  for (; count >= 4; count -= 4) {
    const a = v128.load(real)
    const b = v128.load(real + far)
    const c = v128.load(imag)
    const d = v128.load(imag + far)
    v128.store(outReal, f32x4.add(a, b))
    v128.store(outReal + far, f32x4.sub(a, b))
    v128.store(outImag, f32x4.add(c, d))
    v128.store(outImag + far, f32x4.sub(c, d))
    outReal += 16
    outImag += 16
    real += 16
    imag += 16
  }
  for (; count > 0; count--) {
    const a = load<f32>(real)
    const b = load<f32>(real + far)
    const c = load<f32>(imag)
    const d = load<f32>(imag + far)
    store<f32>(outReal, a + b)
    store<f32>(outReal + far, a - b)
    store<f32>(outImag, c + d)
    store<f32>(outImag + far, c - d)
    outReal += 4
    outImag += 4
    real += 4
    imag += 4
  }
}

/**
 * One position of a stage of four: `count` neighbours that share their roots r, r², r³. Inputs are `from` bytes apart,
 * outputs `to` bytes.
 */
export function fourier_4_f32(
  outReal: usize, outImag: usize, real: usize, imag: usize, count: i32, from: usize, to: usize, rootsReal: usize, rootsImag: usize, k: usize,
): void {
  const r1 = v128.load32_splat(rootsReal + k)
  const i1 = v128.load32_splat(rootsImag + k)
  const r2 = v128.load32_splat(rootsReal + 2 * k)
  const i2 = v128.load32_splat(rootsImag + 2 * k)
  const r3 = v128.load32_splat(rootsReal + 3 * k)
  const i3 = v128.load32_splat(rootsImag + 3 * k)
  for (; count >= 4; count -= 4) {
    const aReal = v128.load(real)
    const cReal = v128.load(real + 2 * from)
    const aImag = v128.load(imag)
    const cImag = v128.load(imag + 2 * from)
    const sumAcReal = f32x4.add(aReal, cReal)
    const sumAcImag = f32x4.add(aImag, cImag)
    const lessAcReal = f32x4.sub(aReal, cReal)
    const lessAcImag = f32x4.sub(aImag, cImag)
    const bReal = v128.load(real + from)
    const dReal = v128.load(real + 3 * from)
    const bImag = v128.load(imag + from)
    const dImag = v128.load(imag + 3 * from)
    const sumBdReal = f32x4.add(bReal, dReal)
    const sumBdImag = f32x4.add(bImag, dImag)
    const lessBdReal = f32x4.sub(bReal, dReal)
    const lessBdImag = f32x4.sub(bImag, dImag)
    v128.store(outReal, f32x4.add(sumAcReal, sumBdReal))
    v128.store(outImag, f32x4.add(sumAcImag, sumBdImag))
    // (a − c) − i (b − d), times r
    let x = f32x4.add(lessAcReal, lessBdImag)
    let y = f32x4.sub(lessAcImag, lessBdReal)
    v128.store(outReal + to, nmadd(i1, y, f32x4.mul(r1, x)))
    v128.store(outImag + to, madd(i1, x, f32x4.mul(r1, y)))
    x = f32x4.sub(sumAcReal, sumBdReal)
    y = f32x4.sub(sumAcImag, sumBdImag)
    v128.store(outReal + 2 * to, nmadd(i2, y, f32x4.mul(r2, x)))
    v128.store(outImag + 2 * to, madd(i2, x, f32x4.mul(r2, y)))
    x = f32x4.sub(lessAcReal, lessBdImag)
    y = f32x4.add(lessAcImag, lessBdReal)
    v128.store(outReal + 3 * to, nmadd(i3, y, f32x4.mul(r3, x)))
    v128.store(outImag + 3 * to, madd(i3, x, f32x4.mul(r3, y)))
    real += 16
    imag += 16
    outReal += 16
    outImag += 16
  }
}

/** The same for `count` < 4 neighbours at `places` positions: the roots advance by `step` from position to position. */
export function fourier_4_narrow_f32(
  outReal: usize, outImag: usize, real: usize, imag: usize, count: i32, from: usize, to: usize, rootsReal: usize, rootsImag: usize, step: usize, places: i32,
  skip: usize,
): void {
  let k: usize = 0
  for (; places > 0; places--) {
    const r1 = load<f32>(rootsReal + k)
    const i1 = load<f32>(rootsImag + k)
    const r2 = load<f32>(rootsReal + 2 * k)
    const i2 = load<f32>(rootsImag + 2 * k)
    const r3 = load<f32>(rootsReal + 3 * k)
    const i3 = load<f32>(rootsImag + 3 * k)
    for (let n = 0; n < count; n++) {
      const aReal = load<f32>(real)
      const cReal = load<f32>(real + 2 * from)
      const aImag = load<f32>(imag)
      const cImag = load<f32>(imag + 2 * from)
      const bReal = load<f32>(real + from)
      const dReal = load<f32>(real + 3 * from)
      const bImag = load<f32>(imag + from)
      const dImag = load<f32>(imag + 3 * from)
      store<f32>(outReal, aReal + cReal + (bReal + dReal))
      store<f32>(outImag, aImag + cImag + (bImag + dImag))
      let x = aReal - cReal + (bImag - dImag)
      let y = aImag - cImag - (bReal - dReal)
      store<f32>(outReal + to, r1 * x - i1 * y)
      store<f32>(outImag + to, r1 * y + i1 * x)
      x = aReal + cReal - (bReal + dReal)
      y = aImag + cImag - (bImag + dImag)
      store<f32>(outReal + 2 * to, r2 * x - i2 * y)
      store<f32>(outImag + 2 * to, r2 * y + i2 * x)
      x = aReal - cReal - (bImag - dImag)
      y = aImag - cImag + (bReal - dReal)
      store<f32>(outReal + 3 * to, r3 * x - i3 * y)
      store<f32>(outImag + 3 * to, r3 * y + i3 * x)
      real += 4
      imag += 4
      outReal += 4
      outImag += 4
    }
    k += step
    real += skip
    imag += skip
    outReal += skip + 3 * to
    outImag += skip + 3 * to
  }
}

/** All positions of a stage of four: sequences of length n, `stride` neighbours. step: bytes from root to root. */
function stage(outReal: usize, outImag: usize, real: usize, imag: usize, n: i32, stride: i32, rootsReal: usize, rootsImag: usize, step: usize): void {
  const to = <usize>stride << 2
  const places = n >> 2
  const from = <usize>places * to
  const wide = stride & -4
  if (wide) {
    for (let p = 0; p < places; p++) {
      const at = <usize>p * to
      fourier_4_f32(outReal + 4 * at, outImag + 4 * at, real + at, imag + at, wide, from, to, rootsReal, rootsImag, <usize>p * step)
    }
  }
  if (stride > wide) {
    const at = <usize>wide << 2
    fourier_4_narrow_f32(outReal + at, outImag + at, real + at, imag + at, stride - wide, from, to, rootsReal, rootsImag, step, places, at)
  }
}

/** Runs a Fourier. */
export function fourier(instruction: usize, _part: i32, _parts: i32): void {
  let outReal = load<usize>(instruction, Fourier.outReal)
  let outImag = load<usize>(instruction, Fourier.outImag)
  let real = load<usize>(instruction, Fourier.real)
  let imag = load<usize>(instruction, Fourier.imag)
  const axis = load<i32>(instruction, Fourier.axis)
  const inner = load<i32>(instruction, Fourier.inner)
  const temporary = load<usize>(instruction, Fourier.temporary)
  const block = <usize>(axis * inner) << 2
  const rootsReal = temporary + FOURIER_FIXED
  const rootsImag = rootsReal + (<usize>axis << 2)
  const spareReal = rootsImag + (<usize>axis << 2)
  const spareImag = spareReal + block
  roots_of_unity(rootsReal, rootsImag, axis, temporary)
  // two bits a stage; the last stage may have one
  const stages = ctz(axis) + 1 >> 1
  for (let outer = load<i32>(instruction, Fourier.outer); outer > 0; outer--) {
    let fromReal = real
    let fromImag = imag
    let n = axis
    let stride = inner
    if (n == 1) {
      memory.copy(outReal, real, block)
      memory.copy(outImag, imag, block)
    }
    for (let left = stages; left > 0; left--) {
      // so that the last stage writes to the result
      const toReal = left & 1 ? outReal : spareReal
      const toImag = left & 1 ? outImag : spareImag
      if (n == 2) fourier_2_f32(toReal, toImag, fromReal, fromImag, stride)
      else stage(toReal, toImag, fromReal, fromImag, n, stride, rootsReal, rootsImag, <usize>(axis / n) << 2)
      fromReal = toReal
      fromImag = toImag
      n >>= 2
      stride <<= 2
    }
    outReal += block
    outImag += block
    real += block
    imag += block
  }
}
