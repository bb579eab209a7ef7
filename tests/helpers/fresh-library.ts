// The library as a page has it, and as a bundle has it. Test files share a process, where another one may have loaded the entry for Node.

import { vi } from 'vitest'
import type * as library from '../../src'

/**
 * Loads the library again, without the entry for Node. Modules that are imported later belong to this one: use it in the last
 * tests of a file.
 */
export function freshLibrary(): Promise<typeof library> {
  vi.resetModules()
  return import('../../src')
}

/** The same as in a bundle without the loader of files, because bundlers drop the calls of src/index.ts. */
export async function bundledLibrary(): Promise<typeof library> {
  const bundled = await freshLibrary()
  const { useFileLoader } = await import('../../src/models/file-loader')
  useFileLoader(null)
  return bundled
}
