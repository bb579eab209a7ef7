// A functional model as Keras's lists of layers and nodes: the inverse of graphs.ts.

import { classNameOf, type Json } from '../../core/registry'
import { isBranch } from '../../core/tree'
import { Operation } from '../../layers/core/operation'
import type { LayerBase } from '../../layers/layer'
import { isSymbol, originOf, type LayerCall } from '../../layers/symbol'
import type { LayerGraph } from '../../models/layer-graph'
import { Model } from '../../models/model'
import { Sequential } from '../../models/sequential'
import { Tensor } from '../../ops/tensor'
import { pythonFloat } from './python-json'
import { expanded } from './write-expanded'
import { kerasName, type Style } from './write-names'
import { StatedMasks, type MakeOperation, type OperationCall } from './write-masks'
import { ComplexTensor, complexOf, isComplexCall, writtenOperation } from './write-operations'
import { applyTree } from '../../layers/applying'

/** Writes the layers of a graph. */
export interface LayerWriter {
  readonly style: Style
  layer(layer: LayerBase): Record<string, Json>
  refuse(why: string): null
}

/** Layers whose inputs are separate arguments of a call of Keras. */
const APART = ['MultiHeadAttention', 'GroupedQueryAttention']

/** The layers, inputs and outputs of a graph. */
export function graphConfig(graph: LayerGraph, writer: LayerWriter): Record<string, Json> {
  const inputNames = new Map<Tensor, string>()
  const symbols = flattened(graph.inputs)
  symbols.forEach((symbol, i) => inputNames.set(symbol, graph.inputLayers[i]!.name))
  const nodes = new Map<LayerBase, LayerCall[]>()
  for (const call of graph.calls) nodes.set(call.layer, [...(nodes.get(call.layer) ?? []), call])

  const history = (symbol: Tensor, isOutput = false): Json => {
    const input = inputNames.get(symbol)
    if (input !== undefined) return [input, 0, 0]
    const { call } = originOf(symbol)!
    const layer = call.layer as LayerBase
    // In the list of outputs, Keras counts the creation of a functional model as its first call.
    const before = isOutput && layer instanceof Model && !(layer instanceof Sequential) ? 1 : 0
    return [layer.name, nodes.get(layer)!.indexOf(call) + before, call.outputs.indexOf(symbol)]
  }
  /** The history of a complex tensor, which is the result of a call, but two tensors here. */
  const complexHistory = ({ real }: ComplexTensor): Json => {
    const { call, index } = originOf(real)!
    return [call.layer.name, nodes.get(call.layer as LayerBase)!.indexOf(call), index / 2]
  }
  const requireReal = (symbol: Tensor): void => {
    const { call } = originOf(symbol)!
    if (isComplexCall(call))
      writer.refuse(
        `a part of the complex result of '${call.layer.name}' is used alone: take it with ops.real or ops.imag`,
      )
  }
  const encode = (value: unknown): Json => {
    const spec = originOf(value)?.spec
    if (value instanceof ComplexTensor) {
      const config = { shape: [...value.real.shape], dtype: 'complex64', keras_history: complexHistory(value) }
      return { class_name: '__keras_tensor__', config }
    }
    if (spec !== undefined) {
      requireReal(value as Tensor)
      return {
        class_name: '__keras_tensor__',
        config: { shape: [...spec.shape], dtype: spec.dtype, keras_history: history(value as Tensor) },
      }
    }
    if (value instanceof Tensor) return constant(value)
    if (Array.isArray(value)) return value.map(encode)
    if (isBranch(value)) return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, encode(each)]))
    return (value ?? null) as Json
  }
  /** Entries of ops that stand for parts of one op here, or compute masks. */
  const parts: Record<string, Json>[] = []
  const names = new Set(graph.layers.map(({ name }) => name))
  const operation = (call: OperationCall): Record<string, Json> => {
    const { name, dtype } = call
    const { op, input } =
      expanded(call.op, call.input, (partOp, ...operands) =>
        made(partOp, `${name}_${partOp}`.toLowerCase(), ...operands),
      ) ?? call
    const written = writtenOperation(op, input, dtype)
    if (typeof written === 'string') {
      writer.refuse(`the call of ${op.includes('.') ? op : `ops.${op}`} in '${name}' cannot be written: ${written}`)
      return {}
    }
    const { module, className, config, args, kwargs } = written
    const node = { args: args.map(encode), kwargs: encode(kwargs) }
    return {
      module,
      class_name: className,
      config: { name, ...config },
      registered_name: className,
      name,
      inbound_nodes: [node],
    }
  }
  const made: MakeOperation = (op, wanted, ...operands) => {
    const layer = new Operation({ op, name: unusedName(wanted, names) })
    const symbol = applyTree(layer, operands, {}) as Tensor
    const { call, spec } = originOf(symbol)!
    nodes.set(layer, [call as LayerCall])
    parts.push(operation({ name: layer.name, op, input: operands, dtype: spec.dtype }))
    return symbol
  }
  const masks = new StatedMasks(graph, writer, made)
  const stated = new Map(graph.calls.map((call) => [call as LayerCall, masks.stated(call)]))
  const isFormer =
    writer.style === 'former' && graph.calls.every((call) => isFormerCall({ ...call, ...stated.get(call)! }))
  const entry = (layer: LayerBase): Record<string, Json> => {
    const calls = nodes.get(layer) ?? []
    if (layer instanceof Operation) {
      const { input, outputs } = calls[0]!
      const { dtype } = originOf(outputs[0])!.spec
      return operation({ name: layer.name, op: layer.op, input: input as readonly unknown[], dtype })
    }
    const node = (call: LayerCall): Json => {
      if (!isFormer) return nodeOf(layer, stated.get(call)!, encode)
      return ([call.input].flat() as Tensor[]).map((each) => [...(history(each) as Json[]), {}])
    }
    return { ...writer.layer(layer), name: layer.name, inbound_nodes: calls.map(node) }
  }
  const ends = (tree: unknown): Json => {
    if (tree instanceof Tensor) {
      requireReal(tree)
      return history(tree, true)
    }
    if (Array.isArray(tree)) return tree.map(ends)
    const { real, imag } = tree as Readonly<Record<string, unknown>>
    const complex = complexOf(real, imag)
    if (complex !== null) return complexHistory(complex)
    return Object.fromEntries(Object.entries(tree as object).map(([key, each]) => [key, ends(each)]))
  }
  const layers = graph.layers.map(entry)
  return {
    layers: [...layers, ...parts],
    input_layers: ends(graph.inputs),
    output_layers: ends(graph.outputs),
  }
}

/** A name that no layer has. */
function unusedName(wanted: string, names: Set<string>): string {
  let name = wanted
  for (let i = 1; names.has(name); i++) name = `${wanted}_${i}`
  names.add(name)
  return name
}

/** A constant as an array of NumPy. */
function constant(value: Tensor): Json {
  const { dtype } = value
  const withSigns = (each: Json): Json => {
    if (Array.isArray(each)) return each.map(withSigns)
    return Object.is(each, -0) || Math.abs(Number(each)) >= 2 ** 53 ? pythonFloat(Number(each)) : each
  }
  const array = value.toArray<Json>()
  return { class_name: '__numpy__', config: { value: dtype === 'float32' ? withSigns(array) : array, dtype } }
}

function flattened(tree: unknown): Tensor[] {
  if (tree instanceof Tensor) return [tree]
  return isBranch(tree) ? Object.values<unknown>(tree).flatMap(flattened) : []
}

/**
 * Whether Keras 2 and 3 read a call in the form of Keras 2, `[[layer, call, result, options], …]`: a call of a layer with a tensor or a list
 * of several. The versions number the calls of models differently, and Keras 3 does not read tensors among the options.
 */
function isFormerCall({ layer, input, options }: LayerCall): boolean {
  if (layer instanceof Operation || layer instanceof Model || APART.includes(classNameOf(layer as LayerBase)))
    return false
  const { training: _training, ...others } = options
  if (Object.values(others).some(isGiven)) return false
  return isSymbol(input) || (Array.isArray(input) && input.length > 1 && input.every(isSymbol))
}

/** Whether an option of a call is not the default. */
function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false
}

/** The arguments of a call of a layer. */
function nodeOf(
  layer: LayerBase,
  { input, options }: Pick<LayerCall, 'input' | 'options'>,
  encode: (value: unknown) => Json,
): Json {
  const { training: _training, mask, separate, ...others } = options
  const kwargs: Record<string, Json> = {}
  for (const [name, value] of Object.entries(others)) if (isGiven(value)) kwargs[kerasName(name)] = encode(value)
  const isApart = APART.includes(classNameOf(layer))
  const inputs =
    !isApart && separate !== true ? [input] : Array.isArray(input) ? [...(input as readonly unknown[])] : [input, input]
  if (mask !== undefined && mask !== null) {
    const names = ['query_mask', 'value_mask', 'key_mask']
    if (isApart && Array.isArray(mask))
      mask.forEach((each: unknown, i) => each !== null && (kwargs[names[i]!] = encode(each)))
    else kwargs[isApart ? 'query_mask' : 'mask'] = encode(mask)
  }
  return { args: inputs.map(encode), kwargs }
}
