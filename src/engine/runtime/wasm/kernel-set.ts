// The kernels in one memory: the core from the start, and each family when a program first needs it.

import type { Opcode } from '../../../../assembly/shared/opcodes'
import { familyOf, type Binary } from './families'
import { compileKernels, instantiate, link, type KernelExports, type ModuleVariant } from './wasm'

/** A compiled family, as threads receive it. */
export interface LoadedFamily extends Pick<Binary, 'kernels'> {
  readonly module: WebAssembly.Module
}

export class KernelSet {
  /** The core, compiled. */
  readonly module: WebAssembly.Module
  readonly exports: KernelExports
  private readonly loaded = new Set<Binary>()

  constructor(
    private readonly variant: ModuleVariant,
    private readonly memory: WebAssembly.Memory,
  ) {
    this.module = compileKernels(variant)
    this.exports = instantiate(this.module, memory)
  }

  /** Loads the families that contain kernels. @returns the newly loaded ones */
  require(opcodes: Iterable<Opcode>): readonly LoadedFamily[] {
    const added: LoadedFamily[] = []
    for (const opcode of opcodes) {
      const family = familyOf(opcode)
      if (family === null || this.loaded.has(family)) continue
      this.loaded.add(family)
      const module = compileKernels(this.variant, family)
      link(this.exports, family.kernels, module, this.memory)
      added.push({ module, kernels: family.kernels })
    }
    return added
  }
}
