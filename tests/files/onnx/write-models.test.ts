// writeOnnx: whole models, their names and open extents, and what is refused.
// modes: simd

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  Add,
  BatchNormalization,
  Bidirectional,
  Concatenate,
  Conv1D,
  Conv2D,
  Dense,
  DepthwiseConv2D,
  Dropout,
  Embedding,
  Flatten,
  GRU,
  GlobalAveragePooling1D,
  GlobalAveragePooling2D,
  Input,
  LSTM,
  Layer,
  LayerNormalization,
  MaxPooling2D,
  Model,
  MultiHeadAttention,
  PositionEmbedding,
  Sequential,
  StringLookup,
  UpSampling2D,
  ops,
  random,
  tensor,
  type Tensor,
} from '../../../src'
import { loadOnnx, writeOnnx } from '../../../src/entries/onnx'
import { formulaOf, traceShapesFor } from '../../../src/files/onnx/export/extents'
import { QuantizedDense, quantize } from '../../../src/entries/thrift'
import { floats, integers } from '../../helpers/data'
import { expectSameInOnnx, graphOf, operatorsIn } from '../../helpers/onnx-files'

const numbers = (shape: readonly number[], seed = 1): Tensor => tensor([...floats(shape, -2, 2, seed).data], shape)
const classes = (shape: readonly number[], below: number): Tensor =>
  tensor([...integers(shape, 0, below - 1, 3).data], shape, 'int32')

type AnyModel = Model<unknown, unknown>

/** Averages that are not 0 and 1. */
function withAverages<Made extends AnyModel>(model: Made): Made {
  for (const weight of model.weights)
    if (weight.name.includes('moving')) weight.assign(ops.add(ops.abs(numbers(weight.shape)), 0.5))
  return model
}

describe('models', () => {
  it('keeps channels second between convolutions', async () => {
    const x = Input({ shape: [8, 8, 3], name: 'image' })
    const first = new Conv2D({ name: 'first', filters: 4, kernelSize: 3, padding: 'same', activation: 'relu' }).apply(x)
    const normal = new BatchNormalization().apply(new DepthwiseConv2D({ kernelSize: 3, padding: 'same' }).apply(first))
    const sum = new Add().apply([first, ops.relu(normal)])
    const small = new MaxPooling2D({ padding: 'same' }).apply(new UpSampling2D().apply(new MaxPooling2D().apply(sum)))
    const y = new Dense({ units: 5, activation: 'softmax', name: 'kind' }).apply(
      new GlobalAveragePooling2D().apply(small),
    )
    const model = withAverages(new Model({ inputs: x, outputs: y }) as AnyModel)
    const graph = await expectSameInOnnx('cnn', model, numbers([4, 8, 8, 3]))
    await expectSameInOnnx('cnn-one', model, numbers([1, 8, 8, 3], 5))
    const found = operatorsIn(graph)
    expect(found.filter((each) => each === 'Conv')).toHaveLength(2)
    // One at the input, and two around UpSampling2D, which copies rows and columns.
    expect(found.filter((each) => each === 'Transpose').length).toBeLessThanOrEqual(3)
    expect(graph.inputs.map(({ name }) => name)).toEqual(['image'])
    expect(graph.outputs.map(({ name }) => name)).toEqual(['kind'])
    expect(graph.initializers.map(({ name, dims }) => [name, dims.length])).toContainEqual(['first/kernel', 4])
  })

  // Predictions scale the kernel of a convolution instead of its results where these are more, which depends on the batch.
  it.each([
    [4, 4],
    [8, 4],
    [4, 1],
  ])('are one graph for every batch: side %i, %i channels', async (side, channels) => {
    const model = new Sequential([
      new Conv2D({ filters: 8, kernelSize: 3, padding: 'same', inputShape: [side, side, channels] }),
      new BatchNormalization(),
      new Conv2D({ filters: 16, kernelSize: 1 }),
      new BatchNormalization(),
      new Flatten(),
      new Dense({ units: 3 }),
      new BatchNormalization(),
    ])
    withAverages(model as AnyModel)
    for (const batch of [1, 2, 6, 40])
      await expectSameInOnnx(
        `one-graph-${batch}`,
        model as AnyModel,
        numbers([batch, side, side, channels], batch),
        2e-5,
      )
  })

  it('masks', async () => {
    const model = new Sequential([
      new Embedding({ inputDim: 6, outputDim: 4, maskZero: true, inputShape: [5] }),
      new Bidirectional({ layer: new GRU({ units: 3, returnSequences: true }) }),
      new LSTM(3),
      new Dense(2),
    ])
    model.weights.forEach((weight, i) => weight.assign(numbers(weight.shape, i + 2)))
    const x = tensor([1, 2, 0, 0, 3, 0, 0, 4, 5, 1, 2, 2, 2, 0, 0], [3, 5], 'int32')
    const graph = await expectSameInOnnx('masks', model as AnyModel, x)
    await expectSameInOnnx('masks-one', model as AnyModel, tensor([0, 3, 0, 2, 0], [1, 5], 'int32'))
    expect(operatorsIn(graph)).toContain('Scan')
  })

  it('several inputs and outputs, nested and shared layers', async () => {
    const inner = new Sequential(
      [new Dense({ units: 4, activation: 'tanh', inputShape: [3] }), new LayerNormalization()],
      {
        name: 'inner',
      },
    )
    const [a, b] = [Input({ shape: [3], name: 'a' }), Input({ shape: [3], name: 'b' })]
    const [left, right] = [inner.apply(a), inner.apply(b)]
    const both = new Concatenate().apply([left, right])
    const model = new Model({
      inputs: { a, b },
      outputs: { price: new Dense({ units: 1, name: 'dear' }).apply(both), which: ops.argmax(both, -1), left },
    })
    const graph = await expectSameInOnnx('several', model as AnyModel, { a: numbers([4, 3]), b: numbers([4, 3], 2) })
    expect(graph.inputs.map(({ name }) => name)).toEqual(['a', 'b'])
    expect(graph.outputs.map(({ name }) => name)).toEqual(['price', 'which', 'left'])
    expect(graph.initializers.filter(({ name }) => name.endsWith('kernel'))).toHaveLength(2)
  })

  it('an input that is an output, and one output twice', async () => {
    const x = Input({ shape: [3], name: 'x' })
    const y = new Dense({ units: 2, name: 'y' }).apply(x)
    const graph = await expectSameInOnnx(
      'through',
      new Model({ inputs: x, outputs: [y, x, y] }) as AnyModel,
      numbers([4, 3]),
    )
    expect(graph.outputs.map(({ name }) => name)).toEqual(['y', 'x_1', 'y_1'])
  })

  it('layers and models of users', async () => {
    class Swish extends Layer {
      static readonly className = 'Swish'
      call(x: Tensor): Tensor {
        return ops.multiply(x, ops.sigmoid(ops.add(x, ops.expm1(ops.multiply(x, 1e-3)))))
      }
    }
    class Two extends Model {
      first = new Dense(4)
      second = new Swish()
      override call(x: Tensor): Tensor {
        const sorted = ops.sort(this.second.apply(this.first.apply(x)))
        return ops.concatenate(
          [
            sorted,
            ops.cumprod(sorted, -1),
            ops.arctan2(sorted, ops.flip(sorted, -1)),
            ops.mod(sorted, 0.7),
            ops.floorDivide(sorted, -0.3),
            ops.log1p(ops.abs(sorted)),
          ],
          -1,
        )
      }
    }
    const model = new Two()
    await expect(writeOnnx(model)).rejects.toThrow('is not built')
    model.predictOnBatch(numbers([2, 3]))
    await expectSameInOnnx('custom', model as AnyModel, numbers([4, 3]))
  })

  it('loops of users', async () => {
    const x = Input({ shape: [5, 3], name: 'x' })
    const looped = new Model({
      inputs: x,
      outputs: new (class Running extends Layer {
        static readonly className = 'Running'
        call(given: Tensor): Tensor {
          const rows = ops.moveaxis(given, 1, 0)
          const [last, all] = ops.scan(
            (c: Tensor, row: Tensor): [Tensor, Tensor] => [ops.add(ops.multiply(c, 0.5), row), ops.tanh(c)],
            ops.zerosLike(ops.getItem(rows, 0)),
            rows,
            { reverse: true },
          )
          const powers = ops.foriLoop(0, 3, (i, c: Tensor) => ops.multiply(c, ops.add(ops.cast(i, 'float32'), 1)), last)
          return ops.concatenate([ops.moveaxis(all, 0, 1), ops.expandDims(powers, 1)], 1)
        }
      })().apply(x),
    })
    await expectSameInOnnx('loops', looped as AnyModel, numbers([4, 5, 3]))
  })
})

describe('open extents', () => {
  it('the length of sequences', async () => {
    const x = Input({ shape: [null], dtype: 'int32', name: 'words' })
    const vectors = new Embedding({ inputDim: 9, outputDim: 8 }).apply(x)
    const seen = new MultiHeadAttention({ numHeads: 2, keyDim: 4 }).apply([vectors, vectors], { useCausalMask: true })
    const local = new Conv1D({ filters: 4, kernelSize: 3, padding: 'causal', dilationRate: 2 }).apply(
      new LayerNormalization().apply(seen),
    )
    const states = new GRU({ units: 4, resetAfter: false, returnSequences: true }).apply(local)
    const y = new GlobalAveragePooling1D().apply(
      new LSTM({ units: 3, returnSequences: true, goBackwards: true }).apply(states),
    )
    const model = new Model({ inputs: x, outputs: [y, ops.getItem(states, [':', -1])] })
    for (const steps of [11, 4]) await expectSameInOnnx(`steps-${steps}`, model as AnyModel, classes([4, steps], 9))
    const { inputs } = graphOf(await writeOnnx(model))
    expect(inputs[0]!.type!.tensor!.shape!.dims.map(({ name }) => name)).toEqual(['batch', 'words_1'])
  })

  it('a length that a table of positions limits', async () => {
    const x = Input({ shape: [null, 3], name: 'x' })
    const outputs = ops.add(x, new PositionEmbedding(10).apply(x))
    const model = new Model({ inputs: x, outputs })
    for (const steps of [10, 3]) await expectSameInOnnx(`positions-${steps}`, model as AnyModel, numbers([2, steps, 3]))
  })

  it('are refused with advice if no length fits', async () => {
    const x = Input({ shape: [null, 3], name: 'x' })
    const model = new Model({ inputs: x, outputs: ops.add(x, new PositionEmbedding(4).apply(x)) })
    await expect(writeOnnx(model)).rejects.toThrow(
      "Fix the open extents with the option shapes: { shapes: { 'x': … } }",
    )
    const again = await loadOnnx(await writeOnnx(model, null, { shapes: { x: [null, 4, 3] } }))
    expect(again.inputs[0]!.shape).toEqual([null, 4, 3])
  })

  it('rows and columns of images', async () => {
    const x = Input({ shape: [null, null, 2], name: 'x' })
    const y = new Conv2D({ filters: 3, kernelSize: 3, padding: 'same', activation: 'relu' }).apply(x)
    const small = new UpSampling2D().apply(new MaxPooling2D().apply(y))
    const model = new Model({ inputs: x, outputs: [new GlobalAveragePooling2D().apply(small), small] })
    for (const [rows, columns] of [
      [7, 10],
      [6, 5],
    ] as const)
      await expectSameInOnnx(`image-${rows}`, model as AnyModel, numbers([3, rows, columns, 2]))
  })

  it('one length of two inputs', async () => {
    const [a, b] = [Input({ shape: [null, 3], name: 'a' }), Input({ shape: [null, 3], name: 'b' })]
    const model = new Model({ inputs: [a, b], outputs: ops.cumsum(ops.multiply(a, b), 1) })
    await expectSameInOnnx('two-lengths', model as AnyModel, [numbers([2, 6, 3]), numbers([2, 6, 3], 2)])
    const dims = graphOf(await writeOnnx(model)).inputs.map(({ type }) =>
      type!.tensor!.shape!.dims.map(({ name }) => name),
    )
    expect(dims).toEqual([
      ['batch', 'length', ''],
      ['batch', 'length', ''],
    ])
  })

  it('a fixed batch', async () => {
    const x = Input({ shape: [3], batchSize: 4, name: 'x' })
    const graph = await expectSameInOnnx(
      'fixed',
      new Model({ inputs: x, outputs: new Dense(2).apply(x) }) as AnyModel,
      numbers([4, 3]),
    )
    expect(graph.inputs[0]!.type!.tensor!.shape!.dims.map(({ value }) => value)).toEqual([4, 3])
  })

  it('refuses a padding that depends on them, unless they are fixed', async () => {
    const x = Input({ shape: [null, 2], name: 'x' })
    const strided = new Conv1D({ filters: 2, kernelSize: 3, strides: 2, padding: 'same', name: 'strided' })
    const model = new Model({ inputs: x, outputs: strided.apply(x) })
    await expect(writeOnnx(model)).rejects.toThrow(
      'convolution whose attributes depend on open extents. Fix the inputs with the option shapes (strided)',
    )
    const bytes = await writeOnnx(model, null, { shapes: { x: [null, 7, 2] } })
    const again = await loadOnnx(bytes)
    const data = numbers([4, 7, 2])
    expect(again.predictOnBatch(data)).toEqual(model.predictOnBatch(data))
    await expect(writeOnnx(model, null, { shapes: { x: [null, 7, 3] } })).rejects.toThrow(
      "shapes: 'x' must fit [null, null, 2], received [null, 7, 3]",
    )
    await expect(writeOnnx(model, null, { shapes: { y: [1] } })).rejects.toThrow("'y'")
  })
})

describe('names and weights', () => {
  it('renames inputs and outputs', async () => {
    const x = Input({ shape: [3], name: 'x' })
    const model = new Model({ inputs: x, outputs: new Dense({ units: 2, name: 'y' }).apply(x) })
    const { inputs, outputs } = graphOf(await writeOnnx(model, null, { names: { x: 'pixels', y: 'logits' } }))
    expect([inputs[0]!.name, outputs[0]!.name]).toEqual(['pixels', 'logits'])
    await expect(writeOnnx(model, null, { names: { z: 'logits' } })).rejects.toThrow("'z'")
    for (const names of [{ x: 'same', y: 'same' }, { x: 'y' }])
      await expect(writeOnnx(model, null, { names })).rejects.toThrow(/to two inputs or outputs\. Each needs a name/)
    await expect(writeOnnx(model, null, { opset: 18 } as object)).rejects.toThrow("'opset'")
  })

  it('weights have their names, and can be trained further', async () => {
    const model = new Sequential([
      new Conv2D({ filters: 2, kernelSize: 2, name: 'conv', inputShape: [4, 4, 1] }),
      new Flatten(),
      new Dense({ units: 1, name: 'dense' }),
    ])
    const again = await loadOnnx<unknown, unknown>(await writeOnnx(model))
    expect(again.weights.map(({ name }) => name).sort()).toEqual(model.weights.map(({ name }) => name).sort())
    for (const weight of model.weights)
      expect(again.weights.find(({ name }) => name === weight.name)!.value.data).toEqual(weight.value.data)
    again.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
    const { history } = await again.fit(numbers([8, 4, 4, 1]) as never, numbers([8, 1], 2) as never, {
      epochs: 3,
      verbose: 0,
    })
    expect(history['loss']!.at(-1)).toBeLessThan(history['loss']![0]!)
  })

  it('int8 weights', async () => {
    const model = new Sequential([
      new Conv2D({ filters: 4, kernelSize: 3, padding: 'same', activation: 'relu', inputShape: [6, 6, 2] }),
      new Flatten(),
      new Dense({ units: 3 }),
    ])
    const small = quantize(model)
    expect(small.layers.some((each: unknown) => each instanceof QuantizedDense)).toBe(true)
    await expectSameInOnnx('quantized', small as AnyModel, numbers([4, 6, 6, 2]), 1e-5)
  })
})

describe('files that were loaded', () => {
  const folder = new URL('../../golden/onnx/', import.meta.url)
  type Nested = readonly (number | Nested)[]
  const golden = JSON.parse(readFileSync(new URL('networks.json', folder), 'utf8')) as Readonly<
    Record<string, { readonly inputs: Readonly<Record<string, Nested>> }>
  >
  const shapeOf = (x: number | Nested | undefined): number[] =>
    typeof x === 'object' ? [x.length, ...shapeOf(x[0])] : []

  it.each(['gru', 'residual-training-old', 'streaming-old', 'patches'])('%s', async (name) => {
    const bytes = new Uint8Array(readFileSync(new URL(`networks/${name}.onnx`, folder)))
    const model = await loadOnnx<unknown, unknown>(bytes)
    const given = Object.entries(golden[name]!.inputs).map(
      ([key, x]) => [key, tensor((x as number[]).flat(9) as number[], shapeOf(x))] as const,
    )
    await expectSameInOnnx(`again-${name}`, model, given.length === 1 ? given[0]![1] : Object.fromEntries(given))
  })
})

describe('the extents of traces', () => {
  it('do not follow from each other', () => {
    const shapes = [
      [null, null, null, 3],
      [null, null],
      [null, 2, null],
    ]
    const ways = [...traceShapesFor(shapes, ['a', 'b', 'c'])]
    expect(ways).toHaveLength(17)
    for (const { open } of ways) {
      open.forEach(({ values }, i) => {
        expect(new Set(values).size).toBeGreaterThan(1)
        expect(formulaOf(values, [...open.slice(0, i), ...open.slice(i + 1)])).toBeNull()
      })
    }
  })
})

describe('refuses', () => {
  it('strings, states, random numbers and ops that ONNX lacks', async () => {
    const text = Input({ shape: [1], dtype: 'string', name: 'word' })
    const lookup = new StringLookup({ vocabulary: ['a', 'b'], name: 'lookup' })
    const words = new Model({ inputs: text, outputs: lookup.apply(text) })
    await expect(writeOnnx(words as Model)).rejects.toThrow(/the input 'word', which StringLookup "lookup" reads/)
    const stateful = new Sequential([new LSTM({ units: 2, stateful: true, inputShape: [3, 2], name: 'memory' })])
    await expect(writeOnnx(stateful)).rejects.toThrow('LSTM "memory" is stateful')
    const x = Input({ shape: [3, 3] })
    const odd = new Model({
      inputs: x,
      outputs: [new Dropout(0.5).apply(x), ops.inv(x), ops.erfinv(x)],
    })
    await expect(writeOnnx(odd)).rejects.toThrow(/cannot have: .*erfInv/)
    class Noise extends Layer {
      static readonly className = 'Noise'
      call(given: Tensor): Tensor {
        return ops.add(given, random.uniform([3]))
      }
    }
    const noisy = new Model({ inputs: x, outputs: new Noise({ name: 'noise' }).apply(x) })
    await expect(writeOnnx(noisy)).rejects.toThrow(/random numbers \(noise/)
  })

  it('takes models', async () => {
    await expect(writeOnnx(new Dense(2) as never)).rejects.toThrow('expected a model')
  })
})
