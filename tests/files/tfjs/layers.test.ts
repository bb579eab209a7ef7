// Layers-models of TensorFlow.js are read, and predict and train as there.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { readTfjs } from '../../../src/entries/tfjs'
import { differenceOf, inputsOf, type Golden } from '../keras/goldens'
import { bytesOf, casesIn, filesOf, goldenOf, jsonOf, pathOf } from './goldens'

interface Training {
  readonly x: { readonly shape: readonly number[]; readonly data: readonly number[] }
  readonly y: { readonly shape: readonly number[]; readonly data: readonly number[] }
  readonly history: { readonly loss: readonly number[]; readonly acc: readonly number[] }
  readonly weights: readonly { readonly name: string; readonly shape: number[]; readonly data: number[] }[]
}

const rowsOf = ({ shape, data }: Training['x']): number[][] =>
  Array.from({ length: shape[0]! }, (_, row) => data.slice(row * shape[1]!, (row + 1) * shape[1]!))

describe('a file predicts what TensorFlow.js predicts', () => {
  it.each(casesIn())('%s', async (name) => {
    const model = await readTfjs<never, unknown>(pathOf(name))
    const { x, y } = goldenOf(name)
    expect(differenceOf(await model.predict(inputsOf(x) as never), y)).toBeLessThan(1e-5)
  })
})

describe('a file of the converter predicts what Keras predicts', () => {
  it.each(['functional', 'sequential'])('%s', async (name) => {
    const folder = fileURLToPath(new URL(`../../golden/tfjs/converted/${name}/`, import.meta.url))
    const model = await readTfjs<never, unknown>(folder)
    const { x, y } = JSON.parse(readFileSync(`${folder}golden.json`, 'utf8')) as Golden
    const predicted = await model.predict(inputsOf(x) as never)
    expect(differenceOf(Array.isArray(predicted) ? predicted : [predicted], y)).toBeLessThan(1e-5)
    if (name === 'sequential') expect(model.optimizer.learningRate).toBeCloseTo(0.01)
  })
})

describe('training continues as in TensorFlow.js', () => {
  it.each(casesIn('training/'))('%s', async (name) => {
    const model = await readTfjs(bytesOf(`${name}.json`), { files: filesOf(name) })
    const { x, y, history, weights } = jsonOf<Training>(`${name}.golden.json`)
    const own = await model.fit(rowsOf(x), rowsOf(y), { batchSize: 4, epochs: 3, shuffle: false, verbose: 0 })
    expect(Math.max(...own.history['loss']!.map((loss, i) => Math.abs(loss - history.loss[i]!)))).toBeLessThan(1e-4)
    const names = [...model.trainableWeights, ...model.nonTrainableWeights].map(({ name: own }) => own.split('/')[0])
    expect(names).toEqual(weights.map(({ name: their }) => their.split('/')[0]))
    const values = [...model.trainableWeights, ...model.nonTrainableWeights].map(({ value }) => value)
    expect(differenceOf(values, weights)).toBeLessThan(1e-4)
  })
})
