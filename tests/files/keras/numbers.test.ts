// Numbers among the arguments of ops: those of Python are int or float, and the dtype of a result depends on it. Files say which they are.
// modes: simd

import { expect, it } from 'vitest'
import {
  Activation,
  Dense,
  FormatError,
  Input,
  Lambda,
  Model,
  Sequential,
  Tensor,
  loadModel,
  ops,
  tensor,
} from '../../../src'
import { readArchive } from '../../../src/files/containers/archive'
import type { DType } from '../../../src/core/dtypes'
import { typed } from '../../../src/core/tree'
import { modelFromJSON, readKeras, writeKeras } from '../../../src/entries/keras'

type Made = (x: Tensor) => Tensor

const modelOf = (made: Made, dtype: DType): Model => {
  const x = Input({ shape: [4], dtype, name: 'input' })
  return new Model({ inputs: x, outputs: made(x) })
}

const jsonOf = async (model: Model): Promise<string> =>
  new TextDecoder().decode((await readArchive(await writeKeras(model))).get('config.json')!)

/** A model of one op as Keras writes it. */
const configOf = (className: string, dtype: DType, args: string, config = ''): string => {
  const x = `{"class_name": "__keras_tensor__", "config": {"shape": [null, 4], "dtype": "${dtype}", "keras_history": ["input", 0, 0]}}`
  return `{"module": "keras.src.models.functional", "class_name": "Functional", "registered_name": "Functional", "config": {"name": "model", "trainable": true, "layers": [
    {"module": "keras.layers", "class_name": "InputLayer", "config": {"batch_shape": [null, 4], "dtype": "${dtype}", "sparse": false, "name": "input"}, "registered_name": null, "name": "input", "inbound_nodes": []},
    {"module": "keras.src.ops.numpy", "class_name": "${className}", "config": {"name": "op"${config}}, "registered_name": "${className}", "name": "op", "inbound_nodes": [{"args": [${args.replaceAll('x', x)}], "kwargs": {}}]}],
    "input_layers": [["input", 0, 0]], "output_layers": [["op", 0, 0]]}}`
}

const integers = tensor([[1, 3, -2, 0]], [1, 4], 'int32')

it.each<[string, string, string, DType, number[]]>([
  ['Multiply', 'x, 1e9', '', 'float32', [1e9, 3e9, -2e9, 0]],
  ['Add', 'x, 1.0', '', 'float32', [2, 4, -1, 1]],
  ['Subtract', '3.0, x', '', 'float32', [2, 0, 5, 3]],
  ['Add', 'x, 1', '', 'int32', [2, 4, -1, 1]],
  ['Power', 'x, 2.0', '', 'float32', [1, 9, 4, 0]],
  ['Maximum', 'x, 0.0', '', 'float32', [1, 3, 0, 0]],
  ['Clip', 'x', ', "x_min": 0.0, "x_max": 2.0', 'float32', [1, 2, 0, 0]],
  ['Clip', 'x', ', "x_min": 0, "x_max": 2', 'int32', [1, 2, 0, 0]],
  ['Where', 'x, 1, 0', '', 'int32', [1, 1, 1, 0]],
  ['Where', 'x, 1.0, 0.0', '', 'float32', [1, 1, 1, 0]],
  ['Select', '[x], [1.0], 0', '', 'float32', [1, 1, 1, 0]],
  ['Outer', 'x, 2', '', 'int32', [2, 6, -4, 0]],
  ['Less', 'x, [1.0, 4.0, 0.0, -1.0]', '', 'bool', [0, 1, 1, 0]],
  ['LogicalAnd', 'x, [1.0, 0.5, 0.0, 1.0]', '', 'bool', [1, 1, 0, 0]],
  ['IsIn', 'x, [3.0, -2]', '', 'bool', [0, 1, 1, 0]],
  ['Where', 'x, [1, 2, 3, 4], 0', '', 'int32', [1, 2, 3, 0]],
  ['Where', 'x, [1, 2, 3.0, 4], 0', '', 'float32', [1, 2, 3, 0]],
  ['LeakyRelu', 'x', ', "negative_slope": 2.0', 'float32', [1, 3, -4, 0]],
  ['LeakyRelu', 'x', ', "negative_slope": 2', 'int32', [1, 3, -4, 0]],
  ['Threshold', 'x', ', "threshold": 1.0, "default_value": 5.0', 'float32', [5, 3, 5, 5]],
  ['Threshold', 'x', ', "threshold": 1.0, "default_value": 5', 'int32', [5, 3, 5, 5]],
])('%s(%s) of int32%s is %s', async (className, args, config, dtype, expected) => {
  const model = modelFromJSON<Tensor, Tensor>(configOf(className, 'int32', args, config))
  const written = [await writeKeras(typed(model)), await writeKeras(typed(model), null, { format: 'h5' })]
  for (const each of [model, ...(await Promise.all(written.map((bytes) => readKeras<Tensor, Tensor>(bytes))))]) {
    const y = each.predictOnBatch(integers)
    expect(y.dtype).toBe(dtype)
    expect(Array.from(y.data)).toEqual(expected)
  }
})

it.each<[string, DType, Made, string]>([
  ['a float that is whole', 'float32', (x) => ops.multiply(x, -1e10), '-10000000000.0'],
  ['a number beyond int32', 'int32', (x) => ops.add(x, 4294967296), '4294967296.0'],
  ['choices', 'float32', (x) => ops.where(ops.greater(x, 0.5), 1, 0), '1.0,0.0'],
  ['an integer', 'int32', (x) => ops.multiply(x, 2), ',2]'],
  ['bounds', 'float32', (x) => ops.clip(x, -1, 1e20), '"x_min":-1.0,"x_max":100000000000000000000.0'],
  ['a scalar that is a tensor', 'int32', (x) => ops.add(x, tensor(2)), ',2.0]'],
  ['an operand that needs a dtype', 'float32', (x) => ops.hypot(x, 2.5), '{"value":2.5,"dtype":"float32"}'],
  ['a list of bits', 'int32', (x) => ops.bitwiseAnd(x, [1, 2, 3, 4]), '{"value":[1,2,3,4],"dtype":"int32"}'],
  ['a list of divisors', 'int32', (x) => ops.gcd([1, 2, 3, 4], x), '{"value":[1,2,3,4],"dtype":"int32"}'],
  ['bits of bool', 'int32', (x) => ops.bitwiseOr(ops.greater(x, 1), [true, false, false, true]), '"dtype":"bool"'],
  [
    'a kernel of integers',
    'float32',
    (x) => ops.conv(ops.reshape(x, [-1, 4, 1]), tensor([1, 2], [2, 1, 1], 'int32')),
    '"dtype":"float32"}',
  ],
  ['a zero with a sign', 'float32', (x) => ops.multiply(x, tensor([-0, 0, -0, 1])), '"value":[-0.0,0,-0.0,1]'],
])('writes %s as Python does', async (_name, dtype, made, text) => {
  const model = modelOf(made, dtype)
  expect(await jsonOf(model)).toContain(text)
  const x = dtype === 'int32' ? integers : tensor([[1, 0.25, -2, 0]])
  const expected = model.predictOnBatch(x)
  for (const bytes of [await writeKeras(model), await writeKeras(model, null, { format: 'h5' }), await model.save()]) {
    const again = (await loadModel(bytes)).predictOnBatch(x)
    expect(again.dtype).toBe(expected.dtype)
    expect(Array.from(again.data)).toEqual(Array.from(expected.data))
  }
})

it('keeps a string that begins like the mark of a number', async () => {
  const config = configOf('Add', 'float32', 'x, 1.0').replaceAll('"op"', String.raw`"\u0000op"`)
  expect(await jsonOf(typed(modelFromJSON(config)))).toContain(String.raw`"name":"\u0000op"`)
})

it('gives each image of a batch the transformation of all', async () => {
  const images = Input({ shape: [3, 3, 1] })
  const moved = ops.image.affineTransform(images, [[1, 0, 1, 0, 1, 0, 0, 0]])
  const model = new Model({ inputs: images, outputs: moved })
  const x = new Tensor(
    Float32Array.from({ length: 18 }, (_, i) => i),
    [2, 3, 3, 1],
    'float32',
  )
  const again = await readKeras<Tensor, Tensor>(await writeKeras(model))
  expect(Array.from(again.predictOnBatch(x).data)).toEqual(Array.from(model.predictOnBatch(x).data))
  expect(await jsonOf(model)).toContain('ZerosLike')
})

it('refuses to write functions without a name', async () => {
  const layers = [
    new Activation((x: Tensor) => ops.multiply(x, 2)),
    new Dense({ units: 2, activation: (x: Tensor) => ops.multiply(x, 2) }),
    new Lambda({ function: (x: Tensor) => ops.multiply(x, 2) }),
  ]
  for (const layer of layers) {
    const model = new Sequential([Input({ shape: [4] }), layer])
    await expect(model.save()).rejects.toThrow('without a name')
    await expect(writeKeras(model)).rejects.toThrow('without a name')
  }
  const twice: Made = (x) => ops.multiply(x, 2)
  const model = new Sequential([Input({ shape: [4] }), new Activation(twice)])
  const loaded = await loadModel(await writeKeras(model), { customObjects: { twice } })
  expect(loaded.layers).toHaveLength(1)
})

it('says what is no JSON', () => {
  expect(() => modelFromJSON('{"a": 01.0}')).toThrow(FormatError)
})
