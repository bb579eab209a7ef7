// Files next to another file, such as the shards of a model. Only files in its folder, or below, are read.

import { ArgumentError, FormatError, StateError, quoted } from '../../core/errors'
import { isBlob, isUrl } from '../../core/globals'
import { requireContent } from '../../core/misplaced'
import {
  accepted,
  ask,
  bytesFrom,
  hostsOf,
  isRemote,
  location,
  nodeModule,
  readFile,
  requirePath,
  respond,
  urlOf,
  type ByteSource,
} from './platform'

/** Reads a file by its path relative to the folder of another. @throws FormatError for a path that leaves the folder */
export type FileReader = (name: string) => Promise<Uint8Array>

/** A model in one file, or in several: a list of `File`s, one of which is the model. */
export type FileSource = ByteSource | readonly File[]

/** A file that was read. */
export interface OpenedFile {
  /** The name of the file, for errors. */
  readonly name: string
  readonly bytes: Uint8Array
  /** Reads files next to it; null for bytes, which are in no folder. */
  readonly beside: FileReader | null
  /** Reads the file again, which a program may have replaced; null for bytes. */
  readonly again: (() => Promise<Uint8Array>) | null
}

/** The file of a model within its folder. */
const MODEL_FILE = 'model.json'

/**
 * Reads the file of a model. A folder stands for its model.json. In a list of files the model is the only one whose name ends in .json,
 * or model.json, otherwise the first.
 * @param where names the call in errors
 */
export async function openFile(
  source: FileSource,
  where: string,
  signal: AbortSignal | null = null,
): Promise<OpenedFile> {
  if (isList(source)) return openListed(source, where, signal)
  if (typeof source === 'string' || isUrl(source)) requirePath(source, where)
  const file = await withoutFolder(source, where)
  return openedFile(file, await bytesFrom(file, where, signal), where, signal)
}

/** A file whose bytes were read. */
export function openedFile(
  source: ByteSource,
  bytes: Uint8Array,
  where: string,
  signal: AbortSignal | null,
): OpenedFile {
  const isPlace = typeof source === 'string' || isUrl(source)
  return {
    name: nameOf(source),
    bytes,
    beside: readerBeside(source, bytes, where, signal),
    again: isPlace ? () => readFile(source, where, signal) : null,
  }
}

function isList(source: FileSource): source is readonly File[] {
  return Array.isArray(source) && source.every((each) => isBlob(each))
}

async function openListed(files: readonly File[], where: string, signal: AbortSignal | null): Promise<OpenedFile> {
  const named = files.filter(({ name }) => name.endsWith('.json'))
  const model = (named.length === 1 ? named[0] : named.find(({ name }) => name === MODEL_FILE)) ?? files[0]
  if (model === undefined) throw new ArgumentError(`${where}: the list of files is empty`)
  const beside = async (name: string): Promise<Uint8Array> => {
    const found = files.find((file) => file.name === name.split('/').at(-1))
    if (found !== undefined) return bytesFrom(found, where, signal)
    throw new StateError(`${where}: ${quoted(model.name)} needs the file ${quoted(name)}. Add it to the list of files`)
  }
  return { name: model.name, bytes: await bytesFrom(model, where, signal), beside, again: null }
}

async function withoutFolder(source: ByteSource, where: string): Promise<ByteSource> {
  if (!(typeof source === 'string' || isUrl(source))) return source
  if (isRemote(source)) return String(source).endsWith('/') ? urlOf(MODEL_FILE, where, source) : source
  const [files, paths, urls] = [nodeModule('node:fs/promises'), nodeModule('node:path'), nodeModule('node:url')]
  if (files === null || paths === null || urls === null)
    return String(source).endsWith('/') ? `${String(source)}${MODEL_FILE}` : source
  const place = location(source)
  const path = isUrl(place) ? filePath(place, where, urls.fileURLToPath) : place
  const inside = paths.join(path, MODEL_FILE)
  const isThere = await files.stat(inside).then(
    (found) => found.isFile(),
    () => false,
  )
  return isThere ? inside : source
}

/** @throws ArgumentError for a URL of another computer */
function filePath(url: URL, where: string, convert: (url: URL) => string): string {
  try {
    return convert(url)
  } catch (cause) {
    throw new ArgumentError(`${where}: ${quoted(url.href)} is not the path of a file`, { cause })
  }
}

/** The name of a source in errors. */
function nameOf(source: ByteSource): string {
  if (typeof source === 'string' || isUrl(source)) return String(source).split(/[/\\]/).at(-1) || 'the file'
  return isBlob(source) && 'name' in source ? String(source.name) : 'the file'
}

/** Whether a path is relative and stays in its folder, on every system and as a part of an address. */
export function staysInside(name: string): boolean {
  const isAbsolute = /^[/\\~]|^[a-z][a-z\d+.-]*:|[\0?#]/i.test(name)
  return !isAbsolute && !name.split(/[/\\]/).some((part) => part === '..' || part === '')
}

/**
 * A reader of the files in the folder of `source`, a path (Node) or a URL; null for other sources, which have no folder. A
 * redirect to another host is followed only if `source` was redirected there, too: a file must not decide from where its
 * reader fetches.
 * @param bytes of the source
 * @param where names the call in errors
 */
export function readerBeside(
  source: ByteSource,
  bytes: Uint8Array,
  where: string,
  signal: AbortSignal | null,
): FileReader | null {
  if (!(typeof source === 'string' || isUrl(source))) return null
  return async (name) => {
    const place = await beside(source, name, where)
    const content = await readFile(place, where, signal, respondWithin(hostsOf(bytes)))
    return requireContent(content, String(place), where)
  }
}

async function beside(source: string | URL, name: string, where: string): Promise<string | URL> {
  if (!staysInside(name)) throw new FormatError(`${where}: ${quoted(name)} leads out of the folder of the model`)
  if (isRemote(source)) return urlOf(name.split('/').map(encodeURIComponent).join('/'), where, source)
  const [files, paths, urls] = [nodeModule('node:fs/promises'), nodeModule('node:path'), nodeModule('node:url')]
  if (files === null || paths === null || urls === null) return relativeTo(String(source), name)
  const place = location(source)
  const folder = await files.realpath(paths.dirname(isUrl(place) ? urls.fileURLToPath(place) : place))
  const path = paths.join(folder, name)
  const real = await files.realpath(path).catch(() => path)
  if (!real.startsWith(folder === paths.sep ? folder : folder + paths.sep))
    throw new FormatError(`${where}: ${quoted(name)} leads out of the folder of the model`)
  // Reading a pipe would not end.
  const found = await files.stat(real).catch(() => null)
  if (found === null || found.isFile()) return real
  throw new FormatError(`${where}: ${quoted(name)} is not a regular file`)
}

/** In a browser, where the address of a model may be relative to the page. */
function relativeTo(source: string, name: string): string {
  const [path = ''] = source.split(/[?#]/)
  return path.slice(0, path.lastIndexOf('/') + 1) + name.split('/').map(encodeURIComponent).join('/')
}

/**
 * A request that follows redirects only within the host of an address and `hosts`: the name of the file may not come from the
 * user.
 */
function respondWithin(hosts: readonly string[]): typeof respond {
  return async (source, signal) => {
    if (!/^https?:/.test(String(source))) return respond(source, signal)
    return accepted(await withinHosts(urlOf(source, 'fetch'), hosts, signal ?? null), source)
  }
}

/** The redirects that are followed. */
const MOST_REDIRECTS = 10

/** Follows redirects within the host of an address and others. */
async function withinHosts(source: URL, hosts: readonly string[], signal: AbortSignal | null): Promise<Response> {
  const requireHost = (address: URL): URL => {
    const isSafe = address.protocol === 'https:' || address.protocol === source.protocol
    if (isSafe && [source.host, ...hosts].includes(address.host)) return address
    throw new StateError(
      `${source.href} leads to another host, ${address.protocol}//${address.host}, which is not followed for a file that a model names. Fetch the files yourself, and pass them as a list: loadModel([new File([json], 'model.json'), new File([shard], '${source.pathname.split('/').at(-1)}')]).`,
    )
  }
  let at = source
  for (let count = 0; count <= MOST_REDIRECTS; count++) {
    const response = await ask(at, { signal, redirect: 'manual' })
    // Pages do not see where a redirect leads; browsers have rules for requests to other hosts.
    if (response.type === 'opaqueredirect') {
      const followed = await ask(at, { signal })
      requireHost(urlOf(followed.url, 'fetch'))
      return followed
    }
    const next = response.status >= 300 && response.status < 400 ? response.headers.get('location') : null
    if (next === null) return response
    at = requireHost(urlOf(next, 'fetch', at))
  }
  throw new StateError(`${source.href}: more than ${MOST_REDIRECTS} redirects`)
}
