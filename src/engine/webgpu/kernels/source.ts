// Random numbers on the GPU: the bits of assembly/kernels/random.ts.

import { sizeOf } from '../../../core/shapes'
import type { PrimitiveAttributes } from '../../ir/attributes'
import type { GpuKernel } from '../kernel'

const uniform: GpuKernel<PrimitiveAttributes['uniform']> = {
  lower({ inputs: [key], outputs: [out], attributes: { shape, stream }, emit }) {
    const numbers = sizeOf(shape)
    const before = key!.shape[0] === 3 ? 'memory[p.key + 2u]' : '0u'
    emit.over(Math.ceil(numbers / 2), {
      fields: { key, out, numbers, stream },
      body: `let bits = threefry(vec2u(memory[p.key], memory[p.key + 1u]), vec2u(${before} + index, p.stream));
storeF32(p.out + 2u * index, f32(bits.x >> 9u) * 1.1920928955078125e-7);
if (2u * index + 1u < p.numbers) { storeF32(p.out + 2u * index + 1u, f32(bits.y >> 9u) * 1.1920928955078125e-7); }`,
    })
  },
}

export const source = { uniform }
