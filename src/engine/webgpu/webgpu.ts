// The device that useWebGPU sets as the accelerator: it decides for each program where it runs, and makes the programs of runs.

import type { Accelerator, Acceleration, AcceleratorReport, ProgramReport, StepProgram } from '../runtime/accelerator'
import type { Program } from '../runtime/program'
import { GpuAcceleration, type Chooser } from './acceleration'
import { Cells } from './cells'
import { Gpu } from './device'
import { messageOf } from './errors'
import { missingIn } from './lower'
import { expectedOnCpu, measure, type Measured } from './measure'
import { SelfTest } from './self-test'

export type When = 'auto' | 'always'

/** Below so many milliseconds on the CPU, the device is not tried: a submit alone takes a good part of them. */
const LEAST = 0.3
/** The device is used where it takes at most this part of the time on the CPU. */
const FASTER = 0.8
const MOST_REPORTS = 100

/** A device with its memory and what was found out about it. */
interface Tested {
  readonly gpu: Gpu
  readonly cells: Cells
  readonly selfTest: SelfTest
}

export class WebGpu implements Accelerator, Chooser {
  private readonly programs: ProgramReport[] = []
  private readonly accelerations = new WeakMap<object, SharedAcceleration>()

  private tested: Tested

  constructor(
    device: GPUDevice,
    private readonly when: When,
    private readonly name: string,
    /** Asks for another device after this one is lost; null if the user gave it. */
    private readonly renew: (() => Promise<GPUDevice>) | null,
  ) {
    this.tested = withTest(device)
  }

  get report(): AcceleratorReport {
    const { name, when, programs, tested } = this
    const use = when === 'always' ? 'used for every program that it can run' : 'used where it is faster'
    const families = [...tested.selfTest.wrong]
    const wrong = families.length === 0 ? '' : `; not used for ${families.join(', ')}, which it computes wrongly`
    return { note: `${name}: ${use}${wrong}`, programs: [...programs] }
  }

  accelerate(owner: object): Acceleration {
    let shared = this.accelerations.get(owner)
    if (shared === undefined || shared.isReleased) {
      shared = new SharedAcceleration(async () => {
        const { gpu, cells } = await this.current()
        return new GpuAcceleration(gpu, cells, this)
      })
      this.accelerations.set(owner, shared)
    }
    return shared.use()
  }

  /** The device; a new one if it was lost. */
  private async current(): Promise<Tested> {
    if (this.tested.gpu.loss !== null && this.renew !== null) this.tested = withTest(await this.renew())
    return this.tested
  }

  /** Copies everything that runs have changed on the device back to linear memory. */
  async sync(): Promise<void> {
    await this.tested.cells.fetch(null)
  }

  async choose(program: Program): Promise<boolean> {
    const { gpu, selfTest } = this.tested
    const missing = missingIn(program.graph)
    if (missing !== null) return this.reported(program, false, `${missing} has no kernel on the GPU`)
    const wrong = await selfTest.wrongIn(program.graph)
    if (wrong !== null) return this.reported(program, false, `this device computes ${wrong} wrongly`)
    if (this.when === 'always') return this.reported(program, true, "when is 'always'")
    const expected = expectedOnCpu(program)
    if (expected < LEAST) return this.reported(program, false, 'the CPU needs less time than a submit', { expected })
    const measured = await this.measured(program, gpu)
    if (typeof measured === 'string') return this.reported(program, false, measured, { expected })
    const isFaster = measured.gpu <= FASTER * measured.wasm
    return this.reported(program, isFaster, isFaster ? 'faster' : 'not faster', { expected, ...measured })
  }

  /** The times of both, or why the device cannot run the program: it may not have the memory. */
  private async measured(program: Program, gpu: Gpu): Promise<Measured | string> {
    try {
      return await measure(program, gpu)
    } catch (error) {
      if (gpu.loss !== null) throw error
      return messageOf(error)
    }
  }

  refused(program: Program, why: string): void {
    this.reported(program, false, why)
  }

  private reported(
    program: Program,
    isGpu: boolean,
    why: string,
    times: Partial<ProgramReport['milliseconds']> = {},
  ): boolean {
    const { parameters, updates } = program.graph
    this.programs.push({
      inputs: parameters.map(({ shape }) => [...shape]),
      updates: updates.length,
      device: isGpu ? 'gpu' : 'wasm',
      why,
      milliseconds: { expected: null, wasm: null, gpu: null, ...times },
    })
    if (this.programs.length > MOST_REPORTS) this.programs.shift()
    return isGpu
  }
}

function withTest(device: GPUDevice): Tested {
  const gpu = new Gpu(device)
  return { gpu, cells: new Cells(gpu.memory), selfTest: new SelfTest(gpu) }
}

/** The programs of an owner, which several runs use: training and validation. The last one releases them. */
class SharedAcceleration implements Acceleration {
  private users = 0
  private inner: Promise<GpuAcceleration> | null = null

  constructor(private readonly make: () => Promise<GpuAcceleration>) {}

  use(): this {
    this.users++
    return this
  }

  get isReleased(): boolean {
    return this.users === 0
  }

  async stepProgram(program: Program): Promise<StepProgram> {
    return (await (this.inner ??= this.make())).stepProgram(program)
  }

  async fetch(...storages: Parameters<Acceleration['fetch']>): Promise<number> {
    return this.inner === null ? 0 : (await this.inner).fetch(...storages)
  }

  async release(): Promise<void> {
    if (--this.users === 0 && this.inner !== null) await (await this.inner).release()
  }
}
