// Steps over samples in arrays.

import { ArgumentError } from '../core/errors'
import { permute } from '../core/permute'
import { RowSource, makeResident, orderKey, rowsOf } from '../data/samples/row-source'
import { tensorsOf, type Samples } from '../data/samples/samples'
import type { CellStorage } from '../engine/ir/graph'
import { CPU, type Device, type KeptRows, type Ran, type StepProgram } from '../engine/runtime/accelerator'
import type { Program } from '../engine/runtime/program'
import type { ResidentRows } from '../engine/runtime/rows'
import type { Runtime } from '../engine/runtime/runtime'
import { StepLoop } from '../engine/runtime/step-loop'
import type { Position } from './position'
import { probesKey, type Probe } from './probes'
import { after, isPromise, type Soon } from '../core/soon'
import { typesOf, whatFailed, type Draw, type Runner, type StepPrograms } from './runner'

/** Runs each step on a batch of rows of the arrays. */
export class ArrayRunner implements Runner {
  private readonly sources: readonly RowSource[]
  /** The held programs, by the number of rows and the probes. */
  private readonly programs = new Map<number | string, Program>()
  private readonly loops = new Map<Program, StepLoop | null>()
  private resident: ResidentRows | null = null
  /** The rows on another device; null if its steps do not draw them there, undefined before the first step. */
  private kept: KeptRows | null | undefined
  private isShuffled = false
  /** The shuffled order of the rows; null if it is not shuffled, or if the rows are in linear memory. */
  private order: Int32Array | null = null
  /** Whether the rows on another device have the order. */
  private isOrdered = true
  private draw: Draw | null = null
  /** The positions in the order at which the next step and the last step begin. */
  private start = 0
  private last = 0

  constructor(
    private readonly prepared: StepPrograms,
    private readonly samples: Samples,
    private readonly batchSize: number,
    /** Whether each pass has another order. */
    private readonly shuffles: boolean,
    /** Where the steps run. */
    private readonly device: Device = CPU,
  ) {
    this.sources = tensorsOf(samples).map((tensor) => new RowSource(tensor))
  }

  get steps(): number {
    return Math.ceil(this.samples.size / this.batchSize)
  }

  get isElsewhere(): boolean {
    return this.device.isOther
  }

  get isWithin(): boolean {
    return this.start > 0 && this.start < this.samples.size
  }

  /** The number of rows in the next step. */
  private get count(): number {
    return Math.min(this.batchSize, this.samples.size - this.start)
  }

  settle(runtime: Runtime): void {
    if (!this.shuffles || this.device.isOther) return
    try {
      this.resident = makeResident(runtime, this.samples)
    } catch (error) {
      // If there is no memory for a copy, JavaScript copies the rows of each step.
      if (!(error instanceof ArgumentError)) throw error
    }
  }

  get setting(): Runner['setting'] {
    return { rows: this.samples.size, batchSize: this.batchSize, shuffle: this.shuffles }
  }

  get position(): Position {
    return { draw: this.draw, taken: Math.ceil(this.start / this.batchSize) }
  }

  seek({ draw, taken }: Position): void {
    this.begin(draw)
    this.start = Math.min(this.samples.size, taken * this.batchSize)
  }

  begin(draw: Draw | null): void {
    this.start = 0
    this.draw = draw
    if (draw === null || !this.shuffles) return
    const {
      resident,
      samples: { size },
    } = this
    const key = orderKey(draw.seed, draw.epoch)
    this.isShuffled = true
    if (resident !== null) return resident.shuffle(key)
    this.order ??= new Int32Array(size)
    permute(this.order, size, key)
    this.isOrdered = false
  }

  upcoming(probes: readonly Probe[] = []): Soon<Program | null> {
    if (this.start >= this.samples.size) return null
    const program = this.programFor(this.count, probes)
    return after(this.device.prepare(program), () => after(this.keepRows(), () => program))
  }

  /** Copies the rows to another device, if steps run there. */
  private keepRows(): Soon<void> {
    const { device, samples, kept } = this
    if (!device.isOther || kept !== undefined) return undefined
    return device.keep(rowsOf(samples), samples.size).then((made) => void (this.kept = made))
  }

  private programFor(count: number, probes: readonly Probe[]): Program {
    // Each step computes the key, so it is a number in the frequent case without probes.
    const key = probes.length === 0 ? count : `${count}${probesKey(probes)}`
    let program = this.programs.get(key)
    if (program === undefined) {
      program = this.prepared.program(typesOf(this.samples, count), probes)
      this.prepared.hold(program)
      this.programs.set(key, program)
    }
    return program
  }

  run(most: number, probes: readonly Probe[] = []): Soon<Ran> {
    const { start, count, batchSize } = this
    const program = this.programFor(count, probes)
    const done =
      most === 1 || count < batchSize
        ? null
        : this.runInLoop(program, Math.min(most, Math.floor((this.samples.size - start) / batchSize)))
    const ran =
      done ?? this.runKept(program, most) ?? this.device.run(program, (target) => this.load(target, start, count))
    return isPromise(ran) ? ran.then((each) => this.moved(each)) : this.moved(ran)
  }

  /** Moves on after steps. */
  private moved(ran: Ran): Ran {
    const { start, batchSize, samples } = this
    this.last = (Math.ceil(start / batchSize) + ran.steps - 1) * batchSize
    this.start = Math.min(samples.size, this.last + batchSize)
    return ran
  }

  fetch(storages?: Iterable<CellStorage>): Soon<Ran> {
    return after(this.device.fetch(storages), (ran) => (ran.steps === 0 ? ran : this.moved(ran)))
  }

  /**
   * Runs all steps in one call of the engine, if the rows are in linear memory and one thread is used; otherwise null.
   */
  private runInLoop(program: Program, most: number): Ran | null {
    const loop = this.loop(program)
    if (loop === null) return null
    const done = loop.run(this.start, most)
    return { steps: Math.min(done + 1, most), finite: done === most }
  }

  /** Runs steps on rows that another device keeps; null if it has none. */
  private runKept(program: Program, most: number): Promise<Ran> | null {
    const { kept, order, start, count } = this
    if (kept == null) return null
    if (!this.isOrdered && order !== null) kept.order(order)
    this.isOrdered = true
    const whole = Math.max(1, Math.floor((this.samples.size - start) / this.batchSize))
    return kept.run(program, start, count, Math.min(most, whole))
  }

  /** The loop around a program's tape; null if each step needs a separate call. */
  private loop(program: Program): StepLoop | null {
    const known = this.loops.get(program)
    if (known !== undefined) return known
    const { resident } = this
    const loops = resident !== null && this.isShuffled && program.instructionWords() !== null
    const loop = loops ? new StepLoop(resident, program, this.batchSize) : null
    this.loops.set(program, loop)
    return loop
  }

  private load(program: Pick<StepProgram, 'parameter'>, start: number, count: number): void {
    const { order, resident, sources } = this
    if (resident !== null && this.isShuffled) resident.load(program, start, count)
    else for (let i = 0; i < sources.length; i++) sources[i]!.fill(program.parameter(i), order, start, count)
  }

  diagnose(): string {
    const count = Math.min(this.batchSize, this.samples.size - this.last)
    const program = this.programFor(count, [])
    this.load(program, this.last, count)
    return whatFailed(program)
  }

  release(): Soon<void> {
    for (const loop of this.loops.values()) loop?.dispose()
    this.loops.clear()
    this.resident?.dispose()
    this.resident = null
    this.kept?.release()
    this.kept = null
    for (const program of this.programs.values()) this.prepared.release(program)
    this.programs.clear()
    return this.device.release()
  }
}
