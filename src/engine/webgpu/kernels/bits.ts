// Operations on the bits of elements on the GPU.

import { BYTES_PER_ELEMENT } from '../../../core/dtypes'
import { sizeOf } from '../../../core/shapes'
import type { BitCast } from '../../primitives/bitcast'
import type { BitOperation } from '../../primitives/bits'
import type { RoutineKernel } from '../kernel'

/** Of the integers a and b. */
const operations: Readonly<Record<BitOperation['kind'], string>> = {
  xor: 'a ^ b',
  shiftLeft: 'select(0i, a << (u32(b) & 31u), u32(b) < 32u)',
  shiftRight: 'a >> min(u32(b), 31u)',
}

export const bitOperation: RoutineKernel<BitOperation> = {
  lower({ kind }, { inputs: [a, b], outputs: [out], emit }) {
    emit.over(sizeOf(out!.shape), {
      fields: { a, b, out },
      body: `let a = i32At(p.a + index);
let b = i32At(p.b + index);
storeI32(p.out + index, ${operations[kind]});`,
    })
  },
}

export const bitCast: RoutineKernel<BitCast> = {
  lower(_, { inputs: [x], outputs: [out], emit }) {
    emit.copy(x!.address, out!.address, BYTES_PER_ELEMENT * sizeOf(x!.shape))
  },
}
