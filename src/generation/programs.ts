// Programs that score the next token, and their runs on tokens. Keeps no state.

import { ShapeError, formatShape } from '../core/errors'
import { withinSequence } from '../layers/context'
import type { Model } from '../models/model'
import { slice, squeeze } from '../ops/numpy/shape'
import { Tensor } from '../ops/tensor'
import { after } from '../core/soon'
import { compileTraced, operandOf, outputOf, trace, type Traced } from '../ops/trace'
import type { Device } from '../engine/runtime/accelerator'
import type { Program } from '../engine/runtime/program'

export type Sequence = readonly number[]
/** Integers [batch, steps] → scores of the token after each step, [batch, steps, tokens]. */
export type Decoder = Model<Tensor, Tensor>

export const tokensOf = (sequences: readonly Sequence[]): Tensor =>
  new Tensor(Int32Array.from(sequences.flat()), [sequences.length, sequences[0]!.length], 'int32')

/**
 * Runs a program on tokens for what it keeps.
 * @param others its other parameters: numbers
 * @returns what `end` returns at once after the run, before another program runs
 */
export async function takeSteps<Result>(
  device: Device,
  program: Program,
  sequences: readonly Sequence[],
  others: readonly number[],
  end: () => Result,
): Promise<Result> {
  const { data } = tokensOf(sequences)
  await device.prepare(program)
  return after(
    device.run(program, (target) => {
      target.parameter(0).set(data)
      others.forEach((other, i) => target.parameter(i + 1).fill(other))
    }),
    end,
  )
}

/** Runs a program on tokens and returns the rows of its only output. */
export async function scoresFrom(
  device: Device,
  program: Program,
  sequences: readonly Sequence[],
  others: readonly number[] = [],
): Promise<Float32Array[]> {
  const { data, shape } = await takeSteps(device, program, sequences, others, () =>
    outputOf(device.stepProgram(program), 0),
  )
  // Scores of dtype int32 have other arrays.
  const scores = data instanceof Float32Array ? data : Float32Array.from(data)
  return Array.from({ length: shape[0]! }, (_, i) => scores.subarray(i * shape[1]!, (i + 1) * shape[1]!))
}

/**
 * [batch, steps] → the scores after each step, [batch, steps, tokens]; the logits where the model ends in a softmax.
 */
function scoresOf(model: Decoder, input: Tensor): Tensor {
  const output = model.apply(input, { training: false })
  const [batch, steps] = output.shape
  if (!(output instanceof Tensor) || output.rank !== 3 || batch !== input.shape[0] || steps !== input.shape[1]) {
    throw new ShapeError(
      `generate: ${model} must map [batch, steps] to [batch, steps, tokens], received ${formatShape(output.shape)} for ${formatShape(input.shape)}`,
    )
  }
  return operandOf(output, 'softmax') ?? output
}

/**
 * Traces the scores after each step, [batch, steps, tokens].
 * @param length the steps of the sequences of which these are a part
 */
export function traceScores(
  model: Decoder,
  [batch, steps]: readonly [batch: number, steps: number],
  length: number,
): Traced {
  return withinSequence(length, () =>
    trace([{ shape: [batch, steps], dtype: 'int32' }], ([input]) => [scoresOf(model, input!)]),
  )
}

/** The scores after the last step, [batch, tokens]. */
export function compileScores(model: Decoder, [batch, steps]: readonly [batch: number, steps: number]): Program {
  return compileTraced(
    trace([{ shape: [batch, steps], dtype: 'int32' }], ([input]) => {
      const scores = scoresOf(model, input!)
      return [squeeze(slice(scores, [0, steps - 1, 0], [batch, 1, scores.shape[2]!]), 1)]
    }),
    true,
  )
}

/** Calls `body` with a program, then disposes it. */
export async function using<Result>(program: Program, body: (program: Program) => Promise<Result>): Promise<Result> {
  try {
    return await body(program)
  } finally {
    program.dispose()
  }
}
