// gather and its adjoint on the tape.

import { Gather } from '../../../assembly/shared/instructions'
import { Opcode, Scattering } from '../../../assembly/shared/opcodes'
import { sizeOf, splitAround } from '../../core/shapes'
import type { AxisAttributes, PrimitiveAttributes } from '../../ir/attributes'
import { instruction } from '../../ir/instruction'
import { lowerScatter } from '../../primitives/indexing'
import type { TapeKernel } from './kernel'

const gather: TapeKernel<AxisAttributes> = {
  lower({ inputs: [x, indices], outputs: [out], attributes: { axis }, emit }) {
    emit(
      instruction(Opcode.Gather, Gather, {
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
