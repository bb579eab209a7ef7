// The interface of runners, which run the steps of fit and evaluate: over samples in arrays (array-runner.ts), or over a
// sequence of batches (stream-runner.ts).

import { hasNonFinite } from '../core/dtypes'
import type { Samples } from '../data/samples/samples'
import type { Soon } from '../core/soon'
import type { LayerBase } from '../layers/layer'
import type { Tensor } from '../ops/tensor'
import { GRADIENT_LIMIT, LEARNING_RATE_LIMIT } from '../optimizers/limits'
import type { CellStorage } from '../engine/ir/graph'
import type { Ran, StepProgram } from '../engine/runtime/accelerator'
import type { Program } from '../engine/runtime/program'
import type { Runtime } from '../engine/runtime/runtime'
import type { Resumable } from './position'
import type { Probe } from './probes'
import type { BatchTypes } from './steps'

/** The seed and number that determine the order of a pass. */
export interface Draw {
  readonly seed: number
  /** The number of the pass. */
  readonly epoch: number
}

/** Runs one kind of step over all samples, pass after pass. */
export interface Runner extends Resumable {
  /** Steps of a pass: null if unknown, Infinity if it has no end. */
  readonly steps: number | null
  /** Whether a step of the current pass was run. */
  readonly isWithin: boolean
  /** Copies the data to linear memory, if that makes steps faster. release() frees the copy. */
  settle(runtime: Runtime): void
  /** Begins a pass. */
  begin(draw: Draw | null): Soon<void>
  /** The program of the next step, compiled at first use; null at the end of the pass. May have to await the batch. */
  upcoming(probes?: readonly Probe[]): Soon<Program | null>
  /** Whether steps run on another device, where many are submitted at once. Known after the first `upcoming`. */
  readonly isElsewhere: boolean
  /** Runs up to `most` steps like the upcoming one. */
  run(most: number, probes?: readonly Probe[]): Soon<Ran>
  /** If steps run on another device: waits for them, and copies weights and metrics to linear memory. */
  fetch(storages?: Iterable<CellStorage>): Soon<Ran>
  /** Describes the non-finite value of a failed step, by running it again. */
  diagnose(): string
  /** Frees all resources. */
  release(): Soon<void>
}

/** The programs that a runner runs. A program that is held is not evicted. */
export interface StepPrograms {
  program(types: BatchTypes, probes?: readonly Probe[]): Program
  hold(program: Program): void
  release(program: Program): void
}

/** Writes a program's parameters. */
export function load(program: Pick<StepProgram, 'parameter'>, tensors: readonly Tensor[]): void {
  for (let i = 0; i < tensors.length; i++) {
    const { data } = tensors[i]!
    const target = program.parameter(i)
    // Below about a hundred elements, a loop is faster than the call.
    if (data.length > 64) target.set(data)
    else for (let at = 0; at < data.length; at++) target[at] = data[at]!
  }
}

/** Runs a program again with the same parameters, and describes the value that ended its last run. */
export function whatFailed(program: Program): string {
  return (
    program.findNonFinite() ??
    `a gradient above ${GRADIENT_LIMIT.toExponential(1)}, whose square float32 cannot hold, or a learning rate above ${LEARNING_RATE_LIMIT.toExponential()}`
  )
}

/** Whether all weights are finite. The guard of a step sees only the loss, gradients and states before the update. */
export function isWhole({ weights }: LayerBase): boolean {
  return !weights.some(({ view }) => hasNonFinite(view))
}

/** What the error of a step that is not finite says about the weights. */
export function stateAfter(model: LayerBase): string {
  return isWhole(model)
    ? 'The weights are those before this step.'
    : 'Weights are NaN or infinite: an update overflowed or divided by 0.'
}

/** The types of a batch of `count` rows. */
export function typesOf({ x, inputs, y, targets, weights, readers }: Samples, count: number): BatchTypes {
  const rows = ({ dtype, shape }: Tensor) => ({ dtype, shape: [count, ...shape.slice(1)] })
  return {
    x,
    inputs: inputs.map(rows),
    y,
    targets: targets.map((target) => target && rows(target)),
    weights: weights.map((weight) => weight && rows(weight)),
    ...(readers === undefined ? {} : { readers }),
  }
}
