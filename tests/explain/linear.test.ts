// Explanations with a known result: for a linear model every method must give each element its weight times its
// distance from the baseline.

import { beforeAll, describe, expect, it } from 'vitest'
import { Dense, Input, Model, Sequential, ops, tensor } from '../../src'
import {
  gradientTimesInput,
  integratedGradients,
  kernelShap,
  occlusion,
  partialDependence,
  permutationImportance,
  saliency,
  sampledShapley,
  shapleyValues,
  smoothGrad,
} from '../../src/entries/explain'

const weights = [
  [2, -1],
  [-3, 0.5],
  [0.25, 4],
  [1, 1],
]
const bias = [0.5, -0.25]
const x = [
  [1, 2, -1, 0.5],
  [0, -1, 3, 2],
  [0.5, 0.5, 0.5, 0.5],
]

let model: Sequential
beforeAll(() => {
  model = new Sequential([new Dense({ units: 2, inputShape: [4] })])
  model.setWeights([tensor(weights), tensor(bias)])
})

/** w · (x − baseline) of unit 0, row by row. */
const contributions = (baseline: readonly number[] = [0, 0, 0, 0]): number[][] =>
  x.map((row) => row.map((each, i) => weights[i]![0]! * (each - baseline[i]!)))

function expectRows(received: { toArray(): unknown }, expected: readonly (readonly number[])[], digits = 5): void {
  const rows = received.toArray() as number[][]
  expect(rows).toHaveLength(expected.length)
  rows.forEach((row, r) => row.forEach((each, i) => expect(each, `[${r}, ${i}]`).toBeCloseTo(expected[r]![i]!, digits)))
}

describe('a linear model', () => {
  it('has its weights as gradients', async () => {
    expectRows(
      (await saliency(model, x, { output: 0, signed: true })).attributions,
      x.map(() => weights.map(([w]) => w!)),
    )
    expectRows(
      (await saliency(model, x, { output: 0 })).attributions,
      x.map(() => weights.map(([w]) => Math.abs(w!))),
    )
    expectRows(
      (await smoothGrad(model, x, { output: 0, samples: 5, seed: 1 })).attributions,
      x.map(() => weights.map(([w]) => w!)),
    )
  })

  it('is explained by weight times input', async () => {
    const of = { output: 0 }
    expectRows((await gradientTimesInput(model, x, of)).attributions, contributions())
    expectRows((await integratedGradients(model, x, of)).attributions, contributions())
    expectRows((await occlusion(model, x, of)).attributions, contributions())
    expectRows((await shapleyValues(model, x, of)).attributions, contributions())
    expectRows((await kernelShap(model, x, of)).attributions, contributions())
    const sampled = await sampledShapley(model, x, { ...of, permutations: 3, seed: 4 })
    expectRows(sampled.attributions, contributions())
    sampled.standardError.data.forEach((error) => expect(error).toBeLessThan(1e-3))
  })

  it('is explained against a baseline, and against the mean of a background', async () => {
    const baseline = [1, -1, 0.5, 2]
    for (const explain of [integratedGradients, occlusion] as const) {
      expectRows((await explain(model, x, { output: 0, baseline })).attributions, contributions(baseline))
    }
    const background = [
      [0, 0, 0, 0],
      [2, -2, 1, 4],
    ]
    for (const explain of [shapleyValues, kernelShap, sampledShapley] as const) {
      const { attributions, baseValue, value, gap } = await explain(model, x, { output: 0, background })
      expectRows(attributions, contributions(baseline))
      expect(baseValue.data[1]).toBeCloseTo(2 + 3 + 0.125 + 2 + 0.5, 5)
      expect(value.data[0]).toBeCloseTo(2 - 6 - 0.25 + 0.5 + 0.5, 5)
      gap.data.forEach((each) => expect(Math.abs(each)).toBeLessThan(1e-5))
    }
  })

  it('explains the largest unit of each row, a unit from the end, one for each row, or a function', async () => {
    const { units, value } = await saliency(model, x)
    expect([...units!.data]).toEqual([1, 1, 1].map((_, row) => Number(valueOf(row, 1) > valueOf(row, 0))))
    value.data.forEach((each, row) => expect(each).toBeCloseTo(Math.max(valueOf(row, 0), valueOf(row, 1)), 5))
    expect([...(await saliency(model, x, { output: -1 })).units!.data]).toEqual([1, 1, 1])
    expect([...(await saliency(model, x, { output: [0, 1, 0] })).units!.data]).toEqual([0, 1, 0])
    const difference = await saliency(model, x, {
      signed: true,
      output: (y) => ops.subtract(ops.take(y, 0, 1), ops.take(y, 1, 1)),
    })
    expect(difference.units).toBeNull()
    expectRows(
      difference.attributions,
      x.map(() => weights.map(([a, b]) => a! - b!)),
    )
  })

  it('gives the same in large and small batches', async () => {
    const all = await shapleyValues(model, x, { output: 0, background: x })
    const some = await shapleyValues(model, x, { output: 0, background: x, batchSize: 5 })
    expectRows(some.attributions, all.attributions.toArray<number[][]>())
    const path = await integratedGradients(model, x, { output: 0, points: 7, batchSize: 9 })
    expectRows(path.attributions, contributions())
  })

  it('depends on a feature along a line', async () => {
    const { grid, average, individual } = await partialDependence(model, x, 1, { output: 0, grid: [-1, 0, 2] })
    expect([...grid.data]).toEqual([-1, 0, 2])
    const rest = (row: number): number => valueOf(row, 0) + 3 * x[row]![1]!
    expectRows(
      individual,
      x.map((_, row) => [3, 0, -6].map((each) => each + rest(row))),
    )
    const mean = (rest(0) + rest(1) + rest(2)) / 3
    ;[3, 0, -6].forEach((each, g) => expect(average.data[g]).toBeCloseTo(each + mean, 5))
  })

  it('gives importance only to the features it reads', async () => {
    const reader = new Sequential([new Dense({ units: 1, inputShape: [3] })])
    reader.setWeights([tensor([[3], [1], [0]]), tensor([0])])
    const rows = Array.from({ length: 64 }, (_, i) => [Math.sin(i), Math.cos(3 * i), Math.sin(7 * i + 1)])
    const y = rows.map(([a, b]) => [3 * a! + b!])
    const { importances, deviations, score } = await permutationImportance(reader, rows, y, {
      metric: 'meanSquaredError',
      seed: 3,
    })
    expect(score).toBeCloseTo(0, 5)
    const [first, second, third] = importances.data
    expect(first! > 4 * second! && second! > 0.1).toBe(true)
    expect(third).toBeCloseTo(0, 5)
    expect(deviations.data[0]).toBeGreaterThan(0)
  })
})

function valueOf(row: number, unit: number): number {
  return x[row]!.reduce((sum, each, i) => sum + each * weights[i]![unit]!, bias[unit]!)
}

it('explains several inputs separately', async () => {
  const [a, b] = [Input({ shape: [2], name: 'a' }), Input({ shape: [3], name: 'b' })]
  const sum = new Model({
    inputs: { a, b },
    outputs: ops.add(ops.sum(ops.multiply(a, 2), 1, true), ops.sum(b, 1, true)),
  })
  const data = { a: [[1, 2]], b: [[3, 4, 5]] }
  for (const explain of [
    gradientTimesInput,
    integratedGradients,
    occlusion,
    shapleyValues,
    kernelShap,
    sampledShapley,
  ] as const) {
    const { attributions } = await explain(sum, data)
    expectRows(attributions.a, [[2, 4]])
    expectRows(attributions.b, [[3, 4, 5]])
  }
})
