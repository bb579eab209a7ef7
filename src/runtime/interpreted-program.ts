// A program that runs in the interpreter: no WebAssembly, plain loops.

import type { NumericArray } from '../core/dtypes'
import { hasNonFinite } from '../core/dtypes'
import type { Cell, Graph } from '../ir/graph'
import type { InterpretOptions } from '../transforms/interpret'
import { allocate, interpret } from '../transforms/interpret'
import { printNode } from '../ir/print'
import { Tally } from './meter'
import type { Program } from './program'
import { cellView } from './program'
import type { Runtime } from './runtime'
import { counters } from './runtime'

export class InterpretedProgram implements Program {
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

  parameter(index: number): NumericArray {
    return this.parameters[index]!
  }

  private interpret(onNode?: NonNullable<InterpretOptions['onNode']>) {
    // A copy: what was read must outlive the updates.
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

  disassemble(): string {
    return this.graph.nodes.map(printNode).join('\n')
  }

  dispose(): void {
    this.parameters.length = 0
  }
}
