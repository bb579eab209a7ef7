// The namespace `schedules`: the learning-rate schedules, and Keras's serialize and deserialize.

import { requireArguments } from '../core/arguments'
import { deserializeObject, serializeObject, type SavedObject } from '../core/identified'
import type { CustomObjects, Serialized } from '../core/registry'
import { typed } from '../core/tree'
import { schedules } from '../optimizers/schedule-registry'
import type { LearningRateSchedule } from '../optimizers/schedules'

export * from '../optimizers/schedules'

/** The configuration of a schedule. Keras: `keras.optimizers.schedules.serialize`. */
export function serialize(schedule: LearningRateSchedule): Serialized {
  requireArguments('schedules.serialize', arguments, 1)
  return typed(serializeObject(schedule))
}

/**
 * The schedule of a configuration.
 *
 * Keras: `keras.optimizers.schedules.deserialize`.
 * @param customObjects your own classes, by name
 * @throws ArgumentError for an unknown name, with the nearest known one
 */
export function deserialize(saved: SavedObject, customObjects: CustomObjects = {}): LearningRateSchedule {
  requireArguments('schedules.deserialize', arguments, 2)
  return typed(deserializeObject(schedules, saved, customObjects))
}
