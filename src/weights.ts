// myelin/weights: weights in files of every format, also under names of other programs.

export type { WriteWeightsOptions } from './weights/files'
export { readWeights, torchMapping, writeWeights } from './weights/files'
export type { WeightMapping, WeightTarget, WeightTargets } from './formats/weight-mapping'
export type { LoadWeightsOptions, SaveWeightsOptions, WeightFormat } from './models/weight-formats'
// For loadWeights and saveWeights, which load this module when they need it.
export { fillWeights, weightWriter } from './weights/files'
