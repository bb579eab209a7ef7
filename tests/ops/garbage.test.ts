// Every op, called with invalid arguments: either a correct result or a readable error of this library. Never a
// TypeError of ours, an internal error, or numbers from outside the operands: the interpreter, which reads undefined
// there, must agree.
// modes: simd

import { describe, expect, it } from 'vitest'
import { MyelinError, Tensor, ops, random, setRandomSeed, tensor } from '../../src'
import * as linalg from '../../src/ops/linalg/linalg'
import * as reduce from '../../src/ops/numpy/reduce'
import * as shape from '../../src/ops/numpy/shape'
import { generator } from '../helpers/data'
import { withSettings } from '../helpers/with-settings'

const CALLS = 200

const cyclic: unknown[] = []
cyclic.push(cyclic)

/** Operands that an op could take. */
const operands: readonly unknown[] = [
  1,
  [1, 2, 3],
  [
    [1, 2, 3],
    [4, 5, 6],
  ],
  [
    [
      [1, -2],
      [0, 3],
    ],
    [
      [2, 2],
      [1, 0],
    ],
  ],
  [true, false],
  [[]],
  [],
  Int32Array.of(3, 1, 2),
  Float32Array.of(0.5, -0.25),
  tensor(Int32Array.of(2, 0, 1, 1, 5, -3), [2, 3]),
  tensor([
    [1, 0],
    [2, 1],
  ]),
  ops.zeros([0, 3]),
  ops.ones([2, 1, 3], 'bool'),
  { data: [1, 2, 3, 4], shape: [2, 2] },
]

const garbage: readonly unknown[] = [
  undefined,
  null,
  true,
  false,
  '',
  '8',
  'axis',
  'float32',
  'int32',
  'flaot32',
  'ij,jk->ik',
  'ii',
  '...i->i',
  0,
  -0,
  1,
  2,
  3,
  -1,
  -7,
  0.5,
  NaN,
  Infinity,
  -Infinity,
  2 ** 31,
  2 ** 53,
  1e12,
  -1e12,
  [],
  [0],
  [1],
  [-1],
  [0, 1],
  [1, 0],
  [0, 0],
  [2, 3],
  [3, -1],
  [-1, -1],
  [0.5],
  ['8'],
  [NaN],
  [null],
  [
    [1, 2],
    [0, 0],
  ],
  [[1], [1, 2]],
  [1e12, 1e12],
  [65536, 65536],
  [-5],
  new Array(3),
  {},
  { axis: 1 },
  { axis: '1' },
  { axs: 1 },
  { axis: [0, 1] },
  { axis: null, keepdims: true },
  { keep_dims: 1 },
  { keepDims: true },
  { std: 1 },
  { stddev: -1 },
  { seed: 7 },
  { seed: 'x' },
  { minval: NaN },
  { ord: 1 },
  { ord: 'fro' },
  { data: 'abc', shape: [3] },
  { data: [1], shape: ['1'] },
  { shape: [2] },
  { data: [1, 2], shape: [-2] },
  { data: [1, 'b'], shape: [2] },
  { data: [1], shape: [1], dtype: 'half' },
  Object.create(null),
  () => 1,
  Symbol('s'),
  5n,
  new Date(0),
  new Map(),
  cyclic,
  [{}],
  [[{}]],
  [{ length: 2 }],
  BigInt64Array.of(1n),
  new DataView(new ArrayBuffer(4)),
  Float64Array.of(1e300),
]

type AnyFunction = (...given: unknown[]) => unknown

function functionsOf(module: object): [string, AnyFunction][] {
  return Object.entries<unknown>({ ...module }).filter(
    (entry): entry is [string, AnyFunction] => typeof entry[1] === 'function' && entry[0] !== 'SeedGenerator',
  )
}

/** The outcome of a call: a result, or the name of an error that users can catch. */
function outcome(name: string, call: AnyFunction, given: readonly unknown[]): unknown {
  setRandomSeed(1)
  try {
    return call(...given)
  } catch (error) {
    const isOurs = error instanceof MyelinError && error.message.length > 10 && !error.message.startsWith('internal')
    if (!isOurs)
      throw new Error(`${name}(${given.map(print).join(', ')}) fails with ${String(error)}`, { cause: error })
    return error.name
  }
}

function print(x: unknown): string {
  if (x instanceof Tensor || typeof x !== 'object' || x === null) return typeof x === 'symbol' ? 'Symbol()' : String(x)
  return x === cyclic
    ? 'cyclic'
    : Array.isArray(x)
      ? `[${x.map(print).join(', ')}]`
      : `{ ${Object.keys(x).join(', ')} }`
}

function expectSound(result: unknown, where: string): void {
  if (Array.isArray(result) && result.some((each) => each instanceof Tensor))
    return result.forEach((each) => expectSound(each, where))
  if (!(result instanceof Tensor)) return
  expect(
    result.shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0),
    `${where}: shape`,
  ).toBe(true)
  expect(result.data.length, `${where}: elements`).toBe(result.size)
  expect(result.data instanceof (result.dtype === 'float32' ? Float32Array : Int32Array), `${where}: array`).toBe(true)
  if (result.dtype === 'bool')
    expect(
      result.data.every((x) => x === 0 || x === 1),
      `${where}: bool`,
    ).toBe(true)
}

function expectAlike(a: unknown, b: unknown, where: string, values: boolean): void {
  if (Array.isArray(a) && Array.isArray(b) && a.length === b.length)
    return a.forEach((each, i) => expectAlike(each, b[i], where, values))
  if (!(a instanceof Tensor) || !(b instanceof Tensor)) return expect(a, where).toEqual(b)
  expect([a.dtype, ...a.shape], where).toEqual([b.dtype, ...b.shape])
  const differs = (x: number, i: number): boolean =>
    !(Object.is(x, b.data[i]) || Math.abs(x - b.data[i]!) <= 1e-4 * (1 + Math.abs(b.data[i]!)))
  if (values) expect(a.data.findIndex(differs), `${where}: first element that the interpreter has otherwise`).toBe(-1)
}

function callsOf(name: string): (readonly unknown[])[] {
  const next = generator([...name].reduce((seed, letter) => 31 * seed + letter.charCodeAt(0), 7))
  const pick = (from: readonly unknown[]): unknown => from[Math.floor(next() * from.length)]
  return Array.from({ length: CALLS }, () =>
    Array.from({ length: Math.floor(next() * 5) }, (_, i) => pick(next() < (i === 0 ? 0.8 : 0.3) ? operands : garbage)),
  )
}

const moving = new Set(functionsOf({ ...shape, ...reduce, ...linalg }).map(([name]) => name))

describe.each(functionsOf({ ...ops, ...ops.image, ...random }))('%s', (name, call) => {
  it('gives a correct result or a readable error', async () => {
    const calls = callsOf(name)
    const results = calls.map((given) => outcome(name, call, given))
    results.forEach((result, i) => expectSound(result, `${name}(${calls[i]!.map(print).join(', ')})`))
    await withSettings({ backend: 'interpreter' }, () => {
      calls.forEach((given, i) =>
        expectAlike(
          results[i],
          outcome(name, call, given),
          `${name}(${given.map(print).join(', ')})`,
          moving.has(name),
        ),
      )
    })
  })
})
