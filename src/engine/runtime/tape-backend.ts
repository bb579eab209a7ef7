// The backend that runs tapes on one thread.

import { internalError } from '../../core/errors'
import type { Graph } from '../ir/graph'
import { alone, type Share } from '../tape'
import { opcodesOf, type TapeInstruction } from '../tape/encode'
import type { KernelSet, LoadedFamily } from './wasm/kernel-set'
import type { KernelExports } from './wasm/wasm'
import type { Arena } from './memory'
import type { Program } from './program'
import type { Backend, BackendReport, Runtime } from './runtime'
import { TapeProgram, type TapeEngine } from './tape-program'

export const ONE_THREAD = 'one thread was configured'
export const NO_TURBO = 'turbo was not configured'

/** The differences from one thread without V8 flags. */
export interface TapeTraits {
  readonly threadsNote: string
  readonly wideTiles: boolean
  readonly turboNote: string | null
}

export class TapeBackend implements Backend, TapeEngine {
  readonly ready: Promise<void> = Promise.resolve()
  readonly share: Share = alone

  constructor(
    readonly memory: WebAssembly.Memory,
    readonly arena: Arena,
    private readonly set: KernelSet,
    protected readonly traits: TapeTraits = { threadsNote: ONE_THREAD, wideTiles: false, turboNote: NO_TURBO },
  ) {}

  get kernels(): KernelExports {
    return this.set.exports
  }

  get wideTiles(): boolean {
    return this.traits.wideTiles
  }

  get report(): BackendReport {
    return { threads: 1, ...this.traits }
  }

  compile(runtime: Runtime, graph: Graph): Program {
    return new TapeProgram(runtime, this, graph)
  }

  prepare(instructions: readonly TapeInstruction[]): readonly LoadedFamily[] {
    return this.set.require(opcodesOf(instructions))
  }

  runShared(tape: number, _expected: number): number {
    return this.kernels.run(tape)
  }

  lost(_hasWritten: boolean): Error {
    return internalError('a thread was lost although there is only one')
  }
}

/** The backend of a runtime that runs tapes. @throws an internal error in the interpreter */
export function tapeBackendOf({ backend }: Runtime): TapeBackend {
  if (!(backend instanceof TapeBackend)) throw internalError('this runtime does not run tapes')
  return backend
}
