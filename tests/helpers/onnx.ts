// Writes small ONNX files, so that tests show the whole graph.

import { Wire, field, message, text, varint } from '../../src/files/containers/protobuf'

type Bytes = readonly number[]

/** The attributes of a node: numbers without a fraction are integers, `{ float }` is a float. */
export type Attribute =
  | number
  | string
  | readonly number[]
  | { readonly float: number }
  | { readonly graph: Bytes }
  | { readonly tensor: Bytes }

export interface NodeText {
  readonly type: string
  readonly inputs?: readonly string[]
  readonly outputs: readonly string[]
  readonly name?: string
  readonly domain?: string
  readonly attributes?: Readonly<Record<string, Attribute>>
}

/** int64, also negative. */
export function int64(value: number): number[] {
  if (value >= 0) return varint(value)
  let rest = BigInt.asUintN(64, BigInt(value))
  const bytes: number[] = []
  for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128)
  return [...bytes, Number(rest)]
}

export const floats = (values: readonly number[]): number[] => [...new Uint8Array(Float32Array.from(values).buffer)]
export const longs = (values: readonly number[]): number[] => [
  ...new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
]

/** A TensorProto with raw elements. */
export function tensorBytes(name: string, type: number, shape: readonly number[], raw: Bytes | null): number[] {
  return [
    ...shape.flatMap((extent) => field(1, Wire.Varint, int64(extent))),
    ...field(2, Wire.Varint, varint(type)),
    ...text(8, name),
    ...(raw === null ? [] : message(9, raw)),
  ]
}

export const floatTensor = (name: string, shape: readonly number[], values: readonly number[]): number[] =>
  tensorBytes(name, 1, shape, floats(values))
export const longTensor = (name: string, shape: readonly number[], values: readonly number[]): number[] =>
  tensorBytes(name, 7, shape, longs(values))

function attributeBytes(name: string, value: Attribute): number[] {
  const head = text(1, name)
  if (typeof value === 'number')
    return [...head, ...field(3, Wire.Varint, int64(value)), ...field(20, Wire.Varint, [2])]
  if (typeof value === 'string')
    return [...head, ...message(4, [...new TextEncoder().encode(value)]), ...field(20, Wire.Varint, [3])]
  if ('float' in value) return [...head, ...field(2, Wire.Float, floats([value.float])), ...field(20, Wire.Varint, [1])]
  if ('graph' in value) return [...head, ...message(6, value.graph), ...field(20, Wire.Varint, [5])]
  if ('tensor' in value) return [...head, ...message(5, value.tensor), ...field(20, Wire.Varint, [4])]
  return [...head, ...value.flatMap((each) => field(8, Wire.Varint, int64(each))), ...field(20, Wire.Varint, [7])]
}

export function nodeBytes({ type, inputs = [], outputs, name = '', domain = '', attributes = {} }: NodeText): number[] {
  return [
    ...inputs.flatMap((each) => text(1, each)),
    ...outputs.flatMap((each) => text(2, each)),
    ...(name === '' ? [] : text(3, name)),
    ...text(4, type),
    ...Object.entries(attributes).flatMap(([key, value]) => message(5, attributeBytes(key, value))),
    ...(domain === '' ? [] : text(7, domain)),
  ]
}

/** A ValueInfoProto; names of extents are open. */
export function valueBytes(name: string, shape: readonly (number | string)[] | null, type = 1): number[] {
  const dims = (shape ?? []).flatMap((extent) =>
    message(1, typeof extent === 'number' ? field(1, Wire.Varint, int64(extent)) : text(2, extent)),
  )
  const tensor = [...field(1, Wire.Varint, varint(type)), ...(shape === null ? [] : message(2, dims))]
  return [...text(1, name), ...message(2, message(1, tensor))]
}

export interface GraphText {
  readonly nodes: readonly NodeText[]
  readonly initializers?: readonly Bytes[]
  readonly inputs?: readonly Bytes[]
  readonly outputs: readonly Bytes[]
}

export function graphBytes({ nodes, initializers = [], inputs = [], outputs }: GraphText): number[] {
  return [
    ...nodes.flatMap((node) => message(1, nodeBytes(node))),
    ...text(2, 'graph'),
    ...initializers.flatMap((each) => message(5, each)),
    ...inputs.flatMap((each) => message(11, each)),
    ...outputs.flatMap((each) => message(12, each)),
  ]
}

/** The bytes of a file. */
export function modelBytes(graph: GraphText, { opset = 17, functions = [] as readonly Bytes[] } = {}): Uint8Array {
  return Uint8Array.from([
    ...field(1, Wire.Varint, [8]),
    ...message(7, graphBytes(graph)),
    ...message(8, field(2, Wire.Varint, varint(opset))),
    ...functions.flatMap((each) => message(25, each)),
  ])
}
