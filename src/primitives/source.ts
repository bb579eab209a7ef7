// Primitives that make data: constants and random numbers.

import { Random } from '../../assembly/shared/instructions'
import { Opcode } from '../../assembly/shared/opcodes'
import { instruction } from '../ir/instruction'
import type { ConstantPrimitive, KernelPrimitive } from './rule'
import { sizeOf } from '../core/shapes'
import type { PrimitiveAttributes } from '../ir/attributes'

const constant: ConstantPrimitive<PrimitiveAttributes['constant']> = {
  kind: 'constant',
  infer: (_inputs, { shape, dtype }) => [{ shape, dtype }],
  vjp: () => [],
  data: ({ data }) => data,
}

// key int32 [2] → out uniform in [0, 1), a pure function of key, stream and position
const uniform: KernelPrimitive<PrimitiveAttributes['uniform']> = {
  kind: 'kernel',
  infer: (_inputs, { shape }) => [{ shape, dtype: 'float32' }],
  vjp: () => [null],
  lower({ inputs: [key], outputs: [out], attributes: { shape, stream }, emit }) {
    emit(instruction(Opcode.Random, Random, { out: out!.address, key: key!.address, stream, count: sizeOf(shape) }))
  },
  flops: () => 0,
}

export const source = { constant, uniform }
