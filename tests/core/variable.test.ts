// What Variable and addWeight accept: a tensor or a shape, and the options that they read.

import { describe, expect, it } from 'vitest'
import { Layer, MyelinError, ShapeError, Variable, ops, tensor, type Tensor } from '../../src'

const make = (...given: readonly unknown[]): Variable => Reflect.construct(Variable, given) as Variable

describe('Variable', () => {
  it('takes a tensor, or a shape for zeros', () => {
    expect(make(tensor([1, 2])).value.toArray()).toEqual([1, 2])
    expect(make([2, 1]).value.toArray()).toEqual([[0], [0]])
    expect(make([]).value.item()).toBe(0)
    expect(make(tensor([1.5]), { dtype: 'int32' }).dtype).toBe('int32')
  })

  it.each([
    [
      'nested values',
      [[1, 2]],
      /Variable without a tensor: the shape must contain integers ≥ 0, received \[\[1, 2\]\]/,
    ],
    ['a typed array', new Float32Array(2), /the shape must be an array, received/],
    ['nothing', undefined, /the shape must be an array, received undefined/],
  ])('refuses %s', (_name, initial, message) => {
    expect(() => make(initial)).toThrow(message)
    expect(() => make(initial)).toThrow(MyelinError)
  })

  it.each([[[0.5, 1.5]], [[-1]], [[NaN]], [[1e9]]])('refuses the shape %s', (shape) => {
    expect(() => make(shape)).toThrow(ShapeError)
  })

  it.each([
    [{ nme: 'x' }, "Unknown option of Variable 'nme'. Did you mean 'name'?"],
    ['x', 'Variable: expected an object of options'],
    [{ dtype: 'float16' }, "Unknown dtype 'float16'"],
  ])('refuses the options %j', (options, message) => {
    expect(() => make([2], options)).toThrow(message)
  })
})

describe('addWeight', () => {
  class Scale extends Layer {
    scale: Variable | null = null
    constructor(readonly given: unknown) {
      super()
    }
    override build(): void {
      this.scale = Reflect.apply(this.addWeight, this, [this.given]) as Variable
    }
    override call(x: Tensor): Tensor {
      return ops.multiply(x, this.scale!)
    }
  }
  const built = (given: unknown): Scale => {
    const layer = new Scale(given)
    layer.apply([[1]])
    return layer
  }

  it('reads names of regularizers and constraints, as in Keras', () => {
    const layer = built({ shape: [1], initializer: 'ones', regularizer: 'l2', constraint: 'non_neg' })
    expect(layer.losses.map((loss) => loss.item())).toEqual([expect.closeTo(0.01, 6)])
    expect(layer.scale!.constraint!.call(tensor([-1, 2])).toArray()).toEqual([0, 2])
    expect(layer.scale!.name).toMatch(/\/variable$/)
  })

  it.each([
    [{ shape: [1], init: 'ones' }, /addWeight 'init'/],
    ['scale', /addWeight: expected an object of options/],
    [{ name: 'scale' }, /scale: the shape must be an array, received undefined/],
    [{ name: 'scale', shape: [null] }, /scale: the shape must contain integers ≥ 0, received \[null\]/],
    [{ shape: [1], regularizer: 'l9' }, /Unknown regularizer 'l9'/],
    [{ shape: [1], constraint: 'positive' }, /Unknown constraint 'positive'/],
  ])('refuses %j', (given, message) => {
    expect(() => built(given)).toThrow(message)
    expect(() => built(given)).toThrow(/Scale/)
  })
})
