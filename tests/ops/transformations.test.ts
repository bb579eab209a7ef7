// associativeScan, vectorizedMap, vectorize, customGradient and jvp compared with loops and with formulas: eager, traced,
// differentiated; what tensors are made of; and every error.

import { describe, expect, it } from 'vitest'
import {
  Input,
  Model,
  SeedGenerator,
  Variable,
  grad,
  jit,
  jvp,
  ops,
  random,
  tensor,
  valueAndGrad,
  vjp,
  type Tensor,
} from '../../src'

const close = (received: Tensor, expected: Tensor, digits = 5): void => {
  expect([received.dtype, ...received.shape]).toEqual([expected.dtype, ...expected.shape])
  received.data.forEach((x, i) => expect(x).toBeCloseTo(expected.data[i]!, digits))
}
const range = (shape: number[], scale = 1): Tensor => {
  const size = shape.reduce((a, b) => a * b, 1)
  return tensor({ data: Float32Array.from({ length: size }, (_, i) => (((i * 7) % 11) - 4) * scale), shape })
}
const int = (data: number[], shape = [data.length]): Tensor => tensor(data, shape, 'int32')

describe('associativeScan', () => {
  it.each([0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 31])('gives the prefixes of %i elements', (n) => {
    const x = range([n, 2])
    const sums = ops.associativeScan(ops.add, x)
    close(sums, ops.cumsum(x, 0))
    close(ops.associativeScan(ops.add, x, true), ops.flip(ops.cumsum(ops.flip(x, 0), 0), 0))
    close(
      ops.associativeScan(ops.maximum, ops.transpose(x), { axis: -1 }),
      jit((x: Tensor) => ops.associativeScan(ops.maximum, ops.transpose(x), false, 1))(x),
    )
  })

  it('combines trees with a function that does not commute', () => {
    // h ← a h + b
    const f = ([a1, b1]: readonly [Tensor, Tensor], [a2, b2]: readonly [Tensor, Tensor]) =>
      [ops.multiply(a1, a2), ops.add(ops.multiply(a2, b1), b2)] as const
    const [a, b] = [range([7], 0.1), range([7])]
    const states = (a: Tensor, b: Tensor): Tensor => ops.associativeScan(f, [a, b] as const)[1]
    const looped = (a: Tensor, b: Tensor): Tensor =>
      ops.scan(
        (h, [a, b]) => {
          const next = ops.add(ops.multiply(a, h), b)
          return [next, next]
        },
        0,
        [a, b] as const,
      )[1]
    close(states(a, b), looped(a, b))
    const slopes = (of: typeof states): Tensor[] =>
      grad((a: Tensor, b: Tensor) => ops.sum(ops.square(of(a, b))), { argnums: [0, 1] })(a, b)
    slopes(states).forEach((each, i) => close(each, slopes(looped)[i]!, 4))
  })

  it('combines matrices', () => {
    const m = range([5, 2, 2], 0.3)
    const products = ops.associativeScan(ops.matmul, m)
    let expected = m.toArray()[0] as unknown as number[][]
    for (let i = 1; i < 5; i++) expected = ops.matmul(expected, ops.take(m, i, 0)).toArray()
    close(ops.take(products, 4, 0), tensor(expected), 4)
  })

  it('refuses elements of different extents, and functions that change shapes', () => {
    expect(() => ops.associativeScan((a) => a, [range([2]), range([3])])).toThrow(
      /associativeScan: elems\[0\] has 2 elements/,
    )
    expect(() => ops.associativeScan((a) => ops.sum(a), range([4]))).toThrow(/must stay float32/)
    expect(() => ops.associativeScan(ops.add, range([4]), false, 1)).toThrow(/associativeScan/)
    expect(() => ops.associativeScan(3 as never, range([4]))).toThrow(/expected a function/)
  })
})

describe('vectorizedMap', () => {
  const table = range([3, 4])
  const functions: [string, (x: Tensor) => Tensor, Tensor][] = [
    ['elementwise ops', (x) => ops.tanh(ops.add(ops.square(x), 1)), range([5, 4])],
    ['products', (x) => ops.matmul(x, range([4, 3])), range([5, 2, 4])],
    ['products of slices', (x) => ops.matmul(x, ops.transpose(x)), range([5, 2, 4])],
    ['reductions', (x) => ops.add(ops.sum(x, 0), ops.multiply(ops.max(x), ops.mean(x, -1, true))), range([5, 4, 4])],
    ['softmax', (x) => ops.softmax(x), range([5, 3, 4])],
    ['normalization', (x) => ops.layerNorm(x), range([5, 3, 20])],
    ['normalization with weights for all', (x) => ops.layerNorm(x, range([20]), range([20])), range([5, 3, 20])],
    ['normalization with weights of a slice', (x) => ops.rmsNorm(x, ops.mean(x, 0)), range([5, 3, 20])],
    ['normalization of whole slices', (x) => ops.layerNorm(x, range([3, 7]), x, [0, 1]), range([5, 3, 7])],
    ['positions', (x) => ops.argmax(x, 1), range([5, 3, 4])],
    ['concatenation with a constant', (x) => ops.concatenate([x, tensor([9, 8])]), range([5, 3])],
    ['padding', (x) => ops.pad(x, [[1, 2]]), range([5, 3])],
    ['gather of a slice', (x) => ops.take(x, [2, 0, -1], 1), range([5, 2, 3])],
    ['gather with indices of a slice', (i) => ops.take(table, i, 1), int([0, 3, -1, 2, 1, 1], [3, 2])],
    [
      'gather of a slice with its own indices',
      (x) => ops.take(x, ops.cast(ops.take(x, 0, 0), 'int32'), 1),
      int([0, 2, 1, 7, 8, 9, -1, 0, 5, 4, 2, 1], [2, 2, 3]),
    ],
    ['results that do not depend on the slice', () => tensor([1, 2]), range([3, 2])],
    ['ops that are looped', (x) => ops.cumsum(ops.sort(x, -1), -1), range([4, 5])],
    ['factorizations', (x) => ops.inv(ops.add(x, ops.multiply(40, ops.eye(3)))), range([4, 3, 3])],
    ['loops inside', (x) => ops.scan((c, y) => [ops.add(ops.multiply(c, 0.5), y), c], 0, x)[1], range([4, 5])],
    [
      'branches inside',
      (x) =>
        ops.cond(
          ops.greater(ops.sum(x), 0),
          () => ops.sqrt(ops.abs(x)),
          () => ops.negative(x),
        ),
      range([6, 2]),
    ],
    ['no slices', (x) => ops.sum(ops.square(x)), range([0, 3])],
  ]

  it.each(functions)('computes %s like map', (_title, f, x) => {
    close(ops.vectorizedMap(f, x), ops.map(f, x))
    close(jit((x: Tensor) => ops.vectorizedMap(f, x))(x), ops.map(f, x))
    if (x.dtype !== 'float32' || f(ops.ones(x.shape.slice(1))).dtype !== 'float32') return
    const slope = (over: (f: (x: Tensor) => Tensor, x: Tensor) => Tensor): Tensor =>
      grad((x: Tensor) => ops.sum(ops.square(over(f, x))))(x)
    close(slope(ops.vectorizedMap), slope(ops.map), 2)
  })

  it('takes and gives trees, captures and variables', () => {
    const weight = new Variable(tensor([2, 3]))
    const f = ({ x, i }: { x: Tensor; i: Tensor }) => ({
      y: [ops.multiply(x, weight)] as const,
      z: ops.add(i, int([1], [])),
    })
    const all = { x: range([4, 2]), i: int([1, 2, 3, 4]) }
    const { y, z } = ops.vectorizedMap(f, all)
    close(y[0], ops.multiply(all.x, weight))
    expect([z.dtype, z.toArray()]).toEqual(['int32', [2, 3, 4, 5]])
  })

  it('runs a function that assigns variables or draws random numbers slice by slice', () => {
    const count = new Variable(tensor(0))
    const seed = new SeedGenerator(3)
    const rows = ops
      .vectorizedMap(
        (x) => {
          count.assign(ops.add(count, 1))
          return ops.add(ops.multiply(x, 0), random.uniform([2], { seed }))
        },
        range([3, 2]),
      )
      .toArray()
    expect(count.value.item()).toBe(3)
    expect(new Set(rows.map((row) => JSON.stringify(row))).size).toBe(3)
  })

  it('has no loop for ops that can be computed at once', () => {
    const nested = ops.vectorizedMap((row) => ops.vectorizedMap((x) => ops.multiply(x, 2), row), range([3, 2]))
    close(nested, ops.multiply(range([3, 2]), 2))
  })

  it('refuses scalars and different extents', () => {
    expect(() => ops.vectorizedMap((x) => x, tensor(1))).toThrow(/is a scalar and has no slices/)
    expect(() => ops.vectorizedMap(([x]) => x, [range([2]), range([3])] as const)).toThrow(/2 slices/)
    expect(() => ops.vectorizedMap((x) => x, tensor(1))).toThrow(/elements is a scalar and has no slices/)
    expect(() => ops.vectorizedMap((x) => x as never, [])).toThrow(/elements must contain a tensor/)
  })

  it('takes no slices at all, whatever the function computes', () => {
    const f = (x: Tensor): Tensor[] => [
      ops.sum(x),
      ops.argmax(x),
      ops.greater(ops.sort(x), 0),
      ops.take(x, 0, 0),
      ops.cumsum(ops.softmax(x)),
      ops.matmul(x, x),
      ops.takeAlongAxis(x, ops.argsort(x)),
    ]
    const results = ops.vectorizedMap(f, ops.zeros([0, 3]))
    expect(results.map(({ dtype, shape }) => [dtype, ...shape])).toEqual(
      f(ops.zeros([3])).map(({ dtype, shape }) => [dtype, 0, ...shape]),
    )
    const [dx, dk] = grad(
      (x: Tensor, k: Tensor) => ops.sum(ops.vectorizedMap((row) => ops.cumsum(ops.multiply(ops.sort(row), k)), x)),
      { argnums: [0, 1] },
    )(ops.zeros([0, 3]), tensor([1, 2, 3]))
    expect([dx.shape, dk.toArray()]).toEqual([
      [0, 3],
      [0, 0, 0],
    ])
  })
})

describe('vectorize', () => {
  it('broadcasts a function of scalars', () => {
    const f = ops.vectorize((a, b) => ops.where(ops.greater(a!, b!), ops.subtract(a!, b!), ops.add(a!, b!))) as (
      ...x: unknown[]
    ) => Tensor
    expect(f([1, 2, 3, 4], 2).toArray()).toEqual([3, 4, 1, 2])
    expect(f([[1], [5]], [2, 3]).toArray()).toEqual([
      [3, 4],
      [3, 2],
    ])
  })

  it('keeps the core axes of a signature, and excluded arguments', () => {
    const product = ops.vectorize((a, b) => ops.matmul(a!, ops.expandDims(b!, -1)), {
      signature: '(m,n),(n)->(m,k)',
    }) as (...x: unknown[]) => Tensor
    const [a, b] = [range([5, 2, 3]), range([3])]
    close(product(a, b), ops.matmul(a, ops.expandDims(b, -1)))
    const powered = ops.vectorize((x, n) => ops.power(x!, n as unknown as number), { excluded: [1] }) as (
      ...x: unknown[]
    ) => Tensor
    expect(powered([1, 2, 3], 2).toArray()).toEqual([1, 4, 9])
    const both = ops.vectorize((x) => [ops.sum(x!), ops.square(x!)], { signature: '(n)->(),(n)' })(range([2, 3]))
    expect((both as Tensor[]).map(({ shape }) => shape)).toEqual([[2], [2, 3]])
  })

  it('refuses wrong signatures, shapes and results', () => {
    expect(() => ops.vectorize(ops.matmul as never, { signature: 'mn' })).toThrow(
      /vectorize: signature must be a string such as/,
    )
    const dot = ops.vectorize((a, b) => ops.sum(ops.multiply(a!, b!)), { signature: '(n),(n)->()' })
    expect(() => dot([1, 2], [1, 2, 3])).toThrow(/axis n of argument 1 has extent 3, but another has 2/)
    expect(() => dot(1, [1])).toThrow(/argument 0 needs the axes \(n\)/)
    expect(() => dot([1])).toThrow(/the signature has 2 arguments, received 1/)
    expect(() => ops.vectorize((x) => ops.stack([x!, x!]))([1, 2])).toThrow(/result 0 must have 0 axes/)
    expect(() => ops.vectorize((x) => x!, { excluded: 1 } as never)).toThrow(/excluded/)
  })
})

describe('customGradient', () => {
  const log1pexp = ops.customGradient((x: Tensor) => {
    const e = ops.exp(x)
    const gradient = (upstream: Tensor): Tensor => ops.multiply(upstream, ops.subtract(1, ops.divide(1, ops.add(1, e))))
    return [ops.log(ops.add(1, e)), gradient]
  })

  it('gives the result, and the gradient of the user', () => {
    expect(log1pexp(0).item()).toBeCloseTo(Math.log(2), 6)
    expect(jit((x: Tensor) => log1pexp(x))(0).item()).toBeCloseTo(Math.log(2), 6)
    expect(grad((x: Tensor) => log1pexp(x))(100).item()).toBe(1)
    expect(grad((x: Tensor) => ops.multiply(3, log1pexp(ops.multiply(x, 2))))(0).item()).toBe(3)
    // The gradient of the gradient is that of its ops.
    expect(grad(grad((x: Tensor) => log1pexp(x)))(0).item()).toBeCloseTo(0.25, 6)
  })

  it('takes several arguments and trees, and works in loops', () => {
    const f = ops.customGradient((a: Tensor, { b }: { b: Tensor }) => [
      { y: ops.multiply(a, b), z: a },
      ({ y, z }: { y: Tensor; z: Tensor }) => [
        ops.add(ops.multiply(10, y), z),
        { b: ops.multiply(ops.multiply(100, y), a) },
      ],
    ])
    const loss = (a: Tensor, b: Tensor): Tensor => {
      const { y, z } = f(a, { b })
      return ops.add(y, ops.multiply(5, z))
    }
    expect(valueAndGrad(loss, { argnums: [0, 1] })(2, 3)[1].map((x) => x.item())).toEqual([15, 200])
    const clipped = ops.customGradient((x: Tensor) => [x, (g: Tensor) => ops.clip(g, -1, 1)])
    const inLoop = (x: Tensor): Tensor =>
      ops.scan((c) => [clipped(ops.multiply(c, 3)), null], x, null, { length: 4 })[0]
    expect(valueAndGrad(inLoop)(2).map((x) => x.item())).toEqual([162, 3])
  })

  it('refuses gradients of other shapes, and functions that return something else', () => {
    const wrong = (gradient: unknown) => () =>
      grad((x: Tensor) => ops.sum(ops.customGradient((x: Tensor) => [x, () => gradient])(x)))([1, 2])
    expect(wrong(tensor(1))).toThrow(/customGradient: the gradient of \[2\] must be float32 with that shape/)
    expect(wrong([tensor(1), tensor(1)])).toThrow(/customGradient/)
    expect(() => ops.customGradient(((x: Tensor) => x) as never)(1 as never)).toThrow(
      /must return \[result, gradient\]/,
    )
  })
})

describe('jvp', () => {
  it('is the derivative in a direction', () => {
    const [y, slope] = jvp((x: Tensor) => ops.sin(x), [0.1], [1])
    expect([y.item(), slope.item()]).toEqual([expect.closeTo(Math.sin(0.1), 6), expect.closeTo(Math.cos(0.1), 6)])
    const f = (x: Tensor, { w }: { w: Tensor }): { h: Tensor; s: Tensor } => {
      const h = ops.tanh(ops.matmul(x, w))
      return { h, s: ops.sum(ops.square(h)) }
    }
    const [x, w, dx, dw] = [range([2, 3], 0.1), range([3, 2], 0.2), range([2, 3], 0.5), range([3, 2], -0.3)]
    const [out, derivative] = jvp(f, [x, { w }], [dx, { w: dw }])
    close(out.h, f(x, { w }).h)
    // ⟨u, Jv⟩ = ⟨Jᵀu, v⟩
    const u = { h: range([2, 2]), s: tensor(2) }
    const [, pullback] = vjp(f, x, { w })
    const [gx, gw] = pullback(u)
    const inner = (a: Tensor, b: Tensor): number => ops.sum(ops.multiply(a, b)).item()
    expect(inner(u.h, derivative.h) + inner(u.s, derivative.s)).toBeCloseTo(inner(gx, dx) + inner(gw.w, dw), 3)
  })

  it('returns aux, and works in traced functions, nested and with loops', () => {
    const [y, slope, aux] = ops.jvp((x: Tensor) => [ops.square(x), { twice: ops.multiply(x, 2) }], [3], [1], true)
    expect([y.item(), slope.item(), aux.twice.item()]).toEqual([9, 6, 6])
    const f = (x: Tensor): Tensor => ops.scan((c) => [ops.multiply(c, x), null], x, null, { length: 3 })[0]
    const first = (x: Tensor): Tensor => jvp(f, [x], [tensor(1)])[1]
    expect(jit((x: Tensor) => first(x))(2).item()).toBe(32)
    expect(jvp(first, [2], [1])[1].item()).toBe(48)
    expect(grad(first)(2).item()).toBe(48)
  })

  it('takes the keys of records in any order', () => {
    const f = ({ a, b }: { a: Tensor; b: Tensor }): Tensor => ops.multiply(a, ops.square(b))
    const [, slope] = jvp(f, [{ a: 2, b: 3 }], [{ b: 10, a: 1 }])
    expect(slope.item()).toBe(9 + 2 * 2 * 3 * 10)
  })

  it('refuses tangents of another structure or shape, and integers', () => {
    const f = (x: Tensor): Tensor => x
    expect(() => jvp(f, [1], [] as never)).toThrow(/jvp: the tangents must have the structure of the primals/)
    expect(() => jvp(f, [[1, 2]], [[1]])).toThrow(/jvp: a tangent must have the shape \[2\]/)
    expect(() => jvp(f, [int([1])], [int([1])])).toThrow(/jvp: primals: argument 0 is int32/)
    expect(() => jvp(f, 1 as never, [1])).toThrow(/jvp: primals must be an array/)
    expect(() => jvp((x: Tensor) => ops.cast(x, 'int32'), [1], [1])).toThrow(
      /jvp: a result is int32, which has no derivative/,
    )
    expect(() => jvp(f as never, [1] as never, [1] as never, true)).toThrow(
      /jvp: with hasAux the function must return \[results, aux\]/,
    )
  })
})

describe('what is known of a tensor', () => {
  it('is read from data and from symbols', () => {
    expect([
      ops.shape([[1, 2]]),
      ops.ndim(3),
      ops.size([[1, 2]]),
      ops.dtype([true]),
      ops.isTensor([1]),
      ops.isTensor(tensor(1)),
    ]).toEqual([[1, 2], 0, 2, 'bool', false, true])
    const x = Input({ shape: [3] })
    expect([ops.shape(x), ops.ndim(x), ops.dtype(x), ops.isTensor(x)]).toEqual([[null, 3], 2, 'float32', true])
    expect(ops.convertToNumpy(new Variable(tensor([[1, 2]])))).toEqual([[1, 2]])
    expect(() => ops.convertToNumpy(x)).toThrow(/has no data/)
  })

  it('can be converted', () => {
    const x = tensor([1.5, -2.5])
    expect(ops.convertToTensor(x)).toBe(x)
    expect([
      ops.convertToTensor([1.5, 2], 'int32').toArray(),
      ops.convertToTensor(x, { dtype: 'bool' }).toArray(),
    ]).toEqual([
      [1, 2],
      [true, true],
    ])
    expect(jit((x: Tensor) => ops.convertToTensor(x, 'int32'))(x).toArray()).toEqual([1, -2])
    expect(ops.saturateCast([1e10, -1e10, 2.7, NaN, Infinity, -Infinity], 'int32').toArray()).toEqual([
      2147483520, -2147483648, 2, 0, 2147483520, -2147483648,
    ])
    expect(ops.saturateCast([0.5, -2, 3, 0], 'bool').toArray()).toEqual([true, false, true, false])
    expect(ops.view([1, -2], 'int32').toArray()).toEqual([1065353216, -1073741824])
    expect(jit((x: Tensor) => ops.view(ops.view(x, 'int32'), 'float32'))(tensor([NaN, -0, 1e-45])).toArray()).toEqual([
      NaN,
      -0,
      expect.any(Number),
    ])
    expect(() => ops.view([true], 'int32')).toThrow(/view: the bits of bool/)
    const copied = ops.copy(x)
    expect([copied === x, copied.toArray(), grad((x: Tensor) => ops.sum(ops.copy(x)))(x).toArray()]).toEqual([
      false,
      [1.5, -2.5],
      [1, 1],
    ])
  })

  it('has no gradient through stopGradient of trees', () => {
    const f = (x: Tensor): Tensor => {
      const { a, b } = ops.stopGradient({ a: x, b: [ops.square(x)] as const })
      return ops.sum(ops.multiply(ops.add(a, b[0]), x))
    }
    expect(grad(f)([2, 3]).toArray()).toEqual([6, 12])
  })

  it('can be sliced from starts that are computed', () => {
    const x = range([4, 5])
    const f = jit((x: Tensor, start: Tensor) => ops.slice(x, start, [2, 3]))
    close(f(x, int([1, 2])), ops.slice(x, [1, 2], [2, 3]))
    close(f(x, int([9, -1])), ops.slice(x, [2, 2], [2, 3]))
    const update = jit((x: Tensor, i: Tensor, y: Tensor) => ops.sliceUpdate(x, [i, 1], y))
    close(update(x, tensor(1, [], 'int32'), range([2, 3])), ops.sliceUpdate(x, [1, 1], range([2, 3])))
    close(update(x, tensor(7, [], 'int32'), range([2, 3])), ops.sliceUpdate(x, [2, 1], range([2, 3])))
    const slope = grad((x: Tensor, i: Tensor) => ops.sum(ops.square(ops.slice(x, [i, 0], [1, 5]))))
    close(
      slope(x, tensor(2, [], 'int32')),
      ops.multiply(2, ops.sliceUpdate(ops.zeros([4, 5]), [2, 0], ops.slice(x, [2, 0], [1, 5]))),
    )
  })

  it('can be sliced only from starts that are integers', () => {
    const x = range([4])
    expect(ops.slice(x, tensor([9]), [2]).toArray()).toEqual(ops.slice(x, [2], [2]).toArray())
    expect(ops.slice(x, [tensor(-3)], [2]).toArray()).toEqual(ops.slice(x, [1], [2]).toArray())
    expect(jit((y: Tensor) => ops.slice(y, tensor([1]), [2]))(x).toArray()).toEqual(ops.slice(x, [1], [2]).toArray())
    for (const wrong of [tensor([1.5]), [tensor(1.5)], tensor([NaN])]) {
      expect(() => ops.slice(x, wrong, [2])).toThrow(/slice: each start must be an integer/)
      expect(() => ops.sliceUpdate(x, wrong, [2])).toThrow(/sliceUpdate: each start must be an integer/)
    }
    expect(() => ops.slice(x, tensor([1], [1], 'bool'), [2])).toThrow(/must be an int32 scalar, received bool/)
    expect(() => jit((s: Tensor) => ops.slice(x, s, [2]))([1])).toThrow(/must be an int32 scalar, received float32/)
  })
})

describe('symbols of functional models', () => {
  it('are operands of switch, whileLoop, associativeScan and vectorizedMap', async () => {
    const x = Input({ shape: [3] })
    const [doubled] = ops.whileLoop(
      (y) => ops.less(ops.max(y), 10),
      (y) => [ops.multiply(y, 2)] as const,
      [x] as const,
    )
    const outputs = [
      ops.switch(1, [(y: Tensor) => y, (y: Tensor) => ops.negative(y)], x),
      doubled,
      ops.associativeScan(ops.add, x, { axis: 1 }),
      ops.vectorizedMap((row) => ops.multiply(row, 3), x),
    ]
    const model = new Model({ inputs: x, outputs })
    const results = await model.predict(tensor([[1, 2, 3]]))
    expect(results.map((each) => each.toArray())).toEqual([[[-1, -2, -3]], [[4, 8, 12]], [[1, 3, 6]], [[3, 6, 9]]])
  })
})
