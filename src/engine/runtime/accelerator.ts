// The interface of a device that runs the steps of fit, evaluate and predict in place of the CPU: see engine/webgpu.

import type { NumericArray } from '../../core/dtypes'
import type { CellStorage, Graph } from '../ir/graph'
import type { Tally } from './meter'
import type { Program } from './program'

/** A program as a run uses it. Each run needs its parameters written before. On another device, it ends later. */
export interface StepProgram {
  readonly graph: Graph
  readonly tally: Tally
  /** The view for parameter i before a run. */
  parameter(index: number): NumericArray
  /**
   * Runs once. A program on the CPU returns whether no guard found NaN or ±Inf. On another device, where steps overlap: 0, or the
   * number of runs from the first that was not finite to the last; those after it changed nothing.
   */
  run(): boolean | Promise<number>
  /** Output i of the last run, once it has ended. Invalid after the next run of any program. */
  output(index: number): NumericArray
}

/** The programs of one model on a device, as long as fit, evaluate or predict runs. */
export interface Acceleration {
  /** The program on the device; the program itself if it runs on the CPU. Kernels are compiled, or speeds are measured, at first use. */
  stepProgram(program: Program): StepProgram | Promise<StepProgram>
  /**
   * Waits for all steps, and copies what the device has changed back to linear memory.
   * @param storages only these; default all
   * @returns as `run` of a step program
   */
  fetch(storages?: Iterable<CellStorage>): Promise<number>
  /** Fetches everything, and frees what this run needed on the device. */
  release(): Promise<void>
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

/** A device. */
export interface Accelerator {
  readonly report: AcceleratorReport
  /** @param owner what the programs belong to: programs of one owner share the content of cells */
  accelerate(owner: object): Acceleration
}

// A variable of the module, because runners of every model ask for it. useWebGPU sets it.
let current: Accelerator | null = null

export function setAccelerator(accelerator: Accelerator | null): void {
  current = accelerator
}

/** The device of the accelerator; null without one. */
export function acceleratorReport(): AcceleratorReport | null {
  return current === null ? null : current.report
}

export function isAccelerated(): boolean {
  return current !== null
}

/** The programs of an owner on the device; null without one. */
export function accelerationOf(owner: object): Acceleration | null {
  return current === null ? null : current.accelerate(owner)
}
