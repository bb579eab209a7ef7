// Numbers that have vanished are 0 in steps of models, and remain what they are in ops and in results.

import { describe, expect, inject, it } from 'vitest'
import {
  Activation,
  BatchNormalization,
  Dense,
  Embedding,
  GRU,
  Input,
  LSTM,
  Layer,
  Model,
  SGD,
  Sequential,
  SimpleRNN,
  Variable,
  jit,
  ops,
  optimizers,
  tensor,
  type Optimizer,
  type Tensor,
  type TensorLike,
} from '../../src'
import * as rules from '../../src/optimizers/rules'
import { withThreads } from '../helpers/threads'

const DENORMAL = 2 ** -126

/** The denormal numbers of tensors. */
function denormals(tensors: readonly { readonly value: Tensor }[]): number[] {
  return tensors.flatMap(({ value }) => [...value.data].filter((x) => x !== 0 && Math.abs(x) < DENORMAL))
}

function slotsOf(optimizer: Optimizer): Variable[] {
  return [...optimizer.slots.values()].flat()
}

function filled(shape: readonly number[], element: (i: number) => number): Tensor {
  const size = shape.reduce((a, b) => a * b, 1)
  return tensor(
    Float32Array.from({ length: size }, (_, i) => element(i)),
    shape,
  )
}

// Muon has its own update for matrices.
const RULES = Object.keys(rules).filter((name) => name in optimizers && name !== 'Muon')

describe('moments of weights without a gradient', () => {
  it.each(RULES)('%s: become 0', (name) => {
    const optimizer: Optimizer = new rules[name as 'Adam']({ learningRate: 1e-3 })
    const model = new Sequential([new Dense({ units: 2, inputShape: [3], kernelInitializer: 'ones' })])
    model.compile({ optimizer, loss: 'mse' })
    // the first input is always 0
    const x = [[0, 1, 2]]
    const y = [[1, -1]]
    model.trainOnBatch(x, y)
    // as after thousands of steps
    for (const slot of slotsOf(optimizer))
      if (!/(average|accumulator)$/.test(slot.name)) slot.assign(filled(slot.shape, (i) => (i < 2 ? 1.3e-38 : 0.01)))
    for (let i = 0; i < 5; i++) model.trainOnBatch(x, y)
    expect(denormals(slotsOf(optimizer))).toEqual([])
    expect(denormals(model.weights)).toEqual([])
    // what has a gradient goes on
    expect(slotsOf(optimizer).every(({ value }) => [...value.data].every(Number.isFinite))).toBe(true)
  })

  it('running means, averages of weights and decayed weights become 0', () => {
    const optimizer = new SGD({ useEma: true, weightDecay: 0.5, learningRate: 0.5 })
    const model = new Sequential([
      new Dense({ units: 2, inputShape: [3], kernelInitializer: 'zeros', useBias: false }),
      new BatchNormalization({ momentum: 0.5 }),
    ])
    model.compile({ optimizer, loss: 'mse' })
    const zeros = { x: ops.zeros([4, 3]), y: ops.zeros([4, 2]) }
    model.trainOnBatch(zeros.x, zeros.y)
    const state = [...slotsOf(optimizer), ...model.weights]
    for (const each of state) each.assign(filled(each.shape, () => 1.3e-38))
    for (let i = 0; i < 3; i++) model.trainOnBatch(zeros.x, zeros.y)
    expect(denormals(state)).toEqual([])
  })
})

describe('gradients through many steps', () => {
  it.each([
    ['LSTM', LSTM],
    ['GRU', GRU],
    ['SimpleRNN', SimpleRNN],
  ] as const)('%s: none is denormal', (_name, Recurrent) => {
    const steps = 120
    const model = new Sequential([
      new Embedding({ inputDim: steps, outputDim: 2 }),
      new (Recurrent as typeof LSTM)({ units: 4, recurrentInitializer: 'zeros' }),
      new Dense({ units: 1 }),
    ])
    const optimizer = new SGD({ momentum: 0.9, learningRate: 1 })
    model.compile({ optimizer, loss: 'mse' })
    // each step has a row of its own, whose velocity is its gradient
    model.trainOnBatch(
      tensor(
        Int32Array.from({ length: steps }, (_, i) => i),
        [1, steps],
      ),
      [[1]],
    )
    const [rows] = slotsOf(optimizer)
    const sizes = [...rows!.value.data].map(Math.abs)
    expect(sizes.at(-1)).toBeGreaterThan(0)
    expect(sizes.filter((size) => size > 0 && size < DENORMAL)).toEqual([])
  })

  it('through 60 layers of sigmoid: none is denormal', () => {
    const model = new Sequential([
      Input([4]),
      ...Array.from({ length: 60 }, () => new Dense({ units: 4, activation: 'sigmoid' })),
      new Dense(1),
    ])
    const optimizer = new SGD({ momentum: 0.9, learningRate: 1 })
    model.compile({ optimizer, loss: 'mse' })
    model.trainOnBatch([[1, 2, 3, 4]], [[1]])
    expect(denormals(slotsOf(optimizer))).toEqual([])
  })
})

// Sizes for which products take different loops: see assembly/kernels/gemm.ts.
describe('units of relu that are 0', () => {
  it.each([
    [1, 300, 300],
    [2, 300, 300],
    [4, 300, 300],
    [8, 300, 303],
    [39, 300, 300],
    [64, 300, 300],
    [16, 3, 4096],
    [5, 6, 7],
  ])('of %d rows, %d inputs and %d units: have no gradient', (rows, inputs, units) => {
    const model = new Sequential([
      Input([inputs]),
      new Dense({ units, activation: 'relu', biasInitializer: { className: 'Constant', config: { value: -100 } } }),
      new Dense({ units: 2 }),
    ])
    model.compile({ optimizer: new SGD(0.1), loss: 'mse' })
    const [first] = model.layers
    const before = [...(first as Dense).kernel.value.data]
    model.trainOnBatch(
      filled([rows, inputs], (i) => Math.sin(i)),
      ops.ones([rows, 2]),
    )
    expect([...(first as Dense).kernel.value.data]).toEqual(before)
  })
})

describe('results', () => {
  const probabilities = new Sequential([Input([1]), new Activation('sigmoid')])

  it('of a model keep small numbers', () => {
    const [[low]] = probabilities.predictOnBatch([[-80]]).toArray() as [[number]]
    expect(low / Math.exp(-80)).toBeCloseTo(1, 5)
  })

  it('of a factor of a product count from 2⁻⁶³ on', () => {
    const model = new Sequential([
      Input([1]),
      new Activation('sigmoid'),
      new Dense({ units: 1, kernelInitializer: 'ones' }),
    ])
    const results = model
      .predictOnBatch([[-43], [-44], [-100]])
      .toArray()
      .flat() as number[]
    expect(results[0]! / Math.exp(-43)).toBeCloseTo(1, 5)
    expect(results.slice(1)).toEqual([0, 0])
  })

  it('of logarithms and quotients of factors are not lost', () => {
    class Each extends Layer {
      call(x: Tensor): Tensor {
        const small = ops.sigmoid(x)
        return ops.concatenate([ops.log(small), ops.divide(small, small), ops.matmul(small, ops.ones([1, 1]))], 1)
      }
    }
    const model = new Sequential([Input([1]), new Each()])
    const [logarithm, quotient, product] = model
      .predictOnBatch([[-80]])
      .toArray()
      .flat()
    expect(logarithm).toBeCloseTo(-80, 3)
    expect(quotient).toBe(1)
    expect(product).toBe(0)
  })

  it.skipIf(inject('mode') === 'interpreter')('of ops alone, also compiled, may be denormal', () => {
    expect(ops.exp(-100).item()).toBeGreaterThan(0)
    expect(jit((x: Tensor) => ops.matmul(ops.exp(x), ops.ones([1, 1])))([[-95]]).item()).toBeGreaterThan(0)
  })

  it.each(['silu', 'mish'])('of %s keep small numbers, beside a product of them', (activation) => {
    const input = Input([1])
    const small = new Activation(activation).apply(input)
    const product = new Dense({ units: 1, kernelInitializer: 'ones' }).apply(small)
    const outputs = new Model({ inputs: input, outputs: [small, product] }).predictOnBatch([[-80], [-40], [-3e38]])
    const [own, factor] = outputs
    expect(own.data[0]! / (-80 * Math.exp(-80))).toBeCloseTo(1, 4)
    expect(factor.data[1]! / (-40 * Math.exp(-40))).toBeCloseTo(1, 4)
    expect([factor.data[0]!, own.data[2]!, factor.data[2]!].map(Math.abs)).toEqual([0, 0, 0])
  })

  it('of relu, from large numbers to small ones', () => {
    const model = new Sequential([
      Input([1]),
      new Activation('relu'),
      new Dense({ units: 1, kernelInitializer: 'ones' }),
    ])
    expect(
      model
        .predictOnBatch([[3e38], [-0], [1e-30], [1e-18]])
        .toArray()
        .flat(),
    ).toEqual([Math.fround(3e38), 0, 0, Math.fround(1e-18)])
  })
})

describe('a function that updates variables', () => {
  it('is a step: what it keeps becomes 0', () => {
    const kept = new Variable(tensor([2e-31, 1, -2e-31, 1e-30]))
    jit((x: Tensor) => {
      kept.assign(ops.multiply(kept.value, x))
      return x
    })(1)
    expect([...kept.value.data]).toEqual([0, 1, 0, Math.fround(1e-30)])
  })
})

describe('gradients of activations', () => {
  /** The gradient of the weight 1 of x, which is all that the loss f(x) moves. */
  function slopeAt(x: number, f: (x: Tensor) => Tensor): number {
    class Loss extends Layer {
      call(inputs: Tensor): Tensor {
        this.addLoss(ops.sum(f(inputs)))
        return inputs
      }
    }
    const model = new Sequential([
      Input([1]),
      new Dense({ units: 1, kernelInitializer: 'ones', useBias: false }),
      new Loss(),
    ])
    const optimizer = new SGD({ momentum: 0.9, learningRate: 1 })
    model.compile({ optimizer, loss: (_truth: Tensor, prediction: Tensor) => ops.multiply(ops.mean(prediction), 0) })
    model.trainOnBatch([[x]], [[0]])
    return -slotsOf(optimizer)[0]!.value.data[0]! / x
  }

  it.each<[string, (x: Tensor) => Tensor, (x: number) => number]>([
    ['softplus', ops.softplus, Math.exp],
    ['exp', ops.exp, Math.exp],
    ['silu', ops.silu, (x) => (1 + x) * Math.exp(x)],
    ['mish', ops.mish, (x) => (1 + x) * Math.exp(x)],
    ['log σ(−x)', (x) => ops.logSigmoid(ops.negative(x)), (x) => -Math.exp(x)],
  ])('%s: are right from 2⁻⁶³ on, and 0 below', (_name, f, slope) => {
    expect(slopeAt(-38, f) / slope(-38)).toBeCloseTo(1, 4)
    expect([-50, -90, -95, -100, -103].map((x) => Math.abs(slopeAt(x, f)))).toEqual([0, 0, 0, 0, 0])
  })

  it('are right where someone reads the number itself', () => {
    expect(slopeAt(-80, (x) => ops.log(ops.softplus(x)))).toBeCloseTo(1, 4)
    expect(slopeAt(-80, (x) => ops.log(ops.sigmoid(x)))).toBeCloseTo(1, 4)
    expect(slopeAt(-60, (x) => ops.multiply(ops.exp(x), 1e25)) / (1e25 * Math.exp(-60))).toBeCloseTo(1, 4)
  })
})

/** Weights after some steps in which gradients vanish. */
function trained(): number[] {
  const model = new Sequential([
    new LSTM({ units: 3, inputShape: [80, 2], kernelInitializer: 'ones', recurrentInitializer: 'zeros', seed: 1 }),
    new Dense({ units: 40, activation: 'sigmoid', kernelInitializer: 'ones' }),
    ...['softplus', 'mish', 'silu', 'exponential'].map(
      (activation) =>
        new Dense({ units: 8, activation, kernelInitializer: { className: 'Constant', config: { value: -1 } } }),
    ),
    new Dense({ units: 1, kernelInitializer: 'ones' }),
  ])
  model.compile({ optimizer: 'adam', loss: 'mse' })
  const x: TensorLike = filled([6, 80, 2], (i) => 3 * Math.sin(i))
  for (let i = 0; i < 3; i++) model.trainOnBatch(x, ops.ones([6, 1]))
  return model.getWeights().flatMap(({ data }) => [...data])
}

describe('bits', () => {
  it.skipIf(inject('mode') === 'interpreter')('do not depend on threads', async () => {
    const alone = trained()
    await withThreads(2, () => expect(trained()).toEqual(alone))
  })
})
