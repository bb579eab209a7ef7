// Opens the folder of a model, wherever it is.

import { ArgumentError, quoted } from '../../core/errors'
import { isBlob, isUrl } from '../../core/globals'
import { abortSignal, custom, nullable, option, readOptions, text, unchecked } from '../../core/options'
import { isRemote } from '../../engine/runtime/platform'
import { cachedFolder } from './cached-folder'
import { fileFolder } from './file-folder'
import { listedFiles } from './listed-files'
import { PresetFolder } from './preset-folder'
import { remoteFolder, type DownloadProgress } from './remote-folder'

/** A path (Node), an address, `hf://owner/name[@revision]`, or files that a user chose. */
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

/** @throws ArgumentError for another source; StateError if it cannot be read */
export async function openPreset(
  source: PresetSource,
  where: string,
  options: OpenPresetOptions = {},
): Promise<PresetFolder> {
  const { revision, token, endpoint, cache, onProgress = null, signal } = readOptions(where, table(), options)
  signal?.throwIfAborted()
  const remote = async (
    base: string,
    headers: Readonly<Record<string, string>>,
    isHub: boolean,
  ): Promise<PresetFolder> => {
    const folder = base.endsWith('/') ? base : `${base}/`
    const opener = remoteFolder(folder, { headers, signal, isHub, onProgress: onProgress ?? null })
    return new PresetFolder(cache === false ? opener : await cachedFolder(opener, cache))
  }
  if (areFiles(source)) return new PresetFolder(listedFiles(source, where))
  if (typeof source !== 'string' && !isUrl(source))
    throw new ArgumentError(
      `${where}: the source must be a path, an address, hf://owner/name, or a list of files, received ${quoted(source)}`,
    )
  const repository = repositoryIn(String(source))
  if (repository !== null) {
    const [name, ofAddress] = repository
    const headers = token === null ? {} : { Authorization: `Bearer ${token}` }
    const version = encodeURIComponent(revision ?? ofAddress ?? 'main')
    return remote(`${endpoint.replace(/\/$/, '')}/${name}/resolve/${version}/`, headers, true)
  }
  for (const [option, value] of [
    ['revision', revision],
    ['token', token],
  ] as const)
    if (value !== null) throw new ArgumentError(`${where}: ${option} is for repositories of the hub, hf://owner/name`)
  return isRemote(source) ? remote(String(source), {}, false) : new PresetFolder(await fileFolder(source, where))
}

function areFiles(source: unknown): source is readonly File[] {
  return Array.isArray(source) && source.every((each) => isBlob(each))
}

/** The name and the revision in the address of a repository; null for other sources. */
function repositoryIn(source: string): readonly [name: string, revision: string | null] | null {
  if (!source.startsWith('hf://')) return null
  const match = /^hf:\/\/([\w.-]+\/[\w.-]+|[\w.-]+)(?:@([^@\s]+))?\/?$/.exec(source)
  if (match === null)
    throw new ArgumentError(
      `the address of a repository must be hf://owner/name or hf://owner/name@revision, received ${quoted(source)}`,
    )
  return [match[1]!, match[2] ?? null]
}
