// `call` of layers of one's own with a default: the second and last parameter is then an input, not the context.

import { describe, expect, it } from 'vitest'
import { Input, Layer, Model, ops, type Tensor } from '../../src'

const x = ops.ones([1, 2])
const y = ops.full([1, 2], 3)

class Scaled extends Layer {
  call(a: Tensor, factor = 2): Tensor {
    return ops.multiply(a, factor)
  }
}

class Named extends Layer {
  call(a: Tensor, name = 'two'): Tensor {
    return ops.add(a, name.length)
  }
}

class Sum extends Layer<unknown, Tensor> {
  call(a: Tensor, b: Tensor | null = null): Tensor {
    return b === null ? a : ops.add(a, b)
  }
}

class Trains extends Layer {
  call(a: Tensor, { training = false }: { readonly training?: boolean } = {}): Tensor {
    return ops.multiply(a, training ? 10 : 1)
  }
}

class Arrow extends Layer {
  call = (a: Tensor, factor = -2): Tensor => ops.multiply(a, factor)
}

describe('the second parameter of call', () => {
  it('keeps a default that is a value', () => {
    const scaled = new Scaled()
    expect(scaled.apply(x).toArray()).toEqual([[2, 2]])
    expect(scaled.apply(x, { training: true }).toArray()).toEqual([[2, 2]])
    expect(new Named().apply(x).toArray()).toEqual([[4, 4]])
    expect(new Arrow().apply(x).toArray()).toEqual([[-2, -2]])
    const symbol = Input([2])
    const model = new Model({ inputs: symbol, outputs: new Scaled().apply(symbol) })
    expect(model.apply(x).toArray()).toEqual([[2, 2]])
  })

  it('is an input that may be missing', () => {
    const sum = new Sum()
    expect(sum.apply(x).toArray()).toEqual([[1, 1]])
    expect((Reflect.apply(sum.apply, sum, [x, y]) as Tensor).toArray()).toEqual([[4, 4]])
    expect(sum.apply(x).toArray()).toEqual([[1, 1]])
  })

  it('is the context if its default is an object', () => {
    const trains = new Trains()
    expect(trains.apply(x).toArray()).toEqual([[1, 1]])
    expect(trains.apply(x, { training: true }).toArray()).toEqual([[10, 10]])
  })
})
