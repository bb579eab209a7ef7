// The weights of a model of TensorFlow.js: a list of named tensors, whose bytes follow each other in the files of a group.
//
//   weightsManifest: [{ paths, weights }]  +  the bytes of the files  ──▶  ManifestTensor[]
//
// Files are cut at any byte, also within an element. All sizes are checked before a tensor is made; elements are decoded when they are
// requested. Knows nothing of models.

import { utf8Text } from '../../core/text'
import { FormatError, formatShape, quoted } from '../../core/errors'
import { float16Numbers } from '../../core/half'
import type { Json } from '../../core/registry'
import { MAX_DATA_ELEMENTS, sizeOf, type Shape } from '../../core/shapes'
import { isRecord, valueAt, type JsonRecord } from '../containers/json'

/** The elements of a tensor, row by row; those of bool are 0 and 1. */
export type TensorValues = Float32Array | Int32Array | Uint8Array | readonly string[]

/** A tensor of a file. */
export interface ManifestTensor {
  readonly name: string
  readonly shape: Shape
  readonly dtype: 'float32' | 'int32' | 'bool' | 'string'
  /** 'optimizer' for the state of the optimizer. */
  readonly group: 'model' | 'optimizer'
  /** Decodes the elements. The array belongs to the caller. */
  read(): TensorValues
}

/** The numbers of a tensor. @throws FormatError for strings */
export function numbersOf({ name, read }: ManifestTensor): Float32Array | Int32Array | Uint8Array {
  const values = read()
  if (ArrayBuffer.isView(values)) return values
  throw new FormatError(`'${name}' has strings, where numbers are expected`)
}

/** A group of the manifest: specs of tensors, and the bytes of its files in order. */
export interface WeightGroup {
  readonly weights: Json
  readonly bytes: readonly Uint8Array[]
}

/** A model in a file. */
export interface Artifacts {
  /** The name of the file in errors. */
  readonly name: string
  /** model.json. */
  readonly json: JsonRecord
  readonly weights: readonly WeightGroup[]
}

/** How elements are stored. */
interface Storage {
  /** Bytes of one element. */
  readonly bytes: number
  /** The dtype of the tensor. */
  readonly dtype: 'float32' | 'int32' | 'bool'
  read(bytes: Uint8Array<ArrayBuffer>): ArrayLike<number>
}

/** Fills an array by a function of stored elements. `Float32Array.from` takes ten times as long. */
function filled<Made extends Float32Array | Int32Array>(
  made: Made,
  stored: ArrayLike<number>,
  convert: (each: number) => number,
): Made {
  for (let i = 0; i < made.length; i++) made[i] = convert(stored[i]!)
  return made
}

/** By the dtypes of specs and of quantizations. */
const STORAGE: Readonly<Record<string, Storage>> = {
  float32: { bytes: 4, dtype: 'float32', read: ({ buffer }) => new Float32Array(buffer) },
  float16: { bytes: 2, dtype: 'float32', read: ({ buffer }) => float16Numbers(new Uint16Array(buffer)) },
  int32: { bytes: 4, dtype: 'int32', read: ({ buffer }) => new Int32Array(buffer) },
  uint16: { bytes: 2, dtype: 'int32', read: ({ buffer }) => new Uint16Array(buffer) },
  uint8: { bytes: 1, dtype: 'int32', read: (bytes) => bytes },
  bool: { bytes: 1, dtype: 'bool', read: (bytes) => bytes.map((each) => Number(each !== 0)) },
}

const QUANTIZED = ['uint8', 'uint16']

/** value = q · scale + min */
interface Quantization {
  readonly scale: number
  readonly min: number
}

/**
 * The tensors of all groups.
 * @param where names the file in errors
 * @throws FormatError for specs that are incomplete, two tensors of one name, and for files with more or fewer bytes than the specs say
 */
export function manifestTensors(groups: readonly WeightGroup[], where: string): readonly ManifestTensor[] {
  const found = new Map<string, ManifestTensor>()
  for (const { weights, bytes } of groups) {
    if (!Array.isArray(weights))
      throw new FormatError(`${where}: weightsManifest has a group without a list of weights`)
    const content = new Pieces(bytes)
    let at = 0
    for (const spec of weights as readonly Json[]) {
      const { tensor, end } = tensorAt(spec, content, at, where)
      const key = `${tensor.group}/${tensor.name}`
      if (found.has(key)) throw new FormatError(`${where}: weightsManifest has two weights '${tensor.name}'`)
      found.set(key, tensor)
      at = end
    }
    if (at !== content.length)
      throw new FormatError(
        `${where}: the weights of a group have ${at} bytes, but its files have ${content.length}. Is a file of another model, or missing?`,
      )
  }
  return [...found.values()]
}

function tensorAt(spec: Json, content: Pieces, at: number, where: string): { tensor: ManifestTensor; end: number } {
  const name = isRecord(spec) ? valueAt(spec, 'name') : undefined
  if (!isRecord(spec) || typeof name !== 'string')
    throw new FormatError(`${where}: weightsManifest has a weight without a name`)
  const what = `${where}: the weight '${name}'`
  const shape = shapeOf(spec, what)
  const group = valueAt(spec, 'group') === 'optimizer' ? 'optimizer' : 'model'
  const size = sizeOf(shape)
  const left = content.length - at
  const short = (bytes: number): FormatError =>
    new FormatError(
      `${what} ${formatShape(shape)} needs ${bytes} bytes, but ${left} are left in the files. Are they truncated, or is one missing?`,
    )
  if (valueAt(spec, 'dtype') === 'string') {
    if (4 * size > left) throw short(4 * size)
    const { ends, end } = stringsAt(content, at, size, what)
    const read = (): string[] => ends.map((each, i) => content.text(i === 0 ? at + 4 : ends[i - 1]! + 4, each))
    return { tensor: { name, shape, dtype: 'string', group, read }, end }
  }
  const { storage, dtype, quantization } = storageOf(spec, what)
  const end = at + size * storage.bytes
  if (end > content.length) throw short(end - at)
  const read = (): TensorValues => valuesOf(storage.read(content.slice(at, end)), dtype, quantization)
  return { tensor: { name, shape, dtype, group, read }, end }
}

function valuesOf(
  stored: ArrayLike<number>,
  dtype: Storage['dtype'],
  quantization: Quantization | null,
): Float32Array | Int32Array | Uint8Array {
  if (quantization !== null) {
    const { scale, min } = quantization
    return dtype === 'int32'
      ? filled(new Int32Array(stored.length), stored, (each) => Math.round(each * scale + min))
      : filled(new Float32Array(stored.length), stored, (each) => each * scale + min)
  }
  if (dtype === 'bool') return stored instanceof Uint8Array ? stored : Uint8Array.from(stored)
  if (dtype === 'int32') return stored instanceof Int32Array ? stored : Int32Array.from(stored)
  return stored instanceof Float32Array ? stored : Float32Array.from(stored)
}

function shapeOf(spec: JsonRecord, what: string): Shape {
  const shape = valueAt(spec, 'shape')
  const isShape = Array.isArray(shape) && shape.every((each: Json) => Number.isSafeInteger(each) && Number(each) >= 0)
  if (!isShape) throw new FormatError(`${what} must have a shape, received ${quoted(shape)}`)
  if (sizeOf(shape as Shape) > MAX_DATA_ELEMENTS)
    throw new FormatError(`${what} has the shape ${formatShape(shape as Shape)}, which is too large`)
  return shape as Shape
}

function storageOf(
  spec: JsonRecord,
  what: string,
): { readonly storage: Storage; readonly dtype: Storage['dtype']; readonly quantization: Quantization | null } {
  const dtype = valueAt(spec, 'dtype')
  const plain = known(dtype, what)
  const quantization = valueAt(spec, 'quantization')
  if (quantization === undefined || quantization === null)
    return { storage: plain, dtype: plain.dtype, quantization: null }
  if (!isRecord(quantization)) throw new FormatError(`${what} has a quantization without a dtype`)
  const storage = known(valueAt(quantization, 'dtype'), what)
  const [scale, min] = [valueAt(quantization, 'scale'), valueAt(quantization, 'min')]
  const isAffine = Number.isFinite(scale) && Number.isFinite(min)
  const stored = String(valueAt(quantization, 'dtype'))
  const isHalf = stored === 'float16'
  const fits = isHalf ? plain.dtype === 'float32' : plain.dtype !== 'bool' && QUANTIZED.includes(stored) && isAffine
  if (!fits)
    throw new FormatError(
      `${what} of dtype ${String(dtype)} has the quantization ${JSON.stringify(quantization)}, which is not readable: expected float16 without more, or uint8 or uint16 with scale and min`,
    )
  return { storage, dtype: plain.dtype, quantization: isHalf ? null : { scale: Number(scale), min: Number(min) } }
}

function known(dtype: Json | undefined, what: string): Storage {
  if (typeof dtype === 'string' && Object.hasOwn(STORAGE, dtype)) return STORAGE[dtype]!
  throw new FormatError(
    `${what} has the dtype ${quoted(dtype)}; those that are read are ${Object.keys(STORAGE).join(', ')} and string`,
  )
}

/** The end of each string: 4 bytes of its length, then UTF-8. */
function stringsAt(content: Pieces, at: number, size: number, what: string): { ends: number[]; end: number } {
  const ends: number[] = []
  let end = at
  for (let i = 0; i < size; i++) {
    if (end + 4 > content.length) throw new FormatError(`${what}: string ${i} is missing`)
    const [length] = new Uint32Array(content.slice(end, end + 4).buffer)
    end += 4 + length!
    if (end > content.length) throw new FormatError(`${what}: string ${i} is truncated`)
    ends.push(end)
  }
  return { ends, end }
}

/** The bytes of several files as one content, which is not copied as a whole. */
class Pieces {
  readonly length: number
  private readonly starts: readonly number[]

  constructor(private readonly pieces: readonly Uint8Array[]) {
    let length = 0
    this.starts = pieces.map((piece) => {
      const start = length
      length += piece.length
      return start
    })
    this.length = length
  }

  /** A copy of the bytes from `begin` to `end`. */
  slice(begin: number, end: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(end - begin)
    for (let i = this.pieceAt(begin); i < this.pieces.length && this.starts[i]! < end; i++) {
      const [piece, start] = [this.pieces[i]!, this.starts[i]!]
      const from = Math.max(begin, start)
      bytes.set(piece.subarray(from - start, end - start), from - begin)
    }
    return bytes
  }

  /** The last piece that begins at a byte or before it. */
  private pieceAt(at: number): number {
    let [low, high] = [0, this.pieces.length]
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (this.starts[middle]! <= at) low = middle
      else high = middle
    }
    return low
  }

  text(begin: number, end: number): string {
    return utf8Text(this.slice(begin, end))
  }
}
