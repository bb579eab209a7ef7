// The public names of `myelin/predict`, and nothing else.

export { loadModel } from './predict/load'
export type { PredictLoadOptions } from './predict/load'
