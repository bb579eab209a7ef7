// Decides for each program whether it runs on a device, once.

import type { ProgramReport } from '../runtime/accelerator'
import type { Program } from '../runtime/program'
import type { Gpu } from './device'
import { messageOf } from './errors'
import { loadKernels } from './kernels/routines'
import { missingIn } from './lower'
import { expectedOnCpu, measure, type Measured } from './measure'
import { SelfTest } from './self-test'

export type When = 'auto' | 'always'

/** Below so many milliseconds on the CPU, the device is not tried: a submit alone takes a good part of them. */
const LEAST = 0.3
/** The device is used where it takes at most this part of the time on the CPU. */
const FASTER = 0.8
const MOST_REPORTS = 100

export class Choices {
  private readonly selfTest: SelfTest
  private readonly made = new WeakMap<Program, Promise<boolean>>()

  /** @param reports gets what was decided */
  constructor(
    private readonly gpu: Gpu,
    private readonly when: When,
    private readonly reports: ProgramReport[],
  ) {
    this.selfTest = new SelfTest(gpu)
  }

  /** The families of kernels that the device computes wrongly. */
  get wrong(): Iterable<string> {
    return this.selfTest.wrong
  }

  /** Whether a program runs on the device. */
  async choose(program: Program): Promise<boolean> {
    if (this.gpu.loss !== null) return this.reported(program, false, 'the device was lost, and there is no other')
    let choice = this.made.get(program)
    if (choice === undefined) this.made.set(program, (choice = this.decide(program)))
    return choice
  }

  /** Notes that a chosen program stays on the CPU, because the device refused it. */
  refused(program: Program, why: string): void {
    this.made.set(program, Promise.resolve(this.reported(program, false, why)))
  }

  private async decide(program: Program): Promise<boolean> {
    const { selfTest } = this
    const late = await loadKernels(program.graph).catch(() => null)
    if (late === null) return this.reported(program, false, 'the file with its kernels could not be loaded')
    const missing = missingIn(program.graph)
    if (missing !== null) return this.reported(program, false, `${missing} has no kernel on the GPU`)
    const wrong = await selfTest.wrongIn(program.graph, late)
    if (wrong !== null) return this.reported(program, false, `this device computes ${wrong} wrongly`)
    if (this.when === 'always') return this.reported(program, true, "when is 'always'")
    const expected = expectedOnCpu(program)
    if (expected < LEAST) return this.reported(program, false, 'the CPU needs less time than a submit', { expected })
    const measured = await this.measured(program)
    if (typeof measured === 'string') return this.reported(program, false, measured, { expected })
    const isFaster = measured.gpu <= FASTER * measured.wasm
    return this.reported(program, isFaster, isFaster ? 'faster' : 'not faster', { expected, ...measured })
  }

  /** The times of both, or why the device cannot run the program: it may not have the memory. */
  private async measured(program: Program): Promise<Measured | string> {
    try {
      return await measure(program, this.gpu)
    } catch (error) {
      if (this.gpu.loss !== null) throw error
      return messageOf(error)
    }
  }

  private reported(
    program: Program,
    isGpu: boolean,
    why: string,
    times: Partial<ProgramReport['milliseconds']> = {},
  ): boolean {
    const { parameters, updates } = program.graph
    this.reports.push({
      inputs: parameters.map(({ shape }) => [...shape]),
      updates: updates.length,
      device: isGpu ? 'gpu' : 'wasm',
      why,
      milliseconds: { expected: null, wasm: null, gpu: null, ...times },
    })
    if (this.reports.length > MOST_REPORTS) this.reports.shift()
    return isGpu
  }
}
