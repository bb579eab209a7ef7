// The few things that differ between Node and browsers: files.

import { StateError } from '../core/errors'

interface FileSystem {
  readFile(path: string | URL): Promise<Uint8Array>
  writeFile(path: string | URL, data: Uint8Array): Promise<void>
}

/** Node's file system; null elsewhere. The name is not a literal, so that no bundler looks for it. */
async function fileSystem(): Promise<FileSystem | null> {
  if (typeof process !== 'object' || process.versions?.node === undefined) return null
  const name = ['node:', 'fs/promises'].join('')
  return import(/* @vite-ignore */ /* webpackIgnore: true */ name)
}

/** A path as it is; a URL, written out or not, as a URL. */
function location(source: string | URL): string | URL {
  return typeof source === 'string' && source.startsWith('file:') ? new URL(source) : source
}

function isRemote(source: string | URL): boolean {
  return /^(https?|blob|data):/.test(String(source))
}

/** The bytes of a file (Node) or of what a URL gives (everywhere). */
export async function readFile(source: string | URL): Promise<Uint8Array> {
  const files = isRemote(source) ? null : await fileSystem()
  if (files !== null) return files.readFile(location(source))
  const response = await fetch(source).catch((error: unknown) => {
    throw new StateError(`${String(source)} could not be read: ${String(error)}`)
  })
  if (!response.ok) throw new StateError(`${String(source)}: the server answered ${response.status}`)
  return new Uint8Array(await response.arrayBuffer())
}

/** @throws StateError where there are no files. */
export async function writeFile(path: string | URL, data: Uint8Array): Promise<void> {
  const files = await fileSystem()
  if (files === null) {
    throw new StateError('There are no files in a browser. Call save() without a path and keep the bytes it returns.')
  }
  await files.writeFile(location(path), data)
}
