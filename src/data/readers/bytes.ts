// Bytes from any source: files, URLs, blobs, streams. Their meaning does not matter here: see blocks.ts for text and
// images.ts for images.

import { isBlob, isUrl } from '../../core/globals'
import { encodeUtf8 } from '../../core/text'
import { concatBytes } from '../../core/bytes'
import { ArgumentError, DataError, quoted } from '../../core/errors'
import { misplaced } from '../../core/misplaced'
import {
  bodyOf,
  fileError,
  isRemote,
  location,
  nodeModule,
  readFile,
  respond,
  type NodeModules,
} from '../../engine/runtime/platform'
import { abortable, abortableSource } from '../samples/abort'
import { chained, closing, cursor } from '../cursors'
import { after, type Soon } from '../../core/soon'
import { END, indexedSource, skipByTaking, sourceOf, type Cursor, type Source } from '../samples/source'

/**
 * Where a reader accepts markup. 'refused': files of most formats never begin with it. 'cells': the first cell of a table may have it,
 * but a table is never a whole page. 'allowed': a text may be a page.
 */
type Markup = 'refused' | 'cells' | 'allowed'

const PAGES: Readonly<Record<Markup, RegExp | null | undefined>> = {
  refused: undefined,
  cells: /^(\xef\xbb\xbf)?\s*<(!doctype\s+html|html[\s>])/i,
  allowed: null,
}

type Chunk = Uint8Array | ArrayBuffer | string

/** Text in place of a file. */
export interface TextSource {
  /** The whole content. */
  readonly text: string
}

/**
 * The source of a reader's bytes: a path (Node, Deno, Bun) or a URL, as a string or as URL; a Blob or a File, such as
 * an `<input type="file">` provides; `{ text }`; bytes; a stream of Node or of the web. A function is called for every
 * pass: only with a function can a stream be read again.
 */
export type ByteSource =
  | string
  | URL
  | Blob
  | TextSource
  | Uint8Array
  | ArrayBuffer
  | Iterable<Chunk>
  | AsyncIterable<Chunk>
  | ReadableStream<Chunk>
  | (() => Soon<ByteSource>)

/** Bytes in chunks, and their name in errors. */
export interface NamedBytes {
  readonly name: string
  readonly chunks: Source<Uint8Array>
  /** Whether the content may begin like a web page. */
  readonly markup: Markup
}

/** The number of bytes of a file that are read at once. */
const CHUNK = 1 << 18

/** @throws ArgumentError for a value that has no bytes */
export function bytesOf(
  source: ByteSource,
  where: string,
  signal: AbortSignal | null,
  markup: Markup = 'allowed',
): NamedBytes {
  const chunks = sourceOf<Uint8Array>(chunksOf(source, where, signal), where)
  return { name: nameOf(source), chunks: abortableSource(chunks, signal), markup }
}

function chunksOf(
  source: ByteSource,
  where: string,
  signal: AbortSignal | null,
): Parameters<typeof sourceOf<Uint8Array>>[0] {
  if (typeof source === 'function')
    return () => after(source(), (made) => sourceOf(chunksOf(made, where, signal), where))
  if (typeof source === 'string' && source.includes('\n'))
    throw new ArgumentError(
      `${where}: a string is the path or the address of a file. For its content, pass { text: … }`,
    )
  if (typeof source === 'string' || isUrl(source)) {
    const files = isRemote(source) ? null : nodeModule('node:fs/promises')
    return files === null
      ? async () => bodyOf(await respond(source, signal), String(source))
      : fileSource(files, source, where)
  }
  if (Array.isArray(source) && isOneLine(source))
    throw new ArgumentError(
      `${where}: a list has the pieces of one content, and these have no line end, received ${quoted(source)}. Read several files one by one.`,
    )
  if (isBlob(source)) return () => source.stream()
  if (source instanceof Uint8Array) return pieces(source)
  if (source instanceof ArrayBuffer) return pieces(new Uint8Array(source))
  if (typeof source === 'object' && source !== null && 'text' in source && typeof source.text === 'string')
    return pieces(encodeUtf8(source.text))
  if (!isStream(source))
    throw new ArgumentError(
      `${where}: expected a path, a URL, a Blob, { text }, bytes, a stream or a function that makes one, received ${quoted(source)}`,
    )
  const chunks = sourceOf<Chunk>(source, where)
  return { size: null, open: (pass) => asBytes(chunks.open(pass), where) }
}

/** Whether a source has chunks, which asBytes checks one by one. */
function isStream(source: unknown): source is AsyncIterable<Chunk> {
  return (
    typeof source === 'object' &&
    source !== null &&
    (Symbol.iterator in source || Symbol.asyncIterator in source || 'getReader' in source)
  )
}

/** Whether no piece of text contains a line end: the pieces are then probably the names of files. */
function isOneLine(pieces: readonly unknown[]): boolean {
  return pieces.length > 0 && pieces.every((piece) => typeof piece === 'string' && !piece.includes('\n'))
}

function asBytes(from: Cursor<Chunk>, where: string): Cursor<Uint8Array> {
  const bytesIn = (chunk: Chunk): Uint8Array => {
    if (chunk instanceof Uint8Array) return chunk
    if (typeof chunk === 'string') return encodeUtf8(chunk)
    if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk)
    throw new ArgumentError(`${where}: a stream must give bytes or text, received ${quoted(chunk)}`)
  }
  const all = chained(() => after(from.next(), (chunk) => (chunk === END ? END : pieces(bytesIn(chunk)).open(0))))
  return cursor(from, all.next)
}

function pieces(bytes: Uint8Array): Source<Uint8Array> {
  return indexedSource(Math.ceil(bytes.length / CHUNK), (i) => bytes.subarray(i * CHUNK, (i + 1) * CHUNK))
}

/**
 * A file in chunks. While one chunk is used, the next is read into the memory of an earlier one, because new memory for each
 * chunk costs as much time as reading.
 */
function fileSource(files: NodeModules['node:fs/promises'], source: string | URL, where: string): Source<Uint8Array> {
  type Piece = Uint8Array | typeof END
  const open = (): Cursor<Uint8Array> => {
    let handle: ReturnType<typeof files.open> | null = null
    let coming: Promise<Piece> | null = null
    let isClosed = false
    const spare: Uint8Array<ArrayBuffer>[] = []
    const read = async (): Promise<Piece> => {
      const bytes = spare.pop() ?? new Uint8Array(CHUNK)
      try {
        const { bytesRead } = await (await (handle ??= files.open(location(source)))).read(bytes, 0, CHUNK)
        return bytesRead === 0 ? END : bytes.subarray(0, bytesRead)
      } catch (error) {
        throw fileError(where, source, 'read', error)
      }
    }
    const close = async (): Promise<void> => {
      isClosed = true
      const [opened, last] = [handle, coming]
      handle = null
      try {
        await last
        await (await opened)?.close()
      } catch {
        // The error was already reported by the open or read.
      }
    }
    const next = async (): Promise<Piece> => {
      if (isClosed) return END
      const piece = await (coming ?? read())
      if (piece === END || isClosed) await close()
      else {
        coming = read()
        coming.catch(() => undefined)
      }
      return piece
    }
    const recycle = ({ buffer }: Uint8Array): void => {
      if (spare.length < 2 && buffer instanceof ArrayBuffer) spare.push(new Uint8Array(buffer))
    }
    return { next, skip: (count) => skipByTaking({ next }, count), close, recycle }
  }
  return { size: null, open }
}

/** All bytes at once. */
export async function allBytes(source: ByteSource, where: string, signal: AbortSignal | null): Promise<Uint8Array> {
  if (typeof source === 'string' || isUrl(source)) return readFile(source, where, signal)
  const { chunks: all } = bytesOf(source, where, null)
  const chunks = abortable(closing(all.open(0)), signal)
  const parts: Uint8Array[] = []
  for (let chunk = await chunks.next(); chunk !== END; chunk = await chunks.next()) parts.push(chunk)
  await chunks.close()
  return joined(parts)
}

/** @throws DataError that begins with the name, for what stands in place of a file */
export function requireData(bytes: Uint8Array, name: string, markup: Markup): void {
  const problem = misplaced(bytes, PAGES[markup])
  if (problem !== null) throw new DataError(`${name}: ${problem}`)
}

/** Pieces as one array; without a copy if there is only one. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const filled = parts.filter((part) => part.length > 0)
  return filled.length === 1 ? filled[0]! : concatBytes(filled)
}

/** The name of a source in errors. */
export function nameOf(source: ByteSource): string {
  if (typeof source === 'string') return source
  if (isUrl(source)) return source.href
  if (typeof File === 'function' && source instanceof File) return source.name
  return typeof source === 'object' && source !== null && 'text' in source && typeof source.text === 'string'
    ? 'the text'
    : 'the data'
}
