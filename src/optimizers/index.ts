// The optimizers available in compile(): names only.

export { MultiOptimizer } from './multi'
export type { MultiOptimizerOptions, OptimizerFor } from './multi'
export { Optimizer } from './optimizer'
export type { ExclusionOptions, OptimizerOptions, UpdateInput, UpdateResult } from './optimizer'
export type { Slot } from './parameters'
export { ParameterGroup } from './groups'
export type { ParameterGroupOptions } from './groups'
export type { HasWeights, Match } from './match'
export type { LearningRate } from './rate'
export * from './rules'
export * from './schedules'
