// Convolution and its two gradients. All three are linear in both operands, and each is the gradient of the others:
//
//   y  = convolution(x, w)              y[n, o, f]  = Σ x[n, o·stride + t·dilation, c] w[t, c, f]      over taps t, channels c
//   x̄ = convolutionTranspose(ȳ, w)     the same sum, over the y[n, o, f] that x[n, i, c] takes part in
//   w̄ = convolutionKernel(x, ȳ)        the same sum, over the places n, o
//
// Padding is not theirs: x is padded before. In depthwise convolution each channel has taps of its own and meets no other.

import { Convolution, ConvolutionKernel, DepthwiseConvolution, DepthwiseConvolutionKernel } from '../../assembly/shared/instructions'
import { Opcode } from '../../assembly/shared/opcodes'
import { ShapeError, formatShape } from '../core/errors'
import type { Shape, TensorType } from '../core/shapes'
import { sizeOf } from '../core/shapes'
import type { Value } from '../ir/graph'
import type { Operand } from '../ir/instruction'
import { ABSENT, instruction } from '../ir/instruction'
import type { ConvolutionAttributes, NoAttributes, PrimitiveAttributes, WindowAttributes } from './attributes'
import { contraction } from './contraction'
import type { Emitter } from './emitter'
import type { ComposedPrimitive, KernelPrimitive, Layout, LowerContext } from './rule'
import { isContiguous } from './rule'
import { hasPixels, placesOf, requireWindow, windowLists } from './window'

const acceptsPixels = (operand: number, input: TensorType, layout: Layout): boolean =>
  operand === 0 ? hasPixels(input, layout) : isContiguous(input.shape, layout.strides)

/** Of [… window, c, f]. */
const windowOf = (kernel: TensorType): Shape => kernel.shape.slice(0, -2)

/** × and + for every tap of every result. */
const perTap = (result: Shape, taps: Shape): number => 2 * sizeOf(result) * sizeOf(taps)

/** A convolution with one tap and no steps is a matrix product. */
const isProduct = (window: Shape, { strides, groups }: ConvolutionAttributes): boolean =>
  groups === 1 && window.every((taps) => taps === 1) && strides.every((stride) => stride === 1)

/** A convolution in which each channel is a group, and makes one result. */
const isDepthwise = (kernel: Shape, { groups }: ConvolutionAttributes): boolean => groups > 1 && kernel.at(-2) === 1 && kernel.at(-1) === groups

const slideOf = ({ strides, dilation }: WindowAttributes): WindowAttributes => ({ strides, dilation })

/** A contiguous operand as a matrix. */
const matrix = ({ address, dtype }: Operand, rows: number, columns: number): Operand => ({ address, dtype, shape: [rows, columns], strides: [columns, 1] })

const transposed = ({ shape: [rows, columns], strides: [row, column], ...rest }: Operand): Operand => ({ ...rest, shape: [columns!, rows!], strides: [column!, row!] })

const asProduct = (context: Pick<LowerContext<unknown>, 'scratch' | 'wideTiles' | 'bias' | 'epilogue' | 'emit'>, a: Operand, b: Operand, out: Operand): void =>
  contraction.matmul.lower({ ...context, temporary: null, inputs: [a, b], outputs: [out], attributes: {} as NoAttributes })

const convolution: KernelPrimitive<ConvolutionAttributes> = {
  kind: 'kernel',
  infer([x, kernel], attributes) {
    const window = windowOf(kernel!)
    requireWindow('convolution', x!, window, attributes)
    const [channels, filters] = kernel!.shape.slice(-2) as [number, number]
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
    isDepthwise(kernel!.shape, attributes) ? e.depthwiseConvolution(x!, e.reshape(kernel!, [...windowOf(kernel!), attributes.groups]), slideOf(attributes)) : null,
  accepts: acceptsPixels,
  fusesEpilogue: true,
  lower(context) {
    const { inputs: [x, kernel], outputs: [out], attributes, bias, epilogue, scratch, wideTiles, emit } = context
    const window = windowOf(kernel!)
    const [channels, filters] = kernel!.shape.slice(-2) as [number, number]
    if (isProduct(window, attributes) && contraction.matmul.accepts!(0, x!, { offset: 0, strides: x!.strides }, {})) {
      return asProduct(context, x!, matrix(kernel!, channels, filters), out!)
    }
    const { groups } = attributes
    const { lists, ...seen } = windowLists(x!, window, attributes, groups === 1 ? channels : null)
    const run = groups === 1 ? seen.run : channels
    emit(instruction(Opcode.Convolution, Convolution, {
      ...seen, run, out: out!.address, input: x!.address, weights: kernel!.address, bias: bias?.address ?? ABSENT,
      channels: filters / groups, groups, groupStride: channels, epilogue, scratch, wide: Number(wideTiles),
    }, lists))
  },
  flops: ({ inputs: [, kernel], outputs: [out] }) => perTap(out!.shape, kernel!.shape.slice(0, -1)),
}

const convolutionKernel: KernelPrimitive<PrimitiveAttributes['convolutionKernel']> = {
  kind: 'kernel',
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
  simplify: ({ e, inputs: [x, dy], output, attributes }) =>
    isDepthwise(output.shape, attributes) ? e.reshape(e.depthwiseConvolutionKernel(x!, dy!, { ...slideOf(attributes), kernel: attributes.kernel }), output.shape) : null,
  accepts: acceptsPixels,
  lower(context) {
    const { inputs: [x, dy], outputs: [out], attributes, scratch, wideTiles, emit } = context
    const { kernel, groups } = attributes
    const [channels, filters] = out!.shape.slice(-2) as [number, number]
    const places = sizeOf(dy!.shape.slice(0, -1))
    if (isProduct(kernel, attributes) && isContiguous(x!.shape, x!.strides)) {
      const columns = transposed(matrix(x!, places, channels))
      return asProduct({ ...context, bias: null, epilogue: 0 }, columns, matrix(dy!, places, filters), matrix(out!, channels, filters))
    }
    const { lists, ...seen } = windowLists(x!, kernel, attributes, groups === 1 ? channels : null)
    const run = groups === 1 ? seen.run : channels
    emit(instruction(Opcode.ConvolutionKernel, ConvolutionKernel, {
      ...seen, run, out: out!.address, input: x!.address, gradient: dy!.address, channels: filters / groups, groups, groupStride: channels, scratch,
      wide: Number(wideTiles),
    }, lists))
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
    const { groups, spatial } = attributes
    const window = windowOf(kernel!)
    const [channels, filters] = kernel!.shape.slice(-2) as [number, number]
    // [… window, c, groups · f] → [… window, f, groups · c]
    const turn = (taps: Value): Value => {
      const shape = windowOf(taps)
      if (groups === 1) return e.transposeMatrix(taps)
      const apart = e.reshape(taps, [...shape, channels, groups, filters / groups])
      const rank = shape.length
      const turned = e.transpose(apart, [...shape.keys(), rank + 2, rank + 1, rank])
      return e.reshape(turned, [...shape, filters / groups, groups * channels])
    }
    const strides = window.map(() => 1)
    return composeTranspose(e, dy!, kernel!, [...spatial, channels * groups], window, attributes, (padded, taps, dilation) =>
      e.convolution(padded, turn(taps), { strides, dilation, groups }),
    )
  },
  flops: ({ inputs: [dy, kernel] }) => perTap(dy!.shape, kernel!.shape.slice(0, -1)),
}

const depthwiseConvolution: KernelPrimitive<WindowAttributes> = {
  kind: 'kernel',
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
    isWanted(0) ? e.depthwiseConvolutionTranspose(dy!, kernel!, { ...attributes, spatial: x!.shape.slice(1, -1) }) : null,
    isWanted(1) ? e.depthwiseConvolutionKernel(x!, dy!, { ...attributes, kernel: kernel!.shape.slice(0, -1) }) : null,
  ],
  accepts: acceptsPixels,
  fusesEpilogue: true,
  lower({ inputs: [x, kernel], outputs: [out], attributes, bias, epilogue, scratch, emit }) {
    const { lists, run: _, ...seen } = windowLists(x!, kernel!.shape.slice(0, -1), attributes, null)
    emit(instruction(Opcode.DepthwiseConvolution, DepthwiseConvolution, {
      ...seen, out: out!.address, input: x!.address, weights: kernel!.address, bias: bias?.address ?? ABSENT,
      channels: x!.shape.at(-1)!, epilogue, scratch,
    }, lists))
  },
  flops: ({ inputs: [, kernel], outputs: [out] }) => perTap(out!.shape, kernel!.shape.slice(0, -1)),
}

const depthwiseConvolutionKernel: KernelPrimitive<PrimitiveAttributes['depthwiseConvolutionKernel']> = {
  kind: 'kernel',
  infer([x, dy], attributes) {
    requireWindow('depthwiseConvolutionKernel', x!, attributes.kernel, attributes)
    requirePlaces('depthwiseConvolutionKernel', x!.shape, dy!, attributes.kernel, attributes)
    return [{ shape: [...attributes.kernel, x!.shape.at(-1)!], dtype: 'float32' }]
  },
  vjp: ({ e, inputs: [x, dy], attributes: { kernel: _, ...attributes }, cotangents: [dw], isWanted }) => [
    isWanted(0) ? e.depthwiseConvolutionTranspose(dy!, dw!, { ...attributes, spatial: x!.shape.slice(1, -1) }) : null,
    isWanted(1) ? e.depthwiseConvolution(x!, dw!, attributes) : null,
  ],
  accepts: acceptsPixels,
  lower({ inputs: [x, dy], outputs: [out], attributes, scratch, emit }) {
    const { lists, run: _, ...seen } = windowLists(x!, attributes.kernel, attributes, null)
    emit(instruction(Opcode.DepthwiseConvolutionKernel, DepthwiseConvolutionKernel, {
      ...seen, out: out!.address, input: x!.address, gradient: dy!.address, channels: x!.shape.at(-1)!, scratch,
    }, lists))
  },
  flops: ({ inputs: [, dy], attributes: { kernel } }) => perTap(dy!.shape, kernel),
}

const depthwiseConvolutionTranspose: ComposedPrimitive<PrimitiveAttributes['depthwiseConvolutionTranspose']> = {
  kind: 'composed',
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
  compose(e, [dy, kernel], attributes) {
    const window = kernel!.shape.slice(0, -1)
    const strides = window.map(() => 1)
    return composeTranspose(e, dy!, kernel!, [...attributes.spatial, kernel!.shape.at(-1)!], window, attributes, (padded, taps, dilation) =>
      e.depthwiseConvolution(padded, taps, { strides, dilation }),
    )
  },
  flops: ({ inputs: [dy, kernel] }) => perTap(dy!.shape, kernel!.shape.slice(0, -1)),
}

function requirePlaces(name: string, x: Shape, dy: TensorType, window: Shape, attributes: WindowAttributes): void {
  const places = placesOf(x, window, attributes)
  if (dy.dtype === 'float32' && dy.shape.length === x.length && places.every((count, i) => count === dy.shape[i])) return
  throw new ShapeError(`${name}: the gradient must be float32 [${places.join(', ')}, channels], received ${dy.dtype} ${formatShape(dy.shape)}`)
}

/**
 * One axis of a transposed convolution. x[i] is reached by the taps t with i = o·stride + t·dilation, so which taps they
 * are depends on i modulo the stride only: the phase. Those of one phase are every `step`th from `first` on, and read y
 * at neighbouring places, `dilation` apart: a convolution without strides.
 */
interface Phase {
  readonly first: number
  readonly step: number
  readonly count: number
  readonly dilation: number
  /** Zeros to put around y. */
  readonly before: number
  readonly after: number
}

function phasesOf(extent: number, places: number, taps: number, stride: number, dilation: number): Phase[] {
  const common = greatestCommonDivisor(stride, dilation)
  const length = Math.ceil(extent / stride)
  return Array.from({ length: stride }, (_, phase) => {
    let first = 0
    while (first < taps && (phase - first * dilation) % stride !== 0) first++
    const step = stride / common
    const count = Math.max(0, Math.ceil((taps - first) / step))
    const shift = (phase - first * dilation) / stride
    const own = dilation / common
    return { first, step, count, dilation: own, before: (count - 1) * own - shift, after: shift + length - places }
  })
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}

/** All combinations, the last list's elements in turn first. */
function combinations<T>(lists: readonly (readonly T[])[]): T[][] {
  return lists.reduce<T[][]>((found, list) => found.flatMap((head) => list.map((each) => [...head, each])), [[]])
}

/**
 * x̄ [n, …spatial, c] from ȳ, phase by phase. Of stride 1 there is one phase; others are computed one after another and
 * then put between each other.
 * @param shape [...spatial, c]
 * @param convolve ȳ, padded, with a kernel that is turned round
 */
function composeTranspose(
  e: Emitter, dy: Value, kernel: Value, shape: Shape, window: Shape, { strides, dilation }: WindowAttributes,
  convolve: (padded: Value, taps: Value, dilation: readonly number[]) => Value,
): Value {
  const batch = dy.shape[0]!
  const rank = window.length
  const channels = shape[rank]!
  const lengths = strides.map((stride, i) => Math.ceil(shape[i]! / stride))
  const phases = window.map((taps, i) => phasesOf(shape[i]!, dy.shape[i + 1]!, taps, strides[i]!, dilation[i]!))
  const parts = combinations(phases).map((axes) => {
    if (axes.some(({ count }) => count === 0)) return e.zeros({ shape: [batch, ...lengths, channels], dtype: 'float32' })
    const padded = padZeros(e, dy, [0, ...axes.map(({ before }) => before), 0], [0, ...axes.map(({ after }) => after), 0])
    const taps = axes.reduce((all, { first, step, count }, axis) => everyNth(e, all, axis, first, step, count), kernel)
    return convolve(padded, e.reverse(taps, [...window.keys()]), axes.map((axis) => axis.dilation))
  })
  if (parts.length === 1) return parts[0]!
  // [Π strides · n, …lengths, c] → [n, length 1, stride 1, length 2, …, c] → [n, …spatial, c]
  const apart = e.reshape(e.concat(parts, 0), [...strides, batch, ...lengths, channels])
  const order = [rank, ...window.flatMap((_, i) => [rank + 1 + i, i]), 2 * rank + 1]
  const woven = e.reshape(e.transpose(apart, order), [batch, ...lengths.map((length, i) => length * strides[i]!), channels])
  const size = [batch, ...shape]
  return size.every((extent, i) => extent === woven.shape[i]) ? woven : e.slice(woven, size.map(() => 0), size)
}

function padZeros(e: Emitter, x: Value, before: readonly number[], after: readonly number[]): Value {
  return [...before, ...after].every((extent) => extent === 0) ? x : e.pad(x, before, after)
}

/** Elements first, first + step, … of an axis, `count` of them. */
function everyNth(e: Emitter, x: Value, axis: number, first: number, step: number, count: number): Value {
  if (step === 1 && first === 0 && count === x.shape[axis]) return x
  const at = (value: number, other: number): number[] => x.shape.map((_, i) => (i === axis ? value : other))
  const reach = (count - 1) * step + 1
  const part = e.slice(x, at(first, 0), x.shape.map((extent, i) => (i === axis ? reach : extent)))
  if (step === 1) return part
  const whole = padZeros(e, part, at(0, 0), at(count * step - reach, 0))
  const [outer, inner] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)]
  const apart = e.reshape(whole, [...outer, count, step, ...inner])
  const picked = e.slice(apart, apart.shape.map(() => 0), apart.shape.map((extent, i) => (i === axis + 1 ? 1 : extent)))
  return e.reshape(picked, [...outer, count, ...inner])
}

export const convolutions = {
  convolution,
  convolutionKernel,
  convolutionTranspose,
  depthwiseConvolution,
  depthwiseConvolutionKernel,
  depthwiseConvolutionTranspose,
}
