// Runs once before the tests: refuses binaries that were built from other sources than those of assembly/.

import { spawnSync } from 'node:child_process'

export default function setup(): void {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/build-wasm.mjs', '--check'], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
}
