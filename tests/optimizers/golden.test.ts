import { describe, expect, it } from 'vitest'
import { Variable, jit, ops, tensor } from '../../src'
import { getOptimizer } from '../../src/optimizers/registry'
import { schedules as registry } from '../../src/optimizers/schedule-registry'
import type { OptimizersFile } from '../golden/format'
import { TOLERANCE, expectNear, expectTensor, readFixture, serialized, toTensor } from '../helpers/golden'
import { runnable } from '../helpers/not-yet'

const { parameters, gradients, cases, schedules } = readFixture<OptimizersFile>('optimizers')
const { schedules: oneCycles } = readFixture<Pick<OptimizersFile, 'schedules'>>('one-cycle')

// Keras raises β to the step's power in float32, which affects 1 − β₂ᵗ in the first steps; at a learning rate near 0.1
// it affects the weights, too.
const LARGE_RATE_ADAM = 2e-5

function toleranceOf({ class: className, config }: (typeof cases)[number]['optimizer']): number {
  return className.startsWith('Adam') && typeof config['learningRate'] === 'object' ? LARGE_RATE_ADAM : TOLERANCE
}

describe('optimizers agree with Keras after each step', () => {
  it.each(runnable('optimizers', cases, ({ name }) => name))(
    '$name',
    ({ optimizer: described, steps, exclude, finalized }) => {
      const optimizer = getOptimizer(serialized(described))
      const variables = parameters.map((parameter, i) => new Variable(toTensor(parameter), { name: `v${i}` }))
      if (exclude !== undefined) optimizer.excludeFromWeightDecay({ names: exclude })
      optimizer.build(variables)
      const step = jit((...inputs) => {
        optimizer.apply(inputs)
        return ops.zeros([])
      })
      expect(steps).toHaveLength(gradients.length)
      steps.forEach((expected, i) => {
        step(...gradients[i]!.map(toTensor))
        expect(optimizer.iterations.value.item()).toBe(Math.floor((i + 1) / (optimizer.gradientAccumulationSteps ?? 1)))
        variables.forEach((variable, j) =>
          expectTensor(variable.value, expected[j]!, `step ${i + 1}, variable ${j}`, toleranceOf(described)),
        )
      })
      if (finalized === undefined) return
      optimizer.finalize()
      variables.forEach((variable, j) => expectTensor(variable.value, finalized[j]!, `the end, variable ${j}`))
    },
  )
})

describe('schedules agree with Keras, and OneCycle with PyTorch', () => {
  it.each([...schedules, ...oneCycles])('$name', ({ schedule: described, steps, values }) => {
    const schedule = registry.get(serialized(described))
    const at = (step: number) => schedule.call(tensor({ data: Int32Array.of(step), shape: [] }))
    expectNear(
      steps.map((step) => at(step).item()),
      values,
      'values',
    )
    const traced = jit((step) => schedule.call(step))
    expectNear(
      steps.map((step) => traced(tensor({ data: Int32Array.of(step), shape: [] })).item()),
      values,
      'traced values',
    )
  })
})
