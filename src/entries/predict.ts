// The public names of `myelin/predict`, and nothing else.

export { loadModel } from '../files/own/predict'
export type { PredictLoadOptions } from '../files/own/predict'
