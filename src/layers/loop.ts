// ops.scan for layers that call inner layers in each iteration: losses and metrics of the inner layers leave the loop.

import { mean, sum } from '../ops/numpy/reduce'
import { scan, type ScanOptions } from '../ops/control/scan'
import type { Tensor } from '../ops/tensor'
import { CallContext, currentFrame, withFrame } from './context'

/** The result of one iteration. */
export interface RecurrentStep {
  /** The state for the next iteration. */
  readonly state: readonly Tensor[]
  /** The values that are stacked. */
  readonly outputs: readonly Tensor[]
}

/**
 * Calls `turn` for each slice along the first axis, within a layer call with this context. Losses of all iterations are
 * summed, metrics are averaged.
 * @returns the last state, and the outputs of all iterations along a new first axis
 */
export function scanLayers(
  context: CallContext,
  turn: (state: readonly Tensor[], slices: readonly Tensor[]) => RecurrentStep,
  first: readonly Tensor[],
  slices: readonly Tensor[],
  options: ScanOptions = {},
): RecurrentStep {
  const layer = currentFrame()?.layer ?? null
  let names: readonly string[] = []
  let counts = { outputs: 0, losses: 0 }
  const [state, stacked] = scan<readonly Tensor[], readonly Tensor[], readonly Tensor[]>(
    (before, step) => {
      const inside = new CallContext(context.training)
      const { state, outputs } = withFrame(layer, inside, () => turn(before, step))
      const { losses, metrics } = inside
      names = metrics.map(({ name }) => name)
      counts = { outputs: outputs.length, losses: losses.length }
      return [state, [...outputs, ...losses, ...metrics.map(({ value }) => value)]]
    },
    first,
    slices,
    options,
  )
  const { outputs, losses } = counts
  for (const each of stacked.slice(outputs, outputs + losses)) context.addLoss(sum(each))
  names.forEach((name, i) => context.addMetric(name, mean(stacked[outputs + losses + i]!)))
  return { state, outputs: stacked.slice(0, outputs) }
}
