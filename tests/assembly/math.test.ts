// The errors that the records of elementwise primitives state, over a dense sweep of float32, in units in the last place,
// against float64.

import { expect, it } from 'vitest'
import type { PrimitiveName } from '../../src/ir/attributes'
import { elementwise } from '../../src/primitives/elementwise'
import type { UnaryName } from '../../src/primitives/elementwise'
import { geluSlope } from '../../src/primitives/special'
import { currentRuntime } from '../../src/runtime/current'
import { ulpError } from '../helpers/compare'
import type { TensorContent } from '../helpers/data'
import { exactly, generator } from '../helpers/data'
import { graphOf, runGraph } from '../helpers/graphs'

type Rule = (typeof elementwise)[UnaryName]
/** The primitives of one operand in float32, with the errors that their records state. */
const CONTRACTS = Object.entries(elementwise)
  .filter((entry): entry is [UnaryName, Rule] => entry[1].operands === 1 && entry[0] !== 'cast')
  .filter(([name]) => name !== 'logicalNot')
  .map(([name, record]) => {
    const { ulp = 0.5, absolute = 0, range = [-10, 10] } = record
    const truth = (x: number): number => record.scalar([x], [{ shape: [], dtype: 'float32' }], {})
    return { name, truth, ulp, absolute, from: range[0], to: range[1] }
  })

/** Operands with the largest errors of tanh and sigmoid, from a search of all float32. */
const WORST = [4.182971000671387, 6.991095542907715, -16.642534255981445]

const DENSE = 30_000
const WHOLE = 30_000

/** Evenly spaced in [from, to], then bit patterns spread over all finite float32. */
function sweep({ from, to }: { readonly from: number; readonly to: number }): Float32Array {
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
  absolute = 0,
): { ulp: number; at: number } {
  let found = { ulp: 0, at: NaN }
  for (let i = 0; i < x.length; i++) {
    const ulp = ulpError(received[i]!, truth(i))
    if (ulp > found.ulp && !(Math.abs(received[i]! - truth(i)) <= absolute)) found = { ulp, at: x[i]! }
  }
  return found
}

function run(name: PrimitiveName, operands: readonly TensorContent[]): ArrayLike<number> {
  const graph = graphOf(operands, (builder, inputs) => builder.emit(name as 'add', inputs, {}))
  return runGraph(currentRuntime(), graph, operands)![0]!
}

it.each(CONTRACTS)('$name: at most $ulp ulp', (contract) => {
  const x = [...sweep(contract), ...WORST]
  const { ulp, at } = worst(x, run(contract.name, [exactly(x)]), (i) => contract.truth(x[i]!), contract.absolute)
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
  for (const { name } of CONTRACTS) {
    const whole = run(name, [exactly(x)])
    for (const start of [1, 2, 3, 5, 33]) {
      expect(Array.from(run(name, [exactly(x.slice(start))])), `${name} from ${start}`).toEqual(
        Array.from(whole).slice(start),
      )
    }
  }
})
