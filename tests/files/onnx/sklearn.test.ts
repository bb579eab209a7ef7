// Models of scikit-learn, as skl2onnx exports them, and single nodes of ai.onnx.ml compute what ONNX Runtime computes.

import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { Tensor, loadModel, tensor } from '../../../src'
import { OnnxGraph, OnnxModel, loadOnnx } from '../../../src/entries/onnx'
import { floatTensor, modelBytes, tensorBytes, valueBytes, type Attribute, type NodeText } from '../../helpers/onnx'

interface Values {
  readonly shape: readonly number[]
  readonly numbers?: readonly (number | null)[]
  readonly strings?: readonly string[]
}
interface Case {
  readonly model: string
  readonly inputs: Readonly<Record<string, Values>>
  readonly outputs: Readonly<Record<string, Values | { readonly keys: readonly string[]; readonly values: Values }>>
}

const path = process.env['SKLEARN'] ?? new URL('../../golden/onnx/sklearn.json.gz', import.meta.url)
const golden = JSON.parse(gunzipSync(readFileSync(path)).toString()) as Readonly<Record<string, Case>>

function nested(flat: readonly unknown[], [extent = 1, ...rest]: readonly number[]): unknown {
  const size = flat.length / Math.max(extent, 1)
  if (rest.length === 0) return flat
  return Array.from({ length: extent }, (_, i) => nested(flat.slice(i * size, (i + 1) * size), rest))
}

const given = ({ numbers, strings, shape }: Values): unknown =>
  strings === undefined
    ? tensor({ data: Float32Array.from(numbers!, (x) => x ?? NaN), shape: [...shape] })
    : nested(strings, shape)

/** The number of elements that differ. @param labels of an output of strings */
function differences(found: Tensor, expected: Values, labels: readonly (string | number)[]): number {
  const { numbers, strings } = expected
  if (strings !== undefined) return strings.filter((text, i) => labels[found.data[i]!] !== text).length
  const largest = numbers!.reduce<number>((most, x) => Math.max(most, Math.abs(x ?? 0)), 1)
  return numbers!.filter(
    (x, i) =>
      !(Math.abs((x ?? NaN) - found.data[i]!) <= 2e-5 * largest) && !(x === null && Number.isNaN(found.data[i]!)),
  ).length
}

function compare(model: OnnxModel, result: unknown, { outputs }: Case): unknown[] {
  const named = result instanceof Tensor ? { [Object.keys(outputs)[0]!]: result } : (result as Record<string, Tensor>)
  return Object.entries(outputs).flatMap(([name, expected]) => {
    const labels = model.labels[name] ?? []
    const values = 'values' in expected ? expected.values : expected
    const keys = 'keys' in expected && expected.keys.join() !== labels.join() ? [[name, expected.keys, labels]] : []
    const count =
      named[name]!.size === (values.numbers ?? values.strings)!.length
        ? differences(named[name]!, values, labels)
        : 'size'
    return [...keys, ...(count === 0 ? [] : [[name, count]])]
  })
}

describe('models of scikit-learn', () => {
  it.each(Object.entries(golden))('%s', async (_name, each) => {
    const model = (await loadModel(Buffer.from(each.model, 'base64'))) as OnnxModel
    const inputs = Object.entries(each.inputs).map(([name, values]): [string, unknown] => [name, given(values)])
    const result = await model.predict((inputs.length === 1 ? inputs[0]![1] : Object.fromEntries(inputs)) as never)
    expect(compare(model, result, each)).toEqual([])
    model.dispose()
  })
})

const open = async (name: string): Promise<OnnxModel> =>
  (await loadModel(Buffer.from(golden[name]!.model, 'base64'))) as OnnxModel

describe('a model of a table', () => {
  it('gives classes as numbers of labels', async () => {
    const model = await open('LogisticRegression-words')
    expect(model.labels).toEqual({ output_label: ['maybe', 'no', 'yes'], output_probability: ['maybe', 'no', 'yes'] })
    const x = given(golden['LogisticRegression-words']!.inputs['x']!) as never
    const { output_label: label, output_probability: probability } = (await model.predict(x)) as Record<string, Tensor>
    const rows = probability!.toArray() as number[][]
    expect(rows.map((row) => row.indexOf(Math.max(...row)))).toEqual([...label!.data])
  })

  it('takes missing values, strings that it does not know, and single rows, again and again', async () => {
    const model = await open('ColumnTransformer-LogisticRegression')
    const row = (colour: string): object => ({ a: [[NaN]], b: [[1]], colour: [[colour]], size: [[2]] })
    const probabilities = async (colour: string): Promise<unknown> => {
      const found = (await model.predict(row(colour) as never)) as Record<string, Tensor>
      return found['output_probability']!.data
    }
    expect(await probabilities('red')).not.toEqual(await probabilities('violet'))
    const holes = await open('SimpleImputer')
    for (const _ of [1, 2])
      expect(((await holes.predict([[NaN, 1, 2, NaN]])) as Tensor).data.every(Number.isFinite)).toBe(true)
  })

  it('is saved and loaded', async () => {
    const model = await open('ColumnTransformer-RandomForest')
    const again = await loadModel(await model.save(), { customObjects: { OnnxModel, OnnxGraph } })
    const { inputs } = golden['ColumnTransformer-RandomForest']!
    const x = Object.fromEntries(Object.entries(inputs).map(([name, values]) => [name, given(values)])) as never
    const [a, b] = [await model.predict(x), await again.predict(x)] as unknown as Record<string, Tensor>[]
    expect(Object.values(b!).map(({ data }) => data)).toEqual(Object.values(a!).map(({ data }) => data))
    expect((again as OnnxModel).labels).toEqual(model.labels)
  })
})

describe('trees', () => {
  const tree = (attributes: Readonly<Record<string, Attribute>>): NodeText => ({
    type: 'TreeEnsemble',
    domain: 'ai.onnx.ml',
    inputs: ['x'],
    outputs: ['y'],
    attributes: {
      n_targets: 1,
      tree_roots: [0],
      nodes_splits: { tensor: floatTensor('s', [2], [0, 2]) },
      nodes_modes: { tensor: tensorBytes('m', 2, [2], [6, 0]) },
      nodes_featureids: [0, 1],
      nodes_truenodeids: [0, 1],
      nodes_falsenodeids: [1, 2],
      nodes_trueleafs: [1, 1],
      nodes_falseleafs: [0, 1],
      membership_values: { tensor: floatTensor('v', [4], [0.5, 3, -7, NaN]) },
      leaf_targetids: [0, 0, 0],
      leaf_weights: { tensor: floatTensor('w', [3], [1, 10, 100]) },
      ...attributes,
    },
  })
  const file = (node: NodeText): Uint8Array =>
    modelBytes({ nodes: [node], inputs: [valueBytes('x', ['batch', 2])], outputs: [valueBytes('y', null)] })

  it('have nodes whose value is one of several', async () => {
    const model = await loadOnnx<Tensor, Tensor>(file(tree({})))
    const rows = [
      [0.5, 9],
      [3, 9],
      [-7, 9],
      [0, 2],
      [0.6, 2.5],
      [NaN, 0],
    ]
    expect([...(await model.predict(rows)).data]).toEqual([1, 1, 1, 10, 100, 10])
  })

  it.each<[string, Readonly<Record<string, Attribute>>, string]>([
    ['a cycle', { nodes_falsenodeids: [1, 0], nodes_falseleafs: [0, 0] }, 'a tree has a cycle'],
    ['nodes that do not exist', { nodes_falsenodeids: [7, 2] }, 'there is no node 7'],
    ['leaves that do not exist', { nodes_truenodeids: [5, 1] }, 'there is no node leaf 5'],
    ['a feature that the input lacks', { nodes_featureids: [0, 2] }, 'reads feature 2 of 2'],
    ['a feature below 0', { nodes_featureids: [0, -1] }, 'a feature below 0'],
    ['columns of different lengths', { nodes_featureids: [0] }, 'nodes_featureids must have 2 elements'],
    ['an output that does not exist', { leaf_targetids: [0, 1, 0] }, 'the output 1 of 1'],
    ['an unknown comparison', { nodes_modes: { tensor: tensorBytes('m', 2, [2], [9, 0]) } }, 'node 0 has the mode 9'],
  ])('with %s are refused', async (_name, attributes, message) => {
    await expect(loadOnnx(file(tree(attributes)))).rejects.toThrow(message)
  })

  it('of the deepest kind take as many steps as comparisons', async () => {
    const depth = 2000
    const ids = Array.from({ length: depth }, (_, i) => i)
    const node = tree({
      nodes_splits: { tensor: floatTensor('s', [depth], ids) },
      nodes_modes: {
        tensor: tensorBytes(
          'm',
          2,
          [depth],
          ids.map(() => 0),
        ),
      },
      nodes_featureids: ids.map(() => 0),
      nodes_truenodeids: ids,
      nodes_trueleafs: ids.map(() => 1),
      nodes_falsenodeids: ids.map((i) => i + 1),
      nodes_falseleafs: ids.map((i) => Number(i + 1 === depth)),
      leaf_targetids: [...ids, 0].map(() => 0),
      leaf_weights: { tensor: floatTensor('w', [depth + 1], [...ids, depth]) },
    })
    const model = await loadOnnx<Tensor, Tensor>(file(node))
    const found = await model.predict([
      [-1, 0],
      [700.5, 0],
      [5000, 0],
    ])
    expect([...found.data]).toEqual([0, 701, 2000])
  })
})
