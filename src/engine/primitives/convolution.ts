// Convolution and its two gradients. All three are linear in both operands, and each is the gradient of the others:
//
//   y  = convolution(x, w)              y[n, o, f]  = Σ x[n, o·stride + t·dilation, c] w[t, c, f]      over taps t, channels c
//   x̄ = convolutionTranspose(ȳ, w)     the same sum, over the y[n, o, f] that depend on x[n, i, c]
//   w̄ = convolutionKernel(x, ȳ)        the same sum, over the places n, o
//
// `before` and `after` are the numbers of zeros around x, so indices of its axes start at −before. The zeros are neither
// stored nor multiplied. In depthwise convolution each channel has separate taps and is convolved alone.

import { ShapeError, formatShape } from '../../core/errors'
import { sizeOf, type Shape, type TensorType } from '../../core/shapes'
import type { Value } from '../ir/graph'
import type { ConvolutionAttributes, PaddedAttributes, PrimitiveAttributes } from '../ir/attributes'
import type { Emitter } from './emitter'
import type { ComposedPrimitive, KernelPrimitive } from './rule'
import { placesOf, requireWindow } from './window'

/** The window of a kernel [… window, c, f]. */
export const windowOf = (kernel: TensorType): Shape => kernel.shape.slice(0, -2)

/** × and + for every tap of every result. */
const perTap = (result: Shape, taps: Shape): number => 2 * sizeOf(result) * sizeOf(taps)

const isZero = (count: number): boolean => count === 0
const isOne = (count: number): boolean => count === 1

/** A convolution with one tap, strides of 1 and no zeros around x is a matrix product. */
export const isProduct = (window: Shape, { strides, groups, before, after }: ConvolutionAttributes): boolean =>
  groups === 1 && window.every(isOne) && strides.every(isOne) && before.every(isZero) && after.every(isZero)

/** A convolution in which each channel is a group with one result. */
const isDepthwise = (kernel: Shape, { groups }: ConvolutionAttributes): boolean =>
  groups > 1 && kernel.at(-2) === 1 && kernel.at(-1) === groups

const slideOf = ({ strides, dilation, before, after }: PaddedAttributes): PaddedAttributes => ({
  strides,
  dilation,
  before,
  after,
})

/** [… window, c, groups · f] → [… window, f, groups · c] */
function turnChannels(e: Emitter, kernel: Value, groups: number): Value {
  if (groups === 1) return e.transposeMatrix(kernel)
  const window = windowOf(kernel)
  const channels = kernel.shape.at(-2)!

  const filters = kernel.shape.at(-1)!
  const rank = window.length
  const apart = e.reshape(kernel, [...window, channels, groups, filters / groups])
  const turned = e.transpose(apart, [...window.keys(), rank + 2, rank + 1, rank])
  return e.reshape(turned, [...window, filters / groups, groups * channels])
}

/** The minimum number of images for which the kernel's gradient is computed in boxes; with fewer, padding is faster. */
const BOXED_IMAGES = 4

/** x padded in memory, and the attributes for it; null if padding in memory is not needed. */
function padded<Attributes extends PaddedAttributes>(
  e: Emitter,
  x: Value,
  attributes: Attributes,
): { wide: Value; inside: Attributes } | null {
  const { before, after } = attributes
  const none = before.map(() => 0)
  if (x.shape[0]! >= BOXED_IMAGES || [...before, ...after].every(isZero)) return null
  const cut = e.slice(
    x,
    x.shape.map(() => 0),
    x.shape.map((extent, i) => extent + Math.min(0, after[i - 1] ?? 0)),
  )
  const wide = e.pad(cut, [0, ...before, 0], [0, ...after.map((count) => Math.max(0, count)), 0])
  return { wide, inside: { ...attributes, before: none, after: none } }
}

const convolution: KernelPrimitive<ConvolutionAttributes> = {
  kind: 'kernel',
  multiplies: () => true,
  infer([x, kernel], attributes) {
    const window = windowOf(kernel!)
    requireWindow('convolution', x!, window, attributes)
    const channels = kernel!.shape.at(-2)!

    const filters = kernel!.shape.at(-1)!
    const { groups } = attributes
    if (kernel!.dtype !== 'float32' || channels * groups !== x!.shape.at(-1) || filters % groups !== 0) {
      throw new ShapeError(
        `convolution: ${groups} group${groups === 1 ? '' : 's'} of a kernel [… window, channels / groups, filters] must fit the channels of ${formatShape(x!.shape)}, received ${kernel!.dtype} ${formatShape(kernel!.shape)}`,
      )
    }
    return [{ shape: [...placesOf(x!.shape, window, attributes), filters], dtype: 'float32' }]
  },
  vjp: ({ e, inputs: [x, kernel], attributes, cotangents: [dy], isWanted }) => [
    isWanted(0) ? e.convolutionTranspose(dy!, kernel!, { ...attributes, spatial: x!.shape.slice(1, -1) }) : null,
    isWanted(1) ? e.convolutionKernel(x!, dy!, { ...attributes, kernel: windowOf(kernel!) }) : null,
  ],
  simplify: ({ e, inputs: [x, kernel], attributes }) =>
    isDepthwise(kernel!.shape, attributes)
      ? e.depthwiseConvolution(x!, e.reshape(kernel!, [...windowOf(kernel!), attributes.groups]), slideOf(attributes))
      : null,
  flops: ({ inputs: [, kernel], outputs: [out] }) => perTap(out!.shape, kernel!.shape.slice(0, -1)),
}

const convolutionKernel: KernelPrimitive<PrimitiveAttributes['convolutionKernel']> = {
  kind: 'kernel',
  multiplies: () => true,
  infer([x, dy], attributes) {
    const { kernel, groups } = attributes
    requireWindow('convolutionKernel', x!, kernel, attributes)
    requirePlaces('convolutionKernel', x!.shape, dy!, kernel, attributes)
    return [{ shape: [...kernel, x!.shape.at(-1)! / groups, dy!.shape.at(-1)!], dtype: 'float32' }]
  },
  vjp: ({ e, inputs: [x, dy], attributes: { kernel: _, ...attributes }, cotangents: [dw], isWanted }) => [
    isWanted(0) ? e.convolutionTranspose(dy!, dw!, { ...attributes, spatial: x!.shape.slice(1, -1) }) : null,
    isWanted(1) ? e.convolution(x!, dw!, attributes) : null,
  ],
  simplify({ e, inputs: [x, dy], output, attributes }) {
    const { wide, inside } = padded(e, x!, attributes) ?? { wide: x!, inside: attributes }
    if (isDepthwise(output.shape, attributes))
      return e.reshape(
        e.depthwiseConvolutionKernel(wide, dy!, { ...slideOf(inside), kernel: attributes.kernel }),
        output.shape,
      )
    return wide === x ? null : e.convolutionKernel(wide, dy!, inside)
  },
  flops: ({ inputs: [, dy], outputs: [out] }) => perTap(dy!.shape, out!.shape.slice(0, -1)),
}

const convolutionTranspose: ComposedPrimitive<PrimitiveAttributes['convolutionTranspose']> = {
  kind: 'composed',
  infer([dy, kernel], attributes) {
    const { spatial, groups } = attributes
    const shape = [dy!.shape[0]!, ...spatial, kernel!.shape.at(-2)! * groups]
    requireWindow('convolutionTranspose', { shape, dtype: 'float32' }, windowOf(kernel!), attributes)
    requirePlaces('convolutionTranspose', shape, dy!, windowOf(kernel!), attributes)
    return [{ shape, dtype: 'float32' }]
  },
  vjp: ({ e, inputs: [dy, kernel], attributes: { spatial: _, ...attributes }, cotangents: [dx], isWanted }) => [
    isWanted(0) ? e.convolution(dx!, kernel!, attributes) : null,
    isWanted(1) ? e.convolutionKernel(dx!, dy!, { ...attributes, kernel: windowOf(kernel!) }) : null,
  ],
  compose(e, [dy, kernel], attributes) {
    const { groups, spatial, ...slide } = attributes
    const window = windowOf(kernel!)
    if (isProduct(window, attributes)) return e.convolution(dy!, turnChannels(e, kernel!, groups), { ...slide, groups })
    if (isDepthwise(kernel!.shape, attributes)) {
      return e.depthwiseConvolutionTranspose(dy!, e.reshape(kernel!, [...window, groups]), {
        ...slideOf(attributes),
        spatial,
      })
    }
    return e.convolutionTurned(dy!, e.reverse(turnChannels(e, kernel!, groups), [...window.keys()]), attributes)
  },
  flops: ({ inputs: [dy, kernel] }) => perTap(dy!.shape, kernel!.shape.slice(0, -1)),
}

/**
 * convolutionTranspose with the kernel in the layout of its sums: [… window, f, groups · c], with the window
 * reversed.
 */
const convolutionTurned: KernelPrimitive<PrimitiveAttributes['convolutionTurned']> = {
  kind: 'kernel',
  multiplies: () => true,
  infer([dy, kernel], attributes) {
    const shape = [dy!.shape[0]!, ...attributes.spatial, kernel!.shape.at(-1)!]
    requireWindow('convolutionTurned', { shape, dtype: 'float32' }, windowOf(kernel!), attributes)
    requirePlaces('convolutionTurned', shape, dy!, windowOf(kernel!), attributes)
    return [{ shape, dtype: 'float32' }]
  },
  // Not differentiable: simplification creates it from convolutionTranspose after differentiation.
  vjp: null,
  flops: ({ inputs: [dy, kernel], attributes: { groups } }) =>
    (perTap(dy!.shape, kernel!.shape.slice(0, -2)) * kernel!.shape.at(-1)!) / groups,
}

const depthwiseConvolution: KernelPrimitive<PaddedAttributes> = {
  kind: 'kernel',
  multiplies: () => true,
  infer([x, kernel], attributes) {
    const window = kernel!.shape.slice(0, -1)
    requireWindow('depthwiseConvolution', x!, window, attributes)
    if (kernel!.dtype !== 'float32' || kernel!.shape.at(-1) !== x!.shape.at(-1)) {
      throw new ShapeError(
        `depthwiseConvolution: the kernel must be float32 [… window, channels] with the channels of ${formatShape(x!.shape)}, received ${kernel!.dtype} ${formatShape(kernel!.shape)}`,
      )
    }
    return [{ shape: [...placesOf(x!.shape, window, attributes), x!.shape.at(-1)!], dtype: 'float32' }]
  },
  vjp: ({ e, inputs: [x, kernel], attributes, cotangents: [dy], isWanted }) => [
    isWanted(0)
      ? e.depthwiseConvolutionTranspose(dy!, kernel!, { ...attributes, spatial: x!.shape.slice(1, -1) })
      : null,
    isWanted(1) ? e.depthwiseConvolutionKernel(x!, dy!, { ...attributes, kernel: kernel!.shape.slice(0, -1) }) : null,
  ],
  flops: ({ inputs: [, kernel], outputs: [out] }) => perTap(out!.shape, kernel!.shape.slice(0, -1)),
}

const depthwiseConvolutionKernel: KernelPrimitive<PrimitiveAttributes['depthwiseConvolutionKernel']> = {
  kind: 'kernel',
  multiplies: () => true,
  infer([x, dy], attributes) {
    requireWindow('depthwiseConvolutionKernel', x!, attributes.kernel, attributes)
    requirePlaces('depthwiseConvolutionKernel', x!.shape, dy!, attributes.kernel, attributes)
    return [{ shape: [...attributes.kernel, x!.shape.at(-1)!], dtype: 'float32' }]
  },
  vjp: ({ e, inputs: [x, dy], attributes: { kernel: _, ...attributes }, cotangents: [dw], isWanted }) => [
    isWanted(0) ? e.depthwiseConvolutionTranspose(dy!, dw!, { ...attributes, spatial: x!.shape.slice(1, -1) }) : null,
    isWanted(1) ? e.depthwiseConvolution(x!, dw!, attributes) : null,
  ],
  simplify({ e, inputs: [x, dy], attributes }) {
    const apart = padded(e, x!, attributes)
    return apart && e.depthwiseConvolutionKernel(apart.wide, dy!, apart.inside)
  },
  flops: ({ inputs: [, dy], attributes: { kernel } }) => perTap(dy!.shape, kernel),
}

const depthwiseConvolutionTranspose: KernelPrimitive<PrimitiveAttributes['depthwiseConvolutionTranspose']> = {
  kind: 'kernel',
  multiplies: () => true,
  infer([dy, kernel], attributes) {
    const window = kernel!.shape.slice(0, -1)
    const shape = [dy!.shape[0]!, ...attributes.spatial, kernel!.shape.at(-1)!]
    requireWindow('depthwiseConvolutionTranspose', { shape, dtype: 'float32' }, window, attributes)
    requirePlaces('depthwiseConvolutionTranspose', shape, dy!, window, attributes)
    return [{ shape, dtype: 'float32' }]
  },
  vjp: ({ e, inputs: [dy, kernel], attributes: { spatial: _, ...attributes }, cotangents: [dx], isWanted }) => [
    isWanted(0) ? e.depthwiseConvolution(dx!, kernel!, attributes) : null,
    isWanted(1) ? e.depthwiseConvolutionKernel(dx!, dy!, { ...attributes, kernel: kernel!.shape.slice(0, -1) }) : null,
  ],
  flops: ({ inputs: [dy, kernel] }) => perTap(dy!.shape, kernel!.shape.slice(0, -1)),
}

function requirePlaces(name: string, x: Shape, dy: TensorType, window: Shape, attributes: PaddedAttributes): void {
  const places = placesOf(x, window, attributes)
  if (dy.dtype === 'float32' && dy.shape.length === x.length && places.every((count, i) => count === dy.shape[i]))
    return
  throw new ShapeError(
    `${name}: the gradient must be float32 [${places.join(', ')}, channels], received ${dy.dtype} ${formatShape(dy.shape)}`,
  )
}

export const convolutions = {
  convolution,
  convolutionKernel,
  convolutionTranspose,
  convolutionTurned,
  depthwiseConvolution,
  depthwiseConvolutionKernel,
  depthwiseConvolutionTranspose,
}
