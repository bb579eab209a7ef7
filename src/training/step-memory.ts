// The memory that a training step needs, known before it runs.

import { parseSamples } from '../data/samples/parse'
import { Prepared } from './prepared'
import { typesOf } from './runner'
import type { TrainingState } from './state'

/** The arguments of fit for rows in arrays. */
type Rows = Parameters<typeof parseSamples>[1]

/**
 * Compiles the training step for rows of these shapes, which fit then finds compiled.
 * @returns the bytes of linear memory that the step needs besides weights and the optimizer's variables
 */
export function stepBytes(state: TrainingState, rows: Rows, batchSize: number): number {
  const prepared = new Prepared(state, 'train', 'fit')
  const samples = parseSamples(prepared, rows)
  state.buildOptimizer(prepared.compiled)
  return prepared.program(typesOf(samples, Math.min(batchSize, samples.size))).workspaceBytes
}
