import { describe, expect, it } from 'vitest'
import type { Tensor } from '../../src'
import { ArgumentError, Variable, grad, jit, ops, tensor, valueAndGrad } from '../../src'
import { expectNear } from '../helpers/golden'

const cube = (x: Tensor): Tensor => ops.multiply(ops.square(x), x)

describe('grad', () => {
  it('of a scalar function', () => {
    expect(grad(cube)(2).item()).toBe(12)
    expect(grad(cube)(2).shape).toEqual([])
  })

  it('has the shape of the argument', () => {
    const gradient = grad((x) => ops.sum(ops.square(x)))([[1, 2], [3, 4]])
    expect(gradient.toArray()).toEqual([[2, 4], [6, 8]])
  })

  it('of chosen arguments', () => {
    const f = (a: Tensor, b: Tensor): Tensor => ops.sum(ops.multiply(ops.square(a), b))
    const [da, db] = grad(f, { argnums: [0, 1] })([1, 2], [3, 4])
    expect(da!.toArray()).toEqual([6, 16])
    expect(db!.toArray()).toEqual([1, 4])
    expect(grad(f, { argnums: [1] })([1, 2], [3, 4])[0]!.toArray()).toEqual([1, 4])
  })

  it('sums over broadcast axes', () => {
    const [a, b] = grad((a, b) => ops.sum(ops.multiply(a, b)), { argnums: [0, 1] })([[1, 2], [3, 4]], [10, 20])
    expect(a!.toArray()).toEqual([[10, 20], [10, 20]])
    expect(b!.toArray()).toEqual([4, 6])
  })

  it('of grad', () => {
    const second = grad((x) => grad(cube)(x))
    expect(second(2).item()).toBe(12)
    expect(grad((x) => second(x))(2).item()).toBe(6)
    expectNear(grad((x) => grad((t) => ops.sin(t))(x))(0.5).data, [-Math.sin(0.5)], 'sin″')
    expectNear(grad((x) => grad((t) => ops.tanh(t))(x))(0.5).data, [-2 * Math.tanh(0.5) * (1 - Math.tanh(0.5) ** 2)], 'tanh″')
  })

  it('a penalty on a gradient can be differentiated', () => {
    // p(w) = |∂/∂x Σ(w·x)²|² at x: (2 (w·x) w)² summed; by hand for one dimension p = 4 w⁴ x², p′ = 16 w³ x².
    const penalty = (w: Tensor): Tensor => ops.sum(ops.square(grad((x) => ops.sum(ops.square(ops.multiply(w, x))))(tensor([3]))))
    expectNear(grad(penalty)([2]).data, [16 * 8 * 9], 'p′')
  })

  it('is 0 where nothing depends on the argument', () => {
    expect(grad((x) => ops.sum(ops.multiply(ops.stopGradient(x), 3)))([1, 2]).toArray()).toEqual([0, 0])
    expect(grad(() => ops.full([], 4))([1, 2]).toArray()).toEqual([0, 0])
  })

  it('takes a variable', () => {
    const w = new Variable(tensor([1, 2]))
    expect(grad((w) => ops.sum(ops.square(w)))(w).toArray()).toEqual([2, 4])
    expect(w.value.toArray()).toEqual([1, 2])
  })

  it('needs a float32 scalar and known arguments', () => {
    expect(() => grad((x) => x)([1, 2])).toThrow(ArgumentError)
    expect(() => grad((x) => x)([1, 2])).toThrow('scalar float32 result, received float32 [2]')
    expect(() => grad((x) => ops.argmax(x))([1, 2])).toThrow('received int32')
    expect(() => grad((x) => ops.sum(x), { argnums: [1] })([1])).toThrow('there is no argument 1, received 1')
    // The next one works again.
    expect(grad(cube)(1).item()).toBe(3)
  })
})

describe('valueAndGrad', () => {
  it('gives both', () => {
    const [value, gradient] = valueAndGrad(cube)(2)
    expect([value.item(), gradient.item()]).toEqual([8, 12])
    const [product, [da, db]] = valueAndGrad((a, b) => ops.multiply(a, b), { argnums: [0, 1] })(3, 4)
    expect([product.item(), da!.item(), db!.item()]).toEqual([12, 4, 3])
  })
})

describe('jit', () => {
  it('traces once for each combination of shapes and dtypes', () => {
    let traces = 0
    const f = jit((x: Tensor) => {
      traces++
      return ops.add(x, 1)
    })
    expect(f([1, 2]).toArray()).toEqual([2, 3])
    expect(f([3, 4]).toArray()).toEqual([4, 5])
    expect(traces).toBe(1)
    expect(f([[3]]).toArray()).toEqual([[4]])
    expect(f(tensor(Int32Array.of(1, 2))).dtype).toBe('int32')
    expect(traces).toBe(3)
  })

  it('reads and assigns variables at each call', () => {
    const count = new Variable([], { name: 'count' })
    const f = jit((x: Tensor) => {
      count.assign(ops.add(count.value, 1))
      return ops.multiply(x, count.value)
    })
    const results = [f(10), f(10), f(10)].map((result) => result.item())
    expect(count.value.item()).toBe(3)
    count.assign(tensor(7))
    results.push(f(10).item())
    expect(count.value.item()).toBe(8)
    // What `value` gives after an assign in the same run.
    expect(results).toEqual([10, 20, 30, 80])
  })

  it('inside grad, and grad inside jit', () => {
    const f = jit(cube)
    expect(grad((x) => f(x))(2).item()).toBe(12)
    const g = jit((x: Tensor) => grad(cube)(x))
    expect([g(2).item(), g(3).item()]).toEqual([12, 27])
  })

  it('an error in the function leaves the library as it was', () => {
    const broken = jit((_x: Tensor) => {
      throw new RangeError('mine')
    })
    expect(() => broken(1)).toThrow(RangeError)
    expect(ops.add(1, 1).item()).toBe(2)
  })
})
