// Networks that the converter of TensorFlow.js wrote, against TensorFlow. Other modes compute with the same ops.
// modes: simd

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { Tensor, loadModel, ops, tensor } from '../../../../src'
import { TfjsGraph, TfjsModel, readTfjs } from '../../../../src/entries/tfjs'
import { wave } from '../../../helpers/onnx-networks'

const folder = new URL('../../../golden/tfjs-graph/', import.meta.url)

interface Golden {
  readonly shape: readonly number[]
  readonly dtype: 'float32' | 'int32'
  readonly input: readonly number[]
  /** By the keys of the signature; '' for one output. */
  readonly outputs: Readonly<Record<string, { readonly shape: readonly number[]; readonly data: readonly number[] }>>
}

const golden = JSON.parse(readFileSync(new URL('networks.json', folder), 'utf8')) as Readonly<Record<string, Golden>>
const open = (name: string): Promise<TfjsModel> => readTfjs(fileURLToPath(new URL(name, folder))) as Promise<never>
const inputOf = (name: string): Tensor =>
  tensor([...golden[name]!.input] as never, [...golden[name]!.shape], golden[name]!.dtype)

/** The largest difference that the quantization of weights makes. */
const TOLERANCES: Readonly<Record<string, number>> = { 'images-float16': 2e-3, 'images-uint8': 0.05 }

async function requireSame(model: TfjsModel, name: string): Promise<void> {
  const found = (await model.predict(inputOf(name) as never)) as unknown
  const outputs = found instanceof Tensor ? { '': found } : (found as Record<string, Tensor>)
  expect(Object.keys(outputs)).toEqual(Object.keys(golden[name]!.outputs).toSorted())
  for (const [key, { shape, data }] of Object.entries(golden[name]!.outputs)) {
    expect(outputs[key]!.shape).toEqual(shape)
    const most = data.reduce((largest, each, i) => Math.max(largest, Math.abs(each - outputs[key]!.data[i]!)), 0)
    expect(most, key).toBeLessThan(TOLERANCES[name] ?? 1e-5)
  }
}

describe('networks', () => {
  it.each(Object.keys(golden))('%s predicts what TensorFlow predicts', async (name) => {
    await requireSame(await open(name), name)
  })

  it.each([
    ['images', [8, 12, 12, 3], { mask: [8, 8, 8, 1], label: [8, 5] }],
    ['tokens', [8, 6], [8, 3]],
    ['series', [8, 8, 3], [8, 2]],
  ] as const)('fit lowers the loss of %s, and its weights change', async (name, rows, shapes) => {
    const model = await open(name)
    const before = model.getWeights().map(({ data }) => data.slice())
    model.compile({ optimizer: 'adam', loss: 'meanSquaredError' })
    const x = name === 'tokens' ? ops.cast(ops.multiply(ops.abs(wave(rows)), 9), 'int32') : wave(rows)
    const target = (shape: readonly number[]): Tensor => ops.abs(wave(shape))
    const y = 'mask' in shapes ? { mask: target(shapes.mask), label: target(shapes.label) } : target(shapes)
    const { history } = await model.fit(x as never, y as never, { epochs: 6, batchSize: 4, verbose: 0 })
    expect(history['loss']!.at(-1)!).toBeLessThan(history['loss']![0]!)
    const unchanged = model.trainableWeights.filter((each) =>
      each.value.data.every((w, j) => w === before[model.weights.indexOf(each)]![j]),
    )
    expect(unchanged.map((each) => each.name)).toEqual([])
    const copy = await loadModel(await model.save(), { customObjects: { TfjsModel, TfjsGraph } })
    const [first, second] = [await model.predict(x as never), await copy.predict(x as never)] as unknown[]
    const flat = (value: unknown): unknown[] =>
      (value instanceof Tensor ? [value] : Object.values(value as Record<string, Tensor>)).map(({ data }) => data)
    expect(flat(second)).toEqual(flat(first))
  })

  it('the steps of an unrolled layer have one kernel', async () => {
    const model = await open('series')
    // Conv1D, the kernel, the recurrent kernel and the bias of LSTM, Dense.
    expect(model.countParams()).toBe(3 * 3 * 6 + 6 + 6 * 20 + 5 * 20 + 20 + 5 * 2 + 2)
  })

  it('sound takes waveforms of any length', async () => {
    const model = await open('sound')
    for (const length of [100, 139, 140, 5000]) {
      const found = (await model.predict(wave([length]) as never)) as unknown as Record<string, Tensor>
      expect(found['scores']!.shape).toEqual([1 + Math.floor((length - 100) / 40), 4])
    }
  })
})
