// Required arguments of ops by their names: of every public op, eager, traced, and recorded in models that are saved.
// modes: simd

import { describe, expect, it } from 'vitest'
import {
  ArgumentError,
  Input,
  Model,
  MyelinError,
  Tensor,
  activations,
  jit,
  modelFromJSON,
  ops,
  random,
  setRandomSeed,
  tensor,
} from '../../src'
import { flatten, type Tree } from '../../src/core/tree'
import { snakeCase } from '../../src/core/registry'
import { parametersOfOps } from '../helpers/op-parameters'
import { needed, own, samples } from './samples'

type Op = (...given: readonly unknown[]) => unknown

/** The public ops, with a required argument for each name. The operands of einsum, all in order, follow its only name. */
const all = (
  [
    ['ops', ops],
    ['ops.image', ops.image],
    ['random', random],
    ['activations', activations],
  ] as const
).flatMap(([path, namespace]) =>
  [...parametersOfOps(path)]
    .filter(([op, text]) => text !== '' && op !== 'einsum')
    .map(([op, text]) => {
      const every = text.split(' ')
      const required = every.filter((each) => !each.startsWith('?'))
      const names = required.map((each) => each.replace('*', ''))
      const chosen = { ...samples, ...own[op] }
      const found = Reflect.get(namespace, op) as Op & { readonly opName: string }
      const where = found.opName
      return {
        title: `${path}.${op}`,
        where: where.includes('.') ? where : `ops.${where}`,
        call: (...given: readonly unknown[]): unknown => {
          setRandomSeed(3)
          return found(...given)
        },
        names,
        given: names.map((name) => chosen[name]),
        options: needed[op] ?? {},
        isTree: required.map((each) => each.startsWith('*')),
      }
    }),
)
type Case = (typeof all)[number]

/** The arguments from the i-th on by name, with the options, and those before in order. */
const namedFrom = (i: number, { names, options }: Case, given: readonly unknown[]): unknown[] => [
  ...given.slice(0, i),
  { ...Object.fromEntries(names.slice(i).map((name, j) => [name, given[i + j]])), ...options },
]
const inOrder = ({ options }: Case, given: readonly unknown[]): unknown[] =>
  Object.keys(options).length === 0 ? [...given] : [...given, options]

/** What a call gives, with tensors as numbers; or the message of its error. */
function outcome(call: () => unknown): unknown {
  try {
    return flatten<unknown>(call() as Tree<unknown>).map((each) =>
      each instanceof Tensor
        ? [each.dtype, each.shape, [...each.data]]
        : typeof each === 'function'
          ? 'a function'
          : each,
    )
  } catch (error) {
    if (!(error instanceof MyelinError)) throw error
    return error.message
  }
}

describe('required arguments by name', () => {
  it('of all ops', () => {
    expect(all.length).toBeGreaterThan(400)
  })

  it.each(all)('$title gives the same', (each) => {
    const { call, names, given } = each
    const expected = outcome(() => call(...inOrder(each, given)))
    expect(expected).toBeInstanceOf(Array)
    names.forEach((_, i) =>
      expect(
        outcome(() => call(...namedFrom(i, each, given))),
        `from ${i} on`,
      ).toEqual(expected),
    )
    const spelled = { ...each, names: names.map(snakeCase) }
    expect(outcome(() => call(...namedFrom(0, spelled, given)))).toEqual(expected)
  })

  it.each(all)('$title gives the same in a traced function', (each) => {
    const at = each.given.findIndex((one) => one instanceof Tensor)
    const traced = (args: (given: readonly unknown[]) => unknown[]): unknown =>
      outcome(() =>
        jit((x: Tensor) => each.call(...args(at < 0 ? each.given : each.given.with(at, x))) as Tensor)(
          at < 0 ? 0 : (each.given[at] as Tensor),
        ),
      )
    const expected = traced((given) => inOrder(each, given))
    each.names.forEach((_, i) =>
      expect(
        traced((given) => namedFrom(i, each, given)),
        `from ${i} on`,
      ).toEqual(expected),
    )
  })

  it.each(all)('$title is refused with a name twice, missing or unknown', (each) => {
    const { title, where, call, names, given, isTree, options } = each
    const named = { ...Object.fromEntries(names.map((name, i) => [name, given[i]])), ...options }
    const without = (name: string): object => Object.fromEntries(Object.entries(named).filter(([key]) => key !== name))
    const refuses = (args: readonly unknown[], message: string): void => {
      expect(() => call(...args)).toThrow(ArgumentError)
      expect(() => call(...args)).toThrow(message)
    }
    names.forEach((name, i) => {
      // What follows the branches of switch are operands.
      if (title !== 'ops.switch')
        refuses([...given, { [name]: given[i] }], `${where}: ${name} is given twice, in order and by name`)
      if (isTree[0]) return
      refuses([without(name)], `${where}: needs ${name}, in order or by name`)
      if (snakeCase(name) !== name)
        refuses([{ ...named, [snakeCase(name)]: given[i] }], `${where}: ${name} is given twice, in two spellings`)
    })
    // A record in the only place is the tree.
    if (isTree[0]) return
    expect(() => call({ ...named, bogus: 1 })).toThrow(MyelinError)
    // Keras has no permutation, which takes its options in order.
    if (title !== 'random.permutation') expect(() => call({ ...named, bogus: 1 })).toThrow('bogus')
  })
})

it('records stay operands and trees', () => {
  const one = { data: [1, 2], shape: [2] }
  expect((ops.add as Op)(one, one)).toMatchObject({ shape: [2] })
  expect((ops.reshape as Op)(one, { newshape: [2, 1] })).toMatchObject({ shape: [2, 1] })
  expect(ops.conj({ real: 1, imag: 2 })).toHaveProperty('imag')
  const [xs, ys] = [tensor([1, 2]), tensor([3, 4])]
  const sums = ops.map((each: { xs: Tensor; ys: Tensor }) => ops.add(each.xs, each.ys), { xs, ys })
  expect(sums.toArray()).toEqual([4, 6])
  expect(ops.stopGradient({ x: xs })).toHaveProperty('x')
  expect([ops.isTensor({ a: xs }), (ops.isTensor as Op)({ x: xs })]).toEqual([false, true])
  expect((ops.switch as Op)(0, [(each: { index: Tensor }) => each.index, () => xs], { index: ys })).toMatchObject({
    shape: [2],
  })
})

it('a record with a name of another parameter is a tree', () => {
  const add = (carry: Tensor, { xs }: { xs: Tensor }): [Tensor, Tensor] => [ops.add(carry, xs), xs]
  const tree = { xs: tensor([1, 2]), b: tensor([1, 2]) }
  expect(ops.scan(add, 0, tree)[0].toArray()).toBe(3)
  const total = (ops.scan as Op)({
    f: (c: Tensor, x: Tensor) => [ops.add(c, x), null],
    init: 0,
    xs: tree.xs,
    reverse: true,
  })
  expect(total).toMatchObject([{ shape: [] }, null])
})

// ---------------------------------------------------------------- models

/** The model of a call on a symbol in place of the first tensor, as JSON without the numbers in the names of its layers. */
function saved(each: Case, args: (given: readonly unknown[]) => unknown[]): string {
  const at = each.given.findIndex((one) => one instanceof Tensor)
  const { shape, dtype } = each.given[at] as Tensor
  const inputs = Input({ shape: shape.slice(1), batchSize: shape[0]!, dtype, name: 'x' })
  try {
    const outputs = each.call(...args(each.given.with(at, inputs))) as Tensor
    return JSON.stringify(new Model({ inputs, outputs, name: 'model' })).replaceAll(/(_\d+)+"/g, '"')
  } catch (error) {
    if (!(error instanceof MyelinError)) throw error
    return error.message
  }
}

describe('models with calls by name', () => {
  const onSymbols = all.filter(({ given }) => given.some((one) => one instanceof Tensor && one.rank > 0))
  const isModel = (json: string): boolean => json.startsWith('{')

  it.each(onSymbols)('$title is saved and loaded as the call in order', async (each) => {
    const expected = saved(each, (given) => inOrder(each, given))
    each.names.forEach((_, i) =>
      expect(
        saved(each, (given) => namedFrom(i, each, given)),
        `from ${i} on`,
      ).toBe(expected),
    )
    if (!isModel(expected)) return
    const loaded = modelFromJSON(saved(each, (given) => namedFrom(0, each, given)))
    const x = each.given.find((one) => one instanceof Tensor) as Tensor
    setRandomSeed(3)
    const found = outcome(() => loaded.apply(x))
    expect(found).toEqual(outcome(() => each.call(...inOrder(each, each.given))))
  })

  it('are models of most ops', () => {
    const models = onSymbols.filter((each) => isModel(saved(each, (given) => namedFrom(0, each, given))))
    expect(models.length).toBeGreaterThan(300)
  })
})

it('ops with several signatures take all arguments by name, also in types', () => {
  const x = tensor([
    [3, 0],
    [0, 4],
  ])
  const values: Tensor = ops.svd({ x, computeUv: false })
  const [, s]: [Tensor, Tensor, Tensor] = ops.svd({ x, fullMatrices: false })
  expect([values.toArray(), s.toArray()]).toEqual([
    [4, 3],
    [4, 3],
  ])
  const negative: Tensor = ops.cond({ pred: 0, trueFn: () => x, falseFn: () => ops.negative(x) })
  expect(negative.data).toEqual(ops.negative(x).data)
  const power: Tensor = ops.foriLoop({ lower: 0, upper: 5, bodyFun: (_i, carry) => ops.multiply(carry, 2), initVal: 1 })
  expect(power.toArray()).toBe(32)
  const [y, slope]: [Tensor, Tensor] = ops.jvp({ fun: (a: Tensor) => ops.square(a), primals: [3], tangents: [1] })
  expect([y.toArray(), slope.toArray()]).toEqual([9, 6])
  const [, , aux]: [Tensor, Tensor, Tensor] = ops.jvp({
    fun: (a: Tensor): [Tensor, Tensor] => [ops.square(a), ops.add(a, 1)],
    primals: [3],
    tangents: [1],
    hasAux: true,
  })
  expect(aux.toArray()).toBe(4)
  const product = ops.vectorize({ pyfunc: (a: Tensor, b: Tensor) => ops.matmul(a, b), signature: '(m,n),(n)->(m)' })
  expect(product(x, [1, 2]).toArray()).toEqual([3, 8])
})
