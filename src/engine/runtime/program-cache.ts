// Programs by signature, up to a number of bytes; the least recently used ones are removed first. A program
// that a running loop holds is disposed when the loop ends.

import type { Program } from './program'

/** The bytes of tapes, constants and JavaScript objects that the programs of one model or function may take. */
const LARGEST = 16 * 2 ** 20
/** A rough size of the objects behind one node of a graph: measured on small models, within a factor of two. */
const BYTES_PER_NODE = 700

interface Entry {
  readonly program: Program
  readonly bytes: number
  holders: number
  evicted: boolean
}

export class ProgramCache {
  /** In the order of last use. */
  private readonly entries = new Map<string, Entry>()
  private readonly byProgram = new WeakMap<Program, Entry>()
  private bytes = 0

  constructor(private readonly limit = LARGEST) {}

  get(key: string, make: () => Program): Program {
    const known = this.entries.get(key)
    if (known !== undefined) {
      this.entries.delete(key)
      this.entries.set(key, known)
      return known.program
    }
    const program = make()
    const entry = {
      program,
      bytes: program.byteLength + BYTES_PER_NODE * program.graph.nodes.length,
      holders: 0,
      evicted: false,
    }
    this.entries.set(key, entry)
    this.byProgram.set(program, entry)
    this.bytes += entry.bytes
    for (const [oldest, each] of this.entries) {
      if (this.bytes <= this.limit || each === entry) break
      this.entries.delete(oldest)
      this.bytes -= each.bytes
      each.evicted = true
      if (each.holders === 0) each.program.dispose()
    }
    return program
  }

  /** Keeps a program alive until it is released. */
  hold(program: Program): void {
    const entry = this.byProgram.get(program)
    if (entry !== undefined) entry.holders++
  }

  release(program: Program): void {
    const entry = this.byProgram.get(program)
    if (entry === undefined) return
    entry.holders--
    if (entry.evicted && entry.holders === 0) entry.program.dispose()
  }

  /** Every program, by its key. */
  get all(): ReadonlyMap<string, Program> {
    return new Map([...this.entries].map(([key, { program }]) => [key, program]))
  }

  /** Releases all memory. */
  dispose(): void {
    for (const { program } of this.entries.values()) program.dispose()
    this.entries.clear()
    this.bytes = 0
  }
}
