// Safetensors as a format of weights: with numbers of all kinds, and files of this library, which have more than arrays.

import { FormatError } from '../../core/errors'
import { foreignKind } from '../containers/format-list'
import { BF16, F16, F64 } from '../containers/numbers'
import { decodeContainer, encodeContainer, type OtherDtypes, type Reading } from '../containers/safetensors'
import { loadWeightsFrom, saveWeights } from '../../layers/saved-weights'
import type { ArrayFormat } from './format'

/** A row of integers, each of which becomes one of int32. */
function integer(bytes: number, get: (view: DataView, at: number) => number): OtherDtypes[string] {
  return {
    bytes,
    read: (content) => {
      const view = new DataView(content.buffer, content.byteOffset, content.length)
      const made = new Int32Array(content.length / bytes)
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
  F16,
  BF16,
  F64,
  I64: integer(8, (view, at) => whole(view.getBigInt64(at, true))),
  I16: integer(2, (view, at) => view.getInt16(at, true)),
  U8: integer(1, (view, at) => view.getUint8(at)),
  BOOL: integer(1, (view, at) => view.getUint8(at)),
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
