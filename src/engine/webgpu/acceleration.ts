// The programs of one run on the device: fit, evaluate or predict of one model. Content of cells is borrowed at the first step, and
// fetched when the CPU needs it.

import { allocateData, type NumericArray } from '../../core/dtypes'
import { sizeOf } from '../../core/shapes'
import type { CellStorage } from '../ir/graph'
import type { Acceleration, StepProgram } from '../runtime/accelerator'
import type { Program } from '../runtime/program'
import type { Cells } from './cells'
import type { Gpu } from './device'
import { GpuProgram } from './program'
import { StepQueue } from './step-queue'

/** Whether a program runs on the device. */
export type Choose = (program: Program, gpu: Gpu, cells: Cells) => Promise<boolean>

export class GpuAcceleration implements Acceleration {
  private readonly programs = new Map<Program, StepProgram>()
  private readonly made: GpuProgram[] = []
  private readonly queue: StepQueue

  constructor(
    private readonly gpu: Gpu,
    private readonly cells: Cells,
    private readonly choose: Choose,
  ) {
    this.queue = new StepQueue(gpu)
  }

  stepProgram(program: Program): StepProgram | Promise<StepProgram> {
    return this.programs.get(program) ?? this.prepare(program)
  }

  private async prepare(program: Program): Promise<StepProgram> {
    const isChosen = await this.choose(program, this.gpu, this.cells)
    const prepared = isChosen ? await this.onDevice(program) : program
    this.programs.set(program, prepared)
    return prepared
  }

  private async onDevice(program: Program): Promise<StepProgram> {
    const { gpu, cells, queue } = this
    const made = new GpuProgram(gpu, program.graph, (storage) => cells.home(storage, this), queue.state)
    this.made.push(made)
    await made.compile()
    return new DeviceSteps(program, made, queue, (storages) => cells.lend(storages, this))
  }

  async fetch(storages?: Iterable<CellStorage>): Promise<number> {
    const failed = await this.queue.drain()
    await this.cells.fetch(this, storages)
    return failed
  }

  async release(): Promise<void> {
    try {
      await this.fetch()
    } catch (error) {
      // Linear memory keeps what was fetched last.
      this.cells.abandon(this)
      throw error
    } finally {
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
    private readonly queue: StepQueue,
    private readonly lend: (storages: ReadonlyMap<CellStorage, boolean>) => void,
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
    const { made, queue, parameters } = this
    this.lend(this.storages)
    parameters.forEach((data, i) => made.writeParameter(i, data))
    this.tally.add(1)
    const failed = await queue.submit(made)
    if (this.graph.outputs.length > 0) this.outputs = await made.readOutputs()
    return failed
  }

  output(index: number): NumericArray {
    return this.outputs[index]!
  }
}
