// The metrics that users can choose by name; registry.ts and index.ts read this module. Metrics with required options are
// exported only by index.ts, so that a bundle contains them only if they are used.

export * from './accuracy'
export * from './confusion'
export { AUC } from './curves'
export type { AucOptions } from './curves'
export * from './entropies'
export * from './f-scores'
export { BinaryIoU } from './iou'
export type { BinaryIoUOptions } from './iou'
export { Mean, MeanMetricWrapper, Sum } from './mean'
export * from './regression'
