// The tape as a target of the planner: a kernel for every primitive that has one.

import { internalError } from '../core/errors'
import type { PrimitiveAttributes, PrimitiveName } from '../ir/attributes'
import type { KernelName } from '../primitives'
import type { Target } from '../plan/target'
import { CHAIN_LIMITS } from './chain'
import { contraction } from './kernels/contraction'
import { convolutions } from './kernels/convolution'
import { crossEntropies } from './kernels/cross-entropy'
import { indexing } from './kernels/indexing'
import type { TapeKernel } from './kernels/kernel'
import { movement } from './kernels/movement'
import { pooling } from './kernels/pooling'
import { reductions } from './kernels/reduction'
import { routines } from './kernels/routine'
import { source } from './kernels/source'
import { training } from './kernels/training'

const kernels: { readonly [Name in KernelName]: TapeKernel<PrimitiveAttributes[Name]> } = {
  ...contraction,
  ...convolutions,
  ...pooling,
  ...reductions,
  ...crossEntropies,
  ...indexing,
  ...movement,
  ...routines,
  ...source,
  ...training,
}

export function tapeKernelOf<Name extends PrimitiveName>(name: Name): TapeKernel<PrimitiveAttributes[Name]> {
  const all: { readonly [N in PrimitiveName]?: TapeKernel<PrimitiveAttributes[N]> } = kernels
  const kernel = all[name]
  if (kernel === undefined) throw internalError(`${name} has no kernel on the tape`)
  return kernel
}

export const tapeTarget: Target = { kernelOf: tapeKernelOf, chain: CHAIN_LIMITS }
