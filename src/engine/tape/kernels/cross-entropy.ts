// The cross-entropy of softmax on the tape.

import { CrossEntropy, CrossEntropyGradient } from '../../../../assembly/shared/instructions'
import { Opcode, TargetKind } from '../../../../assembly/shared/opcodes'
import type { NoAttributes } from '../../ir/attributes'
import { instruction } from '../../ir/instruction'
import { rowsOf } from '../../primitives/cross-entropy'
import { isContiguous } from '../../primitives/rule'
import type { TapeKernel } from './kernel'

function crossEntropyOf(kind: TargetKind): TapeKernel<NoAttributes> {
  return {
    lower({ inputs: [x, targets], outputs: [loss, p], emit }) {
      emit(
        instruction(Opcode.CrossEntropy, CrossEntropy, {
          loss: loss!.address,
          probabilities: p!.address,
          logits: x!.address,
          targets: targets!.address,
          ...rowsOf(x!.shape),
          kind,
        }),
      )
    },
    inPlace: () => [[1, 0]],
  }
}

function gradientOf(kind: TargetKind): TapeKernel<NoAttributes> {
  return {
    lower({ inputs: [p, targets, scale], outputs: [out], emit }) {
      emit(
        instruction(Opcode.CrossEntropyGradient, CrossEntropyGradient, {
          out: out!.address,
          probabilities: p!.address,
          targets: targets!.address,
          scale: scale!.address,
          scaleStride: isContiguous(scale!.shape, scale!.strides) ? 1 : 0,
          ...rowsOf(p!.shape),
          kind,
        }),
      )
    },
    // Usually every row has the same scale.
    accepts: (operand, _type, { strides }) => operand === 2 && strides.every((stride) => stride === 0),
    inPlace: () => [[0, 0]],
  }
}

export const crossEntropies = {
  classCrossEntropy: crossEntropyOf(TargetKind.Classes),
  classCrossEntropyGradient: gradientOf(TargetKind.Classes),
  crossEntropy: crossEntropyOf(TargetKind.Distributions),
  crossEntropyGradient: gradientOf(TargetKind.Distributions),
}
