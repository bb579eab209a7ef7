// The public names of `myelin/balance`, and nothing else: regeneration, health and homeostasis of units, and replay
// memory.

export { ContinualBackprop } from './balance/continual-backprop'
export type { ContinualBackpropOptions } from './balance/continual-backprop'
export { ReDo } from './balance/redo'
export type { ReDoOptions } from './balance/redo'
export { ShrinkAndPerturb } from './balance/shrink-and-perturb'
export type { ShrinkAndPerturbOptions } from './balance/shrink-and-perturb'
export { L2Init } from './balance/l2-init'
export type { L2InitOptions } from './balance/l2-init'

export { UnitHealth } from './balance/unit-health'
export type { UnitHealthOptions } from './balance/unit-health'
export type { HealthRecord, LayerHealth } from './balance/health-record'

export { SynapticScaling } from './balance/synaptic-scaling'
export type { SynapticScalingOptions } from './balance/synaptic-scaling'
export { IntrinsicPlasticity } from './balance/intrinsic-plasticity'
export type { IntrinsicPlasticityOptions } from './balance/intrinsic-plasticity'
export { SynapticBalance, balanceSynapses } from './balance/synaptic-balance'
export type { BalanceOptions, Balanced } from './balance/synaptic-balance'
export { KLSparsity } from './balance/kl-sparsity'
export type { KLSparsityOptions } from './balance/kl-sparsity'
export { KWinnersTakeAll } from './balance/k-winners'
export type { KWinnersTakeAllOptions } from './balance/k-winners'
export { DalesPrinciple } from './balance/dales-principle'
export type { DalesPrincipleOptions } from './balance/dales-principle'

export { ReservoirReplay } from './balance/reservoir-replay'
export type { ReservoirReplayOptions } from './balance/reservoir-replay'
export { ElasticWeightConsolidation, consolidate } from './balance/elastic-weight-consolidation'
export type { ConsolidateOptions, ElasticWeightConsolidationOptions } from './balance/elastic-weight-consolidation'
