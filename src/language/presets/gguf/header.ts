// The header of a GGUF file: metadata, and the tensors with their places. The numbers are little-endian.
//
//   magic 'GGUF' · version u32 · tensors u64 · values u64
//   values times    key text · type u32 · value
//   tensors times   name text · axes u32 · extents u64, innermost first · type u32 · offset u64
//   padding to general.alignment · data
//
// A text is its length as u64 and UTF-8. A list is the type of its elements as u32, their number as u64, and the elements.
// https://github.com/ggml-org/ggml/blob/master/docs/gguf.md

import { concatBytes } from '../../../core/bytes'
import { FormatError, formatShape, quoted } from '../../../core/errors'
import { sizeOf, type Shape } from '../../../core/shapes'
import { strictDecoder } from '../../../core/text'
import type { PresetFile } from '../preset-folder'
import { bytesOf, overlapping, type Extent } from '../stored-tensor'
import { GGML_KINDS, GGML_NAMES } from './blocks'
import { GgufMetadata, type GgufList, type GgufValue } from './metadata'

export interface GgufHeader {
  readonly metadata: GgufMetadata
  /** The tensors, with places in the file. */
  readonly extents: readonly Extent[]
}

/** The bytes that are read first. The header of a large vocabulary has some 10 MB. */
const FIRST = 2 ** 20
const LARGEST_HEADER = 2 ** 27
/** The bytes of the shortest value, and of the shortest description of a tensor. */
const [LEAST_VALUE, LEAST_TENSOR] = [13, 24]
const [LONGEST_KEY, MOST_AXES, DEEPEST] = [65_535, 4, 4]

/** @throws FormatError for a file that is damaged, truncated, or of another version */
export async function readHeader(file: PresetFile): Promise<GgufHeader> {
  let bytes = new Uint8Array(0)
  for (let size = FIRST; ; size *= 2) {
    const end = Math.min(size, file.size)
    bytes = concatBytes([bytes, await file.read(bytes.length, end)])
    try {
      return new HeaderReader(file, bytes).header()
    } catch (error) {
      // The text is read again from the start: together that takes at most twice the time, and no waiting for every value.
      if (!(error instanceof ShortError) || end === file.size) throw error
      if (size >= LARGEST_HEADER)
        throw new FormatError(`${file.name} is damaged: its header has more than ${LARGEST_HEADER} bytes`)
    }
  }
}

/** The header goes on after the bytes that were read. */
class ShortError extends FormatError {}

/** Arrays of lists of numbers, by the type of their elements. Others than these are texts, and lists of lists. */
const NUMBER_TYPES: Readonly<
  Record<number, readonly [bytes: number, make: (count: number) => GgufNumbers, get: GetNumber]>
> = {
  0: [1, (count) => new Uint8Array(count), (view, at) => view.getUint8(at)],
  1: [1, (count) => new Int8Array(count), (view, at) => view.getInt8(at)],
  2: [2, (count) => new Uint16Array(count), (view, at) => view.getUint16(at, true)],
  3: [2, (count) => new Int16Array(count), (view, at) => view.getInt16(at, true)],
  4: [4, (count) => new Uint32Array(count), (view, at) => view.getUint32(at, true)],
  5: [4, (count) => new Int32Array(count), (view, at) => view.getInt32(at, true)],
  6: [4, (count) => new Float32Array(count), (view, at) => view.getFloat32(at, true)],
  10: [8, (count) => new Float64Array(count), (view, at) => Number(view.getBigUint64(at, true))],
  11: [8, (count) => new Float64Array(count), (view, at) => Number(view.getBigInt64(at, true))],
  12: [8, (count) => new Float64Array(count), (view, at) => view.getFloat64(at, true)],
}
type GetNumber = (view: DataView, at: number) => number
type GgufNumbers = Exclude<GgufList, readonly GgufValue[]>
const [BOOL, TEXT, LIST] = [7, 8, 9]

class HeaderReader {
  private at = 0
  private readonly view: DataView
  private readonly decoder = strictDecoder('utf-8')

  constructor(
    private readonly file: PresetFile,
    private readonly bytes: Uint8Array,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  header(): GgufHeader {
    this.requireKind()
    const tensors = this.count(LEAST_TENSOR, 'tensors')
    const values = this.metadata(this.count(LEAST_VALUE, 'values'))
    const metadata = new GgufMetadata(this.file.name, values)
    const described = Array.from({ length: tensors }, () => this.tensor())
    const alignment = metadata.count('general.alignment', 32)
    if (alignment > 2 ** 20) throw this.damaged(`its alignment is ${alignment} bytes`)
    const start = Math.ceil(this.at / alignment) * alignment
    const extents = described.map((each) => ({ ...each, at: start + each.at }))
    for (const extent of extents) {
      const end = extent.at + extent.bytes
      if (end > this.file.size)
        throw this.damaged(`the tensor ${quoted(extent.name)} ends at byte ${end}, the file has ${this.file.size}`)
    }
    this.requireDistinct(extents)
    return { metadata, extents }
  }

  private requireKind(): void {
    this.need(4)
    const magic = String.fromCharCode(...this.bytes.subarray(0, 4))
    if (magic !== 'GGUF') throw new FormatError(`${this.file.name} is not a GGUF file: it begins with ${quoted(magic)}`)
    this.at = 4
    const version = this.number(4)
    if (version === 2 || version === 3) return
    const kind = version % 2 ** 16 === 0 ? 'has big-endian numbers' : `has version ${version} of the format`
    throw new FormatError(
      `${this.file.name} ${kind}; supported: versions 2 and 3 with little-endian numbers. Convert the model again with a recent llama.cpp`,
    )
  }

  private requireDistinct(extents: readonly Extent[]): void {
    const names = new Set<string>()
    for (const { name } of extents) {
      if (names.has(name)) throw this.damaged(`it has the tensor ${quoted(name)} twice`)
      names.add(name)
    }
    const shared = overlapping(extents)
    if (shared !== null) throw this.damaged(`the data of ${quoted(shared)} overlap those of another tensor`)
  }

  private metadata(count: number): ReadonlyMap<string, GgufValue> {
    const values = new Map<string, GgufValue>()
    for (let i = 0; i < count; i++) {
      const key = this.text(LONGEST_KEY)
      if (values.has(key)) throw this.damaged(`it has the key ${quoted(key)} twice`)
      values.set(key, this.value(this.number(4), key))
    }
    return values
  }

  private value(type: number, key: string, depth = 0): GgufValue {
    if (type === TEXT) return this.text()
    if (type === BOOL) return this.number(0) !== 0
    if (type === LIST) return this.list(key, depth)
    if (NUMBER_TYPES[type] !== undefined) return this.number(type)
    throw this.damaged(`${quoted(key)} has a value of the type ${type}, which is unknown`)
  }

  private list(key: string, depth: number): GgufList {
    const type = this.number(4)
    if (depth === DEEPEST) throw this.damaged(`${quoted(key)} has more than ${DEEPEST} levels of lists`)
    const [bytes = null, make, get] = NUMBER_TYPES[type === BOOL ? 0 : type] ?? []
    if (bytes === null || make === undefined || get === undefined) {
      const count = this.count(8, `elements of ${quoted(key)}`)
      const list: GgufValue[] = []
      for (let i = 0; i < count; i++) list.push(this.value(type, key, depth + 1))
      return list
    }
    const count = this.count(bytes, `elements of ${quoted(key)}`)
    this.need(count * bytes)
    const numbers = make(count)
    for (let i = 0; i < count; i++) numbers[i] = get(this.view, this.at + i * bytes)
    this.at += count * bytes
    return numbers
  }

  /** @returns its place within the data */
  private tensor(): Extent {
    const name = this.text(LONGEST_KEY)
    const axes = this.number(4)
    if (axes > MOST_AXES) throw this.damaged(`the tensor ${quoted(name)} has ${axes} axes`)
    const shape: Shape = Array.from({ length: axes }, () => this.number(10)).toReversed()
    const type = this.number(4)
    const at = this.number(10)
    const kind = GGML_KINDS[type]
    if (kind === undefined)
      throw new FormatError(
        `${this.file.name}: the tensor ${quoted(name)} has numbers of the type ${GGML_NAMES[type] ?? type}; supported: ${Object.values(
          GGML_KINDS,
        )
          .map((each) => each.name)
          .join(', ')}`,
      )
    const isValid = Number.isSafeInteger(at) && Number.isSafeInteger(sizeOf(shape)) && !shape.includes(0)
    if (!isValid || (shape.at(-1) ?? 1) % kind.numbers !== 0 || (shape.length < 2 && kind.numbers > 1))
      throw this.damaged(
        `the tensor ${quoted(name)} of ${kind.name} has the shape ${formatShape(shape)} and begins at ${at}`,
      )
    return { name, shape, kind, at, bytes: bytesOf(shape, kind) }
  }

  /** A number of things, each of which takes some bytes of the file. */
  private count(bytes: number, what: string): number {
    const count = this.number(10)
    if (count * bytes <= this.file.size - this.at) return count
    throw this.damaged(`it should have ${count} ${what}, for which its ${this.file.size} bytes are too few`)
  }

  private text(longest = Infinity): string {
    const length = this.count(1, 'bytes of a text')
    if (length > longest) throw this.damaged(`a name in it has ${length} bytes`)
    this.need(length)
    const text = this.bytes.subarray(this.at, this.at + length)
    this.at += length
    try {
      return this.decoder.decode(text)
    } catch {
      throw this.damaged(`the text before byte ${this.at} is not UTF-8`)
    }
  }

  private number(type: number): number {
    const [bytes, , get] = NUMBER_TYPES[type]!
    this.need(bytes)
    const value = get(this.view, this.at)
    this.at += bytes
    return value
  }

  private need(bytes: number): void {
    if (this.at + bytes > this.bytes.length)
      throw new ShortError(
        `${this.file.name} is damaged or truncated: its header ends after ${this.bytes.length} bytes`,
      )
  }

  private damaged(why: string): FormatError {
    return new FormatError(`${this.file.name} is damaged or truncated: ${why}`)
  }
}
