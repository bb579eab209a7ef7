// Nodes of Keras's ops as calls of this library's ops. A node is a class, such as Sum, whose configuration has some arguments of the
// function, { axis, keepdims }, and whose call has the tensors: see operation-table.ts. write-operations.ts writes nodes.

import { commonType, type DType } from '../../core/dtypes'
import { FormatError, camelKey } from '../../core/errors'
import { customObject, type Json } from '../../core/registry'
import { isRecord, listAt, recordAt, textOf, valueAt, type JsonRecord } from '../containers/json'
import { isObject, type KerasObject } from './keras-object'
import type { Node } from './nodes'
import { OPERANDS, operationClass, type OperationClass, type Parameter } from './operation-table'
import { isFloat } from './python-json'

/** A call of an op: its name, and its arguments in order, of which the last one has those that can be left out. */
export interface OperationCall {
  readonly op: string
  readonly args: readonly Json[]
}

/** Whether an entry of a graph is an op, not a layer. Legacy files have no modules, but ops are never trainable. */
export function isOperation(saved: KerasObject): boolean {
  const { module, registered_name: registered, class_name: className } = saved
  if (typeof module === 'string') return /\.(?:ops|activations)\b/.test(module) && !textOf(registered).includes('>')
  const isLayer = valueAt(recordAt(saved, 'config'), 'trainable') !== undefined || className === 'InputLayer'
  return !isLayer && customObject(className) === undefined && operationClass(className) !== undefined
}

/** Options of Keras's classes of ops that are not arguments. */
const NOT_ARGUMENTS = ['name', 'trainable', 'dtype_policy']

/** Whether an option that ops here do not have changes nothing. Keras deprecates that of LayerNorm, which does not do what it says. */
const isWithoutEffect = (name: string, value: Json): boolean => name === 'rms_scaling' && value === false

/** The call of a node of an op. @throws FormatError for arguments that the class does not have */
export function operationCall(saved: KerasObject, node: Node): OperationCall {
  const found = operationClass(saved.class_name)!
  const { op, parameters } = found
  const byName = argumentsOf(found, recordAt(saved, 'config'), node)
  const args: Json[] = []
  const options: Record<string, Json> = {}
  for (const { name, rest, isOptional } of parameters) {
    const value = byName.get(name)
    if (rest === 'list') args.push(...listAt(value, `${saved.class_name}: ${name}`))
    else if (rest === 'record') Object.assign(options, value)
    else if (!isOptional) args.push(value ?? null)
    else if (value !== undefined) options[camelKey(name)] = value
  }
  return { op, args: Object.keys(options).length === 0 ? args : [...args, options] }
}

type Container = JsonRecord | readonly Json[]

/** A value of a record or a list; null for a missing one. */
function entryAt(container: Container, key: string | number): Json {
  return (isRecord(container) ? valueAt(container, String(key)) : container[Number(key)]) ?? null
}

/** The arguments of a node by the names of the function. */
function argumentsOf(
  { className, parameters }: OperationClass,
  config: JsonRecord,
  { args, kwargs }: Node,
): ReadonlyMap<string, Json> {
  const byName = new Map<string, Json>()
  const ofCall = parameters.filter(({ isOption }) => !isOption)
  const put = (parameter: Parameter | undefined, container: Container, key: string): void => {
    const value = entryAt(container, key)
    if (parameter === undefined)
      throw new FormatError(
        `The op ${className} has the argument ${key} = ${JSON.stringify(value)}, which this library does not have`,
      )
    const { name } = parameter
    byName.set(
      name,
      isOperand(className, parameter)
        ? operandAt(container, key, OF_INTEGERS.includes(className), isListOfTensors(className, name))
        : readValue(className, name, value),
    )
  }
  for (const [name, value] of Object.entries(config))
    if (!NOT_ARGUMENTS.includes(name) && !isWithoutEffect(name, value))
      put(
        parameters.find((each) => each.isOption && each.name === name),
        config,
        name,
      )
  for (const i of args.keys()) {
    if (ofCall[i]?.rest === 'list') {
      byName.set(ofCall[i].name, args.slice(i))
      break
    }
    put(ofCall[i], args, String(i))
  }
  const others = ofCall.find(({ rest }) => rest === 'record')
  const named: Record<string, Json> = {}
  for (const [name, value] of Object.entries(kwargs)) {
    const parameter = ofCall.find((each) => each.name === name)
    if (parameter === undefined && others !== undefined) named[name] = value
    else put(parameter, kwargs, name)
  }
  if (others !== undefined) byName.set(others.name, named)
  return byName
}

/** Arguments of calls for which ops here take numbers, not tensors. */
const NUMBERS = ['key', 'rtol', 'atol', 'start_indices', 'output_shape', 'pattern', 'constant_values', 'q', 'scale']

/** Whether the numbers of an argument take part in the dtype of the result. */
const isOperand = (className: string, { name, isOption, rest }: Parameter): boolean =>
  OPERANDS.includes(`${className} ${name}`) || !(isOption || rest !== null || NUMBERS.includes(name))

/** Classes in which a number of Python is int32 beside other numbers, and beside bool or int32, but float32 in the op here. */
const OF_INTEGERS = ['Where', 'Select', 'Dot', 'Inner', 'Kron', 'Outer', 'Vdot']

/** Arguments that are lists of tensors, of which each may be a number. */
const isListOfTensors = (className: string, name: string): boolean =>
  /^(?:\w+ xs|Select \w+list|Stack x)$/.test(`${className} ${name}`)

/**
 * An operand. A float of Python that is a whole number is a scalar of float32, because such a number is int32 here beside int32. A list
 * of numbers is one array.
 * @param hasIntegers whether integers of Python are scalars, too
 * @param isList whether the argument is a list of tensors
 */
function operandAt(container: Container, key: string | number, hasIntegers: boolean, isList = false): Json {
  const value = entryAt(container, key)
  if (Array.isArray(value)) {
    const dtype = isList ? null : dtypeOfList(value)
    return dtype === null ? value.map((_, i) => operandAt(value, i, hasIntegers)) : constant(value, dtype)
  }
  if (typeof value !== 'number') return value
  if (isFloat(container, key)) return Number.isInteger(value) ? constant(value, 'float32') : value
  return hasIntegers ? constant(value, 'int32') : value
}

/** The dtype of nested lists of numbers; null for lists that are empty or have other values. */
function dtypeOfList(list: readonly Json[]): DType | null {
  const dtypes: DType[] = []
  for (const [i, value] of list.entries()) {
    const dtype = Array.isArray(value) ? dtypeOfList(value) : dtypeOfNumber(list, i)
    if (dtype === null) return null
    dtypes.push(dtype)
  }
  return dtypes.length === 0 ? null : commonType(dtypes)
}

function dtypeOfNumber(list: readonly Json[], i: number): DType | null {
  const value = list[i]
  if (typeof value === 'boolean') return 'bool'
  if (typeof value !== 'number') return null
  return isFloat(list, i) || value !== (value | 0) ? 'float32' : 'int32'
}

const constant = (value: Json, dtype: DType): Json => ({ class_name: '__numpy__', config: { value, dtype } })

/** An argument as the op here takes it. */
function readValue(className: string, name: string, value: Json): Json {
  if (className === 'GetItem' && name === 'key') return Array.isArray(value) ? value.map(partOf) : [partOf(value)]
  if (name === 'dtype' && value !== null) return dtypeOf(className, value)
  return value
}

/** The dtype with which this library computes. */
const DTYPES: Readonly<Record<string, string>> = {
  float16: 'float32',
  bfloat16: 'float32',
  float64: 'float32',
  int64: 'int32',
  uint32: 'int32',
  uint64: 'int32',
}
const SHORT = ['int8', 'uint8', 'int16', 'uint16']

/** Ops that convert numbers, which wrap around or end at the bounds of a short dtype. */
const CONVERTING = ['Array', 'Cast', 'ConvertToTensor', 'SaturateCast', 'View']

function dtypeOf(className: string, value: Json): Json {
  const name = textOf(isObject(value) ? valueAt(recordAt(value, 'config'), 'name') : value)
  if (!SHORT.includes(name)) return DTYPES[name] ?? name
  if (!CONVERTING.includes(className)) return 'int32'
  throw new FormatError(`The op ${className} converts to ${name}, but integers of this library have 32 bits`)
}

/** A part of a key of Python's brackets as `getItem` takes it: slices are 'start:stop:step'. */
function partOf(part: Json): Json {
  if (part === null || typeof part === 'number' || Array.isArray(part)) return part
  if (isObject(part)) {
    const config = recordAt(part, 'config')
    if (part.class_name === '__ellipsis__') return '...'
    if (part.class_name === '__slice__') {
      const [start, stop, step] = ['start', 'stop', 'step'].map((name) => textOf(valueAt(config, name)))
      return `${start}:${stop}${step === '' ? '' : `:${step}`}`
    }
    return part
  }
  throw new FormatError('A node GetItem has a key that is neither a number, a slice, nor a list of numbers')
}
