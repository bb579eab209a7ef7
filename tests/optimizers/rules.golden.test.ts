// Rules with every option of an optimizer, on weights of several shapes.
import { describe, expect, it } from 'vitest'
import { Variable, jit, ops } from '../../src'
import { getOptimizer } from '../../src/optimizers/registry'
import type { RulesFile } from '../golden/format'
import { TOLERANCE, expectNear, readFixture, serialized, toTensor } from '../helpers/golden'

const { names, parameters, gradients, cases } = readFixture<RulesFile>('rules')

describe('rules agree with Keras after each step', () => {
  it.each(cases)('$name', ({ optimizer: described, steps, exclude, finalized }) => {
    const optimizer = getOptimizer(serialized(described))
    const variables = parameters.map((parameter, i) => new Variable(toTensor(parameter), { name: names[i]! }))
    if (exclude !== undefined) optimizer.excludeFromWeightDecay({ names: exclude })
    optimizer.build(variables)
    const step = jit((...inputs) => {
      optimizer.apply(inputs)
      return ops.zeros([])
    })
    const values = () => variables.flatMap(({ value }) => Array.from(value.data))
    expect(steps.length).toBeGreaterThan(1)
    steps.forEach((expected, i) => {
      step(...gradients[i]!.map(toTensor))
      expectNear(values(), expected, `step ${i + 1}`, TOLERANCE)
    })
    if (finalized === undefined) return
    optimizer.finalize()
    expectNear(values(), finalized, 'the end')
  })
})
