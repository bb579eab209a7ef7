import { describe, expect, it } from 'vitest'
import {
  Add,
  ArgumentError,
  AveragePooling2D,
  BatchNormalization,
  Conv2D,
  Conv2DTranspose,
  Dense,
  Dropout,
  EinsumDense,
  Flatten,
  Input,
  LSTM,
  LeakyReLU,
  Model,
  MultiHeadAttention,
  ReLU,
  SGD,
  Sequential,
  ShapeError,
  Variable,
  grad,
  loadModel,
  ops,
  setRandomSeed,
  tensor,
  type Tensor,
} from '../../src'
import {
  DalesPrinciple,
  IntrinsicPlasticity,
  KLSparsity,
  KWinnersTakeAll,
  SynapticBalance,
  SynapticScaling,
  balanceSynapses,
} from '../../src/entries/balance'
import { errorOf, samples, weightsOf } from '../helpers/training'

const { x, yes } = samples(40)
const still = () => new SGD({ learningRate: 0 })

function compiled<M extends Model>(model: M, optimizer: SGD | string = still()): M {
  model.compile({ optimizer, loss: 'meanSquaredError' })
  return model
}

const predicted = (model: Model, data: unknown = x): number[] => [
  ...(model.predictOnBatch(data as number[][]) as Tensor).data,
]

function squares(model: Model): number {
  return weightsOf(model)
    .flat()
    .reduce((sum, value) => sum + value ** 2, 0)
}

describe('SynapticScaling', () => {
  it('is w_in (1 + η (r* − r̄)), without biases', async () => {
    const model = compiled(
      new Sequential([new Dense({ units: 5, activation: 'relu', inputShape: [4] }), new Dense({ units: 1 })]),
    )
    const [hidden] = model.layers as [Dense]
    hidden.bias!.assign(tensor([0.1, 0.2, 0.3, 0.4, 0.5]))
    const before = weightsOf(model)
    const h = ops.relu(ops.add(ops.matmul(tensor(x), hidden.kernel.value), hidden.bias!.value))
    const rates = [...ops.mean(h, 0).data]
    await model.fit(x, yes, {
      batchSize: 10,
      verbose: 0,
      callbacks: [new SynapticScaling({ rate: 0.5, target: 0.7, every: 4 })],
    })
    const [kernel, bias, ...others] = weightsOf(model)
    kernel!.forEach((value, i) => expect(value).toBeCloseTo(before[0]![i]! * (1 + 0.5 * (0.7 - rates[i % 5]!)), 5))
    expect([bias, ...others]).toEqual(before.slice(1))
  })

  it('evens out activities, with the mean of the layer as the target', async () => {
    setRandomSeed(1)
    const model = compiled(
      new Sequential([new Dense({ units: 8, activation: 'relu', inputShape: [4] }), new Dense({ units: 1 })]),
    )
    const [hidden] = model.layers as [Dense]
    const spread = () => {
      const each = [...ops.mean(hidden.apply(tensor(x)), 0).data]
      const mean = each.reduce((a, b) => a + b) / 8
      return Math.sqrt(each.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 8) / mean
    }
    const before = spread()
    await model.fit(x, yes, { batchSize: 40, epochs: 200, verbose: 0, callbacks: [new SynapticScaling({ every: 2 })] })
    expect(spread()).toBeLessThan(before / 4)
  })

  it('refuses models without hidden units and impossible options', async () => {
    const model = compiled(new Sequential([new Dense({ units: 1, inputShape: [4] })]))
    expect(
      (await errorOf(() => model.fit(x, yes, { verbose: 0, callbacks: [new SynapticScaling()] }))).message,
    ).toMatch(/SynapticScaling: .* has no hidden units/)
    for (const options of [{ rate: 2 }, { rate: -1 }, { target: -1 }, { every: 0 }])
      expect(() => new SynapticScaling(options)).toThrow(ArgumentError)
  })
})

describe('IntrinsicPlasticity', () => {
  it('follows the published rule', async () => {
    const layer = new IntrinsicPlasticity({ target: 0.25, rate: 0.1, inputShape: [4] })
    const model = compiled(new Sequential([layer, new Dense({ units: 1 })]))
    const at = (a: number, b: number, j: number) =>
      x.map((row) => ({ x: row[j]!, y: 1 / (1 + Math.exp(-(a * row[j]! + b))) }))
    expect(predicted(new Sequential([layer]))[1]).toBeCloseTo(at(1, 0, 1)[0]!.y, 6)
    await model.fit(x, yes, { batchSize: 40, verbose: 0 })
    for (let j = 0; j < 4; j++) {
      const rows = at(1, 0, j)
      const mean = (of: (row: { x: number; y: number }) => number) =>
        rows.reduce((sum, row) => sum + of(row), 0) / rows.length
      expect(layer.slope.view[j]).toBeCloseTo(1 + 0.1 * mean(({ x, y }) => 1 + x - 6 * x * y + 4 * x * y * y), 5)
      expect(layer.threshold.view[j]).toBeCloseTo(0.1 * mean(({ y }) => 1 - 6 * y + 4 * y * y), 5)
    }
    expect(layer.trainableWeights).toEqual([])
  })

  it('brings outputs near the target mean, and can be saved and loaded', async () => {
    const layer = new IntrinsicPlasticity({ target: 0.2, rate: 0.05, inputShape: [4] })
    const model = compiled(new Sequential([layer, new Dense({ units: 1 })]))
    await model.fit(x, yes, { epochs: 400, batchSize: 40, verbose: 0 })
    const [least, most] = [ops.min, ops.max].map((of) => of(ops.mean(layer.apply(tensor(x)), 0)).item())
    expect(least).toBeGreaterThan(0.15)
    expect(most).toBeLessThan(0.25)
    const again = await loadModel(await model.save(), { customObjects: { IntrinsicPlasticity } })
    expect(predicted(again as Model)).toEqual(predicted(model))
    for (const options of [{ target: 0 }, { target: 1 }, { rate: -1 }])
      expect(() => new IntrinsicPlasticity(options)).toThrow(ArgumentError)
  })
})

describe('balanceSynapses', () => {
  function expectSame(model: Model, data: unknown = x) {
    const [outputs, before] = [predicted(model, data), squares(model)]
    const result = balanceSynapses(model)
    predicted(model, data).forEach((value, i) =>
      expect(Math.abs(value - outputs[i]!)).toBeLessThan(1e-5 * Math.max(1, Math.abs(outputs[i]!))),
    )
    expect(squares(model)).toBeLessThan(before)
    expect(result.after).toBeLessThan(result.before)
    return result
  }

  it('reaches 2 √(A B) for each unit and keeps the outputs', () => {
    setRandomSeed(4)
    const model = new Sequential([
      new Dense({ units: 6, activation: 'relu', biasInitializer: 'randomNormal', inputShape: [4] }),
      new Dense({ units: 3 }),
    ])
    const sums = () => {
      const [kernel, bias, out] = weightsOf(model) as [number[], number[], number[]]
      return Array.from({ length: 6 }, (_, j) => ({
        a: [0, 1, 2, 3].reduce((sum, i) => sum + kernel[i * 6 + j]! ** 2, bias[j]! ** 2),
        b: [0, 1, 2].reduce((sum, k) => sum + out[j * 3 + k]! ** 2, 0),
      }))
    }
    const least = sums().map(({ a, b }) => Math.sqrt(a * b))
    const { layers, left } = expectSame(model)
    expect(layers).toHaveLength(1)
    expect(Object.values(left)).toEqual(['they are an output of the model'])
    sums().forEach(({ a, b }, j) => {
      expect(a).toBeCloseTo(least[j]!, 4)
      expect(b).toBeCloseTo(least[j]!, 4)
    })
    // One sweep is enough.
    expect(balanceSynapses(model).sweeps).toBe(1)
  })

  it('supports several layers, convolutions, pooling, Flatten, Add and ReLU', () => {
    setRandomSeed(5)
    const deep = new Sequential([
      new Dense({ units: 7, activation: 'relu', inputShape: [4] }),
      new Dropout(0.5),
      new Dense({ units: 6, activation: 'leakyRelu' }),
      new Dense(5),
      new LeakyReLU(),
      new Dense(2),
    ])
    expect(expectSame(deep).layers).toHaveLength(3)
    const images = ops.reshape(tensor(Float32Array.from({ length: 2 * 64 }, (_, i) => Math.sin(i * i))), [2, 8, 8, 1])
    const vision = new Sequential([
      new Conv2D({ filters: 4, kernelSize: 3, inputShape: [8, 8, 1] }),
      new ReLU(),
      new AveragePooling2D(),
      new Conv2D({ filters: 3, kernelSize: 2, activation: 'relu' }),
      new Flatten(),
      new Dense(2),
    ])
    expect(expectSame(vision, images).layers).toHaveLength(2)
    const input = Input({ shape: [4] })
    const joined = new Add().apply([
      new Dense({ units: 5, activation: 'relu' }).apply(input),
      new Dense({ units: 5 }).apply(input),
    ])
    expect(expectSame(new Model({ inputs: input, outputs: new Dense(1).apply(joined) })).layers).toHaveLength(1)
  })

  it('leaves layers unchanged that are not homogeneous, with the reason', () => {
    const model = new Sequential([
      new Dense({ units: 5, activation: 'tanh', inputShape: [4], name: 'bent' }),
      new Dense({ units: 5, name: 'normed' }),
      new BatchNormalization(),
      new Dense({ units: 5, name: 'capped' }),
      new ReLU(6),
      new Dense({ units: 5, activation: 'relu', name: 'free' }),
      new Dense({ units: 1, name: 'out' }),
    ])
    const { layers, left } = balanceSynapses(model)
    expect(layers).toEqual(['free'])
    expect(left).toEqual({
      bent: 'Dense "bent" is not homogeneous: f(c x) ≠ c f(x)',
      normed: expect.stringMatching(/gamma depends on their size/),
      capped: expect.stringMatching(/ReLU .* is not homogeneous/),
      out: 'they are an output of the model',
    })
    const recurrent = new Sequential([
      new LSTM({ units: 3, activation: 'relu', inputShape: [2, 2], name: 'lstm' }),
      new Dense(1),
    ])
    expect(() => balanceSynapses(recurrent)).toThrow(/has no units to balance \(lstm: its outputs are its inputs/)
    expect(() => balanceSynapses(model, { sweeps: 0 })).toThrow(ArgumentError)
  })

  it('works at the end of epochs', async () => {
    const model = compiled(
      new Sequential([new Dense({ units: 5, activation: 'relu', inputShape: [4] }), new Dense(1)]),
      'adam',
    )
    const balance = new SynapticBalance()
    await model.fit(x, yes, { epochs: 1, verbose: 0, callbacks: [balance] })
    expect(balance.last!.after).toBeLessThan(balance.last!.before)
    expect(balanceSynapses(model).sweeps).toBe(1)
  })
})

describe('KLSparsity', () => {
  const formula = (means: number[], rho: number) =>
    means.reduce((sum, mean) => sum + rho * Math.log(rho / mean) + (1 - rho) * Math.log((1 - rho) / (1 - mean)), 0)

  it('is the divergence of the mean outputs, for every batch size', () => {
    const y = ops.sigmoid(tensor(x))
    const means = [...ops.mean(y, 0).data]
    const layer = new Dense({
      units: 4,
      useBias: false,
      kernelInitializer: 'identity',
      activation: 'sigmoid',
      activityRegularizer: new KLSparsity({ target: 0.1, strength: 2 }),
      inputShape: [4],
    })
    const model = new Sequential([layer])
    model.compile({ optimizer: still(), loss: 'meanSquaredError' })
    const loss = model.testOnBatch(x, y).loss
    expect(loss).toBeCloseTo(2 * formula(means, 0.1), 4)
    const twice = [...x, ...x]
    expect(model.testOnBatch(twice, ops.concatenate([y, y], 0)).loss).toBeCloseTo(loss, 4)
  })

  it('has a gradient that reduces activity, and is finite at the edges', () => {
    const penalty = new KLSparsity()
    expect(Math.min(...grad((y: Tensor) => penalty.call(y))(ops.full([3, 2], 0.5)).data)).toBeGreaterThan(0)
    for (const edge of [0, 1]) expect(Number.isFinite(penalty.call(ops.full([3, 2], edge)).item())).toBe(true)
    for (const options of [{ target: 0 }, { target: 1 }, { strength: -1 }])
      expect(() => new KLSparsity(options)).toThrow(ArgumentError)
  })
})

describe('KWinnersTakeAll', () => {
  it('passes the k largest of each row, and the gradient to them only', () => {
    const rows = tensor([
      [3, -1, 2, 0],
      [0, 5, 4, 6],
    ])
    const two = new KWinnersTakeAll(2)
    expect(two.apply(rows).toArray()).toEqual([[3, 0, 2, 0], [0, 0, 0, 6].map((value, i) => (i === 1 ? 5 : value))])
    expect(new KWinnersTakeAll({ k: 0.25 }).apply(rows).toArray()).toEqual([
      [3, 0, 0, 0],
      [0, 0, 0, 6],
    ])
    expect(new KWinnersTakeAll(4).apply(rows).toArray()).toEqual(rows.toArray())
    expect(grad((y: Tensor) => ops.sum(ops.square(two.apply(y))))(rows).toArray()).toEqual([
      [6, 0, 4, 0],
      [0, 10, 0, 12],
    ])
    expect(two.apply(ops.reshape(rows, [1, 2, 4])).shape).toEqual([1, 2, 4])
  })

  it('trains, can be saved and loaded, and refuses invalid options', async () => {
    const model = compiled(
      new Sequential([new Dense({ units: 6, inputShape: [4] }), new KWinnersTakeAll(2), new Dense(1)]),
      'sgd',
    )
    const { history } = await model.fit(x, yes, { epochs: 20, verbose: 0 })
    expect(history['loss']!.at(-1)).toBeLessThan(history['loss']![0]!)
    const again = await loadModel(await model.save(), { customObjects: { KWinnersTakeAll } })
    expect(predicted(again as Model)).toEqual(predicted(model))
    for (const k of [0, -1, 1.5]) expect(() => new KWinnersTakeAll(k)).toThrow(ArgumentError)
    expect(() => new Sequential([new Dense({ units: 3, inputShape: [4] }), new KWinnersTakeAll(5)])).toThrow(ShapeError)
  })
})

describe('DalesPrinciple', () => {
  it('gives all outgoing weights of a unit one sign', async () => {
    expect(
      new DalesPrinciple(0.5)
        .call(
          tensor([
            [1, -1],
            [2, -2],
          ]),
        )
        .toArray(),
    ).toEqual([
      [1, 0],
      [-0, -2],
    ])
    const out = new Dense({ units: 3, kernelConstraint: new DalesPrinciple({ excitatory: 0.75 }) })
    const model = compiled(new Sequential([new Dense({ units: 4, activation: 'relu', inputShape: [4] }), out]), 'sgd')
    await model.fit(
      x,
      x.map((row) => row.slice(0, 3)),
      { epochs: 3, verbose: 0 },
    )
    out.kernel.view.forEach((value, i) => expect(i < 9 ? value : -value).toBeGreaterThanOrEqual(0))
    expect(() => new DalesPrinciple(1.2)).toThrow(ArgumentError)
    expect(() => new DalesPrinciple().call(new Variable([3]).value)).toThrow(
      /must be a kernel \[inputs, units\], received \[3\]/,
    )
  })

  it('uses the input axes that the layer declares', () => {
    const constraint = new DalesPrinciple({ excitatory: 0.5 })
    /** The sign of each input's weights, by the axes of the inputs. */
    const signsOf = ({ view, shape }: Variable, axes: readonly number[]): number[] => {
      const made = ops.sum(
        tensor(view, shape),
        shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis)),
      )
      return [...made.data].map(Math.sign)
    }
    const constrained = (layer: { readonly weights: readonly Variable[] }): Variable[] =>
      layer.weights.filter((weight) => {
        if (weight.constraint === null) return false
        weight.assign(
          weight.constraint.call(
            ops.add(
              ops.multiply(weight.value, 0),
              tensor(
                weight.view.map((_, i) => (i % 2 === 0 ? 1 : -1)),
                weight.shape,
              ),
            ),
          ),
        )
        return true
      })
    const attention = new MultiHeadAttention({ numHeads: 3, keyDim: 2, kernelConstraint: constraint })
    attention.apply(ops.ones([1, 5, 4]))
    const [query, key, value, output] = constrained(attention)
    for (const projection of [query!, key!, value!]) expect(signsOf(projection, [0])).toEqual([1, 1, -1, -1])
    expect(signsOf(output!, [0, 1])).toEqual([1, 1, 1, -1, -1, -1])

    const transposed = new Conv2DTranspose({ filters: 3, kernelSize: 1, kernelConstraint: constraint })
    transposed.apply(ops.ones([1, 5, 4, 2]))
    expect(signsOf(constrained(transposed)[0]!, [3])).toEqual([1, -1])

    const each = new EinsumDense({ equation: 'ab,b->ab', outputShape: [4], kernelConstraint: constraint })
    expect(() => each.apply(ops.ones([2, 4]))).toThrow(
      /the constraint DalesPrinciple of kernel \[4\]: DalesPrinciple: the weight must be a kernel/,
    )
  })
})
