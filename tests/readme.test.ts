// The README: its length, its code, run unchanged as a reader would type it, and its commands. guides.test.ts runs the code of
// the guides.
// modes: simd

import { expect, it, vi } from 'vitest'
import * as myelin from '../src'
import { readDocument, runBlocks, testedBlocks } from './helpers/documented'

const readme = readDocument('README.md')
const blocks = testedBlocks(readme)

it('fits on a few screens', () => {
  expect(readme.split('\n').length).toBeLessThanOrEqual(150)
})

it('has code that runs unchanged', async () => {
  expect(blocks).toHaveLength(1)
  const rows = (count: number) => {
    const x = Array.from({ length: count }, (_, i) => Array.from({ length: 8 }, (_, j) => Math.sin(1 + i * 8 + j)))
    return { x, y: x.map(([a, b]) => [Number(a! + b! > 0)]) }
  }
  const [train, test] = [rows(64), rows(16)]
  const scope = { xTrain: train.x, yTrain: train.y, xTest: test.x, yTest: test.y }
  const results = ['history', 'loss', 'accuracy', 'predictions', 'again', 'model']
  // Keeps the progress bar out of the test's output.
  const quiet = [vi.spyOn(console, 'log').mockReturnValue(), vi.spyOn(process.stdout, 'write').mockReturnValue(true)]
  let made
  try {
    made = await runBlocks(blocks, myelin, scope, results)
  } finally {
    for (const spy of quiet) spy.mockRestore()
  }

  expect(Object.keys(made.history.history)).toEqual(['loss', 'accuracy', 'valLoss', 'valAccuracy'])
  expect(made.history.history.loss).toHaveLength(10)
  expect(made.accuracy).toBeGreaterThanOrEqual(0)
  expect(made.accuracy).toBeLessThanOrEqual(1)
  expect(made.loss).toBeGreaterThan(0)
  expect(made.predictions.shape).toEqual([16, 1])
  expect(made.predictions.dtype).toBe('float32')
  expect(made.predictions.toArray()[3]).toEqual([made.predictions.data[3]])
  expect(made.model.countParams()).toBe(9 * 10 + 11 * 8 + 9)
  expect(made.again.predictOnBatch(test.x).toArray()).toEqual(made.predictions.toArray())
})

it('mentions only commands that exist', () => {
  const { scripts } = JSON.parse(readDocument('package.json')) as { scripts: Record<string, string> }
  const lines = readme.split('\n')
  for (const line of ['npm ci && npm run demo', 'npm ci && npm test']) expect(lines).toContain(line)
  const named = [...readme.matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name!)
  for (const name of [...named, 'test']) expect(scripts, `npm run ${name}`).toHaveProperty(name)
})
