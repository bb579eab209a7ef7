// Primitives that only training steps use: the non-finite guard and the optimizers' fused updates.
// The update's formulas are drawn beside each instruction in assembly/shared/instructions.ts.

import { Adam, Guard, RmsProp, Sgd } from '../../assembly/shared/instructions'
import { Opcode } from '../../assembly/shared/opcodes'
import { internalError } from '../core/errors'
import { ABSENT, float, instruction } from '../ir/instruction'
import { elementsOf } from './flops'
import type { KernelPrimitive } from './rule'
import type { TensorType } from '../core/shapes'
import { sameShape, sizeOf } from '../core/shapes'
import type { PrimitiveAttributes } from '../ir/attributes'

const LARGEST = 3.4028234663852886e38

// Any float32 buffers, contiguous. Ends the run before anything that comes after it.
const guard: KernelPrimitive<PrimitiveAttributes['guard']> = {
  kind: 'kernel',
  effect: true,
  ends: (inputs, { limits }) =>
    inputs.some((input, i) => input.some((x) => !(Math.abs(x) <= Math.min(limits?.[i] ?? LARGEST, LARGEST)))),
  infer: () => [],
  vjp: null,
  lower({ inputs, attributes: { limits }, emit }) {
    // What is larger than its limit is infinite when it is scaled.
    const scales = inputs.map((_, i) => LARGEST / Math.min(limits?.[i] ?? LARGEST, LARGEST))
    const lists = inputs.flatMap((input, i) => [input.address, sizeOf(input.shape), float(scales[i]!)])
    emit(instruction(Opcode.Guard, Guard, { bufferCount: inputs.length }, lists))
  },
  flops: ({ inputs }) => elementsOf(inputs),
}

/** Slots are flat buffers as long as the parameters; a scalar learning rate follows the gradient. */
function requireAlike(name: string, buffers: readonly TensorType[]): readonly TensorType[] {
  for (const buffer of buffers) {
    if (!sameShape(buffer.shape, buffers[0]!.shape)) throw internalError(`${name}: buffers differ in shape`)
  }
  return buffers
}

// (parameters, gradient, learningRate, velocity?) → (parameters, velocity?)
const sgd: KernelPrimitive<PrimitiveAttributes['sgd']> = {
  kind: 'kernel',
  infer: ([parameters, gradient, , ...velocity]) => {
    requireAlike('sgd', [parameters!, gradient!, ...velocity])
    return [parameters!, ...velocity]
  },
  vjp: null,
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
  // lr·g and p −; with momentum v·, + besides, with nesterov the same again; a factor for the decay
  flops: ({ inputs: [p], attributes: { momentum, nesterov, weightDecay } }) =>
    elementsOf([p!]) * (2 + (momentum > 0 ? 2 : 0) + (momentum > 0 && nesterov ? 2 : 0) + Number(weightDecay > 0)),
}

// (parameters, gradient, learningRate, square, average if centered, velocity if momentum) → the same without
// gradient and learningRate
const rmsprop: KernelPrimitive<PrimitiveAttributes['rmsprop']> = {
  kind: 'kernel',
  infer: ([parameters, gradient, , ...slots]) => {
    requireAlike('rmsprop', [parameters!, gradient!, ...slots])
    return [parameters!, ...slots]
  },
  vjp: null,
  inPlace: () => [
    [0, 0],
    [1, 3],
    [2, 4],
    [3, 5],
  ],
  lower({ inputs, outputs, attributes: { rho, momentum, epsilon, centered, weightDecay }, emit }) {
    const average = centered ? 4 : -1
    const velocity = momentum > 0 ? (centered ? 5 : 4) : -1
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
  // s: 4; √, + epsilon, lr·g, ÷ and p −: 5; centered: 3 for the average, 2 for its square; momentum: 2; decay: 1
  flops: ({ inputs: [p], attributes: { momentum, centered, weightDecay } }) =>
    elementsOf([p!]) * (9 + (centered ? 5 : 0) + (momentum > 0 ? 2 : 0) + Number(weightDecay > 0)),
}

// (parameters, gradient, learningRate, mean, variance, iterations int32) → (parameters, mean, variance)
const adam: KernelPrimitive<PrimitiveAttributes['adam']> = {
  kind: 'kernel',
  infer: ([parameters, gradient, , mean, variance]) => {
    requireAlike('adam', [parameters!, gradient!, mean!, variance!])
    return [parameters!, mean!, variance!]
  },
  vjp: null,
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
  // m: 3; v: 4; √, + epsilon, α·m, ÷ and p −: 5; decay: 1
  flops: ({ inputs: [p], attributes: { weightDecay } }) => elementsOf([p!]) * (12 + Number(weightDecay > 0)),
}

export const training = { guard, sgd, rmsprop, adam }
