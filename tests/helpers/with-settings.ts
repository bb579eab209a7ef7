// Lets one test leave its mode temporarily, for example to compare the wasm core with the interpreter. Its runs do not
// count when mode.ts checks which path a file took.
import { inject } from 'vitest'
import { configure, runtimeInfo } from '../../src'
import { settingsOf, type Settings } from './modes'

/** Runs per path. */
export interface RunCounts {
  wasmRuns: number
  interpreterRuns: number
}

// Runs made inside withSettings since the process started.
const excused: RunCounts = { wasmRuns: 0, interpreterRuns: 0 }

/** Runs since the process started, without those made inside withSettings. */
export function ownRuns(): RunCounts {
  const { wasmRuns, interpreterRuns } = runtimeInfo().counters
  return {
    wasmRuns: wasmRuns - excused.wasmRuns,
    interpreterRuns: interpreterRuns - excused.interpreterRuns,
  }
}

/** Calls `body` under the mode's settings changed by `changes`, then restores the mode's settings. */
export async function withSettings<T>(changes: Partial<Settings>, body: () => T | Promise<T>): Promise<T> {
  const modeSettings = settingsOf[inject('mode')]
  const before = ownRuns()
  configure({ ...modeSettings, ...changes })
  try {
    return await body()
  } finally {
    const after = ownRuns()
    excused.wasmRuns += after.wasmRuns - before.wasmRuns
    excused.interpreterRuns += after.interpreterRuns - before.interpreterRuns
    configure(modeSettings)
  }
}
