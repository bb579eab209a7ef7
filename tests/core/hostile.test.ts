// Hostile numbers, such as a size of 1e9, a count of 0.5, or NaN: every option of every class and every call accepts them or
// throws an error of this library, in little time and memory. If such a number ends the process, the whole file fails.
// modes: simd

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import {
  CategoryEncoding,
  Dense,
  Embedding,
  Hashing,
  Input,
  Muon,
  MyelinError,
  RepeatVector,
  Resizing,
  Sequential,
  TextVectorization,
  ZeroPadding1D,
  dispose,
  ops,
  padSequences,
  runtimeInfo,
  tensor,
} from '../../src'
import { gridSearch } from '../../src/entries/search'
import { optionsOf } from '../../src/core/options'
import { hostileCalls } from '../helpers/hostile-calls'
import { subjects, tried } from '../helpers/subjects'

const HOSTILE = [1e9, 2 ** 31, 1e300, -1, 0.5, NaN, Infinity]
/** Processor time, which does not depend on other processes. */
const MOST_MS = 1000
const MOST_BYTES = 200e6

beforeAll(() => void vi.spyOn(console, 'warn').mockImplementation(() => undefined))
afterAll(() => {
  vi.restoreAllMocks()
  // Releases the memory of the largest case.
  return dispose()
})

/** Bytes of arrays and of linear memory. */
const held = (): number => process.memoryUsage().arrayBuffers + runtimeInfo().memory.reservedBytes

/** @returns whether the number was accepted */
async function attempt(what: string, run: () => unknown): Promise<boolean> {
  const [before, start] = [held(), process.cpuUsage()]
  let isTaken = true
  try {
    await run()
  } catch (error) {
    isTaken = false
    const isExpected = error instanceof MyelinError || (error instanceof Error && error.name === 'TimeoutError')
    if (!isExpected) throw new Error(`${what}: ${String(error)}`, { cause: error })
  }
  const { user, system } = process.cpuUsage(start)
  expect((user + system) / 1000, `${what}: milliseconds`).toBeLessThan(MOST_MS)
  expect(held() - before, `${what}: bytes`).toBeLessThan(MOST_BYTES)
  return isTaken
}

const all = subjects()
/** One example of each class: all have the same options. */
const each = all.filter(({ kind, name }, i) => all.findIndex((one) => one.kind === kind && one.name === name) === i)

describe('every option of every class', () => {
  it.each(each.map((subject) => ({ title: `${subject.kind} ${subject.name}`, subject })))(
    '$title',
    async ({ subject }) => {
      await tried(subject)
      for (const option of Object.keys(optionsOf(subject.of))) {
        for (const number of HOSTILE) {
          const what = `${subject.name}: ${option} = ${number}`
          if (await attempt(what, () => tried(subject, { [option]: number }))) continue
          await attempt(`${what}, twice`, () => tried(subject, { [option]: [number, number] }))
        }
      }
    },
  )
})

describe('every call', () => {
  it.each(hostileCalls())('$name', async ({ name, run }) => {
    for (const number of HOSTILE) {
      await attempt(`${name} = ${number}`, () => run(number as never))
      await attempt(`${name} = [${number}, 2]`, () => run([number, 2] as never))
    }
  })
})

it('the subjects include every class with options', () => {
  expect(new Set(all.map(({ kind }) => kind))).toEqual(
    new Set([
      'layer',
      'loss',
      'metric',
      'optimizer',
      'schedule',
      'initializer',
      'regularizer',
      'constraint',
      'callback',
      'memory',
    ]),
  )
})

describe('limits', () => {
  it.each<[string, (size: number) => unknown]>([
    ['Dense: units', (size) => new Dense({ units: size })],
    ['Embedding: inputDim', (size) => new Embedding({ inputDim: size, outputDim: 2 })],
    ['CategoryEncoding: numTokens', (size) => new CategoryEncoding({ numTokens: size })],
    ['Resizing: height', (size) => new Resizing({ height: size, width: 2 })],
    ['RepeatVector: n', (size) => new RepeatVector(size)],
    ['ZeroPadding1D: padding', (size) => new ZeroPadding1D(size)],
    ['TextVectorization: outputSequenceLength', (size) => new TextVectorization({ outputSequenceLength: size })],
    ['Hashing: numBins', (size) => new Hashing({ numBins: size })],
    ['Muon: nsSteps', (size) => new Muon({ nsSteps: size })],
    ['padSequences: maxlen', (size) => padSequences([[1]], { maxlen: size })],
    ['Input: shape', (size) => Input({ shape: [size] })],
  ])('%s names the option and the limit', (name, make) => {
    expect(() => make(2 ** 31)).toThrow(
      new RegExp(`${name.replace(': ', '.*: ')} must .*(?:268435456|100000|1000).*2147483648`),
    )
  })

  it('hold for computed tensors, whatever created them', () => {
    const long = 2 ** 14 + 1
    expect(() => ops.multiply(ops.zeros([long, 1]), ops.zeros([1, long]))).toThrow(
      'multiply: [16385, 16385] has more than 268435456 elements, the limit of one tensor',
    )
    expect(() => new Dense(long).apply(ops.zeros([1, long]))).toThrow(
      /kernel: \[16385, 16385\] has more than 268435456/,
    )
  })

  it('a grid has at most a million combinations', async () => {
    const ten = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    const space = Object.fromEntries([...'abcdefgh'].map((name) => [name, ten]))
    await expect(gridSearch(() => new Sequential(), space, {})).rejects.toThrow(
      'has 100000000 combinations, more than 1048576',
    )
  })

  it('given data may be larger than computed tensors', () => {
    expect(() => tensor({ data: [1], shape: [2 ** 29] })).toThrow('needs 536870912 elements, received 1')
  })
})
