// What files may contain: forms of tensors, constants, branches, functions, other files; and what is refused.
// modes: simd

import { mkdtempSync, rmSync, symlinkSync, writeFileSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { Dense, FormatError, Sequential, loadModel, tensor, type Tensor } from '../../../src'
import { writeKeras } from '../../../src/entries/keras'
import { Wire, field, message, text, varint } from '../../../src/files/containers/protobuf'
import { OnnxGraph, OnnxModel, isOnnx, loadOnnx } from '../../../src/entries/onnx'
import { tensorProto } from '../../../src/files/onnx/proto'
import { tensorFrom } from '../../../src/files/onnx/tensors'
import { decode } from '../../../src/files/onnx/wire'
import {
  floatTensor,
  floats,
  graphBytes,
  int64,
  longTensor,
  modelBytes,
  nodeBytes,
  tensorBytes,
  valueBytes,
  type NodeText,
} from '../../helpers/onnx'
import { processorTime } from '../../helpers/processor-time'

const x = valueBytes('x', ['batch', 3])
const y = valueBytes('y', ['batch', 3])

describe('tensors', () => {
  const packed = (number: number, values: readonly number[]): number[] => message(number, values.flatMap(int64))
  const read = (type: number, shape: readonly number[], content: readonly number[]): number[] =>
    Array.from(
      tensorFrom(
        decode(tensorProto, Uint8Array.from([...tensorBytes('w', type, shape, null), ...content]), 'a file'),
        'w',
        new Map(),
      ).data,
    )

  it.each<[string, number, readonly number[], readonly number[]]>([
    ['float32, raw', 1, message(9, floats([1.5, -2])), [1.5, -2]],
    ['float32, listed', 1, message(4, floats([1.5, -2])), [1.5, -2]],
    ['float32, one by one', 1, [1.5, -2].flatMap((each) => field(4, Wire.Float, floats([each]))), [1.5, -2]],
    ['float16, raw', 10, message(9, [0, 0x3e, 0, 0xc0]), [1.5, -2]],
    ['float16, listed as bits', 10, packed(5, [0x3e00, 0xc000]), [1.5, -2]],
    ['float16, subnormal and infinite', 10, packed(5, [1, 0x7c00]), [2 ** -24, Infinity]],
    ['bfloat16, raw', 16, message(9, [0xc0, 0x3f, 0, 0xc0]), [1.5, -2]],
    ['bfloat16, listed as bits', 16, packed(5, [0x3fc0, 0xc000]), [1.5, -2]],
    ['float64, raw', 11, message(9, [...new Uint8Array(Float64Array.of(0.1, -2).buffer)]), [0.1, -2]],
    ['float64, listed', 11, message(10, [...new Uint8Array(Float64Array.of(0.1, -2).buffer)]), [0.1, -2]],
    ['int64, raw', 7, message(9, [...new Uint8Array(BigInt64Array.of(-3n, 2n ** 40n).buffer)]), [-3, 2 ** 40]],
    ['int64, listed', 7, packed(7, [-3, 2 ** 40]), [-3, 2 ** 40]],
    ['int32, listed', 6, packed(5, [-3, 7]), [-3, 7]],
    ['int8, raw', 3, message(9, [253, 7]), [-3, 7]],
    ['int8, listed', 3, packed(5, [-3, 7]), [-3, 7]],
    ['uint8, raw', 2, message(9, [253, 7]), [253, 7]],
    ['uint16, listed', 4, packed(5, [65535, 7]), [65535, 7]],
    ['uint32, listed', 12, packed(11, [2 ** 32 - 1, 7]), [2 ** 32 - 1, 7]],
    ['uint64, listed', 13, packed(11, [2 ** 53, 7]), [2 ** 53, 7]],
    ['bool, raw', 9, message(9, [1, 0]), [1, 0]],
    ['bool, listed', 9, packed(5, [1, 0]), [1, 0]],
  ])('%s', (_, type, content, expected) => {
    expect(read(type, [2], content)).toEqual(expected)
  })

  it('are refused if their elements do not fit their extents', () => {
    expect(() => read(1, [3], message(9, floats([1, 2])))).toThrow('w: [3] float32 needs 3 elements, the file has 2')
    expect(() => read(1, [2 ** 40], message(9, floats([1, 2])))).toThrow(FormatError)
    expect(() => read(1, [2 ** 30, 2 ** 30], [])).toThrow('too many elements')
    expect(() => read(1, [-1], [])).toThrow('the extent -1')
    expect(() => read(1, [2], message(9, [1, 2, 3]))).toThrow('the file has 0.75')
    expect(() => read(14, [2], [])).toThrow('complex64')
    expect(() => read(8, [1], text(6, 'a'))).toThrow('strings')
  })
})

describe('shape arithmetic', () => {
  it('is computed while tracing', async () => {
    // reshape(x, concat(shape(x)[:1], [-1], [1]))
    const bytes = modelBytes({
      nodes: [
        { type: 'Shape', inputs: ['x'], outputs: ['s'] },
        { type: 'Slice', inputs: ['s', 'zero', 'one'], outputs: ['n'] },
        { type: 'Concat', inputs: ['n', 'rest'], outputs: ['shape'], attributes: { axis: 0 } },
        { type: 'Reshape', inputs: ['x', 'shape'], outputs: ['y'] },
      ],
      initializers: [longTensor('zero', [1], [0]), longTensor('one', [1], [1]), longTensor('rest', [2], [-1, 1])],
      inputs: [x],
      outputs: [valueBytes('y', null)],
    })
    const model = await loadOnnx(bytes)
    expect((await model.predict([[1, 2, 3]])).shape).toEqual([1, 3, 1])
    expect(model.outputs[0]!.shape).toEqual([null, 3, 1])
  })

  it('decides an If whose condition follows from a constant input', async () => {
    const branch = (type: string) => ({
      graph: graphBytes({
        nodes: [{ type, inputs: ['x', 'x'], outputs: ['z'] }],
        outputs: [valueBytes('z', null)],
      }),
    })
    const bytes = modelBytes({
      nodes: [
        { type: 'Equal', inputs: ['rate', 'wanted'], outputs: ['is'] },
        {
          type: 'If',
          inputs: ['is'],
          outputs: ['y'],
          attributes: { then_branch: branch('Add'), else_branch: branch('Mul') },
        },
      ],
      initializers: [longTensor('wanted', [], [16000])],
      inputs: [x, valueBytes('rate', [], 7)],
      outputs: [y],
    })
    await expect(loadOnnx(bytes)).rejects.toThrow("{ constants: { 'rate': … } }")
    const sum = await loadOnnx(bytes, { constants: { rate: 16000 } })
    expect((await sum.predict([[1, 2, 3]])).data).toEqual(Float32Array.of(2, 4, 6))
    const square = await loadOnnx(bytes, { constants: { rate: 8000 } })
    expect((await square.predict([[1, 2, 3]])).data).toEqual(Float32Array.of(1, 4, 9))
    const loaded = await loadModel(bytes, { constants: { rate: 16000 }, shapes: { x: [2, 3] } })
    expect((loaded.input as Tensor).shape).toEqual([2, 3])
    expect(
      (
        await loaded.predict([
          [1, 2, 3],
          [0, 0, 0],
        ])
      ).toArray(),
    ).toEqual([
      [2, 4, 6],
      [0, 0, 0],
    ])
    await expect(loadModel(bytes, { constants: { rat: 1 } })).rejects.toThrow("input in constants 'rat'")
    await expect(loadModel(bytes, { constants: { rate: 1 }, shapes: { x: 3 as never } })).rejects.toThrow(
      'list of extents',
    )
  })

  it('refuses options about inputs for files without a graph', async () => {
    const model = new Sequential([new Dense({ units: 1, inputShape: [2] })])
    const own = await model.save()
    await expect(loadModel(own, { constants: { rate: 1 } })).rejects.toThrow('constants are for ONNX files')
    await expect(loadModel(await writeKeras(model), { shapes: { x: [1] } })).rejects.toThrow(
      'shapes are for ONNX files',
    )
  })

  it('computes an If whose condition is data', async () => {
    const branch = (type: string) => ({
      graph: graphBytes({ nodes: [{ type, inputs: ['x'], outputs: ['z'] }], outputs: [valueBytes('z', null)] }),
    })
    const model = await loadOnnx(
      modelBytes({
        nodes: [
          { type: 'ReduceSum', inputs: ['x'], outputs: ['sum'], attributes: { keepdims: 0 } },
          { type: 'Greater', inputs: ['sum', 'zero'], outputs: ['is'] },
          {
            type: 'If',
            inputs: ['is'],
            outputs: ['y'],
            attributes: { then_branch: branch('Relu'), else_branch: branch('Neg') },
          },
        ],
        initializers: [floatTensor('zero', [], [0])],
        inputs: [x],
        outputs: [y],
      }),
    )
    expect(model.predictOnBatch([[1, -2, 3]]).data).toEqual(Float32Array.of(1, 0, 3))
    expect(model.predictOnBatch([[1, -2, -3]]).data).toEqual(Float32Array.of(-1, 2, 3))
  })
})

describe('what depends on data is named when the file is loaded', () => {
  const count: readonly NodeText[] = [
    { type: 'ReduceSum', inputs: ['x'], outputs: ['sum'], attributes: { keepdims: 0 } },
    { type: 'Cast', inputs: ['sum'], outputs: ['count'], attributes: { to: 7 } },
  ]
  const refusal = async (node: NodeText, more: object = {}): Promise<string> => {
    const bytes = modelBytes({ nodes: [...count, node], inputs: [x], outputs: [y], ...more })
    return loadOnnx(bytes).then(
      () => 'loaded',
      (error: unknown) => `${(error as Error).name}: ${(error as Error).message}`,
    )
  }

  it('the iterations of a Loop', async () => {
    const body = graphBytes({
      nodes: [
        { type: 'Identity', inputs: ['going'], outputs: ['goes'] },
        { type: 'Relu', inputs: ['a'], outputs: ['b'] },
      ],
      inputs: [valueBytes('i', []), valueBytes('going', [], 9), valueBytes('a', null)],
      outputs: [valueBytes('goes', null), valueBytes('b', null)],
    })
    const loop = { type: 'Loop', inputs: ['count', '', 'x'], outputs: ['y'], attributes: { body: { graph: body } } }
    expect(await refusal(loop)).toMatch(/^FormatError: .*\(Loop\): operand 0 \('count'\) must be known before data are/)
  })

  it('a shape', async () => {
    const range = { type: 'Expand', inputs: ['x', 'counts'], outputs: ['y'] }
    const counts = { type: 'Reshape', inputs: ['count', 'one'], outputs: ['counts'] }
    const more = { nodes: [...count, counts, range], initializers: [longTensor('one', [1], [1])] }
    expect(await refusal(range, more)).toMatch(/\(Expand\): operand 1 \('counts'\) must be known before data are/)
  })

  describe('an If whose branches have results of', () => {
    const branch = ({ name = 'z', ...node }: Omit<NodeText, 'inputs' | 'outputs'> & { readonly name?: string }) => ({
      graph: graphBytes({
        nodes: [{ ...node, inputs: ['x'], outputs: [name] }],
        outputs: [valueBytes(name, null)],
      }),
    })
    const is: NodeText = { type: 'Cast', inputs: ['sum'], outputs: ['is'], attributes: { to: 9 } }
    const refusalOf = (other: Omit<NodeText, 'inputs' | 'outputs'>, more: object = {}): Promise<string> => {
      const attributes = { then_branch: branch({ type: 'Relu' }), else_branch: branch(other) }
      const node = { type: 'If', inputs: ['is'], outputs: ['y'], attributes }
      return refusal(node, { nodes: [...count, is, node], ...more })
    }

    it.each<[string, Omit<NodeText, 'inputs' | 'outputs'>, RegExp]>([
      ['other numbers of axes', { type: 'ReduceMax', attributes: { axes: [1], keepdims: 0 } }, /float32 \[2\]/],
      ['other open extents', { type: 'ReduceMax', attributes: { axes: [0], keepdims: 1 } }, /float32 \[1, 3\]/],
      ['other fixed extents', { type: 'ReduceMax', attributes: { axes: [1], keepdims: 1 } }, /float32 \[2, 1\]/],
      ['other dtypes', { type: 'Cast', attributes: { to: 6 } }, /int32 \[2, 3\]/],
    ])('%s', async (_, other, theirs) => {
      const message = await refusalOf(other)
      expect(message).toMatch(/^FormatError: .*\(If\): .* result 0 is float32 \[2, 3\] in one and/)
      expect(message).toMatch(theirs)
    })

    it('shapes that are equal for the extents of the option shapes', async () => {
      const attributes = {
        then_branch: branch({ type: 'Relu' }),
        else_branch: branch({ type: 'ReduceMax', attributes: { axes: [0], keepdims: 1 } }),
      }
      const node = { type: 'If', inputs: ['is'], outputs: ['y'], attributes }
      const bytes = modelBytes({ nodes: [...count, is, node], inputs: [x], outputs: [y] })
      const model = await loadOnnx(bytes, { shapes: { x: [1, 3] } })
      expect(Array.from((await model.predict(tensor([[-1, 2, 3]]))).data)).toEqual([0, 2, 3])
    })
  })

  it('an error of shapes, where all extents are fixed', async () => {
    const node = { type: 'Reshape', inputs: ['x', 'two'], outputs: ['y'] }
    const more = {
      inputs: [valueBytes('x', [1, 3])],
      outputs: [valueBytes('y', [1, 2])],
      initializers: [longTensor('two', [2], [1, 2])],
    }
    expect(await refusal(node, more)).toMatch(/^\w+Error: .*\(Reshape\)/)
  })
})

describe('weights in branches', () => {
  const sized = (factor: number): number[] => [1, 0, 0, 0, 1, 0, 0, 0, 1].map((each) => each * factor)
  const product = (weights: object): { graph: number[] } => ({
    graph: graphBytes({
      nodes: [{ type: 'MatMul', inputs: ['x', 'w'], outputs: ['z'] }],
      outputs: [valueBytes('z', null)],
      ...weights,
    }),
  })
  const constant = {
    type: 'Constant',
    outputs: ['w'],
    attributes: { value: { tensor: floatTensor('', [3, 3], sized(3)) } },
  }
  const bytes = modelBytes({
    nodes: [
      { type: 'ReduceSum', inputs: ['x'], outputs: ['sum'], attributes: { keepdims: 0 } },
      { type: 'Greater', inputs: ['sum', 'zero'], outputs: ['is'] },
      {
        type: 'If',
        inputs: ['is'],
        outputs: ['y'],
        attributes: {
          then_branch: product({ initializers: [floatTensor('w', [3, 3], sized(2))] }),
          else_branch: product({
            nodes: [constant, { type: 'MatMul', inputs: ['x', 'w'], outputs: ['z'] }],
          }),
        },
      },
    ],
    initializers: [floatTensor('zero', [], [0])],
    inputs: [x],
    outputs: [y],
  })

  it('are trained and saved', async () => {
    const model = await loadOnnx(bytes)
    expect(model.weights.map(({ name }) => name)).toEqual(['w', 'w_1'])
    expect(model.predictOnBatch([[1, 2, 3]]).data).toEqual(Float32Array.of(2, 4, 6))
    expect(model.predictOnBatch([[-1, -2, -3]]).data).toEqual(Float32Array.of(-3, -6, -9))
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
    const before = model.weights.map(({ value }) => value.data.slice())
    await model.fit([[1, 2, 3]] as never, [[0, 0, 0]] as never, { epochs: 1, verbose: 0 })
    expect(model.weights[0]!.value.data).not.toEqual(before[0])
    expect(model.weights[1]!.value.data).toEqual(before[1])
    const again = await loadModel(await model.save(), { customObjects: { OnnxModel, OnnxGraph } })
    expect(again.weights.map(({ value }) => value.data)).toEqual(model.weights.map(({ value }) => value.data))
    expect(again.predictOnBatch([[1, 2, 3]])).toEqual(model.predictOnBatch([[1, 2, 3]]))
  })
})

describe('InstanceNormalization', () => {
  const image = valueBytes('x', ['batch', 4, 2, 3])
  const groups: readonly NodeText[] = [
    { type: 'Reshape', inputs: ['x', 'to groups'], outputs: ['groups'] },
    { type: 'InstanceNormalization', inputs: ['groups', 'ones', 'zeros'], outputs: ['normal'] },
    { type: 'Reshape', inputs: ['normal', 'to channels'], outputs: ['channels'] },
  ]
  const affine: readonly NodeText[] = [
    { type: 'Mul', inputs: ['channels', 'scale'], outputs: ['scaled'] },
    { type: 'Add', inputs: ['scaled', 'shift'], outputs: ['y'] },
  ]
  const load = (nodes: readonly NodeText[]): Promise<OnnxModel> =>
    loadOnnx(
      modelBytes({
        nodes,
        initializers: [
          longTensor('to groups', [3], [0, 2, -1]),
          longTensor('to channels', [4], [-1, 4, 2, 3]),
          floatTensor('ones', [2], [1, 1]),
          floatTensor('zeros', [2], [0, 0]),
          floatTensor('scale', [4, 1, 1], [1, 2, 3, 4]),
          floatTensor('shift', [4, 1, 1], [0, 0, 0, 0]),
        ],
        inputs: [image],
        outputs: [valueBytes('y', ['batch', 4, 2, 3])],
      }),
    )
  const weightsOf = ({ weights }: OnnxModel): string[] => weights.map(({ name }) => name)

  it('has no weights as a part of GroupNorm as PyTorch writes it', async () => {
    const model = await load([...groups, ...affine])
    expect(weightsOf(model)).toEqual(['scale', 'shift'])
    const data = Float32Array.from({ length: 24 }, (_, i) => Math.sin(i))
    const y = await model.predict(tensor(data, [1, 4, 2, 3]))
    const group = data.subarray(12)
    const mean = group.reduce((sum, value) => sum + value, 0) / 12
    const variance = group.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 12
    group.forEach((value, i) => {
      const normal = (value - mean) / Math.sqrt(variance + 1e-5)
      expect(y.data[12 + i]).toBeCloseTo(normal * (i < 6 ? 3 : 4), 4)
    })
  })

  it('has weights elsewhere', async () => {
    const last = { ...groups[2]!, outputs: ['y'] }
    expect(weightsOf(await load([groups[0]!, groups[1]!, last]))).toEqual(['ones', 'zeros'])
    const both = [...groups, { type: 'Relu', inputs: ['normal'], outputs: ['other'] }, ...affine]
    const sum = both.map((node) => (node.outputs[0] === 'y' ? { ...node, outputs: ['added'] } : node))
    const nodes: readonly NodeText[] = [
      ...sum,
      { type: 'Reshape', inputs: ['other', 'to channels'], outputs: ['also'] },
      { type: 'Add', inputs: ['added', 'also'], outputs: ['y'] },
    ]
    expect(weightsOf(await load(nodes))).toEqual(['ones', 'zeros', 'scale', 'shift'])
  })
})

describe('the first axis', () => {
  const first = (extent: number | string) => ({
    nodes: [{ type: 'CumSum', inputs: ['x', 'zero'], outputs: ['y'] }],
    initializers: [longTensor('zero', [], [0])],
    inputs: [valueBytes('x', [extent, 1])],
    outputs: [valueBytes('y', [extent, 1])],
  })
  const rows = Array.from({ length: 40 }, () => [1])
  const lastOf = async (extent: number | string, batchSize?: number): Promise<number> => {
    const model = await loadOnnx(modelBytes(first(extent)))
    return (await model.predict(rows, batchSize === undefined ? {} : { batchSize })).data.at(-1)!
  }

  it('is divided into batches where it is the batch', async () => {
    expect(await lastOf('batch')).toBe(8)
    expect(await lastOf(4)).toBe(4)
    expect(await lastOf('steps', 10)).toBe(10)
  })

  it('is whole where it may be something else', async () => {
    expect(await lastOf('steps')).toBe(40)
  })

  it('follows options in every spelling, and refuses unknown ones', async () => {
    const model = await loadOnnx(modelBytes(first('steps')))
    const predicted = async (options: object): Promise<number> =>
      ((await Reflect.apply(model.predict, model, [rows, options])) as Tensor).data.at(-1)!
    expect(await predicted({ batch_size: 10 })).toBe(10)
    expect(await predicted({ batch_size: null, verbose: 0 })).toBe(40)
    await expect(predicted({ batchsizes: 10 })).rejects.toThrow("Unknown option of predict 'batchsizes'")
    const fixed = await loadOnnx(modelBytes(first(4)))
    await expect(Reflect.apply(fixed.predict, fixed, [rows, { batch_size: 10 }])).rejects.toThrow('pass batchSize: 4')
  })

  it('is open if shapes says so', async () => {
    const fixed = await loadOnnx(modelBytes(first(4)))
    await expect(fixed.predict([[1], [1]])).rejects.toThrow('must be [4, 1]')
    await expect(fixed.predict(rows, { batchSize: 10 })).rejects.toThrow('pass batchSize: 4')
    const model = await loadOnnx(modelBytes(first(4)), { shapes: { x: [null, 1] } })
    expect((await model.predict(rows)).data.at(-1)).toBe(40)
  })
})

describe('sources', () => {
  it('are a path, a URL, bytes, an ArrayBuffer, a Blob and a File', async () => {
    const bytes = modelBytes({
      nodes: [{ type: 'Mul', inputs: ['x', 'w'], outputs: ['y'] }],
      initializers: [floatTensor('w', [3], [1, 2, 3])],
      inputs: [x],
      outputs: [y],
    })
    const folder = mkdtempSync(join(tmpdir(), 'myelin-onnx-'))
    const path = join(folder, 'model.onnx')
    writeFileSync(path, bytes)
    const blob = new Blob([bytes.slice()])
    const sources = [path, pathToFileURL(path), bytes, bytes.slice().buffer, blob, new File([blob], 'model.onnx')]
    for (const source of sources) {
      const model = await loadOnnx(source)
      expect((await model.predict([[1, 1, 1]])).data).toEqual(Float32Array.of(1, 2, 3))
    }
    writeFileSync(path, bytes.slice(0, -9))
    await expect(loadOnnx(path)).rejects.toThrow('model.onnx: the file is damaged')
    rmSync(folder, { recursive: true })
    await expect(loadOnnx(path)).rejects.toThrow('there is no such file')
  })
})

describe('names', () => {
  it('may be those of properties that every object has', async () => {
    const model = await loadOnnx<Record<string, Tensor>, Record<string, Tensor>>(
      modelBytes({
        nodes: [
          { type: 'Add', inputs: ['constructor', 'graph'], outputs: ['toString'] },
          { type: 'Mul', inputs: ['constructor', '__proto__'], outputs: ['valueOf'] },
        ],
        initializers: [floatTensor('__proto__', [3], [1, 2, 3])],
        inputs: [valueBytes('constructor', ['batch', 3]), valueBytes('graph', ['batch', 3])],
        outputs: [valueBytes('toString', ['batch', 3]), valueBytes('valueOf', ['batch', 3])],
      }),
    )
    const found = await model.predict({ constructor: tensor([[1, 1, 1]]), graph: tensor([[2, 2, 2]]) } as never)
    expect(found['toString']!.data).toEqual(Float32Array.of(3, 3, 3))
    expect(found['valueOf']!.data).toEqual(Float32Array.of(1, 2, 3))
  })
})

describe('functions of a file', () => {
  const scaled = (name: string, type = 'Mul') => [
    ...text(1, name),
    ...text(4, 'a'),
    ...text(4, 'b'),
    ...text(5, 'c'),
    ...message(7, nodeBytes({ type, inputs: ['a', 'b'], outputs: ['c'], domain: type === 'Mul' ? '' : 'own' })),
    ...message(9, field(2, Wire.Varint, varint(17))),
    ...text(10, 'own'),
  ]
  const calling = {
    nodes: [{ type: 'Scaled', domain: 'own', inputs: ['x', 'w'], outputs: ['y'] }],
    initializers: [floatTensor('w', [3], [1, 2, 3])],
    inputs: [x],
    outputs: [y],
  }

  it('are called', async () => {
    const model = await loadOnnx(modelBytes(calling, { functions: [scaled('Scaled')] }))
    expect((await model.predict([[1, 1, 1]])).data).toEqual(Float32Array.of(1, 2, 3))
    expect(model.weights.map(({ name }) => name)).toEqual(['w'])
  })

  it('may not call themselves', async () => {
    await expect(loadOnnx(modelBytes(calling, { functions: [scaled('Scaled', 'Scaled')] }))).rejects.toThrow(
      'calls itself',
    )
  })
})

describe('refused files', () => {
  const graph = { nodes: [{ type: 'Relu', inputs: ['x'], outputs: ['y'] }], inputs: [x], outputs: [y] }

  it('name all operators that are missing, with the nodes that need them', async () => {
    const bytes = modelBytes({
      nodes: [
        { type: 'GridSample', inputs: ['x'], outputs: ['a'], name: 'warp' },
        { type: 'GridSample', inputs: ['a'], outputs: ['b'] },
        { type: 'Fancy', domain: 'com.example', inputs: ['b'], outputs: ['y'] },
      ],
      inputs: [x],
      outputs: [y],
    })
    await expect(loadOnnx(bytes)).rejects.toThrow(
      "the file: these operators are not available: GridSample (at 'warp' and 1 more), com.example.Fancy (at 'y')",
    )
  })

  it('may name one version of the operators twice, as skl2onnx does', async () => {
    const bytes = modelBytes(graph, { opset: 17 })
    const again = (version: number): Uint8Array =>
      Uint8Array.from([...bytes, ...message(8, field(2, Wire.Varint, [version]))])
    await expect(loadOnnx(again(17))).resolves.toBeInstanceOf(OnnxModel)
    await expect(loadOnnx(again(13))).rejects.toThrow('version 17 and 13')
  })

  it.each<[string, Uint8Array, string]>([
    ['empty', new Uint8Array(0), 'empty'],
    ['not ONNX', new TextEncoder().encode('{"a": 1}'), 'damaged'],
    ['truncated', modelBytes(graph).slice(0, -3), 'damaged'],
    ['an old opset', modelBytes(graph, { opset: 6 }), 'version 6'],
    ['a newer opset', modelBytes(graph, { opset: 40 }), 'version 40'],
    [
      'a cycle',
      modelBytes({
        ...graph,
        nodes: [
          { type: 'Relu', inputs: ['b'], outputs: ['a'] },
          { type: 'Relu', inputs: ['a'], outputs: ['b'] },
          { type: 'Add', inputs: ['x', 'a'], outputs: ['y'] },
        ],
      }),
      "reads 'b', which nothing before it computes",
    ],
    [
      'a name for two values',
      modelBytes({ ...graph, initializers: [floatTensor('y', [3], [1, 2, 3])] }),
      "'y' exists already",
    ],
    ['two graphs', Uint8Array.from([...modelBytes(graph), ...modelBytes(graph)]), 'occurs twice'],
    ['an output that nothing computes', modelBytes({ ...graph, outputs: [valueBytes('z', null)] }), "the output 'z'"],
    ['a huge length', Uint8Array.of(8, 8, 0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f), 'do not fit'],
    ['a number of 11 bytes', Uint8Array.from([8, ...new Array<number>(11).fill(255)]), 'more than 10 bytes'],
    ['an unknown wire type', Uint8Array.of(8, 8, 0x3b), 'wire type 3'],
  ])('%s', async (_, bytes, problem) => {
    const refused = loadOnnx(bytes)
    await expect(refused).rejects.toThrow(FormatError)
    await expect(refused).rejects.toThrow(problem)
  })

  it('graphs that are nested too deeply', async () => {
    let inner = graphBytes({ nodes: [], outputs: [] })
    for (let i = 0; i < 100; i++)
      inner = graphBytes({
        nodes: [{ type: 'If', outputs: ['z'], attributes: { then_branch: { graph: inner } } }],
        outputs: [],
      })
    const bytes = Uint8Array.from([8, 8, ...message(7, inner)])
    await expect(loadOnnx(bytes)).rejects.toThrow('nested deeper than 64')
  })

  it('graphs with many small parts', async () => {
    const count = 2 ** 15 + 1
    const names = Array.from({ length: count }, (_, i) => `v${i}`)
    const relu = (name: string): NodeText => ({ type: 'Relu', inputs: ['x'], outputs: [name] })
    const many: [string, Partial<Parameters<typeof modelBytes>[0]>][] = [
      ['nodes', { nodes: names.map(relu) }],
      ['results of nodes', { nodes: [{ type: 'Split', inputs: ['x'], outputs: names }] }],
      ['initializers', { nodes: [relu('y')], initializers: names.map((name) => floatTensor(name, [1], [1])) }],
    ]
    for (const [what, parts] of many) {
      const bytes = modelBytes({ nodes: [], inputs: [x], outputs: [y], ...parts })
      await expect(loadOnnx(bytes)).rejects.toThrow(`its graph has ${count} ${what}, more than 32768`)
    }
  })

  it('shapes that do not fit into memory', async () => {
    const bytes = modelBytes({
      nodes: [{ type: 'Expand', inputs: ['x', 'huge'], outputs: ['y'] }],
      initializers: [longTensor('huge', [4], [2 ** 20, 2 ** 20, 1, 3])],
      inputs: [x],
      outputs: [valueBytes('y', null)],
    })
    await expect(loadOnnx(bytes)).rejects.toThrow('fits into memory')
  })

  it('loops and functions that would take long', async () => {
    const body = (inner: NodeText) =>
      graphBytes({
        nodes: [inner, { type: 'Identity', inputs: ['going'], outputs: ['goes'] }],
        inputs: [valueBytes('i', []), valueBytes('going', [], 9), valueBytes('a', null)],
        outputs: [valueBytes('goes', null), valueBytes('b', null)],
      })
    const inner: NodeText = { type: 'Relu', inputs: ['a'], outputs: ['b'] }
    const looped = (graph: number[], input: string, output: string): NodeText => ({
      type: 'Loop',
      inputs: ['many', '', input],
      outputs: [output],
      attributes: { body: { graph } },
    })
    const bytes = modelBytes({
      nodes: [looped(body(looped(body(inner), 'a', 'b')), 'x', 'y')],
      initializers: [longTensor('many', [], [9999])],
      inputs: [x],
      outputs: [y],
    })
    const begin = processorTime()
    await expect(loadOnnx(bytes)).rejects.toThrow('more than 65536 nodes would run')
    expect(processorTime() - begin).toBeLessThan(20_000)
  })

  it('constants that would take much memory', async () => {
    const doubled = Array.from({ length: 60 }, (_, i) => ({
      type: 'Concat',
      inputs: [`c${Math.min(i, 19)}`, `c${Math.min(i, 19)}`],
      outputs: [`c${i + 1}`],
      attributes: { axis: 0 },
    }))
    const bytes = modelBytes({
      nodes: [
        ...doubled,
        ...Array.from({ length: 39 }, (_, i): NodeText => ({
          type: 'Add',
          inputs: [i === 0 ? 'c21' : `s${i}`, `c${i + 22}`],
          outputs: [`s${i + 1}`],
        })),
        { type: 'Gather', inputs: ['s39', 'c0'], outputs: ['first'] },
        { type: 'Cast', inputs: ['first'], outputs: ['float'], attributes: { to: 1 } },
        { type: 'Add', inputs: ['x', 'float'], outputs: ['y'] },
      ],
      initializers: [longTensor('c0', [1], [0])],
      inputs: [x],
      outputs: [y],
    })
    await expect(loadOnnx(bytes)).rejects.toThrow('constants with more than 8388608 elements')
  })

  it('are recognized by their content', () => {
    expect(isOnnx(modelBytes(graph))).toBe(true)
    expect(isOnnx(new TextEncoder().encode('PK\u0003\u0004 and more bytes'))).toBe(false)
    expect(isOnnx(Uint8Array.of(8, 8))).toBe(false)
  })

  it('by loadModel', async () => {
    const bytes = modelBytes(graph)
    const model = await loadModel(bytes)
    expect(model).toBeInstanceOf(OnnxModel)
    expect(await loadModel([new File([bytes as Uint8Array<ArrayBuffer>], 'm.onnx')])).toBeInstanceOf(OnnxModel)
    await expect(loadModel(bytes.subarray(0, bytes.length - 3))).rejects.toThrow(FormatError)
    await expect(model.loadWeights(bytes)).rejects.toThrow('Load the whole model')
  })

  it('inputs of options that do not exist', async () => {
    await expect(loadOnnx(modelBytes(graph), { constants: { z: 1 } })).rejects.toThrow("input in constants 'z'")
    await expect(loadOnnx(modelBytes(graph), { shapes: { x: [1] } })).rejects.toThrow('must have the axes')
  })
})

describe('elements in other files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'myelin-onnx-'))
  const inside = join(folder, 'inside')
  mkdirSync(inside)
  afterAll(() => rmSync(folder, { recursive: true }))

  const entry = (key: string, value: string): number[] => message(13, [...text(1, key), ...text(2, value)])
  const model = (location: string, offset = 4): Uint8Array =>
    modelBytes({
      nodes: [{ type: 'Mul', inputs: ['x', 'w'], outputs: ['y'] }],
      initializers: [
        [
          ...tensorBytes('w', 1, [3], null),
          ...entry('location', location),
          ...entry('offset', String(offset)),
          ...entry('length', '12'),
          ...field(14, Wire.Varint, [1]),
        ],
      ],
      inputs: [x],
      outputs: [y],
    })
  const content = Uint8Array.from(floats([9, 1, 2, 3]))
  writeFileSync(join(inside, 'w.bin'), content)
  writeFileSync(join(folder, 'outside.bin'), content)
  symlinkSync(join(folder, 'outside.bin'), join(inside, 'link.bin'))
  const saved = (bytes: Uint8Array): string => {
    const path = join(inside, 'model.onnx')
    writeFileSync(path, bytes)
    return path
  }

  it('are read from the folder of the model, or given', async () => {
    const read = await loadOnnx(saved(model('w.bin')))
    const given = await loadOnnx(model('w.bin'), { externalData: { 'w.bin': content } })
    for (const each of [read, given])
      expect((await each.predict(tensor([[1, 1, 1]]))).data).toEqual(Float32Array.of(1, 2, 3))
  })

  it.each(['../outside.bin', '/etc/passwd', 'a/../../outside.bin', 'C:\\w.bin', 'http://host/w.bin', '', 'link.bin'])(
    'are refused outside of it: %s',
    async (location) => {
      await expect(loadOnnx(saved(model(location)))).rejects.toThrow(/in the folder|leads out/)
    },
  )

  it('are refused if they are missing or too short', async () => {
    await expect(loadOnnx(model('w.bin'))).rejects.toThrow("and { externalData: { 'w.bin': bytes } }")
    await expect(loadOnnx(saved(model('w.bin', 8)))).rejects.toThrow('which has 16 bytes')
  })
})
