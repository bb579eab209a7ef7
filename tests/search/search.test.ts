// Searches: the choices, how they are compared, which models are kept, and that a run can be repeated.
// modes: simd

import { describe, expect, it, vi } from 'vitest'
import {
  Adam,
  ArgumentError,
  Dense,
  Dropout,
  EarlyStopping,
  MyelinError,
  NonFiniteError,
  SGD,
  Sequential,
  ShapeError,
  StateError,
  setRandomSeed,
  tensor,
} from '../../src'
import { Dataset } from '../../src/entries/data'
import { SearchResult, gridSearch, randomSearch } from '../../src/entries/search'
import { Folds, readColumns } from '../../src/search/samples'
import { gridChoices, randomChoices } from '../../src/search/space'
import { nextSeed } from '../../src/ops/random/seed'
import { heapSizes } from '../helpers/heap'
import { errorOf, samples } from '../helpers/training'

const { x, yes, labels, numbers } = samples(60)
const space = { units: [2, 4], learningRate: [0.1, 0.01] } as const

function make({ units, learningRate }: { readonly units: number; readonly learningRate: number }): Sequential {
  const model = new Sequential([
    new Dense({ units, activation: 'tanh', inputShape: [4] }),
    new Dropout({ rate: 0.1 }),
    new Dense({ units: 1, activation: 'sigmoid' }),
  ])
  model.compile({ optimizer: new Adam({ learningRate }), loss: 'binaryCrossentropy', metrics: ['accuracy'] })
  return model
}

describe('spaces', () => {
  it('has every combination of a grid, the last name changing fastest', () => {
    expect(gridChoices('gridSearch', { a: [1, 2], b: ['x', 'y', 'z'] })).toEqual([
      { a: 1, b: 'x' },
      { a: 1, b: 'y' },
      { a: 1, b: 'z' },
      { a: 2, b: 'x' },
      { a: 2, b: 'y' },
      { a: 2, b: 'z' },
    ])
  })

  it('draws from ranges on both scales, from integers including both ends, and from functions', () => {
    const drawn = randomChoices(
      'randomSearch',
      {
        linear: { min: 2, max: 4 },
        log: { min: 1e-4, max: 1, scale: 'log' },
        whole: { min: 1, max: 3, integer: true },
        wholeLog: { min: 1, max: 100, scale: 'log', integer: true },
        own: (random: number) => random < 0.5,
        list: ['a', 'b'],
      },
      400,
      7,
    )
    const column = (name: string): number[] => drawn.map((each) => each[name] as number)
    const share = (name: string, is: (value: number) => boolean): number =>
      column(name).filter(is).length / drawn.length
    expect(Math.min(...column('linear'))).toBeGreaterThanOrEqual(2)
    expect(Math.max(...column('linear'))).toBeLessThanOrEqual(4)
    expect(share('linear', (value) => value < 3)).toBeCloseTo(0.5, 1)
    expect(share('log', (value) => value < 0.01)).toBeCloseTo(0.5, 1)
    expect(share('wholeLog', (value) => value < 10)).toBeCloseTo(0.5, 1)
    expect(new Set(column('whole'))).toEqual(new Set([1, 2, 3]))
    expect(share('own', Boolean)).toBeCloseTo(0.5, 1)
    expect(new Set(column('list'))).toEqual(new Set(['a', 'b']))
  })

  it('repeats its draws for the same seed, and draws no combination of lists twice', () => {
    const lists = { a: [1, 2, 3], b: [1, 2, 3] }
    const drawn = randomChoices('randomSearch', lists, 9, 1)
    expect(new Set(drawn.map((each) => JSON.stringify(each))).size).toBe(9)
    expect(randomChoices('randomSearch', lists, 20, 1)).toHaveLength(9)
    expect(randomChoices('randomSearch', lists, 4, 1)).toEqual(drawn.slice(0, 4))
    expect(randomChoices('randomSearch', lists, 9, 2)).not.toEqual(drawn)
  })

  it.each([
    ['no names', {}, /the space must be a record/],
    ['an empty list', { a: [] }, /randomSearch: a must be a list of at least one value/],
    ['a number', { a: 3 }, /randomSearch: a must be a list/],
    ['an empty range', { a: { min: 1, max: 1 } }, /a: min must be below max, received 1 and 1/],
    ['a log scale at 0', { a: { min: 0, max: 1, scale: 'log' } }, /min must be above 0 on a log scale/],
    ['fractional integers', { a: { min: 0.5, max: 2, integer: true } }, /must be integers/],
    ['an unknown scale', { a: { min: 1, max: 2, scale: 'cubic' } }, /'linear' or 'log'/],
    ['an unknown name', { a: { min: 1, max: 2, step: 1 } }, /Unknown option of randomSearch: a 'step'/],
  ])('refuses %s', (_name, wrong, message) => {
    expect(() => randomChoices('randomSearch', wrong as never, 1, 1)).toThrow(message)
  })
})

describe('folds', () => {
  const sizes = (y: unknown, folds: number) => {
    const split = new Folds(
      { x: readColumns(x, 'x'), y: readColumns(y, 'y'), sampleWeight: null, validationData: null },
      folds,
      3,
    )
    return Array.from({ length: folds }, (_, i) => split.at(i))
  }

  it('validates on every row once, and trains on all others', () => {
    const folds = sizes(numbers, 7)
    const rowsOf = (columns: unknown): string[] => (columns as { toArray(): number[][] }).toArray().map(String)
    const all = rowsOf(tensor(x)).sort()
    expect(folds.flatMap(({ validation }) => rowsOf(validation[0])).sort()).toEqual(all)
    for (const { training, validation } of folds) {
      expect([...rowsOf(training.x), ...rowsOf(validation[0])].sort()).toEqual(all)
      expect([8, 9]).toContain(rowsOf(validation[0]).length)
    }
  })

  it.each([
    ['numbers', labels],
    ['one-hot rows', labels.map((label) => [0, 1, 2].map((each) => Number(each === label)))],
  ])('gives each its share of classes that are %s', (_name, y) => {
    const whole = [0, 1, 2].map((label) => labels.filter((each) => each === label).length)
    for (const { validation } of sizes(y, 3)) {
      const rows = (validation[1] as ReturnType<typeof tensor>)
        .toArray<(number | number[])[]>()
        .map((row) => (Array.isArray(row) ? row.indexOf(1) : row))
      whole.forEach((count, label) =>
        expect(Math.abs(rows.filter((each) => each === label).length - count / 3)).toBeLessThan(1),
      )
    }
  })

  it('takes rows of several inputs, of strings and of weights', () => {
    const words = x.map((_, i) => `word ${i}`)
    const split = new Folds(
      {
        x: readColumns({ a: tensor(x), b: words }, 'x'),
        y: readColumns(numbers, 'y'),
        sampleWeight: readColumns(
          numbers.map(([value]) => value!),
          'sampleWeight',
        ),
        validationData: null,
      },
      2,
      1,
    )
    const { training } = split.at(0)
    const { a, b } = training.x as unknown as { a: ReturnType<typeof tensor>; b: { strings: string[] } }
    b.strings.forEach((word, i) => {
      const row = words.indexOf(word)
      expect(a.toArray<number[][]>()[i]).toEqual(tensor(x[row]!).toArray())
      expect((training.sampleWeight as ReturnType<typeof tensor>).data[i]).toBe(Math.fround(numbers[row]![0]!))
    })
  })

  it('refuses more folds than rows, and columns that differ', async () => {
    expect(await errorOf(() => gridSearch(make, space, { x, y: yes, folds: 61 }))).toBeInstanceOf(ArgumentError)
    expect(await errorOf(() => gridSearch(make, space, { x, y: yes.slice(1), folds: 2 }))).toBeInstanceOf(ShapeError)
  })
})

describe('gridSearch', () => {
  const options = { x, y: yes, validationSplit: 0.25, epochs: 3, seed: 5 }

  it('finds the best choice and keeps its trained model', async () => {
    const result = await gridSearch(make, space, options)
    expect(result).toBeInstanceOf(SearchResult)
    expect(result.trials.map(({ choice }) => choice)).toEqual(gridChoices('', space))
    const scores = result.trials.map(({ score }) => score)
    expect(result.best.score).toBe(Math.min(...scores))
    expect(result.best.choice).toEqual(result.trials[scores.indexOf(result.best.score)]!.choice)
    // The last quarter is the validation split of fit.
    const { loss } = await result.best.model.evaluate(x.slice(45), yes.slice(45))
    expect(loss).toBeCloseTo(result.best.score, 5)
    for (const { logs, epochs, seconds, error, scores: own, spread } of result.trials) {
      expect(logs['valLoss']).toHaveLength(3)
      expect(own).toEqual([logs['valLoss']!.at(-1)])
      expect([epochs, error, spread]).toEqual([3, null, null])
      expect(seconds).toBeGreaterThan(0)
    }
  })

  it('gives the same result in every run, whatever other trials run, and leaves other seeds unchanged', async () => {
    const scoresOf = async (grid: { readonly units: readonly number[]; readonly learningRate: readonly number[] }) =>
      (await gridSearch(make, grid, options)).trials.map(({ score }) => score)
    setRandomSeed(3)
    const before = nextSeed()
    setRandomSeed(3)
    const scores = await scoresOf(space)
    expect(nextSeed()).toBe(before)
    expect(await scoresOf(space)).toEqual(scores)
    expect((await scoresOf({ units: [2], learningRate: [0.1, 0.01, 1] })).slice(0, 2)).toEqual(scores.slice(0, 2))
    setRandomSeed(9)
    const drawn = await gridSearch(make, space, { ...options, seed: null })
    setRandomSeed(9)
    expect((await gridSearch(make, space, { ...options, seed: null })).trials.map(({ score }) => score)).toEqual(
      drawn.trials.map(({ score }) => score),
    )
  })

  it('prefers higher scores, and lower ones with mode: min', async () => {
    const up = await gridSearch(make, space, { ...options, monitor: 'val_accuracy' })
    const scores = up.trials.map(({ score }) => score)
    expect(up.best.score).toBe(Math.max(...scores))
    const down = await gridSearch(make, space, { ...options, monitor: 'valAccuracy', mode: 'min' })
    expect(down.best.score).toBe(Math.min(...scores))
  })

  it('averages over folds, and trains the best on all data', async () => {
    const places: unknown[] = []
    const result = await gridSearch(
      make,
      { units: [2, 4], learningRate: [0.1] },
      {
        x,
        y: yes,
        folds: 3,
        epochs: 2,
        seed: 1,
        callbacks: (_choice, place) => (places.push(place), []),
      },
    )
    for (const { score, scores, spread, logs } of result.trials) {
      expect(scores).toHaveLength(3)
      const mean = (scores[0]! + scores[1]! + scores[2]!) / 3
      expect(score).toBeCloseTo(mean, 12)
      expect(spread).toBeCloseTo(Math.sqrt(scores.reduce((sum, each) => sum + (each - mean) ** 2, 0) / 3), 12)
      expect(logs['valLoss']![1]).toBeCloseTo(mean, 12)
    }
    const winner = result.trials.findIndex(({ choice }) => choice === result.best.choice)
    expect(places.at(-1)).toEqual({ trial: winner, fold: null })
    expect(places).toHaveLength(7)
    // 60 rows in batches of 32, twice.
    expect(result.best.model.optimizer.iterations.value.item()).toBe(4)
  })

  it('passes on options of fit, validation data and data sets', async () => {
    const seen: number[] = []
    const recorder = { onTrainBatchEnd: (batch: number) => void seen.push(batch) }
    const rows = (from: number, to: number) =>
      Dataset.fromTensorSlices({ x: tensor(x.slice(from, to)), y: tensor(yes.slice(from, to)) })
    const one = { units: [2], learningRate: [0.1] }
    await gridSearch(make, one, { x, y: yes, validationData: [x, yes], batchSize: 15, callbacks: () => [recorder] })
    expect(seen.splice(0)).toEqual([0, 1, 2, 3])
    const streamed = await gridSearch(make, one, {
      data: () => rows(0, 40).batch(10),
      validationData: rows(40, 60).batch(20),
      stepsPerEpoch: 2,
      epochs: 2,
      callbacks: () => [recorder],
    })
    expect(seen).toEqual([0, 1, 0, 1])
    expect(streamed.trials[0]!.logs['valLoss']).toHaveLength(2)
  })

  it('counts the epochs before early stopping', async () => {
    const result = await gridSearch(make, space, {
      ...options,
      epochs: 20,
      monitor: 'loss',
      callbacks: () => [new EarlyStopping({ monitor: 'loss', minDelta: 1000 })],
    })
    expect(result.trials.map(({ epochs }) => epochs)).toEqual([2, 2, 2, 2])
  })

  it('prints a line for each trial, and a table with the best first', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {})
    try {
      const result = await gridSearch(make, space, { ...options, verbose: 1 })
      const lines = log.mock.calls.map(([line]) => String(line))
      expect(lines).toHaveLength(4)
      expect(lines[1]).toMatch(/^trial 2\/4: valLoss 0\.\d{4}, units 2, learningRate 0\.01, 3 epochs, \d+\.\d s$/)
      const table = result.table().split('\n')
      expect(table).toHaveLength(8)
      expect(table[1]).toMatch(/│ trial │ units │ learningRate │ valLoss +│ epochs │ seconds │/)
      expect(table[3]).toContain(result.best.score.toFixed(4))
      expect(result.table(1).split('\n')).toHaveLength(5)
    } finally {
      log.mockRestore()
    }
  })
})

describe('trials that fail', () => {
  const failing = ({ kind }: { readonly kind: string }): Sequential => {
    if (kind === 'throws') throw new TypeError('no such layer')
    const model = new Sequential([new Dense({ units: 1, inputShape: [4] })])
    model.compile({ optimizer: new SGD({ learningRate: kind === 'diverges' ? 1e14 : 0.01 }), loss: 'meanSquaredError' })
    return model
  }

  it('are kept with their errors, after all others', async () => {
    const result = await gridSearch(
      failing,
      { kind: ['throws', 'diverges', 'good'] },
      { x, y: numbers, epochs: 8, validationSplit: 0.5, batchSize: 5 },
    )
    const [thrown, diverged, good] = result.trials
    expect(thrown).toMatchObject({ score: Infinity, scores: [], error: expect.any(TypeError) })
    expect(diverged).toMatchObject({ score: Infinity, error: expect.any(NonFiniteError) })
    expect(good!.error).toBeNull()
    expect(result.best.choice).toEqual({ kind: 'good' })
    const lines = result.table().split('\n')
    expect(lines[3]).toContain('good')
    expect(lines[4]).toContain('failed: TypeError')
    const json = JSON.parse(JSON.stringify(result)) as ReturnType<typeof result.toJSON>
    expect(json.trials[0]).toMatchObject({
      number: 0,
      choice: { kind: 'throws' },
      score: null,
      error: 'TypeError: no such layer',
    })
    expect(json.best).toEqual({ choice: { kind: 'good' }, score: good!.score, rung: 1 })
  })

  it('reject with the first error if all fail', async () => {
    const error = await errorOf(() =>
      gridSearch(failing, { kind: ['throws'] }, { x, y: numbers, validationSplit: 0.5 }),
    )
    expect(error).toBeInstanceOf(MyelinError)
    expect(error.message).toBe('gridSearch: all 1 trials failed. The first: no such layer')
    expect(error.cause).toBeInstanceOf(TypeError)
  })

  it('report that make must return a new compiled model', async () => {
    const model = make({ units: 2, learningRate: 0.1 })
    const {
      trials: [, second],
    } = await gridSearch(() => model, { a: [1, 2] }, { x, y: yes, monitor: 'loss' })
    expect(second!.error).toBeInstanceOf(StateError)
    expect(
      (await errorOf(() => gridSearch((() => 3) as never, { a: [1] }, { x, y: yes, monitor: 'loss' }))).message,
    ).toContain('make must return a compiled model, received 3')
  })
})

describe('options that are refused', () => {
  it.each([
    ['no data', {}, /needs either x and y, or data/],
    ['no validation data', { x, y: yes }, /'valLoss' needs data to validate on/],
    [
      'two ways to validate',
      { x, y: yes, folds: 2, validationSplit: 0.5 },
      /folds and validationSplit exclude each other/,
    ],
    ['folds of batches', { data: () => [], folds: 2 }, /folds need x and y/],
    [
      'a long first round',
      { x, y: yes, folds: 2, epochs: 2, halving: { minEpochs: 3 } },
      /minEpochs must be at most 2, the epochs of the search, received 3/,
    ],
    [
      'a missing log',
      { x, y: yes, monitor: 'f1Score' },
      /there is no log 'f1Score' to monitor. The logs are: loss, accuracy/,
    ],
    [
      'a name without a direction',
      { x, y: yes, monitor: 'balance' },
      /'balance' does not tell whether it should rise or fall/,
    ],
    [
      'an unknown name with the prefix val',
      { x, y: yes, validationSplit: 0.5, monitor: 'valMse' },
      /there is no log 'valMse' to monitor/,
    ],
    ['an unknown option', { x, y: yes, fold: 3 }, /Did you mean 'folds'/],
    ['a wrong signal', { x, y: yes, monitor: 'loss', signal: 3 }, /signal must be an AbortSignal/],
  ])('%s', async (_name, options, message) => {
    const error = await errorOf(() => gridSearch(make, space, options as never))
    expect(error).toBeInstanceOf(ArgumentError)
    expect(error.message).toMatch(message)
  })

  it('a make that is neither a function nor a URL', async () => {
    expect((await errorOf(() => gridSearch('./make.js', space, { x, y: yes, monitor: 'loss' }))).message).toContain(
      "Give a URL: new URL('./make.js', import.meta.url)",
    )
    expect((await errorOf(() => gridSearch(3 as never, space, { x, y: yes, monitor: 'loss' }))).message).toContain(
      'make must be a function',
    )
  })

  it('ends with the reason of its signal', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const error = await errorOf(() =>
      gridSearch(make, space, {
        x,
        y: yes,
        validationSplit: 0.5,
        epochs: 50,
        signal: controller.signal,
        callbacks: () => [{ onEpochEnd: () => controller.abort(reason) }],
      }),
    )
    expect(error).toBe(reason)
  })
})

describe('successive halving', () => {
  const nine = { units: [2, 3, 4], learningRate: [0.1, 0.01, 0.001] }
  const options = { x, y: yes, validationSplit: 0.25, epochs: 9, seed: 2 }

  it('continues a third of the trials as if they had never stopped', async () => {
    const halved = await gridSearch(make, nine, { ...options, halving: { factor: 3 } })
    expect(halved.trials.map(({ epochs }) => epochs).sort((a, b) => a - b)).toEqual([1, 1, 1, 1, 1, 1, 3, 3, 9])
    const last = halved.trials.find(({ rounds }) => rounds === 3)!
    expect(halved.best).toMatchObject({ choice: last.choice, score: last.score })
    // The trials that continued were the best after the first epoch.
    const first = halved.trials
      .map(({ logs, rounds }) => ({ score: logs['valLoss']![0]!, rounds }))
      .sort((a, b) => a.score - b.score)
    expect(first.map(({ rounds }) => Math.min(rounds, 2))).toEqual([2, 2, 2, 1, 1, 1, 1, 1, 1])
    const whole = await gridSearch(make, nine, options)
    expect(whole.trials[last.number]!.logs).toEqual(last.logs)
    expect(halved.table().split('\n')[3]).toContain(` ${last.number + 1} `)
  })

  it('compares within a rung alone, and shows the rungs', async () => {
    // Larger models get worse after the first epoch: the best of the highest rung has a worse score than those that were left out.
    const result = await gridSearch(make, nine, {
      ...options,
      halving: { factor: 3 },
      monitor: 'epochs',
      mode: 'min',
      callbacks: () => [
        {
          onEpochEnd: (epoch: number, logs: Record<string, number>) =>
            void (logs['epochs'] = epoch + logs['loss']! / 1000),
        },
      ],
    })
    const { best, trials } = result
    const top = trials.filter(({ rounds }) => rounds === 3)
    expect(top).toHaveLength(1)
    expect(best).toMatchObject({ rung: 3, choice: top[0]!.choice, score: top[0]!.score })
    expect(trials.filter(({ score }) => score < best.score)).toHaveLength(8)
    for (const { rungs, rounds, score } of trials) {
      expect(rungs.map(({ epochs }) => epochs)).toEqual([1, 3, 9].slice(0, rounds))
      expect(rungs.at(-1)!.score).toBe(score)
    }
    // Whoever went on was better at the same epoch.
    for (const rung of [0, 1]) {
      const [on, out] = [true, false].map((isOn) =>
        trials
          .filter(({ rounds }) => (isOn ? rounds > rung + 1 : rounds === rung + 1))
          .map(({ rungs }) => rungs[rung]!.score),
      )
      expect(Math.max(...on!)).toBeLessThan(Math.min(...out!))
    }
    const [, head, , ...lines] = result.table().split('\n')
    expect(head).toMatch(/│ rung +│ epochs after 1 epoch +│ epochs after 3 epochs +│ epochs after 9 epochs +│/)
    expect(lines.slice(0, 9).map((line) => /\d of 3/.exec(line)![0])).toEqual(
      [3, 2, 2, 1, 1, 1, 1, 1, 1].map((each) => `${each} of 3`),
    )
    expect(result.toJSON().best.rung).toBe(3)
  })

  it('works with folds', async () => {
    const { trials, best } = await randomSearch(make, nine, {
      x,
      y: yes,
      folds: 2,
      epochs: 4,
      trials: 4,
      halving: { factor: 2, minEpochs: 2 },
      seed: 2,
    })
    expect(trials.map(({ epochs }) => epochs).sort((a, b) => a - b)).toEqual([2, 2, 4, 4])
    expect(best.model.optimizer.iterations.value.item()).toBe(8)
  })
})

describe('memory', () => {
  it('stays constant over fifty trials: models that are not kept are disposed', async () => {
    const used: number[] = []
    // Kept here, so that only dispose frees their memory.
    const models: Sequential[] = []
    const result = await randomSearch(
      async ({ learningRate }) => {
        if (models.length % 10 === 0) used.push((await heapSizes()).linear)
        models.push(make({ units: 200, learningRate }))
        return models.at(-1)!
      },
      { learningRate: { min: 1e-4, max: 0.1, scale: 'log' } },
      { x, y: yes, validationSplit: 0.25, trials: 50, seed: 1 },
    )
    // A model that is not disposed takes 15 kB; the rest of the others are cells of their metrics.
    expect(used.at(-1)! - used[1]!).toBeLessThan(30 * 1000)
    expect(models.filter(isUsable).map((model) => models.indexOf(model))).toEqual([
      models.indexOf(result.best.model as Sequential),
    ])
  })
})

function isUsable(model: Sequential): boolean {
  try {
    return model.predictOnBatch(x).size > 0
  } catch {
    return false
  }
}
