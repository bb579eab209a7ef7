// The guides: the code of each page, run unchanged, in order and in one scope, as a reader would type it; and what the pages say
// that it gives.
// modes: simd

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import * as myelin from '../src'
import * as balance from '../src/balance'
import * as data from '../src/data'
import * as explain from '../src/explain'
import * as plot from '../src/plot'
import * as thrift from '../src/thrift'
import { readDocument, runBlocks, testedBlocks } from './helpers/documented'
import { withSettings } from './helpers/with-settings'

const exported = { ...myelin, ...balance, ...data, ...explain, ...plot, ...thrift }

// Keeps what the pages print out of the test's output.
beforeAll(() => {
  vi.spyOn(console, 'log').mockReturnValue()
  vi.spyOn(process.stdout, 'write').mockReturnValue(true)
})
afterAll(() => void vi.restoreAllMocks())

/** Runs a page and returns some of its variables. */
const run = (page: string, results: readonly string[], scope: Readonly<Record<string, unknown>> = {}) =>
  runBlocks(testedBlocks(readDocument(`docs/${page}.md`)), exported, scope, results)

/** A trained model and the data that pages about trained models assume. */
async function trained() {
  myelin.setRandomSeed(1)
  const rows = (count: number) => {
    const x = Array.from({ length: count }, (_, i) => Array.from({ length: 8 }, (_, j) => Math.sin(1 + i * 8 + j)))
    return { x, y: x.map(([a, b]) => [Number(a! + b! > 0)]) }
  }
  const [train, test] = [rows(64), rows(16)]
  const model = new myelin.Sequential([
    new myelin.Dense({ units: 10, activation: 'relu', inputShape: [8] }),
    new myelin.Dense({ units: 8, activation: 'relu' }),
    new myelin.Dense({ units: 1, activation: 'sigmoid' }),
  ])
  model.compile({ optimizer: 'adam', loss: 'binaryCrossentropy', metrics: ['accuracy'] })
  await model.fit(train.x, train.y, { epochs: 10, verbose: 0 })
  return { model, xTrain: train.x, yTrain: train.y, xTest: test.x, yTest: test.y }
}

describe('the code of', () => {
  it('first-network', async () => {
    const made = await run('first-network', [
      'history',
      'accuracy',
      'apple',
      'lemon',
      'answer',
      'again',
      'picture',
      'curve',
    ])
    expect(made.history.history.loss).toHaveLength(100)
    expect(made.accuracy).toBeGreaterThan(0.9)
    expect(made.apple[0]).toBeLessThan(0.1)
    expect(made.lemon[0]).toBeGreaterThan(0.9)
    const asked = [
      [1.7, 0.2],
      [1, 0.9],
    ]
    expect(made.again.predictOnBatch(asked).toArray()).toEqual(made.answer.toArray())
    expect([made.picture, made.curve]).toEqual([expect.any(plot.Picture), expect.any(plot.Picture)])
  })

  it('images', async () => {
    const made = await run('images', ['history', 'losses', 'features', 'corner'])
    expect(made.history.history.valAccuracy.at(-1)).toBeGreaterThan(0.9)
    expect(made.losses.loss.at(-1)).toBeLessThan(made.losses.loss[0])
    expect(made.corner.trainableWeights).toHaveLength(2)
  })

  it('text', async () => {
    const made = await run('text', ['numbers', 'opinions', 'opinion', 'reader', 'song', 'continued'])
    expect(made.numbers.shape).toEqual([6, 6])
    expect(made.opinions.data[0]).toBeGreaterThan(0.5)
    expect(made.opinions.data[1]).toBeLessThan(0.5)
    expect(made.opinion.data[0]).toBe(made.opinions.data[0])
    // The LSTM skips the padding.
    expect(made.reader.predictOnBatch([[0, 12, 7, 431]]).data).toEqual(made.reader.predictOnBatch([[12, 7, 431]]).data)
    expect(made.continued).toEqual(made.song.slice(0, 8))
  })

  it('time-series', async () => {
    const made = await run('time-series', ['meanAbsoluteError', 'ofLast', 'ofYesterday', 'forecast'])
    expect(made.meanAbsoluteError).toBeLessThan(Math.min(made.ofLast, made.ofYesterday))
    expect(made.forecast.shape).toEqual([1, 6])
  })

  it('models', async () => {
    const made = await run('models', ['price', 'kind', 'shape', 'features', 'trunk', 'residual'])
    expect([made.price.shape, made.kind.shape, made.shape]).toEqual([
      [64, 1],
      [64, 3],
      [64, 16],
    ])
    expect(made.features.weights[0]).toBe(made.trunk.weights[0])
    expect(made.residual.countParams()).toBe(2 * (8 * 8 + 8) + 9)
  })

  it('custom', async () => {
    const made = await run('custom', ['copy', 'gated', 'xTrain', 'largest'])
    expect(made.copy.predictOnBatch(made.xTrain).toArray()).toEqual(made.gated.predictOnBatch(made.xTrain).toArray())
    expect(made.largest).toBe(2)
  })

  it('training-loops', async () => {
    const made = await run('training-loops', ['loss', 'history', 'value', 'slope', 'model'])
    expect(made.loss.item()).toBeLessThan(0.1)
    expect(made.model.countParams()).toBe(9 * 10 + 11 * 8 + 9)
    expect(Object.keys(made.history).sort()).toEqual(['loss', 'mae'])
    expect([made.value.item(), made.slope.toArray()]).toEqual([10, [-6, 2]])
  })

  it('reinforcement-learning', async () => {
    const { lengths, mean } = await run('reinforcement-learning', ['lengths', 'mean'])
    expect(mean(lengths.slice(-20))).toBeGreaterThan(2 * mean(lengths.slice(0, 20)))
  })

  it('index', async () => {
    const { answers } = await run('index', ['answers'])
    expect(Array.from(answers.data as Float32Array, Math.round)).toEqual([0, 1, 1, 0])
  })

  it.each(['choosing', 'zh/choosing'])('%s', async (page) => {
    const { accuracy } = await run(page, ['accuracy'])
    expect(accuracy).toBeGreaterThan(0.9)
  })

  it('the Chinese pages, which is that of the English ones, except for comments and texts', () => {
    const codeOf = (page: string) =>
      testedBlocks(readDocument(`docs/${page}.md`)).map((block) => block.replace(/ *\/\/.*|`[^`]*`|'[^']*'/g, ''))
    for (const page of ['index', 'first-network']) expect(codeOf(`zh/${page}`)).toEqual(codeOf(page))
  })

  it('from-keras', async () => {
    const made = await run('from-keras', ['history', 'answers'])
    expect(made.history.history.valLoss).toHaveLength(5)
    expect(made.answers.shape).toEqual([64, 1])
  })

  it('from-tensorflow-js', async () => {
    const made = await run('from-tensorflow-js', ['history', 'answers', 'doubled', 'slope'])
    expect(made.history.history.valLoss).toHaveLength(20)
    expect(made.answers.data).toBeInstanceOf(Float32Array)
    expect([made.doubled, made.slope]).toEqual([
      [
        [4, 6],
        [8, 10],
      ],
      [
        [2, 4],
        [6, 8],
      ],
    ])
  })

  it('from-brain-js', async () => {
    const made = await run('from-brain-js', ['answer', 'dark'])
    expect(made.answer).toBeGreaterThan(0.9)
    expect(made.dark.shape).toEqual([1, 1])
  })

  it('files', async () => {
    const made = await run('files', ['again', 'model', 'bytes'])
    expect(made.again.countParams()).toBe(made.model.countParams())
    expect(made.bytes).toBeInstanceOf(Uint8Array)
  })

  it('explain', async () => {
    const given = await trained()
    // The guide has three sets of rows.
    const data = { ...given, xValidation: given.xTrain, yValidation: given.yTrain }
    const made = await run('explain', ['attributions', 'svg', 'honest', 'error'], data)
    expect(made.attributions.shape).toEqual([16, 8])
    expect(made.svg).toContain('Why this answer?')
    expect(made.honest.predictOnBatch(given.xTest).shape).toEqual([16, 1])
    expect(made.error).toBeGreaterThanOrEqual(0)
  })

  it('thrift', async () => {
    const made = await run('thrift', ['spent', 'half', 'ofBytes'], await trained())
    expect(made.spent.reports.footprint.joules.unit).toBe('J')
    expect(made.half.countParams()).toBeLessThan(9 * 10 + 11 * 8 + 9)
    expect(made.ofBytes).toBeInstanceOf(myelin.Model)
  })

  it('balance', async () => {
    const made = await run('balance', ['health', 'mixedX'], await trained())
    expect(made.health.records).toHaveLength(5)
    expect(made.mixedX.shape).toEqual([32, 8])
  })

  it('speed', async () => {
    const blocks = testedBlocks(readDocument('docs/speed.md'))
    const given: unknown[] = []
    const configure = (settings: myelin.Settings): void => {
      given.push(settings)
      myelin.configure(settings)
    }
    // Turbo is for the rest of the process, so it is only checked that the setting exists.
    const harmless = blocks.map((block) => block.replace(/^configure\(\{ turbo: true \}\).*$/m, ''))
    await withSettings({}, () => runBlocks(harmless, { ...exported, configure }, {}, []))
    expect(blocks.join('')).toContain('configure({ turbo: true })')
    expect(given).toEqual([{ simd: 'plain' }, { threads: 'auto' }, { backend: 'interpreter' }])
  })

  it('worker', async () => {
    const text = readDocument('docs/worker.md')
    const [, program] = /<!-- worker -->\n```js\n([\s\S]*?)```/.exec(text)!
    /** Runs the program in this thread, with both ends of a channel. */
    class Worker extends EventTarget {
      private readonly inner = new EventTarget()

      constructor(readonly address: URL) {
        super()
        const scope = {
          addEventListener: this.inner.addEventListener.bind(this.inner),
          postMessage: (value: unknown, { transfer = [] }: { transfer?: ArrayBuffer[] } = {}) =>
            this.pass(this, value, transfer),
        }
        void runBlocks([program!], exported, scope, [])
      }

      postMessage(value: unknown): void {
        setTimeout(() => this.pass(this.inner, value, []))
      }

      terminate(): void {}

      private pass(to: EventTarget, value: unknown, transfer: ArrayBuffer[]): void {
        to.dispatchEvent(new MessageEvent('message', { data: structuredClone(value, { transfer }) }))
      }
    }
    const blocks = testedBlocks(text).map((block) => block.replace('import.meta.url', "'https://localhost/'"))
    const made = await runBlocks(blocks, exported, { Worker }, ['lines', 'learnt', 'answer', 'worker'])
    expect(made.worker.address.pathname).toBe('/trainer.js')
    expect(made.lines).toHaveLength(6)
    for (const line of made.lines) expect(line).toMatch(/^epoch [123]: loss 0\.\d{3}$/)
    expect(made.learnt).toBeInstanceOf(myelin.Model)
    expect(made.answer).toBeGreaterThan(0)
  })
})

describe('docs/errors.md', () => {
  const text = readDocument('docs/errors.md')
  const [, setup] = /It assumes:\n\n```js\n([\s\S]*?)```/.exec(text)!
  const examples = [...text.matchAll(/^### (.*)\n\n```js\n([\s\S]*?)```\n\n```text\n([\s\S]*?)\n```\n\n(.*)/gm)]

  it('has a remedy for each example, and every class of errors', () => {
    expect(examples.length).toBeGreaterThan(20)
    for (const [, title, , , remedy] of examples) expect(remedy, title).toMatch(/\w/)
    const classes = Object.entries(myelin).filter(([name]) => /^[A-Z]\w+Error$/.test(name))
    const shown = new Set(examples.map(([, , , message]) => /^\w+/.exec(message!)![0]))
    for (const [name] of classes.filter(([each]) => each !== 'MyelinError')) {
      expect(text).toContain(`| \`${name}\` |`)
      expect(shown, name).toContain(name)
    }
  })

  it.each(examples.map(([, title, code, message]) => [title!, code!, message!] as const))(
    '%s: the message is that of the library',
    async (_title, code, message) => {
      // Names of layers are numbered.
      myelin.clearSession()
      const failed: unknown = await runBlocks([setup!, code], exported, {}, []).catch((error: unknown) => error)
      expect(failed).toBeInstanceOf(myelin.MyelinError)
      const { name, message: real } = failed as myelin.MyelinError
      expect(`${name}: ${real}`).toBe(message)
    },
  )
})
