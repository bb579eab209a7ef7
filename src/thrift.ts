// The public names of `myelin/thrift`, and nothing else.

export { Ledger, ledger } from './thrift/ledger'
export type { Cost, LedgerOptions, LedgerRow, StepCost } from './thrift/ledger'
export { EmissionsTracker } from './thrift/emissions'
export type { EmissionsTrackerOptions, Tracked } from './thrift/emissions'
export type { Figure, Footprint } from './thrift/footprint'
export { Budget, StopWhenUneconomic } from './thrift/budget'
export type { BudgetOptions, EpochEconomy, Spent, StopWhenUneconomicOptions } from './thrift/budget'
export { quantizationAware, quantize, quantizedLayers } from './thrift/quantize'
export type { QuantizeOptions } from './thrift/quantize'
export { QuantizedConv1D, QuantizedConv2D, QuantizedDense } from './thrift/quantized-layers'
export { fakeQuantize } from './thrift/fake-quantization'
