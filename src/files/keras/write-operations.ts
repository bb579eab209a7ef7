// Calls of ops as nodes of Keras, with the classes of operation-table.ts: the inverse of operations.ts.

import type { DType } from '../../core/dtypes'
import { normalizeName } from '../../core/errors'
import type { Json } from '../../core/registry'
import { isBranch, isRecord } from '../../core/tree'
import { tensorOf } from '../containers/constants'
import { isList, jsonValue, type JsonRecord } from '../containers/json'
import { Operation } from '../../layers/core/operation'
import { isSymbol, originOf, symbolsIn, type LayerCall } from '../../layers/symbol'
import { isTypedArray } from '../../ops/data'
import { Tensor } from '../../ops/tensor'
import { Variable } from '../../ops/variable'
import { OF_PAIRS, OPERANDS, REFUSED, classOfOp, givesComplex, type Parameter } from './operation-table'
import { pythonFloat } from './python-json'
import { kerasName } from './write-names'

/** An op as an entry of Keras's graph, and the arguments of the call: symbols, tensors, lists of both, and what JSON has. */
export interface WrittenOperation {
  readonly module: string
  readonly className: string
  readonly config: Readonly<Record<string, Json>>
  readonly args: readonly unknown[]
  readonly kwargs: Readonly<Record<string, unknown>>
}

/** A call that Keras does not have, or that this library does not write. */
class Unwritten extends Error {}

function refuse(why: string): never {
  throw new Unwritten(why)
}

/** A call of an op with a result of a dtype; why it cannot be written, as text. */
export function writtenOperation(op: string, input: readonly unknown[], dtype: DType): WrittenOperation | string {
  try {
    return written(op, input, dtype)
  } catch (error) {
    if (error instanceof Unwritten) return error.message
    throw error
  }
}

/** Arguments that Keras's functions do not have, with the values that change nothing. */
const OURS: Readonly<Record<string, readonly unknown[]>> = { keepDims: [false], initial: [null], groups: [null, 1] }

/** Defaults here, of ops or of classes, that Keras's class does not have. */
const DEFAULTS: Readonly<Record<string, Readonly<Record<string, Json>>>> = {
  'activations.gelu': { approximate: false },
  BatchNorm: { axis: -1 },
}

function written(op: string, input: readonly unknown[], dtype: DType): WrittenOperation {
  const found = classOfOp(op)
  if (found === undefined) return refuse('Keras has no such op')
  const { module, className, parameters } = found
  if (Object.hasOwn(REFUSED, className)) return refuse(REFUSED[className]!)
  const byName = argumentsByName(parameters, input)
  const config: Record<string, Json> = { ...DEFAULTS[className], ...DEFAULTS[op] }
  const args: unknown[] = []
  const kwargs: Record<string, unknown> = {}
  const numbers: Numbers = {
    hasFloats: dtype === 'float32' || symbolsIn(input).some((each) => originOf(each)!.spec.dtype === 'float32'),
    asTensors: AS_TENSORS.test(className),
  }
  for (const { name, isOption, rest, initial } of parameters) {
    const value = byName.get(name)
    if (isOption) {
      if (value !== undefined)
        config[name] = OPERANDS.includes(`${className} ${name}`)
          ? jsonValue(operandOf(className, name, value, numbers))
          : optionOf(name, value)
      // Classes of Keras take another value of None than its functions.
      if (name === 'data_format') config[name] ??= 'channels_last'
    } else if (rest === 'list')
      args.push(...(isList(value) ? value : []).map((each) => operandOf(className, name, each, numbers)))
    else if (rest === 'record') Object.assign(kwargs, value)
    else if (className === 'GetItem' && name === 'key')
      args.push(keyOf(value, originOf(byName.get('x'))?.spec.shape.length ?? 0))
    else args.push(operandOf(className, name, value ?? initial, numbers))
  }
  return { module, className, config: { ...config, ...FORMS[className]?.(config) }, args, kwargs }
}

/** Keras on JAX does not find out the strides of a pool, and does not take the list in a file for its window. */
function poolOptions({ pool_size: size = null, strides }: JsonRecord): JsonRecord {
  const window = single(size)
  return { pool_size: window, strides: strides ?? window }
}

/** Options in forms that Keras takes. */
const FORMS: Readonly<Record<string, (config: JsonRecord) => JsonRecord>> = {
  AveragePool: poolOptions,
  MaxPool: poolOptions,
  Resize: ({ size = null }) => ({ size: typeof size === 'number' ? [size, size] : size }),
}

/** The number of which a list consists; the list if there are several. */
const single = (value: Json): Json =>
  Array.isArray(value) && value.every((each) => each === value[0]) ? (value[0] ?? null) : value

/** The arguments of a call by Keras's names: those in order, and the options at the end. */
function argumentsByName(parameters: readonly Parameter[], input: readonly unknown[]): ReadonlyMap<string, unknown> {
  const byName = new Map<string, unknown>()
  const last = input.at(-1)
  const others = parameters.find(({ rest }) => rest === 'record')
  const hasOptions = input.length > 1 && isRecord(last) && !isOperand(last)
  const inOrder = hasOptions ? input.slice(0, -1) : input
  let at = 0
  for (const { name, rest } of parameters) {
    if (at >= inOrder.length && rest !== 'list') break
    if (rest === 'record') continue
    byName.set(name, rest === 'list' ? inOrder.slice(at) : inOrder[at])
    at += rest === 'list' ? inOrder.length : 1
  }
  const surplus = inOrder.slice(at).find((each) => each !== undefined && each !== null && each !== false)
  if (surplus !== undefined) refuse(`Keras has ${parameters.length} arguments`)
  if (!hasOptions) return byName
  if (others !== undefined) return byName.set(others.name, last)
  for (const [key, value] of Object.entries(last)) {
    if (value === undefined) continue
    const parameter = parameters.find(({ name }) => normalizeName(name) === normalizeName(key))
    if (parameter !== undefined) byName.set(parameter.name, value)
    else if (!(OURS[key] ?? []).includes(value)) refuse(`Keras has no argument ${key}`)
  }
  return byName
}

/** Whether a record is an operand, not options. */
const isOperand = (value: object): boolean =>
  value instanceof Tensor ||
  value instanceof Variable ||
  ArrayBuffer.isView(value) ||
  ('data' in value && 'shape' in value) ||
  ('real' in value && 'imag' in value)

/** A complex tensor of Keras, which is { real, imag } here. */
export class ComplexTensor {
  constructor(readonly real: Tensor) {}
}

/** Whether the results of a call are complex tensors of Keras. */
export function isComplexCall({ layer, input }: LayerCall): boolean {
  const className = layer instanceof Operation ? classOfOp(layer.op)?.className : undefined
  return className !== undefined && givesComplex(className, () => isList(input) && isRecord(input[0]))
}

/** The complex tensor whose parts are these; null if they are not the parts of one. */
export function complexOf(real: unknown, imag: unknown): ComplexTensor | null {
  if (!isSymbol(real)) return null
  const [first, second] = [originOf(real), originOf(imag)]
  if (first === null || first.call !== second?.call || !isComplexCall(first.call)) return null
  return first.index % 2 === 0 && second.index === first.index + 1 ? new ComplexTensor(real) : null
}

/** An option of a class, which is a constant. */
function optionOf(name: string, value: unknown): Json {
  if (isSymbol(value)) return refuse(`in Keras, ${name} is a constant`)
  if (value instanceof Variable) return refuse(`${name} is a variable`)
  if (value instanceof Tensor) return value.toArray<Json>()
  if (isTypedArray(value)) return Array.from(value)
  if (Array.isArray(value)) return value.map((each: unknown) => optionOf(name, each))
  if (isBranch(value)) return refuse(`${name} is a record`)
  if (typeof value === 'string' && name !== 'subscripts') return kerasName(value)
  // Keras on JAX takes integers of 32 bits.
  if (typeof value === 'number' && value !== (value | 0)) return pythonFloat(value)
  return jsonValue(value)
}

/** Arguments of calls that are no tensors. */
const PLAIN = ['pattern', 'start_indices', 'output_shape']

/** Arguments of calls that are integers; the op here may take whole numbers of another dtype. */
const INTEGERS =
  /^(?:\w+ (?:indices|segment_ids|sequence_lengths|target_length|output_length|targets)|Ldexp x2|(?:Gcd|Lcm) x[12]|(?:Bitwise(?!Count)|LeftShift|RightShift)\w* [xy])$/

/** Those among them that may be bool, which makes the result bool. */
const OF_BITS = /^Bitwise(?:And|Or|Xor) [xy]$/

/** Arguments of calls whose dtype Keras gives to the input, which would lose its fractions beside an int32. */
const KERNELS = /^(?:Conv|DepthwiseConv|SeparableConv) \w*kernel$/

/** Classes that read the dtype of their operands, which Python's numbers do not have. */
const AS_TENSORS =
  /^(?:Append|BitwiseAnd|BitwiseOr|BitwiseXor|Heaviside|Hypot|IsIn|Polar|SearchSorted|\w*LeftShift|\w*RightShift)$/

/** How the numbers among the operands of a call are written. */
interface Numbers {
  /** Whether whole numbers are floats, beside other floats or for a result of float32. */
  readonly hasFloats: boolean
  readonly asTensors: boolean
}

/** An operand, with constants as tensors. Keras does not take lists of numbers. */
function operandOf(className: string, name: string, value: unknown, numbers: Numbers): unknown {
  if (value instanceof Variable) return refuse(`${name} is a variable, which Keras has only in layers`)
  const argument = `${className} ${name}`
  if (typeof value === 'number') {
    const isInteger = INTEGERS.test(argument) || (value === (value | 0) && !numbers.hasFloats)
    return numberOf(value, isInteger ? 'int32' : 'float32', numbers)
  }
  if (value instanceof Tensor && !isSymbol(value)) {
    const constant = constantOf(argument, value)
    return constant.rank === 0 && constant.dtype !== 'bool'
      ? numberOf(constant.data[0]!, constant.dtype, numbers)
      : constant
  }
  if (value instanceof Tensor || PLAIN.includes(name) || !isBranch(value)) {
    if (isTypedArray(value)) return constantOf(argument, value)
    return value ?? null
  }
  if ('real' in value && 'imag' in value) {
    const { real, imag } = value
    if (OF_PAIRS.includes(className)) return [real, imag].map((each) => operandOf(className, name, each, numbers))
    const complex = complexOf(real, imag)
    return (
      complex ?? refuse('Keras computes it of complex tensors, which only ops such as viewAsComplex and polar make')
    )
  }
  const isData = !Array.isArray(value) || !hasTensor(value)
  if (isData) return constantOf(argument, value)
  return value.map((each: unknown) => operandOf(className, name, each, numbers))
}

/** A constant as a tensor of the dtype that Keras's class takes. */
function constantOf(argument: string, value: unknown): Tensor {
  if (KERNELS.test(argument)) return tensorOf(value, argument, 'float32')
  const constant = tensorOf(value, argument)
  if (!INTEGERS.test(argument) || (constant.dtype === 'bool' && OF_BITS.test(argument))) return constant
  return tensorOf(value, argument, 'int32')
}

/** A number as one of Python, of which the dtype is that of a result with other numbers. */
function numberOf(value: number, dtype: DType, { asTensors }: Numbers): unknown {
  if (asTensors) return new Tensor(dtype === 'int32' ? Int32Array.of(value) : Float32Array.of(value), [], dtype)
  return dtype === 'int32' ? value + 0 : pythonFloat(value)
}

/** Whether a list has other values than numbers and lists of them. */
function hasTensor(value: unknown): boolean {
  return Array.isArray(value) ? value.some(hasTensor) : typeof value !== 'number' && typeof value !== 'boolean'
}

/** A key of `getItem` as Keras writes it. Its `.h5` files cannot have '...', so that is written as the axes for which it stands. */
function keyOf(key: unknown, rank: number): readonly unknown[] {
  const parts = isList(key) ? key : [key]
  const others = parts.filter((part) => part !== '...' && part !== null && part !== 'newaxis').length
  return parts
    .flatMap((part) => (part === '...' ? new Array<string>(Math.max(0, rank - others)).fill(':') : [part]))
    .map(partOf)
}

function partOf(part: unknown): unknown {
  if (isTypedArray(part)) return Array.from(part)
  if (typeof part !== 'string') return part
  const [start, stop, step] = part.split(':').map((each) => (each === '' ? null : Number(each)))
  return { class_name: '__slice__', config: { start: start ?? null, stop: stop ?? null, step: step ?? null } }
}
