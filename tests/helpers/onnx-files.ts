// Writes models as ONNX files, reads them again, and compares predictions. With ONNX_FILES=FOLDER the files are kept with inputs and
// predictions, and tests/golden/onnx-files-check.py compares them with ONNX Runtime.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { Model, Tensor } from '../../src'
import { loadOnnx, writeOnnx } from '../../src/onnx'
import type { GraphProto } from '../../src/onnx/proto'
import { modelProto } from '../../src/onnx/proto'
import { decode } from '../../src/onnx/wire'
import type { Tree } from '../../src/core/tree'
import { flatten, typed } from '../../src/core/tree'
import { expectNear } from './golden'

const folder = process.env['ONNX_FILES']

const content = ({ shape, dtype, data }: Tensor) => ({
  shape,
  dtype,
  data: Array.from(data, (x) => (Number.isFinite(x) ? x : String(x))),
})

/** The operators of a graph and of the graphs in it. */
export function operatorsIn({ nodes }: GraphProto): string[] {
  return nodes.flatMap(({ type, attributes }) => [
    type,
    ...attributes.flatMap(({ graph }) => (graph === null ? [] : operatorsIn(graph))),
  ])
}

export const graphOf = (bytes: Uint8Array): GraphProto => decode(modelProto, bytes, 'the file').graph!

/** Writes a model, and keeps the file for ONNX Runtime. */
export async function writeAndKeep(name: string, model: Model<unknown, unknown>, x: Tree<Tensor>) {
  const bytes = await writeOnnx(model)
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
  const given = flatten(x)
  const record = Object.fromEntries(given.map((each, i) => [names[i], each]))
  const received = flatten<Tensor>(typed(again.predictOnBatch(given.length === 1 ? given[0]! : record)))
  expect(received.map(({ shape, dtype }) => ({ shape, dtype }))).toEqual(
    expected.map(({ shape, dtype }) => ({ shape, dtype })),
  )
  received.forEach((each, i) => expectNear(each.data, expected[i]!.data, name, tolerance))
  return graphOf(bytes)
}
