// The backend without WebAssembly: programs run in the interpreter, with plain loops.

import { hasNonFinite, type NumericArray, type TensorData } from '../../core/dtypes'
import type { Cell, Graph } from '../ir/graph'
import { allocate, interpret, type InterpretOptions } from '../transforms/interpret'
import { printNode } from '../ir/print'
import { Tally } from './meter'
import { Arena, PlainMemory } from './memory'
import type { Program } from './program'
import { cellView, counters, type Backend, type BackendReport, type Runtime } from './runtime'
import { ONE_THREAD } from './tape-backend'

export class InterpreterBackend implements Backend {
  readonly memory = new PlainMemory()
  readonly arena = new Arena(this.memory)
  readonly ready: Promise<void> = Promise.resolve()
  readonly report: BackendReport

  /** @param threads the configured number of threads */
  constructor(threads: number) {
    const threadsNote = threads > 1 ? 'the interpreter runs on one thread' : ONE_THREAD
    this.report = { threads: 1, threadsNote, wideTiles: false, turboNote: 'the interpreter has no vectors' }
  }

  compile(runtime: Runtime, graph: Graph): Program {
    return new InterpretedProgram(runtime, graph)
  }
}

class InterpretedProgram implements Program {
  readonly instructions = null
  readonly tally: Tally
  private readonly parameters: NumericArray[]
  private outputs: readonly NumericArray[] = []

  constructor(
    private readonly runtime: Runtime,
    readonly graph: Graph,
  ) {
    this.tally = new Tally(graph)
    this.parameters = graph.parameters.map((parameter) => allocate(parameter))
  }

  readonly byteLength = 0
  readonly workspaceBytes = 0

  parameter(index: number): NumericArray {
    return this.parameters[index]!
  }

  private interpret(onNode?: NonNullable<InterpretOptions['onNode']>) {
    // A copy, because the content that was read must outlive the updates.
    const read = (cell: Cell): NumericArray => cellView(this.runtime, cell).slice()
    return interpret(this.graph, this.parameters, read, onNode === undefined ? {} : { onNode })
  }

  run(): boolean {
    counters.interpreterRuns++
    this.tally.add(1)
    const { outputs, updates, stoppedAt } = this.interpret()
    if (stoppedAt !== null) return false
    this.outputs = outputs
    for (const [cell, content] of updates) cellView(this.runtime, cell).set(content)
    return true
  }

  output(index: number): NumericArray {
    return this.outputs[index]!
  }

  read(index: number): Promise<NumericArray> {
    return Promise.resolve(this.output(index).slice())
  }

  readCell(cell: Cell): Promise<TensorData> {
    return Promise.resolve(cellView(this.runtime, cell).slice())
  }

  findNonFinite(): string | null {
    let found: string | null = null
    this.interpret((node, results, turns) => {
      const bad = results.some(hasNonFinite)
      if (bad) found = `${turns.map((turn) => `[t=${turn}] `).join('')}${printNode(node)}`
      return !bad
    })
    return found
  }

  instructionWords(): null {
    return null
  }

  dispose(): void {
    this.parameters.length = 0
  }
}
