// Nodes that are fused and nodes that must not be: checked in the instructions, not in results.
// modes: simd

import { describe, expect, it } from 'vitest'
import { Chain, Gemm } from '../../../assembly/shared/instructions'
import { Access, Epilogue, Opcode } from '../../../assembly/shared/opcodes'
import type { GraphBuilder } from '../../../src/engine/transforms/builder'
import type { Value } from '../../../src/engine/ir/graph'
import { fieldOf } from '../../../src/engine/ir/instruction'
import type { Shape } from '../../../src/core/shapes'
import { planTape } from '../../../src/engine/tape'
import { floats, type TensorContent } from '../../helpers/data'
import { graphOf } from '../../helpers/graphs'

function planOf(
  shapes: readonly Shape[],
  body: (b: GraphBuilder, inputs: readonly Value[]) => readonly Value[],
  fuse = true,
) {
  const inputs: TensorContent[] = shapes.map((shape) => floats(shape))
  return planTape(graphOf(inputs, body), { fuse })
}

const opcodes = ({ instructions }: ReturnType<typeof planTape>): string[] =>
  instructions.map(({ opcode }) => Opcode[opcode]!)

describe('transposed operands', () => {
  const opcodesOf = (shapes: readonly Shape[], body: (b: GraphBuilder, inputs: readonly Value[]) => Value): string[] =>
    opcodes(planOf(shapes, (b, inputs) => [body(b, inputs)]))

  it('large ones are copied for a chain, which fuses its other nodes', () => {
    const sum = (b: GraphBuilder, [x, y]: readonly Value[]): Value => b.e.exp(b.e.add(x!, b.e.transposeMatrix(y!)))
    expect(
      opcodesOf(
        [
          [80, 90],
          [90, 80],
        ],
        sum,
      ),
    ).toEqual(['Copy', 'Chain'])
    expect(
      opcodesOf(
        [
          [8, 9],
          [9, 8],
        ],
        sum,
      ),
    ).toEqual(['Chain'])
  })

  it('are not copied for a reduction, whose result is transposed', () => {
    for (const axes of [[0], [1], [2], [0, 1], [1, 2], [0, 2], [0, 1, 2]])
      expect(opcodesOf([[3, 4, 5]], (b, [x]) => b.e.sum(b.e.transpose(x!, [2, 0, 1]), axes))[0], axes.join()).toBe(
        'Reduce',
      )
  })

  it('reverse the axes of a copy by transposing matrices', () => {
    const { instructions } = planOf([[3, 4, 5]], (b, [x]) => [b.e.copy(b.e.transpose(x!, [2, 1, 0]))])
    // Extent, stride of the operand and stride of the result of each axis: the last two are a transposed matrix.
    expect(instructions[0]!.lists).toEqual([4, 5, 3, 5, 1, 12, 3, 20, 1])
  })
})

describe('a minimum of a maximum', () => {
  const stepsOf = (body: (b: GraphBuilder, inputs: readonly Value[]) => readonly Value[]): number[] =>
    planOf([[9], [9]], body).instructions.map((each) => Number(fieldOf(each, Chain.stepCount)))

  const extreme =
    (name: 'maximum' | 'minimum') =>
    (b: GraphBuilder, x: Value, y: Value | number): Value =>
      b.emitOne(name, [x, typeof y === 'number' ? b.e.scalar(y) : y], {})
  const max = extreme('maximum')
  const min = extreme('minimum')

  it('is one step if both bounds are numbers', () => {
    expect(stepsOf((b, [x]) => [min(b, max(b, x!, -1), 2)])).toEqual([1])
    expect(stepsOf((b, [x]) => [b.e.exp(min(b, max(b, b.e.negative(x!), 0), 0))])).toEqual([3])
  })

  it.each([
    [-0, 1],
    [-1, -0],
    [NaN, 1],
    [-1, NaN],
  ])('is two steps between %d and %d, which would need more instructions', (low, high) => {
    expect(stepsOf((b, [x]) => [min(b, max(b, x!, low), high)])).toEqual([2])
  })

  it('is two steps if a bound is no number, or if something else reads the maximum', () => {
    expect(stepsOf((b, [x, y]) => [min(b, max(b, x!, y!), 2)])).toEqual([2])
    expect(stepsOf((b, [x, y]) => [min(b, max(b, x!, -1), y!)])).toEqual([2])
    expect(stepsOf((b, [x]) => [max(b, min(b, x!, 2), -1)])).toEqual([2])
    expect(
      stepsOf((b, [x]) => {
        const y = max(b, x!, -1)
        return [min(b, y, 2), y]
      }),
    ).toEqual([2])
    expect(
      stepsOf((b, [x]) => {
        const y = max(b, x!, -1)
        return [b.e.exp(b.e.multiply(min(b, y, 2), y))]
      }),
    ).toEqual([4])
  })
})

describe('matrix products', () => {
  const dense: readonly Shape[] = [[4, 3], [3, 5], [5]]
  const layer =
    (activation: 'relu' | 'sigmoid' | 'tanh') =>
    (b: GraphBuilder, [x, w, bias]: readonly Value[]) => [
      b.emitOne(activation, [b.e.add(b.e.matmul(x!, w!), bias!)], {}),
    ]

  it.each([
    ['relu', Epilogue.Relu],
    ['sigmoid', Epilogue.Sigmoid],
    ['tanh', Epilogue.Tanh],
  ] as const)('absorb a bias and %s', (name, epilogue) => {
    const planned = planOf(dense, layer(name))
    expect(opcodes(planned)).toEqual(['Gemm'])
    expect(fieldOf(planned.instructions[0]!, Gemm.epilogue)).toBe(epilogue)
    expect(fieldOf(planned.instructions[0]!, Gemm.bias)).toStrictEqual(planned.parameters[2])
  })

  it('absorb an activation without a bias, and a bias without an activation', () => {
    expect(opcodes(planOf(dense, (b, [x, w]) => [b.emitOne('tanh', [b.e.matmul(x!, w!)], {})]))).toEqual(['Gemm'])
    expect(opcodes(planOf(dense, (b, [x, w, bias]) => [b.e.add(bias!, b.e.matmul(x!, w!))]))).toEqual(['Gemm'])
  })

  it('keep a product that another node reads', () => {
    const planned = planOf(dense, (b, [x, w, bias]) => {
      const product = b.e.matmul(x!, w!)
      return [b.emitOne('relu', [b.e.add(product, bias!)], {}), product]
    })
    expect(opcodes(planned)).toEqual(['Gemm', 'Chain'])
  })

  it('do not absorb an operand that is not a row', () => {
    const column = planOf(
      [
        [4, 3],
        [3, 5],
        [4, 1],
      ],
      (b, [x, w, c]) => [b.e.add(b.e.matmul(x!, w!), c!)],
    )
    expect(opcodes(column)).toEqual(['Gemm', 'Chain'])
    const doubled = planOf(
      [
        [1, 3],
        [3, 5],
      ],
      (b, [x, w]) => [b.e.add(b.e.matmul(x!, w!), b.e.matmul(x!, w!))],
    )
    expect(opcodes(doubled)).toEqual(['Gemm', 'Chain'])
  })

  it('of one row each: the sum of two is the bias of only one of them', () => {
    const planned = planOf(
      [
        [1, 3],
        [3, 5],
        [1, 5],
        [5, 5],
      ],
      (b, [x, w, h, u]) => [b.e.add(b.e.matmul(x!, w!), b.e.matmul(h!, u!))],
    )
    expect(opcodes(planned)).toEqual(['Gemm', 'Gemm'])
  })

  const heads: readonly Shape[] = [
    [4, 3],
    [3, 6],
    [2, 3],
  ]

  it('absorb a bias and an activation behind a reshape', () => {
    const planned = planOf(heads, (b, [x, w, bias]) => {
      const product = b.e.reshape(b.e.matmul(x!, w!), [2, 2, 2, 3])
      return [b.emitOne('relu', [b.e.reshape(b.e.add(product, bias!), [8, 3])], {})]
    })
    expect(opcodes(planned)).toEqual(['Gemm'])
    const [gemm] = planned.instructions
    expect([Gemm.m, Gemm.n, Gemm.epilogue].map((field) => fieldOf(gemm!, field))).toEqual([4, 6, Epilogue.Relu])
    expect(fieldOf(gemm!, Gemm.bias)).toStrictEqual(planned.parameters[2])
  })

  it('do not absorb, behind a reshape, an operand that is not one row of the product', () => {
    const short = planOf([...heads.slice(0, 2), [3]], (b, [x, w, bias]) => [
      b.e.add(b.e.reshape(b.e.matmul(x!, w!), [8, 3]), bias!),
    ])
    expect(opcodes(short)).toEqual(['Gemm', 'Chain'])
    const other = planOf([...heads.slice(0, 2), [2, 1, 3]], (b, [x, w, bias]) => [
      b.e.add(b.e.reshape(b.e.matmul(x!, w!), [2, 4, 3]), bias!),
    ])
    expect(opcodes(other)).toEqual(['Gemm', 'Chain'])
  })

  it('do not absorb a matrix that is added to their transpose', () => {
    const planned = planOf([...heads.slice(0, 2), [6, 4]], (b, [x, w, bias]) => [
      b.e.add(b.e.transposeMatrix(b.e.matmul(x!, w!)), bias!),
    ])
    expect(opcodes(planned)).toEqual(['Gemm', 'Chain'])
  })

  it('accumulate: each product of a sum adds the one before, in the same bytes', () => {
    const shapes: readonly Shape[] = [0, 1, 2].flatMap(() => heads.slice(0, 2))
    const planned = planOf(shapes, (b, [x, w, ...more]) => {
      const seen = (left: Value, right: Value) => b.e.reshape(b.e.matmul(left, right), [2, 2, 6])
      const sum = b.e.add(b.e.add(seen(x!, w!), seen(more[0]!, more[1]!)), seen(more[2]!, more[3]!))
      return [b.e.multiply(sum, sum)]
    })
    expect(opcodes(planned)).toEqual(['Gemm', 'Gemm', 'Gemm', 'Chain'])
    const products = planned.instructions.slice(0, 3)
    const places = products.map((gemm) => fieldOf(gemm, Gemm.out))
    expect(products.map((gemm) => fieldOf(gemm, Gemm.bias))).toEqual([0, ...places.slice(0, 2)])
    expect(new Set(places.map((place) => JSON.stringify(place))).size).toBe(1)
  })

  it('stay separate when fusion is off', () => {
    expect(opcodes(planOf(dense, layer('relu'), false))).toEqual(['Gemm', 'Chain', 'Chain'])
  })
})

describe('elementwise nodes', () => {
  it('of one shape become one chain, with temporaries outside memory', () => {
    const planned = planOf([[100], [100]], (b, [x, y]) => [b.e.exp(b.e.multiply(b.e.add(x!, y!), x!))])
    expect(opcodes(planned)).toEqual(['Chain'])
    expect(fieldOf(planned.instructions[0]!, Chain.stepCount)).toBe(3)
    expect(planned.memory.buffers.filter(({ home }) => home.kind === 'workspace').length).toBeLessThanOrEqual(3)
  })

  it('that only copy become a Copy', () => {
    expect(opcodes(planOf([[3, 5]], (b, [x]) => [b.e.transposeMatrix(x!)]))).toEqual(['Copy'])
    expect(opcodes(planOf([[3, 5]], (b, [x]) => [b.e.negative(b.e.transposeMatrix(x!))]))).toEqual(['Chain'])
  })

  it('are split at a reduction between them', () => {
    const planned = planOf([[4, 5]], (b, [x]) => {
      const y = b.e.exp(x!)
      return [b.e.divide(y, b.e.keepAxes(b.e.sum(y, [1]), y.shape, [1]))]
    })
    expect(opcodes(planned)).toEqual(['Chain', 'Reduce', 'Chain'])
  })

  it('are split where one is read through a view', () => {
    const planned = planOf([[3, 3]], (b, [x]) => {
      const y = b.e.exp(x!)
      return [b.e.add(y, b.e.transposeMatrix(y))]
    })
    expect(opcodes(planned)).toEqual(['Chain', 'Chain'])
  })
})

describe('axes of a chain', () => {
  const chainOf = (shapes: readonly Shape[], body: (b: GraphBuilder, inputs: readonly Value[]) => Value) => {
    const { instructions } = planOf(shapes, (b, inputs) => [body(b, inputs)])
    const { fields, lists } = instructions[0]!
    const rank = Number(fieldOf({ fields }, Chain.rank))
    const operands = Number(fieldOf({ fields }, Chain.operandCount))
    const accesses = Array.from({ length: operands }, (_, i) => Access[Number(lists[rank + i * (2 + rank) + 1])])
    return { rank, extents: lists.slice(0, rank), accesses }
  }

  it('collapse to one where all operands are contiguous', () => {
    expect(
      chainOf(
        [
          [2, 3, 4],
          [2, 3, 4],
        ],
        (b, [x, y]) => b.e.add(x!, y!),
      ),
    ).toEqual({ rank: 1, extents: [24], accesses: ['Contiguous', 'Contiguous'] })
  })

  it('collapse around a row and a column', () => {
    expect(chainOf([[2, 3, 4], [4]], (b, [x, y]) => b.e.add(x!, y!))).toEqual({
      rank: 2,
      extents: [6, 4],
      accesses: ['Contiguous', 'Strided'],
    })
    expect(
      chainOf(
        [
          [2, 3, 4],
          [2, 1, 1],
        ],
        (b, [x, y]) => b.e.add(x!, y!),
      ),
    ).toEqual({ rank: 2, extents: [2, 12], accesses: ['Contiguous', 'Strided'] })
  })

  it('drop extents of 1, and a scalar has none', () => {
    expect(
      chainOf(
        [
          [1, 5, 1],
          [1, 1, 1],
        ],
        (b, [x, y]) => b.e.add(x!, y!),
      ),
    ).toEqual({ rank: 1, extents: [5], accesses: ['Contiguous', 'Scalar'] })
    expect(chainOf([[], []], (b, [x, y]) => b.e.add(x!, y!))).toEqual({
      rank: 0,
      extents: [],
      accesses: ['Contiguous', 'Contiguous'],
    })
  })

  it('separate axes that a transpose swaps', () => {
    expect(
      chainOf(
        [
          [4, 3],
          [3, 4],
        ],
        (b, [x, y]) => b.e.add(b.e.transposeMatrix(x!), y!),
      ),
    ).toEqual({ rank: 2, extents: [3, 4], accesses: ['Strided', 'Contiguous'] })
  })
})
