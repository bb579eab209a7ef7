// Gradients where finite differences are no reference: ties, kinks, unused inputs, stopped gradients.

import { describe, expect, it } from 'vitest'
import { Fill } from '../../../assembly/shared/instructions'
import { Opcode } from '../../../assembly/shared/opcodes'
import type { GraphBuilder } from '../../../src/engine/transforms/builder'
import { gradients } from '../../../src/engine/transforms/differentiate'
import type { Value } from '../../../src/engine/ir/graph'
import { fieldOf } from '../../../src/engine/ir/instruction'
import { planTape } from '../../../src/engine/tape'
import { currentRuntime } from '../../../src/engine/runtime/current'
import { exactly, floats, type TensorContent } from '../../helpers/data'
import { expectGradient, gradientGraph, graphOf, runGraph } from '../../helpers/graphs'

/** ∂ Σ y / ∂x for each float32 input. */
function gradientsOfSum(
  inputs: readonly TensorContent[],
  body: (builder: GraphBuilder, inputs: readonly Value[]) => Value,
): number[][] {
  const graph = graphOf(inputs, (builder, values) => {
    const y = body(builder, values)
    const ones = builder.e.broadcastTo(builder.e.scalar(1), y.shape)
    return gradients(
      builder,
      y,
      values.filter(({ dtype }) => dtype === 'float32'),
      ones,
    )
  })
  return runGraph(currentRuntime(), graph, inputs)!.map((each) => Array.from(each))
}

describe('ties and kinks', () => {
  it('maximum and minimum share the gradient of equal operands equally', () => {
    const operands = [exactly([1, 2, 3]), exactly([2, 2, 2])]
    expect(gradientsOfSum(operands, (b, [x, y]) => b.emitOne('maximum', [x!, y!], {}))).toEqual([
      [0, 0.5, 1],
      [1, 0.5, 0],
    ])
    expect(gradientsOfSum(operands, (b, [x, y]) => b.emitOne('minimum', [x!, y!], {}))).toEqual([
      [1, 0.5, 0],
      [0, 0.5, 1],
    ])
  })

  it('max and min share the gradient among all extremes of the reduced axes', () => {
    const x = exactly([1, 5, 5, 5, 2, 2, 0, 1], 'float32', [2, 4])
    const third = Math.fround(1 / 3)
    expect(gradientsOfSum([x], (b, [v]) => b.emitOne('max', [v!], { axes: [1] }))).toEqual([
      [0, third, third, third, 0.5, 0.5, 0, 0],
    ])
    expect(gradientsOfSum([x], (b, [v]) => b.emitOne('min', [v!], { axes: [1] }))).toEqual([[1, 0, 0, 0, 0, 0, 1, 0]])
  })

  it('relu has slope 0 at 0, abs has slope 0 at 0', () => {
    expect(gradientsOfSum([exactly([-1, 0, 1])], (b, [x]) => b.emitOne('relu', [x!], {}))).toEqual([[0, 0, 1]])
    expect(gradientsOfSum([exactly([-1, 0, 1])], (b, [x]) => b.emitOne('abs', [x!], {}))).toEqual([[-1, 0, 1]])
  })

  it('xᵇ has finite gradients at x = 0 for b = 0, 1, 2', () => {
    expect(gradientsOfSum([exactly([0, 0, 0]), exactly([0, 1, 2])], (b, [x, y]) => b.e.power(x!, y!))).toEqual([
      [0, 1, 0],
      [0, 0, 0],
    ])
  })
})

describe('where no gradient flows', () => {
  const operands = [exactly([2, 3]), exactly([5, 7])]

  it('is zero through stopGradient, without effect on other operands', () => {
    expect(gradientsOfSum(operands, (b, [x, y]) => b.e.multiply(b.emitOne('stopGradient', [x!], {}), y!))).toEqual([
      [0, 0],
      [2, 3],
    ])
    expect(
      gradientsOfSum(operands, (b, [x, y]) => b.e.multiply(b.emitOne('stopGradient', [y!], {}), b.e.square(x!))),
    ).toEqual([
      [20, 42],
      [0, 0],
    ])
  })

  it('is zero for an unused input', () => {
    expect(gradientsOfSum(operands, (b, [x]) => b.e.exp(b.e.multiply(x!, 0)))).toEqual([
      [0, 0],
      [0, 0],
    ])
  })

  it('is zero through integers and comparisons', () => {
    const body = (b: GraphBuilder, [x, y]: readonly Value[]) =>
      b.e.add(b.e.cast(b.e.cast(x!, 'int32'), 'float32'), b.e.select(b.e.less(x!, y!), 1, 0))
    expect(gradientsOfSum(operands, body)).toEqual([
      [0, 0],
      [0, 0],
    ])
  })

  it('sums both paths of an operand that is used twice', () => {
    expect(gradientsOfSum(operands, (b, [x, y]) => b.e.add(b.e.multiply(x!, y!), b.e.multiply(x!, x!)))).toEqual([
      [9, 13],
      [2, 3],
    ])
  })
})

it('copies the scope of the forward node to the backward one', () => {
  const graph = graphOf([exactly([1, 2])], (b, [x]) => {
    b.scope = 'dense_1'
    const y = b.emitOne('tanh', [x!], {})
    b.scope = ''
    return gradients(b, y, [x!], y)
  })
  expect(graph.nodes.map((node) => node.scope)).toContain('dense_1/gradient')
})

describe('slices of one operand', () => {
  const x = floats([4, 6])
  type Part = readonly [starts: readonly number[], sizes: readonly number[]]
  const columns: readonly Part[] = [
    [
      [0, 0],
      [4, 2],
    ],
    [
      [0, 4],
      [4, 2],
    ],
    [
      [0, 2],
      [4, 2],
    ],
  ]

  /** Σ i · Σ sin(part i), and other uses of x. */
  const lossOf =
    (parts: readonly Part[], rest?: (builder: GraphBuilder, x: Value) => Value) =>
    (b: GraphBuilder, [v]: readonly Value[]) => {
      const { e } = b
      const terms = parts.map(([starts, sizes], i) =>
        e.multiply(e.sum(e.sin(e.slice(v!, starts, sizes)), [0, 1]), i + 1),
      )
      if (rest !== undefined) terms.push(e.sum(rest(b, v!), [0, 1]))
      return terms.reduce((a, term) => e.add(a, term))
    }
  const names = (loss: ReturnType<typeof lossOf>): string[] => gradientGraph([x], loss).nodes.map(({ name }) => name)
  const count = (all: readonly string[], name: string): number => all.filter((each) => each === name).length

  const overlapping: readonly Part[] = [
    [
      [0, 0],
      [4, 3],
    ],
    [
      [0, 2],
      [4, 3],
    ],
  ]
  const blocks: readonly Part[] = [
    [
      [0, 0],
      [2, 3],
    ],
    [
      [1, 2],
      [2, 3],
    ],
    [
      [3, 0],
      [1, 6],
    ],
  ]
  const cases = {
    'that cover it': lossOf(columns),
    'with gaps': lossOf(columns.slice(0, 2)),
    'that overlap': lossOf(overlapping),
    'in blocks': lossOf(blocks),
    'one alone': lossOf(blocks.slice(0, 1)),
    'all of it': lossOf([
      [
        [0, 0],
        [4, 6],
      ],
    ]),
    'next to the whole': lossOf(columns, (b, v) => b.e.exp(v)),
    'next to the whole, with gaps': lossOf(columns.slice(0, 2), (b, v) => b.e.exp(v)),
  }

  it.each(Object.keys(cases) as (keyof typeof cases)[])('%s: the gradient is right', (name) => {
    expectGradient(currentRuntime(), [x], cases[name], 1e-5, name)
  })

  it('adjacent ones become one concatenation', () => {
    for (const name of ['that cover it', 'with gaps'] as const) {
      const all = names(cases[name])
      expect([count(all, 'concat'), count(all, 'sliceAdd'), count(all, 'pad')]).toEqual([1, 0, 0])
    }
  })

  it('others are added at their positions', () => {
    const all = names(cases['in blocks'])
    expect([count(all, 'concat'), count(all, 'sliceAdd'), count(all, 'pad')]).toEqual([0, 3, 0])
    const beside = names(cases['next to the whole, with gaps'])
    expect([count(beside, 'concat'), count(beside, 'sliceAdd')]).toEqual([0, 2])
  })

  it('cost their own size each: the moved elements grow linearly with the slices', () => {
    const moved = (steps: number): number => {
      const content = floats([steps, 8])
      const rows = Array.from({ length: steps - 1 }, (_, i): Part => [
        [i, 0],
        [2, 8],
      ])
      const { instructions } = planTape(gradientGraph([content], lossOf(rows)), { fuse: true })
      return instructions
        .filter(({ opcode }) => opcode === Opcode.Copy || opcode === Opcode.Fill || opcode === Opcode.Accumulate)
        .reduce(
          (sum, { opcode, fields, lists }) =>
            sum +
            (opcode === Opcode.Fill
              ? Number(fieldOf({ fields }, Fill.count))
              : lists.reduce<number>((n, word, i) => (i % 3 === 0 ? n * Number(word) : n), 1)),
          0,
        )
    }
    expect(moved(64)).toBeLessThan(2.2 * moved(32))
  })
})
