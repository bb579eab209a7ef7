// A value that counts as available only after another one. What is computed from it is not merged with what was computed from the value
// before: so a backward pass computes activations again, instead of keeping those of the forward pass.

import type { Value } from '../ir/graph'
import { instruction, type LowerContext } from '../ir/instruction'
import { Copy } from '../../../assembly/shared/instructions'
import { Opcode } from '../../../assembly/shared/opcodes'
import { sizeOf, type TensorType } from '../../core/shapes'
import { KernelRoutine } from './routine'
import type { InPlace, RefContext, VjpContext } from './rule'

/** x, reason → x */
export class After extends KernelRoutine {
  readonly name = 'after'

  override infer([x]: readonly TensorType[]): readonly TensorType[] {
    return [x!]
  }

  override vjp({ cotangents: [dy] }: VjpContext<unknown>): readonly (Value | null)[] {
    return [dy!, null]
  }

  /** Usually nothing reads the value later, and then nothing is copied. */
  override inPlace(): readonly InPlace[] {
    return [[0, 0]]
  }

  /** The reason is not read. */
  override accepts(operand: number): boolean {
    return operand === 1
  }

  override lower({ inputs: [x], outputs: [out], emit }: LowerContext<unknown>): void {
    const { buffer, offset } = x!.address
    if (buffer === out!.address.buffer && offset === out!.address.offset) return
    emit(instruction(Opcode.Copy, Copy, { out: out!.address, input: x!.address, rank: 1 }, [sizeOf(out!.shape), 1, 1]))
  }

  override flops(): number {
    return 0
  }

  override reference({ inputs: [x], outputs: [out] }: RefContext<unknown>): void {
    out!.set(x!)
  }
}
