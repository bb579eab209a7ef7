// The kernels that run in one memory: the core from the start, and a family when a program first needs it.

import type { Opcode } from '../../../assembly/shared/opcodes'
import type { Binary } from './families'
import { familyOf } from './families'
import type { KernelExports, ModuleVariant } from './wasm'
import { compileKernels, instantiate, link } from './wasm'

/** A family in compiled form, as the threads get it. */
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

  /** Loads the families to which kernels belong. @returns those that were not loaded before */
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
