// What console.log shows in Node, and what notebooks display.
// modes: simd

import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import {
  Dense,
  Input,
  Model,
  Sequential,
  StringTensor,
  Variable,
  jit,
  ops,
  tensor,
  type Tensor,
} from '../../src/entries/node'
import { Dataset, readCsv } from '../../src/entries/data'

describe('console.log', () => {
  it.each<[Tensor, string]>([
    [tensor(3.25), 'Tensor float32 [] 3.25'],
    [tensor([1, -2.5, 1 / 3]), 'Tensor float32 [3] [1, -2.5, 0.33333]'],
    [tensor([true, false]), 'Tensor bool [2] [true, false]'],
    [tensor([[1, -2], [30, 4]], undefined, 'int32'), 'Tensor int32 [2, 2]\n[[ 1, -2],\n [30,  4]]'], // prettier-ignore
    [tensor([NaN, Infinity]), 'Tensor float32 [2] [NaN, Infinity]'],
    [ops.arange(0, 30), 'Tensor int32 [30] [0, 1, 2, 3, …, 26, 27, 28, 29]'],
    [ops.zeros([0, 3]), 'Tensor float32 [0, 3] []'],
    [ops.ones([2, 1, 2]), 'Tensor float32 [2, 1, 2]\n[[[1, 1]],\n\n [[1, 1]]]'],
    [new StringTensor(['a', 'bc'], [2]), "Tensor string [2] ['a', 'bc']"],
    [Input({ shape: [3] }), 'Tensor float32 [null, 3] (symbolic)'],
  ])('shows tensors: %s', (given, text) => {
    expect(inspect(given)).toBe(text)
    expect(Reflect.get(given, Symbol.for('Jupyter.display')).call(given)).toEqual({ 'text/plain': text })
    expect(Reflect.get(given, Symbol.for('Deno.customInspect')).call(given)).toBe(text)
  })

  it('shortens large matrices in the middle', () => {
    const lines = inspect(ops.reshape(ops.arange(0, 1200), [30, 40])).split('\n')
    expect(lines).toHaveLength(1 + 4 + 1 + 4)
    expect(lines[1]).toBe('[[   0,    1,    2,    3, …,   36,   37,   38,   39],')
    expect(lines[5]).toBe(' …,')
    expect(lines.at(-1)).toBe(' [1160, 1161, 1162, 1163, …, 1196, 1197, 1198, 1199]]')
  })

  it('shows variables, also inside traced functions and after their memory was freed', () => {
    const variable = new Variable(tensor([[1], [2]]), { name: 'kernel' })
    expect(inspect(variable)).toBe("Variable 'kernel' float32 [2, 1]\n[[1],\n [2]]")
    let inside = ''
    jit((x: Tensor) => {
      inside = inspect(variable)
      return ops.add(x, variable)
    })([[1], [2]])
    expect(inside).toMatch(/^Variable 'kernel' float32 \[2, 1\]/)
  })

  it('shows the summary of a model, and its name inside other values', async () => {
    const model = new Sequential([new Dense({ units: 2, inputShape: [3] })], { name: 'tiny' })
    expect(inspect(model)).toMatch(/^Model: "tiny"\n┌─[\s\S]*Total params: 8/)
    expect(inspect({ a: { model } })).toMatch(/model: .*tiny/)
    expect(inspect({ a: { model } })).not.toContain('Total params')
    expect(inspect(new Sequential([new Dense({ units: 2 })]))).toContain('not built')
    const x = Input({ shape: [2] })
    expect(inspect(new Model({ inputs: x, outputs: ops.add(x, 1) }))).toContain('Model: ')
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
    const history = await model.fit(ops.ones([8, 3]), ops.zeros([8, 2]), { epochs: 5, verbose: 0 })
    expect(inspect(history)).toMatch(/^History of 5 epochs\n {2}loss {2}\d\S* → \d\S* {2}█[▁-█]{3}▁$/)
  })

  it('shows data sets with their size', () => {
    expect(inspect(Dataset.range(3))).toBe('Dataset of 3 elements')
    expect(inspect(Dataset.range(1))).toBe('Dataset of 1 element')
    expect(inspect(Dataset.range(3).repeat())).toBe('Dataset of endless elements')
    expect(inspect(Dataset.range(3).filter(() => true))).toBe('Dataset of an unknown number of elements')
    expect(inspect(readCsv({ text: 'a\n1\n' }))).toBe('CsvDataset of an unknown number of elements')
    const deno = Reflect.get(Dataset.prototype, Symbol.for('Deno.customInspect')) as () => string
    expect(deno.call(Dataset.range(2))).toBe('Dataset of 2 elements')
  })
})
