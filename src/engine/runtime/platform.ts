// Differences between Node and browsers: Node's modules, and reading bytes. Writing is in files.ts.

import type crypto from 'node:crypto'
import type files from 'node:fs'
import type fs from 'node:fs/promises'
import type os from 'node:os'
import type path from 'node:path'
import type url from 'node:url'
import type v8 from 'node:v8'
import type threads from 'node:worker_threads'
import type zlib from 'node:zlib'
import { orAbort } from '../../core/abort'
import { concatBytes } from '../../core/bytes'
import { ArgumentError, FormatError, MyelinError, StateError, quoted } from '../../core/errors'
import { isBlob, isUrl } from '../../core/globals'
import { requireContent } from '../../core/misplaced'

/** The modules that are used. */
export interface NodeModules {
  readonly 'node:crypto': typeof crypto
  readonly 'node:fs': typeof files
  readonly 'node:fs/promises': typeof fs
  readonly 'node:os': typeof os
  readonly 'node:path': typeof path
  readonly 'node:url': typeof url
  readonly 'node:v8': typeof v8
  readonly 'node:worker_threads': typeof threads
  readonly 'node:zlib': typeof zlib
}

/** Node's process; null elsewhere. Read from the global object, because bundlers replace the bare name by a package. */
export function nodeProcess(): NodeJS.Process | null {
  const found: NodeJS.Process | undefined = globalThis.process
  return found?.versions?.node === undefined ? null : found
}

/**
 * A Node module; null elsewhere, and in Node before 20.16 and 22.3. A call instead of an import, because
 * bundlers resolve imports, or warn about those that they cannot resolve.
 */
export function nodeModule<Name extends keyof NodeModules>(name: Name): NodeModules[Name] | null {
  return nodeProcess()?.getBuiltinModule?.<Name>(name) ?? null
}

/** A path unchanged; a URL, as an object or a string, as a URL object. */
export function location(source: string | URL): string | URL {
  return typeof source === 'string' && source.startsWith('file:') ? new URL(source) : source
}

/** Whether a source is fetched instead of read as a file. */
export function isRemote(source: string | URL): boolean {
  return /^(https?|blob|data):/.test(String(source))
}

/** @throws ArgumentError for a value that is neither a path nor a URL */
export function requirePath(path: unknown, where: string): asserts path is string | URL {
  const isPlace = (typeof path === 'string' && path !== '' && !path.includes('\0')) || isUrl(path)
  if (!isPlace) throw new ArgumentError(`${where}: expected a path or a URL, received ${quoted(path)}`)
  const [, found, slashes] = /^([a-z][a-z\d+.-]+):(\/\/)?/i.exec(String(path)) ?? []
  const scheme = found?.toLowerCase()
  if (scheme === undefined || SCHEMES.includes(scheme)) return
  // A file may be named 'run:1.keras'.
  if (slashes === undefined && !isUrl(path) && !OTHER_SCHEMES.includes(scheme)) return
  throw new ArgumentError(
    `${where}: ${quoted(String(path))} is an address of a kind that is not supported. Give a path, or an address that begins with ${SCHEMES.slice(0, 5).join(':, ')}:`,
  )
}

/** The schemes that are known. The last two are those of TensorFlow.js, for models in the storage of a page. */
const SCHEMES = ['http', 'https', 'file', 'blob', 'data', 'indexeddb', 'localstorage']

/** Schemes of other addresses, which may have no slashes. */
const OTHER_SCHEMES =
  'about ftp ftps sftp ssh scp git gs s3 hdfs javascript mailto sms tel urn view-source vbscript ws wss'.split(' ')

/** The URL object of an address. @throws ArgumentError for a text that is not an address */
export function urlOf(address: string | URL, where: string, base?: string | URL): URL {
  try {
    return new URL(address, base)
  } catch (cause) {
    throw new ArgumentError(`${where}: ${quoted(String(base ?? address))} is not an address`, { cause })
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EACCES: 'access is denied',
  EPERM: 'access is denied',
  ENOSPC: 'the disk is full',
}

/** An error of the file system as an error of this library that names the path. @param done 'read' or 'written' */
export function fileError(where: string, path: string | URL, done: string, cause: unknown): MyelinError {
  if (cause instanceof MyelinError) return cause
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : ''
  const message = cause instanceof Error ? cause.message : String(cause)
  const remedy = code === 'ENOENT' && done === 'written' ? '. Make the folder first' : ''
  return new StateError(
    `${where}: ${quoted(String(path))} cannot be ${done}: ${REASONS[code] === undefined ? message : `${REASONS[code]} (${code})`}${remedy}`,
    { cause },
  )
}

/**
 * The bytes of a file (Node) or of a URL (everywhere).
 * @param where names the call in errors
 * @param answer asks the server
 * @throws ArgumentError for a value that is not a path; StateError, with its cause, if nothing can be read; the reason of
 * the signal
 */
export async function readFile(
  source: string | URL,
  where: string,
  signal: AbortSignal | null = null,
  answer: typeof respond = respond,
): Promise<Uint8Array> {
  requirePath(source, where)
  signal?.throwIfAborted()
  const files = isRemote(source) ? null : nodeModule('node:fs/promises')
  if (files === null) {
    const response = await answer(source, signal)
    const content = await orAbort(contentOf(response, String(source)), signal)
    if (response.redirected) hostOf.set(content, urlOf(response.url, where).host)
    return content
  }
  const bytes = files.readFile(location(source), { signal: signal ?? undefined }).catch((error: unknown) => {
    throw fileError(where, source, 'read', error)
  })
  return orAbort(bytes, signal)
}

/** The hosts to which the requests for files were redirected, by the bytes of the files. */
const hostOf = /* @__PURE__ */ new WeakMap<Uint8Array, string>()

/** The host to which the request for a file was redirected, as a list; empty without a redirect. */
export function hostsOf(bytes: Uint8Array): readonly string[] {
  const host = hostOf.get(bytes)
  return host === undefined ? [] : [host]
}

/** What a loader accepts: bytes, a path (Node), a URL, a `File` or `Blob`. */
export type ByteSource = Uint8Array | ArrayBuffer | Blob | string | URL

/**
 * The bytes that a loader received, or those of a path, a URL or a `Blob`.
 * @throws FormatError for a web page or a pointer of Git LFS; the errors of readFile
 */
export async function bytesFrom(
  source: ByteSource,
  where: string,
  signal: AbortSignal | null = null,
): Promise<Uint8Array> {
  signal?.throwIfAborted()
  return requireContent(await readSource(source, where, signal), nameIn(source), where)
}

async function readSource(source: ByteSource, where: string, signal: AbortSignal | null): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source
  if (source instanceof ArrayBuffer) return new Uint8Array(source)
  if (isBlob(source)) return new Uint8Array(await orAbort(source.arrayBuffer(), signal))
  return readFile(source, where, signal)
}

/** The number of characters of a source in errors: a data URL contains the whole file. */
const LONGEST_NAME = 200

/**
 * The result of `read`. A FormatError in it also names the file.
 * @param source what the user passed to the loader: bytes have no name
 */
export async function naming<Result>(source: unknown, read: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await read()
  } catch (error) {
    const name = nameIn(source)
    if (!(error instanceof FormatError) || name === null) throw error
    throw new FormatError(`${quoted(name)}: ${error.message}`, { cause: error })
  }
}

/** The path, the address or the name of a source, for errors; null for bytes, which have none. */
function nameIn(source: unknown): string | null {
  const name = isBlob(source) && 'name' in source ? source.name : source
  return typeof name === 'string' || isUrl(name) ? String(name).slice(0, LONGEST_NAME) : null
}

/**
 * The maximum number of bytes of a response: above the size of any file that Node can read at once. It is lower if the server
 * does not state a length, because such a response may have no end.
 */
const [MOST_BYTES, MOST_UNSTATED] = [2 ** 32, 2 ** 30]

/** The response of a server. A signal ends the request, and the transfer of its body. */
export async function respond(source: string | URL, signal: AbortSignal | null = null): Promise<Response> {
  return accepted(await ask(source, { signal }), source)
}

/** @throws StateError for a response that is an error */
export function accepted(response: Response, source: string | URL): Response {
  if (response.ok) return response
  throw new StateError(`${String(source)}: the server answered ${response.status}`)
}

/** A request. @throws StateError if there is no answer; the reason of the signal */
export async function ask(source: string | URL, options: RequestInit): Promise<Response> {
  const response = fetch(source, options).catch((error: unknown) => {
    throw new StateError(`${String(source)} could not be read: ${String(error)}`)
  })
  return orAbort(response, options.signal ?? null)
}

/**
 * The body of a response.
 * @throws StateError for one that is too large, before all of it is in memory, and for one that ends early or is damaged
 */
async function contentOf(response: Response, source: string): Promise<Uint8Array> {
  const name = source.slice(0, LONGEST_NAME)
  const stated = response.headers?.get('content-length') ?? null
  // Of a compressed response, the server states the bytes before they are decompressed.
  const isStated = stated !== null && response.headers.get('content-encoding') === null
  const most = isStated || !/^https?:/.test(source) ? MOST_BYTES : MOST_UNSTATED
  const tooLarge = (): StateError => {
    const advice =
      most === MOST_BYTES ? '' : '. Let the server state its content-length, uncompressed, or pass the bytes'
    return new StateError(`${name}: the response has more than ${most} bytes${advice}`)
  }
  if (Number(stated ?? 0) > MOST_BYTES) throw tooLarge()
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of bodyOf(response, source)) {
    size += part.length
    if (size > most) throw tooLarge()
    parts.push(part)
  }
  return concatBytes(parts)
}

/** The body of a response in parts. @throws StateError with the address if it ends early or is damaged */
export function bodyOf(response: Response, source: string): AsyncIterable<Uint8Array> {
  const failed = (cause: unknown): never => {
    if (cause instanceof MyelinError) throw cause
    const reasons = [cause, cause instanceof Error ? cause.cause : null].flatMap((each) =>
      each instanceof Error ? [each.message] : [],
    )
    throw new StateError(
      `${source.slice(0, LONGEST_NAME)}: the response ended before it was complete, or is damaged: ${reasons.join(', ')}. Try again, or check the server`,
      { cause },
    )
  }
  // Not a generator: it could not end while it waits for a part.
  return {
    [Symbol.asyncIterator]() {
      const reader = response.body?.getReader() ?? null
      let isDone = false
      const whole = async (): Promise<ReadableStreamReadResult<Uint8Array>> => {
        if (isDone) return { done: true, value: undefined }
        isDone = true
        return { done: false, value: new Uint8Array(await response.arrayBuffer()) }
      }
      return {
        next: () => (reader === null ? whole() : reader.read()).catch(failed),
        return() {
          void reader?.cancel().catch(() => {})
          return Promise.resolve({ done: true, value: undefined })
        },
      }
    },
  }
}
