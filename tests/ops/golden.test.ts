// Ops compared with Keras on JAX: results, gradients, and gradients of gradients.
import { describe, it } from 'vitest'
import { ops, type Tensor } from '../../src'
import { flatten } from '../../src/core/tree'
import type { OpCase, OpsFile } from '../golden/format'
import { readFixture } from '../helpers/golden'
import { expectCase, toTensor } from '../helpers/op-cases'

const FAMILIES = [
  'elementwise',
  'reduction',
  'rearranging',
  'constructing',
  'products',
  'sorting',
  'segments',
  'linalg',
  'fourier',
  'signals',
  'image',
  'bits',
  'windows',
  'joining',
  'numbers',
  'nans',
  'distinct',
  'activations',
  'pooling',
  'crossentropies',
  'ctc',
  'decoding',
  'patches',
  'patterns',
]

type AnyOp = (...given: readonly unknown[]) => unknown

/** A call with all its arguments, as a function of its float32 tensors. */
function callOf({ op, inputs, pairs = false, listed = false, insert = inputs.length, more }: OpCase): {
  readonly call: (floats: readonly Tensor[]) => Tensor[]
  readonly floats: Tensor[]
} {
  const given = inputs.map(toTensor)
  const isFloat = ({ dtype }: Tensor): boolean => dtype === 'float32'
  const call = (floats: readonly Tensor[]): Tensor[] => {
    let at = 0
    const operands = given.map((x) => (isFloat(x) ? floats[at++]! : x))
    const first: unknown[] = pairs ? [{ real: operands[0], imag: operands[1] }] : listed ? [operands] : operands
    const all = insert < first.length ? first.toSpliced(insert, 0, more[0]) : first
    const rest = insert < first.length ? more.slice(1) : more
    const found = op.split('.').reduce<object>((table, name) => Reflect.get(table, name) as object, ops)
    return flatten((found as AnyOp)(...all, ...rest) as Tensor[])
  }
  return { call, floats: given.filter(isFloat) }
}

const titleOf = ({ op, inputs, more }: OpCase): string =>
  `${op}(${[...inputs.map(({ shape, dtype }) => `${dtype} [${shape.join()}]`), ...more.map((x) => JSON.stringify(x))].join(', ')})`

describe.each(FAMILIES)('%s', (family) => {
  const { cases } = readFixture<OpsFile>(`ops/${family}`)
  it.each(cases.map((each): [string, OpCase] => [titleOf(each), each]))('%s', (_title, opCase) => {
    const { outputs, tolerance, gradients, second } = opCase
    const { call, floats } = callOf(opCase)
    expectCase(call, floats, { outputs, gradients, second }, tolerance)
  })
})
