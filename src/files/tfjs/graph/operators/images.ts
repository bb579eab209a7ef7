// Convolutions, pooling, normalization and resizing of images, by the operators of ONNX.

import type { Call, Operator, Surroundings } from '../../../onnx/call'
import { ACTIVATIONS } from '../../../onnx/operators/activation'
import { elementwise } from '../../../onnx/operators/elementwise'
import { converted } from '../../../onnx/operators/logic'
import { normalizationOperators } from '../../../onnx/operators/normalization'
import { partOperators } from '../../../onnx/operators/parts'
import { resizeOperators } from '../../../onnx/operators/resize'
import { reshaped } from '../../../onnx/operators/shape'
import { windowOperators } from '../../../onnx/operators/window'
import { Value as Values, inOrder, type Value } from '../../../onnx/values'
import * as ops from '../../../../ops'
import { asBefore, by, channelsFirst, integers, isChannelsLast, spatial, type Attributes } from './by'
import { addBias, leakyRelu } from './elementwise'

/** [filters, channels, … window] of a kernel [… window, channels, filters]. */
const firstFilters = (kernel: Value): Value =>
  kernel.transposed([kernel.rank - 1, kernel.rank - 2, ...inOrder(kernel.rank - 2)])

/** How a window moves, in the attributes of ONNX. It has either `auto_pad` or `pads`. */
type Sliding = {
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  readonly auto_pad?: 'SAME_UPPER' | 'VALID'
  readonly pads?: readonly number[]
}

function sliding(call: Call, rank: number): Sliding {
  const how = call.word('padding', 'VALID', ['VALID', 'SAME', 'EXPLICIT'])
  const strides = spatial(call, 'strides', rank, 1)
  const dilations = spatial(call, 'dilations', rank, 1)
  if (how !== 'EXPLICIT') return { strides, dilations, auto_pad: how === 'SAME' ? 'SAME_UPPER' : 'VALID' }
  const sides = call.integers('explicit_paddings') ?? []
  call.require(sides.length === 2 * rank, () => `explicit_paddings must have ${2 * rank} numbers`)
  const first = isChannelsLast(call) ? 1 : 2
  const axes = inOrder(rank - 2).map((i) => 2 * (i + first))
  return { strides, dilations, pads: [...axes.map((at) => sides[at]!), ...axes.map((at) => sides[at + 1]!)] }
}

function requireImages(call: Call, x: Value, kernel: Value): void {
  call.require(
    x.rank >= 3 && x.rank <= 5 && kernel.rank === x.rank,
    () => `a kernel [${kernel.shape.join(', ')}] does not fit [${x.shape.join(', ')}]`,
  )
}

/** Kernels have the channels of a group of those of x. */
function convolved(call: Call, x: Value, kernel: Value, attributes?: Attributes): Value {
  requireImages(call, x, kernel)
  const images = channelsFirst(call, x)
  const group = images.shape[1]! / Math.max(kernel.shape.at(-2)!, 1)
  const how = { ...(attributes ?? sliding(call, x.rank)), group }
  return asBefore(call, by(call, windowOperators['Conv'], [images, firstFilters(kernel)], how))
}

/** A kernel [rows, columns, channels, m] convolves each channel with m filters. */
function depthwise(call: Call, x: Value, kernel: Value): Value {
  requireImages(call, x, kernel)
  const channels = channelsFirst(call, x).shape[1]
  call.require(
    channels === kernel.shape.at(-2),
    () => `a kernel [${kernel.shape.join(', ')}] does not fit ${channels} channels`,
  )
  const filters = kernel.shape.at(-1)! * kernel.shape.at(-2)!
  return convolved(call, x, reshaped(kernel, [...kernel.shape.slice(0, -2), 1, filters]))
}

/** One spatial axis, with numbers as attributes. */
const conv1d: Operator = (call) => {
  const how = call.word('padding', 'VALID', ['VALID', 'SAME'])
  return convolved(call, call.value(0), call.value(1), {
    strides: [call.integer('stride', 1)],
    dilations: [call.integer('dilation', 1)],
    auto_pad: how === 'SAME' ? 'SAME_UPPER' : 'VALID',
  })
}

/** The gradient of a convolution for its images: the extents of the result are an operand. */
const convTranspose: Operator = (call) => {
  const [kernel, x] = [call.value(1), call.value(2)]
  requireImages(call, x, kernel)
  const images = channelsFirst(call, x)
  const [first, last] = isChannelsLast(call) ? [1, x.rank - 1] : [2, x.rank]
  const wanted = integers(call, 0).slice(first, last)
  const { strides, dilations, auto_pad: auto, pads } = sliding(call, x.rank)
  const isSame = auto === 'SAME_UPPER'
  const sides = images.shape.slice(2).map((extent, i): [number, number] => {
    const reach = (kernel.shape[i]! - 1) * dilations[i]! + 1
    const full = strides[i]! * (extent - 1) + reach
    const missing = Math.max(0, (extent - 1) * strides[i]! + reach - wanted[i]!)
    const before = pads?.[i] ?? (isSame ? Math.floor(missing / 2) : 0)
    return [before, full - before - wanted[i]!]
  })
  // Elements of the result beyond the windows are padding of the output.
  const attributes = {
    strides,
    dilations,
    pads: [...sides.map(([before]) => before), ...sides.map(([, after]) => Math.max(after, 0))],
    output_padding: sides.map(([, after]) => Math.max(-after, 0)),
    group: 1,
  }
  return asBefore(call, by(call, windowOperators['ConvTranspose'], [images, firstFilters(kernel)], attributes))
}

const pool =
  (operator: Operator | undefined): Operator =>
  (call) => {
    const x = call.value(0)
    call.require(x.rank >= 3, () => `[${x.shape.join(', ')}] has no spatial axes`)
    const { dilations: _, ...how } = sliding(call, x.rank)
    return asBefore(
      call,
      by(call, operator, [channelsFirst(call, x)], { ...how, kernel_shape: spatial(call, 'ksize', x.rank, 1) }),
    )
  }

/** A graph computes with the moments of the file, also in training. */
const inference: Surroundings = {
  training: false,
  dropout: (x) => x,
  run: () => [],
  strings: null,
  update: () => undefined,
}

/** @param operands scale, offset, mean, variance */
function normalized(call: Call, x: Value, operands: readonly Value[], epsilon: number): Value {
  const inferring = call.changed({ around: inference })
  const images = channelsFirst(call, x)
  return asBefore(call, by(inferring, normalizationOperators['BatchNormalization'], [images, ...operands], { epsilon }))
}

const batchNorm: Operator = (call) => {
  call.require(!call.flag('is_training'), () => 'a graph in training mode has no mean and variance')
  return normalized(
    call,
    call.value(0),
    [1, 2, 3, 4].map((i) => call.value(i)),
    call.float('epsilon', 1e-3),
  )
}

const ACTIVATED: Readonly<Record<string, (call: Call, x: Value) => Value>> = {
  Relu: (call, x) => elementwise(call, [x], x.type, (each) => ACTIVATIONS['Relu']!(each!)),
  Relu6: (call, x) => elementwise(call, [x], x.type, (each) => ops.minimum(ops.maximum(each!, 0), 6)),
  Elu: (call, x) => elementwise(call, [x], x.type, (each) => ops.elu(each!)),
  LeakyRelu: (call, x) => leakyRelu(call, x, call.float('leakyrelu_alpha', 0.2)),
  Sigmoid: (call, x) => elementwise(call, [x], x.type, (each) => ops.sigmoid(each!)),
  Tanh: (call, x) => elementwise(call, [x], x.type, (each) => ops.tanh(each!)),
}

/** Adds a bias or normalizes, then applies an activation, as `fused_ops` specifies; the operands follow the first two. */
export const fused =
  (product: (call: Call, x: Value, kernel: Value) => Value): Operator =>
  (call) => {
    let next = 2
    let y = product(call, call.value(0), call.value(1))
    for (const name of call.texts('fused_ops') ?? []) {
      if (name === 'BiasAdd') y = addBias(call, y, call.value(next++))
      else if (name === 'FusedBatchNorm') {
        y = normalized(
          call,
          y,
          [0, 1, 2, 3].map((i) => call.value(next + i)),
          call.float('epsilon', 1e-4),
        )
        next += 4
      } else if (name === 'Prelu') {
        const slope = call.value(next++)
        y = elementwise(call, [y, slope], y.type, (x, by) => ops.where(ops.less(x!, 0), ops.multiply(x!, by!), x!))
      } else {
        const activation = Object.hasOwn(ACTIVATED, name) ? ACTIVATED[name] : undefined
        call.require(activation !== undefined, () => `it fuses ${name}, which is not available`)
        y = activation!(call, y)
      }
    }
    return y
  }

/** In TensorFlow, alpha is for one channel, and the window has depth_radius channels on both sides. */
const localResponse: Operator = (call) => {
  const radius = call.integer('depth_radius', 5)
  call.require(radius >= 0 && radius <= 2048, () => `depth_radius is ${radius}`)
  const size = 2 * radius + 1
  return asBefore(
    call,
    by(call, normalizationOperators['LRN'], [channelsFirst(call, call.value(0))], {
      size,
      alpha: call.float('alpha', 1) * size,
      beta: call.float('beta', 0.5),
      bias: call.float('bias', 1),
    }),
  )
}

const resized =
  (mode: 'linear' | 'nearest'): Operator =>
  (call) => {
    const x = call.value(0)
    const size = integers(call, 1)
    call.require(
      x.rank === 4 && size.length === 2,
      () => `[${x.shape.join(', ')}] must be images, and the size two numbers`,
    )
    const [isAligned, isHalf] = [call.flag('align_corners'), call.flag('half_pixel_centers')]
    const half = mode === 'linear' ? 'half_pixel' : 'tf_half_pixel_for_nn'
    const images = mode === 'linear' ? converted(call, x, 'float32') : x
    const sizes = Values.integers([x.shape[0]!, ...size, x.shape[3]!])
    const placed = isHalf ? half : 'asymmetric'
    return by(call, resizeOperators['Resize'], [images, null, null, sizes], {
      mode,
      coordinate_transformation_mode: isAligned ? 'align_corners' : placed,
      nearest_mode: isAligned ? 'round_prefer_ceil' : 'floor',
    })
  }

const depthToSpace: Operator = (call) => {
  const images = channelsFirst(call, call.value(0))
  return asBefore(call, by(call, partOperators['DepthToSpace'], [images], { blocksize: call.integer('block_size', 0) }))
}

export const imageRows: Readonly<Record<string, Operator>> = {
  AvgPool: pool(windowOperators['AveragePool']),
  AvgPool3D: pool(windowOperators['AveragePool']),
  Conv1D: conv1d,
  Conv2D: (call) => convolved(call, call.value(0), call.value(1)),
  Conv2DBackpropInput: convTranspose,
  Conv3D: (call) => convolved(call, call.value(0), call.value(1)),
  DepthToSpace: depthToSpace,
  DepthwiseConv2d: (call) => depthwise(call, call.value(0), call.value(1)),
  DepthwiseConv2dNative: (call) => depthwise(call, call.value(0), call.value(1)),
  FusedBatchNorm: batchNorm,
  FusedBatchNormV2: batchNorm,
  FusedBatchNormV3: batchNorm,
  FusedDepthwiseConv2dNative: fused(depthwise),
  LRN: localResponse,
  MaxPool: pool(windowOperators['MaxPool']),
  MaxPool3D: pool(windowOperators['MaxPool']),
  ResizeBilinear: resized('linear'),
  ResizeNearestNeighbor: resized('nearest'),
  _FusedConv2D: fused(convolved),
}
