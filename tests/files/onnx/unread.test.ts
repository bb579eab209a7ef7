// Fields of a file that are not read, such as those of newer versions: they cost the time to pass them, and nothing else.
// modes: simd

import { describe, expect, it } from 'vitest'
import { tensor } from '../../../src'
import { Wire, field, message, text, varint } from '../../../src/files/containers/protobuf'
import { loadOnnx, type OnnxModel } from '../../../src/entries/onnx'
import { Reader, Source } from '../../../src/files/onnx/reader'
import { graphProto, modelProto } from '../../../src/files/onnx/proto'
import { pruned } from '../../../src/files/onnx/prune'
import { graphBytes, int64, modelBytes, nodeBytes, valueBytes } from '../../helpers/onnx'

const graph = {
  nodes: [{ type: 'Add', inputs: ['x', 'x'], outputs: ['y'], attributes: { old: [1, 300] } }],
  inputs: [valueBytes('x', ['batch', 3])],
  outputs: [valueBytes('y', ['batch', 3])],
}
const [node] = graph.nodes
const many = (content: readonly number[]): number[] => Array.from({ length: 100_000 }, () => content).flat()

/** The bytes of a file whose first node, first input, graph or model has more fields. */
function withMore(where: 'node' | 'input' | 'graph' | 'model', more: readonly number[]): Uint8Array {
  const at = (place: typeof where): readonly number[] => (place === where ? more : [])
  return Uint8Array.from([
    ...field(1, Wire.Varint, [8]),
    ...message(7, [
      ...message(1, [...nodeBytes(node!), ...at('node')]),
      ...text(2, 'graph'),
      ...message(11, [...graph.inputs[0]!, ...at('input')]),
      ...message(12, graph.outputs[0]!),
      ...at('graph'),
    ]),
    ...message(8, field(2, Wire.Varint, varint(17))),
    ...at('model'),
  ])
}

describe('fields that are not read', () => {
  const places = ['node', 'input', 'graph', 'model'] as const
  const kinds = [
    ['numbers', many(field(100, Wire.Varint, [1]))],
    ['numbers of ten bytes', many(field(100, Wire.Varint, int64(-1)))],
    ['a text for people', message(101, many([65]))],
    ['empty messages', many(message(100, []))],
  ] as const
  it.each(places.flatMap((place) => kinds.map(([kind, more]) => ({ place, kind, more }))))(
    '$kind of the $place are not kept in the model',
    async ({ place, more }) => {
      const size = ({ layers }: OnnxModel): number => JSON.stringify(layers.map((layer) => layer.getConfig())).length
      const plain = await loadOnnx(withMore('node', []))
      const model = await loadOnnx(withMore(place, more))
      expect(size(model)).toBe(size(plain))
      expect((await model.predict({ x: tensor([[1, 2, 3]]) } as never)) as unknown).toMatchObject({ shape: [1, 3] })
    },
  )

  it('of a number that occurs many times, the last counts, and only it is kept', async () => {
    const model = await loadOnnx(withMore('model', many(field(1, Wire.Varint, [9]))))
    expect(JSON.stringify(model.getConfig()).length).toBeLessThan(2000)
    const bytes = Uint8Array.from([...field(1, Wire.Varint, [8]), ...field(1, Wire.Varint, [9])])
    expect([...pruned(modelProto, bytes)]).toEqual(field(1, Wire.Varint, [9]))
  })

  it('fields that are read stay as they are', () => {
    const plain = modelBytes(graph)
    expect(pruned(modelProto, plain)).toEqual(plain)
    const inner = Uint8Array.from(graphBytes(graph))
    expect(pruned(graphProto, inner)).toEqual(inner)
  })
})

it('numbers of 8 to 10 bytes are the nearest double', () => {
  const values = [
    2n ** 49n,
    2n ** 53n + 1n,
    2n ** 62n + 12345678901n,
    2n ** 63n - 1n,
    -1n,
    -(2n ** 63n),
    -(2n ** 53n) - 3n,
  ]
  for (const value of values) {
    const bytes = Uint8Array.from(
      { length: 10 },
      (_, i) => Number((BigInt.asUintN(64, value) >> BigInt(7 * i)) & 127n) | (i < 9 ? 128 : 0),
    )
    const read = (isSigned: boolean): number => new Reader(new Source(bytes, ''), 0, 10).varint(isSigned)
    expect(read(true)).toBe(Number(value))
    expect(read(false)).toBe(Number(BigInt.asUintN(64, value)))
  }
})
