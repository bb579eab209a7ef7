// Steps over a sequence of batches.

import { internalError } from '../core/errors'
import { tensorsOf, type Samples } from '../data/samples/samples'
import { after, isPromise, type Soon } from '../core/soon'
import { END, type Cursor, type Source } from '../data/samples/source'
import type { CellStorage } from '../engine/ir/graph'
import { CPU, type Device, type Ran } from '../engine/runtime/accelerator'
import type { Program } from '../engine/runtime/program'
import type { Position } from './position'
import type { Probe } from './probes'
import { load, typesOf, whatFailed, type Draw, type Runner, type StepPrograms } from './runner'

/** Runs a step for each batch of a sequence. The next batch is requested before a step runs. */
export class StreamRunner implements Runner {
  private cursor: Cursor<unknown> | null = null
  private next: Soon<Samples | typeof END> | null = null
  private held: Program | null = null
  private last: Samples | null = null
  /** The original batches of the next and the last samples. */
  private raw: unknown = null
  private lastRaw: unknown = null
  private draw: Draw | null = null
  /** The number of batches of this pass that were run. */
  private taken = 0

  /** @param parse converts a batch to samples, and checks them */
  constructor(
    private readonly prepared: StepPrograms,
    private readonly source: Source,
    private readonly parse: (batch: unknown, index: number) => Samples,
    /** Where the steps run. */
    private readonly device: Device = CPU,
  ) {}

  get steps(): number | null {
    return this.source.size
  }

  get isWithin(): boolean {
    return this.taken > 0 && this.next !== END
  }

  /** Each step needs its batch. */
  get isElsewhere(): boolean {
    return false
  }

  /** The source defines the order. */
  settle(): void {}

  /** If no step of the current pass was run, it continues. */
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

  /** Reads a batch ahead. Its errors are thrown when the batch is used. */
  private read(index: number): Soon<Samples | typeof END> {
    let next: Soon<Samples | typeof END>
    try {
      next = after(this.cursor!.next(), (batch) => {
        if (batch === END) return END
        this.raw = batch
        return this.parse(batch, index)
      })
    } catch (error) {
      next = Promise.reject(error)
    }
    if (isPromise(next)) next.catch(() => undefined)
    return next
  }

  /** The next batch, without taking it; END at the end of the pass. */
  peek(): Soon<Samples | typeof END> {
    return this.next ?? after(this.begin(null), () => this.next!)
  }

  upcoming(probes: readonly Probe[] = []): Soon<Program | null> {
    return after(this.peek(), (batch) => {
      this.next = batch
      if (batch === END) return null
      const program = this.programFor(batch, probes)
      return after(this.device.prepare(program), () => program)
    })
  }

  private programFor(batch: Samples, probes: readonly Probe[]): Program {
    const program = this.prepared.program(typesOf(batch, batch.size), probes)
    if (program !== this.held) {
      // Holds one program at a time: those of many shapes would fill the memory.
      this.prepared.hold(program)
      if (this.held !== null) this.prepared.release(this.held)
      this.held = program
    }
    return program
  }

  run(_most: number, probes: readonly Probe[] = []): Soon<Ran> {
    const batch = this.next
    if (batch === null || batch === END || isPromise(batch)) throw internalError('a step runs before its batch is read')
    const program = this.programFor(batch, probes)
    const { cursor, lastRaw, raw } = this
    this.last = batch
    this.lastRaw = raw
    this.taken++
    return this.device.run(program, (target) => {
      load(target, tensorsOf(batch))
      if (lastRaw !== null) cursor!.recycle?.(lastRaw)
      // An asynchronous batch is read while this step computes.
      this.next = this.read(this.taken)
    })
  }

  fetch(storages?: Iterable<CellStorage>): Soon<Ran> {
    return this.device.fetch(storages)
  }

  diagnose(): string {
    const program = this.programFor(this.last!, [])
    load(program, tensorsOf(this.last!))
    return whatFailed(program)
  }

  release(): Soon<void> {
    if (this.held !== null) this.prepared.release(this.held)
    this.held = null
    const { cursor, next } = this
    this.cursor = null
    this.next = null
    this.raw = null
    this.lastRaw = null
    const closed = after(this.device.release(), () => cursor?.close())
    // Does not wait for closing: the source closes after the pending read, which may never finish.
    if (!isPromise(next)) return closed
    if (isPromise(closed)) closed.catch(() => undefined)
    return undefined
  }
}
