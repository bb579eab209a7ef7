// Every op, as users import it: `import { ops } from 'myelin'`. Ops run immediately on data, and are recorded
// on symbols inside traced functions.

export * from './numpy/elementwise'
export * from './nn/activations'
export * from './numpy/reduce'
export { oneHot } from './nn/one-hot'
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
export { extractSequences, istft, stft } from './math/signal'
export type { IstftOptions, StftOptions, Window } from './math/signal'
export { dotProductAttention } from './nn/attention'
export type { AttentionOptions } from './nn/attention'
export { conv, convTranspose, depthwiseConv, separableConv } from './nn/convolution'
export type { ConvOptions, ConvTransposeOptions } from './nn/convolution'
export * as image from './image'
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
