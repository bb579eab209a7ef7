// What differs between Node and browsers: Node's own modules, and where bytes are read from. Writing is in files.ts.

import type files from 'node:fs'
import type fs from 'node:fs/promises'
import type os from 'node:os'
import type path from 'node:path'
import type url from 'node:url'
import type v8 from 'node:v8'
import type threads from 'node:worker_threads'
import { StateError } from '../core/errors'

/** Those that are used. */
export interface NodeModules {
  readonly 'node:fs': typeof files
  readonly 'node:fs/promises': typeof fs
  readonly 'node:os': typeof os
  readonly 'node:path': typeof path
  readonly 'node:url': typeof url
  readonly 'node:v8': typeof v8
  readonly 'node:worker_threads': typeof threads
}

/** Node's process; null elsewhere. A property of the global object, because bundlers put a package in the place of the bare name. */
export function nodeProcess(): NodeJS.Process | null {
  const found: NodeJS.Process | undefined = globalThis.process
  return found?.versions?.node === undefined ? null : found
}

/**
 * A module of Node's own; null elsewhere, and in Node before 20.16 and 22.3. It is asked for by a call, not by an import,
 * because bundlers resolve imports, or warn about those that they cannot read.
 */
export function nodeModule<Name extends keyof NodeModules>(name: Name): NodeModules[Name] | null {
  return nodeProcess()?.getBuiltinModule?.<Name>(name) ?? null
}

/** A path as it is; a URL, written out or not, as a URL. */
export function location(source: string | URL): string | URL {
  return typeof source === 'string' && source.startsWith('file:') ? new URL(source) : source
}

/** Whether it is the address of something to fetch, rather than a file. */
export function isRemote(source: string | URL): boolean {
  return /^(https?|blob|data):/.test(String(source))
}

/** The bytes of a file (Node) or of what a URL gives (everywhere). */
export async function readFile(source: string | URL): Promise<Uint8Array> {
  const files = isRemote(source) ? null : nodeModule('node:fs/promises')
  if (files !== null) return files.readFile(location(source))
  return new Uint8Array(await (await respond(source)).arrayBuffer())
}

/** What a server answers. */
export async function respond(source: string | URL): Promise<Response> {
  const response = await fetch(source).catch((error: unknown) => {
    throw new StateError(`${String(source)} could not be read: ${String(error)}`)
  })
  if (!response.ok) throw new StateError(`${String(source)}: the server answered ${response.status}`)
  return response
}
