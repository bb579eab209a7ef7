// The GPU as a target of the planner: its kernel for each primitive that has one.

import { internalError } from '../../core/errors'
import { isNodeOf, type Node } from '../ir/graph'
import type { PrimitiveAttributes, PrimitiveName } from '../ir/attributes'
import type { Target } from '../plan/target'
import { CHAIN_LIMITS } from './chain'
import type { GpuKernel } from './kernel'
import { contraction } from './kernels/contraction'
import { convolutions } from './kernels/convolution'
import { indexing } from './kernels/indexing'
import { movement } from './kernels/movement'
import { pooling } from './kernels/pooling'
import { reductions } from './kernels/reduction'
import { hasRoutine, routines } from './kernels/routines'
import { softmaxes } from './kernels/softmax'
import { source } from './kernels/source'
import { training } from './kernels/training'

type Kernels = { readonly [Name in PrimitiveName]?: GpuKernel<PrimitiveAttributes[Name]> }

const kernels: Kernels = {
  ...contraction,
  ...convolutions,
  ...indexing,
  ...movement,
  ...pooling,
  ...reductions,
  ...routines,
  ...softmaxes,
  ...source,
  ...training,
}

export function hasKernel(node: Node): boolean {
  return isNodeOf(node, 'routine') ? hasRoutine(node.attributes) : kernels[node.name] !== undefined
}

export function gpuKernelOf<Name extends PrimitiveName>(name: Name): GpuKernel<PrimitiveAttributes[Name]> {
  const kernel: Kernels[Name] = kernels[name]
  if (kernel === undefined) throw internalError(`${name} has no kernel on the GPU`)
  return kernel
}

/** Bytes that small values may keep for longer: they are all that a token of a language model needs. */
const SMALL = 2 ** 16

export const gpuTarget: Target = {
  kernelOf: gpuKernelOf,
  chain: CHAIN_LIMITS,
  keeps: (bytes) => (bytes <= SMALL ? 8 : 4),
}
