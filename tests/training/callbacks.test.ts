// modes: simd
import { describe, expect, it, vi } from 'vitest'
import {
  ArgumentError,
  Callback,
  Dense,
  EarlyStopping,
  History,
  LambdaCallback,
  NonFiniteError,
  SGD,
  Sequential,
  TerminateOnNaN,
  type CallbackMethods,
  type EarlyStoppingOptions,
  type FitParams,
  type Logs,
  type Tensor,
} from '../../src'
import { binaryModel, errorOf, samples, weightsOf } from '../helpers/training'

const { x, yes } = samples(20)

type Told = Extract<keyof CallbackMethods, `on${string}` | 'setModel' | 'setParams'>

/** A callback that records every call with its arguments. */
function recorder(calls: string[], name = ''): Required<Omit<Pick<CallbackMethods, Told>, 'onNonFinite'>> {
  const show = (logs: Logs | null): string => (logs === null ? 'null' : Object.keys(logs).join())
  const note = (text: string) => void calls.push(name + text)
  return {
    setModel: (model) => note(`setModel ${model.name}`),
    setParams: ({ epochs, steps, verbose }) => note(`setParams ${epochs} ${steps} ${verbose}`),
    onTrainBegin: () => note('onTrainBegin'),
    onTrainEnd: (logs) => note(`onTrainEnd ${show(logs)}`),
    onEpochBegin: (epoch) => note(`onEpochBegin ${epoch}`),
    onEpochEnd: (epoch, logs) => note(`onEpochEnd ${epoch} ${show(logs)}`),
    onTrainBatchBegin: (batch) => note(`onTrainBatchBegin ${batch}`),
    onTrainBatchEnd: (batch, logs) => note(`onTrainBatchEnd ${batch} ${show(logs)}`),
    onTestBegin: () => note('onTestBegin'),
    onTestEnd: (logs) => note(`onTestEnd ${show(logs)}`),
    onTestBatchBegin: (batch) => note(`onTestBatchBegin ${batch}`),
    onTestBatchEnd: (batch, logs) => note(`onTestBatchEnd ${batch} ${show(logs)}`),
    onPredictBegin: () => note('onPredictBegin'),
    onPredictEnd: () => note('onPredictEnd'),
    onPredictBatchBegin: (batch) => note(`onPredictBatchBegin ${batch}`),
    onPredictBatchEnd: (batch, { outputs }) => note(`onPredictBatchEnd ${batch} ${String((outputs as Tensor).shape)}`),
  }
}

describe('the order of calls', () => {
  it('is that of Keras, for plain objects', async () => {
    const model = binaryModel()
    const calls: string[] = []
    await model.fit(x, yes, {
      epochs: 2,
      batchSize: 12,
      validationData: [x, yes],
      validationFreq: 2,
      verbose: 0,
      callbacks: [recorder(calls)],
    })
    const batches = [0, 1].flatMap((batch) => [`onTrainBatchBegin ${batch}`, `onTrainBatchEnd ${batch} loss,accuracy`])
    expect(calls).toEqual([
      `setModel ${model.name}`,
      'setParams 2 2 0',
      'onTrainBegin',
      'onEpochBegin 0',
      ...batches,
      'onEpochEnd 0 loss,accuracy',
      'onEpochBegin 1',
      ...batches,
      'onTestBegin',
      ...[0, 1].flatMap((batch) => [`onTestBatchBegin ${batch}`, `onTestBatchEnd ${batch} loss,accuracy`]),
      'onTestEnd loss,accuracy',
      'onEpochEnd 1 loss,accuracy,valLoss,valAccuracy',
      'onTrainEnd loss,accuracy,valLoss,valAccuracy',
    ])
  })

  it('follows the list for each event, and waits for promises', async () => {
    const calls: string[] = []
    const slow: CallbackMethods = {
      onEpochEnd: async () => {
        await new Promise((resolve) => setTimeout(resolve, 5))
        calls.push('slow onEpochEnd')
      },
    }
    const epochOnly = (name: string): CallbackMethods => ({
      onEpochBegin: () => void calls.push(`${name} begin`),
      onEpochEnd: () => void calls.push(`${name} end`),
    })
    await binaryModel().fit(x, yes, { verbose: 0, callbacks: [epochOnly('a'), slow, epochOnly('b')] })
    expect(calls).toEqual(['a begin', 'b begin', 'a end', 'slow onEpochEnd', 'b end'])
  })

  it('is the same for subclasses, which receive the model and the parameters', async () => {
    const seen: unknown[] = []
    class Own extends Callback {
      override onEpochEnd(epoch: number): void {
        seen.push(epoch, this.model, this.params)
      }
    }
    const model = binaryModel()
    await model.fit(x, yes, { verbose: 0, callbacks: [new Own()] })
    expect(seen).toEqual([0, model, { epochs: 1, steps: 1, verbose: 0 } satisfies FitParams])
    expect(() => new Own().model).toThrow()
  })

  it('LambdaCallback takes the methods as options', async () => {
    const calls: string[] = []
    const { onEpochBegin, onTrainBatchEnd } = recorder(calls)
    await binaryModel().fit(x, yes, { verbose: 0, callbacks: [new LambdaCallback({ onEpochBegin, onTrainBatchEnd })] })
    expect(calls).toEqual(['onEpochBegin 0', 'onTrainBatchEnd 0 loss,accuracy'])
  })

  it('logs of batches are means since the epoch began', async () => {
    const model = binaryModel({ optimizer: new SGD({ learningRate: 0 }) })
    const batches: number[] = []
    const { history } = await model.fit(x, yes, {
      batchSize: 10,
      verbose: 0,
      shuffle: false,
      callbacks: [{ onTrainBatchEnd: (_batch, { loss }) => void batches.push(loss) }],
    })
    const [first, second] = [
      model.testOnBatch(x.slice(0, 10), yes.slice(0, 10)),
      model.testOnBatch(x.slice(10), yes.slice(10)),
    ]
    expect(batches[0]).toBeCloseTo(first.loss, 5)
    expect(batches[1]).toBeCloseTo((first.loss + second.loss) / 2, 5)
    expect(history['loss']).toEqual([batches[1]])
  })

  it('an error in a callback ends fit, and the model stays usable', async () => {
    const model = binaryModel()
    const failure = new Error('disk full')
    const error = await errorOf(() =>
      model.fit(x, yes, {
        epochs: 9,
        verbose: 0,
        callbacks: [
          {
            onEpochEnd: () => {
              throw failure
            },
          },
        ],
      }),
    )
    expect(error).toBe(failure)
    expect(model.optimizer.iterations.value.item()).toBe(1)
    await model.fit(x, yes, { verbose: 0 })
    expect(model.optimizer.iterations.value.item()).toBe(2)
  })
})

describe('stopTraining', () => {
  it('after an epoch ends fit there', async () => {
    const model = binaryModel()
    const { epoch } = await model.fit(x, yes, {
      epochs: 9,
      verbose: 0,
      callbacks: [{ onEpochEnd: (number) => void (model.stopTraining = number === 2) }],
    })
    expect(epoch).toEqual([0, 1, 2])
  })

  it('within an epoch ends it after the step; the next fit starts again', async () => {
    const model = binaryModel()
    const calls: string[] = []
    const stop: CallbackMethods = { onTrainBatchEnd: (batch) => void (model.stopTraining = batch === 1) }
    const options = { epochs: 9, batchSize: 4, validationData: [x, yes] as const, verbose: 0 as const }
    const { epoch } = await model.fit(x, yes, { ...options, callbacks: [stop, recorder(calls)] })
    expect(epoch).toEqual([0])
    expect(model.optimizer.iterations.value.item()).toBe(2)
    expect(calls.at(-1)).toMatch(/^onTrainEnd/)
    await model.fit(x, yes, { ...options, epochs: 1 })
    expect(model.optimizer.iterations.value.item()).toBe(7)
  })
})

/** A model with the logs of the test: EarlyStopping sees them after this callback has changed them. */
async function run(options: EarlyStoppingOptions, values: readonly number[], monitor = 'valLoss') {
  const model = binaryModel()
  const stopping = new EarlyStopping(options)
  const weights: number[][][] = []
  const script: CallbackMethods = {
    onEpochEnd: (epoch, logs) => {
      logs[monitor] = values[epoch]!
      weights.push(weightsOf(model))
    },
  }
  const { epoch } = await model.fit(x, yes, { epochs: values.length, verbose: 0, callbacks: [script, stopping] })
  return { model, stopping, weights, epochs: epoch.length }
}

describe('EarlyStopping', () => {
  it.each<[string, EarlyStoppingOptions, number[], number, string?]>([
    ['stops at the first epoch without improvement', {}, [3, 2, 2, 1, 1], 3],
    ['waits for patience', { patience: 2 }, [3, 2, 2.5, 2.5, 1], 4],
    ['restarts waiting after an improvement', { patience: 2 }, [3, 4, 2, 3, 1, 2, 2, 0], 7],
    ['requires minDelta', { minDelta: 0.5 }, [3, 2.4, 2, 0, 0], 3],
    ['uses the absolute value of minDelta', { minDelta: -0.5 }, [3, 2.4, 2, 0, 0], 3],
    ['does not stop while the log falls', {}, [5, 4, 3, 2, 1], 5],
    ['mode max requires a rise', { mode: 'max' }, [1, 2, 3, 3, 4], 4],
    ['mode min requires a fall', { mode: 'min', monitor: 'accuracy' }, [1, 2, 3], 2, 'accuracy'],
    ['accuracy should rise by default', { monitor: 'valAccuracy' }, [0.1, 0.2, 0.2, 0.3], 3, 'valAccuracy'],
    ['so should auc', { monitor: 'val_auc' }, [0.1, 0.2, 0.1, 0.3], 3, 'valAuc'],
    ['takes names in snake_case', { monitor: 'val_loss' }, [3, 4, 5], 2],
    ['startFromEpoch ignores earlier epochs', { startFromEpoch: 3 }, [1, 2, 3, 4, 3, 4, 0], 6],
    ['a baseline that is never reached ends training', { baseline: 1, patience: 2 }, [4, 3, 2, 1.5, 1.2], 5],
    ['a baseline that is never reached counts plateaus', { baseline: 1, patience: 2 }, [4, 3, 3, 3], 3],
    ['reaching a baseline restarts waiting', { baseline: 1, patience: 2 }, [0.9, 0.95, 0.8, 0.9, 0.9, 0], 5],
    ['never stops at the first epoch', { baseline: 0 }, [4, 5], 2],
    ['NaN is not an improvement', { patience: 2 }, [3, NaN, NaN, 1], 3],
  ])('%s', async (_title, options, values, expected, monitor = 'valLoss') => {
    const { epochs, stopping, model } = await run(options, values, monitor)
    expect(epochs).toBe(expected)
    expect(stopping.stoppedEpoch).toBe(model.stopTraining ? expected - 1 : 0)
    if (expected < values.length) expect(model.stopTraining).toBe(true)
  })

  it('restoreBestWeights restores the best epoch, also if training was not stopped early', async () => {
    const stopped = await run({ restoreBestWeights: true, patience: 2 }, [3, 1, 2, 2, 0])
    expect(stopped.epochs).toBe(4)
    expect(stopped.stopping.bestEpoch).toBe(1)
    expect(weightsOf(stopped.model)).toEqual(stopped.weights[1])
    expect(stopped.weights[1]).not.toEqual(stopped.weights[3])
    const ended = await run({ restoreBestWeights: true, patience: 9 }, [3, 1, 2])
    expect(ended.epochs).toBe(3)
    expect(weightsOf(ended.model)).toEqual(ended.weights[1])
  })

  it('without restoreBestWeights the last weights are kept', async () => {
    const { model, weights } = await run({ patience: 1 }, [3, 1, 2, 2])
    expect(weightsOf(model)).toEqual(weights.at(-1))
  })

  it('restores from startFromEpoch on', async () => {
    const { model, weights, stopping } = await run(
      { restoreBestWeights: true, startFromEpoch: 2, patience: 9 },
      [0, 0, 3, 2, 5],
    )
    expect(stopping.bestEpoch).toBe(3)
    expect(weightsOf(model)).toEqual(weights[3])
  })

  it('can be used again', async () => {
    const stopping = new EarlyStopping({ monitor: 'loss', mode: 'max' })
    const model = binaryModel()
    const first = await model.fit(x, yes, { epochs: 30, verbose: 0, callbacks: [stopping] })
    const second = await model.fit(x, yes, { epochs: 30, verbose: 0, callbacks: [stopping] })
    expect(first.epoch).toEqual([0, 1])
    expect(second.epoch).toEqual([0, 1])
  })

  it('warns once about an unknown name, and continues', async () => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue()
    try {
      const { epochs } = await run({ monitor: 'valMse' }, [1, 2, 3])
      expect(epochs).toBe(3)
      expect(warn.mock.calls).toEqual([[expect.stringMatching(/EarlyStopping.*'valMse'.*loss, accuracy, valLoss/)]])
    } finally {
      warn.mockRestore()
    }
  })

  it('reports where it stopped with verbose 1', async () => {
    const log = vi.spyOn(console, 'log').mockReturnValue()
    try {
      await run({ verbose: 1 }, [1, 2, 3])
      expect(log.mock.calls).toEqual([['Epoch 2: early stopping']])
    } finally {
      log.mockRestore()
    }
  })

  it('refuses an unknown mode', () => {
    const mode: string = 'biggest'
    expect(() => new EarlyStopping({ mode: mode as 'max' })).toThrow(ArgumentError)
  })
})

describe('History', () => {
  it('can be passed as a callback, too', async () => {
    const own = new History()
    const returned = await binaryModel().fit(x, yes, { epochs: 3, verbose: 0, callbacks: [own] })
    expect(own.history).toEqual(returned.history)
    expect(own.epoch).toEqual([0, 1, 2])
  })
})

/** A model that overflows in its second step. */
function explosive(): Sequential {
  const model = new Sequential([
    new Dense({ units: 3, inputShape: [4], kernelInitializer: 'ones', name: 'first' }),
    new Dense({ units: 1, kernelInitializer: 'ones', name: 'second' }),
  ])
  model.compile({ optimizer: new SGD({ learningRate: 1e15 }), loss: 'mse' })
  return model
}

describe('training that is not finite', () => {
  const ones = [[1, 1, 1, 1]]

  it('throws a NonFiniteError with the step and the instruction, weights as before that step', async () => {
    const model = explosive()
    const afterFirst = explosive()
    afterFirst.trainOnBatch(ones, [[0]])
    const error = await errorOf(() => model.fit(ones, [[0]], { epochs: 5, verbose: 0 }))
    expect(error).toBeInstanceOf(NonFiniteError)
    if (!(error instanceof NonFiniteError)) return
    expect(error.step).toBe(2)
    expect(error.instruction).toMatch(/first|second|loss/)
    expect(error.message).toMatch(/step 2/)
    expect(error.message).toContain(error.instruction)
    expect(error.message).toMatch(/learning rate/)
    expect(weightsOf(model)).toEqual(weightsOf(afterFirst))
    expect(weightsOf(model).flat().every(Number.isFinite)).toBe(true)
    expect(model.optimizer.iterations.value.item()).toBe(1)
  })

  it.each(['sgd', 'rmsprop', 'adam'])(
    'a gradient whose square overflows float32 ends it before %s reads it',
    async (optimizer) => {
      const model = new Sequential([new Dense({ units: 1, inputShape: [1], kernelInitializer: 'ones' })])
      model.compile({ optimizer, loss: 'mse' })
      // d (x · w)² / d w = 2 x² w
      const error = await errorOf(() => model.fit([[1e12]], [[0]], { verbose: 0 }))
      expect(error).toBeInstanceOf(NonFiniteError)
      expect(error.message).toContain(
        'at step 1: a gradient above 9.2e+18, whose square float32 cannot hold, or a learning rate above 1e+15. The weights are those before this step.',
      )
      expect(weightsOf(model)).toEqual([[1], [0]])
      expect(
        [...model.optimizer.slots.values()].flat().every(({ value }) => value.data.every((each) => each === 0)),
      ).toBe(true)
      await model.fit([[1e9]], [[0]], { verbose: 0 })
    },
  )

  it('trainOnBatch throws the same and changes nothing', () => {
    const model = explosive()
    model.trainOnBatch(ones, [[0]])
    const before = weightsOf(model)
    expect(() => model.trainOnBatch(ones, [[0]])).toThrow(NonFiniteError)
    expect(weightsOf(model)).toEqual(before)
    expect(model.optimizer.iterations.value.item()).toBe(1)
  })

  it('TerminateOnNaN ends it without an error, with a warning', async () => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue()
    try {
      const model = explosive()
      const calls: string[] = []
      const { epoch, history } = await model.fit(ones, [[0]], {
        epochs: 5,
        verbose: 0,
        callbacks: [new TerminateOnNaN(), recorder(calls)],
      })
      expect(epoch).toEqual([0, 1])
      // Not 0, which nothing could improve on.
      expect(history['loss']).toEqual([expect.any(Number), NaN])
      expect(calls.at(-1)).toMatch(/^onTrainEnd/)
      expect(weightsOf(model).flat().every(Number.isFinite)).toBe(true)
      expect(warn.mock.calls).toEqual([[expect.stringMatching(/TerminateOnNaN.*step 2/)]])
    } finally {
      warn.mockRestore()
    }
  })

  it('TerminateOnNaN with raiseError ends it with the error', async () => {
    const error = await errorOf(() =>
      explosive().fit(ones, [[0]], { epochs: 5, verbose: 0, callbacks: [new TerminateOnNaN({ raiseError: true })] }),
    )
    expect(error).toBeInstanceOf(NonFiniteError)
  })

  it('the model can be trained again with a smaller rate', async () => {
    const model = explosive()
    await errorOf(() => model.fit(ones, [[0]], { epochs: 5, verbose: 0 }))
    model.setWeights(explosive().getWeights())
    model.optimizer.learningRate = 0.01
    const { history } = await model.fit(ones, [[0]], { epochs: 3, verbose: 0 })
    expect(history['loss']![2]).toBeLessThan(history['loss']![0]!)
  })
})

describe('callbacks', () => {
  it('may be one, or none', async () => {
    const epochs: number[] = []
    const one: CallbackMethods = {
      onEpochEnd: (epoch) => void epochs.push(epoch),
      onTestEnd: () => void epochs.push(-1),
      onPredictEnd: () => void epochs.push(-2),
    }
    const model = binaryModel()
    await model.fit(x, yes, { epochs: 2, verbose: 0, callbacks: one })
    await model.evaluate(x, yes, { callbacks: one })
    await model.predict(x, { callbacks: one })
    expect(epochs).toEqual([0, 1, -1, -2])
    const stopping = new EarlyStopping({ monitor: 'loss', minDelta: 100, patience: 1 })
    await model.fit(x, yes, { epochs: 9, verbose: 0, callbacks: stopping })
    expect(stopping.stoppedEpoch).toBe(1)
    await model.fit(x, yes, { verbose: 0, callbacks: null })
  })

  it('may have further methods', async () => {
    class Own extends Callback {
      heard = 0
      note(): void {
        this.heard++
      }
      once(): void {}
      override onEpochEnd(): void {
        this.note()
      }
    }
    const own = new Own()
    await binaryModel().fit(x, yes, { verbose: 0, callbacks: own })
    expect(own.heard).toBe(1)
  })

  it('may be an abort signal', async () => {
    const signal = 1 as never
    for (const run of [
      () => binaryModel().fit(x, yes, { signal }),
      () => binaryModel().evaluate(x, yes, { signal }),
      () => binaryModel().predict(x, { signal }),
    ]) {
      expect(await errorOf(run)).toMatchObject({
        name: 'ArgumentError',
        message: expect.stringMatching(
          /^(fit|evaluate|predict): signal must be an AbortSignal, such as new AbortController\(\)\.signal, received 1$/,
        ),
      })
    }
  })
})

describe('a value that is not a callback', () => {
  const fit = (callbacks: unknown) =>
    Reflect.apply(binaryModel().fit, binaryModel(), [x, yes, { verbose: 0, callbacks }])

  it.each([
    [[() => 1], 'A callback must be an object with methods such as onEpochEnd'],
    [[{ on_epoch_end() {} }], "Unknown event of a callback 'on_epoch_end'. Did you mean 'onEpochEnd'?"],
    [3, 'A callback must be an object with methods such as onEpochEnd, received 3'],
    [[new Dense({ units: 1, name: 'own' })], 'received the layer Dense "own"'],
    [
      [[{ onEpochEnd() {} }]],
      'A callback must be an object with methods such as onEpochEnd, received [an object (Object)]',
    ],
    [[EarlyStopping], 'received the class EarlyStopping. Pass an instance: new EarlyStopping()'],
    [EarlyStopping, 'received the class EarlyStopping. Pass an instance: new EarlyStopping()'],
    [[{ onBatchEnd() {} }], "Unknown event of a callback 'onBatchEnd'. Did you mean 'onTrainBatchEnd'?"],
    [[{ on_batch_begin() {} }], "Unknown event of a callback 'on_batch_begin'. Did you mean 'onTrainBatchBegin'?"],
    [
      new (class extends Callback {
        onEpochEnded() {}
      })(),
      "Unknown event of a callback 'onEpochEnded'. Did you mean 'onEpochEnd'?",
    ],
    [
      new (class extends Callback {
        on_epoch_end() {}
      })(),
      "Unknown event of a callback 'on_epoch_end'. Did you mean 'onEpochEnd'?",
    ],
    [
      new (class extends EarlyStopping {
        onTrainStart() {}
      })(),
      "Unknown event of a callback 'onTrainStart'.",
    ],
    [
      new (class {
        onEpochEnded() {}
      })(),
      "Unknown event of a callback 'onEpochEnded'. Did you mean 'onEpochEnd'?",
    ],
  ])('is refused: %o', async (callbacks, message) => {
    await expect(fit(callbacks)).rejects.toThrow(message)
  })
})
