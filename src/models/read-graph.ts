// A LayerGraph from the plain data that graph-config.ts makes of it. Every field is checked before it is used.

import { allocateData } from '../core/dtypes'
import { FormatError, formatShape } from '../core/errors'
import type { SymbolsOfGraph } from '../core/file-scope'
import { defaultObjectScope, isSerialized, type Config, type Json } from '../core/registry'
import { sizeOf } from '../core/shapes'
import { isBranch, isRecord } from '../core/tree'
import { readRecordsWith } from '../data/samples/record-hook'
import { recordReader } from '../data/samples/records'
import type { LayerBase } from '../layers/layer'
import { InputLayer } from '../layers/core/input-layer'
import { layerFromConfig, withSharing } from '../layers/saved'
import { hasSymbol } from '../layers/symbol'
import { Tensor } from '../ops/tensor'
import { inputOf, symbolsOfCall } from './graph-config'
import { applyTree } from '../layers/applying'

function damaged(what: string): FormatError {
  return new FormatError(`The file is damaged: ${what}`)
}

export function graphFromConfig(config: Config): SymbolsOfGraph {
  const { layers: saved, calls } = config
  if (!Array.isArray(saved) || !Array.isArray(calls)) throw damaged('the model has no list of layers and calls')
  readRecordsWith(recordReader)
  const layers = defaultObjectScope({ InputLayer }, () =>
    withSharing(() =>
      saved.map((entry: Json): LayerBase => {
        if (!isSerialized(entry)) throw damaged('a layer has no class name')
        return layerFromConfig(entry)
      }),
    ),
  )
  const made: Tensor[][] = []
  const decode = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(decode)
    if (!isRecord(value)) return value
    const { ref, tensor, fields } = value
    if (Array.isArray(ref)) {
      const [call, output]: readonly unknown[] = ref
      const symbol = typeof call === 'number' && typeof output === 'number' ? made[call]?.[output] : undefined
      if (symbol === undefined)
        throw damaged(`it refers to result ${String(output)} of call ${String(call)}, which is not made before`)
      return symbol
    }
    if (isRecord(tensor)) return decodeTensor(tensor)
    if ('undefined' in value) return undefined
    if ('number' in value) return decodeNumber(value)
    if (!isBranch(fields)) throw damaged('a call of a layer has an input of an unknown kind')
    return Object.fromEntries(Object.entries(fields).map(([key, each]) => [key, decode(each)]))
  }
  for (const layer of layers) if (layer instanceof InputLayer) made.push([inputOf(layer)])
  for (const entry of calls) {
    const { layer: position, input, options } = isRecord(entry) ? entry : {}
    const layer = typeof position === 'number' ? layers[position] : undefined
    if (layer === undefined) throw damaged(`a call names layer ${String(position)}, which is not there`)
    const [operand, callOptions] = [decode(input), decode(options) ?? {}]
    if (!hasSymbol(operand)) throw damaged(`a call of ${layer} has no input that the model makes`)
    if (!isRecord(callOptions)) throw damaged(`a call of ${layer} has options of an unknown kind`)
    made.push(symbolsOfCall(applyTree(layer, operand, callOptions)))
  }
  // LayerGraph checks that these are trees of symbols.
  return { inputs: decode(config['inputs']), outputs: decode(config['outputs']) }
}

function decodeTensor({ shape, dtype, data }: Readonly<Record<string, unknown>>): Tensor {
  const isKnown = dtype === 'float32' || dtype === 'int32' || dtype === 'bool'
  const isShape =
    Array.isArray(shape) && shape.every((extent: unknown) => Number.isSafeInteger(extent) && Number(extent) >= 0)
  if (!isKnown || !isShape || !Array.isArray(data)) throw damaged('a constant is incomplete')
  if (sizeOf(shape) !== data.length)
    throw damaged(`a constant of shape ${formatShape(shape)} has ${data.length} elements`)
  const elements = allocateData(dtype, data.length)
  data.forEach((each: unknown, i) => (elements[i] = decodeNumber(each)))
  return new Tensor(elements, [...shape], dtype)
}

/** The inverse of encodeNumber. */
function decodeNumber(value: unknown): number {
  if (typeof value === 'number') return value
  const text = isBranch(value) ? Reflect.get(value, 'number') : undefined
  if (text === 'NaN' || text === 'Infinity' || text === '-Infinity' || text === '-0') return Number(text)
  throw damaged(`${JSON.stringify(value)} is not a number`)
}
