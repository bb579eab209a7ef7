// Files next to another file, such as the shards of a model. Only files in its folder, or below, are read.

import { FormatError, quoted } from '../core/errors'
import { isRemote, location, nodeModule, readFile } from './platform'

/** Reads a file by its path relative to the folder of another. @throws FormatError for a path that leaves the folder */
export type FileReader = (name: string) => Promise<Uint8Array>

/** Whether a path is relative and stays in its folder, on every system and as a part of an address. */
export function staysInside(name: string): boolean {
  const isAbsolute = /^[/\\~]|^[a-z][a-z\d+.-]*:|[\0?#]/i.test(name)
  return !isAbsolute && !name.split(/[/\\]/).some((part) => part === '..' || part === '')
}

/**
 * A reader of the files in the folder of `source`, a path (Node) or a URL; null for other sources, which have no folder.
 * @param where names the call in errors
 */
export function readerBeside(source: unknown, where: string, signal: AbortSignal | null = null): FileReader | null {
  if (!(typeof source === 'string' || source instanceof URL)) return null
  return async (name) => readFile(await beside(source, name, where), where, signal)
}

async function beside(source: string | URL, name: string, where: string): Promise<string | URL> {
  if (!staysInside(name)) throw new FormatError(`${where}: ${quoted(name)} leads out of the folder of the model`)
  if (isRemote(source)) return new URL(name.split('/').map(encodeURIComponent).join('/'), source)
  const [files, paths, urls] = [nodeModule('node:fs/promises'), nodeModule('node:path'), nodeModule('node:url')]
  if (files === null || paths === null || urls === null) return relativeTo(String(source), name)
  const own = location(source)
  const folder = await files.realpath(paths.dirname(own instanceof URL ? urls.fileURLToPath(own) : own))
  const path = paths.join(folder, name)
  const real = await files.realpath(path).catch(() => path)
  if (real.startsWith(folder === paths.sep ? folder : folder + paths.sep)) return real
  throw new FormatError(`${where}: ${quoted(name)} leads out of the folder of the model`)
}

/** In a browser, where the address of a model may be relative to the page. */
function relativeTo(source: string, name: string): string {
  return source.slice(0, source.lastIndexOf('/') + 1) + name.split('/').map(encodeURIComponent).join('/')
}
