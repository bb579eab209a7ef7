// Factorizations multiplied again; einsum, tensordot, dot, outer and norm compared with plain loops over all indices,
// and their gradients with finite differences.
import { describe, expect, it } from 'vitest'
import { ArgumentError, ShapeError, grad, ops, tensor, type Tensor } from '../../src'
import { floats } from '../helpers/data'
import { expectNear } from '../helpers/golden'

const of = (shape: readonly number[], seed = 1): Tensor => tensor({ data: [...floats(shape, -2, 2, seed).data], shape })

/** All combinations of the letters' values, by definition. Letters only. */
function naive(equation: string, operands: readonly Tensor[]): { shape: number[]; data: number[] } {
  const [left, right] = equation.split('->') as [string, string]
  const terms = left.split(',')
  const letters = [...new Set(terms.join(''))]
  const extents = new Map<string, number>()
  terms.forEach((term, i) => [...term].forEach((letter, axis) => extents.set(letter, operands[i]!.shape[axis]!)))
  const shape = [...right].map((letter) => extents.get(letter)!)
  const data = new Array<number>(shape.reduce((a, b) => a * b, 1)).fill(0)
  const place = new Map(letters.map((letter) => [letter, 0]))
  const at = (term: string): number =>
    [...term].reduce((index, letter) => index * extents.get(letter)! + place.get(letter)!, 0)
  const visit = (i: number): void => {
    if (i === letters.length) {
      data[at(right)]! += terms.reduce((product, term, j) => product * operands[j]!.data[at(term)]!, 1)
      return
    }
    for (let value = 0; value < extents.get(letters[i]!)!; value++) {
      place.set(letters[i]!, value)
      visit(i + 1)
    }
  }
  visit(0)
  return { shape, data }
}

describe('einsum', () => {
  it.each<[string, ...number[][]]>([
    ['ij,jk->ik', [2, 3], [3, 4]],
    ['ij,jk->ki', [2, 3], [3, 4]],
    ['ji,kj->ik', [3, 2], [4, 3]],
    ['bij,bjk->bik', [2, 3, 4], [2, 4, 5]],
    ['bqhd,bkhd->bhqk', [2, 3, 2, 4], [2, 5, 2, 4]],
    ['ijk,jkl->il', [2, 3, 4], [3, 4, 2]],
    ['i,j->ij', [3], [4]],
    ['i,i->', [5], [5]],
    ['i,i->i', [5], [5]],
    ['ij,i->ij', [2, 3], [2]],
    ['ij->ji', [2, 3]],
    ['ij->', [2, 3]],
    ['ijk->j', [2, 3, 4]],
    ['ii->i', [3, 3]],
    ['ii->', [3, 3]],
    ['iji->ij', [3, 2, 3]],
    ['iii->', [2, 2, 2]],
    ['ii,ij->j', [3, 3], [3, 2]],
    ['ij,jk,kl->il', [2, 3], [3, 4], [4, 5]],
    ['ij,kj,kl->li', [2, 3], [4, 3], [4, 5]],
    ['ij,ik,il->jkl', [2, 3], [2, 4], [2, 5]],
    ['ij,k->i', [2, 3], [4]],
    [',i->i', [], [3]],
    ['ij,jk->ik', [2, 0], [0, 4]],
    ['ii->i', [0, 0]],
  ])('%s', (equation, ...shapes) => {
    const operands = shapes.map((shape, i) => of(shape, i + 1))
    const expected = naive(equation, operands)
    const received = ops.einsum(equation, ...operands)
    expect(received.shape).toEqual(expected.shape)
    expectNear(received.data, expected.data, equation)
  })

  it('an ellipsis means any axes, which broadcast', () => {
    const [a, b] = [of([2, 1, 3, 4]), of([5, 4, 2], 2)]
    const product = ops.einsum('...ij,...jk->...ik', a, b)
    expect(product.shape).toEqual([2, 5, 3, 2])
    expectNear(product.data, ops.matmul(a, b).data, 'as matmul')
    expect(ops.einsum('i...->...i', of([2, 3, 4])).shape).toEqual([3, 4, 2])
    expect(ops.einsum('...,...', of([3, 1]), of([1, 4])).shape).toEqual([3, 4])
    // the ellipsis covers no axes
    expect(ops.einsum('b...->b', of([2])).shape).toEqual([2])
  })

  it('without an arrow the result has the letters that occur once, in alphabetical order', () => {
    expectNear(ops.einsum('ij,jk', of([2, 3]), of([3, 4], 2)).data, ops.matmul(of([2, 3]), of([3, 4], 2)).data, 'ij,jk')
    expect(ops.einsum('ba', of([2, 3])).shape).toEqual([3, 2])
    expectNear(
      [
        ops
          .einsum('ii', [
            [1, 2],
            [3, 4],
          ])
          .item(),
      ],
      [5],
      'trace',
    )
  })

  it('has gradients', () => {
    const [a, b] = [of([2, 3, 3]), of([2, 3, 4], 2)]
    const loss = (x: Tensor): Tensor => ops.sum(ops.square(ops.einsum('bii,bij->j', x, b)))
    const received = grad(loss)(a)
    const expected = Array.from(a.data, (_, i) => {
      const moved = (by: number): number =>
        loss(tensor({ data: Array.from(a.data, (x, j) => (j === i ? x + by : x)), shape: a.shape })).item()
      return (moved(1 / 64) - moved(-1 / 64)) * 32
    })
    expectNear(received.data, expected, 'finite differences', 2e-3)
  })

  it.each<[string, RegExp, ...number[][]]>([
    ['ij,jk->ik', /needs 2 operands, received 1/, [2, 3]],
    ['ij->ik', /k must occur once in the result/, [2, 3]],
    ['ij->ii', /i must occur once in the result/, [2, 3]],
    ['ij', /'ij' of 'ij' needs 2 axes, received \[3\]/, [3]],
    ['i...j->...', /at least 2 axes/, [3]],
    ['...i->i', /must contain .../, [2, 3]],
    ['ij,jk->ik', /j of 'ij,jk->ik' is 3 in one place and 4 in another/, [2, 3], [4, 5]],
    ['ii->i', /i of 'ii->i' is 2 in one place and 3 in another/, [2, 3]],
    ['i-j', /must be like/, [2, 3]],
    ['i->j->k', /must be like/, [2]],
    ['i1->i', /must be like/, [2]],
  ])('refuses %s: %s', (equation, message, ...shapes) => {
    expect(() => ops.einsum(equation, ...shapes.map((shape) => of(shape)))).toThrow(message)
  })
})

describe('tensordot, dot and outer', () => {
  const [a, b] = [of([2, 3, 4]), of([3, 4, 5], 2)]
  const same = (received: Tensor, equation: string, ...operands: Tensor[]): void => {
    const expected = naive(equation, operands)
    expect(received.shape).toEqual(expected.shape)
    expectNear(received.data, expected.data, equation)
  }

  it('tensordot sums over the chosen axes', () => {
    same(ops.tensordot(a, b), 'ijk,jkl->il', a, b)
    same(
      ops.tensordot(a, b, [
        [1, 2],
        [0, 1],
      ]),
      'ijk,jkl->il',
      a,
      b,
    )
    same(ops.tensordot(a, of([5, 4], 3), [-1, 1]), 'ijk,lk->ijl', a, of([5, 4], 3))
    same(ops.tensordot(a, of([2], 3), 0), 'ijk,l->ijkl', a, of([2], 3))
    same(
      ops.tensordot(a, of([4, 2], 3), [
        [0, 2],
        [1, 0],
      ]),
      'ijk,ki->j',
      a,
      of([4, 2], 3),
    )
    expect(() => ops.tensordot(a, b, 1)).toThrow(ShapeError)
    expect(() => ops.tensordot(a, b, 4)).toThrow(/must both have at least 4 axes/)
    expect(() =>
      ops.tensordot(a, b, [
        [1, 1],
        [0, 0],
      ]),
    ).toThrow(ShapeError)
    expect(() => ops.tensordot(a, b, [[1]] as never)).toThrow(ArgumentError)
  })

  it('dot is NumPy’s', () => {
    same(ops.dot(a, of([4], 3)), 'ijk,k->ij', a, of([4], 3))
    same(ops.dot(of([4]), of([4], 3)), 'i,i->', of([4]), of([4], 3))
    same(ops.dot(a, of([5, 4, 2], 3)), 'ijk,lkm->ijlm', a, of([5, 4, 2], 3))
    expectNear(ops.dot(3, [1, 2]).data, [3, 6], 'scalar')
  })

  it('outer', () => {
    same(ops.outer(of([3]), of([4], 2)), 'i,j->ij', of([3]), of([4], 2))
    expect(ops.outer(tensor(Int32Array.of(2, 3)), tensor(Int32Array.of(5)))).toMatchObject({
      dtype: 'int32',
      shape: [2, 1],
    })
  })
})

describe('norm', () => {
  const x = [
    [3, -4],
    [0, 12],
  ]
  it('of known values', () => {
    expectNear(ops.norm(x).data, [13], 'all')
    expectNear(ops.norm(x, { axis: 1 }).data, [5, 12], 'rows')
    expectNear(ops.norm(x, { ord: 1, axis: 0, keepDims: true }).data, [3, 16], 'ord 1')
    expectNear(ops.norm(x, { ord: Infinity }).data, [12], 'largest sum of a row')
    expectNear(ops.norm(x, { ord: -Infinity }).data, [7], 'smallest sum of a row')
    expectNear(ops.norm([3, -4, 0], { ord: Infinity }).data, [4], 'largest')
    expectNear(ops.norm([3, -4, 0], { ord: -Infinity }).data, [0], 'smallest')
    expectNear(ops.norm([3, -4, 0], { ord: 0 }).data, [2], 'how many')
    expectNear(ops.norm(x, { ord: 3, axis: 1 }).data, [Math.cbrt(27 + 64), 12], 'ord 3')
    expect(ops.norm(x, { axis: 0, keepDims: true }).shape).toEqual([1, 2])
  })
  it('has the gradient x / ‖x‖', () => {
    expectNear(grad((v) => ops.norm(v))([3, -4]).data, [0.6, -0.8], 'gradient')
  })
})

describe('factorizations', () => {
  const a = of([2, 4, 3])

  it('svd and qr reproduce the matrix, full or not', () => {
    for (const full of [false, true]) {
      const [u, s, vt] = ops.svd(a, full)
      const size = full ? 4 : 3
      expect([u.shape, s.shape, vt.shape]).toEqual([
        [2, 4, size],
        [2, 3],
        [2, 3, 3],
      ])
      const wide = ops.multiply(ops.slice(u, [0, 0, 0], [2, 4, 3]), ops.expandDims(s, 1))
      expectNear(ops.matmul(wide, vt).data, a.data, 'U diag(s) Vᵀ')
      expectNear(
        ops.matmul(ops.swapAxes(u, 1, 2), u).data,
        ops.broadcastTo(ops.eye(size), [2, size, size]).data,
        'Uᵀ U',
      )
    }
    for (const mode of ['reduced', 'complete'] as const) {
      const [q, r] = ops.qr(a, mode)
      expectNear(ops.matmul(q, r).data, a.data, 'Q R')
      expectNear(
        ops.matmul(ops.swapAxes(q, 1, 2), q).data,
        ops.broadcastTo(ops.eye(r.shape[1]!), [2, r.shape[1]!, r.shape[1]!]).data,
        'Qᵀ Q',
      )
    }
  })

  // Element (i, j), with a random number in −2 … 2.
  it.each<[string, (i: number, j: number, random: number) => number]>([
    ['random', (_i, _j, random) => random],
    ['0', () => 0],
    ['1', () => 1],
    ['the identity', (i, j) => Number(i === j)],
    ['a diagonal with equal elements', (i, j) => (i === j ? i % 3 : 0)],
    ['rank 2', (i, j) => (i + 1) * (j + 1) + Math.sin(i) * Math.sin(j)],
    ['columns of 0', (_i, j, random) => (j % 2 ? 0 : random)],
    ['falling rows and columns', (i, j, random) => random * 10 ** (-(i + j) / 3)],
    ['rising rows and columns', (i, j, random) => random * 10 ** ((i + j) / 4)],
    ['clustered eigenvalues', (i, j, random) => Number(i === j) + 1e-6 * random],
    ['tiny', (_i, _j, random) => 1e-30 * random],
    ['huge', (_i, _j, random) => 1e30 * random],
    ['a Hilbert matrix', (i, j) => 1 / (i + j + 1)],
    ['a triangle', (i, j) => Number(j <= i)],
    ['blocks', (i, j, random) => (i >> 2 === j >> 2 ? random : 0)],
    ['zeros around a diagonal', (i, j) => Number(Math.abs(i - j) === 1)],
  ])('qr, svd and eigh of matrices with elements: %s', (_title, element) => {
    const transposed = (x: Tensor): Tensor => ops.swapAxes(x, -2, -1)
    const isOrthonormal = (x: Tensor, of: string): void =>
      expectNear(ops.matmul(transposed(x), x).data, ops.eye(x.shape[1]!).data, of, 2e-6)
    for (const [m, n] of [
      [1, 1],
      [2, 2],
      [3, 2],
      [2, 5],
      [7, 7],
      [18, 17],
      [33, 20],
      [51, 50],
    ] as const) {
      const random = floats([m * n], -2, 2).data
      const x = tensor({ data: Array.from(random, (r, k) => element(Math.floor(k / n), k % n, r)), shape: [m, n] })
      // one scale for all
      const size = ops.max(ops.abs(x)).data[0]! || 1
      const scaled = (y: Tensor): number[] => Array.from(y.data, (value) => value / size)
      const isProduct = (left: Tensor, right: Tensor, y: Tensor, of: string): void =>
        expectNear(scaled(ops.matmul(left, right)), scaled(y), `${of} of [${m}, ${n}]`, 1e-6 * (m + n))
      for (const mode of ['reduced', 'complete'] as const) {
        const [q, r] = ops.qr(x, mode)
        isProduct(q, r, x, 'Q R')
        isOrthonormal(q, 'Q')
        const full = mode === 'complete'
        const [u, s, vt] = ops.svd(x, full)
        const k = Math.min(m, n)
        const own = [ops.slice(u, [0, 0], [m, k]), ops.slice(vt, [0, 0], [k, n])] as const
        isProduct(ops.multiply(own[0], s), own[1], x, 'U diag(s) Vᵀ')
        isOrthonormal(u, 'U')
        isOrthonormal(transposed(vt), 'V')
        expectNear(scaled(ops.svd(x, full, false)), scaled(s), 'values alone', 1e-6)
      }
      if (m !== n) continue
      const symmetric = ops.multiply(ops.add(x, transposed(x)), 0.5)
      const [w, v] = ops.eigh(symmetric)
      isProduct(ops.multiply(v, w), transposed(v), symmetric, 'V diag(w) Vᵀ')
      isOrthonormal(v, 'V')
      expect([...w.data]).toEqual([...w.data].sort((a, b) => a - b))
    }
  })

  it('small singular values have all digits, and a diagonal may have any range', () => {
    // an orthogonal matrix ⊗ [[1, 1], [0, small]], which float32 represents: s₁ s₂ = small, s₁² + s₂² = 2 + small²
    const small = Math.fround(1e-7)
    const signs = [
      [1, 1, 1, 1],
      [1, -1, 1, -1],
      [1, 1, -1, -1],
      [1, -1, -1, 1],
    ]
    const inner = [
      [1, 1],
      [0, small],
    ]
    const x = Array.from({ length: 8 }, (_, i) =>
      Array.from({ length: 8 }, (_, j) => (signs[i >> 1]![j >> 1]! / 2) * inner[i & 1]![j & 1]!),
    )
    const expected = [Math.SQRT2, small / Math.SQRT2].flatMap((value) => new Array<number>(4).fill(value))
    for (const values of [ops.svd(x)[1], ops.svd(x, true, false)])
      expectNear(
        Array.from(values.data, (value, i) => value / expected[i]!),
        new Array(8).fill(1),
        'values',
        1e-6,
      )
    const diagonal = ops.diag([1e30, -1, 1e-30])
    expectNear(ops.divide(ops.svd(diagonal)[1], [1e30, 1, 1e-30]).data, [1, 1, 1], 'of a diagonal')
    expectNear(ops.divide(ops.eigh(diagonal)[0], [-1, 1e-30, 1e30]).data, [1, 1, 1], 'eigenvalues of a diagonal')
  })

  it('NaN and infinities concern only their own matrix', () => {
    for (const bad of [NaN, Infinity, -Infinity]) {
      const x = tensor([
        [
          [2, 1],
          [1, 2],
        ],
        [
          [1, bad],
          [bad, 1],
        ],
      ])
      const results = [...ops.eigh(x), ...ops.svd(x), ops.svd(x, true, false), ops.qr(x)[0]]
      for (const result of results) {
        const half = result.size / 2
        expect([...result.data].map(Number.isNaN)).toEqual([
          ...new Array(half).fill(false),
          ...new Array(half).fill(true),
        ])
      }
    }
  })

  it('svd of a wide matrix is that of its transpose', () => {
    const [u, s, vt] = ops.svd(ops.swapAxes(a, 1, 2), true)
    expect([u.shape, s.shape, vt.shape]).toEqual([
      [2, 3, 3],
      [2, 3],
      [2, 4, 4],
    ])
  })

  it('singular values of any matrix have a gradient, also equal ones', () => {
    const slope = grad((x: Tensor) => ops.sum(ops.svd(x, true, false)))
    expectNear(
      slope([
        [2, 0],
        [0, 2],
      ]).data,
      [1, 0, 0, 1],
      'of equal values',
    )
    expect(slope(of([4, 2])).shape).toEqual([4, 2])
  })

  it('large systems are solved up to rounding', () => {
    const n = 70
    const matrix = ops.add(of([n, n]), ops.multiply(ops.eye(n), 20))
    const x = of([n, 33], 2)
    expectNear(ops.solve(matrix, ops.matmul(matrix, x)).data, x.data, 'solve', 1e-4)
    const definite = ops.add(ops.matmul(matrix, ops.transpose(matrix)), ops.eye(n))
    const l = ops.cholesky(definite)
    expectNear(ops.divide(ops.matmul(l, ops.transpose(l)), n).data, ops.divide(definite, n).data, 'L Lᵀ', 1e-4)
    const [w, v] = ops.eigh(definite)
    expectNear(
      ops.divide(ops.matmul(ops.multiply(v, w), ops.transpose(v)), n).data,
      ops.divide(definite, n).data,
      'V diag(w) Vᵀ',
      1e-4,
    )
  })

  it('det has the gradient of the adjugate if the matrix is singular', () => {
    const slope = grad((x: Tensor) => ops.sum(ops.det(x)))
    // elimination finds the 0 last, first, and several times
    const last = [
      [1, 1, 0, 0],
      [1, 1, 0, 1],
      [0, 0, 1, 2],
      [0, 2, 1, 1],
    ]
    expectNear(slope(tensor(last)).data, [-3, 1, -4, 2, 1, -1, 4, -2, -1, 1, -2, 0, 1, -1, 0, 0], 'last', 1e-6)
    const first = [
      [0, 1, 2, 3],
      [0, 1, 1, 1],
      [0, 2, 5, 1],
      [0, 3, 2, 2],
    ]
    expectNear(slope(tensor(first)).data, [-4, 0, 0, 0, 27, 0, 0, 0, -1, 0, 0, 0, -7, 0, 0, 0], 'first', 1e-5)
    expect([...slope(ops.ones([2, 4, 4])).data]).toEqual(new Array(32).fill(0))
  })

  it('pinv without full rank has the gradient 0', () => {
    const low = ops.matmul(of([4, 2]), of([2, 3], 2))
    expect([...grad((x: Tensor) => ops.sum(ops.pinv(x)))(low).data]).toEqual(new Array(12).fill(0))
    expectNear(ops.pinv(ops.zeros([3, 2])).data, new Array(6).fill(0), 'of zeros')
    expect(ops.pinv(ops.zeros([0, 2])).shape).toEqual([2, 0])
  })

  it('products of integers are exact, and wrap around', () => {
    const [a, b] = [
      [16777217, 1],
      [3, 65537],
    ].map((row) => tensor(Int32Array.from(row))) as [Tensor, Tensor]
    expect(ops.matmul(a, b)).toMatchObject({ dtype: 'int32', shape: [] })
    for (const each of [
      ops.matmul(a, b),
      ops.einsum('i,i->', a, b),
      ops.dot(a, b),
      ops.vdot(a, b),
      ops.inner(a, b),
      ops.tensordot(a, b, 1),
    ]) {
      expect(each.dtype).toBe('int32')
      expect([...each.data]).toEqual([(Math.imul(16777217, 3) + 65537) | 0])
    }
    expect([
      ...ops.einsum('ii,ij->j', ops.reshape(tensor(Int32Array.of(1, 2, 3, 4)), [2, 2]), ops.ones([2, 3], 'int32')).data,
    ]).toEqual([5, 5, 5])
    expect(ops.matmul(ops.ones([2, 3], 'bool'), ops.ones([3, 2], 'bool')).dtype).toBe('bool')
    expect(ops.matmul(ops.ones([2, 3], 'int32'), ops.ones([3, 2])).dtype).toBe('float32')
    expect(() => ops.matmul(ops.ones([2, 1], 'int32'), ops.ones([3, 2], 'int32'))).toThrow(
      'matmul: expected [… m, k] · [… k, n], received [2, 1] · [3, 2]',
    )
  })

  it.each<[string, () => unknown, RegExp]>([
    ['pinv', () => ops.pinv([1, 2]), /pinv: expected matrices/],
    [
      'lstsq',
      () => ops.lstsq(a, [1, 2]),
      /lstsq: the right side of \[2, 4, 3\] must be \[… 4\] or \[… 4, k\], received \[2\]/,
    ],
    ['cholesky', () => ops.cholesky(a), /cholesky: expected square matrices \[… n,n\], received \[2, 4, 3\]/],
    ['det', () => ops.det([1, 2]), /det: expected matrices/],
    [
      'solve',
      () => ops.solve(ops.eye(3), [1, 2]),
      /solve: the right side of \[3, 3\] must be \[… 3\] or \[… 3, k\], received \[2\]/,
    ],
    ['qr', () => ops.qr(a, 'raw' as never), /qr: mode must be .*raw/],
    [
      'a gradient of complete Q',
      () => grad((x: Tensor) => ops.sum(ops.qr(x, 'complete')[0]))(of([4, 3])),
      /qr: only has a gradient where R is square.*\[4, 3\] in mode complete/,
    ],
    [
      'a gradient of full U',
      () => grad((x: Tensor) => ops.sum(ops.svd(x)[0]))(of([4, 3])),
      /svd: the vectors of \[4, 3\] have no gradient with fullMatrices/,
    ],
    [
      'norm',
      () => ops.norm(of([2, 3, 4]), { ord: 1 }),
      /norm: ord 1 requires one axis for vectors or two for matrices/,
    ],
    ['norm', () => ops.norm([1, 2], 'fro'), /norm: ord 'fro' applies to matrices only/],
  ])('%s refuses unsupported arguments', (_title, call, message) => {
    expect(call).toThrow(message)
  })
})

describe('Fourier transforms', () => {
  it('ifft inverts fft for any length, in both forms of pairs', () => {
    for (const n of [1, 3, 8, 100, 1024]) {
      const [real, imag] = [of([2, n]), of([2, n], 2)]
      const back = ops.ifft(ops.fft([real, imag]))
      expectNear(back.real.data, real.data, `real, ${n}`)
      expectNear(back.imag.data, imag.data, `imaginary, ${n}`)
    }
  })
  it('refuses parts that do not fit, and empty axes', () => {
    expect(() => ops.fft({ real: [1, 2], imag: [1, 2, 3] })).toThrow(
      /fft: both parts must have one shape, received \[2\] and \[3\]/,
    )
    expect(() => ops.fft(ops.zeros([3, 0]))).toThrow(/fft: axis 1 of \[3, 0\] is empty/)
    expect(() => ops.rfft([1, 2], 0)).toThrow(/rfft: fftLength/)
  })
})
