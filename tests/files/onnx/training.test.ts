// Training, saving and the layout of networks that torch.onnx wrote. Other modes compute with the same ops.
// modes: simd

import { describe, expect, it } from 'vitest'
import { Tensor, loadModel, ops, tensor, valueAndGrad, disassemble } from '../../../src'
import { OnnxGraph, OnnxModel, loadOnnx } from '../../../src/entries/onnx'
import { bytesOf, inputsOf, golden, wave } from '../../helpers/onnx-networks'

const classes = { OnnxModel, OnnxGraph }

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
    // A parameter of no operator: the user names it.
    for (const weight of model.weights) if (weight.name === 'token') weight.trainable = true
    const before = model.getWeights()
    model.compile({ optimizer: 'adam', loss: 'meanSquaredError' })
    const { history } = await model.fit(wave(x), ops.abs(wave(y)), { epochs: 5, batchSize: 4, verbose: 0 })
    const losses = history['loss']!
    expect(losses.at(-1)!).toBeLessThan(losses[0]!)
    const unchanged = model.weights.filter((each, i) => each.value.data.every((w, j) => w === before[i]!.data[j]))
    expect(unchanged.map((each) => each.name)).toEqual([])
  })

  it.each(['perceptron-old', 'residual-old', 'unet-old', 'lstm-old', 'transformer-old'])(
    'gradients of %s are those of finite differences',
    async (name) => {
      const model = await loadOnnx<unknown, Tensor>(bytesOf(name))
      const x = tensor(
        inputsOf(golden[name]!) as never,
        undefined,
        name.startsWith('transformer') ? 'int32' : 'float32',
      )
      const loss = (): Tensor => {
        const y = model.apply(x)
        return ops.sum(ops.multiply(y, wave(y.shape)))
      }
      const [, gradients] = valueAndGrad(loss)(model.trainableWeights as never) as unknown as [Tensor, Tensor[]]
      const compute = valueAndGrad(loss)
      const value = (): number => (compute(model.trainableWeights as never) as unknown as [Tensor])[0].item()
      model.trainableWeights.forEach((weight, i) => {
        const at = 7919 % weight.size
        const content = weight.value.data.slice()
        // A larger step crosses the kinks of relu and of maxima.
        const step = 1e-3
        const moved = (by: number): number => {
          const next = content.slice()
          next[at]! += by
          weight.assign(new Tensor(next, [...weight.shape], 'float32'))
          return value()
        }
        const slope = (moved(step) - moved(-step)) / (2 * step)
        weight.assign(new Tensor(content, [...weight.shape], 'float32'))
        const found = gradients[i]!.data[at]!
        expect(Math.abs(found - slope), weight.name).toBeLessThan(1e-3 + 1e-2 * Math.abs(slope))
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

  it('a saved model trains like the original', async () => {
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

describe('predicting', () => {
  it('move no elements between convolutions', async () => {
    const model = await loadOnnx(bytesOf('residual-old'))
    model.predictOnBatch(wave([2, 3, 10, 10]))
    const [text] = [...disassemble(model).values()]
    const copies = text!.split('\n').filter((line) => /^ *\d+ +Copy/.test(line))
    // The input becomes channels-last, and the padding of MaxPool surrounds its operand.
    expect(copies).toHaveLength(2)
    expect(copies[0]).toContain('first/Conv')
    expect(copies[1]).toContain('MaxPool: pad')
  })

  it('fold BatchNormalization into the convolution before it', async () => {
    const model = await loadOnnx(bytesOf('residual-training-old'))
    model.predictOnBatch(wave([2, 3, 10, 10]))
    const [text] = [...disassemble(model).values()]
    expect(text).toContain('convolution+add+relu')
  })
})
