// Random numbers on the tape.

import { Random } from '../../../../assembly/shared/instructions'
import { Opcode } from '../../../../assembly/shared/opcodes'
import { sizeOf } from '../../../core/shapes'
import type { PrimitiveAttributes } from '../../ir/attributes'
import { instruction } from '../../ir/instruction'
import type { TapeKernel } from './kernel'

const uniform: TapeKernel<PrimitiveAttributes['uniform']> = {
  lower({ inputs: [key], outputs: [out], attributes: { shape, stream }, emit }) {
    const count = sizeOf(shape)
    const isBlock = Number(key!.shape[0] === 3)
    emit(instruction(Opcode.Random, Random, { out: out!.address, key: key!.address, stream, count, isBlock }))
  },
}

export const source = { uniform }
