// fit with different data and options. tests/callbacks tests callbacks, errors.test.ts errors.
// modes: simd, interpreter
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import {
  Adam,
  Dense,
  SGD,
  Sequential,
  StateError,
  Variable,
  runtimeInfo,
  setRandomSeed,
  tensor,
  disassemble,
  type CompileOptions,
  type FitOptions,
  type Logs,
} from '../../src'
import { permute } from '../../src/core/permute'
import { orderKey } from '../../src/data/samples/row-source'
import { expectNear } from '../helpers/golden'
import { binaryModel, errorOf, ordersOf, samples, stateOf, weightsOf } from '../helpers/training'

const { x, yes } = samples(20)
const sorted = (rows: readonly number[]): number[] => [...rows].sort((a, b) => a - b)
const upTo = (end: number): number[] => Array.from({ length: end }, (_, i) => i)

/** A model that cannot learn: its logs depend only on the data. */
function frozenModel(options: Partial<CompileOptions> = {}): Sequential {
  setRandomSeed(4)
  const model = new Sequential([new Dense({ units: 1, inputShape: [4] })])
  model.compile({ optimizer: new SGD({ learningRate: 0 }), loss: 'mse', ...options })
  return model
}

describe('validationSplit', () => {
  it.each([
    [10, 0.25, 7],
    [10, 0.3, 7],
    [9, 0.5, 4],
    [16, 0.1, 14],
  ])('of %d rows by %d trains on the first %d', async (rows, validationSplit, first) => {
    const orders = await ordersOf(rows, { validationSplit, epochs: 2 })
    expect(orders.map(sorted)).toEqual([upTo(first), upTo(first)])
  })

  it('validates on the last rows, whatever the order of training', async () => {
    const { numbers } = samples(20)
    const model = frozenModel()
    const { history } = await model.fit(x, numbers, { validationSplit: 0.25, shuffle: true, verbose: 0 })
    expectNear(history['valLoss']!, [(await model.evaluate(x.slice(15), numbers.slice(15))).loss], 'valLoss')
    expectNear(history['loss']!, [(await model.evaluate(x.slice(0, 15), numbers.slice(0, 15))).loss], 'loss')
  })

  it('splits the sample weights with the rows', async () => {
    const { numbers } = samples(20)
    const sampleWeight = upTo(20).map((i) => i / 10)
    const model = frozenModel()
    const { history } = await model.fit(x, numbers, { validationSplit: 0.25, sampleWeight, verbose: 0 })
    const last = await model.evaluate(x.slice(15), numbers.slice(15), { sampleWeight: sampleWeight.slice(15) })
    expectNear(history['valLoss']!, [last.loss], 'valLoss')
  })

  it('does not apply class weights to validation data', async () => {
    const model = frozenModel({ loss: 'binaryCrossentropy' })
    const { history } = await model.fit(x, yes, { validationSplit: 0.5, classWeight: { 0: 3, 1: 5 }, verbose: 0 })
    expectNear(history['valLoss']!, [(await model.evaluate(x.slice(10), yes.slice(10))).loss], 'valLoss')
    const sampleWeight = yes.slice(0, 10).map(([label]) => (label === 1 ? 5 : 3))
    const weighed = await model.evaluate(x.slice(0, 10), yes.slice(0, 10), { sampleWeight })
    expectNear(history['loss']!, [weighed.loss], 'loss')
  })
})

describe('shuffle', () => {
  it('uses every row once per epoch, in another order each time', async () => {
    setRandomSeed(1)
    const orders = await ordersOf(12, { epochs: 4 })
    for (const order of orders) expect(sorted(order)).toEqual(upTo(12))
    expect(new Set(orders.map((order) => order.join())).size).toBe(4)
    expect(orders[0]).not.toEqual(upTo(12))
  })

  it('repeats after setRandomSeed, and differs with another seed', async () => {
    const withSeed = (seed: number) => {
      setRandomSeed(seed)
      return ordersOf(12, { epochs: 3 })
    }
    const first = await withSeed(5)
    expect(await withSeed(5)).toEqual(first)
    expect(await withSeed(6)).not.toEqual(first)
  })

  it('false keeps the order', async () => {
    expect(await ordersOf(7, { epochs: 2, shuffle: false })).toEqual([upTo(7), upTo(7)])
  })
})

describe('epochs', () => {
  it('initialEpoch counts from there', async () => {
    const model = binaryModel()
    const history = await model.fit(x, yes, { initialEpoch: 3, epochs: 5, verbose: 0 })
    expect(history.epoch).toEqual([3, 4])
    expect(history.history['loss']).toHaveLength(2)
  })

  it('nothing is trained if initialEpoch is the last', async () => {
    const model = binaryModel()
    const before = weightsOf(model)
    const history = await model.fit(x, yes, { initialEpoch: 2, epochs: 2, verbose: 0 })
    expect(history.epoch).toEqual([])
    expect(weightsOf(model)).toEqual(before)
  })

  it('a second fit continues where the first ended', async () => {
    const twice = binaryModel()
    await twice.fit(x, yes, { epochs: 2, batchSize: 8, verbose: 0 })
    await twice.fit(x, yes, { epochs: 2, batchSize: 8, verbose: 0 })
    const once = binaryModel()
    await once.fit(x, yes, { epochs: 4, batchSize: 8, verbose: 0 })
    expect(stateOf(twice)).toEqual(stateOf(once))
    expect(once.optimizer.iterations.value.item()).toBe(12)
  })

  it('compile resets the optimizer and keeps the weights', async () => {
    const model = binaryModel()
    await model.fit(x, yes, { epochs: 2, verbose: 0 })
    const before = weightsOf(model)
    model.compile({ optimizer: 'adam', loss: 'mse' })
    expect(weightsOf(model)).toEqual(before)
    expect(model.optimizer.iterations.value.item()).toBe(0)
    await model.fit(x, yes, { verbose: 0 })
    expect(model.optimizer.iterations.value.item()).toBe(1)
  })
})

describe('batches', () => {
  it.each([
    [20, 1],
    [7, 3],
    [19, 2],
    [64, 1],
    [1, 20],
  ])('of %d make %d steps of 20 rows', async (batchSize, steps) => {
    const model = binaryModel()
    const { history } = await model.fit(x, yes, { batchSize, epochs: 1, verbose: 0 })
    expect(model.optimizer.iterations.value.item()).toBe(steps)
    expect(history['loss']!.every(Number.isFinite)).toBe(true)
  })

  it('the loss of an epoch is the mean over rows, not over batches', async () => {
    const { numbers } = samples(20)
    const model = frozenModel({ metrics: ['mae'] })
    const ragged = await model.fit(x, numbers, { batchSize: 7, verbose: 0 })
    const whole = await model.evaluate(x, numbers, { batchSize: 20 })
    expectNear(ragged.history['loss']!, [whole.loss], 'loss')
    expectNear(ragged.history['mae']!, [whole['mae']!], 'mae')
  })

  it.each([1, 3, 20, 100])('predict in batches of %d gives the rows in order', async (batchSize) => {
    const model = binaryModel()
    const whole = model.predictOnBatch(x)
    const parts = await model.predict(x, { batchSize })
    expect(parts.shape).toEqual([20, 1])
    expectNear(parts.data, whole.data, 'predictions', 1e-6)
  })

  it('predict reads all numbers, also of a batch like the last', async () => {
    const model = binaryModel()
    const row = [[0.5, 0.25, -0.75, 0.125]]
    const first = await model.predict(row)
    expect((await model.predict(row)).data).toEqual(first.data)
    expect((await errorOf(() => model.predict([[0.5, NaN, 0, 0]]))).message).toMatch(/finite number/)
  })

  it('trainOnBatch equals fit on one batch, and reports that batch alone', async () => {
    const [a, b] = [binaryModel(), binaryModel()]
    const { history } = await a.fit(x, yes, { batchSize: 20, shuffle: false, epochs: 2, verbose: 0 })
    const logs = [b.trainOnBatch(x, yes), b.trainOnBatch(x, yes)]
    expect(stateOf(b)).toEqual(stateOf(a))
    expect(logs.map(({ loss }) => loss)).toEqual(history['loss'])
    expect(b.testOnBatch(x, yes)).toEqual(await b.evaluate(x, yes))
  })

  it('predictOnBatch keeps fractions after integers of the same shape', () => {
    const model = binaryModel()
    const fractions = [[0.5, 0.25, -0.75, 0.125]]
    const before = model.predictOnBatch(fractions).data
    model.predictOnBatch(tensor({ data: Int32Array.of(1, 2, 3, 4), shape: [1, 4] }))
    expect(model.predictOnBatch(fractions).data).toEqual(before)
  })
})

describe('sample weights', () => {
  it('a weight of 0 removes a row, of 2 counts it twice', async () => {
    const { numbers } = samples(6)
    const rows = x.slice(0, 6)
    const model = frozenModel()
    const each = [0, 1, 2, 3, 4, 5].map((i) => model.testOnBatch([rows[i]!], [numbers[i]!]).loss)
    const sampleWeight = [0, 1, 2, 0, 1, 0]
    const expected = sampleWeight.reduce((sum, weight, i) => sum + weight * each[i]!, 0) / 6
    expectNear([(await model.evaluate(rows, numbers, { sampleWeight })).loss], [expected], 'loss')
  })

  it('classWeight and sampleWeight multiply', async () => {
    const classes = { 0: 0.5, 1: 3 }
    const sampleWeight = upTo(20).map((i) => 0.1 + i / 20)
    const both = binaryModel()
    await both.fit(x, yes, { classWeight: classes, sampleWeight, shuffle: false, verbose: 0 })
    const product = binaryModel()
    const weights = sampleWeight.map((weight, i) => weight * (yes[i]![0] === 1 ? classes[1] : classes[0]))
    await product.fit(x, yes, { sampleWeight: weights, shuffle: false, verbose: 0 })
    weightsOf(both).forEach((weight, i) => expectNear(weight, weightsOf(product)[i]!, 'weights', 1e-6))
  })

  it('apply to validation data, and to weightedMetrics only', async () => {
    const model = frozenModel({ loss: 'binaryCrossentropy', metrics: ['accuracy'], weightedMetrics: ['accuracy'] })
    const weights = upTo(20).map((i) => (i < 10 ? 0 : 1))
    const { history } = await model.fit(x, yes, { validationData: [x, yes, weights], verbose: 0 })
    expect(Object.keys(history)).toEqual([
      'loss',
      'accuracy',
      'weightedAccuracy',
      'valLoss',
      'valAccuracy',
      'valWeightedAccuracy',
    ])
    const all = await model.evaluate(x, yes)
    const last = await model.evaluate(x.slice(10), yes.slice(10))
    expectNear(history['valAccuracy']!, [all['accuracy']!], 'valAccuracy')
    expectNear(history['valWeightedAccuracy']!, [last['accuracy']!], 'valWeightedAccuracy')
    expectNear(history['valLoss']!, [last.loss / 2], 'valLoss')
  })
})

describe('validation', () => {
  it('validationFreq skips epochs', async () => {
    const model = binaryModel()
    const tests: number[] = []
    let epoch = -1
    const callbacks = [
      { onEpochBegin: (number: number) => void (epoch = number), onTestBegin: () => void tests.push(epoch) },
    ]
    const { history } = await model.fit(x, yes, {
      epochs: 7,
      validationData: [x, yes],
      validationFreq: 3,
      verbose: 0,
      callbacks,
    })
    expect(tests).toEqual([2, 5])
    expect(history['valLoss']).toHaveLength(2)
    expect(history['loss']).toHaveLength(7)
  })

  it('validationFreq may be a list of epochs', async () => {
    const tests: number[] = []
    let epoch = -1
    const callbacks = {
      onEpochBegin: (number: number) => void (epoch = number),
      onTestBegin: () => void tests.push(epoch),
    }
    await binaryModel().fit(x, yes, {
      epochs: 5,
      validationData: [x, yes],
      validationFreq: [1, 3, 9],
      verbose: 0,
      callbacks,
    })
    expect(tests).toEqual([0, 2])
  })

  it('no epochs give an empty history; callbacks receive the begin and the end', async () => {
    const model = binaryModel()
    const before = weightsOf(model)
    const calls: unknown[] = []
    const callbacks = {
      onTrainBegin: () => void calls.push('begin'),
      onEpochBegin: () => void calls.push('epoch'),
      onTrainEnd: (logs: unknown) => void calls.push(logs),
    }
    const { history, epoch } = await model.fit(x, yes, { epochs: 0, callbacks })
    expect([history, epoch, calls]).toEqual([{}, [], ['begin', null]])
    expect(weightsOf(model)).toEqual(before)
  })

  it('does not change weights, optimizer and the training logs', async () => {
    const options = { epochs: 3, batchSize: 8, verbose: 0 as const }
    const [plain, validated] = [binaryModel(), binaryModel()]
    const first = await plain.fit(x, yes, options)
    const second = await validated.fit(x, yes, {
      ...options,
      validationData: [x.slice(5), yes.slice(5)],
      validationBatchSize: 3,
    })
    expect(stateOf(validated)).toEqual(stateOf(plain))
    expect(second.history['loss']).toEqual(first.history['loss'])
    expect(second.history['accuracy']).toEqual(first.history['accuracy'])
  })

  it('evaluate and predict do not change the model', async () => {
    const model = binaryModel()
    await model.fit(x, yes, { verbose: 0 })
    const before = stateOf(model)
    await model.evaluate(x, yes, { batchSize: 6 })
    await model.predict(x)
    model.predictOnBatch(x)
    model.testOnBatch(x, yes)
    expect(stateOf(model)).toEqual(before)
  })
})

describe('data in', () => {
  const { labels } = samples(20)
  const flat = Float32Array.from(x.flat())

  async function trained(
    inputs: Parameters<Sequential['fit']>[0],
    targets: Parameters<Sequential['fit']>[1],
  ): Promise<number[][]> {
    const model = binaryModel()
    await model.fit(inputs, targets, { epochs: 2, batchSize: 8, verbose: 0 })
    return weightsOf(model)
  }

  it('nested arrays, typed arrays with a shape and tensors train the same', async () => {
    const expected = await trained(x, yes)
    const targets = Float32Array.from(yes.flat())
    expect(await trained({ data: flat, shape: [20, 4] }, { data: targets, shape: [20, 1] })).toEqual(expected)
    expect(await trained(tensor(x), tensor(yes))).toEqual(expected)
    expect(await trained({ data: Array.from(flat), shape: [20, 4] }, targets)).toEqual(expected)
    expect(await trained({ data: Float64Array.from(flat), shape: [20, 4] }, yes)).toEqual(expected)
  })

  it('targets [n] and [n, 1], of every dtype, train the same', async () => {
    const expected = await trained(x, yes)
    const flatTargets = yes.flat()
    expect(await trained(x, flatTargets)).toEqual(expected)
    expect(await trained(x, Int32Array.from(flatTargets))).toEqual(expected)
    expect(await trained(x, Uint8Array.from(flatTargets))).toEqual(expected)
    expect(
      await trained(
        x,
        flatTargets.map((label) => label === 1),
      ),
    ).toEqual(expected)
    expect(await trained(x, { data: Int32Array.from(flatTargets), shape: [20, 1] })).toEqual(expected)
  })

  it('class numbers come as float32, int32, [n] or [n, 1], and equal one-hot rows', async () => {
    const train = async (loss: string, targets: Parameters<Sequential['fit']>[1]) => {
      setRandomSeed(2)
      const model = new Sequential([new Dense({ units: 3, activation: 'softmax', inputShape: [4] })])
      model.compile({ optimizer: 'sgd', loss, metrics: ['accuracy'] })
      const { history } = await model.fit(x, targets, { epochs: 2, batchSize: 8, verbose: 0 })
      return [...weightsOf(model), history['accuracy']!, history['loss']!]
    }
    const expected = await train('sparseCategoricalCrossentropy', labels)
    expect(await train('sparse_categorical_crossentropy', Int32Array.from(labels))).toEqual(expected)
    expect(
      await train(
        'SparseCategoricalCrossentropy',
        labels.map((label) => [label]),
      ),
    ).toEqual(expected)
    const oneHot = labels.map((label) => [0, 1, 2].map((k) => Number(k === label)))
    ;(await train('categoricalCrossentropy', oneHot)).forEach((values, i) =>
      expectNear(values, expected[i]!, 'one-hot', 1e-6),
    )
  })

  it('is not changed by training', async () => {
    const inputs = tensor(x)
    const targets = Float32Array.from(yes.flat())
    const before = [Array.from(inputs.data), Array.from(targets)]
    await binaryModel().fit(inputs, targets, { epochs: 2, verbose: 0 })
    expect([Array.from(inputs.data), Array.from(targets)]).toEqual(before)
  })

  it('weights are made for the first data if no inputShape is given', async () => {
    const model = new Sequential([new Dense({ units: 2, activation: 'relu' }), new Dense({ units: 1 })])
    model.compile({ loss: 'mse' })
    expect(model.getWeights()).toEqual([])
    await model.fit(x, yes, { verbose: 0 })
    expect(model.getWeights().map(({ shape }) => shape)).toEqual([[4, 2], [2], [2, 1], [1]])
  })
})

describe('the copy of the dataset in linear memory', () => {
  const fitted = async (options: FitOptions, columns = 4): Promise<{ model: Sequential; loss: number[] }> => {
    const { x, yes } = samples(21, columns)
    const model = binaryModel({ features: columns })
    const { history } = await model.fit(x, yes, { batchSize: 8, epochs: 3, verbose: 0, ...options })
    return { model, loss: history['loss']! }
  }

  it('gives the rows in the drawn order, with their targets and weights', async () => {
    const { x, yes } = samples(21)
    const sampleWeight = upTo(21).map((row) => 1 + row)
    const { model } = await fitted({ epochs: 1, sampleWeight })
    const reference = binaryModel()
    const drawn = new Int32Array(21)
    permute(drawn, 21, orderKey(reference.training.shuffleState.seed, 0))
    const order = Array.from(drawn)
    for (let start = 0; start < 21; start += 8) {
      const rows = order.slice(start, start + 8)
      reference.trainOnBatch(
        rows.map((row) => x[row]!),
        rows.map((row) => yes[row]!),
        { sampleWeight: rows.map((row) => sampleWeight[row]!) },
      )
    }
    expect(weightsOf(model)).toEqual(weightsOf(reference))
  })

  it('survives growth of the memory in the middle of an epoch', async () => {
    const kept: unknown[] = []
    const grow = (): void => {
      const { reservedBytes } = runtimeInfo().memory
      kept.push(new Variable([reservedBytes / 4]))
    }
    const undisturbed = await fitted({})
    const disturbed = await fitted({
      callbacks: [{ onTrainBatchEnd: (batch) => (batch === 1 && kept.length < 2 ? grow() : undefined) }],
    })
    expect(kept).toHaveLength(2)
    expect(stateOf(disturbed.model)).toEqual(stateOf(undisturbed.model))
    expect(disturbed.loss).toEqual(undisturbed.loss)
  })

  it.each(['ends', 'fails', 'is aborted'])('is freed when fit %s', async (how) => {
    const rows = 5000
    const { x, yes } = samples(rows)
    const model = binaryModel()
    await model.fit(x.slice(0, 40), yes.slice(0, 40), { verbose: 0 })
    const before = runtimeInfo().memory.usedBytes
    const abort = new AbortController()
    let during = 0
    const onEpochEnd = (): void => {
      during = runtimeInfo().memory.usedBytes
      if (how === 'fails') throw new Error('no more')
      if (how === 'is aborted') abort.abort()
    }
    await model
      .fit(x, yes, { batchSize: 40, verbose: 0, signal: abort.signal, callbacks: [{ onEpochEnd }] })
      .catch(() => undefined)
    const bytes = 4 * rows * (4 + 1)
    if (runtimeInfo().backend === 'wasm') expect(during).toBeGreaterThan(bytes)
    expect(runtimeInfo().memory.usedBytes - before).toBeLessThan(bytes)
  })
})

describe('the event loop', () => {
  it('gets its turn after a prediction as long as the last one', async () => {
    const model = binaryModel()
    await model.predict(x)
    let [now, turns] = [0, 0]
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => (now += 20))
    setImmediate(() => turns++)
    await model.predict(x)
    clock.mockRestore()
    expect(turns).toBe(1)
  })

  it('gets its turns during a long fit', async () => {
    const { x, yes } = samples(256)
    const model = binaryModel()
    model.trainOnBatch(x.slice(0, 4), yes.slice(0, 4))
    const turns = { timers: 0, immediates: 0 }
    const timer = setInterval(() => turns.timers++, 1)
    let running = true
    const count = (): void => {
      turns.immediates++
      if (running) setImmediate(count)
    }
    setImmediate(count)
    const start = performance.now()
    const cpu = process.cpuUsage()
    const onEpochEnd = (): void => {
      const enough = Math.min(turns.timers, turns.immediates) >= 10
      if (enough || performance.now() - start > 10_000) model.stopTraining = true
    }
    await model.fit(x, yes, { epochs: 1e6, batchSize: 4, verbose: 0, callbacks: [{ onEpochEnd }] })
    running = false
    clearInterval(timer)
    expect(turns.timers).toBeGreaterThanOrEqual(10)
    expect(turns.immediates).toBeGreaterThanOrEqual(10)
    // Slices are 10 ms. Measures processor time, so that a busy machine makes no difference.
    const { user, system } = process.cpuUsage(cpu)
    expect((user + system) / 1000 / turns.timers).toBeLessThan(50)
  })

  it('a second fit, evaluate, trainOnBatch or compile during fit is refused', async () => {
    const model = binaryModel()
    const reference = binaryModel()
    const running = model.fit(x, yes, { epochs: 3, batchSize: 8, verbose: 0 })
    for (const action of [
      () => model.fit(x, yes),
      () => model.evaluate(x, yes),
      () => model.trainOnBatch(x, yes),
      () => model.compile({ loss: 'mse' }),
    ]) {
      const error = await errorOf(action)
      expect(error).toBeInstanceOf(StateError)
      expect(error.message).toMatch(/while fit or evaluate is running/)
    }
    await running
    await reference.fit(x, yes, { epochs: 3, batchSize: 8, verbose: 0 })
    expect(stateOf(model)).toEqual(stateOf(reference))
    await model.fit(x, yes, { verbose: 0 })
  })

  it('predict during fit uses the current weights and disturbs nothing', async () => {
    const model = binaryModel()
    const reference = binaryModel()
    const options = { epochs: 4, batchSize: 8, verbose: 0 as const }
    const seen: Float32Array[] = []
    const callbacks = [
      {
        onEpochEnd: async () => {
          seen.push(Float32Array.from((await model.predict(x)).data))
        },
      },
    ]
    await model.fit(x, yes, { ...options, callbacks })
    await reference.fit(x, yes, options)
    expect(stateOf(model)).toEqual(stateOf(reference))
    expect(seen[3]).toEqual((await model.predict(x)).data)
    expect(seen[0]).not.toEqual(seen[3])
  })
})

describe('AbortSignal', () => {
  async function expectUsable(model: Sequential): Promise<void> {
    expect(weightsOf(model).flat().every(Number.isFinite)).toBe(true)
    const { history } = await model.fit(x, yes, { epochs: 2, verbose: 0 })
    expect(history['loss']).toHaveLength(2)
  }

  it('ends a long fit with its reason', async () => {
    const model = binaryModel()
    const before = weightsOf(model)
    const controller = new AbortController()
    const reason = new Error('the user left')
    const fit = model.fit(x, yes, { epochs: 1e6, batchSize: 4, verbose: 0, signal: controller.signal })
    const error = errorOf(() => fit)
    // However busy the machine is.
    while (weightsOf(model).join() === before.join()) await sleep(1)
    controller.abort(reason)
    expect(await error).toBe(reason)
    await expectUsable(model)
  })

  it('that is aborted before fit trains nothing', async () => {
    const model = binaryModel()
    const before = weightsOf(model)
    const signal = AbortSignal.abort()
    const error = await errorOf(() => model.fit(x, yes, { verbose: 0, signal }))
    expect(error).toBe(signal.reason)
    expect(weightsOf(model)).toEqual(before)
    await expectUsable(model)
  })

  it.each(['onTrainBatchEnd', 'onEpochEnd', 'onTestEnd'] as const)('in %s ends fit there', async (method) => {
    const model = binaryModel()
    const controller = new AbortController()
    let epochs = 0
    const callbacks = [{ onEpochBegin: () => void epochs++, [method]: () => controller.abort() }]
    const options = {
      epochs: 50,
      batchSize: 5,
      validationData: [x, yes] as const,
      verbose: 0 as const,
      callbacks,
      signal: controller.signal,
    }
    const error = await errorOf(() => model.fit(x, yes, options))
    expect(error.name).toBe('AbortError')
    expect(epochs).toBe(1)
    expect(model.optimizer.iterations.value.item()).toBe(method === 'onTrainBatchEnd' ? 1 : 4)
    await expectUsable(model)
  })

  it('ends evaluate and predict', async () => {
    const model = binaryModel()
    const signal = AbortSignal.abort(new Error('enough'))
    expect((await errorOf(() => model.evaluate(x, yes, { signal }))).message).toBe('enough')
    expect((await errorOf(() => model.predict(x, { signal }))).message).toBe('enough')
    await expectUsable(model)
  })
})

describe('the model itself', () => {
  it('learns', async () => {
    const { x, yes } = samples(64)
    const model = binaryModel({ optimizer: new Adam({ learningRate: 0.02 }) })
    const before: Logs = await model.evaluate(x, yes)
    await model.fit(x, yes, { epochs: 20, batchSize: 8, verbose: 0 })
    const after = await model.evaluate(x, yes)
    expect(after.loss).toBeLessThan(0.8 * before.loss)
    expect(after['accuracy']).toBeGreaterThan(0.8)
  })

  it('add extends a built model; pop takes its last layer off, also after compile', () => {
    const model = new Sequential([new Dense({ units: 3, inputShape: [2] })])
    model.add(new Dense({ units: 4 }))
    expect(model.getWeights().map(({ shape }) => shape)).toEqual([[2, 3], [3], [3, 4], [4]])
    const [, second] = model.layers
    expect(model.pop()).toBe(second)
    expect(model.getWeights()).toHaveLength(2)
    model.compile({ loss: 'mse' })
    expect(model.pop()).toBeInstanceOf(Dense)
    expect(model.layers).toHaveLength(0)
  })

  it('trainable = false freezes a layer, also between two fits', async () => {
    const model = binaryModel()
    await model.fit(x, yes, { verbose: 0 })
    const [hidden] = model.layers
    hidden!.trainable = false
    const before = weightsOf(model)
    await model.fit(x, yes, { epochs: 3, verbose: 0 })
    const after = weightsOf(model)
    expect(after.slice(0, 2)).toEqual(before.slice(0, 2))
    expect(after.slice(2)).not.toEqual(before.slice(2))
    hidden!.trainable = true
    await model.fit(x, yes, { verbose: 0 })
    expect(weightsOf(model)[0]).not.toEqual(before[0])
  })

  it('a weight keeps its velocity when another is frozen', async () => {
    const model = binaryModel({ optimizer: new SGD({ learningRate: 0.1, momentum: 0.5 }) })
    const before = weightsOf(model)
    model.trainOnBatch(x, yes)
    const first = weightsOf(model)
    model.layers[0]!.trainable = false
    // Without a learning rate only the velocity changes the weights.
    model.optimizer.learningRate = 0
    model.trainOnBatch(x, yes)
    const second = weightsOf(model)
    expect(second.slice(0, 2)).toEqual(first.slice(0, 2))
    const expected = first.map((weight, i) => weight.map((value, j) => value + 0.5 * (value - before[i]![j]!)))
    for (const i of [2, 3]) expectNear(second[i]!, expected[i]!, `weight ${i}`, 1e-6)
    expect(second[2]).not.toEqual(first[2])
  })

  it('a model with nothing to train reports and changes nothing', async () => {
    const model = binaryModel()
    model.trainable = false
    const before = weightsOf(model)
    const { history } = await model.fit(x, yes, { epochs: 2, verbose: 0 })
    expect(weightsOf(model)).toEqual(before)
    expect(history['loss']![1]).toBeCloseTo(history['loss']![0]!, 5)
  })

  it('summary names layers, shapes and counts', () => {
    const lines: string[] = []
    binaryModel().summary({ printFn: (line) => lines.push(line) })
    const text = lines.join('\n')
    expect(text).toMatch(/hidden \(Dense\) +│ \[null, 5\] +│ +25 │/)
    expect(text).toMatch(/output \(Dense\) +│ \[null, 1\] +│ +6 │/)
    expect(text).toMatch(/Total params: 31 \(124 B\)/)
    expect(text).toMatch(/Trainable params: 31/)
    expect(text).toMatch(/Non-trainable params: 0/)
  })

  it('getLayer finds by name and by index', () => {
    const model = binaryModel()
    expect(model.getLayer('hidden')).toBe(model.layers[0])
    expect(model.getLayer(-1)).toBe(model.layers[1])
  })

  it('disassemble names the layers', async () => {
    const model = binaryModel()
    await model.fit(x, yes, { verbose: 0 })
    const train = [...disassemble(model)].find(([key]) => key.startsWith('train'))
    expect(train?.[1]).toMatch(/hidden/)
    expect(train?.[1]).toMatch(/output/)
  })
})
