// A graph made ready to run, over and over: on the tape in linear memory, or in the interpreter.
// Parameters are written into views, then run(), then outputs are read from views.

import { StateError, internalError } from '../core/errors'
import type { Cell, Graph, Node } from '../ir/graph'
import type { Address } from '../ir/instruction'
import { allocate, hasNonFinite, interpret } from '../ir/interpret'
import { printNode } from '../ir/print'
import type { NumericArray, TensorData } from '../core/dtypes'
import type { TensorType } from '../core/shapes'
import { sizeOf } from '../core/shapes'
import type { Plan } from '../plan'
import { plan } from '../plan'
import type { PlacedBuffer } from '../plan/memory'
import { disassemble, encode, instructionOffsets, tapeBytes } from '../plan/tape'
import type { Runtime } from './runtime'
import { Storage, counters } from './runtime'

export interface Program {
  readonly graph: Graph
  /** Bytes of linear memory that belong to this program alone. */
  readonly byteLength: number
  /** Where to write parameter i before a run. Stale after the next run of any program. */
  parameter(index: number): NumericArray
  /** Runs once. false when a guard found NaN or ±Inf; then nothing after the guard was done. */
  run(): boolean
  /** Output i of the last run. Stale after the next run of any program. */
  output(index: number): NumericArray
  /**
   * Runs again, instruction by instruction, and describes the first that made a NaN or ±Inf. The parameters
   * must be written before, as for any run.
   */
  findNonFinite(): string | null
  /** The program as text. */
  disassemble(): string
  dispose(): void
}

export function compile(runtime: Runtime, graph: Graph): Program {
  return runtime.kernels === null ? new InterpretedProgram(runtime, graph) : new TapeProgram(runtime, graph)
}

/** The content of a cell, in place. Stale when the memory grows. */
export function cellView(runtime: Runtime, cell: Cell): TensorData {
  return runtime.view(cell.dtype, cell.storage.address + cell.byteOffset, sizeOf(cell.shape))
}

class TapeProgram implements Program {
  readonly graph: Graph
  private readonly plan: Plan
  private readonly tape: Storage
  private readonly constants: Storage
  private readonly runTape: (tape: number) => number
  private epoch = -1
  private workspace = 0
  private parameters: NumericArray[] = []
  private outputs: NumericArray[] = []

  constructor(
    private readonly runtime: Runtime,
    graph: Graph,
  ) {
    this.plan = plan(graph, { ...runtime.settings, threads: runtime.threads, wideTiles: runtime.wideTiles })
    this.graph = graph
    const { memory, instructions } = this.plan
    this.tape = new Storage(runtime, tapeBytes(instructions))
    this.constants = new Storage(runtime, memory.constantBytes)
    this.runTape = runtime.kernels!.run
    for (const { offset, dtype, data } of memory.constants) {
      runtime.view(dtype, this.constants.address + offset, data.length).set(data)
    }
  }

  get byteLength(): number {
    return this.tape.byteLength + this.constants.byteLength
  }

  // Addresses and views hold until the memory grows or the shared workspace moves.
  private refresh(): void {
    this.workspace = this.runtime.workspaceFor(this.plan.memory.workspaceBytes)
    if (this.epoch === this.runtime.epoch) return
    this.epoch = this.runtime.epoch
    const words = encode(this.plan.instructions, (address) => this.resolve(address))
    this.runtime.view('int32', this.tape.address, words.length).set(words)
    const viewOf = (type: TensorType, address: Address): NumericArray =>
      this.runtime.view(type.dtype, this.resolve(address), sizeOf(type.shape))
    this.parameters = this.plan.parameters.map((address, i) => viewOf(this.plan.graph.parameters[i]!, address))
    this.outputs = this.plan.outputs.map((address, i) => viewOf(this.plan.graph.outputs[i]!, address))
  }

  private resolve({ buffer, offset }: Address): number {
    const { home } = this.placed(buffer)
    switch (home.kind) {
      case 'workspace':
        return this.workspace + home.offset + offset
      case 'constants':
        return this.constants.address + home.offset + offset
      case 'cell':
        return home.cell.storage.address + home.cell.byteOffset + offset
      case 'scratch':
        return this.runtime.arena.scratch + offset
    }
  }

  private placed(buffer: Address['buffer']): PlacedBuffer {
    if (!('home' in buffer)) throw internalError('a buffer without a place')
    return buffer as PlacedBuffer
  }

  parameter(index: number): NumericArray {
    if (this.epoch !== this.runtime.epoch) this.refresh()
    return this.parameters[index]!
  }

  run(): boolean {
    if (this.epoch !== this.runtime.epoch) this.refresh()
    counters.wasmRuns++
    const { pool } = this.runtime
    if (!this.plan.isShared || pool === null || !pool.isRunning) return this.runTape(this.tape.address) === 0
    counters.threadedRuns++
    const status = pool.run(this.tape.address, this.plan.nanoseconds / 1e6)
    if (status < 0) throw this.workerLost(-1 - status)
    return status === 0
  }

  /** @param reached the byte offset of the instruction before which the threads did not meet */
  private workerLost(reached: number): StateError {
    const { instructions, kernelOf, kernels, memory } = this.plan
    const offsets = instructionOffsets(instructions)
    const updated = kernelOf.some((index, i) => {
      if (offsets[i]! >= reached) return false
      return index < 0 || kernels[index]!.writes.some((value) => memory.places.get(value)!.buffer.home.kind === 'cell')
    })
    const state = updated
      ? 'It had begun to write: weights, optimizer and metrics may be half updated, so load a saved model before going on.'
      : 'It had not begun to write: weights, optimizer and metrics are those before it.'
    return new StateError(`A worker thread stopped during a run. ${state} Everything runs on one thread from now on.`)
  }

  output(index: number): NumericArray {
    return this.outputs[index]!
  }

  findNonFinite(): string | null {
    this.refresh()
    const { instructions, kernelOf, kernels } = this.plan
    const offsets = instructionOffsets(instructions)
    for (let i = 0; i < instructions.length; i++) {
      if (this.runtime.kernels!.runOne(this.tape.address + offsets[i]!) !== 0) break
      if (kernelOf[i] === kernelOf[i + 1]) continue
      const made = kernels[kernelOf[i]!]?.writes ?? []
      for (const value of made) {
        const { buffer, offset } = this.plan.memory.places.get(value)!
        if (!hasNonFinite(this.runtime.view(value.dtype, this.resolve({ buffer, offset }), sizeOf(value.shape)))) continue
        return `instruction ${i} (${instructions[i]!.label})`
      }
    }
    return null
  }

  disassemble(): string {
    return disassemble(this.plan.instructions, ({ buffer, offset }) => {
      const { home } = this.placed(buffer)
      switch (home.kind) {
        case 'workspace':
          return `work+${home.offset + offset}`
        case 'constants':
          return `const+${home.offset + offset}`
        case 'cell':
          return offset === 0 ? home.cell.name : `${home.cell.name}+${offset}`
        case 'scratch':
          return 'scratch'
      }
    })
  }

  // A later run looks up the tape's address and is told that it is gone.
  dispose(): void {
    this.epoch = -1
    this.tape.dispose()
    this.constants.dispose()
  }
}

class InterpretedProgram implements Program {
  private readonly parameters: NumericArray[]
  private outputs: readonly NumericArray[] = []

  constructor(
    private readonly runtime: Runtime,
    readonly graph: Graph,
  ) {
    this.parameters = graph.parameters.map((parameter) => allocate(parameter))
  }

  readonly byteLength = 0

  parameter(index: number): NumericArray {
    return this.parameters[index]!
  }

  private interpret(onNode?: (node: Node, results: readonly NumericArray[]) => boolean) {
    // A copy: what was read must outlive the updates.
    const read = (cell: Cell): NumericArray => cellView(this.runtime, cell).slice()
    return interpret(this.graph, this.parameters, read, onNode === undefined ? {} : { onNode })
  }

  run(): boolean {
    counters.interpreterRuns++
    const { outputs, updates, stoppedAt } = this.interpret()
    if (stoppedAt !== null) return false
    this.outputs = outputs
    for (const [cell, content] of updates) cellView(this.runtime, cell).set(content)
    return true
  }

  output(index: number): NumericArray {
    return this.outputs[index]!
  }

  findNonFinite(): string | null {
    let found: string | null = null
    this.interpret((node, results) => {
      const bad = results.some(hasNonFinite)
      if (bad) found = printNode(node)
      return !bad
    })
    return found
  }

  disassemble(): string {
    return this.graph.nodes.map(printNode).join('\n')
  }

  dispose(): void {
    this.parameters.length = 0
  }
}
