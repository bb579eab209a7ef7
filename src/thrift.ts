// The public names of `myelin/thrift`, and nothing else.

export { Ledger, ledger } from './thrift/ledger'
export type { Cost, LedgerOptions, LedgerRow, StepCost } from './thrift/ledger'
export { EmissionsTracker } from './thrift/emissions'
export type { EmissionsTrackerOptions, Tracked } from './thrift/emissions'
export type { Figure, Footprint } from './thrift/footprint'
export { Budget, StopWhenUneconomic } from './thrift/budget'
export type { BudgetOptions, EpochEconomy, Spent, StopWhenUneconomicOptions } from './thrift/budget'
export { pruneUnits } from './thrift/prune-units'
export type { PruneUnitsOptions } from './thrift/prune-units'
export { MagnitudePruning } from './thrift/magnitude-pruning'
export type { MagnitudePruningOptions } from './thrift/magnitude-pruning'
