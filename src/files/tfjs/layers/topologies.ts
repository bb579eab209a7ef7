// Configurations of TensorFlow.js and of old versions of Keras 2 in the form that src/files/keras reads.

import type { Json } from '../../../core/registry'
import { isRecord, recordAt, textOf, valueAt, type JsonRecord } from '../../containers/json'
import { isObject, type KerasObject } from '../../keras/keras-object'

/** Options with other values than Keras's if a file does not have them. */
const ABSENT: Readonly<Record<string, JsonRecord>> = {
  GRU: { reset_after: false },
  GRUCell: { reset_after: false },
}

/** Options that TensorFlow.js writes as null for their defaults. */
const UNSET = ['implementation', 'mask_zero', 'noise_shape', 'num_constants', 'unit_forget_bias']

/** The options of an RNN; TensorFlow.js adds those of its cell. */
const OF_RNN =
  /^(?:name|trainable|dtype|batch_input_shape|cell|return_sequences|return_state|go_backwards|stateful|unroll|time_major)$/

/** A configuration with a list of layers in each Sequential, of which the first declares the input. */
export function currentForm(value: Json): Json {
  if (Array.isArray(value)) return value.map((each: Json) => currentForm(each))
  if (!isRecord(value)) return value
  // A number of NumPy.
  if (valueAt(value, 'type') === 'ndarray' && typeof valueAt(value, 'value') === 'number')
    return valueAt(value, 'value')!
  const made: Record<string, Json> = Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, currentForm(each)]),
  )
  if (!isObject(made)) return made
  const className = made.class_name
  if (className === 'Sequential') return { ...made, config: sequentialConfig(valueAt(made, 'config') ?? {}) }
  const config = valueAt(made, 'config')
  if (!isRecord(config)) return made
  const options = Object.entries({ ...ABSENT[className], ...config }).filter(
    ([option, each]) => !(each === null && UNSET.includes(option)) && (className !== 'RNN' || OF_RNN.test(option)),
  )
  return { ...made, config: Object.fromEntries(options.map(([option, each]) => [option, openExtent(option, each)])) }
}

/** Reshape may have null for the extent that follows from the size, which Keras writes as −1. */
function openExtent(option: string, value: Json): Json {
  return option === 'target_shape' && Array.isArray(value) ? value.map((each: Json) => each ?? -1) : value
}

/** Old files have the list of layers alone. */
function sequentialConfig(config: Json): Json {
  const record: JsonRecord = isRecord(config) ? config : {}
  const described: JsonRecord = Array.isArray(config) ? { layers: config as Json } : record
  const layers = valueAt(described, 'layers')
  if (!Array.isArray(layers)) return described
  const input = isObject(layers[0]) && layers[0].class_name !== 'InputLayer' ? inputOf(layers[0]) : null
  return input === null ? described : { ...described, layers: [input, ...layers] }
}

/** The InputLayer that the first layer of a Sequential implies; null if it has no shape. */
function inputOf(first: KerasObject): Json {
  const config = recordAt(first, 'config')
  const inner = valueAt(config, 'layers')
  if (Array.isArray(inner)) {
    // A nested model has an InputLayer.
    const declared = inner.find((each: Json) => isObject(each) && each.class_name === 'InputLayer')
    return isObject(declared)
      ? { class_name: 'InputLayer', config: { ...recordAt(declared, 'config'), name: `${nameOf(first)}_input` } }
      : null
  }
  const shape = valueAt(config, 'batch_input_shape')
  if (!Array.isArray(shape)) return null
  const dtype = valueAt(config, 'dtype') ?? 'float32'
  return { class_name: 'InputLayer', config: { batch_input_shape: shape, dtype, name: `${nameOf(first)}_input` } }
}

function nameOf(saved: KerasObject): string {
  return textOf(valueAt(recordAt(saved, 'config'), 'name')) || 'layer'
}
