// Runs many steps in one call of the engine: a Loop on a separate tape whose body draws the rows of a batch and
// runs a program on them. rows.ts defines the order of rows; the caller decides how many steps may run at once.

import { Gather, Header, Loop, LoopPatch } from '../../../assembly/shared/instructions'
import { Opcode } from '../../../assembly/shared/opcodes'
import { BYTES_PER_ELEMENT } from '../../core/dtypes'
import { instruction, type Instruction } from '../ir/instruction'
import { encode, instructionOffsets, type TapeInstruction } from '../tape/encode'
import type { Program } from './program'
import type { ResidentRows } from './rows'
import { counters, type Storage } from './runtime'
import { tapeBackendOf } from './tape-backend'

/** Runs a program on consecutive batches of rows, all of the same size. */
export class StepLoop {
  private tape: Storage | null = null
  private words = new Int32Array(0)
  private epoch = -1
  private readonly runTape: (tape: number) => number

  /** @param count the rows of a batch, as the program expects */
  constructor(
    private readonly rows: ResidentRows,
    private readonly program: Program,
    private readonly count: number,
  ) {
    this.runTape = tapeBackendOf(rows.runtime).kernels.run
  }

  /**
   * The first step takes the rows from position `start` of the order. A step whose guard found NaN or ±Inf is the last one.
   * @returns the number of completed steps
   */
  run(start: number, steps: number): number {
    const tape = this.prepared()
    const { words, rows, count } = this
    const turn = BYTES_PER_ELEMENT * count
    const first = rows.orderAddress + BYTES_PER_ELEMENT * start
    words[Loop.count / BYTES_PER_ELEMENT] = steps
    for (let i = 0; i < rows.tensors; i++) {
      const patch = (Loop.size + LoopPatch.size * i) / BYTES_PER_ELEMENT
      words[patch + LoopPatch.first / BYTES_PER_ELEMENT] = first
      words[patch + LoopPatch.odd / BYTES_PER_ELEMENT] = first + turn
      words[patch + LoopPatch.even / BYTES_PER_ELEMENT] = first
    }
    counters.wasmRuns++
    const done = this.runTurns(tape.address, first, turn) ?? steps
    // The step that a guard ended counts as a run too.
    this.program.tally.add(Math.min(done + 1, steps))
    return done
  }

  /** Runs the tape. Returns the number of completed iterations; null for all of them. */
  private runTurns(tape: number, first: number, turn: number): number | null {
    const { rows } = this
    if (this.runTape(tape) === 0) return null
    // The row index in the first Gather gives the iteration in which the run stopped.
    const at = (Loop.size + LoopPatch.size * rows.tensors + Gather.indices) / BYTES_PER_ELEMENT
    return (this.words[at]! - first) / turn
  }

  /** The tape with valid addresses. */
  private prepared(): Storage {
    const { program, rows, count } = this
    const { runtime } = rows
    if (this.tape !== null && this.epoch === runtime.epoch) return this.tape
    const gathers = Array.from({ length: rows.tensors }, (_, i) =>
      rows.gather(i, program.parameter(i).byteOffset, count),
    )
    const loop = this.loopOver(gathers)
    // The program's instructions follow those that draw its rows; the end mark comes last.
    const draws = encode([loop], ({ offset }) => offset)
    const steps = program.instructionWords()!
    const end = draws.length - 1 + steps.length
    if (this.tape === null) {
      this.tape = runtime.createStorage(BYTES_PER_ELEMENT * (end + 1))
      // If the memory grew, all addresses have changed.
      return this.prepared()
    }
    this.epoch = runtime.epoch
    this.words = new Int32Array(runtime.memory.buffer, this.tape.address, end + 1)
    this.words.set(draws)
    this.words.set(steps, draws.length - 1)
    this.words[end] = draws.at(-1)!
    this.words[Header.byteLength / BYTES_PER_ELEMENT] = BYTES_PER_ELEMENT * end
    return this.tape
  }

  /** A Loop whose Gathers advance by one batch per iteration. `run` sets their start and the number of iterations. */
  private loopOver(gathers: readonly Instruction[]): TapeInstruction {
    const body = Loop.size + LoopPatch.size * gathers.length
    const step = 2 * BYTES_PER_ELEMENT * this.count
    const patches = instructionOffsets(gathers, body).flatMap((offset) => [offset + Gather.indices, 0, 0, 0, step])
    return { ...instruction(Opcode.Loop, Loop, { count: 0, patchCount: gathers.length }, patches), body: gathers }
  }

  dispose(): void {
    this.tape?.dispose()
    this.tape = null
  }
}
