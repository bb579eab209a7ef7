// A graph made ready to run, over and over, as everything above sees it: the interface of every backend. Parameters are
// written into views, then run(), then outputs are read, from views at once or as copies when they arrive.

import type { NumericArray, TensorData } from '../core/dtypes'
import type { Cell, Graph } from '../ir/graph'
import type { Tally } from './meter'

export interface Program {
  readonly graph: Graph
  /** How often it ran. */
  readonly tally: Tally
  /** Bytes of linear memory that belong to this program alone. */
  readonly byteLength: number
  /** Where to write parameter i before a run. Stale after the next run of any program. */
  parameter(index: number): NumericArray
  /** Runs once. false when a guard found NaN or ±Inf; then nothing after the guard was done. */
  run(): boolean
  /** Output i of the last run. Stale after the next run of any program. */
  output(index: number): NumericArray
  /** Output i of the last run, as a copy. A device with a memory of its own delivers it later. */
  read(index: number): Promise<NumericArray>
  /** The content of a cell after the last run, as a copy. As read. */
  readCell(cell: Cell): Promise<TensorData>
  /**
   * Runs again, instruction by instruction, and describes the first that made a NaN or ±Inf. The parameters
   * must be written before, as for any run.
   */
  findNonFinite(): string | null
  /**
   * The instructions as they lie in memory, without the end of the tape, for a tape that runs them more than once. Stale
   * when the runtime's epoch changes. null in the interpreter, and where several threads run them.
   */
  instructionWords(): Int32Array | null
  /** The program as text. */
  disassemble(): string
  dispose(): void
}
