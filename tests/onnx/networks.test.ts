// Networks that torch.onnx wrote: outputs, layout, training, saving.

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { OnnxGraph, OnnxModel, loadOnnx } from '../../src/onnx'
import { Tensor, loadModel, ops, tensor, valueAndGrad } from '../../src'
import type { NumbersOfAnyRank } from '../../src/ops/tensor'

const folder = new URL('../golden/onnx/', import.meta.url)
const bytesOf = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(`networks/${name}.onnx`, folder)))

interface Golden {
  readonly inputs: Readonly<Record<string, NumbersOfAnyRank>>
  readonly outputs: Readonly<Record<string, NumbersOfAnyRank>>
}

const golden = JSON.parse(readFileSync(new URL('networks.json', folder), 'utf8')) as Record<string, Golden>
const classes = { OnnxModel, OnnxGraph }

/** The inputs as a model takes them: one alone, several by name. */
const given = ({ inputs }: Golden): unknown => (Object.keys(inputs).length === 1 ? Object.values(inputs)[0] : inputs)

const record = (outputs: unknown, { outputs: names }: Golden): Record<string, Tensor> =>
  outputs instanceof Tensor ? { [Object.keys(names)[0]!]: outputs } : (outputs as Record<string, Tensor>)

function expectOutputs(found: unknown, each: Golden): void {
  for (const [name, expected] of Object.entries(each.outputs)) {
    const { data, shape } = record(found, each)[name]!
    const wanted = tensor(expected)
    expect(shape).toEqual(wanted.shape)
    data.forEach((x, i) => expect(Math.abs(x - wanted.data[i]!)).toBeLessThan(2e-5))
  }
}

/** Numbers that look random. */
const wave = (shape: readonly number[], scale = 1): Tensor =>
  tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => scale * Math.sin(i * 1.7)),
    shape,
  )

describe('networks of torch.onnx', () => {
  it.each(Object.keys(golden))('%s computes what torch computes', async (name) => {
    const model = await loadOnnx<unknown, unknown>(bytesOf(name))
    expectOutputs(await model.predict(given(golden[name]!) as Tensor), golden[name]!)
    model.dispose()
  })

  it('take several inputs and return several outputs by their names', async () => {
    const model = await loadOnnx<{ input: Tensor; state: Tensor }, { output: Tensor; stateN: Tensor }>(
      bytesOf('streaming-old'),
    )
    const { output, stateN } = await model.predict({ input: wave([3, 16]), state: wave([2, 3, 5]) })
    expect([output.shape, stateN.shape]).toEqual([
      [3, 1],
      [2, 3, 5],
    ])
    await expect(model.predict({ input: wave([3, 16]) } as never)).rejects.toThrow("'state'")
  })

  it('move no elements between convolutions', async () => {
    const model = await loadOnnx(bytesOf('residual-old'))
    model.predictOnBatch(wave([2, 3, 10, 10]))
    const [text] = [...model.disassemble().values()]
    const copies = text!.split('\n').filter((line) => /^ *\d+ +Copy/.test(line))
    // The input becomes channels-last, and the padding of MaxPool surrounds its operand.
    expect(copies).toHaveLength(2)
    expect(copies[0]).toContain('first/Conv')
    expect(copies[1]).toContain('MaxPool: pad')
  })

  it('fold BatchNormalization into the convolution before it', async () => {
    const model = await loadOnnx(bytesOf('residual-training-old'))
    model.predictOnBatch(wave([2, 3, 10, 10]))
    const [text] = [...model.disassemble().values()]
    expect(text).toContain('convolution+add+relu')
  })

  it('have weights under the names of the file, kernels in the layout of Conv2D', async () => {
    const model = await loadOnnx(bytesOf('residual-training-old'))
    const weights = new Map(model.weights.map((each) => [each.name, each]))
    expect(weights.get('first.weight')!.shape).toEqual([3, 3, 3, 8])
    expect(weights.get('last.weight')!.shape).toEqual([5, 8])
    expect(weights.get('norm.running_mean')!.trainable).toBe(false)
    expect(weights.get('norm.weight')!.trainable).toBe(true)
  })
})

const TRAINED = {
  'perceptron-old': [
    [24, 4],
    [24, 3],
  ],
  'residual-training-old': [
    [8, 3, 10, 10],
    [8, 5],
  ],
  residual: [
    [8, 3, 10, 10],
    [8, 5],
  ],
  'lstm-old': [
    [8, 5, 4],
    [8, 3],
  ],
  gru: [
    [8, 5, 4],
    [8, 3],
  ],
  'unet-old': [
    [8, 1, 8, 8],
    [8, 1, 8, 8],
  ],
  'patches-old': [
    [8, 3, 4, 6],
    [8, 6],
  ],
} as const

describe('training', () => {
  it.each(Object.entries(TRAINED))('fit lowers the loss of %s, and every weight changes', async (name, [x, y]) => {
    const model = await loadOnnx(bytesOf(name))
    const before = model.getWeights()
    model.compile({ optimizer: 'adam', loss: 'meanSquaredError' })
    const { history } = await model.fit(wave(x), ops.abs(wave(y)), { epochs: 5, batchSize: 4, verbose: 0 })
    const losses = history['loss']!
    expect(losses.at(-1)!).toBeLessThan(losses[0]!)
    const unchanged = model.weights.filter((each, i) => each.value.data.every((w, j) => w === before[i]!.data[j]))
    expect(unchanged.map((each) => each.name)).toEqual([])
  })

  it.each(['perceptron-old', 'residual-old', 'lstm-old', 'transformer-old'])(
    'gradients of %s are those of finite differences',
    async (name) => {
      const model = await loadOnnx<unknown, Tensor>(bytesOf(name))
      const x = tensor(given(golden[name]!) as never, undefined, name.startsWith('transformer') ? 'int32' : 'float32')
      const loss = (): Tensor => {
        const y = model.apply(x)
        return ops.sum(ops.multiply(y, wave(y.shape)))
      }
      const [, gradients] = valueAndGrad(loss)(model.trainableWeights as never) as unknown as [Tensor, Tensor[]]
      const compute = valueAndGrad(loss)
      const value = (): number => (compute(model.trainableWeights as never) as unknown as [Tensor])[0].item()
      model.trainableWeights.forEach((weight, i) => {
        const at = (weight.size * 7919) % weight.size
        const content = weight.value.data.slice()
        const step = 1e-2
        const moved = (by: number): number => {
          const next = content.slice()
          next[at]! += by
          weight.assign(new Tensor(next, [...weight.shape], 'float32'))
          return value()
        }
        const slope = (moved(step) - moved(-step)) / (2 * step)
        weight.assign(new Tensor(content, [...weight.shape], 'float32'))
        const found = gradients[i]!.data[at]!
        expect(Math.abs(found - slope), weight.name).toBeLessThan(2e-3 + 2e-2 * Math.abs(slope))
      })
    },
    60_000,
  )

  it('BatchNormalization normalizes by the batch, and its averages move', async () => {
    const model = await loadOnnx(bytesOf('residual-training-old'))
    const mean = model.weights.find((each) => each.name === 'norm.running_mean')!
    const before = mean.value.data.slice()
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
    model.trainOnBatch(wave([4, 3, 10, 10]), wave([4, 5]))
    expect(mean.value.data).not.toEqual(before)
    model.testOnBatch(wave([4, 3, 10, 10]), wave([4, 5]))
    const after = mean.value.data.slice()
    model.predictOnBatch(wave([4, 3, 10, 10]))
    expect(mean.value.data).toEqual(after)
  })

  it('a saved model goes on as the original', async () => {
    const model = await loadOnnx(bytesOf('residual-training-old'))
    const [x, y] = [wave([8, 3, 10, 10]), wave([8, 5])]
    model.compile({ optimizer: 'adam', loss: 'meanSquaredError' })
    await model.fit(x, y, { epochs: 2, batchSize: 4, verbose: 0, shuffle: false })
    const copy = await loadModel(await model.save(), { customObjects: classes })
    expect(copy).toBeInstanceOf(OnnxModel)
    expect(copy.weights.map(({ name }) => name)).toEqual(model.weights.map(({ name }) => name))
    for (const each of [model, copy]) await each.fit(x, y, { epochs: 1, batchSize: 4, verbose: 0, shuffle: false })
    expect((await copy.predict(x)).data).toEqual((await model.predict(x)).data)
  })

  it('a saved model does not contain the elements of its weights twice', async () => {
    const model = await loadOnnx(bytesOf('transformer-old'))
    const elements = 4 * model.countParams()
    const { graph } = JSON.parse(JSON.stringify({ graph: model.getLayer('graph').getConfig() })) as {
      graph: { file: string }
    }
    expect(atob(graph.file)).not.toContain(
      String.fromCharCode(...new Uint8Array(model.weights[0]!.value.data.slice(0, 4).buffer)),
    )
    expect(graph.file.length).toBeLessThan(bytesOf('transformer-old').length * 1.4 - elements)
  })
})
