// Safetensors as a format of weights: with numbers of all kinds, and files of this library, which have more than arrays.

import { fromBfloat16, fromFloat16 } from '../../core/half'
import { FormatError } from '../../core/errors'
import { foreignKind } from '../containers/format-list'
import { decodeContainer, encodeContainer, type OtherDtypes, type Reading } from '../containers/safetensors'
import { loadWeightsFrom, saveWeights } from '../../layers/saved-weights'
import type { ArrayFormat } from './format'

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

const otherDtypes: OtherDtypes = {
  F16: kind(2, Float32Array, (view, at) => fromFloat16(view.getUint16(at, true))),
  BF16: kind(2, Float32Array, (view, at) => fromBfloat16(view.getUint16(at, true))),
  F64: kind(8, Float32Array, (view, at) => view.getFloat64(at, true)),
  I64: kind(8, Int32Array, (view, at) => whole(view.getBigInt64(at, true))),
  I16: kind(2, Int32Array, (view, at) => view.getInt16(at, true)),
  U8: kind(1, Int32Array, (view, at) => view.getUint8(at)),
  BOOL: kind(1, Int32Array, (view, at) => view.getUint8(at)),
}

const reading: Reading = { others: otherDtypes, kindOf: foreignKind }

export const safetensors: ArrayFormat = {
  read: (bytes) => decodeContainer(bytes, reading).tensors,
  write: (arrays) => encodeContainer(arrays, {}),
  own: {
    fill: (model, bytes) => loadWeightsFrom(model, bytes, reading),
    write: saveWeights,
  },
}
