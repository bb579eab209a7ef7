// Small models and data for tests of training, and checks of state that must not change.

import { expect, vi } from 'vitest'
import {
  Dense,
  MyelinError,
  SGD,
  Sequential,
  setRandomSeed,
  tensor,
  type CallbackMethods,
  type FitOptions,
  type LayerBase,
  type Model,
  type OptimizerIdentifier,
} from '../../src'
import { savedVariables } from '../../src/models/save'
import { generator } from './data'

/** `rows` samples of `features` numbers, whether their weighted sum is positive, and which third it is in. */
export function samples(rows: number, features = 4, seed = 1) {
  const random = generator(seed)
  const x = Array.from({ length: rows }, () => Array.from({ length: features }, () => 2 * random() - 1))
  const score = x.map((row) => row.reduce((sum, value, i) => sum + value * (i + 1), 0))
  return {
    x,
    /** [rows, 1] of 0 and 1 */
    yes: score.map((s) => [Number(s > 0)]),
    /** [rows] of 0, 1, 2 */
    labels: score.map((s) => (s < -0.8 ? 0 : s < 0.8 ? 1 : 2)),
    /** [rows, 1] */
    numbers: score.map((s) => [s]),
  }
}

/** Dense 5 relu → Dense 1 sigmoid, compiled, always with the same weights. */
export function binaryModel({
  optimizer = 'adam',
  features = 4,
  seed = 1,
}: { optimizer?: OptimizerIdentifier; features?: number; seed?: number } = {}): Sequential {
  setRandomSeed(seed)
  const model = new Sequential([
    new Dense({ units: 5, activation: 'relu', inputShape: [features], name: 'hidden' }),
    new Dense({ units: 1, activation: 'sigmoid', name: 'output' }),
  ])
  model.compile({ optimizer, loss: 'binaryCrossentropy', metrics: ['accuracy'] })
  return model
}

/** The elements of all weights. */
export function weightsOf(model: LayerBase): number[][] {
  return model.getWeights().map(({ data }) => Array.from(data))
}

/** Weights, optimizer and random state: everything that is saved. */
export function stateOf(model: Model): Record<string, number[]> {
  return Object.fromEntries(savedVariables(model).map(({ key, variable }) => [key, Array.from(variable.value.data)]))
}

type ErrorClass = abstract new (...inputs: never[]) => Error

/** The error that `action` throws or rejects with; fails if it does neither. */
export async function errorOf(action: () => unknown): Promise<Error> {
  try {
    await action()
  } catch (error) {
    if (error instanceof Error) return error
    throw new Error(`expected an Error, received ${String(error)}`, { cause: error })
  }
  throw new Error('expected an error, received none')
}

/** Expects a typed error whose message has all parts, and unchanged weights. */
export async function expectError(
  model: Model,
  action: () => unknown,
  type: ErrorClass,
  ...parts: (string | RegExp)[]
): Promise<Error> {
  const before = weightsOf(model)
  const error = await errorOf(action)
  expect(error).toBeInstanceOf(type)
  expect(error).toBeInstanceOf(MyelinError)
  for (const part of parts) expect(error.message).toMatch(part)
  expect(weightsOf(model), 'weights after the error').toEqual(before)
  return error
}

/**
 * The row that each batch of one was trained on, epoch by epoch. The prediction is always 0 and row k has the target k,
 * so the loss of a batch identifies the row.
 */
export async function ordersOf(rows: number, options: FitOptions): Promise<number[][]> {
  const model = new Sequential([new Dense({ units: 1, kernelInitializer: 'zeros', inputShape: [1] })])
  model.compile({ optimizer: new SGD({ learningRate: 0 }), loss: 'meanSquaredError' })
  const orders: number[][] = []
  let total = 0
  const recorder: CallbackMethods = {
    onEpochBegin: () => {
      orders.push([])
      total = 0
    },
    onTrainBatchEnd: (batch, { loss }) => {
      const sum = loss * (batch + 1)
      orders.at(-1)!.push(Math.round(Math.sqrt(Math.max(0, sum - total))))
      total = sum
    },
  }
  const x = tensor({ data: new Float32Array(rows), shape: [rows, 1] })
  const y = tensor({ data: Float32Array.from({ length: rows }, (_, i) => i), shape: [rows, 1] })
  await model.fit(x, y, { batchSize: 1, verbose: 0, ...options, callbacks: [recorder] })
  model.dispose()
  return orders
}

/** The text that `action` writes to the standard output; `isTTY` makes it a terminal for that time. */
export async function outputOf(action: () => Promise<unknown>, { isTTY = false } = {}): Promise<string> {
  let text = ''
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    text += String(chunk)
    return true
  })
  const before = Object.getOwnPropertyDescriptor(process.stdout, 'isTTY')
  Object.defineProperty(process.stdout, 'isTTY', { value: isTTY, configurable: true })
  try {
    await action()
  } finally {
    write.mockRestore()
    if (before === undefined) Reflect.deleteProperty(process.stdout, 'isTTY')
    else Object.defineProperty(process.stdout, 'isTTY', before)
  }
  return text
}
