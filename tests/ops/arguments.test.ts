// Every op reads each argument that it takes, and refuses all others.
// modes: simd

import { describe, expect, it } from 'vitest'
import { ArgumentError, Input, ops, random, type Tensor } from '../../src'
import { Operation, readOpsFrom } from '../../src/layers/core/operation'
import { isDeclared } from '../helpers/op-parameters'

type AnyFunction = (...given: readonly unknown[]) => unknown

/** Each op with the number of its parameters. */
const limited = [ops, random].flatMap((namespace) =>
  Object.values<unknown>({ ...namespace }).flatMap((op) => {
    const parameters = isDeclared(op) ? op.declare() : []
    if (!isDeclared(op) || parameters.some(({ isRest }) => isRest === true)) return []
    const title = op.opName.includes('.') ? op.opName : `ops.${op.opName}`
    return [{ title, call: op as AnyFunction, length: parameters.length }]
  }),
)

const m = [
  [1, 2],
  [3, 4],
]

describe('arguments of ops', () => {
  it.each(limited)('$title refuses one argument too many', ({ title, call, length }) => {
    expect(length).toBeGreaterThan(0)
    const given = Array.from({ length: length + 1 }, (_, i) => (i === length ? 'surplus' : 1))
    expect(() => call(...given)).toThrow(ArgumentError)
    expect(() => call(...given)).toThrow(`${title} takes ${length} argument`)
    expect(() => call(...given)).toThrow(`received ${length + 1}: it would ignore ['surplus']`)
  })

  it('are refused on symbols, and by the layer that represents an op in a model', () => {
    const add = ops.add as AnyFunction
    readOpsFrom({ ...ops, random })
    expect(() => add(Input({ shape: [2] }), 1, 2)).toThrow('ops.add takes 2 arguments, received 3')
    expect(() => new Operation({ op: 'add' }).call([1, 2, 4])).toThrow('ops.add takes 2 arguments, received 3')
    expect(() => new Operation({ op: 'random.dropout' }).call([1, 0.5, null, null, 4])).toThrow(
      'random.dropout takes 4 arguments, received 5',
    )
  })

  it('give advice if an op is passed to an array method', () => {
    const relu = ops.relu as AnyFunction
    expect(() => [1, 2].map(relu as (x: number) => Tensor)).toThrow('(x) => ops.relu(x)')
  })

  it.each<[string, () => unknown]>([
    ['diagonal: offset', () => ops.diagonal(m, { offset: 0 } as never, 0)],
    ['diagonal: offset', () => ops.diagonal(m, { offset: 0 } as never, undefined, 1)],
    ['trace: offset', () => ops.trace(m, {} as never, 0, 1)],
    ['quantile: axis', () => ops.quantile(m, 0.5, { axis: 0 } as never, 'lower')],
    ['quantile: axis', () => ops.quantile(m, 0.5, { axis: 0 } as never, undefined, true)],
    ['median: axis', () => ops.median(m, { axis: 0 } as never, true)],
    ['average: axis', () => ops.average(m, { axis: 0 } as never, [1, 2])],
    ['norm: ord must be a number', () => Reflect.apply(ops.norm, undefined, [m, { ord: 1 }, 0])],
    ['norm: ord must be a number', () => Reflect.apply(ops.norm, undefined, [m, { ord: 1 }, undefined, true])],
    ['normalize: axis', () => ops.normalize(m, { axis: 0 } as never, 1)],
    ['sum: axis', () => ops.sum(m, { axis: 0 } as never, true)],
    ['argmax: axis', () => ops.argmax(m, { axis: 0 } as never, true)],
    ['pad: constantValues', () => ops.pad(m, 1, 'edge', 2)],
    ['pad: constantValues', () => ops.pad(m, 1, 3, 2)],
  ])('%s is refused if it would not be read', (message, call) => {
    expect(call).toThrow(ArgumentError)
    expect(call).toThrow(message)
  })

  it.each([
    ['segmentSum', ops.segmentSum],
    ['segmentMax', ops.segmentMax],
    ['segmentMin', ops.segmentMin],
  ] as const)('%s reads sorted', (name, call) => {
    expect(call([1, 2], [0, 1], 2, true).shape).toEqual([2])
    expect(() => Reflect.apply(call, undefined, [[1, 2], [0, 1], 2, 'yes'])).toThrow(`${name}: sorted`)
  })
})
