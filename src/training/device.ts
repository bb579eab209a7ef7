// Where the steps of a run compute: on the CPU, or on the device that useWebGPU has set.

import type { CellStorage } from '../engine/ir/graph'
import { accelerationOf, type Acceleration, type StepProgram } from '../engine/runtime/accelerator'
import type { Program } from '../engine/runtime/program'
import { after, type Soon } from '../data/samples/source'
import type { Ran } from './runner'

export interface Device {
  /** Whether programs run on another device than the CPU. Known after the first `prepare`. */
  readonly isOther: boolean
  /** Prepares a program before its first run. */
  prepare(program: Program): Soon<void>
  /** The program where it runs. */
  stepProgram(program: Program): StepProgram
  /** Runs a program once. @param load writes its parameters */
  run(program: Program, load: (target: Pick<StepProgram, 'parameter'>) => void): Soon<Ran>
  /** Waits for all runs, and copies what they changed to linear memory. @param storages only these */
  fetch(storages?: Iterable<CellStorage>): Soon<Ran>
  release(): Soon<void>
}

const NOTHING: Ran = { steps: 0, finite: true }

export const CPU: Device = {
  isOther: false,
  prepare: () => undefined,
  stepProgram: (program) => program,
  run(program, load) {
    load(program)
    return { steps: 1, finite: program.run() }
  },
  fetch: () => NOTHING,
  release: () => undefined,
}

/** @param owner what the programs belong to */
export function deviceOf(owner: object): Device {
  const acceleration = accelerationOf(owner)
  return acceleration === null ? CPU : new AcceleratedDevice(acceleration)
}

class AcceleratedDevice implements Device {
  isOther = false
  private readonly programs = new Map<Program, StepProgram>()

  constructor(private readonly acceleration: Acceleration) {}

  prepare(program: Program): Soon<void> {
    if (this.programs.has(program)) return undefined
    return after(this.acceleration.stepProgram(program), (prepared) => {
      this.programs.set(program, prepared)
      if (prepared !== program) this.isOther = true
    })
  }

  stepProgram(program: Program): StepProgram {
    return this.programs.get(program) ?? program
  }

  run(program: Program, load: (target: Pick<StepProgram, 'parameter'>) => void): Soon<Ran> {
    const prepared = this.stepProgram(program)
    if (prepared !== program) {
      load(prepared)
      return after<boolean | number, Ran>(prepared.run(), (result) => ranOf(Number(result), 1))
    }
    // A program that stays on the CPU needs the weights there.
    if (this.isOther) return after(this.fetch(), () => CPU.run(program, load))
    return CPU.run(program, load)
  }

  async fetch(storages?: Iterable<CellStorage>): Promise<Ran> {
    return ranOf(await this.acceleration.fetch(storages), 0)
  }

  release(): Soon<void> {
    return this.acceleration.release()
  }
}

/** @param failed the number of runs from the first that was not finite to the last */
function ranOf(failed: number, runs: number): Ran {
  return { steps: runs - Math.max(0, failed - 1), finite: failed === 0 }
}
