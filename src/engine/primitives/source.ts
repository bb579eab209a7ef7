// Primitives that generate data: constants and random numbers.

import type { ConstantPrimitive, KernelPrimitive } from './rule'
import type { PrimitiveAttributes } from '../ir/attributes'

const constant: ConstantPrimitive<PrimitiveAttributes['constant']> = {
  kind: 'constant',
  infer: (_inputs, { shape, dtype }) => [{ shape, dtype }],
  vjp: () => [],
  data: ({ data }) => data,
}

// key int32 [2] → out uniform in [0, 1), a pure function of key, stream and position. For a draw in blocks, key is int32 [3],
// and key[2] is the number of pairs before the first element.
const uniform: KernelPrimitive<PrimitiveAttributes['uniform']> = {
  kind: 'kernel',
  infer: (_inputs, { shape }) => [{ shape, dtype: 'float32' }],
  vjp: () => [null],
  flops: () => 0,
}

export const source = { constant, uniform }
