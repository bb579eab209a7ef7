// The settings that hold while a file is read or written. Code that does not know the formats reads them, such as the code that creates
// weights. They are one scoped value, because one file is read or written at a time.

import type { Config } from './registry'
import { scoped } from './scope'

/** Makes a regular expression of its text. */
export type MakePattern = (source: string, flags: string) => RegExp

/** The inputs and outputs of a functional model: trees of symbols. */
export interface SymbolsOfGraph {
  readonly inputs: unknown
  readonly outputs: unknown
}

interface FileScope {
  /** The largest number of elements of a weight, and how many are left for all further variables. Default: no limit. */
  readonly limit?: { readonly largest: number; left: number }
  /** Whether the file fills the weights that layers create: they begin as zeros, and no initializer runs. */
  readonly fillsWeights?: boolean
  /** Makes the regular expressions that the file contains. Default: as expressions of the program are made. */
  readonly makePattern?: MakePattern
  /** Reads the graph of a functional model. Default: the loader of the program, if it has one. */
  readonly readGraph?: (config: Config) => SymbolsOfGraph
  /** Whether the file may name only the classes of customObjects, and not those of the whole library. */
  readonly hasOnlyGivenClasses?: boolean
  /**
   * Whether layers and weights are listed in the order of old files: layers in properties first, then those of a graph by their first
   * call, and weights in the order of their creation.
   */
  readonly isInFormerOrder?: boolean
  /** Whether quantized layers are written in the form of float32 layers. */
  readonly isInFloats?: boolean
  /** Whether the graph of the file must not depend on the extents of its inputs, because its readers evaluate constants only once. */
  readonly foldsConstants?: boolean
}

const file = /* @__PURE__ */ scoped<FileScope>({})

/** The settings that hold now. */
export function fileScope(): FileScope {
  return file.current
}

/** Runs `body`, which must be synchronous, with further settings. */
export function withFile<Result>(changed: FileScope, body: () => Result): Result {
  return file.within({ ...file.current, ...changed }, body)
}
