// The life of a run on the GPU: callbacks, streams, endings, and what other code may do meanwhile, compared with the CPU.
// lost.test.ts: the loss of a device.
// modes: simd

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import * as m from '../../../src'
import { Dataset } from '../../../src/entries/data'
import { Choices } from '../../../src/engine/webgpu/choices'
import { errorOf } from '../../helpers/training'
import { compareBoth, expectAlike, expectOnGpu, numbers, onGpu, stateOf, web, whole, type Outcome } from './both'

const ROWS = 20
const x = numbers([ROWS, 4])
const y = whole([ROWS, 1], 2, 5)
const held = [numbers([6, 4], 3), whole([6, 1], 2, 4)] as const

/** Ten steps of two rows in an epoch. */
const STEPS = 10
const quiet = { batchSize: 2, shuffle: false, verbose: 0 } as const

function makeModel(optimizer: m.Optimizer = new m.Adam({ learningRate: 0.02 })): m.Sequential {
  m.setRandomSeed(2)
  const model = new m.Sequential([
    new m.Dense({ units: 5, activation: 'relu', inputShape: [4] }),
    new m.Dropout({ rate: 0.2 }),
    new m.Dense({ units: 1, activation: 'sigmoid' }),
  ])
  model.compile({ optimizer, loss: 'binaryCrossentropy', metrics: ['accuracy'] })
  return model
}

/** The events of a run in their order, and the numbers in their logs. */
class Recorder {
  readonly events: string[] = []
  readonly numbers: number[] = []
  private note(event: string, logs: object | null = null): void {
    const entries = Object.entries(logs ?? {}).flatMap(([name, value]) =>
      value instanceof m.Tensor ? [[name, ...value.data]] : [[name, value]],
    )
    this.events.push(`${event} ${entries.map(([name]) => name).join()}`)
    this.numbers.push(...entries.flatMap(([, ...values]) => values as number[]))
  }
  readonly callback: m.CallbackMethods = {
    onTrainBegin: () => this.note('train begin'),
    onTrainEnd: (logs) => this.note('train end', logs),
    onEpochBegin: (epoch) => this.note(`epoch ${epoch} begin`),
    onEpochEnd: (epoch, logs) => this.note(`epoch ${epoch} end`, logs),
    onTrainBatchBegin: (batch) => this.note(`batch ${batch} begin`),
    onTrainBatchEnd: (batch, logs) => this.note(`batch ${batch} end`, logs),
    onTestBegin: () => this.note('test begin'),
    onTestEnd: (logs) => this.note('test end', logs),
    onTestBatchBegin: (batch) => this.note(`test batch ${batch} begin`),
    onTestBatchEnd: (batch, logs) => this.note(`test batch ${batch} end`, logs),
    onPredictBegin: () => this.note('predict begin'),
    onPredictEnd: () => this.note('predict end'),
    onPredictBatchBegin: (batch) => this.note(`predict batch ${batch} begin`),
    onPredictBatchEnd: (batch, logs) => this.note(`predict batch ${batch} end`, logs),
  }
}

/** What a run leaves: its text must be equal, its numbers almost. */
interface Left {
  readonly text: unknown
  readonly outcome: Outcome
}

/** Runs `body` on both, and compares. */
async function compare(body: (model: m.Sequential) => Promise<Left>, optimizer?: () => m.Optimizer): Promise<void> {
  const run = (): Promise<Left> => body(makeModel(optimizer?.()))
  const expected = await run()
  const { result, programs } = await onGpu(run)
  expect(result.text).toEqual(expected.text)
  expectAlike(result.outcome, expected.outcome)
  expectOnGpu(programs)
}

/** The error of a run by its class and message, null without one; with the state of the model. */
async function ended(model: m.Model, run: Promise<unknown>): Promise<Left> {
  const error = await run.then(
    () => null,
    (reason: unknown) => reason,
  )
  const text = error instanceof Error ? `${error.name}: ${error.message}` : error
  return { text, outcome: stateOf(model) }
}

describe.skipIf(web === null)('callbacks', () => {
  it('get the same events and logs', () =>
    compare(async (model) => {
      const { events, numbers: logged, callback } = new Recorder()
      const callbacks = [callback]
      const { history } = await model.fit(x, y, { ...quiet, epochs: 2, validationData: [...held], callbacks })
      await model.evaluate(x, y, { batchSize: 8, verbose: 0, callbacks })
      await model.predict(x, { batchSize: 8, callbacks })
      return { text: [events, Object.keys(history)], outcome: { ...stateOf(model), logged, ...history } }
    }))

  it('of epochs alone get the same logs', () =>
    compare(async (model) => {
      const logged: number[] = []
      const onEpochEnd = (epoch: number, logs: m.Logs): void => void logged.push(epoch, ...Object.values(logs))
      await model.fit(x, y, {
        ...quiet,
        epochs: 4,
        validationSplit: 0.3,
        validationFreq: 2,
        validationBatchSize: 3,
        callbacks: [{ onEpochEnd }],
      })
      return { text: null, outcome: { ...stateOf(model), logged } }
    }))

  it('may evaluate, predict, save and set weights after an epoch', () =>
    compare(async (model) => {
      const found: number[] = []
      const onEpochEnd = async (epoch: number): Promise<void> => {
        const { loss } = await model.evaluate(...held, { verbose: 0 })
        found.push(loss, ...((await model.predict(held[0])) as m.Tensor).data)
        await model.save()
        found.push(...model.predictOnBatch(held[0]).data)
        if (epoch === 0) model.setWeights(model.getWeights().map((weight) => m.ops.multiply(weight, 0.5)))
      }
      await model.fit(x, y, { ...quiet, epochs: 2, callbacks: [{ onEpochEnd }] })
      return { text: null, outcome: { ...stateOf(model), found } }
    }))

  it('may evaluate and predict after a step', () =>
    compare(async (model) => {
      const found: number[] = []
      const onTrainBatchEnd = async (batch: number): Promise<void> => {
        if (batch % 4 !== 1) return
        found.push((await model.evaluate(...held, { verbose: 0 })).loss)
        found.push(...((await model.predict(held[0])) as m.Tensor).data)
      }
      await model.fit(x, y, { ...quiet, callbacks: [{ onTrainBatchEnd }] })
      return { text: null, outcome: { ...stateOf(model), found } }
    }))

  const callbacks: Readonly<Record<string, () => m.CallbackMethods[]>> = {
    EarlyStopping: () => [
      new m.EarlyStopping({ monitor: 'valLoss', patience: 1, minDelta: 0.02, restoreBestWeights: true }),
    ],
    ReduceLROnPlateau: () => [new m.ReduceLROnPlateau({ monitor: 'loss', patience: 1, minDelta: 0.1, factor: 0.5 })],
    LearningRateScheduler: () => [new m.LearningRateScheduler((epoch, rate) => (epoch < 2 ? rate : rate / 4))],
    'stopTraining in a step': () => [
      {
        setModel(model) {
          this.onTrainBatchEnd = (batch) => void (model.stopTraining = batch === 4)
        },
      },
    ],
    TerminateOnNaN: () => [new m.TerminateOnNaN()],
  }
  it.each(Object.entries(callbacks))('%s', (_name, make) =>
    compare(async (model) => {
      const { history, epoch } = await model.fit(x, y, {
        ...quiet,
        epochs: 6,
        validationData: [...held],
        callbacks: make(),
      })
      return { text: [Object.keys(history), epoch], outcome: { ...stateOf(model), ...history } }
    }),
  )

  it('SwapEMAWeights', () =>
    compare(
      async (model) => {
        const swap = new m.SwapEMAWeights()
        const { history } = await model.fit(x, y, { ...quiet, epochs: 2, validationData: [...held], callbacks: [swap] })
        return { text: null, outcome: { ...stateOf(model), ...history } }
      },
      () => new m.SGD({ learningRate: 0.1, useEma: true, emaMomentum: 0.9 }),
    ))

  it.each(['epoch', 4] as const)('ModelCheckpoint at %s', (saveFreq) =>
    compare(async (model) => {
      const saved: string[] = []
      const found: number[] = []
      const onSave = async (bytes: Uint8Array, name: string): Promise<void> => {
        saved.push(name)
        const copy = await m.loadModel(bytes)
        found.push(...copy.getWeights().flatMap(({ data }) => [...data]))
      }
      const callback = new m.ModelCheckpoint({ filepath: 'model-{epoch}-{loss:.1f}', saveFreq, onSave })
      await model.fit(x, y, { ...quiet, epochs: 2, callbacks: [callback] })
      expect(saved.length).toBe(saveFreq === 'epoch' ? 2 : 5)
      return { text: saved, outcome: { ...stateOf(model), found } }
    }),
  )

  it.each(['epoch', 3] as const)('BackupAndRestore at %s continues with the same bits', async (saveFreq) => {
    const backupDir = await mkdtemp(join(tmpdir(), 'myelin-'))
    const run = (model: m.Model, more: m.CallbackMethods[]): Promise<m.History> =>
      model.fit(x, y, { batchSize: 2, verbose: 0, epochs: 3, validationData: [...held], callbacks: more })
    const interrupting = (after: number): m.CallbackMethods => {
      let done = 0
      return {
        onTrainBatchEnd() {
          if (++done === after) throw new Error('interrupted')
        },
      }
    }
    const backup = (): m.BackupAndRestore => new m.BackupAndRestore({ backupDir, saveFreq })
    const { result } = await onGpu(async () => {
      const [undisturbed, first, second] = [makeModel(), makeModel(), makeModel()]
      const history = await run(undisturbed, [interrupting(Infinity)])
      await expect(run(first, [interrupting(17), backup()])).rejects.toThrow('interrupted')
      const resumed = await run(second, [interrupting(Infinity), backup()])
      return [
        { ...stateOf(undisturbed), ...history.history },
        { ...stateOf(second), ...resumed.history },
      ]
    })
    await rm(backupDir, { recursive: true, force: true })
    expect(result[1]).toEqual(result[0])
  })
})

describe.skipIf(web === null)('data', () => {
  const rows = (from: number, to: number): [m.Tensor, m.Tensor] => [
    m.ops.slice(x, [from, 0], [to - from, 4]),
    m.ops.slice(y, [from, 0], [to - from, 1]),
  ]
  const streams: Readonly<Record<string, () => unknown>> = {
    'a Dataset, shuffled': () =>
      Dataset.fromTensorSlices({ x, y })
        .map((row) => [row.x, row.y])
        .shuffle(8, { seed: 1 })
        .batch(3),
    'a generator of batches of several sizes': () =>
      function* () {
        for (const [from, to] of [
          [0, 3],
          [3, 8],
          [8, 11],
          [11, 20],
        ] as const)
          yield rows(from, to)
      },
    'an asynchronous generator': () =>
      async function* () {
        for (let from = 0; from < ROWS; from += 4) {
          await new Promise((resolve) => setTimeout(resolve, 1))
          yield rows(from, from + 4)
        }
      },
    'a generator that reuses its memory': () =>
      function* () {
        const [xs, ys] = [new Float32Array(16), new Float32Array(4)]
        for (let from = 0; from < ROWS; from += 4) {
          xs.set(x.data.subarray(4 * from, 4 * from + 16))
          ys.set(y.data.subarray(from, from + 4))
          yield [m.tensor(xs.slice(), [4, 4]), m.tensor(ys.slice(), [4, 1])]
        }
      },
  }
  it.each(Object.entries(streams))('%s', (_name, make) =>
    compare(async (model) => {
      const { history } = await model.fit(make() as never, { epochs: 3, verbose: 0, validationData: [...held] })
      const results = await model.evaluate(make() as never, { verbose: 0 })
      const predicted = (await model.predict(make() as never)) as m.Tensor
      return {
        text: null,
        outcome: { ...stateOf(model), ...history, results: Object.values(results), predicted: predicted.data },
      }
    }),
  )

  it('are shuffled in the same order', () =>
    compare(async (model) => {
      const { history } = await model.fit(x, y, { batchSize: 3, epochs: 3, verbose: 0 })
      return { text: null, outcome: { ...stateOf(model), ...history } }
    }))

  it('end after stepsPerEpoch and go on in the next epoch', () =>
    compare(async (model) => {
      const { history } = await model.fit(x, y, { ...quiet, epochs: 4, stepsPerEpoch: 5 })
      return { text: null, outcome: { ...stateOf(model), ...history } }
    }))
})

describe.skipIf(web === null)('a run ends', () => {
  const moments: Readonly<Record<string, (abort: () => void) => m.CallbackMethods>> = {
    'when training begins': (onTrainBegin) => ({ onTrainBegin }),
    'when an epoch begins': (abort) => ({ onEpochBegin: (epoch) => epoch === 1 && abort() }) as m.CallbackMethods,
    'before a step': (abort) => ({ onTrainBatchBegin: (batch) => batch === 3 && abort() }) as m.CallbackMethods,
    'after a step': (abort) => ({ onTrainBatchEnd: (batch) => batch === 3 && abort() }) as m.CallbackMethods,
    'in the validation': (abort) => ({ onTestBatchEnd: abort }) as m.CallbackMethods,
    'after an epoch': (onEpochEnd) => ({ onEpochEnd }),
  }
  it.each(Object.entries(moments))('by a signal %s', (_name, listen) =>
    compare(async (model) => {
      const controller = new AbortController()
      const abort = (): void => controller.abort(new Error('enough'))
      const { signal } = controller
      const options = { ...quiet, epochs: 3, validationData: [...held] as [m.Tensor, m.Tensor] }
      const first = await ended(model, model.fit(x, y, { ...options, callbacks: [listen(abort)], signal }))
      expect(signal.aborted).toBe(true)
      // At once another run, while the first one is still being released.
      const second = await ended(model, model.fit(x, y, options))
      return { text: [first.text, second.text], outcome: second.outcome }
    }),
  )

  it('by a signal of a timer, and leaves whole steps', async () => {
    const { result } = await onGpu(async () => {
      const model = makeModel(new m.SGD({ learningRate: 0.01 }))
      const controller = new AbortController()
      const onEpochBegin = (epoch: number): void => {
        if (epoch === 1) setTimeout(() => controller.abort(), 20)
      }
      const callbacks = [{ onEpochBegin }]
      const { signal } = controller
      const error = await errorOf(() => model.fit(x, y, { ...quiet, epochs: 100_000, callbacks, signal }))
      return { error, steps: model.optimizer.iterations.value.item(), weights: stateOf(model) }
    })
    expect(result.error.name).toBe('AbortError')
    expect(result.steps).toBeGreaterThan(0)
    const model = makeModel(new m.SGD({ learningRate: 0.01 }))
    const whole = Math.floor(result.steps / STEPS)
    await model.fit(x, y, { ...quiet, epochs: whole })
    if (result.steps % STEPS > 0) await model.fit(x, y, { ...quiet, stepsPerEpoch: result.steps % STEPS })
    expectAlike(result.weights, stateOf(model), 1e-4)
  })

  it('by a signal in evaluate, and another run begins at once', () =>
    compare(async (model) => {
      const controller = new AbortController()
      const onTestBatchEnd = (): void => controller.abort(new Error('enough'))
      const { signal } = controller
      const first = await ended(
        model,
        model.evaluate(x, y, { batchSize: 2, verbose: 0, callbacks: { onTestBatchEnd }, signal }),
      )
      const second = await ended(model, model.fit(x, y, quiet))
      return { text: [first.text, second.text], outcome: second.outcome }
    }))

  it('by an error of a callback', () =>
    compare((model) => {
      const onTrainBatchEnd = (batch: number): void => {
        if (batch === 5) throw new Error('broken')
      }
      return ended(model, model.fit(x, y, { ...quiet, callbacks: { onTrainBatchEnd } }))
    }))

  it('by an error of its data', () =>
    compare((model) => {
      const broken = function* () {
        yield [x, y]
        yield [x, y]
        throw new Error('broken')
      }
      return ended(model, model.fit(broken as never, { verbose: 0 }))
    }))
})

describe.skipIf(web === null)('a number that is not finite', () => {
  /** Targets whose loss overflows in the step of these rows. */
  const spoilt = (step: number): m.Tensor =>
    m.tensor(
      [...Float32Array.from({ length: ROWS }, (_, i) => (Math.floor(i / 2) === step ? 3e38 : i / ROWS))],
      [ROWS, 1],
    )
  const linear = (): m.Sequential => {
    m.setRandomSeed(2)
    const model = new m.Sequential([new m.Dense({ units: 1, inputShape: [4] })])
    model.compile({ optimizer: new m.SGD({ learningRate: 0.05, momentum: 0.9 }), loss: 'meanSquaredError' })
    return model
  }
  const batches = (targets: m.Tensor) =>
    function* () {
      for (let from = 0; from < ROWS; from += 2)
        yield [m.ops.slice(x, [from, 0], [2, 4]), m.ops.slice(targets, [from, 0], [2, 1])]
    }

  it.each([0, 1, 5, 8, 9])('in step %i of arrays ends the run with the weights before', (step) =>
    compareEndings(
      () => linear(),
      (model) => model.fit(x, spoilt(step), { ...quiet, epochs: 2 }),
    ),
  )

  it.each([0, 1, 5, 8, 9])('in step %i of a stream ends the run with the weights before', (step) =>
    compareEndings(
      () => linear(),
      (model) => model.fit(batches(spoilt(step)) as never, { epochs: 2, verbose: 0 }),
    ),
  )

  it('is found by the callbacks of steps', () =>
    compareEndings(
      () => linear(),
      (model) => {
        let steps = 0
        return model
          .fit(x, spoilt(4), { ...quiet, callbacks: { onTrainBatchEnd: () => void steps++ } })
          .finally(() => expect(steps).toBe(4))
      },
    ))

  it('ends training with TerminateOnNaN', () =>
    compareEndings(
      () => linear(),
      async (model) => {
        const { history } = await model.fit(x, spoilt(4), { ...quiet, epochs: 3, callbacks: [new m.TerminateOnNaN()] })
        expect(history['loss']).toEqual([NaN])
      },
    ))

  it('is found if the next step runs on the CPU', async () => {
    const run = async (): Promise<Left> => {
      const model = linear()
      const last = m.ops.slice(spoilt(8), [0, 0], [ROWS - 1, 1])
      return ended(model, model.fit(m.ops.slice(x, [0, 0], [ROWS - 1, 4]), last, { ...quiet, epochs: 2 }))
    }
    const expected = await run()
    const { choose } = Choices.prototype
    let small = 0
    const half = vi.spyOn(Choices.prototype, 'choose').mockImplementation(function (this: Choices, program) {
      if (program.graph.parameters[0]!.shape[0]! > 1) return choose.call(this, program)
      small++
      return Promise.resolve(false)
    })
    try {
      const { result: left, programs } = await onGpu(run)
      expectOnGpu(programs)
      expect(small).toBe(1)
      expect(left.text).toEqual(expected.text)
      expectAlike(left.outcome, expected.outcome)
    } finally {
      half.mockRestore()
    }
  })

  async function compareEndings(
    make: () => m.Sequential,
    run: (model: m.Sequential) => Promise<unknown>,
  ): Promise<void> {
    const all = async (): Promise<Left> => {
      const model = make()
      return ended(model, run(model))
    }
    const expected = await all()
    const { result, programs } = await onGpu(all)
    expect(result.text).toEqual(expected.text)
    expectAlike(result.outcome, expected.outcome)
    expectOnGpu(programs)
  }
})

describe.skipIf(web === null)('other code meanwhile', () => {
  it('trains two models at once', () =>
    compareBoth(async () => {
      const [a, b] = [makeModel(), makeModel(new m.SGD({ learningRate: 0.1 }))]
      const histories = await Promise.all([
        a.fit(x, y, { ...quiet, epochs: 3 }),
        b.fit(x, y, { ...quiet, epochs: 2, validationData: [...held] }),
      ])
      return Object.fromEntries([
        ...Object.entries(stateOf(a)).map(([name, data]) => [`a ${name}`, data] as const),
        ...Object.entries(stateOf(b)).map(([name, data]) => [`b ${name}`, data] as const),
        ...histories.map(({ history }, i) => [`loss ${i}`, history['loss']!] as const),
      ])
    }).then((programs) => expectOnGpu(programs, 3)))

  it('cannot train or dispose of a model twice at once', () =>
    compare(async (model) => {
      const running = model.fit(x, y, quiet)
      const second = await errorOf(() => model.fit(x, y, quiet))
      const third = await errorOf(() => model.dispose())
      await running
      const text = [second, third].map(({ message }) => message.replace(/\d+/, ''))
      return { text, outcome: stateOf(model) }
    }))

  it('predicts while the model trains', () =>
    compare(async (model) => {
      const running = model.fit(x, y, { ...quiet, epochs: 3 })
      for (let i = 0; i < 5; i++) {
        await new Promise((resolve) => setImmediate(resolve))
        const { data } = (await model.predict(x, { batchSize: 8 })) as m.Tensor
        expect(data.every((each) => each > 0 && each < 1)).toBe(true)
      }
      const { history } = await running
      return { text: null, outcome: { ...stateOf(model), ...history } }
    }))

  it('is told how to read weights', async () => {
    const { result } = await onGpu(async () => {
      const model = makeModel()
      const errors: string[] = []
      const read = async (batch: number): Promise<void> => {
        if (batch !== 3) return
        errors.push((await errorOf(() => model.getWeights())).message)
        errors.push((await errorOf(() => model.setWeights(makeModel().getWeights()))).message)
      }
      await model.fit(x, y, { ...quiet, callbacks: { onTrainBatchEnd: read } })
      return errors
    })
    expect(result).toHaveLength(2)
    for (const message of result) expect(message).toContain('Await sync() of the object that useWebGPU returned')
  })

  it('reads and changes weights after sync', () =>
    compare(async (model) => {
      const found: number[] = []
      const onTrainBatchEnd = async (batch: number): Promise<void> => {
        if (batch % 3 !== 0) return
        await web!.sync()
        found.push(...model.getWeights().flatMap(({ data }) => [...data]))
        if (batch === 3) model.setWeights(model.getWeights().map((weight) => m.ops.multiply(weight, 0.9)))
        if (batch === 6) model.optimizer.learningRate = 0.005
      }
      const { history } = await model.fit(x, y, { ...quiet, callbacks: { onTrainBatchEnd } })
      return { text: null, outcome: { ...stateOf(model), ...history, found } }
    }))

  it('loses no step if it calls sync while steps run', () =>
    compare(async (model) => {
      const state = { isRunning: true }
      const running = model.fit(x, y, { ...quiet, epochs: 4 }).finally(() => (state.isRunning = false))
      for (let i = 0; state.isRunning; i++) {
        await new Promise((resolve) => (i % 2 === 0 ? setImmediate(resolve) : setTimeout(resolve, 1)))
        await web!.sync()
      }
      const { history } = await running
      return { text: null, outcome: { ...stateOf(model), ...history } }
    }))

  it('uses a model that was disposed of after a run no more', async () => {
    const { result } = await onGpu(async () => {
      const model = makeModel()
      await model.fit(x, y, quiet)
      model.dispose()
      return errorOf(() => model.getWeights())
    })
    expect(result.message).toContain('disposed')
  })
})
