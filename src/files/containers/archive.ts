// Zip archives, as .keras and .npz files are: read with limits, and written without compression. Entries are found by the directory at the
// end of the file; their names are never used as paths.

import { encodeUtf8, utf8Text } from '../../core/text'
import { concatBytes } from '../../core/bytes'
import { FormatError } from '../../core/errors'
import { crc32 } from './crc32'
import { inflatedAtOnce, inflatedInStream, loadInflate } from './inflate'

// Offsets in the records of the format (APPNOTE 6.3, little-endian).
const LOCAL = { signature: 0x04034b50, size: 30, nameLength: 26, extraLength: 28 }
const ENTRY = {
  signature: 0x02014b50,
  size: 46,
  flags: 8,
  method: 10,
  checksum: 16,
  packedSize: 20,
  fullSize: 24,
  nameLength: 28,
  extraLength: 30,
  commentLength: 32,
  start: 42,
}
const END = { signature: 0x06054b50, size: 22, count: 10, directorySize: 12, directoryStart: 16, commentLength: 20 }
const [STORED, DEFLATED] = [0, 8]
const ENCRYPTED = 1
const UNKNOWN = 0xffffffff

/** By default, all entries together may have eight times the bytes of the archive, and 32 MB more. */
const SPARE = 2 ** 25
const MOST_ENTRIES = 10_000

interface Entry {
  readonly name: string
  readonly method: number
  readonly checksum: number
  readonly packedSize: number
  readonly fullSize: number
  readonly start: number
}

function damaged(what: string): FormatError {
  return new FormatError(`The archive is damaged: ${what}`)
}

/** Whether bytes are a zip archive. */
export function isArchive(bytes: Uint8Array): boolean {
  return bytes.length >= END.size && viewOf(bytes).getUint32(0, true) === LOCAL.signature
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/**
 * The entries of an archive by their names; folders are left out.
 * @param most the number of bytes that all entries together may have, decompressed
 * @param excess makes the error for more
 * @throws FormatError for a damaged archive, two entries of one name, a name that leads outside, and entries that are too large
 */
export async function readArchive(
  bytes: Uint8Array,
  most = SPARE + 8 * bytes.length,
  excess = (total: number): Error => damaged(`its entries would have ${total} bytes, more than ${most}`),
): Promise<ReadonlyMap<string, Uint8Array>> {
  const entries = directoryOf(bytes)
  const total = entries.reduce((sum, { fullSize }) => sum + fullSize, 0)
  if (total > most) throw excess(total)
  const files = new Map<string, Uint8Array>()
  for (const entry of entries) {
    const { name } = entry
    if (/^\/|^[A-Za-z]:|\\|(?:^|\/)\.\.(?:\/|$)/.test(name))
      throw new FormatError(`The archive has an entry that leads outside of it: '${name}'`)
    if (files.has(name)) throw damaged(`it has two entries '${name}'`)
    if (!name.endsWith('/')) files.set(name, await contentOf(bytes, entry))
  }
  return files
}

function directoryOf(bytes: Uint8Array): readonly Entry[] {
  const view = viewOf(bytes)
  // A comment of up to 64 kB may follow the last record.
  const first = Math.max(0, bytes.length - END.size - 0xffff)
  let end = bytes.length - END.size
  while (
    end >= first &&
    !(
      view.getUint32(end, true) === END.signature &&
      view.getUint16(end + END.commentLength, true) === bytes.length - end - END.size
    )
  )
    end--
  if (end < first) throw damaged('it has no directory at its end; is it truncated?')
  const count = view.getUint16(end + END.count, true)
  if (count > MOST_ENTRIES) throw damaged(`it has ${count} entries`)
  const directoryEnd = view.getUint32(end + END.directoryStart, true) + view.getUint32(end + END.directorySize, true)
  if (directoryEnd > end) throw damaged('its directory is not before its end')
  const entries: Entry[] = []
  let at = view.getUint32(end + END.directoryStart, true)
  for (let i = 0; i < count; i++) {
    if (at + ENTRY.size > directoryEnd || view.getUint32(at, true) !== ENTRY.signature)
      throw damaged(`entry ${i} of its directory is missing`)
    const u16 = (offset: number): number => view.getUint16(at + offset, true)
    const u32 = (offset: number): number => view.getUint32(at + offset, true)
    const nameEnd = at + ENTRY.size + u16(ENTRY.nameLength)
    if (nameEnd > directoryEnd) throw damaged(`entry ${i} of its directory is truncated`)
    const name = utf8Text(bytes.subarray(at + ENTRY.size, nameEnd))
    if (u16(ENTRY.flags) & ENCRYPTED) throw new FormatError(`The archive is encrypted: '${name}'`)
    const [packedSize, fullSize, start] = [u32(ENTRY.packedSize), u32(ENTRY.fullSize), u32(ENTRY.start)]
    if ([packedSize, fullSize, start].includes(UNKNOWN))
      throw new FormatError(`'${name}' has 4 GB or more, which is too large`)
    entries.push({ name, method: u16(ENTRY.method), checksum: u32(ENTRY.checksum), packedSize, fullSize, start })
    at = nameEnd + u16(ENTRY.extraLength) + u16(ENTRY.commentLength)
  }
  if (at !== directoryEnd) throw damaged(`its directory does not end after its ${count} entries`)
  return entries
}

async function contentOf(bytes: Uint8Array, entry: Entry): Promise<Uint8Array> {
  const { name, method, checksum, packedSize, fullSize, start } = entry
  const view = viewOf(bytes)
  if (start + LOCAL.size > bytes.length || view.getUint32(start, true) !== LOCAL.signature)
    throw damaged(`'${name}' is not where the directory says`)
  const nameEnd = start + LOCAL.size + view.getUint16(start + LOCAL.nameLength, true)
  const from = nameEnd + view.getUint16(start + LOCAL.extraLength, true)
  const local = utf8Text(bytes.subarray(start + LOCAL.size, nameEnd))
  if (local !== name) throw damaged(`'${name}' has another name, '${local}', before its content`)
  if (from + packedSize > bytes.length) throw damaged(`'${name}' is truncated`)
  const packed = bytes.subarray(from, from + packedSize)
  if (method !== STORED && method !== DEFLATED)
    throw new FormatError(`'${name}' is compressed by method ${method}; only stored and deflated entries are read`)
  if (method === STORED && packedSize !== fullSize) throw damaged(`'${name}' has two sizes`)
  const content = method === STORED ? packed : await inflated(packed, fullSize, name)
  if (crc32(content) !== checksum) throw damaged(`the checksum of '${name}' differs`)
  return content
}

/** @throws FormatError for damaged data, and for another number of bytes than `size` */
async function inflated(packed: Uint8Array, size: number, name: string): Promise<Uint8Array> {
  const whole = inflatedAtOnce('deflate-raw', packed, size) ?? (await inflatedInStream('deflate-raw', packed, size))
  if (whole?.length === size) return whole
  const inflate = await loadInflate()
  try {
    const { bytes } = inflate(packed, size, () => damaged(`'${name}' has more than ${size} bytes`))
    if (bytes.length === size) return bytes
    throw damaged(`'${name}' must have ${size} bytes, received ${bytes.length}`)
  } catch (error) {
    throw error instanceof FormatError ? error : damaged(`'${name}' cannot be decompressed: ${String(error)}`)
  }
}

/** 1980-01-01, so that equal models give equal bytes. */
const DATE = 0x0021

/** An archive of entries, which are stored without compression. */
export function writeArchive(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const parts: Uint8Array[] = []
  const directory: Uint8Array[] = []
  let at = 0
  const put = (list: Uint8Array[], bytes: Uint8Array): number => list.push(bytes)
  for (const [name, content] of files) {
    const encoded = encodeUtf8(name)
    const checksum = crc32(content)
    const local = record(LOCAL.size, LOCAL.signature, encoded, (view) =>
      describe(view, 4, checksum, content.length, encoded.length),
    )
    put(
      directory,
      record(ENTRY.size, ENTRY.signature, encoded, (view) => {
        view.setUint16(4, VERSION, true)
        describe(view, 6, checksum, content.length, encoded.length)
        view.setUint32(ENTRY.start, at, true)
      }),
    )
    put(parts, local)
    put(parts, content)
    at += local.length + content.length
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0)
  if (at + size >= UNKNOWN) throw new FormatError('An archive must have less than 4 GB')
  const end = record(END.size, END.signature, new Uint8Array(), (view) => {
    view.setUint16(8, files.size, true)
    view.setUint16(END.count, files.size, true)
    view.setUint32(END.directorySize, size, true)
    view.setUint32(END.directoryStart, at, true)
  })
  return concatBytes([...parts, ...directory, end])
}

const VERSION = 20

/** The fields that both records of an entry have, from `at` on: version, flags (UTF-8 names), method, time, date, … */
function describe(view: DataView, at: number, checksum: number, size: number, nameLength: number): void {
  view.setUint16(at, VERSION, true)
  view.setUint16(at + 2, 0x0800, true)
  view.setUint16(at + 8, DATE, true)
  view.setUint32(at + 10, checksum, true)
  view.setUint32(at + 14, size, true)
  view.setUint32(at + 18, size, true)
  view.setUint16(at + 22, nameLength, true)
}

function record(size: number, signature: number, name: Uint8Array, fill: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(size + name.length)
  const view = viewOf(bytes)
  view.setUint32(0, signature, true)
  fill(view)
  bytes.set(name, size)
  return bytes
}
