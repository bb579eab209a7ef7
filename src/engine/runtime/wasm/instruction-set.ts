// The version of the instruction set that the binary and TypeScript share: a hash of everything in
// assembly/shared and ir/steps.ts. Computed when run from source; scripts/instruction-set.mjs writes the number into
// binaries.ts and into the package.

import * as instructions from '../../../../assembly/shared/instructions'
import * as opcodes from '../../../../assembly/shared/opcodes'
import * as pool from '../../../../assembly/shared/pool'
import * as steps from '../../ir/steps'

/** A hash of tables of names and numbers in any order: FNV-1a with 32 bits. */
export function hashOf(...tables: readonly object[]): number {
  const sorted = tables.map((table) => Object.entries(table).sort(([a], [b]) => (a < b ? -1 : 1)))
  let hash = 0x811c9dc5
  for (const letter of JSON.stringify(sorted)) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193)
  return hash >>> 0
}

/** The hash of the opcodes, the steps of chains, the layouts of instructions and the sizes of blocks. */
export function instructionSet(): number {
  return hashOf(opcodes, instructions, pool, steps)
}
