// Which tensors of a file are trained: parameters in their usual places, and those that the user names.
// modes: simd

import { describe, expect, it } from 'vitest'
import { loadOnnx } from '../../../src/entries/onnx'
import { message, text } from '../../../src/files/containers/protobuf'
import { floatTensor, modelBytes, nodeBytes, valueBytes, type NodeText } from '../../helpers/onnx'
import { wave } from '../../helpers/onnx-networks'

const tensorOf = (name: string, shape: readonly number[]): number[] => {
  const size = shape.reduce((product, extent) => product * extent, 1)
  return floatTensor(
    name,
    shape,
    Array.from({ length: size }, (_, i) => 0.1 + (i % 7) / 9),
  )
}

type Shapes = Readonly<Record<string, readonly number[]>>

async function open(
  nodes: readonly NodeText[],
  tensors: Shapes,
  x: readonly (string | number)[],
  functions = [] as number[][],
) {
  const initializers = Object.entries(tensors).map(([name, shape]) => tensorOf(name, shape))
  const graph = { nodes, initializers, inputs: [valueBytes('x', x)], outputs: [valueBytes('y', null)] }
  return loadOnnx(modelBytes(graph, { functions }))
}

async function trainedIn(...given: Parameters<typeof open>): Promise<string[]> {
  const model = await open(...given)
  return model.trainableWeights.map(({ name }) => name).toSorted()
}

const node = (type: string, inputs: readonly string[], output: string, attributes = {}): NodeText => ({
  type,
  inputs,
  outputs: [output],
  attributes,
})

describe('what is trained', () => {
  it('kernels and biases of products, not the scale of an attention, nor its mask', async () => {
    const nodes = [
      node('MatMul', ['x', 'q.weight'], 'q0'),
      node('Add', ['q.bias', 'q0'], 'q1'),
      node('Mul', ['q1', 'scale'], 'q'),
      node('MatMul', ['x', 'k.weight'], 'k'),
      node('Transpose', ['k'], 'kT', { perm: [0, 2, 1] }),
      node('MatMul', ['q', 'kT'], 's0'),
      node('Add', ['s0', 'mask'], 's'),
      node('MatMul', ['s', 'x'], 'y'),
    ]
    const shapes = { 'q.weight': [4, 4], 'q.bias': [4], scale: [1], 'k.weight': [4, 4], mask: [3, 3] }
    expect(await trainedIn(nodes, shapes, ['batch', 3, 4])).toEqual(['k.weight', 'q.bias', 'q.weight'])
  })

  it('the parameters of a recurrent node, not its initial state', async () => {
    const gru: NodeText = {
      type: 'GRU',
      inputs: ['x', 'w', 'r', 'b', '', 'h0'],
      outputs: ['y'],
      attributes: { hidden_size: 2, linear_before_reset: 1 },
    }
    const shapes = { w: [1, 6, 3], r: [1, 6, 2], b: [1, 12], h0: [1, 4, 2] }
    const model = await open([gru], shapes, [5, 4, 3])
    expect(model.trainableWeights.map(({ name }) => name).toSorted()).toEqual(['b', 'r', 'w'])
    expect(model.weights.map(({ name }) => name)).toContain('h0')
  })

  it('the scale and the shift of a normalization that is written as its formula', async () => {
    const nodes = [
      node('ReduceMean', ['x'], 'mean', { axes: [-1] }),
      node('Sub', ['x', 'mean'], 'd'),
      node('Mul', ['d', 'd'], 'd2'),
      node('ReduceMean', ['d2'], 'var', { axes: [-1] }),
      node('Add', ['var', 'epsilon'], 'v'),
      node('Sqrt', ['v'], 'root'),
      node('Div', ['d', 'root'], 'n'),
      node('Mul', ['n', 'gamma'], 'g'),
      node('Add', ['g', 'beta'], 'b'),
      node('Add', ['b', 'positions'], 'p'),
      node('Mul', ['p', 'window'], 'y'),
    ]
    const shapes = { epsilon: [1], gamma: [4], beta: [4], positions: [3, 4], window: [4] }
    expect(await trainedIn(nodes, shapes, ['batch', 3, 4])).toEqual(['beta', 'gamma'])
  })

  it('no constant after a node that has its own scale, shift or bias', async () => {
    const shapes = { g: [4], b: [4], m: [4], v: [4], mask: [4], w: [4, 4], pos: [4] }
    const norms = { BatchNormalization: ['g', 'b', 'm', 'v'], LayerNormalization: ['g', 'b'] }
    for (const [type, operands] of Object.entries(norms))
      for (const [after, other] of [
        ['Mul', 'mask'],
        ['Add', 'pos'],
      ] as const) {
        const nodes = [node(type, ['x', ...operands], 'n'), node(after, ['n', other], 'y')]
        expect(await trainedIn(nodes, shapes, ['batch', 4])).toEqual(['b', 'g'])
      }
    const gemm = [node('Gemm', ['x', 'w', 'b'], 'n'), node('Add', ['n', 'pos'], 'y')]
    expect(await trainedIn(gemm, shapes, ['batch', 4])).toEqual(['b', 'w'])
    const bare = [
      node('LayerNormalization', ['x', 'g'], 'n'),
      node('Add', ['n', 'b'], 's'),
      node('Add', ['s', 'pos'], 'y'),
    ]
    expect(await trainedIn(bare, shapes, ['batch', 4])).toEqual(['b', 'g'])
    const formula = [
      node('Sqrt', ['x'], 'root'),
      node('Div', ['x', 'root'], 'n'),
      node('Mul', ['n', 'g'], 's'),
      node('Mul', ['s', 'mask'], 't'),
      node('Add', ['t', 'b'], 'y'),
    ]
    expect(await trainedIn(formula, shapes, ['batch', 4])).toEqual(['b', 'g'])
  })

  it('a matrix from the left, statistics of inputs and a table of products are constants', async () => {
    const nodes = [
      node('Sub', ['x', 'mean'], 'a'),
      node('Div', ['a', 'std'], 'b'),
      node('MatMul', ['mel', 'b'], 'c'),
      node('Concat', ['c', 'token'], 'y', { axis: 0 }),
    ]
    expect(await trainedIn(nodes, { mean: [4], std: [4], mel: [2, 3], token: [1, 4] }, [3, 4])).toEqual([])
  })

  it('kernels behind nodes that move them, and inside functions of the file', async () => {
    const linear = [
      ...text(1, 'Linear'),
      ...['a', 'w', 'b'].flatMap((name) => text(4, name)),
      ...text(5, 'out'),
      ...message(7, nodeBytes(node('Transpose', ['w'], 't', { perm: [1, 0] }))),
      ...message(7, nodeBytes(node('MatMul', ['a', 't'], 'm'))),
      ...message(7, nodeBytes(node('Add', ['m', 'b'], 'out'))),
      ...text(10, 'own'),
    ]
    const nodes = [
      node('Identity', ['kernel'], 'tied'),
      node('MatMul', ['x', 'tied'], 'h'),
      { ...node('Linear', ['h', 'weight', 'bias'], 'y'), domain: 'own' },
    ]
    const shapes = { kernel: [4, 3], weight: [5, 3], bias: [5], unused: [3] }
    expect(await trainedIn(nodes, shapes, ['batch', 4], [linear])).toEqual(['bias', 'kernel', 'weight'])
  })

  it('what the user names', async () => {
    const model = await open(
      [node('MatMul', ['x', 'w'], 'h'), node('Mul', ['h', 'scale'], 'y')],
      { w: [4, 3], scale: [3] },
      ['batch', 4],
    )
    const scale = model.weights.find(({ name }) => name === 'scale')!
    const before = [...scale.value.data]
    const fit = async (): Promise<void> => {
      model.compile({ optimizer: 'adam', loss: 'meanSquaredError' })
      await model.fit(wave([8, 4]), wave([8, 3]), { epochs: 2, verbose: 0 })
    }
    await fit()
    expect([...scale.value.data]).toEqual(before)
    scale.trainable = true
    await fit()
    expect([...scale.value.data]).not.toEqual(before)
  })
})
