// The type of a file that was checked.

import type { Operator } from './call'
import type { Vocabulary } from './strings'
import type { FunctionProto, GraphProto } from './proto'

/** A file that is known to be consistent. */
export interface OnnxFile {
  /** Names the file in errors. */
  readonly name: string
  readonly graph: GraphProto
  readonly opset: number
  /** What its nodes compute, by their types. */
  readonly operators: ReadonlyMap<string, Operator>
  readonly functions: ReadonlyMap<string, FunctionProto>
  /** The numbers of its strings; null if it has none. */
  readonly strings: Vocabulary | null
  /** Whether it is a model of a table, each row of which is a sample. */
  readonly isTable: boolean
}
