// The numeric contract of the elementwise ops: the largest error in ulp against float64, over magnitudes of both signs from the
// smallest denormal to the largest float32, and the special values. tests/assembly/math.test.ts sweeps kernels more densely.

import { describe, expect, inject, it } from 'vitest'
import { grad, ops, tensor, type Tensor, type TensorLike } from '../../src'
import {
  erf,
  erfInv,
  gelu,
  geluTanh,
  roundHalfEven,
  sigmoid,
  softplus,
  tanhSoftplus,
} from '../../src/engine/primitives/special'
import { expectClose, ulpError } from '../helpers/compare'
import { generator } from '../helpers/data'
import { expectTable } from '../helpers/documented'

interface Contract {
  readonly op: (x: TensorLike) => Tensor
  readonly truth: (x: number) => number
  /** The largest error in ulp. Default 4. */
  readonly ulp?: number
  /** Whether results that would be denormal may be 0. */
  readonly flushes?: boolean
}

const exact = (op: Contract['op'], truth: Contract['truth']): Contract => ({ op, truth, ulp: 0.5 })

const elu = (x: number): number => (x > 0 ? x : Math.expm1(x))
/** x · s(x) for a gate that is 0 at −∞. */
const gatedBy =
  (gate: (x: number) => number) =>
  (x: number): number =>
    x === -Infinity ? -0 : x * gate(x)

/** erfc with a small relative error: for large x its continued fraction, from the inside out. */
function erfc(x: number): number {
  if (!(x >= 2)) return 1 - erf(x)
  let fraction = x
  for (let n = 100; n >= 1; n--) fraction = x + n / 2 / fraction
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / fraction
}

/** I₀(x) = Σ (x²/4)ᵏ / (k!)² */
function bessel(x: number): number {
  if (Math.abs(x) > 200) return Infinity
  let [sum, term] = [1, 1]
  for (let k = 1; k < 40 || term > sum * 1e-17; k++) sum += term *= (x * x) / 4 / (k * k)
  return sum
}

const CONTRACTS = {
  abs: exact(ops.abs, Math.abs),
  arccos: { op: ops.arccos, truth: Math.acos, ulp: 4.6 },
  arccosh: { op: ops.arccosh, truth: Math.acosh },
  arcsin: { op: ops.arcsin, truth: Math.asin, ulp: 4.6 },
  arcsinh: { op: ops.arcsinh, truth: Math.asinh },
  arctan: { op: ops.arctan, truth: Math.atan },
  arctanh: { op: ops.arctanh, truth: Math.atanh },
  cbrt: { op: ops.cbrt, truth: Math.cbrt },
  ceil: exact(ops.ceil, Math.ceil),
  cos: { op: ops.cos, truth: Math.cos },
  cosh: { op: ops.cosh, truth: Math.cosh },
  deg2rad: { op: ops.deg2rad, truth: (x) => x * (Math.PI / 180) },
  elu: { op: (x) => ops.elu(x), truth: elu },
  erf: { op: ops.erf, truth: erf },
  erfinv: { op: ops.erfinv, truth: erfInv },
  erfc: { op: ops.erfc, truth: erfc, ulp: 5.5 },
  exp: { op: ops.exp, truth: Math.exp },
  exp2: { op: ops.exp2, truth: (x) => 2 ** x },
  expm1: { op: ops.expm1, truth: Math.expm1 },
  exponential: { op: ops.exponential, truth: Math.exp },
  fabs: exact(ops.fabs, Math.abs),
  floor: exact(ops.floor, Math.floor),
  gelu: { op: (x) => ops.gelu(x, false), truth: gelu, ulp: 4.8, flushes: true },
  'gelu, approximate': { op: (x) => ops.gelu(x), truth: geluTanh },
  hardSigmoid: { op: ops.hardSigmoid, truth: (x) => Math.min(Math.max((x + 3) / 6, 0), 1) },
  i0: { op: ops.i0, truth: bessel },
  leakyRelu: { op: (x) => ops.leakyRelu(x), truth: (x) => (x < 0 ? 0.2 * x : x) },
  linear: exact(ops.linear, (x) => x),
  log: { op: ops.log, truth: Math.log },
  log10: { op: ops.log10, truth: Math.log10 },
  log1p: { op: ops.log1p, truth: Math.log1p },
  log2: { op: ops.log2, truth: Math.log2 },
  mish: { op: ops.mish, truth: gatedBy(tanhSoftplus) },
  negative: exact(ops.negative, (x) => -x),
  rad2deg: { op: ops.rad2deg, truth: (x) => x * (180 / Math.PI) },
  reciprocal: exact(ops.reciprocal, (x) => 1 / x),
  relu: exact(ops.relu, (x) => (x < 0 ? 0 : x)),
  relu6: exact(ops.relu6, (x) => (x > 6 ? 6 : x < 0 ? 0 : x)),
  round: exact(ops.round, roundHalfEven),
  rsqrt: { op: ops.rsqrt, truth: (x) => 1 / Math.sqrt(x) },
  selu: { op: ops.selu, truth: (x) => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * Math.expm1(x)) },
  sigmoid: { op: ops.sigmoid, truth: sigmoid },
  sign: exact(ops.sign, Math.sign),
  silu: { op: ops.silu, truth: gatedBy(sigmoid) },
  sin: { op: ops.sin, truth: Math.sin },
  sinh: { op: ops.sinh, truth: Math.sinh },
  softplus: { op: ops.softplus, truth: softplus },
  softsign: { op: ops.softsign, truth: (x) => x / (1 + Math.abs(x)) },
  sqrt: exact(ops.sqrt, Math.sqrt),
  square: exact(ops.square, (x) => x * x),
  tan: { op: ops.tan, truth: Math.tan },
  tanh: { op: ops.tanh, truth: Math.tanh, ulp: 5.9 },
  trunc: exact(ops.trunc, Math.trunc),
} satisfies Record<string, Contract>

const SPECIAL = [
  NaN,
  Infinity,
  -Infinity,
  0,
  -0,
  1,
  -1,
  2 ** -149,
  -(2 ** -149),
  3.4028234663852886e38,
  -3.4028234663852886e38,
]

/** Operands with the largest errors of erfc, tanh, arcsin and arccos, from a search of all float32. */
const WORST = [
  1.715319037437439, 7.866668224334717, 4.182971000671387, 6.991095542907715, 0.4038010239601135, 0.6835940480232239,
]

/**
 * Bit patterns spread over all finite float32, evenly spaced numbers in [−110, 110] and [−4, 4], special values and the worst
 * ones.
 */
const SWEEP = ((): number[] => {
  const random = generator(5)
  const PART = 3000
  const x = new Float32Array(4 * PART)
  const bits = new Uint32Array(x.buffer)
  for (let i = 0; i < PART; i++) {
    bits[i] = Math.floor(((i + random()) / PART) * 0x7f800000) + (i % 2) * 0x80000000
    x[PART + i] = ((2 * (i + random())) / PART - 1) * 110
    x[2 * PART + i] = ((2 * (i + random())) / PART - 1) * 4
    // where the tails of gelu lie
    x[3 * PART + i] = (-15 * (i + random())) / PART
  }
  const besideOne = [1, 2, 3, 7, 8, 9, 99].flatMap((n) => [1 - n * 2 ** -24, 1 + n * 2 ** -23])
  return [...x, ...SPECIAL, ...WORST, ...besideOne, ...besideOne.map((one) => -one)]
})()

describe('elementwise ops of one operand', () => {
  it.each(Object.entries<Contract>(CONTRACTS))('%s', (_name, { op, truth, ulp = 4, flushes = false }) => {
    const received = op(tensor(SWEEP)).data as Float32Array
    const wrong: [number, string][] = []
    for (const [i, x] of SWEEP.entries()) {
      const expected = truth(x)
      const error = ulpError(received[i]!, expected)
      if (flushes && Math.abs(expected) < 2 ** -126 && received[i] === 0) continue
      if (error > ulp)
        wrong.push([error, `${x}: expected ${expected}, received ${received[i]} (${error.toPrecision(3)} ulp)`])
    }
    wrong.sort((a, b) => b[0] - a[0])
    expect(wrong.slice(0, 5).map(([, text]) => text)).toEqual([])
  })

  it.runIf(inject('mode') === 'simd')('docs/checks.md has the largest errors', () => {
    const rows = Object.entries<Contract>(CONTRACTS).flatMap(([name, { op, truth, ulp = 4, flushes = false }]) => {
      if (ulp <= 0.5) return []
      const received = op(tensor(SWEEP)).data as Float32Array
      const errors = SWEEP.map((x, i) =>
        flushes && Math.abs(truth(x)) < 2 ** -126 && received[i] === 0 ? 0 : ulpError(received[i]!, truth(x)),
      )
      return [[`\`${name}\``, Math.max(...errors).toFixed(1), ulp]]
    })
    expectTable('docs/checks.md', 'ulp', ['', 'largest error', 'limit'], rows)
  })

  it('sinh and cosh are finite for all results that float32 can represent', () => {
    expect([ops.cosh(0).item(), ops.cosh(1e-5).item(), ops.sinh(-0).item()]).toEqual([1, 1, -0])
    const x = [88.73, 89.3, 89.41, 89.415, 89.42, 89.5, 1e3]
    for (const sign of [1, -1]) {
      for (const [op, truth] of [
        [ops.sinh, Math.sinh],
        [ops.cosh, Math.cosh],
      ] as const) {
        const received = op(tensor(x.map((each) => sign * each))).data as Float32Array
        for (const [i, each] of x.entries())
          expect(ulpError(received[i]!, truth(sign * Math.fround(each))), `${sign * each}`).toBeLessThanOrEqual(4)
      }
    }
  })
})

/** d of a float64 function, by a central difference of fourth order. */
function slope(f: (x: number) => number, x: number): number {
  const h = 1e-3 * Math.max(1, Math.abs(x))
  return (8 * (f(x + h) - f(x - h)) - (f(x + 2 * h) - f(x - 2 * h))) / (12 * h)
}

describe('gradients of ops of one operand', () => {
  const points: Partial<Record<keyof typeof CONTRACTS, readonly number[]>> = {
    arccosh: [1.1, 2, 50, 1e10],
    cbrt: [-1000, -2, -0.3, 0.3, 5, 1e6],
    cosh: [-89.4, -88.5, -3, -0.2, 0, 0.7, 20, 89],
    erfc: [-3, -0.7, 0, 0.2, 1.5, 4],
    erfinv: [-0.9, -0.5, 0, 0.25, 0.9],
    gelu: [-5, -1.5, -0.1, 0, 0.4, 3],
    'gelu, approximate': [-5, -1.5, -0.1, 0, 0.4, 3],
    hardSigmoid: [-5, -2, 0, 1.5, 4],
    i0: [-12, -8.1, -7.9, -1, 0, 0.3, 5, 20],
    mish: [-20, -4, -0.5, 0, 0.5, 4, 30],
    silu: [-20, -4, -0.5, 0, 0.5, 4, 30],
    sinh: [-89.4, -88.5, -3, -0.2, 0, 0.7, 20, 89],
    softsign: [-3, 0.5, 4],
  }
  it.each(Object.entries(points))('%s', (name, x) => {
    const { op, truth } = CONTRACTS[name as keyof typeof CONTRACTS]
    const received = grad((value: Tensor) => ops.sum(op(value)))(tensor(x)).data as Float32Array
    for (const [i, at] of x.entries()) {
      const expected = slope(truth, Math.fround(at))
      expect(Math.abs(received[i]! - expected), `at ${at}: ${received[i]}, expected ${expected}`).toBeLessThanOrEqual(
        3e-6 * Math.max(1, Math.abs(expected)),
      )
    }
  })

  it('of cbrt are not NaN for operands of any magnitude', () => {
    const x = [1e-44, -3e-40, 1e-30, 1e30, -3e38].map(Math.fround)
    const received = grad((value: Tensor) => ops.sum(ops.cbrt(value)))(tensor(x)).data as Float32Array
    for (const [i, at] of x.entries())
      expect(ulpError(received[i]!, Math.cbrt(at) / (3 * at)), `at ${at}`).toBeLessThanOrEqual(40)
  })

  it('of activations are 0 or 1 far from 0', () => {
    const far = [-3e38, -1e10, -300, 300, 1e10]
    for (const name of ['gelu', 'gelu, approximate', 'mish', 'silu'] as const) {
      const received = grad((value: Tensor) => ops.sum(CONTRACTS[name].op(value)))(tensor(far))
      expect(Array.from(received.data, Math.abs), name).toEqual([0, 0, 0, 1, 1])
    }
  })
})

describe('int32 operands give the results of the same float32 numbers', () => {
  const smallest = -(2 ** 31)
  const largest = 2 ** 31 - 1
  const cases: [string, (x: TensorLike) => Tensor, (x: number) => number, number[]][] = [
    ['sinh', ops.sinh, Math.sinh, [smallest, -3, largest]],
    ['cosh', ops.cosh, Math.cosh, [smallest, -3, largest]],
    ['arctanh', ops.arctanh, Math.atanh, [smallest, -1, 0, 1, largest]],
    ['softsign', ops.softsign, (x) => x / (1 + Math.abs(x)), [smallest, -3, largest]],
    ['gelu', (x) => ops.gelu(x), geluTanh, [smallest, -2, 2000, largest]],
    ['hardSigmoid', ops.hardSigmoid, (x) => Math.min(Math.max((x + 3) / 6, 0), 1), [smallest, 1, largest]],
    ['silu', ops.silu, gatedBy(sigmoid), [-2, 2000, largest]],
    ['logaddexp', (x) => ops.logaddexp(x, tensor(Int32Array.of(-2))), (x) => Math.max(x, -2), [smallest, largest]],
  ]
  it.each(cases)('%s', (_name, op, truth, x) => {
    const received = op(tensor(Int32Array.from(x))).data as Float32Array
    for (const [i, each] of x.entries())
      expect(ulpError(received[i]!, truth(each)), `at ${each}: ${received[i]}`).toBeLessThanOrEqual(4)
  })

  it('floorDivide and mod', () => {
    const extremes = [smallest, -7, -1, 0, 1, 7, largest]
    const pairs = extremes.flatMap((a) => [smallest, -3, -1, 0, 1, 3, largest].map((b): [number, number] => [a, b]))
    const [a, b] = [0, 1].map((i) => tensor(Int32Array.from(pairs, (pair) => pair[i]!))) as [Tensor, Tensor]
    expect(ops.floorDivide(a, b).toArray()).toEqual(pairs.map(([x, y]) => (y === 0 ? 0 : Math.floor(x / y) | 0)))
    expect(ops.mod(a, b).toArray()).toEqual(pairs.map(([x, y]) => (y === 0 ? 0 : (((x % y) + y) % y) + 0)))
  })
})

describe('floorDivide and mod of float32', () => {
  it('satisfy floorDivide · b + mod = a, as in Python', () => {
    // NumPy's floor_divide and remainder of float32
    const cases: [number, number, number, number][] = [
      [6, 0.1, 59, 0.09999991208314896],
      [-6, 0.1, -60, 8.940696716308594e-8],
      [6, -0.1, -60, -8.940696716308594e-8],
      [-6, -0.1, 59, -0.09999991208314896],
      [1, 0.1, 9, 0.09999998658895493],
      [-0, 3, -0, 0],
      [0, -3, -0, -0],
      [-1, Infinity, -1, Infinity],
      [1, -Infinity, -1, -Infinity],
      [1, Infinity, 0, 1],
      [-0, Infinity, -0, 0],
      [1e-45, -1e30, -1, -1e30],
      [-1e-20, 1, -1, 1],
      [-5, 0, -Infinity, NaN],
      [5, 0, Infinity, NaN],
      [0, 0, NaN, NaN],
      [Infinity, 0, Infinity, NaN],
      [Infinity, 1, NaN, NaN],
      [-Infinity, Infinity, NaN, NaN],
      [5, NaN, NaN, NaN],
      [NaN, 5, NaN, NaN],
    ]
    const [a, b] = [tensor(cases.map(([x]) => x)), tensor(cases.map(([, y]) => y))]
    const bits = { ulp: 0, absolute: 0, signedZero: true }
    const column = (i: 2 | 3): Float32Array => Float32Array.from(cases, (row) => row[i])
    expectClose(ops.floorDivide(a, b).data as Float32Array, column(2), bits, 'floorDivide')
    expectClose(ops.mod(a, b).data as Float32Array, column(3), bits, 'mod')
  })

  /** A float32 as a whole number of 2⁻¹⁴⁹. */
  const whole = (x: number): bigint => BigInt(x * 2 ** 149)

  it('are exact for quotients of any magnitude', () => {
    const random = generator(11)
    const size = (): number =>
      Math.fround((random() < 0.5 ? -1 : 1) * (1 + random()) * 2 ** Math.floor(276 * random() - 149))
    const a = Array.from({ length: 3000 }, size)
    // a third are near a multiple
    const b = a.map((x, i) => (i % 3 === 0 ? Math.fround(x / Math.ceil(1e5 * random())) || 1 : size() || 1))
    const [quotient, rest] = [ops.floorDivide(tensor(a), tensor(b)).data, ops.mod(tensor(a), tensor(b)).data]
    const wrong: string[] = []
    for (const [i, x] of a.entries()) {
      const [n, d] = [whole(x), whole(b[i]!)]
      let remainder = n % d
      if (remainder !== 0n && remainder < 0n !== d < 0n) remainder += d
      const exactRest = Math.fround(Number(remainder) * 2 ** -149)
      const exactQuotient = Number((n - remainder) / d)
      const error = ulpError(quotient[i] as number, exactQuotient)
      if (rest[i] !== exactRest || error > (Math.abs(exactQuotient) < 2 ** 24 ? 0 : 0.51))
        wrong.push(`${x} by ${b[i]}: ${quotient[i]} and ${rest[i]}, not ${exactQuotient} and ${exactRest}`)
    }
    expect(wrong.slice(0, 5)).toEqual([])
  })

  it('an element does not depend on its neighbours', () => {
    const a = [1e30, 7, -7, -8, 3e38, 5]
    const b = [3, 3, Infinity, -Infinity, 1e-40, 0.1]
    const together = ops.mod(tensor(a), tensor(b)).toArray()
    expect(a.map((x, i) => ops.mod(x, b[i]!).item())).toEqual(together)
  })

  it('have the gradients of a − ⌊a/b⌋·b', () => {
    const [a, b] = [tensor([7, -7, 6]), tensor([3, 3, 0.1])]
    expect(grad((x: Tensor) => ops.sum(ops.mod(x, b)))(a).toArray()).toEqual([1, 1, 1])
    expectClose(
      grad((y: Tensor) => ops.sum(ops.mod(a, y)))(b).data as Float32Array,
      Float32Array.of(-2, 3, -59),
      { ulp: 2, absolute: 0, signedZero: false },
      'by b',
    )
    expect(grad((x: Tensor) => ops.sum(ops.floorDivide(x, b)))(a).toArray()).toEqual([0, 0, 0])
  })
})

describe('logaddexp', () => {
  const cases: [number, number][] = [
    [0, -17],
    [-17, 0],
    [0, -80],
    [0, 0],
    [3, 3],
    [-1, -2],
    [100, 99],
    [-200, -203],
    [1e30, 5],
    [5, -1e30],
  ]
  const truth = (a: number, b: number): number => Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)))
  const share = (own: number, other: number): number => 1 / (1 + Math.exp(other - own))

  it.each(cases)('of %d and %d, and its gradients', (a, b) => {
    expect(ulpError(ops.logaddexp(a, b).item() as number, truth(a, b))).toBeLessThanOrEqual(4)
    const left = grad((x: Tensor) => ops.logaddexp(x, b))(tensor(a)).item() as number
    const right = grad((x: Tensor) => ops.logaddexp(a, x))(tensor(b)).item() as number
    expect(ulpError(left, share(a, b))).toBeLessThanOrEqual(4)
    expect(ulpError(right, share(b, a))).toBeLessThanOrEqual(4)
  })

  it('of infinities and NaN', () => {
    const of = (a: number, b: number) => ops.logaddexp(a, b).item()
    expect(of(-Infinity, -Infinity)).toBe(-Infinity)
    expect(of(Infinity, Infinity)).toBe(Infinity)
    expect(of(-Infinity, 2)).toBe(2)
    expect(of(2, -Infinity)).toBe(2)
    expect(of(Infinity, -Infinity)).toBe(Infinity)
    expect(of(NaN, 1)).toBeNaN()
    expect(grad((x: Tensor) => ops.logaddexp(x, 2))(tensor(-Infinity)).item()).toBe(0)
  })
})
