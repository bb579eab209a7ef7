// The public names of `myelin/balance`, and nothing else: the life of units. Regeneration, health, homeostasis, memory.

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
export type { HealthRecord, LayerHealth } from './training/callbacks'
