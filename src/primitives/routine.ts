// Kernels that come with the ops that use them: attention, sorting, factorizations, Fourier transforms. What a rule says of a
// primitive, a routine says of itself, so that an application that calls no such op does not carry it. The reference and the
// kernel on the tape are parts of it for the same reason.

import { internalError } from '../core/errors'
import type { TensorType } from '../core/shapes'
import type { Address } from '../ir/operand'
import type { PrimitiveAttributes, Routine } from '../ir/attributes'
import type { Contribution, CostContext, InPlace, KernelPrimitive, Layout, RefContext, VjpContext } from './rule'
import type { LowerContext } from '../ir/instruction'

/**
 * A kernel and all that is known of it. Whether two are the same is told by their JSON: every property that is no function
 * says something of what it does.
 */
export abstract class KernelRoutine implements Routine {
  abstract readonly name: string
  /** Whether operands may be int8, which no other kernel can read. */
  readonly takesInt8: boolean = false
  abstract infer(inputs: readonly TensorType[]): readonly TensorType[]
  /** Emits its instruction, or several. */
  abstract lower(context: LowerContext<unknown>): void
  abstract flops(context: CostContext<unknown>): number
  /** The plain loop. Every element of every output is written. */
  abstract reference(context: RefContext<unknown>): void

  /** Default: no gradient flows. */
  vjp({ inputs }: VjpContext<unknown>): readonly (Contribution | null)[] {
    return inputs.map(() => null)
  }

  /** Whether an operand may lie like this. Default: contiguous only. */
  accepts(_operand: number, _input: TensorType, _layout: Layout): boolean {
    return false
  }

  /** What may share its bytes. Default: nothing. */
  inPlace(): readonly InPlace[] {
    return []
  }

  /** Bytes that the kernel needs while it runs. */
  temporaryBytes(_inputs: readonly TensorType[]): number {
    return 0
  }
}

export function routineOf({ routine }: PrimitiveAttributes['routine']): KernelRoutine {
  if (!(routine instanceof KernelRoutine)) throw internalError(`${routine.name} has no kernel`)
  return routine
}

/** What a kernel asked for. */
export function required(temporary: Address | null): Address {
  if (temporary === null) throw internalError('a kernel without the memory that it asked for')
  return temporary
}

const routine: KernelPrimitive<PrimitiveAttributes['routine']> = {
  kind: 'kernel',
  infer: (inputs, attributes) => routineOf(attributes).infer(inputs),
  vjp: (context) => routineOf(context.attributes).vjp(context),
  takesInt8: (attributes) => routineOf(attributes).takesInt8,
  flops: (context) => routineOf(context.attributes).flops(context),
}

export const routines = { routine }
