// writeOnnx: every registered layer, written and read again. With ONNX_FILES=FOLDER the files are kept with inputs and predictions, and
// tests/golden/onnx-files-check.py compares them with ONNX Runtime: npm run test:python.
// modes: simd

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Tensor } from '../../src'
import { Input as inputSymbol, Model, customObjectScope, tensor } from '../../src'
import { loadOnnx, writeOnnx } from '../../src/onnx'
import type { Tree } from '../../src/core/tree'
import { flatten, mapTree, typed } from '../../src/core/tree'
import type { LayerBase } from '../../src/layers/layer'
import { StringLayer } from '../../src/layers/preprocessing/string-layer'
import { layers } from '../../src/layers/registry'
import { floats, integers } from '../helpers/data'
import { expectNear } from '../helpers/golden'
import type { Input } from '../layers/examples'
import { customObjects, examples } from '../layers/examples'

type AnyModel = Model<unknown, unknown>
type AnyClass = new (options: object) => LayerBase
const classes = layers.all as Readonly<Record<string, AnyClass>>
const folder = process.env['ONNX_FILES']

const content = ({ shape, dtype, data }: Tensor) => ({
  shape,
  dtype,
  data: Array.from(data, (x) => (Number.isFinite(x) ? x : String(x))),
})

/** Writes a model, reads it again, and compares predictions. */
async function expectSame(name: string, model: AnyModel, x: Tree<Tensor>, tolerance = 1e-5): Promise<void> {
  const bytes = await writeOnnx(model)
  const expected = flatten<Tensor>(typed(model.predictOnBatch(x)))
  if (folder !== undefined) {
    writeFileSync(join(folder, `${name}.onnx`), bytes)
    const json = { x: flatten(x).map(content), y: expected.map(content) }
    writeFileSync(join(folder, `${name}.json`), JSON.stringify(json))
  }
  const again = await loadOnnx<unknown, unknown>(bytes)
  const names = again.graph!.inputNames
  const given = flatten(x)
  const received = flatten<Tensor>(
    typed(
      again.predictOnBatch(
        given.length === 1 ? given[0]! : Object.fromEntries(given.map((each, i) => [names[i], each])),
      ),
    ),
  )
  expect(received.map(({ shape, dtype }) => ({ shape, dtype }))).toEqual(
    expected.map(({ shape, dtype }) => ({ shape, dtype })),
  )
  received.forEach((each, i) => expectNear(each.data, expected[i]!.data, name, tolerance))
}

function dataOf(input: Tree<Input>, batch: number): Tree<Tensor> {
  let seed = 1
  return mapTree(input, ({ shape, dtype, below }) => {
    const full = [batch, ...shape]
    const { data } = dtype === 'float32' ? floats(full, -2, 2, seed++) : integers(full, 0, below - 1, seed++)
    return tensor([...data], full, dtype)
  })
}

function setWeights(layer: LayerBase): void {
  layer.weights.forEach((weight, i) => {
    const least = /variance$/i.test(weight.name) ? 0.4 : -0.8
    if (weight.dtype === 'float32')
      weight.assign(tensor([...floats(weight.shape, least, 0.8, i + 40).data], weight.shape))
  })
}

const isWritten = (name: string): boolean =>
  !(classes[name]!.prototype instanceof StringLayer) && name !== 'HashedCrossing' && name !== 'InputLayer'

const rows = Object.entries(examples)
  .filter(([name]) => isWritten(name))
  .flatMap(([name, all]) =>
    all.flatMap(({ options, input, others = [] }, i) =>
      [input, ...others].map((each, j) => ({
        title: `${name}-${i}${j === 0 ? '' : `-${j}`}`,
        name,
        options,
        input: each,
      })),
    ),
  )

describe('each layer', () => {
  it.each(rows)('$title', async ({ title, name, options, input }) => {
    const given = typeof options === 'function' ? (options as () => object)() : (options ?? {})
    const layer = new classes[name]!(given)
    layer.ensureBuilt(mapTree(input, (leaf) => leaf.spec(null)))
    setWeights(layer)
    const symbols = mapTree(input, ({ shape, dtype }, path) =>
      inputSymbol({ shape, dtype, name: path === '' ? 'x' : `x${path.replaceAll(/\W/g, '_')}` }),
    )
    const outputs = customObjectScope({ ...classes, ...customObjects }, () => layer.applyTree(symbols, {}))
    await expectSame(title, new Model<unknown, unknown>({ inputs: symbols, outputs }), dataOf(input, 4))
  })
})
