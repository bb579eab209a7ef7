// A LayerGraph as plain data. Layers are listed once, in the order of their calls; a call names its layer by position,
// and values as { ref: [call, output] }. The first calls are the inputs. read-graph.ts reads them.

import { FormatError } from '../core/errors'
import type { Config, Json } from '../core/registry'
import { isBranch, mapTree, type Tree } from '../core/tree'
import { recordOp } from '../layers/core/operation'
import type { InputLayer } from '../layers/core/input-layer'
import { layerToConfig, withSharing } from '../layers/saved'
import { originOf, recordCall } from '../layers/symbol'
import { Tensor } from '../ops/tensor'
import type { LayerGraph } from './layer-graph'

export function graphToConfig(graph: LayerGraph): Config {
  const layers = graph.layersByCall
  const positions = new Map(layers.map((layer, i) => [layer, i]))
  const refs = new Map<Tensor, Json>()
  let call = 0
  mapTree(graph.inputs, (symbol) => refs.set(symbol, { ref: [call++, 0] }))
  const encode = (value: unknown): Json => {
    if (value instanceof Tensor) return refs.get(value) ?? encodeTensor(value)
    if (value === undefined) return { undefined: true }
    if (!isBranch(value)) return encodeNumber(value)
    if (Array.isArray(value)) return value.map(encode)
    return { fields: Object.fromEntries(Object.entries(value).map(([key, each]) => [key, encode(each)])) }
  }
  const calls = graph.calls.map(({ layer, input, options, outputs }): Json => {
    const encoded = { layer: positions.get(layer)!, input: encode(input), options: encode(options) }
    outputs.forEach((symbol, i) => refs.has(symbol) || refs.set(symbol, { ref: [call, i] }))
    call++
    return encoded
  })
  return {
    layers: withSharing(() => layers.map(layerToConfig)),
    calls,
    inputs: encode(graph.inputs),
    outputs: encode(graph.outputs),
  }
}

function encodeTensor({ shape, dtype, data }: Tensor): Json {
  return { tensor: { shape, dtype, data: Array.from(data, encodeNumber) } }
}

// JSON cannot represent NaN and infinity, and JSON.stringify gives −0 no sign.
function encodeNumber(value: unknown): Json {
  if (Object.is(value, -0)) return { number: '-0' }
  if (typeof value === 'number' && !Number.isFinite(value)) return { number: String(value) }
  if (value === null || typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean')
    return value
  throw new FormatError(`A call of a layer has the constant ${String(value)}, which cannot be saved`)
}

/** The symbol of an input. */
export function inputOf(layer: InputLayer): Tensor {
  layer.ensureBuilt(layer.spec)
  return recordCall(layer, null, {}, layer.spec, recordOp)
}

/** All results of the call that returned these. */
export function symbolsOfCall(result: Tree<Tensor>): Tensor[] {
  let outputs: readonly Tensor[] = []
  mapTree(result, (symbol) => (outputs = originOf(symbol)?.call.outputs ?? outputs))
  return [...outputs]
}
