// Convolutions on the tape: boxes of places with the same taps, or a matrix product.

import {
  Convolution,
  ConvolutionKernel,
  DepthwiseConvolution,
  DepthwiseConvolutionKernel,
} from '../../../../assembly/shared/instructions'
import { Opcode } from '../../../../assembly/shared/opcodes'
import { sizeOf, type Shape, type TensorType } from '../../../core/shapes'
import type { ConvolutionAttributes, PaddedAttributes, PrimitiveAttributes } from '../../ir/attributes'
import { ABSENT, instruction, type LowerContext } from '../../ir/instruction'
import type { Operand } from '../../ir/operand'
import { isProduct, windowOf } from '../../primitives/convolution'
import { isContiguous, type View } from '../../primitives/rule'
import { acceptsMatrices, lowerProduct, productBytes } from './contraction'
import type { TapeKernel } from './kernel'
import {
  boxLists,
  depthwiseBoxLists,
  hasPixels,
  slidingStretches,
  transposedStretches,
  type BoxLists,
  type Stretch,
} from './window'

const acceptsPixels = (operand: number, input: TensorType, layout: View): boolean =>
  operand === 0 ? hasPixels(input, layout) : isContiguous(input.shape, layout.strides)

/** The least numbers of channels and of filters for which Winograd's algorithm is faster. */
const WINOGRAD_CHANNELS = 32

/** Whether Winograd's 16 products for 2 × 2 places are at most as many as those of their windows, which skip the padding. */
function savesProducts(stretches: readonly (readonly Stretch[])[]): boolean {
  const counts = (of: (stretch: Stretch) => number): number[] =>
    stretches.map((axis) => axis.reduce((sum, stretch) => sum + of(stretch), 0))
  const places = counts(({ count }) => count)
  return (
    sizeOf(places.map((each) => 4 * Math.ceil(each / 2))) <= sizeOf(counts(({ count, seen }) => count * seen.length))
  )
}

/**
 * The images of a convolution as tiles for Winograd's algorithm, or null if a convolution is not of its kind, or so small
 * that it is not faster.
 * @param places the shape of the results
 */
function winogradLists(
  x: Operand,
  window: Shape,
  places: Shape,
  stretches: readonly (readonly Stretch[])[],
  filters: number,
  { strides, dilation, groups }: ConvolutionAttributes,
  before: readonly number[],
): readonly number[] | null {
  const channels = x.shape.at(-1)!
  const isKind =
    window.length === 2 &&
    window.every((extent) => extent === 3) &&
    [...strides, ...dilation, groups].every((each) => each === 1) &&
    channels % 8 === 0 &&
    filters % 8 === 0
  const isLarge = Math.min(channels, filters) >= WINOGRAD_CHANNELS && sizeOf(places) > 0 && savesProducts(stretches)
  return isKind && isLarge ? [...x.shape.slice(1, 3), ...places.slice(1, 3), ...before, ...x.strides.slice(0, 3)] : null
}

/**
 * Convolves each group of channels of x with the filters of this group, at the places of `stretches`.
 * @param before the zeros in front of x where windows slide over it
 */
function lowerConvolution(
  {
    inputs: [x, kernel],
    outputs: [out],
    attributes,
    bias,
    epilogue,
    scratch,
    wideTiles,
    emit,
  }: LowerContext<ConvolutionAttributes>,
  stretches: readonly (readonly Stretch[])[],
  before: readonly number[],
): void {
  const { groups } = attributes
  const window = windowOf(kernel!)
  const channels = kernel!.shape.at(-2)!
  const filters = kernel!.shape.at(-1)!
  const tiles = winogradLists(x!, window, out!.shape, stretches, filters, attributes, before)
  const { lists, ...seen } =
    tiles === null ? boxLists(x!, out!.shape, window, stretches, channels) : ofTiles(out!.shape, channels, tiles)
  emit(
    instruction(
      Opcode.Convolution,
      Convolution,
      {
        ...seen,
        out: out!.address,
        input: x!.address,
        weights: kernel!.address,
        bias: bias?.address ?? ABSENT,
        channels: filters / groups,
        groups,
        groupStride: channels,
        epilogue,
        scratch,
        wide: Number(wideTiles),
        winograd: Number(tiles !== null),
      },
      lists,
    ),
  )
}

/** What boxLists returns, for tiles instead of boxes. */
const ofTiles = (places: Shape, channels: number, lists: readonly number[]): BoxLists => ({
  places: sizeOf(places.slice(0, -1)),
  boxes: 0,
  taps: 9,
  run: channels,
  lists,
})

function lowerDepthwise(
  { inputs: [x, kernel], outputs: [out], bias, epilogue, scratch, emit }: LowerContext<PaddedAttributes>,
  stretches: readonly (readonly Stretch[])[],
): void {
  const { lists, run: _, ...seen } = depthwiseBoxLists(x!, out!.shape, kernel!.shape.slice(0, -1), stretches)
  emit(
    instruction(
      Opcode.DepthwiseConvolution,
      DepthwiseConvolution,
      {
        ...seen,
        out: out!.address,
        input: x!.address,
        weights: kernel!.address,
        bias: bias?.address ?? ABSENT,
        channels: x!.shape.at(-1)!,
        epilogue,
        scratch,
      },
      lists,
    ),
  )
}

/** A contiguous operand as a matrix. */
const matrix = ({ address, dtype }: Operand, rows: number, columns: number): Operand => ({
  address,
  dtype,
  shape: [rows, columns],
  strides: [columns, 1],
})

const transposed = ({ shape: [rows, columns], strides: [row, column], ...rest }: Operand): Operand => ({
  ...rest,
  shape: [columns!, rows!],
  strides: [column!, row!],
})

const convolution: TapeKernel<ConvolutionAttributes> = {
  accepts: acceptsPixels,
  fusesEpilogue: true,
  temporaryBytes([x, kernel], attributes) {
    if (!isProduct(kernel!.shape.slice(0, -2), attributes)) return 0
    const channels = kernel!.shape.at(-2)!
    const filters = kernel!.shape.at(-1)!
    return productBytes([...x!.shape.slice(0, -1), filters], channels)
  },
  lower(context) {
    const {
      inputs: [x, kernel],
      outputs: [out],
      attributes,
    } = context
    const window = windowOf(kernel!)
    const channels = kernel!.shape.at(-2)!
    const filters = kernel!.shape.at(-1)!
    if (isProduct(window, attributes) && acceptsMatrices(0, x!, { offset: 0, strides: x!.strides })) {
      return lowerProduct(context, x!, matrix(kernel!, channels, filters), out!)
    }
    lowerConvolution(context, slidingStretches(x!.shape, window, attributes), attributes.before)
  },
}

const convolutionKernel: TapeKernel<PrimitiveAttributes['convolutionKernel']> = {
  accepts: acceptsPixels,
  temporaryBytes: ([x, dy], attributes) =>
    isProduct(attributes.kernel, attributes)
      ? productBytes([x!.shape.at(-1)!, dy!.shape.at(-1)!], sizeOf(dy!.shape.slice(0, -1)))
      : 0,
  lower(context) {
    const {
      inputs: [x, dy],
      outputs: [out],
      attributes,
      scratch,
      wideTiles,
      emit,
    } = context
    const { kernel, groups } = attributes
    const channels = out!.shape.at(-2)!
    const filters = out!.shape.at(-1)!
    const places = sizeOf(dy!.shape.slice(0, -1))
    if (isProduct(kernel, attributes) && isContiguous(x!.shape, x!.strides)) {
      const columns = transposed(matrix(x!, places, channels))
      return lowerProduct(
        { ...context, bias: null, epilogue: 0 },
        columns,
        matrix(dy!, places, filters),
        matrix(out!, channels, filters),
      )
    }
    const stretches = slidingStretches(x!.shape, kernel, attributes)
    const tiles = winogradLists(x!, kernel, dy!.shape, stretches, filters, attributes, attributes.before)
    const { lists, ...seen } =
      tiles === null ? boxLists(x!, dy!.shape, kernel, stretches, channels) : ofTiles(dy!.shape, channels, tiles)
    emit(
      instruction(
        Opcode.ConvolutionKernel,
        ConvolutionKernel,
        {
          ...seen,
          out: out!.address,
          input: x!.address,
          gradient: dy!.address,
          channels: filters / groups,
          groups,
          groupStride: channels,
          scratch,
          wide: Number(wideTiles),
          winograd: Number(tiles !== null),
        },
        lists,
      ),
    )
  },
}

const convolutionTurned: TapeKernel<PrimitiveAttributes['convolutionTurned']> = {
  accepts: acceptsPixels,
  fusesEpilogue: true,
  lower: (context) =>
    lowerConvolution(
      context,
      transposedStretches(context.outputs[0]!.shape, windowOf(context.inputs[1]!), context.attributes),
      context.attributes.before.map((zeros) => 2 - zeros),
    ),
}

const depthwiseConvolution: TapeKernel<PaddedAttributes> = {
  accepts: acceptsPixels,
  fusesEpilogue: true,
  lower: (context) =>
    lowerDepthwise(
      context,
      slidingStretches(context.inputs[0]!.shape, context.inputs[1]!.shape.slice(0, -1), context.attributes),
    ),
}

const depthwiseConvolutionKernel: TapeKernel<PrimitiveAttributes['depthwiseConvolutionKernel']> = {
  accepts: acceptsPixels,
  lower({ inputs: [x, dy], outputs: [out], attributes, scratch, emit }) {
    const {
      lists,
      run: _,
      ...seen
    } = depthwiseBoxLists(x!, dy!.shape, attributes.kernel, slidingStretches(x!.shape, attributes.kernel, attributes))
    emit(
      instruction(
        Opcode.DepthwiseConvolutionKernel,
        DepthwiseConvolutionKernel,
        {
          ...seen,
          out: out!.address,
          input: x!.address,
          gradient: dy!.address,
          channels: x!.shape.at(-1)!,
          scratch,
        },
        lists,
      ),
    )
  },
}

const depthwiseConvolutionTranspose: TapeKernel<PrimitiveAttributes['depthwiseConvolutionTranspose']> = {
  accepts: acceptsPixels,
  fusesEpilogue: true,
  lower(context) {
    const window = context.inputs[1]!.shape.slice(0, -1)
    lowerDepthwise(
      context,
      renumber(transposedStretches(context.outputs[0]!.shape, window, context.attributes), window),
    )
  },
}

/** Numbers taps from the first instead of from the last. */
function renumber(stretches: readonly (readonly Stretch[])[], window: Shape): Stretch[][] {
  return stretches.map((axis, i) =>
    axis.map((stretch) => ({
      ...stretch,
      seen: stretch.seen.map(({ tap, at }) => ({ tap: window[i]! - 1 - tap, at })),
    })),
  )
}

export const convolutions = {
  convolution,
  convolutionKernel,
  convolutionTurned,
  depthwiseConvolution,
  depthwiseConvolutionKernel,
  depthwiseConvolutionTranspose,
}
