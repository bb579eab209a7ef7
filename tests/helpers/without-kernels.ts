// The readers of files as engines have them that cannot compile their kernels.

import { vi } from 'vitest'
import type * as data from '../../src/entries/data'

/** Runs something with `myelin/data`, loaded again where WebAssembly is forbidden. */
export async function withoutKernels(run: (plain: typeof data) => Promise<void>): Promise<void> {
  vi.resetModules()
  vi.stubGlobal('WebAssembly', {
    ...WebAssembly,
    Module: function forbidden() {
      throw new Error('forbidden')
    },
  })
  try {
    await run(await import('../../src/entries/data'))
  } finally {
    vi.unstubAllGlobals()
    vi.resetModules()
  }
}
