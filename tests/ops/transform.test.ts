import { describe, expect, inject, it } from 'vitest'
import {
  ArgumentError,
  DataError,
  Dense,
  SeedGenerator,
  Sequential,
  ShapeError,
  StateError,
  Variable,
  grad,
  jit,
  ops,
  random,
  tensor,
  valueAndGrad,
  vjp,
  type Tensor,
} from '../../src'
import { expectNear } from '../helpers/golden'
import { withSettings } from '../helpers/with-settings'

const cube = (x: Tensor): Tensor => ops.multiply(ops.square(x), x)

describe('grad', () => {
  it('of a scalar function', () => {
    expect(grad(cube)(2).item()).toBe(12)
    expect(grad(cube)(2).shape).toEqual([])
  })

  it('has the shape of the argument', () => {
    const gradient = grad((x) => ops.sum(ops.square(x)))([
      [1, 2],
      [3, 4],
    ])
    expect(gradient.toArray()).toEqual([
      [2, 4],
      [6, 8],
    ])
  })

  it('of chosen arguments', () => {
    const f = (a: Tensor, b: Tensor): Tensor => ops.sum(ops.multiply(ops.square(a), b))
    const [da, db] = grad(f, { argnums: [0, 1] })([1, 2], [3, 4])
    expect(da!.toArray()).toEqual([6, 16])
    expect(db!.toArray()).toEqual([1, 4])
    expect(grad(f, { argnums: [1] })([1, 2], [3, 4])[0]!.toArray()).toEqual([1, 4])
  })

  it('sums over broadcast axes', () => {
    const [a, b] = grad((a, b) => ops.sum(ops.multiply(a, b)), { argnums: [0, 1] })(
      [
        [1, 2],
        [3, 4],
      ],
      [10, 20],
    )
    expect(a!.toArray()).toEqual([
      [10, 20],
      [10, 20],
    ])
    expect(b!.toArray()).toEqual([4, 6])
  })

  it('of grad', () => {
    const second = grad((x) => grad(cube)(x))
    expect(second(2).item()).toBe(12)
    expect(grad((x) => second(x))(2).item()).toBe(6)
    expectNear(grad((x) => grad((t) => ops.sin(t))(x))(0.5).data, [-Math.sin(0.5)], 'sin″')
    expectNear(
      grad((x) => grad((t) => ops.tanh(t))(x))(0.5).data,
      [-2 * Math.tanh(0.5) * (1 - Math.tanh(0.5) ** 2)],
      'tanh″',
    )
  })

  it('a penalty on a gradient is differentiable', () => {
    // p(w) = |∂/∂x Σ(w·x)²|² at x: (2 (w·x) w)² summed; by hand for one dimension p = 4 w⁴ x², p′ = 16 w³ x².
    const penalty = (w: Tensor): Tensor =>
      ops.sum(ops.square(grad((x) => ops.sum(ops.square(ops.multiply(w, x))))(tensor([3]))))
    expectNear(grad(penalty)([2]).data, [16 * 8 * 9], 'p′')
  })

  it('is 0 if nothing depends on the argument', () => {
    expect(grad((x) => ops.sum(ops.multiply(ops.stopGradient(x), 3)))([1, 2]).toArray()).toEqual([0, 0])
    expect(grad(() => ops.full([], 4))([1, 2]).toArray()).toEqual([0, 0])
  })

  it('takes a variable', () => {
    const w = new Variable(tensor([1, 2]))
    expect(grad((w) => ops.sum(ops.square(w)))(w).toArray()).toEqual([2, 4])
    expect(w.value.toArray()).toEqual([1, 2])
  })

  it('of trees: has the structure of the argument', () => {
    const f = ({ w, layers }: { w: Tensor; layers: Tensor[] }, x: Tensor): Tensor =>
      ops.sum(ops.multiply(ops.multiply(w, layers[0]!), ops.multiply(layers[1]!, x)))
    const gradients = grad(f)({ w: [1, 2], layers: [tensor([3, 4]), tensor(5)] }, [1, 10])
    expect(Object.keys(gradients)).toEqual(['w', 'layers'])
    expect(gradients.w.toArray()).toEqual([15, 200])
    expect(gradients.layers.map((each) => each.toArray())).toEqual([[5, 100], 3 + 80])
  })

  it('of one argument by its index, of several as a tuple', () => {
    const f = (a: Tensor, b: { c: Tensor }): Tensor => ops.multiply(a, ops.square(b.c))
    expect(grad(f, { argnums: 1 })(2, { c: 3 }).c.item()).toBe(12)
    expect(grad(f, { argnums: -1 })(2, { c: 3 })).toEqual({ c: tensor(12) })
    const [{ c }, a] = grad(f, { argnums: [1, 0] })(2, { c: 3 })
    expect([c.item(), a.item()]).toEqual([12, 9])
  })

  it('returns auxiliary values of the function', () => {
    const f = (x: Tensor): [Tensor, { doubled: Tensor; none: null }] => [
      ops.sum(ops.square(x)),
      { doubled: ops.multiply(x, 2), none: null },
    ]
    const [gradient, aux] = grad(f, { hasAux: true })([1, 2])
    expect(gradient.toArray()).toEqual([2, 4])
    expect(aux.doubled.toArray()).toEqual([2, 4])
    expect(aux.none).toBeNull()
    const [[value, { doubled }], slope] = valueAndGrad(f, { hasAux: true })([1, 2])
    expect([value.item(), doubled.toArray(), slope.toArray()]).toEqual([5, [2, 4], [2, 4]])
    const nested = jit((x: Tensor) => valueAndGrad(f, { hasAux: true, argnums: [0] })(x))
    const [[again], [first]] = nested([1, 2])
    expect([again.item(), first.toArray()]).toEqual([5, [2, 4]])
  })

  it('null stays null', () => {
    const f = (x: Tensor, mask: Tensor | null, more?: Tensor): Tensor =>
      ops.sum(more === undefined && mask === null ? ops.square(x) : x)
    expect(grad(f)([1, 2], null).toArray()).toEqual([2, 4])
    expect(grad(f, { argnums: [0, 1] })([1, 2], null)[1]).toBeNull()
    expect(jit(f)([1, 2], null).item()).toBe(5)
    expect(jit(f)([1, 2], [1, 1]).item()).toBe(3)
  })

  it('with respect to variables: also if the function reads them itself', () => {
    const w = new Variable(tensor([1, 2]), { name: 'w' })
    const b = new Variable(tensor(3), { name: 'b' })
    const loss = (): Tensor => ops.sum(ops.square(ops.add(w.value, b.value)))
    const gradients = grad((_weights: readonly Tensor[]) => loss())([w, b])
    expect(gradients.map((each) => each.toArray())).toEqual([[8, 10], 18])
    expect(grad(({ w }: { w: Tensor }) => ops.sum(ops.square(w)))({ w }).w.toArray()).toEqual([2, 4])
    // The same inside a trace.
    const inside = jit(() => grad((_weights: readonly Tensor[]) => loss())([w, b]))
    expect(inside().map((each) => each.toArray())).toEqual([[8, 10], 18])
    w.assign(tensor([0, 0]))
    expect(inside().map((each) => each.toArray())).toEqual([[6, 6], 12])
  })

  it('of a model with respect to its weights', () => {
    const model = new Sequential([new Dense({ units: 2, inputShape: [3], useBias: false })])
    const x = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ])
    const [gradient] = grad((_weights: readonly Tensor[]) => ops.sum(model.apply(x)))(model.trainableWeights)
    expect(gradient!.toArray()).toEqual([
      [5, 5],
      [7, 7],
      [9, 9],
    ])
  })

  it('a captured tensor is a constant, even if it is also the argument', () => {
    const product = (x: Tensor): Tensor => grad((y) => ops.multiply(x, y))(x)
    expect(product(tensor(3)).item()).toBe(3)
    expect(jit(product)(3).item()).toBe(3)
    // ∂/∂x of ∂(x·y)/∂y at y = x is ∂x/∂x.
    expect(grad(product)(3).item()).toBe(1)
  })

  it('integers as arguments, but not with respect to them', () => {
    const f = ({ w, indices }: { w: Tensor; indices: Tensor }): Tensor =>
      ops.sum(ops.multiply(w, ops.cast(indices, 'float32')))
    const pick = (w: Tensor, indices: Tensor): Tensor => ops.sum(ops.take(w, indices, 0))
    expect(grad(pick)([1, 2, 3], Int32Array.of(0, 2, 2)).toArray()).toEqual([1, 0, 2])
    expect(() => grad(f)({ w: [1, 2], indices: Int32Array.of(1, 2) })).toThrow(
      'grad: argument 0.indices is int32, which has no gradient',
    )
    expect(() => grad(pick, { argnums: [0, 1] })([1, 2, 3], Int32Array.of(0))).toThrow('argument 1 is int32')
  })

  it('reports which argument is wrong, and where in it', () => {
    const f = ({ w }: { w: Tensor[] }): Tensor => ops.sum(w[0]!)
    // @ts-expect-error: a text
    expect(() => grad(f)({ w: ['a'] })).toThrow(
      "grad: argument 0.w[0]: expected numbers, nested arrays, a typed array or a Tensor, received the string 'a'",
    )
    expect(() => grad((x) => x)([[1, 2], [3]])).toThrow(DataError)
    const loop: unknown[] = [tensor(1)]
    loop.push(loop)
    // @ts-expect-error: a list that holds itself
    expect(() => grad((x) => x)(loop)).toThrow('argument 0[1] contains itself')
    // @ts-expect-error: no function
    expect(() => grad(3)).toThrow('grad: expected a function of tensors, received 3')
    // @ts-expect-error: returns a list
    expect(() => grad((x: Tensor) => [x])(1)).toThrow('must return a scalar Tensor, received an array of 1')
    // @ts-expect-error: returns a Tensor
    expect(() => grad((x: Tensor) => x, { hasAux: true })(1)).toThrow('must return [loss, aux], received a Tensor')
    expect(() => grad((x: Tensor) => [x, { n: 3 }], { hasAux: true })(1)).toThrow(
      'must return Tensors, received 3 at [1].n',
    )
  })

  it('refuses unknown options with the nearest one', () => {
    // @ts-expect-error: argnum
    expect(() => grad(cube, { argnum: 1 })).toThrow("Did you mean 'argnums'?")
    // @ts-expect-error: hasAuxx
    expect(() => valueAndGrad(cube, { hasAuxx: true })).toThrow("Did you mean 'hasAux'?")
    expect(() => grad(cube, { argnums: 0.5 })).toThrow(ArgumentError)
  })

  it('needs a float32 scalar and known arguments', () => {
    expect(() => grad((x) => x)([1, 2])).toThrow(ArgumentError)
    expect(() => grad((x) => x)([1, 2])).toThrow('scalar float32 result, received float32 [2]')
    expect(() => grad((x) => ops.argmax(x))([1, 2])).toThrow('received int32')
    expect(() => grad((x) => ops.sum(x), { argnums: [1] })([1])).toThrow('argument 1 is missing, received 1 arguments')
    // The next call works again.
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
    // `value` after an assign in the same run.
    expect(results).toEqual([10, 20, 30, 80])
  })

  it('inside grad, and grad inside jit', () => {
    const f = jit(cube)
    expect(grad((x) => f(x))(2).item()).toBe(12)
    const g = jit((x: Tensor) => grad(cube)(x))
    expect([g(2).item(), g(3).item()]).toEqual([12, 27])
  })

  it('takes and gives trees', () => {
    interface Params {
      w: Tensor
      b: Tensor
    }
    let traces = 0
    const step = jit((params: Params, [x, y]: readonly [Tensor, Tensor]) => {
      traces++
      const loss = ({ w, b }: Params): Tensor => ops.mean(ops.square(ops.subtract(ops.add(ops.multiply(w, x), b), y)))
      const [value, slopes] = valueAndGrad(loss)(params)
      const next = (name: keyof Params): Tensor => ops.subtract(params[name], ops.multiply(0.1, slopes[name]))
      return { params: { w: next('w'), b: next('b') } satisfies Params, loss: value, all: [value, null] as const }
    })
    let params: Params = { w: tensor(0), b: tensor(0) }
    const data = [tensor([0, 1, 2]), tensor([1, 3, 5])] as const
    for (let i = 0; i < 200; i++) params = step(params, data).params
    expectNear([params.w.item(), params.b.item()], [2, 1], 'line', 1e-4)
    expect(traces).toBe(1)
    const { all, loss } = step({ w: 2, b: 1 }, data)
    expect([all[0].item(), all[1], loss.item()]).toEqual([0, null, 0])
    expect(traces).toBe(1)
  })

  it('compiles grad once', () => {
    let traces = 0
    const slope = jit(
      grad((x) => {
        traces++
        return ops.sum(cube(x))
      }),
    )
    expect([slope([1, 2]), slope([2, 3])].map((each) => each.toArray())).toEqual([
      [3, 12],
      [12, 27],
    ])
    expect(traces).toBe(1)
    expect(grad(jit(cube))(2).item()).toBe(12)
  })

  it('distinguishes records from lists, and names', () => {
    const keys = jit((x: Record<string, Tensor>) =>
      Object.fromEntries(Object.entries(x).map(([key, each]) => [`${key}!`, each])),
    )
    expect(Object.keys(keys({ a: 1, b: 2 }))).toEqual(['a!', 'b!'])
    expect(Object.keys(keys({ 'a:*,b': 1 }))).toEqual(['a:*,b!'])
    expect(Object.keys(keys({ c: 1, b: 2 }))).toEqual(['c!', 'b!'])
  })

  it('a variable as an argument is read at each call; another variable makes another program', () => {
    const [a, b] = [1, 2].map((x) => new Variable(tensor(x))) as [Variable, Variable]
    const double = jit((x: Tensor) => ops.multiply(x, 2))
    expect([double(a), double(b)].map((each) => each.item())).toEqual([2, 4])
    a.assign(tensor(5))
    expect(double(a).item()).toBe(10)
  })

  it('a function that returns nothing may assign variables', () => {
    const count = new Variable([])
    const tick = jit(() => count.assign(ops.add(count.value, 1)))
    expect([tick(), tick()]).toEqual([undefined, undefined])
    expect(count.value.item()).toBe(2)
  })

  // The interpreter has no tapes to count.
  it.skipIf(inject('mode') === 'interpreter')('keeps a bounded number of programs', () => {
    let traces = 0
    const f = jit((x: Tensor) => {
      traces++
      // A constant of 4 MB: four programs fill the cache.
      return ops.add(x, tensor(new Float32Array(2 ** 20)))
    })
    const shapes = [[1], [1, 1], [1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1, 1]].map((shape) => ops.zeros(shape))
    for (const x of shapes) f(x)
    expect(traces).toBe(5)
    f(shapes.at(-1)!)
    expect(traces).toBe(5)
    f(shapes[0]!)
    expect(traces).toBe(6)
  })

  it('follows configure()', async () => {
    const f = jit(cube)
    expect(f(2).item()).toBe(8)
    await withSettings({ fuse: false }, () => expect(f(3).item()).toBe(27))
    expect(f(4).item()).toBe(64)
  })

  it('refuses results that are not tensors', () => {
    expect(() => jit((x: Tensor) => ({ a: x, b: 'text' }))(1)).toThrow(
      "jit: the function must return Tensors, received 'text' at .b",
    )
    expect(() => jit(async (x: Tensor) => x)(1)).toThrow('received an object (Promise)')
  })

  it('an error in the function leaves the library unchanged', () => {
    const broken = jit((_x: Tensor) => {
      throw new RangeError('mine')
    })
    expect(() => broken(1)).toThrow(RangeError)
    expect(ops.add(1, 1).item()).toBe(2)
  })
})

describe('vjp', () => {
  it('gives results and a pullback', () => {
    const x = tensor([
      [1, 2],
      [3, 4],
    ])
    const w = tensor([[5], [6]])
    const [y, pullback] = vjp((x: Tensor, w: Tensor) => ops.matmul(x, w), x, w)
    expect(y.toArray()).toEqual([[17], [39]])
    const [dx, dw] = pullback([[1], [10]])
    expect(dx.toArray()).toEqual([
      [5, 6],
      [50, 60],
    ])
    expect(dw.toArray()).toEqual([[31], [42]])
    // Again, with other cotangents.
    expect(pullback([[1], [0]])[1].toArray()).toEqual([[1], [2]])
  })

  it('of trees', () => {
    const f = ({ a, b }: { a: Tensor; b: Tensor }): { sum: Tensor; parts: [Tensor, null] } => ({
      sum: ops.add(a, b),
      parts: [ops.exp(ops.multiply(a, b)), null],
    })
    const [outputs, pullback] = vjp(f, { a: [0, 1], b: 2 })
    expect(outputs.sum.toArray()).toEqual([2, 3])
    expect(outputs.parts[1]).toBeNull()
    const [{ a, b }] = pullback({ sum: [1, 10], parts: [Float32Array.of(1, 0), null] })
    expectNear(a.data, [1 + 2, 10], 'a')
    expectNear(b.data, [11], 'b')
  })

  it('runs the function once, on the values of variables at that time', () => {
    const w = new Variable(tensor(3), { name: 'w' })
    const calls = new Variable([], { name: 'calls' })
    const [y, pullback] = vjp((x: Tensor) => {
      calls.assign(ops.add(calls.value, 1))
      return ops.multiply(ops.square(x), w.value)
    }, 2)
    w.assign(tensor(100))
    expect(y.item()).toBe(12)
    expect([pullback(1)[0].item(), pullback(2)[0].item()]).toEqual([12, 24])
    expect(calls.value.item()).toBe(1)
  })

  it('keeps the random numbers that the function drew', () => {
    const seed = new SeedGenerator(1)
    const [y, pullback] = vjp((x: Tensor) => ops.multiply(x, random.uniform([4], { seed })), [1, 1, 1, 1])
    expect(pullback([1, 1, 1, 1])[0].toArray()).toEqual(y.toArray())
  })

  it('with respect to variables', () => {
    const w = new Variable(tensor([1, 2]))
    const [, pullback] = vjp((w: Tensor) => ops.square(w), w)
    expect(pullback([1, 10])[0].toArray()).toEqual([2, 40])
  })

  it('returns auxiliary values of the function', () => {
    const [y, pullback, { index }] = vjp(
      (x: Tensor): [Tensor, { index: Tensor }] => [ops.square(x), { index: ops.argmax(x) }],
      [1, 3, 2],
      { hasAux: true },
    )
    expect([y.toArray(), index.item(), pullback([1, 1, 1])[0].toArray()]).toEqual([[1, 9, 4], 1, [2, 6, 4]])
    // @ts-expect-error: hasAuxx
    expect(() => vjp((x: Tensor) => x, 1, { hasAuxx: true })).toThrow("Did you mean 'hasAux'?")
  })

  it('inside traces: becomes a part of them', () => {
    const both = jit((x: Tensor, v: Tensor) => {
      const [y, pullback] = vjp((x: Tensor) => ops.multiply(ops.square(x), x), x)
      return { y, slope: pullback(v)[0] }
    })
    const { y, slope } = both(2, 10)
    expect([y.item(), slope.item()]).toEqual([8, 120])
    // ∂/∂x of x·∂x³/∂x = 3x³ is 9x².
    expect(grad((x) => ops.multiply(x, vjp((t: Tensor) => cube(t), x)[1](1)[0]))(2).item()).toBe(36)
  })

  it('a pullback of data may be called inside a trace, and differentiated', () => {
    const [, pullback] = vjp((x: Tensor) => ops.square(x), [1, 2])
    expect(jit((v: Tensor) => pullback(v))([1, 10])[0].toArray()).toEqual([2, 40])
    expect(grad((v) => ops.sum(ops.square(pullback(v)[0])))([1, 1]).toArray()).toEqual([8, 32])
  })

  it('through loops, and inside their bodies', () => {
    // c ← c · w, five times: c w⁵
    const power = (c: Tensor, w: Tensor): Tensor =>
      ops.scan((c) => [ops.multiply(c, w), null], c, null, { length: 5 })[0]
    const [y, pullback] = vjp(power, 3, 2)
    expect(y.item()).toBe(96)
    expect(pullback(1).map((each) => each.item())).toEqual([32, 3 * 5 * 16])
    expect(jit((v: Tensor) => pullback(v))(2).map((each) => each.item())).toEqual([64, 480])
    // Newton's method for x³ = 8, with its slope from a pullback in the body.
    const w = new Variable(tensor(8))
    const [root] = ops.scan(
      (x) => {
        const [value, slope] = vjp((x: Tensor) => ops.subtract(cube(x), w.value), x)
        return [ops.subtract(x, ops.divide(value, slope(1)[0])), null]
      },
      3,
      null,
      { length: 8 },
    )
    expect(root.item()).toBeCloseTo(2, 5)
    const [slopes] = ops.scan(
      (sum, x) => [ops.add(sum, grad((_: Tensor) => ops.multiply(w.value, x))(w)), null],
      0,
      tensor([1, 2, 3]),
    )
    expect(slopes.item()).toBe(6)
    expect(() =>
      jit((x: Tensor) => {
        const [, outer] = vjp(cube, x)
        return ops.scan((c) => [outer(c)[0], null], x, null, { length: 2 })[0]
      })(1),
    ).toThrow(StateError)
  })

  it('a pullback of symbols ends with its trace', () => {
    let kept: ((v: number) => unknown) | null = null
    jit((x: Tensor) => {
      const [y, pullback] = vjp((x: Tensor) => ops.square(x), x)
      kept = pullback
      return y
    })(1)
    expect(() => kept!(1)).toThrow(StateError)
  })

  it('reports errors', () => {
    const f = (x: Tensor): { a: Tensor } => ({ a: ops.square(x) })
    const [, pullback] = vjp(f, [1, 2])
    expect(() => pullback({ a: [1, 2, 3] })).toThrow(ShapeError)
    expect(() => pullback({ a: [1, 2, 3] })).toThrow(
      'pullback: the cotangent .a must be float32 [2], received float32 [3]',
    )
    // @ts-expect-error: no cotangent
    expect(() => pullback({})).toThrow("pullback: the cotangents: expected { a }; 'a' is missing")
    expect(() => vjp((x: Tensor) => x, Int32Array.of(1))).toThrow('vjp: argument 0 is int32')
    expect(() => vjp((x: Tensor) => ops.argmax(x), [1, 2])).toThrow('a result is int32, which has no gradient')
  })
})
