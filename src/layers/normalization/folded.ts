// BatchNormalization at prediction, folded into the product that computed its input.

import { fileScope } from '../../core/file-scope'
import { add, multiply } from '../../ops/numpy/elementwise'
import type { Tensor } from '../../ops/tensor'
import { apply, producerOf } from '../../ops/trace'
import { exactly } from '../../core/tuples'

/**
 * x · factor + shift, for a traced x that is a convolution or a product, with or without a bias:
 *     (a ∗ W + b) · factor + shift = a ∗ (W · factor) + (b · factor + shift)
 * The right side scales a kernel instead of a result, and the product adds its bias while it stores.
 * @param factor [channels], of the last axis
 * @param shift [channels]
 * @returns null if x was computed otherwise, or if scaling the kernel would take longer than scaling x. Files of graphs have it
 *   always, because their readers compute W · factor once
 */
export function folded(x: Tensor, factor: Tensor, shift: Tensor): Tensor | null {
  const [product, bias] = producerOf(x, 'add')?.inputs ?? [x, null]
  if (bias !== null && (bias!.size !== factor.size || product!.size !== x.size)) return null
  const scaled = scaledProduct(product!, factor, 'convolution') ?? scaledProduct(product!, factor, 'matmul')
  if (scaled === null) return null
  return add(scaled, bias === null ? shift : add(multiply(bias!, factor), shift))
}

function scaledProduct(x: Tensor, factor: Tensor, name: 'convolution' | 'matmul'): Tensor | null {
  const made = producerOf(x, name)
  if (made === null) return null
  const [a, kernel] = exactly(made.inputs, 2)
  if ((2 * kernel.size > x.size && fileScope().foldsConstants !== true) || kernel.shape.at(-1) !== factor.size)
    return null
  return apply(name, [a, multiply(kernel, factor)], made.attributes)[0]!
}
