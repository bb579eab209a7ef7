// myelin/weights: weights in files of every format, also under names of other programs.

export type { WriteWeightsOptions } from '../files/weights/files'
export { readWeights, torchMapping, writeWeights } from '../files/weights/files'
export type { WeightMapping, WeightTarget, WeightTargets } from '../files/containers/weight-mapping'
export type { WeightFormat } from '../files/containers/format-list'
export type { LoadWeightsOptions, SaveWeightsOptions } from '../models/weight-options'
// For loadWeights and saveWeights, which load this module when they need it.
export { fillWeights, weightWriter } from '../files/weights/files'
export { requireWeightFormat } from '../files/weights/formats'
