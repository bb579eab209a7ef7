// Every layer with the first row of the contract test: a small model with the layer learns the same on the GPU as on the CPU. models.test.ts has
// larger models.
// modes: simd

import { describe, expect, it } from 'vitest'
import {
  Concatenate,
  Dense,
  Flatten,
  Input as inputSymbol,
  Lambda,
  Model,
  SGD,
  ops,
  tensor,
  type Tensor,
} from '../../../src'
import type { LayerBase } from '../../../src/layers/layer'
import { applyTree } from '../../../src/layers/applying'
import { layers } from '../../../src/layers/registry'
import { Cell } from '../../../src/layers/recurrent/cell'
import { flatten, mapTree, typed, type Tree } from '../../../src/core/tree'
import { floats, integers } from '../../helpers/data'
import { examples, type Example, type Input } from '../../layers/examples'
import { Shift, compareBoth, expectOnGpu, numbers, trained, web, type Outcome } from './both'

type AnyClass = new (options: object) => LayerBase
const classes = layers.all as Readonly<Record<string, AnyClass>>

const ROWS = 4

const asRow = (x: Tensor): Tensor => {
  const numbersOf = new Lambda({ function: (each: Tensor) => ops.cast(each, 'float32') }).apply(x)
  return numbersOf.rank === 1
    ? new Lambda({ function: (each: Tensor) => ops.expandDims(each, 1) }).apply(numbersOf)
    : new Flatten().apply(numbersOf)
}

/** A model of the layer between weights. */
function modelOf(name: string, { input, options = {} }: Example): Model {
  const inputs = mapTree(input, ({ shape, dtype }) => inputSymbol({ shape: [...shape], dtype }))
  const layer = new classes[name]!(typeof options === 'function' ? (options as () => object)() : options)
  const shifted = mapTree(inputs, (each) => (each.dtype === 'float32' ? new Shift().apply(each) : each))
  const rows = flatten(applyTree(layer, shifted, {})).map(asRow)
  const all = rows.length === 1 ? rows[0]! : new Concatenate().apply(rows)
  return new Model({ inputs: typed<Tensor>(inputs), outputs: new Dense({ units: 2 }).apply(all) })
}

function dataOf(input: Tree<Input>): Tree<Tensor> {
  let seed = 1
  return mapTree(input, ({ shape, dtype, below }) => {
    const full = [ROWS, ...shape]
    const { data } = dtype === 'float32' ? floats(full, -2, 2, seed++) : integers(full, 0, below - 1, seed++)
    return tensor([...data], full, dtype)
  })
}

/** Two steps, so that the second one sees what the first one changed. */
function run(name: string, example: Example): Promise<Outcome> {
  const model = modelOf(name, example)
  model.compile({ optimizer: new SGD({ learningRate: 0.05 }), loss: 'meanSquaredError' })
  return trained(model, { x: dataOf(example.input), y: numbers([ROWS, 2], 9) })
}

const rows = Object.entries(examples).flatMap(([name, [example]]) => {
  const isAlone = !example!.begins && !example!.adapts && !(classes[name]!.prototype instanceof Cell)
  return isAlone ? [[name, example!] as const] : []
})

/** Parts that the GPU may have no kernel for: a program with one stays on the CPU, and the report names it. */
const missing = /^(searchsorted|argsort|sort|lu|fourier) has no kernel on the GPU$/

describe.skipIf(web === null)('on the GPU', () => {
  it.each(rows)('%s', async (name, example) => {
    const programs = await compareBoth(() => run(name, example))
    expectOnGpu(
      programs.filter(({ why }) => !missing.test(why)),
      0,
    )
    expect(programs.length).toBeGreaterThan(2)
  })
})
