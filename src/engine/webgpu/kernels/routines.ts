// The routines with a kernel on the GPU.

import { internalError } from '../../../core/errors'
import type { TensorType } from '../../../core/shapes'
import type { PrimitiveAttributes } from '../../ir/attributes'
import { AttentionGradientKernel, AttentionKernel } from '../../primitives/attention'
import { BitCast } from '../../primitives/bitcast'
import { BitOperation } from '../../primitives/bits'
import { Normalization, NormalizationGradient } from '../../primitives/normalization'
import { routineOf, type KernelRoutine } from '../../primitives/routine'
import { RunningResult } from '../../primitives/running'
import type { GpuContext, GpuKernel, RoutineKernel } from '../kernel'
import { attention, attentionGradient } from './attention'
import { bitCast, bitOperation } from './bits'
import { normalization, normalizationGradient } from './normalization'
import { running } from './running'

/** A kernel together with the routine that it is for. */
interface BoundKernel {
  lower(context: GpuContext<unknown>): void
  temporaryBytes(inputs: readonly TensorType[]): number
}

/** A function that gives the kernel for routines of a class, and null for others. */
function kernelFor<Routine extends KernelRoutine>(
  type: new (...parameters: never[]) => Routine,
  kernel: RoutineKernel<Routine>,
): (routine: KernelRoutine) => BoundKernel | null {
  return (routine) =>
    routine instanceof type
      ? {
          lower: (context) => kernel.lower(routine, context),
          temporaryBytes: (inputs) => kernel.temporaryBytes?.(routine, inputs) ?? 0,
        }
      : null
}

const kernels = [
  kernelFor(AttentionKernel, attention),
  kernelFor(AttentionGradientKernel, attentionGradient),
  kernelFor(BitCast, bitCast),
  kernelFor(BitOperation, bitOperation),
  kernelFor(Normalization, normalization),
  kernelFor(NormalizationGradient, normalizationGradient),
  kernelFor(RunningResult, running),
]

type Attributes = PrimitiveAttributes['routine']

function find(attributes: Attributes): BoundKernel | null {
  const routine = routineOf(attributes)
  for (const kernelOf of kernels) {
    const kernel = kernelOf(routine)
    if (kernel !== null) return kernel
  }
  return null
}

function kernelOf(attributes: Attributes): BoundKernel {
  const kernel = find(attributes)
  if (kernel === null) throw internalError(`${attributes.routine.name} has no kernel on the GPU`)
  return kernel
}

export const hasRoutine = (attributes: Attributes): boolean => find(attributes) !== null

const routine: GpuKernel<Attributes> = {
  lower: (context) => kernelOf(context.attributes).lower(context),
  accepts: (operand, input, layout, attributes) => routineOf(attributes).accepts(operand, input, layout),
  inPlace: (attributes) => routineOf(attributes).inPlace(),
  temporaryBytes: (inputs, attributes) => kernelOf(attributes).temporaryBytes(inputs),
}

export const routines = { routine }
