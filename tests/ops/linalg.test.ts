// einsum, tensordot, dot, outer and norm against plain loops over all indices, and their gradients against finite
// differences.
import { describe, expect, it } from 'vitest'
import type { Tensor } from '../../src'
import { ArgumentError, ShapeError, grad, ops, tensor } from '../../src'
import { floats } from '../helpers/data'
import { expectNear } from '../helpers/golden'

const of = (shape: readonly number[], seed = 1): Tensor => tensor({ data: [...floats(shape, -2, 2, seed).data], shape })

/** Every combination of the letters' values: the definition. Letters only. */
function naive(equation: string, operands: readonly Tensor[]): { shape: number[]; data: number[] } {
  const [left, right] = equation.split('->') as [string, string]
  const terms = left.split(',')
  const letters = [...new Set(terms.join(''))]
  const extents = new Map<string, number>()
  terms.forEach((term, i) => [...term].forEach((letter, axis) => extents.set(letter, operands[i]!.shape[axis]!)))
  const shape = [...right].map((letter) => extents.get(letter)!)
  const data = new Array<number>(shape.reduce((a, b) => a * b, 1)).fill(0)
  const place = new Map(letters.map((letter) => [letter, 0]))
  const at = (term: string): number => [...term].reduce((index, letter) => index * extents.get(letter)! + place.get(letter)!, 0)
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

  it('an ellipsis stands for any axes, which broadcast', () => {
    const [a, b] = [of([2, 1, 3, 4]), of([5, 4, 2], 2)]
    const product = ops.einsum('...ij,...jk->...ik', a, b)
    expect(product.shape).toEqual([2, 5, 3, 2])
    expectNear(product.data, ops.matmul(a, b).data, 'as matmul')
    expect(ops.einsum('i...->...i', of([2, 3, 4])).shape).toEqual([3, 4, 2])
    expect(ops.einsum('...,...', of([3, 1]), of([1, 4])).shape).toEqual([3, 4])
    // nothing under it
    expect(ops.einsum('b...->b', of([2])).shape).toEqual([2])
  })

  it('without an arrow the result has the letters that occur once, in alphabetical order', () => {
    expectNear(ops.einsum('ij,jk', of([2, 3]), of([3, 4], 2)).data, ops.matmul(of([2, 3]), of([3, 4], 2)).data, 'ij,jk')
    expect(ops.einsum('ba', of([2, 3])).shape).toEqual([3, 2])
    expectNear([ops.einsum('ii', [[1, 2], [3, 4]]).item()], [5], 'trace')
  })

  it('gradients follow', () => {
    const [a, b] = [of([2, 3, 3]), of([2, 3, 4], 2)]
    const loss = (x: Tensor): Tensor => ops.sum(ops.square(ops.einsum('bii,bij->j', x, b)))
    const received = grad(loss)(a)
    const expected = Array.from(a.data, (_, i) => {
      const moved = (by: number): number => loss(tensor({ data: Array.from(a.data, (x, j) => (j === i ? x + by : x)), shape: a.shape })).item()
      return (moved(1 / 64) - moved(-1 / 64)) * 32
    })
    expectNear(received.data, expected, 'finite differences', 2e-3)
  })

  it.each<[string, RegExp, ...number[][]]>([
    ['ij,jk->ik', /needs 2 operands, received 1/, [2, 3]],
    ['ij->ik', /k in the result/, [2, 3]],
    ['ij->ii', /i in the result/, [2, 3]],
    ['ij', /'ij' of 'ij' needs 2 axes, received \[3\]/, [3]],
    ['i...j->...', /at least 2 axes/, [3]],
    ['...i->i', /must have .../, [2, 3]],
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

  it('tensordot sums over the axes that meet', () => {
    same(ops.tensordot(a, b), 'ijk,jkl->il', a, b)
    same(ops.tensordot(a, b, [[1, 2], [0, 1]]), 'ijk,jkl->il', a, b)
    same(ops.tensordot(a, of([5, 4], 3), [-1, 1]), 'ijk,lk->ijl', a, of([5, 4], 3))
    same(ops.tensordot(a, of([2], 3), 0), 'ijk,l->ijkl', a, of([2], 3))
    same(ops.tensordot(a, of([4, 2], 3), [[0, 2], [1, 0]]), 'ijk,ki->j', a, of([4, 2], 3))
    expect(() => ops.tensordot(a, b, 1)).toThrow(ShapeError)
    expect(() => ops.tensordot(a, b, 4)).toThrow(/do not both have 4 axes/)
    expect(() => ops.tensordot(a, b, [[1, 1], [0, 0]])).toThrow(ShapeError)
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
    expect(ops.outer(tensor(Int32Array.of(2, 3)), tensor(Int32Array.of(5)))).toMatchObject({ dtype: 'int32', shape: [2, 1] })
  })
})

describe('norm', () => {
  const x = [[3, -4], [0, 12]]
  it('of known values', () => {
    expectNear(ops.norm(x).data, [13], 'all')
    expectNear(ops.norm(x, { axis: 1 }).data, [5, 12], 'rows')
    expectNear(ops.norm(x, { ord: 1, axis: 0, keepDims: true }).data, [3, 16], 'ord 1')
    expectNear(ops.norm(x, { ord: Infinity }).data, [12], 'largest')
    expectNear(ops.norm(x, { ord: -Infinity }).data, [0], 'smallest')
    expectNear(ops.norm(x, { ord: 0 }).data, [3], 'how many')
    expectNear(ops.norm(x, { ord: 3, axis: 1 }).data, [Math.cbrt(27 + 64), 12], 'ord 3')
    expect(ops.norm(x, { axis: 0, keepDims: true }).shape).toEqual([1, 2])
  })
  it('has the gradient x / ‖x‖', () => {
    expectNear(grad((v) => ops.norm(v))([3, -4]).data, [0.6, -0.8], 'gradient')
  })
})
