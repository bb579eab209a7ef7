// Learning rates that callbacks set, and their messages.
// modes: simd

import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  ArgumentError,
  ExponentialDecay,
  LearningRateScheduler,
  MultiOptimizer,
  ReduceLROnPlateau,
  SGD,
  StateError,
  callbacks,
  type CallbackMethods,
  type ReduceLROnPlateauOptions,
} from '../../../src'
import { binaryModel, errorOf, samples } from '../../helpers/training'

const { x, yes } = samples(20)

afterEach(() => vi.restoreAllMocks())

/** The rates after each epoch of a run with the monitored log of the test. */
async function ratesOf(options: ReduceLROnPlateauOptions, values: readonly number[]): Promise<number[]> {
  const model = binaryModel({ optimizer: new SGD({ learningRate: 1 }) })
  const rates: number[] = []
  const script: CallbackMethods = { onEpochEnd: (epoch, logs) => void (logs['valLoss'] = values[epoch]!) }
  const note: CallbackMethods = { onEpochEnd: () => void rates.push(model.optimizer.learningRate) }
  await model.fit(x, yes, {
    epochs: values.length,
    verbose: 0,
    callbacks: [script, new ReduceLROnPlateau(options), note],
  })
  return rates
}

describe('ReduceLROnPlateau', () => {
  const values = [3, 2, 2, 2, 1.99995, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1]
  const halves = (...powers: number[]): number[] => powers.map((power) => 0.5 ** power)
  // The results of Keras 3.15.
  it.each<[ReduceLROnPlateauOptions, number[]]>([
    [{ factor: 0.5, patience: 2 }, halves(0, 0, 0, 1, 1, 2, 2, 3, 3, 3, 4, 4, 5, 5, 6)],
    [{ factor: 0.5, patience: 2, cooldown: 2 }, halves(0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 4, 4)],
    [{ factor: 0.1, patience: 1, minLr: 0.005 }, [1, 1, 0.1, 0.01, ...new Array<number>(11).fill(0.005)]],
    [{ factor: 0.5, patience: 0 }, halves(0, 0, 1, 2, 3, 4, 5, 6, 6, 7, 8, 9, 10, 11, 12)],
    [{ factor: 0.5, patience: 2, minDelta: 0 }, halves(0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 3, 3, 4, 4, 5)],
  ])('%o gives the rates of Keras', async (options, expected) => {
    const rates = await ratesOf(options, values)
    rates.forEach((rate, epoch) => expect(rate, `epoch ${epoch}`).toBeCloseTo(expected[epoch]!, 8))
  })

  it('monitors a rising log', async () => {
    expect(await ratesOf({ mode: 'max', patience: 1, factor: 0.5 }, [1, 2, 2])).toEqual([1, 1, 0.5])
  })

  it('puts the rate into the history, and reports it with verbose', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {})
    const model = binaryModel({ optimizer: new SGD({ learningRate: 0.5 }) })
    const { history } = await model.fit(x, yes, {
      epochs: 2,
      verbose: 0,
      callbacks: [new ReduceLROnPlateau({ monitor: 'loss', patience: 0, minDelta: 9, factor: 0.5, verbose: 1 })],
    })
    expect(history['learningRate']).toEqual([0.5, 0.5])
    expect(log.mock.calls).toEqual([['Epoch 2: ReduceLROnPlateau reduces learningRate to 0.25']])
  })

  it('reduces each rate of several optimizers', async () => {
    const model = binaryModel({
      optimizer: new MultiOptimizer({
        optimizers: [
          [new SGD({ learningRate: 1, name: 'first' }), 'hidden'],
          [new SGD({ learningRate: 0.5, name: 'second' })],
        ],
      }),
    })
    const { history } = await model.fit(x, yes, {
      epochs: 3,
      verbose: 0,
      callbacks: [new ReduceLROnPlateau({ monitor: 'loss', patience: 0, minDelta: 9, factor: 0.5 })],
    })
    expect(history).toMatchObject({ learningRate_first: [1, 1, 0.5], learningRate_second: [0.5, 0.5, 0.25] })
  })

  it('warns once about a missing log', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    await binaryModel().fit(x, yes, { epochs: 3, verbose: 0, callbacks: [new ReduceLROnPlateau()] })
    expect(warn.mock.calls).toEqual([
      ["ReduceLROnPlateau: there is no 'valLoss' to monitor. There are: loss, accuracy, learningRate"],
    ])
  })

  it('refuses invalid options, and an optimizer with a schedule', async () => {
    expect(() => new ReduceLROnPlateau({ factor: 1 })).toThrow(
      'ReduceLROnPlateau: factor must be a finite number in [0, 1), received 1',
    )
    expect(() => new ReduceLROnPlateau({ patience: -1 })).toThrow(ArgumentError)
    const model = binaryModel({
      optimizer: new SGD({
        learningRate: new ExponentialDecay({ initialLearningRate: 1, decaySteps: 1, decayRate: 0.5 }),
      }),
    })
    const error = await errorOf(() =>
      model.fit(x, yes, {
        epochs: 3,
        verbose: 0,
        callbacks: [new ReduceLROnPlateau({ monitor: 'loss', patience: 0, minDelta: 9 })],
      }),
    )
    expect(error).toBeInstanceOf(StateError)
    expect(error.message).toContain('follows a schedule')
  })
})

describe('LearningRateScheduler', () => {
  it('sets the rate when an epoch begins, from the epoch and the rate so far', async () => {
    const model = binaryModel({ optimizer: new SGD({ learningRate: 1 }) })
    const asked: unknown[] = []
    const scheduler = new LearningRateScheduler((epoch, rate) => {
      asked.push([epoch, rate])
      return rate / 2
    })
    const { history } = await model.fit(x, yes, { initialEpoch: 3, epochs: 6, verbose: 0, callbacks: [scheduler] })
    expect(asked).toEqual([
      [3, 1],
      [4, 0.5],
      [5, 0.25],
    ])
    expect(history['learningRate']).toEqual([0.5, 0.25, 0.125])
  })

  it('refuses values that are not functions, and invalid rates', async () => {
    expect(() => new LearningRateScheduler(0.5 as never)).toThrow('LearningRateScheduler: schedule must be a function')
    const model = binaryModel()
    expect(
      (
        await errorOf(() =>
          model.fit(x, yes, { verbose: 0, callbacks: [new LearningRateScheduler(() => 'fast' as never)] }),
        )
      ).message,
    ).toBe("LearningRateScheduler: schedule must return a number, received 'fast' in epoch 0")
    expect(
      (await errorOf(() => model.fit(x, yes, { verbose: 0, callbacks: [new LearningRateScheduler(() => -1)] })))
        .message,
    ).toContain('learningRate must be')
    const rates = [0.5, NaN]
    expect(
      (
        await errorOf(() =>
          model.fit(x, yes, { epochs: 2, verbose: 0, callbacks: new LearningRateScheduler((epoch) => rates[epoch]!) }),
        )
      ).message,
    ).toMatch(/^LearningRateScheduler: in epoch 1: .*learningRate must be .*, received NaN$/)
  })
})

it('is in the namespace, too', () => {
  expect(callbacks.LearningRateScheduler).toBe(LearningRateScheduler)
})
