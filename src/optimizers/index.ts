// The optimizers that can be named in compile(): names only.

export { MultiOptimizer } from './multi'
export type { MultiOptimizerOptions, OptimizerFor } from './multi'
export { Optimizer } from './optimizer'
export type { OptimizerOptions, UpdateInput, UpdateResult } from './optimizer'
export { ParameterGroup } from './groups'
export type { ParameterGroupOptions } from './groups'
export type { HasWeights, Match } from './match'
export type { LearningRate } from './rate'
export { Adam, AdamW, RMSprop, SGD } from './rules'
export type { AdamOptions, RMSpropOptions, SGDOptions } from './rules'
export { CosineDecay, ExponentialDecay, LearningRateSchedule, PiecewiseConstantDecay } from './schedules'
export type { CosineDecayOptions, ExponentialDecayOptions, PiecewiseConstantDecayOptions } from './schedules'
