// Primitives that only training steps use: the non-finite guard and the optimizers' fused updates. The formulas
// of the updates are in assembly/shared/instructions.ts.

import { internalError } from '../../core/errors'
import { elementsOf } from './flops'
import type { KernelPrimitive } from './rule'
import { sameShape, type TensorType } from '../../core/shapes'
import type { PrimitiveAttributes } from '../ir/attributes'

/** The largest float32. */
export const LARGEST = 3.4028234663852886e38

// Any contiguous float32 buffers. Ends the run before later nodes if a value is not finite.
const guard: KernelPrimitive<PrimitiveAttributes['guard']> = {
  kind: 'kernel',
  effect: true,
  ends: (inputs, { limits }) =>
    inputs.some((input, i) => input.some((x) => !(Math.abs(x) <= Math.min(limits?.[i] ?? LARGEST, LARGEST)))),
  infer: () => [],
  vjp: null,
  flops: ({ inputs }) => elementsOf(inputs),
}

/** Slots are flat buffers with the parameters' length; a scalar learning rate follows the gradient. */
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
  // lr·g and p −; momentum adds v· and +, nesterov the same again; weight decay adds a factor.
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
  // m: 3; v: 4; √, + epsilon, α·m, ÷ and p −: 5; decay: 1
  flops: ({ inputs: [p], attributes: { weightDecay } }) => elementsOf([p!]) * (12 + Number(weightDecay > 0)),
}

export const training = { guard, sgd, rmsprop, adam }
