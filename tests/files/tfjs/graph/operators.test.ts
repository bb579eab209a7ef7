// Graphs of one or a few nodes, for each operator, against TensorFlow.js.
// modes: simd

import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { hostOf } from '../../../../src/files/onnx/host'
import { runFile } from '../../../../src/files/onnx/run'
import { tensorFrom } from '../../../../src/files/onnx/tensors'
import { Value } from '../../../../src/files/onnx/values'
import { compileTraced, runProgram, trace } from '../../../../src/ops/trace'
import { operators } from '../../../../src/files/tfjs/graph/operators'
import { readStructure } from '../../../../src/files/tfjs/graph/structure'

interface Given {
  readonly name: string
  readonly shape: readonly number[]
  readonly dtype: 'float32' | 'int32' | 'bool'
  readonly data: readonly (number | string)[]
}

interface Case {
  readonly name: string
  readonly node: readonly { readonly name: string; readonly op: string; readonly input?: readonly string[] }[]
  readonly inputs: readonly Given[]
  readonly tensors: readonly Given[]
  readonly outputs: readonly Omit<Given, 'name'>[]
}

const cases = JSON.parse(
  gunzipSync(readFileSync(new URL('../../../golden/tfjs-graph.json.gz', import.meta.url))).toString(),
) as readonly Case[]

/** TensorFlow.js has these operators, but reads other operands for them than TensorFlow. */
const others: readonly Case[] = [
  other('BitwiseAnd', [whole([3], [6, 12, 255]), whole([3], [3, 10, 15])], whole([3], [2, 8, 15])),
  other('EnsureShape', [whole([2], [1, 2])], whole([2], [1, 2]), { shape: { shape: { dim: [{ size: '-1' }] } } }),
  other(
    'MatrixBandPart',
    [whole([3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9]), whole([], [1]), whole([], [0])],
    whole([3, 3], [1, 0, 0, 4, 5, 0, 0, 8, 9]),
  ),
  other(
    'MatrixBandPart',
    [whole([3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9]), whole([], [-1]), whole([], [1])],
    whole([3, 3], [1, 2, 0, 4, 5, 6, 7, 8, 9]),
  ),
]

function whole(shape: readonly number[], data: readonly number[]): Omit<Given, 'name'> {
  return { shape, dtype: 'int32', data }
}

/** Operands without axes are constants. */
function other(op: string, operands: readonly Omit<Given, 'name'>[], output: Omit<Given, 'name'>, attr = {}): Case {
  const all = operands.map((each, i) => ({ ...each, name: `x${i}` }))
  const [inputs, tensors] = [all.filter(({ shape }) => shape.length > 0), all.filter(({ shape }) => shape.length === 0)]
  const ends = all.map(({ name, shape }) => ({ name, op: shape.length === 0 ? 'Const' : 'Placeholder' }))
  const node = [...ends, { name: 'y', op, input: all.map(({ name }) => name), attr }]
  return { name: op, node, inputs, tensors, outputs: [output] }
}

const ARRAYS = { float32: Float32Array, int32: Int32Array, bool: Uint8Array }

const valueOf = ({ dtype, shape, data }: Given): Value => Value.known(hostOf(dtype, shape, data.map(Number)))

/** @param isKnown whether inputs are known while the graph is traced, so that the heap computes what it can */
function run({ name, node, inputs, tensors, outputs }: Case, isKnown: boolean): { shape: number[]; data: number[] }[] {
  const weights = tensors.map(({ name, dtype, shape, data }) => ({
    name,
    dtype,
    shape,
    data: Buffer.from(ARRAYS[dtype].from(data.map(Number)).buffer).toString('base64'),
  }))
  const results = Object.fromEntries(outputs.map((_, i) => [`y${i}`, { name: `y:${i}` }]))
  const { file, initializers } = readStructure(JSON.stringify({ node, signature: { outputs: results }, weights }), name)
  const given = new Map(inputs.map((each) => [each.name, valueOf(each)]))
  const symbols = isKnown ? [] : [...given]
  const parameters = symbols.map(([, value]) => value.plain)
  const program = compileTraced(
    trace(parameters, (traced) => {
      const values = new Map([...given].map(([key, value]) => [key, () => value]))
      symbols.forEach(([key, { type }], i) => values.set(key, () => Value.of(traced[i]!, type)))
      for (const { name: key, proto } of initializers)
        values.set(key, () => Value.known(tensorFrom(proto, key, new Map())))
      return runFile({ file, training: false, dropout: (x) => x, update: () => undefined }, values).map(
        ({ plain }) => plain,
      )
    }),
  )
  const found = runProgram(program, parameters)
  program.dispose()
  return found.map(({ shape, data }) => ({ shape: [...shape], data: Array.from(data as Float32Array) }))
}

const differ = (x: number, y: number): boolean =>
  !(Object.is(x, y) || x === y || Math.abs(x - y) <= 2e-5 + 1e-4 * Math.abs(y))

describe('operators', () => {
  it.each([
    ['data', false],
    ['constants', true],
  ] as const)('compute what TensorFlow.js computes with %s', (_, isKnown) => {
    const failures = [...cases, ...others].flatMap((each, i) => {
      try {
        const found = run(each, isKnown)
        return found.flatMap(({ shape, data }, at) => {
          const expected = each.outputs[at]!
          const isSame =
            String(shape) === String(expected.shape) &&
            data.length === expected.data.length &&
            !data.some((x, j) => differ(x, Number(expected.data[j])))
          return isSame
            ? []
            : [
                `${i} ${each.name}: [${shape.join()}] ${data.slice(0, 6).join()} is not [${expected.shape.join()}] ${expected.data.slice(0, 6).join()} ${JSON.stringify(each.node.at(-1))}`,
              ]
        })
      } catch (error) {
        return [`${i} ${each.name}: ${String(error)} ${JSON.stringify(each.node.at(-1))}`]
      }
    })
    expect(failures).toEqual([])
  })

  it('are all in the document', () => {
    const text = readFileSync(new URL('../../../../docs/tfjs-graph-models.md', import.meta.url), 'utf8')
    const [, list] = /## Operators\n\n([\s\S]*?)\n\n/.exec(text)!
    expect(list!.split(/\s+/)).toEqual([...operators.keys()].toSorted())
  })

  it('have each a graph here', () => {
    const tested = new Set([...cases, ...others].flatMap(({ node }) => node.map(({ op }) => op)))
    const missing = [...operators.keys()].filter((name) => !tested.has(name))
    expect(missing).toEqual([])
  })
})
