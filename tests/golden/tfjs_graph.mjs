// Writes tfjs-graph.json.gz: graphs of one or a few nodes, and what TensorFlow.js 4.22 computes with them.
//
//   npm install --no-save @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-backend-cpu@4.22.0 @tensorflow/tfjs-converter@4.22.0
//   node tfjs_graph.mjs

import { writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import '@tensorflow/tfjs-backend-cpu'
import { GraphModel } from '@tensorflow/tfjs-converter'
import * as tf from '@tensorflow/tfjs-core'

await tf.setBackend('cpu')

/** Numbers that look random, the same in every run. */
const wave = (shape, scale = 1, shift = 0) =>
  Array.from(
    { length: shape.reduce((a, b) => a * b, 1) },
    (_, i) =>
      Math.round(64 * (scale * Math.sin(i * 1.7 + shape.length + 0.3) + 0.1 * scale * Math.cos(i * 0.37) + shift)) / 64,
  )

/** Operands that may be inputs of a model, and those that are constants. */
const x = (shape, scale, shift) => ({ shape, dtype: 'float32', data: wave(shape, scale, shift) })
const given = (shape, data, dtype = 'float32') => ({ shape, dtype, data })
const whole = (shape, data) => given(shape, data, 'int32')
const truth = (shape, data) => given(shape, data, 'bool')
const k = (data, shape = [data.length]) => ({ shape, dtype: 'int32', data, isConstant: true })
const n = (value, dtype = 'int32') => ({ shape: [], dtype, data: [value], isConstant: true })
const f = (value) => ({ f: value })
const type = (name) => ({ type: name })

function attribute(value) {
  if (typeof value === 'boolean') return { b: value }
  if (typeof value === 'number') return { i: String(value) }
  if (typeof value === 'string') return { s: btoa(value) }
  if (!Array.isArray(value)) return value
  return typeof value[0] === 'string'
    ? { list: { s: value.map((each) => btoa(each)) } }
    : { list: { i: value.map(String) } }
}

const rows = []
const row = (op, operands, attributes = {}, results = 1) => rows.push({ op, operands, attributes, results })

const DTYPES = { float32: 'DT_FLOAT', int32: 'DT_INT32', bool: 'DT_BOOL' }

// Elementwise
for (const op of [
  'Abs',
  'Acos',
  'Asin',
  'Atan',
  'Atanh',
  'Ceil',
  'Cos',
  'Cosh',
  'Elu',
  'Erf',
  'Exp',
  'Expm1',
  'Floor',
  'Neg',
  'Relu',
  'Relu6',
  'Selu',
  'Sigmoid',
  'Sign',
  'Sin',
  'Sinh',
  'Softplus',
  'Square',
  'Tan',
  'Tanh',
  'Asinh',
  'Round',
])
  row(op, [x([2, 5], 0.8)])
for (const op of ['Log', 'Log1p', 'Sqrt', 'Rsqrt', 'Reciprocal', 'Acosh']) row(op, [x([3, 4], 0.4, 2)])
row('Relu6', [x([3, 3], 9)])
row('Round', [given([7], [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.4])])
row('Abs', [whole([4], [-3, 2, 0, -1])])
row('LeakyRelu', [x([3, 4])], { alpha: f(0.3) })
row('LeakyRelu', [x([3, 4])])
row('Prelu', [x([2, 3, 4]), x([4], 0.2)])
for (const op of ['IsNan', 'IsInf', 'IsFinite']) row(op, [given([4], [1, NaN, Infinity, -Infinity])])
for (const op of [
  'Add',
  'AddV2',
  'Sub',
  'Mul',
  'Maximum',
  'Minimum',
  'SquaredDifference',
  'Atan2',
  'Equal',
  'NotEqual',
  'Greater',
  'GreaterEqual',
  'Less',
  'LessEqual',
])
  for (const [a, b] of [
    [
      [2, 3],
      [2, 3],
    ],
    [
      [2, 1, 3],
      [4, 1],
    ],
    [[], [3]],
  ])
    row(op, [x(a), x(b, 0.7)])
for (const op of ['RealDiv', 'Div', 'FloorDiv', 'Mod', 'FloorMod']) {
  row(op, [x([2, 3], 4), x([3], 0.5, 2)])
  row(op, [whole([6], [7, -7, 8, -8, 0, 5]), whole([6], [2, 2, -3, -3, 4, 5])])
}
row('DivNoNan', [x([4]), given([4], [0, 2, 0, -1])])
row('Pow', [x([2, 3], 0.5, 2), x([3])])
row('Pow', [whole([3], [2, 3, -2]), whole([3], [3, 2, 3])])
row('AddN', [x([2, 2]), x([2, 2], 2), x([2, 2], 3)], { N: 3 })
row('ClipByValue', [x([6], 3), n(-1, 'float32'), n(0.5, 'float32')])
row('BiasAdd', [x([2, 2, 3]), x([3])])
for (const op of ['LogicalAnd', 'LogicalOr']) row(op, [truth([4], [1, 1, 0, 0]), truth([4], [1, 0, 1, 0])])
row('LogicalNot', [truth([2], [1, 0])])
row('Select', [truth([2, 2], [1, 0, 0, 1]), x([2, 2]), x([2, 2], 3)])
row('SelectV2', [truth([2, 1], [1, 0]), x([2, 3]), x([], 3)])
row('Cast', [x([5], 3)], { DstT: type('DT_INT32'), SrcT: type('DT_FLOAT') })
row('Cast', [given([3], [0, 0.5, -2])], { DstT: type('DT_BOOL'), SrcT: type('DT_FLOAT') })
row('Cast', [truth([2], [1, 0])], { DstT: type('DT_FLOAT'), SrcT: type('DT_BOOL') })
row('Cast', [whole([2], [3, -4])], { DstT: type('DT_FLOAT'), SrcT: type('DT_INT64') })

// Convolutions and pooling
for (const padding of ['SAME', 'VALID'])
  for (const [strides, dilations] of [
    [
      [1, 1, 1, 1],
      [1, 1, 1, 1],
    ],
    [
      [1, 2, 2, 1],
      [1, 1, 1, 1],
    ],
    [
      [1, 2, 1, 1],
      [1, 1, 1, 1],
    ],
    [
      [1, 1, 1, 1],
      [1, 2, 2, 1],
    ],
  ]) {
    row('Conv2D', [x([2, 7, 8, 3]), x([3, 2, 3, 4])], { strides, dilations, padding, data_format: 'NHWC' })
    row('DepthwiseConv2dNative', [x([2, 7, 8, 3]), x([3, 2, 3, 2])], {
      strides: strides[1] === strides[2] ? strides : [1, 1, 1, 1],
      dilations,
      padding,
      data_format: 'NHWC',
    })
  }
row('Conv2D', [x([1, 5, 6, 2]), x([3, 3, 2, 3])], {
  strides: [1, 2, 2, 1],
  padding: 'EXPLICIT',
  explicit_paddings: [0, 0, 1, 2, 0, 1, 0, 0],
  dilations: [1, 1, 1, 1],
})
row('Conv2D', [x([1, 4, 4, 2]), x([1, 1, 2, 1])], { strides: [1, 1, 1, 1], dilations: [1, 1, 1, 1], padding: 'SAME' })
row('Conv1D', [x([2, 9, 3]), x([3, 3, 4])], { stride: 2, padding: 'SAME', data_format: 'NWC', dilation: 1 })
row('Conv3D', [x([1, 4, 5, 6, 2]), x([2, 3, 3, 2, 3])], {
  strides: [1, 1, 2, 2, 1],
  padding: 'SAME',
  data_format: 'NDHWC',
  dilations: [1, 1, 1, 1, 1],
})
row('Conv2DBackpropInput', [k([2, 8, 10, 3]), x([3, 3, 3, 4]), x([2, 4, 5, 4])], {
  strides: [1, 2, 2, 1],
  padding: 'SAME',
})
row('Conv2DBackpropInput', [k([2, 7, 9, 3]), x([3, 3, 3, 4]), x([2, 4, 5, 4])], {
  strides: [1, 2, 2, 1],
  padding: 'SAME',
})
row('Conv2DBackpropInput', [k([1, 9, 11, 2]), x([3, 3, 2, 4]), x([1, 4, 5, 4])], {
  strides: [1, 2, 2, 1],
  padding: 'VALID',
})
row('Conv2DBackpropInput', [k([1, 10, 12, 2]), x([3, 3, 2, 4]), x([1, 4, 5, 4])], {
  strides: [1, 2, 2, 1],
  padding: 'VALID',
})
row('Conv2DBackpropInput', [k([1, 8, 8, 2]), x([2, 2, 2, 3]), x([1, 4, 4, 3])], {
  strides: [1, 2, 2, 1],
  padding: 'VALID',
})
for (const fused_ops of [
  ['BiasAdd'],
  ['BiasAdd', 'Relu'],
  ['BiasAdd', 'Relu6'],
  ['BiasAdd', 'Elu'],
  ['BiasAdd', 'LeakyRelu'],
  ['BiasAdd', 'Sigmoid'],
]) {
  const more = { num_args: 1, fused_ops, leakyrelu_alpha: f(0.3) }
  row('_FusedConv2D', [x([2, 5, 6, 3], 3), x([3, 3, 3, 4]), x([4])], {
    strides: [1, 1, 1, 1],
    padding: 'SAME',
    ...more,
  })
  row('_FusedMatMul', [x([3, 4], 3), x([4, 5]), x([5])], { transpose_a: false, transpose_b: false, ...more })
  if (!fused_ops.includes('LeakyRelu'))
    row('FusedDepthwiseConv2dNative', [x([2, 5, 6, 3], 3), x([3, 3, 3, 2]), x([6])], {
      strides: [1, 2, 2, 1],
      padding: 'SAME',
      ...more,
    })
}
row('_FusedConv2D', [x([2, 5, 6, 3], 3), x([3, 3, 3, 4]), x([4]), x([4], 0.3)], {
  strides: [1, 1, 1, 1],
  padding: 'SAME',
  num_args: 2,
  fused_ops: ['BiasAdd', 'Prelu'],
})
row('_FusedConv2D', [x([2, 5, 6, 3], 3), x([3, 3, 3, 4]), x([4])], {
  strides: [1, 1, 1, 1],
  padding: 'EXPLICIT',
  explicit_paddings: [0, 0, 1, 1, 2, 0, 0, 0],
  num_args: 1,
  fused_ops: ['BiasAdd', 'Relu'],
})
for (const op of ['MaxPool', 'AvgPool'])
  for (const padding of ['SAME', 'VALID'])
    for (const [ksize, strides] of [
      [
        [1, 2, 2, 1],
        [1, 2, 2, 1],
      ],
      [
        [1, 3, 2, 1],
        [1, 1, 2, 1],
      ],
      [
        [1, 3, 3, 1],
        [1, 2, 2, 1],
      ],
    ])
      row(op, [x([2, 7, 8, 3])], { ksize, strides, padding, data_format: 'NHWC' })
for (const op of ['MaxPool3D', 'AvgPool3D'])
  row(op, [x([1, 4, 5, 6, 2])], {
    ksize: [1, 2, 2, 2, 1],
    strides: [1, 2, 2, 1, 1],
    padding: 'SAME',
    data_format: 'NDHWC',
  })
for (const op of ['FusedBatchNorm', 'FusedBatchNormV2', 'FusedBatchNormV3'])
  row(op, [x([2, 3, 4, 5]), x([5]), x([5], 2), x([5], 0.3), x([5], 0.4, 2)], {
    epsilon: f(0.01),
    is_training: false,
    data_format: 'NHWC',
  })
row('DepthwiseConv2d', [x([1, 4, 4, 2]), x([3, 3, 2, 1])], {
  strides: [1, 1, 1, 1],
  dilations: [1, 1, 1, 1],
  padding: 'SAME',
  data_format: 'NHWC',
})
row('LRN', [x([1, 2, 3, 9])], { depth_radius: 2, alpha: f(0.3), beta: f(0.6), bias: f(1.5) })
for (const op of ['ResizeBilinear', 'ResizeNearestNeighbor'])
  for (const size of [
    [7, 9],
    [3, 2],
    [1, 1],
    [8, 12],
    [4, 6],
  ])
    for (const [align_corners, half_pixel_centers] of [
      [false, false],
      [true, false],
      [false, true],
    ])
      row(op, [x([2, 4, 6, 3]), k(size)], { align_corners, half_pixel_centers })
row('DepthToSpace', [x([2, 2, 3, 8])], { block_size: 2, data_format: 'NHWC' })
row('SpaceToBatchND', [x([2, 4, 6, 3]), k([2, 3]), k([0, 0, 0, 0], [2, 2])])
row('SpaceToBatchND', [x([1, 3, 5, 2]), k([2, 2]), k([1, 0, 0, 1], [2, 2])])
row('BatchToSpaceND', [x([8, 2, 3, 2]), k([2, 2]), k([0, 1, 1, 0], [2, 2])])

// Matrices
for (const [transpose_a, transpose_b] of [
  [false, false],
  [true, false],
  [false, true],
  [true, true],
]) {
  row('MatMul', [x(transpose_a ? [4, 3] : [3, 4]), x(transpose_b ? [5, 4] : [4, 5])], { transpose_a, transpose_b })
  row('BatchMatMulV2', [x(transpose_a ? [2, 4, 3] : [2, 3, 4]), x(transpose_b ? [2, 5, 4] : [2, 4, 5])], {
    adj_x: transpose_a,
    adj_y: transpose_b,
  })
}
row('BatchMatMulV2', [x([2, 3, 4]), x([1, 4, 5])], { adj_x: false, adj_y: false })
row('BatchMatMul', [x([2, 3, 4]), x([2, 4, 5])], { adj_x: false, adj_y: false })
row('Einsum', [x([2, 3, 4]), x([4, 5])], { equation: 'abc,cd->abd', N: 2 })
row('Transpose', [x([2, 3, 4]), k([2, 0, 1])])
for (const op of ['Softmax', 'LogSoftmax']) row(op, [x([2, 3, 4], 3)])

// Reductions
for (const op of ['Sum', 'Mean', 'Max', 'Min', 'Prod', 'EuclideanNorm'])
  for (const keep_dims of [false, true])
    for (const axes of [k([1]), k([0, 2]), n(-1), k([-1, 0])]) row(op, [x([2, 3, 4]), axes], { keep_dims })
for (const op of ['All', 'Any']) row(op, [truth([2, 3], [1, 0, 1, 1, 1, 1]), k([1])], { keep_dims: false })
row('Sum', [whole([2, 2], [1, 2, 3, 4]), k([0])], { keep_dims: false })
for (const op of ['ArgMax', 'ArgMin']) for (const axis of [0, 1, -1]) row(op, [x([3, 4, 2]), n(axis)])
for (const op of ['Cumsum', 'Cumprod'])
  for (const [exclusive, reverse] of [
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ])
    row(op, [x([2, 5]), n(1)], { exclusive, reverse })

// Shapes
row('Reshape', [x([2, 6]), k([3, -1])])
row('Reshape', [x([1]), k([], [0])])
row('Squeeze', [x([1, 3, 1, 2])], { squeeze_dims: [0] })
row('Squeeze', [x([1, 3, 1, 2])], { squeeze_dims: [-2] })
row('Squeeze', [x([1, 3, 1, 2])])
row('ExpandDims', [x([2, 3]), n(1)])
row('ExpandDims', [x([2, 3]), n(-1)])
row('Shape', [x([2, 3, 4])])
row('Rank', [x([2, 3, 4])])
row('Size', [x([2, 3, 4])])
row('ShapeN', [x([2, 3]), x([4])], { N: 2 }, 2)
row('IdentityN', [x([2]), x([3])], { N: 2 }, 2)
row('Identity', [x([2])])
row('StopGradient', [x([2])])
row('Snapshot', [x([2])])
row('FakeQuantWithMinMaxVars', [x([2]), n(-1, 'float32'), n(1, 'float32')])
row('PlaceholderWithDefault', [x([2])])
row('BroadcastArgs', [k([2, 1, 3]), k([4, 1])])
row('Reverse', [x([2, 3]), { ...truth([2], [0, 1]), isConstant: true }])
row('Fill', [k([2, 3]), n(1.5, 'float32')], { T: type('DT_FLOAT') })
row('Fill', [k([2]), n(7)], { T: type('DT_INT32') })
row('Range', [n(2), n(11), n(3)], { Tidx: type('DT_INT32') })
row('LinSpace', [n(0, 'float32'), n(1, 'float32'), n(5)])
row('OnesLike', [x([2, 2])])
row('ZerosLike', [whole([2], [3, 4])])
row('BroadcastTo', [x([3, 1]), k([2, 3, 4])])
row('Tile', [x([2, 3]), k([2, 2])])
row('Concat', [n(1), x([2, 2]), x([2, 3])], { N: 2 })
row('ConcatV2', [x([2, 2]), x([3, 2]), n(0)], { N: 2 })
row('ConcatV2', [x([2, 2]), x([2, 1]), x([2, 3]), n(-1)], { N: 3 })
row('Split', [n(1), x([2, 6])], { num_split: 3 }, 3)
row('SplitV', [x([2, 6]), k([1, 3, 2]), n(1)], { num_split: 3 }, 3)
row('SplitV', [x([6]), k([1, -1]), n(0)], { num_split: 2 }, 2)
row('Pack', [x([2, 3]), x([2, 3], 2)], { axis: 1, N: 2 })
row('Pack', [x([2, 3]), x([2, 3], 2)], { axis: -1, N: 2 })
row('Pack', [whole([], [3]), whole([], [4])], { axis: 0, N: 2 })
row('Unpack', [x([3, 2])], { axis: 1, num: 2 }, 2)
row('ReverseV2', [x([2, 3, 4]), k([2, 0])])
row('Slice', [x([4, 5]), k([1, 2]), k([2, -1])])
row('Pad', [x([2, 3]), k([1, 2, 0, 1], [2, 2])])
row('PadV2', [x([2, 3]), k([1, 2, 0, 1], [2, 2]), n(-3, 'float32')])
row('MirrorPad', [x([3, 4]), k([1, 2, 3, 0], [2, 2])], { mode: 'REFLECT' })
row('MirrorPad', [x([3, 4]), k([1, 2, 3, 0], [2, 2])], { mode: 'SYMMETRIC' })
const masks = ['begin_mask', 'end_mask', 'ellipsis_mask', 'new_axis_mask', 'shrink_axis_mask']
for (const [shape, begin, end, strides, ...values] of [
  [[4, 5], [1, 1], [3, 4], [1, 1], 0, 0, 0, 0, 0],
  [[4, 5], [1, 4], [3, 0], [1, -2], 0, 0, 0, 0, 0],
  [[4, 5], [0, 0], [0, 0], [2, 1], 3, 3, 0, 0, 0],
  [[4, 5], [0, 0], [0, 0], [-1, -1], 3, 3, 0, 0, 0],
  [[4, 5], [-1, 1], [0, 3], [1, 1], 0, 0, 0, 0, 1],
  [[4, 5], [2], [3], [1], 0, 0, 0, 0, 1],
  [[4, 5, 6], [0, 1], [0, 2], [1, 1], 0, 0, 1, 0, 2],
  [[4, 5, 6], [1, 0, 2], [2, 0, 5], [1, 1, 2], 0, 0, 2, 0, 0],
  [[4, 5], [0, 1, 0], [0, 3, 0], [1, 1, 1], 4, 4, 0, 1, 0],
  [[4, 5], [0, 0, 0], [0, 0, 0], [1, 1, 1], 0, 0, 1, 2, 4],
  [[4], [-10], [10], [1], 0, 0, 0, 0, 0],
  [[4], [10], [-10], [-1], 0, 0, 0, 0, 0],
])
  row(
    'StridedSlice',
    [x(shape), k(begin), k(end), k(strides)],
    Object.fromEntries(masks.map((name, i) => [name, values[i]])),
  )

// Indices
row('Gather', [x([4, 3]), whole([2], [3, 0])])
row('GatherV2', [x([4, 3]), whole([2, 2], [2, 0, 1, 2]), n(1)], { batch_dims: 0 })
row('GatherV2', [x([2, 4, 3]), whole([2, 2], [3, 0, 1, 1]), n(1)], { batch_dims: 1 })
row('GatherNd', [x([3, 4, 2]), whole([2, 2], [0, 3, 2, 1])])
row('ScatterNd', [whole([3, 1], [4, 1, 4]), x([3, 2]), k([6, 2])])
row('TensorScatterUpdate', [x([5, 2]), whole([2, 1], [4, 1]), x([2, 2], 3)])
row('SparseToDense', [whole([2, 2], [0, 1, 2, 3]), k([3, 4]), x([2]), n(0.5, 'float32')])
row('OneHot', [whole([4], [0, 2, -1, 5]), n(3), n(2, 'float32'), n(-1, 'float32')], { axis: -1, T: type('DT_FLOAT') })
row('TopKV2', [x([3, 6]), n(2)], { sorted: true }, 2)

// Fourier transforms, whose results are read by other nodes
const chain = (name, operands, nodes, results = 1) => rows.push({ op: name, operands, nodes, results })
const node = (name, op, input, attr = {}) => ({ name, op, input, attr })
chain('RFFT, ComplexAbs', [x([2, 8])], [node('a', 'RFFT', ['x0', 'length']), node('y', 'ComplexAbs', ['a'])])
rows.at(-1).more = { length: k([8]) }
chain('RFFT, Real', [x([2, 12])], [node('a', 'RFFT', ['x0', 'length']), node('y', 'Real', ['a'])])
rows.at(-1).more = { length: k([12]) }
chain('RFFT, Imag', [x([2, 8])], [node('a', 'RFFT', ['x0', 'length']), node('y', 'Imag', ['a'])])
rows.at(-1).more = { length: k([8]) }
chain(
  'RFFT, ExpandDims, IRFFT',
  [x([2, 8])],
  [node('a', 'RFFT', ['x0', 'length']), node('b', 'Reshape', ['a', 'shape']), node('y', 'IRFFT', ['b', 'length'])],
)
rows.at(-1).more = { length: k([8]), shape: k([2, 5]) }
chain(
  'Complex, FFT, Imag',
  [x([2, 4]), x([2, 4], 2)],
  [node('a', 'Complex', ['x0', 'x1']), node('b', 'FFT', ['a']), node('y', 'Imag', ['b'])],
)
chain(
  'Complex, IFFT, Real',
  [x([2, 4]), x([2, 4], 2)],
  [node('a', 'Complex', ['x0', 'x1']), node('b', 'IFFT', ['a']), node('y', 'Real', ['b'])],
)
// Shape arithmetic of exporters
chain(
  'flatten',
  [x([2, 3, 4])],
  [
    node('shape', 'Shape', ['x0']),
    node('first', 'StridedSlice', ['shape', 'begin', 'end', 'one'], { shrink_axis_mask: { i: '1' } }),
    node('target', 'Pack', ['first', 'rest'], { N: { i: '2' }, axis: { i: '0' } }),
    node('y', 'Reshape', ['x0', 'target']),
  ],
)
rows.at(-1).more = { begin: k([0]), end: k([1]), one: k([1]), rest: n(-1) }

const ARRAYS = { float32: Float32Array, int32: Int32Array, bool: Uint8Array }

/** The elements of all tensors, one after the other. */
const bytesOf = (tensors) =>
  Uint8Array.from(tensors.flatMap(({ dtype, data }) => [...new Uint8Array(ARRAYS[dtype].from(data).buffer)])).buffer

/** The shortest decimal of a float32. */
function short(value) {
  if (!Number.isFinite(value)) return String(value)
  for (let digits = 5; digits < 9; digits++) {
    const rounded = Number(value.toPrecision(digits))
    if (Math.fround(rounded) === value) return rounded
  }
  return Number(value.toPrecision(9))
}

// A network as exporters write it: kernels and moments are constants of the graph
const w = (shape, scale, shift) => ({ ...x(shape, scale, shift), isConstant: true })
const attributes = (values) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, attribute(value)]))
chain(
  'network',
  [x([2, 8, 8, 3], 0.5, 0.5)],
  [
    node(
      'conv',
      'Conv2D',
      ['x0', 'kernel'],
      attributes({ strides: [1, 2, 2, 1], dilations: [1, 1, 1, 1], padding: 'SAME', data_format: 'NHWC' }),
    ),
    node('mean/read', 'Identity', ['mean']),
    node(
      'norm',
      'FusedBatchNormV3',
      ['conv', 'gamma', 'beta', 'mean/read', 'variance'],
      attributes({ epsilon: f(0.001), is_training: false, data_format: 'NHWC' }),
    ),
    node('relu', 'Relu6', ['norm']),
    node(
      'depthwise',
      'FusedDepthwiseConv2dNative',
      ['relu', 'depthwise/kernel', 'depthwise/bias'],
      attributes({
        strides: [1, 1, 1, 1],
        dilations: [1, 1, 1, 1],
        padding: 'SAME',
        data_format: 'NHWC',
        num_args: 1,
        fused_ops: ['BiasAdd', 'Relu'],
      }),
    ),
    node('add', 'AddV2', ['relu', 'depthwise']),
    node('pool', 'Mean', ['add', 'axes'], attributes({ keep_dims: false })),
    node('scaled', 'Mul', ['pool', 'scale']),
    node(
      'logits',
      '_FusedMatMul',
      ['scaled', 'dense/kernel', 'dense/bias'],
      attributes({ transpose_a: false, transpose_b: false, num_args: 1, fused_ops: ['BiasAdd'] }),
    ),
    node('y', 'Softmax', ['logits']),
  ],
)
rows.at(-1).more = {
  kernel: w([3, 3, 3, 6], 0.5),
  gamma: w([6], 0.5, 1),
  beta: w([6], 0.3, 0.5),
  mean: w([6], 0.3),
  variance: w([6], 0.4, 1),
  'depthwise/kernel': w([3, 3, 6, 1], 0.5),
  'depthwise/bias': w([6], 0.2),
  axes: k([1, 2]),
  scale: n(2, 'float32'),
  'dense/kernel': w([6, 4]),
  'dense/bias': w([4], 0.2),
}

const results = []
for (const { op, operands, attributes = {}, nodes, results: count, more = {} } of rows) {
  const names = operands.map((each, i) => [each, `x${i}`])
  const constants = [
    ...names.filter(([each]) => each.isConstant),
    ...Object.entries(more).map(([name, each]) => [each, name]),
  ]
  const inputs = names.filter(([each]) => !each.isConstant)
  const main = nodes ?? [
    {
      name: 'y',
      op,
      input: names.map(([, name]) => name),
      attr: Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, attribute(value)])),
    },
  ]
  const placeholders = inputs.map(([{ shape, dtype }, name]) => ({
    name,
    op: 'Placeholder',
    attr: { dtype: { type: DTYPES[dtype] }, shape: { shape: { dim: shape.map((size) => ({ size: String(size) })) } } },
  }))
  const consts = constants.map(([{ dtype }, name]) => ({ name, op: 'Const', attr: { dtype: { type: DTYPES[dtype] } } }))
  const node = [...placeholders, ...consts, ...main]
  const tensors = constants.map(([{ shape, dtype, data }, name]) => ({ name, dtype, shape, data }))
  const outputs = Array.from({ length: count }, (_, i) => (i === 0 ? 'y' : `y:${i}`))
  const model = new GraphModel({
    load: async () => ({
      modelTopology: { node, versions: {} },
      format: 'graph-model',
      weightSpecs: tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
      weightData: bytesOf(tensors),
    }),
  })
  try {
    await model.load()
    const feeds = Object.fromEntries(
      inputs.map(([{ shape, dtype, data }, name]) => [name, tf.tensor(data, shape, dtype)]),
    )
    const found = [model.execute(feeds, outputs)].flat()
    results.push({
      name: op,
      node,
      inputs: inputs.map(([{ shape, dtype, data }, name]) => ({ name, shape, dtype, data })),
      tensors,
      outputs: found.map((each) => ({ shape: each.shape, dtype: each.dtype, data: [...each.dataSync()].map(short) })),
    })
  } catch (error) {
    console.log(op, JSON.stringify(attributes), error.message.slice(0, 150))
  }
}
const text = JSON.stringify(results, (_, value) =>
  typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
)
writeFileSync(new URL('tfjs-graph.json.gz', import.meta.url), gzipSync(text, { level: 9 }))
console.log(`${results.length} of ${rows.length} graphs`)
