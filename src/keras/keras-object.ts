// Objects in configurations of Keras and of TensorFlow.js: { class_name, config, … }.

import type { Json } from '../core/registry'
import type { JsonRecord } from '../formats/json'
import { isRecord } from '../formats/json'

/** An object of Keras: a class and its configuration. */
export interface KerasObject extends JsonRecord {
  readonly class_name: string
}

export function isObject(value: Json | undefined): value is KerasObject {
  return isRecord(value) && typeof value['class_name'] === 'string'
}
