// The binaries beside the core that ops have asked for, by the opcodes of their kernels. Compiles nothing: see kernel-set.ts.

import type { Opcode } from '../../../assembly/shared/opcodes'

/** Kernels as scripts/build-wasm.mjs stores them. */
export interface Binary {
  readonly name: string
  /** The plain variant, as scripts/encode-bytes.mjs writes it. */
  readonly encoded: string
  /** Its bytes. */
  readonly size: number
  /** Which export runs which opcode. None in the core, which runs its own. */
  readonly kernels: readonly (readonly [name: string, opcode: number])[]
}

const families = new Map<number, Binary>()

/** Makes the kernels of a family available to all backends. @returns false if they already were */
export function addBinary(family: Binary): boolean {
  const isNew = family.kernels.some(([, opcode]) => !families.has(opcode))
  for (const [, opcode] of family.kernels) families.set(opcode, family)
  return isNew
}

/** The family that holds the kernel of an opcode; null for the core. */
export function familyOf(opcode: Opcode): Binary | null {
  return families.get(opcode) ?? null
}
