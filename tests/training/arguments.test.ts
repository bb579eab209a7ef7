// Arguments of fit, evaluate and similar methods: options instead of targets, targets of some outputs, nothing to
// train, and what still runs after stopping within an epoch.

import { describe, expect, it, vi } from 'vitest'
import {
  Dense,
  Input,
  Model,
  Sequential,
  TerminateOnNaN,
  ops,
  tensor,
  type Batch,
  type CallbackMethods,
  type PerOutput,
  type Tensor,
} from '../../src'
import { binaryModel, errorOf, samples, weightsOf } from '../helpers/training'

const { x, yes, numbers } = samples(12)

/** Learns its inputs: there are no targets. */
class Unsupervised extends Model {
  dense = new Dense({ units: 4, kernelInitializer: 'zeros', biasInitializer: 'ones' })

  override call(input: Tensor) {
    return this.dense.apply(input)
  }

  override trainStep({ x: input }: Batch<Tensor, Tensor>) {
    const loss = ops.mean(ops.square(ops.subtract(this.apply(input), input)))
    const weights = this.trainableWeights
    this.optimizer.apply(this.gradients(loss, weights), weights)
    return { loss }
  }

  override testStep({ x: input }: Batch<Tensor, Tensor>) {
    return { loss: ops.mean(ops.square(ops.subtract(this.apply(input), input))) }
  }
}

function unsupervised(): Unsupervised {
  const model = new Unsupervised()
  model.compile({ optimizer: 'sgd' })
  return model
}

describe('options instead of targets', () => {
  it('are options if the model has its own step', async () => {
    const [model, other] = [unsupervised(), unsupervised()]
    const { history } = await model.fit(x, { epochs: 3, verbose: 0, shuffle: false })
    const expected = await other.fit(x, null, { epochs: 3, verbose: 0, shuffle: false })
    expect(history).toEqual(expected.history)
    expect(history['loss']).toHaveLength(3)
    expect(await model.evaluate(x, { batchSize: 4 })).toEqual(await other.evaluate(x, null, { batchSize: 4 }))
    expect(model.trainOnBatch(x, { sampleWeight: null })).toEqual(other.trainOnBatch(x))
    expect(model.testOnBatch(x, {})).toEqual(other.testOnBatch(x))
  })

  it('are options if the layers add the loss', async () => {
    const model = new Sequential([new Dense({ units: 1, inputShape: [4], activityRegularizer: 'l2' })])
    model.compile({ optimizer: 'sgd', loss: null })
    const { history } = await model.fit(x, { epochs: 2, verbose: 0 })
    expect(history['loss']).toHaveLength(2)
  })

  it.each<[string, (model: Sequential) => unknown]>([
    ['fit', (model) => model.fit(x, { epochs: 3, verbose: 0 })],
    ['evaluate', (model) => model.evaluate(x, { batchSize: 4 })],
    ['trainOnBatch', (model) => model.trainOnBatch(x, { classWeight: { 0: 1 } })],
    ['testOnBatch', (model) => model.testOnBatch(x, { sampleWeight: null })],
  ])('%s refuses them if targets are required', async (method, call) => {
    const model = binaryModel()
    const before = weightsOf(model)
    expect((await errorOf(() => call(model))).message).toMatch(
      new RegExp(`^${method}: received options, .* in place of targets, but the model needs targets`),
    )
    expect(weightsOf(model)).toEqual(before)
  })

  it('are targets if outputs have these names', async () => {
    const input = Input({ shape: [4] })
    const outputs = ['epochs', 'shuffle'].map((name) => new Dense({ units: 1, name }).apply(input))
    const model = new Model({ inputs: input, outputs })
    model.compile({ optimizer: 'sgd', loss: 'mse' })
    const logs = await model.evaluate(x, { epochs: numbers, shuffle: yes } as never)
    expect(Object.keys(logs)).toEqual(['loss', 'epochsLoss', 'shuffleLoss'])
  })

  it('invalid ones are refused by name', async () => {
    expect((await errorOf(() => unsupervised().fit(x, null, { epoch: 3 } as never))).message).toContain("'epoch'")
  })
})

describe('outputs without a loss', () => {
  // The weights are ones: a equals b. Losses as in Keras 3.15 for the same data.
  const rows = tensor([
    [0, 1],
    [2, 3],
    [4, 5],
    [6, 7],
  ])
  const [ones, zeros] = [tensor([[1], [1], [1], [1]]), tensor([[0], [0], [0], [0]])]

  function twoOutputs(loss: PerOutput<'mse'>, isRecord: boolean) {
    const input = Input({ shape: [2] })
    const [a, b] = ['a', 'b'].map((name) => new Dense({ units: 1, name, kernelInitializer: 'ones' }).apply(input))
    const model = isRecord
      ? new Model({ inputs: input, outputs: { a: a!, b: b! } })
      : new Model({ inputs: input, outputs: [a!, b!] })
    model.compile({ optimizer: 'sgd', loss })
    return model as unknown as Model
  }

  const LOSSES: readonly [PerOutput<'mse'>, 'a' | 'b'][] = [
    [['mse', null], 'a'],
    [[null, 'mse'], 'b'],
    [{ a: 'mse' }, 'a'],
    [{ b: 'mse', a: null }, 'b'],
  ]

  it.each(LOSSES.flatMap(([loss, own]) => [false, true].map((isRecord) => [loss, own, isRecord] as const)))(
    '%j takes targets of %s alone, outputs in a record: %s',
    async (loss, own, isRecord) => {
      const model = twoOutputs(loss, isRecord)
      const other = own === 'a' ? 'b' : 'a'
      const both = own === 'a' ? [ones, zeros] : [zeros, ones]
      const withNull = own === 'a' ? [ones, null] : [null, ones]
      const given = [
        both,
        withNull,
        [ones],
        ones,
        { [own]: ones },
        { [own]: ones, [other]: null },
        [[[1], [1], [1], [1]]],
      ]
      for (const y of [...given, [[1], [1], [1], [1]], [1, 1, 1, 1], new Float32Array([1, 1, 1, 1])])
        expect(await model.evaluate(rows, y as never)).toEqual({ loss: 56 })
      expect(model.testOnBatch(rows, [ones] as never)).toEqual({ loss: 56 })
      const { history } = await model.fit(
        function* () {
          yield [rows, [ones]] as never
        },
        { verbose: 0 },
      )
      expect(history['loss']).toEqual([56])
    },
  )

  it('a list with one element per output is a list of targets, not of rows', async () => {
    const two = tensor([
      [0, 1],
      [2, 3],
    ])
    const model = twoOutputs([null, 'mse'], false)
    for (const y of [
      [[1], [1]],
      [
        [[9], [9]],
        [[1], [1]],
      ],
      [[[1], [1]]],
      [null, [[1], [1]]],
      [1, 1],
    ])
      expect(await model.evaluate(two, y as never)).toEqual({ loss: 8 })
    expect(await model.evaluate(two, [tensor([[1], [1]]), tensor([[0], [0]])] as never)).toEqual({ loss: 13 })
  })

  it.each([
    [
      ['mse', null],
      [null, ones],
    ],
    [['mse', null], { b: ones }],
    [{ b: 'mse' }, { a: ones }],
    [['mse', 'mse'], [ones]],
    [
      ['mse', null],
      [ones, ones, ones],
    ],
  ])('%j refuses other targets', async (loss, y) => {
    const model = twoOutputs(loss as PerOutput<'mse'>, false)
    expect(await errorOf(() => model.evaluate(rows, y as never))).toBeInstanceOf(Error)
  })
})

describe('nothing to train', () => {
  it('is reported once by each fit, and by trainOnBatch', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    try {
      const model = binaryModel()
      for (const layer of model.layers) layer.trainable = false
      await model.fit(x, yes, { epochs: 3, verbose: 0 })
      expect(warn.mock.calls).toEqual([[expect.stringMatching(/fit has nothing to train: all weights are frozen/)]])
      warn.mockClear()
      const { Flatten } = await import('../../src')
      const empty = new Sequential([new Flatten({ inputShape: [4] })])
      empty.compile({ optimizer: 'sgd', loss: 'mse' })
      await empty.fit(x, x, { epochs: 3, verbose: 0 })
      expect(warn.mock.calls).toEqual([[expect.stringMatching(/fit has nothing to train: the model has no weights/)]])
      warn.mockClear()
      model.trainOnBatch(x, yes)
      model.trainOnBatch(x, yes)
      model.trainOnBatch(x.slice(0, 4), yes.slice(0, 4))
      expect(warn.mock.calls).toEqual([[expect.stringMatching(/trainOnBatch has nothing to train: all weights/)]])
      warn.mockClear()
      model.layers[1]!.trainable = true
      await model.fit(x, yes, { verbose: 0 })
      await unsupervised().fit(x, { verbose: 0 })
      expect(warn).not.toHaveBeenCalled()
    } finally {
      warn.mockRestore()
    }
  })
})

describe('stopTraining within an epoch', () => {
  /** Stops at a hook, and records which hooks run. */
  function stopper(model: Model, hook: keyof CallbackMethods, at: number, calls: string[]): CallbackMethods {
    const hooks = ['onEpochBegin', 'onTrainBatchBegin', 'onTrainBatchEnd', 'onTestBegin', 'onTestEnd'] as const
    const more = ['onEpochEnd', 'onTrainEnd'] as const
    return Object.fromEntries(
      [...hooks, ...more].map((name) => [
        name,
        (index: unknown) => {
          calls.push(typeof index === 'number' ? `${name} ${index}` : name)
          if (name === hook && index === at) model.stopTraining = true
        },
      ]),
    )
  }

  // The calls of Keras 3.15, with 3 batches per epoch.
  it.each<[keyof CallbackMethods, number, string[]]>([
    ['onEpochBegin', 0, ['onTrainBatchBegin 0', 'onTrainBatchEnd 0']],
    ['onTrainBatchBegin', 0, ['onTrainBatchBegin 0', 'onTrainBatchEnd 0']],
    ['onTrainBatchEnd', 1, ['onTrainBatchBegin 0', 'onTrainBatchEnd 0', 'onTrainBatchBegin 1', 'onTrainBatchEnd 1']],
  ])('at %s %i still validates', async (hook, at, batches) => {
    const model = binaryModel()
    const calls: string[] = []
    const { history, epoch } = await model.fit(x, yes, {
      epochs: 4,
      batchSize: 4,
      validationData: [x, yes],
      verbose: 0,
      callbacks: [stopper(model, hook, at, calls)],
    })
    expect(calls).toEqual(['onEpochBegin 0', ...batches, 'onTestBegin', 'onTestEnd', 'onEpochEnd 0', 'onTrainEnd'])
    expect(epoch).toEqual([0])
    expect(Object.entries(history).map(([name, values]) => [name, values.length])).toEqual(
      ['loss', 'accuracy', 'valLoss', 'valAccuracy'].map((name) => [name, 1]),
    )
    expect(history['valLoss']![0]).toBe((await model.evaluate(x, yes, { batchSize: 4 })).loss)
  })

  it('respects validationFreq, and does not report exhausted data', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    try {
      const model = binaryModel()
      const { history } = await model.fit(x, yes, {
        epochs: 4,
        batchSize: 4,
        stepsPerEpoch: 3,
        validationData: [x, yes],
        validationFreq: 2,
        verbose: 0,
        callbacks: [{ onTrainBatchEnd: (batch) => void (batch === 0 && (model.stopTraining = true)) }],
      })
      expect(Object.keys(history)).toEqual(['loss', 'accuracy'])
      expect(warn).not.toHaveBeenCalled()
    } finally {
      warn.mockRestore()
    }
  })

  it('TerminateOnNaN validates the last good weights', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    const model = new Sequential([new Dense({ units: 1, inputShape: [1], kernelInitializer: 'ones' })])
    model.compile({ optimizer: 'sgd', loss: 'mse' })
    const { history } = await model.fit([[1], [1e30]], [[1], [1]], {
      batchSize: 1,
      shuffle: false,
      epochs: 3,
      verbose: 0,
      validationData: [[[1]], [[3]]],
      callbacks: [new TerminateOnNaN()],
    })
    warn.mockRestore()
    expect(history).toEqual({ loss: [NaN], valLoss: [4] })
  })
})
