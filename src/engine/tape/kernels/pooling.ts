// Maxima and sums over windows on the tape.

import { Pool, Unpool } from '../../../../assembly/shared/instructions'
import { Opcode, Pooling } from '../../../../assembly/shared/opcodes'
import { sizeOf } from '../../../core/shapes'
import type { PoolAttributes, PrimitiveAttributes } from '../../ir/attributes'
import { instruction, type LowerContext } from '../../ir/instruction'
import type { Operand } from '../../ir/operand'
import { slides } from '../../primitives/pooling'
import type { TapeKernel } from './kernel'
import { hasPixels, windowLists } from './window'

function lowerPool(
  pooling: Pooling,
  { outputs: [out], attributes, scratch, emit }: LowerContext<PoolAttributes>,
  input: Operand,
  values: Operand,
): void {
  const { lists, ...seen } = windowLists(input, attributes.window, slides(attributes))
  emit(
    instruction(
      Opcode.Pool,
      Pool,
      {
        ...seen,
        out: out!.address,
        input: input.address,
        values: values.address,
        channels: input.shape.at(-1)!,
        pooling,
        scratch,
      },
      lists,
    ),
  )
}

function lowerUnpool(
  pooling: Pooling,
  { outputs: [out], attributes, scratch, emit }: LowerContext<PoolAttributes>,
  input: Operand,
  dy: Operand,
): void {
  const { lists, ...seen } = windowLists(out!, attributes.window, slides(attributes))
  emit(
    instruction(
      Opcode.Unpool,
      Unpool,
      {
        ...seen,
        out: out!.address,
        input: input.address,
        gradient: dy.address,
        channels: dy.shape.at(-1)!,
        pooling,
        count: sizeOf(out!.shape),
        scratch,
      },
      lists,
    ),
  )
}

const maxPool: TapeKernel<PoolAttributes> = {
  accepts: (_operand, x, layout) => hasPixels(x, layout),
  lower: (context) => lowerPool(Pooling.Max, context, context.inputs[0]!, context.inputs[0]!),
}

const maxPoolPick: TapeKernel<PoolAttributes> = {
  lower: (context) => lowerPool(Pooling.Pick, context, context.inputs[0]!, context.inputs[1]!),
}

const maxPoolTranspose: TapeKernel<PoolAttributes> = {
  lower: (context) => lowerUnpool(Pooling.Pick, context, context.inputs[0]!, context.inputs[1]!),
}

const sumPool: TapeKernel<PoolAttributes> = {
  accepts: (_operand, x, layout) => hasPixels(x, layout),
  lower: (context) => lowerPool(Pooling.Sum, context, context.inputs[0]!, context.inputs[0]!),
}

const sumPoolTranspose: TapeKernel<PrimitiveAttributes['sumPoolTranspose']> = {
  lower: (context) => lowerUnpool(Pooling.Sum, context, context.outputs[0]!, context.inputs[0]!),
}

export const pooling = { maxPool, maxPoolPick, maxPoolTranspose, sumPool, sumPoolTranspose }
