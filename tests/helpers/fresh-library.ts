// The library as a page has it. Test files share a process, where another one may have loaded the entry for Node.

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
