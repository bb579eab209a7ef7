// What classes of losses and metrics declare of themselves agrees with what they compute.
// modes: simd

import { describe, expect, it } from 'vitest'
import { Dense, Sequential, losses, metrics, ops, tensor, type Tensor } from '../../src'
import { camelCase } from '../../src/core/registry'
import { optionsOf } from '../../src/core/options'
import type { Loss } from '../../src/losses'
import { isOfFormula } from '../../src/losses/loss'
import { losses as registry } from '../../src/losses/registry'
import { metrics as metricRegistry } from '../../src/metrics/registry'

const classes = Object.entries(registry.all)
const output = tensor([[0.25, 1.5, -2, 0.5]])

describe('losses', () => {
  it.each(classes)('%s relates classes if a number added to all logits changes nothing', (_, Class) => {
    const takesLogits = 'fromLogits' in optionsOf(Class)
    const loss: Loss = new Class((takesLogits ? { fromLogits: true } : {}) as never)
    const { shape, dtype } = loss.targetsFor(output.shape)
    const target = dtype === 'int32' ? tensor([2], shape, 'int32') : tensor([[0, 0, 1, 0]])
    const of = (x: Tensor): number => loss.apply(target, x).item()
    const isUnchanged = takesLogits && Math.abs(of(ops.add(output, 3)) - of(output)) < 1e-5
    expect(loss.relatesClasses).toBe(isUnchanged)
    if (takesLogits && loss.relatesClasses)
      expect(new Class({ axis: 1, fromLogits: true } as never).relatesClasses).toBe(false)
  })

  it.each(classes)('%s is of the function of its name', (name, Class) => {
    const own: unknown = Reflect.get(losses, camelCase(name))
    expect(typeof own).toBe('function')
    expect(isOfFormula(Class, own)).toBe(true)
    expect(isOfFormula(Class, () => output)).toBe(false)
  })
})

it('metrics are of the functions of losses', () => {
  for (const name of ['MeanSquaredError', 'BinaryCrossentropy', 'SparseCategoricalCrossentropy', 'Hinge', 'Poisson'])
    expect(isOfFormula(metricRegistry.all[name]!, Reflect.get(losses, camelCase(name))), name).toBe(true)
})

describe('a file', () => {
  const saved = (options: Parameters<Sequential['compile']>[0]): Promise<Uint8Array> => {
    const model = new Sequential([new Dense({ units: 2, inputShape: [3] })])
    model.compile(options)
    return model.save()
  }

  it('has functions of the library, and functions of the user that give the same, by their names', async () => {
    const meanSquaredError = (y: Tensor, p: Tensor): Tensor => ops.mean(ops.square(ops.subtract(y, p)), -1)
    await saved({ loss: losses.meanSquaredError, metrics: [losses.huber, metrics.binaryAccuracy] })
    await saved({ loss: meanSquaredError })
  })

  it('refuses a function with the name of another loss', async () => {
    const huber = (y: Tensor, p: Tensor): Tensor => ops.mean(ops.abs(ops.subtract(y, p)), -1)
    await expect(saved({ loss: huber })).rejects.toThrow("'huber'")
    await expect(saved({ metrics: [huber] })).rejects.toThrow("'huber'")
  })
})
