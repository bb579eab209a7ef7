import { describe, expect, it } from 'vitest'
import {
  Adam,
  Add,
  ArgumentError,
  BatchNormalization,
  Conv2D,
  Dense,
  Dropout,
  Flatten,
  Input,
  LSTM,
  MaxPooling2D,
  Model,
  MultiOptimizer,
  ReLU,
  SGD,
  Sequential,
  Variable,
  initializers,
  loadModel,
  ops,
  setRandomSeed,
  tensor,
  disassemble,
  type Probe,
  type Tensor,
  type UpdateInput,
} from '../../src'
import { ContinualBackprop, L2Init, ReDo, ShrinkAndPerturb } from '../../src/entries/balance'
import { binaryModel, errorOf, samples, weightsOf } from '../helpers/training'

const { x, yes } = samples(40)

function mlp(optimizer: string | SGD | Adam | MultiOptimizer = 'adam') {
  setRandomSeed(3)
  const model = new Sequential([
    new Dense({ units: 6, activation: 'relu', inputShape: [4], name: 'hidden' }),
    new Dense({ units: 1, name: 'out' }),
  ])
  model.compile({ optimizer, loss: 'meanSquaredError' })
  return model
}

/** Column j of a matrix. */
function column({ view, shape }: Variable, j: number): number[] {
  return Array.from({ length: shape[0]! }, (_, i) => view[i * shape[1]! + j]!)
}

describe('ContinualBackprop', () => {
  it('replaces by the published rule', async () => {
    const model = mlp()
    const [hidden, out] = model.layers as [Dense, Dense]
    const [rate, decay, maturity] = [0.05, 0.9, 7]
    const [activity, strength] = [new Variable([6], { trainable: false }), new Variable([6], { trainable: false })]
    // The same in plain numbers, step by step.
    const [u, age] = [new Array<number>(6).fill(0), new Array<number>(6).fill(0)]
    let credit = 0
    let expected: number[] = []
    const before: Probe = {
      trace: (step) => {
        activity.assign(ops.mean(ops.abs(step.outputs(hidden)[0]!), 0))
        strength.assign(ops.sum(ops.abs(step.after(out.kernel)), 1))
      },
      afterStep: () => {
        for (let i = 0; i < 6; i++) {
          age[i]!++
          u[i] = decay * u[i]! + (1 - decay) * activity.view[i]! * strength.view[i]!
        }
        const mature = [0, 1, 2, 3, 4, 5].filter((i) => age[i]! > maturity)
        credit += rate * mature.length
        const worth = (i: number): number => u[i]! / (1 - decay ** age[i]!)
        expected = mature.sort((a, b) => worth(a) - worth(b)).slice(0, Math.floor(credit))
        credit -= expected.length
        for (const i of expected) u[i] = age[i] = 0
      },
    }
    let seen = 0
    const limit = Math.sqrt(6 / 10)
    const after: Probe = {
      afterStep: () => {
        for (let i = 0; i < 6; i++) expect(out.kernel.view[i] === 0, `unit ${i}`).toBe(expected.includes(i))
        for (const i of expected) {
          seen++
          const fresh = column(hidden.kernel, i)
          expect(new Set(fresh).size).toBe(4)
          expect(Math.max(...fresh.map(Math.abs))).toBeLessThanOrEqual(limit)
          expect(hidden.bias!.view[i]).toBe(0)
          for (const slot of model.optimizer!.slotsOf(hidden.kernel).values())
            expect(column(slot, i)).toEqual([0, 0, 0, 0])
          for (const weight of [hidden.bias!, out.kernel])
            for (const slot of model.optimizer!.slotsOf(weight).values()) expect(slot.view[i]).toBe(0)
        }
      },
    }
    const renewal = new ContinualBackprop({ replacementRate: rate, decayRate: decay, maturity })
    await model.fit(x, yes, {
      batchSize: 4,
      epochs: 6,
      verbose: 0,
      callbacks: [{ probes: [before] }, renewal, { probes: [after] }],
    })
    expect(seen).toBeGreaterThan(5)
    expect(renewal.replaced).toEqual({ hidden: seen })
    renewal.utilities['hidden']!.forEach((value, i) =>
      expect(value).toBeCloseTo(age[i] === 0 ? 0 : u[i]! / (1 - decay ** age[i]!), 4),
    )
  })

  it('continues from one fit to the next, with the same programs', async () => {
    const run = async (fits: number) => {
      const model = mlp('sgd')
      const renewal = new ContinualBackprop({ replacementRate: 0.01, maturity: 5 })
      for (let i = 0; i < fits; i++)
        await model.fit(x, yes, { batchSize: 4, epochs: 12 / fits, shuffle: false, verbose: 0, callbacks: [renewal] })
      return { model, renewal }
    }
    const [one, three] = [await run(1), await run(3)]
    expect(one.renewal.replaced['hidden']).toBeGreaterThan(2)
    expect(three.renewal.replaced).toEqual(one.renewal.replaced)
    expect(weightsOf(three.model)).toEqual(weightsOf(one.model))
    expect([...disassemble(three.model).keys()].filter((key) => key.startsWith('train'))).toHaveLength(1)
  })

  it('changes nothing while no unit is due', async () => {
    const [plain, watched] = [mlp(), mlp()]
    await plain.fit(x, yes, { epochs: 2, shuffle: false, verbose: 0 })
    await watched.fit(x, yes, {
      epochs: 2,
      shuffle: false,
      verbose: 0,
      callbacks: [new ContinualBackprop({ replacementRate: 0 })],
    })
    expect(weightsOf(watched)).toEqual(weightsOf(plain))
  })

  it('finds incoming and outgoing weights after convolutions, normalisation, pooling and Flatten', async () => {
    const conv = new Conv2D({ filters: 3, kernelSize: 2, inputShape: [5, 5, 1], name: 'conv' })
    const norm = new BatchNormalization()
    const dense = new Dense({ units: 1, name: 'out' })
    const model = new Sequential([conv, norm, new ReLU(), new MaxPooling2D(), new Dropout(0.5), new Flatten(), dense])
    model.compile({ optimizer: 'adam', loss: 'meanSquaredError' })
    const images = ops.reshape(tensor(Float32Array.from({ length: 8 * 25 }, (_, i) => Math.sin(i * i))), [8, 5, 5, 1])
    const renewal = new ContinualBackprop({ replacementRate: 1, maturity: 0 })
    await model.fit(images, yes.slice(0, 8), { batchSize: 8, epochs: 3, verbose: 0, callbacks: [renewal] })
    // In the first step no unit is older than 0 … but 1 > 0: all three, three times.
    expect(renewal.replaced).toEqual({ conv: 9 })
    expect(dense.kernel.shape).toEqual([12, 1])
    expect([...dense.kernel.view].every((value) => value === 0)).toBe(true)
    for (const [weight, value] of [
      [norm.gamma, 1],
      [norm.beta, 0],
      [norm.movingMean, 0],
      [norm.movingVariance, 1],
    ] as const)
      expect([...weight!.view]).toEqual([value, value, value])
  })

  it('supports recurrent units, and units joined by Add', async () => {
    const sequences = ops.reshape(tensor(x), [40, 2, 2])
    const lstm = new LSTM({ units: 3, inputShape: [2, 2], name: 'lstm' })
    const model = new Sequential([lstm, new Dense({ units: 1 })])
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
    const renewal = new ContinualBackprop({ replacementRate: 0.5, maturity: 0 })
    await model.fit(sequences, yes, { batchSize: 40, verbose: 0, callbacks: [renewal] })
    expect(renewal.replaced).toEqual({ lstm: 1 })
    const recurrent = lstm.weights.find(({ name }) => name.includes('recurrent'))!
    const rows = [0, 1, 2].filter((row) => recurrent.view.slice(row * 12, row * 12 + 12).every((value) => value === 0))
    expect(rows).toHaveLength(1)

    const input = Input({ shape: [4] })
    const joined = new Add().apply([
      new Dense({ units: 5, name: 'a' }).apply(input),
      new Dense({ units: 5, name: 'b' }).apply(input),
    ])
    const both = new Model({
      inputs: input,
      outputs: new Dense({ units: 1 }).apply(new ReLU().apply(joined) as Tensor),
    })
    both.compile({ optimizer: 'adam', loss: 'meanSquaredError' })
    const other = new ContinualBackprop({ replacementRate: 0.2, maturity: 0, layers: ['b'] })
    await both.fit(x, yes, { batchSize: 40, verbose: 0, callbacks: [other] })
    expect(other.replaced).toEqual({ 'a+b': 1 })
  })

  it('resets the slots of the optimizer that trains the weight, and averages to the weight', async () => {
    const optimizer = new MultiOptimizer({ optimizers: [['sgd', 'out/'], [new Adam({ useEma: true })]] })
    const model = mlp(optimizer)
    const [hidden, out] = model.layers as [Dense, Dense]
    await model.fit(x, yes, {
      batchSize: 40,
      verbose: 0,
      callbacks: [new ContinualBackprop({ replacementRate: 1, maturity: 0 })],
    })
    const slots = optimizer.slotsOf(hidden.kernel)
    expect([...slots.keys()]).toEqual(['average', 'mean', 'variance'])
    expect([...slots.get('mean')!.view].every((value) => value === 0)).toBe(true)
    expect([...slots.get('average')!.view]).toEqual([...hidden.kernel.view])
    expect([...optimizer.slotsOf(out.kernel).keys()]).toEqual([])
  })

  it('keeps the step count of Adam: steps of at most 6.5 times the rate, or of the rate with counts of their own', async () => {
    class OwnCounts extends Adam {
      static override readonly className: string = 'OwnCounts'
      protected override declareSlots(): never {
        return ['mean', 'variance', { name: 'power1', start: 1 }, { name: 'power2', start: 1 }] as never
      }
      protected override update({ parameters, gradient, learningRate, slots: [m, v, p, q] }: UpdateInput) {
        const { beta1, beta2, epsilon } = this
        const running = (old: Tensor, value: Tensor, beta: number) =>
          ops.add(ops.multiply(old, beta), ops.multiply(value, 1 - beta))
        const slots = [
          running(m!, gradient, beta1),
          running(v!, ops.square(gradient), beta2),
          ops.multiply(p!, beta1),
          ops.multiply(q!, beta2),
        ] as const
        const rate = ops.divide(ops.sqrt(ops.subtract(1, slots[3])), ops.subtract(1, slots[2]))
        const step = ops.divide(ops.multiply(slots[0], rate), ops.add(ops.sqrt(slots[1]), epsilon))
        return { parameters: ops.subtract(parameters, ops.multiply(step, learningRate)), slots }
      }
    }
    /** The largest step, in learning rates, of a weight with a constant gradient after its unit is replaced. */
    const largestStep = async (optimizer: Adam) => {
      const model = mlp(optimizer)
      const [hidden] = model.layers as [Dense]
      const ones = ops.ones([6])
      const constant = (steps: number) => {
        const sizes: number[] = []
        for (let i = 0; i < steps; i++) {
          const before = hidden.bias!.view[0]!
          optimizer.apply([ones], [hidden.bias!])
          sizes.push(Math.abs(hidden.bias!.view[0]! - before) / 0.01)
        }
        return Math.max(...sizes)
      }
      await model.fit(x, yes, { batchSize: 40, verbose: 0 })
      constant(3000)
      const all = new ContinualBackprop({ replacementRate: 1, maturity: 0 })
      await model.fit(x, yes, { batchSize: 40, verbose: 0, callbacks: [all] })
      expect(all.replaced).toEqual({ hidden: 6 })
      return constant(40)
    }
    expect(await largestStep(new Adam({ learningRate: 0.01 }))).toBeCloseTo(6.5, 0)
    expect(await largestStep(new OwnCounts({ learningRate: 0.01 }))).toBeCloseTo(1, 2)
  })

  it('refuses models and layers whose units it cannot replace', async () => {
    const fit = (model: Sequential | Model, options = {}) =>
      errorOf(() => model.fit(x, yes, { verbose: 0, callbacks: [new ContinualBackprop(options)] }))
    const linear = new Sequential([new Dense({ units: 1, inputShape: [4], name: 'only' })], { name: 'flat' })
    linear.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
    const none = await fit(linear)
    expect(none).toBeInstanceOf(ArgumentError)
    expect(none.message).toMatch(
      /ContinualBackprop: the model 'flat' has no hidden units \(only: they are an output of the model\)/,
    )
    expect((await fit(mlp(), { layers: ['out'] })).message).toMatch(
      /the units of 'out': they are an output of the model. Possible: hidden/,
    )
    expect((await fit(mlp(), { layers: ['hiden'] })).message).toMatch(
      /no layer of this name makes units. Possible: hidden/,
    )
    expect((await fit(mlp(), { layers: [new Dense(3)] })).message).toMatch(/Dense "dense.*Possible: hidden/)
    const frozen = mlp()
    frozen.layers[0]!.trainable = false
    expect((await fit(frozen)).message).toMatch(/hidden\/kernel is not trained/)
    class Own extends Model {
      readonly dense = new Dense({ units: 1 })
      override call(input: Tensor) {
        return this.dense.apply(input)
      }
    }
    const own = new Own()
    own.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
    expect((await fit(own)).message).toMatch(/needs a Sequential or a functional model/)
    for (const options of [
      { replacementRate: 1.5 },
      { replacementRate: -1 },
      { decayRate: 1 },
      { decayRate: NaN },
      { maturity: -1 },
      { maturity: 1.5 },
      { layers: [3] },
      { rate: 1 },
    ]) {
      expect(() => new ContinualBackprop(options as object)).toThrow(ArgumentError)
    }
  })
})

describe('ReDo', () => {
  it('replaces dormant units, and only those', async () => {
    const model = mlp()
    const [hidden, out] = model.layers as [Dense, Dense]
    hidden.bias!.assign(tensor([0.5, -100, 0.5, 0.5, -100, 0.5]))
    const redo = new ReDo({ threshold: 0.01, every: 10 })
    await model.fit(x, yes, { batchSize: 4, verbose: 0, callbacks: [redo] })
    expect(redo.replaced).toEqual({ hidden: 2 })
    expect([0, 1, 2, 3, 4, 5].filter((i) => out.kernel.view[i] === 0)).toEqual([1, 4])
    expect([1, 4].map((i) => hidden.bias!.view[i])).toEqual([0, 0])
    // Until the next check nothing more happens; then the new units fire.
    await model.fit(x, yes, { batchSize: 4, epochs: 2, verbose: 0, callbacks: [redo] })
    expect(redo.replaced).toEqual({ hidden: 2 })
  })

  it('counts steps over fits', async () => {
    const model = mlp()
    const [hidden] = model.layers as [Dense]
    hidden.bias!.assign(tensor([0.5, -100, 0.5, 0.5, 0.5, 0.5]))
    const redo = new ReDo({ every: 15 })
    await model.fit(x, yes, { batchSize: 4, verbose: 0, callbacks: [redo] })
    expect(redo.replaced).toEqual({ hidden: 0 })
    await model.fit(x, yes, { batchSize: 4, verbose: 0, callbacks: [redo] })
    expect(redo.replaced).toEqual({ hidden: 1 })
  })

  it('refuses impossible options', () => {
    for (const options of [{ threshold: -0.1 }, { threshold: 2 }, { every: 0 }])
      expect(() => new ReDo(options)).toThrow(ArgumentError)
  })
})

describe('ShrinkAndPerturb', () => {
  it('moves all trained weights towards fresh ones', async () => {
    const model = mlp(new SGD({ learningRate: 0 }))
    model.layers[1]!.trainable = false
    const before = weightsOf(model)
    await model.fit(x, yes, {
      batchSize: 40,
      epochs: 3,
      verbose: 0,
      callbacks: [new ShrinkAndPerturb({ shrink: 0.5, noise: 0, every: 2 })],
    })
    const shrunk = weightsOf(model)
    shrunk[0]!.forEach((value, i) => expect(value).toBeCloseTo(before[0]![i]! / 2, 6))
    expect(shrunk[2]).toEqual(before[2])
    await model.fit(x, yes, {
      batchSize: 40,
      verbose: 0,
      callbacks: [new ShrinkAndPerturb({ shrink: 0, noise: 1, every: 1 })],
    })
    const [fresh] = weightsOf(model)
    expect(Math.max(...fresh!.map(Math.abs))).toBeLessThanOrEqual(Math.sqrt(6 / 10))
    expect(fresh).not.toEqual(before[0])
    for (const options of [{ shrink: 1.1 }, { noise: -1 }, { every: 0.5 }])
      expect(() => new ShrinkAndPerturb(options)).toThrow(ArgumentError)
  })
})

describe('L2Init', () => {
  const regularized = () => {
    const regularizer = new L2Init(0.5)
    const model = new Sequential([
      new Dense({ units: 2, inputShape: [4], kernelRegularizer: regularizer, biasRegularizer: regularizer, name: 'a' }),
      new Dense({ units: 1, name: 'b' }),
    ])
    model.compile({ optimizer: new SGD({ learningRate: 0.1 }), loss: 'meanSquaredError' })
    return model
  }
  const penaltyOf = (model: Model, initial: readonly number[][]) =>
    0.5 *
    weightsOf(model)
      .slice(0, 2)
      .reduce(
        (sum, weight, i) => sum + weight.reduce((total, value, j) => total + (value - initial[i]![j]!) ** 2, 0),
        0,
      )
  const lossOf = (model: Model) => model.testOnBatch(x, yes).loss
  const errorPart = async (model: Model) => {
    const outputs = model.predictOnBatch(x) as Tensor
    return yes.reduce((sum, [y], i) => sum + (outputs.data[i]! - y!) ** 2, 0) / yes.length
  }

  it('is λ Σ (θ − θ₀)² of the weights as they were built', async () => {
    const model = regularized()
    const initial = weightsOf(model)
    expect(lossOf(model)).toBeCloseTo(await errorPart(model), 5)
    await model.fit(x, yes, { epochs: 4, verbose: 0 })
    const penalty = penaltyOf(model, initial)
    expect(penalty).toBeGreaterThan(1e-4)
    expect(lossOf(model)).toBeCloseTo((await errorPart(model)) + penalty, 5)
    expect(model.countParams()).toBe(13)
  })

  it('pulls weights back', async () => {
    const model = regularized()
    const [kernel] = model.weights as [Variable]
    const initial = kernel.value
    kernel.assign(ops.add(initial, 1))
    const zeros = x.map((row) => row.map(() => 0))
    await model.fit(
      zeros,
      yes.map(() => [0]),
      { epochs: 200, verbose: 0 },
    )
    kernel.view.forEach((value, i) => expect(value).toBeCloseTo(initial.data[i]!, 4))
  })

  it('is saved and loaded with the model', async () => {
    const model = regularized()
    await model.fit(x, yes, { epochs: 3, verbose: 0 })
    const again = await loadModel(await model.save(), { customObjects: { L2Init } })
    expect(lossOf(again as Model)).toBe(lossOf(model))
    await model.fit(x, yes, { epochs: 2, verbose: 0, shuffle: false })
    await (again as Model).fit(x, yes, { epochs: 2, verbose: 0, shuffle: false })
    expect(weightsOf(again)).toEqual(weightsOf(model))
  })

  it('refuses activations and impossible strengths', async () => {
    const model = new Sequential([new Dense({ units: 1, inputShape: [4], activityRegularizer: new L2Init() })])
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
    expect((await errorOf(() => model.fit(x, yes, { verbose: 0 }))).message).toMatch(/L2Init is a penalty on weights/)
    expect(() => new L2Init(-1)).toThrow(ArgumentError)
  })
})

it('one callback can train several models in turn', async () => {
  const renewal = new ContinualBackprop({ replacementRate: 1, maturity: 0 })
  for (const model of [binaryModel(), binaryModel()])
    await model.fit(x, yes, { batchSize: 40, verbose: 0, callbacks: [renewal] })
  expect(renewal.replaced).toEqual({ hidden: 5 })
})

describe('initializers with a seed', () => {
  const seeded = () => {
    setRandomSeed(3)
    const kernelInitializer = new initializers.GlorotUniform({ seed: 5 })
    const recurrentInitializer = new initializers.Orthogonal({ seed: 6 })
    const layers = [
      new LSTM({ units: 3, kernelInitializer, recurrentInitializer, inputShape: [2, 2], name: 'hidden' }),
      new Dense({ units: 1, kernelInitializer }),
    ]
    const model = new Sequential(layers)
    model.compile({ optimizer: new SGD({ learningRate: 0 }), loss: 'meanSquaredError' })
    return model
  }
  const steps = ops.reshape(tensor(x), [40, 2, 2])
  const replaced = (): ContinualBackprop => new ContinualBackprop({ replacementRate: 1, maturity: 0 })
  const dormant = (): ReDo => new ReDo({ threshold: 1, every: 1 })
  const perturbed = (): ShrinkAndPerturb => new ShrinkAndPerturb({ shrink: 0, noise: 1, every: 1 })

  it.each([
    ['ContinualBackprop', replaced],
    ['ReDo', dormant],
    ['ShrinkAndPerturb', perturbed],
  ])('give %s other numbers each time, the same in every run', async (_name, make) => {
    const run = async (): Promise<number[][]> => {
      const [model, callback] = [seeded(), make()]
      const seen = [[...model.weights[0]!.view]]
      for (let turn = 0; turn < 3; turn++) {
        await model.fit(steps, yes, { batchSize: 40, verbose: 0, callbacks: [callback] })
        seen.push([...model.weights[0]!.view])
      }
      return seen
    }
    const kernels = await run()
    // The seed determines the initial weights.
    expect(kernels[0]).toEqual([...new initializers.GlorotUniform({ seed: 5 }).call([2, 12]).data])
    const all = kernels.flat()
    const repeated = all.length - new Set(all).size
    // Units that are not dormant stay.
    expect(repeated).toBeLessThan(all.length / 2)
    for (const [i, kernel] of kernels.entries())
      for (const other of kernels.slice(0, i)) expect(kernel).not.toEqual(other)
    expect(await run()).toEqual(kernels)
  })

  it('never give two units the same weights', async () => {
    const model = seeded()
    const seen = new Set<number>(model.weights[0]!.view)
    const callback = replaced()
    for (let turn = 0; turn < 4; turn++) {
      await model.fit(steps, yes, { batchSize: 40, verbose: 0, callbacks: [callback] })
      model.weights[0]!.view.forEach((value) => seen.add(value))
    }
    expect(callback.replaced).toEqual({ hidden: 12 })
    expect(seen.size).toBe(5 * 24)
  })
})
