// Opens the folder of a model, wherever it is.

import { ArgumentError, StateError, listed, quoted } from '../../core/errors'
import { isBlob, isUrl } from '../../core/globals'
import { abortSignal, custom, nullable, option, readOptions, text, unchecked, type ValuesOf } from '../../core/options'
import { staysInside } from '../../engine/runtime/beside'
import { pathOf } from '../../engine/runtime/files'
import { isRemote, nodeModule, urlOf } from '../../engine/runtime/platform'
import { cachedFolder } from './cached-folder'
import { fileFolder } from './file-folder'
import { listedFiles } from './listed-files'
import { PresetFolder, type FileOpener } from './preset-folder'
import { remoteFolder, type DownloadProgress } from './remote-folder'

/** A path (Node), an address, `hf://owner/name[@revision]`, of a folder or of a GGUF file in it; or files that a user chose. */
export type PresetSource = string | URL | readonly File[]

export interface OpenPresetOptions {
  /** The branch, tag or commit of a repository of the hub. Default null: that of the address, otherwise main. */
  readonly revision?: string | null
  /** The token for repositories of the hub that require one. Default null. */
  readonly token?: string | null
  /** The hub, or a mirror of it. Default https://huggingface.co. */
  readonly endpoint?: string
  /**
   * Whether files of servers are kept, so that they are fetched once: in ~/.cache/myelin or XDG_CACHE_HOME in Node, in the Cache Storage
   * of a page. A text is another folder in Node. Default true.
   */
  readonly cache?: boolean | string
  /** Is called while files are read from a server: with the name of the file, the bytes so far, and all. */
  readonly onProgress?: ((progress: DownloadProgress) => void) | null
  /** Ends it; the promise rejects with the reason of the signal. */
  readonly signal?: AbortSignal | null
}

const HUB = 'https://huggingface.co'

const cacheKind = custom<boolean | string>(
  (value, where) => {
    if (typeof value === 'boolean' || (typeof value === 'string' && value !== '')) return value
    throw new ArgumentError(`${where} must be true, false or the path of a folder, received ${quoted(value)}`)
  },
  (value) => value,
)

const table = () => ({
  revision: option(nullable(text), null),
  token: option(nullable(text), null),
  endpoint: option(text, HUB),
  cache: option(cacheKind, true),
  onProgress: option(unchecked<OpenPresetOptions['onProgress']>(), null),
  signal: option(nullable(abortSignal), null),
})

type Settings = ValuesOf<ReturnType<typeof table>>

/** Where a model is: its folder, and the GGUF file within it if the source is one. */
interface Place {
  readonly folder: FileOpener
  readonly file: string | null
}

/**
 * Opens the folder of a model. A GGUF file stands for the folder of its model; so does a folder with one such file and no config.json.
 * @throws ArgumentError for another source; StateError if it cannot be read; FormatError for a damaged GGUF file
 */
export async function openPreset(
  source: PresetSource,
  where: string,
  options: OpenPresetOptions = {},
): Promise<PresetFolder> {
  const settings = readOptions(where, table(), options)
  settings.signal?.throwIfAborted()
  const { folder, file } = await placeOf(source, where, settings)
  const gguf = file ?? (await onlyGguf(folder))
  if (gguf === null) return new PresetFolder(folder)
  const found = await folder.open(gguf)
  if (found === null) throw new StateError(`${where}: ${folder.name} has no file ${quoted(gguf)}`)
  const { openGguf } = await import('./gguf/open-gguf')
  return openGguf(found)
}

const GGUF = /\.gguf$/i

async function placeOf(source: PresetSource, where: string, settings: Settings): Promise<Place> {
  if (areFiles(source)) return { folder: listedFiles(source, where), file: null }
  if (typeof source !== 'string' && !isUrl(source))
    throw new ArgumentError(
      `${where}: the source must be a path, an address, hf://owner/name, or a list of files, received ${quoted(source)}`,
    )
  const repository = repositoryIn(String(source), where)
  if (repository !== null) return placeInHub(repository, settings)
  for (const option of ['revision', 'token'] as const)
    if (settings[option] !== null)
      throw new ArgumentError(`${where}: ${option} is for repositories of the hub, hf://owner/name`)
  const address = addressOf(source, where)
  if (address !== null) return placeOnServer(address, settings, {}, false)
  const path = pathOf(source, where)
  if (!GGUF.test(path)) return { folder: await fileFolder(path, where), file: null }
  const at = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1
  return { folder: await fileFolder(path.slice(0, at) || '.', where), file: path.slice(at) }
}

/** The address of a source; null for a path. Without a file system, a path is relative to the page. */
function addressOf(source: string | URL, where: string): URL | null {
  if (isRemote(source)) return urlOf(source, where)
  const page = nodeModule('node:fs/promises') === null ? globalThis.location?.href : undefined
  return page === undefined ? null : urlOf(source, where, page)
}

async function placeOnServer(
  address: URL,
  { signal, onProgress = null, cache }: Settings,
  headers: Readonly<Record<string, string>>,
  isHub: boolean,
): Promise<Place> {
  const isFile = GGUF.test(address.pathname)
  // The query may be a signature, which belongs to the file.
  const base = isFile ? new URL('.', address).href : address.href.replace(/\/?$/, '/')
  const folder = remoteFolder(base, { headers, signal, isHub, onProgress })
  return {
    folder: cache === false ? folder : await cachedFolder(folder, cache),
    file: isFile ? address.href.slice(base.length) : null,
  }
}

function placeInHub({ name, revision, file }: Repository, settings: Settings): Promise<Place> {
  const { token, endpoint } = settings
  const version = encodeURIComponent(settings.revision ?? revision ?? 'main')
  const address = `${endpoint.replace(/\/$/, '')}/${name}/resolve/${version}/${file ?? ''}`
  const headers = token === null ? {} : { Authorization: `Bearer ${token}` }
  return placeOnServer(urlOf(address, 'endpoint'), settings, headers, true)
}

/** The only GGUF file of a folder that is not the folder of a model otherwise; null if there is none. */
async function onlyGguf(folder: FileOpener): Promise<string | null> {
  const names = await folder.list()
  const found = names.includes('config.json') ? [] : names.filter((name) => GGUF.test(name))
  if (found.length > 1)
    throw new ArgumentError(`${folder.name} has several models: ${listed(found, ', ')}. Give the path of one of them`)
  return found[0] ?? null
}

function areFiles(source: unknown): source is readonly File[] {
  return Array.isArray(source) && source.every((each) => isBlob(each))
}

interface Repository {
  readonly name: string
  readonly revision: string | null
  /** A GGUF file in it. */
  readonly file: string | null
}

/** What the address of a repository names; null for other sources. */
function repositoryIn(source: string, where: string): Repository | null {
  if (!source.startsWith('hf://')) return null
  const match = /^hf:\/\/([\w.-]+\/[\w.-]+|[\w.-]+)(?:@([^@\s]+?))?(?:\/([^@\s]+\.gguf))?\/?$/i.exec(source)
  const [, name, revision = null, file = null] = match ?? []
  if (name !== undefined && (file === null || staysInside(file))) return { name, revision, file }
  throw new ArgumentError(
    `${where}: the address of a repository must be hf://owner/name, hf://owner/name@revision, or one of these with /file.gguf, received ${quoted(source)}`,
  )
}
