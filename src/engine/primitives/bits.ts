// Shifts and exclusive disjunctions of int32, element by element.

import { Bits } from '../../../assembly/shared/instructions'
import { BitFold, Opcode } from '../../../assembly/shared/opcodes'
import { ShapeError, formatShape } from '../../core/errors'
import { sameShape, sizeOf, type TensorType } from '../../core/shapes'
import { instruction, type LowerContext } from '../ir/instruction'
import { elementsOf } from './flops'
import { KernelRoutine } from './routine'
import type { CostContext, InPlace, RefContext } from './rule'

type Kind = 'xor' | 'shiftLeft' | 'shiftRight'

const BITS = 32
/** The bytes 2⁰ … 2⁷. */
const POWERS = [0x08040201, 0x80402010]

const kinds: Readonly<Record<Kind, readonly [fold: BitFold, scalar: (a: number, b: number) => number]>> = {
  xor: [BitFold.Xor, (a, b) => a ^ b],
  shiftLeft: [BitFold.ShiftLeft, (a, b) => (b >= 0 && b < BITS ? a << b : 0)],
  shiftRight: [BitFold.ShiftRight, (a, b) => a >> (b >= 0 && b < BITS ? b : BITS - 1)],
}

/** a, b → a ∘ b for int32 of one shape. */
export class BitOperation extends KernelRoutine {
  readonly name = 'bits'

  constructor(readonly kind: Kind) {
    super()
  }

  override infer([a, b]: readonly TensorType[]): readonly TensorType[] {
    if (a!.dtype !== 'int32' || b!.dtype !== 'int32' || !sameShape(a!.shape, b!.shape))
      throw new ShapeError(
        `${this.kind}: expected two int32 operands of one shape, received ${a!.dtype} ${formatShape(a!.shape)} and ${b!.dtype} ${formatShape(b!.shape)}`,
      )
    return [a!]
  }

  override keepsAxis(): boolean {
    return true
  }

  override lifted(): BitOperation {
    return this
  }

  override inPlace(): readonly InPlace[] {
    return [[0, 0]]
  }

  override lower({ inputs: [a, b], outputs: [out], emit }: LowerContext<unknown>): void {
    const count = sizeOf(out!.shape)
    if (count === 0) return
    emit(
      instruction(
        Opcode.Bits,
        Bits,
        { out: out!.address, a: a!.address, b: b!.address, count, fold: kinds[this.kind][0] },
        POWERS,
      ),
    )
  }

  override flops({ outputs }: CostContext<unknown>): number {
    return elementsOf(outputs)
  }

  override reference({ inputs: [a, b], outputs: [out] }: RefContext<unknown>): void {
    const [, scalar] = kinds[this.kind]
    for (let i = 0; i < out!.length; i++) out![i] = scalar(a![i]!, b![i]!)
  }
}
