// Every op, as users import it: `import { ops } from 'myelin'`. Ops run immediately on data, and are recorded
// on symbols inside traced functions.

export * from './numpy/elementwise'
export * from './nn/activations'
export * from './nn/shrinking'
export * from './numpy/reduce'
// These replace ops of the same names in elementwise.ts, linalg.ts and reduce.ts.
export { abs, add, dot, einsum, inner, matmul, maximum, minimum, multiply, outer, tensordot, vdot } from './numpy/bools'
export { argmax, argmin, max, min, ptp } from './numpy/extremes'
export { power, relu } from './numpy/whole'
export { where } from './numpy/choosing'
export { multiHot, oneHot } from './nn/one-hot'
export type { MultiHotOptions, OneHotOptions } from './nn/one-hot'
export { binaryCrossentropy, categoricalCrossentropy, sparseCategoricalCrossentropy } from './nn/crossentropies'
export type { BinaryCrossentropyOptions, CrossentropyOptions } from './nn/crossentropies'
export { ctcLoss } from './nn/ctc'
export { ctcDecode } from './nn/ctc-decode'
export type { CtcDecodeOptions } from './nn/ctc-decode'
export { depthToSpace, fold, spaceToDepth, unfold } from './nn/patches'
export type { PatchOptions } from './nn/patches'
export { psnr } from './nn/psnr'
export { adaptiveAveragePool, adaptiveMaxPool } from './nn/adaptive-pooling'
export {
  broadcastTo,
  concatenate,
  flip,
  repeat,
  reshape,
  scatterAdd,
  split,
  squeeze,
  stack,
  swapAxes,
  take,
  tile,
  unstack,
} from './numpy/shape'
export * from './linalg/linalg'
export * from './numpy/functions'
export type { PadMode } from './numpy/pad'
export { pad } from './numpy/pad'
export { rearrange } from './numpy/einops'
export { diff, expandDims, ravel, roll, rot90, takeAlongAxis } from './numpy/rearrange'
export * from './numpy/diagonals'
export * from './numpy/construct'
export { argpartition, argsort, digitize, isin, searchsorted, sort, topK } from './numpy/sorting'
export * from './math/segments'
export * from './linalg/norm'
export * from './linalg/factorization'
export * from './math/fourier'
export { extractSequences, istft, stft } from './math/signal'
export type { IstftOptions, StftOptions, Window } from './math/signal'
export { dotProductAttention } from './nn/attention'
export type { AttentionOptions } from './nn/attention'
export { conv, convTranspose, depthwiseConv, separableConv } from './nn/convolution'
export type { ConvOptions, ConvTransposeOptions } from './nn/convolution'
export type { ResizeOptions } from './image/resize'
export type { AffineTransformOptions, FillMode } from './image/warp'
export { batchNorm, layerNorm, moments, normalize, rmsNorm } from './nn/normalization'
export type { BatchNormOptions, LayerNormOptions, Moments, NormalizeOptions, RmsNormOptions } from './nn/normalization'
export { averagePool, maxPool } from './nn/pooling'
export type { PoolOptions } from './nn/pooling'
export { associativeScan } from './control/associative'
export type { AssociativeScanOptions } from './control/associative'
export { cond, switchBranch as switch } from './control/branch'
export { convertToTensor, copy, saturateCast, stopGradients as stopGradient, view } from './control/conversion'
export type { ConvertOptions, ConvertToTensorOptions } from './control/conversion'
export { customGradient } from './control/custom-gradient'
export { remat } from './control/remat'
export { slice, sliceUpdate } from './control/dynamic'
export type { Starts } from './control/dynamic'
export { convertToNumpy, dtype, isTensor, ndim, shape, size } from './control/inspect'
export { vectorize, vectorizedMap } from './control/vectorize'
export type { VectorizeOptions } from './control/vectorize'
export { jvp } from './jvp'
export { whileLoop } from './control/while'
export { foriLoop, map, scan } from './control/scan'
export type { ScanOptions } from './control/scan'

export { bitwiseAnd, bitwiseNot, bitwiseOr, bitwiseXor, leftShift, rightShift } from './numpy/bits'
export { moveAxis, transpose } from './numpy/axes'
export * from './numpy/divisors'
export * from './numpy/filled'
export * from './numpy/joining'
export * from './numpy/windows'

export * from './second-names'
export * from './math/comparing'
export * from './math/special'
export * from './numpy/choosing'
export * from './numpy/complex'
export * from './numpy/floats'
export * from './numpy/items'
export * from './numpy/nan'
export * from './numpy/quantiles'
export * from './numpy/statistics'
export { unique } from './numpy/unique'
export type { UniqueOptions } from './numpy/unique'
