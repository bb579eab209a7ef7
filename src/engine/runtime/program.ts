// A compiled graph that can be run repeatedly: the interface of every backend. Write parameters into views,
// call run(), and read outputs, from views immediately or as copies when they arrive.

import type { NumericArray, TensorData } from '../../core/dtypes'
import type { Cell, Graph } from '../ir/graph'
import type { LabelledInstruction } from '../tape/encode'
import type { Tally } from './meter'

export interface Program {
  readonly graph: Graph
  /** Counts its runs. */
  readonly tally: Tally
  /** The instructions of its tape; null in the interpreter. */
  readonly instructions: readonly LabelledInstruction[] | null
  /** Bytes of linear memory that only this program uses. */
  readonly byteLength: number
  /** Bytes of linear memory that a run needs. Programs run one at a time and share them. */
  readonly workspaceBytes: number
  /** The view for parameter i before a run. Invalid after the next run of any program. */
  parameter(index: number): NumericArray
  /** Runs once. Returns false if a guard found NaN or ±Inf; nothing after the guard was then executed. */
  run(): boolean
  /** Output i of the last run. Invalid after the next run of any program. */
  output(index: number): NumericArray
  /** Output i of the last run, as a copy. A device with separate memory delivers it later. */
  read(index: number): Promise<NumericArray>
  /** A copy of the content of a cell after the last run. Arrives like the result of read. */
  readCell(cell: Cell): Promise<TensorData>
  /**
   * Runs again, instruction by instruction, and describes the first instruction that produced NaN or ±Inf.
   * Write the parameters first, as for any run.
   */
  findNonFinite(): string | null
  /**
   * The instructions as they are in memory, without the end mark, for a tape that runs them several times.
   * Invalid when the runtime's epoch changes. null in the interpreter, and if several threads run them.
   */
  instructionWords(): Int32Array | null
  dispose(): void
}
