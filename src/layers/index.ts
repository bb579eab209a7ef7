// All layers.

export { Activation, Dense, Dropout, Flatten, InputLayer, Reshape } from './basic'
export type { DenseOptions } from './basic'
export { CallContext, Layer } from './layer'
export type { BatchShape, LayerOptions, WeightOptions } from './layer'
