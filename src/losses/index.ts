// The losses: classes, and functions of the same formulas. Names, defaults and formulas are Keras's.

export * from './ctc'
export { Loss } from './loss'
export type { LossOptions } from './loss'
export * from './named'
export type { LossFunction, LossIdentifier, LossName } from './names'
export { applyMask } from './sample-weights'
export type { Reduction } from './sample-weights'
