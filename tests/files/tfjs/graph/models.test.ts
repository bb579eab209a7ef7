// Graph-models as models: names, weights, training, saving. Other modes compute with the same ops.
// modes: simd

import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { loadModel, ops, tensor, disassemble, type Tensor } from '../../../../src'
import { TfjsGraph, TfjsModel, readTfjs } from '../../../../src/entries/tfjs'
import { graphModelFrom } from '../../../../src/files/tfjs/graph/load'
import { modelJson, node, placeholder, shapeJson, tensorNamed, type NodeText } from '../../../helpers/tfjs-graph'
import { wave } from '../../../helpers/onnx-networks'

const classes = { TfjsModel, TfjsGraph }

interface Golden {
  readonly name: string
  readonly node: readonly NodeText[]
  readonly inputs: readonly { readonly data: readonly number[]; readonly shape: readonly number[] }[]
  readonly tensors: readonly { name: string; dtype: 'float32' | 'int32'; shape: number[]; data: number[] }[]
  readonly outputs: readonly { readonly data: readonly number[] }[]
}

const golden = (
  JSON.parse(
    gunzipSync(readFileSync(new URL('../../../golden/tfjs-graph.json.gz', import.meta.url))).toString(),
  ) as readonly Golden[]
).find(({ name }) => name === 'network')!

const tensors = golden.tensors.map(({ name, shape, data, dtype }) => tensorNamed(name, shape, data, dtype))

/** The network of the golden file for any number of images. */
function network(): TfjsModel<Tensor, Tensor> {
  const signature = {
    inputs: { image: { name: 'x0:0', dtype: 'DT_FLOAT', tensorShape: shapeJson([null, 8, 8, 3]) } },
    outputs: { probabilities: { name: 'y:0', dtype: 'DT_FLOAT', tensorShape: shapeJson([null, 4]) } },
  }
  const nodes = golden.node.filter(({ op }) => op !== 'Const')
  return graphModelFrom(modelJson(nodes, tensors, signature as never), tensors, 'network.json')
}

const images = tensor([...golden.inputs[0]!.data] as never, [...golden.inputs[0]!.shape])

/** Relu of one input. */
const relu = [placeholder('x', [null, 3]), node('y', 'Relu', ['x'])]

const single = (nodes: readonly NodeText[], more: readonly ReturnType<typeof tensorNamed>[] = [], signature = {}) =>
  graphModelFrom<Tensor, Tensor>(modelJson(nodes, more, signature), more, 'model.json')

describe('predict', () => {
  it('gives what TensorFlow.js gives, for any number of rows', async () => {
    const model = network()
    const found = await model.predict(images)
    found.data.forEach((each, i) => expect(each).toBeCloseTo(golden.outputs[0]!.data[i]!, 5))
    const many = await model.predict(ops.tile(images, [40, 1, 1, 1]), { batchSize: 16 })
    expect(many.shape).toEqual([80, 4])
    many.data.slice(-8).forEach((each, i) => expect(each).toBeCloseTo(found.data[i]!, 5))
    expect(model.output.shape).toEqual([null, 4])
  })

  it('moves no elements between convolutions, and folds normalization into the one before it', () => {
    const model = network()
    model.predictOnBatch(wave([8, 8, 8, 3]))
    const [text] = [...disassemble(model).values()]
    expect(text!.split('\n').filter((line) => /^ *\d+ +Copy/.test(line))).toEqual([])
    expect(text).toContain('norm: convolution+add')
  })

  it('takes and gives records with the keys of a signature', async () => {
    const nodes = [
      placeholder('serving_a', [null, 3]),
      placeholder('serving_b', [null, 3]),
      node('split', 'Split', ['axis', 'serving_a'], { num_split: 3 }),
      node('sum', 'AddV2', ['serving_a', 'serving_b']),
    ]
    const axis = [tensorNamed('axis', [], [1], 'int32')]
    const model = single(nodes, axis, {
      inputs: { b: { name: 'serving_b:0' }, a: { name: 'serving_a:0' } },
      outputs: {
        'last:0': { name: 'split:2' },
        sum: { name: 'sum:0' },
        same: { name: 'sum' },
        a: { name: 'serving_a:0' },
      },
    })
    expect(Object.keys(model.input as object)).toEqual(['b', 'a'])
    const found = (await model.predict({ a: [[1, 2, 3]], b: [[4, 5, 6]] } as never)) as unknown as Record<
      string,
      Tensor
    >
    expect(Object.entries(found).map(([key, value]) => [key, value.toArray()])).toEqual([
      ['last:0', [[3]]],
      ['sum', [[5, 7, 9]]],
      ['same', [[5, 7, 9]]],
      ['a', [[1, 2, 3]]],
    ])
  })

  it('finds the signature of older converters, and does without', async () => {
    const { signature: _, ...json } = modelJson(relu)
    const inputs = { 'input:0': { name: 'x:0', tensorShape: shapeJson([null, 3]) } }
    const older = {
      ...json,
      userDefinedMetadata: { signature: { inputs, outputs: { 'Identity:0': { name: 'y:0' } } } },
    }
    for (const each of [json, older]) {
      const model = graphModelFrom(each as never, [], 'model.json')
      expect((await model.predict([[-1, 2, 0]])).toArray()).toEqual([[0, 2, 0]])
    }
  })

  it('names values apart from the keys of inputs and outputs', async () => {
    const nodes = [...relu, node('x_', 'Neg', ['y']), node('z', 'Square', ['x_'])]
    // The keys are the names of other nodes.
    const model = single(nodes, [], { inputs: { y: { name: 'x' } }, outputs: { x_: { name: 'z' }, z: { name: 'y' } } })
    const found = (await model.predict([[-1, 2, 3]])) as unknown as Record<string, Tensor>
    expect(found['x_']!.toArray()).toEqual([[0, 4, 9]])
    expect(found['z']!.toArray()).toEqual([[0, 2, 3]])
  })

  it('ignores what only has to run before', async () => {
    const nodes = [placeholder('x', [null, 2]), node('check', 'Assert', ['x']), node('y', 'Relu', ['x', '^check'])]
    expect((await single(nodes, [], { outputs: { y: { name: 'y' } } }).predict([[-1, 2]])).toArray()).toEqual([[0, 2]])
  })

  it('computes all rows of a vector at once, whose axis may be time', async () => {
    const nodes = [placeholder('x', [null]), node('y', 'Cumsum', ['x', 'axis'])]
    const model = single(nodes, [tensorNamed('axis', [], [0], 'int32')])
    const found = await model.predict(new Array<number>(100).fill(1))
    expect(found.data.at(-1)).toBe(100)
  })

  it('takes constants for inputs, and defaults', async () => {
    const nodes = [
      placeholder('x', [null, 2]),
      placeholder('rate', []),
      node('more', 'PlaceholderWithDefault', ['one']),
      node('scaled', 'Mul', ['x', 'rate']),
      node('y', 'AddV2', ['scaled', 'more']),
    ]
    const one = [tensorNamed('one', [], [1])]
    const json = modelJson(nodes, one)
    expect(() => graphModelFrom(json, one, 'model.json')).toThrow(
      "model.json: the input 'rate' has no axes, so it has no samples. Pass its value: { constants: { 'rate': … } }",
    )
    const model = graphModelFrom(json, one, 'model.json', { constants: { rate: 3 } })
    expect((await model.predict([[1, 2]])).toArray()).toEqual([[4, 7]])
    expect(() => graphModelFrom(json, one, 'model.json', { constants: { rote: 3 } })).toThrow("Did you mean 'rate'?")
  })

  it('takes shapes in place of those of the file', async () => {
    const nodes = [{ name: 'x', op: 'Placeholder', attr: { dtype: { type: 'DT_FLOAT' } } }, node('y', 'Relu', ['x'])]
    expect(() => single(nodes)).toThrow("the input 'x' has no shape. Pass it")
    const model = graphModelFrom(modelJson(nodes), [], 'model.json', { shapes: { x: [null, 2] } })
    expect((await model.predict([[-1, 2]])).toArray()).toEqual([[0, 2]])
  })

  it('computes the same with channels before the spatial axes', async () => {
    const kernel = tensorNamed('kernel', [3, 3, 2, 4], [...wave([3, 3, 2, 4]).data])
    const bias = tensorNamed('bias', [4], [1, 2, 3, 4])
    const graph = (format: string, shape: readonly (number | null)[], order: (list: number[]) => number[]) =>
      single(
        [
          placeholder('x', shape),
          node('conv', 'Conv2D', ['x', 'kernel'], {
            strides: order([1, 2, 1, 1]),
            padding: 'EXPLICIT',
            explicit_paddings: format === 'NHWC' ? [0, 0, 1, 2, 0, 1, 0, 0] : [0, 0, 0, 0, 1, 2, 0, 1],
            data_format: format,
          }),
          node('biased', 'BiasAdd', ['conv', 'bias'], { data_format: format }),
          node('y', 'MaxPool', ['biased'], {
            ksize: order([1, 2, 2, 1]),
            strides: order([1, 2, 2, 1]),
            padding: 'SAME',
            data_format: format,
          }),
        ],
        [kernel, bias],
      )
    const x = wave([2, 7, 6, 2])
    const last = await graph('NHWC', [null, 7, 6, 2], (list) => list).predict(x)
    const first = await graph('NCHW', [null, 2, 7, 6], ([n, h, w, c]) => [n!, c!, h!, w!]).predict(
      ops.transpose(x, [0, 3, 1, 2]),
    )
    expect(ops.transpose(first, [0, 2, 3, 1]).data).toEqual(last.data)
  })

  it('computes a fused normalization like one apart', async () => {
    const names = ['scale', 'offset', 'mean', 'variance']
    const all = [
      tensorNamed('kernel', [1, 1, 2, 3], [1, -2, 3, 0.5, 2, -1]),
      ...names.map((name, i) => tensorNamed(name, [3], [1 + i, 2, 0.5])),
    ]
    const conv = { strides: [1, 1, 1, 1], padding: 'SAME' }
    const fused = single(
      [
        placeholder('x', [null, 2, 2, 2]),
        node('y', '_FusedConv2D', ['x', 'kernel', ...names], {
          ...conv,
          num_args: 4,
          fused_ops: ['FusedBatchNorm', 'Relu'],
          epsilon: { f: 0.01 },
        }),
      ],
      all,
    )
    const apart = single(
      [
        placeholder('x', [null, 2, 2, 2]),
        node('a', 'Conv2D', ['x', 'kernel'], conv),
        node('b', 'FusedBatchNormV3', ['a', ...names], { epsilon: { f: 0.01 }, is_training: false }),
        node('y', 'Relu', ['b']),
      ],
      all,
    )
    const x = wave([3, 2, 2, 2])
    expect((await fused.predict(x)).data).toEqual((await apart.predict(x)).data)
    expect(fused.trainableWeights.map(({ name }) => name)).toEqual(['kernel', 'scale', 'offset'])
  })
})

describe('weights', () => {
  it('are float tensors under their names; moments are not trained, single numbers are constants', () => {
    const model = network()
    expect(model.trainableWeights.map(({ name, shape }) => [name, shape])).toEqual([
      ['kernel', [3, 3, 3, 6]],
      ['gamma', [6]],
      ['beta', [6]],
      ['depthwise/kernel', [3, 3, 6, 1]],
      ['depthwise/bias', [6]],
      ['dense/kernel', [6, 4]],
      ['dense/bias', [4]],
    ])
    expect(model.nonTrainableWeights.map(({ name }) => name)).toEqual(['mean', 'variance'])
  })

  it('are one where they have the same elements, unless these are all equal', async () => {
    const nodes = [
      placeholder('x', [null, 2]),
      node('a', 'Mul', ['x', 'first']),
      node('b', 'Mul', ['a', 'second']),
      node('c', 'AddV2', ['b', 'zeros']),
      node('d', 'AddV2', ['c', 'more']),
      node('y', 'Mul', ['d', 'other']),
    ]
    const all = [
      tensorNamed('first', [2], [1, 2]),
      tensorNamed('second', [2], [1, 2]),
      tensorNamed('zeros', [2], [0, 0]),
      tensorNamed('more', [2], [0, 0]),
      tensorNamed('other', [2], [2, 1]),
    ]
    const model = single(nodes, all)
    expect(model.weights.map(({ name }) => name)).toEqual(['first', 'zeros', 'more', 'other'])
    expect((await model.predict([[1, 1]])).toArray()).toEqual([[2, 4]])
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
    await model.fit([[1, 1]], [[0, 0]], { verbose: 0 })
    const copy = await loadModel<Tensor, Tensor>(await model.save(), { customObjects: classes })
    expect(copy.weights.map(({ name }) => name)).toEqual(['first', 'zeros', 'more', 'other'])
    expect((await copy.predict([[1, 1]])).data).toEqual((await model.predict([[1, 1]])).data)
  })

  it('are trained by fit', async () => {
    const model = network()
    const before = new Map(model.weights.map(({ name, value }) => [name, value.data.slice()]))
    model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy' })
    const [x, y] = [wave([12, 8, 8, 3]), tensor([0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3], undefined, 'int32')]
    const { history } = await model.fit(x, y, { epochs: 8, batchSize: 4, verbose: 0 })
    expect(history['loss']!.at(-1)!).toBeLessThan(history['loss']![0]! - 0.05)
    for (const { name, value, trainable } of model.weights) {
      const isSame = value.data.every((each, i) => each === before.get(name)![i])
      expect(isSame, name).toBe(!trainable)
    }
  })
})

describe('saving', () => {
  it('a saved model trains like the original', async () => {
    const model = network()
    const [x, y] = [wave([8, 8, 8, 3]), ops.abs(wave([8, 4]))]
    model.compile({ optimizer: 'adam', loss: 'meanSquaredError' })
    await model.fit(x, y, { epochs: 2, batchSize: 4, verbose: 0, shuffle: false })
    const copy = await loadModel<Tensor, Tensor>(await model.save(), { customObjects: classes })
    expect(copy).toBeInstanceOf(TfjsModel)
    expect(copy.weights.map(({ name }) => name)).toEqual(model.weights.map(({ name }) => name))
    for (const each of [model, copy]) await each.fit(x, y, { epochs: 1, batchSize: 4, verbose: 0, shuffle: false })
    expect((await copy.predict(x)).data).toEqual((await model.predict(x)).data)
  })

  it('keeps constants, options, and inputs without a signature, and no elements of weights', async () => {
    const nodes = [
      placeholder('x', [null, 2]),
      placeholder('rate', []),
      node('a', 'Mul', ['x', 'rate']),
      node('y', 'AddV2', ['a', 'w']),
    ]
    const w = [tensorNamed('w', [2], [12345.5, 1])]
    const model = graphModelFrom(modelJson(nodes, w), w, 'model.json', { constants: { rate: 3 } })
    const { file } = model.getLayer('graph').getConfig() as { file: string }
    expect(JSON.parse(file)).toMatchObject({ weights: [{ name: 'w', dtype: 'float32', shape: [2] }] })
    expect(file).not.toContain('data')
    const copy = await loadModel(await model.save(), { customObjects: classes })
    expect(((await copy.predict([[1, 2]])) as Tensor).toArray()).toEqual([[12348.5, 7]])
  })
})

describe('files', () => {
  it('readTfjs opens a graph-model', async () => {
    const w = tensorNamed('w', [3], [1, 2, 3])
    const json = {
      ...modelJson([placeholder('x', [null, 3]), node('y', 'Mul', ['x', 'w'])], [w]),
      weightsManifest: [{ paths: ['w.bin'], weights: [{ name: 'w', shape: [3], dtype: 'float32' }] }],
    }
    const model = await readTfjs(new TextEncoder().encode(JSON.stringify(json)), {
      files: { 'w.bin': new Uint8Array(Float32Array.of(1, 2, 3).buffer) },
      shapes: { x: [2, 3] },
    })
    expect(((await model.predict(ops.ones([2, 3]))) as Tensor).toArray()).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ])
    expect(model.input).toMatchObject({ shape: [2, 3] })
  })
})
