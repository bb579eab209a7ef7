// writeOnnx: every registered layer, written and read again. npm run test:python opens the same files with ONNX Runtime.
// modes: simd

import { describe, expect, it } from 'vitest'
import { Dense, Input as inputSymbol, Model, customObjectScope, tensor, type Tensor } from '../../../src'
import { mapTree, type Tree } from '../../../src/core/tree'
import type { LayerBase } from '../../../src/layers/layer'
import { StringLayer } from '../../../src/layers/preprocessing/string-layer'
import { layers } from '../../../src/layers/registry'
import { loadOnnx, writeOnnx } from '../../../src/entries/onnx'
import { floats, integers } from '../../helpers/data'
import { expectSameInOnnx } from '../../helpers/onnx-files'
import { customObjects, examples, type Input } from '../../layers/examples'
import { applyTree } from '../../../src/layers/applying'

type AnyClass = new (options: object) => LayerBase
const classes = layers.all as Readonly<Record<string, AnyClass>>
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
    const outputs = customObjectScope({ ...classes, ...customObjects }, () => applyTree(layer, symbols, {}))
    await expectSameInOnnx(title, new Model<unknown, unknown>({ inputs: symbols, outputs }), dataOf(input, 4))
  })
})

it('an input of any name', async () => {
  for (const name of ['__proto__', 'constructor', 'toString']) {
    const x = inputSymbol({ shape: [3], name })
    const model = new Model({ inputs: x, outputs: new Dense(2).apply(x) })
    const bytes = await writeOnnx(model)
    expect(new TextDecoder().decode(bytes)).toContain(name)
    const one = tensor([[1, 2, 3]])
    const again = await loadOnnx(bytes)
    expect(Array.from((await again.predict(one)).data)).toEqual(Array.from((await model.predict(one)).data))
  }
})
