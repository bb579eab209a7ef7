// Keras's classes of ops: which arguments of a function are options of the class, and which those of its call. operations.ts reads
// nodes with this table, and write-operations.ts writes them. tests/files/keras/operation-table.test.ts compares it with Keras.

import { normalizeName } from '../../core/errors'
import { once } from '../../core/once'
import type { Json } from '../../core/registry'
import * as ops from '../../ops'
import * as image from '../../ops/image'

/** An argument of a function of Keras. */
export interface Parameter {
  readonly name: string
  /** Whether it is an option of the class, not an argument of the call. */
  readonly isOption: boolean
  /** Whether it can be left out. */
  readonly isOptional: boolean
  /** Whether it stands for any number of arguments: in order, or by their names. */
  readonly rest: 'list' | 'record' | null
  /** The default of an argument of the call. */
  readonly initial: Json
}

/** A class of ops. */
export interface OperationClass {
  readonly module: string
  readonly className: string
  /** The name of the op here. */
  readonly op: string
  /** In the order of the function, which is that of the op here. Among them, those of the call are in the order of the call. */
  readonly parameters: readonly Parameter[]
}

/**
 * Parameters in the order of the function: `name` is an argument of the call, `name=` an option of the class, `name?` and `name?=` can
 * be left out (`name?0` has this default, all others have null or that of the op here), `*name` takes any number, `**name` by their names.
 */
const ROWS: readonly (readonly [module: string, parameters: string, classNames: string])[] = [
  ['activations.activations', 'x', 'Mish'],
  ['activations.activations', 'x negative_slope?= max_value?= threshold?=', 'ReLU'],
  ['ops.core', 'x dtype=', 'Cast SaturateCast'],
  ['ops.core', 'x dtype?= sparse?= ragged?=', 'ConvertToTensor'],
  ['ops.core', 'indices values shape=', 'Scatter'],
  ['ops.core', 'inputs indices updates reduction?=', 'ScatterUpdate'],
  ['ops.core', 'inputs start_indices shape=', 'Slice'],
  ['ops.core', 'inputs start_indices updates', 'SliceUpdate'],
  ['ops.core', 'variable', 'StopGradient'],
  ['ops.core', 'x num?= axis?=', 'Unstack'],
  ['ops.einops', 'tensor pattern **axes_lengths', 'Rearrange'],
  ['ops.image', 'images transform interpolation?= fill_mode?= fill_value?= data_format?=', 'AffineTransform'],
  [
    'ops.image',
    'images top_cropping?= left_cropping?= bottom_cropping?= right_cropping?= target_height?= target_width?= data_format?=',
    'CropImages',
  ],
  [
    'ops.image',
    'images alpha?= sigma?= interpolation?= fill_mode?= fill_value?= seed?= data_format?=',
    'ElasticTransform',
  ],
  ['ops.image', 'images size= strides?= dilation_rate?= padding?= data_format?=', 'ExtractPatches'],
  ['ops.image', 'images kernel_size?= sigma?= data_format?=', 'GaussianBlur'],
  ['ops.image', 'images data_format?=', 'HSVToRGB RGBToGrayscale RGBToHSV SobelEdges'],
  ['ops.image', 'inputs coordinates order= fill_mode?= fill_value?=', 'MapCoordinates'],
  [
    'ops.image',
    'images top_padding?= left_padding?= bottom_padding?= right_padding?= target_height?= target_width?= data_format?=',
    'PadImages',
  ],
  ['ops.image', 'images start_points end_points interpolation?= fill_value?= data_format?=', 'PerspectiveTransform'],
  [
    'ops.image',
    'images size= interpolation?= antialias?= crop_to_aspect_ratio?= pad_to_aspect_ratio?= fill_mode?= fill_value?= data_format?=',
    'Resize',
  ],
  ['ops.image', 'image1 image2 max_val?= filter_size?= filter_sigma?= k1?= k2?= data_format?=', 'SSIM'],
  ['ops.image', 'images output_shape scale translation spatial_dims= method= antialias?=', 'ScaleAndTranslate'],
  ['ops.linalg', 'x upper?=', 'Cholesky CholeskyInverse'],
  ['ops.linalg', 'x', 'Det Eig Eigh Inv LuFactor'],
  ['ops.linalg', 'a b rcond?=', 'Lstsq'],
  ['ops.linalg', 'x tol?=', 'MatrixRank'],
  ['ops.linalg', 'x ord?= axis?= keepdims?=', 'Norm'],
  ['ops.linalg', 'x rcond?=', 'Pinv'],
  ['ops.linalg', 'x mode?=', 'Qr'],
  ['ops.linalg', 'x full_matrices?= compute_uv?=', 'SVD'],
  ['ops.linalg', 'a b', 'Solve'],
  ['ops.linalg', 'a b lower?=', 'SolveTriangular'],
  ['ops.math', 'x y', 'CDist'],
  ['ops.math', 'x', 'Erf Erfc Erfinv FFT FFT2 IFFT2 Logdet Rsqrt ViewAsComplex ViewAsReal'],
  ['ops.math', 'x sequence_length= sequence_stride=', 'ExtractSequences'],
  ['ops.math', 'x fft_length?=', 'IRFFT RFFT'],
  ['ops.math', 'x sequence_length= sequence_stride= fft_length= length?= window?= center?=', 'ISTFT'],
  ['ops.math', 'targets predictions k=', 'InTopK'],
  ['ops.math', 'x axis?= keepdims?=', 'Logsumexp'],
  ['ops.math', 'x sequence_length= sequence_stride= fft_length= window?= center?=', 'STFT'],
  ['ops.math', 'data segment_ids num_segments?= sorted?=', 'SegmentMax SegmentMin SegmentProd SegmentSum'],
  ['ops.math', 'x k= sorted?=', 'TopK'],
  ['ops.nn', 'inputs output_size= data_format?=', 'AdaptiveAveragePool AdaptiveMaxPool'],
  ['ops.nn', 'inputs pool_size= strides?= padding?= data_format?=', 'AveragePool MaxPool'],
  ['ops.nn', 'x mean variance axis= offset? scale? epsilon?=', 'BatchNorm'],
  ['ops.nn', 'target output from_logits?=', 'BinaryCrossentropy'],
  ['ops.nn', 'inputs sequence_lengths strategy?= beam_width?= top_paths?= merge_repeated?= mask_index?=', 'CTCDecode'],
  ['ops.nn', 'target output target_length output_length mask_index?=', 'CTCLoss'],
  ['ops.nn', 'target output from_logits?= axis?=', 'CategoricalCrossentropy SparseCategoricalCrossentropy'],
  ['ops.nn', 'x alpha?=', 'Celu Elu'],
  ['ops.nn', 'inputs kernel strides?= padding?= data_format?= dilation_rate?=', 'Conv DepthwiseConv'],
  ['ops.nn', 'inputs kernel strides?= padding?= output_padding?= data_format?= dilation_rate?=', 'ConvTranspose'],
  ['ops.nn', 'x block_size= data_format?=', 'DepthToSpace SpaceToDepth'],
  [
    'ops.nn',
    'query key value bias? mask? scale? is_causal?= flash_attention?= attn_logits_soft_cap?=',
    'DotProductAttention',
  ],
  ['ops.nn', 'x output_size= kernel_size= dilation?= padding?= stride?=', 'Fold'],
  ['ops.nn', 'x approximate?=', 'Gelu'],
  ['ops.nn', 'x axis?=', 'Glu LogSoftmax Softmax Sparsemax'],
  ['ops.nn', 'x threshold?=', 'HardShrink SoftShrink'],
  [
    'ops.nn',
    'x',
    'HardSigmoid HardSilu HardTanh LogSigmoid Relu Relu6 Selu Sigmoid Silu Softplus Softsign SparsePlus SparseSigmoid TanhShrink',
  ],
  ['ops.nn', 'x gamma? beta? axis?= epsilon?=', 'LayerNorm'],
  ['ops.nn', 'x negative_slope?=', 'LeakyRelu'],
  ['ops.nn', 'x axes= keepdims?= synchronized?=', 'Moments'],
  ['ops.nn', 'inputs num_classes= axis?= dtype?= sparse?=', 'MultiHot'],
  ['ops.nn', 'x axis?= order?= epsilon?=', 'Normalize'],
  ['ops.nn', 'x num_classes= axis?= dtype?= sparse?=', 'OneHot'],
  ['ops.nn', 'x1 x2 max_val=', 'PSNR'],
  ['ops.nn', 'abs_ angle', 'Polar'],
  ['ops.nn', 'x scale? axis?= epsilon?=', 'RMSNorm'],
  [
    'ops.nn',
    'inputs depthwise_kernel pointwise_kernel strides?= padding?= data_format?= dilation_rate?=',
    'SeparableConv',
  ],
  ['ops.nn', 'x b?=', 'Squareplus'],
  ['ops.nn', 'x threshold= default_value=', 'Threshold'],
  ['ops.nn', 'x kernel_size= dilation?= padding?= stride?=', 'Unfold'],
  [
    'ops.numpy',
    'x',
    'Abs Absolute Angle Arccos Arccosh Arcsin Arcsinh Arctan Arctanh BitwiseInvert BitwiseNot Cbrt Ceil Conj Conjugate Copy Corrcoef Cos Cosh Deg2rad Exp Exp2 Expm1 Fabs Fliplr Flipud Floor I0 Imag Isfinite Isinf Isnan Isneginf Isposinf Isreal Log Log10 Log1p Log2 LogicalNot Ndim Negative Nonzero Rad2deg Ravel Real Reciprocal Sign Signbit Sin Sinc Sinh Size Slogdet Sqrt Square Tan Tanh Trunc',
  ],
  [
    'ops.numpy',
    'x1 x2',
    'Add Arctan2 Divide DivideNoNan Dot Equal FloorDivide Fmax Fmin Fmod Gcd Greater GreaterEqual Heaviside Hypot Inner Kron Lcm Ldexp Less LessEqual Logaddexp Logaddexp2 LogicalAnd LogicalOr LogicalXor Matmul Maximum Minimum Mod Multiply Nextafter NotEqual Outer Power Subtract TrueDivide Vdot',
  ],
  [
    'ops.numpy',
    'x axis?= keepdims?=',
    'All Amax Amin Any Argmax Argmin Mean Median Nanargmax Nanargmin Nanmax Nanmean Nanmedian Nanmin Nanprod Nanstd Nansum Nanvar Ptp Std Sum Var',
  ],
  ['ops.numpy', 'x1 x2 rtol?= atol?= equal_nan?=', 'AllClose'],
  ['ops.numpy', 'x1 x2 axis?=', 'Append'],
  ['ops.numpy', 'start stop? step? dtype?=', 'Arange'],
  ['ops.numpy', 'x kth= axis?=', 'Argpartition'],
  ['ops.numpy', 'x axis?=', 'Argsort CountNonzero Flip Sort Squeeze Stack'],
  ['ops.numpy', 'x dtype?=', 'Array EmptyLike OnesLike View ZerosLike'],
  ['ops.numpy', 'x indices_or_sections= axis?=', 'ArraySplit Split'],
  ['ops.numpy', 'x axis?= weights?', 'Average'],
  ['ops.numpy', 'x weights?= minlength?= sparse?=', 'Bincount'],
  ['ops.numpy', 'x y', 'BitwiseAnd BitwiseLeftShift BitwiseOr BitwiseRightShift BitwiseXor LeftShift RightShift'],
  ['ops.numpy', 'x shape=', 'BroadcastTo'],
  ['ops.numpy', 'x x_min= x_max=', 'Clip'],
  ['ops.numpy', 'xs axis?=', 'Concatenate'],
  ['ops.numpy', 'x1 x2 mode?=', 'Correlate'],
  ['ops.numpy', 'x1 x2 axisa?= axisb?= axisc?= axis?=', 'Cross'],
  ['ops.numpy', 'x axis?= dtype?=', 'Cumprod Cumsum Nancumprod Nancumsum'],
  ['ops.numpy', 'x k?=', 'Diag Diagflat Tril Triu'],
  ['ops.numpy', 'x offset?= axis1?= axis2?=', 'Diagonal Trace'],
  ['ops.numpy', 'a n?= axis?=', 'Diff'],
  ['ops.numpy', 'x bins', 'Digitize'],
  ['ops.numpy', 'x indices_or_sections=', 'Dsplit Hsplit Vsplit'],
  ['ops.numpy', 'xs', 'Dstack Hstack Vstack'],
  ['ops.numpy', 'subscripts= *operands', 'Einsum'],
  ['ops.numpy', 'x axis=', 'ExpandDims'],
  ['ops.numpy', 'shape= fill_value dtype?=', 'Full'],
  ['ops.numpy', 'x fill_value dtype?=', 'FullLike'],
  ['ops.numpy', 'start stop num?= endpoint?= dtype?= axis?=', 'Geomspace'],
  ['ops.numpy', 'x key', 'GetItem'],
  ['ops.numpy', 'x bins?= range?=', 'Histogram'],
  ['ops.numpy', 'x1 x2 assume_unique?= invert?=', 'IsIn'],
  ['ops.numpy', 'x1 x2 rtol?1e-5 atol?1e-8 equal_nan?=', 'Isclose'],
  ['ops.numpy', 'start stop num?= endpoint?= retstep?= dtype?= axis?=', 'Linspace'],
  ['ops.numpy', 'start stop num?= endpoint?= base?= dtype?= axis?=', 'Logspace'],
  ['ops.numpy', 'x axis?= keepdims?= initial?=', 'Max Min'],
  ['ops.numpy', '*x indexing?=', 'Meshgrid'],
  ['ops.numpy', 'x source= destination=', 'Moveaxis'],
  ['ops.numpy', 'x nan?= posinf?= neginf?=', 'NanToNum'],
  ['ops.numpy', 'x q axis?= method?= keepdims?=', 'Nanpercentile Nanquantile Percentile Quantile'],
  ['ops.numpy', 'x pad_width= mode?= constant_values?', 'Pad'],
  ['ops.numpy', 'x axis?= keepdims?= dtype?=', 'Prod'],
  ['ops.numpy', 'x repeats= axis?=', 'Repeat'],
  ['ops.numpy', 'x newshape=', 'Reshape'],
  ['ops.numpy', 'x shift= axis?=', 'Roll'],
  ['ops.numpy', 'array k?= axes?=', 'Rot90'],
  ['ops.numpy', 'x decimals?=', 'Round'],
  ['ops.numpy', 'sorted_sequence values side?=', 'SearchSorted'],
  ['ops.numpy', 'condlist choicelist default?0', 'Select'],
  ['ops.numpy', 'x axis1= axis2=', 'Swapaxes'],
  ['ops.numpy', 'x indices axis?=', 'Take TakeAlongAxis'],
  ['ops.numpy', 'x1 x2 axes?=', 'Tensordot'],
  ['ops.numpy', 'x repeats=', 'Tile'],
  ['ops.numpy', 'x axes?=', 'Transpose'],
  ['ops.numpy', 'y x?= dx?= axis?=', 'Trapezoid'],
  ['ops.numpy', 'x sorted?= return_index?= return_inverse?= return_counts?= axis?= size?= fill_value?=', 'Unique'],
  ['ops.numpy', 'indices shape=', 'UnravelIndex'],
  ['ops.numpy', 'x N?= increasing?=', 'Vander'],
  ['ops.numpy', 'condition x1? x2?', 'Where'],
]

/** Ops with another name than their class. */
const OPS: Readonly<Record<string, string>> = {
  BatchNorm: 'batchNormalization',
  LayerNorm: 'layerNormalization',
  Mish: 'activations.mish',
  RMSNorm: 'rmsNormalization',
  ReLU: 'activations.relu',
}

/** Classes whose results are complex tensors of Keras, which are { real, imag } here. */
const COMPLEX = ['ViewAsComplex', 'Polar']
/** Classes whose results are complex if their operand is. */
const CONJUGATES = ['Conj', 'Conjugate']
/** Classes with which Keras 3.15 opens no file, or cannot compute. */
export const REFUSED: Readonly<Record<string, string>> = {
  AdaptiveAveragePool: 'Keras does not open its files with this op. Use the layers AdaptiveAveragePooling1D to 3D',
  AdaptiveMaxPool: 'Keras does not open its files with this op. Use the layers AdaptiveMaxPooling1D to 3D',
  ConvTranspose: 'Keras exchanges two arguments of this op. Use the layers Conv1DTranspose to Conv3DTranspose',
}

/** Classes that take complex numbers as a pair of tensors. */
export const OF_PAIRS: readonly string[] = ['FFT', 'FFT2', 'IFFT2', 'IRFFT', 'ISTFT']

/** Options of classes that are operands: the dtype of the result depends on their numbers. */
export const OPERANDS: readonly string[] = [
  'Clip x_min',
  'Clip x_max',
  'LeakyRelu negative_slope',
  'Threshold default_value',
]

/** Whether a class gives complex tensors. */
export function givesComplex(className: string, isOfComplex: () => boolean): boolean {
  return COMPLEX.includes(className) || (CONJUGATES.includes(className) && isOfComplex())
}

/** Second names of ops here, which have no class. */
const SYNONYMS: Readonly<Record<string, string>> = {
  abs: 'absolute',
  batchNorm: 'batchNormalization',
  exponential: 'exp',
  hardSwish: 'hardSilu',
  layerNorm: 'layerNormalization',
  linear: 'copy',
  mish: 'activations.mish',
  rmsNorm: 'rmsNormalization',
  swish: 'silu',
  variance: 'var',
}

const RESTS: Readonly<Record<string, Parameter['rest']>> = { '*': 'list', '**': 'record' }

const parameterOf = (text: string): Parameter => {
  const [, stars, name, mark, initial, isOption] = /^(\**)(\w+)(\??)([^=]*)(=?)$/.exec(text)!
  return {
    name: name!,
    isOption: isOption === '=',
    isOptional: mark === '?' || stars !== '',
    rest: RESTS[stars!] ?? null,
    initial: initial === '' ? null : Number(initial),
  }
}

const functionsOf = (namespace: Readonly<Record<string, unknown>>): string[] =>
  Object.entries(namespace).flatMap(([name, op]) => (typeof op === 'function' ? [name] : []))

function allClasses(): readonly OperationClass[] {
  // The names of the ops here by those of the classes, which are other spellings of them.
  const all = [...functionsOf(ops), ...functionsOf(image).map((name) => `image.${name}`)]
  const names = new Map(all.map((name) => [normalizeName(name), name]))
  return ROWS.flatMap(([module, text, classNames]) => {
    const parameters = text.split(' ').map(parameterOf)
    return classNames.split(' ').map((className) => ({
      module: `keras.src.${module}`,
      className,
      op: OPS[className] ?? names.get(normalizeName(module === 'ops.image' ? `image.${className}` : className))!,
      parameters,
    }))
  })
}

/** All classes, by name and by op. They are made when a file first needs them, because this takes a tenth of the time of an import. */
const known = once(() => {
  const classes = allClasses()
  return {
    classes,
    byClass: new Map(classes.map((each) => [each.className, each])),
    byOp: new Map(classes.map((each) => [normalizeName(each.op), each])),
  }
})

/**
 * All classes.
 * @internal
 */
export const operationClasses = (): readonly OperationClass[] => known().classes

/** A class by its name as Keras writes it; undefined for one that is not in the table. */
export const operationClass = (className: string): OperationClass | undefined => known().byClass.get(className)

/** The class of an op, such as `add`, `image.resize` or `activations.relu`; undefined if Keras has none. */
export function classOfOp(op: string): OperationClass | undefined {
  // Most activations are ops, and some functions of images are in both namespaces.
  const short = op.replace('activations.', '')
  const spellings = [op, short, `image.${short}`].flatMap((name) => [SYNONYMS[name] ?? name, name])
  return spellings.map((name) => known().byOp.get(normalizeName(name))).find((each) => each !== undefined)
}
