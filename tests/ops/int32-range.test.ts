// Numbers that an int32 cannot hold are refused where they become an int32, and never wrap.
// modes: simd

import { describe, expect, it } from 'vitest'
import { Adam, DataError, Embedding, Input, Sequential, Variable, ops, tensor } from '../../src'

const [LEAST, MOST] = [-(2 ** 31), 2 ** 31 - 1]
const WRONG = [2 ** 31, 2 ** 32, LEAST - 1, NaN, Infinity, -Infinity, 1e300]
const count = (): Variable => new Variable([2], { dtype: 'int32' })

describe.each(WRONG)('%d', (wrong) => {
  it.each<[string, () => unknown]>([
    ['assign of a list', () => count().assign([0, wrong])],
    ['assign of doubles', () => count().assign(Float64Array.of(0, wrong))],
    ['assign of { data, shape }', () => count().assign({ data: [0, wrong], shape: [2] })],
    ['assignAdd', () => count().assignAdd([0, wrong])],
    ['a number', () => new Variable([], { dtype: 'int32' }).assign(wrong)],
    ['iterations', () => new Adam().iterations.assign(wrong)],
    ['tensor', () => tensor([wrong], [1], 'int32')],
    [
      'tensor of rows',
      () =>
        tensor(
          [
            [1, 2],
            [3, wrong],
          ],
          [2, 2],
          'int32',
        ),
    ],
    ['tensor of typed rows', () => tensor([Float64Array.of(wrong)], undefined, 'int32')],
    ['tensor of a typed array', () => tensor(Float64Array.of(wrong), [1], 'int32')],
    ['full', () => ops.full([2], wrong, 'int32')],
    ['pad', () => ops.pad(tensor(Int32Array.of(1)), [[1, 1]], 'constant', wrong)],
  ])('is refused by %s', (_name, make) => {
    expect(make).toThrow(DataError)
    expect(make).toThrow(/must be from -2147483648 to 2147483647 for an int32, received /)
  })
})

describe('an int32', () => {
  it('names the place of a number that it cannot hold', () => {
    const rows = [
      [1, 2],
      [3, 2 ** 32],
    ]
    expect(() => tensor(rows, undefined, 'int32')).toThrow(/^tensor: element \[1\]\[1\] must be .* received 4294967296/)
    expect(() => count().assign([1, NaN])).toThrow(/the new value: element \[1\] must be/)
    expect(() => new Adam().iterations.assign(NaN)).toThrow(/iterations: the new value: the number must be/)
    expect(() => tensor(Uint32Array.of(1, 2 ** 31), undefined, 'int32')).toThrow(/element 1 must be/)
  })

  it('takes every number within its range, and truncates', () => {
    const given = [LEAST, MOST, LEAST - 0.5, MOST + 0.5, 2.7, -2.7, -0]
    const kept = [LEAST, MOST, LEAST, MOST, 2, -2, 0]
    expect([...tensor(given, undefined, 'int32').data]).toEqual(kept)
    expect([...tensor(Float64Array.from(given), undefined, 'int32').data]).toEqual(kept)
    const { iterations } = new Adam()
    iterations.assign(MOST)
    expect(iterations.numpy()).toBe(MOST)
    expect(tensor([true, false, 3] as never, undefined, 'int32').toArray()).toEqual([1, 0, 3])
  })

  it('is also the input of an embedding, which refuses them', () => {
    const model = new Sequential([Input({ shape: [1], dtype: 'int32' }), new Embedding(4, 2)])
    expect(model.predictOnBatch([[2]]).shape).toEqual([1, 1, 2])
    expect(() => model.predictOnBatch([[2 ** 33]])).toThrow(DataError)
  })
})
