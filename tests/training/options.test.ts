// The options of fit, evaluate, predict, trainOnBatch and testOnBatch: spellings, names, and options that are only for arrays.
// modes: simd

import { describe, expect, it } from 'vitest'
import { Dense, Sequential, setRandomSeed, type CallbackMethods, type Model } from '../../src'
import { UnitHealth } from '../../src/entries/balance'
import { binaryModel, errorOf, samples, weightsOf } from '../helpers/training'

const { x, yes } = samples(12)

type Call = (model: Model, options: object) => unknown

const CALLS: readonly (readonly [string, Call])[] = [
  ['fit', (model, options) => model.fit(x, yes, options)],
  ['evaluate', (model, options) => model.evaluate(x, yes, options)],
  ['predict', (model, options) => model.predict(x, options)],
  ['trainOnBatch', (model, options) => model.trainOnBatch(x, yes, options)],
  ['testOnBatch', (model, options) => model.testOnBatch(x, yes, options)],
]

/** The result of a call, and the weights after it. */
async function resultOf(call: Call, options: object): Promise<unknown> {
  setRandomSeed(5)
  const model = binaryModel()
  const result = await call(model, options)
  return JSON.parse(JSON.stringify([result, weightsOf(model)]))
}

describe('spellings', () => {
  it.each<[string, object, object]>([
    [
      'fit',
      { batchSize: 4, validationSplit: 0.25, validationBatchSize: 2, validationFreq: 2, epochs: 2, verbose: 0 },
      { batch_size: 4, validation_split: 0.25, validation_batch_size: 2, validation_freq: 2, epochs: 2, verbose: 0 },
    ],
    ['fit', { classWeight: { 1: 3 }, verbose: 0 }, { class_weight: { 1: 3 }, verbose: 0 }],
    ['evaluate', { batchSize: 5, sampleWeight: yes }, { batch_size: 5, sample_weight: yes }],
    ['predict', { batchSize: 5, steps: 2 }, { batch_size: 5, steps: 2 }],
    ['trainOnBatch', { classWeight: { 1: 3 } }, { class_weight: { 1: 3 } }],
    ['testOnBatch', { sampleWeight: yes }, { sample_weight: yes }],
  ])('%s takes %j in both', async (name, camel, snake) => {
    const call = CALLS.find(([each]) => each === name)![1]
    const expected = await resultOf(call, camel)
    expect(await resultOf(call, snake)).toEqual(expected)
    expect(await resultOf(call, 'verbose' in camel ? { verbose: 0 } : {})).not.toEqual(expected)
  })

  it.each(CALLS)('%s refuses an option in both at once', async (name, call) => {
    const key = name.endsWith('OnBatch') ? ['sampleWeight', 'sample_weight'] : ['batchSize', 'batch_size']
    const error = await errorOf(() => call(binaryModel(), { [key[0]!]: yes, [key[1]!]: yes }))
    expect(error.message).toBe(`${name}: ${key[0]} is given twice, in two spellings`)
  })

  it('with underscores are also accepted in place of targets', async () => {
    const make = () => {
      setRandomSeed(2)
      const model = new Sequential([new Dense({ units: 1, inputShape: [4], activityRegularizer: 'l2' })])
      model.compile({ optimizer: 'sgd', loss: null })
      return model
    }
    const [one, other] = [make(), make()]
    await one.fit(x, { batchSize: 4, shuffle: false, verbose: 0 })
    await other.fit(x, { batch_size: 4, shuffle: false, verbose: 0 } as object)
    expect(weightsOf(other)).toEqual(weightsOf(one))
  })
})

describe('names', () => {
  it.each(CALLS)('%s refuses one that it does not have', async (name, call) => {
    const model = binaryModel()
    const before = weightsOf(model)
    const error = await errorOf(() => call(model, { sampleWeigth: yes, batchsizes: 4 }))
    expect(error).toMatchObject({ name: 'ArgumentError' })
    expect(error.message).toContain(`Unknown option of ${name} 'sampleWeigth'`)
    expect(weightsOf(model)).toEqual(before)
  })
})

describe('options that are only for arrays', () => {
  const batches = (() => [[x, yes]].values()) as never
  it.each<[string, (model: Model) => unknown, string]>([
    ['fit', (model) => model.fit(batches, { validationSplit: 0.5 }), 'validationSplit is for arrays'],
    ['fit', (model) => model.fit(batches, null, { sampleWeight: yes }), 'sampleWeight is for arrays'],
  ])('%s refuses them for batches', async (name, call, message) => {
    expect((await errorOf(() => call(binaryModel()))).message).toContain(`${name}: ${message}`)
  })
})

describe('reports', () => {
  const reporting = (reports: object): CallbackMethods => ({ reports })

  it('of callbacks are in the history by name: lists are joined, and otherwise the first counts', async () => {
    const callbacks = [
      reporting({ mine: { best: 1 }, seen: [1, 2] }),
      {},
      reporting({ mine: { best: 2 }, seen: [3], late: null }),
    ]
    const history = await binaryModel().fit(x, yes, { verbose: 0, callbacks })
    expect(history.reports).toEqual({ mine: { best: 1 }, seen: [1, 2, 3], late: null })
    expect(JSON.parse(JSON.stringify(history)).reports).toEqual(history.reports)
  })

  it('are read when training has ended, once for each run', async () => {
    const counter = {
      epochs: 0,
      onEpochEnd(): void {
        this.epochs++
      },
      get reports() {
        return { epochs: this.epochs }
      },
    }
    const model = binaryModel()
    const runs = [2, 3]
    for (const epochs of runs) {
      const { reports } = await model.fit(x, yes, { epochs, verbose: 0, callbacks: counter as object })
      expect(reports).toEqual({ epochs: counter.epochs })
    }
    expect(counter.epochs).toBe(5)
    expect((await model.fit(x, yes, { verbose: 0 })).reports).toEqual({})
  })

  it('of two UnitHealth are joined', async () => {
    const model = new Sequential([
      new Dense({ units: 3, activation: 'relu', inputShape: [4], name: 'first' }),
      new Dense({ units: 2, activation: 'relu', name: 'second' }),
      new Dense({ units: 1 }),
    ])
    model.compile({ optimizer: 'sgd', loss: 'mse' })
    const callbacks = ['first', 'second'].map((layer) => new UnitHealth({ layers: [layer] }))
    const { reports } = await model.fit(x, yes, { epochs: 2, verbose: 0, callbacks })
    expect(reports.health!.map(({ epoch, layers }) => [epoch, layers[0]!.layer])).toEqual([
      [0, 'first'],
      [1, 'first'],
      [0, 'second'],
      [1, 'second'],
    ])
  })
})
