// The device that useWebGPU sets as the accelerator: it makes the runs, and replaces the device if it is lost.

import { internalError } from '../../core/errors'
import type { CellStorage } from '../ir/graph'
import type {
  Accelerator,
  AcceleratorReport,
  Device,
  KeptRows,
  ProgramReport,
  Ran,
  StepProgram,
} from '../runtime/accelerator'
import type { Program } from '../runtime/program'
import type { Rows } from '../runtime/rows'
import { Cells } from './cells'
import { Choices, type When } from './choices'
import { Gpu } from './device'
import { GpuRun } from './run'

/** A device with its memory and what was decided for it. */
interface Tested {
  readonly gpu: Gpu
  readonly cells: Cells
  readonly choices: Choices
}

export class WebGpu implements Accelerator {
  private readonly programs: ProgramReport[] = []
  private readonly runs = new WeakMap<object, SharedRun>()
  private tested: Tested

  constructor(
    device: GPUDevice,
    private readonly when: When,
    private readonly name: string,
    /** Asks for another device after this one is lost; null if the user gave it. */
    private readonly renew: (() => Promise<GPUDevice>) | null,
  ) {
    this.tested = this.test(device)
  }

  private test(device: GPUDevice): Tested {
    const gpu = new Gpu(device)
    return { gpu, cells: new Cells(gpu.memory), choices: new Choices(gpu, this.when, this.programs) }
  }

  get report(): AcceleratorReport {
    const { name, when, programs, tested } = this
    const use = when === 'always' ? 'used for every program that it can run' : 'used where it is faster'
    const families = [...tested.choices.wrong]
    const wrong = families.length === 0 ? '' : `; not used for ${families.join(', ')}, which it computes wrongly`
    return { note: `${name}: ${use}${wrong}`, programs: [...programs] }
  }

  deviceOf(owner: object): Device {
    let shared = this.runs.get(owner)
    if (shared === undefined || shared.isReleased) {
      shared = new SharedRun(async () => {
        const { gpu, cells, choices } = await this.current()
        return new GpuRun(gpu, cells, choices)
      })
      this.runs.set(owner, shared)
    }
    return shared.use()
  }

  /** The device; a new one if it was lost. */
  private async current(): Promise<Tested> {
    if (this.tested.gpu.loss !== null && this.renew !== null) this.tested = this.test(await this.renew())
    return this.tested
  }

  /** Copies everything that runs have changed on the device back to linear memory. */
  async sync(): Promise<void> {
    await this.tested.cells.fetch(null)
  }
}

/** The run of an owner that training and its validation share. It begins when the first program is prepared; the last user releases it. */
class SharedRun implements Device {
  private users = 0
  private beginning: Promise<GpuRun> | null = null
  private inner: GpuRun | null = null

  constructor(private readonly begin: () => Promise<GpuRun>) {}

  use(): this {
    this.users++
    return this
  }

  get isReleased(): boolean {
    return this.users === 0
  }

  get isOther(): boolean {
    return this.inner !== null && this.inner.isOther
  }

  async prepare(program: Program): Promise<void> {
    this.inner = await (this.beginning ??= this.begin())
    return this.inner.prepare(program)
  }

  private get begun(): GpuRun {
    if (this.inner === null) throw internalError('a program runs on a device before it is prepared')
    return this.inner
  }

  stepProgram(program: Program): StepProgram {
    return this.begun.stepProgram(program)
  }

  run(...args: Parameters<Device['run']>): Promise<Ran> {
    return this.begun.run(...args)
  }

  keep(rows: readonly Rows[], size: number): Promise<KeptRows | null> {
    return this.begun.keep(rows, size)
  }

  async fetch(storages?: Iterable<CellStorage>): Promise<Ran> {
    return this.inner === null ? { steps: 0, finite: true } : this.inner.fetch(storages)
  }

  async release(): Promise<void> {
    if (--this.users === 0) await this.inner?.release()
  }
}
