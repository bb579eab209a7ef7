// The binaries besides the core that ops have requested, by the opcodes of their kernels. Compiles nothing: see
// kernel-set.ts.

import type { Opcode } from '../../../../assembly/shared/opcodes'

/** Kernels in the form that scripts/build-wasm.mjs stores. */
export interface Binary {
  readonly name: string
  /** The plain variant, encoded by scripts/encode-bytes.mjs. */
  readonly encoded: string
  /** The number of decoded bytes. */
  readonly size: number
  /** The export for each opcode. Empty for the core, which dispatches the opcodes of its kernels itself. */
  readonly kernels: readonly (readonly [name: string, opcode: number])[]
}

const families = new Map<number, Binary>()

/** Makes the kernels of a family available to all backends. @returns false if they already were */
export function addBinary(family: Binary): boolean {
  const isNew = family.kernels.some(([, opcode]) => !families.has(opcode))
  for (const [, opcode] of family.kernels) families.set(opcode, family)
  return isNew
}

/** The family that contains the kernel of an opcode; null for the core. */
export function familyOf(opcode: Opcode): Binary | null {
  return families.get(opcode) ?? null
}
