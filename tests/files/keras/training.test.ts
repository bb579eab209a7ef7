// Training continues from the state that a file of Keras has.

import { describe, expect, it, vi } from 'vitest'
import { LossScaleOptimizer, SGD, loadModel } from '../../../src'
import { bytesOf, jsonOf } from './goldens'

interface Runs {
  readonly runs: Readonly<
    Record<string, { readonly loss: number[]; readonly accuracy: number[]; readonly weights: number[][] }>
  >
}

// As in tests/golden/keras_files.py.
const x = Array.from({ length: 12 }, (_, row) =>
  Array.from({ length: 4 }, (_unused, i) => Math.fround(((37 * (4 * row + i)) % 101) / 50 - 1)),
)
const y = x.map((_, row) => [0, 1, 2].map((each) => Number(each === (row * 5) % 3)))

const cases = [
  ['3.15', 'keras'],
  ['3.15', 'h5'],
  ['2.15', 'keras'],
  ['2.15', 'h5'],
].flatMap(([version, extension]) => {
  const { runs } = jsonOf<Runs>(`${version}/training/runs${extension === 'keras' ? '' : '.h5'}.json`)
  return Object.entries(runs).map(([name, run]) => ({ path: `${version}/training/${name}.${extension}`, run }))
})

describe('three more epochs agree with Keras', () => {
  it.each(cases)('$path', async ({ path, run }) => {
    const model = await loadModel(bytesOf(path))
    const { history } = await model.fit(x, y, { batchSize: 4, epochs: 3, shuffle: false, verbose: 0 })
    const close = (received: ArrayLike<number>, expected: readonly number[]): void =>
      expected.forEach((each, i) =>
        expect(Math.abs(received[i]! - each)).toBeLessThan(1e-4 * Math.max(1, Math.abs(each))),
      )
    close(history['loss']!, run.loss)
    close(history['accuracy']!, run.accuracy)
    run.weights.forEach((weight, i) => close(model.weights[i]!.value.data, weight))
  })
})

it('Nadam of Keras 2 gets the product of its momentum schedule, which the file does not have', async () => {
  const product = async (version: string): Promise<number> => {
    const { optimizer } = await loadModel(bytesOf(`${version}/training/nadam.keras`))
    return optimizer.variables.find(({ name }) => name === 'momentumProduct')!.value.item()
  }
  expect(await product('2.15')).toBeCloseTo(await product('3.15'), 6)
})

it('the Nadam before Keras 2.11 keeps its state, and its constant learning rate', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  const { optimizer } = await loadModel(bytesOf('2.15/training/legacy_nadam.h5'))
  expect(warn).not.toHaveBeenCalled()
  warn.mockRestore()
  expect(optimizer.iterations.value.item()).toBe(6)
  expect(optimizer.learningRate).toBeCloseTo(0.02, 6)
  const product = optimizer.variables.find(({ name }) => name === 'momentumProduct')!.value.item()
  // Π 0.9 (1 − ½ · 0.96^(0.004 t)) of 6 updates
  expect(product).toBeCloseTo(
    [1, 2, 3, 4, 5, 6].reduce((u, t) => u * 0.9 * (1 - 0.5 * 0.96 ** (0.004 * t)), 1),
    6,
  )
  const means = optimizer.variables.filter(({ name }) => name.endsWith('/mean'))
  expect(means.every(({ value }) => value.data.some((each) => each !== 0))).toBe(true)
})

it('the LossScaleOptimizer of Keras 2 has the updates of its inner optimizer, and a constant factor is its lossScaleFactor', async () => {
  for (const extension of ['keras', 'h5']) {
    const { optimizer } = await loadModel(bytesOf(`2.15/training/scaled.${extension}`))
    expect(optimizer).toBeInstanceOf(LossScaleOptimizer)
    expect(optimizer.getConfig()).toMatchObject({ initialScale: 64, dynamicGrowthSteps: 3 })
    expect(optimizer.iterations.value.item()).toBe(6)
    const fixed = (await loadModel(bytesOf(`2.15/training/scaled_fixed.${extension}`))).optimizer
    expect(fixed).toBeInstanceOf(SGD)
    expect(fixed.lossScaleFactor).toBe(16)
  }
})

it('compile: false leaves the model uncompiled', async () => {
  const model = await loadModel(bytesOf('3.15/training/adam.keras'), { compile: false })
  expect(() => model.optimizer).toThrow(/compile/)
})
