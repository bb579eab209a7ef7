// The kinds of objects that can be saved, each with its registry.

import { Registry, type Configurable } from '../../core/registry'
import { Constraint } from '../../parts/constraints'
import { constraints } from '../../parts/constraints/registry'
import * as allInitializers from '../../parts/initializers'
import { Layer } from '../../layers/layer'
import { layers } from '../../layers/registry'
import * as allLosses from '../../losses'
import * as allMetrics from '../../metrics'
import * as allOptimizers from '../../optimizers'
import { schedules } from '../../optimizers/schedule-registry'
import { LearningRateSchedule } from '../../optimizers/schedules'
import { Regularizer } from '../../parts/regularizers'
import { regularizers } from '../../parts/regularizers/registry'

const initializers = /* @__PURE__ */ new Registry('initializer', allInitializers.Initializer, () => allInitializers)
const optimizers = /* @__PURE__ */ new Registry('optimizer', allOptimizers.Optimizer, () => allOptimizers)
const losses = /* @__PURE__ */ new Registry('loss', allLosses.Loss, () => allLosses)
const metrics = /* @__PURE__ */ new Registry('metric', allMetrics.Metric, () => allMetrics)

/** A kind of objects: its registry, and its base class. */
interface KindOfObject {
  readonly registry: Registry<Configurable>
  readonly base: abstract new (...inputs: never) => Configurable
}

/** The kinds by namespace. */
export const kinds = (): Readonly<Record<string, KindOfObject>> => ({
  layers: { registry: layers, base: Layer },
  losses: { registry: losses, base: allLosses.Loss },
  metrics: { registry: metrics, base: allMetrics.Metric },
  optimizers: { registry: optimizers, base: allOptimizers.Optimizer },
  schedules: { registry: schedules, base: LearningRateSchedule },
  initializers: { registry: initializers, base: allInitializers.Initializer },
  regularizers: { registry: regularizers, base: Regularizer },
  constraints: { registry: constraints, base: Constraint },
})

/** The class of the library with a name; undefined if there is none. */
export function libraryClass(name: string): unknown {
  return Object.values(kinds()).find(({ registry }) => Object.hasOwn(registry.all, name))?.registry.all[name]
}
