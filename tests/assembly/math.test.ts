// The errors that the records of elementwise primitives state.

import { expect, it } from 'vitest'
import type { PrimitiveName } from '../../src/engine/ir/attributes'
import { elementwise } from '../../src/engine/primitives/elementwise'
import { geluSlope } from '../../src/engine/primitives/special'
import { currentRuntime } from '../../src/engine/runtime/current'
import { exactly, generator, type TensorContent } from '../helpers/data'
import { contracts, largestError, results, worst } from '../engine/primitives/sweep'

const run = (name: PrimitiveName, operands: readonly TensorContent[]): ArrayLike<number> =>
  results(currentRuntime(), name, operands)

it.each(contracts)('$name: at most $ulp ulp', (contract) => {
  const { ulp, at } = largestError(currentRuntime(), contract)
  expect(ulp, `at ${at}`).toBeLessThanOrEqual(contract.ulp)
})

it('geluGradient: half of the error for gradients up to 2, and none far from 0', () => {
  const slopesAt = (x: readonly number[]) => Array.from(run('geluGradient', [exactly(x), exactly(x.map(() => 1))]))
  const x = Array.from({ length: 60_000 }, (_, i) => Math.fround((i - 30_000) / 4900))
  const worstError = slopesAt(x).reduce((most, slope, i) => Math.max(most, Math.abs(slope - geluSlope(x[i]!))), 0)
  expect(worstError).toBeLessThanOrEqual(elementwise.geluGradient.absolute! / 2)
  expect(slopesAt([-1e30, -20, 20, 1e30]).map(Math.abs)).toEqual([0, 0, 1, 1])
})

it('power: for bases and exponents of every size', () => {
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
  expect(ulp, `at ${at}`).toBeLessThanOrEqual(elementwise.power.ulp!)
})

it('arctan2: in all quarters and for lengths of every size', () => {
  const random = generator(10)
  const component = (): number =>
    Math.fround((random() < 0.5 ? -1 : 1) * (random() < 0.5 ? random() : 2 ** (200 * random() - 100)))
  const y = Array.from({ length: 40_000 }, component)
  const x = y.map((own, i) => (i % 5 === 0 ? Math.fround(own * (2 * random() - 1)) : component()))
  const { ulp, at } = worst(y, run('arctan2', [exactly(y), exactly(x)]), (i) => Math.atan2(y[i]!, x[i]!))
  expect(ulp, `at ${at}`).toBeLessThanOrEqual(elementwise.arctan2.ulp!)
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
  for (const { name } of contracts) {
    const whole = run(name, [exactly(x)])
    for (const start of [1, 2, 3, 5, 33]) {
      expect(Array.from(run(name, [exactly(x.slice(start))])), `${name} from ${start}`).toEqual(
        Array.from(whole).slice(start),
      )
    }
  }
})
