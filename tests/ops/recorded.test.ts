// The public ops: generated from the exports of src/ops, each under its own name, which models save.
// modes: simd

import { describe, expect, it } from 'vitest'
import type { Tensor } from '../../src'
import { Input, Model, modelFromJSON, ops, random } from '../../src'
import { recordedModules } from '../../scripts/recorded-ops.mjs'
import * as plain from '../../src/ops'
import * as plainRandom from '../../src/ops/random/random'

/** A model of one op, as JSON. */
function saved(op: (x: Tensor) => unknown): string {
  const x = Input({ shape: [4] })
  return JSON.stringify(new Model({ inputs: x, outputs: op(x) as Tensor }))
}

describe('public ops', () => {
  it.each([
    ['ops', ops, plain],
    ['random', random, plainRandom],
  ] as const)('%s has every export of its folder, with its name', (_name, recorded, functions) => {
    expect(Object.keys(recorded).sort()).toEqual(Object.keys(functions).sort())
    const misnamed = Object.entries<unknown>({ ...recorded }).filter(
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

  it('have a module for each namespace, which the build makes a file', () => {
    expect([...recordedModules.keys()]).toEqual(expect.arrayContaining(['ops', 'random']))
    const inner = Object.entries<unknown>({ ...ops }).flatMap(([name, value]) =>
      typeof value === 'object' ? [`ops.${name}`] : [],
    )
    expect([...recordedModules.keys()].filter((path) => path.startsWith('ops.'))).toEqual(expect.arrayContaining(inner))
  })
})
