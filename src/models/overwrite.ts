// The option `overwrite` of functions that write files.

import { ArgumentError, quoted } from '../core/errors'
import { boolean, option } from '../core/options'
import { pathOf } from '../runtime/files'
import { nodeModule } from '../runtime/platform'

export const overwriteOption = () => ({
  /** false: a file that exists is an error. Default true. */
  overwrite: option(boolean, true),
})

/** @throws ArgumentError if there is a file at a path */
export function requireNew(path: string | URL, where: string): void {
  if (nodeModule('node:fs')?.existsSync(pathOf(path, where)) === true)
    throw new ArgumentError(`${where}: ${quoted(String(path))} exists, and overwrite is false. Give another path`)
}
