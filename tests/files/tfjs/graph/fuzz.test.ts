// Changed graphs are refused with an error of this library, or are models.
// modes: simd

import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { array, assert, asyncProperty, constant, constantFrom, double, nat, oneof, type Arbitrary } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MyelinError, ops, type Tensor } from '../../../../src'
import { graphModelFrom } from '../../../../src/files/tfjs/graph/load'
import { tensorNamed } from '../../../helpers/tfjs-graph'
import { processorTime } from '../../../helpers/processor-time'

type Value = null | boolean | number | string | Value[] | { [key: string]: Value }

interface Golden {
  readonly name: string
  readonly node: Value
  readonly inputs: readonly { readonly dtype: string }[]
  readonly tensors: readonly { name: string; dtype: 'float32' | 'int32'; shape: number[]; data: number[] }[]
}

const all = JSON.parse(
  gunzipSync(readFileSync(new URL('../../../golden/tfjs-graph.json.gz', import.meta.url))).toString(),
) as readonly Golden[]
// Each operator once, and the network often.
const files = [...new Map(all.map((each) => [each.name, each])).values()].filter(({ inputs }) => inputs.length > 0)
const network = files.find(({ name }) => name === 'network')!

const place = double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const words = constantFrom(
  'x0',
  'y',
  'y:1',
  'x0:7',
  '^x0',
  '',
  'Const',
  'Conv2D',
  'Identity',
  'Placeholder',
  'U0FNRQ==',
  'VkFMSUQ=',
  'DT_INT32',
  'DT_STRING',
  '__proto__',
  '-1',
  '1099511627776',
)
const value: Arbitrary<Value> = oneof(
  words,
  constantFrom<Value>(null, true, false, [], {}, 0, -1, 3, 2 ** 40, 0.5, NaN),
  nat(9),
  constant<Value>([{ name: 'z', op: 'Relu', input: ['y'] }]),
)

/** All places of a value: the lists and records in it, with their keys. */
function placesIn(root: Value, found: [Value[] | { [key: string]: Value }, string][] = []): typeof found {
  if (typeof root !== 'object' || root === null) return found
  for (const key of Object.keys(root)) {
    found.push([root, key])
    placesIn((root as { [key: string]: Value })[key]!, found)
  }
  return found
}

type Change = readonly [at: number, how: 'replace' | 'remove' | 'copy', from: number, value: Value]

function changed(root: Value, changes: readonly Change[]): Value {
  const copy = structuredClone(root)
  for (const [at, how, from, given] of changes) {
    const places = placesIn(copy)
    if (places.length === 0) break
    const [owner, key] = places[Math.floor(at * places.length)]!
    const [other, otherKey] = places[Math.floor(from * places.length)]!
    if (how === 'remove' && Array.isArray(owner)) owner.splice(Number(key), 1)
    else if (how === 'remove') delete (owner as { [key: string]: Value })[key]
    else
      (owner as { [key: string]: Value })[key] = structuredClone(
        how === 'replace' ? given : (other as { [key: string]: Value })[otherKey]!,
      )
  }
  return copy
}

async function outcome({ node, tensors }: Golden, changes: readonly Change[]): Promise<unknown> {
  try {
    const json = changed({ modelTopology: { node }, tensors: tensors as unknown as Value }, changes) as {
      modelTopology: Value
      tensors: Value
    }
    const list = Array.isArray(json.tensors) ? json.tensors : []
    const given = list.flatMap((each) => {
      const { name, dtype, shape, data } = (each ?? {}) as unknown as Golden['tensors'][number]
      // What weightsManifest has is checked before.
      const fits =
        typeof name === 'string' &&
        Array.isArray(shape) &&
        Array.isArray(data) &&
        shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0)
      const isSized = fits && shape.reduce((a, b) => a * b, 1) === data.length && data.every(Number.isFinite)
      return isSized && ['float32', 'int32', 'bool'].includes(dtype) ? [tensorNamed(name, shape, data, dtype)] : []
    })
    const model = graphModelFrom(json as never, given, 'model.json')
    const symbols = model.inputs as readonly Tensor[]
    const rows = symbols.map(({ shape, dtype }) =>
      ops.ones(
        shape.map((extent) => (extent as number | null) ?? 2),
        dtype as 'float32',
      ),
    )
    const names = Object.keys(model.input as object)
    if (rows.every(({ size }) => size < 1e5))
      await model.predict(
        (rows.length === 1 ? rows[0] : Object.fromEntries(rows.map((row, i) => [names[i]!, row]))) as never,
      )
    model.dispose()
    return null
  } catch (error) {
    return error
  }
}

const change: Arbitrary<Change> = array(place, { minLength: 2, maxLength: 2 }).chain(([at, from]) =>
  constantFrom<Change[1]>('replace', 'remove', 'copy').chain((how) =>
    value.map((given): Change => [at!, how, from!, given]),
  ),
)

describe('changed graphs', () => {
  it.each([
    ['of one node', constantFrom(...files), 400, 5],
    ['of a network', constant(network), 200, 9],
  ] as const)(
    '%s have a typed error or a model, soon',
    async (_, file, numRuns, seed) => {
      const kinds = { models: 0, errors: 0 }
      await assert(
        asyncProperty(file, array(change, { minLength: 1, maxLength: 3 }), async (golden, changes) => {
          const begin = processorTime()
          const found = await outcome(golden, changes)
          expect(processorTime() - begin).toBeLessThan(20_000)
          if (found === null) kinds.models++
          else {
            kinds.errors++
            expect(found).toBeInstanceOf(MyelinError)
          }
        }),
        { numRuns, seed },
      )
      // Both happen, so that neither all changes nor none are fatal.
      expect(Math.min(kinds.models, kinds.errors)).toBeGreaterThan(numRuns / 20)
    },
    120_000,
  )
})
