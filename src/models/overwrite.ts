// The option `overwrite` of functions that write files.

import { ArgumentError, quoted } from '../core/errors'
import { boolean, option } from '../core/options'
import { pathOf } from '../engine/runtime/files'
import { nodeModule } from '../engine/runtime/platform'

const overwriteRows = () => ({
  /** false: a file that exists is an error. Default true. */
  overwrite: option(boolean, true),
})
type OverwriteRows = ReturnType<typeof overwriteRows>
export type OverwriteTable = { [Name in keyof OverwriteRows]: OverwriteRows[Name] }
export const overwriteOption: () => OverwriteTable = overwriteRows

/** The error for a file that is there. */
export function existing(path: string | URL, where: string): ArgumentError {
  return new ArgumentError(`${where}: ${quoted(String(path))} exists, and overwrite is false. Give another path`)
}

/** @throws ArgumentError if there is a file at a path */
export function requireNew(path: string | URL, where: string): void {
  if (nodeModule('node:fs')?.existsSync(pathOf(path, where)) === true) throw existing(path, where)
}
