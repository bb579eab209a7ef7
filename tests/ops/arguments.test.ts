// Every op reads each argument that it takes, and refuses all others.
// modes: simd

import { describe, expect, it } from 'vitest'
import type { Tensor } from '../../src'
import { ArgumentError, Input, ops, random } from '../../src'
import { Operation, readOpsFrom } from '../../src/layers/core/operation'
import * as plain from '../../src/ops'
import * as plainRandom from '../../src/ops/random/random'

type AnyFunction = (...given: readonly unknown[]) => unknown

const VARIADIC = ['einsum', 'meshgrid', 'switch']

/** Each op as users call it, its name, and the function behind it. */
const all = [['ops.', ops, plain] as const, ['random.', random, plainRandom] as const].flatMap(
  ([prefix, namespace, functions]) =>
    Object.entries<unknown>({ ...namespace }).flatMap(([name, call]) =>
      typeof call === 'function' && !/^[A-Z]/.test(name)
        ? [{ name, title: prefix + name, call: call as AnyFunction, op: Reflect.get(functions, name) as AnyFunction }]
        : [],
    ),
)
const limited = all.filter(({ name }) => !VARIADIC.includes(name))

const m = [
  [1, 2],
  [3, 4],
]

describe('arguments of ops', () => {
  it.each(limited)('$title refuses one argument too many', ({ title, call, op }) => {
    const { length } = op
    expect(length).toBeGreaterThan(0)
    const given = Array.from({ length: length + 1 }, (_, i) => (i === length ? 'surplus' : 1))
    expect(() => call(...given)).toThrow(ArgumentError)
    expect(() => call(...given)).toThrow(`${title} takes ${length} argument`)
    expect(() => call(...given)).toThrow(`received ${length + 1}: it would ignore ['surplus']`)
  })

  it('are refused on symbols, and by the layer that represents an op in a model', () => {
    const add = ops.add as AnyFunction
    readOpsFrom({ ...plain, random: plainRandom })
    expect(() => add(Input({ shape: [2] }), 1, 2)).toThrow('ops.add takes 2 arguments, received 3')
    expect(() => new Operation({ op: 'add' }).call([1, 2, 4])).toThrow('ops.add takes 2 arguments, received 3')
    const { length } = plainRandom.dropout
    expect(() =>
      new Operation({ op: 'random.dropout' }).call([1, 0.5, ...Array<null>(length - 2).fill(null), 4]),
    ).toThrow(`random.dropout takes ${length}`)
  })

  it('give advice if an op is passed to an array method', () => {
    const relu = ops.relu as AnyFunction
    expect(() => [1, 2].map(relu as (x: number) => Tensor)).toThrow('(x) => ops.relu(x)')
  })

  it.each<[string, () => unknown]>([
    ['diagonal: axis1', () => ops.diagonal(m, { offset: 0 }, 0)],
    ['diagonal: axis2', () => ops.diagonal(m, { offset: 0 }, undefined, 1)],
    ['trace: axis1', () => ops.trace(m, {}, 0, 1)],
    ['quantile: method', () => ops.quantile(m, 0.5, { axis: 0 }, 'lower')],
    ['quantile: keepDims', () => ops.quantile(m, 0.5, { axis: 0 }, undefined, true)],
    ['median: keepDims', () => ops.median(m, { axis: 0 }, true)],
    ['average: weights', () => ops.average(m, { axis: 0 }, [1, 2])],
    ['norm: axis', () => ops.norm(m, { ord: 1 }, 0)],
    ['norm: keepDims', () => ops.norm(m, { ord: 1 }, undefined, true)],
    ['normalize: order', () => ops.normalize(m, { axis: 0 }, 1)],
    ['sum: keepDims', () => ops.sum(m, { axis: 0 }, true)],
    ['argmax: keepDims', () => ops.argmax(m, { axis: 0 }, true)],
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
