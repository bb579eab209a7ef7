// gather and its adjoint on the tape.

import { Gather } from '../../../../assembly/shared/instructions'
import { Opcode, Scattering } from '../../../../assembly/shared/opcodes'
import { sizeOf, splitAround } from '../../../core/shapes'
import type { PrimitiveAttributes } from '../../ir/attributes'
import { instruction } from '../../ir/instruction'
import { fillingBits, lowerScatter } from '../../primitives/indexing'
import type { TapeKernel } from './kernel'

const gather: TapeKernel<PrimitiveAttributes['gather']> = {
  lower({ inputs: [x, indices], outputs: [out], attributes: { axis, zeros = false }, emit }) {
    emit(
      instruction(Opcode.Gather, Gather, {
        filling: zeros ? 0 : fillingBits(x!.dtype),
        out: out!.address,
        input: x!.address,
        indices: indices!.address,
        ...splitAround(x!.shape, axis),
        count: sizeOf(indices!.shape),
      }),
    )
  },
}

const scatterAdd: TapeKernel<PrimitiveAttributes['scatterAdd']> = {
  lower(context) {
    lowerScatter(
      context,
      context.attributes.axis,
      context.inputs[0]!.dtype === 'int32' ? Scattering.SumI32 : Scattering.Sum,
    )
  },
}

export const indexing = { gather, scatterAdd }
