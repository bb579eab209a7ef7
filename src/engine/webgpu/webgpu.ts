// The device that useWebGPU sets as the accelerator: it makes the runs, and replaces the device if it is lost.

import { internalError } from '../../core/errors'
import type { CellStorage } from '../ir/graph'
import {
  NOTHING,
  type Accelerator,
  type AcceleratorReport,
  type Device,
  type KeptRows,
  type ProgramReport,
  type Ran,
  type StepProgram,
} from '../runtime/accelerator'
import type { Program } from '../runtime/program'
import type { Rows } from '../runtime/rows'
import { Cells } from './cells'
import { Choices, type When } from './choices'
import type { Gpu } from './device'
import { DeviceLostError } from './errors'
import { GpuRun } from './run'
import { IN_FLIGHT } from './step-queue'

/** A device with its memory and what was decided for it. */
interface Tested {
  readonly gpu: Gpu
  readonly cells: Cells
  readonly choices: Choices
}

export class WebGpu implements Accelerator {
  private readonly programs: ProgramReport[] = []
  private readonly runs = new WeakMap<object, SharedRun>()
  /** The runs that end: after an abort, nothing else waits for them. */
  private readonly ending = new Set<Promise<void>>()
  private tested: Tested
  /** The request for another device; null if none is running. */
  private renewing: Promise<void> | null = null

  constructor(
    gpu: Gpu,
    private readonly when: When,
    private readonly name: string,
    /** Asks for another device after this one is lost; null if the user gave it. */
    private readonly renew: (() => Promise<Gpu>) | null,
  ) {
    this.tested = this.test(gpu)
  }

  private test(gpu: Gpu): Tested {
    return { gpu, cells: new Cells(gpu.memory), choices: new Choices(gpu, this.when, this.programs) }
  }

  get report(): AcceleratorReport {
    const { name, when, programs, tested } = this
    const use = when === 'always' ? 'used for every program that it can run' : 'used where it is faster'
    const families = [...tested.choices.wrong]
    const wrong = families.length === 0 ? '' : `; not used for ${families.join(', ')}, which it computes wrongly`
    const lost = tested.gpu.loss === null ? '' : '; the device was lost'
    return { note: `${name}: ${use}${wrong}${lost}`, programs: [...programs] }
  }

  deviceOf(owner: object, isTraining: boolean): Device {
    return new RunUse(() => this.join(owner), isTraining)
  }

  /** The run of an owner; a new one if the last has ended. */
  private join(owner: object): SharedRun {
    let shared = this.runs.get(owner)
    if (shared === undefined || shared.hasEnded) {
      shared = new SharedRun(this.begin(), (end) => this.awaitEnd(end))
      this.runs.set(owner, shared)
    }
    return shared.join()
  }

  private async begin(): Promise<GpuRun> {
    await Promise.all(this.ending)
    const { gpu, cells, choices } = await this.current()
    return new GpuRun(gpu, cells, choices)
  }

  private awaitEnd(end: Promise<void>): void {
    const ended = end
      // The run itself reports its error.
      .catch(() => undefined)
      .finally(() => this.ending.delete(ended))
    this.ending.add(ended)
  }

  /** The device; a new one if it was lost and there is another. */
  private async current(): Promise<Tested> {
    if (this.tested.gpu.loss !== null && this.renew !== null) await (this.renewing ??= this.replace(this.renew))
    return this.tested
  }

  private async replace(renew: () => Promise<Gpu>): Promise<void> {
    try {
      this.tested = this.test(await renew())
    } catch {
      // Without a device, programs run on the CPU, and the next run asks again.
    } finally {
      this.renewing = null
    }
  }

  /** Copies everything that runs have changed on the device back to linear memory. */
  async sync(): Promise<void> {
    const { gpu, cells } = this.tested
    try {
      await cells.fetch(null)
    } catch (error) {
      const loss = await gpu.lossBehind()
      throw loss === null ? error : new DeviceLostError(loss.message, cells.lostSteps)
    }
  }
}

/** The run of an owner that training and its validation share. The last user ends it. */
class SharedRun {
  private users = 0

  /** @param ends told of the end, which nothing else may wait for */
  constructor(
    readonly run: Promise<GpuRun>,
    private readonly ends: (end: Promise<void>) => void,
  ) {}

  join(): this {
    this.users++
    return this
  }

  get hasEnded(): boolean {
    return this.users === 0
  }

  async leave(): Promise<void> {
    if (--this.users > 0) return
    const end = this.run.then((run) => run.release())
    this.ends(end)
    await end
  }
}

/** One use of a run, which joins it at the first program: whoever fails before has nothing to release. */
class RunUse implements Device {
  readonly overlap = IN_FLIGHT
  private shared: SharedRun | null = null
  private joined: GpuRun | null = null

  constructor(
    private readonly join: () => SharedRun,
    private readonly isTraining: boolean,
  ) {}

  get isOther(): boolean {
    return this.joined !== null && this.joined.isOther
  }

  prepare(program: Program): void | Promise<void> {
    if (this.joined?.has(program) !== true) return this.prepareFirst(program)
  }

  private async prepareFirst(program: Program): Promise<void> {
    this.shared ??= this.join()
    this.joined = await this.shared.run
    await this.joined.prepare(program)
  }

  private get current(): GpuRun {
    if (this.joined === null) throw internalError('a program runs on a device before it is prepared')
    return this.joined
  }

  stepProgram(program: Program): StepProgram {
    return this.current.stepProgram(program)
  }

  run(program: Program, load: (target: Pick<StepProgram, 'parameter'>) => void): Promise<Ran> {
    return this.current.run(program, load, this.isTraining)
  }

  keep(rows: readonly Rows[], size: number): Promise<KeptRows | null> {
    return this.current.keep(rows, size, this.isTraining)
  }

  async fetch(storages?: Iterable<CellStorage>): Promise<Ran> {
    return this.joined === null ? NOTHING : this.joined.fetch(storages)
  }

  async release(): Promise<void> {
    const { shared } = this
    this.shared = null
    this.joined = null
    await shared?.leave()
  }
}
