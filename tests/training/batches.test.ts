// fit, evaluate and predict on batches from a source: the same as on arrays, and errors.

import { describe, expect, it, vi } from 'vitest'
import {
  ArgumentError,
  BatchNormalization,
  DataError,
  Dense,
  Dropout,
  Embedding,
  Flatten,
  GlobalAveragePooling1D,
  Input,
  Model,
  NonFiniteError,
  Sequential,
  ShapeError,
  StateError,
  Tensor,
  setRandomSeed,
  ops,
  tensor,
  type FitOptions,
  type Logs,
} from '../../src'
import { Dataset } from '../../src/entries/data'
import { errorOf, expectError, weightsOf } from '../helpers/training'

const ROWS = 22
const x = Array.from({ length: ROWS }, (_, i) => [Math.sin(i), Math.cos(i * 2), (i % 5) / 5])
const y = x.map(([a, b]) => [Number(a! + b! > 0)])
const weights = x.map((_, i) => 0.5 + (i % 3))

function makeModel(): Sequential {
  setRandomSeed(5)
  const model = new Sequential([
    new Dense({ units: 6, activation: 'tanh', inputShape: [3] }),
    new BatchNormalization(),
    new Dropout(0.2),
    new Dense({ units: 1, activation: 'sigmoid' }),
  ])
  model.compile({ optimizer: 'adam', loss: 'binaryCrossentropy', metrics: ['accuracy'] })
  return model
}

const quiet = (options: FitOptions = {}): FitOptions => ({ verbose: 0, ...options })
const rows = () => Dataset.fromTensorSlices({ x, y })
/** The same rows, computed from many. */
const same = (each: Tensor): Tensor => ops.slice(ops.tile(each, [40, 1]), [0, 0], each.shape)

const pairs = (size = 4) =>
  Array.from(
    { length: Math.ceil(ROWS / size) },
    (_, i) => [x.slice(i * size, (i + 1) * size), y.slice(i * size, (i + 1) * size)] as const,
  )

async function* waiting<T>(all: readonly T[]) {
  for (const each of all) {
    await new Promise((resolve) => setImmediate(resolve))
    yield each
  }
}

describe('batches as data', () => {
  const expected = (async () => {
    const model = makeModel()
    const { history } = await model.fit(x, y, quiet({ batchSize: 4, epochs: 3, shuffle: false }))
    return { history, weights: weightsOf(model) }
  })()

  it.each<[string, (model: Sequential, options: FitOptions) => ReturnType<Sequential['fit']>]>([
    ['as a Dataset of records', (model, options) => model.fit(rows().batch(4), options)],
    [
      'as a Dataset of pairs',
      (model, options) =>
        model.fit(
          rows()
            .map(({ x, y }) => [x, y] as const)
            .batch(4),
          options,
        ),
    ],
    ['with null for the targets', (model, options) => model.fit(rows().batch(4) as never, null, options)],
    [
      'as a generator function',
      (model, options) =>
        model.fit(function* () {
          yield* pairs()
        }, options),
    ],
    ['as an async generator function', (model, options) => model.fit(() => waiting(pairs()), options)],
    ['as a set', (model, options) => model.fit(new Set(pairs()), options)],
    [
      'as tensors',
      (model, options) => model.fit(() => pairs().map(([a, b]) => ({ x: tensor(a), y: tensor(b) })), options),
    ],
    [
      'as a generator that computes them with ops',
      (model, options) =>
        model.fit(function* () {
          for (const [a, b] of pairs()) yield [same(tensor(a)), tensor(b)] as const
        }, options),
    ],
    [
      'as a generator that computes with ops and reuses its memory',
      (model, options) =>
        model.fit(function* () {
          const kept = pairs().map(([a, b]) => [tensor(a), tensor(b)] as const)
          const [features, targets] = kept[0]!.map(({ data }) => data.slice())
          for (const [a, b] of kept) {
            features!.set(same(a).data)
            targets!.set(b.data)
            yield [
              { data: features!.subarray(0, a.size), shape: a.shape },
              { data: targets!.subarray(0, b.size), shape: b.shape },
            ] as const
          }
        }, options),
    ],
    ['prefetched', (model, options) => model.fit(Dataset.from(() => waiting(pairs())).prefetch(2), options)],
    [
      'as a stream',
      (model, options) =>
        model.fit(
          () =>
            new ReadableStream({
              start(controller) {
                for (const each of pairs()) controller.enqueue(each)
                controller.close()
              },
            }),
          options,
        ),
    ],
  ])('%s: trains like arrays', async (_title, fit) => {
    const model = makeModel()
    const { history } = await fit(model, quiet({ epochs: 3 }))
    expect(history).toEqual((await expected).history)
    expect(weightsOf(model)).toEqual((await expected).weights)
  })

  it('with sample weights, class weights and validation data', async () => {
    const [arrays, batches, records] = [makeModel(), makeModel(), makeModel()]
    const options = { epochs: 2, classWeight: { 1: 2 } }
    const one = await arrays.fit(
      x,
      y,
      quiet({
        ...options,
        batchSize: 4,
        shuffle: false,
        sampleWeight: weights,
        validationData: [x, y, weights],
        validationBatchSize: 8,
      }),
    )
    const weighed = Dataset.fromTensorSlices({ x, y, sampleWeight: weights })
    const two = await batches.fit(
      weighed.map(({ x, y, sampleWeight }) => [x, y, sampleWeight] as const).batch(4),
      quiet({ ...options, validationData: weighed.batch(8) }),
    )
    const three = await records.fit(
      weighed.batch(4),
      quiet({ ...options, validationData: [x, y, weights], validationBatchSize: 8 }),
    )
    expect(two.history).toEqual(one.history)
    expect(three.history).toEqual(one.history)
    expect(weightsOf(batches)).toEqual(weightsOf(arrays))
  })

  it('to evaluate and predict', async () => {
    const model = makeModel()
    await model.fit(x, y, quiet())
    expect(await model.evaluate(rows().batch(5))).toEqual(await model.evaluate(x, y, { batchSize: 5 }))
    expect(await model.evaluate(rows().batch(5), { steps: 2 })).toEqual(
      await model.evaluate(x.slice(0, 10), y.slice(0, 10), { batchSize: 5 }),
    )
    expect(await model.evaluate(x, y, { batchSize: 5, steps: 2 })).toEqual(
      await model.evaluate(x.slice(0, 10), y.slice(0, 10), { batchSize: 5 }),
    )
    const all = (await model.predict(x, { batchSize: 5 })).toArray<number[][]>()
    expect((await model.predict(rows().batch(5))).toArray()).toEqual(all)
    expect((await model.predict(Dataset.fromTensorSlices(x).batch(5))).toArray()).toEqual(all)
    expect((await model.predict(() => waiting(pairs(5)), { steps: 3 })).toArray()).toEqual(all.slice(0, 15))
    expect((await model.predict(x, { batchSize: 5, steps: 3 })).shape).toEqual([15, 1])
  })

  it('for a model that learns its shapes from the first batch, and one with several inputs and outputs', async () => {
    setRandomSeed(1)
    const lazy = new Sequential([new Flatten(), new Dense({ units: 1 })])
    lazy.compile({ optimizer: 'sgd', loss: 'mse' })
    await lazy.fit(rows().batch(4), quiet())
    expect(lazy.weights[0]!.shape).toEqual([3, 1])
    const [a, b] = [Input({ shape: [3], name: 'a' }), Input({ shape: [1], name: 'b' })]
    const model = new Model({
      inputs: { a, b },
      outputs: {
        sum: new Dense({ units: 1, name: 'sum' }).apply(a),
        other: new Dense({ units: 1, name: 'other' }).apply(b),
      },
    })
    model.compile({ optimizer: 'sgd', loss: { sum: 'mse', other: 'mse' } })
    const several = Dataset.fromTensorSlices({ a: x, b: y, sum: y, other: y }).map(({ a, b, sum, other }) => ({
      x: { a, b },
      y: { sum, other },
    }))
    const { history } = await model.fit(several.batch(4), { epochs: 2, verbose: 0 })
    expect(Object.keys(history)).toEqual(['loss', 'sumLoss', 'otherLoss'])
    expect(Object.keys(await model.predict(several.batch(4)))).toEqual(['sum', 'other'])
  })

  it('of several lengths', async () => {
    setRandomSeed(2)
    const model = new Sequential([
      new Embedding({ inputDim: 20, outputDim: 4, maskZero: true }),
      new GlobalAveragePooling1D(),
      new Dense({ units: 1 }),
    ])
    model.compile({ optimizer: 'adam', loss: 'mse' })
    const sentences = Dataset.range(40).map((i) => ({
      x: Int32Array.from({ length: 1 + ((i * 7) % 13) }, (_, at) => 1 + ((i + at) % 19)),
      y: i % 2,
    }))
    const batches = sentences.bucketByLength(({ x }) => x.length, { boundaries: [5, 9], batchSize: 8 })
    const { history } = await model.fit(batches, quiet({ epochs: 20 }))
    expect(history['loss']!.at(-1)!).toBeLessThan(history['loss']![0]!)
    await expect(
      model.predict(
        sentences
          .map(({ x }) => x)
          .paddedBatch(8)
          .take(1),
      ),
    ).resolves.toBeInstanceOf(Tensor)
  })
})

describe('epochs', () => {
  it('with stepsPerEpoch continue where the last one stopped, for arrays and batches', async () => {
    const seen = async (fit: (model: Sequential, options: FitOptions) => ReturnType<Sequential['fit']>) => {
      const model = makeModel()
      const { history } = await fit(model, quiet({ stepsPerEpoch: 3, epochs: 3, shuffle: false }))
      return [history['loss'], weightsOf(model)]
    }
    const arrays = await seen((model, options) => model.fit(x, y, { ...options, batchSize: 2 }))
    expect(await seen((model, options) => model.fit(rows().batch(2), options))).toEqual(arrays)
    expect(await seen((model, options) => model.fit(rows().batch(2).repeat(), options))).toEqual(arrays)
    // A one-shot generator is enough, because no second pass begins.
    expect(await seen((model, options) => model.fit(waiting(pairs(2)), options))).not.toEqual([])
  })

  it('end with the data, and report it once', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    const steps: number[] = []
    await makeModel().fit(
      rows().batch(11),
      quiet({
        stepsPerEpoch: 3,
        epochs: 3,
        callbacks: [{ onEpochBegin: () => void steps.push(0), onTrainBatchEnd: () => void steps[steps.length - 1]!++ }],
      }),
    )
    expect(steps).toEqual([2, 2, 2])
    expect(warn.mock.calls).toEqual([
      ['fit: the data ended after 2 steps, before the 3 of stepsPerEpoch. Use repeat() to read them again.'],
    ])
    warn.mockRestore()
  })

  it('of endless data need a number of steps', async () => {
    const model = makeModel()
    const endless = rows().batch(4).repeat()
    await expectError(
      model,
      () => model.fit(endless, quiet()),
      ArgumentError,
      'the data are endless. Set stepsPerEpoch.',
    )
    await expectError(
      model,
      () => model.fit(x, y, quiet({ validationData: endless })),
      ArgumentError,
      'validationSteps',
    )
    expect(await errorOf(() => model.evaluate(endless))).toBeInstanceOf(ArgumentError)
    expect(await errorOf(() => model.predict(endless))).toBeInstanceOf(ArgumentError)
    const { history } = await model.fit(
      endless,
      quiet({ stepsPerEpoch: 5, validationData: endless, validationSteps: 2 }),
    )
    expect(history['valLoss']).toHaveLength(1)
  })

  it('have different orders if elements are shuffled, the same in every run', async () => {
    const orders = async () => {
      setRandomSeed(9)
      const model = makeModel()
      const seen: number[][] = []
      const shuffled = Dataset.range(ROWS)
        .shuffle(ROWS, { seed: 1 })
        .map((i) => (seen.at(-1)!.push(i), { x: x[i]!, y: y[i]! }))
      await model.fit(
        shuffled.batch(4),
        quiet({ epochs: 3, callbacks: [{ onEpochEnd: () => void seen.push([]) }], ...(seen.push([]), {}) }),
      )
      return seen
    }
    const first = (await orders()).flat()
    expect(first).toHaveLength(3 * ROWS)
    expect(first.slice(0, ROWS)).not.toEqual(first.slice(ROWS, 2 * ROWS))
    expect((await orders()).flat()).toEqual(first)
  })

  it('callbacks receive batches, may stop, and may evaluate on a dataset', async () => {
    const model = makeModel()
    const heard: string[] = []
    const inside: Logs[] = []
    const { epoch } = await model.fit(
      () => waiting(pairs()),
      quiet({
        epochs: 5,
        callbacks: [
          {
            setParams: ({ steps }) => heard.push(String(steps)),
            onTrainBatchBegin: (batch) => void heard.push(`begin ${batch}`),
            onTrainBatchEnd(batch) {
              heard.push(`end ${batch}`)
              if (heard.length > 16) model.stopTraining = true
            },
            onEpochEnd: async () => void inside.push(await model.evaluate(rows().batch(4))),
          },
        ],
      }),
    )
    expect(heard.slice(0, 5)).toEqual(['null', 'begin 0', 'end 0', 'begin 1', 'end 1'])
    expect(epoch).toEqual([0, 1])
    expect(inside).toHaveLength(2)
  })
})

describe('errors', () => {
  it.each<[string, (model: Sequential) => Promise<unknown>, new (...rest: never[]) => Error, ...string[]]>([
    [
      'rows instead of batches',
      (model) => model.fit(rows(), quiet()),
      ShapeError,
      'fit, batch 0:',
      'Is it a row? Then make batches of the data set: .batch(32).',
    ],
    [
      'rows of lists and single targets',
      (model) => model.fit(Dataset.from([[[1, 2, 3], 0]]), quiet()),
      ShapeError,
      'fit, batch 0: y: needs a batch axis, received the single value 0. Is it a row? Then make batches of the data set: .batch(32).',
    ],
    [
      'rows of lists',
      (model) => model.evaluate(Dataset.from([{ x: [1, 2, 3], y: [0] }])),
      ShapeError,
      'evaluate, batch 0: x and y must have the same number of rows, received 3 and 1. Is it a row?',
    ],
    [
      'single inputs',
      (model) => model.predict(Dataset.from([1, 2, 3])),
      ShapeError,
      'predict, batch 0: x: needs a batch axis, received the single value 1. Is it a row?',
    ],
    ['no batches', (model) => model.fit(Dataset.from([]), quiet()), DataError, 'the data have no batches'],
    [
      'separate targets',
      (model) => model.fit(rows().batch(4) as never, y, quiet()),
      ArgumentError,
      'targets come with the batches',
    ],
    [
      'validationSplit',
      (model) => model.fit(rows().batch(4), quiet({ validationSplit: 0.5 })),
      ArgumentError,
      'validationSplit is for arrays. Give other batches as validationData.',
    ],
    [
      'sampleWeight',
      (model) => model.fit(rows().batch(4), quiet({ sampleWeight: weights })),
      ArgumentError,
      'sampleWeight is for arrays. Put the weights into the batches: [x, y, sampleWeight].',
    ],
    [
      'no targets',
      (model) => model.fit(Dataset.fromTensorSlices(x).batch(4), quiet()),
      ArgumentError,
      'batch 0',
      'targets are missing',
    ],
    ['four parts', (model) => model.fit([[x, y, weights, x]].values() as never, quiet()), ArgumentError, 'a list of 4'],
    [
      'another width',
      (model) => model.fit(Dataset.fromTensorSlices({ x: x.map((row) => [...row, 1]), y }).batch(4), quiet()),
      ShapeError,
      'batch 0',
      '[batch, 3]',
    ],
    [
      'labels out of range',
      (model) => model.fit(Dataset.fromTensorSlices({ x, y: y.map(() => [2]) }).batch(4), quiet()),
      DataError,
      'batch 0',
      'between 0 and 1',
    ],
    [
      'validation rows',
      (model) => model.fit(x, y, quiet({ validationData: rows() })),
      ShapeError,
      'fit: validationData, batch 0',
    ],
    ['a step of 0', (model) => model.fit(rows().batch(4), quiet({ stepsPerEpoch: 0 })), ArgumentError, 'stepsPerEpoch'],
    [
      'steps of validation',
      (model) => model.fit(rows().batch(4), quiet({ validationSteps: 1.5 })),
      ArgumentError,
      'validationSteps',
    ],
  ])('%s', async (_title, run, type, ...parts) => {
    const model = makeModel()
    await expectError(model, () => run(model), type as never, ...parts)
    await model.fit(rows().batch(4), quiet())
  })

  it('a bad batch in the middle leaves the weights of the step before it', async () => {
    const bad = [...pairs().slice(0, 3), [x.slice(0, 4).map(() => [NaN, 0, 0]), y.slice(0, 4)] as const]
    for (const data of [() => bad, () => waiting(bad)]) {
      const [model, reference] = [makeModel(), makeModel()]
      const error = await errorOf(() => model.fit(data as never, quiet()))
      expect(error).toBeInstanceOf(DataError)
      expect(error.message).toContain('fit, batch 3: x: every element must be a finite number')
      await reference.fit(() => pairs().slice(0, 3), quiet())
      expect(weightsOf(model)).toEqual(weightsOf(reference))
    }
  })

  it('a non-finite step is reported with its number', async () => {
    const model = new Sequential([new Dense({ units: 1, inputShape: [3] })])
    model.compile({ optimizer: 'sgd', loss: 'mse' })
    const huge = [pairs()[0]!, [[[1e30, 1e30, 1e30]], [[1e30]]] as const]
    const error = await errorOf(() => model.fit(() => huge as never, quiet()))
    expect(error).toBeInstanceOf(NonFiniteError)
    expect((error as NonFiniteError).step).toBe(2)
  })

  it('an error of the source reaches the caller, and the source is closed', async () => {
    let closed = 0
    const model = makeModel()
    const failing = () =>
      (function* () {
        try {
          yield pairs()[0]!
          yield pairs()[1]!
          throw new RangeError('the disk is gone')
        } finally {
          closed++
        }
      })()
    expect(await errorOf(() => model.fit(failing, quiet()))).toEqual(new RangeError('the disk is gone'))
    const abort = new AbortController()
    const endless = () =>
      (function* () {
        try {
          for (;;) yield pairs()[0]!
        } finally {
          closed++
        }
      })()
    setTimeout(() => abort.abort(new Error('enough')), 30)
    expect(((await errorOf(() => model.fit(endless, quiet({ signal: abort.signal })))) as Error).message).toBe('enough')
    expect(closed).toBe(2)
  })

  it('releases the data if callbacks are refused', async () => {
    let closed = 0
    const data = () =>
      (function* () {
        try {
          yield* pairs()
        } finally {
          closed++
        }
      })()
    const refusing = {
      setModel() {
        throw new RangeError('not this one')
      },
    }
    expect(
      await errorOf(() => makeModel().fit(data, quiet({ callbacks: [refusing], validationData: data as never }))),
    ).toEqual(new RangeError('not this one'))
    expect(closed).toBe(2)
  })

  it('can be aborted while it waits for a batch that never comes', async () => {
    const stalled = async function* () {
      yield pairs()[0]!
      await new Promise(() => {})
    }
    const never = async function* () {
      await new Promise(() => {})
      yield pairs()[0]!
    }
    const model = makeModel()
    const enough = async (run: (signal: AbortSignal) => Promise<unknown>) => {
      const abort = new AbortController()
      setTimeout(() => abort.abort(new Error('enough')), 10)
      expect((await errorOf(() => run(abort.signal))).message).toBe('enough')
    }
    await enough((signal) => model.fit(stalled, quiet({ signal })))
    await enough((signal) => model.fit(never, quiet({ signal })))
    await enough((signal) => model.evaluate(stalled, { signal }))
    await enough((signal) =>
      model.predict(
        () =>
          (async function* () {
            for await (const [own] of stalled()) yield [own]
          })(),
        { signal },
      ),
    )
    await model.fit(x, y, quiet())
  })

  it('nothing else runs while evaluate waits for its first batch', async () => {
    const model = makeModel()
    await model.fit(x, y, quiet())
    const expected = await model.evaluate(x, y, { batchSize: 4 })
    const running = model.evaluate(() => waiting(pairs()))
    expect(await errorOf(() => model.fit(x, y, quiet()))).toBeInstanceOf(StateError)
    expect(await errorOf(async () => model.compile({ optimizer: 'sgd', loss: 'mse' }))).toBeInstanceOf(StateError)
    expect(await running).toEqual(expected)
  })

  it('evaluate takes the first pass of a dataset, however long the model was trained', async () => {
    const some = rows().shuffle(ROWS, { seed: 2 }).batch(4).take(2)
    const model = makeModel()
    const before = await model.evaluate(some)
    const weightsBefore = model.getWeights()
    await model.fit(x, y, quiet({ epochs: 2 }))
    model.setWeights(weightsBefore)
    expect(await model.evaluate(some)).toEqual(before)
  })

  it('a second fit during fit is refused', async () => {
    const model = makeModel()
    const running = model.fit(() => waiting(pairs()), quiet())
    expect(await errorOf(() => model.fit(rows().batch(4), quiet()))).toBeInstanceOf(StateError)
    await running
  })

  it('a one-shot generator cannot start a second epoch', async () => {
    const model = makeModel()
    const error = await errorOf(() => model.fit(waiting(pairs()), quiet({ epochs: 2 })))
    expect(error.message).toContain('Give a function')
  })
})

it('the memory of batches is reused, and kept values are unchanged', async () => {
  const model = makeModel()
  const reference = makeModel()
  const seen: Tensor[] = []
  const buffers = new Set<ArrayBufferLike>()
  const direct = rows().batch(4)
  const watched = direct.map((batch) => (seen.push(batch.x), batch))
  await reference.fit(watched, quiet({ epochs: 2 }))
  // A batch that passes through another stage may be kept: it is not overwritten.
  expect(seen.slice(0, 6).flatMap(({ data }) => [...data])).toEqual([...tensor(x).data])
  for await (const { x: each } of direct) buffers.add(each.data.buffer)
  expect(buffers.size).toBe(6)
  await model.fit(direct, quiet({ epochs: 2 }))
  expect(weightsOf(model)).toEqual(weightsOf(reference))
  const padded = Dataset.from([[1, 2, 3], [4], [5], [6, 7], [8, 9, 1], [2]]).paddedBatch(2, { padValue: -1 })
  const cursor = padded.open(0)
  const first = cursor.next() as Tensor
  void cursor.next()
  cursor.recycle!(first)
  expect((cursor.next() as Tensor).toArray()).toEqual([
    [8, 9, 1],
    [2, -1, -1],
  ])
})

describe('the event loop gets turns, and abort works', () => {
  const bad = async (data: () => AsyncGenerator<unknown>) => {
    const abort = new AbortController()
    let turns = 0
    // Training ends when timers had three turns, however long they take.
    const timer = setInterval(() => {
      if (++turns === 3) abort.abort(new Error('enough'))
    }, 5)
    const error = await errorOf(() =>
      makeModel().fit(data as never, quiet({ stepsPerEpoch: 1e9, signal: abort.signal })),
    )
    clearInterval(timer)
    expect(error.message).toBe('enough')
    return turns
  }

  it('for batches that are promises fulfilled at once', async () => {
    expect(
      await bad(async function* () {
        for (;;) yield pairs()[0]
      }),
    ).toBeGreaterThan(1)
  })

  it('for a batch that never comes', async () => {
    expect(
      await bad(async function* () {
        yield pairs()[0]
        await new Promise(() => undefined)
      }),
    ).toBeGreaterThan(1)
  })
})

it('validation takes the rest of a one-shot source', async () => {
  const endless = (function* () {
    for (;;) yield pairs()[0]!
  })()
  const { history } = await makeModel().fit(x, y, quiet({ epochs: 3, validationData: endless, validationSteps: 2 }))
  expect(history['valLoss']).toHaveLength(3)
})

it('predict takes verbose, as Keras does, and prints nothing', async () => {
  const log = vi.spyOn(console, 'log')
  const model = makeModel()
  expect((await model.predict(x, { verbose: 1 })).toArray()).toEqual((await model.predict(x)).toArray())
  expect(log).not.toHaveBeenCalled()
  log.mockRestore()
  expect(await errorOf(() => model.predict(x, { verbose: 3 as never }))).toBeInstanceOf(ArgumentError)
})
