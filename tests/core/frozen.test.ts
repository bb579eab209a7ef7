// Kernels trust shapes, dtypes and lists of extents. Users must not be able to change them: every list of numbers that
// can be reached from a public object either refuses a change or is a copy.

import { describe, expect, it } from 'vitest'
import * as myelin from '../../src'
import {
  Dense,
  Input,
  Model,
  Sequential,
  ShapeError,
  StringTensor,
  Tensor,
  TensorSpec,
  Variable,
  grad,
  jit,
  ops,
  optimizers,
  tensor,
} from '../../src'
import { Dataset } from '../../src/entries/data'
import { examples } from '../layers/examples'

/** Tries every way to change a list, and to replace it. */
function attack(key: string, list: unknown[]): void {
  const changes = [
    () => (list[0] = 400),
    () => list.push(400),
    () => (list.length = 0),
    () => list.reverse(),
    () => Reflect.set(list, '0', 401),
    () => Reflect.defineProperty(list, '0', { value: 402 }),
  ]
  for (const change of changes) {
    try {
      change()
    } catch (error) {
      expect(error, key).toBeInstanceOf(TypeError)
    }
  }
}

/** The names of all readable properties of an object: its own, and its getters. */
function readable(object: object): string[] {
  const names = new Set(Object.keys(object))
  for (
    let at: object | null = Object.getPrototypeOf(object) as object | null;
    at !== null && at !== Object.prototype;
  ) {
    for (const [name, { get }] of Object.entries(Object.getOwnPropertyDescriptors(at)))
      if (get !== undefined) names.add(name)
    at = Object.getPrototypeOf(at) as object | null
  }
  return [...names].filter((name) => name !== '__proto__')
}

function read(object: object, name: string): unknown {
  try {
    return Reflect.get(object, name) as unknown
  } catch {
    return undefined
  }
}

/** Copies of lists of numbers, shapes and names, to compare. Lists of objects are compared by their elements. */
const copyOf = (list: readonly unknown[]): unknown[] => list.map((each) => (Array.isArray(each) ? copyOf(each) : each))

/** Lists of numbers and of open extents, to any depth, and those of weights and layers. */
function isTrusted(name: string, list: readonly unknown[]): boolean {
  const isNumbers = (each: unknown): boolean =>
    typeof each === 'number' || each === null || (Array.isArray(each) && each.every(isNumbers))
  return /^(weights|trainableWeights|layers)$/.test(name) || (list.length > 0 && list.every(isNumbers))
}

/** Tries to change every list of an object, also nested lists; each must stay unchanged. */
function expectFixed(where: string, object: object): number {
  let lists = 0
  for (const name of readable(object)) {
    const list = read(object, name)
    if (!Array.isArray(list) || !isTrusted(name, list)) continue
    lists++
    const before = copyOf(list)
    for (const inner of list as unknown[]) if (Array.isArray(inner)) attack(`${where}.${name}[]`, inner)
    attack(`${where}.${name}`, list)
    const after = read(object, name)
    expect(Array.isArray(after) ? copyOf(after) : after, `${where}.${name}`).toEqual(before)
  }
  return lists
}

describe('tensors', () => {
  const made: [string, () => myelin.Tensor][] = [
    ['tensor', () => tensor([1, 2, 3])],
    ['tensor with a shape', () => tensor([1, 2, 3, 4], [2, 2])],
    ['the result of an op', () => ops.add([1, 2], 1)],
    ['zeros', () => ops.zeros([2, 3])],
    ['reshape', () => ops.reshape([1, 2, 3, 4], [2, -1])],
    ['random', () => myelin.random.uniform([3])],
    ['strings', () => new StringTensor(['a'], [1])],
    ['a symbol', () => Input({ shape: [3] })],
    ['a result of jit', () => jit((x) => ops.multiply(x, 2))(tensor([1, 2]))],
    ['a gradient', () => grad((x) => ops.sum(ops.square(x)))(tensor([1, 2])) as myelin.Tensor],
    ['the value of a Variable', () => new Variable([4]).value],
  ]

  it.each(made)('the shape and dtype of %s cannot be changed', (name, make) => {
    const x = make()
    const [shape, { dtype }] = [[...x.shape], x]
    expect(expectFixed(name, x)).toBeGreaterThan(0)
    expect(Reflect.set(x, 'shape', [400])).toBe(false)
    expect(Reflect.set(x, 'dtype', 'int32')).toBe(false)
    expect([x.shape, x.dtype]).toEqual([shape, dtype])
  })

  it('an attacked tensor reads its own elements, and the next result of the same program has its shape', () => {
    const x = ops.add([1, 2, 3], 0)
    attack('shape', x.shape as number[])
    expect(x.toArray()).toEqual([1, 2, 3])
    expect(ops.add([4, 5, 6], 0).toArray()).toEqual([4, 5, 6])
  })

  it('copies the list of its shape, which stays mutable', () => {
    const shape = [2, 2]
    const results = [
      tensor([1, 2, 3, 4], shape),
      tensor({ data: [1, 2, 3, 4], shape }),
      ops.zeros(shape),
      ops.full(shape, 1),
      ops.reshape([1, 2, 3, 4], shape),
      ops.broadcastTo(1, shape),
      myelin.random.normal(shape),
      myelin.random.uniform(shape),
      myelin.random.truncatedNormal(shape),
      myelin.random.randint(shape, 0, 5),
      ops.scatter([[0, 0]], [1], shape),
    ]
    const variable = new Variable(shape)
    const spec = new TensorSpec(shape)
    const layer = new Dense({ units: 2, inputShape: shape })
    shape[0] = 400
    for (const { shape: own } of [...results, variable, spec]) expect(own).toEqual([2, 2])
    expect(layer.inputShape).toEqual([2, 2])
  })
})

describe('variables', () => {
  it('cannot be enlarged, so that assign writes only its own memory', () => {
    const [variable, other] = [new Variable([4]), new Variable([400])]
    expectFixed('Variable', variable)
    expect(Reflect.set(variable, 'shape', [400])).toBe(false)
    expect(Reflect.set(variable, 'dtype', 'int8')).toBe(false)
    expect(() => variable.assign(ops.ones([400]))).toThrow(myelin.ShapeError)
    expect(other.value.data.every((each) => each === 0)).toBe(true)
    expect(variable.shape).toEqual([4])
  })

  it('cannot be moved to other memory', () => {
    const variable = new Variable(tensor([1, 2]))
    expect(Reflect.set(variable, 'byteOffset', 4096)).toBe(false)
    expect(Reflect.set(variable, 'storage', new Variable([400]).storage)).toBe(false)
    expect(variable.value.toArray()).toEqual([1, 2])
  })

  it('does not share a list with its initial tensor', () => {
    const initial = tensor([1, 2])
    const variable = new Variable(initial)
    attack('shape', initial.shape as number[])
    expect(variable.value.toArray()).toEqual([1, 2])
  })
})

describe('layers', () => {
  const rows = Object.entries(examples).flatMap(([name, all]) =>
    // Only calls of ops on symbols make an Operation.
    name === 'Operation' ? [] : all.map((example, i) => ({ name, i, example })),
  )

  it.each(rows)('$name $i: its options and shapes', ({ name, example }) => {
    const options = typeof example.options === 'function' ? (example.options as () => object)() : example.options
    const layer = Reflect.construct(Reflect.get(myelin, name) as new (options?: object) => object, [
      { ...options },
    ]) as object
    expectFixed(name, layer)
  })
})

describe('models', () => {
  const make = (): Sequential => {
    const model = new Sequential(
      [new Dense({ units: 3, inputShape: [2] }), new myelin.Conv1D({ filters: 2, kernelSize: 1 })].slice(0, 1),
    )
    model.compile({ optimizer: 'adam', loss: 'mse' })
    return model
  }

  it('Sequential, its layers and weights', () => {
    const model = make()
    void model.predict([[1, 2]])
    expect(expectFixed('Sequential', model)).toBeGreaterThan(3)
    for (const layer of model.layers) expectFixed(layer.name, layer)
    for (const weight of model.weights) expectFixed(weight.name, weight)
    expect(model.countParams()).toBe(9)
  })

  it('a functional model', () => {
    const [a, b] = [Input({ shape: [2] }), Input({ shape: [2] })]
    const model = new Model({ inputs: [a, b], outputs: [new Dense(1).apply(ops.add(a, b))] })
    expectFixed('Model', model)
    expect(model.countParams()).toBe(3)
  })

  it('replacing the window of a built layer reads no other memory', () => {
    const layer = new myelin.Conv1D({ filters: 2, kernelSize: 3, inputShape: [8, 1], kernelInitializer: 'ones' })
    const x = ops.ones([1, 8, 1])
    const before = layer.apply(x).toArray()
    let after: unknown = before
    try {
      Reflect.set(layer, 'kernelSize', [7])
      after = layer.apply(x).toArray()
    } catch (error) {
      expect(error).toBeInstanceOf(myelin.MyelinError)
    }
    expect(after).toEqual(before)
  })
})

describe('optimizers and datasets', () => {
  const classes = Object.entries<unknown>({ ...optimizers }).flatMap(([name, Class]) =>
    typeof Class === 'function' &&
    Class.prototype instanceof optimizers.Optimizer &&
    !['MultiOptimizer', 'LossScaleOptimizer'].includes(name)
      ? [{ name, make: () => Reflect.construct(Class, []) as object }]
      : [],
  )

  it.each(classes)('$name', ({ name, make }) => {
    expectFixed(name, make())
  })

  it('a Dataset', () => {
    const data = Dataset.from([
      [1, 2],
      [3, 4],
    ]).batch(2)
    expectFixed('Dataset', data)
  })
})

describe('a tensor whose shape does not fit its data', () => {
  it.each([[[9]], [[-1, -3]], [[1.5, 2]], [[2]]])('cannot be constructed: %j', (shape) => {
    const make = (): unknown => new Tensor(new Float32Array(3), shape, 'float32')
    expect(make).toThrow(ShapeError)
    expect(make).toThrow(/cannot have 3 elements: use tensor\(data, shape\)/)
  })

  // Each of them claims nine elements.
  const liars: Readonly<Record<string, () => Tensor>> = {
    'a property of the object': () => Object.defineProperty(tensor([1, 2, 3]), 'shape', { value: [9] }),
    'a getter of a subclass': () => {
      class Longer extends Tensor {
        override get shape(): readonly number[] {
          return [9]
        }
      }
      return new Longer(new Float32Array(3), [3], 'float32')
    },
    'a transferred buffer': () => {
      const lost = ops.zeros([9])
      structuredClone(lost.data.buffer, { transfer: [lost.data.buffer as ArrayBuffer] })
      return lost
    },
  }

  it.each(Object.entries(liars))('reads no other memory: %s', (_name, make) => {
    ops.add(ops.full([100], 42), 1)
    const liar = make()
    const variable = new Variable([9])
    for (const use of [
      () => ops.add(liar, 1),
      () => jit((x: Tensor) => ops.add(x, 1))(liar),
      () => new Variable(liar),
      () => variable.assign(liar),
    ])
      expect(use).toThrow(/A tensor of shape \[9\] cannot have [03] elements/)
    expect(variable.value.toArray()).toEqual(Array(9).fill(0))
  })
})
