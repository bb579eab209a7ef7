// The elements of the tensors of a file: from raw bytes, from lists of numbers, or from another file.

import { FormatError } from '../../core/errors'
import { fromBfloat16, fromFloat16 } from '../../core/half'
import { staysInside } from '../../engine/runtime/beside'
import type { Entry, TensorProto } from './proto'
import { numbersOf } from './strings'
import { elementType, typeName, types, type ElementType, type HostArray } from './types'

/** A tensor on the JavaScript heap. */
export interface HostTensor {
  readonly type: ElementType
  readonly shape: readonly number[]
  readonly data: HostArray
}

/** The files next to a model that have elements of its tensors, by their paths; read before tensors are. */
export type ExternalFiles = ReadonlyMap<string, Uint8Array>

/** The place of a tensor in another file. */
export interface External {
  readonly location: string
  readonly offset: number
  readonly length: number | null
}

/** 1 if the elements are in another file. */
export const EXTERNAL = 1

/** @throws FormatError naming the tensor, for extents that no tensor has */
export function shapeOf({ dims }: TensorProto, where: string): number[] {
  const shape = Array.from(dims, (extent) => {
    if (Number.isSafeInteger(extent) && extent >= 0) return extent
    throw new FormatError(`${where}: the extent ${extent} is not an integer ≥ 0`)
  })
  if (shape.length > 32) throw new FormatError(`${where}: there are ${shape.length} axes`)
  return shape
}

/** The type of a tensor. @throws FormatError for types that are not read */
export function typeOf({ type }: TensorProto, where: string): ElementType {
  const found = elementType(type)
  if (found !== null) return found
  throw new FormatError(`${where}: elements of type ${typeName(type)} cannot be read`)
}

/**
 * Reads a tensor. The number of its elements must fit its extents, so it takes no more memory than the file.
 * @param where names the tensor in errors
 * @throws FormatError
 */
export function tensorFrom(proto: TensorProto, where: string, files: ExternalFiles): HostTensor {
  const [shape, type] = [shapeOf(proto, where), typeOf(proto, where)]
  const size = shape.reduce((product, extent) => product * extent, 1)
  if (!Number.isSafeInteger(size)) throw new FormatError(`${where}: [${shape.join(', ')}] has too many elements`)
  if (type === 'string') {
    const data = numbersOf(proto)
    if (data.length === size) return { type, shape, data }
    throw new FormatError(
      `${where}: [${shape.join(', ')}] needs ${size} strings, the file has ${proto.strings.length} that can be read`,
    )
  }
  const raw = proto.place === EXTERNAL ? bytesOf(placeOf(proto.external, where), files, where) : proto.raw
  const list = proto[types[type].list]
  const isRaw = raw !== null && (raw.length > 0 || list.length === 0)
  const found = isRaw ? raw.length / types[type].bytes : list.length
  if (found !== size)
    throw new FormatError(`${where}: [${shape.join(', ')}] ${type} needs ${size} elements, the file has ${found}`)
  return { type, shape, data: isRaw ? fromRaw(raw, type, size) : fromList(list, type) }
}

const constants = /* @__PURE__ */ new WeakMap<TensorProto, HostTensor>()

/** The elements of a constant, which are read once. */
export function constantOf(proto: TensorProto, where: string): HostTensor {
  let found = constants.get(proto)
  if (found === undefined) {
    found = tensorFrom(proto, where, new Map())
    constants.set(proto, found)
  }
  return found
}

/** The entries of `external_data`. @throws FormatError for a path that leaves the folder of the model */
export function placeOf(entries: readonly Entry[], where: string): External {
  const values = new Map(entries.map(({ key, value }) => [key, value]))
  const location = values.get('location') ?? ''
  if (!staysInside(location))
    throw new FormatError(
      `${where}: its elements must be in the folder of the model, not in '${location.slice(0, 100)}'`,
    )
  const count = (key: string): number | null => {
    const text = values.get(key)
    if (text === undefined || text === '') return null
    if (/^\d{1,15}$/.test(text)) return Number(text)
    throw new FormatError(`${where}: the ${key} of its elements is '${text.slice(0, 100)}'`)
  }
  return { location, offset: count('offset') ?? 0, length: count('length') }
}

function bytesOf({ location, offset, length }: External, files: ExternalFiles, where: string): Uint8Array {
  const file = files.get(location)
  if (file === undefined)
    throw new FormatError(
      `${where}: its elements are in the file '${location}', which was not passed. Load the model by its path or URL, or with loadOnnx of myelin/onnx and { externalData: { '${location}': bytes } }.`,
    )
  const end = length === null ? file.length : offset + length
  if (offset > file.length || end > file.length)
    throw new FormatError(
      `${where}: bytes ${offset} to ${end} of '${location}' are needed, which has ${file.length} bytes`,
    )
  return file.subarray(offset, end)
}

function fromRaw(raw: Uint8Array, type: ElementType, size: number): HostArray {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength)
  // Typed arrays are little-endian where WebAssembly runs, as files are.
  if (type === 'float32') return new Float32Array(new Uint8Array(raw).buffer)
  const { array, bytes } = types[type]
  const data = new array(size)
  const read = readers[type] ?? ((at: number) => view.getUint8(at))
  for (let i = 0; i < size; i++) data[i] = read(i * bytes, view)
  return type === 'bool' ? data.map((x) => Number(x !== 0)) : data
}

/** An int64 or uint64, rounded to a double. */
const long = (low: number, high: number): number => high * 2 ** 32 + low

const readers: Readonly<Partial<Record<ElementType, (at: number, view: DataView) => number>>> = {
  float32: (at, view) => view.getFloat32(at, true),
  float64: (at, view) => view.getFloat64(at, true),
  float16: (at, view) => fromFloat16(view.getUint16(at, true)),
  bfloat16: (at, view) => fromBfloat16(view.getUint16(at, true)),
  int8: (at, view) => view.getInt8(at),
  int16: (at, view) => view.getInt16(at, true),
  uint16: (at, view) => view.getUint16(at, true),
  int32: (at, view) => view.getInt32(at, true),
  uint32: (at, view) => view.getUint32(at, true),
  int64: (at, view) => long(view.getUint32(at, true), view.getInt32(at + 4, true)),
  uint64: (at, view) => long(view.getUint32(at, true), view.getUint32(at + 4, true)),
}

/** How numbers become elements of types that do not hold them as they are. */
const CONVERSIONS: Partial<Record<ElementType, (x: number) => number>> = {
  float16: fromFloat16,
  bfloat16: fromBfloat16,
  bool: (x) => Number(x !== 0),
}

function fromList(list: Float64Array, type: ElementType): HostArray {
  const data = new types[type].array(list.length)
  const convert = CONVERSIONS[type]
  list.forEach((x, i) => (data[i] = convert === undefined ? x : convert(x)))
  return data
}
