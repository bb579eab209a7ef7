// A file without the elements of its weights, which configurations of models contain. Fields are copied as they are.

import { concatBytes } from '../core/bytes'
import { encodeUtf8 } from '../core/text'
import { Wire, field, message, varint } from '../formats/protobuf'
import type { GraphProto } from './proto'
import { graphProto, modelProto } from './proto'
import { Reader, Source, skip } from './reader'
import type { HostTensor } from './tensors'
import { types } from './types'
import type { Initializer } from './weights'

/** The fields of ModelProto and GraphProto that have graphs, nodes and tensors. */
const [GRAPH, NODES, INITIALIZERS] = [7, 1, 5]
/** The fields that the structure has. Others are texts for people, types of intermediate values, and what newer versions may add. */
const numbersOf = (table: object): ReadonlySet<number> =>
  new Set(Object.values(table as Readonly<Record<string, { readonly number: number }>>).map((row) => row.number))
const OF_MODEL = /* @__PURE__ */ numbersOf(modelProto)
const OF_GRAPH = /* @__PURE__ */ numbersOf(graphProto)

type Parts = (readonly number[] | Uint8Array)[]

/** The fields of a message that are wanted, each with its bytes. */
function* fieldsOf(
  bytes: Uint8Array,
  wanted: ReadonlySet<number>,
): Generator<{ number: number; content: Uint8Array; whole: Uint8Array }> {
  const reader = new Reader(new Source(bytes, ''), 0, bytes.length)
  while (reader.at < reader.end) {
    const begin = reader.at
    const tag = reader.varint(false)
    const wire: Wire = tag % 8
    const [size, at] = wire === Wire.Bytes ? [reader.varint(false), reader.at] : [0, reader.at]
    if (wire === Wire.Bytes) reader.take(size)
    else skip(reader, wire)
    const number = Math.floor(tag / 8)
    if (!wanted.has(number)) continue
    yield {
      number,
      content: bytes.subarray(at, reader.at),
      whole: bytes.subarray(begin, reader.at),
    }
  }
}

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
  const parts: Parts = []
  for (const { number, content, whole } of fieldsOf(bytes, OF_MODEL)) {
    if (number === GRAPH) parts.push(...sized(GRAPH, graphBytes(content)))
    else parts.push(whole)
  }
  return concatBytes(parts)

  function graphBytes(content: Uint8Array): Uint8Array {
    const own: Parts = []
    let [node, initializer] = [0, 0]
    for (const { number, whole } of fieldsOf(content, OF_GRAPH)) {
      if (number === NODES) {
        const [output = ''] = graph.nodes[node++]!.outputs
        if (!weights.has(output)) own.push(whole)
      } else if (number === INITIALIZERS) {
        const proto = graph.initializers[initializer++]!
        own.push(
          ...(proto.type === types.string.code ? [whole] : sized(INITIALIZERS, initializerBytes(byProto.get(proto)!))),
        )
      } else own.push(whole)
    }
    for (const each of weights.values())
      if (!held.has(each.name)) own.push(...sized(INITIALIZERS, initializerBytes(each)))
    return concatBytes(own)
  }

  function initializerBytes(each: Initializer): Uint8Array {
    const { name, proto, weight } = each
    if (weight !== null) return tensorBytes(name, types.float32.code, weight.shape, null)
    const host = elements(each)
    const kept = host.type === 'float16' || host.type === 'bfloat16' ? { ...host, type: 'float32' as const } : host
    return tensorBytes(name, types[kept.type].code, Array.from(proto.dims), rawOf(kept))
  }
}
