// The activations of layers as functions, with the defaults of keras.activations: `activations.gelu(x)` is exact. See ops.ts.

export * from '../../activations/functions'
export { deserialize, get } from '../activations-by-name'
