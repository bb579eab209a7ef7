// The node tests of the package onnx, for the operators that are available.
// modes: simd

import { readFileSync, readdirSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { readFile } from '../../../src/files/onnx/file'
import { operators } from '../../../src/files/onnx/operators'
import { tensorProto } from '../../../src/files/onnx/proto'
import { runFile } from '../../../src/files/onnx/run'
import { tensorFrom, type HostTensor } from '../../../src/files/onnx/tensors'
import { Value } from '../../../src/files/onnx/values'
import { decode } from '../../../src/files/onnx/wire'
import { compileTraced, runProgram, trace } from '../../../src/ops/trace'

const folder = new URL('../../golden/onnx/', import.meta.url)

interface Case {
  readonly name: string
  readonly model: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly rtol: number
  readonly atol: number
}

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'))
const tensor = (text: string): HostTensor => tensorFrom(decode(tensorProto, bytes(text), ''), 'a tensor', new Map())

const cases = readdirSync(folder)
  .filter((name) => /^nodes-\d+\.jsonl\.gz$/.test(name))
  .flatMap((name) =>
    gunzipSync(readFileSync(new URL(name, folder)))
      .toString()
      .split('\n'),
  )
  .map((line) => JSON.parse(line) as Case)

/** Which inputs are constants: none, those from which shapes are computed, or all. */
const CONSTANTS: readonly ((input: HostTensor) => boolean)[] = [
  () => false,
  ({ type, shape }) => type === 'int64' || shape.length === 0 || (type === 'bool' && shape.length < 2),
  () => true,
]

function run({ name, model, inputs }: Case, isConstant: (input: HostTensor) => boolean): HostTensor[] {
  const file = readFile(bytes(model), name)
  const given = new Map(file.graph.inputs.map((input, i) => [input.name, tensor(inputs[i]!)]))
  const symbols = [...given].filter(([, input]) => !isConstant(input))
  const types: HostTensor['type'][] = []
  const parameters = symbols.map(([, input]) => Value.known(input).plain)
  const program = compileTraced(
    trace(parameters, (traced) => {
      const values = new Map([...given].map(([key, input]) => [key, () => Value.known(input)]))
      symbols.forEach(([key, { type }], i) => values.set(key, () => Value.of(traced[i]!, type)))
      const environment = {
        file,
        training: false,
        dropout: <X>(x: X): X => x,
        update: () => undefined,
      }
      const outputs = runFile(environment, values)
      types.push(...outputs.map(({ type }) => type))
      return outputs.map(({ plain }) => plain)
    }),
  )
  const results = runProgram(program, parameters)
  program.dispose()
  return results.map(({ data, shape }, i) => ({ data: data as HostTensor['data'], shape, type: types[i]! }))
}

/**
 * The number of elements that differ by more than the tolerances of the case. Fourier transforms have sums of large numbers
 * that cancel.
 */
function differences(found: HostTensor, expected: HostTensor, { name, rtol, atol }: Case): number {
  const largest = name.includes('dft') ? Array.from(expected.data).reduce((a, x) => Math.max(a, Math.abs(x)), 1) : 1
  const [relative, absolute] = [Math.max(rtol, 1e-4), Math.max(atol, 1e-6 * largest)]
  return Array.from(expected.data).filter((y, i) => {
    const x = found.data[i]!
    return !(Object.is(x, y) || x === y || Math.abs(x - y) <= absolute + relative * Math.abs(y))
  }).length
}

/** @returns how many of the CONSTANTS were needed, or the message of the refusal */
function outcome(each: Case): number | string {
  for (const [i, isConstant] of CONSTANTS.entries()) {
    try {
      const found = run(each, isConstant)
      each.outputs.map(tensor).forEach((expected, at) => {
        expect(found[at]!.shape, each.name).toEqual(expected.shape)
        expect(found[at]!.type, each.name).toBe(expected.type)
        expect(differences(found[at]!, expected, each), each.name).toBe(0)
      })
      return i
    } catch (error) {
      if (!(error instanceof Error) || !('cause' in error || error.name === 'FormatError')) throw error
      if (!error.message.includes('must be known')) return error.message
    }
  }
  return 'needs constants'
}

describe('the node tests of onnx', () => {
  const outcomes = cases.map((each) => [each.name, outcome(each)] as const)
  const count = (value: number): number => outcomes.filter(([, found]) => found === value).length

  it('pass, except those that need the indices of MaxPool', () => {
    const refused = outcomes.filter(([, found]) => typeof found === 'string')
    expect(refused.map(([name]) => name)).toEqual([
      'test_maxpool_with_argmax_2d_precomputed_pads',
      'test_maxpool_with_argmax_2d_precomputed_strides',
    ])
    for (const [, message] of refused)
      expect(message).toContain('the indices of the largest elements are not available')
  })

  it('are counted in docs/onnx.md', () => {
    const document = readFileSync(new URL('../../../docs/onnx.md', import.meta.url), 'utf8')
    const leftOut = JSON.parse(readFileSync(new URL('left-out.json', folder), 'utf8')) as Record<
      string,
      { readonly count: number }
    >
    const rows: [string, number][] = [
      ['pass with all inputs as data', count(0)],
      ['pass with inputs that determine shapes as constants', count(1)],
      ['pass with all inputs as constants', count(2)],
      ['refused: the indices of MaxPool', outcomes.filter(([, found]) => typeof found === 'string').length],
      ...Object.entries(leftOut).map(([reason, each]): [string, number] => [`left out: ${reason}`, each.count]),
    ]
    for (const [what, found] of rows) expect(document).toContain(`| ${what} | ${found} |`)
  })

  it('were chosen for the operators that are available', () => {
    const known = JSON.parse(readFileSync(new URL('operators.json', folder), 'utf8')) as string[]
    // Those of other domains are compared in sklearn.test.ts.
    expect([...operators.keys()].filter((name) => !name.includes('.')).sort()).toEqual(known)
  })
})
