// The public ops, each under its own name, which models save.
// modes: simd

import { describe, expect, it } from 'vitest'
import { Input, Model, modelFromJSON, ops, random, tensor, type Tensor } from '../../src'

/** A model of one op, as JSON. */
function saved(op: (x: Tensor) => unknown): string {
  const x = Input({ shape: [4] })
  return JSON.stringify(new Model({ inputs: x, outputs: op(x) as Tensor }))
}

describe('public ops', () => {
  it.each([
    ['ops', ops],
    ['random', random],
  ] as const)('%s has every op under its name', (_name, namespace) => {
    const misnamed = Object.entries<unknown>({ ...namespace }).filter(
      ([name, value]) => typeof value === 'function' && !/^[A-Z]/.test(name) && value.name !== name,
    )
    expect(misnamed.map(([name]) => name)).toEqual([])
  })

  it('are saved by their names, with their namespace unless that is ops, and found again by a loader', () => {
    const relu = saved((x) => ops.relu(x))
    expect(relu).toContain('"op":"relu"')
    const dropout = saved((x) => random.dropout(x, 0.5))
    expect(dropout).toContain('"op":"random.dropout"')
    for (const json of [relu, dropout]) expect(modelFromJSON(json).outputs[0]!.shape).toEqual([null, 4])
  })

  it('record a symbol in the place of a number', async () => {
    const x = Input({ shape: [2] })
    const models = [
      new Model({ inputs: x, outputs: ops.leakyRelu(tensor([-2, 1]), ops.mean(x)) }),
      new Model({ inputs: x, outputs: ops.threshold(tensor([-2, 1]), 0, ops.mean(x)) }),
    ]
    const loaded = models.map((each) => modelFromJSON(JSON.stringify(each)) as Model)
    const [sloped, cut] = await Promise.all(loaded.map((each) => each.predict([[-1, 2]])))
    expect((sloped as Tensor).toArray()).toEqual([-1, 1])
    expect((cut as Tensor).toArray()).toEqual([0.5, 1])
  })

  it('are found by a loader although no op of the name was called', () => {
    const json = saved((x) => ops.relu(x)).replaceAll('"relu"', '"softsign"')
    expect(modelFromJSON(json).outputs[0]!.shape).toEqual([null, 4])
  })

  it.each(['relux', 'constructor', 'random', 'random.relu', 'relu.name', 'random.'])(
    "are refused by the name '%s' of no op",
    (name) => {
      const json = saved((x) => ops.relu(x)).replaceAll('"op":"relu"', `"op":"${name}"`)
      expect(() => modelFromJSON(json)).toThrow(`There is no op '${name}'`)
    },
  )
})
