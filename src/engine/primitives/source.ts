// Primitives that generate data: constants and random numbers.

import type { ConstantPrimitive, KernelPrimitive } from './rule'
import type { PrimitiveAttributes } from '../ir/attributes'

const constant: ConstantPrimitive<PrimitiveAttributes['constant']> = {
  kind: 'constant',
  infer: (_inputs, { shape, dtype }) => [{ shape, dtype }],
  vjp: () => [],
  data: ({ data }) => data,
}

// key int32 [2] → out uniform in [0, 1), a pure function of key, stream and position; or key int32 [3], whose last number is that of
// the pairs before the first element, for a draw in blocks
const uniform: KernelPrimitive<PrimitiveAttributes['uniform']> = {
  kind: 'kernel',
  infer: (_inputs, { shape }) => [{ shape, dtype: 'float32' }],
  vjp: () => [null],
  flops: () => 0,
}

export const source = { constant, uniform }
