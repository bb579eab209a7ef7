// What ops give for operands of each dtype, against Keras: float32, int32 and bool in every combination, and numbers. The ops that take
// other operands are listed in the fixture.

import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { Tensor, ops, tensor, type DType } from '../../src'

interface Stored {
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly data: readonly (number | string)[]
}

interface Varied {
  readonly vary: number[] | number[][]
}

type Given = null | boolean | number | string | Varied | Stored | readonly Given[]

interface Result {
  readonly dtypes: readonly DType[]
  /** Without outputs Keras refuses the operands. */
  readonly outputs?: readonly Stored[]
}

interface Call {
  readonly op: string
  readonly given: readonly Given[]
  readonly results: readonly Result[]
}

const { calls } = JSON.parse(
  gunzipSync(readFileSync(new URL('../golden/dtypes.json.gz', import.meta.url))).toString(),
) as { calls: readonly Call[] }

/** Results with other dtypes or values than in Keras. */
const DIFFERENT: readonly {
  readonly ops: readonly string[]
  readonly when?: (call: Call, result: Result) => boolean
}[] = [
  // Numbers of JavaScript.
  { ops: ['shape', 'size', 'ndim'] },
  // JavaScript has one type of numbers: without a tensor beside them they are float32.
  { ops: ['where'], when: ({ results }) => results.length === 1 },
  // Keras truncates the normalized numbers to the dtype of the operand.
  { ops: ['layer_normalization', 'rms_normalization'], when: (_call, { dtypes }) => dtypes[0] !== 'float32' },
  // These compute in float32. Keras on JAX converts the result of a convolution to the dtype of the kernel, and others to that of the operand.
  { ops: ['conv'], when: (_call, { dtypes }) => dtypes[1] !== 'float32' },
  {
    ops: ['conv_transpose', 'depthwise_conv', 'max_pool', 'adaptive_max_pool', 'dot_product_attention'],
    when: (_call, { dtypes }) => dtypes[0] !== 'float32',
  },
  // Keras gives −2³¹ for every int32.
  { ops: ['saturate_cast'], when: ({ given }, { dtypes }) => given[1] === 'float32' && dtypes[0] === 'int32' },
  // An index outside is an error here; Keras on JAX fills with NaN.
  { ops: ['take'], when: ({ given }, { dtypes }) => given.length === 2 && dtypes[1] === 'int32' },
  // Keras's result is not the projection onto the simplex.
  { ops: ['sparsemax'], when: (_call, { dtypes }) => dtypes[0] === 'bool' },
  // The matrix is singular, and logdet is for positive definite ones.
  { ops: ['logdet'], when: (_call, { dtypes }) => dtypes[0] === 'bool' },
]

const camelCase = (name: string): string => name.replace(/_(\w)/g, (_all, letter: string) => letter.toUpperCase())

const isDifferent = (call: Call, result: Result): boolean =>
  DIFFERENT.some((row) => row.ops.includes(call.op) && (row.when?.(call, result) ?? true))

const toTensor = ({ dtype, shape, data }: Stored): Tensor =>
  ops.cast(ops.reshape(tensor(data.map(Number)), [...shape]), dtype)

/** Arguments, in which operands of varied dtype have the next ones. */
function filled(given: Given, dtypes: DType[]): unknown {
  if (Array.isArray(given)) return given.map((each: Given) => filled(each, dtypes))
  if (typeof given !== 'object' || given === null) return given
  return 'vary' in given ? ops.cast(tensor(given.vary), dtypes.shift()!) : toTensor(given as Stored)
}

function call(op: string, given: readonly Given[], dtypes: readonly DType[]): readonly Tensor[] {
  const left = [...dtypes]
  const result: unknown = Reflect.apply(
    Reflect.get(ops, camelCase(op)) as (...all: unknown[]) => unknown,
    undefined,
    given.map((each) => filled(each, left)),
  )
  const all: readonly unknown[] = Array.isArray(result)
    ? result
    : result instanceof Tensor || typeof result !== 'object'
      ? [result]
      : Object.values(result as object)
  return all.map((each) => (each instanceof Tensor ? each : ops.cast(Number(each), 'bool')))
}

const near = (ours: number, theirs: number): boolean =>
  Object.is(ours, theirs) || Math.abs(ours - theirs) <= 2e-5 * Math.max(1, Math.abs(theirs))

describe('dtypes of operands', () => {
  it.each(calls.map((each, i) => [`${each.op} ${i}`, each] as const))('%s', (_title, each) => {
    for (const result of each.results) {
      if (result.outputs === undefined || isDifferent(each, result)) continue
      const outputs = call(each.op, each.given, result.dtypes)
      expect(outputs.map(({ dtype, shape }) => ({ dtype, shape: [...shape] }))).toEqual(
        result.outputs.map(({ dtype, shape }) => ({ dtype, shape })),
      )
      outputs.forEach(({ data, dtype }, i) => {
        const expected = result.outputs![i]!.data.map(Number)
        if (dtype === 'float32') expect([...data].findIndex((x, k) => !near(x, expected[k]!))).toBe(-1)
        else expect([...data]).toEqual(expected)
      })
    }
  })

  it('each difference is one', () => {
    for (const { ops: names } of DIFFERENT)
      for (const name of names) expect(calls.some(({ op }) => op === name)).toBe(true)
  })
})
