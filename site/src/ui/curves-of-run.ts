// The curves of a run. Beyond a thousand points, which is more than a chart has pixels, every second point is dropped.

import type { Curve } from '../worker/protocol'

const MOST = 1000

export interface Curves {
  readonly epochs: readonly number[]
  readonly loss: readonly number[]
  readonly metric: readonly number[]
  /** null where the test rows were not measured. */
  readonly testLoss: readonly (number | null)[]
  readonly testMetric: readonly (number | null)[]
}

export const NO_CURVES: Curves = { epochs: [], loss: [], metric: [], testLoss: [], testMetric: [] }

/** The curves with new points. These replace points of the same or later epochs, which exist after a return to an earlier one. */
export function extended(curves: Curves, { from, loss, metric, testLoss, testMetric }: Curve): Curves {
  const kept = curves.epochs.findIndex((epoch) => epoch >= from)
  const end = kept < 0 ? curves.epochs.length : kept
  const last = loss.length - 1
  const all: Curves = {
    epochs: [...curves.epochs.slice(0, end), ...loss.map((_, i) => from + i)],
    loss: [...curves.loss.slice(0, end), ...loss],
    metric: [...curves.metric.slice(0, end), ...metric],
    testLoss: [...curves.testLoss.slice(0, end), ...loss.map((_, i) => (i === last ? testLoss : null))],
    testMetric: [...curves.testMetric.slice(0, end), ...loss.map((_, i) => (i === last ? testMetric : null))],
  }
  return all.epochs.length > MOST ? thinned(all) : all
}

/** Keeps the second of two neighbours, with the measurement on test rows of either. */
function thinned({ epochs, loss, metric, testLoss, testMetric }: Curves): Curves {
  const half = <Value>(values: readonly Value[]): Value[] => values.filter((_, i) => i % 2 === 1)
  const either = (values: readonly (number | null)[]): (number | null)[] =>
    half(values.map((value, i) => value ?? values[i - 1] ?? null))
  return {
    epochs: half(epochs),
    loss: half(loss),
    metric: half(metric),
    testLoss: either(testLoss),
    testMetric: either(testMetric),
  }
}
