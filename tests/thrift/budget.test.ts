// Training that ends at a given cost.
// modes: simd, interpreter
import { describe, expect, it, vi } from 'vitest'
import { Dense, EarlyStopping, Sequential, type CallbackMethods } from '../../src'
import { Dataset } from '../../src/entries/data'
import { Budget, EmissionsTracker, StopWhenUneconomic, ledger } from '../../src/entries/thrift'

function network() {
  const model = new Sequential([new Dense({ units: 8, inputShape: [2], activation: 'tanh' }), new Dense({ units: 1 })])
  model.compile({ optimizer: 'adam', loss: 'mse' })
  return model
}
const x = Array.from({ length: 100 }, (_, i) => [i / 100, 1 - i / 100])
const y = x.map(([a]) => [a! * a!])

describe('Budget', () => {
  it('of FLOPs: the last step that is allowed, in the middle of an epoch', async () => {
    const model = network()
    const each = ledger(model, { batchSize: 10 }).training!.flops
    const budget = new Budget({ flops: 37.5 * each })
    const history = await model.fit(x, y, { epochs: 100, batchSize: 10, verbose: 0, callbacks: [budget] })
    expect(model.optimizer.iterations.value.item()).toBe(37)
    expect(budget.ended).toEqual({ resource: 'flops', budget: 37.5 * each, spent: 37 * each, steps: 37 })
    expect(history.epoch).toEqual([0, 1, 2, 3])
    expect(model.getWeights().every(({ data }) => data.every(Number.isFinite))).toBe(true)
  })

  it('of FLOPs: an exhausted budget starts no further epoch; validation counts', async () => {
    const model = network()
    const { training, prediction } = ledger(model, { batchSize: 10 })
    const budget = new Budget({ flops: 20 * training!.flops })
    const history = await model.fit(x, y, { epochs: 100, batchSize: 10, verbose: 0, callbacks: [budget] })
    expect(model.optimizer.iterations.value.item()).toBe(20)
    expect(history.epoch).toEqual([0, 1])
    const second = network()
    const limit = 12 * training!.flops
    await second.fit(x, y, {
      epochs: 100,
      batchSize: 10,
      verbose: 0,
      validationData: [x, y],
      callbacks: [new Budget({ flops: limit })],
    })
    // Ten steps of training, and ten of validation, which cost more than a prediction.
    expect(10 * prediction.flops).toBeGreaterThan(2 * training!.flops)
    expect(second.optimizer.iterations.value.item()).toBe(10)
  })

  it('an epoch without a step has no results', async () => {
    const stopping = new EarlyStopping({ monitor: 'loss', patience: 3, restoreBestWeights: true })
    let isOver = false
    const ending: CallbackMethods = {
      stepsAhead: () => (isOver ? 0 : Infinity),
      onEpochBegin: (epoch) => void (isOver = epoch > 0),
    }
    const { history, epoch } = await network().fit(x, y, { epochs: 5, verbose: 0, callbacks: [ending, stopping] })
    expect(epoch).toEqual([0])
    expect(history['loss']).toHaveLength(1)
    expect(stopping['best']).toBe(history['loss']![0])
    const none = await network().fit(x, y, { verbose: 0, callbacks: [{ stepsAhead: () => 0 }] })
    expect(none.epoch).toEqual([])
  })

  it.each(['arrays', 'a stream of known length'])(
    'of FLOPs: a validation that does not fit does not begin: %s',
    async (kind) => {
      const model = network()
      const each = ledger(model, { batchSize: 10 }).training!.flops
      const budget = new Budget({ flops: 11 * each })
      const tracker = new EmissionsTracker()
      const begun: string[] = []
      const history = await model.fit(x, y, {
        epochs: 5,
        batchSize: 10,
        verbose: 0,
        validationData: kind === 'arrays' ? [x, y] : Dataset.from(x.map((row, i) => [row, y[i]!] as const)).batch(10),
        callbacks: [budget, tracker, { onTestBegin: () => void begun.push('test') }],
      })
      expect(begun).toEqual([])
      expect(history.history['valLoss']).toBeUndefined()
      expect(budget.ended).toMatchObject({ resource: 'flops', steps: 10 })
      expect(tracker.footprint!.flops.value).toBeLessThanOrEqual(11 * each)
    },
  )

  it('takes one step at least', async () => {
    const model = network()
    await model.fit(x, y, { epochs: 3, batchSize: 10, verbose: 0, callbacks: [new Budget({ flops: 1 })] })
    expect(model.optimizer.iterations.value.item()).toBe(1)
  })

  it('of seconds: ends within a step', async () => {
    const model = network()
    const slow: CallbackMethods = { onTrainBatchEnd: () => new Promise((resolve) => setTimeout(resolve, 10)) }
    const budget = new Budget({ seconds: 0.25 })
    const start = performance.now()
    await model.fit(x, y, { epochs: 1000, batchSize: 10, verbose: 0, callbacks: [slow, budget] })
    const took = (performance.now() - start) / 1000
    expect(budget.ended!.resource).toBe('seconds')
    expect(took).toBeGreaterThan(0.2)
    // Within a step: the one before ended in time.
    expect(budget.ended!.spent).toBeGreaterThanOrEqual(0.25)
    expect(budget.ended!.steps).toBe(model.optimizer.iterations.value.item())
  })

  it('of joules and of CO2e: the first that is exhausted ends training, with a message', async () => {
    const lines: string[] = []
    const log = vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line))
    const progress = vi.spyOn(process.stdout, 'write').mockImplementation(() => true)
    try {
      for (const [options, unit] of [
        [{ joules: 1, seconds: 100 }, 'J'],
        [{ gCO2e: 475 / 3.6e6 }, 'g CO2e'],
      ] as const) {
        const model = network()
        const budget = new Budget(options)
        await model.fit(x, y, { epochs: 1_000_000, batchSize: 10, verbose: 2, callbacks: [budget] })
        const { spent, budget: all } = budget.ended!
        expect(spent).toBeGreaterThanOrEqual(all)
        expect(lines.at(-1)).toMatch(new RegExp(`^Budget: training ended after [\\d,]+ steps, .*${unit} of .*${unit}$`))
      }
    } finally {
      log.mockRestore()
      progress.mockRestore()
    }
  })

  it('does not affect cheaper training', async () => {
    const model = network()
    const budget = new Budget({ flops: 1e12, seconds: 1000 })
    await model.fit(x, y, { epochs: 3, batchSize: 10, verbose: 0, callbacks: [budget] })
    expect(model.optimizer.iterations.value.item()).toBe(30)
    expect(budget.ended).toBeNull()
  })

  it('refuses a missing budget, and budgets that are not above 0', () => {
    expect(() => new Budget({})).toThrow('needs a budget')
    for (const bad of [0, -1, NaN, Infinity])
      expect(() => new Budget({ joules: bad })).toThrow('joules must be a finite number above 0')
    // @ts-expect-error: misspelt
    expect(() => new Budget({ joule: 5 })).toThrow("Did you mean 'joules'?")
  })
})

describe('stepsAhead', () => {
  it('must return a number ≥ 0', () => {
    expect(() => new Budget({ joules: Infinity })).toThrow('joules must be a finite number above 0, received Infinity')
    expect(() => new Budget({ joules: '5' as never })).toThrow("joules must be a finite number above 0, received '5'")
    expect(new Budget({ flops: 1e40 }).flops).toBe(1e40)
  })

  it('limits how many steps run before the next call', async () => {
    const model = network()
    const asked: number[] = []
    const callback: CallbackMethods = {
      stepsAhead: ({ done }) => {
        asked.push(done)
        return Math.min(3, 12 - done)
      },
    }
    await model.fit(x, y, { epochs: 5, batchSize: 10, verbose: 0, callbacks: [callback] })
    expect(model.optimizer.iterations.value.item()).toBe(12)
    expect(asked.every((done, i) => i === 0 || done - asked[i - 1]! <= 3)).toBe(true)
  })
})

describe('StopWhenUneconomic', () => {
  it('ends when an epoch gains too little for its FLOPs, several times in a row', async () => {
    const model = network()
    const each = 10 * ledger(model, { batchSize: 10 }).training!.flops
    const patient = new StopWhenUneconomic({ monitor: 'loss', perFlop: 1e-3 / each, patience: 2 })
    const history = await model.fit(x, y, { epochs: 1000, batchSize: 10, verbose: 0, callbacks: [patient] })
    expect(patient.stoppedEpoch).toBe(history.epoch.at(-1))
    expect(history.epoch.length).toBeLessThan(1000)
    const worth = patient.epochs.map(({ gain, cost }) => gain >= (1e-3 / each) * cost)
    expect(worth.slice(-2)).toEqual([false, false])
    // Never two in a row before the end.
    expect(worth.slice(0, -1).some((is, i, all) => !is && all[i + 1] === false)).toBe(false)
    expect(patient.epochs.every(({ cost }) => cost === each)).toBe(true)
    const best = history.history['loss']!.map((_, i, all) => Math.min(...all.slice(0, i + 1)))
    expect(patient.epochs.map(({ gain }) => gain)).toEqual(best.slice(1).map((value, i) => best[i]! - value))
  })

  it('by joules', async () => {
    const model = network()
    const stop = new StopWhenUneconomic({ monitor: 'loss', perJoule: 1e9 })
    const history = await model.fit(x, y, { epochs: 50, verbose: 0, callbacks: [stop] })
    expect(history.epoch).toEqual([0, 1])
    expect(stop.epochs[0]!.cost).toBeGreaterThan(0)
  })

  it('refuses neither, both, and values that are not above 0; warns of a missing log', async () => {
    expect(() => new StopWhenUneconomic({})).toThrow('either perJoule or perFlop')
    expect(() => new StopWhenUneconomic({ perJoule: 1, perFlop: 1 })).toThrow('either perJoule or perFlop')
    expect(() => new StopWhenUneconomic({ perJoule: 0 })).toThrow('perJoule must be a finite number above 0')
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    await network().fit(x, y, { epochs: 3, verbose: 0, callbacks: [new StopWhenUneconomic({ perJoule: 1 })] })
    expect(warn.mock.calls).toEqual([["StopWhenUneconomic: there is no 'valLoss' to monitor. There are: loss"]])
    warn.mockRestore()
  })
})
