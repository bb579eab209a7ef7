// The rows of the table for primitives with windows: convolution and pooling. One list of windows serves them all:
// shapes that do not divide tiles, single pixels, windows as large as the tensor, strides with dilation.

import type { Shape } from '../../../src/core/shapes'
import type { Emitter } from '../../../src/engine/primitives/emitter'
import type { Value } from '../../../src/engine/ir/graph'
import type { PaddedAttributes, PoolAttributes } from '../../../src/engine/ir/attributes'
import { placesAlong } from '../../../src/engine/primitives/window'
import { distinct, floats, type TensorContent } from '../../helpers/data'
import type { OpCase } from './cases'

interface Windowed extends PaddedAttributes {
  readonly title: string
  /** [batch, …, channels] */
  readonly x: Shape
  readonly window: Shape
  readonly filters: number
  readonly groups: number
}

function windowed(title: string, x: Shape, window: Shape, more: Partial<Windowed> = {}): Windowed {
  const ones = window.map(() => 1)
  const none = window.map(() => 0)
  return { title, x, window, strides: ones, dilation: ones, before: none, after: none, filters: 3, groups: 1, ...more }
}

const WINDOWS: readonly Windowed[] = [
  windowed('3 × 3', [2, 5, 6, 2], [3, 3]),
  windowed('3 × 3, one channel', [1, 6, 7, 1], [3, 3], { filters: 8 }),
  windowed('one pixel', [3, 1, 1, 2], [1, 1]),
  windowed('1 × 1', [2, 3, 4, 5], [1, 1], { filters: 9 }),
  windowed('1 × 1 with strides', [2, 5, 4, 3], [1, 1], { strides: [2, 3] }),
  windowed('as large as the tensor', [2, 3, 4, 2], [3, 4], { filters: 5 }),
  windowed('wide', [1, 2, 9, 3], [1, 5], { filters: 12 }),
  windowed('strides', [2, 6, 7, 2], [3, 3], { strides: [2, 2] }),
  windowed('strides above the window', [1, 8, 9, 2], [2, 2], { strides: [3, 4] }),
  windowed('dilation', [1, 7, 8, 2], [3, 2], { dilation: [2, 3] }),
  windowed('strides and dilation', [1, 8, 9, 2], [3, 2], { strides: [2, 3], dilation: [2, 2] }),
  windowed('strides and dilation without a common divisor', [1, 9, 10, 1], [3, 3], {
    strides: [2, 3],
    dilation: [3, 2],
  }),
  windowed('groups', [2, 4, 5, 4], [2, 3], { groups: 2, filters: 6 }),
  windowed('groups with strides', [1, 5, 5, 6], [3, 2], { groups: 3, filters: 3, strides: [2, 1] }),
  windowed('a group for each channel', [2, 4, 5, 6], [3, 3], { groups: 6, filters: 6 }),
  windowed('several filters for each channel', [1, 4, 5, 3], [2, 2], { groups: 3, filters: 6 }),
  windowed('one axis', [2, 9, 3], [4], { filters: 4 }),
  windowed('one axis, strides and dilation', [2, 11, 2], [3], { strides: [2], dilation: [3], filters: 2 }),
  windowed('three axes', [1, 4, 3, 5, 2], [2, 2, 3], { strides: [1, 1, 2] }),
  windowed('an empty batch', [0, 4, 4, 2], [2, 2]),
]

/** Too large for finite differences: blocks of taps, of channels, of places. */
const LARGE: readonly Windowed[] = [
  windowed('many channels', [1, 9, 10, 96], [3, 3], { filters: 20 }),
  windowed('many filters', [2, 7, 9, 40], [3, 3], { filters: 250 }),
  windowed('many places', [3, 15, 17, 5], [3, 3], { filters: 11 }),
  windowed('large groups', [1, 8, 9, 36], [3, 3], { groups: 2, filters: 26 }),
  windowed('long rows', [2, 400, 8], [5], { filters: 9, strides: [2] }),
]

const withAxes = ({ strides, dilation, before, after }: Windowed): PaddedAttributes => ({
  strides,
  dilation,
  before,
  after,
})
const placesIn = ({ x, window, strides, dilation, before, after }: Windowed): number[] => [
  x[0]!,
  ...window.map((taps, i) => placesAlong(x[i + 1]! + before[i]! + after[i]!, taps, strides[i]!, dilation[i]!)),
]
const kernelOf = ({ x, window, filters, groups }: Windowed): Shape => [...window, x.at(-1)! / groups, filters]
const spatialOf = ({ x }: Windowed): Shape => x.slice(1, -1)

// Sums of many products, whose terms may cancel.
function sums({ title }: Windowed) {
  const isLarge = [...LARGE, ...LARGE_PADDED, ...TILED].some((each) => each.title === title)
  return { title, ulp: 16, absolute: isLarge ? 2e-3 : 2e-5, gradient: !isLarge, secondGradient: !isLarge }
}
/**
 * Padding of a tensor: as much as the window reaches, on one side only, more than the window, with windows entirely in
 * the padding.
 */
const PADDED: readonly Windowed[] = [
  windowed('zeros all around', [5, 3, 4, 2], [3, 3], { before: [1, 1], after: [1, 1], filters: 5 }),
  windowed('zeros as far as the window reaches', [2, 3, 4, 2], [4, 3], { before: [3, 2], after: [3, 2], filters: 5 }),
  windowed('zeros in front only', [2, 9, 3], [4], { before: [3], after: [0], filters: 17 }),
  windowed('zeros behind only, one channel', [1, 5, 4, 1], [2, 3], { before: [0, 0], after: [1, 2] }),
  windowed('more zeros than the window is large', [1, 3, 4, 2], [2, 2], { before: [3, 0], after: [2, 4], filters: 4 }),
  windowed('zeros and strides', [4, 5, 4, 2], [3, 3], { before: [1, 0], after: [1, 1], strides: [2, 2], filters: 8 }),
  windowed('zeros and strides above the window', [1, 7, 8, 2], [2, 1], {
    before: [1, 2],
    after: [0, 1],
    strides: [3, 2],
  }),
  windowed('zeros and dilation', [4, 5, 3, 1], [3, 3], { before: [2, 4], after: [2, 1], dilation: [2, 2] }),
  windowed('zeros, strides and dilation', [1, 9, 8, 1], [3, 3], {
    before: [3, 2],
    after: [2, 1],
    strides: [2, 3],
    dilation: [3, 2],
  }),
  windowed('zeros and groups', [4, 2, 3, 4], [3, 3], { before: [1, 1], after: [1, 1], groups: 2, filters: 6 }),
  windowed('zeros and a group for each channel', [4, 2, 3, 5], [3, 3], {
    before: [1, 2],
    after: [1, 0],
    groups: 5,
    filters: 5,
  }),
  windowed('zeros around three axes', [1, 3, 2, 4, 2], [2, 3, 3], {
    before: [1, 1, 1],
    after: [0, 1, 1],
    strides: [1, 1, 2],
  }),
  windowed('zeros around a window as wide as the tensor', [2, 5, 3, 2], [3, 3], { before: [1, 0], after: [1, 0] }),
  windowed('elements left out behind', [4, 6, 5, 1], [3, 2], { before: [1, 0], after: [-2, -1], strides: [2, 2] }),
]
/** As in LARGE: several blocks of taps and channels with many boxes. */
const LARGE_PADDED: readonly Windowed[] = [
  windowed('many channels and zeros', [4, 5, 6, 95], [3, 3], { before: [1, 1], after: [1, 1], filters: 20 }),
  windowed('many filters and zeros', [4, 4, 5, 40], [5, 5], { before: [4, 2], after: [4, 2], filters: 250 }),
  windowed('many places, zeros and strides', [5, 15, 17, 5], [3, 3], {
    before: [1, 1],
    after: [1, 1],
    strides: [2, 2],
    filters: 33,
  }),
]

/**
 * What Winograd's algorithm computes: 3 × 3 windows with stride 1 over many channels; whole tiles, cut ones and those over
 * zeros, and several blocks of tiles, of channels and of filters.
 */
const TILED: readonly Windowed[] = [
  windowed('whole tiles', [2, 12, 10, 32], [3, 3], { filters: 32 }),
  windowed('cut tiles and zeros', [3, 9, 11, 40], [3, 3], { before: [1, 1], after: [1, 1], filters: 48 }),
  windowed('tiles between more zeros than the window is large', [1, 12, 13, 32], [3, 3], {
    before: [3, 0],
    after: [4, 5],
    filters: 32,
  }),
  windowed('tiles before elements left out', [1, 12, 13, 32], [3, 3], { before: [1, 0], after: [-2, -1], filters: 40 }),
  windowed('tiles of small images', [3, 7, 7, 40], [3, 3], { before: [1, 1], after: [1, 1], filters: 32 }),
  windowed('a tile of each image', [5, 2, 2, 32], [3, 3], { before: [1, 1], after: [1, 1], filters: 32 }),
  windowed('tiles of many channels', [2, 8, 8, 136], [3, 3], { before: [1, 1], after: [1, 1], filters: 40 }),
  windowed('tiles of many filters', [1, 11, 8, 72], [3, 3], { before: [1, 1], after: [1, 1], filters: 152 }),
]

/** Pooling is padded beforehand. */
const inside = [...WINDOWS, ...LARGE]
const all = [...inside, ...PADDED, ...LARGE_PADDED, ...TILED]
const operand = (shape: Shape, seed: number): TensorContent => floats(shape, -2, 2, seed)

/** Part of a larger tensor: rows that are not adjacent. */
const inner = (e: Emitter, x: Value): Value =>
  e.slice(
    x,
    x.shape.map((_, i) => (i === 1 ? 1 : 0)),
    x.shape.map((extent, i) => (i === 1 || i === 2 ? extent - 1 : extent)),
  )
const swapped = (e: Emitter, x: Value): Value => e.transpose(x, [0, 2, 1, 3])
const turned = (e: Emitter, x: Value): Value => e.reverse(x, [1, 2])

const VIEWS = {
  'of a part': [[2, 6, 7, 3], inner],
  'of swapped axes': [[2, 6, 5, 3], swapped],
  'of a reversed tensor': [[1, 5, 6, 3], turned],
  'of a single channel among others': [[2, 5, 6, 2], (e: Emitter, x: Value) => e.slice(x, [0, 0, 0, 1], [2, 5, 6, 1])],
} as const

const views = Object.entries(VIEWS).map(([title, [shape, through]]) => ({
  title,
  input: { ...operand(shape, 1), through },
  channels: title.includes('single') ? 1 : 3,
}))

const convolution: OpCase<'convolution'>[] = [
  ...all.map((each) => ({
    ...sums(each),
    inputs: [operand(each.x, 1), operand(kernelOf(each), 2)],
    attributes: { ...withAxes(each), groups: each.groups },
  })),
  ...views.map(({ title, input, channels }) => ({
    title,
    inputs: [input, operand([3, 2, channels, 4], 2)],
    attributes: { strides: [1, 2], dilation: [1, 1], before: [1, 0], after: [0, 1], groups: 1 },
    ulp: 16,
    absolute: 2e-5,
    gradient: true,
  })),
  {
    title: 'tiles of a part',
    inputs: [
      { ...operand([2, 12, 13, 35], 1), through: (e, x) => e.slice(x, [0, 1, 2, 3], [2, 11, 10, 32]) },
      operand([3, 3, 32, 40], 2),
    ],
    attributes: { strides: [1, 1], dilation: [1, 1], before: [1, 0], after: [0, 1], groups: 1 },
    ulp: 16,
    absolute: 2e-3,
  },
  ...[
    { of: '', x: [2, 5, 6, 3], filters: 13, absolute: 5e-5 },
    { of: ' in tiles', x: [2, 9, 8, 32], filters: 40, absolute: 2e-3 },
    { of: ' in tiles of many channels', x: [1, 9, 8, 136], filters: 32, absolute: 2e-3 },
  ].flatMap(({ of, x, filters, absolute }) =>
    (['relu', 'tanh'] as const).map((name) => ({
      title: `with a bias and ${name}${of}`,
      inputs: [operand(x, 1), operand([3, 3, x[3]!, filters], 2)],
      attributes: { strides: [1, 1], dilation: [1, 1], before: [1, 1], after: [1, 1], groups: 1 },
      ulp: 32,
      absolute,
      reader: (builder: Parameters<NonNullable<OpCase<'convolution'>['reader']>>[0], y: Value) => {
        const bias = builder.emitOne('constant', [], {
          data: Float32Array.from({ length: filters }, (_, i) => (i % 13) / 10 - 0.6),
          shape: [filters],
          dtype: 'float32',
        })
        return builder.emitOne(name, [builder.e.add(y, bias)], {})
      },
    })),
  ),
]

const convolutionKernel: OpCase<'convolutionKernel'>[] = all.map((each) => ({
  ...sums(each),
  inputs: [operand(each.x, 1), operand([...placesIn(each), each.filters], 2)],
  attributes: { ...withAxes(each), groups: each.groups, kernel: each.window },
}))

const convolutionTranspose: OpCase<'convolutionTranspose'>[] = all.map((each) => ({
  ...sums(each),
  inputs: [operand([...placesIn(each), each.filters], 1), operand(kernelOf(each), 2)],
  attributes: { ...withAxes(each), groups: each.groups, spatial: spatialOf(each) },
}))

const turnedKernelOf = ({ x, window, filters, groups }: Windowed): Shape => [...window, filters / groups, x.at(-1)!]

const convolutionTurned: OpCase<'convolutionTurned'>[] = all.map((each) => ({
  ...sums(each),
  gradient: false,
  secondGradient: false,
  inputs: [operand([...placesIn(each), each.filters], 1), operand(turnedKernelOf(each), 2)],
  attributes: { ...withAxes(each), groups: each.groups, spatial: spatialOf(each) },
}))

const depthwise = (each: Windowed): Shape => [...each.window, each.x.at(-1)!]

const depthwiseConvolution: OpCase<'depthwiseConvolution'>[] = [
  ...all.map((each) => ({
    ...sums(each),
    inputs: [operand(each.x, 1), operand(depthwise(each), 2)],
    attributes: withAxes(each),
  })),
  ...views.map(({ title, input, channels }) => ({
    title,
    inputs: [input, operand([2, 3, channels], 2)],
    attributes: { strides: [2, 1], dilation: [1, 1], before: [1, 1], after: [0, 1] },
    ulp: 16,
    absolute: 2e-5,
    gradient: true,
  })),
]

const depthwiseConvolutionKernel: OpCase<'depthwiseConvolutionKernel'>[] = all.map((each) => ({
  ...sums(each),
  inputs: [operand(each.x, 1), operand([...placesIn(each), each.x.at(-1)!], 2)],
  attributes: { ...withAxes(each), kernel: each.window },
}))

const depthwiseConvolutionTranspose: OpCase<'depthwiseConvolutionTranspose'>[] = all.map((each) => ({
  ...sums(each),
  inputs: [operand([...placesIn(each), each.x.at(-1)!], 1), operand(depthwise(each), 2)],
  attributes: { ...withAxes(each), spatial: spatialOf(each) },
}))

/** Pooling has no dilation. */
const pools = inside.map((each) => ({ ...each, dilation: each.window.map(() => 1) }))
const poolOf = ({ window, strides }: Windowed): PoolAttributes => ({ window, strides })
const pooledOf = (each: Windowed): Shape => [...placesIn(each), each.x.at(-1)!]
/** Far enough apart that finite differences do not change which is largest. */
const apart = (shape: Shape, seed: number): TensorContent => distinct(shape, 0.25, 0, seed)

const maxPool: OpCase<'maxPool'>[] = [
  ...pools.map((each) => ({
    ...sums(each),
    ulp: 0.5,
    absolute: 0,
    inputs: [apart(each.x, 1)],
    attributes: poolOf(each),
  })),
  ...views.map(({ title, input }) => ({ title, inputs: [input], attributes: { window: [2, 2], strides: [2, 1] } })),
  {
    title: 'NaN and infinities',
    inputs: [
      {
        shape: [1, 2, 4, 2],
        dtype: 'float32',
        data: [NaN, 1, 2, -Infinity, -Infinity, -0, 3, 0, 1, 2, Infinity, -Infinity, -Infinity, NaN, 0, -0],
      },
    ],
    attributes: { window: [1, 2], strides: [1, 1] },
  },
]

const maxPoolPick: OpCase<'maxPoolPick'>[] = [
  ...pools.map((each) => ({
    ...sums(each),
    secondGradient: false,
    inputs: [apart(each.x, 1), operand(each.x, 2)],
    attributes: poolOf(each),
  })),
  {
    title: 'the first of equal maxima',
    inputs: [floats([1, 4, 4, 5], 1, 1, 1), operand([1, 4, 4, 5], 2)],
    attributes: { window: [2, 2], strides: [1, 2] },
  },
]

const maxPoolTranspose: OpCase<'maxPoolTranspose'>[] = [
  ...pools.map((each) => ({
    ...sums(each),
    secondGradient: false,
    inputs: [apart(each.x, 1), operand(pooledOf(each), 2)],
    attributes: poolOf(each),
  })),
  {
    title: 'the first of equal maxima',
    inputs: [floats([1, 4, 4, 5], 1, 1, 1), operand([1, 3, 2, 5], 2)],
    attributes: { window: [2, 2], strides: [1, 2] },
    ulp: 2,
    absolute: 1e-6,
  },
]

const sumPool: OpCase<'sumPool'>[] = [
  ...pools.map((each) => ({ ...sums(each), inputs: [operand(each.x, 1)], attributes: poolOf(each) })),
  ...views.map(({ title, input }) => ({
    title,
    inputs: [input],
    attributes: { window: [2, 2], strides: [2, 1] },
    ulp: 16,
    absolute: 2e-5,
    gradient: true,
  })),
]

const sumPoolTranspose: OpCase<'sumPoolTranspose'>[] = pools.map((each) => ({
  ...sums(each),
  inputs: [operand(pooledOf(each), 1)],
  attributes: { ...poolOf(each), spatial: spatialOf(each) },
}))

export const windowCases = {
  convolution,
  convolutionKernel,
  convolutionTranspose,
  convolutionTurned,
  depthwiseConvolution,
  depthwiseConvolutionKernel,
  depthwiseConvolutionTranspose,
  maxPool,
  maxPoolPick,
  maxPoolTranspose,
  sumPool,
  sumPoolTranspose,
}
