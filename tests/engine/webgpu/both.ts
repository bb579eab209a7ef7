// Runs the same program on the CPU and on the GPU of the tests, and compares the numbers that it leaves.

import { expect } from 'vitest'
import { flatten, typed, type Tree } from '../../../src/core/tree'
import {
  Layer,
  ops,
  setRandomSeed,
  tensor,
  type BatchShape,
  type DType,
  type FitOptions,
  type Model,
  type Tensor,
} from '../../../src'
import { setAccelerator, type ProgramReport } from '../../../src/engine/runtime/accelerator'
import { WebGpu } from '../../../src/engine/webgpu/webgpu'
import { savedVariables } from '../../../src/models/save'
import { bools, floats, integers } from '../../helpers/data'
import { testGpu } from './adapter'

const gpu = await testGpu()

/** The accelerator of all tests, so that they share kernels; null without a GPU. */
export const web = gpu && new WebGpu(gpu, 'always', 'the device of the tests', null)

/** Numbers by name. */
export type Outcome = Readonly<Record<string, ArrayLike<number>>>

export interface GpuRun<Result> {
  readonly result: Result
  /** The programs that it prepared, at most 100. */
  readonly programs: readonly ProgramReport[]
}

/** Runs `body` with the accelerator. */
export async function onGpu<Result>(body: () => Promise<Result>): Promise<GpuRun<Result>> {
  const last = web!.report.programs.at(-1)
  setAccelerator(web)
  try {
    const result = await body()
    const { programs } = web!.report
    return { result, programs: programs.slice(last === undefined ? 0 : programs.indexOf(last) + 1) }
  } finally {
    setAccelerator(null)
  }
}

/** How far numbers may be from those of the CPU, as a part of the largest of their tensor. */
const TOLERANCE = 1e-5
/** Sums whose terms cancel, such as the gradient of the bias of keys, are only rounding. */
const ROUNDING = 1e-8

export function expectAlike(received: Outcome, expected: Outcome, tolerance = TOLERANCE): void {
  expect(Object.keys(received)).toEqual(Object.keys(expected))
  const wrong = Object.entries(expected).flatMap(([name, numbers]) => {
    const others = Array.from(received[name]!)
    const all = Array.from(numbers)
    const largest = all.reduce((most, x) => Math.max(most, Math.abs(x) || 0), 0)
    const differs = (x: number, i: number): boolean =>
      !Object.is(x, others[i]) && !(Math.abs(x - others[i]!) <= Math.max(tolerance * largest, ROUNDING))
    if (all.length === others.length && !all.some(differs)) return []
    const worst = Math.max(...all.map((x, i) => Math.abs(x - others[i]!)))
    return [`${name}: ${all.filter(differs).length} of ${all.length} differ, by ${worst}; the largest is ${largest}`]
  })
  expect(wrong).toEqual([])
}

/** Expects that all programs ran on the GPU. */
export function expectOnGpu(programs: readonly ProgramReport[], least = 1): void {
  expect(programs.filter(({ device }) => device !== 'gpu').map(({ why }) => why)).toEqual([])
  expect(programs.length).toBeGreaterThanOrEqual(least)
}

/** Runs `body` on both from the same random numbers, and compares what it returns. @returns the programs on the GPU */
export async function compareBoth(body: () => Promise<Outcome>, tolerance?: number): Promise<readonly ProgramReport[]> {
  const seeded = (): Promise<Outcome> => {
    setRandomSeed(3)
    return body()
  }
  const expected = await seeded()
  const { result, programs } = await onGpu(seeded)
  expectAlike(result, expected, tolerance)
  return programs
}

/** Weights, states and the optimizer's variables, by their names without those of layers, which are numbered. */
export function stateOf(model: Model): Outcome {
  const nameOf = (key: string): string => key.replace(/^(\w+\/\d+\/).*\//, '$1')
  return Object.fromEntries(
    savedVariables(model).map(({ key, variable }) => [nameOf(key), variable.value.data.slice()]),
  )
}

export interface Data {
  readonly x: Tree<Tensor>
  readonly y: Tree<Tensor> | null
  readonly batchSize?: number
  readonly fit?: Omit<FitOptions, 'verbose'>
}

/** Trains in order, evaluates and predicts: everything that this leaves. */
export async function trained(model: Model, { x, y, batchSize = 2, fit = {} }: Data): Promise<Outcome> {
  const [xs, ys] = [typed<Tensor>(x), typed<Tensor>(y)]
  const { history } = await model.fit(xs, ys, { batchSize, shuffle: false, ...fit, verbose: 0 })
  const left = stateOf(model)
  const results = await model.evaluate(xs, ys, { batchSize, verbose: 0 })
  const predicted = flatten(typed<Tree<Tensor>>(await model.predict(xs, { batchSize })))
  const after = stateOf(model)
  model.dispose()
  return {
    ...named('history', history),
    ...named('after fit', left),
    ...named('evaluate', Object.fromEntries(Object.entries(results).map(([name, value]) => [name, [value]]))),
    ...named('predict', Object.fromEntries(predicted.map(({ data }, i) => [String(i), data]))),
    ...named('after predict', after),
  }
}

function named(what: string, outcome: Readonly<Record<string, ArrayLike<number>>>): Outcome {
  return Object.fromEntries(Object.entries(outcome).map(([name, numbers]) => [`${what}: ${name}`, numbers]))
}

/** Adds a weight, 0 at first, to each number of a sample: its gradient is that of the inputs. */
export class Shift extends Layer {
  override build([, ...shape]: BatchShape): void {
    this.addWeight({ name: 'shift', shape: shape as number[], initializer: 'zeros' })
  }
  override call(x: Tensor): Tensor {
    return ops.add(x, this.weights[0]!)
  }
  override computeOutputShape(shape: BatchShape): BatchShape {
    return shape
  }
}

/** Uniform in [−1, 1). */
export function numbers(shape: readonly number[], seed = 1): Tensor {
  return tensor([...floats(shape, -1, 1, seed).data], [...shape])
}

/** Integers in 0 … below − 1. */
export function whole(shape: readonly number[], below: number, seed = 1, dtype: DType = 'int32'): Tensor {
  return tensor([...integers(shape, 0, below - 1, seed).data], [...shape], dtype)
}

export function flags(shape: readonly number[], seed = 1): Tensor {
  return tensor([...bools(shape, seed).data], [...shape], 'bool')
}
