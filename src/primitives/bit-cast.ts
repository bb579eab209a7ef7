// The bits of float32 as int32, and the reverse.

import { Copy } from '../../assembly/shared/instructions'
import { Opcode } from '../../assembly/shared/opcodes'
import type { DType } from '../core/dtypes'
import type { TensorType } from '../core/shapes'
import { sizeOf } from '../core/shapes'
import type { LowerContext } from '../ir/instruction'
import { instruction } from '../ir/instruction'
import { KernelRoutine } from './routine'
import type { RefContext } from './rule'

/** No gradient flows. */
export class BitCast extends KernelRoutine {
  readonly name = 'bitCast'

  /** @param dtype float32 or int32 */
  constructor(readonly dtype: DType) {
    super()
  }

  override infer([x]: readonly TensorType[]): readonly TensorType[] {
    return [{ shape: x!.shape, dtype: this.dtype }]
  }

  override lower({ inputs: [x], outputs: [out], emit }: LowerContext<unknown>): void {
    emit(instruction(Opcode.Copy, Copy, { out: out!.address, input: x!.address, rank: 1 }, [sizeOf(x!.shape), 1, 1]))
  }

  override flops(): number {
    return 0
  }

  override reference({ inputs: [x], outputs: [out], inputTypes: [from] }: RefContext<unknown>): void {
    const words = from!.dtype === 'float32' ? Float32Array.from(x!) : Int32Array.from(x!)
    out!.set(this.dtype === 'float32' ? new Float32Array(words.buffer) : new Int32Array(words.buffer))
  }
}
