// The namespace `schedules`: the learning-rate schedules, and Keras's serialize and deserialize.

import { ObjectNamespace, type SavedObject } from '../core/identified'
import type { CustomObjects, Serialized } from '../core/registry'
import { schedules } from '../optimizers/schedule-registry'
import type { LearningRateSchedule } from '../optimizers/schedules'

export * from '../optimizers/schedules'

const namespace = /* @__PURE__ */ new ObjectNamespace('schedules', schedules)

/** The configuration of a schedule. Keras: `keras.optimizers.schedules.serialize`. */
export function serialize(schedule: LearningRateSchedule): Serialized {
  return namespace.serialize(schedule, arguments)
}

/**
 * The schedule of a configuration.
 *
 * Keras: `keras.optimizers.schedules.deserialize`.
 * @param customObjects your own classes, by name
 * @throws ArgumentError for an unknown name, with the nearest known one
 */
export function deserialize(saved: SavedObject, customObjects: CustomObjects = {}): LearningRateSchedule {
  return namespace.deserialize(saved, customObjects, arguments)
}
