// Custom loops and steps: losses that layers add, computeLoss, and the metrics of compile.

import { describe, expect, it } from 'vitest'
import {
  Dense,
  Input,
  Layer,
  Model,
  SGD,
  Sequential,
  jit,
  losses,
  metrics,
  ops,
  setRandomSeed,
  tensor,
  valueAndGrad,
  type Batch,
  type Tensor,
} from '../../src'
import { typed } from '../../src/core/tree'
import { samples, weightsOf } from '../helpers/training'

const { x, numbers } = samples(12)

/** Adds the mean of its input to the loss. */
class Added extends Layer {
  override call(input: Tensor): Tensor {
    this.addLoss(ops.multiply(0.1, ops.mean(ops.square(input))))
    return input
  }
}

function penalised(): Sequential {
  setRandomSeed(1)
  const model = new Sequential([
    new Dense({ units: 3, inputShape: [4], kernelRegularizer: 'l2', activityRegularizer: 'l2' }),
    new Added(),
    new Dense({ units: 1, biasRegularizer: 'l1' }),
  ])
  model.compile({ optimizer: new SGD({ learningRate: 0.05 }), loss: 'meanSquaredError' })
  return model
}

describe('losses that layers add', () => {
  it.each([false, true])('a custom loop that adds them trains like fit; compiled: %s', async (isCompiled) => {
    const [fitted, model] = [penalised(), penalised()]
    await fitted.fit(x, numbers, { epochs: 4, batchSize: 12, shuffle: false, verbose: 0 })
    const loss = new losses.MeanSquaredError()
    const [input, target] = [tensor(x), tensor(numbers)]
    const positions = model.trainableWeights.map((_, i) => i)
    const gradients = valueAndGrad(
      (..._weights: Tensor[]) => {
        const fromTargets = loss.apply(target, model.apply(input, { training: true }))
        return model.losses.reduce((sum, each) => ops.add(sum, each), fromTargets)
      },
      { argnums: positions },
    )
    // The function itself reads the variables, so that they are not arguments of the compiled one.
    const run = (): readonly Tensor[] => gradients(...(model.trainableWeights as never[]))[1] as readonly Tensor[]
    const call = isCompiled ? jit(run) : run
    for (let epoch = 0; epoch < 4; epoch++) {
      const found = call()
      model.trainableWeights.forEach((weight, i) =>
        weight.assign(ops.subtract(weight.value, ops.multiply(0.05, found[i]!))),
      )
    }
    weightsOf(model).forEach((weight, i) =>
      weight.forEach((value, j) => expect(value).toBeCloseTo(weightsOf(fitted)[i]![j]!, 6)),
    )
  })

  it('are those of the last call', () => {
    const model = penalised()
    model.apply(tensor(x))
    const first = model.losses.map((each) => each.item())
    expect(first).toHaveLength(4)
    model.apply(tensor(x))
    expect(model.losses.map((each) => each.item())).toEqual(first)
    expect(model.layers[1]!.losses).toHaveLength(1)
  })
})

/** A step as in Keras. */
class Stepping extends Model {
  dense = new Dense({ units: 1, kernelInitializer: 'ones', kernelRegularizer: 'l2' })
  tracker = new metrics.Mean({ name: 'loss' })

  override call(input: Tensor): Tensor {
    return this.dense.apply(input)
  }

  override trainStep({ x: input, y, sampleWeight }: Batch<Tensor, Tensor>): void {
    const output = this.apply(input, { training: true })
    const loss = this.computeLoss(input, y, output, sampleWeight)
    const weights = this.trainableWeights
    this.optimizer.apply(this.gradients(loss, weights), weights)
    this.tracker.update(loss)
    this.computeMetrics(input, y, output, sampleWeight)
  }

  override testStep({ x: input, y, sampleWeight }: Batch<Tensor, Tensor>): void {
    const output = this.apply(input)
    this.tracker.update(this.computeLoss(input, y, output, sampleWeight))
    this.computeMetrics(input, y, output, sampleWeight)
  }
}

it('a step with a tracker reports it and the metrics of compile, like the built-in step, epoch by epoch', async () => {
  const model = new Stepping()
  const plain = new Sequential([
    new Dense({ units: 1, inputShape: [4], kernelInitializer: 'ones', kernelRegularizer: 'l2' }),
  ])
  const options = { epochs: 3, batchSize: 4, shuffle: false, verbose: 0, validationData: [x, numbers] } as const
  const histories = []
  for (const each of [model, plain] as const) {
    each.compile({ optimizer: new SGD({ learningRate: 0.01 }), loss: 'mse', metrics: ['mae'] })
    histories.push((await each.fit(x, numbers, options)).history)
  }
  const [own, builtIn] = histories
  expect(Object.keys(own!).sort()).toEqual(Object.keys(builtIn!).sort())
  for (const [name, values] of Object.entries(builtIn!))
    values.forEach((value, i) => expect(own![name]![i]).toBeCloseTo(value, 5))
})

it('computeLoss of a subclass is the loss that fit minimises and reports', async () => {
  class Absolute extends Stepping {
    override trainStep = Model.prototype.trainStep as never
    override computeLoss(_x: Tensor, y: Tensor, output: Tensor): Tensor {
      return ops.mean(ops.abs(ops.subtract(y, output)))
    }
  }
  const model = new Absolute()
  model.compile({ optimizer: new SGD({ learningRate: 0 }), loss: 'mse', metrics: ['mae'] })
  const logs = model.trainOnBatch(x, numbers)
  expect(logs.loss).toBeCloseTo(logs['mae'] ?? logs['meanAbsoluteError']!, 5)
})

describe('computeLoss and computeMetrics outside of a step', () => {
  const [a, b] = [
    [[1], [2]],
    [
      [3, 4],
      [5, 6],
    ],
  ]
  const input = [
    [1, 0],
    [0, 2],
  ]
  const ones = { kernelInitializer: 'ones' } as const

  it('take arrays', () => {
    const model = new Sequential([new Dense({ units: 1, inputShape: [2], ...ones })])
    model.compile({ loss: 'mse', metrics: ['mae'] })
    const output = model.predictOnBatch(input)
    // The outputs are 1 and 2.
    for (const y of [tensor([[3], [6]]), [[3], [6]], [3, 6]]) {
      expect(model.computeLoss(output, typed(y), output).item()).toBe(10)
      expect(model.computeLoss(output, typed(y), output, typed([1, 0])).item()).toBe(2)
      expect(model.computeLoss(output, typed(y), typed([[1], [2]])).item()).toBe(10)
    }
    model.resetMetrics()
    model.computeMetrics(output, typed([[3], [6]]), output)
    expect(model.getMetricsResult()['mae']).toBe(3)
  })

  it('take records with keys in any order, and one weight for all outputs', () => {
    const x = Input({ shape: [2] })
    const outputs = {
      a: new Dense({ units: 1, name: 'a', ...ones }).apply(x),
      b: new Dense({ units: 2, name: 'b', ...ones }).apply(x),
    }
    const model = new Model({ inputs: x, outputs })
    model.compile({ loss: { a: 'mse', b: 'mae' } })
    const output = model.predictOnBatch(input)
    const given = [
      { a, b },
      { b, a },
      { b: tensor(b), a: tensor(a) },
    ]
    // a: 0 and 0; b: (2 + 3) / 2 and (3 + 4) / 2
    for (const y of given) expect(model.computeLoss(tensor(input), typed(y), output).item()).toBe(3)
    expect(model.computeLoss(tensor(input), typed(given[1]), output, tensor([0, 1])).item()).toBe(1.75)
  })

  it('refuse more targets than outputs', () => {
    const model = new Sequential([new Dense({ units: 1, inputShape: [2] })])
    model.compile({ loss: 'mse' })
    const output = model.predictOnBatch(input)
    expect(() => model.computeLoss(output, typed([tensor(a), tensor(a)]), output)).toThrow(
      'y: element [0] must be a number',
    )
  })
})
