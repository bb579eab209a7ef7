// The public names of `myelin/thrift`, and nothing else.

export { Ledger, ledger } from './thrift/ledger'
export type { Cost, LedgerOptions, LedgerRow, StepCost } from './thrift/ledger'
export { pruneUnits } from './thrift/prune-units'
export type { PruneUnitsOptions } from './thrift/prune-units'
export { MagnitudePruning } from './thrift/magnitude-pruning'
export type { MagnitudePruningOptions } from './thrift/magnitude-pruning'
export { lowRank } from './thrift/low-rank'
export type { LowRankOptions } from './thrift/low-rank'
export { Distiller, distill } from './thrift/distill'
export type { DistillOptions } from './thrift/distill'
