// How many times as fast one model predicts as another, on this machine.

import { median, quantile } from '../data/statistics.js'

const secondsOf = (model, x, runs) => {
  const start = performance.now()
  for (let i = 0; i < runs; i++) model.predictOnBatch(x)
  return (performance.now() - start) / 1000 / runs
}

/** How many times as fast the second model is, timed in turn: median and quartiles of rounds. */
export function speedup(before, after, x, rounds = 61) {
  for (const model of [before, after]) secondsOf(model, x, 50)
  const runs = Math.max(1, Math.round(0.004 / secondsOf(before, x, 20)))
  const times = Array.from({ length: rounds }, () => [secondsOf(before, x, runs), secondsOf(after, x, runs)])
  const ratios = times.map(([slow, fast]) => slow / fast)
  return {
    low: quantile(ratios, 0.25),
    median: median(ratios),
    high: quantile(ratios, 0.75),
    microseconds: 1e6 * median(times.map(([slow]) => slow)),
  }
}
