// The guard and the optimizers' updates on the tape.

import { Adam, Guard, RmsProp, Sgd } from '../../../../assembly/shared/instructions'
import { Opcode } from '../../../../assembly/shared/opcodes'
import { sizeOf } from '../../../core/shapes'
import type { PrimitiveAttributes } from '../../ir/attributes'
import { ABSENT, float, instruction } from '../../ir/instruction'
import { LARGEST } from '../../primitives/training'
import type { TapeKernel } from './kernel'

const guard: TapeKernel<PrimitiveAttributes['guard']> = {
  lower({ inputs, attributes: { limits }, emit }) {
    // Scaling makes values above their limit infinite.
    const scales = inputs.map((_, i) => LARGEST / Math.min(limits?.[i] ?? LARGEST, LARGEST))
    const lists = inputs.flatMap((input, i) => [input.address, sizeOf(input.shape), float(scales[i]!)])
    emit(instruction(Opcode.Guard, Guard, { bufferCount: inputs.length }, lists))
  },
}

const sgd: TapeKernel<PrimitiveAttributes['sgd']> = {
  inPlace: () => [
    [0, 0],
    [1, 3],
  ],
  lower({ inputs: [p, g, rate, v], outputs: [pOut, vOut], attributes, emit }) {
    emit(
      instruction(Opcode.Sgd, Sgd, {
        parameters: p!.address,
        parametersOut: pOut!.address,
        gradient: g!.address,
        velocity: v?.address ?? ABSENT,
        velocityOut: vOut?.address ?? ABSENT,
        count: sizeOf(p!.shape),
        learningRate: rate!.address,
        momentum: float(attributes.momentum),
        nesterov: Number(attributes.nesterov),
        weightDecay: float(attributes.weightDecay),
      }),
    )
  },
}

const rmsprop: TapeKernel<PrimitiveAttributes['rmsprop']> = {
  inPlace: () => [
    [0, 0],
    [1, 3],
    [2, 4],
    [3, 5],
  ],
  lower({ inputs, outputs, attributes: { rho, momentum, epsilon, centered, weightDecay }, emit }) {
    const average = centered ? 4 : -1
    const afterAverage = centered ? 5 : 4
    const velocity = momentum > 0 ? afterAverage : -1
    emit(
      instruction(Opcode.RmsProp, RmsProp, {
        parameters: inputs[0]!.address,
        parametersOut: outputs[0]!.address,
        gradient: inputs[1]!.address,
        square: inputs[3]!.address,
        squareOut: outputs[1]!.address,
        average: inputs[average]?.address ?? ABSENT,
        averageOut: outputs[average - 2]?.address ?? ABSENT,
        velocity: inputs[velocity]?.address ?? ABSENT,
        velocityOut: outputs[velocity - 2]?.address ?? ABSENT,
        count: sizeOf(inputs[0]!.shape),
        learningRate: inputs[2]!.address,
        rho: float(rho),
        momentum: float(momentum),
        epsilon: float(epsilon),
        weightDecay: float(weightDecay),
      }),
    )
  },
}

const adam: TapeKernel<PrimitiveAttributes['adam']> = {
  inPlace: () => [
    [0, 0],
    [1, 3],
    [2, 4],
  ],
  lower({ inputs: [p, g, rate, m, v, iterations], outputs: [pOut, mOut, vOut], attributes, emit }) {
    emit(
      instruction(Opcode.Adam, Adam, {
        parameters: p!.address,
        parametersOut: pOut!.address,
        gradient: g!.address,
        mean: m!.address,
        meanOut: mOut!.address,
        variance: v!.address,
        varianceOut: vOut!.address,
        count: sizeOf(p!.shape),
        learningRate: rate!.address,
        iterations: iterations!.address,
        beta1: float(attributes.beta1),
        beta2: float(attributes.beta2),
        epsilon: float(attributes.epsilon),
        weightDecay: float(attributes.weightDecay),
      }),
    )
  },
}

export const training = { guard, sgd, rmsprop, adam }
