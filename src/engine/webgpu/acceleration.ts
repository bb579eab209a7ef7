// The programs of one run on the device: fit, evaluate or predict of one model. Content of cells is borrowed at the first step, and
// fetched when the CPU needs it.

import { allocateData, type NumericArray } from '../../core/dtypes'
import { sizeOf } from '../../core/shapes'
import type { CellStorage } from '../ir/graph'
import type { Acceleration, StepProgram } from '../runtime/accelerator'
import type { Program } from '../runtime/program'
import type { Cells } from './cells'
import type { Gpu } from './device'
import { DeviceLostError, messageOf } from './errors'
import { GpuProgram } from './program'
import { StepQueue } from './step-queue'

/** Decides where programs run. */
export interface Chooser {
  /** Whether a program runs on the device. */
  choose(program: Program): Promise<boolean>
  /** Notes that a chosen program stays on the CPU, because the device refused it. */
  refused(program: Program, why: string): void
}

export class GpuAcceleration implements Acceleration {
  private readonly programs = new Map<Program, StepProgram>()
  private readonly made: GpuProgram[] = []
  private readonly queue: StepQueue
  /** The steps since everything was fetched. */
  private unfetched = 0

  constructor(
    private readonly gpu: Gpu,
    private readonly cells: Cells,
    private readonly chooser: Chooser,
  ) {
    this.queue = new StepQueue(gpu)
  }

  stepProgram(program: Program): StepProgram | Promise<StepProgram> {
    return this.programs.get(program) ?? this.prepare(program)
  }

  private async prepare(program: Program): Promise<StepProgram> {
    const isChosen = await this.chooser.choose(program)
    const prepared = (isChosen ? await this.unlessRefused(program) : null) ?? program
    this.programs.set(program, prepared)
    return prepared
  }

  /** The program on the device; null if its driver refuses a kernel, or if there is not enough memory. */
  private async unlessRefused(program: Program): Promise<StepProgram | null> {
    try {
      return await this.onDevice(program)
    } catch (error) {
      if (this.gpu.loss !== null) throw error
      this.chooser.refused(program, messageOf(error))
      return null
    }
  }

  private async onDevice(program: Program): Promise<StepProgram> {
    const { gpu, cells, queue } = this
    const homes = {
      missing: (storage: CellStorage): number => cells.missing(storage),
      home: (storage: CellStorage): number => cells.home(storage, this),
    }
    const made = await GpuProgram.create(gpu, program.graph, homes, queue.state)
    this.made.push(made)
    await made.compile()
    return new DeviceSteps(program, made, (storages) => this.run(made, storages))
  }

  async fetch(storages?: Iterable<CellStorage>): Promise<number> {
    const failed = await this.unlessLost(async () => {
      const found = await this.queue.drain()
      await this.cells.fetch(this, storages)
      return found
    })
    if (storages === undefined) this.unfetched = 0
    return failed
  }

  private async run(program: GpuProgram, storages: ReadonlyMap<CellStorage, boolean>): Promise<number> {
    this.cells.lend(storages, this)
    this.unfetched++
    return this.unlessLost(() => this.queue.submit(program))
  }

  /** Runs `body`, and explains its error if the device was lost meanwhile. */
  private async unlessLost<Result>(body: () => Promise<Result>): Promise<Result> {
    const { gpu, cells } = this
    try {
      return await body()
    } catch (error) {
      // The promise of the loss settles with those that it rejects.
      await Promise.race([gpu.device.lost, new Promise((resolve) => setTimeout(resolve, 100))])
      if (gpu.loss === null) throw error
      // Linear memory has what was fetched last.
      cells.abandon(this)
      throw new DeviceLostError(gpu.loss.message, this.unfetched)
    }
  }

  async release(): Promise<void> {
    try {
      await this.fetch()
    } finally {
      this.cells.abandon(this)
      for (const program of this.made) program.dispose()
      this.programs.clear()
      this.queue.dispose()
      this.cells.release(this)
    }
  }
}

/** A program on the device, as runners run it. */
class DeviceSteps implements StepProgram {
  private readonly parameters: readonly NumericArray[]
  /** The storages of its cells, and whether it changes them. */
  private readonly storages: ReadonlyMap<CellStorage, boolean>
  private outputs: readonly NumericArray[] = []

  constructor(
    private readonly program: Program,
    private readonly made: GpuProgram,
    private readonly submit: (storages: ReadonlyMap<CellStorage, boolean>) => Promise<number>,
  ) {
    const { parameters, cells, updates } = program.graph
    this.parameters = parameters.map(({ dtype, shape }) => allocateData(dtype, sizeOf(shape)))
    this.storages = new Map([
      ...[...cells.keys()].map(({ storage }) => [storage, false] as const),
      ...updates.map(({ cell }) => [cell.storage, true] as const),
    ])
  }

  get graph(): Program['graph'] {
    return this.program.graph
  }

  get tally(): Program['tally'] {
    return this.program.tally
  }

  parameter(index: number): NumericArray {
    return this.parameters[index]!
  }

  async run(): Promise<number> {
    const { made, parameters } = this
    parameters.forEach((data, i) => made.writeParameter(i, data))
    this.tally.add(1)
    const failed = await this.submit(this.storages)
    if (this.graph.outputs.length > 0) this.outputs = await made.readOutputs()
    return failed
  }

  output(index: number): NumericArray {
    return this.outputs[index]!
  }
}
