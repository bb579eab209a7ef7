// Convolutions on the GPU, as products whose operands are found in the images: nothing is copied into columns.

import { sizeOf, type Shape } from '../../../core/shapes'
import type { ConvolutionAttributes, PaddedAttributes, PrimitiveAttributes } from '../../ir/attributes'
import { windowOf } from '../../primitives/convolution'
import { elementsOf } from '../couple'
import { arrayOf } from '../dispatch'
import type { GpuContext, GpuKernel } from '../kernel'
import { treeOf } from './rows'
import { emitProduct, sliceBytes, type ProductSize } from './tiles'
import { pixelSeen, placeThatSees, slideOf } from './window'

/** The number of images times the number of places. */
const placesIn = (shape: Shape): number => sizeOf(shape.slice(0, -1))

/** WGSL of an element of x at a place, for a tap and a channel of the group: tap · channels + channel. */
const seenAt = (rank: number, place: string, tapChannel: string): string => `let channel = ${tapChannel} % p.channels;
${pixelSeen(rank, place, `${tapChannel} / p.channels`, 'return 0.0;')}
return f32At(origin + pixel * p.allChannels + channel);`

/** WGSL of an element of a matrix with rows p.ROW apart, whose columns are neighbours. */
const inRow = (row: string): string => `return f32At(origin + deep * p.${row} + wide);`

const convolution: GpuKernel<ConvolutionAttributes> = {
  fusesEpilogue: true,
  fusesAddend: true,
  temporaryBytes: ([x, kernel], attributes) => sliceBytes(forwardSize(x!.shape, kernel!.shape, attributes)),
  lower(context) {
    const {
      inputs: [x, kernel],
      attributes,
    } = context
    const window = windowOf(kernel!)
    const size = forwardSize(x!.shape, kernel!.shape, attributes)
    const filters = kernel!.shape.at(-1)!
    const slide = slideOf(x!.shape, window, attributes)
    emitProduct(context, {
      size,
      fields: {
        x,
        kernel,
        channels: kernel!.shape.at(-2)!,
        allChannels: x!.shape.at(-1)!,
        filters,
        ...slide.fields,
      },
      left: { from: 'p.x + matrix * p.channels', element: seenAt(slide.rank, 'wide', 'deep'), isDeep: true },
      right: { from: 'p.kernel + matrix * p.n', element: inRow('filters'), isDeep: false },
      outRow: filters,
      outMatrix: size.n,
      biasMatrix: size.n,
    })
  },
}

function forwardSize(x: Shape, kernel: Shape, { groups, ...attributes }: ConvolutionAttributes): ProductSize {
  const window = kernel.slice(0, -2)
  const { fields, rank } = slideOf(x, window, attributes)
  const places = Array.from({ length: rank }, (_, i) => Number(fields[`places${i}`]))
  return { matrices: groups, m: x[0]! * sizeOf(places), n: kernel.at(-1)! / groups, k: sizeOf(kernel.slice(0, -1)) }
}

const convolutionKernel: GpuKernel<PrimitiveAttributes['convolutionKernel']> = {
  temporaryBytes: ([x, dy], attributes) => sliceBytes(kernelSize(x!.shape, dy!.shape, attributes)),
  lower(context) {
    const {
      inputs: [x, dy],
      attributes,
    } = context
    const { kernel: window, groups } = attributes
    const size = kernelSize(x!.shape, dy!.shape, attributes)
    const slide = slideOf(x!.shape, window, attributes)
    const filters = dy!.shape.at(-1)!
    emitProduct(context, {
      size,
      fields: {
        x,
        dy,
        channels: x!.shape.at(-1)! / groups,
        allChannels: x!.shape.at(-1)!,
        filters,
        ...slide.fields,
      },
      left: { from: 'p.x + matrix * p.channels', element: seenAt(slide.rank, 'deep', 'wide'), isDeep: false },
      right: { from: 'p.dy + matrix * p.n', element: inRow('filters'), isDeep: false },
      outRow: filters,
      outMatrix: size.n,
      biasMatrix: 0,
    })
  },
}

function kernelSize(x: Shape, dy: Shape, { kernel, groups }: PrimitiveAttributes['convolutionKernel']): ProductSize {
  return { matrices: groups, m: (sizeOf(kernel) * x.at(-1)!) / groups, n: dy.at(-1)! / groups, k: placesIn(dy) }
}

const convolutionTurned: GpuKernel<PrimitiveAttributes['convolutionTurned']> = {
  temporaryBytes: ([dy, kernel], attributes) => sliceBytes(turnedSize(dy!.shape, kernel!.shape, attributes)),
  lower(context) {
    const {
      inputs: [dy, kernel],
      outputs: [out],
      attributes,
    } = context
    const size = turnedSize(dy!.shape, kernel!.shape, attributes)
    const all = kernel!.shape.at(-1)!
    const slide = slideOf(out!.shape, windowOf(kernel!), attributes)
    emitProduct(context, {
      size,
      fields: {
        dy,
        kernel,
        filters: kernel!.shape.at(-2)!,
        allFilters: dy!.shape.at(-1)!,
        all,
        ...slide.fields,
      },
      left: {
        from: 'p.dy + matrix * p.filters',
        element: `let f = deep % p.filters;
${placeThatSees(slide.rank, 'wide', 'deep / p.filters', 'return 0.0;', true)}
return f32At(origin + place * p.allFilters + f);`,
        isDeep: true,
      },
      right: { from: 'p.kernel + matrix * p.n', element: inRow('all'), isDeep: false },
      outRow: all,
      outMatrix: size.n,
      biasMatrix: size.n,
    })
  },
}

function turnedSize(
  dy: Shape,
  kernel: Shape,
  { groups, spatial }: PrimitiveAttributes['convolutionTurned'],
): ProductSize {
  return {
    matrices: groups,
    m: dy[0]! * sizeOf(spatial),
    n: kernel.at(-1)! / groups,
    k: sizeOf(kernel.slice(0, -1)),
  }
}

/**
 * Emits a depthwise sum for each element of out: over the taps, an element of `operand` times a weight.
 * @param x the shape over which the window slides
 * @param seen statements that declare the number of a row of `operand` for a tap
 * @param row the name of that number
 */
function emitDepthwise(
  { inputs: [operand, kernel], outputs: [out], attributes, emit }: GpuContext<PaddedAttributes>,
  x: Shape,
  seen: (rank: number) => string,
  row: string,
): void {
  const window = kernel!.shape.slice(0, -1)
  const { fields, rank } = slideOf(x, window, attributes)
  emit.over(sizeOf(out!.shape), {
    fields: { operand, kernel, out, channels: x.at(-1)!, taps: sizeOf(window), ...fields },
    hooks: { afterElement: elementsOf([out!]) },
    body: `let channel = index % p.channels;
var sum = 0.0;
for (var tap = 0u; tap < p.taps; tap++) {
${seen(rank)}
sum = fma(f32At(p.operand + ${row} * p.channels + channel), f32At(p.kernel + tap * p.channels + channel), sum);
}
storeF32(p.out + index, sum);
afterElement(index);`,
  })
}

const depthwiseConvolution: GpuKernel<PaddedAttributes> = {
  lower: (context) =>
    emitDepthwise(
      context,
      context.inputs[0]!.shape,
      (rank) => pixelSeen(rank, 'index / p.channels', 'tap', 'continue;'),
      'pixel',
    ),
}

const depthwiseConvolutionTranspose: GpuKernel<PrimitiveAttributes['depthwiseConvolutionTranspose']> = {
  lower: (context) =>
    emitDepthwise(
      context,
      context.outputs[0]!.shape,
      (rank) => placeThatSees(rank, 'index / p.channels', 'tap', 'continue;'),
      'place',
    ),
}

/** The channels of a workgroup, and its threads for each of them. */
const CHANNELS = 16
const STRANDS = 16

const depthwiseConvolutionKernel: GpuKernel<PrimitiveAttributes['depthwiseConvolutionKernel']> = {
  lower({ inputs: [x, dy], outputs: [out], attributes, emit }) {
    const { kernel: window } = attributes
    const { fields, rank } = slideOf(x!.shape, window, attributes)
    const channels = x!.shape.at(-1)!
    const blocks = Math.ceil(channels / CHANNELS)
    emit.groups(sizeOf(window) * blocks, {
      fields: {
        x,
        dy,
        out,
        channels,
        blocks,
        places: placesIn(dy!.shape),
        ...fields,
      },
      threads: CHANNELS * STRANDS,
      shared: { part: arrayOf('f32', CHANNELS * STRANDS) },
      body: `let tap = group / p.blocks;
let channel = group % p.blocks * ${CHANNELS}u + thread % ${CHANNELS}u;
let strand = thread / ${CHANNELS}u;
var sum = 0.0;
if (channel < p.channels) {
for (var place = strand; place < p.places; place += ${STRANDS}u) {
${pixelSeen(rank, 'place', 'tap', 'continue;')}
sum = fma(f32At(p.x + pixel * p.channels + channel), f32At(p.dy + place * p.channels + channel), sum);
}
}
part[thread] = sum;
${treeOf('strand', STRANDS, CHANNELS, 'part[thread] += part[other];')}
if (strand == 0u && channel < p.channels) { storeF32(p.out + tap * p.channels + channel, part[thread]); }`,
    })
  },
}

export const convolutions = {
  convolution,
  convolutionKernel,
  convolutionTurned,
  depthwiseConvolution,
  depthwiseConvolutionKernel,
  depthwiseConvolutionTranspose,
}
