// All layers.

export { Activation, Dense, Dropout, Flatten, InputLayer, Reshape } from './core/basic'
export type { DenseOptions } from './core/basic'
export { CallContext, Layer } from './layer'
export type { BatchShape, LayerOptions, WeightOptions } from './layer'
