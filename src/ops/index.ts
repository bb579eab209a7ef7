// Every op, as users import it: `import { ops } from 'myelin'`. Works on concrete tensors at once, and on
// symbols inside traced functions.

export * from './elementwise'
export * from './activations'
export * from './reduce'
export * from './shape'
export * from './linalg'
export { conv, convTranspose, depthwiseConv, separableConv } from './convolution'
export type { ConvOptions, ConvTransposeOptions } from './convolution'
export { resize } from './image'
export type { ResizeOptions } from './image'
export { batchNorm, layerNorm, moments, normalize, rmsNorm } from './normalization'
export type { BatchNormOptions, LayerNormOptions, Moments, NormalizeOptions, RmsNormOptions } from './normalization'
export { averagePool, maxPool } from './pooling'
export type { PoolOptions } from './pooling'
export { foriLoop, map, scan } from './scan'
export type { ScanOptions } from './scan'
