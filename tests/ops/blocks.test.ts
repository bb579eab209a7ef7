// Ops whose kernels take blocks of elements, rows or columns, compared with plain loops at the borders of the blocks.

import { describe, expect, it } from 'vitest'
import { Variable, jit, ops, tensor, type Tensor } from '../../src'
import { generator } from '../helpers/data'

const random = generator(18)
const numbers = (n: number): Float32Array => Float32Array.from({ length: n }, () => Math.fround(random() * 2 - 1))
const integers = (n: number, most: number): Int32Array =>
  Int32Array.from({ length: n }, () => Math.floor((random() * 2 - 1) * most))

describe('argmax and argmin of rows', () => {
  // Blocks of 256 elements.
  const lengths = [1, 5, 16, 17, 255, 256, 257, 511, 513, 1000]

  function expectFirst(rows: readonly Float32Array[]): void {
    const length = rows[0]!.length
    const x = tensor(
      rows.flatMap((row) => [...row]),
      [rows.length, length],
    )
    for (const sign of [1, -1]) {
      const found = sign === 1 ? ops.argmax(x, 1) : ops.argmin(x, 1)
      const wanted = rows.map((row) => {
        const isBetter = (a: number, b: number): boolean => sign * a > sign * b || (Number.isNaN(a) && !Number.isNaN(b))
        return row.reduce((best, value, i) => (isBetter(value, row[best]!) ? i : best), 0)
      })
      expect([...found.data], `${length} elements, sign ${sign}`).toEqual(wanted)
    }
  }

  it.each(lengths)('%i elements, with ties and infinities', (length) => {
    const ties = numbers(length).map((x) => Math.round(x * 2))
    expectFirst([
      numbers(length),
      numbers(length),
      ties,
      new Float32Array(length).fill(-Infinity),
      new Float32Array(length).fill(Infinity),
    ])
  })

  it.each(lengths)('%i elements, one of them NaN, after and before the extremes', (length) => {
    const places = [0, length >> 1, length - 1, Math.min(length - 1, 256)]
    expectFirst(
      places.flatMap((place) => {
        const row = numbers(length)
        row[place] = NaN
        const infinite = row.slice()
        infinite[(place + 1) % length] = Infinity
        infinite[(place + 2) % length] = -Infinity
        return [row, infinite.fill(NaN, place, place + 1)]
      }),
    )
  })
})

describe('reductions along the first axis', () => {
  // Blocks of eight rows, and of 16 columns.
  const shapes = [
    [1, 16],
    [7, 17],
    [8, 1],
    [9, 15],
    [64, 33],
    [65, 300],
    [700, 100],
    [5000, 20],
  ] as const
  it.each(shapes)('%i × %i', (rows, columns) => {
    const data = integers(rows * columns, 1000)
    const each = (column: number): number[] => Array.from({ length: rows }, (_, i) => data[i * columns + column]!)
    const wanted = (of: (values: number[]) => number): number[] =>
      Array.from({ length: columns }, (_, column) => of(each(column)))
    const largest = wanted((values) => values.reduce((a, b) => Math.max(a, b)))
    const smallest = wanted((values) => values.reduce((a, b) => Math.min(a, b)))
    const sums = wanted((values) => values.reduce((a, b) => a + b))
    for (const dtype of ['int32', 'float32'] as const) {
      const x = ops.cast(tensor(data, [rows, columns]), dtype)
      // Sums of such integers are exact.
      expect([...ops.sum(x, 0).data]).toEqual(sums)
      expect([...ops.max(x, 0).data]).toEqual(largest)
      expect([...ops.min(x, 0).data]).toEqual(smallest)
      expect([...ops.mean(x, 0).data]).toEqual(sums.map((sum) => Math.fround(sum / rows)))
    }
    const p = tensor(
      data.map((x) => Number(x < 900)),
      [rows, columns],
      'bool',
    )
    expect([...ops.all(p, 0).data]).toEqual(largest.map((x) => Number(x < 900)))
    expect([...ops.any(p, 0).data]).toEqual(smallest.map((x) => Number(x < 900)))
  })

  it.each(shapes)('%i × %i with NaN', (rows, columns) => {
    const data = numbers(rows * columns)
    const places = [0, rows >> 1, rows - 1].map((row, i) => [row, (i * 7) % columns] as const)
    for (const [row, column] of places) data[row * columns + column] = NaN
    const x = tensor(data, [rows, columns])
    const isNaN = Array.from({ length: columns }, (_, j) => places.some(([, column]) => column === j))
    for (const found of [ops.max(x, 0), ops.min(x, 0)]) expect([...found.data].map(Number.isNaN)).toEqual(isNaN)
  })
})

describe('chains that read rows where they are', () => {
  // Rows of 512 elements or more are tiles.
  it.each([100, 511, 512, 513, 1000, 3001])('%i columns', (columns) => {
    const rows = Math.ceil(5000 / columns)
    const [a, b] = [numbers(rows * columns), numbers(rows * columns)]
    const [x, y] = [a, b].map((data) => tensor(data, [rows, columns])) as [Tensor, Tensor]
    const middle = numbers(columns)
    const f = jit((x: Tensor, y: Tensor, row: Tensor) => [
      ops.add(ops.flip(x, 0), y),
      ops.multiply(ops.add(ops.flip(x, 0), row), y),
      ops.subtract(ops.getItem(x, [':', '1:']), ops.getItem(x, [':', ':-1'])),
      ops.add(ops.getItem(x, ['::2']), 1),
    ])
    const [flipped, scaled, differences, halves] = f(x, y, tensor(middle))
    const at = (i: number): number => (rows - 1 - Math.floor(i / columns)) * columns + (i % columns)
    const sum = (p: number, q: number): number => Math.fround(p + q)
    expect([...flipped!.data]).toEqual([...b].map((each, i) => sum(a[at(i)]!, each)))
    expect([...scaled!.data]).toEqual([...b].map((each, i) => Math.fround(sum(a[at(i)]!, middle[i % columns]!) * each)))
    expect([...differences!.data]).toEqual(
      [...a].flatMap((each, i) => (i % columns === 0 ? [] : [sum(each, -a[i - 1]!)])),
    )
    expect([...halves!.data]).toEqual(
      [...a].flatMap((each, i) => (Math.floor(i / columns) % 2 === 0 ? [sum(each, 1)] : [])),
    )
  })

  it('a variable that is assigned its reversed rows', () => {
    const data = numbers(4 * 1000)
    const variable = new Variable(tensor(data, [4, 1000]))
    jit(() => {
      variable.assign(ops.add(ops.flip(variable, 0), variable))
      return []
    })()
    expect([...variable.value.data]).toEqual(
      [...data].map((x, i) => Math.fround(data[(3 - Math.floor(i / 1000)) * 1000 + (i % 1000)]! + x)),
    )
  })
})

describe('products of rows', () => {
  it.each([1, 2, 3, 4, 5, 9])('%i rows have the bits of a row alone', (rows) => {
    for (const length of [1, 3, 4, 7, 64, 1001]) {
      const [a, b] = [numbers(rows * length), numbers(rows * length)]
      const part = (data: Float32Array, row: number): Tensor =>
        tensor(data.subarray(row * length, (row + 1) * length), [1, length])
      const each = Array.from({ length: rows }, (_, row) =>
        ops.matmul(part(a, row), ops.transpose(part(b, row))).item(),
      )
      const found = ops.einsum('ij,ij->i', tensor(a, [rows, length]), tensor(b, [rows, length]))
      expect([...found.data]).toEqual(each)
    }
  })

  it('no element after a row is read', () => {
    const data = Float32Array.of(1, 2, 3, NaN, 4, 5, 6, NaN)
    const x = ops.getItem(tensor(data, [2, 4]), [':', ':3'])
    const found = jit((x: Tensor) => ops.einsum('ij,ij->i', x, x))(x)
    expect([...found.data]).toEqual([14, 77])
  })
})

describe('elementwise kernels that look at several elements first', () => {
  it('shifts to the right of small and of large integers, and of both', () => {
    for (const length of [3, 8, 15, 200, 400]) {
      const small = integers(length, 1 << 22)
      const large = integers(length, 2 ** 31 - 1)
      const edges = small.map((_, i) => [1 << 22, -(1 << 22), (1 << 22) - 1, (1 << 23) + 1, -1, 0][i % 6]!)
      const both = small.map((x, i) => (i % 160 < 20 ? large[i]! : x))
      const places = Int32Array.from({ length }, (_, i) => i % 34)
      for (const data of [small, large, edges, both]) {
        const found = ops.rightShift(tensor(data), tensor(places))
        expect([...found.data]).toEqual([...data].map((x, i) => x >> Math.min(places[i]!, 31)))
      }
    }
  })

  it('exp beside large, denormal and infinite results', () => {
    const x = Float32Array.from({ length: 40 }, (_, i) => i / 4 - 5)
    const alone = [...x].map((each) => ops.exp(tensor([each])).item())
    expect([...ops.exp(tensor(x)).data]).toEqual(alone)
    for (const place of [0, 3, 8, 39]) {
      for (const other of [87, 87.1, -87.1, -100, -200, 89, Infinity, -Infinity, NaN]) {
        const data = x.slice()
        data[place] = other
        const found = [...ops.exp(tensor(data)).data]
        expect(found[place]).toBe(ops.exp(tensor([other])).item())
        found[place] = alone[place] as number
        expect(found).toEqual(alone)
      }
    }
  })
})

describe('copies', () => {
  it.each([1, 2, 3, 4, 5, 8, 9, 15, 16, 17])('%i times each element', (times) => {
    for (const count of [1, 2, 7, 100]) {
      const data = numbers(count)
      const found = ops.repeat(tensor(data), times)
      expect([...found.data]).toEqual([...data].flatMap((x) => new Array<number>(times).fill(x)))
    }
  })

  it('rows that are words apart in their pages', () => {
    for (const shift of [1, 2, 3, 4]) {
      for (const size of [128, 129, 1024, 3000]) {
        const data = numbers(4 * size)
        const found = ops.pad(tensor(data, [4, size]), [
          [0, 0],
          [shift, 0],
        ])
        const row = (i: number): number[] => [
          ...new Array<number>(shift).fill(0),
          ...data.subarray(i * size, (i + 1) * size),
        ]
        expect([...found.data]).toEqual([0, 1, 2, 3].flatMap(row))
      }
    }
  })
})

describe('scattered updates along one axis', () => {
  const given = [0, -1, 4, -5, 5, -6, 2 ** 31 - 1, -(2 ** 31), 2, -3]
  const places = given.map((i) => (i < 0 ? i + 5 : i))
  const values = given.map((_, i) => i + 1)

  function folded(start: number, of: (a: number, b: number) => number): number[] {
    const out = new Array<number>(5).fill(start)
    places.forEach((place, i) => {
      if (place >= 0 && place < 5) out[place] = of(out[place]!, values[i]!)
    })
    return out
  }

  it('scatter', () => {
    expect(
      ops
        .scatter(
          given.map((i) => [i]),
          values,
          [5],
        )
        .toArray(),
    ).toEqual(folded(0, (a, b) => a + b))
  })

  it.each([
    [null, (_: number, b: number) => b],
    ['add', (a: number, b: number) => a + b],
    ['mul', (a: number, b: number) => a * b],
    ['max', Math.max],
    ['min', Math.min],
  ] as const)('scatterUpdate, reduction %s', (reduction, of) => {
    const x = new Array<number>(5).fill(3)
    expect(
      ops
        .scatterUpdate(
          x,
          given.map((i) => [i]),
          values,
          reduction,
        )
        .toArray(),
    ).toEqual(folded(3, of))
  })
})
