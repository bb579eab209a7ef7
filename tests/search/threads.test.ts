// Trials in workers: the same results as without workers, returned weights, and options that workers do not support.
// SEARCH_REPEATS=200 repeats the search whose workers end; workers.test.ts has the order of events.
// modes: simd

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { bundle } from '../helpers/built'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type * as library from '../../src'
import { StringTensor, tensor } from '../../src'
import type * as search from '../../src/entries/search'
import { packSamples, unpackSamples } from '../../src/search/samples'
import { errorOf, samples } from '../helpers/training'

// Workers need modules that Node can load without a bundler.
const folder = mkdtempSync(join(fileURLToPath(new URL('../../build/', import.meta.url)), 'search-'))
const { x, yes } = samples(60)
const space = { units: [2, 3, 4, 5], kind: ['good'] } as const
const options = { x, y: yes, validationSplit: 0.25, epochs: 4, seed: 1 }

const MAKE = `
import { isMainThread } from 'node:worker_threads'
import { Adam, Dense, Dropout, SGD, Sequential, random } from './index.js'
export default function make({ units, kind }) {
  if (kind === 'throws') throw new RangeError('no such layer')
  if (kind === 'exits') process.exit(3)
  if (kind === 'throws null') throw null
  const diverges = kind === 'diverges'
  const model = new Sequential([new Dense({ units, activation: 'tanh' }), new Dropout({ rate: 0.2 }), new Dense({ units: 1, activation: diverges ? 'linear' : 'sigmoid' })])
  model.compile({ optimizer: diverges ? new SGD({ learningRate: 1e14 }) : new Adam({ learningRate: 0.05 }), loss: diverges ? 'meanSquaredError' : 'binaryCrossentropy', metrics: ['accuracy'] })
  if (kind === 'exits later') {
    const fit = model.fit.bind(model)
    model.fit = (x, y, options) => {
      if (options.initialEpoch === 0) return fit(x, y, options)
      // In the process of the tests it would end them: Vitest replaces process.exit for the first file of a process only.
      if (isMainThread) throw new Error('exits')
      process.exit(3)
    }
  }
  // A model that is made again draws the same random numbers.
  return Object.assign(model, { drawn: random.uniform([1]).item() })
}`

const repeats = Number(process.env['SEARCH_REPEATS'] ?? 0)
let built: typeof search
let make: URL

beforeAll(async () => {
  await bundle(['src/index.ts', 'src/entries/search.ts'], folder, { ending: 'js' })
  writeFileSync(join(folder, 'make.js'), MAKE)
  writeFileSync(join(folder, 'nothing.js'), 'export const make = 3')
  make = pathToFileURL(join(folder, 'make.js'))
  built = (await import(/* @vite-ignore */ pathToFileURL(join(folder, 'search.js')).href)) as typeof search
})
afterAll(() => rmSync(folder, { recursive: true }))

/** A result without its durations. */
function outcome({ trials, best }: search.SearchResult<unknown, unknown, unknown>) {
  const weights = best.model.getWeights().map(({ data }) => [...data])
  return {
    trials: trials.map(({ seconds: _, ...rest }) => rest),
    choice: best.choice,
    score: best.score,
    weights,
    steps: best.model.optimizer.iterations.value.item(),
    drawn: Reflect.get(best.model, 'drawn') as unknown,
  }
}

describe('two workers', () => {
  it.each([
    ['a plain search', {}],
    ['halving', { halving: { factor: 2 } }],
    ['folds', { folds: 2, validationSplit: null }],
  ])(
    'give the same as one thread: %s',
    async (_name, more) => {
      const { gridSearch } = built
      const [one, two] = [
        await gridSearch(make, space, { ...options, ...more }),
        await gridSearch(make, space, { ...options, ...more, workers: 2 }),
      ]
      expect(outcome(two)).toEqual(outcome(one))
      // Training continues as in the worker: the states of the optimizer and of random numbers were returned.
      for (const {
        best: { model },
      } of [one, two])
        await model.fit(x, yes, { epochs: 2, verbose: 0 })
      expect(outcome(two)).toEqual(outcome(one))
    },
    60_000,
  )

  it('keep the classes of errors', async () => {
    const { trials } = await built.gridSearch(
      make,
      { units: [2], kind: ['throws', 'good', 'diverges'] },
      { ...options, epochs: 20, batchSize: 5, workers: 2 },
    )
    expect(trials[0]!.error).toMatchObject({ name: 'RangeError', message: 'no such layer' })
    expect(trials[1]!.error).toBeNull()
    const { NonFiniteError } = (await import(
      /* @vite-ignore */ pathToFileURL(join(folder, 'index.js')).href
    )) as typeof library
    expect(trials[2]!.error).toBeInstanceOf(NonFiniteError)
    expect(trials[2]!.error).toMatchObject({ step: expect.any(Number), instruction: expect.any(String) })
  })

  it('end with the reason of the signal, and fail when a worker exits', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    setTimeout(() => controller.abort(reason), 200)
    expect(
      await errorOf(() =>
        built.gridSearch(make, space, { ...options, epochs: 1_000_000, workers: 2, signal: controller.signal }),
      ),
    ).toBe(reason)
    expect(
      (await errorOf(() => built.gridSearch(make, { units: [2, 3], kind: ['exits'] }, { ...options, workers: 2 })))
        .message,
    ).toContain('a worker of the search ended with exit code 3')
  })

  it('lose only the trial that ends its worker', async () => {
    const mixed = { units: [2, 3, 4], kind: ['exits', 'good'] } as const
    const { trials, best } = await built.gridSearch(make, mixed, { ...options, workers: 2 })
    expect(trials.map(({ error, score }) => [error?.message, Number.isFinite(score)])).toEqual(
      [0, 1, 2].flatMap(() => [
        ['a worker of the search ended with exit code 3', false],
        [undefined, true],
      ]),
    )
    expect(best.choice.kind).toBe('good')
    await best.model.predict(x)
  })

  it('train trials again whose models were in a worker that ended', { repeats, timeout: 60_000 }, async () => {
    const halving = { factor: 2, minEpochs: 1 }
    const mixed = { units: [2, 3, 4, 5], kind: ['good', 'exits later'] } as const
    const { trials, best } = await built.gridSearch(make, mixed, { ...options, halving, workers: 2 })
    const failed = trials.filter(({ error }) => error !== null)
    expect(failed.length).toBeGreaterThan(0)
    for (const { choice, rounds, epochs } of failed)
      expect([choice.kind, rounds, epochs]).toEqual(['exits later', 2, 1])
    const { trials: same, best: sameBest } = await built.gridSearch(make, mixed, { ...options, halving })
    expect(trials.map(({ scores, logs }) => [scores, logs])).toEqual(same.map(({ scores, logs }) => [scores, logs]))
    expect(best.choice).toEqual(sameBest.choice)
    expect(best.model.getWeights().map(({ data }) => [...data])).toEqual(
      sameBest.model.getWeights().map(({ data }) => [...data]),
    )
  })

  it('keep trials that throw null', async () => {
    for (const workers of [1, 2]) {
      const { trials } = await built.gridSearch(
        make,
        { units: [2], kind: ['throws null', 'good'] },
        { ...options, workers },
      )
      expect(trials.map(({ error }) => error?.message)).toEqual(['null was thrown, which is not an Error', undefined])
    }
  })

  it('cannot be given functions', async () => {
    const error = await errorOf(() => built.gridSearch(make, space, { ...options, workers: 2, callbacks: () => [] }))
    expect(error.message).toContain('threads cannot take functions or batches, received callbacks')
    const few = await errorOf(() =>
      built.gridSearch(make, space, { ...options, validationSplit: null, folds: 61, workers: 2 }),
    )
    expect([few.name, few.message]).toEqual([
      'ArgumentError',
      'folds must be at most the number of rows, 60, received 61',
    ])
    expect(
      (await errorOf(() => built.gridSearch(pathToFileURL(join(folder, 'nothing.js')), space, options))).message,
    ).toContain('the default export must be a function')
  })

  it('are optional: without threads, trials run one at a time', async () => {
    const alone = await built.gridSearch(make, space, options)
    const builtin = vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined as never)
    try {
      const calls: unknown[] = []
      const result = await built.gridSearch(make, space, {
        ...options,
        workers: 2,
        callbacks: (_choice, { trial }) => (calls.push(trial), []),
      })
      expect(outcome(result)).toEqual(outcome(alone))
      expect(calls).toEqual([0, 1, 2, 3])
    } finally {
      builtin.mockRestore()
    }
  })

  it('share one copy of the samples', () => {
    const columns = {
      x: { a: tensor(x), b: new StringTensor(['yes', 'no'], [2]) },
      y: tensor([1, 2], [2], 'int32'),
      sampleWeight: null,
      validationData: null,
    }
    const packed = packSamples(columns)
    expect(
      Object.values(packed).flatMap(({ leaves }) =>
        leaves.map((leaf) => leaf && ArrayBuffer.isView(leaf.data) && leaf.data.buffer instanceof SharedArrayBuffer),
      ),
    ).toEqual([true, false, true, null, null])
    const unpacked = unpackSamples(structuredClone(packed))
    expect(unpacked).toEqual(columns)
    expect((unpacked.x as unknown as typeof columns.x).a.data).toEqual(columns.x.a.data)
  })

  it('can only be started by a search', () => {
    expect(() => built.serveTrials()).toThrow('serveTrials is for the workers of a search')
  })
})
