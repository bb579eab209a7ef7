// Objects in configurations of Keras and of TensorFlow.js: { class_name, config, … }.

import type { Json } from '../../core/registry'
import { isRecord, textOf, valueAt, type JsonRecord } from '../containers/json'

/** An object of Keras: a class and its configuration. */
export interface KerasObject extends JsonRecord {
  readonly class_name: string
}

/** Whether a value is an object of Keras: in a file, or as a program parsed it, so that it is JSON. */
export function isObject(value: unknown): value is KerasObject {
  return typeof value === 'object' && value !== null && 'class_name' in value && typeof value.class_name === 'string'
}

/** Whether what has a `keras_version` is of Keras 2. */
export function isFormerVersion(value: Json | undefined): boolean {
  return isRecord(value) && textOf(valueAt(value, 'keras_version')).startsWith('2.')
}
