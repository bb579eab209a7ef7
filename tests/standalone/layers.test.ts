// Every layer with the rows of the contract test: a written module computes the same bits as predict, row by row.
// modes: simd

import { expect, it } from 'vitest'
import { Input as inputSymbol, Model, Tensor, customObjectScope, tensor } from '../../src'
import type { NumericArray } from '../../src/core/dtypes'
import { flatten, mapTree, typed, type Tree } from '../../src/core/tree'
import { applyTree } from '../../src/layers/applying'
import type { LayerBase } from '../../src/layers/layer'
import { Cell } from '../../src/layers/recurrent/cell'
import { layers } from '../../src/layers/registry'
import { floats, integers } from '../helpers/data'
import { customObjects, examples, type Example, type Input } from '../layers/examples'
import { written } from './written'

type AnyClass = new (options: object) => LayerBase
const classes = layers.all as Readonly<Record<string, AnyClass>>
const ROWS = 3

function modelOf(name: string, { options = {} }: Example, input: Tree<Input>): Model {
  const inputs = mapTree(input, ({ shape, dtype }) => inputSymbol({ shape: [...shape], dtype }))
  const layer = new classes[name]!(typeof options === 'function' ? (options as () => object)() : options)
  return new Model({ inputs: typed<Tensor>(inputs), outputs: typed<Tensor>(applyTree(layer, inputs, {})) })
}

function dataOf(input: Tree<Input>): Tree<Tensor> {
  let seed = 1
  return mapTree(input, ({ shape, dtype, below }) => {
    const full = [ROWS, ...shape]
    const { data } = dtype === 'float32' ? floats(full, -2, 2, seed++) : integers(full, 0, below - 1, seed++)
    return tensor([...data], full, dtype)
  })
}

/** Row i of each tensor, flat. */
function rowsOf(all: readonly Tensor[], row: number): readonly NumericArray[] {
  return all.map(({ data }) => data.slice((row * data.length) / ROWS, ((row + 1) * data.length) / ROWS))
}

async function expectSameBits(model: Model, x: Tree<Tensor>): Promise<void> {
  const { predict, info } = await written(model)
  const inputs = flatten(x)
  const outputs = await model.predict(typed(x), { batchSize: 1 })
  const expected = flatten<Tensor>(outputs)
  for (let row = 0; row < ROWS; row++) {
    const values = rowsOf(inputs, row)
    const result = predict(
      x instanceof Tensor ? values[0] : Object.fromEntries(info.inputs.map(({ name }, i) => [name, values[i]])),
    )
    const found =
      outputs instanceof Tensor ? [result] : info.outputs.map(({ name }) => Reflect.get(result as object, name))
    expect(found).toEqual(rowsOf(expected, row))
  }
}

const names = Object.keys(examples).filter(
  (name) => !(classes[name]!.prototype instanceof Cell) && name !== 'HashedCrossing',
)
it.each(names)('%s', async (name) => {
  // What must be adapted first is tested in export-module.test.ts.
  for (const example of examples[name]!.filter(({ adapts }) => adapts !== true)) {
    for (const input of [example.input, ...(example.others ?? [])]) {
      const model = customObjectScope({ ...classes, ...customObjects }, () => modelOf(name, example, input))
      await expectSameBits(model, dataOf(input))
    }
  }
})
