// The messages of an ONNX file, and the numbers of their fields. tensors.ts reads the elements of tensors.

import { bytes, double, float, integer, many, message, numbers, one, text, unsigned, type Table } from './wire'

export interface ModelProto {
  readonly irVersion: number
  readonly producer: string
  readonly graph: GraphProto | null
  readonly opsets: readonly OperatorSet[]
  readonly functions: readonly FunctionProto[]
}

export interface OperatorSet {
  /** '' for the operators of ONNX itself. */
  readonly domain: string
  readonly version: number
}

export interface GraphProto {
  readonly nodes: readonly NodeProto[]
  readonly name: string
  readonly initializers: readonly TensorProto[]
  readonly sparse: readonly Uint8Array[]
  readonly inputs: readonly ValueInfo[]
  readonly outputs: readonly ValueInfo[]
}

/** A function that the file defines. Nodes call it by its name. */
export interface FunctionProto {
  readonly name: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly nodes: readonly NodeProto[]
  readonly opsets: readonly OperatorSet[]
  readonly domain: string
  /** Attributes that have a default. */
  readonly defaults: readonly AttributeProto[]
}

export interface NodeProto {
  /** '' stands for an operand that is omitted. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly name: string
  readonly type: string
  readonly attributes: readonly AttributeProto[]
  readonly domain: string
}

export interface AttributeProto {
  readonly name: string
  readonly float: number
  readonly integer: number
  readonly string: Uint8Array | null
  readonly tensor: TensorProto | null
  readonly graph: GraphProto | null
  readonly floats: Float64Array
  readonly integers: Float64Array
  readonly strings: readonly Uint8Array[]
  /** 0 in old files, which name no type. */
  readonly type: number
  /** In a function: the attribute of the calling node whose value this one has. */
  readonly reference: string
}

export interface TensorProto {
  readonly dims: Float64Array
  readonly type: number
  readonly floats: Float64Array
  readonly integers: Float64Array
  readonly strings: readonly Uint8Array[]
  readonly longs: Float64Array
  readonly name: string
  readonly raw: Uint8Array | null
  readonly doubles: Float64Array
  readonly unsigned: Float64Array
  readonly external: readonly Entry[]
  /** 1: the elements are in another file. */
  readonly place: number
}

export interface Entry {
  readonly key: string
  readonly value: string
}

export interface ValueInfo {
  readonly name: string
  readonly type: TypeProto | null
}

export interface TypeProto {
  /** null for sequences, maps and sparse tensors. */
  readonly tensor: TensorTypeProto | null
}

export interface TensorTypeProto {
  readonly type: number
  readonly shape: { readonly dims: readonly Dimension[] } | null
}

export interface Dimension {
  readonly value: number | null
  /** The name of an open extent. */
  readonly name: string
}

const entry: Table<Entry> = { key: one(1, text, ''), value: one(2, text, '') }

export const tensorProto: Table<TensorProto> = {
  dims: numbers(1, integer),
  type: one(2, integer, 0),
  floats: numbers(4, float),
  integers: numbers(5, integer),
  strings: many(6, bytes),
  longs: numbers(7, integer),
  name: one(8, text, ''),
  raw: one(9, bytes, null),
  doubles: numbers(10, double),
  unsigned: numbers(11, unsigned),
  external: many(
    13,
    message(() => entry),
  ),
  place: one(14, integer, 0),
}

const tensor = message(() => tensorProto)

const attributeProto: Table<AttributeProto> = {
  name: one(1, text, ''),
  float: one(2, float, 0),
  integer: one(3, integer, 0),
  string: one(4, bytes, null),
  tensor: one(5, tensor, null),
  graph: one(
    6,
    message(() => graphProto),
    null,
  ),
  floats: numbers(7, float),
  integers: numbers(8, integer),
  strings: many(9, bytes),
  type: one(20, integer, 0),
  reference: one(21, text, ''),
}

const attribute = message(() => attributeProto)

export const nodeProto: Table<NodeProto> = {
  inputs: many(1, text),
  outputs: many(2, text),
  name: one(3, text, ''),
  type: one(4, text, ''),
  attributes: many(5, attribute),
  domain: one(7, text, ''),
}

const node = message(() => nodeProto)

const dimension: Table<Dimension> = { value: one(1, integer, null), name: one(2, text, '') }

const shapeProto: Table<{ readonly dims: readonly Dimension[] }> = {
  dims: many(
    1,
    message(() => dimension),
  ),
}

const tensorTypeProto: Table<TensorTypeProto> = {
  type: one(1, integer, 0),
  shape: one(
    2,
    message(() => shapeProto),
    null,
  ),
}

const typeProto: Table<TypeProto> = {
  tensor: one(
    1,
    message(() => tensorTypeProto),
    null,
  ),
}

const valueInfo: Table<ValueInfo> = {
  name: one(1, text, ''),
  type: one(
    2,
    message(() => typeProto),
    null,
  ),
}

const value = message(() => valueInfo)

export const graphProto: Table<GraphProto> = {
  nodes: many(1, node),
  name: one(2, text, ''),
  initializers: many(5, tensor),
  inputs: many(11, value),
  outputs: many(12, value),
  sparse: many(15, bytes),
}

const operatorSet: Table<OperatorSet> = { domain: one(1, text, ''), version: one(2, integer, 0) }

const operatorSets = many(
  8,
  message(() => operatorSet),
)

const functionProto: Table<FunctionProto> = {
  name: one(1, text, ''),
  inputs: many(4, text),
  outputs: many(5, text),
  nodes: many(7, node),
  opsets: many(
    9,
    message(() => operatorSet),
  ),
  domain: one(10, text, ''),
  defaults: many(11, attribute),
}

export const modelProto: Table<ModelProto> = {
  irVersion: one(1, integer, 0),
  producer: one(2, text, ''),
  graph: one(
    7,
    message(() => graphProto),
    null,
  ),
  opsets: operatorSets,
  functions: many(
    25,
    message(() => functionProto),
  ),
}
