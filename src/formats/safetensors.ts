// The safetensors container: tensors and text metadata in one file that other tools can read, too.
//
//   0        8          8 + n
//   ┌────────┬──────────┬─────────────────────────────┐
//   │ n u64  │ JSON (n) │ data, little-endian, packed │
//   └────────┴──────────┴─────────────────────────────┘
//   JSON: { "__metadata__": { text: text }, name: { dtype, shape, data_offsets: [begin, end] } }

import type { DType } from '../core/dtypes'
import { dtypes } from '../core/dtypes'
import { FormatError } from '../core/errors'
import { decodeUtf8, escapeNonAscii } from '../core/text'
import type { Shape } from '../core/shapes'
import { sizeOf } from '../core/shapes'
import type { TensorData } from '../ops/tensor'

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

/** What an array holds in a file; bool lies as int32. */
export function dtypeOf(data: TensorData): 'float32' | 'int32' | 'int8' {
  if (data instanceof Float32Array) return 'float32'
  return data instanceof Int8Array ? 'int8' : 'int32'
}

export function encodeContainer(
  tensors: readonly NamedTensor[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  let at = 0
  const entries = tensors.map(({ name, shape, data }) => {
    const begin = at
    at += data.byteLength
    const dtype = dtypes[dtypeOf(data)].code
    return [name, { dtype, shape, data_offsets: [begin, at] }] as const
  })
  const json = JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) })
  const header = Uint8Array.from(escapeNonAscii(json), (letter) => letter.charCodeAt(0))
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

/** @throws FormatError for anything that is not whole. */
export function decodeContainer(bytes: Uint8Array): Container {
  const headerBytes = readLength(bytes)
  const start = LENGTH_BYTES + headerBytes
  const header = parseHeader(bytes.subarray(LENGTH_BYTES, start))
  const tensors = new Map<string, NamedTensor>()
  let metadata: Record<string, string> = {}
  let end = 0
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') {
      metadata = stringsOf(entry)
      continue
    }
    const { dtype, shape, begin, end: last } = readEntry(name, entry)
    end = Math.max(end, last)
    if (start + last > bytes.length) {
      throw new FormatError(
        `The file is truncated: '${name}' ends at byte ${start + last}, the file has ${bytes.length}`,
      )
    }
    // A copy, because the data may not be aligned. Not by slice(), which copies nothing of a Node Buffer.
    const copy = new Uint8Array(bytes.subarray(start + begin, start + last)).buffer
    tensors.set(name, { name, shape, data: new dtypes[dtype].array(copy) })
  }
  if (start + end !== bytes.length) throw new FormatError(`The file has ${bytes.length - start - end} bytes too many`)
  return { metadata, tensors }
}

const FOREIGN = 'This is not a saved model'

function readLength(bytes: Uint8Array): number {
  if (bytes.length < LENGTH_BYTES) throw new FormatError(`${FOREIGN}: it has ${bytes.length} bytes`)
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const length = view.getUint32(0, true)
  if (view.getUint32(4, true) !== 0 || length > LARGEST_HEADER)
    throw new FormatError(`${FOREIGN}: its first bytes are no header length`)
  if (LENGTH_BYTES + length > bytes.length) {
    throw new FormatError(
      `The file is truncated or foreign: its header should end at byte ${LENGTH_BYTES + length}, the file has ${bytes.length}`,
    )
  }
  return length
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  try {
    const header: unknown = JSON.parse(decodeUtf8(bytes))
    if (isRecord(header)) return header
  } catch {
    // not JSON: reported below
  }
  throw new FormatError(`${FOREIGN}: its header is no JSON object`)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function stringsOf(value: unknown): Record<string, string> {
  if (!isRecord(value)) return {}
  return Object.fromEntries(Object.entries(value).map(([key, text]) => [key, String(text)]))
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((each) => Number.isInteger(each) && each >= 0)
}

/** What the format calls the dtypes that files hold. */
const dtypeOfCode: ReadonlyMap<unknown, DType> = /* @__PURE__ */ new Map(
  (['float32', 'int32', 'int8'] as const).map((dtype) => [dtypes[dtype].code, dtype]),
)

function readEntry(name: string, entry: unknown): { dtype: DType; shape: number[]; begin: number; end: number } {
  if (isRecord(entry)) {
    const { dtype: code, shape, data_offsets: offsets } = entry
    const dtype = dtypeOfCode.get(code)
    if (dtype !== undefined && isCounts(shape) && isCounts(offsets) && offsets.length === 2) {
      const [begin, end] = offsets as [number, number]
      if (end - begin === dtypes[dtype].bytes * sizeOf(shape)) return { dtype, shape, begin, end }
    }
  }
  throw new FormatError(`The file is damaged: the entry of '${name}' is not valid`)
}
