// The sources of steps for the loops of fit and evaluate: rows of arrays, or a sequence of batches.

import { ArgumentError } from '../core/errors'
import { permute } from '../core/permute'
import type { Dataset } from '../data/arrays'
import { RowSource, makeResident, orderKey, tensorsOf } from '../data/arrays'
import type { Cursor, Soon, Source } from '../data/source'
import { END, after, isPromise } from '../data/source'
import type { Tensor } from '../ops/tensor'
import { GRADIENT_LIMIT, LEARNING_RATE_LIMIT } from '../optimizers/limits'
import type { Program } from '../runtime/program'
import type { ResidentRows } from '../runtime/rows'
import type { Runtime } from '../runtime/runtime'
import { StepLoop } from '../runtime/step-loop'
import type { Position, Resumable } from './position'
import type { Probe } from './probes'
import { probesKey } from './probes'
import type { BatchTypes, Steps } from './steps'

/** The seed and number that determine the order of a pass. */
export interface Draw {
  readonly seed: number
  /** The number of the pass. */
  readonly epoch: number
}

/** Runs one kind of step over all samples, pass after pass. */
export interface Runner extends Resumable {
  /** Steps of a pass: null if unknown, Infinity if it has no end. */
  readonly steps: number | null
  /** Whether a step of the current pass was run. */
  readonly isWithin: boolean
  /** Copies data to faster memory where possible; until release(). */
  settle(runtime: Runtime): void
  /** Begins a pass. */
  begin(draw: Draw | null): Soon<void>
  /** The program of the next step, compiled at first use; null at the end of the pass. May have to await the batch. */
  upcoming(probes?: readonly Probe[]): Soon<Program | null>
  /**
   * Runs up to `most` steps like the upcoming one.
   * @returns the number of steps, and whether all their values were finite; if not, the last step updated nothing
   */
  run(most: number, probes?: readonly Probe[]): { readonly steps: number; readonly finite: boolean }
  /** Describes the non-finite value of a failed step, by running it again. */
  diagnose(): string
  /** Frees all resources. */
  release(): Soon<void>
}

export type MakeProgram = (types: BatchTypes, probes: readonly Probe[]) => Program

/** Takes a batch of rows of arrays in each step. */
export class ArrayRunner implements Runner {
  private readonly sources: readonly RowSource[]
  /** By the number of rows and the probes. */
  private readonly programs = new Map<number | string, Program>()
  private readonly loops = new Map<Program, StepLoop | null>()
  private resident: ResidentRows | null = null
  private isShuffled = false
  /** null if the rows are resident. */
  private order: Int32Array | null = null
  private draw: Draw | null = null
  /** The position in the order where the next step begins, and where the last one did. */
  private start = 0
  private last = 0

  constructor(
    private readonly dataset: Dataset,
    private readonly batchSize: number,
    /** Whether each pass has another order. */
    private readonly shuffles: boolean,
    /** The current programs of the model, which the optimizer may replace. */
    private readonly cache: () => Steps,
    private readonly make: MakeProgram,
  ) {
    this.sources = tensorsOf(dataset).map((tensor) => new RowSource(tensor))
  }

  get steps(): number {
    return Math.ceil(this.dataset.size / this.batchSize)
  }

  get isWithin(): boolean {
    return this.start > 0 && this.start < this.dataset.size
  }

  /** The number of rows in the next step. */
  private get count(): number {
    return Math.min(this.batchSize, this.dataset.size - this.start)
  }

  settle(runtime: Runtime): void {
    if (!this.shuffles) return
    try {
      this.resident = makeResident(runtime, this.dataset)
    } catch (error) {
      // Without memory for a copy, JavaScript copies the rows.
      if (!(error instanceof ArgumentError)) throw error
    }
  }

  get setting(): Runner['setting'] {
    return { rows: this.dataset.size, batchSize: this.batchSize, shuffle: this.shuffles }
  }

  get position(): Position {
    return { draw: this.draw, taken: Math.ceil(this.start / this.batchSize) }
  }

  seek({ draw, taken }: Position): void {
    this.begin(draw)
    this.start = Math.min(this.dataset.size, taken * this.batchSize)
  }

  begin(draw: Draw | null): void {
    this.start = 0
    this.draw = draw
    if (draw === null || !this.shuffles) return
    const {
      resident,
      dataset: { size },
    } = this
    const key = orderKey(draw.seed, draw.epoch)
    this.isShuffled = true
    if (resident !== null) return resident.shuffle(key)
    this.order ??= new Int32Array(size)
    permute(this.order, size, key)
  }

  upcoming(probes: readonly Probe[] = []): Program | null {
    return this.start >= this.dataset.size ? null : this.program(this.count, probes)
  }

  private program(count: number, probes: readonly Probe[]): Program {
    // Steps without probes are frequent, and each computes the key.
    const key = probes.length === 0 ? count : `${count}${probesKey(probes)}`
    let program = this.programs.get(key)
    if (program === undefined) {
      program = this.make(typesOf(this.dataset, count), probes)
      this.cache().hold(program)
      this.programs.set(key, program)
    }
    return program
  }

  run(most: number, probes: readonly Probe[] = []): { readonly steps: number; readonly finite: boolean } {
    const { start, count, batchSize } = this
    const program = this.program(count, probes)
    const done =
      most === 1 || count < batchSize
        ? null
        : this.runInLoop(program, Math.min(most, Math.floor((this.dataset.size - start) / batchSize)))
    if (done === null) this.load(program, start, count)
    const { steps, finite } = done ?? { steps: 1, finite: program.run() }
    this.last = start + (steps - 1) * batchSize
    this.start = Math.min(this.dataset.size, start + steps * batchSize)
    return { steps, finite }
  }

  /**
   * Runs all steps in one call of the engine, if the rows are in linear memory and one thread is used; otherwise null.
   */
  private runInLoop(program: Program, most: number): { readonly steps: number; readonly finite: boolean } | null {
    const loop = this.loop(program)
    if (loop === null) return null
    const done = loop.run(this.start, most)
    return { steps: Math.min(done + 1, most), finite: done === most }
  }

  /** null if each step needs a separate call. */
  private loop(program: Program): StepLoop | null {
    const known = this.loops.get(program)
    if (known !== undefined) return known
    const { resident } = this
    const loops = resident !== null && this.isShuffled && program.instructionWords() !== null
    const loop = loops ? new StepLoop(resident, program, this.batchSize) : null
    this.loops.set(program, loop)
    return loop
  }

  private load(program: Program, start: number, count: number): void {
    const { order, resident, sources } = this
    if (resident !== null && this.isShuffled) resident.load(program, start, count)
    else for (let i = 0; i < sources.length; i++) sources[i]!.fill(program.parameter(i), order, start, count)
  }

  diagnose(): string {
    const count = Math.min(this.batchSize, this.dataset.size - this.last)
    const program = this.program(count, [])
    this.load(program, this.last, count)
    return whatFailed(program)
  }

  release(): void {
    for (const loop of this.loops.values()) loop?.dispose()
    this.loops.clear()
    this.resident?.dispose()
    this.resident = null
    for (const program of this.programs.values()) this.cache().release(program)
    this.programs.clear()
  }
}

/** Runs a step for each batch of a sequence. The next batch is requested before a step runs. */
export class StreamRunner implements Runner {
  private cursor: Cursor<unknown> | null = null
  private next: Soon<Dataset | typeof END> | null = null
  private held: Program | null = null
  private last: Dataset | null = null
  /** The original batches of the next and the last samples. */
  private raw: unknown = null
  private lastRaw: unknown = null
  private draw: Draw | null = null
  /** The number of batches of this pass that were run. */
  private taken = 0

  /** @param prepare converts a batch to samples, and checks them */
  constructor(
    private readonly source: Source,
    private readonly prepare: (batch: unknown, index: number) => Dataset,
    /** The current programs of the model, which the first batch may replace. */
    private readonly cache: () => Steps,
    private readonly make: MakeProgram,
  ) {}

  get steps(): number | null {
    return this.source.size
  }

  get isWithin(): boolean {
    return this.taken > 0 && this.next !== END
  }

  /** The source defines the order. */
  settle(): void {}

  /** A pass from which no step was taken yet continues. */
  begin(draw: Draw | null): Soon<void> {
    if (this.cursor !== null && this.taken === 0) return undefined
    // A one-shot source continues where it stopped.
    if (this.cursor !== null && this.source.isOnce === true)
      return after(this.peek(), (batch) => (batch === END ? this.open(draw) : void (this.taken = 0)))
    return this.open(draw)
  }

  private open(draw: Draw | null): Soon<void> {
    return after(this.cursor?.close(), () => {
      this.cursor = this.source.open(draw?.epoch ?? 0)
      this.draw = draw
      this.taken = 0
      this.lastRaw = null
      this.next = this.read(0)
    })
  }

  get setting(): Runner['setting'] {
    return {}
  }

  get position(): Position {
    return { draw: this.draw, taken: this.taken }
  }

  seek({ draw, taken }: Position): Soon<void> {
    if (this.source.isOnce === true && this.cursor !== null && this.taken === 0) {
      Object.assign(this, { draw, taken })
      if (taken === 0) return undefined
      // The first batch was already read.
      return after(this.peek(), () => after(this.cursor!.skip(taken - 1), () => void (this.next = this.read(taken))))
    }
    return after(this.cursor?.close(), () => {
      const cursor = this.source.open(draw?.epoch ?? 0)
      this.cursor = cursor
      this.draw = draw
      this.taken = taken
      this.lastRaw = null
      return after(cursor.skip(taken), () => void (this.next = this.read(taken)))
    })
  }

  /** Errors are thrown when the batch is taken, not before. */
  private read(index: number): Soon<Dataset | typeof END> {
    let next: Soon<Dataset | typeof END>
    try {
      next = after(this.cursor!.next(), (batch) => {
        if (batch === END) return END
        this.raw = batch
        return this.prepare(batch, index)
      })
    } catch (error) {
      next = Promise.reject(error)
    }
    if (isPromise(next)) next.catch(() => undefined)
    return next
  }

  /** The next batch, without taking it; END at the end of the pass. */
  peek(): Soon<Dataset | typeof END> {
    return this.next ?? after(this.begin(null), () => this.next!)
  }

  upcoming(probes: readonly Probe[] = []): Soon<Program | null> {
    return after(this.peek(), (batch) => {
      this.next = batch
      return batch === END ? null : this.program(batch, probes)
    })
  }

  private program(batch: Dataset, probes: readonly Probe[]): Program {
    const program = this.make(typesOf(batch, batch.size), probes)
    if (program !== this.held) {
      // One program at a time: batches of many shapes would fill the memory.
      this.cache().hold(program)
      if (this.held !== null) this.cache().release(this.held)
      this.held = program
    }
    return program
  }

  run(_most: number, probes: readonly Probe[] = []): { readonly steps: number; readonly finite: boolean } {
    const batch = this.next as Dataset
    const program = this.program(batch, probes)
    const { cursor, lastRaw, raw } = this
    this.last = batch
    this.lastRaw = raw
    this.taken++
    load(program, tensorsOf(batch))
    if (lastRaw !== null) cursor!.recycle?.(lastRaw)
    // An asynchronous batch is read while this step computes.
    this.next = this.read(this.taken)
    return { steps: 1, finite: program.run() }
  }

  diagnose(): string {
    const program = this.program(this.last!, [])
    load(program, tensorsOf(this.last!))
    return whatFailed(program)
  }

  release(): Soon<void> {
    if (this.held !== null) this.cache().release(this.held)
    this.held = null
    const { cursor, next } = this
    this.cursor = null
    this.next = null
    this.raw = null
    this.lastRaw = null
    const closed = cursor?.close()
    // A pending read may never finish, and the source closes only after it.
    if (!isPromise(next)) return closed
    if (isPromise(closed)) closed.catch(() => undefined)
    return undefined
  }
}

/** Writes a program's parameters. */
export function load(program: Program, tensors: readonly Tensor[]): void {
  for (let i = 0; i < tensors.length; i++) {
    const { data } = tensors[i]!
    const target = program.parameter(i)
    // Below about a hundred elements, a loop is faster than the call.
    if (data.length > 64) target.set(data)
    else for (let at = 0; at < data.length; at++) target[at] = data[at]!
  }
}

/** Why the last run of a program ended early, from running it again with the same parameters. */
export function whatFailed(program: Program): string {
  return (
    program.findNonFinite() ??
    `a gradient above ${GRADIENT_LIMIT.toExponential(1)}, whose square float32 cannot hold, or a learning rate above ${LEARNING_RATE_LIMIT.toExponential()}`
  )
}

/** The types of a batch of `count` rows. */
export function typesOf({ x, inputs, y, targets, weights, readers }: Dataset, count: number): BatchTypes {
  const rows = ({ dtype, shape }: Tensor) => ({ dtype, shape: [count, ...shape.slice(1)] })
  return {
    x,
    inputs: inputs.map(rows),
    y,
    targets: targets.map((target) => target && rows(target)),
    weights: weights.map((weight) => weight && rows(weight)),
    ...(readers === undefined ? {} : { readers }),
  }
}
