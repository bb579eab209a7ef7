// The ledger compared with numbers counted by hand, and with the operations that the interpreter performs.
// modes: simd
import { describe, expect, it } from 'vitest'
import { BatchNormalization, Conv2D, Dense, Flatten, LSTM, Sequential, type Model } from '../../src'
import type { NumericArray } from '../../src/core/dtypes'
import { sizeOf } from '../../src/core/shapes'
import type { Graph, Node } from '../../src/engine/ir/graph'
import { allocate, interpret } from '../../src/engine/transforms/interpret'
import { simplify } from '../../src/engine/plan/simplify'
import { ruleOf } from '../../src/engine/primitives'
import { FUNCTION } from '../../src/engine/primitives/flops'
import { referenceOf } from '../../src/engine/primitives/references'
import { Ledger, ledger } from '../../src/entries/thrift'
import { trainingGraph } from '../../src/training/training-graph'

const compiled = <M extends Model>(model: M, loss = 'mse'): M => {
  model.compile({ optimizer: 'sgd', loss })
  return model
}
const flops = (
  model: Model,
  batchSize: number,
  layer: string,
): [predict: number, forward: number, backward: number] => {
  const { prediction, training } = ledger(model, { batchSize }).row(layer)
  return [prediction.flops, training!.forward.flops, training!.backward.flops]
}

describe('counted by hand', () => {
  it('Dense: products, bias, activation; no gradient of the data', () => {
    const model = compiled(
      new Sequential([
        new Dense({ units: 5, activation: 'relu', inputShape: [3], name: 'a' }),
        new Dense({ units: 2, name: 'b' }),
      ]),
    )
    const [rows, a, b] = [4, 4 * 5, 4 * 2]
    const forwardA = 2 * rows * 3 * 5 + a + a
    expect(flops(model, rows, 'a')).toEqual([
      forwardA,
      forwardA,
      /* relu */ a + /* Σ for the bias */ a + /* xᵀ·dy */ 2 * 3 * rows * 5,
    ])
    const forwardB = 2 * rows * 5 * 2 + b
    expect(flops(model, rows, 'b')).toEqual([forwardB, forwardB, b + 2 * 5 * rows * 2 + /* dy·Wᵀ */ 2 * rows * 2 * 5])
    const costs = ledger(model, { batchSize: rows })
    // x [4,3], kernel [3,5], y [4,5]; y, bias, y; y, y
    expect(costs.row('a').prediction.bytes).toBe(4 * (12 + 15 + 20 + (20 + 5 + 20) + (20 + 20)))
    // θ − ηg for each of the 5·3 + 5 + 2·5 + 2 weights, and the count of updates, which stays below its largest
    expect(costs.row('optimizer').training!.flops).toBe(2 * 32 + 2)
    // The loss and the gradients of the weights are checked.
    expect(costs.row('check').training!.flops).toBe(1 + 32)
    expect(costs.row('loss').training!.flops).toBeLessThan(10 * b)
  })

  it('Conv2D: × and + for each tap of each result', () => {
    const model = compiled(
      new Sequential([
        new Conv2D({ filters: 3, kernelSize: 3, inputShape: [6, 6, 2], name: 'c' }),
        new Flatten(),
        new Dense({ units: 1 }),
      ]),
    )
    const [rows, results] = [2, 2 * 4 * 4 * 3]
    const products = 2 * results * (3 * 3 * 2)
    expect(flops(model, rows, 'c')).toEqual([products + results, products + results, products + results])
  })

  it('BatchNormalization: x · scale + shift with running statistics', () => {
    const model = compiled(
      new Sequential([new BatchNormalization({ inputShape: [3], name: 'bn' }), new Dense({ units: 1 })]),
    )
    const rows = 4
    // variance + ε, 1 / √, · γ, − · mean, + β: 7 for each feature, then × and + for each element
    expect(flops(model, rows, 'bn')[0]).toBe(2 * rows * 3 + 7 * 3)
  })

  it('LSTM: four gates from x and h, then the cell, in every step', () => {
    const [rows, steps, features, units] = [2, 5, 3, 4]
    const model = compiled(
      new Sequential([new LSTM({ units, inputShape: [steps, features], name: 'lstm' }), new Dense({ units: 1 })]),
    )
    const cells = rows * steps * units
    const products = 2 * rows * steps * 4 * units * (features + units)
    const gates = /* xW + b */ 4 * cells + /* + hU */ 4 * cells + /* σ σ σ tanh */ 4 * FUNCTION * cells
    const cell = /* f·c + i·g */ 3 * cells + /* o · tanh c */ (FUNCTION + 1) * cells
    expect(flops(model, rows, 'lstm').slice(0, 2)).toEqual([products + gates + cell, products + gates + cell])
  })
})

/** The number of operations per element of an elementwise result, if not one. */
const OPERATIONS: Readonly<Record<string, number>> = {
  tanh: FUNCTION,
  sigmoid: FUNCTION,
  // 1 / √a
  rsqrt: 2,
  // (1 − a)(1 + a) b
  tanhGradient: 4,
  // a (1 − a) b
  sigmoidGradient: 3,
}

/**
 * The operations of one node in the interpreter: the multiplications and additions of its loops, derived from what they
 * read.
 */
function operationsOf(node: Node): number {
  const rule = ruleOf(node.name)
  if (rule.kind === 'elementwise') return sizeOf(node.outputs[0]!.shape) * (OPERATIONS[node.name] ?? 1)
  if (rule.kind !== 'kernel' || !/matmul|convolution|sum|mean/i.test(node.name)) return 0
  let reads = 0
  const inputs = node.inputs.map((input) => {
    const data = allocate(input).fill(1)
    return new Proxy(data, {
      get: (target, key) => (
        typeof key === 'string' && /^\d+$/.test(key) && reads++,
        Reflect.get(target, key, target) as unknown
      ),
    }) as NumericArray
  })
  const outputs = node.outputs.map((output) => allocate(output))
  referenceOf(node.name as 'matmul')!({
    inputs,
    outputs,
    inputTypes: node.inputs,
    outputTypes: node.outputs,
    attributes: node.attributes as never,
  })
  // A mean divides each result.
  return reads + (node.name === 'mean' ? outputs[0]!.length : 0)
}

/** Operations by scope, as the interpreter runs the graph, iteration by iteration. */
function interpretedOperations(graph: Graph): Map<string, number> {
  const known = new Map<Node, number>()
  const byScope = new Map<string, number>()
  const onNode = (node: Node): boolean => {
    if (!known.has(node)) known.set(node, operationsOf(node))
    byScope.set(node.scope, (byScope.get(node.scope) ?? 0) + known.get(node)!)
    return true
  }
  interpret(
    graph,
    graph.parameters.map((parameter) => allocate(parameter).fill(1)),
    (cell) => allocate(cell),
    { onNode },
  )
  return byScope
}

describe('counted by the interpreter', () => {
  const models: [string, () => Sequential][] = [
    [
      'Dense',
      () =>
        new Sequential([
          new Dense({ units: 5, activation: 'tanh', inputShape: [3], name: 'one' }),
          new Dense({ units: 2, activation: 'sigmoid', name: 'two' }),
        ]),
    ],
    [
      'Conv2D',
      () =>
        new Sequential([
          new Conv2D({ filters: 3, kernelSize: 3, activation: 'relu', inputShape: [6, 6, 2], name: 'one' }),
          new Conv2D({ filters: 2, kernelSize: 2, strides: 2, name: 'two' }),
          new Flatten({ name: 'flat' }),
          new Dense({ units: 1, name: 'three' }),
        ]),
    ],
    [
      'BatchNormalization',
      () =>
        new Sequential([
          new BatchNormalization({ inputShape: [3], name: 'one' }),
          new Dense({ units: 1, name: 'two' }),
        ]),
    ],
    [
      'LSTM',
      () =>
        new Sequential([new LSTM({ units: 4, inputShape: [5, 3], name: 'one' }), new Dense({ units: 1, name: 'two' })]),
    ],
  ]
  it.each(models)('%s', (_name, make) => {
    const model = compiled(make())
    const graph = simplify(trainingGraph(model.training, 4)!)
    const counted = interpretedOperations(graph)
    const costs = ledger(model, { batchSize: 4 })
    for (const { name } of model.layers) {
      const within = (backward: boolean): number =>
        [...counted].reduce(
          (sum, [scope, each]) =>
            sum + (scope.startsWith(`${model.name}/${name}`) && scope.includes('gradient') === backward ? each : 0),
          0,
        )
      const { forward, backward } = costs.row(name).training!
      expect([forward.flops, backward.flops], name).toEqual([within(false), within(true)])
    }
  })
})

describe('ledger', () => {
  it('is consistent, independent of training, and does not change the model', async () => {
    const model = compiled(
      new Sequential([new Dense({ units: 5, inputShape: [3] }), new Dense({ units: 2, activation: 'softmax' })]),
      'crossentropy',
    )
    const weights = model.getWeights().map(({ data }) => [...data])
    const before = ledger(model, { batchSize: 4 })
    expect(model.getWeights().map(({ data }) => [...data])).toEqual(weights)
    // 'crossentropy' may still mean class numbers.
    await model.fit(
      [
        [1, 2, 3],
        [4, 5, 6],
        [1, 2, 3],
        [4, 5, 6],
      ],
      [0, 1, 0, 1],
      { batchSize: 4, verbose: 0 },
    )
    const after = ledger(model, { batchSize: 4 })
    expect(after.rows.slice(0, 2)).toEqual(before.rows.slice(0, 2))
    expect(after.training!.flops).toBe(after.rows.reduce((sum, { training }) => sum + training!.flops, 0))
    expect(after.training!.flops).toBe(after.training!.forward.flops + after.training!.backward.flops)
  })

  it('prints a table; a model that is not compiled has no steps', () => {
    const model = new Sequential([new Dense({ units: 1000, inputShape: [3], name: 'wide' })], { name: 'net' })
    const costs = ledger(model, { batchSize: 2 })
    expect(costs).toBeInstanceOf(Ledger)
    expect(costs.training).toBeNull()
    expect(costs.toString().split('\n').slice(0, 1)).toEqual(['Ledger of "net", 2 rows'])
    expect(costs.toString()).toMatch(/wide \(Dense\) +│ +14,000 │/)
    const lines: string[] = []
    costs.print((line) => lines.push(line))
    expect(lines.join('\n')).toBe(costs.toString())
    expect(JSON.parse(JSON.stringify(costs)).rows[0].prediction.flops).toBe(14000)
  })

  it('refuses models that are not built', () => {
    const open = new Sequential([new Dense({ units: 1 })])
    expect(() => ledger(open)).toThrow('must be built')
    // @ts-expect-error: no model
    expect(() => ledger({})).toThrow('needs a model')
    const model = new Sequential([new Dense({ units: 1, inputShape: [2] })])
    expect(() => ledger(model, { batchSize: 0 })).toThrow('batchSize must be an integer ≥ 1')
    // @ts-expect-error: misspelt
    expect(() => ledger(model, { batchsizes: 1 })).toThrow("Did you mean 'batchSize'?")
    expect(() => ledger(model).row('x')).toThrow("no row 'x'")
  })
})
