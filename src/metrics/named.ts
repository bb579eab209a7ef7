// The metrics that users can choose by name: what registry.ts and index.ts read. A metric that has required options is
// exported by index.ts alone, so that a bundle contains it only if it is used.

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
