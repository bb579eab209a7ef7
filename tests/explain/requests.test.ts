// The inputs that explanations accept and refuse: outputs, baselines, integers, models of all kinds; and that models
// stay unchanged.

import { describe, expect, it } from 'vitest'
import {
  ArgumentError,
  Conv2D,
  DataError,
  Dense,
  Dropout,
  Embedding,
  Flatten,
  GlobalAveragePooling1D,
  Input,
  LSTM,
  Model,
  Sequential,
  ShapeError,
  StateError,
  ops,
  tensor,
  type Tensor,
} from '../../src'
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

const wide = (features: number, units = 2): Sequential =>
  new Sequential([new Dense({ units: 4, activation: 'tanh', inputShape: [features] }), new Dense({ units })], {
    name: 'wide',
  })
const row = (features: number): number[][] => [Array.from({ length: features }, (_, i) => Math.sin(i + 1))]
const all = {
  saliency,
  gradientTimesInput,
  smoothGrad,
  integratedGradients,
  occlusion,
  shapleyValues,
  kernelShap,
  sampledShapley,
}

describe('outputs', () => {
  it.each(Object.entries(all))('%s refuses a unit that does not exist', async (name, explain) => {
    await expect(explain(wide(3), row(3), { output: 2 })).rejects.toThrow(
      new ArgumentError(`${name}: output must be an index in 0 … 1, of the 2 units of Sequential "wide", received 2`),
    )
    await expect(explain(wide(3), row(3), { output: -3 })).rejects.toThrow(ArgumentError)
    await expect(explain(wide(3), row(3), { output: [0, 1] })).rejects.toThrow(
      new ShapeError(`${name}: output must be one index, or one for each of the 1 rows, received 2`),
    )
    await expect(explain(wide(3), row(3), { output: 'best' as never })).rejects.toThrow(ArgumentError)
    await expect(explain(wide(3), row(3), { otput: 1 } as never)).rejects.toThrow("Did you mean 'output'?")
    await expect(explain({} as never, row(3) as never)).rejects.toThrow(ArgumentError)
  })

  it('refuses a function that does not give one number for each row', async () => {
    await expect(saliency(wide(3), row(3), { output: (y) => y })).rejects.toThrow(
      'must return one number for each row, float32 [1], received float32 [1, 2]',
    )
    await expect(saliency(wide(3), row(3), { output: () => 3 as never })).rejects.toThrow(ArgumentError)
    const input = Input({ shape: [3] })
    await expect(saliency(new Model({ inputs: input, outputs: ops.argmax(input, 1) }), row(3))).rejects.toThrow(
      'outputs int32, which cannot be explained',
    )
  })

  it('requires a function for several outputs, and accepts it', async () => {
    const input = Input({ shape: [3] })
    const model = new Model({
      inputs: input,
      outputs: { price: new Dense({ units: 1 }).apply(input), kind: new Dense({ units: 3 }).apply(input) },
    })
    await expect(integratedGradients(model, row(3))).rejects.toThrow('has several outputs. Give output as a function')
    const { attributions, gap } = await integratedGradients(model, row(3), { output: ({ price }) => price })
    expect(attributions.shape).toEqual([1, 3])
    expect(Math.abs(gap.data[0]!)).toBeLessThan(1e-5)
    const steps = new Sequential([new LSTM({ units: 2, returnSequences: true, inputShape: [4, 3] })])
    const sequence = [Array.from({ length: 4 }, () => row(3)[0]!)]
    await expect(saliency(steps, sequence)).rejects.toThrow('an output of shape [1, 4, 2]')
    expect((await saliency(steps, sequence, { output: (y) => ops.mean(y, [1, 2]) })).attributions.shape).toEqual([
      1, 4, 3,
    ])
  })

  it('explains logits on request', async () => {
    const last = (activation: 'softmax' | 'sigmoid', units: number) =>
      new Sequential([new Dense({ units, activation, inputShape: [3] })])
    for (const [activation, units] of [
      ['softmax', 3],
      ['sigmoid', 1],
    ] as const) {
      const model = last(activation, units)
      const kernel = model.weights[0]!.value.toArray<number[][]>()
      const { attributions, value } = await saliency(model, row(3), { output: 0, logits: true, signed: true })
      kernel.forEach((weights, i) => expect(attributions.data[i]).toBeCloseTo(weights[0]!, 5))
      expect(value.data[0]).toBeCloseTo(
        kernel.reduce((sum, weights, i) => sum + weights[0]! * row(3)[0]![i]!, 0),
        5,
      )
    }
  })
})

describe('baselines', () => {
  it('are a number, a row, or one row for each explained row', async () => {
    const model = wide(3)
    const x = [...row(3), [1, 2, 3]]
    const one = await integratedGradients(model, x, { output: 0, baseline: 0.5 })
    for (const baseline of [
      [0.5, 0.5, 0.5],
      [[0.5, 0.5, 0.5]],
      [
        [0.5, 0.5, 0.5],
        [0.5, 0.5, 0.5],
      ],
    ]) {
      expect((await integratedGradients(model, x, { output: 0, baseline })).attributions.data).toEqual(
        one.attributions.data,
      )
    }
    const wrong = new ShapeError(
      'integratedGradients: baseline must be a number or have shape [3] or [1, 3] or [2, 3], received [2]',
    )
    await expect(integratedGradients(model, x, { baseline: [1, 2] })).rejects.toThrow(wrong)
    await expect(
      occlusion(model, x, {
        baseline: [
          [1, 2, 3],
          [1, 2, 3],
          [1, 2, 3],
        ],
      }),
    ).rejects.toThrow(ShapeError)
    await expect(integratedGradients(model, x, { baseline: NaN })).rejects.toThrow(DataError)
    await expect(shapleyValues(model, x, { background: [[1, 2]] })).rejects.toThrow(
      new ShapeError('shapleyValues: background must be a number or have shape [3] or [rows, 3], received [1, 2]'),
    )
  })

  it('have the names of the inputs', async () => {
    const [a, b] = [Input({ shape: [2], name: 'a' }), Input({ shape: [2], name: 'b' })]
    const model = new Model({ inputs: { a, b }, outputs: ops.sum(ops.multiply(a, b), 1, true) })
    const { attributions } = await integratedGradients(
      model,
      { a: [[1, 2]], b: [[3, 4]] },
      { baseline: { a: [[0, 0]], b: [[1, 1]] } },
    )
    // ∫ over the path of b · (a − a′): linear in t.
    expect(attributions.a.data[0]).toBeCloseTo(1 * 2, 5)
    await expect(
      integratedGradients(model, { a: [[1, 2]], b: [[3, 4]] }, { baseline: { a: [[0, 0]] } as never }),
    ).rejects.toThrow("'b' is missing")
    await expect(
      kernelShap(
        model,
        { a: [[1, 2]], b: [[3, 4]] },
        {
          background: {
            a: [
              [0, 0],
              [1, 1],
            ],
            b: [
              [0, 0],
              [1, 1],
              [2, 2],
            ],
          },
        },
      ),
    ).rejects.toThrow('the same number of rows for each input, received 2 and 3')
  })
})

describe('Shapley values', () => {
  it('recommend other methods for more than twelve elements', async () => {
    await expect(shapleyValues(wide(13), row(13))).rejects.toThrow(
      new ArgumentError(
        'shapleyValues: takes up to 12 elements in a row, because it evaluates all coalitions, received 13. Use the estimates kernelShap or sampledShapley.',
      ),
    )
    await expect(kernelShap(wide(2049), row(2049))).rejects.toThrow(
      'kernelShap: takes up to 2048 elements in a row, received 2049. Use sampledShapley',
    )
    await expect(sampledShapley(wide(4097), row(4097))).rejects.toThrow(
      'sampledShapley: takes up to 4096 elements in a row, received 4097. Use integratedGradients',
    )
    const { gap } = await shapleyValues(wide(12), row(12))
    expect(Math.abs(gap.data[0]!)).toBeLessThan(1e-5)
  })

  it('of one element, and of two with the same effect', async () => {
    const square = (features: number) => {
      const input = Input({ shape: [features] })
      return new Model({ inputs: input, outputs: ops.square(ops.sum(input, 1, true)) })
    }
    for (const explain of [shapleyValues, kernelShap, sampledShapley] as const) {
      expect((await explain(square(1), [[3]])).attributions.data[0]).toBeCloseTo(9, 5)
      const { attributions } = await explain(square(2), [[1, 2]])
      // (1 + 2)²: 1 and 4 alone, and half of 2 · 1 · 2 each.
      expect(attributions.data[0]).toBeCloseTo(3, 4)
      expect(attributions.data[1]).toBeCloseTo(6, 4)
    }
  })

  it('are the same for the same seed', async () => {
    const x = row(20)
    const model = wide(20)
    for (const options of [
      { seed: 5, samples: 60 },
      { seed: 6, samples: 60 },
    ]) {
      const [first, second] = [await kernelShap(model, x, options), await kernelShap(model, x, options)]
      expect(first.attributions.data).toEqual(second.attributions.data)
    }
    const of = async (seed: number): Promise<unknown> =>
      (await sampledShapley(model, x, { seed, permutations: 4 })).attributions.data
    expect(await of(1)).toEqual(await of(1))
    expect(await of(1)).not.toEqual(await of(2))
    await expect(kernelShap(model, x, { samples: 6 })).rejects.toThrow(
      /^kernelShap: \d coalitions do not determine the values of 20 elements\. Give more samples\.$/,
    )
  })
})

describe('integers', () => {
  const reader = (maskZero = false): Sequential =>
    new Sequential([
      new Embedding({ inputDim: 9, outputDim: 3, maskZero, inputShape: [4] }),
      new GlobalAveragePooling1D(),
      new Dense({ units: 2, activation: 'tanh' }),
    ])
  const tokens = [
    [1, 5, 0, 8],
    [2, 2, 3, 0],
  ]

  it('are explained at the vectors of an Embedding', async () => {
    for (const model of [reader(), reader(true), new Sequential([reader()])]) {
      for (const explain of [saliency, gradientTimesInput, smoothGrad, integratedGradients] as const) {
        const { attributions } = await explain(model, tokens)
        expect([attributions.shape, attributions.dtype]).toEqual([[2, 4], 'float32'])
      }
      const { gap, baseValue } = await integratedGradients(model, tokens, { output: 1 })
      gap.data.forEach((each) => expect(Math.abs(each)).toBeLessThan(1e-4))
      // Vectors of zeros leave only the bias, which is 0.
      expect(baseValue.data[0]).toBeCloseTo(0, 6)
    }
    // A masked token contributes nothing.
    expect((await integratedGradients(reader(true), tokens)).attributions.toArray<number[][]>()[0]![2]).toBeCloseTo(
      0,
      6,
    )
  })

  it('are covered and mixed without an Embedding', async () => {
    const model = reader()
    for (const explain of [occlusion, shapleyValues, kernelShap, sampledShapley] as const) {
      expect((await explain(model, tokens, { output: 0 })).attributions.shape).toEqual([2, 4])
    }
    const { attributions, value, baseValue } = await shapleyValues(model, tokens, {
      output: 0,
      background: [7, 7, 7, 7],
    })
    const direct = model.predictOnBatch([...tokens, [7, 7, 7, 7]])
    expect(value.data[1]).toBeCloseTo(direct.data[2]!, 5)
    expect(baseValue.data[1]).toBeCloseTo(direct.data[4]!, 5)
    expect(Array.from(attributions.data.slice(4)).reduce((sum, each) => sum + each, 0)).toBeCloseTo(
      value.data[1]! - baseValue.data[1]!,
      5,
    )
  })

  it('have no gradient unless an Embedding reads them', async () => {
    const [ids, x] = [Input({ shape: [1], dtype: 'int32', name: 'ids' }), Input({ shape: [2], name: 'x' })]
    const model = new Model({
      inputs: { ids, x },
      outputs: ops.multiply(ops.sum(x, 1, true), ops.cast(ids, 'float32')),
    })
    const data = { ids: [[3]], x: [[1, 2]] }
    await expect(saliency(model, data)).rejects.toThrow(
      new ArgumentError(
        "saliency: the input 'ids' is int32, and no Embedding reads it, so there is no gradient. Use an explanation without gradients: occlusion, shapleyValues, kernelShap, sampledShapley, permutationImportance.",
      ),
    )
    const { attributions } = await occlusion(model, data)
    expect([[...attributions.ids.data], [...attributions.x.data]]).toEqual([[9], [3, 6]])
    // Tokens outside the vocabulary are invalid data.
    await expect(saliency(reader(), [[1, 2, 3, 9]])).rejects.toThrow(DataError)
  })

  it('are converted to float32 for a float32 model', async () => {
    const { attributions } = await gradientTimesInput(wide(3), tensor([1, 2, 3], [1, 3], 'int32'))
    expect(attributions.dtype).toBe('float32')
  })
})

describe('windows', () => {
  it('must fit the axes of a row', async () => {
    const image = new Sequential([
      new Conv2D({ filters: 1, kernelSize: 1, inputShape: [4, 4, 1] }),
      new Flatten(),
      new Dense({ units: 1 }),
    ])
    const x = tensor(
      Array.from({ length: 16 }, (_, i) => i),
      [1, 4, 4, 1],
    )
    await expect(occlusion(image, x, { window: [1, 2, 3] })).rejects.toThrow('window must be one size, or 2 of them')
    await expect(occlusion(image, x, { window: 0 })).rejects.toThrow(ArgumentError)
    // As large as the image: one window.
    const { attributions, value } = await occlusion(image, x, { window: 9 })
    expect(new Set(attributions.data).size).toBe(1)
    expect(attributions.data[0]).toBeCloseTo(value.data[0]! - image.predictOnBatch(ops.zeros([1, 4, 4, 1])).data[0]!, 4)
    // Elements between strides are never covered.
    const gaps = await occlusion(image, x, { window: 1, stride: 2 })
    expect(gaps.attributions.data[1]).toBe(0)
  })
})

describe('importance', () => {
  const x = Array.from({ length: 30 }, (_, i) => [Math.sin(i), Math.cos(2 * i), Math.sin(5 * i)])

  it('uses the loss of compile, or a metric', async () => {
    const model = wide(3, 1)
    const y = model.predictOnBatch(x)
    await expect(permutationImportance(model, x, y)).rejects.toThrow(StateError)
    model.compile({ loss: 'meanSquaredError' })
    const byLoss = await permutationImportance(model, x, y, { seed: 1 })
    const byName = await permutationImportance(model, x, y, { seed: 1, metric: 'mse' })
    const byFunction = await permutationImportance(model, x, y, {
      seed: 1,
      metric: (a, b) => ops.mean(ops.square(ops.subtract(a, b)), 1),
    })
    byLoss.importances.data.forEach((each, i) => {
      expect(each).toBeGreaterThan(0)
      expect(byName.importances.data[i]).toBeCloseTo(each, 5)
      expect(byFunction.importances.data[i]).toBeCloseTo(each, 5)
    })
    await expect(permutationImportance(model, x, y, { metric: 'accurcy' })).rejects.toThrow("Did you mean 'accuracy'?")
    await expect(permutationImportance(model, x, [[1]], { metric: 'mse' })).rejects.toThrow(ShapeError)
  })

  it('of a score is the decrease of the score', async () => {
    const model = new Sequential([new Dense({ units: 1, activation: 'sigmoid', inputShape: [3] })])
    model.setWeights([tensor([[20], [0], [0]]), tensor([0])])
    const { importances, score } = await permutationImportance(
      model,
      x,
      x.map(([a]) => [Number(a! > 0)]),
      { metric: 'accuracy', seed: 2 },
    )
    expect(score).toBe(1)
    expect(importances.data[0]).toBeGreaterThan(0.2)
    expect(Array.from(importances.data).slice(1)).toEqual([0, 0])
  })
})

describe('dependence', () => {
  it('refuses features that do not exist, and requires the choice of an output', async () => {
    await expect(partialDependence(wide(3), row(3), 3, { output: 0 })).rejects.toThrow(
      new ArgumentError('partialDependence: the feature must be an index in 0 … 2, received 3'),
    )
    await expect(partialDependence(wide(3), row(3), 1)).rejects.toThrow('has 2 outputs. Choose one: output: 0 … 1')
    const [a, b] = [Input({ shape: [2], name: 'a' }), Input({ shape: [2], name: 'b' })]
    const model = new Model({ inputs: { a, b }, outputs: ops.sum(ops.multiply(a, b), 1, true) })
    const data = { a: [[1, 2]], b: [[3, 4]] }
    await expect(partialDependence(model, data, 0)).rejects.toThrow(
      "Choose one: { input: 'a', index: 0 }. The inputs are: a, b",
    )
    await expect(partialDependence(model, data, { input: 'c', index: 0 })).rejects.toThrow(ArgumentError)
    await expect(partialDependence(model, data, { input: 2, index: 0 })).rejects.toThrow(
      'the input must be an index in 0 … 1, received 2',
    )
    const { average } = await partialDependence(model, data, { input: 'b', index: -1 }, { grid: [0, 1] })
    expect([...average.data]).toEqual([3, 5])
  })

  it('has a grid between the 5th and 95th percentile, of integers only for integers', async () => {
    const x = Array.from({ length: 101 }, (_, i) => [i, 1, 1])
    const { grid } = await partialDependence(wide(3, 1), x, 0, { grid: 3 })
    expect([...grid.data]).toEqual([5, 50, 95])
    const model = new Sequential([
      new Embedding({ inputDim: 9, outputDim: 2, inputShape: [1] }),
      new Flatten(),
      new Dense({ units: 1 }),
    ])
    const tokens = await partialDependence(model, tensor([1, 2, 4], [3, 1], 'int32'), 0)
    expect([...tokens.grid.data]).toEqual([1, 2, 3, 4])
  })
})

describe('an explained model', () => {
  it('is unchanged, and may be trained, frozen and changed between explanations', async () => {
    const model = new Sequential([
      new Dense({ units: 4, activation: 'relu', inputShape: [3] }),
      new Dropout(0.5),
      new Dense({ units: 1 }),
    ])
    const before = [model.getWeights().map(({ data }) => [...data]), model.summary.name, model.built, model.trainable]
    const first = await integratedGradients(model, row(3))
    expect([model.getWeights().map(({ data }) => [...data]), model.summary.name, model.built, model.trainable]).toEqual(
      before,
    )
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
    await model.fit(
      [
        [1, 2, 3],
        [3, 2, 1],
      ],
      [[10], [20]],
      { epochs: 3, verbose: 0 },
    )
    const second = await integratedGradients(model, row(3))
    expect(second.value.data[0]).not.toBe(first.value.data[0])
    expect(second.value.data[0]).toBeCloseTo(model.predictOnBatch(row(3)).data[0]!, 6)
    model.layers[0]!.trainable = false
    expect((await integratedGradients(model, row(3))).attributions.data).toEqual(second.attributions.data)
    model.add(new Dense({ units: 2, name: 'more' }))
    expect((await integratedGradients(model, row(3), { output: 1 })).value.data[0]).toBeCloseTo(
      model.predictOnBatch(row(3)).data[1]!,
      6,
    )
  })

  it('may be a custom class, and may be built by its first explanation', async () => {
    class Own extends Model {
      readonly first = new Dense({ units: 3, activation: 'tanh' })
      readonly second = new Dense({ units: 1 })
      override call(x: Tensor): Tensor {
        return this.second.apply(this.first.apply(x))
      }
    }
    for (const model of [
      new Own(),
      new Sequential([new Dense({ units: 3, activation: 'tanh' }), new Dense({ units: 1 })]),
    ]) {
      const { attributions, gap } = await integratedGradients(model, row(4))
      expect(attributions.shape).toEqual([1, 4])
      expect(Math.abs(gap.data[0]!)).toBeLessThan(1e-5)
    }
  })

  it('can be aborted', async () => {
    const controller = new AbortController()
    controller.abort(new Error('enough'))
    await expect(sampledShapley(wide(3), row(3), { signal: controller.signal })).rejects.toThrow('enough')
    await expect(saliency(wide(3), row(3), { signal: 3 as never })).rejects.toThrow(
      'signal must be an AbortSignal, such as new AbortController().signal, received 3',
    )
  })
})
