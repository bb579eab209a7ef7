// Steps over a sequence of batches.

import { internalError } from '../core/errors'
import { tensorsOf, type Samples } from '../data/samples/samples'
import { after, isPromise, type Soon } from '../core/soon'
import { END, type Cursor, type Source } from '../data/samples/source'
import type { CellStorage } from '../engine/ir/graph'
import { CPU, type Device, type Ran } from '../engine/runtime/accelerator'
import type { Program } from '../engine/runtime/program'
import { counters } from '../engine/runtime/runtime'
import { Tensor } from '../ops/tensor'
import type { Position } from './position'
import type { Probe } from './probes'
import { load, typesOf, whatFailed, type Draw, type Runner, type StepPrograms } from './runner'

/** The programs that ran so far. */
const programRuns = (): number => counters.wasmRuns + counters.interpreterRuns

const copyOf = ({ data, shape, dtype }: Tensor): Tensor => new Tensor(data.slice(), shape, dtype)

/** Runs a step for each batch of a sequence. The next batch is requested before a step runs. */
export class StreamRunner implements Runner {
  private cursor: Cursor<unknown> | null = null
  private next: Soon<Samples | typeof END> | null = null
  private held: Program | null = null
  /** The last batches, the newest first, as many as may be found not to be finite. */
  private recent: { readonly samples: Samples; readonly raw: unknown }[] = []
  /** The batch of the step that was not finite. */
  private failed: Samples | null = null
  /** The original batch of the next samples. */
  private raw: unknown = null
  private draw: Draw | null = null
  /** The number of batches of this pass that were run. */
  private taken = 0
  /**
   * Whether reading a batch may run programs: ops of the user in a generator. They overwrite the parameters of the step before, and
   * the generator may reuse the memory of its batches.
   */
  private computes = true

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
      this.recent = []
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
      this.recent = []
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
    const { cursor, recent, raw, device } = this
    recent.unshift({ samples: batch, raw })
    const old = recent.length > device.overlap + 1 ? recent.pop() : undefined
    this.taken++
    const ran = device.run(program, (target) => {
      const tensors = this.computes ? tensorsOf(batch).map(copyOf) : tensorsOf(batch)
      load(target, tensors)
      if (old !== undefined) cursor!.recycle?.(old.raw)
      const runs = programRuns()
      // An asynchronous batch is read while this step computes.
      this.next = this.read(this.taken)
      this.computes = programRuns() !== runs
      if (this.computes) load(target, tensors)
    })
    return after(ran, (each) => this.found(each, 1))
  }

  fetch(storages?: Iterable<CellStorage>): Soon<Ran> {
    return after(this.device.fetch(storages), (ran) => this.found(ran, 0))
  }

  /** Finds the batch of a step that was not finite. @param runs the steps that ran if all were finite */
  private found(ran: Ran, runs: number): Ran {
    if (!ran.finite) this.failed = this.recent.at(Math.min(runs - ran.steps, this.recent.length - 1))!.samples
    return ran
  }

  diagnose(): string {
    const program = this.programFor(this.failed!, [])
    load(program, tensorsOf(this.failed!))
    return whatFailed(program)
  }

  release(): Soon<void> {
    if (this.held !== null) this.prepared.release(this.held)
    this.held = null
    const { cursor, next } = this
    this.cursor = null
    this.next = null
    this.raw = null
    this.recent = []
    const closed = after(this.device.release(), () => cursor?.close())
    // Does not wait for closing: the source closes after the pending read, which may never finish.
    if (!isPromise(next)) return closed
    if (isPromise(closed)) closed.catch(() => undefined)
    return undefined
  }
}
