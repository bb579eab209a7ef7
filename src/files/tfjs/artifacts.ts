// Where a model of TensorFlow.js comes from: model.json, and the files with weights that it names.
//
//   path or URL of model.json, or of its folder ─┐
//   bytes of model.json + { files } ─────────────┼─▶ Artifacts { json, weights: [{ weights, bytes }] }
//   File[] of a page ────────────────────────────┤
//   indexeddb://name, localstorage://name ───────┘
//
// Knows nothing of models: layers/ and graph/ read `json.modelTopology`.

import { utf8Text } from '../../core/text'
import { ArgumentError, FormatError, StateError, quoted } from '../../core/errors'
import type { Json } from '../../core/registry'
import { isRecord, parseJson, valueAt, type JsonRecord } from '../containers/json'
import { openFile, staysInside, type FileReader, type FileSource, type OpenedFile } from '../../engine/runtime/beside'
import { bytesFrom } from '../../engine/runtime/platform'
import type { Artifacts } from './manifest'
import { isStored, readStored } from './stores'

/**
 * A path (Node) or URL of model.json or of its folder, `indexeddb://name` or `localstorage://name` in a browser, the bytes of model.json, or
 * the files of a file chooser.
 */
export type TfjsSource = FileSource

export type { Artifacts } from './manifest'

/** The content of files, by their paths in model.json or by their names. */
export type GivenFiles = Readonly<Record<string, Uint8Array | Blob>>

/** The number of files that a model may have: those of TensorFlow.js have 4 MB each. */
const MOST_FILES = 10_000
/** The number of files that are open at the same time. */
const AT_ONCE = 64

/**
 * Reads model.json and the files that it names.
 * @param files those that are not next to it
 * @param where names the call in errors
 * @throws FormatError for JSON without a model, and for paths that leave the folder; StateError, with its cause, if a file cannot be read
 */
export async function readArtifacts(
  source: TfjsSource,
  files: GivenFiles,
  where: string,
  signal: AbortSignal | null = null,
): Promise<Artifacts> {
  if (typeof source === 'string' && isStored(source)) return readStored(source, where)
  return artifactsOf(await openFile(source, where, signal), files, where)
}

/** How often a model may be replaced while it is read. */
const MOST_READS = 20

/** The same for a file that was read. If a program replaces the model meanwhile, its files are gone, and the new ones are read. */
export async function artifactsOf(opened: OpenedFile, files: GivenFiles, where: string): Promise<Artifacts> {
  let { bytes } = opened
  for (let count = 1; ; count++) {
    try {
      return await artifactsIn({ ...opened, bytes }, files, where)
    } catch (error) {
      const now = error instanceof StateError && count < MOST_READS ? await opened.again?.().catch(() => null) : null
      if (now == null || sameBytes(now, bytes)) throw error
      bytes = now
    }
  }
}

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i])

async function artifactsIn(opened: OpenedFile, files: GivenFiles, where: string): Promise<Artifacts> {
  const { name, bytes, beside } = opened
  const json = jsonOf(bytes, name)
  const byPath = new Map(Object.entries(files).map(([path, content]) => [withoutDot(path), content]))
  const read: FileReader = async (path) => {
    const found = byPath.get(path) ?? byPath.get(path.slice(path.lastIndexOf('/') + 1))
    if (found !== undefined) return bytesFrom(found, where)
    if (beside !== null) return beside(path)
    throw new ArgumentError(
      `${where}: ${name} needs the file '${path}'. Pass its content to readTfjs: { files: { ${JSON.stringify(path)}: bytes } }`,
    )
  }
  const groups = groupsOf(json, name)
  const paths = groups.flatMap((group) => group.paths)
  const contents = new Map<string, Uint8Array>()
  for (let i = 0; i < paths.length; i += AT_ONCE)
    await Promise.all(paths.slice(i, i + AT_ONCE).map(async (path) => contents.set(path, await read(path))))
  const weights = groups.map((group) => ({
    weights: group.weights,
    bytes: group.paths.map((path) => contents.get(path)!),
  }))
  return { name, json, weights }
}

function jsonOf(bytes: Uint8Array, name: string): JsonRecord {
  const json = parseJson(utf8Text(bytes), name)
  if (isRecord(json) && isRecord(valueAt(json, 'modelTopology'))) return json
  throw new FormatError(`${name} has no modelTopology: it is not a model of TensorFlow.js`)
}

/** Files before TensorFlow.js 1.0 do not name their format. */
export function topologyFormat(json: JsonRecord): 'layers-model' | 'graph-model' {
  const format = valueAt(json, 'format')
  if (format === 'layers-model' || format === 'graph-model') return format
  const topology = valueAt(json, 'modelTopology')
  return isRecord(topology) && valueAt(topology, 'node') !== undefined ? 'graph-model' : 'layers-model'
}

const withoutDot = (path: string): string => path.replace(/^(?:\.\/)+/, '')

/** @throws FormatError for a manifest that is incomplete, and for paths that lead out of the folder */
function groupsOf(
  json: JsonRecord,
  name: string,
): readonly { readonly paths: readonly string[]; readonly weights: Json }[] {
  const manifest = valueAt(json, 'weightsManifest') ?? null
  if (manifest === null)
    throw new FormatError(
      `${name} has no weightsManifest, which names its weights: it is the structure of a model alone. Save the model with its weights`,
    )
  if (!Array.isArray(manifest)) throw new FormatError(`${name}: weightsManifest is not a list`)
  const seen = new Set<string>()
  return manifest.map((group: Json) => {
    const [paths, weights = null] = isRecord(group) ? [valueAt(group, 'paths'), valueAt(group, 'weights')] : []
    if (!Array.isArray(paths) || !paths.every((path: Json) => typeof path === 'string'))
      throw new FormatError(`${name}: weightsManifest has a group without a list of paths`)
    return { paths: paths.map((path) => requireOwn(withoutDot(path), seen, name)), weights }
  })
}

/** Returns a path that is within the folder and that the manifest has not named before. */
function requireOwn(path: string, seen: Set<string>, name: string): string {
  if (!staysInside(path))
    throw new FormatError(
      `${name}: weightsManifest has the path ${quoted(path)}, which leads out of the folder of the model`,
    )
  if (seen.has(path)) throw new FormatError(`${name}: weightsManifest names the file '${path}' twice`)
  if (seen.add(path).size > MOST_FILES)
    throw new FormatError(`${name}: weightsManifest names more than ${MOST_FILES} files`)
  return path
}
