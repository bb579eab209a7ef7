// Kernels that load with the ops that use them: attention, sorting, factorizations, Fourier transforms. A
// routine contains its rule, its reference and its kernel on the tape, so that applications without these ops
// do not bundle them.

import { internalError } from '../../core/errors'
import type { TensorType } from '../../core/shapes'
import type { Address } from '../ir/operand'
import type { PrimitiveAttributes, Routine } from '../ir/attributes'
import type { Contribution, CostContext, InPlace, KernelPrimitive, View, RefContext, VjpContext } from './rule'
import type { LowerContext } from '../ir/instruction'

/**
 * A kernel and its rule. Two routines are the same if their JSON is equal, so every property that is not a
 * function must describe the computation.
 */
export abstract class KernelRoutine implements Routine {
  abstract readonly name: string
  /** Whether operands may be int8, which other kernels cannot read. */
  readonly takesInt8: boolean = false
  /** Whether it multiplies elements of its operands: see rule.ts. */
  readonly multiplies: boolean = false
  abstract infer(inputs: readonly TensorType[]): readonly TensorType[]
  /** Emits one or more instructions. */
  abstract lower(context: LowerContext<unknown>): void
  abstract flops(context: CostContext<unknown>): number
  /** The reference as a plain loop. Writes every element of every output. */
  abstract reference(context: RefContext<unknown>): void

  /** Default: no gradient flows. */
  vjp({ inputs }: VjpContext<unknown>): readonly (Contribution | null)[] {
    return inputs.map(() => null)
  }

  /** Whether an operand may have this layout. Default: only a contiguous one. */
  accepts(_operand: number, _input: TensorType, _layout: View): boolean {
    return false
  }

  /** The outputs and inputs that may share bytes. Default: none. */
  inPlace(): readonly InPlace[] {
    return []
  }

  /** The same for operands that all have one more leading axis; null if it cannot compute that. */
  lifted(): KernelRoutine | null {
    return null
  }

  /**
   * Whether elements along an axis of an operand do not affect each other: along the same axis of every result, each element
   * is computed from this one. Default: no axis.
   */
  keepsAxis(_inputs: readonly TensorType[], _operand: number, _axis: number): boolean {
    return false
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

/** The memory that a kernel requested. */
export function required(temporary: Address | null): Address {
  if (temporary === null) throw internalError('a kernel did not get the memory that it requested')
  return temporary
}

const routine: KernelPrimitive<PrimitiveAttributes['routine']> = {
  kind: 'kernel',
  infer: (inputs, attributes) => routineOf(attributes).infer(inputs),
  vjp: (context) => routineOf(context.attributes).vjp(context),
  takesInt8: (attributes) => routineOf(attributes).takesInt8,
  multiplies: (attributes) => routineOf(attributes).multiplies,
  flops: (context) => routineOf(context.attributes).flops(context),
}

export const routines = { routine }
