// Ops of Keras's graphs as calls of this library's ops. A node of Keras is a class, such as Sum, whose configuration has some
// arguments of the function, { axis, keepdims }, and whose call has the tensors. The order is that of the function.

import { FormatError, knownName } from '../core/errors'
import type { Json } from '../core/registry'
import { customObject } from '../core/registry'
import * as ops from '../ops'
import { isRecord, own, recordAt, textOf } from '../formats/json'
import { isObject } from './keras-object'
import type { JsonRecord } from '../formats/json'
import type { KerasObject } from './keras-object'
import type { Node } from './nodes'

/** A call of an op: its name, and its arguments in order. */
export interface OperationCall {
  readonly op: string
  readonly args: readonly Json[]
}

const NAMES = Object.entries<unknown>(ops).flatMap(([name, op]) => (typeof op === 'function' ? [name] : []))

/** Whether an entry of a graph is an op, not a layer. Legacy files have no modules, but ops are never trainable. */
export function isOperation(saved: KerasObject): boolean {
  const { module, registered_name: registered, class_name: className } = saved
  if (typeof module === 'string') return /(?:^|\.)ops(?:\.|$)/.test(module) && !textOf(registered).includes('>')
  const isLayer = own(recordAt(saved, 'config'), 'trainable') !== undefined || className === 'InputLayer'
  return !isLayer && customObject(className) === undefined && operationName(className) !== null
}

/** The name of an op here; null if there is none. */
export function operationName(className: string): string | null {
  return (Object.hasOwn(SPECIAL, className) ? SPECIAL[className]!.op : undefined) ?? knownName(className, NAMES) ?? null
}

/** Options of Keras's classes of ops that are not arguments. */
const NOT_ARGUMENTS = ['name', 'trainable', 'dtype_policy']

interface Special {
  readonly op?: string
  /** The arguments, in order. Default: those of the call, then the options. */
  readonly read?: (args: readonly Json[], options: JsonRecord) => readonly Json[]
}

/** Ops with other arguments, or with arguments in another order. */
const SPECIAL: Readonly<Record<string, Special>> = {
  GetItem: { read: ([x = null, key = null]) => [x, keyOf(key)] },
  Einsum: { read: (args, { subscripts = null }) => [subscripts, ...args] },
  Average: { read: ([x = null, weights = null], { axis = null }) => [x, axis, weights] },
  Absolute: { op: 'abs' },
  TrueDivide: { op: 'divide' },
}

/** A key of Python's brackets as `getItem` takes it: slices are 'start:stop:step'. */
function keyOf(key: Json): Json {
  if (Array.isArray(key)) return key.map(partOf)
  return [partOf(key)]
}

function partOf(part: Json): Json {
  if (part === null || typeof part === 'number') return part
  if (Array.isArray(part)) return part
  if (isObject(part)) {
    if (part.class_name === '__ellipsis__') return '...'
    const config = recordAt(part, 'config')
    if (part.class_name === '__slice__') {
      const [start, stop, step] = ['start', 'stop', 'step'].map((name) => textOf(own(config, name)))
      return `${start}:${stop}${step === '' ? '' : `:${step}`}`
    }
  }
  throw new FormatError('A node GetItem has a key that is neither a number, a slice, nor a list of numbers')
}

/** The call of a node of an op. */
export function operationCall(saved: KerasObject, { args, kwargs }: Node): OperationCall {
  const { class_name: className } = saved
  const op = operationName(className)!
  const config = Object.entries(recordAt(saved, 'config')).filter(([name]) => !NOT_ARGUMENTS.includes(name))
  const options = { ...Object.fromEntries(config), ...kwargs }
  const { read } = Object.hasOwn(SPECIAL, className) ? SPECIAL[className]! : {}
  const all = read === undefined ? [...args, ...Object.values(options)] : [...read(args, options)]
  const most = lengthOf(op)
  while (all.length > 1 && isUnsaid(all.at(-1)!, all.length > most)) all.pop()
  if (all.length > most)
    throw new FormatError(
      `The op ${className} has ${all.length} arguments, but ops.${op} takes ${most}: ${JSON.stringify(options)}`,
    )
  return { op, args: all }
}

/** The number of arguments that an op takes; einsum takes any number. */
function lengthOf(op: string): number {
  const found: unknown = Reflect.get(ops, op)
  return typeof found === 'function' && !['einsum', 'meshgrid', 'switch'].includes(op) ? found.length : Infinity
}

/** Whether a last argument can be left out. */
function isUnsaid(value: Json, isSurplus: boolean): boolean {
  return (
    value === null || (isSurplus && value === false) || (isRecord(value) && own(value, 'class_name') === 'DTypePolicy')
  )
}
