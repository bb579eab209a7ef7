// Calls of ops as nodes of Keras: the inverse of operations.ts.

import { camelKey } from '../core/errors'
import type { Json } from '../core/registry'
import { isBranch } from '../core/tree'
import { isSymbol, originOf } from '../layers/symbol'

/** An op of Keras: its module, and the arguments that are options of its class, after the tensors, in order. */
interface OperationClass {
  readonly module: string
  readonly className: string
  /** The number of arguments of the call. */
  readonly operands: number
  readonly options: readonly string[]
}

/** Ops with a number of operands, all with the same options: `add equal`. */
const ROWS: readonly (readonly [module: string, operands: number, options: string, names: string])[] = [
  [
    'numpy',
    1,
    '',
    'abs exp log log1p expm1 sqrt square tanh sinh cosh sin cos tan floor ceil round sign negative reciprocal logicalNot isnan isfinite isinf',
  ],
  [
    'numpy',
    2,
    '',
    'add subtract multiply divide maximum minimum power mod floorDivide matmul equal notEqual greater greaterEqual less lessEqual logicalAnd logicalOr logicalXor',
  ],
  ['numpy', 3, '', 'where'],
  ['numpy', 1, 'axis keepdims', 'sum mean max min var std prod any all argmax argmin'],
  ['numpy', 1, 'axis', 'cumsum cumprod concatenate stack expandDims squeeze flip sort'],
  ['numpy', 2, 'axis', 'take'],
  ['numpy', 1, 'newshape', 'reshape'],
  ['numpy', 1, 'axes', 'transpose'],
  ['numpy', 1, 'repeats axis', 'repeat'],
  ['numpy', 1, 'repeats', 'tile'],
  ['numpy', 1, 'shift axis', 'roll'],
  ['numpy', 1, 'x_min x_max', 'clip'],
  ['numpy', 1, 'axis1 axis2', 'swapaxes'],
  ['numpy', 1, 'source destination', 'moveaxis'],
  ['numpy', 1, 'indices_or_sections axis', 'split'],
  ['numpy', 1, 'k', 'tril triu'],
  ['numpy', 1, 'pad_width mode', 'pad'],
  ['numpy', 1, '', 'onesLike zerosLike'],
  ['math', 1, '', 'rsqrt erf'],
  ['math', 1, 'axis keepdims', 'logsumexp'],
  ['nn', 1, '', 'relu relu6 sigmoid silu softplus softsign logSigmoid hardSigmoid selu'],
  ['nn', 1, 'axis', 'softmax logSoftmax'],
  ['nn', 1, 'approximate', 'gelu'],
  ['nn', 1, 'negative_slope', 'leakyRelu'],
  ['nn', 1, 'alpha', 'elu'],
  ['nn', 1, 'num_classes axis dtype', 'oneHot'],
  ['core', 1, 'dtype', 'cast'],
]

/** Classes whose name is not that of the op with a capital letter. */
const CLASSES: Readonly<Record<string, string>> = { abs: 'Absolute', hardSilu: 'HardSilu' }
/** Names of ops here that have another spelling there. */
const SPELLED: Readonly<Record<string, string>> = { swapAxes: 'swapaxes', moveAxis: 'moveaxis', logSumExp: 'logsumexp' }

function classOf(op: string): OperationClass | null {
  const name = SPELLED[op] ?? op
  const row = ROWS.find(([, , , names]) => names.split(' ').includes(name))
  if (row === undefined) return null
  const [module, operands, options] = row
  const className = CLASSES[name] ?? name[0]!.toUpperCase() + name.slice(1)
  return { module: `keras.src.ops.${module}`, className, operands, options: options === '' ? [] : options.split(' ') }
}

/** An op as an entry of Keras's graph, and the arguments of the call. */
export interface WrittenOperation {
  readonly module: string
  readonly className: string
  readonly config: Readonly<Record<string, Json>>
  readonly args: readonly unknown[]
}

/** A call of an op; null if Keras has no such op, or the call has an argument that is not written. */
export function writtenOperation(op: string, input: readonly unknown[]): WrittenOperation | null {
  if (op === 'getItem')
    return {
      module: 'keras.src.ops.numpy',
      className: 'GetItem',
      config: {},
      args: [input[0], keyOf(input[1], originOf(input[0])?.spec.shape.length ?? 0)],
    }
  if (op === 'einsum')
    return {
      module: 'keras.src.ops.numpy',
      className: 'Einsum',
      config: { subscripts: String(input[0]) },
      args: input.slice(1),
    }
  if (op === 'average' && (input[2] ?? null) === null)
    return {
      module: 'keras.src.ops.numpy',
      className: 'Average',
      config: { axis: (input[1] ?? null) as Json },
      args: input.slice(0, 1),
    }
  if (op.startsWith(ACTIVATIONS)) return writtenActivation(op.slice(ACTIVATIONS.length), input)
  const found = classOf(op)
  if (found === null) return null
  const { module, className, operands, options } = found
  const config: Record<string, Json> = {}
  const given = input.slice(operands)
  const last = given.at(-1)
  if (isBranch(last) && !Array.isArray(last)) {
    given.pop()
    for (const [name, value] of Object.entries(last)) {
      const option = options.find((each) => camelKey(each).toLowerCase() === name.toLowerCase())
      if (option === undefined || isSymbol(value)) return null
      config[option] = value as Json
    }
  }
  // A constant of pad that is 0 is the default.
  while (given.length > options.length && [undefined, null, 0, false].some((each) => each === given.at(-1))) given.pop()
  if (given.length > options.length || given.some(isSymbol)) return null
  given.forEach((value, i) => {
    if (value !== undefined) config[options[i]!] = value as Json
  })
  return { module, className, config, args: input.slice(0, operands) }
}

const ACTIVATIONS = 'activations.'

/** A call of a function of keras.activations, which is that of the op with this name. */
function writtenActivation(name: string, input: readonly unknown[]): WrittenOperation | null {
  // The op has another default.
  const isExact = name === 'gelu' && (input[1] ?? null) === null
  return writtenOperation(name === 'swish' ? 'silu' : name, isExact ? [input[0], false] : input)
}

/** A key of `getItem` as Keras writes it. Its `.h5` files cannot have '...', so that is written as the axes for which it stands. */
function keyOf(key: unknown, rank: number): Json {
  const parts = Array.isArray(key) ? (key as readonly unknown[]) : [key]
  const others = parts.filter((part) => part !== '...' && part !== null && part !== 'newaxis').length
  return parts
    .flatMap((part) => (part === '...' ? new Array<string>(Math.max(0, rank - others)).fill(':') : [part]))
    .map(partOf)
}

function partOf(part: unknown): Json {
  if (typeof part !== 'string') return part as Json
  const [start, stop, step] = part.split(':').map((each) => (each === '' ? null : Number(each)))
  return { class_name: '__slice__', config: { start: start ?? null, stop: stop ?? null, step: step ?? null } }
}
