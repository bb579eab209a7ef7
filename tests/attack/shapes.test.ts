// A shape that a program changes would let a variable overwrite others: shapes are frozen.

import { expect, it } from 'vitest'
import { Dense, Input, Model, Tensor, Variable, jit, ops, tensor } from '../../src'

it('shapes are frozen, everywhere', () => {
  const given = [2, 2]
  const made = tensor([1, 2, 3, 4], given)
  const input = Input({ shape: [3] })
  const dense = new Dense({ units: 2 })
  const output = dense.apply(input)
  const model = new Model({ inputs: input, outputs: output })
  const variable = new Variable([4])
  const shapes = {
    variable: variable.shape,
    value: variable.value.shape,
    tensor: made.shape,
    constructed: new Tensor(new Float32Array(4), given, 'float32').shape,
    computed: ops.add(made, 1).shape,
    reshaped: ops.reshape(made, given).shape,
    traced: jit((x: Tensor) => ops.add(x, 1))(made).shape,
    symbol: input.shape,
    result: output.shape,
    weight: dense.weights[0]!.shape,
    input: model.inputs[0]!.shape,
  }
  for (const [name, shape] of Object.entries(shapes)) expect(Object.isFrozen(shape), name).toBe(true)
})

it('a variable keeps its size, and leaves others alone', () => {
  const [variable, other] = [new Variable([4]), new Variable([4])]
  other.assign([5, 6, 7, 8])
  expect(() => ((variable.shape as number[])[0] = 400)).toThrow(TypeError)
  expect(() => variable.assign(Array.from({ length: 400 }, (_, i) => i))).toThrow('400')
  expect([...other.value.data]).toEqual([5, 6, 7, 8])
})
