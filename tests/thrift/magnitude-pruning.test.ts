// MagnitudePruning: the schedule, the chosen weights, and that zeros stay zero with every optimizer.
import { beforeEach, describe, expect, it, vi } from 'vitest'
import {
  Adam,
  AdamW,
  Conv1D,
  Dense,
  Embedding,
  Flatten,
  Model,
  SGD,
  Sequential,
  loadModel,
  ops,
  setRandomSeed,
  tensor,
  disassemble,
  type Batch,
  type Optimizer,
  type Tensor,
  type Variable,
} from '../../src'
import { MagnitudePruning } from '../../src/entries/thrift'

beforeEach(() => setRandomSeed(3))

const x = tensor(
  Float32Array.from({ length: 64 * 5 }, (_, i) => Math.sin(i * 1.3)),
  [64, 5],
)
const y = tensor(
  Float32Array.from({ length: 64 }, (_, i) => Math.cos(i)),
  [64, 1],
)

function model(optimizer: Optimizer): Sequential {
  const made = new Sequential([
    new Dense({ units: 8, activation: 'tanh', inputShape: [5], name: 'hidden' }),
    new Dense({ units: 1, name: 'out' }),
  ])
  made.compile({ optimizer, loss: 'mse' })
  return made
}

const zeros = ({ view }: Variable): number[] => [...view].flatMap((value, i) => (Object.is(value, 0) ? [i] : []))
const smallest = ({ view }: { view: ArrayLike<number> }, count: number): number[] =>
  [...Array.from(view).keys()]
    .sort((a, b) => Math.abs(view[a]!) - Math.abs(view[b]!))
    .slice(0, count)
    .sort((a, b) => a - b)

describe('MagnitudePruning', () => {
  it("follows Zhu and Gupta's schedule", async () => {
    const net = model(new SGD({ learningRate: 0 }))
    const pruning = new MagnitudePruning({
      finalSparsity: 0.8,
      initialSparsity: 0.2,
      beginStep: 2,
      endStep: 10,
      every: 2,
    })
    const seen: number[] = []
    const counts: number[] = []
    const watch = {
      onTrainBatchEnd: () =>
        (seen.push(pruning.sparsity), counts.push(zeros(net.weights[0]!).length)) as unknown as void,
    }
    await net.fit(x, y, { batchSize: 4, shuffle: false, verbose: 0, callbacks: [pruning, watch] })
    const share = (t: number): number => 0.8 + (0.2 - 0.8) * (1 - (t - 2) / 8) ** 3
    const expected = [
      0,
      0,
      share(2),
      share(2),
      share(4),
      share(4),
      share(6),
      share(6),
      share(8),
      share(8),
      ...new Array<number>(6).fill(0.8),
    ]
    seen.forEach((value, step) => expect(value, `step ${step}`).toBeCloseTo(expected[step]!, 10))
    expect(counts).toEqual(expected.map((each) => Math.round(40 * each)))
  })

  it('chooses the smallest, of equal ones the first', async () => {
    const net = model(new SGD({ learningRate: 0 }))
    const [hidden, bias, out] = net.weights as [Variable, Variable, Variable]
    const [first, second] = [[...hidden.view], [...out.view]]
    bias.view.fill(0.001)
    await net.fit(x, y, { verbose: 0, callbacks: [new MagnitudePruning(0.5)] })
    expect(zeros(hidden)).toEqual(smallest({ view: first }, 20))
    expect(zeros(out)).toEqual(smallest({ view: second }, 4))
    expect(zeros(bias)).toEqual([])
    out.view.fill(1)
    await net.fit(x, y, { verbose: 0, callbacks: [new MagnitudePruning({ finalSparsity: 0.5, layers: ['out'] })] })
    expect([...out.view]).toEqual([0, 0, 0, 0, 1, 1, 1, 1])
  })

  const optimizers: [string, () => Optimizer][] = [
    ['momentum', () => new SGD({ learningRate: 0.05, momentum: 0.9, nesterov: true })],
    ['weight decay', () => new AdamW({ learningRate: 0.01, weightDecay: 0.1 })],
    ['averages', () => new Adam({ learningRate: 0.02, useEma: true, emaMomentum: 0.9 })],
    ['averages that replace weights', () => new Adam({ learningRate: 0.02, useEma: true, emaOverwriteFrequency: 3 })],
    ['accumulated gradients', () => new Adam({ learningRate: 0.02, gradientAccumulationSteps: 3 })],
  ]
  it.each(optimizers)('zeros are zeros after every step: %s', async (_name, make) => {
    const net = model(make())
    const pruning = new MagnitudePruning({ finalSparsity: 0.75, endStep: 6, every: 3 })
    const [hidden] = net.weights as [Variable]
    let after: number[] | null = null
    const watch = {
      onTrainBatchEnd(batch: number) {
        if (batch < 6) return
        after ??= zeros(hidden)
        expect(zeros(hidden)).toEqual(after)
      },
    }
    await net.fit(x, y, { batchSize: 4, verbose: 0, callbacks: [pruning, watch] })
    // Also if many steps are one call.
    expect(after).toHaveLength(30)
    expect(zeros(hidden)).toEqual(after)
    const before = (await net.evaluate(x, y)).loss
    await net.fit(x, y, {
      batchSize: 4,
      epochs: 20,
      verbose: 0,
      callbacks: [new MagnitudePruning({ finalSparsity: 0.75, initialSparsity: 0.75, endStep: 0 })],
    })
    expect(zeros(hidden)).toEqual(after)
    expect((await net.evaluate(x, y)).loss).toBeLessThan(before)
  })

  it('pruned weights stay zero, and more follow', async () => {
    const net = model(new SGD({ learningRate: 0.3 }))
    const chosen: number[][] = []
    const pruning = new MagnitudePruning({ finalSparsity: 0.9, every: 1 })
    await net.fit(x, y, {
      epochs: 5,
      batchSize: 4,
      verbose: 0,
      callbacks: [pruning, { onTrainBatchEnd: () => void chosen.push(zeros(net.weights[0]!)) }],
    })
    chosen.slice(1).forEach((own, i) => expect(own).toEqual(expect.arrayContaining(chosen[i]!)))
    expect(new Set(chosen.map(({ length }) => length)).size).toBeGreaterThan(20)
    expect(chosen.at(-1)).toHaveLength(36)
  })

  it('masks weights that are updated together without copies', async () => {
    const net = model(new Adam())
    await net.fit(x, y, { verbose: 0, callbacks: [new MagnitudePruning(0.5)] })
    const text = [...disassemble(net)].find(([key]) => key.startsWith('train'))![1]
    expect(text.match(/select/g)).toHaveLength(1)
    expect(text).not.toMatch(/Copy/)
  })

  it('two groups of weights, batches of several sizes', async () => {
    const net = model(new Adam({ learningRate: 0.02, groups: [{ match: 'out', learningRate: 0.1 }] }))
    const before = [...net.weights].map(({ view }) => [...view])
    await net.fit(x, y, {
      batchSize: 24,
      epochs: 5,
      verbose: 0,
      callbacks: [new MagnitudePruning({ finalSparsity: 0.5, endStep: 3 })],
    })
    expect(net.weights.map((weight) => zeros(weight).length)).toEqual([20, 0, 4, 0])
    net.weights.forEach(({ view }, i) =>
      [...view].forEach((value, j) => expect(value).not.toBe(value === 0 ? null : before[i]![j])),
    )
  })

  it('weights that a custom train step updates together, separately and without the optimizer', async () => {
    class Own extends Model {
      readonly hidden = new Dense({ units: 8, activation: 'tanh', name: 'hidden' })
      readonly out = new Dense({ units: 1, name: 'out' })
      override call(input: Tensor): Tensor {
        return this.out.apply(this.hidden.apply(input))
      }
      override trainStep({ x: input, y: target }: Batch<Tensor, Tensor>) {
        const loss = ops.mean(ops.square(ops.subtract(target, this.call(input))))
        const weights = this.trainableWeights
        this.optimizer.build(weights.slice(0, 3))
        const gradients = this.gradients(loss)
        // Other weights are updated together if there are fewer rows.
        if (input.shape[0] === 24) this.optimizer.apply(gradients.slice(0, 3))
        else this.optimizer.apply(gradients.slice(0, 1), weights.slice(0, 1))
        weights[3]!.assign(ops.subtract(weights[3]!.value, ops.multiply(0.01, gradients[3]!)))
        return { loss }
      }
    }
    const net = new Own()
    net.compile({ optimizer: new Adam({ learningRate: 0.02 }), loss: 'mse' })
    await net.fit(x, y, { batchSize: 24, verbose: 0 })
    const pruning = new MagnitudePruning({ finalSparsity: 0.5, endStep: 3, every: 1 })
    await net.fit(x, y, { batchSize: 24, epochs: 5, verbose: 0, callbacks: [pruning] })
    expect(net.weights.map((weight) => zeros(weight).length)).toEqual([20, 0, 4, 0])
  })

  it('zeros are saved, and training continues with them', async () => {
    const net = model(new Adam({ learningRate: 0.01 }))
    await net.fit(x, y, { epochs: 3, verbose: 0, callbacks: [new MagnitudePruning(0.6)] })
    const own = zeros(net.weights[0]!)
    expect(own).toHaveLength(24)
    const loaded = await loadModel(await net.save())
    expect(zeros(loaded.weights[0]!)).toEqual(own)
    // Steps after which weights that were zero would be larger than the rest.
    loaded.optimizer.learningRate = 1
    await loaded.fit(x, y, {
      epochs: 2,
      verbose: 0,
      callbacks: [new MagnitudePruning({ finalSparsity: 0.6, initialSparsity: 0.6 })],
    })
    expect(zeros(loaded.weights[0]!)).toEqual(own)
    // Without the callback they are trained again.
    await loaded.fit(x, y, { verbose: 0 })
    expect(zeros(loaded.weights[0]!)).toHaveLength(0)
  })

  it('prunes kernels of convolutions, and not embeddings', async () => {
    const net = new Sequential([
      new Embedding({ inputDim: 10, outputDim: 4, inputShape: [6], name: 'words' }),
      new Conv1D({ filters: 4, kernelSize: 3, name: 'conv' }),
      new Flatten(),
      new Dense({ units: 1 }),
    ])
    net.compile({ optimizer: 'adam', loss: 'mse' })
    const words = tensor(
      Int32Array.from({ length: 96 }, (_, i) => i % 10),
      [16, 6],
    )
    await net.fit(words, y.data.subarray(0, 16), { verbose: 0, epochs: 8, callbacks: [new MagnitudePruning(0.5)] })
    expect(net.weights.map((weight) => zeros(weight).length)).toEqual([0, 24, 0, 8, 0])
  })

  it('warns if training ends before the first pruning step', async () => {
    const warnings = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const fit = (options: { beginStep?: number; endStep?: number; every?: number; initialSparsity?: number }) =>
      model(new SGD()).fit(x, y, {
        batchSize: 4,
        verbose: 0,
        callbacks: [new MagnitudePruning({ finalSparsity: 0.55, ...options })],
      })
    try {
      await fit({})
      await fit({ beginStep: 15, every: 1 })
      await fit({ every: 100, initialSparsity: 0.55 })
      expect(warnings).not.toHaveBeenCalled()
      await fit({ beginStep: 16 })
      await fit({ beginStep: 1, every: 100, initialSparsity: 0.1 })
      expect(warnings.mock.calls.flat()).toEqual([
        'MagnitudePruning: training ended before the first step that prunes (beginStep 16), so the sparsity is 0, not 0.55',
        'MagnitudePruning: training ended before the first step that prunes (beginStep 1, every 100 steps), so the sparsity is 0, not 0.55',
      ])
    } finally {
      warnings.mockRestore()
    }
  })

  it('refuses invalid options', async () => {
    const net = model(new SGD())
    expect(() => new MagnitudePruning(1)).toThrow(/finalSparsity must be a finite number in \[0, 1\)/)
    expect(() => new MagnitudePruning({ finalSparsity: 0.2, initialSparsity: 0.3 })).toThrow(/must not be above/)
    expect(() => new MagnitudePruning({ finalSparsity: 0.2, beginStep: 3, endStep: 2 })).toThrow(/must not be before/)
    await expect(
      net.fit(x, y, { verbose: 0, callbacks: [new MagnitudePruning({ finalSparsity: 0.5, layers: ['none'] })] }),
    ).rejects.toThrow(/no layer none. There are: hidden, out/)
    net.layers.forEach((layer) => (layer.trainable = false))
    await expect(net.fit(x, y, { verbose: 0, callbacks: [new MagnitudePruning(0.5)] })).rejects.toThrow(
      /no kernels to prune/,
    )
  })
})
