// The device that useWebGPU sets as the accelerator: it decides for each program where it runs, and makes the programs of runs.

import type { Accelerator, Acceleration } from '../runtime/accelerator'
import type { Program } from '../runtime/program'
import { GpuAcceleration } from './acceleration'
import { Cells } from './cells'
import type { Gpu } from './device'
import { missingIn } from './lower'

export type When = 'auto' | 'always'

/** Where a program runs, and why. */
export interface ProgramReport {
  /** What the program computes, such as `train [32, 784]`. */
  readonly program: string
  readonly device: 'gpu' | 'wasm'
  readonly why: string
}

export class WebGpu implements Accelerator {
  readonly cells: Cells
  readonly reports: ProgramReport[] = []
  private readonly accelerations = new WeakMap<object, SharedAcceleration>()

  constructor(
    readonly gpu: Gpu,
    private readonly when: When,
  ) {
    this.cells = new Cells(gpu.memory)
  }

  accelerate(owner: object): Acceleration {
    let shared = this.accelerations.get(owner)
    if (shared === undefined || shared.isReleased) {
      shared = new SharedAcceleration(new GpuAcceleration(this.gpu, this.cells, (program) => this.choose(program)))
      this.accelerations.set(owner, shared)
    }
    return shared.use()
  }

  private async choose(program: Program): Promise<boolean> {
    const missing = missingIn(program.graph)
    if (missing !== null) return this.report(program, false, `${missing} has no kernel on the GPU`)
    return this.report(program, this.when === 'always', '')
  }

  private report(program: Program, isGpu: boolean, why: string): boolean {
    const inputs = program.graph.parameters.map(({ shape }) => `[${shape.join(', ')}]`).join(' ')
    this.reports.push({ program: inputs, device: isGpu ? 'gpu' : 'wasm', why })
    return isGpu
  }
}

/** The programs of an owner, which several runs use: training and validation. The last one releases them. */
class SharedAcceleration implements Acceleration {
  private users = 0

  constructor(private readonly inner: GpuAcceleration) {}

  use(): this {
    this.users++
    return this
  }

  get isReleased(): boolean {
    return this.users === 0
  }

  stepProgram(program: Program): ReturnType<Acceleration['stepProgram']> {
    return this.inner.stepProgram(program)
  }

  fetch(...storages: Parameters<Acceleration['fetch']>): Promise<number> {
    return this.inner.fetch(...storages)
  }

  async release(): Promise<void> {
    if (--this.users === 0) await this.inner.release()
  }
}
