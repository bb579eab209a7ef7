// Sizes that the limits of options allow: windows, places and n-grams that took all time or memory. ATTACK_SIZES=3000 also tries that
// size in every option of every class, found by its table, and prints a line for each class: five minutes on two slow CPUs.
// tests/core/hostile.test.ts has sizes beyond the limits.
// modes: simd

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import {
  AdaptiveAveragePooling1D,
  AveragePooling2D,
  Layer,
  Metric,
  MaxPooling1D,
  MyelinError,
  TextVectorization,
  dispose,
  ops,
  runtimeInfo,
} from '../../src'
import { optionsOf } from '../../src/core/options'
import { imageFolder } from '../../src/entries/data'
import { subjects, tried, type Subject } from '../helpers/subjects'

const size = Number(process.env['ATTACK_SIZES'] ?? 0)

beforeAll(() => void vi.spyOn(console, 'warn').mockImplementation(() => undefined))
afterAll(() => {
  vi.restoreAllMocks()
  return dispose()
})

const held = (): number => process.memoryUsage().arrayBuffers + runtimeInfo().memory.reservedBytes

/** Runs a function that may be refused. @returns processor time in seconds, and megabytes that remain */
async function cost(run: () => unknown): Promise<{ seconds: number; megabytes: number }> {
  const [before, start] = [held(), process.cpuUsage()]
  try {
    await run()
  } catch (error) {
    const isExpected = error instanceof MyelinError || (error instanceof Error && error.name === 'TimeoutError')
    if (!isExpected) throw error
  }
  const { user, system } = process.cpuUsage(start)
  return { seconds: (user + system) / 1e6, megabytes: (held() - before) / 1e6 }
}

const all = subjects()
const each = all.filter(({ kind, name }, i) => all.findIndex((one) => one.kind === kind && one.name === name) === i)

const isAllowed = async (subject: Subject, given: object): Promise<boolean> => {
  try {
    await tried({ ...subject, use: () => subject.discard?.() }, given)
    return true
  } catch {
    return false
  }
}

/**
 * The sizes of an option: where it takes two, one of them is large, and a number for both is the root. So windows and kernels have `size`
 * elements.
 */
async function sizesOf(subject: Subject, option: string): Promise<readonly unknown[]> {
  const pair = [size, 1]
  return (await isAllowed(subject, { [option]: pair })) ? [pair, Math.ceil(Math.sqrt(size))] : [size]
}

/** Weights of [size, size] would be orthogonal after size³ steps. */
const without = ({ of }: Subject): object =>
  Object.hasOwn(optionsOf(of), 'recurrentInitializer') ? { recurrentInitializer: 'zeros' } : {}

/** Runs `use` of a subject, and counts the elements of the weights of a layer and of the state of a metric. */
function counted(subject: Subject): { readonly subject: Subject; readonly elements: () => number } {
  let elements = 0
  const use = (made: object): unknown => {
    const result = subject.use(made)
    const variables = made instanceof Layer ? made.weights : made instanceof Metric ? made.variables : []
    elements = variables.reduce((sum, { view }) => sum + view.length, 0)
    return result
  }
  return { subject: { ...subject, use }, elements: () => elements }
}

describe.runIf(size > 0)(`every option of every class, ${size}`, () => {
  it.each(each.map((subject, i) => ({ title: `${subject.kind} ${subject.name}`, subject, i })))(
    '$title',
    async ({ subject, title, i }) => {
      const started = performance.now()
      await tried(subject)
      for (const option of Object.keys(optionsOf(subject.of)))
        for (const value of await sizesOf(subject, option)) {
          const { subject: own, elements } = counted(subject)
          const { seconds, megabytes } = await cost(() => tried(own, { ...without(subject), [option]: value }))
          // Each subject is called several times, and its results become lists.
          const what = `${option} = ${String(value)}, ${elements()} elements`
          expect(seconds, `${what}: seconds`).toBeLessThan(2 + size / 3000 + elements() / 1e6)
          expect(megabytes, `${what}: megabytes`).toBeLessThan(300 + size / 2000 + elements() / 20_000)
        }
      const seconds = ((performance.now() - started) / 1000).toFixed(1)
      process.stdout.write(`${i + 1} of ${each.length}: ${title}, ${seconds} s\n`)
    },
    600_000,
  )
})

describe('sizes that took all time or memory', () => {
  it('a pooling window that reaches beyond both ends is as fast as one that reaches the ends, with the same values', async () => {
    const image = ops.reshape(ops.arange(16), [1, 4, 4, 1])
    const steps = ops.reshape(ops.arange(5), [1, 5, 1])
    const options = { strides: 1, padding: 'same' } as const
    const run = () => {
      expect(new AveragePooling2D({ poolSize: 8000, ...options }).apply(image).toArray()).toEqual(
        new AveragePooling2D({ poolSize: 8, ...options }).apply(image).toArray(),
      )
      expect(new MaxPooling1D({ poolSize: 6e7, ...options }).apply(steps).toArray().flat(2)).toEqual([4, 4, 4, 4, 4])
      expect(new MaxPooling1D({ poolSize: 6e7, padding: 'same' }).apply(steps).toArray()).toEqual([[[4]]])
    }
    const { seconds, megabytes } = await cost(run)
    expect(seconds).toBeLessThan(1)
    expect(megabytes).toBeLessThan(50)
  })

  it('every window with padding has the values of its elements', () => {
    const data = [3, -1, 4, 1, -5]
    for (let window = 1; window < 14; window++)
      for (let strides = 1; strides < 7; strides++) {
        const x = ops.reshape(ops.add(data, 0), [1, 5, 1])
        const places = Math.ceil(5 / strides)
        const before = Math.max(0, (places - 1) * strides + window - 5) >> 1
        const parts = Array.from({ length: places }, (_, i) =>
          data.filter((_each, at) => at >= i * strides - before && at < i * strides - before + window),
        )
        const options = { strides, padding: 'same' } as const
        expect(ops.maxPool(x, window, options).toArray().flat(2)).toEqual(parts.map((part) => Math.max(...part)))
        const means = ops.averagePool(x, window, options).toArray().flat(2) as number[]
        parts.forEach((part, i) =>
          expect(means[i]).toBeCloseTo(part.reduce((sum, value) => sum + value, 0) / part.length, 5),
        )
      }
  })

  it('are refused by name', async () => {
    expect(() => new AdaptiveAveragePooling1D(6e7)).toThrow(/outputSize must have a product of at most 1048576/)
    expect(() => new TextVectorization({ ngrams: 1e6 })).toThrow(/ngrams must be an integer in \[1, 100\]/)
    expect(() => new TextVectorization({ ngrams: [2, 1e9] })).toThrow(/ngrams\[1\] must be an integer in \[1, 100\]/)
    const animals = new URL('../golden/data/animals', import.meta.url).pathname
    await expect(imageFolder(animals, { imageSize: [8000, 8000] })).rejects.toThrow(
      /a batch: \[\d+, 8000, 8000, 3\] has more than 268435456 elements/,
    )
  })
})
