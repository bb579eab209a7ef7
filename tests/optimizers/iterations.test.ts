// The number of updates near the largest int32: it stays there, and bias corrections stay those of a long training.

import { describe, expect, it } from 'vitest'
import {
  Adam,
  Dense,
  Input,
  MultiOptimizer,
  SGD,
  Sequential,
  Tensor,
  Variable,
  optimizers,
  schedules,
  tensor,
  type Optimizer,
} from '../../src'
import * as rules from '../../src/optimizers/rules'

const MOST = 2 ** 31 - 2
const x = [
  [1, 2],
  [3, -1],
  [0.5, 0.25],
  [-2, 1],
]
const y = [[1], [0], [2], [-1]]

function setIterations(optimizer: Optimizer, count: number): void {
  optimizer.iterations.assign(new Tensor(Int32Array.of(count), [], 'int32'))
}

/** The weights of a small model after `steps` steps that begin with a number of earlier updates. */
function trained(optimizer: Optimizer, count: number, steps: number): number[] {
  const model = new Sequential([
    Input([2]),
    new Dense({ units: 3, activation: 'tanh', kernelInitializer: 'ones', biasInitializer: 'zeros' }),
    new Dense({ units: 1, kernelInitializer: 'ones', biasInitializer: 'zeros' }),
  ])
  model.compile({ optimizer, loss: 'mse' })
  optimizer.build(model.trainableWeights)
  setIterations(optimizer, count)
  for (let i = 0; i < steps; i++) model.trainOnBatch(x, y)
  return model.getWeights().flatMap(({ data }) => [...data])
}

describe('the number of updates', () => {
  const names = Object.keys(rules).filter((name) => name in optimizers)
  it.each(names)('%s trains on beyond 2³¹ updates', (name) => {
    const make = () => new rules[name as 'Adam']({ learningRate: 0.01 })
    const optimizer = make()
    const after = trained(optimizer, MOST - 3, 8)
    expect(optimizer.iterations.value.item()).toBe(MOST)
    const long = trained(make(), MOST - 100, 8)
    after.forEach((weight, i) => expect(weight).toBeCloseTo(long[i]!, 5))
  })

  it.each([2 ** 31 - 1, -1, -(2 ** 31)])('Adam corrects its bias by finite factors after %d updates', (count) => {
    for (const weight of trained(new Adam(0.01), count, 3)) expect(weight).toBeLessThan(2)
    const [weight, optimizer] = [new Variable(tensor([1, 2])), new Adam(0.01)]
    optimizer.build([weight])
    setIterations(optimizer, count)
    optimizer.apply([tensor([1, -1])])
    for (const value of weight.value.data) expect(value).toBeLessThan(3)
  })

  it('stays at its largest for MultiOptimizer', () => {
    const optimizer = new MultiOptimizer([['adam']])
    trained(optimizer, MOST - 1, 3)
    expect(optimizer.iterations.value.item()).toBe(MOST)
  })

  it('stays at its largest while gradients are accumulated, and so do the steps of a schedule', () => {
    const seen: number[] = []
    const schedule = (step: Tensor): Tensor => {
      seen.push(step.item())
      return tensor(0.1)
    }
    const optimizer = new SGD({ learningRate: schedule, gradientAccumulationSteps: 3 })
    const weight = new Variable(tensor([1, 2]))
    optimizer.build([weight])
    setIterations(optimizer, MOST - 1)
    for (let i = 0; i < 9; i++) optimizer.apply([tensor([1, 1])])
    expect(optimizer.iterations.value.item()).toBe(MOST)
    expect(weight.value.data.every(Number.isFinite)).toBe(true)
    expect(Math.min(...seen)).toBeGreaterThan(MOST - 10)
  })

  it('gives the schedules of a long training a finite rate', () => {
    for (const made of [
      new schedules.ExponentialDecay(0.1, 1000, 0.9),
      new schedules.CosineDecay(0.1, 1000),
      new schedules.InverseTimeDecay(0.1, 1000, 0.5),
      new schedules.PolynomialDecay(0.1, 1000),
    ]) {
      const optimizer = new SGD({ learningRate: made })
      setIterations(optimizer, MOST)
      expect(Number.isFinite(optimizer.learningRate)).toBe(true)
    }
  })
})
