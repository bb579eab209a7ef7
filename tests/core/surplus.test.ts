// Every exported function refuses arguments that it does not read.
// modes: simd

import { expect, it } from 'vitest'
import * as myelin from '../../src'
import * as balance from '../../src/entries/balance'
import * as data from '../../src/entries/data'
import * as explain from '../../src/entries/explain'
import * as search from '../../src/entries/search'
import * as standalone from '../../src/entries/standalone'
import * as thrift from '../../src/entries/thrift'

/** These take any number of arguments. */
const VARIADIC = [
  'vjp',
  'trainTestSplit',
  'ops.einsum',
  'ops.meshgrid',
  'ops.switch',
  'tree.mapStructure',
  'tree.mapStructureUpTo',
]

type AnyFunction = (...given: readonly unknown[]) => unknown

const isClass = (value: AnyFunction): boolean => /^class\b/.test(Function.prototype.toString.call(value))

function functionsIn(namespace: object, prefix = ''): [name: string, call: AnyFunction][] {
  return Object.entries(namespace).flatMap(([name, value]: [string, unknown]): [string, AnyFunction][] => {
    if (typeof value === 'function') return isClass(value as AnyFunction) ? [] : [[prefix + name, value as AnyFunction]]
    return typeof value === 'object' && value !== null && /^[a-z]/.test(name) && !(value instanceof Map)
      ? functionsIn(value, `${name}.`)
      : []
  })
}

const all = [myelin, balance, data, explain, search, standalone, thrift]
  .flatMap((entry) => functionsIn(entry))
  .filter(([name]) => !VARIADIC.includes(name))

it.each(all)('%s', async (name, call) => {
  const given = [...Array<undefined>(15).fill(undefined), 'surplus']
  const run = async (): Promise<unknown> => {
    const result = call(...given) as AsyncGenerator | undefined
    return typeof result?.next === 'function' ? result.next() : result
  }
  await expect(run()).rejects.toThrow(/ takes \d+ arguments?, received 16: it would ignore \[.*\]/)
  await expect(run()).rejects.toBeInstanceOf(myelin.ArgumentError)
  expect(name).not.toBe('')
})

it('losses are tested, too, and accept the arguments that they read', () => {
  expect(all.filter(([name]) => name.startsWith('losses.')).length).toBeGreaterThan(20)
  expect(() => Reflect.apply(myelin.losses.meanSquaredError, undefined, [[1], [2], 3])).toThrow(
    'losses.meanSquaredError takes 2 arguments, received 3: it would ignore [3]. ' +
      'If a method such as map or reduce passes more, wrap it: (a, b) => losses.meanSquaredError(a, b)',
  )
  expect(myelin.losses.huber([[1]], [[3]], { delta: 1 }).toArray()).toEqual([1.5])
})

/** Methods by the names in errors. `of` and `batches` are internal. */
const methods = [data.Dataset, data.Dataset.prototype].flatMap((owner) =>
  Object.getOwnPropertyNames(owner)
    .filter(
      (name) =>
        !/^(constructor|length|name|prototype|of|batches|stacked|exact|outermost|open|size|nextPass|toString|concatenate)$/.test(
          name,
        ),
    )
    .map((name): [string, AnyFunction] => [name, Reflect.get(owner, name) as AnyFunction]),
)

it.each(methods)('Dataset.%s', async (name, method) => {
  const run = async (): Promise<unknown> =>
    Reflect.apply(method, data.Dataset.from([1, 2]), [...Array<undefined>(5).fill(undefined), 'surplus'])
  await expect(run()).rejects.toThrow(new RegExp(`^Dataset\\.${name} takes \\d arguments?, received 6`))
})

const { Dense, Sequential, Variable, losses, metrics, optimizers, tensor } = myelin
const owners: readonly (readonly [owner: () => object, names: string])[] = [
  [
    () => new Sequential([new Dense({ units: 1, inputShape: [2] })]),
    'add pop getLayer getWeights setWeights countParams addLoss addMetric computeLoss computeMetrics gradients updateMetrics ' +
      'resetMetrics getMetricsResult fit evaluate predict predictOnBatch trainOnBatch testOnBatch summary save saveWeights loadWeights dispose',
  ],
  [() => tensor([1]), 'item toArray'],
  [() => new Variable([1]), 'assign assignAdd assignSub'],
  [() => new optimizers.SGD(), 'build apply applyGradients excludeFromWeightDecay finalize'],
  [() => new losses.MeanSquaredError(), 'apply'],
  [() => new metrics.Mean(), 'apply resetState'],
]

it.each(owners.flatMap(([owner, names]) => names.split(' ').map((name) => [name, owner] as const)))(
  'the method %s',
  async (name, owner) => {
    const object = owner()
    const method = Reflect.get(object, name) as AnyFunction
    const run = async (): Promise<unknown> =>
      Reflect.apply(method, object, [...Array<undefined>(19).fill(undefined), 'surplus'])
    // Options by position are listed by their names.
    await expect(run()).rejects.toThrow(
      / takes (?:\d arguments?, received 20: it would ignore \[.*\]|\(.*, \{ … \}\), received \(.*'surplus'\))/,
    )
  },
)
