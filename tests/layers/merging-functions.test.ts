// layers.add and the other functions that make a layer and apply it.
// modes: simd

import { describe, expect, it } from 'vitest'
import { Input, Model, layers, ops, tensor, type Tensor } from '../../src'

const [a, b, c] = [
  tensor([
    [1, -2, 3],
    [0, 5, 2],
  ]),
  tensor([
    [2, 2, -1],
    [4, 1, 1],
  ]),
  tensor([[1, 1, 1]]),
]

const pairs = [
  ['add', layers.add, layers.Add, 3],
  ['average', layers.average, layers.Average, 3],
  ['maximum', layers.maximum, layers.Maximum, 3],
  ['minimum', layers.minimum, layers.Minimum, 3],
  ['multiply', layers.multiply, layers.Multiply, 3],
  ['subtract', layers.subtract, layers.Subtract, 2],
  ['concatenate', layers.concatenate, layers.Concatenate, 2],
] as const

describe.each(pairs)('%s', (_name, combine, Class, count) => {
  const inputs = [a!, b!, c!].slice(0, count)

  it('gives what its layer gives, of tensors and arrays', () => {
    const expected = new Class().apply(inputs).toArray()
    expect(combine(inputs).toArray()).toEqual(expected)
    expect(combine(inputs.map((each) => each.toArray())).toArray()).toEqual(expected)
  })

  it('records a layer with its options', () => {
    const symbols = inputs.map(() => Input([3]))
    const model = new Model({ inputs: symbols, outputs: combine(symbols, { name: 'own' }) })
    const layer = model.getLayer('own')
    expect(layer).toBeInstanceOf(Class)
    const rows = count === 3 ? [a!, b!, a!] : inputs
    expect((model.predictOnBatch(rows) as Tensor).toArray()).toEqual(combine(rows).toArray())
  })

  it('refuses what the layer refuses', () => {
    expect(() => combine(inputs, { nmae: 'x' } as never)).toThrow('nmae')
    expect(() => combine(a as never)).toThrow('needs a list')
  })
})

describe('options in Keras’s order', () => {
  it('concatenate takes an axis', () => {
    const rows = ops.concatenate([a!, b!], 0).toArray()
    expect(layers.concatenate([a!, b!], 0).toArray()).toEqual(rows)
    expect(layers.concatenate([a!, b!], { axis: 0, name: 'rows' }).toArray()).toEqual(rows)
    expect(layers.concatenate([a!, b!]).toArray()).toEqual(ops.concatenate([a!, b!], 1).toArray())
    expect(() => layers.concatenate([a!, b!], 'rows' as never)).toThrow('axis')
  })

  it('dot takes axes, −1 by default', () => {
    const products = [[-5], [7]]
    expect(layers.dot([a!, b!]).toArray()).toEqual(products)
    for (const axes of [1, -1, [1, 1], [-1, 1]] as const) expect(layers.dot([a!, b!], axes).toArray()).toEqual(products)
    const cosine = new layers.Dot(1, { normalize: true }).apply([a!, b!]).toArray()
    expect(layers.dot([a!, b!], 1, { normalize: true }).toArray()).toEqual(cosine)
    expect(layers.dot([a!, b!], { normalize: true }).toArray()).toEqual(cosine)
    const outer = layers.dot([tensor([[[1], [2]]]), tensor([[[3, 4]]])], [2, 1]).toArray()
    expect(outer).toEqual([
      [
        [3, 4],
        [6, 8],
      ],
    ])
    expect(() => layers.dot([a!, b!], 'x' as never)).toThrow('axes')
  })
})
