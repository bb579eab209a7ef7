// Kernels that compute each element alone become parts of the kernels before or behind them, with the same results.
// modes: simd

import '../../helpers/families'
import { describe, expect, it } from 'vitest'
import type { Graph, Value } from '../../../src/engine/ir/graph'
import type { GraphBuilder } from '../../../src/engine/transforms/builder'
import { coupled } from '../../../src/engine/webgpu/couple'
import { hookFunction, type Elements, type KernelText } from '../../../src/engine/webgpu/dispatch'
import type { Address } from '../../../src/engine/ir/operand'
import { rangesOf } from '../../../src/engine/webgpu/ranges'
import type { Placed, Uses } from '../../../src/engine/webgpu/uses'
import { planGpu } from '../../../src/engine/webgpu/lower'
import { forEachDispatch } from '../../../src/engine/webgpu/steps'
import { expectClose } from '../../helpers/compare'
import { floats, generator, type TensorContent } from '../../helpers/data'
import { graphOf, interpretWide } from '../../helpers/graphs'
import { testGpu } from './adapter'
import { runOn } from './run-on'

const gpu = await testGpu()

type Body = (builder: GraphBuilder, inputs: readonly Value[]) => readonly Value[]

function labelsOf(graph: Graph): string[] {
  const labels: string[] = []
  const flag = { buffer: { id: -1, byteLength: 4 }, offset: 0 }
  forEachDispatch(planGpu(graph, flag).steps, ({ label }) => labels.push(label))
  return labels
}

async function expectTruth(graph: Graph, contents: readonly TensorContent[]): Promise<void> {
  const { outputs: expected } = interpretWide(graph, contents)
  const { outputs } = await runOn(gpu!, graph, contents)
  outputs.forEach((each, i) =>
    expectClose(each, expected[i]!, { ulp: 16, absolute: 5e-4, signedZero: false }, `output ${i}`),
  )
}

const softmax = (builder: GraphBuilder, x: Value): Value => builder.emitOne('softmax', [x], {})

interface Example {
  readonly body: Body
  readonly shapes: readonly (readonly number[])[]
  /** The labels of the dispatches. */
  readonly dispatches: readonly string[]
}

const examples: Readonly<Record<string, Example>> = {
  'what follows a product': {
    shapes: [
      [33, 70],
      [70, 21],
      [33, 21],
    ],
    body: ({ e }, [a, b, c]) => [e.multiply(e.matmul(a!, b!), e.sin(c!))],
    dispatches: ['matmul > sin+multiply'],
  },
  'what follows the slices of a product, which others read, too': {
    shapes: [
      [5, 900],
      [900, 7],
      [5, 7],
    ],
    body: ({ e }, [a, b, c]) => {
      const product = e.matmul(a!, b!)
      return [product, e.multiply(product, c!)]
    },
    dispatches: ['matmul', 'matmul > multiply'],
  },
  'the elements of a sum': {
    shapes: [[40, 50]],
    body: ({ e }, [x]) => [e.sum(e.sin(x!), [0])],
    dispatches: ['sin > sum'],
  },
  'the elements of a sum, and what follows it': {
    shapes: [[40, 50], [50]],
    body: ({ e }, [x, y]) => [e.multiply(e.sum(e.sin(x!), [0]), y!)],
    dispatches: ['sin > sum > multiply'],
  },
  'the elements of a long sum in slices': {
    shapes: [[3000, 4]],
    body: ({ e }, [x]) => [e.sin(e.sum(e.sin(x!), [0]))],
    dispatches: ['sin > sum', 'sum > sin'],
  },
  'what follows a product as a view of another shape': {
    shapes: [[12, 9], [9, 10], [120]],
    body: ({ e }, [a, b, c]) => [e.add(e.sin(e.reshape(e.matmul(a!, b!), [120])), c!)],
    dispatches: ['matmul > sin+add'],
  },
  'but not what reads a product in another order': {
    shapes: [
      [20, 20],
      [20, 20],
    ],
    body: ({ e }, [a, b]) => {
      const product = e.matmul(a!, b!)
      return [e.multiply(e.sin(product), e.transposeMatrix(product))]
    },
    dispatches: ['matmul', 'sin+multiply'],
  },
  'but not what needs a later kernel': {
    shapes: [
      [20, 20],
      [20, 20],
    ],
    body: ({ e }, [a, b]) => {
      const product = e.matmul(a!, b!)
      return [e.multiply(product, e.sin(e.sum(product, [0])))]
    },
    dispatches: ['matmul', 'sum > sin', 'multiply'],
  },
  'around softmax': {
    shapes: [
      [9, 80],
      [9, 80],
    ],
    body: (builder, [x, y]) => [builder.e.multiply(softmax(builder, builder.e.sin(x!)), y!)],
    dispatches: ['sin > softmax > multiply'],
  },
}

const contentsOf = ({ shapes }: Example): TensorContent[] => shapes.map((shape, i) => floats(shape, -1, 1, i + 1))

describe.each(Object.entries(examples))('%s', (_, example) => {
  const contents = contentsOf(example)
  const graph = graphOf(contents, example.body)
  it('has these dispatches', () => expect(labelsOf(graph)).toEqual(example.dispatches))
  it.skipIf(gpu === null)('has the values of the interpreter', () => expectTruth(graph, contents))
})

describe('bytes that one of two kernels uses in another way', () => {
  const bytes = 4 * 64
  const addresses = Array.from({ length: 4 }, (_, id) => ({ buffer: { id, byteLength: bytes }, offset: 0 }))
  const [result, state, next, other] = addresses as [Address, Address, Address, Address]
  const ranges = (...used: Address[]): Uses['reads'] => used.flatMap((address) => rangesOf(address, bytes))
  const functions = { beforeElement: hookFunction('beforeElement', ''), afterElement: hookFunction('afterElement', '') }
  const placed = (text: Omit<KernelText, 'fields' | 'body'>, reads: Address[], writes: Address[]): Placed => ({
    text: { fields: {}, body: '', functions, ...text },
    size: 64,
    isByElement: true,
    unless: null,
    label: '',
    uses: { reads: ranges(...reads), writes: ranges(...writes) },
  })
  const elements = (...used: Address[]): Elements => ({ count: 64, addresses: used })
  const chain = (reads: Address[], writes: Address[]): Placed =>
    placed({ elements: elements(...reads, ...writes) }, reads, writes)

  it('is not written behind a product that reads it as a whole', () => {
    const product = placed({ hooks: { afterElement: elements(result) } }, [state], [result])
    const joint = coupled(product, chain([result, state], [next]))!
    expect(joint).not.toBeNull()
    expect(coupled(joint, chain([next], [other]))).not.toBeNull()
    expect(coupled(joint, chain([next, state], [state]))).toBeNull()
  })

  it('is not computed before a kernel that overwrites it', () => {
    const first = { ...chain([state], [result]) }
    const host = { ...first, text: { ...first.text, hooks: { afterElement: elements(state, result) } } }
    const turned = placed({ elements: elements(result, next) }, [result, state], [next])
    const joint = coupled(host, turned)!
    const softmax = placed({ hooks: { beforeElement: elements(state) } }, [state], [state])
    expect(coupled(joint, softmax)).toBeNull()
    expect(coupled(host, softmax)).not.toBeNull()
  })
})

/** A graph of 14 random steps over matrices and rows; some of the values are outputs. */
function randomBody(seed: number): Body {
  const random = generator(seed)
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!
  return (builder, inputs) => {
    const { e } = builder
    const values = [...inputs]
    const steps: ((a: Value, b: Value) => Value)[] = [
      (a, b) => e.add(a, b),
      (a, b) => e.multiply(a, b),
      (a) => e.sin(a),
      (a, b) => e.sin(e.matmul(a, b)),
      (a, b) => e.add(e.matmul(a, e.transposeMatrix(b)), a),
      (a, b) => e.multiply(e.sin(e.sum(a, [0])), b),
      (a, b) => e.add(a, e.sin(builder.emitOne('mean', [e.multiply(a, b)], { axes: [0] }))),
      (a) => softmax(builder, a),
      (a, b) => e.multiply(a, e.transposeMatrix(b)),
    ]
    // Sines keep the values small.
    for (let i = 0; i < 14; i++) values.push(e.sin(pick(steps)(pick(values), pick(values.slice(-4)))))
    return [values.at(-1)!, ...values.slice(inputs.length, -1).filter(() => random() < 0.2)]
  }
}

describe.skipIf(gpu === null)('random graphs have the values of the interpreter:', () => {
  it.each(Array.from({ length: 8 }, (_, i) => i + 1))('seed %i', async (seed) => {
    const contents = [1, 2, 3].map((i) => floats([18, 18], -1, 1, seed * 10 + i))
    await expectTruth(graphOf(contents, randomBody(seed)), contents)
  })
})
