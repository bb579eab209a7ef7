// Keeps files of servers in the Cache Storage of a page, from which they are read in parts, without being in memory.

import type { FileStore, FileVersion } from './file-store'
import type { RemoteFile } from './remote-folder'

const NAME = 'myelin-presets'
/** Bytes that are fetched at once. */
const BLOCK = 2 ** 23
/** The largest file whose SHA-256 is computed: it must be in memory for that. */
const MOST_SUMMED = 2 ** 29

/** @returns null where there is no Cache Storage, such as in a page without https */
export function pageStore(): FileStore | null {
  const { caches } = globalThis
  if (caches === undefined) return null
  const keyOf = ({ address, size, tag }: FileVersion): string =>
    `${address}${address.includes('?') ? '&' : '?'}myelin-version=${encodeURIComponent(`${size} ${tag ?? ''}`)}`
  const blobOf = async (version: FileVersion): Promise<Blob | null> => {
    const found = await (await caches.open(NAME)).match(keyOf(version))
    return found === undefined ? null : found.blob()
  }
  return {
    async find(version) {
      const blob = await blobOf(version)
      if (blob === null) return null
      if (blob.size !== version.size) {
        await this.remove(version)
        return null
      }
      return {
        name: version.address,
        size: blob.size,
        read: async (start, end) => new Uint8Array(await blob.slice(start, end).arrayBuffer()),
      }
    },
    async fetch(version, file) {
      await (await caches.open(NAME)).put(keyOf(version), new Response(streamOf(file, version.size)))
      const blob = version.size <= MOST_SUMMED ? await blobOf(version) : null
      if (blob === null || crypto.subtle === undefined) return null
      const sum = new Uint8Array(await crypto.subtle.digest('SHA-256', await blob.arrayBuffer()))
      return Array.from(sum, (byte) => byte.toString(16).padStart(2, '0')).join('')
    },
    async remove(version) {
      await (await caches.open(NAME)).delete(keyOf(version))
    },
  }
}

function streamOf(file: RemoteFile, size: number): ReadableStream<Uint8Array> {
  let at = 0
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (at >= size) return controller.close()
      const end = Math.min(size, at + BLOCK)
      controller.enqueue(await file.read(at, end))
      at = end
    },
  })
}
