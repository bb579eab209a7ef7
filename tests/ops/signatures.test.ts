// The parameters of every op compared with Keras: names and order as the op declares them, and defaults by what calls without and with
// them give.

import { describe, expect, it } from 'vitest'
import { ops, random, tensor, type Tensor } from '../../src'
import { flatten, type Tree } from '../../src/core/tree'
import type { SignatureParameter, SignaturesFile, StoredTensor } from '../golden/format'
import { expectTable } from '../helpers/documented'
import { readFixture } from '../helpers/golden'
import { isDeclared } from '../helpers/op-parameters'

const { signatures, calls } = readFixture<SignaturesFile>('signatures')

const camelCase = (name: string): string =>
  name
    .replace(/^\*+/, '')
    .replace(/_+$/, '')
    .replace(/_(\w)/g, (_all, letter: string) => letter.toUpperCase())

// ---------------------------------------------------------------- intended differences

/** Parameters of Keras that an op lacks, and why. */
const LEFT_OUT: readonly {
  readonly parameters: readonly string[]
  readonly ops?: readonly string[]
  readonly why: string
}[] = [{ parameters: ['kwargs'], why: 'holds options of former versions of Keras' }]

/** Further parameters that Keras does not have, and why. */
const ADDED: Readonly<Record<string, readonly string[]>> = {
  // all reductions have it
  countNonzero: ['keepDims'],
  average: ['keepDims'],
  // second names of max and min, which have it in Keras
  amax: ['initial'],
  amin: ['initial'],
  // as in Keras's layers and in lax.conv_general_dilated
  conv: ['groups'],
}

/** Defaults that differ from Keras, and why. */
const DEFAULTS: Readonly<Record<string, string>> = {
  'arange step': 'null is 1',
}

// ---------------------------------------------------------------- our side

const namespaces = { ops, image: ops.image, random } as const
type Namespace = keyof typeof namespaces

/** The names of the parameters of an op, in order. */
function parametersOf(name: string, namespace: Namespace): string[] {
  const found: unknown = Reflect.get(namespaces[namespace], name)
  if (!isDeclared(found)) throw new Error(`${name} is not declared as an op`)
  return found.declare().map((each) => each.name)
}

const exported = (namespace: object): string[] =>
  Object.entries(namespace).flatMap(([name, value]) => (isDeclared(value) ? [name] : []))

/** `keepDims` and `minlength` are spelt as the other names of this library and of NumPy. */
const same = (ours: string, theirs: string): boolean => camelCase(ours).toLowerCase() === theirs.toLowerCase()

/** Keras's parameters without those that this library omits. */
function expectedOf(name: string, kerasName: string, namespace: Namespace): SignatureParameter[] {
  return signatures[namespace][kerasName]!.filter(([parameter]) =>
    LEFT_OUT.every(
      ({ parameters, ops: only }) =>
        !parameters.includes(camelCase(parameter)) || !(only === undefined || only.includes(name)),
    ),
  )
}

const theirs = (namespace: Namespace, name: string): string | undefined =>
  Object.keys(signatures[namespace]).find((each) => camelCase(each) === name)

const compared = (
  [
    ['ops', ops],
    ['image', ops.image],
    ['random', random],
  ] as const
).flatMap(([namespace, functions]) =>
  exported(functions).flatMap((name) => {
    const kerasName = theirs(namespace, name)
    return kerasName === undefined || signatures[namespace][kerasName] === undefined
      ? []
      : [{ title: `${namespace}.${name}`, namespace, name, kerasName }]
  }),
)

describe('parameters of ops and Keras', () => {
  it.each(compared)('$title', ({ namespace, name, kerasName }) => {
    const expected = expectedOf(name, kerasName, namespace)
    const added = ADDED[name] ?? []
    const ours = parametersOf(name, namespace).filter((own) => !added.includes(own))
    expect(ours.map((own) => own.toLowerCase())).toEqual(expected.map(([other]) => camelCase(other).toLowerCase()))
  })
})

it('docs/checks.md has the numbers', () => {
  const rows = (['ops', 'image', 'random'] as const).map((namespace) => {
    const functions = compared.filter((each) => each.namespace === namespace)
    const all = functions.map(({ name, kerasName }) => ({
      name,
      expected: expectedOf(name, kerasName, namespace),
      whole: signatures[namespace][kerasName]!,
    }))
    const pairs = (of: (each: (typeof all)[number]) => number): number => all.reduce((sum, each) => sum + of(each), 0)
    const names = new Set(all.map(({ name }) => name))
    return [
      `\`keras.${namespace === 'image' ? 'ops.image' : namespace}\``,
      all.length,
      pairs(({ expected }) => expected.length),
      pairs(({ whole, expected }) => whole.length - expected.length),
      pairs(({ name }) => ADDED[name]?.length ?? 0),
      pairs(({ expected }) => expected.filter(({ length }) => length === 2).length),
      Object.keys(DEFAULTS).filter((each) => names.has(each.split(' ')[0]!)).length,
      namespace === 'ops' ? calls.filter(({ op }) => functions.some(({ kerasName }) => kerasName === op)).length : 0,
    ]
  })
  const head = ['functions', 'parameters', 'left out', 'added', 'defaults', 'other defaults', 'results']
  expectTable('docs/checks.md', 'signatures', ['', ...head], rows)
})

// ---------------------------------------------------------------- calls

const isStored = (value: unknown): value is StoredTensor =>
  typeof value === 'object' && value !== null && 'dtype' in value && 'data' in value

function given(value: unknown): unknown {
  if (isStored(value)) return tensor({ ...value, data: value.data.map(Number) })
  return Array.isArray(value) ? value.map(given) : value
}

const ourName = new Map(compared.map(({ name, kerasName }) => [kerasName, name]))

const tested = calls.filter(({ op }) => ourName.has(op))

describe('calls with Keras’s defaults', () => {
  it.each(tested.map((call, i) => ({ title: `${call.op} ${i}`, call })))(
    '$title',
    ({ call: { op, given: all, outputs } }) => {
      const name = ourName.get(op)!
      const result: unknown = Reflect.apply(Reflect.get(ops, name), undefined, all.map(given))
      const found = flatten(result as Tree<Tensor>)
      expect(found.length).toBe(outputs.length)
      found.forEach((each, i) => {
        const { dtype, shape, data } = outputs[i]!
        expect(each.dtype, 'dtype').toBe(dtype)
        expect(each.shape, 'shape').toEqual(shape)
        data.map(Number).forEach((x, at) => {
          const own = each.data[at]!
          const isNear = Object.is(x, own) || Math.abs(x - own) <= 1e-5 * (1 + Math.abs(x))
          expect(isNear, `element ${at}: expected ${x}, received ${own}`).toBe(true)
        })
      })
    },
  )
})

describe('the optional arguments of ops are also read by name', () => {
  const named = tested.flatMap(({ op, given: all }) => {
    const name = ourName.get(op)!
    const ours = parametersOf(name, 'ops')
    return expectedOf(name, op, 'ops')
      .slice(all.length)
      .flatMap(([parameter, initial]) => {
        const own = ours.find((each) => same(each, camelCase(parameter)))
        return own === undefined || initial === undefined ? [] : [{ name, own, initial, all: all.map(given) }]
      })
  })
  it('of most ops', () => {
    expect(named.length).toBeGreaterThan(150)
  })
  it.each(named.map((each) => ({ title: `${each.name} { ${each.own}: ${JSON.stringify(each.initial)} }`, each })))(
    '$title',
    ({ each: { name, own, initial, all } }) => {
      const call = (...options: readonly unknown[]): unknown =>
        Reflect.apply(Reflect.get(ops, name), undefined, [...all, ...options])
      const plain = flatten(call() as Tree<Tensor>)
      const byName = flatten(call({ [own]: initial }) as Tree<Tensor>)
      expect(byName.map(({ dtype, shape, data }) => ({ dtype, shape, data }))).toEqual(
        plain.map(({ dtype, shape, data }) => ({ dtype, shape, data })),
      )
      expect(() => call({ [`${own}Z`]: initial })).toThrow()
    },
  )
})
