// The programs of one run on the device: fit, evaluate, predict or generate of one model. Content of cells is borrowed at the first
// step, and fetched when the CPU needs it.

import { allocateData, type NumericArray } from '../../core/dtypes'
import { sizeOf } from '../../core/shapes'
import type { CellStorage } from '../ir/graph'
import { NOTHING, type KeptRows, type Ran, type StepProgram } from '../runtime/accelerator'
import type { Program } from '../runtime/program'
import type { Rows } from '../runtime/rows'
import type { Cells } from './cells'
import type { Choices } from './choices'
import type { Gpu } from './device'
import { DeviceLostError, messageOf } from './errors'
import { GpuProgram, type Loader } from './program'
import { DeviceRows } from './rows'
import { StepQueue } from './step-queue'

export class GpuRun {
  private readonly programs = new Map<Program, DeviceSteps | HostSteps>()
  private readonly queue: StepQueue
  /** The error of the first use after the device was lost; null before. */
  private lost: DeviceLostError | null = null
  /** Whether a program runs on the device. */
  isOther = false

  constructor(
    private readonly gpu: Gpu,
    private readonly cells: Cells,
    private readonly choices: Choices,
  ) {
    this.queue = new StepQueue(gpu)
  }

  /** Whether a program is prepared. */
  has(program: Program): boolean {
    return this.programs.has(program)
  }

  async prepare(program: Program): Promise<void> {
    if (this.has(program)) return
    const made = await this.unlessLost(async () =>
      (await this.choices.choose(program)) ? this.unlessRefused(program) : null,
    )
    this.programs.set(program, made ?? new HostSteps(program))
    if (made !== null) this.isOther = true
  }

  /** The program on the device; null if its driver refuses a kernel, or if there is not enough memory. */
  private async unlessRefused(program: Program): Promise<DeviceSteps | null> {
    const { gpu, cells, queue } = this
    const homes = {
      missing: (storage: CellStorage): number => cells.missing(storage),
      home: (storage: CellStorage): number => cells.home(storage, this),
    }
    try {
      const made = await GpuProgram.create(gpu, program.graph, homes, queue.state.flag)
      await made.compile()
      return new DeviceSteps(program, made)
    } catch (error) {
      if (gpu.loss !== null) throw error
      this.choices.refused(program, messageOf(error))
      return null
    }
  }

  stepProgram(program: Program): StepProgram {
    return this.programs.get(program) ?? program
  }

  async run(
    program: Program,
    load: (target: Pick<StepProgram, 'parameter'>) => void,
    isTraining: boolean,
  ): Promise<Ran> {
    const steps = this.programs.get(program)!
    if (steps instanceof HostSteps) {
      // A program that stays on the CPU needs the weights there, and runs only if the steps before it were finite.
      const before = this.isOther ? await this.fetch() : NOTHING
      return before.finite ? steps.run(load) : before
    }
    load(steps)
    return this.unlessLost(async () => {
      const ran = await this.submit(steps, { times: 1, loader: null, isTraining }, () => steps.write())
      await steps.read()
      return ran
    })
  }

  async keep(rows: readonly Rows[], size: number, isTraining: boolean): Promise<KeptRows | null> {
    const { gpu, queue } = this
    const kept = this.isOther ? await this.unlessLost(() => DeviceRows.of(gpu, rows, size, queue.state)) : null
    if (kept === null) return null
    return {
      order: (order) => kept.order(order),
      run: (program, start, count, most) => {
        const steps = this.programs.get(program)!
        if (steps instanceof HostSteps || program.graph.outputs.length > 0) return null
        return this.unlessLost(async () => {
          const loader = await kept.loaderOf(steps.made, count)
          const times = Math.min(most, queue.timesOf(steps.made))
          return this.submit(steps, { times, loader, isTraining }, () => kept.start(start))
        })
      },
      release: () => kept.release(),
    }
  }

  /** Submits steps, after the content that they use. @param write writes what they need besides */
  private async submit(steps: DeviceSteps, { times, loader, isTraining }: Submit, write: () => void): Promise<Ran> {
    const { cells, queue } = this
    if (!cells.isSettled) await cells.settled()
    cells.lend(steps.storages, this, isTraining ? times : 0)
    write()
    steps.tally.add(times)
    return ranOf(await queue.submit(steps.made, times, loader), times)
  }

  fetch(storages?: Iterable<CellStorage>): Promise<Ran> {
    return this.unlessLost(async () => {
      const failed = await this.queue.drain()
      await this.cells.fetch(this, storages)
      return ranOf(failed, 0)
    })
  }

  /** Runs `body`. If the device was lost, all that is used later has the same error. */
  private async unlessLost<Result>(body: () => Promise<Result>): Promise<Result> {
    if (this.lost !== null) throw this.lost
    try {
      return await body()
    } catch (error) {
      const loss = await this.gpu.lossBehind()
      if (loss === null) throw error
      // Linear memory has what was fetched last. Another use may have found the loss before.
      this.lost ??= new DeviceLostError(loss.message, this.cells.abandon(this))
      throw this.lost
    }
  }

  async release(): Promise<void> {
    try {
      if (this.lost === null) await this.fetch()
    } finally {
      this.cells.abandon(this)
      for (const steps of this.programs.values()) steps.dispose()
      this.programs.clear()
      this.queue.dispose()
      this.cells.release(this)
    }
  }
}

/** Runs that are submitted together. */
interface Submit {
  readonly times: number
  /** null if the parameters of one run are written. */
  readonly loader: Loader | null
  /** Whether they are steps of training. */
  readonly isTraining: boolean
}

/** @param failed the number of runs from the first that was not finite to the last */
function ranOf(failed: number, runs: number): Ran {
  return { steps: runs - Math.max(0, failed - 1), finite: failed === 0 }
}

/** A program as runners use it. */
abstract class Steps implements StepProgram {
  protected outputs: readonly NumericArray[] = []

  constructor(protected readonly program: Program) {}

  get graph(): Program['graph'] {
    return this.program.graph
  }

  get tally(): Program['tally'] {
    return this.program.tally
  }

  abstract parameter(index: number): NumericArray

  output(index: number): NumericArray {
    return this.outputs[index]!
  }

  abstract dispose(): void
}

/** A program that stays on the CPU. */
class HostSteps extends Steps {
  run(load: (target: Pick<StepProgram, 'parameter'>) => void): Ran {
    load(this.program)
    const finite = this.program.run()
    // Copies, because another program may run before the caller continues.
    this.outputs = this.graph.outputs.map((_, i) => this.program.output(i).slice())
    return { steps: 1, finite }
  }

  parameter(index: number): NumericArray {
    return this.program.parameter(index)
  }

  dispose(): void {}
}

/** A program on the device. */
class DeviceSteps extends Steps {
  private readonly parameters: readonly NumericArray[]
  /** The storages of its cells, and whether it changes them. */
  readonly storages: ReadonlyMap<CellStorage, boolean>

  constructor(
    program: Program,
    readonly made: GpuProgram,
  ) {
    super(program)
    const { parameters, cells, updates } = program.graph
    this.parameters = parameters.map(({ dtype, shape }) => allocateData(dtype, sizeOf(shape)))
    this.storages = new Map([
      ...[...cells.keys()].map(({ storage }) => [storage, false] as const),
      ...updates.map(({ cell }) => [cell.storage, true] as const),
    ])
  }

  parameter(index: number): NumericArray {
    return this.parameters[index]!
  }

  /** Copies the parameters to the device. */
  write(): void {
    this.parameters.forEach((data, i) => this.made.writeParameter(i, data))
  }

  /** Waits for the outputs of the last run. */
  async read(): Promise<void> {
    if (this.graph.outputs.length > 0) this.outputs = await this.made.readOutputs()
  }

  dispose(): void {
    this.made.dispose()
  }
}
