// The costs of models against numbers counted by hand.
import { describe, expect, it } from 'vitest'
import { Dense, Dropout, Input, Model, Sequential, ops, type SummaryOptions, type Tensor } from '../../src'
import { predictionCost } from '../../src/models/cost'
import { costOf } from '../../src/engine/plan/cost'
import { simplify } from '../../src/engine/plan/simplify'

const FUNCTION = 8

/** The cells of the table by layer name, and the lines below it. */
function summaryOf(
  model: { summary(options: SummaryOptions): void },
  options: SummaryOptions = {},
): { rows: Record<string, string[]>; lines: string[] } {
  const lines: string[] = []
  model.summary({ printFn: (line) => lines.push(line), flops: true, ...options })
  const cells = lines
    .filter((line) => line.startsWith('│'))
    .map((line) =>
      line
        .slice(1, -1)
        .split('│')
        .map((cell) => cell.trim()),
    )
  return { rows: Object.fromEntries(cells.map(([name, ...rest]) => [name!.split(' ')[0], rest])), lines }
}

describe('FLOPs of a prediction', () => {
  it('of a chain of Dense layers', () => {
    const model = new Sequential([
      new Dense({ units: 5, activation: 'relu', inputShape: [3], name: 'a' }),
      new Dropout({ rate: 0.5, name: 'drop' }),
      new Dense({ units: 2, useBias: false, name: 'b' }),
      new Dense({ units: 4, activation: 'sigmoid', name: 'c' }),
    ])
    // m·n·k multiplications and additions, the bias, the activation
    const [a, b, c] = [2 * 3 * 5 + 5 + 5, 2 * 5 * 2, 2 * 2 * 4 + 4 + 4 * FUNCTION]
    expect(predictionCost(model)!.flops).toBe(a + b + c)
    const { rows, lines } = summaryOf(model)
    expect(rows['Layer']!.at(-1)).toBe('FLOPs')
    expect(['a', 'drop', 'b', 'c'].map((name) => rows[name]!.at(-1))).toEqual([a, 0, b, c].map(String))
    expect(lines.at(-1)).toBe(` FLOPs per sample: ${a + b + c}`)
  })

  it('of a functional model: a shared layer counts each call, ops count', () => {
    const [x, y] = [Input({ shape: [4], name: 'x' }), Input({ shape: [4], name: 'y' })]
    const shared = new Dense({ units: 1000, name: 'shared' })
    const model = new Model({ inputs: [x, y], outputs: ops.multiply(shared.apply(x), shared.apply(y)), name: 'two' })
    const each = 2 * 4 * 1000 + 1000
    const { rows, lines } = summaryOf(model)
    expect(rows['shared']!.slice(1, 3)).toEqual(['5,000', '18,000'])
    expect(rows['x']![2]).toBe('0')
    expect(Object.entries(rows).find(([name]) => name.startsWith('multiply'))![1][2]).toBe('1,000')
    expect(lines.at(-1)).toBe(` FLOPs per sample: ${(2 * each + 1000).toLocaleString('en-US')}`)
  })

  it('of nested models: the row of a model includes its layers', () => {
    const inner = new Sequential(
      [new Dense({ units: 5, inputShape: [3], name: 'first' }), new Dense({ units: 1, name: 'second' })],
      { name: 'inner' },
    )
    const x = Input({ shape: [3] })
    const model = new Model({ inputs: x, outputs: new Dense({ units: 2, name: 'last' }).apply(inner.apply(x)) })
    const [first, second, last] = [2 * 3 * 5 + 5, 2 * 5 + 1, 2 * 2 + 2]
    const { rows, lines } = summaryOf(model, { expandNested: true })
    expect(['inner', 'first', 'second', 'last'].map((name) => rows[name]![2])).toEqual(
      [first + second, first, second, last].map(String),
    )
    expect(lines.at(-1)).toBe(` FLOPs per sample: ${first + second + last}`)
  })

  it('of a subclassed model, once it is built', () => {
    class Two extends Model {
      first = new Dense({ units: 5, name: 'first' })
      second = new Dense({ units: 1, name: 'second' })
      override call(x: Tensor): Tensor {
        return ops.add(this.second.apply(this.first.apply(x)), 1)
      }
    }
    const model = new Two()
    expect(predictionCost(model)).toBeNull()
    expect(summaryOf(model).lines.some((line) => line.includes('per sample'))).toBe(false)
    model.predictOnBatch([[1, 2, 3]])
    expect(predictionCost(model)!.flops).toBe(2 * 3 * 5 + 5 + 2 * 5 + 1 + 1)
    expect(summaryOf(model).rows['second']!.at(-1)).toBe(String(2 * 5 + 1))
  })

  it('is unknown if more than the number of rows is open', () => {
    const x = Input({ shape: [null, 3] })
    const model = new Model({ inputs: x, outputs: new Dense({ units: 2, name: 'd' }).apply(x) })
    const { rows, lines } = summaryOf(model)
    expect(rows['d']!.at(-1)).toBe('?')
    expect(lines.at(-1)).toBe(' FLOPs per sample: ? (they depend on extents that are open)')
  })

  it('is shown only on request; unknown options are refused', () => {
    const model = new Sequential([new Dense({ units: 5, inputShape: [3] })])
    expect(summaryOf(model, { flops: false }).lines.join('\n')).not.toMatch(/FLOP/)
    // @ts-expect-error: flop
    expect(() => model.summary({ flop: true })).toThrow("Did you mean 'flops'?")
  })
})

describe('costs of programs', () => {
  it('of a training step, by scope', () => {
    const model = new Sequential([new Dense({ units: 2, inputShape: [3], name: 'd' })], { name: 'm' })
    model.compile({ optimizer: 'sgd', loss: 'mse' })
    model.trainOnBatch(
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      [
        [1, 2],
        [3, 4],
      ],
    )
    const [, program] = [...model.training.steps.programs].find(([signature]) => signature.startsWith('train'))!
    const { byScope } = costOf(simplify(program.graph))
    expect(byScope.get('m/d')!.flops).toBe(2 * 2 * 3 * 2 + 2 * 2)
    // Σ for the bias, xᵀ · dy for the kernel
    expect(byScope.get('m/d/gradient')!.flops).toBe(4 + 2 * 3 * 2 * 2)
  })
})

describe('the options of summary', () => {
  const model = new Sequential(
    [
      new Dense({ units: 3, inputShape: [4], name: 'a', trainable: false }),
      new Dropout({ rate: 0.5, name: 'drop' }),
      new Sequential([new Dense({ units: 2, name: 'c' })], { name: 'b' }),
      new Dense({ units: 1, name: 'out' }),
    ],
    { name: 'named' },
  )
  const linesOf = (options: SummaryOptions): string[] => {
    const lines: string[] = []
    model.summary({ printFn: (line) => lines.push(line), ...options })
    return lines
  }
  const layersIn = (options: SummaryOptions): string[] =>
    linesOf(options).flatMap((line) => /^│ +([a-z]\w*) \(/.exec(line)?.slice(1) ?? [])

  it('showTrainable has Y, N, or - for a layer without weights', () => {
    const cells = linesOf({ showTrainable: true, expandNested: true }).map((line) => line.split('│').at(-2)?.trim())
    expect(cells.filter((cell) => cell !== undefined)).toEqual(['Trainable', 'N', '-', 'Y', 'Y', 'Y'])
  })

  // min(first) to max(last), or the other way round, as in Keras.
  it.each([
    [
      ['a', 'b'],
      ['a', 'drop', 'b'],
    ],
    [
      ['b', 'a'],
      ['a', 'drop', 'b'],
    ],
    [['drop', 'drop'], ['drop']],
    [
      ['d.*', 'out'],
      ['drop', 'b', 'out'],
    ],
    [
      ['.', '[ab]'],
      ['a', 'drop', 'b'],
    ],
  ] as const)('layerRange %j', (layerRange, expected) => {
    expect(layersIn({ layerRange })).toEqual(expected)
  })

  it('are read in both spellings, and refused if they have no effect', () => {
    const silent = { printFn: () => {} }
    expect(() =>
      Reflect.apply(model.summary, model, [{ print_fn: () => {}, show_trainable: true, line_length: null }]),
    ).not.toThrow()
    expect(() => model.summary({ ...silent, layerRange: ['a', 'x'] })).toThrow(
      /Unknown layer in layerRange of summary 'x'/,
    )
    expect(() => Reflect.apply(model.summary, model, [{ printFn: 'log' }])).toThrow(
      'summary: printFn must be a function of a line',
    )
  })
})
