// Writes models as ONNX files, reads them again, and compares predictions. With ONNX_FILES=FOLDER the files are kept with inputs and
// predictions, and tests/golden/onnx-files-check.py compares them with ONNX Runtime.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { Model, Tensor } from '../../src'
import { loadOnnx, writeOnnx } from '../../src/entries/onnx'
import { modelProto, type GraphProto, type NodeProto } from '../../src/files/onnx/proto'
import { decode } from '../../src/files/onnx/wire'
import { flatten, typed, type Tree } from '../../src/core/tree'
import { expectNear } from './golden'

const folder = process.env['ONNX_FILES']

const content = ({ shape, dtype, data }: Tensor) => ({
  shape,
  dtype,
  data: Array.from(data, (x) => (Number.isFinite(x) ? x : String(x))),
})

/** The nodes of a graph and of the graphs in it. */
function nodesIn({ nodes }: GraphProto): NodeProto[] {
  return nodes.flatMap((node) => [
    node,
    ...node.attributes.flatMap(({ graph }) => (graph === null ? [] : nodesIn(graph))),
  ])
}

/** The operators of a graph and of the graphs in it. */
export const operatorsIn = (graph: GraphProto): string[] => nodesIn(graph).map(({ type }) => type)

type Schema = readonly [least: number, most: number, leastOutputs: number, mostOutputs: number, ...attributes: string[]]
const schemas = JSON.parse(readFileSync(new URL('../golden/onnx/schemas.json', import.meta.url), 'utf8')) as Readonly<
  Record<string, Schema>
>

/** Checks the nodes of a file against the operators of its opset, which readers of files take less strictly. */
function expectInOpset(graph: GraphProto): void {
  for (const { type, name, inputs, outputs, attributes } of nodesIn(graph)) {
    const [least, most, leastOutputs, mostOutputs, ...known] = schemas[type]!
    const counts = [
      inputs.length >= least,
      inputs.length <= most,
      outputs.length >= leastOutputs,
      outputs.length <= mostOutputs,
    ]
    expect(counts, `${type} ${name}`).toEqual([true, true, true, true])
    expect(known, `${type} ${name}`).toEqual(expect.arrayContaining(attributes.map((each) => each.name)))
  }
}

export const graphOf = (bytes: Uint8Array): GraphProto => decode(modelProto, bytes, 'the file').graph!

/** Writes a model, and keeps the file for ONNX Runtime. */
export async function writeAndKeep(name: string, model: Model<unknown, unknown>, x: Tree<Tensor>) {
  const bytes = await writeOnnx(model)
  expectInOpset(graphOf(bytes))
  const expected = flatten<Tensor>(typed(model.predictOnBatch(x)))
  if (folder !== undefined && folder !== '') {
    writeFileSync(join(folder, `${name}.onnx`), bytes)
    const json = { x: flatten(x).map(content), y: expected.map(content) }
    writeFileSync(join(folder, `${name}.json`), JSON.stringify(json))
  }
  return { bytes, expected }
}

/** @returns the graph of the file */
export async function expectSameInOnnx(
  name: string,
  model: Model<unknown, unknown>,
  x: Tree<Tensor>,
  tolerance = 1e-5,
): Promise<GraphProto> {
  const { bytes, expected } = await writeAndKeep(name, model, x)
  const again = await loadOnnx<unknown, unknown>(bytes)
  const names = again.graph!.inputNames
  const inputs = flatten(x)
  const record = Object.fromEntries(inputs.map((each, i) => [names[i], each]))
  const received = flatten<Tensor>(typed(again.predictOnBatch(inputs.length === 1 ? inputs[0]! : record)))
  expect(received.map(({ shape, dtype }) => ({ shape, dtype }))).toEqual(
    expected.map(({ shape, dtype }) => ({ shape, dtype })),
  )
  received.forEach((each, i) => expectNear(each.data, expected[i]!.data, name, tolerance))
  return graphOf(bytes)
}
