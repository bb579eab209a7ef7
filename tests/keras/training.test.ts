// Training continues from the state that a file of Keras has.

import { describe, expect, it } from 'vitest'
import { loadModel } from '../../src'
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

it('compile: false leaves the model uncompiled', async () => {
  const model = await loadModel(bytesOf('3.15/training/adam.keras'), { compile: false })
  expect(() => model.optimizer).toThrow(/compile/)
})
