// scan, map and foriLoop compared with plain JavaScript loops: eager, traced, differentiated; captures, assignments and
// random numbers; and every error.

import { describe, expect, it } from 'vitest'
import { SeedGenerator, Variable, grad, jit, ops, random, tensor, valueAndGrad, type Tensor } from '../../src'

const numbers = (x: Tensor): number[] => Array.from(x.data)
const close = (received: Tensor, expected: readonly number[], digits = 5): void => {
  expect(received.size).toBe(expected.length)
  numbers(received).forEach((x, i) => expect(x).toBeCloseTo(expected[i]!, digits))
}

describe('scan', () => {
  it('passes the carry on and stacks the returned values', () => {
    const [total, sums] = ops.scan((sum, x) => [ops.add(sum, x), ops.add(sum, x)], 0, tensor([1, 2, 3]))
    expect(total.item()).toBe(6)
    expect(sums.toArray()).toEqual([1, 3, 6])
  })

  it('runs backwards', () => {
    const [last, ys] = ops.scan((c, x) => [x, ops.subtract(c, x)], 10, tensor([1, 2, 3]), { reverse: true })
    expect(last.item()).toBe(1)
    expect(ys.toArray()).toEqual([1, 1, 7])
  })

  it('takes trees of carries and slices, and gives trees', () => {
    const init = { h: tensor([1, 2]), rest: [0, { n: tensor(0, [], 'int32') }] } as const
    const xs = [
      tensor([
        [1, 1],
        [2, 2],
        [3, 3],
      ]),
      { scale: tensor([1, 10, 100]) },
    ] as const
    const [carry, ys] = ops.scan(
      ({ h, rest: [sum, { n }] }, [x, { scale }]) => {
        const next = ops.add(h, ops.multiply(x, scale))
        return [
          { h: next, rest: [ops.add(sum, scale), { n: ops.add(n, tensor(1, [], 'int32')) }] as const },
          { first: ops.sum(next), all: [next] },
        ]
      },
      init,
      xs,
    )
    expect(carry.h.toArray()).toEqual([322, 323])
    expect(carry.rest[0].item()).toBe(111)
    expect([carry.rest[1].n.dtype, carry.rest[1].n.item()]).toEqual(['int32', 3])
    expect(ys.first.toArray()).toEqual([5, 45, 645])
    expect(ys.all[0]!.toArray()).toEqual([
      [2, 3],
      [22, 23],
      [322, 323],
    ])
  })

  it.each([0, 1, 2, 7])('runs %i iterations', (length) => {
    const [x, ys] = ops.scan((c) => [ops.multiply(c, 2), c], 1, null, { length })
    expect(x.item()).toBe(2 ** length)
    expect(ys.toArray()).toEqual(Array.from({ length }, (_, i) => 2 ** i))
  })

  it('returns null if nothing is stacked', () => {
    const [x, ys] = ops.scan((c, x) => [ops.add(c, x), null], 0, tensor([1, 2]))
    expect([x.item(), ys]).toEqual([3, null])
  })

  it('captures tensors, variables and symbols of the surrounding code', () => {
    const weight = new Variable(tensor([2, 3]))
    const f = (x: Tensor, scale: Tensor): Tensor => {
      const shifted = ops.add(x, 1)
      const [, ys] = ops.scan(
        (c, row) => [ops.add(c, row), ops.multiply(ops.multiply(ops.add(row, weight), shifted), scale)],
        tensor([0, 0]),
        tensor([
          [1, 1],
          [2, 2],
        ]),
      )
      return ys
    }
    const expected = [
      [6, 12],
      [8, 15],
    ].map(([a, b]) => [a! * 10, b! * 10])
    expect(f(tensor([1, 2]), tensor(10)).toArray()).toEqual(expected)
    expect(jit(f)(tensor([1, 2]), tensor(10)).toArray()).toEqual(expected)
  })

  it('has gradients for carries, slices and captures', () => {
    // c ← c·w + x; the sum of all c
    const loss = (c: Tensor, xs: Tensor, w: Tensor): Tensor => {
      const [, ys] = ops.scan(
        (state, x) => {
          const next = ops.add(ops.multiply(state, w), x)
          return [next, next]
        },
        c,
        xs,
      )
      return ops.sum(ys)
    }
    const [value, [dc, dxs, dw]] = valueAndGrad(loss, { argnums: [0, 1, 2] })(2, [1, 2, 3], 0.5)
    // c: 2, 2, 3, 4.5
    expect(value.item()).toBe(9.5)
    expect(dc!.item()).toBeCloseTo(0.5 + 0.25 + 0.125)
    close(dxs!, [1.75, 1.5, 1])
    expect(dw!.item()).toBeCloseTo(2 * 1.75 + 2 * 1.5 + 3)
  })

  it('differentiates twice', () => {
    // x ↦ x⁸
    const power = (x: Tensor): Tensor => ops.scan((c) => [ops.square(c), null], x, null, { length: 3 })[0]
    expect(grad(power)(1.5).item()).toBeCloseTo(8 * 1.5 ** 7, 3)
    expect(grad((x) => grad(power)(x))(1.5).item()).toBeCloseTo(56 * 1.5 ** 6, 2)
  })

  it('differentiates inside its function', () => {
    const [x] = ops.scan(
      (c) => [ops.subtract(c, ops.multiply(0.25, grad((y) => ops.square(ops.subtract(y, 3)))(c))), null],
      1,
      null,
      { length: 4 },
    )
    expect(x.item()).toBeCloseTo(3 - 2 * 0.5 ** 4)
  })

  it('runs inside a scan', () => {
    const [total, rows] = ops.scan(
      (c, row) => {
        const [sum] = ops.scan((s, x) => [ops.add(ops.multiply(s, 2), x), null], c, row)
        return [sum, sum]
      },
      0,
      tensor([
        [1, 2],
        [3, 4],
      ]),
    )
    expect([total.item(), rows.toArray()]).toEqual([26, [4, 26]])
  })

  it('updates variables from iteration to iteration', () => {
    const count = new Variable(tensor(0))
    const last = new Variable(tensor([9, 9]))
    const f = (x: Tensor): Tensor => {
      const [, seen] = ops.scan(
        (c, row) => {
          count.assign(ops.add(count, 1))
          last.assign(row)
          return [c, count.value]
        },
        0,
        x,
      )
      return ops.add(seen, ops.multiply(100, count))
    }
    expect(
      f(
        tensor([
          [1, 2],
          [3, 4],
        ]),
      ).toArray(),
    ).toEqual([201, 202])
    expect([count.value.item(), last.value.toArray()]).toEqual([2, [3, 4]])
    expect(
      jit(f)(
        tensor([
          [5, 6],
          [7, 8],
        ]),
      ).toArray(),
    ).toEqual([403, 404])
    expect([count.value.item(), last.value.toArray()]).toEqual([4, [7, 8]])
  })

  it('draws other random numbers in every iteration, the same as without a loop', () => {
    const [, ys] = ops.scan((c) => [c, random.uniform([3], { seed: generator })], 0, null, { length: 3 })
    const generator2 = new SeedGenerator(5)
    const expected = [0, 1, 2].map(() => numbers(random.uniform([3], { seed: generator2 })))
    expect(ys.toArray()).toEqual(expected)
    expect(generator.state.value.toArray()).toEqual(generator2.state.value.toArray())
  })
  const generator = new SeedGenerator(5)

  it('reports errors', () => {
    const xs = tensor([
      [1, 2],
      [3, 4],
    ])
    expect(() => ops.scan((c) => [c, c], 0, null)).toThrow('length, the number of iterations, is required')
    expect(() => ops.scan((c) => [c, c], 0, xs, { length: 3 })).toThrow('length is 3, but xs has 2')
    expect(() => ops.scan((c) => [c, c], 0, null, { length: -1 })).toThrow('length must be an integer')
    expect(() => ops.scan((c) => [c, c], 0, { a: xs, b: tensor([1, 2, 3]) })).toThrow(
      'xs.a has 2 slices, but xs.b has 3',
    )
    expect(() => ops.scan((c) => [c, c], 0, [tensor(1)])).toThrow('xs[0] is a scalar')
    expect(() => ops.scan((c, x) => [{ h: ops.add(c.h, x) }, null], { h: 0 }, xs)).toThrow(
      'the carry .h must stay float32 [], the function returned float32 [2]',
    )
    expect(() => ops.scan((c) => [ops.cast(c, 'int32'), null], 0, xs)).toThrow(
      'must stay float32 [], the function returned int32 []',
    )
    // @ts-expect-error the carry must keep its structure
    expect(() => ops.scan((c) => [[c], null], 0, xs)).toThrow(
      'a carry with the structure of its argument, *, received [*]',
    )
    // @ts-expect-error there is no such option
    expect(() => ops.scan((c) => [c, c], 0, xs, { reversed: true })).toThrow('reverse')
    // @ts-expect-error a function is needed
    expect(() => ops.scan(1, 0, xs)).toThrow('scan: f: expected a function of tensors, received 1')
    // @ts-expect-error a pair is needed
    expect(() => ops.scan((c) => c, 0, xs)).toThrow('must return [carry, y]')
  })

  it('keeps inner symbols inside', () => {
    let leaked: Tensor | null = null
    expect(() =>
      ops
        .scan(
          (c) => {
            leaked = c
            return [c, null]
          },
          0,
          null,
          { length: 2 },
        )[0]
        .item(),
    ).not.toThrow()
    expect(() => jit(() => ops.add(leaked!, 1))()).toThrow('used outside of it')
  })
})

describe('map', () => {
  it('stacks the values that the function returns for each slice', () => {
    expect(
      ops
        .map(
          (row) => ops.sum(row),
          tensor([
            [1, 2],
            [3, 4],
            [5, 6],
          ]),
        )
        .toArray(),
    ).toEqual([3, 7, 11])
    const both = ops.map(({ a, b }) => [ops.add(a, b), ops.multiply(a, b)], { a: tensor([1, 2]), b: tensor([3, 4]) })
    expect(both.map((x) => x.toArray())).toEqual([
      [4, 6],
      [3, 8],
    ])
  })

  it('has gradients', () => {
    close(grad((x) => ops.sum(ops.map((row) => ops.exp(row), x)))([0, 1]), [1, Math.E])
  })
})

describe('foriLoop', () => {
  it('counts', () => {
    expect(ops.foriLoop(0, 5, (_i, x) => ops.multiply(x, 2), 1).item()).toBe(32)
    expect(ops.foriLoop(2, 5, (i, sum) => ops.add(sum, ops.cast(i, 'float32')), 0).item()).toBe(9)
    expect(ops.foriLoop(5, 2, (_i, x) => ops.multiply(x, 2), 7).item()).toBe(7)
  })

  it('takes trees and requires integers', () => {
    const { a, b } = ops.foriLoop(0, 3, (_i, { a, b }) => ({ a: b, b: ops.add(a, b) }), { a: 0, b: 1 })
    expect([a.item(), b.item()]).toEqual([2, 3])
    expect(() => ops.foriLoop(0, 1.5, (_i, x) => x, 0)).toThrow('foriLoop: upper must be an integer, received 1.5')
  })
})
