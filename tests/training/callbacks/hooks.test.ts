// The hooks that evaluate and predict call, and averages that replace weights while they run.
// modes: simd

import { describe, expect, it } from 'vitest'
import {
  ArgumentError,
  Callback,
  EarlyStopping,
  ModelCheckpoint,
  MultiOptimizer,
  SGD,
  StateError,
  SwapEMAWeights,
  loadModel,
  type CallbackMethods,
  type EvaluateOptions,
  type FitOptions,
  type Tensor,
} from '../../../src'
import { binaryModel, errorOf, outputOf, samples, weightsOf } from '../../helpers/training'

const { x, yes } = samples(20)

describe('evaluate', () => {
  it('calls hooks for itself and for its batches', async () => {
    const model = binaryModel()
    const calls: unknown[] = []
    class Own extends Callback {
      override onTestBegin = () => void calls.push(['begin', this.model === model, this.params])
      override onTestBatchBegin = (batch: number) => void calls.push(['batch', batch])
      override onTestBatchEnd = (batch: number, { loss }: { loss: number }) => void calls.push([batch, loss])
      override onTestEnd = ({ loss }: { loss: number }) => void calls.push(['end', loss])
    }
    const { loss } = await model.evaluate(x, yes, { batchSize: 12, callbacks: [new Own()] })
    const first = model.testOnBatch(x.slice(0, 12), yes.slice(0, 12)).loss
    expect(calls).toEqual([
      ['begin', true, { epochs: 1, steps: 2, verbose: 0 }],
      ['batch', 0],
      [0, first],
      ['batch', 1],
      [1, loss],
      ['end', loss],
    ])
  })

  it('does so inside a callback of fit, too', async () => {
    const model = binaryModel()
    const calls: string[] = []
    const inner: CallbackMethods = {
      onTestBegin: () => void calls.push('inner begin'),
      onTestEnd: () => void calls.push('inner end'),
    }
    await model.fit(x, yes, {
      verbose: 0,
      callbacks: [
        {
          onEpochEnd: async () => {
            await model.evaluate(x, yes, { callbacks: [inner] })
          },
        },
      ],
    })
    expect(calls).toEqual(['inner begin', 'inner end'])
  })

  it('refuses values that are not callbacks, and unknown events', async () => {
    expect(
      await errorOf(() =>
        binaryModel().evaluate(x, yes, { callbacks: [{ onTestBatch: () => {} } as CallbackMethods] }),
      ),
    ).toBeInstanceOf(ArgumentError)
    expect((await errorOf(() => binaryModel().predict(x, { callbacks: 3 as never }))).message).toContain(
      'A callback must be an object',
    )
  })
})

describe('predict', () => {
  it('calls hooks for itself and for its batches, with their outputs', async () => {
    const model = binaryModel()
    const calls: unknown[] = []
    const told: Tensor[] = []
    const outputs = await model.predict(x, {
      batchSize: 12,
      callbacks: [
        {
          setParams: ({ steps }) => void calls.push(steps),
          onPredictBegin: () => void calls.push('begin'),
          onPredictBatchBegin: (batch) => void calls.push(batch),
          onPredictBatchEnd: (_batch, { outputs: part }) => void told.push(part as Tensor),
          onPredictEnd: () => void calls.push('end'),
        },
      ],
    })
    expect(calls).toEqual([2, 'begin', 0, 1, 'end'])
    expect(told.map(({ shape }) => shape)).toEqual([
      [12, 1],
      [8, 1],
    ])
    expect(told.flatMap(({ data }) => [...data])).toEqual([...outputs.data])
    expect([...(await model.predict(x)).data]).toEqual([...outputs.data])
  })
})

describe("verbose 'auto'", () => {
  it('is a bar in fit, and a line in evaluate', async () => {
    const model = binaryModel()
    const fit = (options: FitOptions) => outputOf(() => model.fit(x, yes, options))
    expect(await fit({ verbose: 'auto' })).toContain('Epoch 1/1')
    expect(await fit({})).toContain('Epoch 1/1')
    const lines: unknown[] = []
    const log = console.log
    console.log = (line: unknown) => void lines.push(line)
    try {
      for (const options of [{ verbose: 'auto' }, {}] as EvaluateOptions[]) await model.evaluate(x, yes, options)
    } finally {
      console.log = log
    }
    expect(lines).toHaveLength(1)
  })

  it('and nothing else', async () => {
    expect((await errorOf(() => binaryModel().fit(x, yes, { verbose: 'Auto' as 'auto' }))).message).toBe(
      "fit: verbose must be 'auto', 0, 1 or 2, received 'Auto'",
    )
    expect((await errorOf(() => binaryModel().evaluate(x, yes, { verbose: 3 as 2 }))).message).toBe(
      "evaluate: verbose must be 'auto', 0, 1 or 2, received 3",
    )
  })
})

describe('SwapEMAWeights', () => {
  const averaging = () => new SGD({ learningRate: 0.5, useEma: true, emaMomentum: 0.9 })
  const averages = (model: ReturnType<typeof binaryModel>) =>
    model.optimizer.slots.get('average')!.map(({ value }) => [...value.data])

  it('validates with the averages, and trains as if it were absent', async () => {
    const [plain, swapped] = [binaryModel({ optimizer: averaging() }), binaryModel({ optimizer: averaging() })]
    let seen: number[][] = []
    const look: CallbackMethods = { onTestBegin: () => void (seen = weightsOf(swapped)) }
    const options = { epochs: 3, batchSize: 8, verbose: 0, validationData: [x, yes] } as const
    await plain.fit(x, yes, options)
    const { history } = await swapped.fit(x, yes, { ...options, callbacks: [new SwapEMAWeights(), look] })
    // At the end the averages replace the weights.
    expect(weightsOf(swapped)).toEqual(weightsOf(plain))
    expect(seen).toEqual(weightsOf(swapped))
    expect(history['valLoss']!.at(-1)).toBeCloseTo((await swapped.evaluate(x, yes)).loss, 6)
  })

  it('shows later callbacks the averages at the end of an epoch', async () => {
    const saved: Uint8Array[] = []
    const run = async (swapOnEpoch: boolean) => {
      const model = binaryModel({ optimizer: averaging() })
      saved.length = 0
      const seen: number[][][] = []
      const before: CallbackMethods = { onEpochEnd: () => void seen.push(averages(model)) }
      const checkpoint = new ModelCheckpoint({ filepath: 'm', onSave: (bytes) => void saved.push(bytes) })
      await model.fit(x, yes, {
        epochs: 3,
        batchSize: 8,
        verbose: 0,
        callbacks: [before, new SwapEMAWeights(swapOnEpoch), checkpoint],
      })
      return {
        seen,
        ends: weightsOf(model),
        saved: await Promise.all(saved.map(async (bytes) => weightsOf(await loadModel(bytes)))),
      }
    }
    const { seen, ends, saved: swapped } = await run(true)
    expect(swapped).toEqual(seen)
    expect(ends).toEqual(seen.at(-1))
    const plain = await run(false)
    expect(plain.saved).not.toEqual(plain.seen)
    expect(plain.ends).toEqual(ends)
  })

  it('ends with the averages if training is stopped early', async () => {
    const model = binaryModel({ optimizer: averaging() })
    let seen: number[][] = []
    const stop = new EarlyStopping({ monitor: 'loss', minDelta: 9 })
    await model.fit(x, yes, {
      epochs: 9,
      verbose: 0,
      callbacks: [{ onEpochEnd: () => void (seen = averages(model)) }, stop, new SwapEMAWeights({ swapOnEpoch: true })],
    })
    expect(stop.stoppedEpoch).toBe(1)
    expect(weightsOf(model)).toEqual(seen)
  })

  it('works with evaluate and predict', async () => {
    const model = binaryModel({ optimizer: averaging() })
    for (let i = 0; i < 5; i++) model.trainOnBatch(x, yes)
    const [weights, own] = [weightsOf(model), averages(model)]
    const seen: number[][][] = []
    const look: CallbackMethods = {
      onTestBegin: () => void seen.push(weightsOf(model)),
      onPredictBegin: () => void seen.push(weightsOf(model)),
    }
    await model.evaluate(x, yes, { callbacks: [new SwapEMAWeights(), look] })
    await model.predict(x, { callbacks: [new SwapEMAWeights(), look] })
    expect(seen).toEqual([own, own])
    expect([weightsOf(model), averages(model)]).toEqual([weights, own])
  })

  it('uses the averages of several optimizers', async () => {
    const model = binaryModel({ optimizer: new MultiOptimizer({ optimizers: [[averaging(), 'hidden'], ['sgd']] }) })
    for (let i = 0; i < 5; i++) model.trainOnBatch(x, yes)
    const [first, ...others] = weightsOf(model)
    let seen: number[][] = []
    await model.evaluate(x, yes, {
      callbacks: [new SwapEMAWeights(), { onTestBegin: () => void (seen = weightsOf(model)) }],
    })
    expect(seen[0]).not.toEqual(first)
    expect(seen.slice(2)).toEqual(others.slice(1))
    expect(weightsOf(model)).toEqual([first, ...others])
  })

  it('reports missing averages', async () => {
    const error = await errorOf(() => binaryModel().fit(x, yes, { verbose: 0, callbacks: [new SwapEMAWeights()] }))
    expect(error).toBeInstanceOf(StateError)
    expect(error.message).toBe(
      'SwapEMAWeights: the optimizer keeps no averages. Compile with one that does: new SGD({ useEma: true })',
    )
  })
})
