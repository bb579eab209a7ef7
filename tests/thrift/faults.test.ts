import { describe, expect, it } from 'vitest'
import {
  BatchNormalization,
  Dense,
  EarlyStopping,
  Model,
  Sequential,
  loadModel,
  ops,
  tensor,
  type CallbackMethods,
  type Tensor,
} from '../../src'
import { L2Init, SynapticBalance, UnitHealth, balanceSynapses } from '../../src/entries/balance'
import { partialDependence } from '../../src/entries/explain'
import {
  Distiller,
  EmissionsTracker,
  distill,
  ledger,
  lowRank,
  pruneUnits,
  quantizationAware,
  quantize,
} from '../../src/entries/thrift'
import { errorOf, samples } from '../helpers/training'

const { x, yes } = samples(20)

function network(regularizer: L2Init | null = null): Sequential {
  const model = new Sequential([
    new Dense({ units: 12, activation: 'relu', inputShape: [4], kernelRegularizer: regularizer, name: 'hidden' }),
    new Dense({ units: 1, activation: 'sigmoid', name: 'out' }),
  ])
  model.compile({ optimizer: 'sgd', loss: 'binaryCrossentropy' })
  return model
}

describe('the state of a regularizer', () => {
  it('is copied by quantizationAware', async () => {
    const model = network(new L2Init(1))
    await model.fit(x, yes, { epochs: 2, verbose: 0 })
    const penalty = (of: Sequential) => of.regularizationLosses().reduce((sum, each) => sum + each.item(), 0)
    expect(penalty(quantizationAware(model))).toBeCloseTo(penalty(model), 6)
  })

  it('is dropped by lowRank', () => {
    const thin = lowRank(network(new L2Init(1)), { rank: 2, layers: ['hidden'] })
    expect(thin.regularizationLosses()).toEqual([])
  })
})

describe('callbacks', () => {
  it('belong to one running fit at a time, and are released afterwards and after an error', async () => {
    const callback = new EarlyStopping({ monitor: 'loss', patience: 5 })
    const [a, b] = [network(), network()]
    const running = a.fit(x, yes, { epochs: 3, verbose: 0, callbacks: [callback] })
    expect((await errorOf(() => b.fit(x, yes, { verbose: 0, callbacks: [callback] }))).message).toMatch(
      /this EarlyStopping is in use by the fit of Sequential/,
    )
    await running
    await b.fit(x, yes, { verbose: 0, callbacks: [callback] })
    const broken: CallbackMethods = {
      onEpochEnd: () => {
        throw new Error('no')
      },
    }
    await errorOf(() => b.fit(x, yes, { verbose: 0, callbacks: [callback, broken] }))
    await b.fit(x, yes, { verbose: 0, callbacks: [callback] })
    expect((await errorOf(() => b.fit(x, yes, { verbose: 0, callbacks: [callback, callback] }))).message).toMatch(
      /the same EarlyStopping is there twice/,
    )
  })

  it('must return a number of steps', async () => {
    for (const answer of [undefined, NaN, 'x', -1]) {
      const error = await errorOf(() =>
        network().fit(x, yes, { verbose: 0, callbacks: [{ stepsAhead: () => answer as number }] }),
      )
      expect(error.message).toMatch(/stepsAhead of a callback must return a number ≥ 0, received/)
    }
  })

  it('are checked before training for units they cannot balance', async () => {
    const model = new Sequential([
      new Dense({ units: 3, activation: 'tanh', inputShape: [4] }),
      new BatchNormalization(),
      new Dense({ units: 1 }),
    ])
    model.compile({ optimizer: 'sgd', loss: 'mse' })
    const before = model.getWeights().map(({ data }) => [...data])
    expect(
      (await errorOf(() => model.fit(x, yes, { verbose: 0, callbacks: [new SynapticBalance()] }))).message,
    ).toMatch(/has no units to balance/)
    expect(model.getWeights().map(({ data }) => [...data])).toEqual(before)
    expect(() => balanceSynapses(new Sequential([new Dense({ units: 3 }), new Dense({ units: 1 })]))).toThrow(
      /must be built/,
    )
  })
})

describe('a footprint of track', () => {
  it('counts steps', async () => {
    const model = network()
    const { footprint } = await new EmissionsTracker().track(() =>
      model.fit(x, yes, { epochs: 3, batchSize: 10, verbose: 0, callbacks: [new UnitHealth({ every: 1 })] }),
    )
    expect(footprint.steps).toMatchObject({ value: 6, how: 'measured', from: 'runs of programs that update weights' })
    expect(footprint.sci.unit).toBe('g/step')
  })
})

describe('int8 models', () => {
  it('are not trained', async () => {
    const small = quantize(network())
    expect((await errorOf(() => small.fit(x, yes, { verbose: 0 }))).message).toMatch(/int8 layers are not trained/)
    expect(typeof (await small.evaluate(x, yes)).loss).toBe('number')
    const costs = ledger(small, { batchSize: 1 })
    expect(costs.training).toBeNull()
    expect(costs.prediction.flops).toBeGreaterThan(0)
  })

  it('need calibration data that fit and are not all zeros', () => {
    expect(() => quantize(network(), { calibration: ops.zeros([5, 4]) })).toThrow(
      /Dense "hidden" receives only zeros from the calibration data/,
    )
    expect(() => quantize(network(), { calibration: ops.ones([5, 3]) })).toThrow(/quantize/)
    expect(() => quantize(network(), { calibration: [[NaN, 1, 1, 1]] })).toThrow(/quantize: calibration: /)
  })
})

it('a distiller is saved as its student', async () => {
  const distiller = distill(network(), network())
  expect((await errorOf(() => distiller.save())).message).toMatch(/distiller\.student\.save/)
  expect(distiller).toBeInstanceOf(Distiller)
  const again = await loadModel(await distiller.student.save())
  expect([...(again.predictOnBatch(tensor(x)) as { data: Float32Array }).data]).toEqual([
    ...distiller.student.predictOnBatch(tensor(x)).data,
  ])
})

it('a grid contains numbers', async () => {
  expect((await errorOf(() => partialDependence(network(), x, 0, { grid: [NaN, 1] }))).message).toMatch(/grid/)
})

describe('a model whose layers must be known', () => {
  class Own extends Model {
    readonly dense = new Dense({ units: 2 })
    override call(input: Tensor): Tensor {
      return this.dense.apply(input)
    }
  }
  class Stepping extends Sequential {
    override trainStep(): void {}
  }
  const layers = () => [new Dense({ units: 3, inputShape: [4], name: 'hidden' }), new Dense({ units: 1 })]
  const copiers: [string, (model: Model) => unknown][] = [
    ['pruneUnits', (model) => pruneUnits(model, { keep: 0.5 })],
    ['lowRank', (model) => lowRank(model, { rank: 1 })],
    ['quantize', (model) => quantize(model)],
    ['quantizationAware', (model) => quantizationAware(model)],
    ['distill', (model) => distill(network(), model)],
  ]
  const lookers: [string, (model: Model) => unknown][] = [['balanceSynapses', (model) => balanceSynapses(model)]]

  it.each([...copiers, ...lookers])('is accepted by %s, or refused with the same message', async (name, use) => {
    const own = new Own()
    own.predictOnBatch(tensor(x))
    expect((await errorOf(async () => use(own))).message).toMatch(
      new RegExp(
        `${name}: needs a Sequential or a functional model, whose connections between layers are known; Own "own.*" is a custom class, which makes its layers itself`,
      ),
    )
    expect((await errorOf(async () => use({} as Model))).message).toMatch(
      new RegExp(`${name}: needs a model, received`),
    )
    expect((await errorOf(async () => use(new Sequential([new Dense(2)])))).message).toMatch(
      new RegExp(`${name}: .* must be built`),
    )
  })

  it.each(copiers)('must not have its own train step for %s', async (name, use) => {
    const { message } = await errorOf(async () => use(new Stepping(layers())))
    expect(message).toMatch(new RegExp(`${name}: .*Stepping "stepping.*" has a custom training step`))
  })
})
