// The tape as a target of the planner: its kernel for every primitive that has one. Ops that use convolution
// and pooling add those kernels.

import { internalError } from '../../core/errors'
import type { PrimitiveAttributes, PrimitiveName } from '../ir/attributes'
import type { KernelName, WindowName } from '../primitives'
import type { Target } from '../plan/target'
import { CHAIN_LIMITS } from './chain'
import { contraction } from './kernels/contraction'
import { crossEntropies } from './kernels/cross-entropy'
import { indexing } from './kernels/indexing'
import type { TapeKernel } from './kernels/kernel'
import { movement } from './kernels/movement'
import { reductions } from './kernels/reduction'
import { routines } from './kernels/routine'
import { source } from './kernels/source'
import { training } from './kernels/training'

type Kernels<Name extends PrimitiveName> = { readonly [Each in Name]: TapeKernel<PrimitiveAttributes[Each]> }

const core: Kernels<Exclude<KernelName, WindowName>> = {
  ...contraction,
  ...reductions,
  ...crossEntropies,
  ...indexing,
  ...movement,
  ...routines,
  ...source,
  ...training,
}

/** The kernels that are loaded: those of all programs, and then those that ops add. */
const kernels: Partial<Kernels<PrimitiveName>> = { ...core }

/** Adds the kernels of convolution and pooling. */
export function addWindowKernels(added: Kernels<KernelName & WindowName>): void {
  Object.assign(kernels, added)
}

export function tapeKernelOf<Name extends PrimitiveName>(name: Name): TapeKernel<PrimitiveAttributes[Name]> {
  const kernel = kernels[name]
  if (kernel === undefined) throw internalError(`${name} has no kernel on the tape`)
  return kernel
}

export const tapeTarget: Target = { kernelOf: tapeKernelOf, chain: CHAIN_LIMITS }
