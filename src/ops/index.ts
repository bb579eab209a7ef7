// Every op, as users import it: `import { ops } from 'myelin'`. Ops run immediately on data, and are recorded
// on symbols inside traced functions.

export * from './elementwise'
export * from './activations'
export * from './reduce'
export { oneHot } from './one-hot'
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
} from './shape'
export * from './linalg'
export * from './functions'
export type { PadMode } from './pad'
export { pad } from './pad'
export { diff, ravel, roll, rot90, takeAlongAxis } from './rearrange'
export * from './diagonals'
export * from './construct'
export type { QuantileMethod, QuantileOptions } from './sorting'
export { argsort, digitize, isin, median, quantile, searchsorted, sort, topK } from './sorting'
export * from './segments'
export * from './norm'
export * from './factorization'
export * from './fourier'
export { dotProductAttention } from './attention'
export type { AttentionOptions } from './attention'
export { conv, convTranspose, depthwiseConv, separableConv } from './convolution'
export type { ConvOptions, ConvTransposeOptions } from './convolution'
export { resize } from './image'
export type { ResizeOptions } from './image'
export { affineTransform } from './warp'
export type { AffineTransformOptions, FillMode } from './warp'
export { batchNorm, layerNorm, moments, normalize, rmsNorm } from './normalization'
export type { BatchNormOptions, LayerNormOptions, Moments, NormalizeOptions, RmsNormOptions } from './normalization'
export { averagePool, maxPool } from './pooling'
export type { PoolOptions } from './pooling'
export { foriLoop, map, scan } from './scan'
export type { ScanOptions } from './scan'
