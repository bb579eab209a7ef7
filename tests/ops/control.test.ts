// cond, switch and whileLoop: eager, traced, inside other loops, differentiated once and twice, with variables and random
// numbers; and every error.

import { describe, expect, it } from 'vitest'
import {
  Input,
  Model,
  SeedGenerator,
  Variable,
  grad,
  jit,
  ops,
  random,
  tensor,
  valueAndGrad,
  type Tensor,
} from '../../src'

const int = (x: number): Tensor => tensor(x, [], 'int32')

describe('cond', () => {
  const f = (x: Tensor): Tensor =>
    ops.cond(
      ops.greater(ops.sum(x), 0),
      () => ops.log(x),
      () => ops.multiply(x, 3),
    )

  it('gives the result of the chosen function, eager and compiled', () => {
    for (const run of [f, jit(f)]) {
      expect(run(tensor([1, Math.E])).toArray()).toEqual([0, expect.closeTo(1, 6)])
      expect(run(tensor([-1, -2])).toArray()).toEqual([-3, -6])
    }
  })

  it('calls only the chosen function if the condition has data', () => {
    const fail = (): Tensor => {
      throw new Error('called')
    }
    expect(ops.cond(true, () => tensor(1), fail).item()).toBe(1)
    expect(ops.cond(0, fail, () => tensor(2)).item()).toBe(2)
    expect(jit((x: Tensor) => ops.cond(tensor(NaN), () => ops.add(x, 1), fail))(1).item()).toBe(2)
  })

  it('has the gradient of the chosen function alone', () => {
    const loss = (x: Tensor): Tensor => ops.sum(f(x))
    // The logarithm of negative numbers is NaN, and so is its gradient.
    expect(grad(loss)(tensor([-1, -2])).toArray()).toEqual([3, 3])
    expect(grad(loss)(tensor([2, 4])).toArray()).toEqual([0.5, 0.25])
    const second = grad((x: Tensor) => ops.sum(grad(loss)(x)))
    expect(second(tensor([-1, -2])).toArray()).toEqual([0, 0])
    expect(second(tensor([2, 4])).toArray()).toEqual([-0.25, -0.0625])
  })

  it('has no gradient of 0 · ∞ from the function that is not chosen', () => {
    const safe = (x: Tensor): Tensor =>
      ops.cond(
        ops.equal(x, 0),
        () => ops.multiply(x, 2),
        () => ops.divide(ops.sqrt(x), x),
      )
    expect(valueAndGrad(safe)(0).map((each) => each.item())).toEqual([0, 2])
    expect(valueAndGrad(safe)(4).map((each) => each.item())).toEqual([0.5, -0.0625])
  })

  it('gives trees, integers and bools, and null', () => {
    const tree = jit((x: Tensor) =>
      ops.cond(
        ops.less(x, 0),
        () => ({ a: [x, int(1)], b: ops.isnan(x) }),
        () => ({ a: [ops.negative(x), int(2)], b: ops.less(x, 5) }),
      ),
    )
    const plain = (x: number): unknown => {
      const { a, b } = tree(x)
      return [a.map((each) => each.item()), a[1]!.dtype, b.toArray(), b.dtype]
    }
    expect(plain(-1)).toEqual([[-1, 1], 'int32', false, 'bool'])
    expect(plain(3)).toEqual([[-3, 2], 'int32', true, 'bool'])
    const nothing = jit((x: Tensor) => [
      ops.cond(
        x,
        () => null,
        () => null,
      ) ?? x,
    ])
    expect(nothing(3)[0]!.item()).toBe(3)
  })

  it('changes variables, and draws random numbers, only in the chosen function', () => {
    const count = new Variable(tensor(0))
    const seeds = new SeedGenerator(1)
    const state = (): number[] => Array.from(seeds.state.value.data)
    const step = jit((x: Tensor) =>
      ops.cond(
        ops.greater(x, 0),
        () => {
          count.assign(ops.add(count, x))
          return random.uniform([2], { seed: seeds })
        },
        () => ops.zeros([2]),
      ),
    )
    const before = state()
    expect(step(-1).toArray()).toEqual([0, 0])
    expect([count.value.item(), state()]).toEqual([0, before])
    const first = step(2).toArray()
    expect(count.value.item()).toBe(2)
    expect(state()).not.toEqual(before)
    expect(step(2).toArray()).not.toEqual(first)
    expect(count.value.item()).toBe(4)
  })

  it('can be nested, and swaps values', () => {
    const sign = jit((x: Tensor) =>
      ops.cond(
        ops.less(x, 0),
        () => tensor(-1),
        () =>
          ops.cond(
            ops.greater(x, 0),
            () => tensor(1),
            () => ops.multiply(x, 0),
          ),
      ),
    )
    expect([-2, 0, 3].map((x) => sign(x).item())).toEqual([-1, 0, 1])
    const sorted = jit((a: Tensor, b: Tensor) =>
      ops.cond(
        ops.less(a, b),
        () => [a, b],
        () => [b, a],
      ),
    )
    expect(sorted(2, 1).map((x) => x.item())).toEqual([1, 2])
    expect(sorted(1, 2).map((x) => x.item())).toEqual([1, 2])
  })

  it('works inside loops, with gradients through all iterations', () => {
    const f = (x: Tensor): Tensor =>
      ops.scan(
        (c, t) => {
          const next = ops.cond(
            ops.less(t, 2),
            () => ops.multiply(c, x),
            () => ops.add(c, ops.square(x)),
          )
          return [next, next]
        },
        tensor(1),
        tensor([0, 1, 2, 3]),
      )[0]
    // x² + 2x²
    expect(f(tensor(3)).item()).toBe(27)
    expect(grad(f)(3).item()).toBe(18)
    expect(grad(grad(f))(3).item()).toBe(6)
  })

  it('has gradients of captured weights', () => {
    const weight = tensor([
      [1, 2],
      [3, 4],
    ])
    const f = (w: Tensor, x: Tensor): Tensor =>
      ops.sum(
        ops.cond(
          ops.greater(ops.sum(x), 0),
          () => ops.matmul(x, w),
          () => ops.multiply(x, 2),
        ),
      )
    const [dw, dx] = grad(f, { argnums: [0, 1] })(weight, tensor([[1, 2]]))
    expect([dw.toArray(), dx.toArray()]).toEqual([
      [
        [1, 1],
        [2, 2],
      ],
      [[3, 7]],
    ])
    const [none, twice] = grad(f, { argnums: [0, 1] })(weight, tensor([[-1, -2]]))
    expect([none.toArray(), twice.toArray()]).toEqual([
      [
        [0, 0],
        [0, 0],
      ],
      [[2, 2]],
    ])
  })

  it('passes empty tensors through', () => {
    const f = jit((x: Tensor, p: Tensor) =>
      ops.cond(
        p,
        () => ops.add(x, 1),
        () => x,
      ),
    )
    expect(f(ops.zeros([0, 3]), 1).shape).toEqual([0, 3])
  })

  it('takes the keys of records in any order', () => {
    const f = jit((p: Tensor) =>
      ops.cond(
        p,
        () => ({ a: tensor(1), b: [tensor(2)] }),
        () => ({ b: [tensor(3)], a: tensor(4) }),
      ),
    )
    expect([1, 0].map((p) => [f(p).a.item(), f(p).b[0]!.item()])).toEqual([
      [1, 2],
      [4, 3],
    ])
    const { a, b } = ops.whileLoop(
      ({ a }) => ops.less(a, 3),
      ({ a, b }) => ({ b: ops.add(b, 10), a: ops.add(a, 1) }),
      { a: 0, b: 1 },
    )
    expect([a.item(), b.item()]).toEqual([3, 31])
    expect(() =>
      ops.whileLoop(({ a }) => ops.less(a, 3), (({ a }: { a: Tensor }) => ({ a, c: a })) as never, { a: 0, b: 1 }),
    ).toThrow(/the structure of its argument, \{a:\*,b:\*\}, received \{a:\*,c:\*\}/)
  })

  it('leaves no trace of a function that throws', () => {
    const f = jit((x: Tensor) =>
      ops.cond(
        x,
        (): Tensor => {
          throw new Error('thrown')
        },
        () => x,
      ),
    )
    expect(() => f(1)).toThrow('thrown')
    expect(ops.add(1, 2).item()).toBe(3)
  })

  it('refuses tensors of a function outside of it', () => {
    const kept: Tensor[] = []
    const f = jit((x: Tensor) => {
      ops.cond(
        x,
        () => {
          kept.push(ops.add(x, 1))
          return x
        },
        () => x,
      )
      return ops.add(kept[0]!, 1)
    })
    expect(() => f(1)).toThrow(/A tensor from inside a traced function was used outside of it/)
  })

  it('refuses results that differ, and conditions that are not scalars', () => {
    const both = (a: () => unknown, b: () => unknown) => () =>
      jit((x: Tensor) => ops.cond(x, a as () => Tensor, b as () => Tensor))(1)
    expect(
      both(
        () => tensor(1),
        () => [tensor(1)],
      ),
    ).toThrow(/cond: all functions must return the same structure/)
    expect(
      both(
        () => tensor(1),
        () => tensor([1]),
      ),
    ).toThrow(/function 0 returned float32 \[\], but function 1 returned float32 \[1\]/)
    expect(
      both(
        () => tensor(1),
        () => int(1),
      ),
    ).toThrow(/but function 1 returned int32 \[\]/)
    expect(
      both(
        () => tensor(1),
        () => null,
      ),
    ).toThrow(/That of function 0 is \*, that of function 1 is null/)
    expect(() =>
      ops.cond(
        tensor([1]),
        () => tensor(1),
        () => tensor(1),
      ),
    ).toThrow(/cond: pred must be a scalar/)
    expect(() => ops.cond(true, () => tensor(1), 3 as never)).toThrow(/cond: falseFn: expected a function/)
  })
})

describe('branches in a functional model', () => {
  it('read symbols as operands of switch, and cond says so', () => {
    const input = Input([2])
    const pred = ops.greater(ops.sum(input), 0)
    expect(() =>
      ops.cond(
        pred,
        () => input,
        () => ops.square(input),
      ),
    ).toThrow(/cond: function 0 uses a symbol of a model.*ops\.switch/)
    const outputs = ops.switch(ops.cast(pred, 'int32'), [ops.square, ops.negative], input)
    const model = new Model({ inputs: input, outputs })
    expect(model.predictOnBatch(tensor([[-1, -2]])).toArray()).toEqual([[1, 4]])
    expect(model.predictOnBatch(tensor([[1, 2]])).toArray()).toEqual([[-1, -2]])
  })
})

describe('switch', () => {
  const branches = [(x: Tensor) => ops.square(x), (x: Tensor) => ops.log(x), (x: Tensor) => ops.multiply(x, 5)] as const

  it('chooses a branch, and limits the index', () => {
    const f = (i: Tensor, x: Tensor): Tensor => ops.switch(i, branches, x)
    for (const run of [f, jit(f)])
      expect([-3, 0, 1, 2, 7].map((i) => run(int(i), tensor(1)).item())).toEqual([1, 1, 0, 5, 5])
    expect(ops.switch(1, [ops.add, ops.subtract], tensor(2), tensor(0.5)).item()).toBe(1.5)
  })

  it('has the gradient of the chosen branch alone', () => {
    const f = (x: Tensor, i: Tensor): Tensor => ops.switch(i, branches, x)
    const slope = jit((x: Tensor, i: Tensor) => grad(f)(x, i))
    expect([0, 1, 2].map((i) => slope(tensor(0), int(i)).item())).toEqual([0, Infinity, 5])
  })

  it('refuses other indices, and no branches', () => {
    expect(() => ops.switch(tensor(0.5), branches, tensor(1))).toThrow(/switch: index must be int32, received float32/)
    expect(() => ops.switch(0.5, branches, tensor(1))).toThrow(/switch: index must be an integer/)
    expect(() => ops.switch(tensor([0], [1], 'int32'), branches, tensor(1))).toThrow(/switch: index must be a scalar/)
    expect(() => ops.switch(0, [])).toThrow(/branches must be an array of at least one function/)
  })
})

describe('whileLoop', () => {
  it('runs until the condition is false', () => {
    const f = (limit: Tensor): readonly Tensor[] =>
      ops.whileLoop(
        (_, x) => ops.less(x, limit),
        (i, x) => [ops.add(i, int(1)), ops.multiply(x, 3)] as const,
        [int(0), 1] as const,
      )
    for (const run of [f, jit(f)]) {
      expect(run(tensor(100)).map((x) => x.item())).toEqual([5, 243])
      expect(run(tensor(0)).map((x) => x.item())).toEqual([0, 1])
      expect(run(tensor(3)).map((x) => x.item())).toEqual([1, 3])
    }
  })

  it('takes one variable, and trees', () => {
    expect(
      ops
        .whileLoop(
          (i) => ops.less(i, 10),
          (i) => ops.add(i, 1),
          0,
        )
        .item(),
    ).toBe(10)
    const { a, b } = ops.whileLoop(
      ({ a }) => ops.less(ops.sum(a), 20),
      ({ a, b: [n] }) => ({ a: ops.multiply(a, 2), b: [ops.add(n, 1)] as const }),
      { a: tensor([1, 2]), b: [0] } as const,
    )
    expect([a.toArray(), b[0].item()]).toEqual([[8, 16], 3])
  })

  it('ends after maximumIterations', () => {
    for (const most of [0, 1, 4])
      expect(
        ops
          .whileLoop(
            () => true,
            (i) => ops.add(i, 1),
            0,
            most,
          )
          .item(),
      ).toBe(most)
  })

  it('runs many iterations', () => {
    const [, sum] = ops.whileLoop(
      (i) => ops.less(i, int(100_000)),
      (i, sum) => [ops.add(i, int(1)), ops.add(sum, i)] as const,
      [int(0), int(0)] as const,
    )
    expect(sum.item()).toBe(((100_000 * 99_999) / 2) | 0)
  })

  it('reads and assigns variables', () => {
    const total = new Variable(tensor(0))
    const step = jit((x: Tensor) =>
      ops.whileLoop(
        () => ops.less(total, 10),
        (x) => {
          total.assign(ops.add(total, x))
          return ops.multiply(x, 2)
        },
        x,
      ),
    )
    expect([step(1).item(), total.value.item()]).toEqual([16, 15])
    expect([step(1).item(), total.value.item()]).toEqual([1, 15])
  })

  // x ← x·k while x < 100
  const growing = (x: Tensor, k: Tensor, most: number | null): Tensor =>
    ops.whileLoop(
      (y) => ops.less(y, 100),
      (y) => ops.multiply(y, k),
      x,
      most,
    )

  it('has gradients with a maximum number of iterations', () => {
    for (const most of [7, 20, 100]) {
      const f = (x: Tensor, k: Tensor): Tensor => growing(x, k, most)
      const [value, [dx, dk]] = valueAndGrad(f, { argnums: [0, 1] })(1, 2)
      expect([value, dx, dk].map((each) => each.item())).toEqual([128, 128, 448])
      // Second derivatives: k⁷ → 42·2⁵
      expect(grad((k: Tensor) => grad(f, { argnums: 1 })(tensor(1), k))(2).item()).toBe(1344)
    }
    const none = grad((x: Tensor, k: Tensor) => growing(x, k, 5), { argnums: [0, 1] })(200, 2)
    expect(none.map((each) => each.item())).toEqual([1, 0])
  })

  it('has no gradient of 0 · ∞ from iterations that do not run', () => {
    // The square root of a negative number would come next.
    const f = (x: Tensor): Tensor =>
      ops.whileLoop(
        (y) => ops.greaterEqual(y, 0),
        (y) => ops.subtract(ops.sqrt(y), 1),
        x,
        10,
      )
    const [value, slope] = valueAndGrad(f)(0.25)
    expect([value.item(), slope.item()]).toEqual([-0.5, 1])
  })

  it('has gradients with matrices', () => {
    const a = tensor([
      [0.5, 0.1],
      [0.2, 0.4],
    ])
    const f = (w: Tensor): Tensor => {
      const [, x] = ops.whileLoop(
        (i) => ops.less(i, 3),
        (i, x) => [ops.add(i, 1), ops.tanh(ops.matmul(x, w))] as const,
        [0, tensor([[1, 2]])] as const,
        8,
      )
      return ops.sum(x)
    }
    const unrolled = (w: Tensor): Tensor => {
      let x = tensor([[1, 2]])
      for (let i = 0; i < 3; i++) x = ops.tanh(ops.matmul(x, w))
      return ops.sum(x)
    }
    const [received, expected] = [f, unrolled].map((each) => valueAndGrad(each)(a))
    expect(received![0].item()).toBeCloseTo(expected![0].item(), 6)
    received![1].data.forEach((x, i) => expect(x).toBeCloseTo(expected![1].data[i]!, 5))
  })

  it('works inside other loops and branches', () => {
    // The number of steps of the Collatz sequence.
    const steps = (n: Tensor): Tensor =>
      ops.whileLoop(
        (n) => ops.notEqual(n, int(1)),
        (n, count) =>
          [
            ops.cond(
              ops.equal(ops.mod(n, int(2)), int(0)),
              () => ops.floorDivide(n, int(2)),
              () => ops.add(ops.multiply(n, int(3)), int(1)),
            ),
            ops.add(count, int(1)),
          ] as const,
        [n, int(0)] as const,
      )[1]
    expect(ops.map(steps, tensor([1, 2, 3, 6, 7, 27], [6], 'int32')).toArray()).toEqual([0, 1, 7, 8, 16, 111])
  })

  it('takes variables of every dtype, and names one that changes', () => {
    const [count, flag] = ops.whileLoop(
      (i, go) => ops.logicalAnd(go, ops.less(i, int(9))),
      (i) => [ops.add(i, int(1)), ops.less(i, int(4))] as const,
      [int(0), tensor(1, [], 'bool')] as const,
    )
    expect([count.item(), flag.item(), flag.dtype]).toEqual([5, 0, 'bool'])
    expect(() =>
      ops.whileLoop(
        ({ a }) => ops.less(ops.sum(a[0]), 4),
        ({ a }) => ({ a: [ops.concatenate([a[0], a[0]])] as const }),
        { a: [tensor([1])] } as const,
      ),
    ).toThrow('whileLoop: the carry .a[0] must stay float32 [1], the function returned float32 [2]')
  })

  it('evaluates a condition that assigns once more than the body', () => {
    const count = new Variable(tensor(0))
    const f = jit((n: Tensor) =>
      ops.whileLoop(
        (x) => {
          count.assign(ops.add(count, 1))
          return ops.less(x, n)
        },
        (x) => ops.add(x, 1),
        0,
      ),
    )
    expect([f(3).item(), count.value.item(), f(0).item(), count.value.item()]).toEqual([3, 4, 0, 5])
  })

  it('refuses a gradient without a maximum, and wrong variables and conditions', () => {
    expect(() => grad((x: Tensor) => growing(x, tensor(2), null))(1)).toThrow(
      /whileLoop: the gradient needs maximumIterations/,
    )
    expect(() =>
      ops.whileLoop(
        (x) => ops.less(x, 1),
        () => tensor([1]),
        0,
      ),
    ).toThrow(/the carry must stay float32 \[\]/)
    expect(() =>
      ops.whileLoop(
        () => tensor([true]),
        (x) => x,
        0,
      ),
    ).toThrow(/whileLoop: cond must be a scalar/)
    expect(() =>
      ops.whileLoop(
        () => true,
        (x) => x,
        0,
        -1,
      ),
    ).toThrow(/maximumIterations/)
    expect(() =>
      ops.whileLoop(
        () => true,
        (x) => x,
        0,
      ),
    ).toThrow(/the condition is always true/)
  })
})
