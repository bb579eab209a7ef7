// Every op, as users import it: `import { ops } from 'myelin'`. Ops run immediately on data, and are recorded
// on symbols inside traced functions.

export * from './numpy/elementwise'
export * from './nn/activations'
export { hardSilu as hardSwish, silu as swish } from './nn/activations'
export * from './nn/shrinking'
export * from './numpy/reduce'
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
  batchNorm as batchNormalization,
  layerNorm as layerNormalization,
  rmsNorm as rmsNormalization,
} from './nn/normalization'
export {
  arange,
  broadcastTo,
  concatenate,
  expandDims,
  eye,
  flip,
  full,
  moveAxis,
  ones,
  onesLike,
  repeat,
  reshape,
  scatterAdd,
  slice,
  split,
  squeeze,
  stack,
  swapAxes,
  take,
  tile,
  transpose,
  unstack,
  zeros,
  zerosLike,
} from './numpy/shape'
export * from './linalg/linalg'
export * from './numpy/functions'
export type { PadMode } from './numpy/pad'
export { pad } from './numpy/pad'
export { diff, ravel, roll, rot90, takeAlongAxis } from './numpy/rearrange'
export * from './numpy/diagonals'
export * from './numpy/construct'
export type { QuantileMethod, QuantileOptions } from './numpy/sorting'
export { argsort, digitize, isin, median, quantile, searchsorted, sort, topK } from './numpy/sorting'
export * from './math/segments'
export * from './linalg/norm'
export * from './linalg/factorization'
export * from './math/fourier'
export { dotProductAttention } from './nn/attention'
export type { AttentionOptions } from './nn/attention'
export { conv, convTranspose, depthwiseConv, separableConv } from './nn/convolution'
export type { ConvOptions, ConvTransposeOptions } from './nn/convolution'
export { resize } from './image/resize'
export type { ResizeOptions } from './image/resize'
export { affineTransform } from './image/warp'
export type { AffineTransformOptions, FillMode } from './image/warp'
export { batchNorm, layerNorm, moments, normalize, rmsNorm } from './nn/normalization'
export type { BatchNormOptions, LayerNormOptions, Moments, NormalizeOptions, RmsNormOptions } from './nn/normalization'
export { averagePool, maxPool } from './nn/pooling'
export type { PoolOptions } from './nn/pooling'
export { foriLoop, map, scan } from './control/scan'
export type { ScanOptions } from './control/scan'
