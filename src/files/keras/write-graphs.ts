// A functional model as Keras's lists of layers and nodes: the inverse of graphs.ts.

import { internalError } from '../../core/errors'
import { classNameOf, type Json } from '../../core/registry'
import { isBranch } from '../../core/tree'
import { Operation } from '../../layers/core/operation'
import type { LayerBase } from '../../layers/layer'
import { isSymbol, originOf, type LayerCall } from '../../layers/symbol'
import type { GraphCall, LayerGraph } from '../../models/layer-graph'
import { Model } from '../../models/model'
import { Sequential } from '../../models/sequential'
import { Tensor } from '../../ops/tensor'
import { isList, jsonValue } from '../containers/json'
import { Histories, type History } from './histories'
import { pythonFloat } from './python-json'
import { expanded } from './write-expanded'
import { kerasName, type Style } from './write-names'
import { StatedMasks, type OperationCall, type StatedCall } from './write-masks'
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
  return new GraphWriter(graph, writer).config()
}

class GraphWriter {
  /** Entries of ops that stand for parts of one op here, or compute masks. */
  private readonly parts: Record<string, Json>[] = []
  private readonly names: Set<string>
  private readonly histories: Histories
  /** The calls with the masks that Keras does not pass. */
  private readonly stated: ReadonlyMap<LayerCall, StatedCall>
  private readonly isFormer: boolean

  constructor(
    private readonly graph: LayerGraph,
    private readonly writer: LayerWriter,
  ) {
    this.names = new Set(graph.layers.map(({ name }) => name))
    this.histories = new Histories(graph)
    const masks = new StatedMasks(graph, writer, (op, name, ...operands) => this.made(op, name, operands))
    this.stated = new Map<LayerCall, StatedCall>(graph.calls.map((call: GraphCall) => [call, masks.stated(call)]))
    this.isFormer =
      writer.style === 'former' && graph.calls.every((call) => isFormerCall({ ...call, ...this.stated.get(call)! }))
  }

  config(): Record<string, Json> {
    const layers = this.graph.layers.map((layer) => this.entry(layer))
    return {
      layers: [...layers, ...this.parts],
      input_layers: this.ends(this.graph.inputs),
      output_layers: this.ends(this.graph.outputs),
    }
  }

  /** A layer with its calls. */
  private entry(layer: LayerBase): Record<string, Json> {
    const calls = this.histories.callsOf(layer)
    if (layer instanceof Operation) {
      const { input, outputs } = calls[0]!
      const { dtype } = originOf(outputs[0])!.spec
      return this.operation({ name: layer.name, op: layer.op, input: isList(input) ? input : [input], dtype })
    }
    const node = (call: LayerCall): Json => {
      if (!this.isFormer) return nodeOf(layer, this.stated.get(call)!, (value) => this.encode(value))
      const inputs = isList(call.input) ? call.input : [call.input]
      return inputs.filter(isSymbol).map((each) => [...this.history(each), {}])
    }
    return { ...this.writer.layer(layer), name: layer.name, inbound_nodes: calls.map(node) }
  }

  /** A call of an op as an entry. */
  private operation(call: OperationCall): Record<string, Json> {
    const { name, dtype } = call
    const { op, input } =
      expanded(call.op, call.input, (partOp, ...operands) =>
        this.made(partOp, `${name}_${partOp}`.toLowerCase(), operands),
      ) ?? call
    const written = writtenOperation(op, input, dtype)
    if (typeof written === 'string') {
      this.writer.refuse(
        `the call of ${op.includes('.') ? op : `ops.${op}`} in '${name}' cannot be written: ${written}`,
      )
      return {}
    }
    const { module, className, config, args, kwargs } = written
    const node = { args: args.map((each) => this.encode(each)), kwargs: this.encode(kwargs) }
    return {
      module,
      class_name: className,
      config: { name, ...config },
      registered_name: className,
      name,
      inbound_nodes: [node],
    }
  }

  /** Adds an op, and returns its result. */
  private made(op: string, wanted: string, operands: readonly unknown[]): Tensor {
    const layer = new Operation({ op, name: unusedName(wanted, this.names) })
    const symbol = onlySymbol(applyTree(layer, operands, {}))
    const { call, spec } = originOf(symbol)!
    this.histories.add(call)
    this.parts.push(this.operation({ name: layer.name, op, input: operands, dtype: spec.dtype }))
    return symbol
  }

  private history(symbol: Tensor, isOutput = false): History {
    // In the list of outputs, Keras counts the creation of a functional model as its first call.
    return this.histories.of(symbol, (model) => isOutput && !(model instanceof Sequential))
  }

  /** The history of a complex tensor, which is the result of a call, but two tensors here. */
  private complexHistory({ real }: ComplexTensor): Json {
    const { call, index } = originOf(real)!
    return [call.layer.name, this.histories.callsOf(call.layer).indexOf(call), index / 2]
  }

  private requireReal(symbol: Tensor): void {
    const { call } = originOf(symbol)!
    if (isComplexCall(call))
      this.writer.refuse(
        `a part of the complex result of '${call.layer.name}' is used alone: take it with ops.real or ops.imag`,
      )
  }

  /** An argument of a call: symbols, constants, lists and records of them, and what JSON has. */
  private encode(value: unknown): Json {
    if (value instanceof ComplexTensor)
      return kerasTensor([...value.real.shape], 'complex64', this.complexHistory(value))
    if (value instanceof Tensor) {
      const spec = originOf(value)?.spec
      if (spec === undefined) return constant(value)
      this.requireReal(value)
      return kerasTensor([...spec.shape], spec.dtype, this.history(value))
    }
    if (isList(value)) return value.map((each) => this.encode(each))
    if (isBranch(value)) return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, this.encode(each)]))
    return jsonValue(value)
  }

  /** The inputs or the outputs of the graph. */
  private ends(tree: unknown): Json {
    if (tree instanceof Tensor) {
      this.requireReal(tree)
      return this.history(tree, true)
    }
    if (isList(tree)) return tree.map((each) => this.ends(each))
    const record = isBranch(tree) ? Object.entries(tree) : []
    const { real, imag } = Object.fromEntries(record)
    const complex = complexOf(real, imag)
    if (complex !== null) return this.complexHistory(complex)
    return Object.fromEntries(record.map(([key, each]) => [key, this.ends(each)]))
  }
}

function onlySymbol(results: unknown): Tensor {
  if (results instanceof Tensor) return results
  throw internalError('an op in place of another one has several results')
}

function kerasTensor(shape: Json, dtype: string, history: Json): Json {
  return { class_name: '__keras_tensor__', config: { shape, dtype, keras_history: history } }
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

/**
 * Whether Keras 2 and 3 read a call in the form of Keras 2, `[[layer, call, result, options], …]`: a call of a layer with a tensor or a list
 * of several. The versions number the calls of models differently, and Keras 3 does not read tensors among the options.
 */
function isFormerCall({ layer, input, options }: LayerCall): boolean {
  if (layer instanceof Operation || layer instanceof Model || APART.includes(classNameOf(layer))) return false
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
  const inputs = isApart || separate === true ? separateInputs(input) : [input]
  if (mask !== undefined && mask !== null) {
    const names = ['query_mask', 'value_mask', 'key_mask']
    if (isApart && Array.isArray(mask))
      mask.forEach((each: unknown, i) => each !== null && (kwargs[names[i]!] = encode(each)))
    else kwargs[isApart ? 'query_mask' : 'mask'] = encode(mask)
  }
  return { args: inputs.map(encode), kwargs }
}

/** The inputs of a call that are separate arguments. Attention of one sequence attends to that sequence. */
function separateInputs(input: unknown): readonly unknown[] {
  return isList(input) ? input : [input, input]
}
