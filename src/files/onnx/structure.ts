// A file without the elements of its weights, which configurations of models contain. Fields that are read are copied as they
// are, others are left out.

import { concatBytes } from '../../core/bytes'
import { encodeUtf8 } from '../../core/text'
import { Wire, field, message, varint } from '../containers/protobuf'
import { graphProto, modelProto, nodeProto, tensorProto, type GraphProto } from './proto'
import { fieldsOf, pruned } from './prune'
import { Reader, Source } from './reader'
import type { HostTensor } from './tensors'
import { types } from './types'
import type { Initializer } from './trained-tensors'

/** The fields of ModelProto and GraphProto that have graphs, nodes and tensors. */
const [GRAPH, NODES, INITIALIZERS] = [7, 1, 5]
/** What a file and its graph have besides them. */
const { graph: _graph, ...OF_MODEL } = modelProto
const { nodes: _nodes, initializers: _initializers, ...OF_GRAPH } = graphProto

type Parts = (readonly number[] | Uint8Array)[]

const sized = (number: number, content: Uint8Array): Parts => [
  [...varint(number * 8 + Wire.Bytes), ...varint(content.length)],
  content,
]

/** A TensorProto: extents, type, name, and elements in raw_data if there are any. */
function tensorBytes(name: string, code: number, shape: readonly number[], elements: Uint8Array | null): Uint8Array {
  const head = [
    ...shape.flatMap((extent) => field(1, Wire.Varint, varint(extent))),
    ...field(2, Wire.Varint, varint(code)),
    ...message(8, [...encodeUtf8(name)]),
  ]
  return concatBytes(elements === null ? [head] : [head, ...sized(9, elements)])
}

/** The largest double that is an int64. */
const MOST = 2 ** 63 - 1024

/** The elements of a constant in the layout of files. */
export function rawOf({ type, data }: HostTensor): Uint8Array {
  // Typed arrays are little-endian where WebAssembly runs, as files are.
  if (type === 'float32' && data instanceof Float32Array) return new Uint8Array(data.slice().buffer)
  const { bytes } = types[type]
  const view = new DataView(new ArrayBuffer(data.length * bytes))
  data.forEach((x: number, i: number) => {
    const at = i * bytes
    if (type === 'float32') view.setFloat32(at, x, true)
    else if (type === 'float64') view.setFloat64(at, x, true)
    else if (bytes === 8)
      view.setBigInt64(at, BigInt.asIntN(64, BigInt(Math.min(x, type === 'int64' ? MOST : 2 * MOST))), true)
    else if (bytes === 4) view.setInt32(at, x, true)
    else if (bytes === 2) view.setInt16(at, x, true)
    else view.setInt8(at, x)
  })
  return new Uint8Array(view.buffer)
}

/**
 * The bytes of a file without the elements of its weights, and without other files.
 * @param elements of a constant that is in another file
 */
export function structureOf(
  bytes: Uint8Array,
  graph: GraphProto,
  initializers: readonly Initializer[],
  elements: (initializer: Initializer) => HostTensor,
): Uint8Array {
  const weights = new Map(initializers.filter(({ weight }) => weight !== null).map((each) => [each.name, each]))
  const byProto = new Map(initializers.map((each) => [each.proto, each]))
  const held = new Set(graph.initializers.map(({ name }) => name))
  const file = new Reader(new Source(bytes, ''), 0, bytes.length)
  const parts: Parts = [pruned(OF_MODEL, bytes)]
  for (const { number, content } of fieldsOf(file))
    if (number === GRAPH) parts.push(...sized(GRAPH, graphBytes(bytes.subarray(content, file.at))))
  return concatBytes(parts)

  function graphBytes(content: Uint8Array): Uint8Array {
    const parts: Parts = [pruned(OF_GRAPH, content)]
    let [node, initializer] = [0, 0]
    const reader = new Reader(new Source(content, ''), 0, content.length)
    for (const { number, content: begin } of fieldsOf(reader)) {
      const message = content.subarray(begin, reader.at)
      if (number === NODES) {
        const [output = ''] = graph.nodes[node++]!.outputs
        if (!weights.has(output)) parts.push(...sized(NODES, pruned(nodeProto, message)))
      } else if (number === INITIALIZERS) {
        const proto = graph.initializers[initializer++]!
        const isText = proto.type === types.string.code
        parts.push(
          ...sized(INITIALIZERS, isText ? pruned(tensorProto, message) : initializerBytes(byProto.get(proto)!)),
        )
      }
    }
    for (const each of weights.values())
      if (!held.has(each.name)) parts.push(...sized(INITIALIZERS, initializerBytes(each)))
    return concatBytes(parts)
  }

  function initializerBytes(each: Initializer): Uint8Array {
    const { name, proto, weight } = each
    if (weight !== null) return tensorBytes(name, types.float32.code, weight.shape, null)
    const host = elements(each)
    const kept = host.type === 'float16' || host.type === 'bfloat16' ? { ...host, type: 'float32' as const } : host
    return tensorBytes(name, types[kept.type].code, Array.from(proto.dims), rawOf(kept))
  }
}
