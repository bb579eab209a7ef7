// Calls of layers in a configuration, in the two styles of Keras, as one form: arguments by position and by name, in which each
// tensor names the result of another call. graphs.ts orders the calls; operations.ts has those of ops.

import { put } from '../../core/tree'
import { FormatError, camelKey } from '../../core/errors'
import type { Json } from '../../core/registry'
import { isRecord, itemsOf, recordAt, valueAt, type JsonRecord } from '../containers/json'
import { isObject } from './keras-object'

/** One call of a layer. */
export interface Node {
  readonly args: readonly Json[]
  readonly kwargs: JsonRecord
  /** Whether the call is one of Keras 2. */
  readonly isFormer?: boolean
}

/** A tensor: a result of a call of a layer. */
export interface History {
  readonly layer: string
  readonly node: number
  readonly tensor: number
}

/** What a call of a layer of this library gets. */
export interface Arguments {
  readonly input: Json
  readonly options: JsonRecord
}

/** [layer, node, tensor] as a history; null for other values. */
export function historyOf(value: Json | undefined): History | null {
  if (!Array.isArray(value) || value.length < 3) return null
  const [layer, node, tensor] = value as readonly Json[]
  if (typeof layer !== 'string' || !isPosition(node) || !isPosition(tensor)) return null
  return { layer, node, tensor }
}

function isPosition(value: Json | undefined): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

/** The history of a tensor among arguments; null for other values. */
export function tensorOf(value: Json): History | null {
  if (!isObject(value) || value.class_name !== '__keras_tensor__') return null
  const history = historyOf(valueAt(recordAt(value, 'config'), 'keras_history'))
  if (history !== null) return history
  throw new FormatError('The configuration has a tensor without keras_history')
}

const symbol = (history: Json): Json => ({ class_name: '__keras_tensor__', config: { keras_history: history } })

/** All tensors in a value. */
export function tensorsIn(value: Json): History[] {
  const tensor = tensorOf(value)
  if (tensor !== null) return [tensor]
  return typeof value === 'object' && value !== null ? Object.values<Json>(value).flatMap(tensorsIn) : []
}

/**
 * The calls of a layer.
 * @param isLayer whether a name is that of a layer of the graph
 * @throws FormatError for calls of neither style
 */
export function nodesOf(saved: Json | undefined, where: string, isLayer: (name: string) => boolean): readonly Node[] {
  if (saved === undefined) return []
  if (!Array.isArray(saved)) throw new FormatError(`${where}: inbound_nodes is not a list`)
  return saved.map((node: Json) => {
    if (Array.isArray(node)) return formerNode(node, where, isLayer)
    const [args, kwargs] = isRecord(node) ? [valueAt(node, 'args'), valueAt(node, 'kwargs')] : []
    // In Keras 3, unlike Keras 2, fit and predict override the `training` of a call.
    if (Array.isArray(args)) return { args, kwargs: isRecord(kwargs) ? withoutTraining(kwargs) : {} }
    if (isRecord(node) && kwargs === undefined && args === undefined)
      return { args: [formerInput(node, where, isLayer, {})], kwargs: {}, isFormer: true }
    throw new FormatError(`${where}: a call in inbound_nodes has no args`)
  })
}

/** The same record if it has no such option: see isFloat. */
function withoutTraining(kwargs: JsonRecord): JsonRecord {
  const { training, ...others } = kwargs
  return training === undefined ? kwargs : (others as JsonRecord)
}

/** Keras 2: a list of [layer, node, tensor, kwargs], one for each input; further inputs are in kwargs. */
function formerNode(node: readonly Json[], where: string, isLayer: (name: string) => boolean): Node {
  const kwargs: Record<string, Json> = {}
  const single = typeof node[0] === 'string' ? [node] : node
  const inputs = single.map((each: Json) => formerInput(each, where, isLayer, kwargs))
  return { args: [inputs.length === 1 ? inputs[0]! : inputs], kwargs, isFormer: true }
}

function formerInput(
  each: Json,
  where: string,
  isLayer: (name: string) => boolean,
  kwargs: Record<string, Json>,
): Json {
  const [mark, , constant, more] = itemsOf(each)
  if (mark === '_CONSTANT_VALUE') return constant ?? null
  const history = historyOf(each)
  if (history !== null) {
    if (isRecord(more))
      for (const [name, value] of Object.entries(more)) put(kwargs, name, formerKeyword(value, isLayer))
    return symbol([history.layer, history.node, history.tensor])
  }
  if (Array.isArray(each)) return each.map((inner: Json) => formerInput(inner, where, isLayer, kwargs))
  if (isRecord(each))
    return Object.fromEntries(
      Object.entries(each).map(([name, inner]) => [name, formerInput(inner, where, isLayer, kwargs)]),
    )
  throw new FormatError(`${where}: inbound_nodes has an input that is not [layer, node, tensor]`)
}

function formerKeyword(value: Json, isLayer: (name: string) => boolean): Json {
  const history = historyOf(value)
  if (history !== null && isLayer(history.layer)) return symbol([history.layer, history.node, history.tensor])
  if (Array.isArray(value)) return value.map((each: Json) => formerKeyword(each, isLayer))
  if (!isRecord(value)) return value
  const inner = valueAt(value, 'value')
  return inner !== undefined && Object.keys(value).length === 1
    ? formerKeyword(inner, isLayer)
    : Object.fromEntries(Object.entries(value).map(([key, each]) => [key, formerKeyword(each, isLayer)]))
}

/** Names of the arguments of `call`; a call of a layer that is not listed has (inputs, training, mask). */
interface Parameters {
  /** The number of arguments that are inputs. */
  readonly inputs: number
  readonly names: readonly string[]
}

const DEFAULT: Parameters = { inputs: 1, names: ['inputs', 'training', 'mask'] }
const HEADS: Parameters = {
  inputs: 3,
  names: [
    'query',
    'value',
    'key',
    'query_mask',
    'value_mask',
    'key_mask',
    'attention_mask',
    'return_attention_scores',
    'training',
    'use_causal_mask',
  ],
}
const ATTENTION: Parameters = {
  inputs: 1,
  names: ['inputs', 'mask', 'training', 'return_attention_scores', 'use_causal_mask'],
}
const RECURRENT: Parameters = { inputs: 1, names: ['sequences', 'initial_state', 'mask', 'training'] }
const PARAMETERS: Readonly<Record<string, Parameters>> = {
  MultiHeadAttention: HEADS,
  GroupedQueryAttention: HEADS,
  Attention: ATTENTION,
  AdditiveAttention: ATTENTION,
  SimpleRNN: RECURRENT,
  LSTM: RECURRENT,
  GRU: RECURRENT,
  RNN: RECURRENT,
  ConvLSTM1D: RECURRENT,
  ConvLSTM2D: RECURRENT,
  ConvLSTM3D: RECURRENT,
  Bidirectional: RECURRENT,
}

/** The arguments of a call as the input and the options of this library's `apply`. */
export function argumentsOf(className: string, { args, kwargs, isFormer = false }: Node, where: string): Arguments {
  const known = Object.hasOwn(PARAMETERS, className) ? PARAMETERS[className]! : null
  const { inputs: count, names } = known ?? DEFAULT
  // A layer of the user may have several inputs.
  const inputCount = known === null ? Math.max(1, args.filter((each) => tensorsIn(each).length > 0).length) : count
  const byName: Record<string, Json> = { ...kwargs }
  const inputs: Json[] = args.slice(0, inputCount)
  args.slice(inputCount).forEach((value, i) => {
    const name = names[(known === null ? 1 : inputCount) + i]
    if (name === undefined)
      throw new FormatError(`${where}: a call has ${args.length} arguments, which ${className} does not take`)
    byName[name] = value
  })
  for (const name of names.slice(inputs.length, count)) {
    const value = byName[name]
    if (value !== undefined && value !== null) inputs.push(value)
    delete byName[name]
  }
  if (known === HEADS) {
    const masks = ['query_mask', 'value_mask', 'key_mask'].slice(0, inputs.length).map((name) => byName[name] ?? null)
    for (const name of ['query_mask', 'value_mask', 'key_mask']) delete byName[name]
    if (masks.some((mask) => mask !== null)) byName['mask'] = masks
  }
  if (inputs.length === 0) throw new FormatError(`${where}: a call has no input`)
  // Of a layer of the user, the arguments of `call`.
  if (known === null && inputs.length > 1) byName['separate'] = true
  let input: Json = inputs.length > 1 ? inputs : inputs[0]!
  // Keras 2: the initial states are further inputs.
  if (known === RECURRENT && Array.isArray(input) && input.length > 1) {
    const [first = null, ...states] = itemsOf(input)
    input = first
    byName['initial_state'] = states
  }
  const isGiven = (name: string): boolean => (byName[name] ?? null) !== null
  // Keras 3 passes the mask of a sequence to a call only if the call has no other tensors.
  const isUnmasked = known === RECURRENT && !isFormer && isGiven('initial_state') && !isGiven('mask')
  const options = Object.keys(byName).filter(isGiven)
  return {
    input,
    options: {
      ...Object.fromEntries(options.map((name) => [camelKey(name), byName[name]!])),
      ...(isUnmasked ? { mask: null } : {}),
    },
  }
}
