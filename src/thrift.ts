// The public names of `myelin/thrift`, and nothing else.

export { Ledger, ledger } from './thrift/ledger'
export type { Cost, LedgerOptions, LedgerRow, StepCost } from './thrift/ledger'
