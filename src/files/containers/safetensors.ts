// The safetensors container: tensors and text metadata in one file that other tools can read, too.
//
//   0        8          8 + n
//   ┌────────┬──────────┬─────────────────────────────┐
//   │ n u64  │ JSON (n) │ data, little-endian, packed │
//   └────────┴──────────┴─────────────────────────────┘
//   JSON: { "__metadata__": { text: text }, name: { dtype, shape, data_offsets: [begin, end] } }
//
// Files of this library have "xxh32" in their metadata, a checksum of the content. Older files and those of other tools
// have none, and are read as well.

import { dtypes, viewData, type DType } from '../../core/dtypes'
import { FormatError, quoted, restating } from '../../core/errors'
import { repeatedKey } from '../../core/json'
import { decodeUtf8, escapeNonAscii } from '../../core/text'
import { sizeOf, type Shape } from '../../core/shapes'
import { xxh32 } from '../../core/xxh32'
import type { TensorData } from '../../ops/tensor'

export interface NamedTensor {
  readonly name: string
  readonly shape: Shape
  readonly data: TensorData
}

export interface Container {
  readonly metadata: Readonly<Record<string, string>>
  readonly tensors: ReadonlyMap<string, NamedTensor>
}

const LENGTH_BYTES = 8
const LARGEST_HEADER = 100_000_000
const METADATA = '__metadata__'
const CHECKSUM = 'xxh32'
/** The dtype of an array in a file; bool is stored as int32. */
export function dtypeOf(data: TensorData): 'float32' | 'int32' | 'int8' {
  if (data instanceof Float32Array) return 'float32'
  return data instanceof Int8Array ? 'int8' : 'int32'
}

/** @throws FormatError for two tensors with the same name, of which the file would keep only one */
export function encodeContainer(
  tensors: readonly NamedTensor[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  let at = 0
  const names = new Set<string>()
  const entries = tensors.map(({ name, shape, data }) => {
    if (names.has(name) || name === METADATA)
      throw new FormatError(`save: two weights would have the name ${quoted(name)}`)
    names.add(name)
    const begin = at
    at += data.byteLength
    const dtype = dtypes[dtypeOf(data)].code
    return [name, { dtype, shape, data_offsets: [begin, at] }] as const
  })
  const checked = { ...metadata, [CHECKSUM]: checksum(metadata, tensors) }
  const json = JSON.stringify({ [METADATA]: checked, ...Object.fromEntries(entries) })
  const header = asciiOf(json)
  // Spaces after the JSON keep the data aligned.
  const headerBytes = Math.ceil(header.length / 8) * 8
  const bytes = new Uint8Array(LENGTH_BYTES + headerBytes + at)
  bytes.fill(0x20, LENGTH_BYTES, LENGTH_BYTES + headerBytes)
  bytes.set(header, LENGTH_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, headerBytes, true)
  let offset = LENGTH_BYTES + headerBytes
  for (const { data } of tensors) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset)
    offset += data.byteLength
  }
  return bytes
}

function asciiOf(json: string): Uint8Array {
  const text = escapeNonAscii(json)
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes
}

/**
 * A checksum of the content, independent of its order: another tool may write the same tensors and metadata in another
 * order. Eight hexadecimal digits.
 */
function checksum(metadata: Container['metadata'], tensors: Iterable<NamedTensor>): string {
  const sorted = [...tensors].sort((a, b) => (a.name < b.name ? -1 : 1))
  const described = JSON.stringify([
    Object.entries(metadata)
      .filter(([key]) => key !== CHECKSUM)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
    sorted.map(({ name, shape, data }) => [name, dtypeOf(data), shape]),
  ])
  const sum = sorted.reduce(
    (before, { data }) => xxh32(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), before),
    xxh32(asciiOf(described)),
  )
  return sum.toString(16).padStart(8, '0')
}

/** Numbers of the format that this library does not write, by their names: bytes of one, and how they are read. */
export type OtherDtypes = Readonly<Record<string, { readonly bytes: number; read(bytes: Uint8Array): TensorData }>>

/** The kind of a file of another program, for errors; null if unknown. */
export type KindOfFile = (bytes: Uint8Array) => string | null

/** What readers of a container may know besides the format. */
export interface Reading {
  /** Numbers that are read besides those of this library. Default none. */
  readonly others?: OtherDtypes
  /** Names what a file is that is no container. Default: unknown. */
  readonly kindOf?: KindOfFile | undefined
}

/**
 * Tensors may be views of the bytes: copy those that are kept.
 * @throws FormatError for a truncated container, or one that violates the format
 */
export function decodeContainer(bytes: Uint8Array, { others = {}, kindOf }: Reading = {}): Container {
  const { start, header } = readHeader(bytes, kindOf)
  const metadata = readMetadata(header[METADATA])
  const entries = Object.entries(header)
    .filter(([name]) => name !== METADATA)
    .map(([name, entry]) => readEntry(name, entry, others))
  const missing = entries.find(({ end }) => start + end > bytes.length)
  if (missing !== undefined) {
    throw new FormatError(
      `The file is truncated: '${missing.name}' ends at byte ${start + missing.end}, the file has ${bytes.length}`,
    )
  }
  const size = requirePacked(entries)
  if (start + size !== bytes.length)
    throw new FormatError(`The file is damaged: it has ${bytes.length - start - size} bytes too many`)
  const tensors = new Map(
    entries.map(({ name, dtype, shape, begin, end }) => {
      const data =
        typeof dtype === 'string'
          ? arrayIn(bytes, dtype, start + begin, start + end)
          : dtype.read(bytes.subarray(start + begin, start + end))
      return [name, { name, shape, data }]
    }),
  )
  const sum = metadata[CHECKSUM]
  if (sum !== undefined && sum !== checksum(metadata, tensors.values())) {
    throw new FormatError(
      `The file is damaged: its checksum differs. A tool that changes a file on purpose must remove '${CHECKSUM}' from its metadata.`,
    )
  }
  return { metadata, tensors }
}

/** A view if the bytes are aligned for the array type, otherwise a copy. */
function arrayIn(bytes: Uint8Array, dtype: DType, begin: number, end: number): TensorData {
  const info = dtypes[dtype]
  const at = bytes.byteOffset + begin
  if (at % info.bytes === 0) return viewData(dtype, bytes.buffer, at, (end - begin) / info.bytes)
  // Not slice(), which does not copy a Node Buffer.
  return new info.array(new Uint8Array(bytes.subarray(begin, end)).buffer)
}

/** The bytes of all tensors, which the format requires to be adjacent. @throws FormatError for holes and overlaps */
function requirePacked(entries: readonly Entry[]): number {
  let at = 0
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== at) {
      throw new FormatError(
        `The file is damaged: the data of '${name}' begin at ${begin}, ${begin < at ? 'within another tensor' : 'after a hole'}: expected ${at}`,
      )
    }
    at = end
  }
  return at
}

const FOREIGN = 'This is not a saved model'

/** @throws FormatError that names the kind of the file, if it is recognized */
function readHeader(bytes: Uint8Array, kindOf?: KindOfFile): { start: number; header: Record<string, unknown> } {
  return restating(
    (message) => {
      const kind = kindOf?.(bytes) ?? null
      return kind === null ? message : `${FOREIGN} of this library: it is ${kind}`
    },
    () => {
      const start = LENGTH_BYTES + readLength(bytes)
      return { start, header: parseHeader(bytes.subarray(LENGTH_BYTES, start)) }
    },
  )
}

function readLength(bytes: Uint8Array): number {
  if (bytes.length < LENGTH_BYTES) throw new FormatError(`${FOREIGN}: it has ${bytes.length} bytes`)
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const length = view.getUint32(0, true)
  if (view.getUint32(4, true) !== 0 || length > LARGEST_HEADER)
    throw new FormatError(`${FOREIGN}: its first bytes are not a header length`)
  if (LENGTH_BYTES + length > bytes.length) {
    throw new FormatError(
      `The file is truncated or foreign: its header should end at byte ${LENGTH_BYTES + length}, the file has ${bytes.length}`,
    )
  }
  return length
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  const { text, header } = jsonIn(bytes)
  if (bytes[0] !== 0x7b || !isRecord(header)) throw new FormatError(`${FOREIGN}: its header is not a JSON object`)
  const twice = repeatedKey(text)
  if (twice !== null) throw new FormatError(`The file is damaged: its header has ${quoted(twice)} twice`)
  return header
}

function jsonIn(bytes: Uint8Array): { text: string; header: unknown } {
  try {
    const text = decodeUtf8(bytes)
    return { text, header: JSON.parse(text) }
  } catch {
    throw new FormatError(`${FOREIGN}: its header is not a JSON object`)
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The metadata keys of this library's files. */
const OUR_METADATA: readonly string[] = [CHECKSUM, 'format', 'version', 'description', 'checksum']

function readMetadata(value: unknown): Record<string, string> {
  if (value === undefined) return {}
  if (!isTexts(value)) throw new FormatError('The file is damaged: its metadata are not all strings')
  const isOurs = value['format']?.startsWith('myelin') === true
  const other = isOurs ? Object.keys(value).find((key) => !OUR_METADATA.includes(key)) : undefined
  // Otherwise a damaged name would hide the checksum.
  if (other !== undefined)
    throw new FormatError(`The file is damaged: its metadata have ${quoted(other)}, which this library does not write`)
  return value
}

function isTexts(value: unknown): value is Record<string, string> {
  return isRecord(value) && Object.values(value).every((text) => typeof text === 'string')
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((each) => Number.isSafeInteger(each) && each >= 0)
}

/** The dtypes by their names in the format. */
const dtypeOfCode: ReadonlyMap<unknown, DType> = /* @__PURE__ */ new Map(
  (['float32', 'int32', 'int8'] as const).map((dtype) => [dtypes[dtype].code, dtype]),
)

interface Entry {
  readonly name: string
  readonly dtype: DType | OtherDtypes[string]
  readonly shape: number[]
  readonly begin: number
  readonly end: number
}

function readEntry(name: string, entry: unknown, others: OtherDtypes): Entry {
  if (isRecord(entry)) {
    const { dtype: code, shape, data_offsets: offsets } = entry
    const other = typeof code === 'string' && Object.hasOwn(others, code) ? others[code] : undefined
    const dtype = dtypeOfCode.get(code) ?? other
    if (dtype === undefined && typeof code === 'string' && /^(?:BOOL|B?F\d+|[UIC]\d+)/.test(code)) {
      throw new FormatError(
        `'${name}' has numbers of ${code}, which cannot be read. There are ${[...dtypeOfCode.keys()].join(', ')}: convert it first.`,
      )
    }
    if (dtype !== undefined && isCounts(shape) && isCounts(offsets) && offsets.length === 2) {
      const [begin = 0, end = 0] = offsets
      const size = typeof dtype === 'string' ? dtypes[dtype].bytes : dtype.bytes
      if (end - begin === size * sizeOf(shape)) return { name, dtype, shape, begin, end }
    }
  }
  throw new FormatError(`The file is damaged: the entry of '${name}' is not valid`)
}
