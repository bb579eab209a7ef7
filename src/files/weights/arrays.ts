// Files of named arrays: safetensors with numbers of all kinds, and NumPy's .npz.

import { fromBfloat16, fromFloat16 } from '../../core/half'
import { FormatError } from '../../core/errors'
import { readNpy, writeNpy } from '../../data/readers/npy'
import {
  decodeContainer,
  dtypeOf,
  encodeContainer,
  type NamedTensor,
  type OtherDtypes,
} from '../containers/safetensors'
import { foreignKind } from '../containers/foreign'
import { isArchive, readArchive, writeArchive } from '../containers/archive'
import { Tensor } from '../../ops/tensor'

/** A row of numbers, each of which becomes one of float32 or int32. */
function kind(
  bytes: number,
  array: Float32ArrayConstructor | Int32ArrayConstructor,
  get: (view: DataView, at: number) => number,
): OtherDtypes[string] {
  return {
    bytes,
    read: (content) => {
      const view = new DataView(content.buffer, content.byteOffset, content.length)
      const made = new array(content.length / bytes)
      for (let i = 0; i < made.length; i++) made[i] = get(view, i * bytes)
      return made
    },
  }
}

function whole(value: bigint): number {
  const number = Number(value)
  if (number === (number | 0)) return number
  throw new FormatError(`The file has the integer ${value}, which is too large for int32`)
}

export const otherDtypes: OtherDtypes = {
  F16: kind(2, Float32Array, (view, at) => fromFloat16(view.getUint16(at, true))),
  BF16: kind(2, Float32Array, (view, at) => fromBfloat16(view.getUint16(at, true))),
  F64: kind(8, Float32Array, (view, at) => view.getFloat64(at, true)),
  I64: kind(8, Int32Array, (view, at) => whole(view.getBigInt64(at, true))),
  I16: kind(2, Int32Array, (view, at) => view.getInt16(at, true)),
  U8: kind(1, Int32Array, (view, at) => view.getUint8(at)),
  BOOL: kind(1, Int32Array, (view, at) => view.getUint8(at)),
}

/** The arrays of a file, in its order. @throws FormatError for another kind of file */
export async function readArrays(bytes: Uint8Array): Promise<ReadonlyMap<string, NamedTensor>> {
  if (!isArchive(bytes)) return decodeContainer(bytes, { others: otherDtypes, kindOf: foreignKind }).tensors
  const arrays = new Map<string, NamedTensor>()
  for (const [file, content] of await readArchive(bytes)) {
    if (!file.endsWith('.npy')) throw notArrays(file, bytes)
    const name = file.slice(0, -'.npy'.length)
    const { shape, data } = await readNpy(content)
    arrays.set(name, { name, shape, data })
  }
  return arrays
}

function notArrays(file: string, bytes: Uint8Array): FormatError {
  return new FormatError(`The archive has '${file}', which is not a NumPy array. It is ${foreignKind(bytes)}`)
}

/** The bytes of a file with arrays, which are read before the function returns. */
export async function writeArrays(arrays: readonly NamedTensor[], format: 'safetensors' | 'npz'): Promise<Uint8Array> {
  if (format === 'safetensors') return encodeContainer(arrays, {})
  const files = await Promise.all(
    arrays.map(async ({ name, shape, data }): Promise<[string, Uint8Array]> => {
      return [`${name}.npy`, await writeNpy(new Tensor(data, shape, dtypeOf(data)))]
    }),
  )
  return writeArchive(new Map(files))
}
