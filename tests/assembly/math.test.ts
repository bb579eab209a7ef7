// The numeric contracts of assembly/math.ts: the largest error of every elementary function over a dense sweep
// of float32, in units in the last place, against float64.

import { expect, it } from 'vitest'
import type { PrimitiveName } from '../../src/ir/attributes'
import type { UnaryName } from '../../src/primitives/elementwise'
import { erf, erfInv, geluSlope, sigmoid, softplus } from '../../src/primitives/special'
import { currentRuntime } from '../../src/runtime/current'
import { ulpError } from '../helpers/compare'
import type { TensorContent } from '../helpers/data'
import { exactly, generator } from '../helpers/data'
import { graphOf, runGraph } from '../helpers/graphs'

interface Contract {
  readonly name: UnaryName
  readonly truth: (x: number) => number
  readonly ulp: number
  /** The range swept in addition to all of float32. */
  readonly from: number
  readonly to: number
}

const CONTRACTS: readonly Contract[] = [
  { name: 'exp', truth: Math.exp, ulp: 1.3, from: -104, to: 89 },
  { name: 'expm1', truth: Math.expm1, ulp: 1.8, from: -18, to: 89 },
  { name: 'log', truth: Math.log, ulp: 1, from: 0, to: 4 },
  { name: 'log1p', truth: Math.log1p, ulp: 1, from: -1, to: 3 },
  { name: 'sqrt', truth: Math.sqrt, ulp: 0.5, from: 0, to: 10 },
  { name: 'rsqrt', truth: (x) => 1 / Math.sqrt(x), ulp: 1.5, from: 0, to: 10 },
  { name: 'reciprocal', truth: (x) => 1 / x, ulp: 0.5, from: -4, to: 4 },
  { name: 'sin', truth: Math.sin, ulp: 1.65, from: -100, to: 100 },
  { name: 'cos', truth: Math.cos, ulp: 1.65, from: -100, to: 100 },
  { name: 'tanh', truth: Math.tanh, ulp: 5.9, from: -9, to: 9 },
  { name: 'sigmoid', truth: sigmoid, ulp: 2.5, from: -104, to: 90 },
  { name: 'softplus', truth: softplus, ulp: 2.4, from: -104, to: 90 },
  { name: 'erf', truth: erf, ulp: 1.3, from: -4, to: 4 },
  { name: 'erfInv', truth: erfInv, ulp: 2.6, from: -1, to: 1 },
]

/** Operands with the largest errors of tanh and sigmoid, from a search of all float32. */
const WORST = [4.182971000671387, 6.991095542907715, -16.642534255981445]

const DENSE = 30_000
const WHOLE = 30_000

/** Evenly spaced in [from, to], then bit patterns spread over all finite float32. */
function sweep({ from, to }: Contract): Float32Array {
  const random = generator(5)
  const x = new Float32Array(DENSE + WHOLE)
  for (let i = 0; i < DENSE; i++) x[i] = from + ((to - from) * (i + random())) / DENSE
  const bits = new Uint32Array(x.buffer)
  for (let i = 0; i < WHOLE; i++) {
    const pattern = Math.floor(((i + random()) / WHOLE) * 0x7f800000)
    bits[DENSE + i] = i % 2 === 0 ? pattern : pattern + 0x80000000
  }
  return x
}

function worst(
  x: ArrayLike<number>,
  received: ArrayLike<number>,
  truth: (i: number) => number,
): { ulp: number; at: number } {
  let found = { ulp: 0, at: NaN }
  for (let i = 0; i < x.length; i++) {
    const ulp = ulpError(received[i]!, truth(i))
    if (ulp > found.ulp) found = { ulp, at: x[i]! }
  }
  return found
}

function run(name: PrimitiveName, operands: readonly TensorContent[]): ArrayLike<number> {
  const graph = graphOf(operands, (builder, inputs) => builder.emit(name as 'add', inputs, {}))
  return runGraph(currentRuntime(), graph, operands)![0]!
}

it.each(CONTRACTS)('$name: at most $ulp ulp', (contract) => {
  const x = [...sweep(contract), ...WORST]
  const { ulp, at } = worst(x, run(contract.name, [exactly(x)]), (i) => contract.truth(x[i]!))
  expect(ulp, `at ${at}`).toBeLessThanOrEqual(contract.ulp)
})

it('geluGradient: an error of at most 3.6e-7, and none far from 0', () => {
  const slopesAt = (x: readonly number[]) => Array.from(run('geluGradient', [exactly(x), exactly(x.map(() => 1))]))
  const x = Array.from({ length: 60_000 }, (_, i) => Math.fround((i - 30_000) / 4900))
  const worstError = slopesAt(x).reduce((most, slope, i) => Math.max(most, Math.abs(slope - geluSlope(x[i]!))), 0)
  expect(worstError).toBeLessThanOrEqual(3.6e-7)
  expect(slopesAt([-1e30, -20, 20, 1e30]).map(Math.abs)).toEqual([0, 0, 1, 1])
})

it('power: at most 0.52 ulp, for bases and exponents of every size', () => {
  const random = generator(9)
  const a = Array.from({ length: 40_000 }, (_, i) =>
    Math.fround(i % 4 === 0 ? -Math.ceil(8 * random()) : 2 ** (40 * random() - 20)),
  )
  const b = a.map((base, i) =>
    Math.fround(
      base < 0 ? Math.floor(13 * random()) - 6 : i % 3 === 0 ? Math.floor(9 * random()) - 4 : 8 * random() - 4,
    ),
  )
  const { ulp, at } = worst(a, run('power', [exactly(a), exactly(b)]), (i) => a[i]! ** b[i]!)
  expect(ulp, `at ${at}`).toBeLessThanOrEqual(0.52)
})

it('arctan2: at most 3.2 ulp, in all quarters and for lengths of every size', () => {
  const random = generator(10)
  const component = (): number =>
    Math.fround((random() < 0.5 ? -1 : 1) * (random() < 0.5 ? random() : 2 ** (200 * random() - 100)))
  const y = Array.from({ length: 40_000 }, component)
  const x = y.map((own, i) => (i % 5 === 0 ? Math.fround(own * (2 * random() - 1)) : component()))
  const { ulp, at } = worst(y, run('arctan2', [exactly(y), exactly(x)]), (i) => Math.atan2(y[i]!, x[i]!))
  expect(ulp, `at ${at}`).toBeLessThanOrEqual(3.2)
})

it('tanh and erf never leave [−1, 1]; sigmoid never leaves [0, 1]', () => {
  const x = Array.from({ length: 20_000 }, (_, i) => Math.fround((i - 10_000) / 800))
  for (const name of ['tanh', 'erf', 'sigmoid'] as const) {
    const received = Array.from(run(name, [exactly(x)]))
    expect(Math.max(...received)).toBeLessThanOrEqual(1)
    expect(Math.min(...received)).toBeGreaterThanOrEqual(name === 'sigmoid' ? 0 : -1)
  }
})

it('the result of an element does not depend on its position', () => {
  const x = Array.from({ length: 37 }, (_, i) => Math.fround(Math.sin(i) * 5))
  for (const { name } of CONTRACTS) {
    const whole = run(name, [exactly(x)])
    for (const start of [1, 2, 3, 5, 33]) {
      expect(Array.from(run(name, [exactly(x.slice(start))])), `${name} from ${start}`).toEqual(
        Array.from(whole).slice(start),
      )
    }
  }
})
