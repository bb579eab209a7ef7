// Graphs that are damaged, or made to take long: an error states the problem and its place.
// modes: simd

import { describe, expect, it } from 'vitest'
import { FormatError, MyelinError } from '../../../../src'
import { TfjsGraph } from '../../../../src/entries/tfjs'
import { graphModelFrom } from '../../../../src/files/tfjs/graph/load'
import type { ManifestTensor } from '../../../../src/files/tfjs/manifest'
import { modelJson, node, placeholder, tensorNamed, type NodeText } from '../../../helpers/tfjs-graph'
import { processorTime } from '../../../helpers/processor-time'

const x = placeholder('x', [null, 4])
const read = (nodes: readonly unknown[], tensors: readonly ManifestTensor[] = [], signature: object = {}): unknown =>
  graphModelFrom(modelJson(nodes as NodeText[], tensors, signature), tensors, 'model.json')

const i = (name: string, data: readonly number[], shape = [data.length]): ManifestTensor =>
  tensorNamed(name, shape, data, 'int32')

/** A graph, and the error of reading it. */
const REFUSED: readonly (readonly [what: string, read: () => unknown, message: string])[] = [
  ['no nodes', () => graphModelFrom({ modelTopology: {} }, [], 'model.json'), 'modelTopology has no list of nodes'],
  ['no outputs', () => read([]), 'the graph has no outputs'],
  ['a node without a name', () => read([x, { op: 'Relu', input: ['x'] }]), 'each node must have a name and an op'],
  ['a node that is a number', () => read([x, 7]), 'each node must have a name and an op, received 7'],
  ['two nodes of one name', () => read([x, node('x', 'Relu', ['x'])]), "there are two nodes 'x'"],
  ['inputs that are no list', () => read([x, { name: 'y', op: 'Relu', input: 'x' }]), "the inputs of the node 'y' must be"],
  ['attributes that are no record', () => read([x, { name: 'y', op: 'Relu', input: ['x'], attr: [] }]), "the node 'y' has attr"],
  ['an attribute that is no record', () => read([x, { name: 'y', op: 'LeakyRelu', input: ['x'], attr: { alpha: 1 } }]), 'the attribute alpha must be a record, received 1'],
  ['an attribute that is no number', () => read([x, node('y', 'LeakyRelu', ['x'], { alpha: { f: 'much' } })]), "the attribute alpha must be a number, received 'much'"],
  ['text that is not base64', () => read([x, node('k', 'Conv2D', ['x', 'x'], { padding: { s: '~' } })]), "the attribute padding must be base64, received '~'"],
  ['an operand that is nowhere', () => read([x, node('y', 'AddV2', ['x', 'z'])]), "the node 'y' reads 'z', which the graph does not have"],
  ['a cycle', () => read([x, node('a', 'AddV2', ['x', 'b']), node('b', 'Neg', ['a']), node('y', 'Neg', ['b'])]), "the nodes 'b', 'a' are a cycle"],
  ['a node that reads itself', () => read([node('a', 'Neg', ['a']), node('y', 'Neg', ['a'])]), "the nodes 'a' are a cycle"],
  ['a constant without elements', () => read([x, { name: 'c', op: 'Const' }, node('y', 'AddV2', ['x', 'c'])]), "weightsManifest has no tensor for the node 'c'"],
  ['a result that is not computed', () => read([x, node('y', 'Relu', ['x:3'])]), "'x:3'"],
  ['too few results', () => read([x, node('a', 'Relu', ['x']), node('y', 'Neg', ['a:1'])]), "there is no value 'a:1'"],
  ['very many results', () => read([x, node('a', 'Relu', ['x']), ...Array.from({ length: 3 }, (_, k) => node(`y${k}`, 'Neg', [`a:${999_990 + k}`])), node('b', 'Relu', ['x']), node('z', 'Neg', ['b:999999'])]), 'the nodes have more than 1048576 results'],
  ['an operand too few', () => read([x, node('y', 'AddV2', ['x'])]), 'operand 1 is missing'],
  ['operands of two dtypes', () => read([x, node('y', 'AddV2', ['x', 'c'])], [i('c', [1, 2, 3, 4])]), 'operands must have one dtype, received float32 and int32'],
  ['shapes that do not fit', () => read([x, node('y', 'AddV2', ['x', 'c'])], [tensorNamed('c', [3], [1, 2, 3])]), "the node 'y' (AddV2)"],
  ['a shape of 2^40 elements', () => read([x, node('f', 'Fill', ['s', 'v']), node('y', 'AddV2', ['x', 'f'])], [i('s', [1_048_576, 1_048_576]), tensorNamed('v', [], [1])]), 'is not the shape of a tensor that fits into memory'],
  ['2^30 repetitions', () => read([x, node('y', 'Tile', ['x', 's'])], [i('s', [32768, 32768])]), 'is not the shape of a tensor that fits into memory'],
  ['a range of 2^31 numbers', () => read([x, node('r', 'Range', ['a', 'b', 'c']), node('s', 'Size', ['r']), node('t', 'Cast', ['s'], { DstT: { type: 'DT_FLOAT' } }), node('y', 'Mul', ['x', 't'])], [i('a', [0], []), i('b', [2 ** 31 - 1], []), i('c', [1], [])]), 'are too many elements'],
  ['one-hot of 2^40 elements', () => read([placeholder('x', [null, 4096], 'int32'), node('y', 'OneHot', ['x', 'd', 'a', 'b'])], [i('d', [2 ** 28], []), tensorNamed('a', [], [1]), tensorNamed('b', [], [0])]), 'fits into memory'],
  ['2^20 parts', () => read([x, node('y', 'Split', ['a', 'x'], { num_split: 2 ** 20 })], [i('a', [1], [])]), 'have no 1048576 equal parts'],
  ['padding of 2^30', () => read([x, node('y', 'Pad', ['x', 'p'])], [i('p', [0, 2 ** 30, 0, 2 ** 30], [2, 2])]), 'fits into memory'],
  ['an image of 2^40 pixels', () => read([placeholder('x', [null, 4, 4, 1]), node('y', 'ResizeBilinear', ['x', 's'])], [i('s', [2 ** 20, 2 ** 20])]), "the node 'y' (ResizeBilinear)"],
  ['a convolution with a result of 2^40', () => read([placeholder('x', [null, 2, 2, 1]), node('y', 'Conv2DBackpropInput', ['s', 'k', 'x'], { strides: [1, 2 ** 20, 2 ** 20, 1], padding: 'VALID' })], [i('s', [1, 2 ** 20, 2 ** 20, 1]), tensorNamed('k', [1, 1, 1, 1], [1])]), 'y'],
  ['strides that are negative', () => read([placeholder('x', [null, 4, 4, 1]), node('y', 'MaxPool', ['x'], { ksize: [1, 2, 2, 1], strides: [1, -1, 1, 1], padding: 'SAME' })]), 'strides must have 2 integers'],
  ['a kernel that does not fit', () => read([placeholder('x', [null, 4, 4, 3]), node('y', 'Conv2D', ['x', 'k'], { strides: [1, 1, 1, 1], padding: 'SAME' })], [tensorNamed('k', [1, 1, 2, 1], [1, 2])]), "the node 'y' (Conv2D): a kernel"],
  ['an axis that does not exist', () => read([x, node('y', 'Sum', ['x', 'a'])], [i('a', [5], [])]), 'there is no axis 5 among 2'],
  ['a fused activation of another name', () => read([x, node('y', '_FusedMatMul', ['x', 'w', 'b'], { fused_ops: ['BiasAdd', 'constructor'] })], [tensorNamed('w', [4, 1], [1, 2, 3, 4]), tensorNamed('b', [1], [1])]), 'it fuses constructor, which is not available'],
  ['an index outside', () => read([x, node('g', 'GatherV2', ['c', 'i', 'a']), node('y', 'Mul', ['x', 'g'])], [tensorNamed('c', [], [1]), i('i', [9], []), i('a', [0], [])]), "the node 'g'"],
  ['complex numbers where they have no meaning', () => read([x, node('f', 'RFFT', ['x', 'n']), node('y', 'Relu', ['f'])], [i('n', [4])]), 'it is not available for complex numbers'],
  ['strings as input', () => read([{ name: 'x', op: 'Placeholder', attr: { dtype: { type: 'DT_STRING' } } }, node('y', 'Identity', ['x'])]), "'x' must be a tensor of numbers"],
  ['strings as constants', () => graphModelFrom(modelJson([x, { name: 'c', op: 'Const' }, node('y', 'Add', ['x', 'c'])]), [{ name: 'c', shape: [1], dtype: 'string', group: 'model', read: () => ['a'] }], 'model.json'), "the graph computes with the strings of 'c'"],
  ['shapes from data', () => read([x, node('c', 'Cast', ['x'], { DstT: { type: 'DT_INT32' } }), node('y', 'Reshape', ['x', 'c'])]), 'y'],
  ['a signature with another node', () => read([x, node('y', 'Relu', ['x'])], [], { outputs: { z: { name: 'z:0' } } }), "the signature names the node 'z', which the graph does not have"],
  ['a signature without a name', () => read([x, node('y', 'Relu', ['x'])], [], { outputs: { z: 1 } }), "the signature has no name of a node for 'z'"],
  ['a graph in training', () => read([placeholder('x', [null, 2, 2, 1]), node('y', 'FusedBatchNormV3', ['x', 's', 's', 's', 's'], { is_training: true })], [tensorNamed('s', [1], [1])]), 'training mode'],
  ['an extent that is no integer', () => read([{ name: 'x', op: 'Placeholder', attr: { dtype: { type: 'DT_FLOAT' }, shape: { shape: { dim: [{ size: '1.5' }] } } } }, node('y', 'Relu', ['x'])]), 'must be an integer'],
] // prettier-ignore

describe('damaged graphs', () => {
  it.each(REFUSED)('%s', (_, open, message) => {
    let found: unknown = null
    const begin = processorTime()
    try {
      open()
    } catch (error) {
      found = error
    }
    expect(processorTime() - begin).toBeLessThan(20_000)
    expect(found).toBeInstanceOf(MyelinError)
    expect((found as Error).message).toContain(message)
    // The name of the file, or that of the layer.
    expect((found as Error).message).toMatch(/model\.json|TfjsGraph "graph"/)
  })

  it('name all operators that are missing, with the nodes', () => {
    const nodes = [
      x,
      node('loop', 'While', ['x']),
      node('a', 'Switch', ['x', 'x']),
      node('boxes', 'NonMaxSuppressionV3', ['a', 'loop']),
      node('more', 'NonMaxSuppressionV3', ['boxes', 'loop']),
      node('y', 'Unheard', ['more']),
      node('unused', 'AlsoUnheard', ['x']),
    ]
    expect(() => read(nodes, [], { outputs: { y: { name: 'y:0' } } })).toThrow(
      new FormatError(
        "model.json: these operators are not available: Unheard (at 'y'), NonMaxSuppressionV3 (at 'more' and 1 more), While (at 'loop'), Switch (at 'a')",
      ),
    )
  })

  it('in the option of a layer', () => {
    for (const file of [
      'x',
      '[]',
      '{}',
      '{"node":[]}',
      '{"node":[{"name":"y","op":"Const"}],"weights":3}',
      '{"weights":[{}],"node":[{"name":"y","op":"Rank","input":["y"]}]}',
    ])
      expect(() => new TfjsGraph({ file }), file).toThrow(FormatError)
    const node = [
      { name: 'c', op: 'Const' },
      { name: 'x', op: 'Placeholder' },
      { name: 'y', op: 'Add', input: ['x', 'c'] },
    ]
    const weight = { name: 'c', dtype: 'int32', shape: [2], data: 'AAAA' }
    for (const each of [
      weight,
      { ...weight, data: '~' },
      { ...weight, data: undefined },
      { ...weight, shape: [-1] },
      { ...weight, dtype: 'int8' },
    ])
      expect(() => new TfjsGraph({ file: JSON.stringify({ node, weights: [each] }) }), JSON.stringify(each)).toThrow(
        FormatError,
      )
  })
})

describe('large graphs', () => {
  const chain = (count: number): NodeText[] => [
    x,
    ...Array.from({ length: count }, (_, k) => node(`n${k + 1}`, 'Identity', [k === 0 ? 'x' : `n${k}`])).reverse(),
    node('y', 'Relu', [`n${count}`]),
  ]
  const seconds = (count: number): number => {
    const nodes = chain(count)
    const begin = processorTime()
    read(nodes)
    return (processorTime() - begin) / 1000
  }

  it('of 100,000 nodes in a row are read, in time that is proportional to the number', () => {
    seconds(5000)
    const [small, large] = [Math.min(seconds(10_000), seconds(10_000)), seconds(100_000)]
    expect(large / small).toBeLessThan(30)
  })

  it('that are one cycle of 20,000 nodes are refused', () => {
    const nodes = chain(20_000).map((each) => (each.name === 'n1' ? { ...each, input: ['n20000'] } : each))
    expect(() => read(nodes)).toThrow(/are a cycle/)
  })
})
