// A graph as a tape in linear memory, which can be run repeatedly. Runs the tape on one thread; if an instruction has
// several parts, the backend runs it.

import { internalError } from '../../core/errors'
import type { Cell, Graph } from '../ir/graph'
import { Loop } from '../../../assembly/shared/instructions'
import type { Address, Operand } from '../ir/operand'
import { BYTES_PER_ELEMENT, hasNonFinite, type NumericArray, type TensorData } from '../../core/dtypes'
import { sizeOf, type TensorType } from '../../core/shapes'
import { planTape, type Share, type TapePlan } from '../tape'
import { placed, streamAt, type LoopIdentity, type MemoryPlan, type Turns } from '../plan/memory'
import {
  bodyOffset,
  encode,
  instructionOffsets,
  tapeBytes,
  type LabelledInstruction,
  type TapeInstruction,
} from '../tape/encode'
import { Tally } from './meter'
import type { KernelExports } from './wasm/wasm'
import type { Program } from './program'
import { Storage, cellView, counters, type Runtime } from './runtime'

/** What a program needs from its backend. */
export interface TapeEngine {
  readonly kernels: KernelExports
  /** Shares instructions among threads. */
  readonly share: Share
  /** Whether products are planned with tiles of 16 columns. */
  readonly wideTiles: boolean
  /** Loads the kernels of instructions before they run. */
  prepare(instructions: readonly TapeInstruction[]): void
  /**
   * Runs a tape whose instructions have several parts. Returns 0; 1 + the byte offset of the guard that ended it; or −1 −
   * the byte offset of the instruction that was not reached because a thread was lost.
   * @param expected the milliseconds that one thread is expected to need
   */
  runShared(tape: number, expected: number): number
  /** The error for a run that lost a thread. */
  lost(hasWritten: boolean): Error
}

const NO_TURNS: Turns = new Map()

/** The state of a run in step mode, which executes instructions one by one. */
interface Stepped {
  /** Whether the run has ended. */
  readonly ended: boolean
  /** The instruction that produced NaN or ±Inf. */
  readonly found: string | null
}

/** The parts of a plan that a program keeps for its lifetime. */
type KeptPlan = Pick<TapePlan, 'instructions' | 'parameters' | 'outputs' | 'isShared' | 'nanoseconds'> &
  Pick<MemoryPlan, 'workspaceBytes'>

export class TapeProgram implements Program {
  readonly graph: Graph
  readonly tally: Tally
  private readonly plan: KeptPlan
  private readonly tape: Storage
  private readonly constants: Storage
  private readonly runTape: (tape: number) => number
  /** The runtime's epoch when the tape was encoded. */
  private epoch = -1
  private workspace = 0
  private parameters: NumericArray[] = []
  private outputs: NumericArray[] = []

  constructor(
    private readonly runtime: Runtime,
    private readonly backend: TapeEngine,
    graph: Graph,
  ) {
    this.graph = graph
    this.tally = new Tally(graph)
    const { memory, instructions, parameters, outputs, isShared, nanoseconds } = this.planned()
    this.plan = { instructions, parameters, outputs, isShared, nanoseconds, workspaceBytes: memory.workspaceBytes }
    backend.prepare(instructions)
    this.tape = new Storage(runtime, tapeBytes(instructions))
    this.constants = new Storage(runtime, memory.constantBytes)
    this.runTape = backend.kernels.run
    for (const { offset, dtype, data } of memory.constants) {
      runtime.view(dtype, this.constants.address + offset, data.length).set(data)
    }
  }

  /** The whole plan, computed again at each call; bench/ compares its memory with the lower bound. */
  planned(): TapePlan {
    const { share, wideTiles } = this.backend
    return planTape(this.graph, { fuse: this.runtime.settings.fuse, share, wideTiles })
  }

  get instructions(): readonly LabelledInstruction[] {
    return this.plan.instructions
  }

  get workspaceBytes(): number {
    return this.plan.workspaceBytes
  }

  get byteLength(): number {
    return this.tape.byteLength + this.constants.byteLength
  }

  // Encodes the tape and makes the views again if memory grew or the shared workspace moved.
  private refresh(): void {
    this.workspace = this.runtime.workspaceFor(this.plan.workspaceBytes)
    if (this.epoch === this.runtime.epoch) return
    this.epoch = this.runtime.epoch
    const words = encode(this.plan.instructions, (address) => this.resolve(address))
    this.runtime.view('int32', this.tape.address, words.length).set(words)
    const viewOf = (type: TensorType, address: Address): NumericArray =>
      this.runtime.view(type.dtype, this.resolve(address), sizeOf(type.shape))
    this.parameters = this.plan.parameters.map((address, i) => viewOf(this.graph.parameters[i]!, address))
    this.outputs = this.plan.outputs.map((address, i) => viewOf(this.graph.outputs[i]!, address))
  }

  private resolve({ buffer, offset }: Address, turns: Turns = NO_TURNS): number {
    const { home } = placed(buffer)
    switch (home.kind) {
      case 'workspace':
        return this.workspace + home.offset + offset
      case 'constants':
        return this.constants.address + home.offset + offset
      case 'cell':
        return home.cell.storage.address + home.cell.byteOffset + offset
      case 'scratch':
        return this.runtime.arena.scratch + offset
      case 'inside':
        return this.resolve(home.at, turns) + offset
      case 'moving':
        return this.resolve(streamAt(home.stream, turns), turns) + offset
      case 'bound':
        throw internalError('a loop did not provide the bytes of a value')
    }
  }

  parameter(index: number): NumericArray {
    if (this.epoch !== this.runtime.epoch) this.refresh()
    return this.parameters[index]!
  }

  run(): boolean {
    if (this.epoch !== this.runtime.epoch) this.refresh()
    counters.wasmRuns++
    this.tally.add(1)
    if (!this.plan.isShared) return this.runTape(this.tape.address) === 0
    const status = this.backend.runShared(this.tape.address, this.plan.nanoseconds / 1e6)
    if (status < 0) throw this.threadLost(-1 - status)
    return status === 0
  }

  instructionWords(): Int32Array | null {
    const { plan, runtime, tape } = this
    if (plan.isShared) return null
    if (this.epoch !== runtime.epoch) this.refresh()
    return new Int32Array(runtime.memory.buffer, tape.address, tape.byteLength / BYTES_PER_ELEMENT - 1)
  }

  /** @param reached the byte offset of the instruction before which the threads did not synchronize */
  private threadLost(reached: number): Error {
    const { instructions } = this.plan
    const offsets = instructionOffsets(instructions)
    const updated = instructions.some(({ made }, i) => {
      return offsets[i]! < reached && made.some(({ address: { buffer } }) => placed(buffer).home.kind === 'cell')
    })
    return this.backend.lost(updated)
  }

  output(index: number): NumericArray {
    return this.outputs[index]!
  }

  // All outputs are available when run returns.
  read(index: number): Promise<NumericArray> {
    return Promise.resolve(this.output(index).slice())
  }

  readCell(cell: Cell): Promise<TensorData> {
    return Promise.resolve(cellView(this.runtime, cell).slice())
  }

  findNonFinite(): string | null {
    this.refresh()
    return this.step(this.plan.instructions, 0, new Map(), []).found
  }

  /**
   * Runs instructions one by one, from `start` bytes on, until one produces NaN or ±Inf or a guard ends the run.
   * @param indices for each enclosing loop, the index of its current slice
   */
  private step(
    instructions: readonly LabelledInstruction[],
    start: number,
    turns: Map<LoopIdentity, number>,
    indices: readonly number[],
  ): Stepped {
    const offsets = instructionOffsets(instructions, start)
    for (const [i, each] of instructions.entries()) {
      const { loop, label } = each
      const stepped =
        loop === undefined ? this.stepOne(offsets[i]!) : this.stepLoop(each, loop, offsets[i]!, turns, indices)
      if (stepped.ended) return stepped
      if (each.made.some((operand) => this.isBad(operand, turns))) {
        const where = indices.map((index) => `[t=${index}]`)
        return { ended: true, found: `instruction ${i}${where.join('')} (${label})` }
      }
    }
    return { ended: false, found: null }
  }

  private stepOne(offset: number): Stepped {
    return { ended: this.backend.kernels.runOne(this.tape.address + offset) !== 0, found: null }
  }

  private stepLoop(
    instruction: LabelledInstruction,
    loop: LoopIdentity,
    offset: number,
    turns: Map<LoopIdentity, number>,
    indices: readonly number[],
  ): Stepped {
    const address = this.tape.address + offset
    // A SetCount may change it.
    const count = (): number => this.runtime.view('int32', address + Loop.count, 1)[0]!
    for (let turn = 0; turn < count(); turn++) {
      turns.set(loop, turn)
      this.backend.kernels.setTurn(address, turn)
      const stepped = this.step(instruction.body ?? [], offset + bodyOffset(instruction), turns, [
        ...indices,
        loop.reverse ? count() - 1 - turn : turn,
      ])
      if (stepped.ended) return stepped
    }
    turns.delete(loop)
    return { ended: false, found: null }
  }

  private isBad(operand: Operand, turns: Turns): boolean {
    return hasNonFinite(this.runtime.view(operand.dtype, this.resolve(operand.address, turns), sizeOf(operand.shape)))
  }

  // With this epoch, a later run looks up the tape's address, which throws for a disposed storage.
  dispose(): void {
    this.epoch = -1
    this.tape.dispose()
    this.constants.dispose()
  }
}
