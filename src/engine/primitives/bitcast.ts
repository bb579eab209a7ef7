// The bits of a tensor as another dtype. Every element has 32 bits, so the kernel is a copy.

import { Copy } from '../../../assembly/shared/instructions'
import { Opcode } from '../../../assembly/shared/opcodes'
import { sizeOf, type TensorType } from '../../core/shapes'
import { instruction, type LowerContext } from '../ir/instruction'
import { KernelRoutine } from './routine'
import type { InPlace, RefContext } from './rule'

/** float32 → int32 of the same shape and bits, and back. */
export class BitCast extends KernelRoutine {
  readonly name = 'bitcast'

  constructor(readonly dtype: 'float32' | 'int32') {
    super()
  }

  override infer([x]: readonly TensorType[]): readonly TensorType[] {
    return [{ shape: x!.shape, dtype: this.dtype }]
  }

  override keepsAxis(): boolean {
    return true
  }

  override lower({ inputs: [x], outputs: [out], emit }: LowerContext<unknown>): void {
    const count = sizeOf(x!.shape)
    const isSame = x!.address.buffer === out!.address.buffer && x!.address.offset === out!.address.offset
    if (count === 0 || isSame) return
    emit(instruction(Opcode.Copy, Copy, { out: out!.address, input: x!.address, rank: 1 }, [count, 1, 1]))
  }

  override inPlace(): readonly InPlace[] {
    return [[0, 0]]
  }

  override flops(): number {
    return 0
  }

  override reference({ inputs: [x], outputs: [out] }: RefContext<unknown>): void {
    const bits = new ArrayBuffer(4 * x!.length)
    const [floats, integers] = [new Float32Array(bits), new Int32Array(bits)]
    const [from, to] = this.dtype === 'int32' ? [floats, integers] : [integers, floats]
    from.set(x!)
    out!.set(to)
  }
}
