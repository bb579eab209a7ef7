// The README's code, run unchanged: every block below a `<!-- tested -->` line, in order and in one scope, as a reader
// would type it. And the commands in the README.
// modes: simd

import { expect, it, vi } from 'vitest'
import * as myelin from '../src'
import * as balance from '../src/balance'
import * as data from '../src/data'
import * as explain from '../src/explain'
import * as thrift from '../src/thrift'
import { layers } from '../src/layers/registry'
import { readDocument, runBlocks, testedBlocks } from './helpers/documented'

const readme = readDocument('README.md')
const blocks = testedBlocks(readme)

function rows(count: number): { x: number[][]; y: number[][] } {
  const x = Array.from({ length: count }, (_, i) => Array.from({ length: 8 }, (_, j) => Math.sin(1 + i * 8 + j)))
  return { x, y: x.map(([a, b]) => [Number(a! + b! > 0)]) }
}

it('has code that runs unchanged', async () => {
  expect(blocks.length).toBeGreaterThanOrEqual(4)
  const train = rows(64)
  const test = rows(16)
  const header = [...train.x[0]!.map((_, i) => `c${i}`), 'isLet']
  const flats = [
    header,
    ...train.x.map((row, i) => [...row.map((value, j) => (i === j ? '' : value)), train.y[i]![0]]),
  ].map((row) => row.join(','))
  const readCsv = (path: string, options: object) =>
    data.readCsv(path === 'flats.csv' ? { text: flats.join('\n') } : path, options)
  const exported = { ...myelin, ...balance, ...explain, ...thrift, readCsv }
  const scope = {
    xTrain: train.x,
    yTrain: train.y,
    xTest: test.x,
    yTest: test.y,
    pixels: Float32Array.from({ length: 4 * 28 * 28 }, (_, i) => Math.sin(i) ** 2),
    digits: [3, 1, 4, 1],
    texts: [
      [12, 7, 431],
      [9, 88],
    ],
    isPraise: [1, 0],
    xImage: train.x,
    xTags: train.x.map((_, i) => [i % 20, (3 * i) % 20, 0]),
    yPrice: train.x.map(([a]) => [a!]),
    yKind: train.x.map((_, i) => i % 3),
  }
  const results = [
    'eye',
    'reader',
    'chances',
    'history',
    'loss',
    'accuracy',
    'predictions',
    'again',
    'model',
    'price',
    'kind',
    'shop',
    'features',
    'copy',
    'gated',
    'value',
    'slope',
    'attributions',
    'svg',
    'honest',
    'error',
    'health',
    'mixedX',
    'rows',
    'run',
  ]
  // Keeps the summary and the progress bar out of the test's output.
  const quiet = [vi.spyOn(console, 'log').mockReturnValue(), vi.spyOn(process.stdout, 'write').mockReturnValue(true)]
  let made
  try {
    made = await runBlocks(blocks, exported, scope, results)
  } finally {
    for (const spy of quiet) spy.mockRestore()
  }

  expect(Object.keys(made.history.history)).toEqual(['loss', 'accuracy', 'valLoss', 'valAccuracy'])
  expect(made.history.history.loss).toHaveLength(10)
  expect(Object.keys(made.run.history).sort()).toEqual(['loss', 'mae'])
  expect(made.accuracy).toBeGreaterThanOrEqual(0)
  expect(made.accuracy).toBeLessThanOrEqual(1)
  expect(made.loss).toBeGreaterThan(0)
  expect(made.predictions.shape).toEqual([16, 1])
  expect(made.predictions.dtype).toBe('float32')
  expect(made.predictions.toArray()[3]).toEqual([made.predictions.data[3]])
  expect(made.model.countParams()).toBe(9 * 10 + 11 * 8 + 9)
  expect(made.again.countParams()).toBe(made.model.countParams())
  expect(made.eye.countParams()).toBe(9 * 8 + 8 + 13 * 13 * 8 * 10 + 10)
  expect(made.reader.predictOnBatch([[0, 12, 7, 431]]).data).toEqual(made.reader.predictOnBatch([[12, 7, 431]]).data)
  expect(made.chances.shape).toEqual([1, 3, 1000])
  expect([made.price.shape, made.kind.shape]).toEqual([
    [64, 1],
    [64, 3],
  ])
  expect(made.features.predictOnBatch({ image: train.x, tags: train.x.map(() => [0, 1, 2]) }).shape).toEqual([64, 16])
  expect(made.features.weights[0]).toBe(
    made.shop.layers.find((layer: object) => 'units' in layer && layer.units === 16).weights[0],
  )
  expect(made.copy.predictOnBatch(test.x).toArray()).toEqual(made.gated.predictOnBatch(test.x).toArray())
  expect(made.attributions.shape).toEqual([16, 8])
  expect(made.svg).toContain('Why this answer?')
  expect(made.honest.predictOnBatch(test.x).shape).toEqual([16, 1])
  expect(made.error).toBeGreaterThanOrEqual(0)
  expect(made.health.records).toHaveLength(5)
  expect(made.mixedX.shape).toEqual([32, 8])
  expect(made.rows).toBeInstanceOf(data.Dataset)
  expect(made.value.item()).toBe(10)
  expect(made.slope.toArray()).toEqual([-6, 2])
})

it('mentions only commands that exist', () => {
  const { scripts } = JSON.parse(readDocument('package.json')) as { scripts: Record<string, string> }
  const lines = readme.split('\n')
  for (const line of ['npm ci && npm run demo', 'npm ci && npm test']) expect(lines).toContain(line)
  const named = [...readme.matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name!)
  for (const name of [...named, 'test']) expect(scripts, `npm run ${name}`).toHaveProperty(name)
})

it('lists every layer, those for one, two and three axes in one', () => {
  const section = /^### Layers\n([\s\S]*?)^#/m.exec(readme)![1]!
  const listed = [...section.matchAll(/`(\w+)`/g)].map(([, name]) => name!)
  // The record of an op on symbols is not a user's layer.
  const missing = Object.keys(layers.all).filter(
    (name) => name !== 'Operation' && !listed.includes(name) && !listed.includes(name.replace(/[123]D$/, '')),
  )
  expect(missing).toEqual([])
})

it('shows messages that the library really writes', async () => {
  const shown = /^## Errors[\s\S]*?```\n([\s\S]*?)```/m.exec(readme)![1]!.trimEnd().split('\n')
  const { Dense, Sequential } = myelin
  const messageOf = async (body: () => unknown): Promise<string> => {
    try {
      await body()
    } catch (error) {
      if (error instanceof myelin.MyelinError) return error.message
      throw error
    }
    return 'no error'
  }
  const model = new Sequential([new Dense({ units: 10, activation: 'softmax', inputShape: [8] })], {
    name: 'sequential',
  })
  model.compile({ loss: 'sparseCategoricalCrossentropy' })
  const { x } = rows(16)
  const holed = x.map((row, i) => row.map((each, j) => (i === 12 && j === 3 ? NaN : each)))
  const labels = x.map((_, i) => i % 8)
  expect([
    await messageOf(() => model.predict(x[0]!)),
    await messageOf(() => model.fit(holed, labels)),
    await messageOf(() =>
      model.fit(
        x,
        labels.map((label, i) => (i === 3 ? 10 : label)),
      ),
    ),
    await messageOf(() => model.compile({ loss: 'binary_crossentrpy' })),
  ]).toEqual(shown)
})
