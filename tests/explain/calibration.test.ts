// Temperature scaling and calibration errors, against plain formulas.

import { describe, expect, it } from 'vitest'
import {
  ArgumentError,
  DataError,
  Dense,
  Input,
  Lambda,
  Model,
  Sequential,
  ShapeError,
  Softmax,
  loadModel,
  ops,
  tensor,
} from '../../src'
import {
  Temperature,
  expectedCalibrationError,
  reliabilityDiagram,
  temperatureScaling,
} from '../../src/entries/explain'
import { generator } from '../helpers/data'
import { unitFlowOf } from '../../src/layers/declared-units'

const next = generator(11)
const normal = (): number => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())

/** Calibrated logits, and labels drawn from their probabilities. */
function honest(rows: number, classes: number): { logits: number[][]; labels: number[] } {
  const logits = Array.from({ length: rows }, () => Array.from({ length: classes }, () => 2 * normal()))
  const labels = logits.map((row) => {
    let left = next() * row.reduce((sum, z) => sum + Math.exp(z), 0)
    const found = row.findIndex((z) => (left -= Math.exp(z)) <= 0)
    return found < 0 ? classes - 1 : found
  })
  return { logits, labels }
}
const scaled = (logits: readonly (readonly number[])[], by: number): number[][] =>
  logits.map((row) => row.map((z) => z * by))

describe('temperatureScaling', () => {
  it('finds the factor by which logits are too large', async () => {
    const { logits, labels } = honest(4000, 4)
    const once = await temperatureScaling(logits, labels)
    expect(Math.abs(once.temperature - 1)).toBeLessThan(0.1)
    const { temperature, before, after, apply } = await temperatureScaling(scaled(logits, 3), labels)
    expect(temperature / once.temperature).toBeCloseTo(3, 3)
    expect(after).toBeCloseTo(once.after, 5)
    expect(after).toBeLessThan(before)
    const probabilities = apply(scaled(logits, 3))
    expect(probabilities.shape).toEqual([4000, 4])
    expect(expectedCalibrationError(probabilities, labels)).toBeLessThan(0.03)
    expect(expectedCalibrationError(ops.softmax(tensor(scaled(logits, 3))), labels)).toBeGreaterThan(0.08)
  })

  it('minimises the loss', async () => {
    const { logits, labels } = honest(300, 3)
    const { temperature, after } = await temperatureScaling(logits, labels)
    const lossAt = (t: number): number =>
      logits.reduce(
        (sum, row, i) => sum + Math.log(row.reduce((all, z) => all + Math.exp(z / t), 0)) - row[labels[i]!]! / t,
        0,
      ) / logits.length
    expect(after).toBeCloseTo(lossAt(temperature), 6)
    for (const factor of [0.99, 1.01]) expect(lossAt(temperature * factor)).toBeGreaterThan(after)
  })

  it('takes one-hot labels, and single logits of two classes', async () => {
    const { logits, labels } = honest(500, 2)
    const two = await temperatureScaling(logits, labels)
    expect(
      (
        await temperatureScaling(
          logits,
          labels.map((label) => [Number(label === 0), Number(label === 1)]),
        )
      ).temperature,
    ).toBe(two.temperature)
    const difference = logits.map(([no, yes]) => yes! - no!)
    const one = await temperatureScaling(difference, labels)
    expect(one.temperature).toBeCloseTo(two.temperature, 5)
    expect(one.apply(difference).shape).toEqual([500])
    expect(one.apply(difference).data[7]).toBeCloseTo(two.apply(logits).data[15]!, 5)
    expect(
      (
        await temperatureScaling(
          difference.map((z) => [z]),
          labels,
        )
      ).temperature,
    ).toBe(one.temperature)
  })

  it('computes probabilities with softmax and with sigmoid', () => {
    expect(unitFlowOf(new Temperature({ temperature: 2 }))).toBeNull()
    expect(unitFlowOf(new Temperature({ temperature: 2, activation: 'sigmoid' }))).not.toBeNull()
  })

  it('fits one temperature for all outputs of a sigmoid', async () => {
    const z = Array.from({ length: 400 }, () => [2 * normal(), 2 * normal(), 2 * normal()])
    const labels = z.map((row) => row.map((each) => Number(next() < 1 / (1 + Math.exp(-each)))))
    const model = new Sequential([new Dense({ units: 3, activation: 'sigmoid', inputShape: [3] })])
    model.setWeights([
      [
        [3, 0, 0],
        [0, 3, 0],
        [0, 0, 3],
      ],
      [0, 0, 0],
    ])
    const single = await temperatureScaling(
      z.flat().map((each) => 3 * each),
      labels.flat(),
    )
    const made = await temperatureScaling(model, z, labels)
    expect(made.temperature).toBeCloseTo(single.temperature, 3)
    expect(made.before).toBeCloseTo(single.before, 4)
    expect(made.after).toBeLessThan(made.before)
    const [p, expected] = [await made.model.predict(z), ops.sigmoid(ops.divide(tensor(scaled(z, 3)), made.temperature))]
    expected.data.forEach((each, i) => expect(p.data[i]).toBeCloseTo(each, 4))
    await expect(
      temperatureScaling(
        model,
        z,
        labels.map(([first]) => first!),
      ),
    ).rejects.toThrow(/labels must be 0 or 1 for each output of the sigmoid, \[400, 3\], received \[400\]/)
    await expect(
      temperatureScaling(
        model,
        z,
        labels.map((row, i) => (i === 5 ? [0, 2, 1] : row)),
      ),
    ).rejects.toThrow(/received 2 in row 5/)
    const unknown = new Sequential([
      new Dense({ units: 3, activation: 'sigmoid', inputShape: [3] }),
      new Lambda((x) => ops.multiply(x, 0.5)),
    ])
    await expect(
      temperatureScaling(
        unknown,
        z,
        labels.map(([first]) => first!),
      ),
    ).rejects.toThrow(
      /lie in 0 … 1, but rows do not sum to 1.*Pass a model that ends in softmax, in sigmoid, or in logits/,
    )
  })

  it.each([
    ['a softmax', () => new Dense({ units: 3, activation: 'softmax', inputShape: [4] })],
    ['logits', () => new Dense({ units: 3, inputShape: [4] })],
    ['a Softmax layer', () => new Softmax()],
    ['probabilities from elsewhere', () => new Lambda((x) => ops.add(ops.multiply(ops.softmax(x), 1), 0))],
  ])('wraps a model that ends in %s, which stays unchanged', async (_what, last) => {
    const layer = last()
    const model = new Sequential(layer instanceof Dense ? [layer] : [new Dense({ units: 3, inputShape: [4] }), layer])
    const { logits, labels } = honest(200, 3)
    const x = scaled(
      logits.map((row) => [...row, 0]),
      2,
    )
    model.setWeights([
      tensor([
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
        [0, 0, 0],
      ]),
      tensor([0, 0, 0]),
    ])
    const before = [await model.predict(x), model.layers.length] as const
    const made = await temperatureScaling(model, x, labels)
    const alone = await temperatureScaling(scaled(logits, 2), labels)
    expect(made.temperature).toBeCloseTo(alone.temperature, 3)
    const probabilities = await made.model.predict(x)
    alone.apply(scaled(logits, 2)).data.forEach((p, i) => expect(probabilities.data[i]).toBeCloseTo(p, 3))
    expect((await model.predict(x)).data).toEqual(before[0].data)
    expect(model.layers).toHaveLength(before[1])
    expect(made.model.weights).toEqual(model.weights)
  })

  it('is exact where probabilities saturate, because it reads their logits', async () => {
    const model = new Sequential([new Dense({ units: 1, activation: 'sigmoid', inputShape: [1] })])
    model.setWeights([tensor([[1]]), tensor([0])])
    const x = [[60], [-60], [40], [-50], [30], [2]]
    const { temperature, model: calibrated } = await temperatureScaling(model, x, [1, 0, 0, 0, 1, 1])
    const alone = await temperatureScaling(x, [1, 0, 0, 0, 1, 1])
    expect(temperature).toBeCloseTo(alone.temperature, 5)
    expect((await calibrated.predict(x)).data[0]).toBeCloseTo(1 / (1 + Math.exp(-60 / temperature)), 5)
  })

  it('calibrates a custom model class, and a model with several inputs', async () => {
    class Own extends Model {
      readonly last = new Dense({ units: 2, activation: 'softmax' })
      override call(x: ReturnType<typeof tensor>): ReturnType<typeof tensor> {
        return this.last.apply(x)
      }
    }
    const x = [
      [1, 2],
      [2, -1],
      [0, 1],
      [3, 3],
    ]
    const own = new Own()
    const made = await temperatureScaling(own, x, [0, 1, 1, 0])
    expect((await made.model.predict(x)).shape).toEqual([4, 2])
    const [a, b] = [Input({ shape: [2], name: 'a' }), Input({ shape: [2], name: 'b' })]
    const both = new Model({ inputs: { a, b }, outputs: ops.softmax(ops.add(a, b)) })
    const pair = await temperatureScaling(both, { a: x, b: x }, [0, 1, 1, 0])
    expect((await pair.model.predict({ a: x, b: x })).shape).toEqual([4, 2])
  })

  it('can be saved', async () => {
    const model = new Sequential([new Dense({ units: 2, activation: 'softmax', inputShape: [2] })])
    const x = [
      [1, 2],
      [2, -1],
      [0, 1],
      [3, 3],
    ]
    const { model: calibrated, temperature } = await temperatureScaling(model, x, [0, 1, 1, 0])
    const again = await loadModel(await calibrated.save(), { customObjects: { Temperature } })
    expect(await again.predict(x)).toEqual(await calibrated.predict(x))
    expect(new Temperature({ temperature }).getConfig()).toMatchObject({ temperature })
  })

  it('refuses what it cannot fit', async () => {
    await expect(
      temperatureScaling(
        [
          [1, 2],
          [3, 4],
        ],
        [0, 2],
      ),
    ).rejects.toThrow(new DataError('temperatureScaling: labels must be integers in 0 … 1, received 2 in row 1'))
    await expect(
      temperatureScaling(
        [
          [1, 2],
          [3, 4],
        ],
        [0, 1, 1],
      ),
    ).rejects.toThrow(new ShapeError('temperatureScaling: labels must have shape [2] or [2, 2], received [3]'))
    await expect(temperatureScaling([[[1], [2]]], [0])).rejects.toThrow(ShapeError)
    const input = Input({ shape: [2] })
    const two = new Model({
      inputs: input,
      outputs: { a: new Dense({ units: 1 }).apply(input), b: new Dense({ units: 1 }).apply(input) },
    })
    await expect(temperatureScaling(two as never, [[1, 2]] as never, [0] as never)).rejects.toThrow(ArgumentError)
  })
})

describe('reliabilityDiagram', () => {
  // Confidences .9 (right), .8 (wrong), .55 (right), .62 (right)
  const probabilities = [
    [0.9, 0.1],
    [0.2, 0.8],
    [0.55, 0.45],
    [0.38, 0.62],
  ]
  const labels = [0, 0, 0, 1]

  it('gives confidence and accuracy of each bin', () => {
    const {
      bins,
      expectedCalibrationError: error,
      maximumCalibrationError,
      accuracy,
      confidence,
    } = reliabilityDiagram(probabilities, labels, { bins: 5 })
    expect(bins.map(({ count }) => count)).toEqual([0, 0, 1, 2, 1])
    expect(bins[3]).toMatchObject({ from: 0.6, to: 0.8, accuracy: 0.5 })
    expect(bins[3]!.confidence).toBeCloseTo(0.71, 6)
    expect(bins[0]!.accuracy).toBeNaN()
    const expected = (0.45 + 2 * 0.21 + 0.1) / 4
    expect(error).toBeCloseTo(expected, 6)
    expect(expectedCalibrationError(probabilities, labels, { bins: 5 })).toBe(error)
    expect(maximumCalibrationError).toBeCloseTo(0.45, 6)
    expect([accuracy, Number(confidence.toFixed(4))]).toEqual([0.75, 0.7175])
  })

  it('has 15 bins, with inclusive upper bounds', () => {
    const { bins } = reliabilityDiagram(
      [
        [0.6, 0.4],
        [1, 0],
      ],
      [0, 0],
    )
    expect(bins).toHaveLength(15)
    expect(bins.map(({ count }) => count).flatMap((count, i) => (count > 0 ? [i] : []))).toEqual([8, 14])
  })

  it('takes probabilities of class 1', () => {
    for (const yes of [
      [0.9, 0.3],
      [[0.9], [0.3]],
    ])
      expect(expectedCalibrationError(yes, [1, 1])).toBeCloseTo((0.1 + 0.7) / 2, 6)
  })

  it('refuses logits, and labels that do not exist', () => {
    expect(() => reliabilityDiagram([[2, -1]], [0])).toThrow(
      new DataError('reliabilityDiagram: probabilities must lie in 0 … 1, received 2 in row 0. Are they logits?'),
    )
    expect(() => expectedCalibrationError([[0.5, 0.5]], [2])).toThrow(DataError)
    expect(() => reliabilityDiagram([[0.5, 0.5]], [0, 1])).toThrow(ShapeError)
    expect(() => reliabilityDiagram([[0.5, 0.5]], [0], { bin: 3 } as never)).toThrow(ArgumentError)
  })
})
