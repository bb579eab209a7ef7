// Where files of servers are kept: the interface of folder-store.ts and page-store.ts.

import type { PresetFile } from './preset-folder'
import type { RemoteFile } from './remote-folder'

/** Keeps files. */
export interface FileStore {
  /** A complete file of this version; null if there is none. */
  find(version: FileVersion): Promise<PresetFile | null>
  /** Fetches a file, going on where an earlier call stopped. @returns the SHA-256 of what was stored, if it is known */
  fetch(version: FileVersion, file: RemoteFile): Promise<string | null>
  remove(version: FileVersion): Promise<void>
}

/** What distinguishes the content of an address from an earlier one. */
export interface FileVersion {
  readonly address: string
  readonly size: number
  /** The tag of the server; null if it gives none. */
  readonly tag: string | null
}
