// Loops on the GPU: the table of loops with gradients, and the training of recurrent layers compared with the CPU.
// modes: simd

import '../../helpers/families'
import { describe, expect, it } from 'vitest'
import {
  Bidirectional,
  Dense,
  GRU,
  InputLayer,
  LSTM,
  Masking,
  Sequential,
  SimpleRNN,
  setRandomSeed,
  tensor,
  type Layer,
} from '../../../src'
import type { NumericArray } from '../../../src/core/dtypes'
import { UNLIMITED } from '../../../src/engine/ir/region'
import type { Graph } from '../../../src/engine/ir/graph'
import { setAccelerator } from '../../../src/engine/runtime/accelerator'
import { gradients } from '../../../src/engine/transforms/differentiate'
import { missingIn } from '../../../src/engine/webgpu/lower'
import { WebGpu } from '../../../src/engine/webgpu/webgpu'
import { expectClose } from '../../helpers/compare'
import { floats, type TensorContent } from '../../helpers/data'
import { graphOf, interpretWide, weightedSum } from '../../helpers/graphs'
import { loopCases } from '../../helpers/loop-cases'
import { looped } from '../../helpers/loops'
import { testGpu } from './adapter'
import { runOn } from './run-on'

const gpu = await testGpu()

async function check(graph: Graph, inputs: readonly TensorContent[], name: string, absolute: number): Promise<void> {
  expect(missingIn(graph)).toBeNull()
  const { outputs: expected } = interpretWide(graph, inputs)
  const { outputs } = await runOn(gpu!, graph, inputs)
  outputs.forEach((output, i) =>
    expectClose(output, expected[i]!, { ulp: 80, absolute, signedZero: false }, `${name}: ${i}`),
  )
}

describe.skipIf(gpu === null).each(Object.entries(loopCases))('%s', (name, { inputs, results }) => {
  it('has the values of the interpreter', async () => {
    const graph = graphOf(inputs, (builder, values) => results(looped, builder, values))
    await check(graph, inputs, name, 1e-6)
  })

  it('has the gradient of the interpreter', async () => {
    const graph = graphOf(inputs, (builder, values) => {
      const loss = weightedSum(builder, results(looped, builder, values))
      const variables = values.filter(({ dtype }) => dtype === 'float32')
      return gradients(builder, loss, variables, builder.e.scalar(1))
    })
    await check(graph, inputs, name, 1e-5)
  })
})

/** Doubles a number in `length` turns while it is below 100, or where flags are set, and guards it in each turn that runs. */
function guarded(runs: 'while' | 'where', length: number, inputs: readonly TensorContent[]): Graph {
  return graphOf(inputs, (builder, [x, flags]) => {
    const carries = runs === 'while' ? [builder.e.less(x!, 100), x!] : [x!]
    const scanned = runs === 'while' ? [] : [flags!]
    const results = looped(builder, { carries, scanned, captures: [], length, runs }, (inside, state) => {
      const { e } = inside
      const own = state.at(-1)!
      inside.emit('guard', [own], {})
      const next = e.multiply(own, 2)
      return { carries: runs === 'while' ? [e.less(next, 100), next] : [next], stacked: [] }
    })
    return [results.at(-1)!]
  })
}

const number = (x: number): TensorContent => ({ data: [x], shape: [], dtype: 'float32' })
const flags = (data: readonly number[]): TensorContent => ({ data, shape: [data.length], dtype: 'bool' })

describe.skipIf(gpu === null)('a guard in a loop', () => {
  it.each([
    [[0, 0, 0], false],
    [[0, 1, 0], true],
  ])('looks only at the turns that run, %j', async (turns, isEnded) => {
    const inputs = [number(Infinity), flags(turns)]
    const run = await runOn(gpu!, guarded('where', turns.length, inputs), inputs)
    expect(run.isEnded).toBe(isEnded)
  })

  it('does not look at the turns after the end', async () => {
    const inputs = [number(3)]
    const run = await runOn(gpu!, guarded('while', 4000, inputs), inputs)
    expect(run).toEqual({ outputs: [Float32Array.of(192)], isEnded: false })
  })
})

describe('a loop is missing', () => {
  const draw = (length: number, runs?: 'while'): Graph =>
    guarded(runs ?? 'where', length, [number(1), flags(Array(length).fill(1))])

  it('if its end is not known', () => {
    expect(missingIn(guarded('while', UNLIMITED, [number(1)]))).toBe('loop without a known end')
    expect(missingIn(guarded('while', 4097, [number(1)]))).toBe('loop without a known end')
    expect(missingIn(guarded('while', 4096, [number(1)]))).toBeNull()
  })

  it('if its records need more than 64 MB', () => {
    expect(missingIn(draw(100_000))).toBe('loop of 100000 turns')
    expect(missingIn(draw(10_000))).toBeNull()
  })

  it('if a loop in its body is', () => {
    const graph = graphOf([number(1)], (builder, [x]) =>
      looped(builder, { carries: [x!], scanned: [], captures: [], length: 3 }, (outer, [state]) => {
        const condition = outer.e.less(state!, 100)
        const operands = {
          carries: [condition, state!],
          scanned: [],
          captures: [],
          length: UNLIMITED,
          runs: 'while',
        } as const
        const [, last] = looped(outer, operands, ({ e }, [, inner]) => {
          const next = e.multiply(inner!, 2)
          return { carries: [e.less(next, 100), next], stacked: [] }
        })
        return { carries: [outer.e.multiply(last!, 0.5)], stacked: [] }
      }),
    )
    expect(missingIn(graph)).toBe('loop without a known end')
  })
})

const [ROWS, STEPS, FEATURES] = [24, 20, 3]
const sequences = (): NumericArray => Float32Array.from(floats([ROWS, STEPS, FEATURES]).data)

/** Sequences of different lengths: the others of their steps are −5. */
function masked(): NumericArray {
  return sequences().map((x, i) => {
    const [row, step] = [Math.floor(i / (STEPS * FEATURES)), Math.floor(i / FEATURES) % STEPS]
    return step > row % STEPS ? -5 : x
  })
}

interface Example {
  readonly layers: () => Layer[]
  readonly data?: () => NumericArray
}

const inputShape = [STEPS, FEATURES]
const examples: Readonly<Record<string, Example>> = {
  LSTM: { layers: () => [new LSTM({ units: 5 })] },
  GRU: { layers: () => [new GRU({ units: 5 })] },
  'two layers with all steps': { layers: () => [new LSTM({ units: 4, returnSequences: true }), new GRU({ units: 3 })] },
  'masked sequences': { layers: () => [new Masking({ maskValue: -5 }), new LSTM({ units: 5 })], data: masked },
  Bidirectional: { layers: () => [new Bidirectional(new GRU({ units: 4 }))] },
  'masked and bidirectional': {
    layers: () => [new Masking({ maskValue: -5 }), new Bidirectional(new LSTM({ units: 4 }))],
    data: masked,
  },
  dropout: { layers: () => [new SimpleRNN({ units: 5, dropout: 0.3, recurrentDropout: 0.2 })] },
  stateful: { layers: () => [new LSTM({ units: 5, stateful: true })] },
}

/** The losses of training, the predictions afterwards, and all weights. */
async function trained({ layers, data = sequences }: Example): Promise<Record<string, NumericArray>> {
  setRandomSeed(5)
  const model = new Sequential([new InputLayer({ shape: inputShape }), ...layers(), new Dense({ units: 1 })])
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
  const x = tensor(data(), [ROWS, STEPS, FEATURES])
  const y = tensor(floats([ROWS, 1], -1, 1, 7).data, [ROWS, 1])
  const { history } = await model.fit(x, y, { epochs: 2, batchSize: 8, shuffle: false, verbose: 0 })
  const predicted = await model.predict(x, { batchSize: 8 })
  return {
    loss: Float32Array.from(history['loss']!),
    predictions: predicted.data,
    ...Object.fromEntries(model.weights.map((weight, i) => [`weight ${i}`, weight.value.data])),
  }
}

describe.skipIf(gpu === null).each(Object.entries(examples))('%s', (_, example) => {
  it('trains as on the CPU', async () => {
    const expected = await trained(example)
    const device = new WebGpu(gpu!, 'always', 'the device of the tests', null)
    setAccelerator(device)
    try {
      const received = await trained(example)
      const { programs } = device.report
      expect(programs.filter(({ device: place }) => place !== 'gpu')).toEqual([])
      expect(programs.length).toBeGreaterThan(0)
      expect(Object.keys(received)).toEqual(Object.keys(expected))
      for (const [name, numbers] of Object.entries(expected)) expectNear(received[name]!, numbers, name)
    } finally {
      setAccelerator(null)
    }
  })
})

/** The largest difference is at most 10⁻⁵ of the largest number. */
function expectNear(received: NumericArray, expected: NumericArray, name: string): void {
  const size = Math.max(...expected.map(Math.abs))
  const difference = Math.max(...expected.map((x, i) => Math.abs(x - received[i]!)))
  expect(difference, name).toBeLessThanOrEqual(1e-5 * size)
}
