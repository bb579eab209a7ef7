// Where the steps of fit, evaluate, predict and generate compute: on the CPU, or on the device that useWebGPU has set (engine/webgpu).

import type { NumericArray } from '../../core/dtypes'
import type { CellStorage, Graph } from '../ir/graph'
import type { Tally } from './meter'
import type { Program } from './program'
import type { Rows } from './rows'

/** Steps that ran. */
export interface Ran {
  /** Their number. Negative if steps that were counted before changed nothing, because they followed one that was not finite. */
  readonly steps: number
  /** Whether all their values were finite; if not, the last step updated nothing. */
  readonly finite: boolean
}

/** A program where it runs. */
export interface StepProgram {
  readonly graph: Graph
  readonly tally: Tally
  /** The view for parameter i before a run. */
  parameter(index: number): NumericArray
  /** Output i of the last run, once it has ended. Invalid after the next run of any program. */
  output(index: number): NumericArray
}

/** A place where the programs of one run compute: those of fit with its validation, of evaluate, of predict, or of generate. */
export interface Device {
  /** Whether programs run on another device than the CPU. Known after the first `prepare`. */
  readonly isOther: boolean
  /** The number of runs that may begin before it is known whether one was finite. */
  readonly overlap: number
  /** Prepares a program before its first run: decides where it runs, and compiles it there. */
  prepare(program: Program): void | Promise<void>
  /** The program where it runs. */
  stepProgram(program: Program): StepProgram
  /** Runs a program once. On another device, steps overlap. @param load writes its parameters */
  run(program: Program, load: (target: Pick<StepProgram, 'parameter'>) => void): Ran | Promise<Ran>
  /** Copies rows to the device; null if its steps do not draw rows there, or if there is not enough memory. */
  keep(rows: readonly Rows[], size: number): Promise<KeptRows | null>
  /** Waits for all runs, and copies what they changed to linear memory. @param storages only these */
  fetch(storages?: Iterable<CellStorage>): Ran | Promise<Ran>
  /** Fetches everything, and frees what this run needed on the device. */
  release(): void | Promise<void>
}

/** Rows on a device, one list for each parameter of a step. */
export interface KeptRows {
  /** Draws the rows in this order from now on. */
  order(order: Int32Array): void
  /**
   * Runs a program on up to `most` batches of `count` rows, from row `start` of the order on. null: this program does not run on the
   * device, or it has outputs.
   */
  run(program: Program, start: number, count: number, most: number): Promise<Ran> | null
  release(): void
}

/** No step ran. */
export const NOTHING: Ran = { steps: 0, finite: true }

export const CPU: Device = {
  isOther: false,
  overlap: 0,
  prepare: () => undefined,
  stepProgram: (program) => program,
  run(program, load) {
    load(program)
    return { steps: 1, finite: program.run() }
  },
  keep: () => Promise.resolve(null),
  fetch: () => NOTHING,
  release: () => undefined,
}

/** Where a program runs, and why. */
export interface ProgramReport {
  /** The shapes of its parameters: for a training step, those of a batch of inputs and targets. */
  readonly inputs: readonly (readonly number[])[]
  /** The number of variables that it changes; 0 for a prediction. */
  readonly updates: number
  readonly device: 'gpu' | 'wasm'
  readonly why: string
  /** What decided, in milliseconds of one run: the estimate for the CPU, and what both took. null: not measured. */
  readonly milliseconds: {
    readonly expected: number | null
    readonly wasm: number | null
    readonly gpu: number | null
  }
}

export interface AcceleratorReport {
  /** The device and how it is used. */
  readonly note: string
  /** The programs so far. */
  readonly programs: readonly ProgramReport[]
}

export interface Accelerator {
  readonly report: AcceleratorReport
  /**
   * @param owner what the programs belong to: runs of one owner at the same time share the content of cells
   * @param isTraining whether runs are steps of training
   */
  deviceOf(owner: object, isTraining: boolean): Device
}

// A variable of the module, because runners of every model ask for it. useWebGPU sets it.
let current: Accelerator | null = null

export function setAccelerator(accelerator: Accelerator | null): void {
  current = accelerator
}

/** The accelerator's report; null without one. */
export function acceleratorReport(): AcceleratorReport | null {
  return current === null ? null : current.report
}

export function isAccelerated(): boolean {
  return current !== null
}

/** Where the programs of an owner run. @param isTraining whether runs are steps of training */
export function deviceOf(owner: object, isTraining = false): Device {
  return current === null ? CPU : current.deviceOf(owner, isTraining)
}
